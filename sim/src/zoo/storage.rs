//! Wrappers around the SDK's core, about its device's disk: what waits for a write, and what a failed one means.

use std::collections::{BTreeMap, BTreeSet};

use gatecrash::client::{Action, Call, Input, Installation, Output, Write};
use gatecrash::code::Code;
use gatecrash::id::{CallId, Change};
use gatecrash::protocol::ClientFrame;
use gatecrash::time::Instant;

use crate::world::event::Interceptor;

/// Frames do not wait for the record.
pub(super) struct LeavesBeforeItsRecord;

impl Interceptor for LeavesBeforeItsRecord {
    fn device_outputs(&mut self, _: Instant, _: usize, outputs: &mut Vec<Output>) {
        for output in outputs.iter_mut().filter(|output| matches!(output.action, Action::Send { .. })) {
            output.reveals = Change::NONE;
        }
    }
}

/// Nor does the result of a logout.
pub(super) struct LogoutBeforeItsRecord;

impl Interceptor for LogoutBeforeItsRecord {
    fn device_outputs(&mut self, _: Instant, _: usize, outputs: &mut Vec<Output>) {
        for output in outputs.iter_mut().filter(|output| matches!(output.action, Action::Result { .. })) {
            output.reveals = Change::NONE;
        }
    }
}

/// A login counts as sent when it is handed on, though it may still wait for the record.
pub(super) struct SentWhenHandedOn;

impl Interceptor for SentWhenHandedOn {
    fn device_inputs(&mut self, _: Instant, _: usize, inputs: &mut Vec<Input>) {
        inputs.insert(0, Input::Stored { change: Change(u64::MAX) });
    }
}

/// That the record cannot be written is nobody's affair: what waited for it waits on.
pub(super) struct FailedRecordIsNotTold;

impl Interceptor for FailedRecordIsNotTold {
    fn device_inputs(&mut self, _: Instant, _: usize, inputs: &mut Vec<Input>) {
        inputs.retain(|input| !matches!(input, Input::StorageFailed { .. }));
    }
}

/// A process whose record could not be written once lets nobody log in any more.
#[derive(Default)]
pub(super) struct FailedRecordIsFinal {
    /// By device, the logins that are to be refused; there once its record could not be written.
    refused: BTreeMap<usize, Vec<CallId>>,
}

impl Interceptor for FailedRecordIsFinal {
    fn process_starts(&mut self, device: usize) {
        self.refused.remove(&device);
    }

    fn device_inputs(&mut self, _: Instant, device: usize, inputs: &mut Vec<Input>) {
        if inputs.iter().any(|input| matches!(input, Input::StorageFailed { .. })) {
            self.refused.entry(device).or_default();
        }
        let Some(refused) = self.refused.get_mut(&device) else { return };
        take_logins(inputs, refused);
    }

    fn device_outputs(&mut self, _: Instant, device: usize, outputs: &mut Vec<Output>) {
        let refused = self.refused.get_mut(&device).map(std::mem::take).unwrap_or_default();
        outputs.extend(refusals(refused));
    }
}

/// What was written last holds back the acknowledgement of a login, too, which is gone with the write that fails.
#[derive(Default)]
pub(super) struct AcknowledgementWaits {
    written: BTreeMap<usize, Change>,
}

impl Interceptor for AcknowledgementWaits {
    fn process_starts(&mut self, device: usize) {
        self.written.remove(&device);
    }

    fn device_outputs(&mut self, _: Instant, device: usize, outputs: &mut Vec<Output>) {
        let written = self.written.entry(device).or_insert(Change::NONE);
        for output in outputs {
            match &output.action {
                Action::Store { change, write: Write::Installation(_) } => *written = *change,
                Action::Send { frame: ClientFrame::LoginAcknowledged { .. }, .. } => output.reveals = *written,
                _ => {}
            }
        }
    }
}

/// While an end is owed, the time at which it is given up stays in the record as it was first noted there: what is shown
/// later a process knows of until it dies.
#[derive(Default)]
pub(super) struct LaterTicketIsNotNoted {
    /// By device, the record as it was written last.
    written: BTreeMap<usize, Installation>,
}

impl Interceptor for LaterTicketIsNotNoted {
    fn device_outputs(&mut self, _: Instant, device: usize, outputs: &mut Vec<Output>) {
        for output in outputs {
            let Action::Store { write: Write::Installation(record), .. } = &mut output.action else { continue };
            let before = self.written.get(&device).filter(|before| before.owed_end && before.device == record.device);
            if let Some(before) = before.filter(|_| record.owed_end) {
                record.owed_until = before.owed_until;
            }
            self.written.insert(device, record.clone());
        }
    }
}

/// A device that had a record and finds none any more takes that for a disk that fails, and lets nobody log in.
#[derive(Default)]
pub(super) struct DamagedRecordIsFinal {
    /// Devices that have had a record, and those of them that found none.
    known: BTreeSet<usize>,
    damaged: BTreeSet<usize>,
    refused: BTreeMap<usize, Vec<CallId>>,
}

impl Interceptor for DamagedRecordIsFinal {
    fn device_inputs(&mut self, _: Instant, device: usize, inputs: &mut Vec<Input>) {
        for input in inputs.iter() {
            if let Input::Call { request: Call::Init(start), .. } = input {
                if start.installation.is_some() || self.known.insert(device) {
                    self.damaged.remove(&device);
                } else {
                    self.damaged.insert(device);
                }
            }
        }
        if !self.damaged.contains(&device) {
            return;
        }
        let refused = self.refused.entry(device).or_default();
        take_logins(inputs, refused);
    }

    fn device_outputs(&mut self, _: Instant, device: usize, outputs: &mut Vec<Output>) {
        outputs.extend(refusals(self.refused.remove(&device).unwrap_or_default()));
    }
}

/// The core never hears of these logins.
fn take_logins(inputs: &mut Vec<Input>, refused: &mut Vec<CallId>) {
    inputs.retain(|input| match input {
        Input::Call { call, request: Call::Login { .. } } => {
            refused.push(*call);
            false
        }
        _ => true,
    });
}

/// What ends these logins for the record.
fn refusals(calls: Vec<CallId>) -> impl Iterator<Item = Output> {
    calls.into_iter().map(|call| Output {
        reveals: Change::NONE,
        action: Action::Result { call, outcome: Err(Code::StorageFailed.into()) },
    })
}
