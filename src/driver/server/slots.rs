//! Which numbers connections go by: dense for the core, never repeated for their tasks and the log.
//!
//! Also who has not said anything yet, and how many come from where: whatever frees a number frees the share of its address.
//! What is said is the core's business.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;

use super::addresses::Addresses;
use super::bounds::Bounds;
use super::connection::{Outbox, Serial};
use super::load::Turned;
use crate::id::ConnectionId;
use crate::time::Instant;

/// The connections, by number.
#[derive(Default)]
pub(super) struct Slots {
    slots: Vec<Option<Slot>>,
    free: BTreeSet<u32>,
    last: u64,
    /// By their numbers, so in the order they came, the slots of those who have not said anything valid.
    silent: BTreeMap<u64, u32>,
    addresses: Addresses,
}

struct Slot {
    number: u64,
    outbox: Arc<Outbox>,
    address: Option<SocketAddr>,
    /// Whether the core still knows it.
    open: bool,
}

impl Slots {
    /// Why nobody else gets in from there at this time (INPUT-8).
    pub(super) fn keeps_out(&mut self, address: SocketAddr, bounds: &Bounds, now: Instant) -> Option<Turned> {
        self.addresses.keeps_out(address, bounds, now)
    }

    /// Gives a new connection the lowest free number.
    pub(super) fn insert(&mut self, outbox: Arc<Outbox>, address: Option<SocketAddr>) -> Serial {
        self.last += 1;
        if let Some(address) = address {
            self.addresses.opened(address);
        }
        let entry = Some(Slot { number: self.last, outbox, address, open: true });
        let slot = match self.free.pop_first() {
            Some(slot) => {
                self.slots[slot as usize] = entry;
                slot
            }
            None => {
                self.slots.push(entry);
                u32::try_from(self.slots.len() - 1).expect("connections are bounded")
            }
        };
        self.silent.insert(self.last, slot);
        Serial { slot, number: self.last }
    }

    /// Something valid was said on this connection.
    pub(super) fn heard(&mut self, serial: Serial) {
        self.silent.remove(&serial.number);
    }

    /// The connection that has been open longest without a valid word.
    pub(super) fn longest_silent(&self) -> Option<ConnectionId> {
        self.silent.values().next().map(|&slot| ConnectionId(slot))
    }

    /// The number that no other connection gets.
    pub(super) fn number(&self, connection: ConnectionId) -> Option<u64> {
        self.slot(connection).map(|slot| slot.number)
    }

    /// How many connections there are.
    pub(super) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// The number of this connection, if the core still knows it.
    pub(super) fn open(&self, serial: Serial) -> Option<ConnectionId> {
        let slot = self.slots.get(serial.slot as usize)?.as_ref()?;
        (slot.open && slot.number == serial.number).then_some(ConnectionId(serial.slot))
    }

    /// Whether the core still knows this connection.
    pub(super) fn is_open(&self, connection: ConnectionId) -> bool {
        self.slot(connection).is_some_and(|slot| slot.open)
    }

    /// The core has forgotten this connection, which keeps its number until it is removed.
    pub(super) fn end(&mut self, connection: ConnectionId) {
        if let Some(slot) = self.slots.get_mut(connection.0 as usize).and_then(Option::as_mut) {
            slot.open = false;
            self.silent.remove(&slot.number);
        }
    }

    /// Somebody was refused on this connection (INPUT-8).
    pub(super) fn refused(&mut self, connection: ConnectionId, now: Instant) {
        if let Some(address) = self.slot(connection).and_then(|slot| slot.address) {
            self.addresses.refused(address, now);
        }
    }

    /// Frees this connection's number, and says what is left to be sent on it.
    pub(super) fn remove(&mut self, connection: ConnectionId) -> Option<Arc<Outbox>> {
        let slot = self.slots.get_mut(connection.0 as usize)?.take()?;
        self.free.insert(connection.0);
        self.silent.remove(&slot.number);
        if let Some(address) = slot.address {
            self.addresses.closed(address);
        }
        Some(slot.outbox)
    }

    /// What goes out on this connection.
    pub(super) fn outbox(&self, connection: ConnectionId) -> Option<Arc<Outbox>> {
        self.slot(connection).map(|slot| Arc::clone(&slot.outbox))
    }

    /// Closes every connection once what was sent on it is out.
    pub(super) fn close_all(&mut self) {
        self.slots.drain(..).flatten().for_each(|slot| slot.outbox.close());
        self.free.clear();
        self.silent.clear();
        self.addresses.all_closed();
    }

    fn slot(&self, connection: ConnectionId) -> Option<&Slot> {
        self.slots.get(connection.0 as usize)?.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_dense_and_late_arrivals_are_told_apart() {
        let mut slots = Slots::default();
        let first_serial = slots.insert(Arc::default(), None);
        let second_serial = slots.insert(Arc::default(), None);
        let first = ConnectionId(0);
        assert_eq!(slots.open(first_serial), Some(first));
        assert_eq!(slots.open(second_serial), Some(ConnectionId(1)));

        slots.end(first);
        assert_eq!(slots.open(first_serial), None);
        assert!(slots.outbox(first).is_some(), "what waits for it may still go out");
        assert_eq!(slots.len(), 2);

        slots.remove(first);
        let third_serial = slots.insert(Arc::default(), None);
        assert_eq!(slots.open(third_serial), Some(first), "the lowest free number is used again");
        assert_eq!(slots.open(first_serial), None, "the first connection's frames are not the third's");
        assert_eq!(slots.open(second_serial), Some(ConnectionId(1)));
        assert_eq!(slots.len(), 2);
    }

    /// INPUT-5: whoever came first and has said nothing goes first; who has said something, or is leaving, does not.
    #[test]
    fn the_longest_silent_is_who_came_first_of_those_who_said_nothing() {
        let mut slots = Slots::default();
        assert_eq!(slots.longest_silent(), None);
        let serials: Vec<Serial> = (0..4).map(|_| slots.insert(Arc::default(), None)).collect();
        slots.heard(serials[0]);
        assert_eq!(slots.longest_silent(), Some(ConnectionId(1)));
        slots.end(ConnectionId(1));
        assert_eq!(slots.longest_silent(), Some(ConnectionId(2)));
        slots.remove(ConnectionId(2));
        let newcomer = slots.insert(Arc::default(), None);
        assert_eq!(newcomer.slot, 2, "the lowest free number");
        assert_eq!(slots.longest_silent(), Some(ConnectionId(3)), "it came before the one with the lower slot");
        slots.heard(serials[3]);
        assert_eq!(slots.longest_silent(), Some(ConnectionId(2)));
        slots.heard(newcomer);
        assert_eq!(slots.longest_silent(), None);
    }
}
