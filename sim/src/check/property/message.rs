//! Messages: once, in order, and only to who is logged in (API-2, KICK-10).

use super::contract::Property;
use super::decision::Decision;
use super::report::Report;
use super::scene::Scene;
use crate::scenario::rules::{RuleId, rule};
use crate::trace::{DeviceIndex, Event, ServerFrame, Told, UserIndex, What};

const ONCE: RuleId = rule("API-2");
const ENDED: RuleId = rule("KICK-10");

#[derive(Default)]
pub(super) struct Messages {
    /// Of each device, the last message told of each conversation.
    told: Vec<Vec<((UserIndex, UserIndex), u32)>>,
    /// Of each message the server answered for, its sender: by the message's number.
    senders: Vec<Option<UserIndex>>,
    /// The device each message came from, and under which of its ids, the same way.
    sources: Vec<Option<(DeviceIndex, u16)>>,
}

impl Messages {
    /// The device that sent a message has its answer, and not the message.
    fn source(
        &mut self,
        scene: &Scene<'_>,
        event: &Event,
        peer: DeviceIndex,
        frame: &ServerFrame,
        report: &mut Report,
    ) {
        let What::ServerSent { connection, .. } = event.what else { return };
        let installation = scene.server.installation(connection);
        match *frame {
            ServerFrame::SendAnswer { message, refused: None, .. } => {
                let index = message as usize;
                if self.sources.len() <= index {
                    self.sources.resize(index + 1, None);
                }
                self.sources[index] = Some((peer, installation));
            }
            ServerFrame::Message { message, .. }
                if self.sources.get(message as usize).copied().flatten() == Some((peer, installation)) =>
            {
                let text = format!("message {message} went back to {}, which had sent it", scene.device(peer));
                report.event(ONCE, event, text);
            }
            _ => {}
        }
    }
}

impl Property for Messages {
    sentence!(
        Always,
        "a message reaches a device at most once, in the server's order, and never after the end of its session",
        "API-2",
        "KICK-10"
    );
    watches!("decision", "server_sent", "told");

    fn observe(&mut self, scene: &Scene<'_>, event: &Event, report: &mut Report) {
        match event.what {
            What::ServerSent { peer: Some(peer), frame, .. } if peer != DeviceIndex::STRANGER => {
                self.source(scene, event, peer, &frame, report);
                let (message, users) = match frame {
                    ServerFrame::Message { message, from, to, .. } => (message, [Some(from), Some(to)]),
                    ServerFrame::SendAnswer { message, refused: None, .. } => {
                        (message, [self.senders.get(message as usize).copied().flatten(), None])
                    }
                    _ => return,
                };
                let Some(commit) = scene.server.now.message(message) else {
                    let text = format!("message {message} was delivered and never stored");
                    return report.event(ONCE, event, text);
                };
                let was_live = |user: &UserIndex| scene.server.now.was_live(peer, *user, commit);
                if !users.iter().flatten().any(was_live) {
                    let text =
                        format!("message {message} went to {}, which was not logged in for it", scene.device(peer));
                    report.event(ENDED, event, text);
                }
            }
            What::Told { event: Told::Message { message, from, to, .. }, .. } => {
                let Some((on, _)) = scene.sdks.actor(event) else { return };
                if self.told.len() <= on.index() {
                    self.told.resize_with(on.index() + 1, Vec::new);
                }
                let conversation = (from.min(to), from.max(to));
                let told = &mut self.told[on.index()];
                let place = told.iter().position(|(one, _)| *one == conversation).unwrap_or_else(|| {
                    told.push((conversation, 0));
                    told.len() - 1
                });
                let last = std::mem::replace(&mut told[place].1, message);
                if message <= last {
                    let text = format!("{} was told message {message} after message {last}", scene.device(on));
                    report.event(ONCE, event, text);
                }
            }
            _ => {}
        }
    }

    fn decided(&mut self, _: &Scene<'_>, decision: &Decision, _: &mut Report) {
        for fact in &decision.facts {
            if let crate::trace::Fact::MessageStored { message, from, .. } = *fact {
                let index = message as usize;
                if self.senders.len() <= index {
                    self.senders.resize(index + 1, None);
                }
                self.senders[index] = Some(from);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use gatecrash::store::EndReason::SamePlatform;

    use super::super::story::*;
    use super::*;

    fn message(message: u32) -> ServerFrame {
        ServerFrame::Message { message, from: ALICE.into(), to: BOB.into(), text: text(0) }
    }

    /// KICK-10: what was decided before the end may still go out, what came after may not.
    #[test]
    fn a_delivery_after_the_end_is_seen() {
        let story = || Story::of(Messages::default()).commit(&[accepted(BOB, PHONE, 1)]);
        let end = [ended(BOB, PHONE, 1, SamePlatform, PHONE2), accepted(BOB, PHONE2, 2)];
        story().commit(&[stored_message(1)]).commit(&end).sends(PHONE, 0, message(1)).holds();
        story().commit(&end).commit(&[stored_message(1)]).sends(PHONE, 0, message(1)).breaks("KICK-10");
        story().sends(PHONE, 0, message(1)).breaks("API-2");
    }

    /// API-2
    #[test]
    fn a_message_that_comes_back_to_its_sender_is_seen() {
        let answer = ServerFrame::SendAnswer { call: 1, message: 1, refused: None };
        let story = || {
            let story = Story::of(Messages::default()).commit(&[accepted(ALICE, PHONE, 1), accepted(ALICE, DESK, 2)]);
            story.commit(&[stored_message(1)]).sends(PHONE, 0, answer)
        };
        story().sends(DESK, 1, message(1)).holds();
        story().sends(PHONE, 0, message(1)).breaks("API-2");
    }

    /// API-2
    #[test]
    fn a_message_twice_or_out_of_order_is_seen() {
        let told = |numbers: &[u32]| {
            numbers.iter().fold(Story::of(Messages::default()), |story, &message| {
                let event = Told::Message { message, from: ALICE.into(), to: BOB.into(), text: text(0) };
                story.told(PHONE, event, BOB, 1)
            })
        };
        told(&[1, 2, 5]).holds();
        told(&[1, 1]).breaks("API-2");
        told(&[2, 1]).breaks("API-2");
    }
}
