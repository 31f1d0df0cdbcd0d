//! Seconds since 1970 as a date that people read.
//!
//! UTC and whole seconds only, and nothing reads dates back.

use std::fmt;

const DAY: u64 = 24 * 60 * 60;

/// The years 2000 to 2399, for one, and every 400 years like them: 400 × 365 days and 97 leap days.
const DAYS_OF_400_YEARS: u64 = 400 * 365 + 97;

/// Seconds since 1970, shown as `1700000060 (2023-11-14T22:14:20Z)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seconds(pub u64);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil(self.0 / DAY);
        let second = self.0 % DAY;
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(f, "{} ({year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z)", self.0)
    }
}

/// Year, month and day of a day counted from 1970-01-01.
///
/// Counts from 0000-03-01 instead, 719,468 days earlier: years that begin in March end with their
/// leap day, so that the lengths of the months before it never differ.
fn civil(days_since_1970: u64) -> (u64, u64, u64) {
    let days = days_since_1970 + 719_468;
    let (era, day_of_era) = (days / DAYS_OF_400_YEARS, days % DAYS_OF_400_YEARS);
    // Taking out the leap days before it (one in 4 years of 1461 days, none in the 100th, again one
    // in the 400th) leaves a count in which every year has 365 days.
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    // The months from March on are 31 30 31 30 31 days, twice over: 153 days in 5.
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_that_are_known() {
        for (seconds, date) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_700_000_060, "2023-11-14T22:14:20Z"),
            (1_704_067_199, "2023-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(Seconds(seconds).to_string(), format!("{seconds} ({date})"));
        }
    }

    #[test]
    fn every_day_of_eight_centuries_follows_the_one_before() {
        let leap = |year: u64| year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
        let (mut year, mut month, mut day) = (1970, 1, 1);
        for days in 0..2 * DAYS_OF_400_YEARS {
            assert_eq!(civil(days), (year, month, day));
            let length = match month {
                2 => 28 + u64::from(leap(year)),
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            day += 1;
            if day > length {
                (month, day) = (month + 1, 1);
            }
            if month > 12 {
                (year, month) = (year + 1, 1);
            }
        }
        assert_eq!((year, month, day), (2770, 1, 1));
    }

    #[test]
    fn the_last_second_there_is_has_a_date() {
        assert_eq!(Seconds(u64::MAX).to_string(), "18446744073709551615 (584554051223-11-09T07:00:15Z)");
    }
}
