//! Which seeds a night has: every night others, whoever asks.
//!
//! Each day has a block of a billion seeds, counted from 1970, and a night takes the first of its block. So two nights never
//! have a seed in common, also where one is given more seeds than the other.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use chrono::NaiveDate;

/// How many seeds a night may have.
pub const SEEDS_MAX: u64 = 1_000_000_000;

/// The night of a date.
///
/// ```
/// use gatecrash_sim::search::night::Night;
///
/// let night: Night = "2026-11-29".parse().unwrap();
/// assert_eq!(night.seeds(500), 20_787_000_000_000..20_787_000_000_500);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Night(NaiveDate);

/// Why a text names no night.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoNight {
    /// It is no date of the calendar.
    #[error("expected a date of the calendar such as 2026-11-29")]
    NoDate,
    /// Nights before have no seeds.
    #[error("the first night is that of 1970-01-01")]
    TooEarly,
}

impl Night {
    /// So many seeds of it, at most [`SEEDS_MAX`].
    pub fn seeds(self, number: u64) -> Range<u64> {
        // The seeds before the first night are those that people ask for by hand.
        let block = 1 + u64::try_from(self.0.to_epoch_days()).expect("no night is before 1970");
        let first = block * SEEDS_MAX;
        first..first + number.min(SEEDS_MAX)
    }
}

impl FromStr for Night {
    type Err = NoNight;

    fn from_str(text: &str) -> Result<Night, NoNight> {
        let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| NoNight::NoDate)?;
        match date {
            // There is one way to write a night.
            date if date.to_string() != text => Err(NoNight::NoDate),
            date if date.to_epoch_days() < 0 => Err(NoNight::TooEarly),
            date => Ok(Night(date)),
        }
    }
}

impl fmt::Display for Night {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn night(text: &str) -> Night {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    /// The days from the first night on.
    fn day(number: u64) -> Night {
        let date = NaiveDate::from_epoch_days(i32::try_from(number).unwrap()).unwrap();
        night(&date.to_string())
    }

    proptest! {
        #![proptest_config(crate::scenario::fixed_seed::cases(256))]

        #[test]
        fn two_nights_have_no_seed_in_common(one in 0_u64..2_000_000, other in 0_u64..2_000_000, number in 1_u64..) {
            let (mine, theirs) = (day(one).seeds(number), day(other).seeds(SEEDS_MAX));
            prop_assert!(mine.start >= SEEDS_MAX, "these are asked for by hand");
            prop_assert_eq!(mine.start < theirs.end && theirs.start < mine.end, one == other);
        }
    }

    #[test]
    fn nights_follow_one_another() {
        assert_eq!(night("1970-01-01").seeds(5), 1_000_000_000..1_000_000_005);
        assert_eq!(night("2024-02-29").seeds(SEEDS_MAX).end, night("2024-03-01").seeds(1).start);
        assert_eq!(night("9999-12-31").to_string(), "9999-12-31");
    }

    #[test]
    fn what_is_no_night_is_told_why() {
        for text in ["2026-02-30", "2025-02-29", "2026-1-5", "29.11.2026", "tonight", "2026-11-29T10:00", "+2026-11-29"]
        {
            assert_eq!(text.parse::<Night>(), Err(NoNight::NoDate), "{text}");
        }
        assert_eq!("1969-12-31".parse::<Night>(), Err(NoNight::TooEarly));
    }
}
