//! What features are made of: neither names nor times, and the same in every run.

use std::collections::BTreeSet;
use std::time::Duration;

use super::*;
use crate::generate;
use crate::scenario::Scenario;
use crate::world::event;

fn features(scenario: &Scenario) -> BTreeSet<Feature> {
    let watch = event::watch(scenario, (Coverage::default(), Sometimes::default()));
    let (_, (coverage, sometimes)) = watch.expect("the world runs");
    coverage.finish(&sometimes).into_iter().collect()
}

const SCENARIO: &str = r#"
title = "A phone displaces another that has lost its link"
rules = ["POLICY-3"]
seed = 1
devices.one = { platform = "android", site = "home" }
devices.two = { platform = "android", site = "office" }

[script]
until = "300s"
steps = """
1s   one    login alice
5s   fault  partition home
6s   two    login alice
9s   fault  repair home
20s  two    send alice "hello"
"""
"#;

fn parsed(text: &str) -> Scenario {
    Scenario::parse("features.toml", text).unwrap_or_else(|diagnosis| panic!("{diagnosis}"))
}

#[test]
fn a_run_has_the_same_features_whenever_it_is_made() {
    let scenario = generate::scenario(7);
    let one = features(&scenario);
    assert!(one.len() > 50, "{}", one.len());
    assert_eq!(one, features(&scenario));
    assert_ne!(one, features(&generate::scenario(8)));
}

#[test]
fn nobody_s_name_makes_a_difference() {
    let renamed = SCENARIO.replace("one", "zebra").replace("two", "ant").replace("alice", "bob");
    let renamed = renamed.replace("office", "attic").replace("hello", "good night");
    assert_eq!(features(&parsed(SCENARIO)), features(&parsed(&renamed)));
}

#[test]
fn the_time_makes_no_difference() {
    let mut later = parsed(SCENARIO);
    later.steps.iter_mut().for_each(|step| step.at += Duration::from_secs(17));
    later.until += Duration::from_secs(17);
    let start = later.app.start.as_micros() + 1_000_000_000;
    later.app.start = gatecrash::time::WallTime::from_seconds(start / 1_000_000);
    assert_eq!(features(&parsed(SCENARIO)), features(&later));
}

#[test]
fn what_happens_otherwise_has_other_features() {
    let without = SCENARIO.replace("5s   fault  partition home\n", "").replace("9s   fault  repair home\n", "");
    let (cut, whole) = (features(&parsed(SCENARIO)), features(&parsed(&without)));
    assert!(cut.difference(&whole).count() > 3 && whole.difference(&cut).count() > 3);
}

/// What is new is to be rare, and not so rare that there is nothing to keep.
#[test]
fn new_features_become_rare() {
    let mut known = BTreeSet::new();
    let mut with_new = Vec::new();
    for seed in 0..120 {
        let before = known.len();
        known.extend(features(&generate::scenario(seed)));
        with_new.push(known.len() > before);
    }
    let count = |part: &[bool]| part.iter().filter(|is_new| **is_new).count();
    let shown = format!("{} features; new in {:?}", known.len(), with_new.chunks(40).map(count).collect::<Vec<_>>());
    assert!(count(&with_new[80..]) < count(&with_new[..40]), "{shown}");
    assert!(known.len() < FEATURES / 10, "{shown}");
}
