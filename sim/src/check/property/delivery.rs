//! Each session is told every message that it was entitled to, or how many there was no room for (API-7).
//!
//! Says nothing of how much room there is: the model of the server does (`server_model.rs`).

use std::collections::BTreeMap;
use std::time::Duration;

use gatecrash::client::Status;
use gatecrash::time::Instant;

use super::contract::Property;
use super::decision::Decision;
use super::report::Report;
use super::scene::Scene;
use super::server::Session;
use crate::scenario::rules::{RuleId, rule};
use crate::trace::{Actor, ClientFrame, DeviceIndex, Event, Fact, Told, UserIndex, What};

const OWED: RuleId = rule("API-7");

#[derive(Default)]
pub(super) struct Delivery {
    /// Who called a message how, and from which device it came last, and under which of its ids.
    senders: BTreeMap<(UserIndex, u32), (DeviceIndex, u16)>,
    queues: BTreeMap<(DeviceIndex, UserIndex, u32), Queue>,
}

/// The messages that a session was entitled to when they were accepted.
#[derive(Default)]
struct Queue {
    /// Each with the change that stored it.
    messages: Vec<(u32, u32)>,
    /// How many of them the application was told, dropped ones included.
    told: usize,
    /// Up to which of them the server had no room.
    dropped: usize,
    /// When the last one was accepted.
    at: Instant,
}

impl Property for Delivery {
    sentence!(
        Eventually,
        "a session is told every message that it was entitled to, in order, or how many there was no room for",
        "API-7"
    );
    watches!("decision", "server_received", "server_started", "told");
    frames!("send");

    fn observe(&mut self, scene: &Scene<'_>, event: &Event, report: &mut Report) {
        match event.what {
            What::ServerReceived { connection, peer: Some(peer), frame: ClientFrame::Send { id, .. } } => {
                if let Some(user) = scene.server.asker(connection) {
                    self.senders.insert((user, id), (peer, scene.server.installation(connection)));
                }
            }
            // What was not on the disk was not accepted.
            What::ServerStarted { commit, .. } => {
                self.queues.values_mut().for_each(|queue| queue.messages.retain(|&(_, stored)| stored <= commit));
            }
            What::Told { event: told, user: Some(user), epoch } => {
                let Some((on, _)) = scene.actor else { return };
                let queue = self.queues.entry((scene.known_as(on), user, epoch)).or_default();
                match told {
                    Told::Message { message, .. } => {
                        let next = queue.messages.get(queue.told).map(|&(next, _)| next);
                        if next != Some(message) {
                            let next = next.map_or("none".to_owned(), |next| format!("message {next}"));
                            let what = scene.session(on, user, epoch);
                            report.event(OWED, event, format!("{what} is told message {message}, and is owed {next}"));
                        }
                        // It goes on from there.
                        let place = queue.messages.iter().position(|&(one, _)| one == message);
                        queue.told = place.map_or(queue.told, |place| place + 1);
                    }
                    Told::MessagesDropped { count } => {
                        queue.told += count as usize;
                        if queue.told > queue.dropped {
                            let what = scene.session(on, user, epoch);
                            let text =
                                format!("{what} is told that {count} messages are lost, for which there was room");
                            report.event(OWED, event, text);
                        }
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }

    fn decide(&mut self, scene: &Scene<'_>, decision: &Decision, _: &mut Report) {
        for fact in &decision.facts {
            if let Fact::MessagesDropped { user, device, epoch, through } = *fact {
                self.queues.entry((device, user, epoch)).or_default().dropped = through as usize;
            }
            let Fact::MessageStored { message, from, to, id, .. } = *fact else { continue };
            let sender = self.senders.get(&(from, id)).copied();
            let mut users = vec![from, to];
            users.dedup();
            for user in users {
                let sessions = scene.server.now.user(user).map(|user| user.sessions.as_slice()).unwrap_or_default();
                let sent = |session: &&Session| sender == Some((session.device, session.installation));
                for session in sessions.iter().filter(|session| !sent(session)) {
                    let queue = self.queues.entry((session.device, user, session.epoch)).or_default();
                    queue.messages.push((message, decision.commit));
                    queue.at = decision.at;
                }
            }
        }
    }

    fn finish(&mut self, scene: &Scene<'_>, report: &mut Report) {
        if !scene.converged {
            return;
        }
        for (on, sdk) in scene.sdks.iter() {
            let Some(session) = sdk.session.filter(|_| sdk.status == Status::Logined && !sdk.is_suspended) else {
                continue;
            };
            let Some(up_since) = sdk.up_since else { continue };
            let Some(queue) = self.queues.get(&(scene.known_as(on), session.user, session.epoch)) else { continue };
            let left = queue.messages.len().saturating_sub(queue.told);
            // Eight at a time go there, and are acknowledged.
            let rounds = 2 + u32::try_from(left).unwrap_or(u32::MAX) / 8;
            let allowed = (scene.allowance.latency * 2 + scene.allowance.lag).saturating_mul(rounds);
            let since = up_since.max(queue.at).max(sdk.woken_at);
            if left > 0 && scene.now - since > allowed.max(Duration::from_millis(1)) {
                let what = scene.session(on, session.user, session.epoch);
                let (next, _) = queue.messages[queue.told];
                let text = format!("{what} is not told message {next}, which was accepted for it");
                report.missing(OWED, scene.now, Actor::Device(on), "told", text);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::story::*;
    use super::*;

    /// Bob is logged in on the desk, and Alice's phone has sent him two messages.
    fn story() -> Story {
        let story = Story::of(Delivery::default()).logs_in(DESK, BOB, 1);
        let story = story.commit(&[accepted(BOB, DESK, 1), accepted(ALICE, PHONE, 1)]);
        (1..=2).fold(story, |story, message| story.commit(&[stored_message(message)]))
    }

    fn told(message: u32) -> Told {
        Told::Message { message, from: ALICE.into(), to: BOB.into(), text: text(0) }
    }

    /// API-7
    #[test]
    fn a_message_out_of_its_turn_is_seen() {
        story().told(DESK, told(1), BOB, 1).told(DESK, told(2), BOB, 1).holds();
        story().told(DESK, told(2), BOB, 1).breaks("API-7");
        story().told(DESK, told(1), BOB, 1).told(DESK, told(1), BOB, 1).breaks("API-7");
    }

    /// API-7
    #[test]
    fn messages_that_are_called_lost_and_are_not_are_seen() {
        let lost = || Told::MessagesDropped { count: 1 };
        let dropped = Fact::MessagesDropped { user: BOB.into(), device: DESK.into(), epoch: 1, through: 1 };
        story().commit(&[dropped]).told(DESK, lost(), BOB, 1).told(DESK, told(2), BOB, 1).holds();
        story().told(DESK, lost(), BOB, 1).breaks("API-7");
    }
}
