//! `gatecrash replay`: one scenario, told event by event, then judged.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use gatecrash::time::Instant;
use gatecrash_sim::generate::Seed;
use gatecrash_sim::scenario::parse_duration;
use gatecrash_sim::search::report;
use gatecrash_sim::search::report::Case;
use gatecrash_sim::trace::json;
use gatecrash_sim::trace::log::Log;
use gatecrash_sim::trace::render::{self, Show, View};
use gatecrash_sim::world::{World, packet};
use gatecrash_sim::{HarnessError, Run, Verdict};
use serde::Serialize;
use tracing::Level;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;

use super::files::{BadInput, File, one};
use super::worlds::One;
use super::{End, complain, count, say};

/// Run one scenario and tell what happens in it
///
/// Prints the trace, an event a line, then what the checks say. The run always goes to its end;
/// --until ends what is printed of it.
#[derive(Args)]
#[command(after_help = "\
Examples:
  gatecrash replay scenarios/my_first.toml                  everything
  gatecrash replay scenarios/my_first.toml --story          without what is routine, as in snapshots/
  gatecrash replay scenarios/my_first.toml --until 12.5s    up to then
  gatecrash replay scenarios/my_first.toml --log debug      with what the drivers log in between
  gatecrash replay scenarios/my_first.toml --world event    as the cores alone do it
  gatecrash replay --seed 17 --world event                  what a sweep ran for a seed
  gatecrash replay scenarios/my_first.toml --json | jq '.events[] | select(.what == \"told\")'")]
pub struct Arguments {
    /// The file
    #[arg(required_unless_present = "seed")]
    path: Option<PathBuf>,
    /// The scenario that a sweep draws from this seed, in the place of a file
    #[arg(long, value_name = "N", conflicts_with = "path")]
    seed: Option<Seed>,
    /// Leave out what only shows that links live
    #[arg(long)]
    story: bool,
    /// Print no event later than this
    #[arg(long, value_name = "TIME", value_parser = time)]
    until: Option<Duration>,
    /// Where to run it
    #[arg(long, value_name = "WORLD", value_enum, default_value_t = One::Packet)]
    world: One,
    /// Print what the drivers log, from this level on (error, warn, info, debug, trace), or by a filter such as turmoil=trace
    #[arg(long, value_name = "LEVEL")]
    log: Option<String>,
    /// Print one JSON object, with every event in it
    #[arg(long, conflicts_with_all = ["story", "log"])]
    json: bool,
}

fn time(text: &str) -> Result<Duration, String> {
    parse_duration(text).ok_or_else(|| "expected a span of time such as 250ms, 12.5s or 1m30s".to_owned())
}

/// Does it.
pub fn run(arguments: &Arguments) -> End {
    match replayed(arguments) {
        Ok(end) => end,
        Err(bad_input) => bad_input.report(arguments.json),
    }
}

fn replayed(arguments: &Arguments) -> Result<End, BadInput> {
    let world = arguments.world.world();
    if world == World::Event && arguments.log.is_some() {
        return Err(BadInput::Refused("--log needs drivers that log: there are none in the event world".to_owned()));
    }
    let filter = arguments.log.as_deref().map(log_filter).transpose().map_err(BadInput::Refused)?;
    let File { path, scenario, .. } = &one(arguments.path.as_deref(), arguments.seed)?;

    let case = Case { path, scenario, world };
    let log = Log::default();
    let result = match filter {
        None => gatecrash_sim::run(scenario, world),
        Some(filter) => {
            let subscriber = tracing_subscriber::registry().with(filter).with(log.layer(packet::now));
            tracing::subscriber::with_default(subscriber, || gatecrash_sim::run(scenario, world))
        }
    };
    let result = result.map(|run| match arguments.seed {
        // Its header was drawn before anybody knew what would come.
        Some(_) => Run { idle: Vec::new(), ..run },
        None => run,
    });
    let verdict = result.as_ref().map_or(Verdict::HarnessFailed, Run::verdict);
    if arguments.json {
        say(object(arguments, &case, verdict, &result));
        return Ok(verdict.into());
    }
    say(format_args!("{}\nrules {}\n", report::escaped(&scenario.title), report::listed(&scenario.rules)));
    match &result {
        Ok(run) => {
            let view = if arguments.story { View::Story } else { View::Everything };
            say(render::lines(&run.trace, &Show { view, until: until(arguments), log: &log.lines() }).trim_end());
            if log.dropped() > 0 {
                complain(format_args!("{} more lines of the log were dropped", log.dropped()));
            }
            let failure = report::failure(&case, run);
            let passed = || format!("passed: {}, digest {}", count(run.trace.events.len(), "event"), run.trace.digest);
            say(format_args!("\n{}", failure.unwrap_or_else(passed)));
        }
        Err(error) => say(report::harness_failure(&case, error)),
    }
    Ok(verdict.into())
}

/// A level means the drivers' own logs: turmoil logs every step of its own.
fn log_filter(text: &str) -> Result<EnvFilter, String> {
    let filter = if text.parse::<Level>().is_ok() { format!("gatecrash={text}") } else { text.to_owned() };
    EnvFilter::try_new(filter).map_err(|error| format!("--log {text}: {error}"))
}

/// The last instant of which anything is to be printed.
fn until(arguments: &Arguments) -> Option<Instant> {
    arguments.until.map(|until| Instant::ZERO + until)
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
fn object(arguments: &Arguments, case: &Case<'_>, verdict: Verdict, result: &Result<Run, HarnessError>) -> String {
    let Case { path, scenario, world } = *case;
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
    let events = run.into_iter().flat_map(|run| {
        let wanted = run.trace.events.iter().filter(|event| until(arguments).is_none_or(|until| event.at <= until));
        wanted.map(|event| json::line(&run.trace.cast, event))
    });
    format!("{open},\"events\":[\n{}\n]}}", events.collect::<Vec<_>>().join(",\n"))
}
