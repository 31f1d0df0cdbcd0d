//! A writer of traces for the properties' tests: a few lines tell a run, true to the rules or not.
//!
//! Only what the property at hand looks at need be told.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use gatecrash::client::{Installation, Start, Status};
use gatecrash::code::{Code, Reason};
use gatecrash::id::{Attempt, CallId, Change, ConnectionId, DeviceId, MessageId, PublicName};
use gatecrash::limits::ClientLimits;
use gatecrash::policy::{Platform, Policy, Seats};
use gatecrash::protocol::{self, KickReason, Presence, StatusReport, UserStatus};
use gatecrash::store::{Commit, EndReason};
use gatecrash::time::{Instant, Now, WallTime};

use super::checks::Checks;
use super::contract::Property;
use crate::check::violation::Violation;
use crate::scenario::numbers;
use crate::scenario::{CallKind, Device, Forge, Init, Scenario, Site, TicketPlan};
pub use crate::trace::Terms;
use crate::trace::{
    Actor, Cast, ClientFrame, DeviceIndex, Effect, Event, Fact, Kick, List, ListIndex, Micros, Observer, Outcome,
    Recorder, Request, Seconds, ServerFrame, Session, TicketIndex, Told, UserIndex, What, Write,
};

pub const DESK: D = D(0);
pub const PHONE: D = D(1);
pub const PHONE2: D = D(2);
pub const PHONE3: D = D(3);
pub const ALICE: U = U(0);
pub const BOB: U = U(1);
/// A genuine ticket of alice: issued at the start, valid for an hour.
pub const TICKET: usize = 0;
/// A ticket of alice signed with a wrong key.
pub const FORGED: usize = 1;

/// The server's wall clock at 0 s.
pub const START: u64 = crate::scenario::START_DEFAULT;

#[derive(Clone, Copy)]
pub struct D(usize);

#[derive(Clone, Copy)]
pub struct U(usize);

impl From<D> for DeviceIndex {
    fn from(device: D) -> Self {
        DeviceIndex::new(device.0)
    }
}

impl From<U> for UserIndex {
    fn from(user: U) -> Self {
        UserIndex::new(user.0)
    }
}

pub fn ticket(number: usize) -> TicketIndex {
    TicketIndex::new(number)
}

pub fn scenario() -> Scenario {
    let device = |platform| Device {
        platform,
        site: "home".parse().expect("a name"),
        init: Init::Auto,
        wall_offset: Default::default(),
    };
    let platforms = [
        ("desk", Platform::Windows),
        ("phone", Platform::Android),
        ("phone2", Platform::Android),
        ("phone3", Platform::Android),
    ];
    let administrators = BTreeSet::from(["alice", "bob"].map(|user| user.parse().expect("a user id")));
    let forged = TicketPlan {
        user: "alice".parse().expect("a user id"),
        issued: Default::default(),
        ttl: Duration::from_secs(3600),
        forge: Some(Forge::WrongKey),
    };
    Scenario {
        title: "A story".into(),
        rules: vec![crate::scenario::rules::rule("POLICY-3")],
        seed: 1,
        tick: crate::scenario::TICK_DEFAULT,
        verdict_only: None,
        converge: None,
        app: crate::scenario::App { administrators, ..Default::default() },
        limits: Default::default(),
        sites: BTreeMap::from([("home".parse().expect("a name"), Site::default())]),
        devices: platforms.map(|(name, platform)| (name.parse().expect("a name"), device(platform))).into(),
        tickets: BTreeMap::from([("forged".parse().expect("a name"), forged)]),
        until: Duration::from_secs(3600),
        steps: Vec::new(),
        expectations: Vec::new(),
    }
}

/// Names what stories name: users, tickets, a text, the phone alone as a list, and a status report.
fn cast(scenario: &Scenario) -> (Cast, ListIndex, ListIndex) {
    let recorder = Recorder::new(Cast::of(scenario));
    let mut config = crate::scenario::config::server(scenario);
    config.administrators = BTreeSet::from(["alice", "bob"].map(|user| user.parse().expect("a user id")));
    recorder.configured(Instant::ZERO, &config);
    for forged in [false, true] {
        let mut plan = scenario.tickets["forged"].clone();
        plan.forge = plan.forge.filter(|_| forged);
        let made = crate::world::tickets::planned(&scenario.app, &plan);
        let claims = gatecrash::ticket::open(made.as_str(), &[]).ok().map(|opened| opened.claims);
        recorder.ticket_made(Instant::ZERO, forged.then_some("forged"), Some("alice"), &made, claims.as_ref());
    }
    let id = DeviceId::from_bytes([7; 16]);
    let start = Start {
        platform: Platform::Android,
        seed: [0; 32],
        limits: ClientLimits::of(Platform::Android),
        wall: WallTime::default(),
        installation: Some(Installation::new(id)),
        conversations: BTreeMap::new(),
    };
    let call = gatecrash::client::Call::Init(Box::new(start));
    let input = gatecrash::client::Input::Call { call: CallId(1), request: call };
    recorder.device_input(Instant::ZERO, PHONE.into(), &input);
    let kicked: Vec<PublicName> = vec![id.public_name()];
    let user = "alice".parse().expect("a user id");
    let told = gatecrash::store::Fact::PresenceChanged { user, number: 1, presence: Presence::Online, kicked };
    let message = protocol::Message { id: MessageId(1), from: user, to: user, text: "hello".into() };
    let (id, epoch) = (gatecrash::id::SendId::default(), gatecrash::id::Epoch(1));
    let stored = gatecrash::store::Fact::MessageStored { message, id, epoch, last_second: 60 };
    let commit = Commit { number: Change(1), facts: vec![told, stored] };
    let action = gatecrash::server::Action::Commit(commit);
    recorder.server_output(Now::default(), &gatecrash::server::Output { reveals: Change::NONE, action });
    let shown = UserStatus { user, presence: Presence::Online, devices: Vec::new() };
    let report = StatusReport { users: vec![shown], unknown: vec!["bob".parse().expect("a user id")] };
    let frame = protocol::ServerFrame::StatusAnswer { call: CallId(1), outcome: Ok(report) };
    let action = gatecrash::server::Action::Send { connection: ConnectionId(0), frame };
    recorder.server_output(Now::default(), &gatecrash::server::Output { reveals: Change::NONE, action });
    let cast = recorder.cast(Cast::clone);
    let find = |is_it: fn(&List) -> bool| (0..9).map(ListIndex::new).find(|&list| is_it(cast.list(list)));
    let phone = find(|list| matches!(list, List::Devices(_))).expect("the phone was kicked");
    let report = find(|list| matches!(list, List::Report(_))).expect("a report was sent");
    (cast, phone, report)
}

/// A trace being told.
pub struct Story {
    cast: Cast,
    phone_alone: ListIndex,
    report: ListIndex,
    checks: Checks,
    now: Instant,
    numbers: BTreeMap<Actor, u32>,
    commit: u32,
}

impl Story {
    pub fn of(property: impl Property + 'static) -> Self {
        Story::from(|_| property)
    }

    pub fn from<P: Property + 'static>(property: impl FnOnce(&Scenario) -> P) -> Self {
        let scenario = scenario();
        let (cast, phone_alone, report) = cast(&scenario);
        let checks = Checks::with(&scenario, scenario.tick, vec![Box::new(property(&scenario))]);
        let story =
            Story { cast, phone_alone, report, checks, now: Instant::ZERO, numbers: BTreeMap::new(), commit: 0 };
        story.seats(Seats::default()).server(What::ServerStarted { commit: 0, wall: Micros::new(START * 1_000_000) })
    }

    fn seats(self, seats: Seats) -> Self {
        let administrators = Some(ListIndex::new(0));
        self.server(What::Configured { seats, reconnect_kicks: false, notify_offline_kick: false, administrators })
    }

    /// So many phones of a user at once, long since.
    pub fn multi(self, phones: u32) -> Self {
        let instances = BTreeMap::from([(Platform::Android, phones)]);
        self.seats(Seats::new(Policy::Multi, &instances).expect("within the range"))
    }

    pub fn at(self, seconds: u64) -> Self {
        self.at_micros(seconds * 1_000_000)
    }

    pub fn at_micros(mut self, micros: u64) -> Self {
        self.now = Instant::from_micros(micros);
        self
    }

    fn event(mut self, actor: Actor, what: What) -> Self {
        let number = self.numbers.entry(actor).or_default();
        *number += 1;
        let event = Event { at: self.now, actor, number: *number, what };
        self.checks.observe(&self.cast, &event);
        self
    }

    pub fn world(self, what: What) -> Self {
        self.event(Actor::World, what)
    }

    /// Alice's two tickets, the good one and the forged one, are made.
    pub fn tickets_made(self) -> Self {
        let made = |number| What::TicketMade {
            ticket: ticket(number),
            user: Some(ALICE.into()),
            issued: Seconds::new(START),
            ttl: Seconds::new(3600),
        };
        self.world(made(TICKET)).world(made(FORGED))
    }

    pub fn effect(self, effect: Effect) -> Self {
        self.world(What::Effect { effect })
    }

    pub fn server(self, what: What) -> Self {
        self.event(Actor::Server, what)
    }

    pub fn on(self, device: D, what: What) -> Self {
        self.event(Actor::Device(device.into()), what)
    }

    /// The server decides; its disk has it at once.
    pub fn commit(self, facts: &[Fact]) -> Self {
        let story = self.decide(facts);
        let commit = story.commit;
        story.server(What::Committed { commit })
    }

    /// The server decides; its disk does not have it yet.
    pub fn decide(mut self, facts: &[Fact]) -> Self {
        self.commit += 1;
        let commit = self.commit;
        let wall = Micros::new(START * 1_000_000 + self.now.as_micros());
        facts
            .iter()
            .fold(self.server(What::Commit { commit, wall }), |story, &fact| story.server(What::Fact { commit, fact }))
    }

    pub fn sends(self, to: D, connection: u32, frame: ServerFrame) -> Self {
        let reveals = self.commit;
        self.server(What::ServerSent { connection, peer: Some(to.into()), reveals, frame })
    }

    pub fn hears(self, from: D, connection: u32, frame: ClientFrame) -> Self {
        self.server(What::ServerReceived { connection, peer: Some(from.into()), frame })
    }

    pub fn receives(self, device: D, frame: ServerFrame) -> Self {
        self.on(device, What::DeviceReceived { connection: 0, frame })
    }

    pub fn calls(self, device: D, call: u32, request: Request) -> Self {
        self.on(device, What::Called { call, request })
    }

    pub fn told(self, device: D, event: Told, user: U, epoch: u32) -> Self {
        self.on(device, What::Told { event, user: Some(user.into()), epoch })
    }

    /// Everything from the call to its result; the session gets this epoch.
    pub fn logs_in(self, device: D, user: U, epoch: u32) -> Self {
        let frame =
            ServerFrame::LoginAccepted { call: 100 + epoch, epoch, conversations: None, terms: Terms::default() };
        self.calls(device, 1, Request::Init { platform: Platform::Android })
            .on(device, answered(1, CallKind::Init, None, Outcome::Done))
            .calls(device, 100 + epoch, Request::Login { user: user.into(), ticket: ticket(TICKET) })
            .on(device, status(Status::Logining, None))
            .on(device, What::ConnectAsked { connection: 0 })
            .told(device, Told::Connecting, user, 0)
            .on(device, What::Connected { connection: 0 })
            .receives(device, frame)
            .on(device, status(Status::Logined, Some(user)))
            .told(device, Told::ConnectSuccess, user, epoch)
            .on(device, answered(100 + epoch, CallKind::Login, Some(user), Outcome::Done))
    }

    /// The presence fact that the phone alone was kicked.
    pub fn phone_kicked(&self, user: U, number: u32, presence: Presence) -> Fact {
        Fact::PresenceChanged { user: user.into(), sequence: number, presence, kicked: Some(self.phone_alone) }
    }

    /// A status report: alice is online, and nobody knows bob.
    pub fn report(&self) -> ListIndex {
        self.report
    }

    fn end(mut self) -> Vec<Violation> {
        self.checks.finish(&self.cast)
    }

    /// Nothing is found.
    #[track_caller]
    pub fn holds(self) {
        assert_eq!(self.end(), []);
    }

    /// Something is found, first of all this rule broken.
    #[track_caller]
    pub fn breaks(self, rule: &str) {
        let found = self.end();
        let first = found.first().expect("a violation is found");
        assert_eq!(first.rule.as_str(), rule, "{}", first.text);
    }
}

pub fn answered(call: u32, kind: CallKind, user: Option<U>, outcome: Outcome) -> What {
    What::Answered { call, kind: Some(kind), user: user.map(UserIndex::from), outcome }
}

pub fn failed(code: Code) -> Outcome {
    Outcome::Failed { code, reason: None }
}

/// A [6014], and what it says beside itself.
pub fn nobody(reason: Reason) -> Outcome {
    Outcome::Failed { code: Code::NotLoggedIn, reason: Some(reason) }
}

pub fn status(status: Status, user: Option<U>) -> What {
    What::Status { status, login_user: user.map(UserIndex::from) }
}

pub fn text(number: usize) -> crate::trace::TextIndex {
    crate::trace::TextIndex::new(number)
}

pub fn hello() -> ClientFrame {
    ClientFrame::Hello { version: 1, platform: Platform::Android, installation: 1 }
}

/// Alice logs in with her device's `count`th attempt and this ticket.
pub fn login_frame(call: u32, count: u32, number: usize) -> ClientFrame {
    let (attempt, ticket) = (attempt(count), Some(ticket(number)));
    ClientFrame::Login { call, attempt, user: ALICE.into(), ticket, known_ended: None }
}

pub fn attempt(count: u32) -> Attempt {
    Attempt { start: 1, count }
}

pub fn accepted(user: U, device: D, epoch: u32) -> Fact {
    Fact::SessionAccepted {
        user: user.into(),
        device: device.into(),
        installation: 1,
        platform: if device.0 == DESK.0 { Platform::Windows } else { Platform::Android },
        epoch,
        attempt: attempt(epoch),
        ticket: ticket(TICKET),
        until: Seconds::new(START + 3600),
    }
}

pub fn resumed(user: U, device: D, epoch: u32) -> Fact {
    let (ticket, until) = (ticket(TICKET), Seconds::new(START + 3600));
    Fact::SessionResumed { user: user.into(), device: device.into(), epoch, ticket, until }
}

pub fn lost(user: U, device: D, epoch: u32, second: u64) -> Fact {
    let wall = Micros::new((START + second) * 1_000_000);
    Fact::LinkLost { user: user.into(), device: device.into(), epoch, wall }
}

pub fn ended(user: U, device: D, epoch: u32, reason: EndReason, by: D) -> Fact {
    let by = numbers::is_displacement(reason).then_some(by.into());
    Fact::SessionEnded { user: user.into(), device: device.into(), installation: 1, epoch, reason, by }
}

pub fn presence(user: U, number: u32, presence: Presence) -> Fact {
    Fact::PresenceChanged { user: user.into(), sequence: number, presence, kicked: None }
}

pub fn day(user: U, day: u32) -> Fact {
    Fact::DayCounted { user: user.into(), day, users: 1 }
}

pub fn stored_message(message: u32) -> Fact {
    let text = text(0);
    Fact::MessageStored { message, from: ALICE.into(), to: BOB.into(), text, id: message }
}

pub fn kick(user: U, epoch: u32) -> Kick {
    Kick { user: user.into(), epoch, reason: KickReason::SamePlatform, by: None }
}

pub fn kicked() -> Told {
    Told::KickedOffline { reason: KickReason::SamePlatform, by: None }
}

pub fn known_ended(user: U, epoch: u32) -> Write {
    let known_ended = Some(Session { user: user.into(), epoch });
    Write::Installation { installation: 1, starts: 1, owed_end: false, known_ended }
}
