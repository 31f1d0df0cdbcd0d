//! A call has one result, and has it in time.

use std::time::Duration;

use super::answer::Rule;
use super::outside::{Found, Outside, Report, Scene};
use crate::history::event::{Event, What};
use crate::history::{Channel, Channels};
use crate::scenario::CallKind;

const LOGIN: Rule = Rule::at("LOGIN-3");
const LOGOUT: Rule = Rule::at("LOGOUT-1");
const REQUEST: Rule = Rule::at("API-5");
const UNINIT: Rule = Rule::at("INIT-3");

/// The rule that says that a call of this kind has one result, and when.
fn rule(kind: CallKind) -> Rule {
    match kind {
        CallKind::Login => LOGIN,
        CallKind::Logout => LOGOUT,
        _ => REQUEST,
    }
}

/// No call has a second result.
pub(super) struct OneResult;

const ONE: &str = "a call has one result";

impl Outside for OneResult {
    fn name(&self) -> &'static str {
        ONE
    }

    fn rules(&self) -> &'static [Rule] {
        &[LOGIN, LOGOUT, REQUEST]
    }

    fn needs(&self) -> Channels {
        Channels::of(&[Channel::Calls])
    }

    fn see(&mut self, scene: &Scene<'_>, event: &Event, report: &mut Report) {
        let What::Answered { call, kind, .. } = event.what else { return };
        let before = scene.device.recent(call);
        let known = scene.open.map(|open| open.request.kind()).or(before.map(|(kind, _)| kind)).or(kind);
        // Of one that had its result long ago nobody knows any more what it was.
        let kind = known.unwrap_or(CallKind::Query);
        report.check(rule(kind), scene.open.is_some(), || {
            let text = format!("call {}, {}, has a second result", shown(call), kind.word());
            Found::at(ONE, scene, event, before.map(|(_, line)| line), text)
        });
    }
}

/// A number of a call, or that it is a text.
pub(super) fn shown(call: u64) -> String {
    if call >> 63 == 0 { call.to_string() } else { format!("#{call:x}") }
}

/// A result comes within the time that the history's limits name.
pub(super) struct InTime;

const TIME: &str = "a call has its result in time";

/// By how much a device's timers and its log may be late, where the history does not say it.
const LATE: Duration = Duration::from_secs(1);

impl Outside for InTime {
    fn name(&self) -> &'static str {
        TIME
    }

    fn rules(&self) -> &'static [Rule] {
        &[LOGIN, LOGOUT, REQUEST, UNINIT]
    }

    fn needs(&self) -> Channels {
        Channels::of(&[Channel::Calls, Channel::Process])
    }

    fn see(&mut self, scene: &Scene<'_>, event: &Event, report: &mut Report) {
        match event.what {
            What::Answered { .. } => {
                let Some(open) = scene.open else { return };
                let limits = &scene.head.promise.limits;
                let kind = open.request.kind();
                let limit = match kind {
                    CallKind::Login => limits.login_timeout,
                    CallKind::Logout | CallKind::Send | CallKind::Kick | CallKind::Query => limits.request_timeout,
                    CallKind::Init | CallKind::Uninit | CallKind::Conversations => None,
                };
                let Some(limit) = limit else { return };
                let late = limits.late.unwrap_or(LATE);
                let due = open.to.saturating_add((limit + late).as_micros() as u64);
                // What ran out while the device was frozen ends as it wakes.
                let woken = if scene.device.woken_at > open.from {
                    scene.device.woken_at.saturating_add(late.as_micros() as u64)
                } else {
                    0
                };
                report.check(rule(kind), event.from <= due.max(woken), || {
                    let took = (event.from - open.to) as f64 / 1e6;
                    let text = format!(
                        "{} had its result after {took:.3} s, and has {} s for it",
                        kind.word(),
                        limit.as_secs_f64()
                    );
                    Found::at(TIME, scene, event, Some(open.line), text)
                });
            }
            What::UninitReturned => {
                // What `init` comes to is told as it returns.
                let mut waiting = scene
                    .device
                    .calls
                    .iter()
                    .filter(|open| scene.device.uninits.first().is_some_and(|&line| open.line < line));
                let waiting = waiting.find(|open| open.request.kind() != CallKind::Init);
                report.check(UNINIT, waiting.is_none(), || {
                    let open = waiting.expect("there is one");
                    let text = format!("uninit returned, and {} had no result", open.request.kind().word());
                    Found::at(TIME, scene, event, Some(open.line), text)
                });
            }
            _ => {}
        }
    }
}
