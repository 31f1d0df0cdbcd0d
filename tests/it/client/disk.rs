//! The device's disk as a test has it: each write is done at once, unless the test holds it.

use gatecrash::client::{Action, Input, Output};
use gatecrash::id::Change;

/// What was to be written, and what is there.
#[derive(Default)]
pub struct Disk {
    /// Whether what is written does not get there.
    pub holds: bool,
    asked: Change,
    stored: Change,
}

impl Disk {
    /// The core wants this done.
    pub fn output(&mut self, output: &Output) {
        if let Action::Store { change, .. } = output.action {
            self.asked = change;
        }
    }

    /// Whether everything up to this write is there.
    pub fn has(&self, change: Change) -> bool {
        change <= self.stored
    }

    /// Does what there is to write. What the core is told, if there was anything.
    pub fn write(&mut self) -> Option<Input> {
        let is_due = !self.holds && self.asked > self.stored;
        is_due.then(|| {
            self.stored = self.asked;
            Input::Stored { change: self.stored }
        })
    }
}
