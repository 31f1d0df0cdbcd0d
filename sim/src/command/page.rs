//! `gatecrash page`: a run as one HTML file, or two beside each other; a history as one.

use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use gatecrash_sim::check::agree;
use gatecrash_sim::generate::Seed;
use gatecrash_sim::page::{Head, Likely, Shown, page};
use gatecrash_sim::search::report::{self, Case};
use gatecrash_sim::search::when::DRAWS_DEFAULT;
use gatecrash_sim::search::workers;
use gatecrash_sim::trace::log::{Log, LogLine};
use gatecrash_sim::world::{World, packet};
use gatecrash_sim::zoo::{self, Bug};
use gatecrash_sim::{Run, Verdict};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;

use super::files::BadInput;
use super::interrupt;
use super::judge::{self, read::has_head as is_history};
use super::meant::Meant;
use super::version::version;
use super::when;
use super::worlds::Choice;
use super::{End, complain, count, say, thousands};

/// What of the drivers' logs a page has.
const LOG_FILTER: &str = "gatecrash=debug";

/// How long the system may take to say that it cannot open a file. What is at work then shows it.
const OPENS_WITHIN: Duration = Duration::from_secs(2);

/// Show a run as a picture beside its story, in one HTML file
///
/// The file needs no network and nothing beside it: open it in any browser, send it to somebody, keep it with a build.
/// Time runs down; sessions are bars, frames are arrows, and what is wrong is a line across. `?` on the page tells its
/// keys.
#[derive(Args)]
#[command(after_help = "\
Examples:
  gatecrash page scenarios/my_first.toml              writes my_first.html
  gatecrash page my_first.toml --open                 and shows it in the browser
  gatecrash page --seed 17 -o seed.html               what a sweep ran for a seed
  gatecrash page kick-1-told-5d0a11c2                 what a sweep found, shrunk
  gatecrash page my_first.toml --world both           both worlds, and where they part
  gatecrash page mended.toml --beside broken.toml     two scenarios beside each other
  gatecrash page --seed 17 --beside 18 -o -           two seeds, to standard output
  gatecrash page --seed 12 --bug F06 --beside 12      a system of the zoo beside one that is whole
  gatecrash page failing.toml --when                  with how likely it was to fail after each step
  gatecrash page history.jsonl                        what somebody else recorded, with what `judge` says of it

A file runs in the packet world, a seed in the world that it is drawn for, a finding where it was found.
The exit code says what came of the run, as that of `replay` does; of a history it is that of `judge`.")]
pub struct Arguments {
    /// A scenario file, the folder of a finding, or its name below target/gatecrash; a history
    #[arg(value_name = "FILE|FINDING", required_unless_present = "seed")]
    path: Option<PathBuf>,
    /// The scenario that a sweep draws from this seed, in the place of a file
    #[arg(long, value_name = "N", conflicts_with = "path")]
    seed: Option<Seed>,
    /// Another run to be shown beside it: a file, a finding or a seed
    #[arg(long, value_name = "FILE|FINDING|N")]
    beside: Option<String>,
    /// Where to run it [default: where it is from]
    #[arg(long, value_name = "WORLD", value_enum)]
    world: Option<Choice>,
    /// Run a system that the zoo breaks on purpose, in its world; what stands beside it is not broken
    #[arg(long, value_name = "ID", conflicts_with = "world")]
    bug: Option<String>,
    /// Show beside the time how likely the failure was after the steps that led to it, as `gatecrash when` tells it
    #[arg(long)]
    when: bool,
    /// How many runs to make at a time for --when; it changes nothing but the time taken
    #[arg(long, value_name = "N", default_value_t = workers::cores())]
    jobs: NonZeroUsize,
    /// The file to write, or - for standard output [default: the scenario's name with .html, here]
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Show what was written in the browser
    #[arg(long)]
    open: bool,
}

/// Does it.
pub fn run(arguments: &Arguments) -> End {
    match shown(arguments) {
        Ok(end) => end,
        Err(bad_input) => bad_input.report(false),
    }
}

/// What came of it.
struct Ran {
    head: Head,
    run: Run,
    log: Vec<LogLine>,
}

fn shown(arguments: &Arguments) -> Result<End, BadInput> {
    if arguments.open && arguments.out.as_deref() == Some(Path::new("-")) {
        let problem = "--open shows a file, and -o - writes none: name the file to write";
        return Err(BadInput::Refused(problem.to_owned()));
    }
    if let Some(path) = arguments.path.as_deref().filter(|path| path.is_file())
        && is_history(path)?
    {
        return history(arguments, path);
    }
    let first = || Meant::of(arguments.path.as_deref(), arguments.seed, World::Packet);
    let mut all = vec![first()?];
    match (&arguments.beside, arguments.world) {
        (Some(_), Some(Choice::Both)) => {
            let problem = "--beside shows two runs already: name one world, packet or event";
            return Err(BadInput::Refused(problem.to_owned()));
        }
        (Some(beside), _) => all.push(Meant::of_word(beside, World::Packet)?),
        (None, Some(Choice::Both)) => {
            all.push(first()?);
            (all[0].world, all[1].world) = (World::Packet, World::Event);
        }
        (None, _) => {}
    }
    match arguments.world {
        Some(Choice::Packet) => all.iter_mut().for_each(|meant| meant.world = World::Packet),
        Some(Choice::Event) => all.iter_mut().for_each(|meant| meant.world = World::Event),
        Some(Choice::Both) | None => {}
    }
    if let Some(id) = &arguments.bug {
        let broken = all.remove(0).broken(id)?;
        all.iter_mut().for_each(|other| other.world = broken.world);
        all.insert(0, broken);
    }
    let out = arguments.out.clone().unwrap_or_else(|| PathBuf::from(all[0].stem()).with_extension("html"));

    let version = version();
    let likely = match arguments.when {
        true => {
            let mut asked = first()?;
            (asked.world, asked.bug) = (all[0].world, all[0].bug);
            let wanted = when::failure(&mut asked)?;
            let curve = when::curve(&asked, &wanted, DRAWS_DEFAULT, false, arguments.jobs, out.as_os_str() == "-");
            if let Some(end) = interrupt::told() {
                return Ok(end);
            }
            Some(Likely::of(&curve, &all[0].file.scenario))
        }
        false => None,
    };
    let mut ran = Vec::new();
    for Meant { file, world, bug } in &all {
        let case = Case { path: &file.path, scenario: &file.scenario, world: *world, seed: None };
        match run_one(&case, *bug, &version) {
            Ok(one) => ran.push(one),
            Err(said) => {
                say(said);
                return Ok(End::HarnessFailed);
            }
        }
    }
    ran[0].head.likely = likely;
    let mut verdict = ran.iter().map(|ran| ran.run.verdict()).max().unwrap_or(Verdict::Passed);
    if arguments.world == Some(Choice::Both) {
        let differences = agree::differences(&all[0].file.scenario, &ran[0].run, &ran[1].run);
        if !differences.is_empty() {
            verdict = verdict.max(Verdict::Disagrees);
        }
    }
    let runs: Vec<Shown<'_>> =
        ran.iter().map(|ran| Shown { head: &ran.head, trace: &ran.run.trace, log: &ran.log }).collect();
    let text = page(&runs);
    if out.as_os_str() == "-" {
        say(text.trim_end());
        return Ok(verdict.into());
    }
    if let Err(error) = fs::write(&out, &text) {
        complain(format_args!("error: cannot write {}: {error}", out.display()));
        return Ok(End::HarnessFailed);
    }
    let events = ran.iter().map(|ran| ran.run.trace.events.len()).sum();
    let kilobytes = thousands(text.len().div_ceil(1_000) as u64);
    let came = verdict.word().replace('_', " ");
    say(format_args!("{}: {}, {kilobytes} kB, {came}", out.display(), count(events, "event")));
    Ok(opened(arguments, &out, verdict.into()))
}

/// Shows what was written in the browser, where that is wanted, and says how that ends.
fn opened(arguments: &Arguments, out: &Path, end: End) -> End {
    if arguments.open
        && let Err(error) = open::that_detached_with_timeout(out, OPENS_WITHIN)
    {
        complain(format_args!("error: cannot open {} in a browser: {error}", out.display()));
        return End::HarnessFailed;
    }
    end
}

/// The page of what somebody else recorded, which is judged and not run.
fn history(arguments: &Arguments, path: &Path) -> Result<End, BadInput> {
    let Arguments { beside, world, bug, when, .. } = arguments;
    if beside.is_some() || world.is_some() || bug.is_some() || *when {
        let problem = "a history is judged and does not run: --beside, --world, --bug and --when are for what runs";
        return Err(BadInput::Refused(problem.to_owned()));
    }
    let stem = path.file_stem().map_or_else(|| PathBuf::from("history"), PathBuf::from);
    let out = arguments.out.clone().unwrap_or_else(|| stem.with_extension("html"));
    let end = judge::picture::of_file(path, &out)?;
    Ok(opened(arguments, &out, end))
}

fn run_one(case: &Case<'_>, bug: Option<&Bug>, version: &str) -> Result<Ran, String> {
    let log = Log::default();
    let run = || match bug {
        Some(bug) => zoo::run(bug, case.scenario),
        None => gatecrash_sim::run(case.scenario, case.world),
    };
    let result = match case.world {
        World::Event => run(),
        World::Packet => {
            let filter = EnvFilter::new(LOG_FILTER);
            let subscriber = tracing_subscriber::registry().with(filter).with(log.layer(packet::now));
            tracing::subscriber::with_default(subscriber, run)
        }
    };
    let mut run = result.map_err(|error| report::harness_failure(case, &error))?;
    if case.path.starts_with("--seed ") {
        // Its header was drawn before anybody knew what would come.
        run.idle.clear();
    }
    let mut head = Head::of(case, &run, version);
    if let Some(bug) = bug {
        head.version = format!("{version}, broken on purpose: {}, {}", bug.id, bug.what);
        // A replay is of the system that is not broken.
        head.replay = report::command_line(&format!("page {} --bug {}", case.path, bug.id));
    }
    Ok(Ran { head, run, log: log.lines() })
}
