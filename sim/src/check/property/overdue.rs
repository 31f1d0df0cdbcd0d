//! How late something is, in words: since when and since what it was due, how long it may take, how late it is.
//!
//! Decides of nothing whether it is late: each property does, with the tolerances of its run.

use std::fmt;
use std::time::Duration;

use gatecrash::time::Instant;

/// Something that has not happened by the time it should have.
pub(super) struct Overdue<'a> {
    /// What it counts from: `its last frame`.
    pub(super) since: &'a str,
    /// When that was.
    pub(super) at: Instant,
    /// How long it may take from then on.
    pub(super) limit: Duration,
    /// When it is seen to be late.
    pub(super) now: Instant,
}

impl fmt::Display for Overdue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Overdue { since, at, limit, now } = *self;
        let due = at + limit;
        let late = if now > due { now - due } else { Duration::ZERO };
        let (limit, late) = (limit.as_secs_f64(), late.as_secs_f64());
        if limit == 0.0 {
            write!(f, "due at once since {since} at {at} s, {late:.3} s late")
        } else {
            write!(f, "since {since} at {at} s, at most {limit:.3} s, due at {due} s, {late:.3} s late")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Instant {
        Instant::from_micros(millis * 1_000)
    }

    #[test]
    fn it_says_since_what_and_when_the_limit_and_how_late() {
        let mut overdue =
            Overdue { since: "its last", at: at(12_300), limit: Duration::from_secs(45), now: at(60_500) };
        let said = "since its last at 12.300 s, at most 45.000 s, due at 57.300 s, 3.200 s late";
        assert_eq!(overdue.to_string(), said);
        overdue.limit = Duration::ZERO;
        assert_eq!(overdue.to_string(), "due at once since its last at 12.300 s, 48.200 s late");
    }
}
