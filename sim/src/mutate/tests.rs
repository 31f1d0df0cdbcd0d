//! Every mutant may be run and written down, and every mutation is drawn.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

const COST_MAX: u64 = 20_000;

fn pair(parent: u64, donor: u64) -> (Scenario, Scenario) {
    (generate::scenario(parent), generate::scenario(donor))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_mutant_is_a_scenario_like_any_other(parent in 0..300_u64, donor in 0..300_u64, number: u64) {
        let (parent, donor) = pair(parent, donor);
        if let Some(Mutant { scenario, changes }) = mutant(&parent, &donor, number, COST_MAX) {
            let parsed = Scenario::parse("mutant.toml", &scenario.to_string());
            prop_assert_eq!(parsed.as_ref(), Ok(&scenario), "{:?}", changes);
            prop_assert!(!changes.is_empty() && scenario.expectations.is_empty());
        }
    }
}

/// Each by itself: what `reads_back` refuses would only be drawn again, for nothing.
#[test]
fn hardly_any_mutation_is_refused() {
    for mutation in &MUTATIONS {
        let mut refused = Vec::new();
        for number in 0..40 {
            let (mut scenario, donor) = pair(number, number + 1);
            (mutation.change)(&mut scenario, &donor, &mut Draw::new(number, "test", mutation.name));
            settle(&mut scenario);
            if !scenario.reads_back() {
                refused.push(number);
            }
        }
        assert!(refused.is_empty(), "{}: {refused:?}", mutation.name);
    }
}

#[test]
fn the_same_number_draws_the_same_mutant_and_each_mutation_is_drawn() {
    let (parent, donor) = pair(3, 4);
    let mut drawn = BTreeSet::new();
    for number in 0..200 {
        let one = mutant(&parent, &donor, number, COST_MAX);
        if number < 20 {
            assert_eq!(one, mutant(&parent, &donor, number, COST_MAX));
        }
        drawn.extend(one.map(|one| one.changes).unwrap_or_default());
    }
    assert_eq!(drawn, names().collect());
}

#[test]
fn a_script_without_steps_can_be_mutated_too() {
    let (mut parent, donor) = pair(3, 4);
    parent.steps.clear();
    assert!((0..20).any(|number| mutant(&parent, &donor, number, COST_MAX).is_some()));
}

/// Faults end with the script; a latency does not.
#[test]
fn no_mutant_leaves_a_link_that_nobody_bears() {
    for number in 0..300 {
        let (parent, donor) = pair(number, number + 1);
        let Some(Mutant { scenario, .. }) = mutant(&parent, &donor, number, COST_MAX) else { continue };
        for site in scenario.sites.keys() {
            let last = scenario.steps.iter().rev().find_map(|step| match &step.action {
                Action::Fault(Fault::Latency { site: of, latency }) if of == site => Some(latency.max),
                _ => None,
            });
            assert!(last.is_none_or(|last| last <= LATENCY_MAX), "{number}: {site} with {last:?}");
        }
    }
}
