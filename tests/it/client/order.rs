//! What a search through orders without time asks of the SDK's core: which timers are set, one of them by
//! name, and all instants moved at once.

use std::time::Duration;

use gatecrash::client::{Action, Call, Client, Input, Timer};
use gatecrash::code::Code;
use gatecrash::id::CallId;
use gatecrash::ticket::Ticket;
use gatecrash::time::Instant;

use crate::client::rig::start;

fn actions(client: &mut Client) -> Vec<Action> {
    std::iter::from_fn(|| client.poll_output()).map(|output| output.action).collect()
}

/// A login is under way.
fn logging_in() -> Client {
    let mut client = Client::new();
    assert!(!client.is_initialised());
    let call = |call, request| Input::Call { call: CallId(call), request };
    client.handle_input(Instant::ZERO, call(1, Call::Init(Box::new(start(None)))));
    let login = Call::Login { user: "alice".to_owned(), ticket: Ticket::from("t1".to_owned()), lasts: None };
    client.handle_input(Instant::ZERO, call(2, login));
    actions(&mut client);
    client
}

/// LOGIN-3, LOGIN-8: the login's time is up, whatever the clock says; once.
#[test]
fn one_timer_fires_by_its_name() {
    let mut client = logging_in();
    assert!(client.is_initialised());
    assert!(client.timers().any(|timer| timer == Timer::Login), "{:?}", client.timers().collect::<Vec<_>>());
    assert!(!client.fire(Instant::ZERO, Timer::HeartbeatAnswer));
    assert_eq!(actions(&mut client), []);
    assert!(client.fire(Instant::ZERO, Timer::Login));
    let over = Action::Result { call: CallId(2), outcome: Err(Code::ConnectTimeout.into()) };
    assert!(actions(&mut client).contains(&over));
    assert!(!client.fire(Instant::ZERO, Timer::Login));
}

/// LOGIN-3: so much later is so much later for all of it.
#[test]
fn instants_move_together() {
    let (mut client, by) = (logging_in(), Duration::from_secs(60));
    let before = client.poll_timeout().expect("a login is under way");
    client.shift(by);
    assert_eq!(client.poll_timeout(), Some(before + by));
}
