//! When a failure became inevitable: how likely it is after each of the steps that led to it.
//!
//! The first steps of a scenario that fails are kept, what follows is drawn anew many times, and those runs are counted
//! that fail in the same way. Where that number leaps, the step that is kept from there on is what made the failure come;
//! what stands before it did not, and what stands behind it did not either. A bisection looks where the number rises
//! most; looking at every step tells the whole curve.
//!
//! All of it follows from the scenario: its seed is what is drawn from, and how many threads there are shows in nothing.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use gatecrash::time::Instant;
use serde::Serialize;

use super::fingerprint::{self, Fingerprint};
use super::workers::Workers;
use crate::Run;
use crate::generate::redrawn;
use crate::scenario::Scenario;
use crate::world::World;

/// How often what follows is drawn when nothing is said.
pub const DRAWS_DEFAULT: u32 = 100;

/// The same for the report of a finding, and of how many events a run may be for that, and of how many ticks where a
/// world steps through time: what is asked of each finding has to be cheap.
const OF_FINDING: (u32, usize, u128) = (20, 10_000, 10_000);

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// A scenario that fails.
    pub scenario: &'a Scenario,
    /// How it fails.
    pub wanted: &'a Fingerprint,
    /// How often what follows is drawn, each time.
    pub draws: u32,
    /// Whether after every step; otherwise where the likelihood rises most, by bisection.
    pub at_all: bool,
}

/// How many runs failed with so many steps kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Point {
    /// How many steps were kept.
    pub kept: usize,
    /// How many of the draws of what follows failed in the same way.
    pub failed: u32,
}

/// The step at which the likelihood rises most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Leap {
    /// Which step, from 1.
    pub step: usize,
    /// How many draws fail that keep what is before it.
    pub before: u32,
    /// How many do that keep it too.
    pub after: u32,
}

/// How likely a failure is after the steps that were looked at.
///
/// ```
/// use gatecrash_sim::search::when::{Answer, Curve, Leap, Point};
///
/// let points = [(0, 2), (1, 3), (2, 99)].map(|(kept, failed)| Point { kept, failed }).to_vec();
/// let curve = Curve { steps: 2, draws: 100, points, is_whole: true };
/// assert_eq!(curve.answer(), Some(Answer::Decided(Leap { step: 2, before: 3, after: 99 })));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Curve {
    /// How many steps the scenario has.
    pub steps: usize,
    /// How often what follows was drawn at each point.
    pub draws: u32,
    /// In the order of the steps. The last is that of the scenario itself, which nothing follows.
    pub points: Vec<Point>,
    /// Whether all was looked at that was asked for.
    pub is_whole: bool,
}

/// What came of it, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Whatever is done, it fails: the first step has no part in it.
    Anyway,
    /// One step makes most of the difference.
    Decided(Leap),
    /// Several steps make it together: this one most of all.
    Gradual(Leap),
}

/// The scenario as far as its failure at this instant, or whole where it does not fail so any more: what comes after it
/// has no part in it, and would have others fail later.
pub fn until_it_failed(
    scenario: &Scenario,
    wanted: &Fingerprint,
    at: Instant,
    see: impl Fn(&Scenario) -> Vec<Fingerprint>,
) -> Scenario {
    let (at, tick) = (Duration::from_micros(at.as_micros()), scenario.tick.as_micros().max(1));
    let until = Duration::from_micros(u64::try_from(at.as_micros().div_ceil(tick) * tick).unwrap_or(u64::MAX));
    if until >= scenario.until {
        return scenario.clone();
    }
    let mut cut = Scenario { until, expectations: Vec::new(), ..scenario.clone() };
    cut.steps.retain(|step| step.at <= at);
    if see(&cut).contains(wanted) { cut } else { scenario.clone() }
}

/// Asks. `see` says how a scenario fails, in the world and system in which this one does; `goes_on` is told now and then
/// how many runs were made, and of how many by now, and says whether to go on.
///
/// ```
/// use gatecrash_sim::generate::scenario;
/// use gatecrash_sim::search::fingerprint::Fingerprint;
/// use gatecrash_sim::search::when::{Question, ask};
/// use gatecrash_sim::search::workers::{Workers, cores};
///
/// let scenario = scenario(8);
/// let third = scenario.steps[2].clone();
/// let wanted = Fingerprint::NotConverged("planted".to_owned());
/// let see = {
///     let wanted = wanted.clone();
///     move |scenario: &gatecrash_sim::scenario::Scenario| match scenario.steps.contains(&third) {
///         true => vec![wanted.clone()],
///         false => Vec::new(),
///     }
/// };
/// let question = Question { scenario: &scenario, wanted: &wanted, draws: 10, at_all: false };
/// let curve = ask(&question, &Workers::new(cores()), see, |_, _| true);
/// assert_eq!(curve.leap().map(|leap| leap.step), Some(3));
/// ```
pub fn ask(
    question: &Question<'_>,
    workers: &Workers,
    see: impl Fn(&Scenario) -> Vec<Fingerprint> + Clone + Send + Sync + 'static,
    goes_on: impl Fn(u64, u64) -> bool,
) -> Curve {
    let steps = question.scenario.steps.len();
    let known = Arc::new((question.scenario.clone(), question.wanted.clone()));
    let mut runs = 0;
    // None when it is not to go on; so many points more are to come.
    let mut failed_at = |kept: usize, more: usize| {
        let draws = u64::from(question.draws);
        let all = runs + draws + more as u64 * draws;
        let (see, known, count) = (see.clone(), Arc::clone(&known), Cell::new(runs));
        let fails = move |&draw: &u64| see(&redrawn(&known.0, kept, draw)).contains(&known.1);
        let done =
            workers.all((0..draws).collect(), fails, |_| count.set(count.get() + 1), || goes_on(count.get(), all));
        runs = count.get();
        let failed = done.iter().filter(|fails| **fails).count();
        let failed = u32::try_from(failed).expect("no more than the draws");
        (done.len() as u64 == draws).then_some(Point { kept, failed })
    };

    let mut points = vec![Point { kept: steps, failed: question.draws }];
    let mut is_whole = true;
    let mut next = (steps > 0).then_some(0);
    while let Some(kept) = next {
        let more = if question.at_all { steps - kept - 1 } else { halvings(&points, steps) };
        let Some(point) = failed_at(kept, more) else {
            is_whole = false;
            break;
        };
        points.insert(points.partition_point(|other| other.kept < kept), point);
        next = match question.at_all {
            true => (kept + 1 < steps).then_some(kept + 1),
            false => between(&points).filter(|_| !is_anyway(points[0].failed, question.draws)),
        };
    }
    Curve { steps, draws: question.draws, points, is_whole }
}

/// Asks for the report of a finding, of the smallest scenario that fails so, whose run this is. Nothing where that would
/// take long, or where there are no two steps to tell apart.
pub fn ask_of_finding(
    scenario: &Scenario,
    wanted: &Fingerprint,
    world: World,
    run: &Run,
    workers: &Workers,
) -> Option<Curve> {
    let (draws, events_max, ticks_max) = OF_FINDING;
    let ticks = match world {
        World::Event => 0,
        World::Packet => scenario.until.as_micros() / scenario.tick.as_micros().max(1),
    };
    if scenario.steps.len() < 2 || run.trace.events.len() > events_max || ticks > ticks_max {
        return None;
    }
    let see = move |scenario: &Scenario| {
        fingerprint::seen(scenario, world.tick(scenario), |scenario, recorder| world.run(scenario, recorder))
    };
    let question = Question { scenario, wanted, draws, at_all: false };
    Some(ask(&question, workers, see, |_, _| true))
}

/// How many more points a bisection takes after the next one.
fn halvings(points: &[Point], steps: usize) -> usize {
    let span = widest(points).map_or(steps, |(low, high)| high.kept - low.kept);
    (span.max(1).next_power_of_two().ilog2() as usize).saturating_sub(usize::from(points.len() > 1))
}

/// Where to look next: in the middle of where it rises most, until there is nothing between.
fn between(points: &[Point]) -> Option<usize> {
    let (low, high) = widest(points)?;
    (high.kept - low.kept > 1).then(|| low.kept + (high.kept - low.kept) / 2)
}

/// Between which points it rises most; the first of those that rise as much.
fn widest(points: &[Point]) -> Option<(Point, Point)> {
    let pairs = points.windows(2).map(|pair| (pair[0], pair[1]));
    pairs.rev().max_by_key(|(low, high)| i64::from(high.failed) - i64::from(low.failed))
}

/// Whether a scenario of which no step is kept fails so often that no step can make much of a difference.
fn is_anyway(failed: u32, draws: u32) -> bool {
    u64::from(failed) * 10 >= u64::from(draws) * 9
}

impl Curve {
    /// The step at which it rises most, of those that were looked at; the first of those at which it rises as much.
    pub fn leap(&self) -> Option<Leap> {
        let pairs = self.points.windows(2).filter(|pair| pair[0].kept + 1 == pair[1].kept);
        let leaps = pairs.map(|pair| Leap { step: pair[1].kept, before: pair[0].failed, after: pair[1].failed });
        leaps.rev().max_by_key(|leap| i64::from(leap.after) - i64::from(leap.before))
    }

    /// What it says; nothing when too little was looked at.
    pub fn answer(&self) -> Option<Answer> {
        let first = self.points.first().filter(|first| first.kept == 0)?;
        if is_anyway(first.failed, self.draws) {
            return Some(Answer::Anyway);
        }
        let leap = self.leap()?;
        let rises = self.draws - first.failed;
        let is_most = leap.after.saturating_sub(leap.before) * 2 >= rises;
        Some(if is_most { Answer::Decided(leap) } else { Answer::Gradual(leap) })
    }

    /// The answer as a sentence that quotes the step.
    pub fn sentence(&self, scenario: &Scenario) -> Option<String> {
        let Curve { draws, points, .. } = self;
        let quoted = |leap: &Leap| format!("step {}, `{}`", leap.step, plain(scenario, leap.step));
        let counts = |leap: &Leap| {
            let Leap { before, after, .. } = leap;
            format!("with what follows drawn anew, {before} of {draws} runs fail without it, and {after} with it")
        };
        Some(match self.answer()? {
            Answer::Anyway => {
                let failed = points[0].failed;
                format!("no step decides it: with every step drawn anew, {failed} of {draws} runs fail")
            }
            Answer::Decided(leap) => format!("{}, decides it: {}", quoted(&leap), counts(&leap)),
            Answer::Gradual(leap) => format!("no step decides it alone, most {}: {}", quoted(&leap), counts(&leap)),
        })
    }
}

/// The line of a step, from 1, as a file has it, without what aligns it.
fn plain(scenario: &Scenario, step: usize) -> String {
    scenario.steps[step - 1].to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use super::*;
    use crate::scenario::{Action, Call};

    const SCENARIO: &str = r#"
title = "One logs in, sends, and logs out"
rules = ["LOGIN-3"]
seed = 1
devices.phone = { platform = "android", site = "home" }
script.until = "20s"
script.steps = """
0s  phone  login alice
2s  phone  send bob "one"
4s  phone  kick bob
6s  phone  send bob "two"
8s  phone  logout
"""
"#;

    fn scenario() -> Scenario {
        Scenario::parse("when.toml", SCENARIO).unwrap_or_else(|diagnosis| panic!("{diagnosis}"))
    }

    fn wanted() -> Fingerprint {
        Fingerprint::NotConverged("planted".to_owned())
    }

    /// Fails by the kick, whatever else there is.
    fn by_the_kick(scenario: &Scenario) -> Vec<Fingerprint> {
        let is_kick =
            |action: &Action| matches!(action, Action::Call { call: Call::Kick { user }, .. } if user == "bob");
        let failed = scenario.steps.iter().any(|step| is_kick(&step.action) && step.at.as_secs() == 4);
        failed.then(wanted).into_iter().collect()
    }

    fn asked(at_all: bool, threads: usize, see: fn(&Scenario) -> Vec<Fingerprint>) -> Curve {
        let (scenario, wanted) = (scenario(), wanted());
        let question = Question { scenario: &scenario, wanted: &wanted, draws: 10, at_all };
        ask(&question, &Workers::new(NonZeroUsize::new(threads).unwrap()), see, |_, _| true)
    }

    #[test]
    fn a_failure_that_one_step_makes_leaps_at_that_step() {
        let scenario = scenario();
        for at_all in [false, true] {
            let curve = asked(at_all, 3, by_the_kick);
            assert_eq!(curve.leap(), Some(Leap { step: 3, before: 0, after: 10 }), "{curve:?}");
            assert_eq!(curve.points.len(), if at_all { 6 } else { 4 }, "{curve:?}");
            assert!(curve.points.is_sorted_by_key(|point| point.kept) && curve.is_whole);
            let said = "step 3, `4s phone kick bob`, decides it: with what follows drawn anew, 0 of 10 runs fail without \
                        it, and 10 with it";
            assert_eq!(curve.sentence(&scenario).as_deref(), Some(said));
        }
    }

    #[test]
    fn how_many_threads_there_are_shows_in_nothing() {
        assert_eq!(asked(true, 1, by_the_kick), asked(true, 4, by_the_kick));
        assert_eq!(asked(false, 1, by_the_kick), asked(false, 4, by_the_kick));
    }

    #[test]
    fn what_fails_whatever_is_done_is_no_step_s_doing() {
        let curve = asked(false, 2, |_| vec![wanted()]);
        assert_eq!(curve.answer(), Some(Answer::Anyway));
        assert!(
            curve.sentence(&scenario()).unwrap().starts_with("no step decides it: with every step drawn anew, 10 of")
        );
    }

    #[test]
    fn what_every_step_makes_a_little_likelier_is_no_step_s_doing_alone() {
        let points = [0, 2, 5, 6, 8, 10].into_iter().enumerate();
        let points = points.map(|(kept, failed)| Point { kept, failed }).collect();
        let curve = Curve { steps: 5, draws: 10, points, is_whole: true };
        assert_eq!(curve.answer(), Some(Answer::Gradual(Leap { step: 2, before: 2, after: 5 })));
        assert!(curve.sentence(&scenario()).unwrap().starts_with("no step decides it alone, most step 2, `2s phone"));
    }

    #[test]
    fn what_is_not_to_go_on_says_what_it_knows() {
        let (scenario, wanted) = (scenario(), wanted());
        let question = Question { scenario: &scenario, wanted: &wanted, draws: 10_000, at_all: true };
        let curve = ask(&question, &Workers::new(NonZeroUsize::MIN), by_the_kick, |_, _| false);
        assert!(!curve.is_whole && curve.points.len() < 6, "{curve:?}");
        assert_eq!(curve.points.last(), Some(&Point { kept: 5, failed: 10_000 }));
    }

    /// A run that is given no time to come to rest fails without a bug.
    #[test]
    fn of_a_finding_is_asked_what_is_cheap() {
        let slow = "seed = 1\nconverge = \"1ms\"\nsites.home.latency = \"500ms\"";
        let restless = SCENARIO.replace("seed = 1", slow);
        let scenario = |text: &str| Scenario::parse("restless.toml", text).unwrap_or_else(|error| panic!("{error}"));
        let asked = |scenario: &Scenario, world: World| {
            let run = crate::run(scenario, world).unwrap_or_else(|error| panic!("{error}"));
            let wanted = Fingerprint::not_converged(run.not_converged.as_deref().expect("it has no time to"));
            ask_of_finding(scenario, &wanted, world, &run, &Workers::new(NonZeroUsize::MIN))
        };
        let restless = scenario(&restless.replace("8s  phone  logout\n", ""));
        let curve = asked(&restless, World::Event).expect("it is short");
        assert_eq!((curve.steps, curve.draws, curve.is_whole), (4, 20, true));
        assert!(curve.sentence(&restless).is_some());
        assert_eq!(asked(&restless, World::Packet), None, "20 s are too many ticks of 1 ms");
        let mut single = restless.clone();
        single.steps.truncate(1);
        assert_eq!(asked(&single, World::Event), None, "there is but one step");
    }

    #[test]
    fn progress_is_told_with_how_much_there_is() {
        let (scenario, wanted) = (scenario(), wanted());
        let told = std::cell::RefCell::new(Vec::new());
        let question = Question { scenario: &scenario, wanted: &wanted, draws: 10, at_all: false };
        ask(&question, &Workers::new(NonZeroUsize::MIN), by_the_kick, |done, all| {
            told.borrow_mut().push((done, all));
            true
        });
        let told = told.into_inner();
        assert!(told.iter().all(|(done, all)| done <= all) && told.is_sorted_by_key(|(done, _)| *done), "{told:?}");
        assert!(told.last().is_some_and(|(done, _)| *done <= 30), "{told:?}");
    }
}
