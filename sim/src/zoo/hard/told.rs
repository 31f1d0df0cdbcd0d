//! Wrappers around the SDK's core: what the application is told is wrong only where several things come together.

use gatecrash::client::{Action, Call, Event, Input, Output};
use gatecrash::code::{Code, Failure, Reason};
use gatecrash::protocol::{Conversation, KickReason, ResumeOutcome, ServerFrame};
use gatecrash::time::Instant;

use super::super::device::Each;
use crate::world::event::Interceptor;

fn resumed(input: &Input) -> bool {
    matches!(
        input,
        Input::Frame { frame: ServerFrame::ResumeAnswer { outcome: ResumeOutcome::Resumed { .. }, .. }, .. }
    )
}

fn is_message(input: &Input) -> bool {
    matches!(input, Input::Frame { frame: ServerFrame::Message { .. }, .. })
}

/// What of a message that came with a resume is told wrong.
pub(in crate::zoo) struct OwedMessage {
    /// Whether what came last on the device's link came with a resume.
    is_owed: Each<bool>,
    change: fn(&mut gatecrash::protocol::Message),
}

impl OwedMessage {
    /// Its text is cut to what a list shows of it.
    pub(in crate::zoo) fn cut() -> OwedMessage {
        OwedMessage {
            is_owed: Each::default(),
            change: |message| {
                let end = (0..=message.text.len().min(64)).rev().find(|&end| message.text.is_char_boundary(end));
                message.text.truncate(end.unwrap_or_default());
            },
        }
    }

    /// Who sent it and who got it change places.
    pub(in crate::zoo) fn turned_round() -> OwedMessage {
        OwedMessage { is_owed: Each::default(), change: |message| std::mem::swap(&mut message.from, &mut message.to) }
    }
}

impl Interceptor for OwedMessage {
    fn process_starts(&mut self, device: usize) {
        self.is_owed.forget(device);
    }

    fn device_inputs(&mut self, _: Instant, device: usize, inputs: &mut Vec<Input>) {
        let is_owed = self.is_owed.of(device);
        if inputs.iter().any(resumed) {
            *is_owed = true;
        } else if !inputs.iter().any(is_message) {
            *is_owed = false;
        }
    }

    fn device_outputs(&mut self, _: Instant, device: usize, outputs: &mut Vec<Output>) {
        for output in outputs.iter_mut().filter(|_| *self.is_owed.of(device)) {
            if let Action::Event(Event::Message(message)) = &mut output.action {
                (self.change)(message);
            }
        }
    }
}

/// A device that has slept since it logged in is told another reason of its kick.
#[derive(Default)]
pub(in crate::zoo) struct SleeperHearsAnotherReason {
    slept: Each<bool>,
}

impl Interceptor for SleeperHearsAnotherReason {
    fn process_starts(&mut self, device: usize) {
        self.slept.forget(device);
    }

    fn device_inputs(&mut self, _: Instant, device: usize, inputs: &mut Vec<Input>) {
        *self.slept.of(device) |= inputs.contains(&Input::Woken);
    }

    fn device_outputs(&mut self, _: Instant, device: usize, outputs: &mut Vec<Output>) {
        for output in outputs {
            if let Action::Event(Event::KickedOffline(kick)) = &mut output.action
                && std::mem::take(self.slept.of(device))
            {
                kick.reason = match kick.reason {
                    KickReason::SamePlatform => KickReason::OtherPlatform,
                    KickReason::OtherPlatform => KickReason::SamePlatform,
                    reason @ (KickReason::Administrator | KickReason::Gone) => reason,
                };
            }
        }
    }
}

/// A kick that overtook the answer of its login is told without whose login it was.
pub(in crate::zoo) struct HeldKickNamesNobody;

impl Interceptor for HeldKickNamesNobody {
    fn device_outputs(&mut self, _: Instant, _: usize, outputs: &mut Vec<Output>) {
        let is_in = outputs.iter().any(|output| output.action == Action::Event(Event::ConnectSuccess));
        for output in outputs.iter_mut().filter(|_| is_in) {
            if let Action::Event(Event::KickedOffline(kick)) = &mut output.action {
                kick.by = None;
            }
        }
    }
}

/// The list of conversations that comes with a second resume is not taken: the one before stays.
#[derive(Default)]
pub(in crate::zoo) struct SecondListIsNotTaken {
    last: Each<Option<Vec<Conversation>>>,
}

impl Interceptor for SecondListIsNotTaken {
    fn process_starts(&mut self, device: usize) {
        self.last.forget(device);
    }

    fn device_inputs(&mut self, _: Instant, device: usize, inputs: &mut Vec<Input>) {
        for input in inputs {
            match input {
                Input::Call { request: Call::Login { .. } | Call::Uninit, .. } => self.last.forget(device),
                Input::Frame {
                    frame: ServerFrame::ResumeAnswer { outcome: ResumeOutcome::Resumed { conversations, .. }, .. },
                    ..
                } => match self.last.of(device) {
                    Some(last) => conversations.clone_from(last),
                    last @ None => *last = Some(conversations.clone()),
                },
                _ => {}
            }
        }
    }
}

/// A session that waits for its link is told of an attempt that took too long as of one that found no link.
#[derive(Default)]
pub(in crate::zoo) struct SlowAttemptIsNoLink {
    is_in: Each<bool>,
}

impl Interceptor for SlowAttemptIsNoLink {
    fn process_starts(&mut self, device: usize) {
        self.is_in.forget(device);
    }

    fn device_outputs(&mut self, _: Instant, device: usize, outputs: &mut Vec<Output>) {
        for output in outputs {
            match &mut output.action {
                Action::Status { login_user, .. } => *self.is_in.of(device) = login_user.is_some(),
                Action::Event(Event::ConnectFailed(code))
                    if *code == Code::ConnectTimeout && *self.is_in.of(device) =>
                {
                    *code = Code::NoLink;
                }
                _ => {}
            }
        }
    }
}

/// Of several messages that are lost one less is told.
pub(in crate::zoo) struct OneLessIsLost;

impl Interceptor for OneLessIsLost {
    fn device_outputs(&mut self, _: Instant, _: usize, outputs: &mut Vec<Output>) {
        for output in outputs {
            if let Action::Event(Event::MessagesDropped(number)) = &mut output.action
                && *number > 2
            {
                *number -= 1;
            }
        }
    }
}

/// After a switch whose login failed, what is refused is told that the account was switched.
#[derive(Default)]
pub(in crate::zoo) struct FailedSwitchIsASwitch {
    is_in: Each<bool>,
    switches: Each<bool>,
}

impl Interceptor for FailedSwitchIsASwitch {
    fn process_starts(&mut self, device: usize) {
        self.is_in.forget(device);
        self.switches.forget(device);
    }

    fn device_inputs(&mut self, _: Instant, device: usize, inputs: &mut Vec<Input>) {
        if inputs.iter().any(|input| matches!(input, Input::Call { request: Call::Login { .. }, .. })) {
            *self.switches.of(device) = *self.is_in.of(device);
        }
    }

    fn device_outputs(&mut self, _: Instant, device: usize, outputs: &mut Vec<Output>) {
        for output in outputs {
            match &mut output.action {
                Action::Status { login_user, .. } => *self.is_in.of(device) = login_user.is_some(),
                Action::Result { outcome: Err(Failure { reason: Some(reason), .. }), .. }
                    if *reason == Reason::LoginFailed && *self.switches.of(device) =>
                {
                    *reason = Reason::Switched;
                }
                _ => {}
            }
        }
    }
}
