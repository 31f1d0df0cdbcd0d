//! The contract for cores: a server is a value, its timers can be seen and fired, its instants shifted.

use std::time::Duration;

use gatecrash::code::Code;
use gatecrash::id::{Attempt, CallId, Change, ConnectionId, DeviceId, Epoch};
use gatecrash::policy::Platform;
use gatecrash::protocol::{ClientFrame, ResumeOutcome, ServerFrame, SessionName};
use gatecrash::server::{Action, Config, Input, Output, Server, Timer};
use gatecrash::store::Link;

use super::world::{APP, START, World, ticket};

const PHONE: DeviceId = DeviceId::from_bytes([1; 16]);
const CONNECTION: ConnectionId = ConnectionId(0);

/// A world in which a phone is logged in as alice.
fn logged_in() -> World {
    let mut world = World::new(Config::new(APP));
    world.open(CONNECTION);
    world.hello(CONNECTION, PHONE, Platform::Ios);
    login(&mut world, 1);
    world
}

fn login(world: &mut World, count: u32) -> Vec<Output> {
    let frame = ClientFrame::Login {
        call: CallId(1),
        attempt: Attempt { start: 1, count },
        user: "alice".to_owned(),
        ticket: Ok(ticket("alice".parse().unwrap(), START, 1_000)),
        known_ended: None,
    };
    world.frame(CONNECTION, frame)
}

#[test]
fn a_server_can_be_cloned_compared_hashed_and_sent() {
    fn is_a_state<State>(_: &State)
    where
        State: Clone + std::fmt::Debug + PartialEq + Eq + std::hash::Hash + Send + Sync + 'static,
    {
    }
    let mut world = logged_in();
    let server: Server = world.server.clone();
    is_a_state(&server);
    assert!(server == world.server);
    login(&mut world, 2);
    assert!(server != world.server);
}

#[test]
fn connections_that_are_gone_leave_no_trace_in_the_value() {
    let mut world = World::new(Config::new(APP));
    world.input(Input::ClockChanged);
    let before = world.server.clone();
    for number in 0..5 {
        world.open(ConnectionId(number));
    }
    for number in [1, 4, 0, 3, 2] {
        world.input(Input::Closed { connection: ConnectionId(number) });
    }
    assert!(world.server == before);
}

#[test]
fn a_timer_that_is_set_can_be_fired_before_its_time() {
    // CONN-5: in a world without time the silence timer means that nothing was heard.
    let alice = "alice".parse().unwrap();
    let mut world = logged_in();
    let timers: Vec<Timer> = world.server.timers().collect();
    assert_eq!(timers, [Timer::Silence(CONNECTION), Timer::Expiry(alice, PHONE)]);
    let outputs = world.fire(Timer::Silence(CONNECTION));
    assert!(outputs.iter().any(|output| output.action == Action::Close { connection: CONNECTION }));
    assert!(matches!(world.session(alice, PHONE).unwrap().link, Link::Lost { .. }));
    let timers: Vec<Timer> = world.server.timers().collect();
    assert_eq!(timers, [Timer::Expiry(alice, PHONE), Timer::Dormant(alice, PHONE), Timer::PushOnline(alice, PHONE)]);
    world.fire(Timer::Expiry(alice, PHONE));
    assert_eq!(world.session(alice, PHONE), None);
    assert_eq!(world.server.timers().count(), 0);
}

#[test]
fn a_timer_that_is_not_set_cannot_be_fired() {
    let mut world = logged_in();
    let before = world.server.clone();
    assert!(!world.server.fire(world.now, Timer::Linger(CONNECTION)));
    assert!(!world.server.fire(world.now, Timer::Silence(ConnectionId(7))));
    assert_eq!(world.server.poll_output(), None);
    assert!(world.server == before);
}

#[test]
fn the_next_wake_is_the_earliest_timer_on_either_clock() {
    // CONN-5, TICKET-5: 400 s of silence, then the ticket's last second and one more; then the clock
    // jumps, and the wall's timer comes sooner.
    let mut world = logged_in();
    let after = |world: &World| world.server.poll_timeout().map(|due| due - world.now.instant);
    assert_eq!(after(&world), Some(Duration::from_secs(400)));
    let wall = world.now.wall + Duration::from_secs(701);
    world.set_wall(wall);
    assert_eq!(after(&world), Some(Duration::from_secs(300)));
}

#[test]
fn a_late_wake_fires_everything_that_is_due() {
    // A busy machine may call late: silence and expiry come out of one call.
    let mut world = logged_in();
    world.pass(Duration::from_secs(5_000));
    world.server.handle_timeout(world.now);
    assert_eq!(world.server.poll_timeout(), None);
    let ended = std::iter::from_fn(|| world.server.poll_output()).collect::<Vec<_>>();
    assert!(ended.iter().any(|output| output.action == Action::Close { connection: CONNECTION }));
    assert!(world.server.records().users[&"alice".parse().unwrap()].sessions.is_empty());
}

#[test]
fn outputs_wait_for_the_change_they_reveal() {
    // DUR-1: the kick names the change that made it; a heartbeat's answer waits for nothing, also then.
    let mut world = logged_in();
    let other = ConnectionId(1);
    world.open(other);
    world.hello(other, DeviceId::from_bytes([2; 16]), Platform::Ipad);
    let frame = ClientFrame::Login {
        call: CallId(1),
        attempt: Attempt { start: 1, count: 1 },
        user: "alice".to_owned(),
        ticket: Ok(ticket("alice".parse().unwrap(), START, 1_000)),
        known_ended: None,
    };
    let outputs = world.frame(other, frame);
    let change = world.records.change;
    let is_commit = |output: &Output| matches!(&output.action, Action::Commit(commit) if commit.number == change);
    assert!(is_commit(&outputs[0]), "the commit comes first");
    let kick = outputs
        .iter()
        .find(|output| matches!(&output.action, Action::Send { connection: CONNECTION, frame: ServerFrame::Kick(_) }));
    assert_eq!(kick.expect("the phone is told").reveals, change);
    let outputs = world.frame(other, ClientFrame::Heartbeat);
    assert_eq!(outputs[0].reveals, Change::NONE);
}

#[test]
fn the_records_of_strangers_are_bounded() {
    // TICKET-4, ATT-1: of devices never admitted the newest are kept; the oldest may come again.
    let mut config = Config::new(APP);
    config.limits.records_max = 2;
    let mut world = World::new(config);
    let mut asks = |device: u8, count: u32| {
        world.open(CONNECTION);
        world.hello(CONNECTION, DeviceId::from_bytes([device; 16]), Platform::Ios);
        let frame = ClientFrame::Resume {
            attempt: Attempt { start: 1, count },
            user: "alice".parse().unwrap(),
            epoch: Epoch(1),
            ticket: Err(Code::TicketEmpty),
        };
        let outputs = world.frame(CONNECTION, frame);
        world.input(Input::Closed { connection: CONNECTION });
        outputs.into_iter().find_map(|output| match output.action {
            Action::Send { frame: ServerFrame::ResumeAnswer { outcome, .. }, .. } => Some(outcome),
            Action::Send { .. } | Action::Commit(_) | Action::Close { .. } | Action::Note(_) => None,
        })
    };
    assert_ne!(asks(1, 5), Some(ResumeOutcome::Stale));
    assert_ne!(asks(2, 5), Some(ResumeOutcome::Stale));
    assert_eq!(asks(1, 5), Some(ResumeOutcome::Stale));
    assert_ne!(asks(3, 5), Some(ResumeOutcome::Stale));
    assert_eq!(asks(2, 5), Some(ResumeOutcome::Stale), "it is among the two newest");
    assert_ne!(asks(1, 5), Some(ResumeOutcome::Stale), "it was the oldest, and is forgotten");
}

#[test]
fn a_confirmation_names_a_session_exactly() {
    // KICK-2: of all names around the true one only that one settles the kick.
    let mut world = logged_in();
    let other = ConnectionId(1);
    world.open(other);
    world.hello(other, DeviceId::from_bytes([2; 16]), Platform::Ios);
    let frame = ClientFrame::Login {
        call: CallId(1),
        attempt: Attempt { start: 1, count: 1 },
        user: "alice".to_owned(),
        ticket: Ok(ticket("alice".parse().unwrap(), START, 1_000)),
        known_ended: None,
    };
    world.frame(other, frame);
    let is_owed = |world: &World| world.records.devices[&PHONE].ended.as_ref().unwrap().owed;
    for (user, epoch) in [("alice", 0), ("alice", 2), ("bob", 1), ("Alice", 1), ("alice", u64::MAX)] {
        let SessionName { user, epoch } = SessionName { user: user.parse().unwrap(), epoch: Epoch(epoch) };
        world.frame(CONNECTION, ClientFrame::KickConfirmed { user, epoch });
        assert!(is_owed(&world), "{user} {epoch:?}");
    }
    world.frame(CONNECTION, ClientFrame::KickConfirmed { user: "alice".parse().unwrap(), epoch: Epoch(1) });
    assert!(!is_owed(&world));
}
