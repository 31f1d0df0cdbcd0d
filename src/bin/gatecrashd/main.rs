//! The command `gatecrashd`: one module per subcommand, and what they share, the exit code.
//!
//! Does no work of its own. The library does it; the subcommands read arguments and write text.

mod admin;
mod attempts;
mod backup;
mod certificate;
mod check;
mod config;
#[cfg(unix)]
mod control;
mod date;
mod doors;
mod health;
mod metrics;
mod open_files;
mod privacy;
mod reload;
mod secret;
mod serve;
mod ticket;

use std::fmt;
use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The server of an instant-messaging system's logins, and the tickets it admits.
#[derive(Parser)]
#[command(name = "gatecrashd", version, after_help = "Exit codes: 0 done or valid, 1 refused or failed, 3 bad input.")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Serve(serve::Arguments),
    CheckConfig(check::Arguments),
    Backup(backup::Arguments),
    Admin(Box<admin::Arguments>),
    /// Make and examine tickets (UserSigs)
    Ticket(ticket::Arguments),
}

/// How a subcommand ended that had sound input. The exit code is the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Done = 0,
    Refused = 1,
}

/// What was wrong with the input, in one line or a line for each mistake. Exit code 3.
#[derive(Debug)]
struct BadInput(String);

impl BadInput {
    /// Several mistakes, each told like a single one.
    fn all(lines: &[String]) -> Self {
        BadInput(lines.join(BETWEEN_MISTAKES))
    }

    /// Each mistake alone.
    fn lines(&self) -> impl Iterator<Item = &str> {
        self.0.split(BETWEEN_MISTAKES)
    }
}

impl fmt::Display for BadInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

const BAD_INPUT: u8 = 3;

/// What stands between two mistakes when they are told.
const BETWEEN_MISTAKES: &str = "\nerror: ";

/// Prints what a subcommand came to.
fn told((end, text): (End, String)) -> End {
    // Whoever reads may have read enough, as `head` does; the verdict stands.
    let _ = writeln!(std::io::stdout(), "{text}");
    end
}

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version come this way too. A closed terminal is nobody's to tell.
            let _ = error.print();
            return if error.use_stderr() { BAD_INPUT.into() } else { ExitCode::SUCCESS };
        }
    };
    let ended = match arguments.command {
        Command::Serve(arguments) => serve::run(arguments),
        Command::CheckConfig(arguments) => check::run(arguments).map(told),
        Command::Backup(arguments) => backup::run(arguments),
        Command::Admin(arguments) => admin::run(*arguments),
        Command::Ticket(arguments) => ticket::run(arguments).map(told),
    };
    match ended {
        Ok(end) => ExitCode::from(end as u8),
        Err(bad_input) => {
            let _ = writeln!(std::io::stderr(), "error: {bad_input}");
            BAD_INPUT.into()
        }
    }
}
