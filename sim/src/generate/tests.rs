//! What a seed means, how much it spends, and that its scenario is one like any other.

use std::collections::BTreeSet;

use sha2::{Digest as _, Sha256};

use super::{Profile, Seed, budget, is_soak, scenario};
use crate::scenario::{Action, Fault, Scenario};
use crate::trace::{Cast, Recorder};
use crate::world::event;

const SEEDS: u64 = 300;

fn seeds() -> impl Iterator<Item = u64> {
    (0..SEEDS).filter(|&seed| !is_soak(seed))
}

fn parsed(scenario: &Scenario) -> Scenario {
    Scenario::parse("drawn.toml", &scenario.to_string()).unwrap_or_else(|diagnosis| panic!("{diagnosis}"))
}

/// What happens, as one number.
fn digest(scenario: &Scenario) -> crate::trace::Digest {
    event::watch(scenario, ()).expect("the world runs").0.digest
}

#[test]
fn a_drawn_scenario_prints_as_a_file_that_parses_to_it() {
    for seed in 0..SEEDS {
        let drawn = scenario(seed);
        assert_eq!(parsed(&drawn), drawn, "seed {seed}");
    }
}

#[test]
fn what_was_printed_and_parsed_runs_identically() {
    for seed in seeds().filter(|&seed| budget(seed) < 2_000).take(25) {
        let drawn = scenario(seed);
        assert_eq!(digest(&parsed(&drawn)), digest(&drawn), "seed {seed}");
    }
}

/// Draws that go elsewhere, or a generator that was changed: whatever is said of old seeds is void.
#[test]
fn a_seed_means_the_same_until_somebody_says_otherwise() {
    let mut sum = Sha256::new();
    for seed in 0..50 {
        sum.update(scenario(seed).to_string());
    }
    let sum: String = sum.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(sum, MEANING, "say so in CHANGELOG.md, and update the figures of README.md");
}

/// The first 50 seeds, summed up.
const MEANING: &str = "93567d6e524bff2b";

#[test]
fn a_seed_spends_about_its_budget() {
    let (mut spent, mut meant, mut over) = (0, 0, Vec::new());
    for seed in seeds() {
        let scenario = scenario(seed);
        let recorder = Recorder::streaming(Cast::of(&scenario));
        event::run(&scenario, &recorder).expect("the world runs");
        let (events, budget) = (recorder.summary().events, budget(seed));
        (spent, meant) = (spent + events, meant + budget);
        if events > 2 * budget {
            over.push((seed, events, budget));
        }
    }
    let number = seeds().count() as u64;
    let shown =
        format!("{} events and a budget of {} on average; over twice theirs {over:?}", spent / number, meant / number);
    assert!((1_500..2_800).contains(&(meant / number)), "{shown}");
    assert!(spent * 10 > meant * 5 && spent * 10 < meant * 12, "{shown}");
    assert!(over.len() as u64 * 100 <= number, "{shown}");
}

/// A family that no seed has is not tested, whatever the ledger says.
#[test]
fn every_kind_of_step_is_drawn() {
    let mut calls = BTreeSet::new();
    let mut faults = BTreeSet::new();
    let mut others = BTreeSet::new();
    for seed in 0..SEEDS {
        for step in scenario(seed).steps {
            match step.action {
                Action::Call { call, .. } => {
                    calls.insert(call.kind().map_or("network_changed", |kind| kind.word()));
                }
                Action::On { event, .. } => {
                    others.insert(format!("on {}", event.word()));
                }
                Action::Raw { conduct, .. } => {
                    others.insert(format!("raw {conduct}"));
                }
                Action::Fault(fault) => {
                    let text = format!("{fault:?}");
                    faults.insert(text.split([' ', '{']).next().expect("a name").to_owned());
                }
                Action::App(_) => {
                    others.insert("app".to_owned());
                }
            }
        }
    }
    assert_eq!(calls.len(), 9, "{calls:?}");
    let not_drawn = crate::scenario::fault::NOT_DRAWN.len();
    assert_eq!(faults.len(), crate::trace::Fault::WORDS.len() - not_drawn, "kinds of faults");
    assert!(others.contains("app") && others.len() > 8, "{others:?}");
}

fn dense(number: u64) -> Scenario {
    scenario(Seed { profile: Profile::Dense, number })
}

/// What a seed costs the packet world is its ticks, and the longest that coming to rest may take is a part of it.
#[test]
fn a_dense_seed_is_short_and_prints_as_any_other() {
    for number in 0..SEEDS {
        let drawn = dense(number);
        assert_eq!(parsed(&drawn), drawn, "dense:{number}");
        let ticks = drawn.until.as_micros() / drawn.tick.as_micros();
        assert!((1_600..=4_000).contains(&ticks), "dense:{number} has {ticks}");
        let events = budget(Seed { profile: Profile::Dense, number });
        assert!((150..=900).contains(&events), "dense:{number} may spend {events}");
    }
}

/// Whatever befalls drivers, in a few hundred seeds; and no clock, which is none of theirs.
#[test]
fn dense_seeds_have_every_fault_of_drivers() {
    let mut faults = BTreeSet::new();
    let (mut strangers, mut pieces, mut windows, mut steps) = (0, 0, 0, 0);
    for number in 0..SEEDS {
        let drawn = dense(number);
        pieces += usize::from(drawn.sites.values().any(|site| site.segments.is_some()));
        windows += usize::from(drawn.sites.values().any(|site| site.window.is_some()));
        steps += drawn.steps.len();
        for step in drawn.steps {
            match step.action {
                Action::Fault(fault) => {
                    let text = format!("{fault:?}");
                    faults.insert(text.split([' ', '{']).next().expect("a name").to_owned());
                }
                Action::Raw { .. } => strangers += 1,
                Action::Call { .. } | Action::On { .. } | Action::App(_) => {}
            }
        }
    }
    let missing = crate::trace::Fault::WORDS.len() - crate::scenario::fault::NOT_DRAWN.len() - faults.len();
    assert_eq!(missing, 2, "skew and drift: {faults:?}");
    assert!(strangers > 20 && pieces > SEEDS as usize / 3 && windows > SEEDS as usize / 3);
    assert!(steps > 10 * SEEDS as usize, "{steps} steps");
}

/// Each seed of the profile loses the server's power while it runs, and starts it again.
#[test]
fn where_power_is_to_be_lost_it_is() {
    for number in 0..SEEDS {
        let drawn = scenario(Seed { profile: Profile::PowerLoss, number });
        let fault = |wanted: &Fault| {
            drawn.steps.iter().position(|step| matches!(&step.action, Action::Fault(fault) if fault == wanted))
        };
        let (lost, started) = (fault(&Fault::PowerLossServer).unwrap(), fault(&Fault::StartServer).unwrap());
        assert!(lost < started, "seed {number}");
        assert!(drawn.until <= std::time::Duration::from_secs(9 * 60), "seed {number}: the packet world pays for time");
    }
    assert_eq!(scenario(7), scenario(Seed { profile: Profile::Swarm, number: 7 }));
}
