//! What can become of one device's connection and session: every state two devices of one user can
//! bring it to, as a text to review.
//!
//! Of the servers that look the same from the two devices (connections, what is waited for on them,
//! sessions and ends), the first one found stands for all. The seven days of PRES-1 are left out:
//! nothing but presence hangs on them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use gatecrash::id::{Attempt, CallId, ConnectionId, DeviceId, Epoch, UserId};
use gatecrash::policy::Platform;
use gatecrash::protocol::ClientFrame;
use gatecrash::server::{Config, Input, Timer};
use gatecrash::store::{EndReason, Link};

use super::world::{APP, World, ticket};

const DEVICES: [u8; 2] = [0, 1];

const EVENTS: [&str; 10] =
    ["connects", "login", "resume", "confirms", "logout", "closes", "45 s", "silence", "15 s", "ticket over"];

fn alice() -> UserId {
    "alice".parse().unwrap()
}

fn id(device: u8) -> DeviceId {
    DeviceId::from_bytes([device + 1; 16])
}

/// A device has one connection at a time here.
fn link(device: u8) -> ConnectionId {
    ConnectionId(device.into())
}

/// Its connection, its session or how the last one ended.
fn label(world: &World, device: u8) -> String {
    let standing = if world.open.contains_key(&link(device)) { world.standing(link(device)) } else { "none" };
    let ended = world.records.devices.get(&id(device)).and_then(|record| record.ended.as_ref());
    let session = match (world.session(alice(), id(device)).map(|session| session.link), ended) {
        (Some(Link::Connected), _) => "connected",
        (Some(Link::Lost { .. }), _) => "lost",
        (None, Some(ended)) => match ended.reason {
            EndReason::Expired => "expired",
            EndReason::SamePlatform | EndReason::OtherPlatform | EndReason::Administrator if ended.owed => "kick owed",
            EndReason::SamePlatform | EndReason::OtherPlatform | EndReason::Administrator => "kick told",
            EndReason::Logout | EndReason::Replaced | EndReason::OtherUser => unreachable!("a device's own doing"),
        },
        (None, None) => "-",
    };
    format!("{standing:<5} / {session}")
}

/// What is waited for on its connection.
fn timers(world: &World, device: u8) -> Vec<Timer> {
    let connection = link(device);
    let all = [Timer::Admission(connection), Timer::Silence(connection), Timer::Linger(connection)];
    all.into_iter().filter(|timer| world.server.timers().any(|set| set == *timer)).collect()
}

/// The world after the event; none where it cannot happen.
fn after(world: &World, device: u8, event: &str) -> Option<World> {
    let mut world = world.clone();
    world.advance(Duration::from_micros(1));
    let connection = link(device);
    let is_open = world.open.contains_key(&connection);
    let record = world.records.devices.get(&id(device));
    let live = world.session(alice(), id(device)).map(|session| session.epoch);
    let ended = record.and_then(|record| record.ended.as_ref()).map(|ended| ended.epoch);
    let epoch = live.or(ended).unwrap_or(Epoch(9));
    let count = world.attempts.get(&id(device)).copied().unwrap_or(0) + 1;
    let (call, attempt, user) = (CallId(1), Attempt { start: 1, count }, alice());
    let ticket = Ok(ticket(user, world.now.wall.seconds(), 8_640_000));
    let timer = |timer: Timer| world.server.timers().any(|set| set == timer).then_some(timer);
    let fired = match event {
        "45 s" => timer(Timer::Admission(connection)),
        "silence" => timer(Timer::Silence(connection)),
        "15 s" => timer(Timer::Linger(connection)),
        "ticket over" => timer(Timer::Expiry(user, id(device))),
        _ => None,
    };
    match (event, is_open) {
        ("connects", false) => {
            world.open(connection);
            world.hello(connection, id(device), Platform::Ios);
        }
        ("login", true) => {
            let login = ClientFrame::Login { call, attempt, user: user.to_string(), ticket, known_ended: None };
            world.frame(connection, login);
        }
        ("resume", true) => {
            world.frame(connection, ClientFrame::Resume { attempt, user, epoch, ticket });
        }
        ("confirms", true) => {
            world.frame(connection, ClientFrame::KickConfirmed { user, epoch });
        }
        ("logout", true) => {
            world.frame(connection, ClientFrame::Logout { call, attempt });
        }
        ("closes", true) => {
            world.input(Input::Closed { connection });
        }
        _ => {
            world.fire(fired?);
        }
    }
    Some(world)
}

#[test]
fn the_states_of_a_device_and_what_leads_from_one_to_the_next() {
    let start = World::new(Config::new(APP));
    let key = |world: &World| DEVICES.map(|device| (label(world, device), timers(world, device)));
    let mut seen = BTreeSet::from([key(&start)]);
    let mut queue = VecDeque::from([start]);
    let mut edges: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    while let Some(world) = queue.pop_front() {
        for device in DEVICES {
            for event in EVENTS {
                let Some(next) = after(&world, device, event) else { continue };
                let (from, to) = (label(&world, 0), label(&next, 0));
                let event = if device == 0 { event.to_owned() } else { format!("other's {event}") };
                if from != to {
                    edges.entry((from, to)).or_default().insert(event);
                }
                if seen.insert(key(&next)) {
                    queue.push_back(next);
                }
            }
        }
    }
    let mut text = String::from("connection / session\n\n");
    let mut last = String::new();
    for ((from, to), events) in &edges {
        if *from != last {
            text.push_str(&format!("{from}\n"));
            last.clone_from(from);
        }
        let events: Vec<&str> = EVENTS
            .iter()
            .flat_map(|event| events.iter().filter(move |known| known.trim_start_matches("other's ") == *event))
            .map(String::as_str)
            .collect();
        text.push_str(&format!("    -> {to:<18}  {}\n", events.join(", ")));
    }
    insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("server_device_states", text);
    });
}
