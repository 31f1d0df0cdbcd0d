//! What is under way between the devices and the server, each thing in a place of its own.
//!
//! A place is free again once its arrival has come, also when what was in it is long lost or kept.
//! Knows no link: `links` decides what is lost, kept and delayed.

use gatecrash::protocol::{ClientFrame, FrameError, ServerFrame};
use gatecrash::ticket::Ticket;
use gatecrash::time::Instant;

use super::small;

/// One thing under way on a connection.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) link: u32,
    /// When it was sent, and its place among all messages.
    pub(super) sent_at: Instant,
    pub(super) number: u64,
    /// It has arrived, and its reader is late: no fault of the link concerns it any more.
    pub(super) is_read_late: bool,
    pub(super) body: Body,
}

/// What it is, and with that in which direction it goes.
#[derive(Clone, Debug)]
pub(super) enum Body {
    Open,
    /// What a handshake of TLS begins with.
    ClientHello,
    Frame(ClientFrame<Ticket>),
    Malformed(FrameError),
    Close,
    /// What the server proves in it who it is with.
    Proof,
    Answer(ServerFrame),
    Closed,
    /// The server's answer to what comes on a connection it does not have: no part of the stream.
    Reset,
    /// The same from a device.
    DeviceReset,
    /// What the portal of a site says.
    NoFrame,
}

impl Body {
    pub(super) fn is_upward(&self) -> bool {
        match self {
            Body::Open | Body::ClientHello | Body::Frame(_) | Body::Malformed(_) | Body::Close | Body::DeviceReset => {
                true
            }
            Body::Proof | Body::Answer(_) | Body::Closed | Body::Reset | Body::NoFrame => false,
        }
    }
}

/// Everything under way.
#[derive(Default)]
pub(super) struct Flight {
    places: Vec<Option<Message>>,
    free: Vec<u32>,
    last_number: u64,
}

impl Flight {
    /// The number of one more message.
    pub(super) fn next_number(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }

    pub(super) fn put(&mut self, message: Message) -> u32 {
        match self.free.pop() {
            Some(place) => {
                self.places[place as usize] = Some(message);
                place
            }
            None => {
                self.places.push(Some(message));
                small(self.places.len() - 1)
            }
        }
    }

    /// The arrival of what was put here has come. Nothing, if that was lost or kept meanwhile.
    pub(super) fn arrive(&mut self, place: u32) -> Option<Message> {
        self.free.push(place);
        self.places[place as usize].take()
    }

    /// Takes out what is still on the wire and of this kind, in the order of sending.
    pub(super) fn take(&mut self, mut is_it: impl FnMut(&Message) -> bool) -> Vec<Message> {
        let mut taken: Vec<Message> = self
            .places
            .iter_mut()
            .filter_map(|place| place.take_if(|message| !message.is_read_late && is_it(message)))
            .collect();
        taken.sort_unstable_by_key(|message| message.number);
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(number: u64, body: Body) -> Message {
        Message { link: 0, sent_at: Instant::ZERO, number, is_read_late: false, body }
    }

    #[test]
    fn a_place_is_used_again_only_after_its_arrival() {
        let mut flight = Flight::default();
        let first = flight.put(message(1, Body::Open));
        let second = flight.put(message(2, Body::Close));
        let lost = flight.take(|message| message.body.is_upward());
        assert_eq!(lost.iter().map(|message| message.number).collect::<Vec<_>>(), [1, 2]);
        assert_ne!(flight.put(message(3, Body::Closed)), first, "the arrival at its place is still to come");
        assert!(flight.arrive(first).is_none());
        assert_eq!(flight.put(message(4, Body::Closed)), first);
        assert!(flight.arrive(second).is_none());
    }

    #[test]
    fn what_has_arrived_and_waits_for_its_reader_is_not_lost_any_more() {
        let mut flight = Flight::default();
        let place = flight.put(Message { is_read_late: true, ..message(1, Body::Open) });
        assert!(flight.take(|_| true).is_empty());
        assert!(flight.arrive(place).is_some());
    }
}
