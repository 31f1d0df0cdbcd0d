//! The trace sorted by device and by user, so that whoever asks need not read all of it.

use std::collections::{BTreeMap, BTreeSet};

use gatecrash::client::Status;
use gatecrash::protocol::Presence;
use gatecrash::time::Instant;

use super::holders::Holders;
use crate::check::reading::{kind_of, whose_sessions};
use crate::scenario::CallKind;
use crate::trace::{Actor, DeviceIndex, Effect, Fact, Outcome, Told, Trace, UserIndex, What};

/// One read trace.
#[derive(Default)]
pub(crate) struct Book {
    devices: Vec<Device>,
    /// The facts about each user; without those that a crash undid.
    facts: BTreeMap<UserIndex, Vec<Decided>>,
}

/// A fact, when it was decided, and where the trace has the commit it is of.
#[derive(Clone, Copy)]
pub(crate) struct Decided {
    pub(crate) at: Instant,
    pub(crate) position: usize,
    pub(crate) fact: Fact,
}

/// What happened on one device.
#[derive(Default)]
pub(crate) struct Device {
    pub(crate) told: Vec<Heard>,
    pub(crate) calls: Vec<Made>,
    statuses: Vec<Stood>,
    /// The first call of the process that runs.
    process: usize,
}

/// A call of the listener, and where the trace has it.
#[derive(Clone, Copy)]
pub(crate) struct Heard {
    pub(crate) at: Instant,
    pub(crate) position: usize,
    pub(crate) told: Told,
}

/// The status and login user from an instant on, and where the trace has what made it so.
#[derive(Clone, Copy)]
pub(crate) struct Stood {
    pub(crate) since: Instant,
    pub(crate) position: Option<usize>,
    pub(crate) status: Status,
    pub(crate) user: Option<UserIndex>,
}

/// A call the application made.
pub(crate) struct Made {
    pub(crate) kind: CallKind,
    pub(crate) answered: Option<(Instant, Outcome)>,
    /// Where the trace has its answer, or the call itself as long as there is none.
    pub(crate) position: usize,
    call: u32,
}

/// What the server knows of a user at an instant.
#[derive(Default)]
pub(crate) struct Account {
    pub(crate) presence: Presence,
    pub(crate) days: u32,
    pub(crate) logins: u32,
    /// On which device each session is, by epoch, and whether it has a connection. A device that was wiped or copied
    /// may have several.
    sessions: BTreeMap<u32, (DeviceIndex, bool)>,
}

impl Book {
    pub(crate) fn read(trace: &Trace) -> Book {
        let mut book = Book::default();
        book.devices.resize_with(trace.cast.devices().len(), Device::default);
        // Facts that are not on disk yet: a crash undoes them.
        let mut pending: Vec<(u32, UserIndex, Decided)> = Vec::new();
        // The facts of a commit follow it at once.
        let mut commit_at = 0;
        let mut holders = Holders::default();
        for (position, event) in trace.events.iter().enumerate() {
            holders.read(event);
            match (event.actor, event.what) {
                (Actor::Device(device), what) => book.devices[device.index()].read(event.at, position, what),
                (_, What::Effect { effect: Effect::ProcessDead { device } | Effect::ProcessUp { device } }) => {
                    book.devices[device.index()].begin_process(event.at, position);
                }
                (Actor::Server, What::Commit { .. }) => commit_at = position,
                (Actor::Server, What::Fact { commit, fact }) => {
                    if let Some(user) = user_of(&fact) {
                        pending.push((commit, user, Decided { at: event.at, position: commit_at, fact }));
                    }
                }
                (Actor::Server, What::Committed { commit: committed }) => book.keep(&mut pending, committed),
                (Actor::Server, What::ServerStarted { commit, .. }) => {
                    book.keep(&mut pending, commit);
                    pending.clear();
                }
                _ => {}
            }
        }
        book.keep(&mut pending, u32::MAX);
        for decided in book.facts.values_mut().flatten() {
            decided.fact = holders.names(decided.fact);
        }
        book
    }

    fn keep(&mut self, pending: &mut Vec<(u32, UserIndex, Decided)>, committed: u32) {
        pending.retain(|&(commit, user, decided)| {
            if commit <= committed {
                self.facts.entry(user).or_default().push(decided);
            }
            commit > committed
        });
    }

    pub(crate) fn device(&self, device: DeviceIndex) -> &Device {
        &self.devices[device.index()]
    }

    /// The users of whom the server knows something.
    pub(crate) fn users(&self) -> impl Iterator<Item = UserIndex> {
        self.facts.keys().copied()
    }

    pub(crate) fn account_at(&self, user: UserIndex, at: Instant) -> Account {
        let mut account = Account::default();
        for Decided { fact, .. } in self.facts_until(user, at) {
            account.apply(fact);
        }
        account
    }

    /// What was decided about a user up to an instant, in that order.
    pub(crate) fn facts_until(&self, user: UserIndex, at: Instant) -> impl DoubleEndedIterator<Item = &Decided> {
        let facts = self.facts.get(&user).map_or(&[][..], Vec::as_slice);
        facts[..facts.partition_point(|decided| decided.at <= at)].iter()
    }
}

impl Device {
    fn begin_process(&mut self, at: Instant, position: usize) {
        self.process = self.calls.len();
        self.stands(at, position, Status::Logout, None);
    }

    fn stands(&mut self, since: Instant, position: usize, status: Status, user: Option<UserIndex>) {
        self.statuses.push(Stood { since, position: Some(position), status, user });
    }

    fn read(&mut self, at: Instant, position: usize, what: What) {
        match what {
            What::Told { event, .. } => self.told.push(Heard { at, position, told: event }),
            What::Status { status, login_user } => self.stands(at, position, status, login_user),
            What::Called { call, request } => {
                self.calls.push(Made { kind: kind_of(&request), answered: None, position, call });
            }
            What::Answered { call, outcome, .. } => {
                let mut calls = self.calls[self.process..].iter_mut();
                if let Some(made) = calls.find(|made| made.call == call && made.answered.is_none()) {
                    made.answered = Some((at, outcome));
                    made.position = position;
                }
            }
            _ => {}
        }
    }

    /// The status and login user at an instant, and since when.
    pub(crate) fn status_at(&self, at: Instant) -> Stood {
        let until = self.statuses.partition_point(|stood| stood.since <= at);
        let never = Stood { since: Instant::ZERO, position: None, status: Status::Logout, user: None };
        self.statuses[..until].last().copied().unwrap_or(never)
    }
}

impl Account {
    fn apply(&mut self, fact: &Fact) {
        match *fact {
            Fact::SessionAccepted { device, epoch, .. } => {
                self.logins += 1;
                self.sessions.insert(epoch, (device, true));
            }
            Fact::SessionResumed { device, epoch, .. } => drop(self.sessions.insert(epoch, (device, true))),
            Fact::LinkLost { device, epoch, .. } => drop(self.sessions.insert(epoch, (device, false))),
            Fact::SessionEnded { epoch, .. } => drop(self.sessions.remove(&epoch)),
            Fact::DayCounted { .. } => self.days += 1,
            Fact::PresenceChanged { presence, .. } => self.presence = presence,
            Fact::AccountCreated { .. }
            | Fact::AttemptRaised { .. }
            | Fact::SessionRenewed { .. }
            | Fact::LoginAcknowledged { .. }
            | Fact::KickSettled { .. }
            | Fact::EndForgotten { .. }
            | Fact::DeviceForgotten { .. }
            | Fact::TicketsVoided { .. }
            | Fact::TicketVoided { .. }
            | Fact::MessageStored { .. }
            | Fact::SentForgotten { .. }
            | Fact::MessageOwed { .. }
            | Fact::MessagesReceived { .. }
            | Fact::MessagesDropped { .. } => {}
        }
    }

    /// The devices whose session has a connection.
    pub(crate) fn online(&self) -> Vec<DeviceIndex> {
        self.devices_where(|is_connected| is_connected)
    }

    /// The devices that have a session.
    pub(crate) fn with_session(&self) -> Vec<DeviceIndex> {
        self.devices_where(|_| true)
    }

    fn devices_where(&self, is_one: impl Fn(bool) -> bool) -> Vec<DeviceIndex> {
        let those = self.sessions.values().filter(|(_, is_connected)| is_one(*is_connected));
        let devices: BTreeSet<DeviceIndex> = those.map(|(device, _)| *device).collect();
        devices.into_iter().collect()
    }
}

/// Whose account the fact is told of.
fn user_of(fact: &Fact) -> Option<UserIndex> {
    match *fact {
        Fact::DayCounted { user, .. } | Fact::PresenceChanged { user, .. } => Some(user),
        _ => whose_sessions(fact),
    }
}
