//! Which event of the one text is which of the other.
//!
//! Only the order of one actor's lines means something (docs/trace.md), so each actor's are aligned on their own: what a
//! latency moves past another's lines has not moved. First by what an event is without its numbers; what is left between
//! two that match, by its actor and word; and then by all but its word, in case that was renamed.

use std::collections::{BTreeMap, BTreeSet};

use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::parse::{Event, is_number};

/// Positions before and after: both, or of what is only there in one of the two texts.
pub type Pair = (Option<usize>, Option<usize>);

/// Pairs the events of two texts. Every position is in one pair.
pub fn align(before: &[Event], after: &[Event]) -> Vec<Pair> {
    let actors: BTreeSet<&str> = before.iter().chain(after).map(Event::actor).collect();
    let mut pairs = Vec::new();
    for actor in actors {
        let of = |events: &[Event]| {
            let positions = events.iter().enumerate().filter(|(_, event)| event.actor() == actor);
            positions.map(|(position, _)| position).collect::<Vec<usize>>()
        };
        by(0, before, after, &of(before), &of(after), &mut pairs);
    }
    pairs
}

/// What has to be equal for two events to be a pair, in this pass.
fn key(pass: usize, event: &Event) -> String {
    let values = || {
        let fields = event.fields.iter().filter(|field| !is_number(&field.value));
        fields.map(|field| format!("{}={}", field.name, field.value)).collect::<Vec<_>>().join(" ")
    };
    match pass {
        0 => format!("{}|{}|{}", event.who, event.word, values()),
        1 => format!("{}|{}", event.who, event.word),
        _ => format!("{}|{}", event.who, values()),
    }
}

const PASSES: usize = 3;

fn by(pass: usize, before: &[Event], after: &[Event], old: &[usize], new: &[usize], pairs: &mut Vec<Pair>) {
    if pass == PASSES || old.is_empty() || new.is_empty() {
        pairs.extend(old.iter().map(|position| (Some(*position), None)));
        pairs.extend(new.iter().map(|position| (None, Some(*position))));
        return;
    }
    let mut numbers = BTreeMap::new();
    let mut keys = |events: &[Event], positions: &[usize]| {
        let mut keys = Vec::new();
        for position in positions {
            let next = numbers.len();
            keys.push(*numbers.entry(key(pass, &events[*position])).or_insert(next));
        }
        keys
    };
    let (old_keys, new_keys) = (keys(before, old), keys(after, new));
    for op in capture_diff_slices(Algorithm::Myers, &old_keys, &new_keys) {
        let (olds, news) = (&old[op.old_range()], &new[op.new_range()]);
        match op {
            DiffOp::Equal { .. } => pairs.extend(olds.iter().zip(news).map(|(old, new)| (Some(*old), Some(*new)))),
            _ => by(pass + 1, before, after, olds, news, pairs),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse::parse;
    use super::super::renames::Renames;
    use super::*;

    fn lines(before: &str, after: &str) -> Vec<(Option<usize>, Option<usize>)> {
        let parse = |text| parse(text, &Renames::default());
        let mut pairs = align(&parse(before), &parse(after));
        pairs.sort();
        pairs
    }

    #[test]
    fn what_passes_another_actors_line_has_not_moved() {
        let before = "    0.030  a -> server  login call=2\n    0.031  b -> server  login call=2\n";
        let after = "    0.031  b -> server  login call=2\n    0.035  a -> server  login call=2\n";
        assert_eq!(lines(before, after), [(Some(0), Some(1)), (Some(1), Some(0))]);
    }

    #[test]
    fn a_new_value_and_a_new_word_find_their_line() {
        let before = "    0.030  a  x by=one\n    0.031  a  y by=two\n    0.032  a  z by=me\n";
        let after = "    0.030  a  x by=two\n    0.031  a  y by=two\n    0.032  a  zz by=me\n";
        assert_eq!(lines(before, after), [(Some(0), Some(0)), (Some(1), Some(1)), (Some(2), Some(2))]);
    }

    #[test]
    fn what_is_only_in_one_text_has_no_partner() {
        assert_eq!(
            lines("    0.030  a  x\n", "    0.030  a  x\n    0.031  a  y n=1\n"),
            [(None, Some(1)), (Some(0), Some(0))]
        );
        assert_eq!(lines("    0.030  a  x\n", ""), [(Some(0), None)]);
    }
}
