//! `gatecrash replay`: one scenario, told event by event, then judged.

mod lens;

use std::io;
use std::path::PathBuf;

use clap::Args;
use gatecrash_sim::generate::{Profile, Seed};
use gatecrash_sim::history::{Channels, keyhole, whole};
use gatecrash_sim::search::report::{self, Case, Telling};
use gatecrash_sim::trace::json;
use gatecrash_sim::trace::log::Log;
use gatecrash_sim::trace::render::{self, Paint, Show, Since, View};
use gatecrash_sim::world::{World, packet};
use gatecrash_sim::{HarnessError, Run, Verdict};
use serde::Serialize;
use tracing::Level;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;

use self::lens::{Lens, Seen};
use super::files::{BadInput, File};
use super::meant::Meant;
use super::worlds::One;
use super::{End, colours, complain, count, say};

/// Run one scenario and tell what happens in it
///
/// Prints the trace, an event a line, then what the checks say. The run always goes to its end; what is printed of it
/// may be a part: of a time, of devices, of users, of what hangs together with what went wrong. Parts that are asked for
/// together are what is in all of them.
#[derive(Args)]
#[command(after_help = "\
Examples:
  gatecrash replay scenarios/my_first.toml                    everything
  gatecrash replay scenarios/my_first.toml --story            without what is routine
  gatecrash replay scenarios/my_first.toml --until 12.5s      up to then
  gatecrash replay scenarios/my_first.toml --around 2.061s±500ms
  gatecrash replay failing.toml --why                         only what hangs together with what went wrong
  gatecrash replay failing.toml --why=2.061s --device pad     the same of what the pad did at that time
  gatecrash replay failing.toml --user alice --story --last 20
  gatecrash replay failing.toml --since                       with how long after the line before, and to the failure
  gatecrash replay scenarios/my_first.toml --log debug        with what the drivers log in between
  gatecrash replay scenarios/my_first.toml --world event      as the cores alone do it
  gatecrash replay scenarios/my_first.toml --seed 17          with what is drawn in it from another seed
  gatecrash replay --seed 17                                  what a sweep ran for a seed
  gatecrash replay kick-1-told-5d0a11c2                       what a sweep found, shrunk
  gatecrash replay scenarios/my_first.toml --json | jq '.events[] | select(.what == \"told\")'

A file runs in the packet world, a seed in the world that it is drawn for, a finding where it was found; the first line
says which.")]
pub struct Arguments {
    /// The file, the folder of a finding, or its name below target/gatecrash
    #[arg(value_name = "FILE|FINDING", required_unless_present = "seed")]
    path: Option<PathBuf>,
    /// The scenario that a sweep draws from this seed; with a file, that file, and what is drawn in it from this seed
    #[arg(long, value_name = "N")]
    seed: Option<Seed>,
    /// Leave out what only shows that links live
    #[arg(long)]
    story: bool,
    #[command(flatten)]
    lens: lens::Arguments,
    /// Behind the time, print how long after the line before it is, and how long before or after what went wrong
    #[arg(long, conflicts_with = "json")]
    since: bool,
    /// Where to run it [default: where it is from]
    #[arg(long, value_name = "WORLD", value_enum)]
    world: Option<One>,
    /// Print what the drivers log, from this level on (error, warn, info, debug, trace), or by a filter such as turmoil=trace
    #[arg(long, value_name = "LEVEL")]
    log: Option<String>,
    /// Print one JSON object, with every event in it
    #[arg(long, conflicts_with_all = ["story", "log"])]
    json: bool,
    /// Print the history that somebody outside would have recorded, for `gatecrash judge`: channels with commas
    /// between them, or `all` for the whole trace, which is judged as here
    #[arg(long, value_name = "CHANNELS", conflicts_with_all = ["story", "log", "json"])]
    observe: Option<Channels>,
}

/// Does it.
pub fn run(arguments: &Arguments) -> End {
    match replayed(arguments) {
        Ok(end) => end,
        Err(bad_input) => bad_input.report(arguments.json),
    }
}

/// What is to be run, where, and under which seed if that is not its own.
fn meant(arguments: &Arguments) -> Result<(Meant, Option<u64>), BadInput> {
    let (mut meant, seed) = match (arguments.path.as_deref(), arguments.seed) {
        (Some(path), Some(seed)) if seed.profile == Profile::Swarm => {
            let mut meant = Meant::of_file(path, World::Packet)?;
            meant.file.scenario.seed = seed.number;
            (meant, Some(seed.number))
        }
        (Some(_), Some(seed)) => {
            let problem = format!("what is drawn in a file is drawn from a number, such as --seed 17, and not {seed}");
            return Err(BadInput::Refused(problem));
        }
        (Some(path), None) => (Meant::of_file(path, World::Packet)?, None),
        (None, seed) => (Meant::of(None, seed, World::Packet)?, None),
    };
    meant.world = arguments.world.map_or(meant.world, One::world);
    Ok((meant, seed))
}

fn replayed(arguments: &Arguments) -> Result<End, BadInput> {
    let (Meant { file: File { path, scenario, .. }, world, .. }, seed) = &meant(arguments)?;
    let world = *world;
    if world == World::Event && arguments.log.is_some() {
        return Err(BadInput::Refused("--log needs drivers that log: there are none in the event world".to_owned()));
    }
    let filter = arguments.log.as_deref().map(log_filter).transpose().map_err(BadInput::Refused)?;
    let lens = Lens::new(&arguments.lens, scenario, arguments.log.is_some()).map_err(BadInput::Refused)?;

    let case = Case { path, scenario, world, seed: *seed };
    let log = Log::default();
    let result = match filter {
        None => gatecrash_sim::run(scenario, world),
        Some(filter) => {
            let subscriber = tracing_subscriber::registry().with(filter).with(log.layer(packet::now));
            tracing::subscriber::with_default(subscriber, || gatecrash_sim::run(scenario, world))
        }
    };
    let result = result.map(|run| match arguments.path {
        // Its header was drawn before anybody knew what would come.
        None => Run { idle: Vec::new(), ..run },
        Some(_) => run,
    });
    let verdict = result.as_ref().map_or(Verdict::HarnessFailed, Run::verdict);
    let seen = result.as_ref().ok().map(|run| lens.of(run)).transpose().map_err(BadInput::Refused)?;
    if let (Some(observes), Ok(run)) = (arguments.observe, &result) {
        let history = match observes == Channels::ALL {
            true => whole::history(scenario, world, &run.trace),
            false => keyhole::history(scenario, observes, &run.trace),
        };
        say(history.trim_end());
        return Ok(verdict.into());
    }
    if arguments.json {
        say(object(&case, verdict, &result, seen.as_ref()));
        return Ok(verdict.into());
    }
    let paint = if colours(&io::stdout()) { Paint::Colours } else { Paint::Plain };
    let under = seed.map(|seed| format!(" under seed {seed}")).unwrap_or_default();
    say(format_args!("{} world: {}{under}", world.word(), report::escaped(path)));
    say(format_args!("{}\nrules {}\n", report::escaped(&scenario.title), report::listed(&scenario.rules)));
    match (&result, seen) {
        (Ok(run), Some(seen)) => {
            let view = if arguments.story { View::Story } else { View::Everything };
            let log_lines = seen.selection.of_log(&run.trace.cast, log.lines());
            let since = arguments.since.then(|| Since { to: seen.wrong.map(|position| run.trace.events[position].at) });
            let show = Show {
                view,
                only: Some(&seen.chosen),
                last: arguments.lens.last(),
                since,
                marked: seen.wrong,
                paint,
                log: &log_lines,
            };
            let lines = render::lines(&run.trace, &show);
            say(if lines.is_empty() { "(nothing of it is in what was asked for)" } else { lines.trim_end() });
            if log.dropped() > 0 {
                complain(format_args!("{} more lines of the log were dropped", log.dropped()));
            }
            let failure = report::told(&case, run, Telling { paint, ..Telling::default() });
            let passed = || format!("passed: {}, digest {}", count(run.trace.events.len(), "event"), run.trace.digest);
            say(format_args!("\n{}", failure.unwrap_or_else(passed)));
        }
        (Ok(_), None) => unreachable!("of every run a part is seen"),
        (Err(error), _) => say(report::harness_failure(&case, error)),
    }
    Ok(verdict.into())
}

/// A level means the drivers' own logs: turmoil logs every step of its own.
fn log_filter(text: &str) -> Result<EnvFilter, String> {
    let filter = if text.parse::<Level>().is_ok() { format!("gatecrash={text}") } else { text.to_owned() };
    EnvFilter::try_new(filter).map_err(|error| format!("--log {text}: {error}"))
}

/// What there is to say of a run beside its events, for programs.
#[derive(Serialize)]
struct Summary<'a> {
    path: &'a str,
    world: &'static str,
    title: &'a str,
    rules: Vec<&'static str>,
    passed: bool,
    result: &'static str,
    digest: Option<String>,
    simulated_seconds: f64,
    violations: Vec<report::Finding>,
    missed: Vec<report::Missed>,
    nothing_to_judge: Vec<&'static str>,
    not_converged: Option<&'a str>,
    error: Option<String>,
}

/// The summary with the events as its last member. Each is serialised already, on a line of its own.
fn object(case: &Case<'_>, verdict: Verdict, result: &Result<Run, HarnessError>, seen: Option<&Seen>) -> String {
    let Case { path, scenario, world, .. } = *case;
    let run = result.as_ref().ok();
    let summary = Summary {
        path,
        world: world.word(),
        title: &scenario.title,
        rules: scenario.rules.iter().map(|rule| rule.as_str()).collect(),
        passed: verdict == Verdict::Passed,
        result: verdict.word(),
        digest: run.map(|run| run.trace.digest.to_string()),
        simulated_seconds: run.map_or(0.0, |run| run.simulated.as_secs_f64()),
        violations: run.map(|run| report::findings(case, run)).unwrap_or_default(),
        missed: run.map(|run| report::missed(case, run)).unwrap_or_default(),
        nothing_to_judge: run.map(report::idle).unwrap_or_default(),
        not_converged: run.and_then(|run| run.not_converged.as_deref()),
        error: result.as_ref().err().map(ToString::to_string),
    };
    let summary = serde_json::to_string(&summary).expect("numbers and texts");
    let open = summary.strip_suffix('}').expect("a struct is an object");
    let events = run.zip(seen).into_iter().flat_map(|(run, seen)| {
        let positions = seen.positions();
        positions.into_iter().map(|position| json::line(&run.trace.cast, &run.trace.events[position]))
    });
    format!("{open},\"events\":[\n{}\n]}}", events.collect::<Vec<_>>().join(",\n"))
}
