//! Connection events alternate: an attempt begins, and ends in one way, in time (CONN-3, CONN-2).

use gatecrash::client::Status;
use gatecrash::code::Code;
use gatecrash::protocol::Closing;
use gatecrash::time::Instant;

use super::contract::Property;
use super::overdue::Overdue;
use super::report::Report;
use super::scene::Scene;
use crate::check::grown::grown;
use crate::scenario::CallKind;
use crate::scenario::rules::{RuleId, rule};
use crate::trace::{ClientFrame, DeviceIndex, Effect, Event, Outcome, ServerFrame, Told, What};

const ALTERNATE: RuleId = rule("CONN-3");
const IN_TIME: RuleId = rule("CONN-2");
const BUSY: RuleId = rule("CONN-12");

#[derive(Default)]
pub(super) struct Connecting {
    devices: Vec<Device>,
}

#[derive(Clone, Copy, Default)]
struct Device {
    is_connecting: bool,
    /// Whether the login under way, or the session it made, had its success told or dropped.
    is_told: bool,
    /// Since when an attempt lasts.
    since: Option<Instant>,
    /// Since when nobody is logged in or logging in. What was told of before may be heard at that instant still, and
    /// as long as it waits for the disk.
    out_since: Option<Instant>,
    /// When a connection was last asked for, and what of its end came since.
    asked_at: Option<Instant>,
    end: Ended,
    /// A login is sent: its own timeout decides how long the attempt lasts (LOGIN-8).
    is_asking: bool,
}

/// What is known of how an attempt ends.
#[derive(Clone, Copy, Default)]
enum Ended {
    /// Nothing came: its time may be up.
    #[default]
    Nothing,
    /// The server sent the device away.
    SentAway(Code),
    Somehow,
}

impl Ended {
    /// What the application may not be told of such an end, with what it should be.
    fn forbids(self, told: Code) -> Option<(RuleId, Code)> {
        match self {
            Ended::SentAway(code) => (told != code).then_some((BUSY, code)),
            Ended::Nothing if matches!(told, Code::NoLink | Code::ServerBusy) => Some((IN_TIME, Code::ConnectTimeout)),
            Ended::Nothing | Ended::Somehow => None,
        }
    }
}

/// What an attempt ends with that the server closed on purpose (CONN-12).
fn sent_away(why: Closing) -> Code {
    match why {
        Closing::Stopping => Code::NoLink,
        Closing::Full | Closing::Busy => Code::ServerBusy,
    }
}

impl Connecting {
    fn device(&mut self, device: DeviceIndex) -> &mut Device {
        grown(&mut self.devices, device.index())
    }
}

impl Property for Connecting {
    sentence!(
        Eventually,
        "every connecting ends once and in time, and nothing ends that did not begin",
        "CONN-3",
        "CONN-2",
        "CONN-12"
    );
    // What it looks at; an attempt that lasts too long shows at the next of them.
    watches!(
        "told",
        "answered",
        "status",
        "stored",
        "events_dropped",
        "uninit_returned",
        "device_sent",
        "device_received",
        "no_frame",
        "connect_asked",
        "connect_failed",
        "untrusted",
        "gone",
        "record_failed",
        "network_changed",
        "link_lost",
        "sdk_woken",
        "effect"
    );

    fn observe(&mut self, scene: &Scene<'_>, event: &Event, report: &mut Report) {
        if let What::Effect { effect: Effect::ProcessDead { device } | Effect::ProcessUp { device } } = event.what {
            *self.device(device) = Device::default();
        }
        let Some((on, sdk)) = scene.actor else { return };
        let name = scene.device(on);
        let timeout = || scene.allowance.client(scene.cast, on).connect_timeout + scene.allowance.device_slack;
        let device = self.device(on);
        let is_late = |since: &mut Instant| (*since).max(sdk.woken_at) + timeout() < event.at;
        // One that has just woken first ends what took too long meanwhile.
        if !(device.is_asking || sdk.is_suspended || event.at == sdk.woken_at)
            && let Some(since) = device.since.take_if(is_late)
        {
            let (at, limit) = (since.max(sdk.woken_at), timeout() - scene.allowance.device_slack);
            let overdue = Overdue { since: "connecting", at, limit, now: event.at };
            let text = format!("{name}'s attempt to connect lasts longer than one may: {overdue}");
            report.missing_by(IN_TIME, event, "connect_failed", text);
        }
        match event.what {
            What::ConnectAsked { .. } => (device.asked_at, device.end) = (Some(event.at), Ended::Nothing),
            What::DeviceReceived { connection, frame: ServerFrame::Closing { why, .. } }
                if sdk.connection == Some(connection) =>
            {
                device.end = Ended::SentAway(sent_away(why));
            }
            What::ConnectFailed { .. }
            | What::Untrusted { .. }
            | What::Gone { .. }
            | What::DeviceReceived { .. }
            | What::NoFrame { .. }
            | What::RecordFailed
            | What::NetworkChanged
            | What::SdkWoken => device.end = Ended::Somehow,
            _ => {}
        }
        if let What::Told { event: Told::ConnectFailed { code }, .. } = event.what
            // At one instant nobody can tell what came first.
            && device.asked_at.is_some_and(|asked_at| asked_at < event.at)
            && device.since == device.asked_at
            && let Some((rule, right)) = device.end.forbids(code)
        {
            let (said, right) = (code.number(), right.number());
            report.event(rule, event, format!("{name} was told [{said}] of an attempt that ended with [{right}]"));
        }
        match event.what {
            What::DeviceSent { frame: ClientFrame::Login { .. }, .. } => device.is_asking = true,
            What::UninitReturned { .. } => device.since = None,
            What::Told { event: told, .. } => match told {
                // LOGOUT-2: attempts for an owed end are not the application's, which is logged out.
                Told::Connecting if device.out_since.is_some_and(|since| since < event.at) => {
                    let text = format!("{name} was told connecting, and nobody is logged in or logging in");
                    report.event(ALTERNATE, event, text);
                }
                Told::Connecting => {
                    device.since = Some(event.at);
                    if std::mem::replace(&mut device.is_connecting, true) {
                        let text = format!("{name} was told connecting, and the attempt before had not ended");
                        report.event(ALTERNATE, event, text);
                    }
                }
                Told::ConnectSuccess | Told::ConnectFailed { .. } => {
                    (device.is_told, device.since) = (true, None);
                    // A login that goes on waiting is asked anew with the next attempt (LOGIN-8).
                    device.is_asking &= told == Told::ConnectSuccess;
                    if !std::mem::replace(&mut device.is_connecting, false) {
                        let text = format!("{name} was told {}, and no attempt had begun", told.word());
                        report.event(ALTERNATE, event, text);
                    }
                }
                Told::KickedOffline { .. } | Told::UserSigExpired => {
                    (device.is_connecting, device.since) = (false, None);
                }
                Told::Message { .. } | Told::MessagesDropped { .. } => {}
            },
            What::Stored { .. } if device.out_since.is_some() => device.out_since = Some(event.at),
            What::EventsDropped => (device.is_connecting, device.is_told, device.since) = (false, true, None),
            What::Status { status, .. } => {
                device.out_since = (status == Status::Logout).then_some(event.at);
                // What ends an attempt is told at the same instant.
                if std::mem::take(&mut device.is_asking) {
                    device.since = None;
                }
                device.is_told &= status != Status::Logining;
            }
            What::Answered { call, kind: Some(CallKind::Login), outcome: Outcome::Done, .. }
                if call == sdk.login_call && !device.is_told =>
            {
                let text = format!("{name} got its login's result before connect_success");
                report.event(ALTERNATE, event, text);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::story::*;
    use super::*;
    use crate::trace::Micros;

    fn story() -> Story {
        Story::of(Connecting::default()).logs_in(PHONE, ALICE, 1)
    }

    #[test]
    fn events_out_of_turn_are_seen() {
        let failed = Told::ConnectFailed { code: Code::NoLink };
        let tells = |events: &[Told]| events.iter().fold(story(), |story, &told| story.told(PHONE, told, ALICE, 1));
        tells(&[Told::Connecting, failed, Told::Connecting, Told::ConnectSuccess]).holds();
        tells(&[Told::Connecting, kicked()]).holds();
        tells(&[Told::Connecting, Told::Connecting]).breaks("CONN-3");
        tells(&[Told::ConnectSuccess]).breaks("CONN-3");
        tells(&[Told::Connecting, failed, failed]).breaks("CONN-3");
        // LOGOUT-2: who is logged out is told of no attempt.
        let out = || story().on(PHONE, status(Status::Logout, None));
        out().at(1).told(PHONE, Told::Connecting, ALICE, 0).breaks("CONN-3");
        out().told(PHONE, Told::Connecting, ALICE, 0).holds();
        let cut = story().told(PHONE, Told::Connecting, ALICE, 1).on(PHONE, What::EventsDropped);
        cut.told(PHONE, Told::Connecting, BOB, 0).holds();
    }

    /// CONN-2
    #[test]
    fn an_attempt_that_lasts_too_long_is_seen() {
        let tries = |seconds| story().told(PHONE, Told::Connecting, ALICE, 1).at(seconds);
        let failed = Told::ConnectFailed { code: Code::ConnectTimeout };
        tries(10).told(PHONE, failed, ALICE, 1).holds();
        tries(12).told(PHONE, failed, ALICE, 1).breaks("CONN-2");
        tries(12).on(PHONE, What::LinkLost).breaks("CONN-2");
        let login =
            ClientFrame::Login { call: 9, attempt: attempt(1), user: ALICE.into(), ticket: None, known_ended: None };
        let asks = story().on(PHONE, status(Status::Logining, None)).told(PHONE, Told::Connecting, ALICE, 1).at(5);
        let asks = asks.on(PHONE, What::DeviceSent { connection: 0, reveals: 0, frame: login });
        asks.at(29).told(PHONE, failed, ALICE, 1).holds();
    }

    /// CONN-2, CONN-12: what an attempt is told to have ended with is what it ended with.
    #[test]
    fn an_attempt_that_is_told_otherwise_than_it_ended_is_seen() {
        let tries = || story().told(PHONE, Told::Connecting, ALICE, 1).on(PHONE, What::ConnectAsked { connection: 1 });
        let told = |story: Story, code| story.told(PHONE, Told::ConnectFailed { code }, ALICE, 1);
        told(tries().at(10), Code::ConnectTimeout).holds();
        told(tries().at(10), Code::NoLink).breaks("CONN-2");
        told(tries().at(1).on(PHONE, What::ConnectFailed { connection: 1 }), Code::NoLink).holds();
        let (after, spread) = (Micros::new(1_000_000), Micros::new(250_000));
        let sent_away = |why| {
            let frame = ServerFrame::Closing { why, after, spread };
            tries().at(1).on(PHONE, What::DeviceReceived { connection: 1, frame })
        };
        told(sent_away(Closing::Busy), Code::ServerBusy).holds();
        told(sent_away(Closing::Busy), Code::NoLink).breaks("CONN-12");
        told(sent_away(Closing::Stopping), Code::ServerBusy).breaks("CONN-12");
    }

    #[test]
    fn a_result_ahead_of_its_event_is_seen() {
        let story = || story().on(PHONE, status(Status::Logout, None)).on(PHONE, status(Status::Logining, None));
        let done = || answered(101, CallKind::Login, Some(ALICE), Outcome::Done);
        story().told(PHONE, Told::Connecting, ALICE, 0).on(PHONE, done()).breaks("CONN-3");
        let told = story().told(PHONE, Told::Connecting, ALICE, 0).told(PHONE, Told::ConnectSuccess, ALICE, 0);
        told.on(PHONE, done()).holds();
    }
}
