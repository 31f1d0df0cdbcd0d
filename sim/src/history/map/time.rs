//! Instants as logs write them, in microseconds.

use chrono::DateTime;
use serde_json::Value;

use super::convert::text_of;

macro_rules! units {
    ($($(#[$doc:meta])+ $name:ident = $word:literal, $said:literal;)+) => {
        /// How a log writes instants.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Unit { $($(#[$doc])+ $name,)+ }

        impl Unit {
            /// The words of a map for them.
            pub(super) const WORDS: [&str; [$($word),+].len()] = [$($word),+];

            /// The one of this word.
            pub(super) fn of(word: &str) -> Option<Unit> {
                match word { $($word => Some(Unit::$name),)+ _ => None }
            }

            /// What a value has to be.
            pub(super) const fn said(self) -> &'static str {
                match self { $(Unit::$name => $said,)+ }
            }
        }
    };
}

units! {
    /// Seconds since some instant of the log's own.
    Seconds = "s", "a number of seconds";
    /// Milliseconds since it.
    Millis = "ms", "a number of milliseconds";
    /// Microseconds since it.
    Micros = "us", "a number of microseconds";
    /// Seconds since 1970.
    EpochSeconds = "epoch_s", "a number of seconds since 1970";
    /// Milliseconds since 1970.
    EpochMillis = "epoch_ms", "a number of milliseconds since 1970";
    /// Microseconds since 1970.
    EpochMicros = "epoch_us", "a number of microseconds since 1970";
    /// A date and a time of day with its offset.
    Rfc3339 = "rfc3339", "an instant such as 2026-11-30T15:04:05.250Z";
}

impl Unit {
    /// Whether instants are those of a wall clock.
    pub(super) const fn is_wall(self) -> bool {
        match self {
            Unit::Seconds | Unit::Millis | Unit::Micros => false,
            Unit::EpochSeconds | Unit::EpochMillis | Unit::EpochMicros | Unit::Rfc3339 => true,
        }
    }

    /// An instant in microseconds, of which parts are left out.
    pub(super) fn micros(self, value: &Value) -> Option<u64> {
        let text = text_of(value);
        match self {
            Unit::Seconds | Unit::EpochSeconds => scaled(&text, 6),
            Unit::Millis | Unit::EpochMillis => scaled(&text, 3),
            Unit::Micros | Unit::EpochMicros => scaled(&text, 0),
            Unit::Rfc3339 => {
                DateTime::parse_from_rfc3339(&text).ok().and_then(|at| u64::try_from(at.timestamp_micros()).ok())
            }
        }
    }
}

/// A decimal number times ten to the power of `digits`. Read by its digits: as a binary fraction it would not be exact.
fn scaled(text: &str, digits: usize) -> Option<u64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits(whole) || !all_digits(part) {
        return None;
    }
    let part = &part[..part.len().min(digits)];
    format!("{whole}{part:0<digits$}").parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_unit_is_read_to_the_microsecond() {
        for (word, value, micros) in [
            ("s", json!(1.5), Some(1_500_000)),
            ("ms", json!("250.0625"), Some(250_062)),
            ("us", json!(7), Some(7)),
            ("epoch_s", json!(1_764_500_000.123_456), Some(1_764_500_000_123_456)),
            ("epoch_ms", json!(1_764_500_000_123_u64), Some(1_764_500_000_123_000)),
            ("epoch_us", json!("1764500000123456"), Some(1_764_500_000_123_456)),
            ("rfc3339", json!("2025-11-30T12:53:20.123456+01:00"), Some(1_764_503_600_123_456)),
            ("rfc3339", json!("2025-11-30"), None),
            ("rfc3339", json!("1969-12-31T23:59:59Z"), None),
            ("s", json!(-1), None),
            ("s", json!("1e3"), None),
            ("s", json!("99999999999999"), None),
        ] {
            assert_eq!(Unit::of(word).and_then(|unit| unit.micros(&value)), micros, "{word} {value}");
        }
        assert_eq!(Unit::WORDS.map(|word| Unit::of(word).is_some()), [true; 7]);
    }
}
