//! Messages on their way to the sessions that are owed them (API-7).

use super::memory::Standing;
use super::outbox::Answer;
use super::records::Id;
use super::server::Server;
use crate::scenario::numbers;
use crate::scenario::rules::{RuleId, rule};
use crate::trace::{Cast, Fact, ServerFrame, UserIndex};

const OWED: RuleId = rule("API-7");

impl Server {
    /// Every session of the two is owed the message, but that of the device which sent it.
    pub(super) fn owe(&mut self, cast: &Cast, sender: Id, (message, from, to): (u32, UserIndex, UserIndex)) {
        let mut entitled = Vec::new();
        for user in [from, to] {
            let sessions = self.records.users.get(&user).map(|account| account.sessions.as_slice());
            for session in sessions.unwrap_or_default() {
                if session.id != sender && !entitled.contains(&(user, session.id, session.epoch)) {
                    entitled.push((user, session.id, session.epoch));
                }
            }
        }
        for &(user, id, epoch) in &entitled {
            self.fact(OWED, Fact::MessageOwed { user, device: id.0, epoch, message });
            self.make_room(cast, user, id, epoch);
        }
        for (user, id, _) in entitled {
            self.deliver(user, id);
        }
    }

    /// The oldest go until the others fit; the newest stays.
    fn make_room(&mut self, cast: &Cast, user: UserIndex, id: Id, epoch: u32) {
        let Some(queue) = self.records.queues.get(&(user, id.0, epoch)) else { return };
        let length = |message: u32| self.records.messages.get(&message).map_or(0, |(.., text)| cast.text(*text).len());
        let mut kept = queue.messages.as_slice();
        let mut through = None;
        while let [(place, _), others @ ..] = kept
            && !others.is_empty()
        {
            let bytes: usize = kept.iter().map(|(_, message)| length(*message)).sum();
            if kept.len() <= self.limits.owed_max && bytes <= self.limits.owed_bytes_max {
                break;
            }
            (through, kept) = (Some(*place), others);
        }
        if let Some(through) = through {
            self.fact(OWED, Fact::MessagesDropped { user, device: id.0, epoch, through });
        }
    }

    /// What the session is owed goes out on the connection that carries it, so many ahead.
    pub(super) fn deliver(&mut self, user: UserIndex, id: Id) {
        let Some(&connection) = self.memory.carries.get(&id) else { return };
        let Some(session) = self.records.session(user, id) else { return };
        let Some(queue) = self.records.queues.get(&(user, id.0, session.epoch)).cloned() else { return };
        for (place, message) in queue.messages {
            let Some(link) = self.memory.connections.get_mut(&connection) else { return };
            if link.in_flight.len() >= numbers::UNDER_WAY_MAX {
                return;
            }
            if place <= link.delivered {
                continue;
            }
            link.delivered = place;
            link.in_flight.push(place);
            let Some(&(from, to, text)) = self.records.messages.get(&message) else { continue };
            self.say(OWED, connection, Answer::This(ServerFrame::Message { message, from, to, text, place }));
        }
    }

    /// The device has what came up to this place.
    pub(super) fn messages_received(&mut self, connection: u32, id: Id, (user, epoch): (UserIndex, u32), through: u32) {
        if self.memory.standing(connection) != Standing::Carries(user, epoch) {
            return;
        }
        if let Some(link) = self.memory.connections.get_mut(&connection) {
            link.in_flight.retain(|place| *place > through);
        }
        self.has_up_to(id, (user, epoch), through);
        self.deliver(user, id);
    }

    /// The device comes back with what it has. Says how many it missed.
    pub(super) fn goes_on_from(&mut self, connection: u32, id: Id, session: (UserIndex, u32), received: u32) -> u32 {
        if let Some(link) = self.memory.connections.get_mut(&connection) {
            link.delivered = received;
        }
        let gone = self.records.queues.get(&(session.0, id.0, session.1)).map_or(0, |queue| queue.gone);
        self.has_up_to(id, session, received);
        gone.saturating_sub(received)
    }

    fn has_up_to(&mut self, id: Id, (user, epoch): (UserIndex, u32), received: u32) {
        let Some(queue) = self.records.queues.get(&(user, id.0, epoch)) else { return };
        let through = received.min(queue.last);
        if through > queue.gone {
            self.fact(OWED, Fact::MessagesReceived { user, device: id.0, epoch, through });
        }
    }
}
