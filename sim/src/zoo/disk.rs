//! Wrappers around the server's disk: what it keeps, what it forgets, what it keeps by halves.

use gatecrash::id::{Change, Epoch};
use gatecrash::server::{Action, Config, Output};
use gatecrash::store::{Commit, Records};

use crate::world::event::Interceptor;

/// D1: nothing waits for the disk.
pub(super) struct AnswersBeforeCommit;

impl Interceptor for AnswersBeforeCommit {
    fn server_outputs(&mut self, _: &Records, outputs: &mut Vec<Output>) {
        outputs.iter_mut().for_each(|output| output.reveals = Change::NONE);
    }
}

/// The answers to messages do not wait for the disk, everything else does.
pub(super) struct MessagesBeforeCommit;

impl Interceptor for MessagesBeforeCommit {
    fn server_outputs(&mut self, _: &Records, outputs: &mut Vec<Output>) {
        use gatecrash::protocol::ServerFrame::{Message, SendAnswer};
        for output in outputs {
            if let Action::Send { frame: SendAnswer { .. } | Message { .. }, .. } = &output.action {
                output.reveals = Change::NONE;
            }
        }
    }
}

/// D2: a change is written in two parts, and a crash comes between them.
#[derive(Default)]
pub(super) struct CommitInTwo;

impl Interceptor for CommitInTwo {
    fn torn(&mut self, batch: &[Commit]) -> Vec<Commit> {
        let half = |commit: &Commit| Commit {
            number: commit.number,
            facts: commit.facts[..commit.facts.len().div_ceil(2)].to_vec(),
        };
        batch.first().map(half).into_iter().collect()
    }
}

/// D3: the last epoch is known from the sessions there are, and otherwise begins anew; nor is any start
/// counted.
pub(super) struct EpochInMemory;

impl Interceptor for EpochInMemory {
    fn server_starts(&mut self, _: &mut Config, records: &mut Records) {
        records.starts = 1;
        for account in records.users.values_mut() {
            account.last_epoch = account.sessions.values().map(|session| session.epoch).max().unwrap_or(Epoch(0));
        }
    }
}

/// D4: what a device is owed is not stored.
pub(super) struct KickOwedInMemory;

impl Interceptor for KickOwedInMemory {
    fn server_starts(&mut self, _: &mut Config, records: &mut Records) {
        records.devices.values_mut().for_each(|device| device.ended = None);
    }
}

/// D5: which days were counted is not stored.
pub(super) struct DaysInMemory;

impl Interceptor for DaysInMemory {
    fn server_starts(&mut self, _: &mut Config, records: &mut Records) {
        records.users.values_mut().for_each(|account| account.days.clear());
        records.days.clear();
    }
}

/// Z73: which users were counted is stored, and not how many there were.
pub(super) struct DayNumbersInMemory;

impl Interceptor for DayNumbersInMemory {
    fn server_starts(&mut self, _: &mut Config, records: &mut Records) {
        records.days.clear();
    }
}

/// D6: the last change of a batch is called written, and is so only when the next batch is.
#[derive(Default)]
pub(super) struct LostBetweenBatches {
    behind: Option<Commit>,
}

impl Interceptor for LostBetweenBatches {
    fn server_starts(&mut self, _: &mut Config, _: &mut Records) {
        self.behind = None;
    }

    fn stored(&mut self, batch: &mut Vec<Commit>) {
        let last = batch.pop();
        batch.splice(0..0, self.behind.take());
        self.behind = last;
    }
}

/// What an administrator voided is not stored.
pub(super) struct VoidsInMemory;

impl Interceptor for VoidsInMemory {
    fn server_starts(&mut self, _: &mut Config, records: &mut Records) {
        for account in records.users.values_mut() {
            account.voided_until = None;
            account.voided.clear();
        }
    }
}
