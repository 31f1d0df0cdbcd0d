//! What an SDK says: the results of calls, and events. Everything said is recorded as it is said, as often as it is.
//!
//! Nothing is checked: an SDK that answers twice has answered twice.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use super::record::{Event, Record, What};
use super::said::{Outcome, Status, Told};
use crate::scenario::{Call, ListenerEvent};

/// The result of one call, to be given once. A clone is the same call's.
///
/// ```
/// use gatecrash_sim::subject::{Outcome, Reply};
///
/// /// The callback for an SDK whose calls end with a code, 0 for success.
/// fn callback(reply: Reply) -> impl Fn(u32) {
///     move |code| reply.answer(if code == 0 { Outcome::Ok } else { Outcome::Failed(code) })
/// }
/// ```
#[derive(Clone)]
pub struct Reply {
    pub(super) record: Record,
    pub(super) actor: Arc<str>,
    pub(super) call: u32,
    pub(super) kind: &'static str,
    pub(super) user: Option<String>,
    /// Whether the process that made the call lives.
    pub(super) life: Arc<Life>,
}

impl Reply {
    /// The call has this result.
    pub fn answer(&self, outcome: Outcome) {
        if self.life.is_over() {
            return;
        }
        let Reply { call, kind, ref user, .. } = *self;
        self.record.push(Some(&self.actor), What::Answered { call, kind, user: user.clone(), outcome: outcome.into() });
    }
}

/// What the application of a device is told. A clone is the same application's.
#[derive(Clone)]
pub struct Events {
    pub(super) record: Record,
    pub(super) actor: Arc<str>,
    pub(super) life: Arc<Life>,
}

impl Events {
    /// This is who is logged in from now on. Nobody has to say so, as the device is asked after everything that it does;
    /// but only who says it has it in the right order with what else is told at the same instant.
    pub fn status(&self, status: Status) {
        if !self.life.is_over() && self.life.is_new(&status) {
            self.record.push(Some(&self.actor), status.into());
        }
    }

    /// The listener is called.
    pub fn tell(&self, told: Told) {
        if self.life.is_over() {
            return;
        }
        let event = match &told {
            Told::Connecting => ListenerEvent::Connecting,
            Told::ConnectSuccess => ListenerEvent::ConnectSuccess,
            Told::ConnectFailed(_) => ListenerEvent::ConnectFailed,
            Told::KickedOffline { .. } => ListenerEvent::KickedOffline,
            Told::UserSigExpired => ListenerEvent::UserSigExpired,
            Told::Message { .. } => ListenerEvent::Message,
        };
        self.record.push(Some(&self.actor), What::Told(Event::of(told, self.life.user())));
        self.life.heard(event);
    }
}

/// What is left to do for a process while it lives: calls that its application makes when it is told something.
#[derive(Default)]
pub(super) struct Life(Mutex<State>);

#[derive(Default)]
struct State {
    is_over: bool,
    /// Who is logged in, as it was last said.
    status: Option<Status>,
    armed: VecDeque<(ListenerEvent, Call)>,
    due: VecDeque<Call>,
}

impl Life {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("nobody panics with it")
    }

    fn is_over(&self) -> bool {
        self.lock().is_over
    }

    /// From now on nobody hears anything.
    pub(super) fn end(&self) {
        self.lock().is_over = true;
    }

    /// Whether another status was said before. From now on it is this one.
    pub(super) fn is_new(&self, status: &Status) -> bool {
        self.lock().status.replace(status.clone()).as_ref() != Some(status)
    }

    /// For whom the SDK works.
    pub(super) fn user(&self) -> Option<String> {
        match &self.lock().status {
            Some(Status::Logining(user) | Status::Logined(user)) => Some(user.clone()),
            Some(Status::Logout) | None => None,
        }
    }

    /// The call is made when the event comes next.
    pub(super) fn arm(&self, event: ListenerEvent, call: Call) {
        self.lock().armed.push_back((event, call));
    }

    fn heard(&self, event: ListenerEvent) {
        let state = &mut *self.lock();
        if let Some(position) = state.armed.iter().position(|(armed, _)| *armed == event) {
            state.due.extend(state.armed.remove(position).map(|(_, call)| call));
        }
    }

    /// A call that is to be made now: as soon as the SDK has returned from where it told the event.
    pub(super) fn due(&self) -> Option<Call> {
        self.lock().due.pop_front()
    }
}
