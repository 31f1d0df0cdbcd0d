//! The trace sorted by device and by user, so that whoever asks need not read all of it.

use std::collections::BTreeMap;

use gatecrash::client::Status;
use gatecrash::protocol::Presence;
use gatecrash::time::Instant;

use crate::check::reading::{kind_of, whose_sessions};
use crate::scenario::CallKind;
use crate::trace::{Actor, DeviceIndex, Effect, Fact, Outcome, Told, Trace, UserIndex, What};

/// One read trace.
#[derive(Default)]
pub(crate) struct Book {
    devices: Vec<Device>,
    /// The facts about each user, with when they were decided; without those that a crash undid.
    facts: BTreeMap<UserIndex, Vec<(Instant, Fact)>>,
}

/// What happened on one device.
#[derive(Default)]
pub(crate) struct Device {
    pub(crate) told: Vec<(Instant, Told)>,
    pub(crate) calls: Vec<Made>,
    statuses: Vec<(Instant, (Status, Option<UserIndex>))>,
    /// The first call of the process that runs.
    process: usize,
}

/// A call the application made.
pub(crate) struct Made {
    pub(crate) kind: CallKind,
    pub(crate) at: Instant,
    pub(crate) answered: Option<(Instant, Outcome)>,
    call: u32,
}

/// What the server knows of a user at an instant.
#[derive(Default)]
pub(crate) struct Account {
    pub(crate) presence: Presence,
    pub(crate) days: u32,
    pub(crate) logins: u32,
    /// Whether each session has a connection.
    sessions: BTreeMap<DeviceIndex, bool>,
}

impl Book {
    pub(crate) fn read(trace: &Trace) -> Book {
        let mut book = Book::default();
        book.devices.resize_with(trace.cast.devices().len(), Device::default);
        // Facts that are not on disk yet: a crash undoes them.
        let mut pending: Vec<(u32, UserIndex, Instant, Fact)> = Vec::new();
        for event in &trace.events {
            match (event.actor, event.what) {
                (Actor::Device(device), what) => book.devices[device.index()].read(event.at, what),
                (_, What::Effect { effect: Effect::ProcessDead { device } | Effect::ProcessUp { device } }) => {
                    book.devices[device.index()].begin_process(event.at);
                }
                (Actor::Server, What::Fact { commit, fact }) => {
                    if let Some(user) = user_of(&fact) {
                        pending.push((commit, user, event.at, fact));
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
        book
    }

    fn keep(&mut self, pending: &mut Vec<(u32, UserIndex, Instant, Fact)>, committed: u32) {
        pending.retain(|&(commit, user, at, fact)| {
            if commit <= committed {
                self.facts.entry(user).or_default().push((at, fact));
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
        let facts = self.facts.get(&user).map_or(&[][..], Vec::as_slice);
        for (_, fact) in facts.iter().take_while(|(decided, _)| *decided <= at) {
            account.apply(fact);
        }
        account
    }
}

impl Device {
    fn begin_process(&mut self, at: Instant) {
        self.process = self.calls.len();
        self.statuses.push((at, (Status::Logout, None)));
    }

    fn read(&mut self, at: Instant, what: What) {
        match what {
            What::Told { event, .. } => self.told.push((at, event)),
            What::Status { status, login_user } => self.statuses.push((at, (status, login_user))),
            What::Called { call, request } => {
                self.calls.push(Made { kind: kind_of(&request), at, answered: None, call });
            }
            What::Answered { call, outcome, .. } => {
                let mut calls = self.calls[self.process..].iter_mut();
                if let Some(made) = calls.find(|made| made.call == call && made.answered.is_none()) {
                    made.answered = Some((at, outcome));
                }
            }
            _ => {}
        }
    }

    /// The status and login user at an instant, and since when.
    pub(crate) fn status_at(&self, at: Instant) -> ((Status, Option<UserIndex>), Instant) {
        let until = self.statuses.partition_point(|&(since, _)| since <= at);
        let last = self.statuses[..until].last();
        last.map_or(((Status::Logout, None), Instant::ZERO), |&(since, status)| (status, since))
    }
}

impl Account {
    fn apply(&mut self, fact: &Fact) {
        match *fact {
            Fact::SessionAccepted { device, .. } => {
                self.logins += 1;
                self.sessions.insert(device, true);
            }
            Fact::SessionResumed { device, .. } => drop(self.sessions.insert(device, true)),
            Fact::LinkLost { device, .. } => drop(self.sessions.insert(device, false)),
            Fact::SessionEnded { device, .. } => drop(self.sessions.remove(&device)),
            Fact::DayCounted { .. } => self.days += 1,
            Fact::PresenceChanged { presence, .. } => self.presence = presence,
            Fact::AccountCreated { .. }
            | Fact::AttemptRaised { .. }
            | Fact::SessionRenewed { .. }
            | Fact::LoginAcknowledged { .. }
            | Fact::KickSettled { .. }
            | Fact::EndForgotten { .. }
            | Fact::TicketsVoided { .. }
            | Fact::TicketVoided { .. }
            | Fact::MessageStored { .. } => {}
        }
    }

    /// The devices whose session has a connection.
    pub(crate) fn online(&self) -> Vec<DeviceIndex> {
        self.sessions.iter().filter(|(_, connected)| **connected).map(|(&device, _)| device).collect()
    }

    /// The devices that have a session.
    pub(crate) fn with_session(&self) -> Vec<DeviceIndex> {
        self.sessions.keys().copied().collect()
    }
}

/// Whose account the fact is told of.
fn user_of(fact: &Fact) -> Option<UserIndex> {
    match *fact {
        Fact::DayCounted { user, .. } | Fact::PresenceChanged { user, .. } => Some(user),
        _ => whose_sessions(fact),
    }
}
