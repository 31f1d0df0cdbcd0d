//! What the application left is ended on the server: as soon as there is a network, and ahead of anything
//! else the device asks for (LOGOUT-2, LOGIN-8, SWITCH-3, CONN-4).

use std::time::Duration;

use gatecrash::client::Status;
use gatecrash::code::Code;
use gatecrash::protocol::FrameError;
use gatecrash::time::Instant;

use super::contract::Property;
use super::report::Report;
use super::scene::Scene;
use super::sdk::Sdk;
use crate::check::grown::grown;
use crate::scenario::CallKind;
use crate::scenario::rules::{RuleId, rule};
use crate::trace::{
    Actor, ClientFrame, ClockOf, DeviceIndex, Effect, Event, Fault, Refusal, Request, ServerFrame, TicketIndex, What,
    Write,
};

const LOGOUT: RuleId = rule("LOGOUT-2");
const UNKNOWN: RuleId = rule("LOGIN-8");
const SWITCH: RuleId = rule("SWITCH-3");
const REFUSED: RuleId = rule("CONN-4");

/// By how much the device's clocks and the world's may differ, and how long a frame may wait for its disk.
const CLOCKS_DIFFER: Duration = Duration::from_secs(2);

/// How long a ticket that cannot be read is taken to last, and more.
const UNREADABLE: Duration = Duration::from_secs(181 * 24 * 60 * 60);

#[derive(Default)]
pub(super) struct OwedEnds {
    devices: Vec<Device>,
    /// When the faults were over.
    healed_at: Option<Instant>,
}

#[derive(Clone, Copy, Default)]
struct Device {
    /// An end that the server has not confirmed, and whose it is.
    owed: Option<(RuleId, &'static str)>,
    /// Since when.
    owed_at: Instant,
    /// From when on no ticket is valid by which it may have a session.
    until: Until,
    /// The same if what it was called for last left the SDK, though perhaps not the device.
    called_until: Instant,
    called_lasts: Duration,
    /// The same when it came to owe the end.
    owed_until: Until,
    /// Its wall clock was meddled with: it may count wrong what passed while no process ran.
    clock_is_off: bool,
    /// The disk was emptied, and the record has not been written since.
    is_wiped: bool,
    /// The connection on which an end was said last.
    said_on: Option<u32>,
    /// How often it was said there without an answer yet: only the last answer covers all that was left.
    unanswered: u32,
    /// A login was sent and not answered.
    is_asking: bool,
    /// The last that was heard is that a resume's ticket is refused.
    is_refused: bool,
    /// The server does not support its version (VERSION-1).
    has_given_up: bool,
}

impl OwedEnds {
    fn device(&mut self, device: DeviceIndex) -> &mut Device {
        grown(&mut self.devices, device.index())
    }
}

/// How long something is worth the trouble.
#[derive(Clone, Copy, Default, PartialEq, PartialOrd)]
enum Until {
    /// No ticket was shown.
    #[default]
    Always,
    At(Instant),
    Unknown,
}

impl Device {
    /// It shows a ticket at `now`. What it owes already it owes as long as before, or longer.
    fn shows(&mut self, scene: &Scene<'_>, sdk: &Sdk, now: Instant, ticket: Option<TicketIndex>, owes: bool) {
        // Of one that cannot be read nobody knows, and not when it was shown by a device that just woke: what was
        // asked for before it was frozen leaves then.
        let lasts = ticket.map(|ticket| scene.cast.ticket(ticket).ttl);
        let lasts = lasts.filter(|ttl| *ttl > 0 && (sdk.woken_at != now || now == Instant::ZERO));
        let until = lasts.map_or(Until::Unknown, |ttl| Until::At(now + Duration::from_secs(ttl.saturating_add(1))));
        self.until = if owes && self.until > until { self.until } else { until };
    }

    /// Whether the end may be given up at `now`.
    fn may_give_up(&self, now: Instant) -> bool {
        match self.owed_until {
            Until::Always => false,
            Until::At(until) => self.clock_is_off || until <= now + CLOCKS_DIFFER,
            Until::Unknown => true,
        }
    }

    /// Whether it has to be given up at `now`.
    fn must_give_up(&self, now: Instant) -> bool {
        matches!(self.owed_until, Until::At(until) if !self.clock_is_off && until.max(self.called_until) + CLOCKS_DIFFER < now)
    }
}

impl Property for OwedEnds {
    sentence!(
        Eventually,
        "the end of what the application left reaches the server, and ahead of the device's next login",
        "LOGOUT-2",
        "LOGOUT-3",
        "LOGIN-8",
        "SWITCH-3",
        "CONN-4",
        "ATT-2"
    );
    watches!(
        "fault",
        "effect",
        "called",
        "store_asked",
        "status",
        "device_sent",
        "device_received",
        "no_frame",
        "connect_asked",
        "sdk_woken",
        "new_device",
        "script_ended"
    );

    fn observe(&mut self, scene: &Scene<'_>, event: &Event, report: &mut Report) {
        match event.what {
            What::ScriptEnded => self.healed_at = Some(event.at),
            What::Fault {
                fault:
                    Fault::Skew { clock: ClockOf(Some(device)), .. } | Fault::Drift { clock: ClockOf(Some(device)), .. },
            } => self.device(device).clock_is_off = true,
            What::Effect { effect: Effect::ProcessDead { device } } => {
                let sdk = scene.sdks.find(device);
                let is_writing = sdk.is_some_and(|sdk| sdk.is_writing(event.at));
                // What was called at this instant, or when the process was frozen, is not carried out yet.
                let is_still = |sdk: &&Sdk| sdk.is_suspended || sdk.woken_at == event.at;
                let stood_still = sdk.filter(is_still).map_or(event.at, |sdk| sdk.suspended_at);
                let device = self.device(device);
                // An end on its way to the disk, or not even that, may have been lost with the process.
                let is_lost = is_writing || device.is_wiped || device.owed_at >= stood_still;
                let owed = device.owed.filter(|_| !is_lost);
                let Device { owed_at, owed_until, called_until, clock_is_off, .. } = *device;
                let kept = Device { owed, owed_at, owed_until, called_until, clock_is_off, ..Device::default() };
                *device = Device { until: owed_until, ..kept };
            }
            // Of what another device owed, and this one with its record, this property takes no note.
            What::Effect {
                effect:
                    Effect::DiskEmpty { device }
                    | Effect::RecordDamaged { device }
                    | Effect::DiskCopied { onto: device, .. },
            } => {
                let device = self.device(device);
                (device.owed, device.is_wiped) = (None, true);
                // Nor of the tickets that the other one had shown by then.
                (device.until, device.owed_until) = (Until::Unknown, Until::Unknown);
            }
            _ => {}
        }
        let Some((on, sdk)) = scene.actor else { return };
        let device = self.device(on);
        match event.what {
            What::Called { request: Request::Login { ticket, .. }, .. } => {
                let ttl = scene.cast.ticket(ticket).ttl;
                let lasts = if ttl > 0 { Duration::from_secs(ttl.saturating_add(1)) } else { UNREADABLE };
                // It is shown as soon as there is a link, if there is one in time.
                device.called_lasts = lasts + scene.allowance.client(scene.cast, on).login_timeout;
                device.called_until = device.called_until.max(event.at + device.called_lasts);
            }
            What::Status { status: Status::Logout, .. } => {
                let owed_until = std::mem::replace(&mut device.owed_until, device.until);
                match (sdk.status, sdk.asked_to_end()) {
                    (_, Some(CallKind::Uninit)) => device.owed_until = owed_until,
                    (Status::Logined, Some(CallKind::Logout)) => device.owed = Some((LOGOUT, "a logout")),
                    (Status::Logined, Some(_)) => device.owed = Some((SWITCH, "a switch")),
                    (Status::Logining, _) if device.is_asking => {
                        device.owed = Some((UNKNOWN, "a login whose outcome is unknown"));
                    }
                    (Status::Logined, None) if device.is_refused => {
                        device.owed = Some((REFUSED, "a session whose ticket was refused"));
                    }
                    // Only where the server could not tell is it owed as long as the login's ticket lasts.
                    (Status::Logining, _) if device.owed.is_some() => device.owed_until = Until::Unknown,
                    (Status::Logined | Status::Logining | Status::Logout, _) => device.owed_until = owed_until,
                }
                (device.is_asking, device.is_refused) = (false, false);
                device.owed_at = event.at;
            }
            What::DeviceSent { connection, frame: ClientFrame::Logout { .. }, .. } => {
                device.unanswered = if device.said_on == Some(connection) { device.unanswered + 1 } else { 1 };
                device.said_on = Some(connection);
            }
            What::DeviceSent { connection, frame: ClientFrame::Login { ticket, .. }, .. } => {
                device.is_asking = true;
                let is_silent = device.said_on != Some(connection) && !device.may_give_up(event.at);
                if sdk.owes_end && device.until == Until::Always {
                    // It owes something of which this property took no note.
                    device.until = Until::Unknown;
                }
                device.shows(scene, sdk, event.at, ticket, sdk.owes_end);
                if let Some((rule, left)) = device.owed.filter(|_| is_silent) {
                    let text = format!("{} logs in, and the end of {left} did not go ahead", scene.device(on));
                    report.missing_by(rule, event, "logout", text);
                }
            }
            What::DeviceSent { frame: ClientFrame::Renew { ticket, .. }, .. } => {
                device.shows(scene, sdk, event.at, ticket, true);
            }
            What::DeviceReceived { connection, frame } => {
                if matches!(frame, ServerFrame::LogoutAnswer { .. }) && device.said_on == Some(connection) {
                    device.unanswered = device.unanswered.saturating_sub(1);
                }
                device.is_refused = matches!(frame, ServerFrame::ResumeRefused { .. });
                match frame {
                    ServerFrame::LogoutAnswer { refused: None, .. } if device.unanswered == 0 => {
                        // It covers a login given up at the instant it was sent.
                        (device.owed, device.is_asking) = (None, device.is_asking && sdk.status != Status::Logout);
                    }
                    // DUR-5: whether it is on the disk the server does not know.
                    ServerFrame::LoginRefused { refused: Refusal::Code(Code::ServerUnable), .. } => {}
                    // It was answered, or the server says that it did not do it.
                    ServerFrame::LoginAccepted { .. }
                    | ServerFrame::LoginRefused { .. }
                    | ServerFrame::Closing { .. } => device.is_asking = false,
                    ServerFrame::Error { why: FrameError::Version } => {
                        (device.is_asking, device.has_given_up) = (false, true);
                    }
                    _ => {}
                }
            }
            // The time it slept is not counted.
            What::SdkWoken if !sdk.calls.is_empty() => {
                device.called_until = device.called_until.max(event.at + device.called_lasts);
            }
            // INPUT-6: no server has heard of it.
            What::NoFrame { .. } => device.is_asking = false,
            What::ConnectAsked { .. } => {
                (device.said_on, device.unanswered, device.has_given_up) = (None, 0, false);
                // What was asked for at the instant of a logout was for the session.
                let is_for_end = sdk.status == Status::Logout && device.owed.is_some() && device.owed_at < event.at;
                if is_for_end && device.must_give_up(event.at) {
                    let text = format!(
                        "{} connects for an end though the last ticket that it may be about has run out",
                        scene.device(on)
                    );
                    report.event(LOGOUT, event, text);
                }
            }
            What::StoreAsked { write: Write::Installation { owed_end, .. }, .. } => {
                device.is_wiped = false;
                if !owed_end && device.may_give_up(event.at) {
                    device.owed = None;
                }
            }
            // What was owed under the old id can no longer be said, and what was asked for under it was not done.
            What::NewDevice { .. } => (device.owed, device.is_asking) = (None, false),
            _ => {}
        }
    }

    /// LOGOUT-2: with a network and an SDK that is initialised it does not wait for a login.
    fn finish(&mut self, scene: &Scene<'_>, report: &mut Report) {
        let Some(healed_at) = self.healed_at else { return };
        for (on, sdk) in scene.sdks.iter() {
            let Some(device) = self.devices.get(on.index()) else { continue };
            let may_wait = device.has_given_up || !sdk.is_initialised || sdk.is_suspended;
            let Some((rule, left)) = device.owed.filter(|_| sdk.status == Status::Logout && !may_wait) else {
                continue;
            };
            let limits = scene.allowance.client(scene.cast, on);
            // One attempt may just have failed, and the delay before the next is the longest.
            let limit = limits.connect_timeout * 2 + limits.backoff_max * 2;
            let since = healed_at.max(sdk.woken_at).max(device.owed_at);
            if !device.may_give_up(since + limit) && (scene.converged || since + limit < scene.now) {
                let text = format!("the server never learnt of the end of {left} on {}", scene.device(on));
                report.missing(rule, scene.now, Actor::Device(on), "logout", text);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::story::*;
    use super::*;

    fn sends(frame: ClientFrame) -> What {
        What::DeviceSent { connection: 1, reveals: 0, frame }
    }

    fn login() -> What {
        let ticket = Some(ticket(TICKET));
        sends(ClientFrame::Login { call: 9, attempt: attempt(9), user: BOB.into(), ticket, known_ended: None })
    }

    fn logout() -> What {
        sends(ClientFrame::Logout { call: 0, attempt: attempt(8) })
    }

    /// On the connection on which it says so.
    fn hears(story: Story, frame: ServerFrame) -> Story {
        story.on(PHONE, What::DeviceReceived { connection: 1, frame })
    }

    /// LOGOUT-2, SWITCH-3: also when the process dies meanwhile.
    #[test]
    fn an_end_that_does_not_go_ahead_is_seen() {
        let left = |call| {
            let story = Story::of(OwedEnds::default()).logs_in(PHONE, ALICE, 1).calls(PHONE, 200, call);
            story.on(PHONE, status(Status::Logout, None)).on(PHONE, What::ConnectAsked { connection: 1 })
        };
        left(Request::Logout).on(PHONE, logout()).on(PHONE, login()).holds();
        left(Request::Logout).on(PHONE, login()).breaks("LOGOUT-2");
        left(Request::Uninit).on(PHONE, login()).holds();
        let switch = || Request::Login { user: BOB.into(), ticket: ticket(TICKET) };
        left(switch()).on(PHONE, login()).breaks("SWITCH-3");
        let dead = || left(Request::Logout).at(1).effect(Effect::ProcessDead { device: PHONE.into() });
        dead().on(PHONE, login()).breaks("LOGOUT-2");
        dead().on(PHONE, logout()).on(PHONE, login()).holds();
        let at_once = left(Request::Logout).effect(Effect::ProcessDead { device: PHONE.into() });
        at_once.on(PHONE, login()).holds();
        let wiped = left(Request::Logout).at(1).effect(Effect::DiskEmpty { device: PHONE.into() });
        wiped.at(2).effect(Effect::ProcessDead { device: PHONE.into() }).on(PHONE, login()).holds();
    }

    /// LOGIN-8, DUR-5: what the server could not say is not known; what it said is.
    #[test]
    fn the_end_of_a_login_that_the_disk_may_have_is_owed() {
        let out = || status(Status::Logout, None);
        let refused = |code| {
            let story = Story::of(OwedEnds::default()).on(PHONE, status(Status::Logining, None)).on(PHONE, login());
            let answer = ServerFrame::LoginRefused { call: 9, refused: Refusal::Code(code) };
            hears(story, answer).on(PHONE, out()).on(PHONE, What::ConnectAsked { connection: 2 })
        };
        refused(Code::TicketExpired).on(PHONE, login()).holds();
        refused(Code::ServerUnable).on(PHONE, login()).breaks("LOGIN-8");
        refused(Code::ServerUnable).on(PHONE, logout()).on(PHONE, login()).holds();
    }

    /// LOGOUT-2: it does not wait for the next login. CONN-4: neither does that of a refused session.
    #[test]
    fn an_end_that_is_never_delivered_is_seen() {
        let out = || status(Status::Logout, None);
        let story = || Story::of(OwedEnds::default()).logs_in(PHONE, ALICE, 1);
        let logged_out = || story().calls(PHONE, 200, Request::Logout).on(PHONE, out());
        let ends = |story: Story| story.world(What::ScriptEnded).at(1).world(What::Converged);
        ends(logged_out()).breaks("LOGOUT-2");
        logged_out().world(What::ScriptEnded).at(60).world(What::ScriptEnded).holds();
        logged_out().world(What::ScriptEnded).at(200).world(What::NewDevice { installation: 2 }).breaks("LOGOUT-2");
        let answer = ServerFrame::LogoutAnswer { call: 0, refused: None };
        ends(hears(logged_out().on(PHONE, logout()), answer)).holds();
        // Only the answer to the last covers all that was left.
        let twice = || hears(logged_out().on(PHONE, logout()).on(PHONE, logout()), answer);
        ends(twice()).breaks("LOGOUT-2");
        ends(hears(twice(), answer)).holds();
        let version = ServerFrame::Error { why: FrameError::Version };
        ends(logged_out().receives(PHONE, version)).holds();
        ends(logged_out().calls(PHONE, 201, Request::Uninit).on(PHONE, What::UninitReturned { call: 201 })).holds();
        let refused = ServerFrame::ResumeRefused { attempt: attempt(2), code: Code::TicketSignature };
        ends(story().receives(PHONE, refused).on(PHONE, out())).breaks("CONN-4");
        let expired = ServerFrame::ResumeExpired { attempt: attempt(2) };
        ends(story().receives(PHONE, expired).on(PHONE, out())).holds();
    }

    /// LOGOUT-2: once the last ticket has run out, nobody connects for the end any more.
    #[test]
    fn an_end_that_is_never_given_up_is_seen() {
        let renewal = || ClientFrame::Renew {
            call: 3,
            attempt: attempt(3),
            user: ALICE.into(),
            epoch: 1,
            ticket: Some(ticket(TICKET)),
        };
        let story =
            || Story::of(OwedEnds::default()).tickets_made().logs_in(PHONE, ALICE, 1).on(PHONE, sends(renewal()));
        let out = || story().at(1).calls(PHONE, 200, Request::Logout).on(PHONE, status(Status::Logout, None));
        let connects = |at: u64| out().at(at).on(PHONE, What::ConnectAsked { connection: 1 });
        connects(3600).holds();
        connects(3640).breaks("LOGOUT-2");
        // Nothing of it has to arrive by then, either.
        out().at(3605).world(What::ScriptEnded).world(What::Converged).holds();
        out().at(3000).world(What::ScriptEnded).world(What::Converged).breaks("LOGOUT-2");
    }

    /// LOGOUT-2: a copy of another device owes what that one does, for as long as its tickets last.
    #[test]
    fn the_end_that_came_with_a_copy_lasts_as_long_as_it_did() {
        let (device, source) = (PHONE.into(), PHONE2.into());
        let owing = Write::Installation { installation: 1, starts: 1, owed_end: true, known_ended: None };
        let leaves = |story: Story| story.calls(PHONE, 200, Request::Logout).on(PHONE, status(Status::Logout, None));
        let story = Story::of(OwedEnds::default()).tickets_made().logs_in(PHONE, ALICE, 1).on(PHONE, login());
        let dead = leaves(story.at(1)).at(2).effect(Effect::ProcessDead { device });
        let copied = dead.effect(Effect::DiskCopied { device: source, onto: device });
        let runs = copied.effect(Effect::ProcessUp { device }).on(PHONE, What::StoreAsked { change: 1, write: owing });
        let back = runs.at(3).logs_in(PHONE, ALICE, 2).on(PHONE, login());
        leaves(back.at(4)).at(3700).on(PHONE, What::ConnectAsked { connection: 1 }).holds();
    }

    /// LOGIN-8
    #[test]
    fn a_login_left_in_the_dark_is_seen() {
        let asking = || {
            let call = Request::Login { user: BOB.into(), ticket: ticket(TICKET) };
            let story = Story::of(OwedEnds::default()).calls(PHONE, 1, call).on(PHONE, status(Status::Logining, None));
            story.on(PHONE, login())
        };
        let again = |story: Story| story.on(PHONE, status(Status::Logout, None)).on(PHONE, login());
        again(asking()).breaks("LOGIN-8");
        let refused = ServerFrame::LoginAccepted { call: 9, epoch: 1, conversations: None, terms: Terms::default() };
        again(asking().receives(PHONE, refused)).holds();
    }
}
