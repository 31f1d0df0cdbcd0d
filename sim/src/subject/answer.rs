//! What an SDK says: the results of calls, and events. Everything said is recorded as it is said, as often as it is.
//!
//! Nothing is checked: an SDK that answers twice has answered twice.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use super::record::{Event, Record, What};
use super::system::{Outcome, Told};
use crate::scenario::{Call, ListenerEvent};

/// The result of one call, to be given once. A clone is the same call's.
#[derive(Clone)]
pub struct Reply {
    pub(super) record: Record,
    pub(super) actor: Rc<str>,
    pub(super) call: u32,
    pub(super) kind: &'static str,
    pub(super) user: Option<String>,
    /// Whether the process that made the call lives.
    pub(super) life: Rc<Life>,
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
    pub(super) actor: Rc<str>,
    pub(super) life: Rc<Life>,
}

impl Events {
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
pub(super) struct Life(RefCell<State>);

#[derive(Default)]
struct State {
    is_over: bool,
    /// For whom the SDK works.
    user: Option<String>,
    armed: VecDeque<(ListenerEvent, Call)>,
    due: VecDeque<Call>,
}

impl Life {
    fn is_over(&self) -> bool {
        self.0.borrow().is_over
    }

    /// From now on nobody hears anything.
    pub(super) fn end(&self) {
        self.0.borrow_mut().is_over = true;
    }

    /// For whom the SDK works from now on.
    pub(super) fn works_for(&self, user: Option<String>) {
        self.0.borrow_mut().user = user;
    }

    fn user(&self) -> Option<String> {
        self.0.borrow().user.clone()
    }

    /// The call is made when the event comes next.
    pub(super) fn arm(&self, event: ListenerEvent, call: Call) {
        self.0.borrow_mut().armed.push_back((event, call));
    }

    fn heard(&self, event: ListenerEvent) {
        let state = &mut *self.0.borrow_mut();
        if let Some(position) = state.armed.iter().position(|(armed, _)| *armed == event) {
            state.due.extend(state.armed.remove(position).map(|(_, call)| call));
        }
    }

    /// A call that is to be made now: as soon as the SDK has returned from where it told the event.
    pub(super) fn due(&self) -> Option<Call> {
        self.0.borrow_mut().due.pop_front()
    }
}
