//! Wrappers around the server's core: what it says is wrong only where several things come together.

use gatecrash::protocol::{Conversation, DeviceState, ResumeOutcome, ServerFrame};
use gatecrash::server::{Action, Output};
use gatecrash::store::Records;

use crate::world::event::Interceptor;

fn frame_mut(output: &mut Output) -> Option<&mut ServerFrame> {
    match &mut output.action {
        Action::Send { frame, .. } => Some(frame),
        Action::Commit(_) | Action::Close { .. } | Action::Note(_) => None,
    }
}

/// The list of conversations that a resume brings is ordered wrong from the third line on.
pub(in crate::zoo) struct LaterLinesSwap;

fn resumed(output: &mut Output) -> Option<&mut Vec<Conversation>> {
    match frame_mut(output)? {
        ServerFrame::ResumeAnswer { outcome: ResumeOutcome::Resumed { conversations, .. }, .. } => Some(conversations),
        _ => None,
    }
}

impl Interceptor for LaterLinesSwap {
    fn server_outputs(&mut self, _: &Records, outputs: &mut Vec<Output>) {
        for conversations in outputs.iter_mut().filter_map(resumed) {
            if let [_, _, .., one, other] = &mut conversations[..] {
                std::mem::swap(one, other);
            }
        }
    }
}

/// Of several dormant sessions of a user a query shows the second as one that has just lost its link.
pub(in crate::zoo) struct OneIsDormant;

impl Interceptor for OneIsDormant {
    fn server_outputs(&mut self, _: &Records, outputs: &mut Vec<Output>) {
        for frame in outputs.iter_mut().filter_map(frame_mut) {
            if let ServerFrame::StatusAnswer { outcome: Ok(report), .. } = frame {
                for user in &mut report.users {
                    let mut dormant = user.devices.iter_mut().filter(|device| device.state == DeviceState::Dormant);
                    if let Some(device) = dormant.nth(1) {
                        device.state = DeviceState::LinkLost;
                    }
                }
            }
        }
    }
}
