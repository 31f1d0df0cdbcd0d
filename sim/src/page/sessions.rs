//! Sessions as bars: from the fact that accepted one to the fact that ended it.
//!
//! The server's word is what counts, and only what reached its disk: a start undoes what was decided after the change that
//! it goes on from.

use serde::Serialize;

use super::lanes::Lanes;
use crate::trace::{Fact, Trace, What};

/// A session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Bar {
    /// Whose lane.
    pub lane: usize,
    /// Which place in the lane: sessions of one device that are there together stand beside each other.
    pub track: usize,
    /// Whose session.
    pub user: String,
    /// Its epoch, 0 where nobody knows it.
    pub epoch: u32,
    /// Where it begins.
    pub from: usize,
    /// Where it ends, if it does.
    pub to: Option<usize>,
    /// Why it ended.
    pub reason: Option<String>,
    #[serde(skip)]
    begun_by: u32,
    #[serde(skip)]
    ended_by: u32,
}

impl Bar {
    /// A session as its application knows it, which knows no epoch.
    pub(super) fn seen(lane: usize, user: String, from: usize) -> Bar {
        Bar { lane, track: 0, user, epoch: 0, from, to: None, reason: None, begun_by: 0, ended_by: 0 }
    }
}

/// Every session that was ever decided.
pub fn bars(trace: &Trace, lanes: &Lanes) -> Vec<Bar> {
    let mut bars: Vec<Bar> = Vec::new();
    for (position, event) in trace.events.iter().enumerate() {
        match event.what {
            What::Fact { commit, fact: Fact::SessionAccepted { user, device, epoch, .. } } => {
                let Some(lane) = lanes.device(device) else { continue };
                let user = trace.cast.user_name(user).to_owned();
                let is_taken =
                    |track: usize| bars.iter().any(|bar| bar.lane == lane && bar.track == track && bar.to.is_none());
                let track = (0..).find(|&track| !is_taken(track)).expect("there are finitely many sessions");
                bars.push(Bar {
                    lane,
                    track,
                    user,
                    epoch,
                    from: position,
                    to: None,
                    reason: None,
                    begun_by: commit,
                    ended_by: 0,
                });
            }
            What::Fact { commit, fact: Fact::SessionEnded { user, device, epoch, reason, .. } } => {
                let user = trace.cast.user_name(user);
                let lane = lanes.device(device);
                let is_it = |bar: &&mut Bar| {
                    Some(bar.lane) == lane && bar.user == user && bar.epoch == epoch && bar.to.is_none()
                };
                if let Some(bar) = bars.iter_mut().rev().find(is_it) {
                    (bar.to, bar.ended_by) = (Some(position), commit);
                    bar.reason = Some(reason.word().to_owned());
                }
            }
            What::ServerStarted { commit, .. } => {
                for bar in &mut bars {
                    if bar.ended_by > commit {
                        (bar.to, bar.reason, bar.ended_by) = (None, None, 0);
                    }
                    // No number is used twice by what survives: what is undone here is not looked at again.
                    if bar.begun_by > commit {
                        bar.to = bar.to.or(Some(position));
                        bar.reason.get_or_insert_with(|| "undone".to_owned());
                        bar.begun_by = 0;
                    }
                }
            }
            _ => {}
        }
    }
    bars
}
