//! Histories that nobody recorded: broken, told in another order, or made up of lines of real ones.
//!

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::generate::{self, Profile, Seed};
use crate::history::keyhole;
use crate::world::World;

const OUTSIDE: [Channel; 5] = [Channel::Calls, Channel::Events, Channel::Status, Channel::Process, Channel::Link];

/// What somebody who sees these channels records of a seed.
fn history(seed: u64, observes: Channels) -> String {
    let scenario = generate::scenario(Seed { profile: Profile::Swarm, number: seed });
    let run = crate::run(&scenario, World::Event).expect("every seed runs");
    keyhole::history(&scenario, observes, &run.trace)
}

/// How a line is broken, at a place given in thousandths of its length.
#[derive(Clone, Debug)]
enum Break {
    Cut,
    Insert(&'static str),
    Remove,
    Twice,
    Drop,
    /// One of its fields says what the same field of another line says, or something else.
    Field(Option<Value>),
}

fn breaks() -> impl Strategy<Value = (Break, usize)> {
    let bits = prop::sample::select(vec![
        "\"",
        "{",
        "}",
        "null",
        "-1",
        "1e999",
        "18446744073709551615",
        "[]",
        "\\",
        "\u{0}",
        "\u{fc}",
        "true",
        ",",
        ":",
    ]);
    let values = prop_oneof![
        Just(Value::Null),
        any::<u64>().prop_map(Value::from),
        (-5_i64..5).prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        "[a-z_]{0,12}".prop_map(Value::from),
        Just(Value::Array(vec![])),
    ];
    let how = prop_oneof![
        Just(Break::Cut),
        bits.prop_map(Break::Insert),
        Just(Break::Remove),
        Just(Break::Twice),
        Just(Break::Drop),
        Just(Break::Field(None)),
        Just(Break::Field(None)),
        Just(Break::Field(None)),
        values.prop_map(|value| Break::Field(Some(value))),
    ];
    (how, 0..1_000_usize)
}

/// The line with one field changed: to this value, or to that of another line.
fn with_field(line: &str, other: &str, value: Option<&Value>, place: usize) -> String {
    let parsed = |line: &str| serde_json::from_str::<serde_json::Map<String, Value>>(line).ok();
    let (Some(mut object), Some(other)) = (parsed(line), parsed(other)) else { return line.to_owned() };
    let Some(key) = object.keys().nth(place % object.len().max(1)).cloned() else { return line.to_owned() };
    match value.or_else(|| other.get(&key)) {
        Some(value) => object.insert(key, value.clone()),
        None => object.remove(&key),
    };
    Value::from(object).to_string()
}

fn broken(history: &str, how: &[(Break, usize)], each: usize) -> String {
    let lines: Vec<&str> = history.lines().collect();
    let mut broken = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        let (how, place) = &how[number % how.len()];
        if number % each != 0 {
            broken.push((*line).to_owned());
            continue;
        }
        let mut at = line.len() * place / 1_000;
        while !line.is_char_boundary(at) {
            at -= 1;
        }
        let (before, after) = line.split_at(at);
        match how {
            Break::Cut => broken.push(before.to_owned()),
            Break::Insert(bit) => broken.push(format!("{before}{bit}{after}")),
            Break::Remove => broken.push(before.chars().chain(after.chars().skip(1)).collect()),
            Break::Twice => broken.extend([(*line).to_owned(), (*line).to_owned()]),
            Break::Drop => {}
            Break::Field(value) => {
                broken.push(with_field(line, lines[(number + place) % lines.len()], value.as_ref(), *place));
            }
        }
    }
    broken.join("\n")
}

/// The lines in another order, each at most as late as clocks may be apart; those of one actor stay in theirs.
fn shuffled(lines: &[&str], skew: u64, dice: &[u64]) -> Vec<String> {
    let mut last: BTreeMap<String, u64> = BTreeMap::new();
    let mut keyed: Vec<(u64, &str)> = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        let object: Value = serde_json::from_str(line).expect("a line");
        let actor = object["actor"].as_str().unwrap_or_default().to_owned();
        let at = object["at_us"].as_u64().expect("an instant");
        let last = last.entry(actor).or_default();
        *last = (*last).max(at + dice[number % dice.len()] % (skew + 1));
        // What is said at the end is said at the end.
        keyed.push((if object["what"] == "end" { u64::MAX } else { *last }, line));
    }
    keyed.sort_by_key(|(at, _)| *at);
    keyed.into_iter().map(|(_, line)| line.to_owned()).collect()
}

proptest! {
    #![proptest_config(crate::scenario::fixed_seed::cases(64))]

    /// However a line is broken, it is a mistake or an event, and never a panic.
    #[test]
    fn a_broken_history_is_answered(
        seed in 0..5_000_u64,
        all in any::<bool>(),
        how in prop::collection::vec(breaks(), 7..30),
        each in 1..20_usize,
    ) {
        let history = history(seed, if all { Channels::ALL } else { Channels::of(&OUTSIDE) });
        let judgement = judge_text(&broken(&history, &how, each));
        // What is bad is said, and then nothing is judged.
        let is_bad = !judgement.mistakes.is_empty();
        prop_assert_eq!(is_bad, judgement.verdict() == Verdict::Unreadable);
    }

    /// Lines of different actors may stand in any order within what their clocks can be apart.
    #[test]
    fn lines_that_are_shuffled_within_the_skew_are_judged_the_same(
        seed in 0..5_000_u64,
        skew in 1..80_u64,
        dice in prop::collection::vec(any::<u64>(), 31..60),
    ) {
        let skew_us = skew * 1_000;
        let history = history(seed, Channels::of(&OUTSIDE));
        let (head, rest) = history.split_once('\n').expect("a head");
        let head = head.replacen('{', &format!(r#"{{"skew":"{skew}ms","#), 1);
        let lines: Vec<&str> = rest.lines().collect();
        let answers = |lines: &[String]| {
            let judgement = judge_text(&format!("{head}\n{}", lines.join("\n")));
            assert_eq!(judgement.mistakes, []);
            (judgement.verdict(), judgement.breaches.len())
        };
        let straight: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        prop_assert_eq!(answers(&shuffled(&lines, skew_us, &dice)), answers(&straight));
    }
}
