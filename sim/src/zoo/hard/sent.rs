//! Wrappers around the SDK's core: what a device sends, or finds when it starts, is wrong only where several things come
//! together.

use std::collections::{BTreeMap, BTreeSet};

use gatecrash::client::{Action, Call, Input, Installation, Output};
use gatecrash::code::Code;
use gatecrash::id::{CallId, SendId, UserId};
use gatecrash::protocol::{ClientFrame, Refusal, SessionName};
use gatecrash::ticket::Ticket;
use gatecrash::time::{Instant, WallTime};

use super::super::device::Each;
use crate::world::event::Interceptor;

fn frame(output: &mut Output) -> Option<&mut ClientFrame<Ticket>> {
    match &mut output.action {
        Action::Send { frame, .. } => Some(frame),
        _ => None,
    }
}

/// Requests that were not sent when they were made, but waited for a link.
#[derive(Default)]
struct Waited {
    made: Each<BTreeSet<CallId>>,
}

impl Waited {
    fn inputs(&mut self, device: usize, inputs: &[Input]) {
        let made = self.made.of(device);
        made.clear();
        made.extend(inputs.iter().filter_map(|input| match input {
            Input::Call { call, .. } => Some(*call),
            _ => None,
        }));
    }

    /// The frames of those that leave now.
    fn leaving<'o>(&mut self, device: usize, outputs: &'o mut [Output]) -> Vec<&'o mut ClientFrame<Ticket>> {
        let made = self.made.of(device);
        let waited = |frame: &&mut ClientFrame<Ticket>| match frame {
            ClientFrame::SendMessage { call, .. } | ClientFrame::QueryStatus { call, .. } => !made.contains(call),
            _ => false,
        };
        outputs.iter_mut().filter_map(frame).filter(waited).collect()
    }
}

/// What becomes of requests that waited for a link.
pub(in crate::zoo) struct WaitedRequests {
    waited: Waited,
    change: fn(&mut [&mut ClientFrame<Ticket>]),
}

impl WaitedRequests {
    fn changed(change: fn(&mut [&mut ClientFrame<Ticket>])) -> Self {
        WaitedRequests { waited: Waited::default(), change }
    }

    /// Of several messages each goes with the text of the last.
    pub(in crate::zoo) fn one_text() -> Self {
        WaitedRequests::changed(|frames| {
            let last = frames.iter().rev().find_map(|frame| match frame {
                ClientFrame::SendMessage { text, .. } => Some(text.clone()),
                _ => None,
            });
            for frame in frames {
                if let (ClientFrame::SendMessage { text, .. }, Some(last)) = (&mut **frame, &last) {
                    text.clone_from(last);
                }
            }
        })
    }

    /// Of several messages each goes to the receiver of the first.
    pub(in crate::zoo) fn one_receiver() -> Self {
        WaitedRequests::changed(|frames| {
            let first: Option<UserId> = frames.iter().find_map(|frame| match frame {
                ClientFrame::SendMessage { to, .. } => Some(*to),
                _ => None,
            });
            for frame in frames {
                if let (ClientFrame::SendMessage { to, .. }, Some(first)) = (&mut **frame, first) {
                    *to = first;
                }
            }
        })
    }

    /// A message goes under an id that the application did not choose.
    pub(in crate::zoo) fn another_id() -> Self {
        WaitedRequests::changed(|frames| {
            for frame in frames {
                if let ClientFrame::SendMessage { id, call, .. } = &mut **frame {
                    let mut bytes = [0x5a; 16];
                    bytes[..8].copy_from_slice(&call.0.to_le_bytes());
                    *id = SendId::from_bytes(bytes);
                }
            }
        })
    }

    /// A query asks for the first of its users alone.
    pub(in crate::zoo) fn first_user() -> Self {
        WaitedRequests::changed(|frames| {
            for frame in frames {
                if let ClientFrame::QueryStatus { users, .. } = &mut **frame {
                    users.truncate(1);
                }
            }
        })
    }
}

impl Interceptor for WaitedRequests {
    fn process_starts(&mut self, device: usize) {
        self.waited.made.forget(device);
    }

    fn device_inputs(&mut self, _: Instant, device: usize, inputs: &mut Vec<Input>) {
        self.waited.inputs(device, inputs);
    }

    fn device_outputs(&mut self, _: Instant, device: usize, outputs: &mut Vec<Output>) {
        (self.change)(&mut self.waited.leaving(device, outputs));
    }
}

/// A message that is sent while another has no answer goes under that one's id, where the application chose none.
#[derive(Default)]
pub(in crate::zoo) struct IdOfTheOneBefore {
    /// The calls whose id the application chose.
    chosen: Each<BTreeSet<CallId>>,
    unanswered: Each<BTreeMap<CallId, SendId>>,
}

impl Interceptor for IdOfTheOneBefore {
    fn process_starts(&mut self, device: usize) {
        self.chosen.forget(device);
        self.unanswered.forget(device);
    }

    fn device_inputs(&mut self, _: Instant, device: usize, inputs: &mut Vec<Input>) {
        for input in inputs {
            if let Input::Call { call, request: Call::SendMessage { id: Some(_), .. } } = input {
                self.chosen.of(device).insert(*call);
            }
        }
    }

    fn device_outputs(&mut self, _: Instant, device: usize, outputs: &mut Vec<Output>) {
        for output in outputs {
            match &mut output.action {
                Action::Send { frame: ClientFrame::SendMessage { call, id, .. }, .. } => {
                    let unanswered = self.unanswered.of(device);
                    if let Some((_, before)) = unanswered.last_key_value()
                        && !self.chosen.of(device).contains(call)
                    {
                        *id = *before;
                    }
                    unanswered.insert(*call, *id);
                }
                Action::Result { call, .. } => drop(self.unanswered.of(device).remove(call)),
                _ => {}
            }
        }
    }
}

/// What a process finds on its disk is changed.
pub(in crate::zoo) struct Starts(fn(&mut Installation, WallTime));

impl Starts {
    /// That a session has ended is not known any more.
    pub(in crate::zoo) const WITHOUT_KNOWN_END: Starts = Starts(|record, _| record.known_ended = None);
    /// An owed end is given up after half of the time that is left.
    pub(in crate::zoo) const WITH_HALF_THE_TIME: Starts = Starts(|record, now| {
        record.owed_until = record.owed_until.map(|until| {
            let left = until.as_micros().saturating_sub(now.as_micros());
            WallTime::from_micros(until.as_micros() - left / 2)
        });
    });
    /// An owed end has as much time as a ticket can have.
    pub(in crate::zoo) const WITH_ALL_THE_TIME: Starts = Starts(|record, _| record.owed_until = None);
}

impl Interceptor for Starts {
    fn device_inputs(&mut self, _: Instant, _: usize, inputs: &mut Vec<Input>) {
        for input in inputs {
            if let Input::Call { request: Call::Init(start), .. } = input
                && let Some(record) = &mut start.installation
            {
                (self.0)(record, start.wall);
            }
        }
    }
}

/// A session that has ended is named by the next login alone, whatever becomes of that.
#[derive(Default)]
pub(in crate::zoo) struct EndIsNamedOnce {
    named: Each<Option<SessionName>>,
}

impl Interceptor for EndIsNamedOnce {
    fn device_outputs(&mut self, _: Instant, device: usize, outputs: &mut Vec<Output>) {
        let named = self.named.of(device);
        for frame in outputs.iter_mut().filter_map(frame) {
            if let ClientFrame::Login { known_ended, .. } = frame
                && known_ended.is_some()
            {
                if *named == *known_ended {
                    *known_ended = None;
                } else {
                    *named = *known_ended;
                }
            }
        }
    }
}

/// A device that logs in again after an expiry, or after a refused login, says nothing of a session it knows to have
/// ended.
#[derive(Default)]
pub(in crate::zoo) struct RefusedNamesNothing {
    refused: Each<bool>,
}

impl Interceptor for RefusedNamesNothing {
    fn device_inputs(&mut self, _: Instant, device: usize, inputs: &mut Vec<Input>) {
        use gatecrash::protocol::ServerFrame::LoginAnswer;
        for input in inputs {
            if let Input::Frame { frame: LoginAnswer { outcome, .. }, .. } = input {
                *self.refused.of(device) = matches!(outcome, Err(Refusal::Code(code)) if *code != Code::ServerUnable);
            }
        }
    }

    fn device_outputs(&mut self, _: Instant, device: usize, outputs: &mut Vec<Output>) {
        for frame in outputs.iter_mut().filter_map(frame) {
            if let ClientFrame::Login { known_ended, .. } = frame
                && *self.refused.of(device)
            {
                *known_ended = None;
            }
        }
    }
}

/// What a device says of the messages that came.
pub(in crate::zoo) struct Receives(fn(&mut ClientFrame<Ticket>));

impl Receives {
    /// An acknowledgement is of one message less than came.
    pub(in crate::zoo) const ACKNOWLEDGES_ONE_LESS: Receives = Receives(|frame| {
        if let ClientFrame::MessagesReceived { through, .. } = frame
            && *through > 1
        {
            *through -= 1;
        }
    });
}

impl Interceptor for Receives {
    fn device_outputs(&mut self, _: Instant, _: usize, outputs: &mut Vec<Output>) {
        outputs.iter_mut().filter_map(frame).for_each(|frame| (self.0)(frame));
    }
}

/// When a request goes unanswered no heartbeat is sent for it.
pub(in crate::zoo) struct UnansweredIsNotDoubted;

impl Interceptor for UnansweredIsNotDoubted {
    fn device_outputs(&mut self, _: Instant, _: usize, outputs: &mut Vec<Output>) {
        let is_unanswered = |output: &Output| matches!(&output.action, Action::Result { outcome: Err(failure), .. } if failure.code == Code::NoAnswer);
        if outputs.iter().any(is_unanswered) {
            outputs.retain(|output| !matches!(&output.action, Action::Send { frame: ClientFrame::Heartbeat, .. }));
        }
    }
}
