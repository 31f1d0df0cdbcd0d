//! The SDK's core: one state machine from `init` to `uninit`, for one device.
//!
//! Reads no clock, opens no socket, draws nothing and calls nobody back: a driver or a simulated
//! world feeds it and carries out what it asks for. What the rules decide is in `decide::client`;
//! here is the bookkeeping, one concern in each file:
//!
//! | file | what happens there |
//! |---|---|
//! | `interface` | what goes in and what comes out |
//! | `state` | what it knows |
//! | `handler` | what handles one input or timer: the verbs all others use |
//! | `calls` | the application calls: who answers |
//! | `link` | connecting, back-off, heartbeats, link loss |
//! | `doubt` | a link that may be dead: probing it, and another one beside it |
//! | `pace` | how often heartbeats are sent on this network |
//! | `record` | the device's record: attempts, owed ends, new device ids |
//! | `given_up` | how long an owed end is worth a connection |
//! | `login` `renewal` `resume` `kick` `logout` `request` | the exchanges with the server |
//! | `no_server` | somebody else answers in the server's place |
//! | `cache` `draw` `outbox` | conversation lists, jitter, outputs |

mod cache;
mod calls;
mod doubt;
mod draw;
mod given_up;
mod handler;
mod interface;
mod kick;
mod link;
mod login;
mod logout;
mod no_server;
mod outbox;
mod pace;
mod record;
mod renewal;
mod request;
mod resume;
mod state;

use std::time::Duration;

pub use interface::{Action, Call, Event, Input, Installation, Note, Output, Reply, Start, Status, Timer, Write};

use crate::client::handler::Handler;
use crate::client::outbox::Outbox;
use crate::client::state::State;
use crate::decide::{ClientDecisions, Rules};
use crate::id::UserId;
use crate::time::Instant;

/// The SDK's core.
///
/// After every `handle_…` its owner polls all outputs and carries them out in order. At one instant
/// it hands over calls first, then what came from the network, then the time.
///
/// ```
/// use std::collections::BTreeMap;
/// use gatecrash::{client::{Action, Call, Client, Input, Start, Status}, id::CallId, limits::ClientLimits};
/// use gatecrash::{policy::Platform, time::{Instant, WallTime}};
///
/// let mut client: Client = Client::new();
/// let start = Start {
///     platform: Platform::Ios,
///     seed: [7; 32],
///     limits: ClientLimits::of(Platform::Ios),
///     wall: WallTime::from_seconds(1_700_000_000),
///     installation: None,
///     conversations: BTreeMap::new(),
/// };
/// let init = Call::Init(Box::new(start));
/// client.handle_input(Instant::ZERO, Input::Call { call: CallId(1), request: init });
/// let outputs: Vec<_> = std::iter::from_fn(|| client.poll_output()).collect();
/// assert!(matches!(outputs[0].action, Action::Store { .. }));
/// assert!(matches!(outputs[1].action, Action::Result { call: CallId(1), outcome: Ok(_) }));
/// assert_eq!(client.login_status(), Status::Logout);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Client<D: ClientDecisions = Rules> {
    decisions: D,
    outbox: Outbox,
    state: Option<Box<State>>,
}

impl Client {
    /// A core that follows the rules, not yet initialised (INIT-1).
    pub fn new() -> Self {
        Client::with(Rules)
    }
}

impl<D: ClientDecisions> Client<D> {
    /// A core that asks `decisions`, not yet initialised (INIT-1).
    pub fn with(decisions: D) -> Self {
        Client { decisions, outbox: Outbox::default(), state: None }
    }

    /// Takes in what happened at `now`. Inputs about a connection that was closed are ignored.
    pub fn handle_input(&mut self, now: Instant, input: Input) {
        match input {
            Input::Call { call, request } => self.handle_call(now, call, request),
            Input::Connected { connection } => self.handle(now, |handler| handler.connected(connection)),
            Input::ConnectFailed { connection } | Input::Closed { connection } => {
                self.handle(now, |handler| handler.disconnected(connection));
            }
            Input::Untrusted { connection } => self.handle(now, |handler| handler.nobody_to_trust(connection)),
            Input::NoFrame { connection } => self.handle(now, |handler| handler.no_frame_came(connection)),
            Input::Frame { connection, frame } => self.handle(now, |handler| handler.frame(connection, frame)),
            Input::Stored { change } => self.handle(now, |handler| handler.stored(change)),
            Input::StorageFailed { unsent } => self.handle(now, |handler| handler.storage_failed(&unsent)),
            Input::Woken => self.handle(now, |handler| {
                handler.slept_on_the_link();
                handler.woken();
            }),
            Input::NetworkChanged => self.handle(now, |handler| {
                handler.forget_pace();
                handler.network_changed();
            }),
        }
    }

    /// Lets every timer fire that is due at `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(timer) = self.state.as_mut().and_then(|state| state.timers.pop_first_due(now)) {
            self.handle(now, |handler| handler.timer(timer, false));
        }
    }

    /// Lets this timer fire, due or not. Says whether it was set. For exploring orders without time.
    pub fn fire(&mut self, now: Instant, timer: Timer) -> bool {
        let was_set = self.state.as_mut().is_some_and(|state| state.timers.cancel(timer));
        if was_set {
            self.handle(now, |handler| handler.timer(timer, true));
        }
        was_set
    }

    /// The timers that are set, by name: what [`Client::fire`] can fire.
    pub fn timers(&self) -> impl Iterator<Item = Timer> + '_ {
        self.state.iter().flat_map(|state| state.timers.names())
    }

    /// The next thing to do. Poll until there is none.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outbox.pop()
    }

    /// When to call [`Client::handle_timeout`], unless an input moves it.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.state.as_ref().and_then(|state| state.timers.next()).map(|(at, _)| at)
    }

    /// Moves all its instants this much later.
    pub fn shift(&mut self, by: Duration) {
        if let Some(state) = &mut self.state {
            state.shift(by);
        }
    }

    /// The login status: LOGOUT when not initialised (INIT-1, LOGIN-6).
    pub fn login_status(&self) -> Status {
        self.state.as_ref().map_or(Status::Logout, |state| state.status())
    }

    /// The user who is logged in: none in every status but LOGINED (LOGIN-7).
    pub fn login_user(&self) -> Option<UserId> {
        self.state.as_ref().and_then(|state| state.login_user())
    }

    /// Whether `init` succeeded and no `uninit` came since (INIT-1).
    pub fn is_initialised(&self) -> bool {
        self.state.is_some()
    }

    fn handle(&mut self, now: Instant, act: impl FnOnce(&mut Handler<'_, D>)) {
        if let Some(state) = &mut self.state {
            act(&mut Handler { now, decisions: &self.decisions, state, outbox: &mut self.outbox });
        }
    }
}
