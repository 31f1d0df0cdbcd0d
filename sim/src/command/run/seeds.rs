//! `gatecrash run --seeds`: each file under many seeds. What is drawn while it runs is another each time, latencies and delays
//! above all; what the file says stays.

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use gatecrash_sim::check::agree::{self, Difference};
use gatecrash_sim::scenario::Scenario;
use gatecrash_sim::search::causes::Cause;
use gatecrash_sim::search::report::{self, Case};
use gatecrash_sim::search::workers::{Watch, Workers};
use gatecrash_sim::trace::Digest;
use gatecrash_sim::trace::digest::Digests;
use gatecrash_sim::world::World;
use gatecrash_sim::{Verdict, run_twice};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use super::super::files::File;
use super::super::now;
use super::super::table::prose;
use super::super::{Colour, End, colours, count, interrupt, paint, say, thousands};
use super::book::{Book, Entry};
use super::failures::{Failing, Told, more};
use super::{Arguments, Outcome};

/// Does it.
pub fn run(arguments: &Arguments, files: &Arc<[File]>, seeds: Range<u64>, book: Book) -> End {
    let (once, worlds, first) = (arguments.once, arguments.world.worlds(), seeds.start);
    let each = seeds.end - seeds.start;
    let jobs = each * files.len() as u64;
    let target = if arguments.json { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
    let style = ProgressStyle::with_template("{human_pos} of {human_len} runs  {wide_bar}  {eta} left");
    let bar = ProgressBar::with_draw_target(Some(jobs), target).with_style(style.expect("the template is well formed"));
    let mut batch = Batch { arguments, files, seeds, each, bar, of_files: Vec::new(), causes: BTreeMap::new(), book };
    let work = {
        let files = Arc::clone(files);
        move |job: u64| {
            let scenario = under(&files[(job / each) as usize].scenario, first + job % each);
            let run = |world: &World| {
                let start = now();
                let result = if once { gatecrash_sim::run(&scenario, *world) } else { run_twice(&scenario, *world) };
                Outcome { result, wall: now() - start }
            };
            worlds.iter().map(run).collect::<Vec<_>>()
        }
    };
    let start = now();
    Workers::new(arguments.jobs).run(jobs, move |job, _| work(job), &mut batch);
    batch.finish(now() - start)
}

/// The scenario, with what is drawn in it from this seed.
fn under(scenario: &Scenario, seed: u64) -> Scenario {
    Scenario { seed, ..scenario.clone() }
}

/// What is known so far.
struct Batch<'a> {
    arguments: &'a Arguments,
    files: &'a [File],
    seeds: Range<u64>,
    /// How many seeds.
    each: u64,
    bar: ProgressBar,
    of_files: Vec<OfFile>,
    /// The failing seeds of each cause in each file, in their order: the first with its report.
    causes: BTreeMap<(usize, Cause), Vec<(String, String)>>,
    book: Book,
}

/// What came of a file.
#[derive(Default)]
struct OfFile {
    /// Of each seed.
    verdicts: Vec<Verdict>,
    digests: Digests,
    events: usize,
    simulated: Duration,
}

/// What came of a file, for programs.
#[derive(Serialize)]
struct Summary<'a> {
    path: &'a str,
    title: &'a str,
    seeds: usize,
    passed: usize,
    digest: String,
    events: usize,
    simulated_seconds: f64,
    ways: Vec<Way<'a>>,
}

/// Seeds that fail in one way, for programs.
#[derive(Serialize)]
struct Way<'a> {
    cause: String,
    first_seed: &'a str,
    seeds: Vec<&'a str>,
    replay: String,
}

/// What came of all of them, for programs.
#[derive(Serialize)]
struct Totals<'a> {
    worlds: Vec<&'static str>,
    first_seed: u64,
    seeds: u64,
    /// Those of all files that did not run, because it was told to end.
    not_run: u64,
    passed: usize,
    failed: usize,
    wall_seconds: f64,
    results: Vec<Summary<'a>>,
}

impl Watch<Vec<Outcome>> for Batch<'_> {
    fn finished(&mut self, _: &Vec<Outcome>) {
        self.bar.inc(1);
    }

    fn tick(&mut self) -> bool {
        interrupt::told().is_none()
    }

    fn outcome(&mut self, job: u64, outcomes: Vec<Outcome>) -> bool {
        let (place, seed) = ((job / self.each) as usize, self.seeds.start + job % self.each);
        let File { path, scenario, .. } = &self.files[place];
        let scenario = under(scenario, seed);
        let (name, told) = (seed.to_string(), self.how());
        let cases = self.arguments.world.worlds().iter();
        let cases = cases.map(|&world| Case { path, scenario: &scenario, world, seed: Some(seed) });
        let cases: Vec<Case<'_>> = cases.collect();
        // Of each cause the first is told: what is known of the others is their number.
        let is_known = |cause: &Cause| !self.arguments.all && self.causes.contains_key(&(place, cause.clone()));
        let failing = cases.iter().zip(&outcomes).filter_map(|(case, Outcome { result, .. })| {
            let cause = Cause::of(result)?;
            match is_known(&cause) {
                true => Some(Failing::known(cause, &name)),
                false => Failing::of(case, &name, result, told),
            }
        });
        let mut failing: Vec<Failing> = failing.collect();
        let differences: Vec<Difference> = match &outcomes[..] {
            [Outcome { result: Ok(first), .. }, Outcome { result: Ok(second), .. }] => {
                agree::differences(&scenario, first, second)
            }
            _ => Vec::new(),
        };
        if let [first, second] = &cases[..] {
            failing.extend(Failing::of_worlds(first, second, &name, &differences));
        }
        self.of_files.resize_with(self.of_files.len().max(place + 1), OfFile::default);
        let of_file = &mut self.of_files[place];
        let disagrees = if differences.is_empty() { Verdict::Passed } else { Verdict::Disagrees };
        let verdicts = outcomes.iter().map(Outcome::verdict);
        of_file.verdicts.push(verdicts.max().unwrap_or(Verdict::Passed).max(disagrees));
        for run in outcomes.iter().filter_map(|outcome| outcome.result.as_ref().ok()) {
            of_file.digests.push(run.trace.digest);
            of_file.events += run.trace.events.len();
            of_file.simulated += run.simulated;
        }
        for (number, (case, outcome)) in cases.iter().zip(&outcomes).enumerate() {
            // The second of two worlds is told with what the first made of it.
            let other = (number > 0).then(|| (cases[0].world, &differences[..]));
            let verdict = outcome.verdict().max(if number > 0 { disagrees } else { Verdict::Passed });
            self.book.add(&Entry { case: *case, wall: outcome.wall, verdict, result: &outcome.result, other });
        }
        for one in failing {
            let (cause, named) = one.known_by();
            let seen = self.causes.entry((place, cause)).or_default();
            if self.arguments.all || seen.is_empty() {
                seen.push(named);
            } else if seen.last().is_none_or(|(last, _)| *last != named.0) {
                seen.push((named.0, String::new()));
            }
        }
        if of_file.verdicts.len() as u64 == self.each && !self.arguments.json && !self.arguments.quiet {
            let line = self.line(place);
            self.bar.suspend(|| say(line));
        }
        true
    }
}

impl Batch<'_> {
    fn how(&self) -> Told {
        Told { is_whole: self.arguments.all, colours: self.colours() }
    }

    fn colours(&self) -> bool {
        !self.arguments.json && colours(&io::stdout())
    }

    fn passed(&self, place: usize) -> usize {
        self.of_files[place].verdicts.iter().filter(|&&verdict| verdict == Verdict::Passed).count()
    }

    /// What came of a file, in a line.
    fn line(&self, place: usize) -> String {
        let (seeds, passed) = (self.of_files[place].verdicts.len(), self.passed(place));
        let result = match seeds - passed {
            0 => paint("all passed", Colour::Green, self.colours()),
            failed => {
                let ways = self.causes.keys().filter(|(of, _)| *of == place).count();
                let fail = if failed == 1 { "fails" } else { "fail" };
                let said = format!("{} {fail}, in {}", thousands(failed as u64), count(ways, "way"));
                paint(&said, Colour::Red, self.colours())
            }
        };
        format!("{}: {}, {result}", self.files[place].name, count(seeds, "seed"))
    }

    /// The reports and the totals.
    fn finish(self, wall: Duration) -> End {
        self.bar.finish_and_clear();
        let verdict = self.of_files.iter().flat_map(|file| &file.verdicts).copied().max().unwrap_or(Verdict::Passed);
        if self.arguments.json {
            say(serde_json::to_string_pretty(&self.totals(wall)).expect("numbers and texts"));
        } else {
            self.tell(wall);
        }
        let digest = self.digest().to_string();
        self.book.end(&digest, wall, interrupt::told().unwrap_or(verdict.into()))
    }

    fn tell(&self, wall: Duration) {
        let mut is_first = self.arguments.quiet;
        let mut part = |text: String| {
            say(format_args!("{}{text}", if std::mem::replace(&mut is_first, false) { "" } else { "\n" }));
        };
        for seen in self.causes.values() {
            for (_, report) in seen.iter().filter(|(_, report)| !report.is_empty()) {
                part(report.clone());
            }
            if !self.arguments.all
                && let Some(more) = more(seen, "seed")
            {
                say(format_args!("\n  {more}"));
            }
        }
        let totals = self.totals(wall);
        let twice = if self.arguments.once { "" } else { ", each run twice" };
        let worlds = totals.worlds.join(" world and the ");
        let mut result = match totals.failed {
            0 => paint("all passed", Colour::Green, self.colours()),
            failed => {
                let failed = paint(&format!("{} failed", thousands(failed as u64)), Colour::Red, self.colours());
                format!("{} passed, {failed}", thousands(totals.passed as u64))
            }
        };
        if totals.not_run > 0 {
            let not_run = format!(", told to end with {} not run", count(totals.not_run as usize, "run"));
            result.push_str(&paint(&not_run, Colour::Red, self.colours()));
        }
        let (events, simulated) = self
            .of_files
            .iter()
            .fold((0, Duration::ZERO), |(events, simulated), file| (events + file.events, simulated + file.simulated));
        let (scenarios, seeds) = (count(self.files.len(), "scenario"), count(self.each as usize, "seed"));
        let first = thousands(self.seeds.start);
        part(format!("{scenarios} under {seeds} from {first} in the {worlds} world{twice}: {result}"));
        say(format_args!("{}, {} simulated in {}", count(events, "event"), prose(simulated), prose(wall)));
        say(format_args!("digest {}", self.digest()));
    }

    fn digest(&self) -> Digest {
        Digest::of(self.of_files.iter().map(|file| file.digests.digest()))
    }

    fn totals(&self, wall: Duration) -> Totals<'_> {
        let ran: usize = self.of_files.iter().map(|file| file.verdicts.len()).sum();
        let passed = (0..self.of_files.len()).map(|place| self.passed(place)).sum();
        Totals {
            worlds: self.arguments.world.worlds().iter().map(|world| world.word()).collect(),
            first_seed: self.seeds.start,
            seeds: self.each,
            not_run: self.each * self.files.len() as u64 - ran as u64,
            passed,
            failed: ran - passed,
            wall_seconds: wall.as_secs_f64(),
            results: (0..self.of_files.len()).map(|place| self.summary(place)).collect(),
        }
    }

    fn summary(&self, place: usize) -> Summary<'_> {
        let (File { path, scenario, .. }, file) = (&self.files[place], &self.of_files[place]);
        let ways = self.causes.iter().filter(|((of, _), _)| *of == place).map(|((_, cause), seen)| {
            let first_seed = seen[0].0.as_str();
            let world = self.arguments.world.worlds()[0];
            let case = Case { path, scenario, world, seed: first_seed.parse().ok() };
            Way {
                cause: cause.to_string(),
                first_seed,
                seeds: seen.iter().map(|(seed, _)| seed.as_str()).collect(),
                replay: report::replay_command(&case, None),
            }
        });
        Summary {
            path,
            title: &scenario.title,
            seeds: file.verdicts.len(),
            passed: self.passed(place),
            digest: file.digests.digest().to_string(),
            events: file.events,
            simulated_seconds: file.simulated.as_secs_f64(),
            ways: ways.collect(),
        }
    }
}
