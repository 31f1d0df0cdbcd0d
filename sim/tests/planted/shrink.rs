//! Seeds that meet a planted bug, made small: what is left fails in the same way, and can be read.

use gatecrash_sim::generate;
use gatecrash_sim::scenario::Scenario;
use gatecrash_sim::search::fingerprint::{Fingerprint, seen};
use gatecrash_sim::search::shrink;
use gatecrash_sim::world::{World, event};

use super::*;

/// What goes wrong in the scenario with these decisions.
fn found<S: ServerDecisions, C: ClientDecisions>(scenario: &Scenario) -> Vec<Fingerprint> {
    seen(scenario, World::Event.tick(scenario), |scenario, recorder| {
        event::run_with(scenario, recorder, (S::default(), C::default()))
    })
}

/// Shrinks the first seed from this one on that meets the bug: so many steps or fewer are left.
fn shrunk<S: ServerDecisions, C: ClientDecisions>(first_seed: u64, steps_max: usize) {
    let seeds = first_seed..first_seed + SEEDS_MAX;
    let mut drawn = seeds.map(generate::scenario).filter(|scenario| scenario.steps.len() <= STEPS_DRAWN_MAX);
    let found_in = |scenario: Scenario| {
        let fingerprint = found::<S, C>(&scenario).into_iter().next()?;
        Some((scenario, fingerprint))
    };
    let (scenario, fingerprint) = drawn.find_map(found_in).expect("a seed meets the bug");
    assert_eq!(seen(&scenario, World::Event.tick(&scenario), event::run), [], "a false alarm");
    let shrunk = shrink::shrink(&scenario, &fingerprint, |scenario: &Scenario| Some(found::<S, C>(scenario)), RUNS_MAX)
        .expect("it failed a moment ago");
    let text = shrunk.scenario.to_string();
    assert!(shrunk.scenario.steps.len() <= steps_max, "{} steps\n{text}", shrunk.scenario.steps.len());
    let parsed = Scenario::parse("shrunk.toml", &text).unwrap_or_else(|diagnosis| panic!("{diagnosis}"));
    assert!(found::<S, C>(&parsed).contains(&fingerprint), "{fingerprint}\n{text}");
    assert_eq!((parsed.rules.first().copied(), parsed.expectations.len()), (fingerprint.rule(), 0));
}

/// Runs without optimisation take their time: long scripts are left to the sweep.
const STEPS_DRAWN_MAX: usize = 60;

/// How far a seed that meets a bug is looked for.
const SEEDS_MAX: u64 = 5_000;

/// Enough for all of these.
const RUNS_MAX: u64 = 4_000;

macro_rules! shrinks {
    ($($test:ident: $server:ty, $client:ty, $first_seed:literal => $steps:literal;)+) => { $(
        #[test]
        fn $test() {
            shrunk::<$server, $client>($first_seed, $steps);
        }
    )+ };
}

shrinks! {
    two_winners: NobodyGoes, Rules, 0 => 2;
    an_arbitrary_victim: AnyoneGoes, Rules, 0 => 6;
    // The policy under which the group is wrong is set by a step of its own.
    a_wrong_group: WrongGroup, Rules, 0 => 3;
    an_early_death_of_a_ticket: TicketDiesEarly, Rules, 0 => 6;
    a_resume_that_takes_the_seat: ResumeTakesTheSeat, Rules, 60 => 6;
    one_leaves_all_leave: OneLeavesAllLeave, Rules, 0 => 6;
    every_login_counted: EveryLoginCounts, Rules, 10 => 3;
    kicked_and_back: Rules, ReconnectsForEver, 0 => 6;
    deaf_to_kicks: Rules, DeafToKicks, 0 => 6;
    an_expired_ticket_retried: Rules, RefusalIsRetried, 0 => 6;
    a_slow_back_off: Rules, SlowBackOff, 10 => 6;
    the_former_list: Rules, FormerList, 0 => 6;
    attempts_that_stand_still: Rules, AttemptsStandStill, 0 => 6;
}
