//! A measured quantity or a ratio of two, in a unit that fits its size; and the bounds on it.

use std::fmt;

/// Something to compare with a bound.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Quantity {
    /// A time in seconds.
    Seconds(f64),
    /// An amount of memory in bytes.
    Bytes(f64),
    /// How many seeds in a second.
    Seeds(f64),
    /// How many logins in a second.
    Logins(f64),
    /// How many lines in a second.
    Lines(f64),
    /// Our time as a part, or a multiple, of another.
    Ratio(f64),
    /// How many times faster we are.
    Faster(f64),
    /// A part of our own time, from 0 to 1.
    Share(f64),
}

impl Quantity {
    /// The number alone, in the unit that [`Quantity::unit`] names.
    pub fn value(self) -> f64 {
        match self {
            Quantity::Seconds(value)
            | Quantity::Bytes(value)
            | Quantity::Seeds(value)
            | Quantity::Logins(value)
            | Quantity::Lines(value)
            | Quantity::Ratio(value)
            | Quantity::Faster(value)
            | Quantity::Share(value) => value,
        }
    }

    /// What the number counts, for programs.
    pub fn unit(self) -> &'static str {
        match self {
            Quantity::Seconds(_) => "seconds",
            Quantity::Bytes(_) => "bytes",
            Quantity::Seeds(_) => "seeds_per_second",
            Quantity::Logins(_) => "logins_per_second",
            Quantity::Lines(_) => "lines_per_second",
            Quantity::Ratio(_) => "ratio",
            Quantity::Faster(_) => "times_faster",
            Quantity::Share(_) => "share",
        }
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match *self {
            Quantity::Seconds(value) => scaled(value, &[(1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns")]),
            Quantity::Bytes(value) => {
                scaled(value, &[(f64::from(1 << 30), "GiB"), (f64::from(1 << 20), "MiB"), (1024.0, "KiB")])
            }
            Quantity::Seeds(value) | Quantity::Logins(value) | Quantity::Lines(value) => {
                format!("{}/s", three_digits(value))
            }
            Quantity::Ratio(value) => three_digits(value),
            Quantity::Faster(value) => format!("{}×", three_digits(value)),
            Quantity::Share(value) => format!("{} %", three_digits(value * 100.0)),
        };
        f.pad(&text)
    }
}

/// In the largest unit that leaves a one before the point, else in the smallest.
fn scaled(value: f64, units: &[(f64, &str)]) -> String {
    let fits = units.iter().find(|(size, _)| value >= *size);
    let (size, unit) = fits.or(units.last()).expect("there are units");
    format!("{} {unit}", three_digits(value / size))
}

/// Three digits that count, without zeros at the end; thousands in groups.
fn three_digits(value: f64) -> String {
    let places = match value.abs() {
        value if value >= 100.0 => 0,
        value if value >= 10.0 => 1,
        value if value >= 1.0 => 2,
        _ => 3,
    };
    let text = format!("{value:.places$}");
    match text.split_once('.') {
        Some((whole, part)) => match part.trim_end_matches('0') {
            "" => whole.to_owned(),
            part => format!("{whole}.{part}"),
        },
        None => grouped(&text),
    }
}

/// Digits with a comma before each three.
pub fn grouped(digits: &str) -> String {
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// What a quantity has to keep to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    /// This or less.
    AtMost(Quantity),
    /// Less than this.
    Under(Quantity),
    /// This or more.
    AtLeast(Quantity),
}

impl Bound {
    /// Whether the quantity keeps to it. Both are of one kind.
    pub fn holds(self, quantity: Quantity) -> bool {
        assert_eq!(quantity.unit(), self.quantity().unit(), "a bound is compared with what it bounds");
        match self {
            Bound::AtMost(most) => quantity.value() <= most.value(),
            Bound::Under(limit) => quantity.value() < limit.value(),
            Bound::AtLeast(least) => quantity.value() >= least.value(),
        }
    }

    /// Where it is.
    pub fn quantity(self) -> Quantity {
        match self {
            Bound::AtMost(quantity) | Bound::Under(quantity) | Bound::AtLeast(quantity) => quantity,
        }
    }

    /// Which bound it is, for programs.
    pub fn word(self) -> &'static str {
        match self {
            Bound::AtMost(_) => "at_most",
            Bound::Under(_) => "under",
            Bound::AtLeast(_) => "at_least",
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self {
            Bound::AtMost(_) => '≤',
            Bound::Under(_) => '<',
            Bound::AtLeast(_) => '≥',
        };
        f.pad(&format!("{sign} {}", self.quantity()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_in_a_unit_that_fits() {
        for (quantity, text) in [
            (Quantity::Seconds(0.0), "0 ns"),
            (Quantity::Seconds(2.345_6e-7), "235 ns"),
            (Quantity::Seconds(1.5e-6), "1.5 µs"),
            (Quantity::Seconds(0.0421), "42.1 ms"),
            (Quantity::Seconds(1.0), "1 s"),
            (Quantity::Seconds(179.6), "180 s"),
            (Quantity::Bytes(4.0 * 1024.0 * 1024.0 * 1024.0), "4 GiB"),
            (Quantity::Bytes(2.5 * 1024.0 * 1024.0), "2.5 MiB"),
            (Quantity::Seeds(12_345.6), "12,346/s"),
            (Quantity::Logins(96.04), "96/s"),
            (Quantity::Ratio(1.0 / 3.0), "0.333"),
            (Quantity::Ratio(0.2), "0.2"),
            (Quantity::Faster(5_000.0), "5,000×"),
            (Quantity::Share(0.3), "30 %"),
        ] {
            assert_eq!(quantity.to_string(), text);
        }
    }

    #[test]
    fn bounds_hold_up_to_where_they_say() {
        let second = Quantity::Seconds(1.0);
        assert!(Bound::AtMost(second).holds(second) && Bound::AtLeast(second).holds(second));
        assert!(!Bound::Under(second).holds(second));
        assert!(Bound::Under(second).holds(Quantity::Seconds(0.999)));
        assert!(!Bound::AtMost(second).holds(Quantity::Seconds(1.001)));
        assert!(!Bound::AtLeast(second).holds(Quantity::Seconds(0.999)));
        assert_eq!(Bound::AtLeast(Quantity::Seeds(1_000.0)).to_string(), "≥ 1,000/s");
    }

    #[test]
    #[should_panic(expected = "compared with what it bounds")]
    fn a_bound_is_not_compared_with_another_kind() {
        Bound::AtMost(Quantity::Ratio(1.0)).holds(Quantity::Seconds(0.5));
    }
}
