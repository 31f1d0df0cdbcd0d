//! Every call has one result, in time (LOGIN-3, API-5, LOGOUT-1, INIT-3).

use std::time::Duration;

use gatecrash::code::Code;
use gatecrash::time::Instant;

use super::contract::Property;
use super::overdue::Overdue;
use super::report::Report;
use super::scene::Scene;
use super::sdk::{PendingCall, Sdk};
use crate::scenario::CallKind;
use crate::scenario::rules::{RuleId, rule};
use crate::trace::{Actor, ClientFrame, DeviceIndex, Event, Outcome, What};

const LOGIN: RuleId = rule("LOGIN-3");
const REQUEST: RuleId = rule("API-5");
const LOGOUT: RuleId = rule("LOGOUT-1");
const INIT: RuleId = rule("INIT-1");
const UNINIT: RuleId = rule("INIT-3");
const REPEATED: RuleId = rule("CONN-8");
const PENDING: RuleId = rule("LOGIN-4");
const LEFT: RuleId = rule("INIT-5");
const BY_ITSELF: RuleId = rule("LOGIN-9");
const CANCELLED: RuleId = rule("LOGOUT-3");

#[derive(Default)]
pub(super) struct Calls;

fn rule_of(kind: CallKind) -> RuleId {
    match kind {
        CallKind::Login => LOGIN,
        CallKind::Logout => LOGOUT,
        CallKind::Init => INIT,
        CallKind::Uninit => UNINIT,
        CallKind::Send | CallKind::Conversations | CallKind::Kick | CallKind::Query => REQUEST,
    }
}

/// When a call's result is due. Of a frozen device it is due on waking.
fn due(scene: &Scene<'_>, on: DeviceIndex, sdk: &Sdk, call: &PendingCall) -> Instant {
    let limit = call.time(scene.allowance.client(scene.cast, on));
    // INIT-3: `uninit` has its result behind a logout that waits for the disk, however long that may; and what is
    // answered at once is told after it.
    let is_at_once = limit == Duration::ZERO;
    let behind = sdk.logout_told_at.filter(|_| is_at_once);
    let own = (call.at + limit).max(sdk.woken_at).max(behind.unwrap_or(Instant::ZERO)) + scene.allowance.device_slack;
    let is_before = |other: &&PendingCall| is_at_once && other.kind == CallKind::Logout && other.call < call.call;
    let before = sdk.calls.iter().filter(is_before).map(|logout| due(scene, on, sdk, logout));
    before.chain([own]).max().unwrap_or(own)
}

/// How late its result is.
fn overdue(scene: &Scene<'_>, now: Instant, call: &PendingCall, due: Instant) -> Overdue<'static> {
    let limit = (due - call.at).saturating_sub(scene.allowance.device_slack);
    Overdue { since: "the call", at: call.at, limit, now }
}

impl Property for Calls {
    sentence!(
        Eventually,
        "every call has exactly one result, in time",
        "LOGIN-3",
        "API-5",
        "LOGOUT-1",
        "INIT-1",
        "INIT-3",
        "CONN-8",
        "LOGIN-4",
        "INIT-5",
        "LOGIN-9",
        "LOGOUT-3"
    );
    watches!("answered", "uninit_returned", "device_sent");
    frames!("login", "logout", "send", "admin_kick", "query");

    fn observe(&mut self, scene: &Scene<'_>, event: &Event, report: &mut Report) {
        let Some((on, sdk)) = scene.actor else { return };
        let name = scene.device(on);
        match event.what {
            What::DeviceSent { frame, .. } => {
                let (call, rule) = match frame {
                    ClientFrame::Send { call, .. }
                    | ClientFrame::AdminKick { call, .. }
                    | ClientFrame::Query { call, .. } => (call, REPEATED),
                    // One without a call is about an end that is owed.
                    ClientFrame::Logout { call, .. } if call != 0 => (call, LEFT),
                    ClientFrame::Login { call, .. } => (call, BY_ITSELF),
                    _ => return,
                };
                // LOGOUT-2: an end that waited for the disk leaves later, whatever has become of the call meanwhile.
                let is_end = matches!(frame, ClientFrame::Logout { .. });
                let is_awaited = sdk.calls.iter().any(|pending| pending.call == call);
                if !is_awaited && (!is_end || !sdk.is_writing(event.at)) {
                    let text = format!("{name} sends a {} for no call that waits", frame.word());
                    report.event(rule, event, text);
                }
            }
            What::Answered {
                call,
                kind: Some(CallKind::Login),
                outcome: Outcome::Failed { code: Code::LoginPending, .. },
                ..
            } if !sdk.calls.iter().any(|other| other.kind == CallKind::Login && other.call != call) => {
                report.event(PENDING, event, format!("{name}'s login was refused for another, and none is pending"));
            }
            What::Answered {
                kind: Some(CallKind::Login),
                outcome: Outcome::Failed { code: Code::LoginCancelled, .. },
                ..
            } if !sdk.calls.iter().any(|other| other.kind == CallKind::Logout) => {
                let uninits = sdk.calls.iter().any(|other| other.kind == CallKind::Uninit);
                let (rule, instead) =
                    if uninits { (UNINIT, "uninit is called") } else { (CANCELLED, "nobody logs out") };
                report.event(rule, event, format!("{name}'s login ended for a logout, and {instead}"));
            }
            What::Answered { call, kind, .. } => match sdk.calls.iter().find(|pending| pending.call == call) {
                None => {
                    let rule = kind.map_or(REQUEST, rule_of);
                    report.event(
                        rule,
                        event,
                        format!("{name}'s call {call} got a result and had one, or never was made"),
                    );
                }
                Some(pending) => {
                    let due = due(scene, on, sdk, pending);
                    if event.at > due {
                        let took = (event.at - pending.at).as_secs_f64();
                        let (kind, overdue) = (pending.kind, overdue(scene, event.at, pending, due));
                        let text = format!("{name}'s {kind} took {took:.3} s for its result: {overdue}");
                        report.missing_by(rule_of(pending.kind), event, "answered", text);
                    }
                }
            },
            What::UninitReturned { call: uninit } => {
                if let Some(left) = sdk.calls.iter().find(|pending| pending.call < uninit) {
                    let text = format!("{name}'s uninit returned while its {} had no result", left.kind);
                    report.event(UNINIT, event, text);
                }
            }
            _ => {}
        }
    }

    fn finish(&mut self, scene: &Scene<'_>, report: &mut Report) {
        for (on, sdk) in scene.sdks.iter().filter(|(_, sdk)| !sdk.is_suspended) {
            for pending in &sdk.calls {
                let due = due(scene, on, sdk, pending);
                if due < scene.now {
                    let (name, kind) = (scene.device(on), pending.kind);
                    let overdue = overdue(scene, scene.now, pending, due);
                    let text = format!("{name}'s {kind} of {} s never got a result: {overdue}", pending.at);
                    report.missing(rule_of(pending.kind), pending.at, Actor::Device(on), "answered", text);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::story::*;
    use super::*;
    use crate::trace::{Effect, Request};

    fn called() -> Story {
        let login = Request::Login { user: ALICE.into(), ticket: ticket(TICKET) };
        Story::of(Calls).calls(PHONE, 1, login)
    }

    fn result() -> What {
        answered(1, CallKind::Login, Some(ALICE), failed(Code::NoAnswer))
    }

    /// LOGIN-3
    #[test]
    fn a_result_that_is_late_missing_or_double_is_seen() {
        called().at(30).on(PHONE, result()).holds();
        called().at(31).on(PHONE, result()).breaks("LOGIN-3");
        called().at(31).world(What::ScriptEnded).breaks("LOGIN-3");
        called().on(PHONE, result()).on(PHONE, result()).breaks("LOGIN-3");
    }

    /// LOGIN-3: of a frozen device on waking; of a dead one never.
    #[test]
    fn suspended_and_dead_processes_are_excused() {
        let asleep = || called().effect(Effect::Suspended { device: PHONE.into() }).at(90);
        asleep().effect(Effect::Woken { device: PHONE.into() }).on(PHONE, result()).holds();
        asleep().effect(Effect::Woken { device: PHONE.into() }).at(91).on(PHONE, result()).breaks("LOGIN-3");
        asleep().effect(Effect::ProcessDead { device: PHONE.into() }).at(200).holds();
    }

    /// INIT-3
    #[test]
    fn uninit_returns_last() {
        let uninit = || called().calls(PHONE, 2, Request::Uninit);
        let done = || answered(2, CallKind::Uninit, None, Outcome::Done);
        let returned = || What::UninitReturned { call: 2 };
        uninit().on(PHONE, result()).on(PHONE, done()).on(PHONE, returned()).holds();
        uninit().on(PHONE, done()).on(PHONE, returned()).on(PHONE, result()).breaks("INIT-3");
    }

    /// CONN-8, INIT-5
    #[test]
    fn a_frame_for_no_call_is_seen() {
        let sends = |frame| What::DeviceSent { connection: 0, reveals: 0, frame };
        let message = || sends(ClientFrame::Send { call: 2, to: BOB.into(), text: text(0), id: 1 });
        let asked = || Story::of(Calls).calls(PHONE, 2, Request::Send { to: BOB.into(), text: text(0), id: None });
        let over = || answered(2, CallKind::Send, Some(ALICE), failed(Code::NoAnswer));
        asked().on(PHONE, message()).on(PHONE, over()).holds();
        asked().on(PHONE, message()).on(PHONE, over()).on(PHONE, message()).breaks("CONN-8");
        let logout = |call| sends(ClientFrame::Logout { call, attempt: attempt(1) });
        Story::of(Calls).on(PHONE, logout(0)).holds();
        Story::of(Calls).on(PHONE, logout(3)).breaks("INIT-5");
        // LOGOUT-2: an end that waited for the disk may leave later, and nothing else.
        let record =
            crate::trace::Write::Installation { installation: 1, starts: 1, owed_end: true, known_ended: None };
        let writes = |story: Story| story.on(PHONE, What::StoreAsked { change: 1, write: record });
        writes(Story::of(Calls)).on(PHONE, logout(3)).holds();
        writes(asked().on(PHONE, over())).on(PHONE, message()).breaks("CONN-8");
    }

    /// API-5, LOGOUT-1, INIT-1: each kind of call has its own time.
    #[test]
    fn results_of_other_calls_that_are_late_are_seen() {
        let asks = |request| Story::of(Calls).calls(PHONE, 2, request);
        let send = || asks(Request::Send { to: BOB.into(), text: text(0), id: None });
        let sent = || answered(2, CallKind::Send, Some(ALICE), failed(Code::NoAnswer));
        send().at(15).on(PHONE, sent()).holds();
        send().at(16).on(PHONE, sent()).breaks("API-5");
        let left = || answered(2, CallKind::Logout, Some(ALICE), Outcome::Done);
        asks(Request::Logout).at(15).on(PHONE, left()).holds();
        asks(Request::Logout).at(16).on(PHONE, left()).breaks("LOGOUT-1");
        let init = || asks(Request::Init { platform: gatecrash::policy::Platform::Android });
        let begun = || answered(2, CallKind::Init, None, Outcome::Done);
        init().on(PHONE, begun()).holds();
        init().at(1).on(PHONE, begun()).breaks("INIT-1");
    }

    /// LOGIN-9
    #[test]
    fn a_login_by_itself_is_seen() {
        let login = |call| {
            let (user, ticket) = (ALICE.into(), Some(ticket(TICKET)));
            let frame = ClientFrame::Login { call, attempt: attempt(1), user, ticket, known_ended: None };
            What::DeviceSent { connection: 0, reveals: 0, frame }
        };
        called().on(PHONE, login(1)).on(PHONE, result()).holds();
        called().on(PHONE, result()).on(PHONE, login(1)).breaks("LOGIN-9");
        called().on(PHONE, login(0)).breaks("LOGIN-9");
    }

    /// LOGOUT-3
    #[test]
    fn a_login_cut_short_by_no_logout_is_seen() {
        let cancelled = || answered(1, CallKind::Login, Some(ALICE), failed(Code::LoginCancelled));
        let logged_out = || answered(2, CallKind::Logout, Some(ALICE), Outcome::Done);
        called().calls(PHONE, 2, Request::Logout).on(PHONE, cancelled()).on(PHONE, logged_out()).holds();
        called().calls(PHONE, 2, Request::Logout).on(PHONE, logged_out()).on(PHONE, cancelled()).breaks("LOGOUT-3");
        called().on(PHONE, cancelled()).breaks("LOGOUT-3");
    }

    /// LOGIN-4
    #[test]
    fn a_login_refused_for_one_that_is_not_pending_is_seen() {
        let login = || Request::Login { user: BOB.into(), ticket: ticket(TICKET) };
        let refused = || answered(2, CallKind::Login, Some(BOB), failed(Code::LoginPending));
        called().calls(PHONE, 2, login()).on(PHONE, refused()).on(PHONE, result()).holds();
        called().on(PHONE, result()).calls(PHONE, 2, login()).on(PHONE, refused()).breaks("LOGIN-4");
    }
}
