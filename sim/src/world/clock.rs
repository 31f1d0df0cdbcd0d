//! Wall clocks that are off, jump and drift, as a function of simulated time.
//!
//! The server's decides what tickets are worth; a device's decides nothing (TICKET-7).

use gatecrash::time::{Instant, WallTime};

use crate::scenario::Offset;

/// One wall clock.
///
/// ```
/// use gatecrash::time::{Instant, WallTime};
/// use gatecrash_sim::{scenario::Offset, world::clock::WallClock};
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
