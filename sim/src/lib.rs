//! The harness, on one page: a scenario runs in a world, the world leaves a trace, checks read the trace.
//!
//! ```text
//! Scenario ──run──▶ Trace ──check──▶ [Violation] and [Miss] ──report──▶ text
//! ```
//!
//! Each folder is a verb of that sentence and imports only those before it: `scenario` is decided and never runs;
//! `generate` draws one from a seed; a `trace` is what happened, in words of its own; a `world` runs a scenario, writes a
//! trace and never judges; `seats` asks which order of acceptances explains what applications saw, and knows nothing but
//! numbers; `check` judges from the trace alone and does not know which world it came from. This page puts
//! them together. What uses it: `search` runs many and makes what fails small, a `subject` is somebody else's SDK and
//! server, run and searched in the same world, a `page` shows one, a `report` tells
//! other programs what was asked for and what came of it, the `zoo` asks whether the search finds what is planted, and the command `gatecrash` parses arguments and prints. A test holds the order.

pub mod check;
pub mod drive;
pub mod generate;
pub mod history;
pub mod judge;
pub mod page;
pub mod report;
pub mod review;
pub mod scenario;
pub mod search;
pub mod seats;
pub mod subject;
pub mod trace;
pub mod world;
pub mod zoo;

use std::time::Duration;

pub use check::{Miss, Run, Verdict, Violation};
use scenario::Scenario;
use trace::{Cast, Recorder, Trace, What, difference};
use world::caught::caught;
use world::{World, WorldError};

/// Why there is no run to judge, or none to be trusted. Nobody but the harness is to blame.
#[derive(Clone, Debug, thiserror::Error)]
pub enum HarnessError {
    /// A world cannot do what the scenario asks.
    #[error("the world failed: {0}")]
    World(WorldError),
    /// Something panicked: the cores, a driver, the world or a check.
    #[error("{stage} {said}")]
    Panicked {
        /// While doing what.
        stage: &'static str,
        /// The place and the words of the panic.
        said: String,
    },
    /// The world ended without saying whether everything had come to rest.
    #[error("the world stopped at {0:?} and never said whether it had converged")]
    Unfinished(Duration),
    /// The same scenario gave two traces.
    #[error("two runs of the same scenario differ\n{0}")]
    Differs(String),
}

/// Runs a scenario in a world and judges the trace.
///
/// # Errors
///
/// What went wrong in the harness. Whatever goes wrong in the system under test is in the run.
pub fn run(scenario: &Scenario, world: World) -> Result<Run, HarnessError> {
    run_by(scenario, world.tick(scenario), |scenario, recorder| world.run(scenario, recorder))
}

/// Like [`run`], in a world with such a tick that is not one of ours: with other decisions, or under other eyes.
///
/// # Errors
///
/// As of [`run`].
pub fn run_by(
    scenario: &Scenario,
    tick: Duration,
    world: impl Fn(&Scenario, &Recorder) -> Result<(), WorldError>,
) -> Result<Run, HarnessError> {
    judge(scenario, tick, record(scenario, world)?)
}

/// Like [`run`], and runs a second time: the same scenario must give the same trace.
///
/// # Errors
///
/// As of [`run`]; and the first difference between the two traces.
pub fn run_twice(scenario: &Scenario, world: World) -> Result<Run, HarnessError> {
    run_twice_by(scenario, world.tick(scenario), |scenario, recorder| world.run(scenario, recorder))
}

fn run_twice_by(
    scenario: &Scenario,
    tick: Duration,
    world: impl Fn(&Scenario, &Recorder) -> Result<(), WorldError>,
) -> Result<Run, HarnessError> {
    let (first, second) = (record(scenario, &world)?, record(scenario, &world)?);
    match difference(&first, &second) {
        Some(difference) => Err(HarnessError::Differs(difference)),
        None => judge(scenario, tick, first),
    }
}

/// The trace that a scenario leaves in a world.
fn record(
    scenario: &Scenario,
    world: impl Fn(&Scenario, &Recorder) -> Result<(), WorldError>,
) -> Result<Trace, HarnessError> {
    let recorder = Recorder::new(Cast::of(scenario));
    match caught(|| world(scenario, &recorder)) {
        Ok(Ok(())) => Ok(recorder.finish()),
        Ok(Err(error)) => Err(HarnessError::World(error)),
        Err(said) => Err(HarnessError::Panicked { stage: "the run", said }),
    }
}

/// Judges a trace, whichever world it comes from: how long after it is due something may happen there, its tick says.
///
/// # Errors
///
/// When the trace has no end, or a check panics.
pub fn judge(scenario: &Scenario, tick: Duration, trace: Trace) -> Result<Run, HarnessError> {
    let judged = caught(|| {
        let violations = check::property::check(scenario, tick, &trace);
        let idle = check::cited::nothing_to_judge(scenario, &trace, &violations);
        (violations, check::expect::misses(scenario, &trace), idle)
    });
    let (violations, missed, idle) = judged.map_err(|said| HarnessError::Panicked { stage: "a check", said })?;
    let simulated = trace.events.last().map_or(Duration::ZERO, |event| Duration::from_micros(event.at.as_micros()));
    let mut end = None;
    for event in &trace.events {
        match event.what {
            What::Converged => end = Some(None),
            What::NotConverged { reason } => end = Some(Some(trace.cast.text(reason).to_owned())),
            _ => {}
        }
    }
    match end {
        Some(not_converged) => Ok(Run { trace, violations, missed, idle, not_converged, simulated }),
        None => Err(HarnessError::Unfinished(simulated)),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use gatecrash::time::Instant;

    use super::*;

    const SCENARIO: &str = r#"
title = "Nothing happens"
rules = ["CONN-1"]
seed = 1
devices.phone = { platform = "android", site = "home" }
script.until = "1s"
script.steps = ""
script.expect = "phone  status LOGOUT"
"#;

    fn scenario() -> Scenario {
        Scenario::parse("nothing.toml", SCENARIO).unwrap_or_else(|diagnosis| panic!("{diagnosis}"))
    }

    #[test]
    fn a_world_that_panics_is_the_harness_s_fault() {
        let world = |_: &Scenario, recorder: &Recorder| {
            recorder.script_ended(Instant::ZERO);
            panic!("the ground opened")
        };
        let error = run_twice_by(&scenario(), Duration::ZERO, world).unwrap_err();
        assert!(matches!(&error, HarnessError::Panicked { .. }), "{error}");
        assert!(
            error.to_string().starts_with("the run panicked at ") && error.to_string().contains("the ground opened")
        );
    }

    #[test]
    fn a_world_that_fails_is_the_harness_s_fault() {
        let world = |_: &Scenario, _: &Recorder| Err(WorldError::Stuck { at: Instant::ZERO });
        let error = run_twice_by(&scenario(), Duration::ZERO, world).unwrap_err();
        assert!(matches!(error, HarnessError::World(WorldError::Stuck { .. })), "{error}");
    }

    #[test]
    fn a_world_that_does_not_do_the_same_twice_is_the_harness_s_fault() {
        let runs = Cell::new(0);
        let world = |_: &Scenario, recorder: &Recorder| {
            runs.set(runs.get() + 1);
            recorder.script_ended(Instant::ZERO);
            recorder.converged(Instant::from_micros(runs.get()));
            Ok(())
        };
        let error = run_twice_by(&scenario(), Duration::ZERO, world).unwrap_err();
        assert!(error.to_string().contains("event 2 is the first to differ"), "{error}");
    }

    #[test]
    fn a_run_is_as_long_as_its_trace_and_says_why_it_did_not_come_to_rest() {
        let world = |_: &Scenario, recorder: &Recorder| {
            recorder.script_ended(Instant::from_micros(1_000_000));
            recorder.not_converged(Instant::from_micros(2_000_000), "phone is still logging in");
            Ok(())
        };
        let run = run_twice_by(&scenario(), Duration::ZERO, world).unwrap();
        assert_eq!(run.simulated, Duration::from_secs(2));
        assert_eq!(run.not_converged.as_deref(), Some("phone is still logging in"));
    }
}
