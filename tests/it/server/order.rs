//! What a search through orders without time asks of the server's core: which timers are set, one of them
//! by name, and all instants moved at once.

use std::time::Duration;

use gatecrash::id::{ConnectionId, DeviceId};
use gatecrash::policy::Platform;
use gatecrash::server::{Action, Config, Input, Server, Timer};
use gatecrash::store::Records;
use gatecrash::time::Now;

use super::world::APP;

const CONNECTION: ConnectionId = ConnectionId(0);

/// A connection on which nobody has logged in yet.
fn opened() -> Server {
    let mut server: Server = Server::restore(Config::new(APP), Records::default());
    server.handle_input(Now::default(), Input::Opened { connection: CONNECTION });
    while server.poll_output().is_some() {}
    server
}

/// INPUT-2: the stranger's time is up, whatever the clock says; once.
#[test]
fn one_timer_fires_by_its_name() {
    let mut server = opened();
    let admission = Timer::Admission(CONNECTION);
    assert_eq!(server.timers().collect::<Vec<_>>(), [admission]);
    let (user, device) = ("alice".parse().expect("a user id"), DeviceId::from_bytes([Platform::Ios as u8; 16]));
    assert!(!server.fire(Now::default(), Timer::Expiry(user, device)));
    assert_eq!(server.poll_output(), None);
    assert!(server.fire(Now::default(), admission));
    let outputs: Vec<Action> = std::iter::from_fn(|| server.poll_output()).map(|output| output.action).collect();
    assert!(outputs.contains(&Action::Close { connection: CONNECTION }), "{outputs:?}");
    assert!(!server.fire(Now::default(), admission));
}

/// INPUT-2: so much later is so much later for all of it.
#[test]
fn instants_move_together() {
    let (mut server, by) = (opened(), Duration::from_secs(60));
    let before = server.poll_timeout().expect("a stranger is awaited");
    server.shift(by);
    assert_eq!(server.poll_timeout(), Some(before + by));
}
