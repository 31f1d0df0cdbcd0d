//! What the reference server holds: the records it is on disk with, what it knows besides, and what it
//! has still to say.
//!
//! Does nothing itself: `follow` takes a trace's events, and files of their own say what each leads to.

use std::collections::BTreeMap;

use gatecrash::limits::ServerLimits;
use gatecrash::policy::Seats;
use gatecrash::protocol::FrameError;
use gatecrash::time::Instant;

use super::clock::{Clock, Tolerance};
use super::difference::TurnedAway;
use super::journal::Journal;
use super::memory::Memory;
use super::outbox::Outbox;
use super::records::Records;
use super::step::Step;
use super::tickets::Tickets;
use crate::scenario::Scenario;
use crate::scenario::numbers;
use crate::trace::{ClientFrame, DeviceIndex, UserIndex};

/// The reference server of one run.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    pub(super) limits: ServerLimits,
    pub(super) tolerance: Tolerance,
    pub(super) config: Option<Config>,
    /// The version of the protocol that it speaks, and that the next one will.
    pub(super) version: u32,
    pub(super) next_version: u32,
    pub(super) tickets: Tickets,
    pub(super) clock: Clock,
    pub(super) records: Records,
    pub(super) journal: Journal,
    /// The highest epoch ever given to each user, also by a decision that a crash took back (DUR-3).
    pub(super) epochs: BTreeMap<UserIndex, u32>,
    pub(super) memory: Memory,
    pub(super) outbox: Outbox,
    /// What came in last, and waits for what the server makes of it.
    pub(super) waiting: Option<(Instant, Input)>,
    pub(super) step: Step,
    /// Somebody who should have been let in was not, and is not told why yet.
    pub(super) turned_away: Option<TurnedAway>,
    pub(super) is_up: bool,
    /// When it last went on after it stood still, and until when it reads for that before it takes anybody for silent.
    pub(super) woken_at: Instant,
    pub(super) reads_until: Instant,
    /// What its wall clock showed when it found that it had stood still, until it hears something.
    pub(super) stood_still: Option<u64>,
    /// Whether its store has failed since it last started.
    pub(super) has_failed: bool,
    /// Whether it has died without warning, and not started since.
    pub(super) is_cut_off: bool,
    /// Whether the power may fail at any time.
    pub(super) may_lose_power: bool,
    /// Whether it still follows the trace.
    pub(super) follows: bool,
}

/// The configuration in force.
#[derive(Clone, Debug)]
pub(super) struct Config {
    pub(super) seats: Seats,
    pub(super) reconnect_kicks: bool,
    pub(super) notify_offline_kick: bool,
    pub(super) administrators: Vec<UserIndex>,
}

/// What came in.
#[derive(Clone, Copy, Debug)]
pub(super) enum Input {
    Started,
    Frame(u32, Option<DeviceIndex>, ClientFrame),
    Malformed(u32, FrameError),
    Gone(u32),
}

impl Server {
    pub(crate) fn new(scenario: &Scenario, limits: ServerLimits, tolerance: Tolerance) -> Self {
        Server {
            memory: Memory::new(limits.records_max),
            limits,
            config: None,
            version: numbers::PROTOCOL,
            next_version: numbers::PROTOCOL,
            tickets: Tickets::new(scenario, tolerance.lag),
            clock: Clock::new(scenario),
            tolerance,
            records: Records::default(),
            journal: Journal::default(),
            epochs: BTreeMap::new(),
            outbox: Outbox::default(),
            waiting: None,
            step: Step::default(),
            turned_away: None,
            is_up: false,
            woken_at: Instant::ZERO,
            reads_until: Instant::ZERO,
            stood_still: None,
            has_failed: false,
            is_cut_off: false,
            may_lose_power: false,
            follows: true,
        }
    }

    /// The last change decided.
    pub(super) fn decided_last(&self) -> u32 {
        self.journal.decided
    }
}
