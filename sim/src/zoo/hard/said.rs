//! Wrappers around the server's core: what it says is wrong only where several things come together.

use gatecrash::id::ConnectionId;
use gatecrash::protocol::{Conversation, DeviceState, ResumeOutcome, ServerFrame};
use gatecrash::server::{Action, Output};
use gatecrash::store::{Fact, Records};

use crate::world::event::Interceptor;

fn frame_of(output: &Output) -> Option<(ConnectionId, &ServerFrame)> {
    match &output.action {
        Action::Send { connection, frame } => Some((*connection, frame)),
        Action::Commit(_) | Action::Close { .. } | Action::Note(_) => None,
    }
}

fn frame_mut(output: &mut Output) -> Option<&mut ServerFrame> {
    match &mut output.action {
        Action::Send { frame, .. } => Some(frame),
        Action::Commit(_) | Action::Close { .. } | Action::Note(_) => None,
    }
}

/// An administrator who ends their own session among others' hears of the end before the answer.
pub(in crate::zoo) struct EndBeforeAnswer;

impl Interceptor for EndBeforeAnswer {
    fn server_outputs(&mut self, _: &Records, outputs: &mut Vec<Output>) {
        let answer = outputs.iter().position(|one| matches!(frame_of(one), Some((_, ServerFrame::AdminKickAnswer { .. }))));
        let Some((answer, (connection, _))) = answer.and_then(|place| Some((place, frame_of(&outputs[place])?))) else {
            return;
        };
        let is_own = |one: &Output| matches!(frame_of(one), Some((on, ServerFrame::Kick(_))) if on == connection);
        let ended = outputs.iter().filter(|one| matches!(frame_of(one), Some((_, ServerFrame::Kick(_))))).count();
        if let Some(kick) = outputs.iter().position(is_own).filter(|_| ended >= 2) {
            outputs.swap(answer, kick);
        }
    }
}

/// Of three devices or more that lose their sessions at once two are told on their links.
pub(in crate::zoo) struct TwoVictimsAreTold;

impl Interceptor for TwoVictimsAreTold {
    fn server_outputs(&mut self, _: &Records, outputs: &mut Vec<Output>) {
        let mut told = 0;
        outputs.retain(|output| {
            told += u32::from(matches!(frame_of(output), Some((_, ServerFrame::Kick(_)))));
            told < 3 || !matches!(frame_of(output), Some((_, ServerFrame::Kick(_))))
        });
    }
}

/// Of six messages or more that go out together the last two change places.
pub(in crate::zoo) struct LastTwoMessagesSwap;

impl Interceptor for LastTwoMessagesSwap {
    fn server_outputs(&mut self, _: &Records, outputs: &mut Vec<Output>) {
        let is_message = |(_, output): &(usize, &Output)| matches!(frame_of(output), Some((_, ServerFrame::Message { .. })));
        let places: Vec<usize> = outputs.iter().enumerate().filter(is_message).map(|(place, _)| place).collect();
        if let [_, _, _, _, .., one, other] = places[..]
            && frame_of(&outputs[one]).map(|(on, _)| on) == frame_of(&outputs[other]).map(|(on, _)| on)
        {
            outputs.swap(one, other);
        }
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

/// The presence event of what ends three sessions or more names two of them.
pub(in crate::zoo) struct TwoKickedAreNamed;

impl Interceptor for TwoKickedAreNamed {
    fn server_outputs(&mut self, _: &Records, outputs: &mut Vec<Output>) {
        for output in outputs {
            let Action::Commit(commit) = &mut output.action else { continue };
            for fact in &mut commit.facts {
                if let Fact::PresenceChanged { kicked, .. } = fact {
                    kicked.truncate(2);
                }
            }
        }
    }
}
