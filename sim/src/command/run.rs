//! `gatecrash run`: many scenarios, a line for each in each world, a report for each that failed, and
//! the totals.

mod book;
mod failures;
mod seeds;

use std::io;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use gatecrash_sim::check::agree::{self, Difference};
use gatecrash_sim::report::Seeds;
use gatecrash_sim::search::report::{self, Case};
use gatecrash_sim::search::workers::{self, Watch, Workers};
use gatecrash_sim::trace::Digest;
use gatecrash_sim::world::World;
use gatecrash_sim::{HarnessError, Run, Verdict, run_twice};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use self::book::{Book, Entry};
use self::failures::{Failing, Failures};
use super::files::{BadInput, File, load};
use super::herd::Herd;
use super::interrupt;
use super::report::Wanted;
use super::table::{Line, Table, prose};
use super::worlds::Choice;
use super::{Colour, End, colours, count, now, paint, say, thousands};

/// Run scenarios and check every rule
///
/// Every scenario runs twice and must do exactly the same both times. A line tells what came of it. Below the table
/// failures are told by their cause: of those that fail in the same way the shortest, with the command that replays it.
///
/// The packet world runs the code that ships, drivers and wire included: what passes there, passes.
/// The event world runs its cores alone and is there to search quickly; it must come to the same.
#[derive(Args)]
#[command(after_help = "\
Examples:
  gatecrash run                                everything below the nearest scenarios/
  gatecrash run scenarios/a.toml scenarios/b   a file, and all below a folder
  gatecrash run --world both scenarios/a.toml  in both worlds, which must agree on what comes of it
  gatecrash run -q                             only what fails, and the totals
  gatecrash run --all                          every scenario that fails, and everything wrong with it
  gatecrash run --seeds 0..1000 my.toml        one file under many seeds: other latencies, delays, ids
  gatecrash run --json | jq .digest            for programs
  gatecrash run --once --jobs 1                quicker on one core, without the second run
  gatecrash run --report target/report         for CI: JUnit, SARIF, a summary, pages
  gatecrash run --seeds 0..1000 --report DIR   the same: a test for each file, red when it fails under any seed")]
pub struct Arguments {
    /// Files, or folders with files (*.toml) at any depth [default: the nearest scenarios/, upward from here]
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Where to run them
    #[arg(long, value_name = "WORLD", value_enum, default_value_t = Choice::Packet)]
    pub world: Choice,
    /// Run each file under each of these seeds in the place of its own: the first, and the one after the last
    #[arg(long, value_name = "A..B", value_parser = super::sweep::seeds)]
    pub seeds: Option<Range<u64>>,
    /// Tell every scenario that fails, and everything that is wrong with it
    #[arg(long, conflicts_with = "json")]
    pub all: bool,
    /// Print no line of each scenario: only what fails, and the totals
    #[arg(short, long, conflicts_with = "json")]
    pub quiet: bool,
    /// Print one JSON object instead of the table
    #[arg(long)]
    pub json: bool,
    /// How many scenarios to run at a time; it changes nothing but the time taken
    #[arg(long, value_name = "N", default_value_t = workers::cores())]
    pub jobs: NonZeroUsize,
    /// Run each scenario once and trust that it would do the same again
    #[arg(long)]
    pub once: bool,
    #[command(flatten)]
    pub report: Wanted,
}

/// Does it.
pub fn run(arguments: &Arguments) -> End {
    let files: Arc<[File]> = match load(&arguments.paths) {
        Ok(files) => files.into(),
        Err(bad_input) => return Book::refuse(&arguments.report, &bad_input, arguments.json),
    };
    if let Some(range) = arguments.seeds.as_ref().filter(|range| range.is_empty()) {
        let bad_input = BadInput::Refused(super::sweep::without_seeds(range));
        return Book::refuse(&arguments.report, &bad_input, arguments.json);
    }
    let (runs_each, seeds) = (if arguments.once { 1 } else { 2 }, arguments.seeds.clone().map(Seeds::from));
    let book = Book::begin(&arguments.report, &files, arguments.world.worlds(), runs_each, seeds, arguments.json);
    let book = match book {
        Ok(book) => book,
        Err(bad_input) => return bad_input.report(arguments.json),
    };
    if let Some(range) = &arguments.seeds {
        return seeds::run(arguments, &files, range.clone(), book);
    }
    let (once, worlds) = (arguments.once, arguments.world.worlds());
    let mut batch = Batch::new(&files, arguments, book);
    let work = {
        let files = Arc::clone(&files);
        move |job: u64| {
            let (start, (File { scenario, .. }, world)) = (now(), one_of(&files, worlds, job));
            let result = if once { gatecrash_sim::run(scenario, world) } else { run_twice(scenario, world) };
            Outcome { result, wall: now() - start }
        }
    };
    let start = now();
    let jobs = (files.len() * worlds.len()) as u64;
    Workers::new(arguments.jobs).run(jobs, move |job, _| work(job), &mut batch);
    batch.finish(now() - start)
}

/// Which scenario a job is, and in which world: each runs in one after the other.
fn one_of<'a>(files: &'a [File], worlds: &[World], job: u64) -> (&'a File, World) {
    let job = job as usize;
    (&files[job / worlds.len()], worlds[job % worlds.len()])
}

/// What came of a job.
struct Outcome {
    /// Its run, or why there is none.
    result: Result<Run, HarnessError>,
    /// How long it took: every run of it, and the checks.
    wall: Duration,
}

impl Outcome {
    fn verdict(&self) -> Verdict {
        self.result.as_ref().map_or(Verdict::HarnessFailed, Run::verdict)
    }
}

/// What is known so far.
struct Batch<'a> {
    arguments: &'a Arguments,
    files: &'a [File],
    colours: bool,
    bar: ProgressBar,
    table: Table,
    /// The run before, which may be that of the same scenario in the first of two worlds.
    first: Option<First>,
    results: Vec<Summary>,
    /// Of each scenario, whatever the number of worlds.
    verdicts: Vec<Verdict>,
    digests: Vec<Digest>,
    simulated: Duration,
    failures: Failures,
    /// How devices came back after a start of the server, where they were many.
    herds: Vec<String>,
    book: Book,
}

struct First {
    path: String,
    world: World,
    run: Run,
}

/// What came of a scenario in a world, for programs.
#[derive(Serialize)]
struct Summary {
    path: String,
    world: &'static str,
    title: String,
    passed: bool,
    result: &'static str,
    devices: usize,
    digest: Option<String>,
    events: usize,
    simulated_seconds: f64,
    wall_seconds: f64,
    violations: Vec<report::Finding>,
    /// What the file expects and the run does not show.
    missed: Vec<report::Missed>,
    /// The rules that the file cites and of which no situation came.
    nothing_to_judge: Vec<&'static str>,
    /// With the first of two worlds.
    disagreements: Vec<Difference>,
    not_converged: Option<String>,
    /// What is told of the devices that came back after a start of the server.
    herds: Vec<Herd>,
    error: Option<String>,
}

/// What came of all of them, for programs.
#[derive(Serialize)]
struct Totals {
    scenarios: usize,
    /// Those that did not run, because it was told to end.
    not_run: usize,
    worlds: Vec<&'static str>,
    passed: usize,
    /// In all of them together.
    violations: usize,
    /// Expectations that are missed, in all of them together.
    expectations_missed: usize,
    violated: usize,
    missed: usize,
    nothing_to_judge: usize,
    disagree: usize,
    not_converged: usize,
    harness_failed: usize,
    runs_each: u32,
    events: usize,
    simulated_seconds: f64,
    wall_seconds: f64,
    digest: String,
    results: Vec<Summary>,
}

impl<'a> Batch<'a> {
    fn new(files: &'a [File], arguments: &'a Arguments, book: Book) -> Self {
        let runs = files.len() * arguments.world.worlds().len();
        let bar = ProgressBar::with_draw_target(Some(runs as u64), ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{pos} of {len} runs  {wide_bar}  {elapsed}");
        bar.set_style(style.expect("the template is well formed"));
        let colours = colours(&io::stdout());
        let names = files.iter().map(|file| file.name.as_str());
        let table = Table::new(names, arguments.world.worlds().len(), colours);
        if !arguments.json && !arguments.quiet {
            say(table.head());
        }
        Batch {
            arguments,
            files,
            colours,
            bar,
            table,
            first: None,
            results: Vec::new(),
            verdicts: Vec::new(),
            digests: Vec::new(),
            simulated: Duration::ZERO,
            failures: Failures::default(),
            herds: Vec::new(),
            book,
        }
    }

    /// The reports and the totals.
    fn finish(mut self, wall: Duration) -> End {
        self.bar.finish_and_clear();
        let whole = self.results.len() / self.arguments.world.worlds().len();
        if self.verdicts.len() > whole && self.verdicts.last() == Some(&Verdict::Passed) {
            // It was told to end between the two worlds of a scenario: what has passed in one of them has not passed.
            self.verdicts.pop();
        }
        let (json, colours) = (self.arguments.json, self.colours);
        let verdict = self.verdicts.iter().copied().max().unwrap_or(Verdict::Passed);
        if !json {
            // Where nothing stands above it, nothing is set apart.
            let mut parts = if self.arguments.quiet { Vec::new() } else { std::mem::take(&mut self.herds) };
            parts.extend(std::mem::take(&mut self.failures).told(self.arguments.all));
            for (number, part) in parts.iter().enumerate() {
                let apart = if self.arguments.quiet && number == 0 { "" } else { "\n" };
                say(format_args!("{apart}{part}"));
            }
        }
        let quiet = self.arguments.quiet;
        let (totals, book) = self.totals(wall);
        if json {
            say(serde_json::to_string_pretty(&totals).expect("numbers and texts"));
        } else {
            let apart = if quiet && totals.passed == totals.scenarios { "" } else { "\n" };
            say(format_args!("{apart}{}", totals.in_words(colours)));
        }
        book.end(&totals.digest, wall, interrupt::told().unwrap_or(verdict.into()))
    }

    fn totals(self, wall: Duration) -> (Totals, Book) {
        let ended = |verdict: Verdict| self.verdicts.iter().filter(|&&one| one == verdict).count();
        let totals = Totals {
            scenarios: self.verdicts.len(),
            not_run: self.files.len() - self.verdicts.len(),
            worlds: self.arguments.world.worlds().iter().map(|world| world.word()).collect(),
            passed: ended(Verdict::Passed),
            violations: self.results.iter().map(|one| one.violations.len()).sum(),
            expectations_missed: self.results.iter().map(|one| one.missed.len()).sum(),
            violated: ended(Verdict::Violated),
            missed: ended(Verdict::Missed),
            nothing_to_judge: ended(Verdict::NothingToJudge),
            disagree: ended(Verdict::Disagrees),
            not_converged: ended(Verdict::NotConverged),
            harness_failed: ended(Verdict::HarnessFailed),
            runs_each: if self.arguments.once { 1 } else { 2 },
            events: self.results.iter().map(|one| one.events).sum(),
            simulated_seconds: self.simulated.as_secs_f64(),
            wall_seconds: wall.as_secs_f64(),
            digest: Digest::of(self.digests).to_string(),
            results: self.results,
        };
        (totals, self.book)
    }
}

impl Totals {
    fn in_words(&self, colours: bool) -> String {
        let is_both = self.worlds.len() > 1;
        let mut result = format!("{} passed", thousands(self.passed as u64));
        if self.passed == self.scenarios {
            result = paint(if is_both { "all passed and agree" } else { "all passed" }, Colour::Green, colours);
        } else {
            let failed = [
                (self.violated, "violated a rule"),
                (self.missed, "missed what its file expects"),
                (self.nothing_to_judge, "gave a rule that it cites nothing to judge"),
                (self.disagree, "came to something else in the other world"),
                (self.not_converged, "did not converge"),
                (self.harness_failed, "failed by the harness's own fault"),
            ];
            for (number, what) in failed.into_iter().filter(|(number, _)| *number > 0) {
                result.push_str(&paint(&format!(", {} {what}", thousands(number as u64)), Colour::Red, colours));
            }
        }
        if self.not_run > 0 {
            let not_run = format!(", told to end with {} not run", count(self.not_run, "scenario"));
            result.push_str(&paint(&not_run, Colour::Red, colours));
        }
        let worlds = if is_both { " in both worlds" } else { "" };
        let twice = if self.runs_each == 2 { ", each run twice" } else { "" };
        let (simulated, wall) =
            (Duration::from_secs_f64(self.simulated_seconds), Duration::from_secs_f64(self.wall_seconds));
        let ratio = (self.simulated_seconds / self.wall_seconds.max(f64::MIN_POSITIVE)).round() as u64;
        let (events, simulated, wall, ratio) =
            (count(self.events, "event"), prose(simulated), prose(wall), thousands(ratio));
        [
            format!("{}{worlds}{twice}: {result}", count(self.scenarios, "scenario")),
            format!("{events}, {simulated} simulated in {wall}: {ratio} times faster than real time"),
            format!("digest {}", self.digest),
        ]
        .join("\n")
    }
}

impl Watch<Outcome> for Batch<'_> {
    fn finished(&mut self, _outcome: &Outcome) {
        self.bar.inc(1);
    }

    fn tick(&mut self) -> bool {
        interrupt::told().is_none()
    }

    fn outcome(&mut self, job: u64, outcome: Outcome) -> bool {
        let (File { path, name, scenario }, world) = one_of(self.files, self.arguments.world.worlds(), job);
        let case = Case { path, scenario, world, seed: None };
        let run = outcome.result.as_ref().ok();
        let other = self.first.take_if(|first| first.path == *path);
        let differences = match (&other, run) {
            (Some(other), Some(run)) => agree::differences(scenario, &other.run, run),
            _ => Vec::new(),
        };
        let disagrees = if differences.is_empty() { Verdict::Passed } else { Verdict::Disagrees };
        let verdict = outcome.verdict().max(disagrees);
        let simulated = run.map(|run| run.simulated);
        if !self.arguments.json && !self.arguments.quiet {
            let line = self.table.line(&Line {
                name,
                world,
                devices: scenario.devices.len(),
                events: run.map(|run| run.trace.events.len()),
                simulated,
                wall: outcome.wall,
                verdict,
                about: run.map(report::in_short).unwrap_or_default(),
            });
            self.bar.suspend(|| say(line));
        }
        let herds = run.map(|run| Herd::all(&run.trace.events)).unwrap_or_default();
        let world_of = |herd: &Herd| format!("{} in the {} world: {herd}", report::escaped(path), world.word());
        self.herds.extend(herds.iter().map(world_of));
        self.digests.extend(run.map(|run| run.trace.digest));
        let told = failures::Told { is_whole: self.arguments.all, colours: self.colours };
        self.failures.extend(Failing::of(&case, name, &outcome.result, told));
        if let Some(other) = &other {
            let first = Case { world: other.world, ..case };
            self.failures.extend(Failing::of_worlds(&first, &case, name, &differences));
        }
        match (self.verdicts.last_mut(), world == self.arguments.world.worlds()[0]) {
            (Some(last), false) => *last = verdict.max(*last),
            _ => self.verdicts.push(verdict),
        }
        self.simulated += simulated.unwrap_or_default();
        let other = other.as_ref().map(|other| (other.world, &differences[..]));
        self.book.add(&Entry { case, wall: outcome.wall, verdict, result: &outcome.result, other });
        self.results.push(Summary {
            path: path.clone(),
            world: world.word(),
            title: scenario.title.clone(),
            passed: verdict == Verdict::Passed,
            result: verdict.word(),
            devices: scenario.devices.len(),
            digest: run.map(|run| run.trace.digest.to_string()),
            events: run.map_or(0, |run| run.trace.events.len()),
            simulated_seconds: simulated.unwrap_or_default().as_secs_f64(),
            wall_seconds: outcome.wall.as_secs_f64(),
            violations: run.map(|run| report::findings(&case, run)).unwrap_or_default(),
            missed: run.map(|run| report::missed(&case, run)).unwrap_or_default(),
            nothing_to_judge: run.map(report::idle).unwrap_or_default(),
            disagreements: differences,
            not_converged: run.and_then(|run| run.not_converged.clone()),
            herds,
            error: outcome.result.as_ref().err().map(ToString::to_string),
        });
        self.first = outcome.result.ok().map(|run| First { path: path.clone(), world, run });
        true
    }
}
