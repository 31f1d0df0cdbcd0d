//! What the application's threads and the driver share: the core, and what it wants done.
//!
//! Locked only for the time of one call or input, never while a listener runs or anything waits.

use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, oneshot};
use tracing::{debug, error};

use super::sdk::{Answer, Calls, Listener, Setup, Unheard};
use crate::client::{Action, Call, Client, Input, Output, Reply, Start, Status};
use crate::code::{Code, Failure};
use crate::decide::ClientDecisions;
use crate::driver::{ClientSeen, Observe, OnDisk, Surroundings};
use crate::id::{CallId, Change, UserId};
use crate::limits::ClientLimits;
use crate::protocol::ClientFrame;
use crate::ticket::Ticket;
use crate::time::Instant;

pub(super) struct Shared<S, O, D: ClientDecisions> {
    pub(super) surroundings: S,
    /// Wakes the driver.
    pub(super) changed: Notify,
    observe: O,
    locked: Mutex<Locked<D>>,
}

struct Locked<D: ClientDecisions> {
    core: Client<D>,
    /// What the disk holds once everything the core wanted is written.
    on_disk: OnDisk,
    last_call: CallId,
    /// Times and numbers, once the SDK was initialised.
    limits: Option<ClientLimits>,
    pending: BTreeMap<CallId, Waiting>,
    listener: Arc<dyn Listener>,
    /// Connections, frames and writes, for the driver.
    orders: VecDeque<Output>,
    /// Results and events, in the core's order, for the application.
    deliveries: VecDeque<Output>,
    /// Whether the driver was dropped.
    ended: bool,
}

/// A call whose result was not delivered yet.
struct Waiting {
    answer: Answer,
    /// Whether its success would tell something of an account.
    of_account: bool,
    /// Whether its success promises what the device's record holds (LOGOUT-2).
    of_record: bool,
    /// Whether nothing may be told after it (INIT-3).
    is_last: bool,
    /// Until when it is to have its result, though that waits for the disk (LOGOUT-1).
    until: Option<Instant>,
}

impl<S: Surroundings, O: Observe, D: ClientDecisions> Shared<S, O, D> {
    pub(super) fn new(surroundings: S, observe: O, on_disk: OnDisk) -> Self {
        let locked = Locked {
            core: Client::with(D::default()),
            on_disk,
            last_call: CallId::NONE,
            limits: None,
            pending: BTreeMap::new(),
            listener: Arc::new(Unheard),
            orders: VecDeque::new(),
            deliveries: VecDeque::new(),
            ended: false,
        };
        Shared { surroundings, changed: Notify::new(), observe, locked: Mutex::new(locked) }
    }

    pub(super) fn now(&self) -> Instant {
        self.surroundings.now().instant
    }

    pub(super) fn observe(&self, seen: ClientSeen<'_>) {
        self.observe.client(self.now(), seen);
    }

    pub(super) fn limits(&self) -> Option<ClientLimits> {
        self.lock().limits.clone()
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.lock().core.poll_timeout()
    }

    pub(super) fn timeout(&self) {
        let mut locked = self.lock();
        let now = self.now();
        locked.core.handle_timeout(now);
        self.drain(now, &mut locked);
    }

    /// ATT-5: the record cannot be written, and what waited for it is given up: these frames, and results,
    /// which are told now.
    pub(super) fn storage_failed(&self, stored: Change, unsent: Vec<ClientFrame<Ticket>>) {
        let mut locked = self.lock();
        locked.tell_without_the_disk(stored);
        self.take(&mut locked, Input::StorageFailed { unsent });
    }

    /// Whether the application waits for the disk.
    pub(super) fn delivery_waits(&self, stored: Change) -> bool {
        self.lock().deliveries.iter().any(|output| output.reveals > stored)
    }

    /// When the application is told what waits for the disk, there or not.
    pub(super) fn tells_by(&self, stored: Change) -> Option<Instant> {
        self.lock().told_by(stored)
    }

    /// LOGOUT-1: a result comes in time, whatever the disk does.
    pub(super) fn tell_in_time(&self, now: Instant, stored: Change) {
        let mut locked = self.lock();
        if locked.told_by(stored).is_some_and(|at| at <= now) {
            locked.tell_without_the_disk(stored);
        }
    }

    /// Something happened to the connection.
    pub(super) fn input(&self, input: Input) {
        self.take(&mut self.lock(), input);
    }

    /// Tells the core what is on disk, unless it has asked for something meanwhile that rests on what was there before.
    /// Says whether it has been told.
    pub(super) fn stored(&self, change: Change) -> bool {
        let mut locked = self.lock();
        let is_told = locked.orders.is_empty();
        if is_told {
            self.take(&mut locked, Input::Stored { change });
        }
        is_told
    }

    pub(super) fn take_orders(&self) -> VecDeque<Output> {
        std::mem::take(&mut self.lock().orders)
    }

    /// What the application is told next: the first of which everything it reveals is on disk.
    pub(super) fn next_delivery(&self, stored: Change) -> Option<Delivery> {
        let mut locked = self.lock();
        let next = locked.deliveries.iter().position(|output| output.reveals <= stored)?;
        if next > 0 && locked.is_last(next) {
            return None;
        }
        let output = locked.deliveries.remove(next)?;
        let waiting = match &output.action {
            Action::Result { call, .. } => Some(locked.pending.remove(call).expect("a call has one result")),
            _ => None,
        };
        Some(Delivery { output, waiting, listener: Arc::clone(&locked.listener) })
    }

    /// The driver is gone: whoever waits learns it by the loss of their channel.
    pub(super) fn end(&self) {
        let mut locked = self.lock();
        locked.ended = true;
        locked.core = Client::with(D::default());
        locked.pending.clear();
        locked.deliveries.clear();
        locked.orders.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Locked<D>> {
        self.locked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, locked: &mut Locked<D>, input: Input) {
        let now = self.now();
        self.observe.client(now, ClientSeen::Input(&input));
        locked.core.handle_input(now, input);
        self.drain(now, locked);
    }

    fn drain(&self, now: Instant, locked: &mut Locked<D>) {
        while let Some(output) = locked.core.poll_output() {
            match &output.action {
                Action::Result { .. } | Action::Event(_) => locked.deliveries.push_back(output),
                Action::DropEvents { given_up } => {
                    self.observe.client(now, ClientSeen::Output(&output));
                    locked.forget_account(*given_up);
                }
                Action::Status { status, login_user } => {
                    debug!(status = status.word(), user = login_user.as_ref().map(UserId::as_str));
                    self.observe.client(now, ClientSeen::Output(&output));
                }
                Action::Note(note) => {
                    debug!(?note);
                    self.observe.client(now, ClientSeen::Output(&output));
                }
                Action::Store { write, .. } => {
                    locked.on_disk.apply(write.clone());
                    locked.orders.push_back(output);
                }
                Action::Connect { .. } | Action::Send { .. } | Action::Close { .. } => locked.orders.push_back(output),
            }
        }
    }
}

impl<D: ClientDecisions> Locked<D> {
    fn is_last(&self, delivery: usize) -> bool {
        match &self.deliveries[delivery].action {
            Action::Result { call, .. } => self.pending.get(call).is_some_and(|waiting| waiting.is_last),
            _ => false,
        }
    }

    fn told_by(&self, stored: Change) -> Option<Instant> {
        let waiting = self.deliveries.iter().filter(|output| output.reveals > stored);
        let until = waiting.filter_map(|output| match &output.action {
            Action::Result { call, .. } => self.pending.get(call)?.until,
            _ => None,
        });
        until.min()
    }

    /// A logout whose end could not be kept says so; whatever else waited may as well be told.
    fn tell_without_the_disk(&mut self, stored: Change) {
        for output in self.deliveries.iter_mut().filter(|output| output.reveals > stored) {
            output.reveals = Change::NONE;
            if let Action::Result { call, outcome: outcome @ Ok(_) } = &mut output.action
                && self.pending.get(call).is_some_and(|waiting| waiting.of_record)
            {
                *outcome = Err(Code::StorageFailed.into());
            }
        }
    }

    /// Nothing of the account that was given up reaches the application: no event, and no success of
    /// a call, which a listener may have come before (SWITCH-2, LOGOUT-1, INIT-3).
    fn forget_account(&mut self, given_up: Failure) {
        self.deliveries.retain(|output| !matches!(output.action, Action::Event(_)));
        for output in &mut self.deliveries {
            if let Action::Result { call, outcome } = &mut output.action
                && outcome.is_ok()
                && self.pending.get(call).is_some_and(|waiting| waiting.of_account)
            {
                *outcome = Err(given_up);
            }
        }
    }
}

impl<S: Surroundings, O: Observe, D: ClientDecisions> Calls for Shared<S, O, D> {
    fn call(&self, request: Call) -> (CallId, oneshot::Receiver<Result<Reply, Failure>>) {
        let (answer, receiver) = oneshot::channel();
        let mut locked = self.lock();
        locked.last_call = CallId(locked.last_call.0 + 1);
        let call = locked.last_call;
        if !locked.ended {
            let of_account = request.is_of_account();
            let of_record = matches!(request, Call::Logout);
            // INIT-4: one that is refused changes nothing.
            if let Call::Init(start) = &request
                && !locked.core.is_initialised()
            {
                locked.limits = Some(start.limits.clone());
            }
            let is_last = matches!(request, Call::Uninit);
            let limits = locked.limits.as_ref().filter(|_| of_record);
            let until = limits.map(|limits| self.now() + limits.request_timeout);
            locked.pending.insert(call, Waiting { answer, of_account, of_record, is_last, until });
            debug!(call = call.0, request = request.word());
            self.take(&mut locked, Input::Call { call, request });
            self.changed.notify_one();
        }
        (call, receiver)
    }

    fn start(&self, setup: Setup) -> Start {
        let OnDisk { installation, conversations } = self.lock().on_disk.clone();
        let Setup { platform, limits } = setup;
        let wall = self.surroundings.now().wall;
        Start { platform, limits, seed: self.surroundings.seed(), wall, installation, conversations }
    }

    fn happened(&self, input: Input) {
        if input == Input::Woken {
            self.surroundings.woken();
        }
        let mut locked = self.lock();
        if !locked.ended {
            self.take(&mut locked, input);
            self.changed.notify_one();
        }
    }

    fn login_status(&self) -> Status {
        self.lock().core.login_status()
    }

    fn login_user(&self) -> Option<UserId> {
        self.lock().core.login_user()
    }

    fn set_listener(&self, listener: Arc<dyn Listener>) {
        // Dropped after the lock: the end of a listener may call the SDK.
        let _before = std::mem::replace(&mut self.lock().listener, listener);
    }
}

/// A result or an event on its way to the application.
pub(super) struct Delivery {
    pub(super) output: Output,
    waiting: Option<Waiting>,
    listener: Arc<dyn Listener>,
}

impl Delivery {
    /// Ends the call, or calls the listener.
    pub(super) fn make(self) {
        match (self.output.action, self.waiting) {
            (Action::Result { call, outcome }, Some(Waiting { answer, .. })) => {
                debug!(call = call.0, failure = outcome.as_ref().err().map(Failure::to_string), "result");
                // Whoever called may have stopped waiting.
                let _ = answer.send(outcome);
            }
            (Action::Event(event), None) => {
                let word = event.word();
                debug!(event = word);
                let listener = self.listener;
                // What the application does with an event is its own affair: the SDK goes on (EVENT-2).
                if catch_unwind(AssertUnwindSafe(move || listener.hear(&event))).is_err() {
                    error!(event = word, "the application's listener panicked");
                }
            }
            (other, _) => unreachable!("{other:?} is nothing to deliver"),
        }
    }
}
