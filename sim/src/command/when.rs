//! `gatecrash when`: at which step a failure became inevitable.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, value_parser};
use gatecrash_sim::Violation;
use gatecrash_sim::generate::Seed;
use gatecrash_sim::scenario::Scenario;
use gatecrash_sim::search::fingerprint::{self, Fingerprint};
use gatecrash_sim::search::report;
use gatecrash_sim::search::sweep::TICKS_MAX;
use gatecrash_sim::search::when::{self, Curve, Point, Question, ask, until_it_failed};
use gatecrash_sim::search::workers::{self, Workers};
use gatecrash_sim::world::World;
use gatecrash_sim::zoo::{self, Bug};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use super::files::BadInput;
use super::interrupt;
use super::meant::Meant;
use super::worlds::One;
use super::{End, count, say, thousands};

/// The most draws of what follows: with a million the answer is exact to a thousandth.
const DRAWS_MAX: i64 = 1_000_000;

/// How many letters long the bar is of what fails every time.
const BAR_WIDTH: usize = 20;

/// How many letters of a step a table shows.
const STEP_WIDTH: usize = 60;

/// Tell at which step a failure became inevitable
///
/// Keeps the first steps of a scenario that fails, draws what follows anew, and counts how many of those runs fail in the
/// same way: the same property, the same rule, the same kind of event. Where that number leaps, the step that is kept
/// from there on decided it. What follows is as long as it was and costs as much, with whatever a sweep would draw.
///
/// The steps are found by bisection, where the number rises most; --all looks after every step.
#[derive(Args)]
#[command(after_help = "\
Examples:
  gatecrash when failing.toml                   100 draws after some eight of its steps
  gatecrash when failing.toml --all             after each of its steps
  gatecrash when kick-1-told-5d0a11c2           of what a sweep found
  gatecrash when --seed 12 --bug F06            of a system that the zoo breaks
  gatecrash when failing.toml --draws 1000      finer
  gatecrash when failing.toml --json | jq .leap
  gatecrash page failing.toml --when            the same beside the picture

The same scenario gives the same answer, whatever --jobs is.
The exit code says how the scenario fails: 1 a rule is violated, 2 it does not converge, 4 the harness fails.
It is 3 when nothing fails, or only what the file itself expects.")]
pub struct Arguments {
    /// A scenario file, the folder of a finding, or its name below target/gatecrash
    #[arg(value_name = "FILE|FINDING", required_unless_present = "seed")]
    path: Option<PathBuf>,
    /// The scenario that a sweep draws from this seed, in the place of a file
    #[arg(long, value_name = "N", conflicts_with = "path")]
    seed: Option<Seed>,
    /// Where it fails [default: the event world, or where it was found]
    #[arg(long, value_name = "WORLD", value_enum)]
    world: Option<One>,
    /// Run a system that the zoo breaks on purpose, in its world
    #[arg(long, value_name = "ID", conflicts_with = "world")]
    bug: Option<String>,
    /// How often to draw what follows, each time
    #[arg(long, value_name = "N", default_value_t = when::DRAWS_DEFAULT, value_parser = value_parser!(u32).range(1..=DRAWS_MAX))]
    draws: u32,
    /// Look after every step
    #[arg(long)]
    all: bool,
    /// How many runs to make at a time; it changes nothing but the time taken
    #[arg(long, value_name = "N", default_value_t = workers::cores())]
    jobs: NonZeroUsize,
    /// Print one JSON object instead of the table
    #[arg(long)]
    json: bool,
}

/// Does it.
pub fn run(arguments: &Arguments) -> End {
    match asked(arguments) {
        Ok(end) => end,
        Err(bad_input) => bad_input.report(arguments.json),
    }
}

fn asked(arguments: &Arguments) -> Result<End, BadInput> {
    let mut meant = Meant::of(arguments.path.as_deref(), arguments.seed, World::Event)?;
    if let Some(world) = arguments.world {
        meant.world = world.world();
    }
    if let Some(id) = &arguments.bug {
        meant = meant.broken(id)?;
    }
    let all = meant.file.scenario.steps.len();
    let wanted = failure(&mut meant)?;
    let (draws, at_all) = (arguments.draws, arguments.all);
    let curve = curve(&meant, &wanted, draws, at_all, arguments.jobs, arguments.json);
    let told = Told { meant: &meant, wanted: &wanted, curve: &curve, all };
    say(if arguments.json { told.object() } else { told.table() });
    Ok(interrupt::told().unwrap_or(match wanted {
        Fingerprint::Property { .. } | Fingerprint::Missed { .. } => End::Violated,
        Fingerprint::NotConverged(_) => End::NotConverged,
        Fingerprint::Harness(_) => End::HarnessFailed,
    }))
}

/// How a scenario fails, in a world, with what the zoo breaks in it.
pub fn see(world: World, bug: Option<&'static Bug>) -> impl Fn(&Scenario) -> Vec<Fingerprint> + Clone + Send + 'static {
    move |scenario| match bug {
        Some(bug) => zoo::named(bug, scenario),
        None => fingerprint::seen(scenario, world.tick(scenario), |scenario, recorder| world.run(scenario, recorder)),
    }
}

/// How it fails, first of all. From then on it means the scenario as far as that.
pub fn failure(meant: &mut Meant) -> Result<Fingerprint, BadInput> {
    let Meant { file, world, bug } = meant;
    let ticks = file.scenario.until.as_micros() / file.scenario.tick.as_micros();
    if *world == World::Packet && ticks > TICKS_MAX {
        let ticks = thousands(u64::try_from(ticks).unwrap_or(u64::MAX));
        return Err(BadInput::Refused(format!(
            "{} is too long for hundreds of runs in the packet world: {ticks} ticks, and at most {} are stepped through",
            file.path,
            thousands(TICKS_MAX as u64)
        )));
    }
    let see = see(*world, *bug);
    let found = see(&file.scenario).into_iter().next();
    let wanted = found.ok_or_else(|| {
        let with = bug.map(|bug| format!(" with {}", bug.id)).unwrap_or_default();
        let is_expectation =
            bug.is_none() && gatecrash_sim::run(&file.scenario, *world).is_ok_and(|run| !run.missed.is_empty());
        BadInput::Refused(if is_expectation {
            format!(
                "{} fails in the {} world only in what the file itself expects: that speaks of the whole of it",
                file.path,
                world.word()
            )
        } else {
            format!("{} does not fail in the {} world{with}: there is nothing to ask", file.path, world.word())
        })
    })?;
    let run = match bug {
        Some(bug) => zoo::run(bug, &file.scenario),
        None => gatecrash_sim::run(&file.scenario, *world),
    };
    let is_it = |violation: &&Violation| Fingerprint::of(violation) == wanted;
    if let Some(first) = run.ok().and_then(|run| run.violations.iter().find(is_it).map(|found| found.at)) {
        file.scenario = until_it_failed(&file.scenario, &wanted, first, see);
    }
    Ok(wanted)
}

/// Asks, and shows on a terminal how far it is.
pub fn curve(
    meant: &Meant,
    wanted: &Fingerprint,
    draws: u32,
    at_all: bool,
    jobs: NonZeroUsize,
    is_quiet: bool,
) -> Curve {
    let target = if is_quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
    let style = ProgressStyle::with_template("{bar:32} {human_pos}/{human_len} runs  {eta} left");
    let bar = ProgressBar::with_draw_target(Some(1), target).with_style(style.expect("the template is well formed"));
    let question = Question { scenario: &meant.file.scenario, wanted, draws, at_all };
    let curve = ask(&question, &Workers::new(jobs), see(meant.world, meant.bug), |done, all| {
        bar.set_length(all);
        bar.set_position(done);
        interrupt::told().is_none()
    });
    bar.finish_and_clear();
    curve
}

/// What is said of it.
struct Told<'a> {
    meant: &'a Meant,
    wanted: &'a Fingerprint,
    curve: &'a Curve,
    /// How many steps there are with those after the failure.
    all: usize,
}

/// What came of it, for programs.
#[derive(Serialize)]
struct Object<'a> {
    path: &'a str,
    world: &'static str,
    bug: Option<&'static str>,
    fingerprint: String,
    property: &'a str,
    rule: Option<&'static str>,
    steps: usize,
    /// How many of them come before the failure: the others have no part in it, and are left out.
    steps_before: usize,
    draws: u32,
    /// Whether it was told to end before all was looked at.
    interrupted: bool,
    points: Vec<Of<'a>>,
    leap: Option<Leapt>,
    /// The answer, as a sentence.
    said: Option<String>,
}

/// How many runs fail with so many steps kept, the last of them being this one.
#[derive(Serialize)]
struct Of<'a> {
    kept: usize,
    failed: u32,
    step: Option<&'a str>,
}

#[derive(Serialize)]
struct Leapt {
    step: usize,
    at_us: u64,
    before: u32,
    after: u32,
}

impl Told<'_> {
    fn object(&self) -> String {
        let Told { meant, wanted, curve, all } = self;
        let scenario = &meant.file.scenario;
        let steps: Vec<String> = scenario.steps.iter().map(step).collect();
        let object = Object {
            path: &meant.file.path,
            world: meant.world.word(),
            bug: meant.bug.map(|bug| bug.id),
            fingerprint: wanted.slug(),
            property: wanted.said(),
            rule: wanted.rule().map(|rule| rule.as_str()),
            steps: *all,
            steps_before: curve.steps,
            draws: curve.draws,
            interrupted: !curve.is_whole,
            points: curve
                .points
                .iter()
                .map(|&Point { kept, failed }| {
                    let step = kept.checked_sub(1).map(|last| steps[last].as_str());
                    Of { kept, failed, step }
                })
                .collect(),
            leap: curve.leap().map(|leap| {
                let at_us = u64::try_from(scenario.steps[leap.step - 1].at.as_micros()).unwrap_or(u64::MAX);
                Leapt { step: leap.step, at_us, before: leap.before, after: leap.after }
            }),
            said: curve.sentence(scenario),
        };
        serde_json::to_string(&object).expect("it has text keys and numbers")
    }

    fn table(&self) -> String {
        let Told { meant, wanted, curve, all } = self;
        let scenario = &meant.file.scenario;
        let bug = meant.bug.map(|bug| format!(", {} broken on purpose", bug.id)).unwrap_or_default();
        let mut lines = vec![
            wanted.to_string(),
            format!(
                "  {}, in the {} world{bug}; what follows drawn {} after each step",
                meant.file.path,
                meant.world.word(),
                count(curve.draws as usize, "time"),
            ),
            match all - curve.steps {
                0 => String::new(),
                after => format!("  {} after the failure left out\n", count(after, "step")),
            },
            format!("  {:>5}  {:>9}  {:BAR_WIDTH$}  the last step that is kept", "kept", "fail", ""),
        ];
        let leap = curve.leap();
        for &Point { kept, failed } in &curve.points {
            let full = (failed as usize * BAR_WIDTH).div_ceil(curve.draws as usize);
            let mark = if leap.is_some_and(|leap| leap.step == kept) { '>' } else { ' ' };
            let last = kept.checked_sub(1).map_or_else(|| "none".to_owned(), |last| step(&scenario.steps[last]));
            let last: String = report::escaped(&last).chars().take(STEP_WIDTH).collect();
            let failed = thousands(u64::from(failed));
            lines.push(format!("{mark} {kept:>5}  {failed:>9}  {:BAR_WIDTH$}  {last}", "#".repeat(full)));
        }
        lines.push(String::new());
        if !curve.is_whole {
            lines.push("told to end before all was looked at".to_owned());
        }
        lines.push(match curve.sentence(scenario) {
            Some(said) => report::escaped(&said).into_owned(),
            None => "no two steps were looked at that follow each other: nothing is known".to_owned(),
        });
        let path = match &meant.file.path[..] {
            seed if seed.starts_with("--seed ") => seed.to_owned(),
            path => report::as_word(path),
        };
        let system = match meant.bug {
            Some(bug) => format!("--bug {}", bug.id),
            None => format!("--world {}", meant.world.word()),
        };
        lines.push(format!("\n  {}", report::command_line(&format!("page {path} {system} --when"))));
        lines.join("\n")
    }
}

/// A step as a file has it, without what aligns it.
fn step(step: &gatecrash_sim::scenario::Step) -> String {
    step.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}
