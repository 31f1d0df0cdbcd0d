//! The SDK connects for an account or an owed end only: after an end it waits for the application.

use gatecrash::client::Status;
use gatecrash::code::Code;
use gatecrash::time::Instant;

use super::contract::Property;
use super::report::Report;
use super::scene::Scene;
use super::sdk::{Rest, Sdk};
use crate::check::grown::grown;
use crate::scenario::CallKind;
use crate::scenario::numbers::PROTOCOL;
use crate::scenario::rules::{RuleId, rule};
use crate::trace::{Actor, ClientFrame, DeviceIndex, Event, Request, ServerFrame, Told, What};

const KICKED: RuleId = rule("KICK-4");
const EXPIRED: RuleId = rule("TICKET-8");
const FAILED: RuleId = rule("LOGIN-9");
const LOGGED_OUT: RuleId = rule("LOGOUT-1");
const UNKEPT: RuleId = rule("LOGOUT-2");
const UNINITIALISED: RuleId = rule("INIT-5");
const FRESH: RuleId = rule("INIT-6");
const IDLE: RuleId = rule("CONN-9");
const ONE: RuleId = rule("CONN-7");
const BESIDE: RuleId = rule("CONN-10");
const OLD: RuleId = rule("VERSION-1");

#[derive(Default)]
pub(super) struct Silence {
    /// Of each device, whether the last end it heard of was an expiry.
    expired: Vec<bool>,
    /// Of each device, whether the server has answered its last logout.
    said: Vec<bool>,
    /// Of each device, the connection it asked for though nobody is logged in. Of calls in a row the
    /// driver carries out what each asked for when all are made: what it closes again at that
    /// instant it never made.
    asked: Vec<Option<(u32, Event, RuleId, String)>>,
    /// Of each device, whether it was told that the server does not support its version, and nobody asked for
    /// anything since.
    too_old: Vec<bool>,
    /// Of each device, since when it has a connection for nothing, and when something happened to it last.
    idle: Vec<Idle>,
}

#[derive(Clone, Copy)]
struct Idle {
    since: Option<Instant>,
    last_at: Instant,
}

impl Default for Idle {
    fn default() -> Self {
        Idle { since: None, last_at: Instant::ZERO }
    }
}

impl Silence {
    fn expired(&mut self, index: usize) -> &mut bool {
        grown(&mut self.expired, index)
    }

    /// The connection stands as something the device should not have asked for, unless this event
    /// takes it back.
    fn settle(&mut self, index: usize, event: &Event, report: &mut Report) {
        let Some((connection, asked, rule, text)) = self.asked.get_mut(index).and_then(Option::take) else { return };
        match event.what {
            What::CloseAsked { connection: closed, .. } if closed == connection && event.at == asked.at => {}
            _ if event.at == asked.at => self.asked[index] = Some((connection, asked, rule, text)),
            _ => report.event(rule, &asked, text),
        }
    }

    /// CONN-9: a connection for nothing is closed at once.
    fn idles(&mut self, scene: &Scene<'_>, event: &Event, on: DeviceIndex, sdk: &Sdk, report: &mut Report) {
        let idle = grown(&mut self.idle, on.index());
        let last_at = std::mem::replace(&mut idle.last_at, event.at);
        if !is_for_nothing(sdk, event.at) {
            idle.since = None;
            return;
        }
        let since = *idle.since.get_or_insert(last_at);
        let is_late = since.max(sdk.woken_at) + scene.allowance.slack < event.at;
        if is_late && event.at != sdk.woken_at {
            idle.since = Some(event.at);
            let text = format!("{} is LOGOUT and holds a connection since {since} s", scene.device(on));
            report.missing_by(IDLE, event, "close_asked", text);
        }
    }

    /// Which rule keeps this device silent, and since what.
    fn reason(&mut self, index: usize, sdk: &Sdk) -> (RuleId, &'static str) {
        match sdk.rest {
            Rest::Ended if *self.expired(index) => (EXPIRED, "its ticket expired"),
            Rest::Ended => (KICKED, "it was kicked"),
            Rest::Failed => (FAILED, "its login failed"),
            Rest::Asked(CallKind::Uninit) => (UNINITIALISED, "uninit"),
            // It may have an end to bring, which then has to be on its disk.
            Rest::Asked(CallKind::Logout) if !*grown(&mut self.said, index) => {
                (UNKEPT, "a logout whose end is not on its disk")
            }
            Rest::Asked(_) => (LOGGED_OUT, "the logout"),
            Rest::Fresh => (FRESH, "its start"),
        }
    }
}

/// Whether it holds a connection that nothing asks for.
fn is_for_nothing(sdk: &Sdk, now: Instant) -> bool {
    let is_idle = sdk.status == Status::Logout && sdk.calls.is_empty() && !sdk.is_suspended;
    is_idle && sdk.connection.is_some() && !sdk.owes_end && !sdk.is_writing(now)
}

impl Property for Silence {
    sentence!(
        Always,
        "without an account or an owed end the SDK does not connect, resume or log in by itself",
        "KICK-4",
        "TICKET-8",
        "CONN-9",
        "LOGIN-9",
        "LOGOUT-1",
        "LOGOUT-2",
        "INIT-5",
        "INIT-6",
        "CONN-7",
        "CONN-10",
        "VERSION-1"
    );
    // What it looks at; a connection that nobody asked for stands at the next of them.
    watches!(
        "told",
        "called",
        "status",
        "connect_asked",
        "connected",
        "connect_failed",
        "untrusted",
        "close_asked",
        "gone",
        "network_changed",
        "device_sent",
        "device_received"
    );
    frames!(
        "hello",
        "login",
        "resume",
        "expired",
        "resume_expired",
        "resume_refused",
        "kick",
        "resume_kicked",
        "logout_answer"
    );

    fn observe(&mut self, scene: &Scene<'_>, event: &Event, report: &mut Report) {
        let Some((on, sdk)) = scene.actor else { return };
        let is_out = sdk.status == Status::Logout;
        self.too_old.resize(self.too_old.len().max(on.index() + 1), false);
        match event.what {
            What::Told { event: Told::ConnectFailed { code: Code::VersionNotSupported }, .. } => {
                self.too_old[on.index()] = true;
            }
            What::Called { request: Request::Login { .. } | Request::Init { .. }, .. } => {
                self.too_old[on.index()] = false
            }
            What::ConnectAsked { .. } if self.too_old[on.index()] => {
                let text = format!("{} tries again, though the server does not speak its version", scene.device(on));
                report.event(OLD, event, text);
            }
            _ => {}
        }
        if let What::Called { request: Request::Logout, .. } = event.what {
            *grown(&mut self.said, on.index()) = false;
        }
        self.settle(on.index(), event, report);
        self.idles(scene, event, on, sdk, report);
        if let What::DeviceSent { frame: ClientFrame::Hello { version, .. }, .. } = event.what
            && version != PROTOCOL
        {
            let text = format!("{} says hello in version {version}, and speaks {PROTOCOL}", scene.device(on));
            report.event(OLD, event, text);
        }
        let mut asked = None;
        let what = match event.what {
            What::DeviceReceived { frame, .. } => {
                match frame {
                    ServerFrame::Expired { .. }
                    | ServerFrame::ResumeExpired { .. }
                    | ServerFrame::ResumeRefused { .. } => {
                        *self.expired(on.index()) = true;
                    }
                    ServerFrame::Kick { .. } | ServerFrame::ResumeKicked { .. } => *self.expired(on.index()) = false,
                    ServerFrame::LogoutAnswer { .. } => *grown(&mut self.said, on.index()) = true,
                    _ => {}
                }
                return;
            }
            What::ConnectAsked { connection } => {
                asked = Some(connection);
                // One beside the link of a session is CONN-10's affair.
                let has_room = sdk.connection.is_none() || sdk.up_since.is_some() && sdk.doubted.is_none();
                if !has_room && !sdk.is_writing(event.at) {
                    let text = format!("{} asks for a connection while it has another", scene.device(on));
                    // Who wakes beside a link that may be dead makes its second connection at once or not at all.
                    let rule = if sdk.woken_at > sdk.connect_asked_at { BESIDE } else { ONE };
                    report.event(rule, event, text);
                }
                "connects"
            }
            What::DeviceSent { frame: ClientFrame::Login { .. }, .. } if !sdk.is_writing(event.at) => "logs in",
            What::DeviceSent { frame: ClientFrame::Resume { .. }, .. } if !sdk.is_writing(event.at) => "resumes",
            _ => return,
        };
        if is_out {
            let (rule, since) = self.reason(on.index(), sdk);
            let text = format!("{} {what} after {since}, which nobody asked it to", scene.device(on));
            match asked {
                None => report.event(rule, event, text),
                // LOGOUT-2: for that it connects.
                Some(_) if sdk.owes_end => {}
                Some(connection) => {
                    self.asked.resize(self.asked.len().max(on.index() + 1), None);
                    self.asked[on.index()] = Some((connection, *event, rule, text));
                }
            }
        }
    }

    fn finish(&mut self, scene: &Scene<'_>, report: &mut Report) {
        for (_, asked, rule, text) in std::mem::take(&mut self.asked).into_iter().flatten() {
            report.event(rule, &asked, text);
        }
        if !scene.converged {
            return;
        }
        for (on, sdk) in scene.sdks.iter() {
            if is_for_nothing(sdk, scene.now) {
                let text = format!("{} is LOGOUT, at rest, and holds a connection", scene.device(on));
                report.missing(IDLE, scene.now, Actor::Device(on), "close_asked", text);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::story::*;
    use super::*;
    use crate::trace::{Effect, Request, Write};

    fn story() -> Story {
        let ended = |story: Story| story.on(PHONE, What::CloseAsked { connection: 0, peer: None });
        ended(Story::of(Silence::default()).logs_in(PHONE, ALICE, 1))
    }

    const AGAIN: What = What::ConnectAsked { connection: 1 };
    const SAID: ServerFrame = ServerFrame::LogoutAnswer { call: 9, refused: None };

    /// KICK-4, TICKET-8, LOGOUT-1, LOGOUT-2
    #[test]
    fn a_device_that_comes_back_by_itself_is_seen() {
        let out = || status(Status::Logout, None);
        story().on(PHONE, AGAIN).holds();
        let kicked = ServerFrame::Kick { kick: kick(ALICE, 1) };
        story().receives(PHONE, kicked).on(PHONE, out()).on(PHONE, AGAIN).breaks("KICK-4");
        let expired = ServerFrame::Expired { user: ALICE.into(), epoch: 1 };
        story().receives(PHONE, expired).on(PHONE, out()).on(PHONE, AGAIN).breaks("TICKET-8");
        let logged_out = || story().calls(PHONE, 9, Request::Logout).on(PHONE, out());
        logged_out().on(PHONE, AGAIN).breaks("LOGOUT-2");
        logged_out().receives(PHONE, SAID).on(PHONE, AGAIN).breaks("LOGOUT-1");
    }

    /// LOGOUT-2, CONN-9: an owed end is a reason to connect, and no other to stay.
    #[test]
    fn a_connection_for_an_owed_end_is_none_for_nothing() {
        let owes = |owed_end| {
            let write = Write::Installation { installation: 1, starts: 1, owed_end, known_ended: None };
            What::StoreAsked { change: 1, write }
        };
        let out = || story().calls(PHONE, 9, Request::Logout).on(PHONE, status(Status::Logout, None));
        let done = || answered(9, CallKind::Logout, Some(ALICE), crate::trace::Outcome::Done);
        let stored = || What::Stored { change: 1 };
        let delivers = || out().on(PHONE, done()).on(PHONE, owes(true)).on(PHONE, stored()).at(1).on(PHONE, AGAIN);
        delivers().at(2).world(What::Converged).holds();
        delivers().at(2).on(PHONE, owes(false)).on(PHONE, stored()).at(3).world(What::Converged).breaks("CONN-9");
        let said = out().on(PHONE, done()).on(PHONE, owes(true)).receives(PHONE, SAID);
        let settled = said.on(PHONE, owes(false)).on(PHONE, stored());
        settled.at(1).on(PHONE, AGAIN).breaks("LOGOUT-1");
    }

    /// LOGIN-9, INIT-5, INIT-6
    #[test]
    fn a_device_that_begins_by_itself_is_seen() {
        let login = || Request::Login { user: ALICE.into(), ticket: ticket(TICKET) };
        let tries = || {
            let story = Story::of(Silence::default()).calls(PHONE, 8, login());
            story.on(PHONE, status(Status::Logining, None))
        };
        tries().on(PHONE, AGAIN).holds();
        let fails = || tries().world(What::ScriptEnded).receives(PHONE, ServerFrame::HeartbeatAnswer);
        fails().on(PHONE, status(Status::Logout, None)).at(1).on(PHONE, AGAIN).breaks("LOGIN-9");
        let leaves = || story().calls(PHONE, 9, Request::Uninit).on(PHONE, status(Status::Logout, None));
        leaves().at(1).on(PHONE, AGAIN).breaks("INIT-5");
        Story::of(Silence::default()).on(PHONE, AGAIN).breaks("INIT-6");
    }

    /// VERSION-1
    #[test]
    fn a_device_that_is_too_old_and_tries_again_is_seen() {
        let told = || story().told(PHONE, Told::ConnectFailed { code: Code::VersionNotSupported }, ALICE, 1);
        told().holds();
        told().at(1).on(PHONE, AGAIN).breaks("VERSION-1");
        let login = Request::Login { user: ALICE.into(), ticket: ticket(TICKET) };
        told().calls(PHONE, 9, login).on(PHONE, AGAIN).holds();
        let hello = |version| {
            let platform = gatecrash::policy::Platform::Android;
            What::DeviceSent {
                connection: 1,
                reveals: 0,
                frame: ClientFrame::Hello { version, platform, installation: 1 },
            }
        };
        story().on(PHONE, AGAIN).on(PHONE, hello(PROTOCOL)).holds();
        story().on(PHONE, AGAIN).on(PHONE, hello(PROTOCOL + 1)).breaks("VERSION-1");
    }

    /// LOGIN-9, LOGOUT-3: a frozen device whose application logs in and out has both calls at once on
    /// waking, and then what each of them asked for.
    #[test]
    fn what_is_taken_back_at_the_same_instant_was_never_made() {
        let login = Request::Login { user: ALICE.into(), ticket: ticket(TICKET) };
        let calls = || {
            let story = story().calls(PHONE, 8, login).on(PHONE, status(Status::Logining, None));
            story.calls(PHONE, 9, Request::Logout).on(PHONE, status(Status::Logout, None)).on(PHONE, AGAIN)
        };
        let close = What::CloseAsked { connection: 1, peer: None };
        calls().on(PHONE, close).holds();
        calls().at(9).on(PHONE, close).breaks("LOGOUT-2");
        calls().on(PHONE, What::CloseAsked { connection: 0, peer: None }).breaks("LOGOUT-2");
    }

    /// CONN-9, CONN-7
    #[test]
    fn a_connection_for_nothing_is_seen() {
        let story = || Story::of(Silence::default()).logs_in(PHONE, ALICE, 1);
        story().world(What::Converged).holds();
        story().calls(PHONE, 9, Request::Logout).on(PHONE, status(Status::Logout, None)).world(What::Converged).holds();
        let logged_out = story().calls(PHONE, 9, Request::Logout).on(PHONE, status(Status::Logout, None));
        let done = answered(9, CallKind::Logout, Some(ALICE), crate::trace::Outcome::Done);
        logged_out.on(PHONE, done).world(What::Converged).breaks("CONN-9");
        // For a moment it is on its way to be closed.
        let out = || story().at(1).on(PHONE, status(Status::Logout, None));
        out().on(PHONE, What::NetworkChanged).on(PHONE, What::CloseAsked { connection: 0, peer: None }).holds();
        out().at(9).on(PHONE, What::NetworkChanged).breaks("CONN-9");
        // One beside a session's link, and no third.
        story().on(PHONE, AGAIN).holds();
        story().on(PHONE, AGAIN).on(PHONE, What::ConnectAsked { connection: 2 }).breaks("CONN-7");
        let device = PHONE.into();
        let wakes = |story: Story| story.effect(Effect::Suspended { device }).at(1).effect(Effect::Woken { device });
        let called = |story: Story| story.calls(PHONE, 9, Request::Login { user: BOB.into(), ticket: ticket(TICKET) });
        let leaves = |story: Story| {
            story.on(PHONE, What::DeviceSent { connection: 0, reveals: 0, frame: login_frame(9, 3, TICKET) })
        };
        leaves(called(wakes(story()))).on(PHONE, AGAIN).breaks("CONN-10");
    }
}
