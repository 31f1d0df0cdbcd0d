//! Shrinking with failures that are made up: what counts is what a candidate says, not what it does.

use std::collections::BTreeSet;

use super::*;
use crate::check::Evidence;
use crate::generate;
use crate::scenario::{Call, Fault, Step};

fn wanted() -> Fingerprint {
    Fingerprint::Harness("made up".to_owned())
}

/// A look that finds the wanted failure in what this says.
fn fails_if(fails: impl Fn(&Scenario) -> bool) -> impl FnMut(&Scenario) -> Option<Vec<Fingerprint>> {
    move |scenario| Some(if fails(scenario) { vec![Fingerprint::harness("another"), wanted()] } else { Vec::new() })
}

fn has_login(scenario: &Scenario, of: &str) -> bool {
    let is_it = |step: &Step| matches!(cast::called(&step.action), Some(Call::Login { user, .. }) if user == of);
    scenario.steps.iter().any(is_it)
}

fn has_fault(scenario: &Scenario, fits: fn(&Fault) -> bool) -> bool {
    scenario.steps.iter().any(|step| matches!(&step.action, Action::Fault(fault) if fits(fault)))
}

/// A drawn scenario of many steps in which this is so.
fn drawn(fits: impl Fn(&Scenario) -> bool) -> Scenario {
    let mut seeds = (0..2_000).map(generate::scenario);
    seeds.find(|scenario| scenario.steps.len() > 60 && fits(scenario)).expect("some seed has it")
}

#[test]
fn what_does_not_matter_goes() {
    let fails = |scenario: &Scenario| {
        let is_crash = |fault: &Fault| matches!(fault, Fault::CrashServer);
        has_login(scenario, "bob") && has_fault(scenario, is_crash)
    };
    let shrunk = shrink(&drawn(fails), &wanted(), fails_if(fails), RUNS_MAX).unwrap();
    assert_eq!(shrunk.end, End::Smallest);
    let Scenario { steps, devices, sites, tickets, app, limits, until, seed, .. } = &shrunk.scenario;
    assert_eq!((steps.len(), devices.len(), sites.len(), tickets.len()), (2, 1, 1, 0), "{}", shrunk.scenario);
    assert_eq!((app, limits, *seed), (&crate::scenario::App::default(), &Default::default(), 1));
    assert!(until.as_millis() <= 100 && steps.iter().all(|step| step.at.is_zero()), "{}", shrunk.scenario);
    let order: Vec<&str> = shrunk.tried.iter().map(|tried| tried.pass).collect();
    assert_eq!(order.first(), Some(&"ending"));
    assert!(shrunk.tried.iter().map(|tried| tried.kept).sum::<u64>() > 5);
}

#[test]
fn steps_that_go_only_together_go_together() {
    let parity = |scenario: &Scenario| {
        let count = |wanted: fn(&Fault) -> bool| {
            let fits = |step: &&Step| matches!(&step.action, Action::Fault(fault) if wanted(fault));
            scenario.steps.iter().filter(fits).count()
        };
        let kills = count(|fault| matches!(fault, Fault::Kill { .. }));
        let starts = count(|fault| matches!(fault, Fault::Start { .. }));
        kills == starts && has_login(scenario, "alice")
    };
    let scenario =
        drawn(|scenario| parity(scenario) && has_fault(scenario, |fault| matches!(fault, Fault::Kill { .. })));
    let shrunk = shrink(&scenario, &wanted(), fails_if(parity), RUNS_MAX).unwrap();
    assert_eq!(shrunk.scenario.steps.len(), 1, "{}", shrunk.scenario);
}

/// Whoever runs candidates may rely on that: names exist, steps are in order, seats fit the policy.
#[test]
fn every_candidate_is_a_file_and_none_is_run_twice() {
    let mut seen = BTreeSet::new();
    let look = |candidate: &Scenario| {
        let text = candidate.to_string();
        assert_eq!(Scenario::parse("candidate.toml", &text).as_ref(), Ok(candidate));
        assert!(seen.insert(text) || candidate.expectations.is_empty());
        Some(if candidate.steps.len() > 4 { vec![wanted()] } else { Vec::new() })
    };
    let shrunk = shrink(&drawn(|_| true), &wanted(), look, 3_000).unwrap();
    assert_eq!(shrunk.scenario.steps.len(), 5);
    assert_eq!(Scenario::parse("shrunk.toml", &shrunk.scenario.to_string()), Ok(shrunk.scenario));
}

#[test]
fn what_does_not_fail_so_is_not_shrunk() {
    let scenario = drawn(|_| true);
    let passes = shrink(&scenario, &wanted(), |_: &Scenario| Some(Vec::new()), RUNS_MAX);
    assert_eq!(passes.unwrap_err(), Unshrinkable::Passes);
    let other = Fingerprint::harness("another");
    let otherwise = shrink(&scenario, &wanted(), |_: &Scenario| Some(vec![other.clone()]), RUNS_MAX);
    assert_eq!(otherwise.unwrap_err(), Unshrinkable::FailsOtherwise(other));
}

#[test]
fn the_best_so_far_is_kept_when_runs_or_time_are_used_up() {
    let scenario = drawn(|scenario| has_login(scenario, "alice"));
    let shrunk = shrink(&scenario, &wanted(), fails_if(|scenario| has_login(scenario, "alice")), 10).unwrap();
    assert_eq!(shrunk.end, End::Budget);
    assert!(shrunk.scenario.steps.len() < scenario.steps.len());
    let mut left = 5;
    let stopped = shrink(
        &scenario,
        &wanted(),
        |_: &Scenario| {
            left -= 1;
            (left > 0).then(|| vec![wanted()])
        },
        RUNS_MAX,
    );
    assert_eq!(stopped.unwrap().end, End::Budget);
}

#[test]
fn the_title_says_what_is_broken_and_what_happens() {
    let property = "nothing breaks";
    let rule = crate::scenario::rules::rule("KICK-1");
    let fingerprint = Fingerprint::Property { property, rule, evidence: Evidence::Event("told") };
    let fails = |scenario: &Scenario| has_login(scenario, "bob");
    let look = |scenario: &Scenario| Some(if fails(scenario) { vec![fingerprint.clone()] } else { Vec::new() });
    let scenario = shrink(&drawn(fails), &fingerprint, look, RUNS_MAX).unwrap().scenario;
    assert_eq!(scenario.title, "Nothing breaks: login");
    assert_eq!((scenario.rules.as_slice(), stem(&scenario).as_str()), ([rule].as_slice(), "kick_1_login"));
}

/// Four kinds of calls that only go together, one of each: no chunk of neighbours, and no three.
#[test]
fn what_goes_only_by_fours_goes_by_lot() {
    let text = r#"
title = "Two of each"
rules = ["CONN-1"]
seed = 1
devices.phone = { platform = "android", site = "home" }

[script]
until = "20s"
steps = """
0s  phone  login alice
1s  phone  logout
2s  phone  logout
3s  phone  conversations
4s  phone  conversations
5s  phone  network_changed
6s  phone  network_changed
7s  phone  uninit
8s  phone  uninit
"""
"#;
    let fails = |scenario: &Scenario| {
        let count = |wanted: &str| scenario.steps.iter().filter(|step| step.to_string().ends_with(wanted)).count();
        let counts = ["logout", "conversations", "network_changed", "uninit"].map(count);
        counts.iter().all(|count| *count == counts[0]) && has_login(scenario, "alice")
    };
    let scenario = Scenario::parse("fours.toml", text).unwrap();
    let shrunk = shrink(&scenario, &wanted(), fails_if(fails), RUNS_MAX).unwrap();
    assert_eq!(shrunk.scenario.steps.len(), 1, "{}", shrunk.scenario);
    let luck = shrunk.tried.iter().find(|tried| tried.pass == "luck").expect("nothing else helps");
    assert!(luck.kept > 0);
}

/// Nothing less than ten refusals locks: with a lock after one, one will do.
#[test]
fn a_lock_needs_as_few_refusals_as_it_is_told_to() {
    let refused: String = (1..=10).map(|second| format!("{second}s  phone  login alice ticket=bad\n")).collect();
    let text = format!(
        r#"
title = "Locked out"
rules = ["TICKET-4"]
seed = 1
devices.phone = {{ platform = "android", site = "home" }}
tickets.bad = {{ user = "alice", ttl = "1d", forge = "garbage" }}

[script]
until = "20s"
steps = """
{refused}11s  phone  login alice
"""
"#
    );
    let fails = |scenario: &Scenario| {
        let refusals_max = scenario.limits.refusals_max.unwrap_or(10);
        let named = |step: &&Step| step.to_string().ends_with("ticket=bad");
        let refused = scenario.steps.iter().filter(named).count();
        refused == refusals_max as usize && scenario.steps.len() == refused + 1
    };
    let scenario = Scenario::parse("locked.toml", &text).unwrap();
    let shrunk = shrink(&scenario, &wanted(), fails_if(fails), RUNS_MAX).unwrap();
    assert_eq!((shrunk.scenario.steps.len(), shrunk.scenario.limits.refusals_max), (2, Some(1)), "{}", shrunk.scenario);
}
