//! Whether what is drawn at random is drawn from all of its range (CONN-2).
//!
//! One draw tells nothing. Sixteen that all lie in the same quarter of their ranges are no chance: of a billion runs of
//! sixteen it happens in one. So it is with forty that all lie in the same half.

use std::time::Duration;

/// How many draws are looked at together.
const DRAWS: u32 = 16;

/// How many in a row are too many for one half.
const IN_A_ROW: u32 = 40;

/// Of a narrower range a quarter is no more than what clocks and percentages are cut to.
const WIDTH_MIN: Duration = Duration::from_millis(20);

/// The draws of one kind, as they come.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Evenly {
    drawn: u32,
    in_first: u32,
    in_last: u32,
    /// How many of late were in the lower half, or in the upper one.
    lower: u32,
    upper: u32,
}

impl Evenly {
    /// One more draw, from this range. In which part of it the last ones all were, if they were.
    pub(super) fn drawn(&mut self, draw: Duration, (shortest, longest): (Duration, Duration)) -> Option<&'static str> {
        let quarter = longest.saturating_sub(shortest) / 4;
        if quarter * 4 < WIDTH_MIN {
            return None;
        }
        let is_lower = draw < shortest + quarter * 2;
        (self.lower, self.upper) = if is_lower { (self.lower + 1, 0) } else { (0, self.upper + 1) };
        if self.lower.max(self.upper) == IN_A_ROW {
            *self = Evenly::default();
            return Some(if is_lower { "lower half" } else { "upper half" });
        }
        self.drawn += 1;
        self.in_first += u32::from(draw < shortest + quarter);
        self.in_last += u32::from(draw + quarter > longest);
        if self.drawn < DRAWS {
            return None;
        }
        let Evenly { in_first, in_last, lower, upper, .. } = std::mem::take(self);
        (self.lower, self.upper) = (lower, upper);
        match (in_first, in_last) {
            (DRAWS, _) => Some("first quarter"),
            (_, DRAWS) => Some("last quarter"),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_always_short_or_long_is_seen() {
        let range = (Duration::from_millis(100), Duration::from_millis(500));
        let last = |millis: fn(u64) -> u64| {
            let mut evenly = Evenly::default();
            (0..16).map(|number| evenly.drawn(Duration::from_millis(millis(number)), range)).last().flatten()
        };
        assert_eq!(last(|_| 100), Some("first quarter"));
        assert_eq!(last(|_| 500), Some("last quarter"));
        assert_eq!(last(|number| 100 + 25 * number), None);
        assert_eq!(last(|number| if number == 7 { 200 } else { 199 }), None);
    }

    #[test]
    fn what_is_only_spread_to_one_side_is_seen() {
        let range = (Duration::from_millis(100), Duration::from_millis(500));
        let found = |millis: fn(u64) -> u64| {
            let mut evenly = Evenly::default();
            (0..80).find_map(|number| evenly.drawn(Duration::from_millis(millis(number)), range))
        };
        assert_eq!(found(|number| 300 + number * 7 % 40 * 5), Some("upper half"));
        assert_eq!(found(|number| 100 + number * 7 % 40 * 5), Some("lower half"));
        assert_eq!(found(|number| if number % 40 == 39 { 120 } else { 300 + number * 7 % 40 * 5 }), None);
    }

    #[test]
    fn a_narrow_range_tells_nothing() {
        let range = (Duration::from_millis(100), Duration::from_millis(101));
        let mut evenly = Evenly::default();
        assert!((0..64).all(|_| evenly.drawn(range.0, range).is_none()));
    }
}
