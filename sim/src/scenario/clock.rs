//! Wall clocks that are off, jump and drift, as a function of simulated time.
//!
//! The server's decides what tickets are worth; a device's decides nothing (TICKET-7).

use gatecrash::time::{Instant, WallTime};

use super::Offset;

/// One wall clock.
///
/// ```
/// use gatecrash::time::{Instant, WallTime};
/// use gatecrash_sim::{scenario::Offset, scenario::clock::WallClock};
///
/// let mut clock = WallClock::new(WallTime::from_seconds(1_000), Offset(0));
/// let later = Instant::from_micros(10_000_000);
/// clock.drift(Instant::ZERO, 100_000);
/// assert_eq!(clock.at(later).seconds(), 1_011);
/// clock.skew(later, Offset(-5_000_000));
/// assert_eq!(clock.at(later).seconds(), 1_006);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WallClock {
    // What it showed at the last change, and how fast it runs since.
    since: Instant,
    shown: WallTime,
    ppm: i32,
}

impl WallClock {
    /// A clock that shows `start`, off by `offset`, at the start.
    pub fn new(start: WallTime, offset: Offset) -> Self {
        WallClock { since: Instant::ZERO, shown: offset.from(start), ppm: 0 }
    }

    /// What it shows at `now`.
    pub fn at(&self, now: Instant) -> WallTime {
        let elapsed = i128::from((now - self.since).as_micros() as u64);
        let shown = i128::from(self.shown.as_micros()) + elapsed + elapsed * i128::from(self.ppm) / 1_000_000;
        WallTime::from_micros(u64::try_from(shown.max(0)).unwrap_or(u64::MAX))
    }

    /// When a clock that runs fast may show what a true one would show at `at`. Of one that runs slow,
    /// or true, that is `at`.
    pub fn soonest(&self, now: Instant, at: Instant) -> Instant {
        if self.ppm <= 0 {
            return at;
        }
        let pace = 1_000_000 + u128::from(self.ppm.unsigned_abs());
        let span = u128::from((at - now).as_micros() as u64) * 1_000_000;
        now + std::time::Duration::from_micros(span.div_ceil(pace) as u64)
    }

    /// Makes it jump.
    pub fn skew(&mut self, now: Instant, by: Offset) {
        self.shown = by.from(self.at(now));
        self.since = now;
    }

    /// Makes it run this many millionths fast from now on.
    pub fn drift(&mut self, now: Instant, ppm: i32) {
        self.shown = self.at(now);
        self.since = now;
        self.ppm = ppm;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever waits for a second on the wall is there when a fast clock shows it, and not before.
    #[test]
    fn a_fast_clock_is_waited_for_no_longer_than_it_takes() {
        let mut clock = WallClock::new(WallTime::from_seconds(1_000), Offset(0));
        let at = |seconds: u64| Instant::from_micros(seconds * 1_000_000);
        assert_eq!(clock.soonest(at(5), at(90)), at(90));
        clock.drift(Instant::ZERO, -500);
        assert_eq!(clock.soonest(at(5), at(90)), at(90));
        clock.drift(Instant::ZERO, 250_000);
        let soonest = clock.soonest(Instant::ZERO, at(100));
        assert_eq!((soonest, clock.at(soonest).seconds()), (at(80), 1_100));
    }
}
