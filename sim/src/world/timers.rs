//! How late a device's timers fire. The same in every world.

use std::time::Duration;

use gatecrash::time::Instant;

/// Whether a device's operating system gathers its timers, since when and over how long.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Timers {
    since: Instant,
    by: Duration,
}

impl Timers {
    /// From now on they are gathered over so long; over nothing, they fire when they are due.
    pub(super) fn gather(&mut self, now: Instant, by: Duration) {
        *self = Timers { since: now, by };
    }

    /// Whether they may be late.
    pub(super) fn are_late(&self) -> bool {
        !self.by.is_zero()
    }

    /// When one that is due then fires.
    pub(super) fn fires_at(&self, due: Instant) -> Instant {
        if !self.are_late() || due <= self.since {
            return due.max(self.since);
        }
        let (by, waits) = (self.by.as_micros(), (due - self.since).as_micros());
        let micros = u64::try_from(waits.div_ceil(by) * by).unwrap_or(u64::MAX);
        self.since + Duration::from_micros(micros)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_that_are_gathered_fire_together_and_at_most_so_late() {
        let at = Instant::from_micros;
        let mut timers = Timers::default();
        assert_eq!(timers.fires_at(at(7)), at(7));
        timers.gather(at(10), Duration::from_micros(5));
        assert_eq!([9, 10, 11, 15, 16].map(|due| timers.fires_at(at(due))), [10, 10, 15, 15, 20].map(at));
        timers.gather(at(12), Duration::ZERO);
        assert_eq!([11, 13].map(|due| timers.fires_at(at(due))), [12, 13].map(at));
    }
}
