//! A hundred thousand frames nobody should send, against a server with people on it (INPUT-1, INPUT-3).
//!
//! Typed frames with fields at random and near the truth; what bytes can be wrong, `wire` tests.

use std::time::Duration;

use gatecrash::code::Code;
use gatecrash::id::{Attempt, CallId, ConnectionId, DeviceId, Epoch, UserId};
use gatecrash::policy::Platform;
use gatecrash::protocol::{ClientFrame, FrameError, ServerFrame, SessionName};
use gatecrash::server::{Action, Config, Input};
use gatecrash::ticket::{Claims, Opened, OpenedTicket, Signature};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::world::{APP, START, World, ticket};

const FRAMES: u32 = 100_000;

/// The connections of people, by device; each is logged in as the user beside it.
const PEOPLE: [(u8, Platform, &str); 3] =
    [(1, Platform::Android, "alice"), (2, Platform::Web, "alice"), (3, Platform::Mac, "root")];

fn user() -> impl Strategy<Value = UserId> {
    let name = prop_oneof![select(vec!["alice", "root", "bob"]).prop_map(str::to_owned), "[a-zA-Z0-9_-]{1,32}"];
    name.prop_map(|name| name.parse().unwrap())
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![user().prop_map(|user| user.to_string()), ".{0,40}", Just(String::new())]
}

/// Never a good one: at least one thing is wrong with it.
fn bad_ticket() -> impl Strategy<Value = OpenedTicket> {
    let random = (any::<u64>(), prop::option::of(user()), any::<u64>(), any::<u64>(), any::<[u8; 32]>()).prop_map(
        |(app_id, user, issued_at, ttl, signature)| {
            let claims = Claims { app_id, user, issued_at, ttl, signature: Signature(signature) };
            Ok(Opened { claims, signature_fits: false })
        },
    );
    let mutated = (user(), 0..4).prop_map(|(user, flaw)| {
        let mut good = ticket(user, START, 10_000_000);
        match flaw {
            0 => good.signature_fits = false,
            1 => good.claims.app_id ^= 1,
            2 => good.claims.user = None,
            _ => good.claims.ttl = 0,
        }
        Ok(good)
    });
    prop_oneof![
        1 => select(vec![Err(Code::TicketEmpty), Err(Code::TicketMalformed)]),
        2 => random,
        4 => mutated,
    ]
}

fn attempt() -> impl Strategy<Value = Attempt> {
    let near = prop_oneof![0u32..4, any::<u32>()];
    (near.clone(), near).prop_map(|(start, count)| Attempt { start, count })
}

fn epoch() -> impl Strategy<Value = Epoch> {
    prop_oneof![3 => 0u64..4, 1 => any::<u64>()].prop_map(Epoch)
}

fn device() -> impl Strategy<Value = DeviceId> {
    // Few enough that some come again; the first byte is no person's device.
    (100u8..200, any::<u8>()).prop_map(|(first, last)| {
        let mut bytes = [first; 16];
        bytes[15] = last;
        DeviceId::from_bytes(bytes)
    })
}

fn call() -> impl Strategy<Value = CallId> {
    any::<u64>().prop_map(CallId)
}

fn hello() -> impl Strategy<Value = ClientFrame<OpenedTicket>> {
    (prop_oneof![9 => Just(1), 1 => any::<u32>()], device(), select(Platform::ALL.as_slice()))
        .prop_map(|(version, device, platform)| ClientFrame::Hello { version, device, platform })
}

fn bad_frame() -> BoxedStrategy<ClientFrame<OpenedTicket>> {
    let named = || (user(), epoch()).prop_map(|(user, epoch)| SessionName { user, epoch });
    prop_oneof![
        4 => hello(),
        4 => (call(), attempt(), name(), bad_ticket(), prop::option::of(named())).prop_map(
            |(call, attempt, user, ticket, known_ended)| ClientFrame::Login { call, attempt, user, ticket, known_ended }
        ),
        2 => named().prop_map(|SessionName { user, epoch }| ClientFrame::LoginAcknowledged { user, epoch }),
        4 => (attempt(), named(), bad_ticket()).prop_map(|(attempt, SessionName { user, epoch }, ticket)| {
            ClientFrame::Resume { attempt, user, epoch, ticket }
        }),
        2 => (call(), attempt(), named(), bad_ticket()).prop_map(
            |(call, attempt, SessionName { user, epoch }, ticket)| {
                ClientFrame::Renew { call, attempt, user, epoch, ticket }
            }
        ),
        2 => (call(), attempt()).prop_map(|(call, attempt)| ClientFrame::Logout { call, attempt }),
        2 => Just(ClientFrame::Heartbeat),
        2 => named().prop_map(|SessionName { user, epoch }| ClientFrame::KickConfirmed { user, epoch }),
        1 => (call(), user(), ".{0,20}").prop_map(|(call, to, text)| ClientFrame::SendMessage { call, to, text }),
        1 => (call(), user()).prop_map(|(call, user)| ClientFrame::AdminKick { call, user }),
        1 => (call(), prop::collection::vec(user(), 0..4))
            .prop_map(|(call, users)| ClientFrame::QueryStatus { call, users }),
    ]
    .boxed()
}

/// A server with people on it, who have acknowledged their logins.
fn populated() -> World {
    let mut config = Config { administrators: ["root".parse().unwrap()].into(), ..Config::new(APP) };
    // Small, so that a hundred thousand frames fill it many times over.
    config.limits.records_max = 64;
    let mut world = World::new(config);
    for (number, (device, platform, name)) in (0..).zip(PEOPLE) {
        let (connection, user) = (ConnectionId(number), name.parse().unwrap());
        world.open(connection);
        world.hello(connection, DeviceId::from_bytes([device; 16]), platform);
        world.frame(
            connection,
            ClientFrame::Login {
                call: CallId(1),
                attempt: Attempt { start: 1, count: 7 },
                user: name.to_owned(),
                ticket: Ok(ticket(user, START, 10_000_000)),
                known_ended: None,
            },
        );
        let epoch = world.records.users[&user].last_epoch;
        world.frame(connection, ClientFrame::LoginAcknowledged { user, epoch });
    }
    world
}

fn people_are_there(world: &mut World) {
    for number in 0..PEOPLE.len() as u32 {
        let connection = ConnectionId(number);
        let outputs = world.frame(connection, ClientFrame::Heartbeat);
        let answer = Action::Send { connection, frame: ServerFrame::HeartbeatAnswer };
        assert_eq!(outputs.into_iter().map(|output| output.action).collect::<Vec<_>>(), [answer]);
    }
}

#[test]
fn a_hundred_thousand_bad_frames_change_no_session_and_cost_bounded_memory() {
    let mut runner = TestRunner::deterministic();
    let (hello, frame) = (hello(), bad_frame());
    let mut world = populated();
    let (users, devices) = (world.records.users.clone(), world.records.devices.clone());
    let mut size_max = 0;
    for number in 0..FRAMES {
        // Four strangers' connections; a closed one is opened anew, half of them with a hello.
        let connection = ConnectionId(10 + number % 4);
        if !world.open.contains_key(&connection) {
            world.open(connection);
            if number % 8 < 4 {
                let hello = hello.new_tree(&mut runner).unwrap().current();
                world.frame(connection, hello);
            }
        }
        if number % 500 == 0 {
            world.input(Input::Malformed { connection, error: FrameError::Malformed });
        } else {
            let frame = frame.new_tree(&mut runner).unwrap().current();
            world.frame(connection, frame);
        }
        if number % 100 == 0 {
            world.advance(Duration::from_secs(1));
            people_are_there(&mut world);
        }
        if number % 5_000 == 4_999 {
            // Everything a core holds is in its value, and so in what `Debug` writes of it.
            let size = format!("{:?}", world.server).len();
            if number < FRAMES / 2 {
                size_max = size_max.max(size);
            } else {
                assert!(size < size_max * 5 / 4, "after {number} frames {size}, before {size_max}");
            }
        }
    }
    assert!(world.records.users == users, "no session, account, count or presence changed");
    assert!(world.records.devices == devices, "no device was admitted, none was told anything");
    assert_eq!(world.records.last_message.0, 0);
}

/// ATT-1, INPUT-3: what a device once said, said again by whoever heard it, is stale or refused.
#[test]
fn frames_of_a_device_said_again_change_no_session() {
    let mut runner = TestRunner::deterministic();
    let frame = bad_frame();
    let mut world = populated();
    let users = world.records.users.clone();
    for number in 0..10_000 {
        let (device, platform, name) = PEOPLE[number % PEOPLE.len()];
        let connection = ConnectionId(10);
        if !world.open.contains_key(&connection) {
            world.open(connection);
            world.hello(connection, DeviceId::from_bytes([device; 16]), platform);
        }
        let mut frame = frame.new_tree(&mut runner).unwrap().current();
        // The attempts and the tickets are those it used itself; only the numbers are no newer.
        let good = ticket(name.parse().unwrap(), START, 10_000_000);
        match &mut frame {
            ClientFrame::Login { attempt, ticket, .. }
            | ClientFrame::Resume { attempt, ticket, .. }
            | ClientFrame::Renew { attempt, ticket, .. } => {
                *attempt = Attempt { start: 1, count: attempt.count % 8 };
                *ticket = Ok(good);
            }
            ClientFrame::Logout { attempt, .. } => *attempt = Attempt { start: 1, count: attempt.count % 8 },
            ClientFrame::Hello { .. }
            | ClientFrame::LoginAcknowledged { .. }
            | ClientFrame::Heartbeat
            | ClientFrame::KickConfirmed { .. }
            | ClientFrame::SendMessage { .. }
            | ClientFrame::AdminKick { .. }
            | ClientFrame::QueryStatus { .. } => {}
        }
        world.frame(connection, frame);
        if number % 100 == 0 {
            world.advance(Duration::from_secs(1));
            people_are_there(&mut world);
        }
    }
    assert!(world.records.users == users);
    people_are_there(&mut world);
}
