//! The network that a device is on, and the box on the way that forgets idle connections.
//!
//! Carries nothing: both worlds use it to tell living connections from those that are dead, of which nobody is told.

use std::time::Duration;

use gatecrash::time::Instant;

/// A site, and how often the device had moved before: a connection that was made over an earlier network is dead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Network {
    /// The site, by its place among the scenario's.
    pub(super) site: usize,
    /// How many networks the device was on before.
    pub(super) number: u32,
}

/// What a box on the way, such as a carrier's address translation, knows of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Memory {
    last_passed: Instant,
    is_lost: bool,
}

impl Memory {
    /// A connection that was just made.
    pub(super) const fn new(now: Instant) -> Self {
        Memory { last_passed: now, is_lost: false }
    }

    /// Whether the connection is forgotten.
    pub(super) const fn is_lost(&self) -> bool {
        self.is_lost
    }

    /// Whether what is sent now gets through, from either end. Once the connection was idle for `forgets_idle`
    /// nothing does any more.
    pub(super) fn passes(&mut self, now: Instant, forgets_idle: Duration) -> bool {
        self.is_lost |= now - self.last_passed >= forgets_idle;
        if !self.is_lost {
            self.last_passed = now;
        }
        !self.is_lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_idle_for_so_long_is_forgotten_for_ever() {
        let (at, span) = (Instant::from_micros, Duration::from_micros(10));
        let mut memory = Memory::new(at(0));
        assert!(memory.passes(at(9), span));
        assert!(memory.passes(at(18), span));
        assert!(!memory.passes(at(28), span));
        assert!(!memory.passes(at(29), span));
    }
}
