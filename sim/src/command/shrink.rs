//! `gatecrash shrink`: the smallest scenario that fails in the same way.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use gatecrash_sim::generate::Seed;
use gatecrash_sim::scenario::{Scenario, parse_duration, print_duration};
use gatecrash_sim::search::fingerprint::{self, Fingerprint};
use gatecrash_sim::search::shrink::{self, End as Reached, Shrunk, Unshrinkable};
use gatecrash_sim::world::World;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::files::{BadInput, File, one};
use super::worlds::One;
use super::{End, complain, count, say};

/// Make a failing scenario as small as it gets
///
/// Takes away steps, devices, users, sites, faults and configuration, then time and values, as long as
/// the run still fails in the same way: the same property, the same rule, the same kind of event. What is left goes to
/// standard output, or to a file, with a title that says what it breaks; what was done goes to
/// standard error.
///
/// What a file itself expects is left out, for it speaks of the whole of it.
#[derive(Args)]
#[command(after_help = "\
Examples:
  gatecrash shrink failing.toml                          print what is left of it
  gatecrash shrink failing.toml --out scenarios/regressions/NAME.toml
  gatecrash shrink --seed 17                             what a sweep ran for a seed
  gatecrash shrink failing.toml --world packet           where only drivers or wire fail

The exit code says how what is left fails: 1 a rule is violated, 2 it does not converge, 4 the harness fails.
It is 3 when nothing fails, or only what the file itself expects.")]
pub struct Arguments {
    /// The file
    #[arg(required_unless_present = "seed")]
    path: Option<PathBuf>,
    /// The scenario that a sweep draws from this seed, in the place of a file
    #[arg(long, value_name = "N", conflicts_with = "path")]
    seed: Option<Seed>,
    /// Where it fails
    #[arg(long, value_name = "WORLD", value_enum, default_value_t = One::Event)]
    world: One,
    /// Write what is left here instead of printing it
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Be content with the smallest found in this time
    #[arg(long, value_name = "TIME", value_parser = time, default_value = "1m")]
    time: Duration,
}

/// A span of time on a command line.
pub fn time(text: &str) -> Result<Duration, String> {
    parse_duration(text).ok_or_else(|| "expected a span of time such as 10s or 5m".to_owned())
}

/// Does it.
pub fn run(arguments: &Arguments) -> End {
    let world = arguments.world.world();
    match one(arguments.path.as_deref(), arguments.seed).and_then(|file| shrunk(&file, world, arguments)) {
        Ok(end) => end,
        Err(bad_input) => bad_input.report(false),
    }
}

fn shrunk(file: &File, world: World, arguments: &Arguments) -> Result<End, BadInput> {
    let File { path, scenario, .. } = file;
    let found = fingerprint::seen(scenario, world.tick(scenario), |scenario, recorder| world.run(scenario, recorder));
    let Some(wanted) = found.into_iter().next() else {
        return Err(BadInput::Refused(passes(path, scenario, world)));
    };
    let bar = bar();
    let shrunk = within(arguments.time, scenario, &wanted, world, &bar);
    bar.finish_and_clear();
    let shrunk = match shrunk {
        Ok(shrunk) => shrunk,
        Err(error) => {
            complain(format_args!(
                "error: {path} failed once and not again ({error}): a run must not depend on anything else"
            ));
            return Ok(End::HarnessFailed);
        }
    };
    let text = shrink::as_regression(&shrunk.scenario);
    match &arguments.out {
        None => say(text.trim_end()),
        Some(out) => {
            let written = std::fs::write(out, &text);
            written.map_err(|error| BadInput::Refused(format!("cannot write {}: {error}", out.display())))?;
        }
    }
    complain(summary(scenario, &shrunk, world));
    Ok(match wanted {
        Fingerprint::Property { .. } | Fingerprint::Missed { .. } => End::Violated,
        Fingerprint::NotConverged(_) => End::NotConverged,
        Fingerprint::Harness(_) => End::HarnessFailed,
    })
}

/// Shrinks for so long.
#[expect(clippy::disallowed_methods, reason = "how long it may take decides no run")]
pub fn within(
    time: Duration,
    scenario: &Scenario,
    wanted: &Fingerprint,
    world: World,
    bar: &ProgressBar,
) -> Result<Shrunk, Unshrinkable> {
    let (start, mut steps, mut runs) = (Instant::now(), scenario.steps.len(), 0_u64);
    let look = |candidate: &Scenario| {
        if start.elapsed() >= time {
            return None;
        }
        let found =
            fingerprint::seen(candidate, world.tick(candidate), |scenario, recorder| world.run(scenario, recorder));
        runs += 1;
        if found.contains(wanted) {
            steps = candidate.steps.len();
        }
        bar.set_message(format!("{} left after {}", count(steps, "step"), count(runs as usize, "run")));
        bar.tick();
        Some(found)
    };
    shrink::shrink(scenario, wanted, look, shrink::RUNS_MAX)
}

/// Shows what is left so far, on a terminal.
pub fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template("shrinking: {msg}").expect("the template is well formed");
    ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()).with_style(style)
}

/// What was done, in a few lines.
fn summary(before: &Scenario, shrunk: &Shrunk, world: World) -> String {
    let Shrunk { scenario: after, fingerprint, tried, end } = shrunk;
    let sizes = |scenario: &Scenario| {
        let Scenario { steps, devices, sites, until, .. } = scenario;
        let (steps, devices) = (count(steps.len(), "step"), count(devices.len(), "device"));
        format!("{steps}, {devices}, {}, {}", count(sites.len(), "site"), print_duration(*until))
    };
    let runs: u64 = tried.iter().map(|tried| tried.runs).sum();
    let kept: Vec<String> = tried
        .iter()
        .filter(|tried| tried.kept > 0)
        .map(|tried| format!("{} {} of {}", tried.pass, tried.kept, tried.runs))
        .collect();
    let end = match end {
        Reached::Smallest => "nothing more can go",
        Reached::Budget => "there was no time to take more away",
    };
    format!(
        "{fingerprint}\n  from  {}\n  to    {}\n  in {} of the {} world, {end}; of what was tried helped: {}",
        sizes(before),
        sizes(after),
        count(runs as usize, "run"),
        world.word(),
        kept.join(", "),
    )
}

/// That it does not fail, or how it fails otherwise.
fn passes(path: &str, scenario: &Scenario, world: World) -> String {
    let is_expectation = gatecrash_sim::run(scenario, world).is_ok_and(|run| !run.missed.is_empty());
    let world = world.word();
    if is_expectation {
        format!(
            "{path} fails in the {world} world only in what the file itself expects: that speaks of the whole of it"
        )
    } else {
        format!("{path} does not fail in the {world} world: there is nothing to shrink")
    }
}
