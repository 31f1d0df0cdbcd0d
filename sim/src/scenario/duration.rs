//! Spans of time as a file writes them: `250us`, `1.5s`, `1m30s`, `-1h`, `20ms..60ms`.
//!
//! Exact to the microsecond both ways. Knows nothing of places in a file: `parse` and `line` do.

use std::time::Duration;

use super::{Offset, Span};

/// Each unit with its microseconds, the longest first.
const UNITS: [(&str, u64); 6] =
    [("d", 86_400_000_000), ("h", 3_600_000_000), ("m", 60_000_000), ("s", 1_000_000), ("ms", 1_000), ("us", 1)];

/// The longest span: 36,500 days, about a century.
const MICROS_MAX: u64 = 36_500 * 86_400_000_000;

/// What a span of time looks like.
pub(super) const DURATION: &str = "a span of time such as 250us, 20ms, 1.5s, 1m30s or 7d";

/// What a signed span of time looks like.
pub(super) const OFFSET: &str = "a signed span of time such as -1h, 0s or +2.5s";

/// What a span between two bounds looks like.
pub(super) const SPAN: &str = "a span of time such as 30ms, or a range such as 20ms..60ms";

/// The span of time written so, if it is one: numbers with units, the longest unit first.
pub fn parse_duration(text: &str) -> Option<Duration> {
    if text.is_empty() {
        return None;
    }
    let (mut rest, mut micros) = (text, 0_u64);
    let mut units = UNITS.as_slice();
    while !rest.is_empty() {
        let number_end = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?;
        let (number, tail) = rest.split_at(number_end);
        let unit_end = tail.find(|letter: char| !letter.is_ascii_lowercase()).unwrap_or(tail.len());
        let (unit, next) = tail.split_at(unit_end);
        let position = units.iter().position(|(known, _)| *known == unit)?;
        micros = micros.checked_add(parse_number(number, units[position].1)?)?;
        units = &units[position + 1..];
        rest = next;
    }
    (micros <= MICROS_MAX).then(|| Duration::from_micros(micros))
}

/// `number` units of so many microseconds each; none unless that is a whole number of microseconds.
fn parse_number(number: &str, unit: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    // Twelve digits are more than a day has microseconds: what follows them is less than one.
    let fraction = fraction.trim_end_matches('0');
    let places = u32::try_from(fraction.len()).ok().filter(|places| *places <= 12)?;
    let scaled = u128::from(if places == 0 { 0 } else { fraction.parse::<u64>().ok()? }) * u128::from(unit);
    let divisor = 10_u128.pow(places);
    if !scaled.is_multiple_of(divisor) {
        return None;
    }
    let below_one = u64::try_from(scaled / divisor).expect("less than one unit");
    whole.parse::<u64>().ok()?.checked_mul(unit)?.checked_add(below_one)
}

/// The signed span of time written so, if it is one.
pub(super) fn parse_offset(text: &str) -> Option<Offset> {
    let (negative, span) = match text.strip_prefix('-') {
        Some(span) => (true, span),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let micros = i64::try_from(parse_duration(span)?.as_micros()).ok()?;
    Some(Offset(if negative { -micros } else { micros }))
}

/// The bounds written so, if they are in order: `20ms..60ms`, or one for both.
pub(super) fn parse_span(text: &str) -> Option<Span> {
    let (min, max) = text.split_once("..").unwrap_or((text, text));
    let span = Span { min: parse_duration(min)?, max: parse_duration(max)? };
    (span.min <= span.max).then_some(span)
}

/// The form that parses to exactly this span, to the microsecond.
pub fn print_duration(span: Duration) -> String {
    let micros = u64::try_from(span.as_micros()).expect("a scenario's spans are at most a century");
    let whole_in = |unit: u64| micros.is_multiple_of(unit);
    match micros {
        0 => "0s".to_owned(),
        _ if whole_in(86_400_000_000) => format!("{}d", micros / 86_400_000_000),
        _ if whole_in(3_600_000_000) => format!("{}h", micros / 3_600_000_000),
        _ if whole_in(60_000_000) && micros >= 600_000_000 => format!("{}m", micros / 60_000_000),
        1_000_000.. => format!("{}s", decimal(micros, 6)),
        1_000.. => format!("{}ms", decimal(micros, 3)),
        _ => format!("{micros}us"),
    }
}

/// `micros` over ten to the power of `places`, without needless zeros.
fn decimal(micros: u64, places: u32) -> String {
    let unit = 10_u64.pow(places);
    let fraction = format!("{:0width$}", micros % unit, width = places as usize);
    match fraction.trim_end_matches('0') {
        "" => (micros / unit).to_string(),
        fraction => format!("{}.{fraction}", micros / unit),
    }
}

/// The form that parses to exactly this offset.
pub(super) fn print_offset(offset: Offset) -> String {
    let sign = if offset.0 < 0 { "-" } else { "+" };
    match offset.0 {
        0 => "0s".to_owned(),
        micros => format!("{sign}{}", print_duration(Duration::from_micros(micros.unsigned_abs()))),
    }
}

/// The form that parses to exactly these bounds.
pub(super) fn print_span(span: Span) -> String {
    if span.min == span.max {
        return print_duration(span.min);
    }
    format!("{}..{}", print_duration(span.min), print_duration(span.max))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn spans_are_read() {
        for (text, micros) in [
            ("0s", 0),
            ("250us", 250),
            ("1ms", 1_000),
            ("1.5s", 1_500_000),
            ("0.000001s", 1),
            ("2m", 120_000_000),
            ("1m30s", 90_000_000),
            ("3h", 10_800_000_000),
            ("7d", 604_800_000_000),
            ("1d1h1m1s1ms1us", 90_061_001_001),
            ("0.5us0", u64::MAX),
            ("0.5us", u64::MAX),
            ("0.0000001s", u64::MAX),
            ("1.0000000s", 1_000_000),
            ("", u64::MAX),
            ("5", u64::MAX),
            ("s", u64::MAX),
            ("1.s", u64::MAX),
            (".5s", u64::MAX),
            ("1.2.3s", u64::MAX),
            ("30s1m", u64::MAX),
            ("1s1s", u64::MAX),
            ("1 s", u64::MAX),
            ("-1s", u64::MAX),
            ("1S", u64::MAX),
            ("36500d", MICROS_MAX),
            ("36501d", u64::MAX),
            ("99999999999999999999s", u64::MAX),
            ("0.00001m", 600),
            ("0.0000001d", 8_640),
        ] {
            let expected = (micros != u64::MAX).then(|| Duration::from_micros(micros));
            assert_eq!(parse_duration(text), expected, "{text:?}");
        }
    }

    #[test]
    fn spans_print_as_people_write_them() {
        for (micros, text) in [
            (0, "0s"),
            (1, "1us"),
            (1_500, "1.5ms"),
            (250_000, "250ms"),
            (1_500_000, "1.5s"),
            (140_000_000, "140s"),
            (660_000_000, "11m"),
            (661_000_000, "661s"),
            (3_600_000_000, "1h"),
            (604_800_000_000, "7d"),
        ] {
            assert_eq!(print_duration(Duration::from_micros(micros)), text);
        }
    }

    #[test]
    fn offsets_and_bounds_are_read() {
        assert_eq!(parse_offset("-1h"), Some(Offset(-3_600_000_000)));
        assert_eq!(parse_offset("+1ms"), Some(Offset(1_000)));
        assert_eq!(parse_offset("0s"), Some(Offset(0)));
        assert_eq!(parse_offset("--1s"), None);
        assert_eq!(parse_span("1ms"), Some(Span::exactly(Duration::from_millis(1))));
        assert_eq!(parse_span("0ms..2ms"), Some(Span { min: Duration::ZERO, max: Duration::from_millis(2) }));
        for bad in ["2ms..1ms", "1ms..", "..1ms", "1ms...2ms", "1ms..2ms..3ms"] {
            assert_eq!(parse_span(bad), None, "{bad}");
        }
    }

    proptest! {
        #![proptest_config(crate::scenario::fixed_seed::cases(256))]

        #[test]
        fn what_is_printed_is_read_back(micros in 0..=MICROS_MAX, sign in any::<bool>()) {
            let span = Duration::from_micros(micros);
            prop_assert_eq!(parse_duration(&print_duration(span)), Some(span));
            let offset = Offset(if sign { micros as i64 } else { -(micros as i64) });
            prop_assert_eq!(parse_offset(&print_offset(offset)), Some(offset));
        }
    }
}
