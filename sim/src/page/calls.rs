//! Calls as brackets on the application's rail: from the call to its result.

use std::collections::BTreeMap;

use serde::Serialize;

use super::lanes::Lanes;
use crate::trace::{Actor, Effect, Outcome, Trace, What};

/// A call of an application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Call {
    /// Whose lane.
    pub lane: usize,
    /// Its number, which may start over with each process.
    pub call: u32,
    /// Which call.
    pub word: &'static str,
    /// Where it was made.
    pub from: usize,
    /// Where it had its result, or none any more.
    pub to: Option<usize>,
    /// Which place on the rail: calls of one device that wait together stand beside each other.
    pub track: usize,
    /// What came of it: `ok`, a code in brackets, `dead` with its process; none so far.
    pub outcome: Option<String>,
}

/// Every call that was made.
pub fn calls(trace: &Trace, lanes: &Lanes) -> Vec<Call> {
    let mut calls: Vec<Call> = Vec::new();
    for (position, event) in trace.events.iter().enumerate() {
        let lane = lanes.actor(event.actor);
        match (event.actor, event.what) {
            (Actor::Device(_), What::Called { call, request }) => {
                calls.push(Call {
                    lane,
                    call,
                    word: request.word(),
                    from: position,
                    to: None,
                    track: 0,
                    outcome: None,
                });
            }
            (Actor::Device(_), What::Answered { call, outcome, .. }) => {
                let said = match outcome {
                    Outcome::Failed { code, .. } => format!("[{}]", code.number()),
                    Outcome::Done
                    | Outcome::Message { .. }
                    | Outcome::Conversations { .. }
                    | Outcome::Report { .. } => "ok".to_owned(),
                };
                end(&mut calls, lane, Some(call), position, &said);
            }
            (Actor::Device(_), What::UninitReturned { call }) => end(&mut calls, lane, Some(call), position, "ok"),
            (_, What::Effect { effect: Effect::ProcessDead { device } }) => {
                if let Some(lane) = lanes.device(device) {
                    end(&mut calls, lane, None, position, "dead");
                }
            }
            _ => {}
        }
    }
    put_beside(&mut calls);
    calls
}

/// Gives each call its place on the rail.
pub(super) fn put_beside(calls: &mut [Call]) {
    let mut busy: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for call in calls {
        let ends = busy.entry(call.lane).or_default();
        call.track = ends.iter().position(|&end| end <= call.from).unwrap_or(ends.len());
        ends.resize(ends.len().max(call.track + 1), 0);
        ends[call.track] = call.to.unwrap_or(usize::MAX);
    }
}

/// Ends the last open call of this number in a lane, or all that are open.
fn end(calls: &mut [Call], lane: usize, call: Option<u32>, position: usize, outcome: &str) {
    let is_open = |it: &&mut Call| it.lane == lane && it.to.is_none() && call.is_none_or(|call| it.call == call);
    let at_most = if call.is_some() { 1 } else { usize::MAX };
    for it in calls.iter_mut().rev().filter(is_open).take(at_most) {
        (it.to, it.outcome) = (Some(position), Some(outcome.to_owned()));
    }
}
