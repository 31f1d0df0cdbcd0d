//! Whether a run gave the rules that its scenario cites anything to judge: a pass that never came near a rule says
//! nothing of it.
//!
//! Asks for what has to happen before a rule can be broken at all, by kinds of events, and no more: what is right then,
//! properties and expectations say. A row too generous lets a header boast, one too strict refuses an honest one.

use std::collections::{BTreeMap, BTreeSet};

use gatecrash::client::Status;
use gatecrash::code::Code;
use gatecrash::protocol::Closing;
use gatecrash::store::EndReason;
use gatecrash::time::Instant;

use crate::check::violation::Violation;
use crate::scenario::rules::RuleId;
use crate::scenario::{CallKind, Scenario};
use crate::trace::{
    Actor, ClientFrame, DeviceIndex, Effect, Event, Fact, Outcome, Refusal, Request, ServerFrame, Told, Trace,
    UserIndex, What,
};

/// Something that happened in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Mark {
    /// An application initialised its SDK.
    Init,
    /// It did so once more, or after its end.
    InitAgain,
    Uninit,
    /// A device's process died.
    ProcessDead,
    /// A device's installation was emptied.
    DiskEmpty,
    Login,
    /// What came to a device is no frame.
    NoFrame,
    /// A login that did not succeed.
    LoginFailed,
    /// A login of the user who is logged in.
    Renewal,
    /// A login of another user than the one who is logged in.
    Switch,
    /// Two logins of one user were accepted.
    SecondLogin,
    /// Of two users on one device.
    SecondUser,
    Logout,
    /// An end that the device owes the server, or its delivery.
    OwedEnd,
    /// A call inside a listener.
    InListener,
    /// A call other than those of a session's life.
    Request,
    Message,
    /// A session was owed a message.
    MessageOwed,
    /// A message was sent under an id that was used before.
    SentAgain,
    Conversations,
    Query,
    /// A call answered with this code.
    Failed(u32),
    AccountCreated,
    TicketJudged,
    TicketRefused,
    /// A session ended for this reason.
    Expired,
    /// An application was told that its ticket is worth nothing any more.
    SigExpired,
    /// A session was displaced, or ended by an administrator.
    Kicked,
    ByAdministrator,
    /// A device was told that its session had ended.
    KickTold,
    /// A device whose session had been displaced logged in.
    LoginAfterKick,
    /// A login of a user from a device that had a session of theirs.
    Replaced,
    /// A logout while a login was pending.
    LogoutMeetsLogin,
    /// A change of the server's records reached the disk.
    Committed,
    /// A link that let nothing through, a server that was gone, a device that did not get a connection.
    Trouble,
    LinkLost,
    BackOff,
    Attempt,
    Resume,
    Heartbeat,
    Dormant,
    /// A device opened one connection after another.
    SecondConnection,
    /// A device asked the server for more than one thing of those that are numbered.
    SecondAttempt,
    /// A device woke, or was told of another network.
    Roused,
    /// The server was told of another configuration.
    Reconfigured,
    /// The server's process ended.
    ServerDead,
    /// Its disk broke, or was slow.
    DiskTrouble,
    /// A device's disk broke, or was slow, or what is on it was damaged.
    DeviceDisk,
    StoreFailed,
    DayCounted,
    /// A device that holds no session was let go.
    DeviceForgotten,
    Presence,
    /// Something that is no frame, or is one in the wrong place.
    BadFrame,
    /// Somebody who is no SDK.
    Stranger,
    /// The server was told to stop.
    Stopping,
    /// It told somebody that it has more to do than it can.
    Busy,
    /// A network that cuts frames: one that is not whole yet is none that is malformed.
    Pieces,
    /// A server that has to prove who it is.
    Secured,
}

use Mark as M;

/// The lists of which one must have happened in full before there is anything to judge.
type Needs = &'static [&'static [Mark]];

const fn failed(code: Code) -> Mark {
    Mark::Failed(code.number())
}

/// Every rule, in the order of the specification, and what it needs. A rule without a list is not of runs.
const TABLE: &[(&str, Needs)] = &[
    ("INIT-1", &[&[failed(Code::NotInitialised)]]),
    ("INIT-2", &[&[M::Init, M::Login]]),
    ("INIT-3", &[&[M::Uninit]]),
    ("INIT-4", &[&[failed(Code::AlreadyInitialised)]]),
    ("INIT-5", &[&[M::Uninit, M::Login]]),
    ("INIT-6", &[&[M::InitAgain], &[M::ProcessDead]]),
    ("ATT-1", &[&[M::SecondAttempt]]),
    ("ATT-2", &[&[M::Logout], &[M::OwedEnd], &[M::Switch]]),
    ("ATT-3", &[&[M::Kicked], &[M::Query], &[M::Presence]]),
    ("ATT-4", &[&[M::Login]]),
    ("ATT-5", &[&[failed(Code::StorageFailed)], &[M::DeviceDisk]]),
    ("ATT-6", &[&[M::DeviceForgotten]]),
    ("LOGIN-1", &[&[M::AccountCreated], &[M::LoginFailed]]),
    ("LOGIN-2", &[&[failed(Code::InvalidUserId)], &[failed(Code::UserIdRejected)], &[M::Stranger]]),
    ("LOGIN-3", &[&[M::Login]]),
    ("LOGIN-4", &[&[failed(Code::LoginPending)]]),
    ("LOGIN-5", &[&[M::Renewal]]),
    ("LOGIN-6", &[&[M::Login]]),
    ("LOGIN-7", &[&[M::Login]]),
    ("LOGIN-8", &[&[M::Login, M::Trouble], &[M::Login, failed(Code::NoAnswer)], &[M::Login, M::DeviceDisk]]),
    ("LOGIN-9", &[&[M::LoginFailed]]),
    ("LOGIN-10", &[&[M::Replaced]]),
    ("LOGIN-11", &[&[M::SecondLogin], &[failed(Code::TooManyLogins)]]),
    ("TICKET-1", &[&[M::TicketJudged]]),
    ("TICKET-2", &[&[M::TicketJudged]]),
    ("TICKET-3", &[&[M::TicketRefused], &[failed(Code::TicketEmpty)], &[failed(Code::TicketMalformed)]]),
    ("TICKET-4", &[&[M::TicketRefused]]),
    ("TICKET-5", &[&[M::Expired], &[M::Renewal]]),
    ("TICKET-6", &[&[M::Expired, M::LinkLost], &[M::Expired, M::Trouble]]),
    ("TICKET-7", &[&[M::Expired]]),
    ("TICKET-8", &[&[M::Expired], &[M::SigExpired]]),
    ("CONN-1", &[&[M::LinkLost]]),
    ("CONN-2", &[&[M::BackOff]]),
    ("CONN-3", &[&[M::Attempt]]),
    ("CONN-4", &[&[M::Resume]]),
    ("CONN-5", &[&[M::Heartbeat], &[M::LinkLost]]),
    ("CONN-6", &[&[M::Dormant]]),
    ("CONN-7", &[&[M::SecondConnection]]),
    ("CONN-8", &[&[M::LinkLost, M::Request], &[failed(Code::NoAnswer)]]),
    ("CONN-9", &[&[M::Init]]),
    ("CONN-10", &[&[M::Roused]]),
    ("CONN-11", &[&[M::Heartbeat], &[M::LinkLost]]),
    ("CONN-12", &[&[M::Busy]]),
    ("POLICY-1", &[&[M::SecondLogin]]),
    ("POLICY-2", &[&[M::SecondLogin], &[M::Reconfigured]]),
    ("POLICY-3", &[&[M::SecondLogin]]),
    ("POLICY-4", &[&[M::SecondLogin]]),
    ("POLICY-5", &[&[M::Reconfigured]]),
    ("KICK-1", &[&[M::Kicked]]),
    ("KICK-2", &[&[M::Kicked]]),
    ("KICK-3", &[&[M::Kicked]]),
    ("KICK-4", &[&[M::Kicked]]),
    ("KICK-5", &[&[M::Kicked]]),
    ("KICK-6", &[&[M::Kicked, M::Resume]]),
    (
        "KICK-7",
        &[&[M::LoginAfterKick, M::ProcessDead], &[M::LoginAfterKick, M::Uninit], &[M::LoginAfterKick, M::Logout]],
    ),
    ("KICK-8", &[&[M::Kicked]]),
    ("KICK-9", &[&[M::Kicked], &[M::KickTold]]),
    ("KICK-10", &[&[M::Kicked], &[M::Expired]]),
    ("EVENT-1", &[&[M::Kicked], &[M::Expired], &[M::Switch], &[M::Logout]]),
    ("EVENT-2", &[&[M::InListener]]),
    ("SWITCH-1", &[&[M::Switch]]),
    ("SWITCH-2", &[&[M::Switch]]),
    ("SWITCH-3", &[&[M::Switch]]),
    ("SWITCH-4", &[&[M::Switch, M::LoginFailed]]),
    ("SWITCH-5", &[&[M::SecondUser]]),
    ("LOGOUT-1", &[&[M::Logout]]),
    ("LOGOUT-2", &[&[M::Logout], &[M::OwedEnd]]),
    ("LOGOUT-3", &[&[failed(Code::LoginCancelled)], &[M::LogoutMeetsLogin]]),
    ("LOGOUT-4", &[&[failed(Code::LogoutPending)], &[M::Logout, failed(Code::NotLoggedIn)]]),
    ("LOGOUT-5", &[&[M::Logout], &[M::Switch]]),
    ("API-1", &[&[failed(Code::NotLoggedIn)], &[M::Conversations]]),
    ("API-2", &[&[M::Message]]),
    ("API-3", &[&[M::Conversations]]),
    ("API-4", &[&[failed(Code::InvalidArgument)], &[failed(Code::UnknownUser)]]),
    ("API-5", &[&[M::Request]]),
    ("API-6", &[&[M::SentAgain]]),
    ("API-7", &[&[M::MessageOwed]]),
    ("DAU-1", &[&[M::DayCounted]]),
    ("DAU-2", &[&[M::DayCounted, M::ServerDead]]),
    ("PRES-1", &[&[M::Presence]]),
    ("PRES-2", &[&[M::Presence]]),
    ("PRES-3", &[&[M::Presence]]),
    ("ADMIN-1", &[&[M::ByAdministrator], &[M::Request, failed(Code::TicketVoided)]]),
    ("ADMIN-2", &[&[M::Query]]),
    ("ADMIN-3", &[&[failed(Code::NotAdministrator)]]),
    ("DUR-1", &[&[M::Committed]]),
    ("DUR-2", &[&[M::ServerDead]]),
    ("DUR-3", &[&[M::SecondLogin]]),
    ("DUR-4", &[&[M::ServerDead], &[M::StoreFailed]]),
    ("DUR-5", &[&[M::StoreFailed], &[M::DiskTrouble]]),
    ("STOP-1", &[&[M::Stopping]]),
    ("INPUT-1", &[&[M::BadFrame], &[M::Pieces, M::Login]]),
    ("INPUT-2", &[&[M::Stranger]]),
    ("INPUT-3", &[&[M::Stranger], &[M::TicketRefused]]),
    ("INPUT-4", &[]),
    ("INPUT-5", &[&[M::Stranger]]),
    ("INPUT-6", &[&[M::NoFrame]]),
    ("INPUT-7", &[]),
    ("INPUT-8", &[]),
    ("VERSION-1", &[&[failed(Code::VersionNotSupported)], &[M::BadFrame]]),
    ("CONFIG-1", &[]),
    ("CONFIG-2", &[]),
    ("TLS-1", &[]),
    ("TLS-2", &[&[M::Secured, M::Login]]),
    ("TLS-3", &[]),
];

/// The rules that the scenario cites and of which no situation came, in the order of its header. One that is broken
/// had its situation.
pub fn nothing_to_judge(scenario: &Scenario, trace: &Trace, violations: &[Violation]) -> Vec<RuleId> {
    let mut seen = Seen::of(trace);
    if scenario.sites.values().any(|site| site.segments.is_some()) {
        seen.mark(M::Pieces);
    }
    if scenario.app.tls {
        seen.mark(M::Secured);
    }
    let has = |rule: &RuleId| seen.has(*rule) || violations.iter().any(|violation| violation.rule == *rule);
    scenario.rules.iter().filter(|rule| !has(rule)).copied().collect()
}

/// What happened in a run.
#[derive(Default)]
struct Seen {
    marks: BTreeSet<Mark>,
    devices: BTreeMap<DeviceIndex, OnDevice>,
    logins: BTreeSet<UserIndex>,
    users: BTreeMap<DeviceIndex, UserIndex>,
    attempts: BTreeSet<DeviceIndex>,
    sessions: BTreeSet<(UserIndex, DeviceIndex)>,
    displaced: BTreeSet<DeviceIndex>,
    /// Whose session the device brought to its end, and when: a login that follows at once replaces it.
    left: BTreeMap<DeviceIndex, (UserIndex, Instant)>,
    connected: BTreeSet<DeviceIndex>,
    /// The ids under which messages were sent.
    sends: BTreeSet<u32>,
    is_configured: bool,
}

/// Of a device the last thing that its application knows.
#[derive(Clone, Copy, Default)]
struct OnDevice {
    user: Option<UserIndex>,
    has_begun: bool,
    is_login_pending: bool,
    /// The number of the event by which its listener was told something.
    told: Option<u32>,
}

impl Seen {
    fn of(trace: &Trace) -> Seen {
        let mut seen = Seen::default();
        for event in &trace.events {
            match event.actor {
                Actor::Device(device) => seen.on_device(device, event),
                Actor::Server => seen.on_server(event),
                Actor::World => seen.in_world(event),
            }
        }
        seen
    }

    /// Whether something came of which the rule says anything. A rule without a row is believed.
    fn has(&self, rule: RuleId) -> bool {
        let row = TABLE.iter().find(|(id, _)| *id == rule.as_str());
        row.is_none_or(|(_, needs)| needs.iter().any(|all| all.iter().all(|mark| self.marks.contains(mark))))
    }

    fn mark(&mut self, mark: Mark) {
        self.marks.insert(mark);
    }

    fn on_device(&mut self, on: DeviceIndex, event: &Event) {
        match event.what {
            What::Called { request, .. } => self.called(on, event, &request),
            What::Answered { kind, outcome, .. } => {
                let is_login = kind == Some(CallKind::Login);
                self.device(on).is_login_pending &= !is_login;
                if let Outcome::Failed { code, .. } = outcome {
                    self.mark(failed(code));
                    if is_login {
                        self.mark(M::LoginFailed);
                    }
                }
            }
            What::Told { event: told, .. } => {
                self.device(on).told = Some(event.number);
                match told {
                    Told::Connecting => self.mark(M::Attempt),
                    Told::UserSigExpired => self.mark(M::SigExpired),
                    Told::ConnectSuccess
                    | Told::ConnectFailed { .. }
                    | Told::KickedOffline { .. }
                    | Told::Message { .. }
                    | Told::MessagesDropped { .. } => {}
                }
            }
            What::Status { status, login_user } => {
                self.device(on).user = login_user.filter(|_| status == Status::Logined);
            }
            What::DeviceSent { frame, .. } => self.sent(on, &frame),
            What::DeviceReceived { frame: ServerFrame::LoginRefused { refused: Refusal::Code(code), .. }, .. } => {
                self.mark(failed(code));
            }
            What::ConnectAsked { .. } if !self.connected.insert(on) => self.mark(M::SecondConnection),
            What::ConnectFailed { .. } | What::Untrusted { .. } => self.mark(M::Trouble),
            What::LinkLost => self.mark(M::LinkLost),
            What::NoFrame { .. } => self.mark(M::NoFrame),
            What::BackOff { .. } => self.mark(M::BackOff),
            What::SdkWoken | What::NetworkChanged => self.mark(M::Roused),
            _ => {}
        }
    }

    fn sent(&mut self, on: DeviceIndex, frame: &ClientFrame) {
        let is_attempt = match frame {
            ClientFrame::Send { id, .. } => {
                if !self.sends.insert(*id) {
                    self.mark(M::SentAgain);
                }
                false
            }
            ClientFrame::Login { .. } => true,
            ClientFrame::Resume { .. } => {
                self.mark(M::Resume);
                true
            }
            ClientFrame::Renew { .. } => {
                self.mark(M::Renewal);
                true
            }
            ClientFrame::Logout { call, .. } => {
                if *call == 0 {
                    self.mark(M::OwedEnd);
                }
                true
            }
            ClientFrame::Heartbeat => {
                self.mark(M::Heartbeat);
                false
            }
            ClientFrame::Hello { .. }
            | ClientFrame::LoginAcknowledged { .. }
            | ClientFrame::KickConfirmed { .. }
            | ClientFrame::AdminKick { .. }
            | ClientFrame::Query { .. }
            | ClientFrame::MessagesReceived { .. } => false,
        };
        if is_attempt && !self.attempts.insert(on) {
            self.mark(M::SecondAttempt);
        }
    }

    fn called(&mut self, on: DeviceIndex, event: &Event, request: &Request) {
        let device = self.device(on);
        let is_inside = device.told.is_some_and(|told| told + 1 == event.number);
        let (user, has_begun) = (device.user, device.has_begun);
        if is_inside {
            self.mark(M::InListener);
        }
        match *request {
            Request::Init { .. } => {
                self.device(on).has_begun = true;
                self.mark(if has_begun { M::InitAgain } else { M::Init });
            }
            Request::Uninit => self.mark(M::Uninit),
            Request::Login { user: named, .. } => {
                self.mark(M::Login);
                self.device(on).is_login_pending = true;
                if self.displaced.contains(&on) {
                    self.mark(M::LoginAfterKick);
                }
                match user {
                    Some(user) if user == named => self.mark(M::Renewal),
                    Some(_) => self.mark(M::Switch),
                    None => {}
                }
            }
            Request::Logout => {
                self.mark(M::Logout);
                if self.device(on).is_login_pending {
                    self.mark(M::LogoutMeetsLogin);
                }
            }
            Request::Conversations => {
                self.mark(M::Request);
                self.mark(M::Conversations);
            }
            Request::Query { .. } => {
                self.mark(M::Request);
                self.mark(M::Query);
            }
            Request::Send { .. } | Request::Kick { .. } => self.mark(M::Request),
        }
    }

    fn on_server(&mut self, event: &Event) {
        match event.what {
            What::Fact { fact, .. } => self.fact(event.at, &fact),
            What::TicketJudged { refused, .. } => {
                self.mark(M::TicketJudged);
                if refused.is_some() {
                    self.mark(M::TicketRefused);
                }
            }
            What::Dormant { .. } => self.mark(M::Dormant),
            What::Configured { .. } if std::mem::replace(&mut self.is_configured, true) => {
                self.mark(M::Reconfigured);
            }
            What::Committed { .. } => self.mark(M::Committed),
            What::Stopping => self.mark(M::Stopping),
            What::ServerSent { frame: ServerFrame::Closing { why: Closing::Busy, .. }, .. } => self.mark(M::Busy),
            What::StoreFailed => {
                self.mark(M::StoreFailed);
                // Everybody is let go.
                self.mark(M::Trouble);
            }
            What::ServerReceived { frame: ClientFrame::Resume { .. }, .. } => self.mark(M::Resume),
            What::ServerSent { frame: ServerFrame::Kick { .. } | ServerFrame::ResumeKicked { .. }, .. } => {
                self.mark(M::KickTold);
            }
            What::Malformed { .. } | What::ServerSent { frame: ServerFrame::Error { .. }, .. } => {
                self.mark(M::BadFrame);
            }
            What::ServerSent { frame: ServerFrame::Message { .. }, .. } => self.mark(M::Message),
            _ => {}
        }
    }

    fn fact(&mut self, at: Instant, fact: &Fact) {
        match *fact {
            Fact::AccountCreated { .. } => self.mark(M::AccountCreated),
            Fact::SessionAccepted { user, device, .. } => {
                if !self.logins.insert(user) {
                    self.mark(M::SecondLogin);
                }
                let is_left = self.left.get(&device) == Some(&(user, at));
                if !self.sessions.insert((user, device)) || is_left {
                    self.mark(M::Replaced);
                }
                if self.users.insert(device, user).is_some_and(|before| before != user) {
                    self.mark(M::SecondUser);
                }
            }
            Fact::SessionEnded { user, device, reason, .. } => self.ended(at, user, device, reason),
            Fact::TicketsVoided { .. } => self.mark(M::ByAdministrator),
            Fact::LinkLost { .. } => self.mark(M::LinkLost),
            Fact::DayCounted { .. } => self.mark(M::DayCounted),
            Fact::DeviceForgotten { .. } => self.mark(M::DeviceForgotten),
            Fact::PresenceChanged { .. } => self.mark(M::Presence),
            Fact::MessageStored { .. } => self.mark(M::Message),
            Fact::MessageOwed { .. } => self.mark(M::MessageOwed),
            Fact::AttemptRaised { .. }
            | Fact::SessionResumed { .. }
            | Fact::SessionRenewed { .. }
            | Fact::LoginAcknowledged { .. }
            | Fact::KickSettled { .. }
            | Fact::EndForgotten { .. }
            | Fact::TicketVoided { .. }
            | Fact::SentForgotten { .. }
            | Fact::MessagesReceived { .. }
            | Fact::MessagesDropped { .. } => {}
        }
    }

    fn ended(&mut self, at: Instant, user: UserIndex, device: DeviceIndex, reason: EndReason) {
        if reason == EndReason::Replaced {
            self.mark(M::Replaced);
        }
        self.sessions.remove(&(user, device));
        match reason {
            EndReason::SamePlatform | EndReason::OtherPlatform | EndReason::Administrator => {
                self.mark(M::Kicked);
                self.displaced.insert(device);
                if reason == EndReason::Administrator {
                    self.mark(M::ByAdministrator);
                }
            }
            EndReason::Expired => self.mark(M::Expired),
            EndReason::Logout => drop(self.left.insert(device, (user, at))),
            EndReason::Replaced | EndReason::OtherUser => {}
        }
    }

    fn in_world(&mut self, event: &Event) {
        match event.what {
            What::Stranger { .. } => self.mark(M::Stranger),
            What::Effect { effect } => match effect {
                Effect::ServerDead => {
                    self.mark(M::ServerDead);
                    self.mark(M::Trouble);
                }
                Effect::ProcessDead { .. } => self.mark(M::ProcessDead),
                Effect::DiskEmpty { .. } => self.mark(M::DiskEmpty),
                Effect::Link { outbound, inbound, .. } if !(outbound && inbound) => self.mark(M::Trouble),
                Effect::LinkHeld { .. }
                | Effect::LatencyChanged { .. }
                | Effect::ConnectionReset { .. }
                | Effect::Portal { .. }
                | Effect::LinkForgotten { .. } => {
                    self.mark(M::Trouble);
                }
                Effect::DiskRefused | Effect::DiskPaced | Effect::WriteTorn | Effect::DatabaseRepaired => {
                    self.mark(M::DiskTrouble);
                }
                Effect::DeviceDiskRefused { .. }
                | Effect::DeviceDiskPaced { .. }
                | Effect::RecordDamaged { .. }
                | Effect::CachesDamaged { .. } => self.mark(M::DeviceDisk),
                _ => {}
            },
            _ => {}
        }
    }

    fn device(&mut self, on: DeviceIndex) -> &mut OnDevice {
        self.devices.entry(on).or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::{Cast, Recorder};
    use crate::world::event;

    #[test]
    fn every_rule_has_its_row_in_the_order_of_the_specification() {
        let rows: Vec<&str> = TABLE.iter().map(|(id, _)| *id).collect();
        let rules: Vec<&str> = RuleId::all().map(RuleId::as_str).collect();
        assert_eq!(rows, rules, "a rule needs a row that says what must happen before it can be broken");
    }

    fn check(rules: &str, steps: &str) -> String {
        let text = format!(
            "title = \"a story\"\nrules = {rules}\nseed = 1\n[devices]\n\
             phone = {{ platform = \"android\", site = \"home\" }}\n\
             other = {{ platform = \"android\", site = \"office\" }}\n\
             [script]\nuntil = \"9s\"\nsteps = \"\"\"\n{steps}\"\"\"\n"
        );
        let scenario = Scenario::parse("story", &text).unwrap_or_else(|diagnosis| panic!("{diagnosis}"));
        let recorder = Recorder::new(Cast::of(&scenario));
        event::run(&scenario, &recorder).expect("the world runs");
        let rules = nothing_to_judge(&scenario, &recorder.finish(), &[]);
        rules.iter().map(|rule| rule.as_str()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_rule_of_which_no_situation_came_is_named() {
        let alone = "1s  phone  login alice\n";
        assert_eq!(check(r#"["LOGIN-1", "KICK-6", "KICK-7"]"#, alone), "KICK-6 KICK-7");
        let kicked = "1s  phone  login alice\n2s  other  login alice\n";
        assert_eq!(check(r#"["POLICY-3", "KICK-1", "KICK-6", "SWITCH-1"]"#, kicked), "KICK-6 SWITCH-1");
        let switched = "1s  phone  login alice\n2s  phone  login bob\n";
        assert_eq!(check(r#"["SWITCH-1", "SWITCH-5", "LOGIN-5", "DUR-2"]"#, switched), "LOGIN-5 DUR-2");
    }
}
