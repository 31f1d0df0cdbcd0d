//! Spans of time with a sign or with bounds as a file writes them: `-1h`, `20ms..60ms`. Plain ones are the product's.
//!
//! Exact to the microsecond both ways. Knows nothing of places in a file: `parse` and `line` do.

use std::time::Duration;

pub use gatecrash::span::{parse as parse_duration, written as print_duration};

use super::{Offset, Span};

/// What a span of time looks like.
pub(super) const DURATION: &str = "a span of time such as 250us, 20ms, 1.5s, 1m30s or 7d";

/// What a signed span of time looks like.
pub(super) const OFFSET: &str = "a signed span of time such as -1h, 0s or +2.5s";

/// What a span between two bounds looks like.
pub(super) const SPAN: &str = "a span of time such as 30ms, or a range such as 20ms..60ms";

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
    use gatecrash::span::MICROS_MAX;
    use proptest::prelude::*;

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
