//! Every bug is caught, quickly enough for every `cargo test`: on a seed that is known to show it.

use std::collections::BTreeSet;
use std::time::Duration;

use super::hard::known::{HARD_DRIVERS_KNOWN, HARD_KNOWN};
use super::known::{DRIVERS_KNOWN, KNOWN};
use super::*;
use crate::check::property;
use crate::scenario::rules::RuleId;

#[test]
fn every_bug_has_a_name_of_its_own_and_properties_that_exist() {
    let scenario = generate::scenario(0);
    let sentences: BTreeSet<&str> = property::all(&scenario, Duration::ZERO)
        .iter()
        .map(|property| property.name())
        .chain([NOT_CONVERGED, PANICKED])
        .collect();
    let all = || [BUGS, DRIVER_BUGS, HARD_BUGS, HARD_DRIVER_BUGS, OPEN_BUGS].into_iter().flatten();
    let ids: BTreeSet<&str> = all().map(|bug| bug.id).collect();
    assert_eq!(ids.len(), all().count());
    let known: BTreeSet<&str> = RuleId::all().map(RuleId::as_str).collect();
    for bug in BUGS {
        assert!(!bug.rules().is_empty(), "{} breaks no rule", bug.id);
    }
    assert!(rules::RULES.iter().all(|(id, rules)| ids.contains(id) && rules.iter().all(|rule| known.contains(rule))));
    for bug in all() {
        assert!(!bug.right.is_empty(), "{} is named by no property", bug.id);
        for sentence in bug.right {
            assert!(sentences.contains(sentence), "{}: there is no property \"{sentence}\"", bug.id);
        }
    }
    let known = (1..=35).map(|number| format!("F{number:02}")).chain((1..=6).map(|number| format!("D{number}")));
    known.for_each(|id| assert!(ids.contains(&id[..]), "{id} is missing"));
    assert!(ids.iter().filter(|id| id.starts_with('Z')).count() >= 16);
}

/// Bugs that the models see, each with a seed that is known to show it: of decisions, of what is sent, of
/// what is kept.
const SEEN_BY_MODELS: [(&str, u64); 41] = [
    ("F02", 7),
    ("F03", 4),
    ("F06", 11),
    ("F07", 1),
    ("F12", 1),
    ("F13", 5),
    ("F14", 0),
    ("F15", 0),
    ("F16", 12),
    ("F17", 12),
    ("F18", 7),
    ("F20", 9),
    ("F21", 2),
    ("F24b", 1),
    ("F25", 11),
    ("F26", 0),
    ("F27", 0),
    ("F28", 13),
    ("F29", 2),
    ("F30", 15),
    ("D2", 2),
    ("D4", 8),
    ("D5", 0),
    ("Z07", 7),
    ("Z08", 5),
    ("Z09", 9),
    ("Z10", 13),
    ("Z13", 52),
    ("Z14", 16),
    ("Z15", 5),
    ("Z17", 19),
    ("Z21", 11),
    ("Z22", 81),
    ("Z26", 0),
    ("Z31", 1),
    ("Z32", 1),
    ("Z36", 7),
    ("Z39", 0),
    ("Z40", 0),
    ("Z41", 46),
    ("Z48", 17),
];

/// Whether the models say on their own that this seed's run is wrong.
fn models_name(bug: &Bug, seed: u64) -> bool {
    let scenario = generate::scenario(seed);
    let mut checks = Checks::with(&scenario, Duration::ZERO, property::models(&scenario, Duration::ZERO).into());
    let run = caught(|| event::watch_with(&scenario, &mut checks, (bug.system)()).map(|_| ()));
    matches!(run, Ok(Ok(()))) && !checks.violations().is_empty()
}

/// Broken decisions of every kind, each seen without any of the other properties.
#[test]
fn the_models_alone_see_what_is_wrong() {
    let scenario = generate::scenario(0);
    assert_eq!(property::models(&scenario, Duration::ZERO).map(|property| property.name()), MODELS);
    let is_unseen = |(id, seed): &(&str, u64)| !models_name(Bug::find(id).expect("a bug of the zoo"), *seed);
    let unseen: Vec<(&str, u64)> = SEEN_BY_MODELS.into_iter().filter(is_unseen).collect();
    assert_eq!(unseen, []);
}

/// A property that ought to name the bug does so on the seed that is known to show it; the unbroken system
/// passes the same seed.
fn is_named_on_its_seed(bugs: &[Bug], known: &[(&str, u64)], part: usize, parts: usize) {
    assert_eq!(known.iter().map(|(id, _)| *id).collect::<Vec<_>>(), bugs.iter().map(|bug| bug.id).collect::<Vec<_>>());
    for (bug, &(_, seed)) in bugs.iter().zip(known).skip(part).step_by(parts) {
        let scenario = generate::scenario(bug.seed(seed));
        let catch = Catch { seed, seeds: 1, named: named(bug, &scenario), steps: scenario.steps.len() };
        let of_right = |by: &Fingerprint| Catch { named: vec![by.clone()], ..catch.clone() }.is_right(bug);
        assert!(catch.named.iter().any(of_right), "{} is named on seed {seed} by {:?}", bug.id, catch.named);
        assert_eq!(false_alarm(bug.world(), seed), None, "seed {seed}");
    }
}

#[test]
fn each_bug_is_named_on_a_seed_even_ones() {
    is_named_on_its_seed(BUGS, KNOWN, 0, 2);
}

#[test]
fn each_bug_is_named_on_a_seed_odd_ones() {
    is_named_on_its_seed(BUGS, KNOWN, 1, 2);
}

#[test]
fn each_hard_bug_is_named_on_a_seed_even_ones() {
    is_named_on_its_seed(HARD_BUGS, HARD_KNOWN, 0, 2);
}

#[test]
fn each_hard_bug_is_named_on_a_seed_odd_ones() {
    is_named_on_its_seed(HARD_BUGS, HARD_KNOWN, 1, 2);
}

#[test]
fn each_hard_bug_of_a_driver_is_named_on_a_seed() {
    is_named_on_its_seed(HARD_DRIVER_BUGS, HARD_DRIVERS_KNOWN, 0, 1);
}

/// In the packet world, where drivers run.
#[test]
fn each_bug_of_a_driver_is_named_on_a_seed() {
    assert!(DRIVER_BUGS.iter().all(|bug| bug.world() == World::Packet) && BUGS[0].world() == World::Event);
    is_named_on_its_seed(DRIVER_BUGS, DRIVERS_KNOWN, 0, 1);
}

/// Where a consequence shows at the same moment, or sooner, the first sentence names a rule that is broken all the same.
#[test]
fn the_first_sentence_names_the_rule_and_not_what_comes_of_it() {
    for id in ["F10", "F23", "Z03", "Z05", "Z23", "Z34", "Z66", "Z70", "C1"] {
        let bug = Bug::find(id).expect("it is in the zoo");
        let (_, seed) = KNOWN.iter().find(|(known, _)| *known == id).expect("each has a seed");
        let named = named(bug, &generate::scenario(bug.seed(*seed)));
        let rule = named[0].rule().map(RuleId::as_str);
        assert!(rule.is_some_and(|rule| bug.rules().contains(&rule)), "{id} on seed {seed}: {rule:?}, {}", named[0]);
    }
}
