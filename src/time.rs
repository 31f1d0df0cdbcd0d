//! The two kinds of time: a monotonic instant and a wall-clock time, both in whole microseconds.
//!
//! Reads no clock. A driver or a simulated world says what time it is, with every input.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The seconds of a UTC day.
const DAY: u64 = 24 * 60 * 60;

/// A point of monotonic time, in microseconds since an origin its owner chose.
///
/// Heartbeats, back-off and timeouts run on it. It goes on while a device is suspended.
///
/// ```
/// use std::time::Duration;
/// use gatecrash::time::Instant;
///
/// let start = Instant::from_micros(5_000_000);
/// assert_eq!((start + Duration::from_secs(2)) - start, Duration::from_secs(2));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Instant(u64);

impl Instant {
    /// The origin.
    pub const ZERO: Instant = Instant(0);

    /// The instant so many microseconds after the origin.
    pub const fn from_micros(micros: u64) -> Self {
        Instant(micros)
    }

    /// Microseconds since the origin.
    pub const fn as_micros(self) -> u64 {
        self.0
    }
}

impl Add<Duration> for Instant {
    type Output = Instant;
    fn add(self, span: Duration) -> Instant {
        Instant(self.0.saturating_add(micros(span)))
    }
}

impl Sub for Instant {
    type Output = Duration;
    /// The span from `earlier` to `self`; zero if `earlier` is later.
    fn sub(self, earlier: Instant) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}", self.0 / 1_000_000, self.0 % 1_000_000 / 1_000)
    }
}

/// A time of day and date, in microseconds since 1970-01-01 00:00 UTC. It may jump.
///
/// Tickets, days, dormancy and the seven days of PRES-1 run on the server's.
///
/// ```
/// use gatecrash::time::WallTime;
///
/// let noon = WallTime::from_seconds(1_700_000_000);
/// assert_eq!(noon.seconds(), 1_700_000_000);
/// assert_eq!(noon.day(), 19_675);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct WallTime(u64);

impl WallTime {
    /// The time so many whole seconds after 1970.
    pub const fn from_seconds(seconds: u64) -> Self {
        WallTime(seconds.saturating_mul(1_000_000))
    }

    /// The time so many microseconds after 1970.
    pub const fn from_micros(micros: u64) -> Self {
        WallTime(micros)
    }

    /// Microseconds since 1970.
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// Whole seconds since 1970, cut, never rounded: the *now* of tickets and days.
    pub const fn seconds(self) -> u64 {
        self.0 / 1_000_000
    }

    /// The UTC day, counted from 1970-01-01.
    pub const fn day(self) -> u32 {
        (self.seconds() / DAY) as u32
    }
}

impl Add<Duration> for WallTime {
    type Output = WallTime;
    fn add(self, span: Duration) -> WallTime {
        WallTime(self.0.saturating_add(micros(span)))
    }
}

impl Sub for WallTime {
    type Output = Duration;
    /// The span from `earlier` to `self`; zero if `earlier` is later.
    fn sub(self, earlier: WallTime) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

/// What a driver says with every input: the time on both clocks.
///
/// ```
/// use gatecrash::time::{Instant, Now, WallTime};
///
/// let now = Now { instant: Instant::ZERO, wall: WallTime::from_seconds(1_700_000_000) };
/// assert_eq!(now.instant_of(WallTime::from_seconds(1_700_000_003)).as_micros(), 3_000_000);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Now {
    /// The monotonic clock.
    pub instant: Instant,
    /// The wall clock.
    pub wall: WallTime,
}

impl Now {
    /// When the wall clock will show `wall`, if it runs on without a jump. Not before now.
    pub fn instant_of(self, wall: WallTime) -> Instant {
        self.instant + (wall - self.wall)
    }

    /// What the wall clock will show at `instant`, if it runs on without a jump. Not before now.
    pub fn wall_of(self, instant: Instant) -> WallTime {
        self.wall + (instant - self.instant)
    }
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}
