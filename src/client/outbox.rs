//! The outputs of one input on their way out, and the numbers they are given.
//!
//! Decides no order: what is pushed first leaves first.

use std::collections::VecDeque;

use crate::client::interface::{Action, Output, Write};
use crate::id::{Change, ConnectionId};

/// Outputs not yet polled. Between inputs there are none, and there is no room for any: of a million
/// devices all but a few are at rest. The numbers go on through `uninit`, so that none is ever used twice.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Outbox {
    outputs: VecDeque<Output>,
    last_change: Change,
    next_connection: u32,
}

impl Outbox {
    /// An output that waits until `reveals` is on disk.
    pub(super) fn push(&mut self, reveals: Change, action: Action) {
        self.outputs.push_back(Output { reveals, action });
    }

    /// A write to the device's disk. Gives its number.
    pub(super) fn store(&mut self, write: Write) -> Change {
        self.last_change = Change(self.last_change.0 + 1);
        self.push(Change::NONE, Action::Store { change: self.last_change, write });
        self.last_change
    }

    /// A connection to open. Gives its number.
    pub(super) fn connect(&mut self) -> ConnectionId {
        let connection = ConnectionId(self.next_connection);
        self.next_connection = self.next_connection.wrapping_add(1);
        self.push(Change::NONE, Action::Connect { connection });
        connection
    }

    pub(super) fn pop(&mut self) -> Option<Output> {
        let output = self.outputs.pop_front();
        if output.is_none() {
            self.outputs = VecDeque::new();
        }
        output
    }
}
