//! What kind of event one is, as a number: its words, codes and flags, and which fields are there.
//!
//! Who, when, how many and which text are left out, so that two runs that differ in nothing else
//! have the same kinds. The numbers depend on the words of the trace alone: they are the same in every
//! process and build.

use crate::trace::{Value, What};

/// Where every number begins.
const START: u64 = 0x9e37_79b9_7f4a_7c15;

/// Puts one more number to a sum, so that neighbours end far from each other.
pub(super) const fn mixed(sum: u64, number: u64) -> u64 {
    let mixed = (sum ^ number).wrapping_mul(0xff51_afd7_ed55_8ccd);
    mixed ^ (mixed >> 32)
}

/// The kind of this event.
pub(super) fn kind(what: &What) -> u64 {
    let mut sum = mixed(START, what.index() as u64);
    what.fields(&mut |name, value| {
        let part = match value {
            Value::Nothing => 1,
            Value::Flag(flag) => 2 + u64::from(flag),
            // Zero stands for "none" wherever it has a meaning of its own.
            Value::Number(number) => 4 + u64::from(number != 0),
            Value::Signed(number) => 6 + u64::from(number < 0),
            // Who may be displaced by whom follows from it, and that shows in what happens.
            Value::Word(_) if name == "platform" => 8,
            Value::Word(word) => of_word(word),
            Value::Code(code) => mixed(9, u64::from(code.number())),
            Value::Seats(seats) => of_word(seats.policy().word()),
            Value::Seconds(_) | Value::Micros(_) | Value::SignedMicros(_) => 10,
            Value::Attempt(_)
            | Value::Device(_)
            | Value::User(_)
            | Value::Site(_)
            | Value::Ticket(_)
            | Value::Text(_)
            | Value::List(_) => 11,
        };
        sum = mixed(sum, part);
    });
    sum
}

/// Of a word from a closed set its length, its head and its tail say which it is.
fn of_word(word: &str) -> u64 {
    let bytes = word.as_bytes();
    let eight = |part: &[u8]| part.iter().fold(0, |sum: u64, byte| sum << 8 | u64::from(*byte));
    let (head, tail) = (&bytes[..bytes.len().min(8)], &bytes[bytes.len().saturating_sub(8)..]);
    mixed(mixed(bytes.len() as u64, eight(head)), eight(tail))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::trace::{ClientFrame, Effect, Fact, Fault, Outcome, Request, ServerFrame, Told};

    /// Two words of one set that have the same number would be one kind.
    #[test]
    fn every_word_of_the_trace_has_a_number_of_its_own() {
        let tables = [
            What::WORDS,
            Request::WORDS,
            Outcome::WORDS,
            Told::WORDS,
            ClientFrame::WORDS,
            ServerFrame::WORDS,
            Fact::WORDS,
            Fault::WORDS,
            Effect::WORDS,
        ];
        for words in tables {
            let numbers: BTreeSet<u64> = words.iter().map(|word| of_word(word)).collect();
            assert_eq!(numbers.len(), words.len(), "{words:?}");
        }
    }

    #[test]
    fn neither_numbers_nor_times_make_another_kind() {
        let back_off = |attempt, delay| What::BackOff { attempt, delay: crate::trace::Micros::new(delay) };
        assert_eq!(kind(&back_off(1, 250_000)), kind(&back_off(7, 64_000_000)));
        assert_ne!(kind(&What::Connected { connection: 3 }), kind(&What::ConnectFailed { connection: 3 }));
    }
}
