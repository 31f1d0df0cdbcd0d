//! `gatecrash sweep`: seeds by the million, each a scenario of its own, and a ledger of what they did.

mod book;
mod confirm;
mod keep;
mod which;

use std::cmp::Reverse;
use std::fs;
use std::io;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use gatecrash_sim::check::property;
use gatecrash_sim::check::sometimes::{Bound, Progress};
use gatecrash_sim::generate::{self, Profile};
use gatecrash_sim::history::Channels;
use gatecrash_sim::report::{Canary, Seeds};
use gatecrash_sim::scenario::{parse_duration, print_duration};
use gatecrash_sim::search::fingerprint::Fingerprint;
use gatecrash_sim::search::report::{self, Case, Telling};
use gatecrash_sim::search::shard::Shard;
use gatecrash_sim::search::sweep::{self, Failed, Failure, Manner, SeedRun, Sighting, Total};
use gatecrash_sim::search::workers::{self, Watch, Workers};
use gatecrash_sim::trace::digest::Sum;
use gatecrash_sim::trace::ledger::Section;
use gatecrash_sim::trace::render::Paint;
use gatecrash_sim::world::World;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use self::book::{Begun, Book, Smallest, Swept};
use self::confirm::{Confirmation, confirm};
use self::keep::{PAGE, keep};
pub use self::which::{FINDINGS, seeds, without_seeds};
use self::which::{Folders, Meant, Which, fly};
use super::files::BadInput;
use super::interrupt;
use super::report::Wanted;
use super::worlds::One;
use super::{Colour, End, colours, complain, count, paint, say, thousands};

/// A sweep that finds so many failing seeds has found enough.
const FAILING_MAX: usize = 1_000;

/// How many findings get a folder: each is shrunk first.
const FOLDERS_MAX: usize = 20;

/// How many findings are told in full, and of how many seeds each is said.
pub const FINDINGS_TOLD: usize = 5;
const SEEDS_TOLD: usize = 8;

/// The width of the names in the ledger.
const NAME_WIDTH: usize = 34;

/// A profile, as an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// Of every kind
    Swarm,
    /// Short ones whose server loses its power at least once
    PowerLoss,
    /// Short ones in which connections, disks and processes break all the time
    Dense,
}

impl From<Kind> for Profile {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Swarm => Profile::Swarm,
            Kind::PowerLoss => Profile::PowerLoss,
            Kind::Dense => Profile::Dense,
        }
    }
}

/// Draw scenarios from seeds, run them, and check every rule
///
/// Each seed is a scenario: devices, users, sites, a policy, a script that races on purpose, and
/// faults. One in a hundred, and each that fails, runs twice and must do the same; one that fails is
/// confirmed in a fresh process. Ends with a ledger of what the seeds did and reached. It fails
/// unless every seed asked for has finished. A seed that hangs is given up, and the others go on.
///
/// The packet world steps through time, and pays for each tick whether anything happens or not: a seed whose script has
/// more than a million of them is left out there, and counted as such. A sweep that leaves out all of its seeds fails.
///
/// However many seeds fail in one way, they are one finding, and get one folder: the plan and the smallest scenario
/// that fails so, their traces, and what the packet world makes of it. `gatecrash keep` makes it a test.
#[derive(Args)]
#[command(after_help = "\
Examples:
  gatecrash sweep                           100,000 seeds
  gatecrash sweep --seeds 0..1000000        a million
  gatecrash sweep --time 10m                as many as ten minutes allow
  gatecrash sweep --world packet --time 5m  the code that ships, drivers and wire included
  gatecrash sweep --world packet --profile power-loss --seeds 0..2000
  gatecrash sweep --world packet --profile dense --seeds 0..5000
  gatecrash sweep --json | jq .digest       for programs
  gatecrash sweep --report target/report    for CI: JUnit, SARIF, a summary, pages
  gatecrash sweep --nightly 2026-11-29      a million seeds that no other night has
  gatecrash sweep --seeds 0..1000000 --shard 3/16 --report shards/3
                                            the third of sixteen parts; `gatecrash merge` adds them up
  gatecrash sweep --observe calls,events    would an application's own log raise a false alarm?
  gatecrash replay --seed 17                tell what happens in one
  gatecrash print --seed 17 > my.toml       keep one as a file
  gatecrash keep kick-1-told-5d0a11c2       make a finding a test")]
pub struct Arguments {
    #[command(flatten)]
    which: Which,
    /// For how long, instead of up to a last seed
    #[arg(long, value_name = "TIME", value_parser = time)]
    time: Option<Duration>,
    /// Where to run them
    #[arg(long, value_name = "WORLD", value_enum, default_value_t = One::Event)]
    world: One,
    /// What kind of scenarios to draw
    #[arg(long, value_name = "PROFILE", value_enum, default_value_t = Kind::Swarm)]
    profile: Kind,
    /// How many seeds to run at a time; it changes nothing but the time taken
    #[arg(long, value_name = "N", default_value_t = workers::cores())]
    jobs: NonZeroUsize,
    /// Print one JSON object instead of the ledger
    #[arg(long)]
    json: bool,
    /// Give a seed up when nothing happens in its run for so long
    #[arg(long, value_name = "TIME", value_parser = time, default_value = "2m")]
    hang_after: Duration,
    /// Where each kind of failure gets its folder [default: target/gatecrash, and with --shard findings/ in the report's]
    #[arg(long, value_name = "DIR")]
    findings: Option<PathBuf>,
    /// Do not run failing seeds again in a fresh process, and write no folders
    #[arg(long)]
    unconfirmed: bool,
    /// Judge what somebody outside would have recorded of each run, and nothing else: channels with commas between them
    #[arg(long, value_name = "CHANNELS", conflicts_with_all = ["folder", "unchecked"])]
    observe: Option<Channels>,
    /// Let no property look on, to measure what they cost: nothing is found
    #[arg(long, conflicts_with = "folder")]
    unchecked: bool,
    #[command(flatten)]
    report: Wanted,
}

impl Arguments {
    /// Another process judges all of a run, and folders are of scenarios that fail by themselves.
    fn is_unconfirmed(&self) -> bool {
        self.unconfirmed || self.observe.is_some()
    }
}

fn time(text: &str) -> Result<Duration, String> {
    parse_duration(text).ok_or_else(|| "expected a span of time such as 30s, 10m or 1h30m".to_owned())
}

/// Does it.
#[expect(clippy::disallowed_methods, reason = "how long a sweep took is told to people, and decides no run")]
pub fn run(arguments: &Arguments) -> End {
    let refuse = |problem| Book::refuse(&arguments.report, &BadInput::Refused(problem), arguments.json);
    let folders = Folders { report: arguments.report.folder.as_deref(), findings: arguments.findings.as_deref() };
    let meant = match arguments.which.meant(arguments.time, arguments.world.world(), folders) {
        Ok(meant) => meant,
        Err(problem) => return refuse(problem),
    };
    if !arguments.is_unconfirmed()
        && let Err(error) = can_write(&meant.findings)
    {
        return refuse(format!("cannot write findings to {}: {error}", meant.findings.display()));
    }
    let start = Instant::now();
    let manner = Manner {
        world: arguments.world.world(),
        profile: arguments.profile.into(),
        checks: !arguments.unchecked,
        observe: arguments.observe,
    };
    let workers = Workers {
        threads: arguments.jobs,
        deadline: arguments.time.map(|time| start + time),
        hang_after: Some(arguments.hang_after),
    };
    let (first, number) = (meant.seeds.start, meant.seeds.end - meant.seeds.start);
    // How many a time allows is known when it is over.
    let asked = Seeds { first, number: if arguments.time.is_some() { 0 } else { number } };
    let share = meant.share.map(|(share, _)| share);
    let begun = Begun { manner, asked, time: arguments.time, share };
    let book = match Book::begin(&arguments.report, &begun, arguments.json) {
        Ok(book) => book,
        Err(bad_input) => return bad_input.report(arguments.json),
    };
    let canary = meant.share.map(|(_, bug)| fly(bug, manner.profile, first));
    let bar = bar(arguments, &meant.seeds);
    let mut sweep = Sweep { arguments, meant, manner, total: Total::default(), canary, bar, start };
    let begun = workers.run(number, move |job, pulse| sweep::seed(first + job, manner, pulse), &mut sweep);
    let asked = if arguments.time.is_some() { begun } else { number };
    sweep.finish(Seeds { first, number: asked }, start.elapsed(), book)
}

/// Whether a folder could be made at this path, or is there and takes files: a long sweep must not learn at its end
/// that it was for nothing. Leaves nothing behind.
fn can_write(folder: &Path) -> io::Result<()> {
    let there = folder.ancestors().find(|path| path.as_os_str().is_empty() || path.exists());
    let there = there.filter(|path| !path.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !there.is_dir() {
        return Err(io::Error::new(io::ErrorKind::NotADirectory, format!("{} is no folder", there.display())));
    }
    let probe = there.join(format!(".gatecrash-{}", std::process::id()));
    fs::write(&probe, "")?;
    fs::remove_file(&probe)
}

fn bar(arguments: &Arguments, seeds: &Range<u64>) -> ProgressBar {
    let target = if arguments.json { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
    let (length, template) = match arguments.time {
        None => (seeds.end - seeds.start, "{bar:32} {human_pos}/{human_len} seeds  {msg}  {eta} left"),
        Some(time) => (time.as_secs().max(1), "{bar:32} {msg}  {eta} left"),
    };
    let style = ProgressStyle::with_template(template).expect("the template is well formed");
    ProgressBar::with_draw_target(Some(length), target).with_style(style)
}

/// What is known so far.
struct Sweep<'a> {
    arguments: &'a Arguments,
    meant: Meant,
    manner: Manner,
    total: Total,
    canary: Option<Canary>,
    bar: ProgressBar,
    start: Instant,
}

impl Watch<SeedRun> for Sweep<'_> {
    fn outcome(&mut self, _job: u64, run: SeedRun) -> bool {
        if let Some(failure) = &run.failure {
            let told = match failure {
                Failure::Violated(violations) => {
                    format!("{} violated: {}", violations[0].rule, violations[0].property)
                }
                Failure::NotConverged(reason) => format!("did not converge: {reason}"),
                Failure::Harness(error) => format!("the harness failed: {error}"),
                Failure::Hangs(said) => {
                    let given_up = print_duration(self.arguments.hang_after);
                    format!("hangs, and was given up after {given_up}: {said}")
                }
            };
            // The first of each kind as soon as it is known: a long sweep need not be waited for.
            if !self.arguments.json && !self.total.findings.contains_key(&failure.fingerprint()) {
                self.bar.suspend(|| complain(format_args!("seed {}  {told}", run.seed)));
            }
        }
        self.total.add(run);
        !is_enough(self.total.failing())
    }

    #[expect(clippy::disallowed_methods, reason = "a progress bar shows how fast it goes")]
    fn tick(&mut self) -> bool {
        let elapsed = self.start.elapsed();
        let seeds = self.total.finished + self.total.left_out;
        let position = if self.arguments.time.is_some() { elapsed.as_secs() } else { seeds };
        self.bar.set_position(position);
        let rate = self.total.finished as f64 / elapsed.as_secs_f64().max(0.001);
        let left_out = match self.total.left_out {
            0 => String::new(),
            number => format!("  {} left out", thousands(number)),
        };
        self.bar.set_message(format!(
            "{}/s  {} simulated  {}{left_out}",
            thousands(rate as u64),
            span(self.total.simulated()),
            count(self.total.failing(), "violation"),
        ));
        interrupt::told().is_none()
    }

    fn hung(&mut self, _job: u64, sighting: Sighting) -> SeedRun {
        SeedRun::hung(sighting, self.manner)
    }
}

/// What came of a sweep, for programs.
#[derive(Serialize)]
struct Totals {
    world: &'static str,
    profile: &'static str,
    first_seed: u64,
    seeds_asked: u64,
    /// Which part of more seeds they are.
    shard: Option<Shard>,
    seeds_finished: u64,
    /// Seeds that are longer than the world can run.
    seeds_left_out: u64,
    soaks: u64,
    seeds_run_twice: u64,
    /// Seeds in which a property does not hold.
    violations: usize,
    not_converged: usize,
    harness_failed: usize,
    /// Whether it was told to end before it had finished.
    interrupted: bool,
    /// Whether it ended before it had finished because so many seeds had failed.
    ended_early: bool,
    events: u64,
    simulated_seconds: f64,
    wall_seconds: f64,
    seeds_per_second: f64,
    events_per_second: f64,
    digest: String,
    /// The same in no order: those of shards add up to it.
    sum: Sum,
    /// What became of a shard's canary.
    canary: Option<Canary>,
    properties: usize,
    sometimes_hit: Vec<&'static str>,
    sometimes_missed: Vec<&'static str>,
    /// Of those missed, how far seeds got.
    sometimes_progress: Vec<Towards>,
    counts: Vec<Count>,
    findings: Vec<Found>,
}

/// How many of the parts of a situation that no seed reached came about, the last part being the situation itself.
#[derive(Serialize)]
struct Towards {
    situation: &'static str,
    reached: usize,
    of: usize,
    parts: Vec<Part>,
}

#[derive(Serialize)]
struct Part {
    part: &'static str,
    seeds: u32,
}

impl From<Progress> for Towards {
    fn from(progress: Progress) -> Towards {
        let (reached, of) = progress.reached();
        let parts = progress.parts.into_iter().map(|(part, seeds)| Part { part, seeds }).collect();
        Towards { situation: progress.situation, reached, of, parts }
    }
}

#[derive(Serialize)]
struct Count {
    section: &'static str,
    what: String,
    number: u64,
}

/// Failing seeds that have one fingerprint.
#[derive(Serialize)]
struct Found {
    fingerprint: String,
    property: String,
    rule: Option<&'static str>,
    seeds: usize,
    first_seed: u64,
    /// What a fresh process said that does not agree.
    disagreement: Option<String>,
    replay: String,
    /// Where its files are, or why there are none.
    folder: Option<String>,
    folder_error: Option<String>,
    /// How many steps the smallest scenario has that fails so.
    steps: Option<usize>,
    /// What the packet world shows of it.
    packet: Option<&'static str>,
    #[serde(skip)]
    packet_said: Option<String>,
    #[serde(skip)]
    smallest: Option<Smallest>,
    /// How the smallest fails, with its steps.
    #[serde(skip)]
    told: Option<String>,
}

impl Found {
    /// What the seeds say by themselves.
    fn new(print: &Fingerprint, seen: &[Failed], world: World) -> Self {
        let first = &seen[0].seed;
        Found {
            fingerprint: print.slug(),
            property: print.said().to_owned(),
            rule: print.rule().map(|rule| rule.as_str()),
            seeds: seen.len(),
            first_seed: first.number,
            disagreement: None,
            replay: report::command_line(&format!("replay --seed {first} --world {}", world.word())),
            folder: None,
            folder_error: None,
            steps: None,
            packet: None,
            packet_said: None,
            smallest: None,
            told: None,
        }
    }
}

impl Sweep<'_> {
    fn finish(self, asked: Seeds, wall: Duration, book: Book) -> End {
        let (first_seed, number) = (asked.first, asked.number);
        self.bar.finish_and_clear();
        // Where every seed was left out nothing was judged.
        let is_finished = self.total.finished + self.total.left_out == number && self.total.finished > 0;
        let found = self.found();
        let numbers = |wanted: fn(&Fingerprint) -> bool| {
            self.total.findings.iter().filter(|(print, _)| wanted(print)).map(|(_, seeds)| seeds.len()).sum::<usize>()
        };
        let violations = numbers(|print| matches!(print, Fingerprint::Property { .. }));
        let not_converged = numbers(|print| matches!(print, Fingerprint::NotConverged(_)));
        let harness_failed = numbers(|print| matches!(print, Fingerprint::Harness(_)));
        let disagrees = found.iter().any(|found| found.disagreement.is_some());
        let is_blind = self.canary.as_ref().is_some_and(|canary| canary.caught_after.is_none());
        let end = if let Some(end) = interrupt::told() {
            end
        } else if harness_failed > 0 || disagrees || is_blind || !is_finished && violations + not_converged == 0 {
            End::HarnessFailed
        } else if violations > 0 {
            End::Violated
        } else if not_converged > 0 {
            End::NotConverged
        } else {
            End::Passed
        };
        let total = &self.total;
        let totals = Totals {
            world: self.manner.world.word(),
            profile: self.manner.profile.word(),
            first_seed,
            seeds_asked: number,
            shard: self.meant.share.map(|(share, _)| share.shard),
            seeds_finished: total.finished,
            seeds_left_out: total.left_out,
            soaks: total.soaks,
            seeds_run_twice: total.repeated,
            violations,
            not_converged,
            harness_failed,
            interrupted: interrupt::told().is_some(),
            ended_early: ends_early(self.total.failing(), total.finished + total.left_out, number),
            events: total.ledger.events,
            simulated_seconds: total.simulated().as_secs_f64(),
            wall_seconds: wall.as_secs_f64(),
            seeds_per_second: total.finished as f64 / wall.as_secs_f64(),
            events_per_second: total.ledger.events as f64 / wall.as_secs_f64(),
            digest: total.digest().to_string(),
            sum: total.sum,
            canary: self.canary.clone(),
            properties: if self.manner.checks {
                property::all(&generate::scenario(first_seed), Duration::ZERO).len()
            } else {
                0
            },
            sometimes_hit: total.sometimes.hit().collect(),
            sometimes_missed: total.sometimes.missed().collect(),
            sometimes_progress: total.sometimes.progress().map(Towards::from).collect(),
            counts: total
                .ledger
                .counts()
                .map(|(section, what, number)| Count { section: section.word(), what, number })
                .collect(),
            findings: found,
        };
        if self.arguments.json {
            say(serde_json::to_string_pretty(&totals).expect("numbers and texts"));
        } else {
            self.tell(&totals, end);
        }
        book.end(self.manner, &Swept { total, found: &totals.findings, asked, canary: self.canary.as_ref(), wall, end })
    }

    /// The findings, each confirmed in a fresh process, the shortest first.
    fn found(&self) -> Vec<Found> {
        let found = self.total.findings.iter().enumerate();
        let mut found: Vec<Found> = found.map(|(number, (print, seen))| self.one_found(number, print, seen)).collect();
        // The shortest first; what was not shrunk comes last, and then what more seeds show.
        found.sort_by_key(|found| (found.steps.unwrap_or(usize::MAX), Reverse(found.seeds)));
        found
    }

    fn one_found(&self, number: usize, print: &Fingerprint, seen: &[Failed]) -> Found {
        let (world, folders) = (self.manner.world, &self.meant.findings);
        let first = &seen[0];
        let mut found = Found::new(print, seen, world);
        if self.arguments.is_unconfirmed() || first.hangs.is_some() {
            return found;
        }
        found.disagreement = seen.iter().find_map(|failed| match confirm(failed, world) {
            Confirmation::Same => None,
            Confirmation::Differs(how) => Some(format!("seed {}: {how}", failed.seed)),
        });
        if found.disagreement.is_none() && number < FOLDERS_MAX {
            match keep(print, seen, world, folders, self.arguments.jobs) {
                Ok(kept) => {
                    found.packet = kept.packet.as_ref().map(|packet| packet.word());
                    found.packet_said = kept.packet.as_ref().map(ToString::to_string);
                    (found.folder, found.steps) = (Some(kept.folder.clone()), Some(kept.shrunk.steps.len()));
                    let path = format!("{}/shrunk.toml", kept.folder);
                    let case = Case { path: &path, scenario: &kept.shrunk, world, seed: None };
                    let paint = if self.colours() { Paint::Colours } else { Paint::Plain };
                    found.told = match &kept.smallest {
                        Ok(run) => report::told(&case, run, Telling { has_steps: true, paint, ..Telling::default() }),
                        Err(error) => Some(report::harness_failure(&case, error)),
                    };
                    let shown = kept.smallest.ok().zip(kept.head);
                    found.smallest = shown.map(|(run, head)| Smallest { scenario: kept.shrunk, head, run });
                }
                Err(error) => found.folder_error = Some(error),
            }
        }
        found
    }

    fn tell(&self, totals: &Totals, end: End) {
        say(format_args!(
            "{} world, profile {}{}",
            totals.world,
            totals.profile,
            self.arguments.which.in_words(&self.meant)
        ));
        let ledger = |name: &str, number: String| say(format_args!("  {name:<NAME_WIDTH$}{number:>16}"));
        for section in [Section::Call, Section::Event, Section::Effect, Section::Fact] {
            say(heading(section));
            for (_, what, number) in self.total.ledger.counts().filter(|(of, ..)| *of == section) {
                ledger(&what, thousands(number));
            }
        }
        say(format_args!(
            "sometimes: {} of {} situations reached",
            totals.sometimes_hit.len(),
            totals.sometimes_hit.len() + totals.sometimes_missed.len()
        ));
        for Towards { situation, reached, of, parts } in &totals.sometimes_progress {
            say(format_args!("  never: {situation}"));
            if !parts.is_empty() {
                let told = parts.iter().map(|Part { part, seeds }| match seeds {
                    0 => format!("{part}, never"),
                    seeds => format!("{part}, in {}", count(*seeds as usize, "seed")),
                });
                say(format_args!("         {reached} of {of} parts: {}", told.collect::<Vec<_>>().join("; ")));
            }
        }
        let bounds: Vec<Bound> = self.total.sometimes.bounds().collect();
        let tried = bounds.iter().filter(|bound| bound.is_tried()).count();
        say(format_args!("bounds: {tried} of {} reached from both sides", bounds.len()));
        for found in totals.findings.iter().take(FINDINGS_TOLD) {
            let of = self.total.findings.iter().find(|(print, _)| print.slug() == found.fingerprint);
            let (_, seen) = of.expect("what was found is among the findings");
            match &found.told {
                Some(told) => {
                    let steps = count(generate::scenario(seen[0].seed).steps.len(), "step");
                    say(format_args!("\n{told}\n\n  seed {} of {steps}: {}", seen[0].seed, found.replay));
                }
                None => say(format_args!("\n{}\n", sweep::report(&seen[0], self.manner.world))),
            }
            let seeds: Vec<String> = seen.iter().take(SEEDS_TOLD).map(|failed| failed.seed.to_string()).collect();
            let more = if found.seeds > SEEDS_TOLD { " …" } else { "" };
            if found.told.is_none() || found.seeds > 1 {
                let fail = if found.seeds == 1 { "fails" } else { "fail" };
                say(format_args!("  {} {fail} so: {}{more}", count(found.seeds, "seed"), seeds.join(", ")));
            }
            match &found.disagreement {
                None if self.arguments.is_unconfirmed() || seen[0].hangs.is_some() => {}
                None => say("  confirmed in a fresh process"),
                Some(how) => say(format_args!("  NOT confirmed in a fresh process: {how}")),
            }
            if let Some(packet) = &found.packet_said {
                say(format_args!("  in the packet world {packet}"));
            }
            if let (Some(folder), Some(steps)) = (&found.folder, found.steps) {
                say(format_args!("  shrunk to {}: {folder}/", count(steps, "step")));
                say(format_args!("  look at it: {folder}/{PAGE}"));
            }
            if let Some(error) = &found.folder_error {
                say(format_args!("  no folder: {error}"));
            }
        }
        if totals.findings.len() > FINDINGS_TOLD {
            say(format_args!("\nand {} of failure", count(totals.findings.len() - FINDINGS_TOLD, "more kind")));
        }
        if totals.ended_early {
            let enough = format!("ended early: {} fail, which is enough", count(self.total.failing(), "seed"));
            say(format_args!("\n{}", paint(&enough, Colour::Red, self.colours())));
        }
        let verdict = match end {
            End::Passed if totals.properties == 0 => paint("nothing was checked", Colour::Bold, self.colours()),
            End::Passed => paint("no violation", Colour::Green, self.colours()),
            End::Interrupted | End::Terminated if self.total.failing() == 0 => {
                paint("told to end, no violation so far", Colour::Bold, self.colours())
            }
            End::Interrupted | End::Terminated => {
                let failing = count(self.total.failing(), "failing seed");
                paint(&format!("told to end, {failing} so far"), Colour::Red, self.colours())
            }
            _ if totals.seeds_left_out == totals.seeds_asked => paint("nothing was run", Colour::Red, self.colours()),
            _ if self.total.failing() == 0 => paint("nothing is proven", Colour::Red, self.colours()),
            End::Violated | End::NotConverged | End::BadInput | End::HarnessFailed => {
                let failing = count(self.total.failing(), "failing seed");
                paint(&failing, Colour::Red, self.colours())
            }
        };
        let asked = Seeds { first: totals.first_seed, number: totals.seeds_asked };
        let ran = ran(asked, totals.seeds_finished, totals.soaks, totals.seeds_left_out);
        say(format_args!("\n{ran}: {verdict}"));
        say(format_args!(
            "{} events, {} simulated in {:.1} s: {} seeds and {} events a second",
            thousands(totals.events),
            span(self.total.simulated()),
            totals.wall_seconds,
            thousands(totals.seeds_per_second as u64),
            thousands(totals.events_per_second as u64),
        ));
        say(format_args!(
            "{} properties; {} ran twice and did the same; digest {}",
            totals.properties,
            count(totals.seeds_run_twice as usize, "seed"),
            totals.digest
        ));
        if let Some(canary) = &totals.canary {
            let told = match canary.caught_after {
                Some(seeds) => format!("caught after {}", count(seeds as usize, "seed")),
                None => paint(
                    &format!("not caught in {} seeds: the checks see nothing", canary.limit),
                    Colour::Red,
                    self.colours(),
                ),
            };
            say(format_args!("canary {}: {told}", canary.bug));
        }
    }

    fn colours(&self) -> bool {
        colours(&io::stdout())
    }
}

/// Whether so many failing seeds are enough to look at.
fn is_enough(failing: usize) -> bool {
    failing >= FAILING_MAX
}

/// Whether that is why it ended before all the seeds that were asked for had finished.
fn ends_early(failing: usize, done: u64, asked: u64) -> bool {
    is_enough(failing) && done < asked
}

fn heading(section: Section) -> &'static str {
    match section {
        Section::Call => "calls made",
        Section::Event => "listeners called",
        Section::Effect => "faults that took effect",
        Section::Fact => "what became true on the server",
        _ => unreachable!("the ledger shows no other section"),
    }
}

/// Of how many seeds that were asked for so many finished, without a budget or with one, and how many were left out.
pub fn ran(asked: Seeds, finished: u64, soaks: u64, left_out: u64) -> String {
    let left_out = match left_out {
        0 => String::new(),
        number => format!(", {} left out as too long for the packet world", thousands(number)),
    };
    format!(
        "{} seeds from {} asked for, {} finished, {} of them without a budget{left_out}",
        thousands(asked.number),
        thousands(asked.first),
        thousands(finished),
        thousands(soaks),
    )
}

/// Years, once there are some.
pub fn span(time: Duration) -> String {
    const YEAR: f64 = 365.25 * 24.0 * 3600.0;
    let years = time.as_secs_f64() / YEAR;
    if years >= 1.0 {
        format!("{} years", thousands(years as u64))
    } else {
        print_duration(Duration::from_secs(time.as_secs()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sweep_that_finds_enough_ends_early_unless_it_had_finished() {
        assert!(ends_early(FAILING_MAX, 5_000, 100_000));
        assert!(!ends_early(FAILING_MAX, 100_000, 100_000));
        assert!(!ends_early(FAILING_MAX - 1, 5_000, 100_000), "it was told to end");
    }
}
