//! A message that is sent again is the one it was (API-6).
//!
//! What may be forgotten, and when, says the model of the server (`server_model.rs`).

use std::collections::{BTreeMap, BTreeSet};

use super::contract::Property;
use super::decision::Decision;
use super::report::Report;
use super::scene::Scene;
use crate::scenario::rules::{RuleId, rule};
use crate::trace::{ClientFrame, DeviceIndex, Event, Fact, Request, ServerFrame, UserIndex, What};

const AGAIN: RuleId = rule("API-6");

#[derive(Default)]
pub(super) struct SentAgain {
    /// Who called a message how: its number, and the change that stored it.
    stored: BTreeMap<(UserIndex, u32), (u32, u32)>,
    /// Who asked on which connection with which call, and how they called the message.
    asked: BTreeMap<(u32, u32), (UserIndex, u32)>,
    /// Every id under which a device has sent something, and the calls for which the SDK is to draw one.
    used: BTreeSet<u32>,
    to_draw: BTreeSet<(DeviceIndex, u32)>,
}

impl Property for SentAgain {
    sentence!(Always, "a message that is sent again keeps its number and is stored once", "API-6");
    watches!("decision", "server_received", "server_sent", "server_started", "called", "device_sent");
    frames!("send", "send_answer");

    fn observe(&mut self, scene: &Scene<'_>, event: &Event, report: &mut Report) {
        match event.what {
            What::Called { call, request: Request::Send { id: None, .. } } => {
                self.to_draw.extend(scene.actor.map(|(on, _)| (on, call)));
            }
            What::DeviceSent { frame: ClientFrame::Send { call, id, .. }, .. } => {
                let is_new = self.used.insert(id);
                if let Some((on, _)) = scene.actor
                    && self.to_draw.remove(&(on, call))
                    && !is_new
                {
                    let text = format!("{} draws an id for call {call} that was used before", scene.device(on));
                    report.event(AGAIN, event, text);
                }
            }
            What::ServerReceived { connection, frame: ClientFrame::Send { call, id, .. }, .. } => {
                if let Some(user) = scene.server.asker(connection) {
                    self.asked.insert((connection, call), (user, id));
                }
            }
            What::ServerSent {
                connection,
                reveals,
                frame: ServerFrame::SendAnswer { call, message, refused: None },
                ..
            } => {
                let Some((user, id)) = self.asked.remove(&(connection, call)) else { return };
                match self.stored.get(&(user, id)) {
                    // What was forgotten and stored anew may be so while the first answer waits for the disk.
                    Some(&(number, stored)) if number != message && stored <= reveals => {
                        let text = format!("{}'s message {number} is called message {message}", scene.user(user));
                        report.event(AGAIN, event, text);
                    }
                    Some(_) | None => {}
                }
            }
            // What was not on the disk is not known any more.
            What::ServerStarted { commit, .. } => {
                self.stored.retain(|_, (_, stored)| *stored <= commit);
                self.asked.clear();
            }
            _ => {}
        }
    }

    fn decide(&mut self, scene: &Scene<'_>, decision: &Decision, report: &mut Report) {
        for fact in &decision.facts {
            match *fact {
                Fact::MessageStored { message, from, id, .. } => {
                    let before = self.stored.insert((from, id), (message, decision.commit));
                    if let Some((before, _)) = before {
                        let user = scene.user(from);
                        let text = format!("{user} sends message {before} again, and it is stored as {message}");
                        report.decision(AGAIN, decision, text);
                    }
                }
                Fact::SentForgotten { user, through } => {
                    self.stored.retain(|&(of, _), &mut (message, _)| of != user || message > through);
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::story::*;
    use super::*;

    /// Alice sends what she calls `id`, and is told that it is this message.
    fn sends(story: Story, call: u32, id: u32, message: u32) -> Story {
        let send = ClientFrame::Send { call, to: BOB.into(), text: text(0), id };
        story.hears(PHONE, 0, send).sends(PHONE, 0, ServerFrame::SendAnswer { call, message, refused: None })
    }

    fn story() -> Story {
        let login = login_frame(1, 1, TICKET);
        Story::of(SentAgain::default()).hears(PHONE, 0, login).commit(&[accepted(ALICE, PHONE, 1)])
    }

    /// API-6
    #[test]
    fn a_message_with_two_numbers_is_seen() {
        let stored = || story().commit(&[stored_message(1)]);
        sends(stored(), 2, 1, 1).holds();
        sends(sends(stored(), 2, 1, 1), 3, 1, 1).holds();
        sends(stored(), 2, 1, 2).breaks("API-6");
        // Told of the first one late: by then it was forgotten, and stored anew.
        let send = ClientFrame::Send { call: 2, to: BOB.into(), text: text(0), id: 1 };
        let anew = Fact::MessageStored { message: 2, from: ALICE.into(), to: BOB.into(), text: text(0), id: 1 };
        let forgotten = Fact::SentForgotten { user: ALICE.into(), through: 1 };
        let frame = ServerFrame::SendAnswer { call: 2, message: 1, refused: None };
        let told = |reveals| What::ServerSent { connection: 0, peer: Some(PHONE.into()), reveals, frame };
        let asked = || stored().hears(PHONE, 0, send).commit(&[forgotten, anew]);
        asked().server(told(2)).holds();
        asked().server(told(3)).breaks("API-6");
    }

    /// API-6
    #[test]
    fn a_message_that_is_stored_twice_is_seen() {
        let again = Fact::MessageStored { message: 2, from: ALICE.into(), to: BOB.into(), text: text(0), id: 1 };
        let anothers = Fact::MessageStored { message: 2, from: BOB.into(), to: ALICE.into(), text: text(0), id: 1 };
        let stored = || story().commit(&[stored_message(1)]);
        stored().commit(&[again]).breaks("API-6");
        stored().commit(&[anothers]).holds();
        stored().commit(&[Fact::SentForgotten { user: ALICE.into(), through: 1 }, again]).holds();
    }
}
