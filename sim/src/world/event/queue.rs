//! The one queue: what is to happen, in the order of time.
//!
//! Knows no event's meaning. Two things due at one instant come in the order of their class, and
//! within it in the order in which they were put in, so that the order is total.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use gatecrash::time::Instant;

/// What goes first at one instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    /// What a step put off until now.
    Owed,
    /// Steps that befall links, the server, clocks and the app.
    World,
    /// Steps of devices.
    Device,
    /// Devices carry out what they were asked to do.
    CarryOut,
    /// What arrives.
    Input,
    /// Timers.
    Timer,
}

/// How many bits of a place in the order are left to the sequence.
const SEQUENCE_BITS: u32 = 60;

/// Things of kind `Due`, the earliest first.
pub(super) struct Queue<Due> {
    heap: BinaryHeap<Reverse<Entry<Due>>>,
    sequence: u64,
}

struct Entry<Due> {
    at: Instant,
    /// The class above the sequence: one comparison decides.
    order: u64,
    due: Due,
}

impl<Due> Queue<Due> {
    pub(super) fn new() -> Self {
        Queue { heap: BinaryHeap::new(), sequence: 0 }
    }

    pub(super) fn push(&mut self, at: Instant, class: Class, due: Due) {
        self.sequence += 1;
        let order = (class as u64) << SEQUENCE_BITS | self.sequence;
        self.heap.push(Reverse(Entry { at, order, due }));
    }

    pub(super) fn pop(&mut self) -> Option<(Instant, Due)> {
        self.heap.pop().map(|Reverse(entry)| (entry.at, entry.due))
    }
}

impl<Due> PartialEq for Entry<Due> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl<Due> Eq for Entry<Due> {}

impl<Due> PartialOrd for Entry<Due> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<Due> Ord for Entry<Due> {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_comes_first_then_the_class_then_the_order_of_putting_in() {
        let mut queue = Queue::new();
        let at = Instant::from_micros;
        queue.push(at(2), Class::Owed, "last");
        queue.push(at(1), Class::Timer, "timer");
        queue.push(at(1), Class::Input, "first input");
        queue.push(at(1), Class::Input, "second input");
        queue.push(at(1), Class::Device, "call");
        queue.push(at(1), Class::World, "fault");
        queue.push(at(1), Class::CarryOut, "what was asked for");
        queue.push(at(1), Class::Owed, "owed");
        let order: Vec<&str> = std::iter::from_fn(|| queue.pop()).map(|(_, due)| due).collect();
        let expected = ["owed", "fault", "call", "what was asked for", "first input", "second input", "timer", "last"];
        assert_eq!(order, expected);
    }
}
