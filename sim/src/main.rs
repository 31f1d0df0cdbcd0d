//! The command `gatecrash`: its arguments, and the exit code that each ending has.
//!
//! Does no work of its own: `command` holds one module per subcommand, the library does the work.

mod command;

// A sweep makes and drops a world a thousand times a second.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use gatecrash_sim::search::workers;

use command::{
    End, drive, inspect, interrupt, judge, keep, merge, page, replay, review, run, shrink, sweep, when, worlds, zoo,
};

/// Runs the session system in simulated worlds, breaks everything around it, and checks every rule.
///
/// Without a subcommand it does `run`: every scenario of the nearest `scenarios/` folder.
#[derive(Parser)]
#[command(name = "gatecrash", version, after_help = EXIT_CODES, after_long_help = LONG_HELP, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// When to use colours; auto is on a terminal, and not where NO_COLOR is set
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t = clap::ColorChoice::Auto)]
    color: clap::ColorChoice,
}

#[derive(Subcommand)]
enum Command {
    Run(run::Arguments),
    Sweep(sweep::Arguments),
    Merge(merge::Arguments),
    Zoo(zoo::Arguments),
    Replay(replay::Arguments),
    Page(page::Arguments),
    Shrink(shrink::Arguments),
    When(when::Arguments),
    Keep(keep::Arguments),
    Review(review::Arguments),
    Judge(judge::Arguments),
    Drive(drive::Arguments),
    Check(inspect::CheckArguments),
    Print(inspect::PrintArguments),
    Schema(inspect::SchemaArguments),
    Rules(inspect::RulesArguments),
}

const EXIT_CODES: &str = "\
Exit codes: 0 passed, 1 a rule was violated or an expectation missed, 2 a run did not converge, 3 bad input,
4 the harness failed; 130 or 143 told to end by SIGINT or SIGTERM, after saying what is known so far.";

const LONG_HELP: &str = "\
Examples:
  gatecrash                               run every scenario, each twice
  gatecrash run scenarios/regressions     run those below a folder
  gatecrash sweep --time 10m              search for ten minutes
  gatecrash sweep --report DIR            the same for CI: JUnit, SARIF, a summary, pages
  gatecrash merge shards/*                add up what a sweep's shards have reported
  gatecrash zoo                           does the search find what is planted?
  gatecrash replay scenarios/NAME.toml    tell what happens in one
  gatecrash page scenarios/NAME.toml      the same as a picture, in a file for the browser
  gatecrash shrink failing.toml           make it as small as it gets
  gatecrash when failing.toml             at which step did it become inevitable?
  gatecrash keep target/gatecrash/NAME    make what a sweep found a test
  gatecrash review                        what does a change do to the stories?
  gatecrash judge history.jsonl           does what somebody else recorded keep the rules?
  gatecrash drive SUBJECT                 play scenarios on a server that somebody else wrote
  gatecrash check scenarios/NAME.toml     is the file well written?
  gatecrash rules KICK-3                  what does this rule demand?

Exit codes: 0 passed, 1 a rule was violated or an expectation missed, 2 a run did not converge, 3 bad input,
4 the harness failed; 130 or 143 told to end by SIGINT or SIGTERM, after saying what is known so far.";

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            if error.use_stderr() {
                // A closed terminal is nobody's to tell.
                let _ = error.print();
                return End::BadInput.into();
            }
            // Help and version come this way too.
            let text = error.render();
            match command::colours(&std::io::stdout()) {
                true => command::say(text.ansi().to_string().trim_end()),
                false => command::say(text.to_string().trim_end()),
            }
            return End::Passed.into();
        }
    };
    command::choose_colours(arguments.color);
    let everything = run::Arguments {
        paths: Vec::new(),
        world: worlds::Choice::Packet,
        seeds: None,
        all: false,
        quiet: false,
        json: false,
        jobs: workers::cores(),
        once: false,
        report: command::report::Wanted::default(),
    };
    interrupt::listen();
    let end = match arguments.command.unwrap_or(Command::Run(everything)) {
        Command::Run(arguments) => run::run(&arguments),
        Command::Sweep(arguments) => sweep::run(&arguments),
        Command::Merge(arguments) => merge::run(&arguments),
        Command::Zoo(arguments) => zoo::run(&arguments),
        Command::Replay(arguments) => replay::run(&arguments),
        Command::Page(arguments) => page::run(&arguments),
        Command::Shrink(arguments) => shrink::run(&arguments),
        Command::When(arguments) => when::run(&arguments),
        Command::Keep(arguments) => keep::run(&arguments),
        Command::Review(arguments) => review::run(&arguments),
        Command::Judge(arguments) => judge::run(&arguments),
        Command::Drive(arguments) => drive::run(&arguments),
        Command::Check(arguments) => inspect::check(&arguments),
        Command::Print(arguments) => inspect::print(&arguments),
        Command::Schema(arguments) => inspect::schema(&arguments),
        Command::Rules(arguments) => inspect::rules(&arguments),
    };
    end.into()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_well_formed() {
        super::Arguments::command().debug_assert();
        assert!(super::Arguments::command().get_subcommands().all(|command| command.get_after_help().is_some()));
    }
}
