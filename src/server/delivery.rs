//! Messages on their way to the sessions that are owed them (API-7).
//!
//! Who is owed what, and what there is no room for, is decided in `decide::server`. A connection carries no more
//! messages than its device acknowledges: what was missed in a long absence is no flood.

use std::sync::Arc;

use super::{Binding, Delivery, Peer, Server};
use crate::decide::ServerDecisions;
use crate::id::{ConnectionId, DeviceId, UserId};
use crate::protocol::{MESSAGES_UNACKNOWLEDGED_MAX, Message, ServerFrame, SessionName};
use crate::store::Fact;

impl<D: ServerDecisions> Server<D> {
    /// Owes the message to every session that is entitled to it. Gives those.
    pub(super) fn owe(&mut self, sender: DeviceId, message: Message) -> Vec<(UserId, DeviceId)> {
        let mut users = vec![message.from, message.to];
        users.dedup();
        let message = Arc::new(message);
        let mut entitled = Vec::new();
        for user in users {
            let sessions = self.records.users[&user].sessions.iter();
            let owed = sessions.filter(|(device, session)| self.decisions.is_owed(sender, **device, session));
            entitled.extend(owed.map(|(&device, session)| (user, device, session.epoch)));
        }
        for &(user, device, epoch) in &entitled {
            self.fact(Fact::MessageOwed { user, device, epoch, message: Arc::clone(&message) });
            let session = self.session(user, device).expect("an entitled session lives");
            if let Some(through) = self.decisions.dropped_through(&session.owed, &self.config.limits) {
                self.fact(Fact::MessagesDropped { user, device, epoch, through });
            }
        }
        entitled.into_iter().map(|(user, device, _)| (user, device)).collect()
    }

    /// Sends what the session is owed and was not sent, as far as its device has acknowledged what was.
    pub(super) fn deliver(&mut self, user: UserId, device: DeviceId) {
        let Some(&connection) = self.links.get(&device) else { return };
        let Some(session) = self.records.users.get(&user).and_then(|account| account.sessions.get(&device)) else {
            return;
        };
        let Some(link) = self.connections.get_mut(connection.0 as usize).and_then(Option::as_mut) else { return };
        let mut frames = Vec::new();
        while link.delivery.in_flight.len() < MESSAGES_UNACKNOWLEDGED_MAX
            && let Some((place, message)) = session.owed.after(link.delivery.last)
        {
            link.delivery.last = place;
            link.delivery.in_flight.push_back(place);
            frames.push(ServerFrame::Message { place, message: Message::clone(message) });
        }
        frames.into_iter().for_each(|frame| self.send(connection, frame));
    }

    /// The device says that it has the messages up to this place. Of another session than the connection's it
    /// may say what it likes.
    pub(super) fn messages_received(&mut self, connection: ConnectionId, peer: Peer, name: SessionName, through: u64) {
        let Some(link) = self.connection_mut(connection).filter(|link| link.binding == Binding::Bound(name)) else {
            return;
        };
        link.delivery.in_flight.retain(|&place| place > through);
        self.note_received(name, peer.device, through);
        self.deliver(name.user, peer.device);
    }

    /// The device comes back with the messages up to this place. Gives how many it missed.
    pub(super) fn goes_on_from(
        &mut self,
        connection: ConnectionId,
        device: DeviceId,
        name: SessionName,
        received: u64,
    ) -> u64 {
        let session = self.session(name.user, device).expect("a session that is resumed lives");
        let missed = self.decisions.missed(session.owed.places(), received);
        let link = self.connection_mut(connection).expect("a session is resumed on an open connection");
        link.delivery = Delivery { last: received, ..Delivery::default() };
        self.note_received(name, device, received);
        missed
    }

    fn note_received(&mut self, name: SessionName, device: DeviceId, received: u64) {
        let SessionName { user, epoch } = name;
        let Some(session) = self.session(user, device).filter(|session| session.epoch == epoch) else { return };
        if let Some(through) = self.decisions.received_through(session.owed.places(), received) {
            self.fact(Fact::MessagesReceived { user, device, epoch, through });
        }
    }
}
