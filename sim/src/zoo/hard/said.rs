//! Wrappers around the server's core: what it says is wrong only where several things come together.

use gatecrash::id::ConnectionId;
use gatecrash::protocol::{ClientFrame, Conversation, DeviceState, ResumeOutcome, ServerFrame};
use gatecrash::server::{Action, Input, Output};
use gatecrash::store::{Fact, Records};
use gatecrash::time::Now;

use crate::world::event::{Interceptor, ServerStep};

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

/// An administrator who ends their own session hears of the end before the answer.
pub(in crate::zoo) struct EndBeforeAnswer;

impl Interceptor for EndBeforeAnswer {
    fn server_outputs(&mut self, _: &Records, outputs: &mut Vec<Output>) {
        let answer = outputs.iter().position(|one| matches!(frame_of(one), Some((_, ServerFrame::AdminKickAnswer { .. }))));
        let Some((answer, (connection, _))) = answer.and_then(|place| Some((place, frame_of(&outputs[place])?))) else {
            return;
        };
        let is_own = |one: &Output| matches!(frame_of(one), Some((on, ServerFrame::Kick(_))) if on == connection);
        if let Some(kick) = outputs.iter().position(is_own) {
            outputs.swap(answer, kick);
        }
    }
}

/// A heartbeat on the connection of a session that has ended is answered as any other.
#[derive(Default)]
pub(in crate::zoo) struct HeartbeatHearsNothing {
    is_heartbeat: bool,
}

impl Interceptor for HeartbeatHearsNothing {
    fn server_steps(&mut self, _: Now, _: &Records, steps: &mut Vec<ServerStep>) {
        let is_it = |step: &ServerStep| {
            matches!(step, ServerStep::Input(Input::Frame { frame: ClientFrame::Heartbeat, .. }))
        };
        self.is_heartbeat = steps.iter().any(is_it);
    }

    fn server_outputs(&mut self, _: &Records, outputs: &mut Vec<Output>) {
        if !std::mem::take(&mut self.is_heartbeat) {
            return;
        }
        for frame in outputs.iter_mut().filter_map(frame_mut) {
            if matches!(frame, ServerFrame::Kick(_) | ServerFrame::Expired(_)) {
                *frame = ServerFrame::HeartbeatAnswer;
            }
        }
    }
}

/// Of several devices that one login displaces the first alone is told on its link.
pub(in crate::zoo) struct FirstVictimIsTold;

impl Interceptor for FirstVictimIsTold {
    fn server_outputs(&mut self, _: &Records, outputs: &mut Vec<Output>) {
        let mut told = 0;
        outputs.retain(|output| {
            told += u32::from(matches!(frame_of(output), Some((_, ServerFrame::Kick(_)))));
            told < 2 || !matches!(frame_of(output), Some((_, ServerFrame::Kick(_))))
        });
    }
}

/// Of three messages or more that go out together the last two change places.
pub(in crate::zoo) struct LastTwoMessagesSwap;

impl Interceptor for LastTwoMessagesSwap {
    fn server_outputs(&mut self, _: &Records, outputs: &mut Vec<Output>) {
        let is_message = |(_, output): &(usize, &Output)| matches!(frame_of(output), Some((_, ServerFrame::Message { .. })));
        let places: Vec<usize> = outputs.iter().enumerate().filter(is_message).map(|(place, _)| place).collect();
        if let [_, .., one, other] = places[..]
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

/// A query shows a dormant session of a device that is not mobile as one that has just lost its link.
pub(in crate::zoo) struct DesktopsAreNeverDormant;

impl Interceptor for DesktopsAreNeverDormant {
    fn server_outputs(&mut self, _: &Records, outputs: &mut Vec<Output>) {
        for frame in outputs.iter_mut().filter_map(frame_mut) {
            if let ServerFrame::StatusAnswer { outcome: Ok(report), .. } = frame {
                for device in report.users.iter_mut().flat_map(|user| &mut user.devices) {
                    if device.state == DeviceState::Dormant && !device.platform.is_mobile() {
                        device.state = DeviceState::LinkLost;
                    }
                }
            }
        }
    }
}

/// The presence event of a login that displaces several names one of them.
pub(in crate::zoo) struct OneKickedIsNamed;

impl Interceptor for OneKickedIsNamed {
    fn server_outputs(&mut self, _: &Records, outputs: &mut Vec<Output>) {
        for output in outputs {
            let Action::Commit(commit) = &mut output.action else { continue };
            for fact in &mut commit.facts {
                if let Fact::PresenceChanged { kicked, .. } = fact {
                    kicked.truncate(1);
                }
            }
        }
    }
}
