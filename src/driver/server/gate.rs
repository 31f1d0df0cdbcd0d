//! Outputs that wait for the disk, in order (DUR-1).
//!
//! Knows numbers of changes, not what they are. Who writes them is in `server`.

use std::collections::VecDeque;

use crate::id::{Change, ConnectionId};
use crate::server::{Action, Output};

/// Holds what reveals a change that is not on disk yet.
pub(super) struct Gate {
    committed: Change,
    waiting: VecDeque<Output>,
}

impl Gate {
    /// Everything up to `committed` is on disk.
    pub(super) fn new(committed: Change) -> Self {
        Gate { committed, waiting: VecDeque::new() }
    }

    /// The output, if it may go out now; else it waits.
    pub(super) fn pass(&mut self, output: Output) -> Option<Output> {
        if must_wait(&output, self.committed, &self.waiting) {
            self.waiting.push_back(output);
            None
        } else {
            Some(output)
        }
    }

    /// What may go out now that everything up to `change` is on disk, in the order it came.
    pub(super) fn open_up_to(&mut self, change: Change) -> Vec<Output> {
        assert!(self.committed < change, "changes are committed in order");
        self.committed = change;
        let mut free = Vec::new();
        let mut kept = VecDeque::new();
        for output in self.waiting.drain(..) {
            if must_wait(&output, change, &kept) {
                kept.push_back(output);
            } else {
                free.push(output);
            }
        }
        self.waiting = kept;
        free
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// What waits, when it will wait in vain.
    pub(super) fn give_up(&mut self) -> VecDeque<Output> {
        std::mem::take(&mut self.waiting)
    }

    /// The connection is gone: nothing waits for it any more.
    pub(super) fn forget(&mut self, connection: ConnectionId) {
        self.waiting.retain(|output| output.connection() != Some(connection));
    }
}

/// A close waits for what was sent before on its connection, too.
fn must_wait(output: &Output, committed: Change, before: &VecDeque<Output>) -> bool {
    let closes = match &output.action {
        Action::Close { connection } => Some(*connection),
        Action::Commit(_) | Action::Send { .. } | Action::Note(_) => None,
    };
    output.reveals > committed || closes.is_some() && before.iter().any(|earlier| earlier.connection() == closes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::ServerFrame;

    fn send(reveals: u64, connection: u32) -> Output {
        let frame = ServerFrame::HeartbeatAnswer;
        Output { reveals: Change(reveals), action: Action::Send { connection: ConnectionId(connection), frame } }
    }

    fn close(reveals: u64, connection: u32) -> Output {
        Output { reveals: Change(reveals), action: Action::Close { connection: ConnectionId(connection) } }
    }

    /// DUR-1: an answer waits for its change, a heartbeat's answer for nothing.
    #[test]
    fn only_what_reveals_a_pending_change_waits() {
        let mut gate = Gate::new(Change(4));
        assert_eq!(gate.pass(send(4, 0)), Some(send(4, 0)));
        assert_eq!(gate.pass(send(5, 0)), None);
        assert_eq!(gate.pass(send(6, 1)), None);
        assert_eq!(gate.pass(send(0, 0)), Some(send(0, 0)));
        assert_eq!(gate.open_up_to(Change(5)), [send(5, 0)]);
        assert_eq!(gate.open_up_to(Change(7)), [send(6, 1)]);
    }

    #[test]
    fn a_close_waits_for_what_was_sent_before() {
        let mut gate = Gate::new(Change(0));
        assert_eq!(gate.pass(send(2, 3)), None);
        assert_eq!(gate.pass(close(0, 3)), None);
        assert_eq!(gate.pass(close(0, 4)), Some(close(0, 4)));
        assert_eq!(gate.open_up_to(Change(1)), []);
        assert_eq!(gate.open_up_to(Change(2)), [send(2, 3), close(0, 3)]);
    }

    #[test]
    fn nothing_waits_for_a_connection_that_is_gone() {
        let mut gate = Gate::new(Change(0));
        assert_eq!(gate.pass(send(1, 3)), None);
        assert_eq!(gate.pass(send(1, 4)), None);
        gate.forget(ConnectionId(3));
        assert_eq!(gate.open_up_to(Change(1)), [send(1, 4)]);
    }
}
