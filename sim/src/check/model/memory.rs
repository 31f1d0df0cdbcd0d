//! What the server knows of connections, and what else a crash makes it forget.

use std::collections::BTreeMap;
use std::time::Duration;

use gatecrash::id::Attempt;
use gatecrash::policy::Platform;
use gatecrash::time::Instant;

use super::newest::Newest;
use super::records::Id;
use crate::trace::UserIndex;

/// Everything a crash takes.
#[derive(Clone, Debug)]
pub(super) struct Memory {
    pub(super) connections: BTreeMap<u32, Connection>,
    /// The connection that carries each device's session.
    pub(super) carries: BTreeMap<Id, u32>,
    /// The connection that each device's newest attempt came on (CONN-7).
    pub(super) newest: BTreeMap<Id, u32>,
    /// The highest attempt of devices never admitted (ATT-1).
    pub(super) attempts: Newest<Id, Attempt>,
    pub(super) refusals: Newest<(UserIndex, Id), Refusals>,
    /// Logins and resumes taken and not worked off yet, and until when every place is promised (CONN-12).
    pub(super) work: Backlog,
    pub(super) promised: Instant,
    /// Of whose logins and resumes some were taken that are not worked off yet (LOGIN-11, CONN-12).
    pub(super) backlogs: Newest<Whose, Backlog>,
}

/// Logins accepted of a user or from a device, or resumes of a device looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    User(UserIndex),
    Device(Id),
    Resumes(Id),
}

/// What has piled up, as the time it takes to work it off, and when that was looked at last.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Backlog {
    pub(super) left: Duration,
    at: Instant,
}

impl Backlog {
    /// What is left of it by now.
    pub(super) fn by(self, now: Instant) -> Backlog {
        Backlog { left: self.left.saturating_sub(now - self.at), at: now }
    }

    /// With one thing more that takes so long.
    pub(super) fn and(self, span: Duration) -> Backlog {
        Backlog { left: self.left + span, ..self }
    }
}

/// A connection that the server has not closed and that is not gone.
#[derive(Clone, Debug)]
pub(super) struct Connection {
    /// Who it said to be.
    pub(super) peer: Option<(Id, Platform)>,
    /// Whether that is nobody of the scenario: then nothing is known of what it is told.
    pub(super) is_stranger: bool,
    pub(super) standing: Standing,
    pub(super) last_heard: Instant,
    /// By when somebody has to be logged in on it (INPUT-2).
    pub(super) admission: Option<Instant>,
    /// By when the end of its session has to be confirmed (KICK-10).
    pub(super) linger: Option<Instant>,
    /// The place of the last message of its session that was sent on it, or that the device came with.
    pub(super) delivered: u32,
    /// The places of those sent and not acknowledged (API-7).
    pub(super) in_flight: Vec<u32>,
}

/// What a connection is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Nobody is logged in on it.
    Fresh,
    /// It carries this session.
    Carries(UserIndex, u32),
    /// It carried this session, which is over.
    Over(UserIndex, u32),
}

/// The refused tickets of one user on one device (TICKET-4).
#[derive(Clone, Debug, Default)]
pub(super) struct Refusals {
    pub(super) at: Vec<Instant>,
    pub(super) locked_until: Option<Instant>,
}

impl Memory {
    /// Nothing, and room for so many records of each kind (TICKET-4).
    pub(super) fn new(records_max: usize) -> Self {
        Memory {
            connections: BTreeMap::new(),
            carries: BTreeMap::new(),
            newest: BTreeMap::new(),
            attempts: Newest::new(records_max),
            refusals: Newest::new(records_max),
            work: Backlog::default(),
            promised: Instant::ZERO,
            // Of users, of devices and of their resumes.
            backlogs: Newest::new(records_max * 3),
        }
    }

    pub(super) fn backlog(&self, whose: Whose) -> Backlog {
        self.backlogs.of(whose).unwrap_or_default()
    }

    pub(super) fn standing(&self, connection: u32) -> Standing {
        self.connections.get(&connection).map_or(Standing::Fresh, |connection| connection.standing)
    }

    pub(super) fn is_stranger(&self, connection: u32) -> bool {
        self.connections.get(&connection).is_some_and(|connection| connection.is_stranger)
    }
}
