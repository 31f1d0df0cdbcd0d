//! Spans of time as people write them: `250us`, `1.5s`, `1m30s`, `7d`. One way for configurations, scenarios and
//! command lines.
//!
//! Exact to the microsecond both ways. Whether a span makes sense where it stands is for whoever reads it to say.

use std::time::Duration;

/// Each unit with its microseconds, the longest first.
const UNITS: [(&str, u64); 6] =
    [("d", 86_400_000_000), ("h", 3_600_000_000), ("m", 60_000_000), ("s", 1_000_000), ("ms", 1_000), ("us", 1)];

/// The longest span, in microseconds: 36,500 days, about a century.
pub const MICROS_MAX: u64 = 36_500 * 86_400_000_000;

/// The span of time written so, if it is one: numbers with units, the longest unit first, at most a century.
///
/// ```
/// use std::time::Duration;
/// use gatecrash::span::parse;
///
/// assert_eq!(parse("1m30s"), Some(Duration::from_secs(90)));
/// assert_eq!(parse("90"), None);
/// ```
pub fn parse(text: &str) -> Option<Duration> {
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

/// The form that parses to exactly this span, to the microsecond, if it is at most a century.
///
/// ```
/// assert_eq!(gatecrash::span::written(std::time::Duration::from_millis(1_500)), "1.5s");
/// ```
pub fn written(span: Duration) -> String {
    let micros = u64::try_from(span.as_micros()).unwrap_or(u64::MAX);
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

#[cfg(test)]
mod tests {
    use super::*;

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
            assert_eq!(parse(text), expected, "{text:?}");
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
            assert_eq!(written(Duration::from_micros(micros)), text);
        }
    }
}
