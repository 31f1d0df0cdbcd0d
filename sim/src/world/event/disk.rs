//! The server's disk as a model: what is on it, what a crash leaves, what it refuses.
//!
//! Keeps the contract of the database and knows nothing of its pages. Takes no time: how long a commit
//! takes and when it lands is the machine's business. A test holds it to the database itself.

use gatecrash::store::{Commit, Records};

use crate::generate::draw::Draw;
use crate::scenario::CommitPoint;

/// How many operations of a real disk one commit takes, about: a database writes the pages that changed, its
/// header, and syncs both.
const OPERATIONS_PER_COMMIT: u32 = 10;

/// The server's disk.
#[derive(Debug)]
pub(crate) struct Disk {
    records: Records,
    /// Refuses whatever is asked of it once so many operations have been done.
    refuses_after: Option<u32>,
    has_refused: bool,
    /// The machine loses its power then.
    power_fails: Option<PowerFails>,
    draw: Draw,
}

#[derive(Clone, Copy, Debug)]
enum PowerFails {
    At(CommitPoint),
    After { operations: u32 },
}

/// What became of a batch that was to be put on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Landing {
    /// It is on it.
    Done,
    /// The disk refused. The batch is not on it.
    Refused,
    /// The power failed. Whether the batch is on it shows when the records are read again.
    PowerLost,
}

impl Disk {
    pub(crate) fn new(seed: u64) -> Self {
        let draw = Draw::new(seed, "server", "what a power loss leaves");
        Disk { records: Records::default(), refuses_after: None, has_refused: false, power_fails: None, draw }
    }

    /// It refuses everything from its nth operation on, counted from 1.
    pub(crate) fn refuse(&mut self, operation: u32) {
        (self.refuses_after, self.has_refused) = (Some(operation - 1), false);
    }

    /// Whether it refuses anything, now or later.
    pub(crate) fn needs_mending(&self) -> bool {
        self.refuses_after.is_some()
    }

    /// Whether nobody has seen yet that it refuses.
    pub(crate) fn refuses_for_the_first_time(&mut self) -> bool {
        !std::mem::replace(&mut self.has_refused, true)
    }

    /// It refuses nothing any more.
    pub(crate) fn mend(&mut self) {
        self.refuses_after = None;
    }

    /// The power fails once a commit gets so far.
    pub(crate) fn fail_power_at(&mut self, point: CommitPoint) {
        self.power_fails = Some(PowerFails::At(point));
    }

    /// The power fails at its nth operation, counted from 1.
    pub(crate) fn fail_power_in(&mut self, operation: u32) {
        self.power_fails = Some(PowerFails::After { operations: operation - 1 });
    }

    /// The power failed: it does not again for the same reason.
    pub(crate) fn power_failed(&mut self) {
        self.power_fails = None;
    }

    /// Whether the power fails now that a batch has been answered.
    pub(crate) fn fails_after_answers(&self) -> bool {
        matches!(self.power_fails, Some(PowerFails::At(CommitPoint::AfterAnswers)))
    }

    /// Reads the records and counts a start; none while it refuses.
    pub(crate) fn open(&mut self) -> Option<Records> {
        if !self.spend(OPERATIONS_PER_COMMIT) {
            return None;
        }
        self.records.count_start();
        Some(self.records.clone())
    }

    /// How often a server was started on it, where the database says another number.
    #[cfg(test)]
    pub(crate) fn set_starts(&mut self, starts: u64) {
        self.records.starts = starts;
    }

    /// Puts a batch on it.
    pub(crate) fn land(&mut self, batch: &[Commit]) -> Landing {
        match self.power_fails {
            Some(PowerFails::At(CommitPoint::BeforeWrite)) => return Landing::PowerLost,
            Some(PowerFails::After { operations }) if operations < OPERATIONS_PER_COMMIT => {
                // Only the last of them makes the batch true; the disk may have done it unasked.
                if operations + 1 == OPERATIONS_PER_COMMIT || self.draw.chance(1, 8) {
                    self.apply(batch);
                }
                return Landing::PowerLost;
            }
            Some(PowerFails::After { operations }) => {
                self.power_fails = Some(PowerFails::After { operations: operations - OPERATIONS_PER_COMMIT });
            }
            Some(PowerFails::At(CommitPoint::AfterCommit | CommitPoint::AfterAnswers)) | None => {}
        }
        if !self.spend(OPERATIONS_PER_COMMIT) {
            return Landing::Refused;
        }
        self.apply(batch);
        match self.power_fails {
            Some(PowerFails::At(CommitPoint::AfterCommit)) => Landing::PowerLost,
            _ => Landing::Done,
        }
    }

    /// A crash overtakes a batch, unless that is on the disk already: what is left of it is what `torn`
    /// says, for a whole disk nothing.
    pub(crate) fn tear(&mut self, batch: &[Commit], torn: impl FnOnce(&[Commit]) -> Vec<Commit>) {
        if batch.last().is_some_and(|last| last.number > self.records.change) {
            self.apply(&torn(batch));
        }
    }

    fn apply(&mut self, batch: &[Commit]) {
        batch.iter().for_each(|commit| self.records.apply(commit));
    }

    /// Whether it lets so many operations be done.
    fn spend(&mut self, operations: u32) -> bool {
        let Some(left) = &mut self.refuses_after else { return true };
        let is_let = operations <= *left;
        *left = left.saturating_sub(operations);
        is_let
    }
}
