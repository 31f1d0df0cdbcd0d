//! Random play: whatever comes in whichever order, `world`'s checks hold after every input.
//!
//! Devices and users are few, so that they meet; fields are drawn near the truth, so that they hit.

use std::collections::BTreeSet;
use std::time::Duration;

use gatecrash::code::Code;
use gatecrash::id::{Attempt, CallId, ConnectionId, DeviceId, Epoch, SendId, UserId};
use gatecrash::limits::ServerLimits;
use gatecrash::policy::{Platform, Policy, Seats};
use gatecrash::protocol::{ClientFrame, FrameError, Refusal, ResumeOutcome, ServerFrame, SessionName};
use gatecrash::server::{Action, Config, Input, Output, Server, Timer};
use gatecrash::store::Fact;
use gatecrash::ticket::OpenedTicket;
use gatecrash::time::Now;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::world::{APP, World, ticket};
use crate::fixed_seed;

const USERS: [&str; 3] = ["alice", "bob", "root"];

const PLATFORMS: [Platform; 5] = [Platform::Android, Platform::Android, Platform::Ios, Platform::Web, Platform::Web];

/// Something that happens, in words that do not depend on what happened before.
#[expect(clippy::large_enum_variant, reason = "a few hundred of them live at a time")]
#[derive(Clone, Debug)]
pub enum Step {
    Open { device: usize, says_hello: bool },
    Frame { connection: Index, frame: Request },
    Close { connection: Index },
    Malformed { connection: Index },
    Pass(Duration),
    ClockAhead(Duration),
    Configure(Config),
    Restart,
    Fire(Index),
}

#[derive(Clone, Debug)]
pub struct Request {
    kind: Kind,
    user: usize,
    /// How far the attempt lies from the device's highest, and the epoch behind the user's last.
    attempt: i64,
    epoch: u64,
    ticket: Paper,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Hello,
    Login { knows: bool },
    Acknowledge,
    Resume,
    Renew,
    Logout,
    Heartbeat,
    Confirm,
    Send,
    AdminKick,
    Query,
}

/// What a ticket is like.
#[derive(Clone, Copy, Debug)]
enum Paper {
    Good { ttl: u64 },
    Old,
    Ahead,
    Forged,
    OtherUser,
    OtherApp,
    Unreadable,
}

fn paper() -> impl Strategy<Value = Paper> {
    prop_oneof![
        12 => select(vec![20, 500, 1_000_000, 1_000_000, 1_000_000]).prop_map(|ttl| Paper::Good { ttl }),
        3 => Just(Paper::Ahead),
        2 => select(vec![Paper::Old, Paper::Forged, Paper::OtherUser, Paper::OtherApp, Paper::Unreadable]),
    ]
}

fn request() -> impl Strategy<Value = Request> {
    let kind = prop_oneof![
        8 => prop::bool::weighted(0.2).prop_map(|knows| Kind::Login { knows }),
        5 => Just(Kind::Resume),
        3 => Just(Kind::Renew),
        2 => Just(Kind::Logout),
        5 => Just(Kind::Acknowledge),
        3 => Just(Kind::Confirm),
        3 => Just(Kind::Heartbeat),
        3 => Just(Kind::Send),
        3 => Just(Kind::AdminKick),
        1 => Just(Kind::Query),
        1 => Just(Kind::Hello),
    ];
    let attempt = prop_oneof![9 => Just(1), 1 => -2i64..=5];
    let epoch = prop_oneof![4 => Just(0), 1 => 0u64..4];
    let user = prop_oneof![4 => Just(0), 1 => Just(1), 1 => Just(2)];
    (kind, user, attempt, epoch, paper()).prop_map(|(kind, user, attempt, epoch, ticket)| Request {
        kind,
        user,
        attempt,
        epoch,
        ticket,
    })
}

fn config() -> impl Strategy<Value = Config> {
    (select(Policy::ALL.as_slice()), 1u32..=3, any::<bool>(), any::<bool>()).prop_map(
        |(policy, seats, kicks, notify)| {
            let wide = if policy == Policy::Multi { seats } else { 1 };
            let numbers = [(Platform::Web, seats), (Platform::Android, wide)];
            Config {
                seats: Seats::new(policy, &numbers.into()).unwrap(),
                administrators: [user(2)].into(),
                reconnect_kicks: kicks,
                notify_offline_kick: notify,
                // Small, so that locks and forgetting happen too.
                limits: ServerLimits { refusals_max: seats, records_max: 4, ..ServerLimits::default() },
                ..Config::new(APP)
            }
        },
    )
}

pub fn step() -> impl Strategy<Value = Step> {
    let pass = prop_oneof![
        8 => (0u64..2_000).prop_map(Duration::from_millis),
        2 => (5u64..40).prop_map(Duration::from_secs),
        1 => select(vec![90, 400, 600]).prop_map(Duration::from_secs),
    ];
    prop_oneof![
        8 => (0..PLATFORMS.len(), prop::bool::weighted(0.95))
            .prop_map(|(device, says_hello)| Step::Open { device, says_hello }),
        40 => (any::<Index>(), request()).prop_map(|(connection, frame)| Step::Frame { connection, frame }),
        4 => any::<Index>().prop_map(|connection| Step::Close { connection }),
        1 => any::<Index>().prop_map(|connection| Step::Malformed { connection }),
        5 => pass.prop_map(Step::Pass),
        1 => (1u64..700_000).prop_map(|seconds| Step::ClockAhead(Duration::from_secs(seconds))),
        1 => config().prop_map(Step::Configure),
        1 => Just(Step::Restart),
        1 => any::<Index>().prop_map(Step::Fire),
    ]
}

fn user(index: usize) -> UserId {
    USERS[index].parse().unwrap()
}

fn device(index: usize) -> DeviceId {
    DeviceId::from_bytes([index as u8 + 1; 16])
}

fn platform_of(device_id: DeviceId) -> Platform {
    PLATFORMS[usize::from(device_id.as_bytes()[0]) - 1]
}

/// Plays one step; empty when it has nothing to act on.
pub fn play(world: &mut World, step: &Step) -> Vec<Output> {
    let open: Vec<ConnectionId> = world.open.keys().copied().collect();
    let chosen = |index: &Index| (!open.is_empty()).then(|| *index.get(&open));
    match step {
        Step::Open { device: index, says_hello } => {
            if open.len() < 12 {
                let connection = world.free_connection();
                world.open(connection);
                if *says_hello {
                    world.hello(connection, device(*index), PLATFORMS[*index]);
                }
            }
            Vec::new()
        }
        Step::Frame { connection, frame } => match chosen(connection) {
            Some(connection) => {
                let frame = request_frame(world, connection, frame);
                world.frame(connection, frame)
            }
            None => Vec::new(),
        },
        Step::Close { connection } => match chosen(connection) {
            Some(connection) => world.input(Input::Closed { connection }),
            None => Vec::new(),
        },
        Step::Malformed { connection } => match chosen(connection) {
            Some(connection) => world.input(Input::Malformed { connection, error: FrameError::Malformed }),
            None => Vec::new(),
        },
        Step::Pass(by) => world.advance(*by),
        Step::ClockAhead(by) => world.set_wall(world.now.wall + *by),
        Step::Configure(config) => world.input(Input::Configured(config.clone())),
        Step::Restart => world.restart(world.server.config().clone()),
        Step::Fire(index) => {
            // Not the seven days, which the wall clock alone decides (PRES-1).
            let timers: Vec<Timer> =
                world.server.timers().filter(|timer| !matches!(timer, Timer::PushOnline(..))).collect();
            if timers.is_empty() { Vec::new() } else { world.fire(*index.get(&timers)) }
        }
    }
}

/// The frame a device would send, give or take: it speaks of its own session mostly.
fn request_frame(world: &World, connection: ConnectionId, request: &Request) -> ClientFrame<OpenedTicket> {
    let call = CallId(1);
    let device_id = world.open[&connection].unwrap_or(device(0));
    let record = world.records.devices.get(&device_id);
    let highest = i64::from(world.attempts.get(&device_id).copied().unwrap_or(0));
    let attempt = Attempt { start: 1, count: (highest + request.attempt).max(0) as u32 };
    let own = record.and_then(|record| record.user.or(record.ended.as_ref().map(|ended| ended.user)));
    let user = own.filter(|_| request.epoch == 0).unwrap_or(user(request.user));
    let last = world.records.users.get(&user).map_or(0, |account| account.last_epoch.0);
    let of_session = world.session(user, device_id).map(|session| session.epoch);
    let of_end = record.and_then(|record| record.ended.as_ref()).map(|ended| ended.epoch);
    let epoch = match request.epoch {
        0 => of_session.or(of_end).unwrap_or(Epoch(last)),
        behind => Epoch((last + 1).saturating_sub(behind)),
    };
    // Mostly, who may not ask anything yet logs in or resumes first.
    let kind = match request.kind {
        Kind::Renew | Kind::Send | Kind::AdminKick | Kind::Query | Kind::Hello
            if request.epoch == 0 && world.standing(connection) == "fresh" =>
        {
            Kind::Login { knows: false }
        }
        kind => kind,
    };
    match kind {
        Kind::Hello => ClientFrame::Hello { version: 1, device: device_id, platform: platform_of(device_id) },
        Kind::Login { knows } => {
            let whom = USERS[request.user];
            let known_ended = knows.then_some(SessionName { user, epoch });
            let ticket = paper_ticket(world, whom.parse().unwrap(), request.ticket);
            ClientFrame::Login { call, attempt, user: whom.to_owned(), ticket, known_ended }
        }
        Kind::Acknowledge => ClientFrame::LoginAcknowledged { user, epoch },
        Kind::Resume => {
            ClientFrame::Resume { attempt, user, epoch, ticket: paper_ticket(world, user, request.ticket), received: 0 }
        }
        Kind::Renew => {
            ClientFrame::Renew { call, attempt, user, epoch, ticket: paper_ticket(world, user, request.ticket) }
        }
        Kind::Logout => ClientFrame::Logout { call, attempt },
        Kind::Heartbeat => ClientFrame::Heartbeat,
        Kind::Confirm => ClientFrame::KickConfirmed { user, epoch },
        Kind::Send => {
            let id = SendId::from_bytes(u128::from(call.0).to_be_bytes());
            ClientFrame::SendMessage { call, id, to: self::user(request.user), text: "hi".to_owned() }
        }
        Kind::AdminKick => ClientFrame::AdminKick { call, user: self::user(request.user) },
        Kind::Query => ClientFrame::QueryStatus { call, users: USERS.map(|name| name.parse().unwrap()).into() },
    }
}

fn paper_ticket(world: &World, owner: UserId, paper: Paper) -> OpenedTicket {
    let now = world.now.wall.seconds();
    let mut opened = ticket(owner, now, 100);
    match paper {
        Paper::Good { ttl } => opened = ticket(owner, now, ttl),
        Paper::Old => opened = ticket(owner, now - 101, 100),
        Paper::Ahead => opened = ticket(owner, now + 100, 100),
        Paper::Forged => opened.signature_fits = false,
        Paper::OtherUser => opened.claims.user = "mallory".parse().ok(),
        Paper::OtherApp => opened.claims.app_id += 1,
        Paper::Unreadable => return Err(Code::TicketMalformed),
    }
    Ok(opened)
}

proptest! {
    #![proptest_config(fixed_seed::cases(400))]

    /// KICK-2, KICK-4, KICK-10, POLICY-3, POLICY-4, PRES-1, PRES-3, DAU-1, CONN-7, TICKET-5, INPUT-3,
    /// DUR-1, DUR-2: what `world` checks after every input.
    #[test]
    fn whatever_comes_the_rules_hold(first in config(), steps in prop::collection::vec(step(), 1..120)) {
        let mut world = World::new(first);
        for step in &steps {
            play(&mut world, step);
        }
        // Left alone for long enough, nothing is left open and nobody is logged in (PRES-2, TICKET-5).
        world.advance(Duration::from_secs(1_100_000 + 30 * 24 * 60 * 60));
        prop_assert!(world.open.is_empty());
        // ATT-6
        prop_assert!(world.records.devices.is_empty());
        prop_assert!(world.records.users.values().all(|account| account.sessions.is_empty()));
        prop_assert_eq!(world.server.timers().count(), 0);
        // DUR-2: and a server restored from the same records is the same but for what is in memory only.
        let restored: Server = Server::restore(world.server.config().clone(), world.records.clone());
        prop_assert_eq!(restored.records(), world.server.records());
    }

    /// The contract for cores: all instants can be shifted, and the same inputs so much later give the
    /// same outputs and the same state, so much later.
    #[test]
    fn a_shifted_server_does_the_same_later(
        first in config(),
        steps in prop::collection::vec(step(), 1..60),
        more in prop::collection::vec(step(), 1..40),
        by in (0u64..1_000_000_000_000).prop_map(Duration::from_micros),
    ) {
        let mut world = World::new(first);
        steps.iter().for_each(|step| drop(play(&mut world, step)));
        let mut later = world.clone();
        later.server.shift(by);
        later.now = Now { instant: later.now.instant + by, ..later.now };
        prop_assert_eq!(later.server.records(), world.server.records());
        for step in more.iter().filter(|step| !matches!(step, Step::Restart)) {
            prop_assert_eq!(play(&mut later, step), play(&mut world, step));
        }
        prop_assert_eq!(later.server.poll_timeout(), world.server.poll_timeout().map(|due| due + by));
        world.server.shift(by);
        prop_assert!(later.server == world.server);
    }

    /// Equal servers stay equal: a clone that gets the same inputs is the same value (and no order of
    /// insertion, address or hash seed has a say).
    #[test]
    fn the_same_steps_give_the_same_server(first in config(), steps in prop::collection::vec(step(), 1..60)) {
        let (mut one, mut other) = (World::new(first.clone()), World::new(first));
        for step in &steps {
            prop_assert_eq!(play(&mut one, step), play(&mut other, step));
        }
        prop_assert!(one.server == other.server);
        prop_assert_eq!(format!("{:?}", one.server), format!("{:?}", other.server));
    }
}

/// What random play is for: had one of these never happened, the checks above would say nothing about it.
const REACHED: [&str; 24] = [
    "ended same_platform",
    "ended other_platform",
    "ended administrator",
    "ended expired",
    "ended logout",
    "ended replaced",
    "ended other_user",
    "kick told",
    "kick settled",
    "end forgotten",
    "acknowledged",
    "resumed",
    "resumed as a login",
    "resume told of the end",
    "resume told of the expiry",
    "resume refused",
    "renewed",
    "stale",
    "[6014]",
    "[6208]",
    "[70050]",
    "[70052]",
    "message delivered",
    "ticket voided by name",
];

fn reached(output: &Output) -> Vec<String> {
    let refusal = |refusal: Refusal| match refusal {
        Refusal::Stale => "stale".to_owned(),
        Refusal::Code(code) => format!("[{}]", code.number()),
    };
    match &output.action {
        Action::Commit(commit) => commit
            .facts
            .iter()
            .map(|fact| match fact {
                Fact::SessionEnded { reason, .. } => format!("ended {}", reason.word()),
                Fact::SessionResumed { .. } => "resumed".to_owned(),
                Fact::SessionRenewed { .. } => "renewed".to_owned(),
                Fact::KickSettled { .. } => "kick settled".to_owned(),
                Fact::EndForgotten { .. } => "end forgotten".to_owned(),
                Fact::DeviceForgotten { .. } => "device forgotten".to_owned(),
                Fact::LoginAcknowledged { .. } => "acknowledged".to_owned(),
                Fact::TicketVoided { .. } => "ticket voided by name".to_owned(),
                Fact::AccountCreated { .. }
                | Fact::AttemptRaised { .. }
                | Fact::SessionAccepted { .. }
                | Fact::LinkLost { .. }
                | Fact::TicketsVoided { .. }
                | Fact::DayCounted { .. }
                | Fact::PresenceChanged { .. }
                | Fact::MessageStored { .. }
                | Fact::SentForgotten { .. }
                | Fact::MessageOwed { .. }
                | Fact::MessagesReceived { .. }
                | Fact::MessagesDropped { .. } => "other facts".to_owned(),
            })
            .collect(),
        Action::Send { frame, .. } => vec![match frame {
            ServerFrame::LoginAnswer { outcome: Err(why), .. } => refusal(*why),
            ServerFrame::ResumeAnswer { outcome, .. } => match outcome {
                ResumeOutcome::LoggedIn(_) => "resumed as a login".to_owned(),
                ResumeOutcome::Kicked(_) => "resume told of the end".to_owned(),
                ResumeOutcome::Expired => "resume told of the expiry".to_owned(),
                ResumeOutcome::Refused(_) => "resume refused".to_owned(),
                ResumeOutcome::Stale => "stale".to_owned(),
                ResumeOutcome::Resumed { .. } | ResumeOutcome::Unable(_) => "other frames".to_owned(),
            },
            ServerFrame::SendAnswer { outcome: Err(code), .. } => format!("[{}]", code.number()),
            ServerFrame::Kick(_) => "kick told".to_owned(),
            ServerFrame::Message { .. } => "message delivered".to_owned(),
            ServerFrame::LoginAnswer { .. }
            | ServerFrame::RenewAnswer { .. }
            | ServerFrame::LogoutAnswer { .. }
            | ServerFrame::HeartbeatAnswer
            | ServerFrame::Expired(_)
            | ServerFrame::SendAnswer { .. }
            | ServerFrame::AdminKickAnswer { .. }
            | ServerFrame::StatusAnswer { .. }
            | ServerFrame::Error(_)
            | ServerFrame::Closing { .. } => "other frames".to_owned(),
        }],
        Action::Close { .. } | Action::Note(_) => Vec::new(),
    }
}

#[test]
fn random_play_gets_to_what_it_is_for() {
    let mut runner = TestRunner::deterministic();
    let mut seen = BTreeSet::new();
    for _ in 0..300 {
        let mut world = World::new(config().new_tree(&mut runner).unwrap().current());
        let steps = prop::collection::vec(step(), 119).new_tree(&mut runner).unwrap().current();
        for step in &steps {
            seen.extend(play(&mut world, step).iter().flat_map(reached));
        }
    }
    let missed: Vec<&str> = REACHED.into_iter().filter(|what| !seen.contains(*what)).collect();
    assert!(missed.is_empty(), "never happened: {missed:?}");
}
