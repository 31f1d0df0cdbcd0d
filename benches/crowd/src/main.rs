//! A crowd of devices for a server: they log in, stay, send heartbeats, take each other's seats, come back and misbehave.
//! Prints how long what took, and what the server needed for it.
//!
//! Speaks gatecrash's protocol, or MQTT to a broker: with both, what a device does is the same (see [`speech`]). What is
//! measured and how, docs/benchmarks.md says; `benches/server` starts the servers.

mod bad;
mod certificate;
mod crowd;
mod figures;
mod line;
mod process;
mod speech;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// A crowd of devices for a server
#[derive(Parser)]
#[command(name = "gatecrash-crowd", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Write an authority's certificate, and one for `localhost` with its key: authority.pem, chain.pem, key.pem
    Certify {
        /// The directory to write them to
        directory: PathBuf,
    },
    Run(Box<Run>),
}

/// Log a crowd in, keep it busy, and print figures
#[derive(Args)]
#[command(after_help = "\
Examples:
  gatecrash-crowd run --server 127.0.0.1:7443 --authority authority.pem --key-file app.key --connections 1000
  gatecrash-crowd run --speaks mqtt --server 127.0.0.1:8883 --authority authority.pem --pid 4711 --seconds 60 --json figures.json

Everybody is new at a server that has just begun: a second crowd at the same records is refused as stale.

Exit codes: 0 everybody could be served, 1 somebody was not, 3 bad input.")]
struct Run {
    /// What it speaks
    #[arg(long, value_enum, default_value = "gatecrash")]
    speaks: Speaks,
    /// Where the server listens
    #[arg(long, value_name = "ADDRESS")]
    server: String,
    /// Who vouches for it, as `localhost`; without, nothing is encrypted
    #[arg(long, value_name = "FILE")]
    authority: Option<PathBuf>,
    /// The app's key, to sign tickets with
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// The app's id
    #[arg(long, value_name = "ID", default_value_t = 1_400_000_000)]
    app_id: u64,
    /// The server's process, to look at its memory and processor time
    #[arg(long, value_name = "PID")]
    pid: Option<u32>,
    /// How many users, each with a device that is connected
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    connections: u32,
    /// How many log in at the same time
    #[arg(long, value_name = "N", default_value_t = 64)]
    at_once: usize,
    /// How long the crowd stays once it is there, in seconds
    #[arg(long, value_name = "S", default_value_t = 60)]
    seconds: u64,
    /// How often a device sends a heartbeat, in seconds
    #[arg(long, value_name = "S", default_value_t = 45)]
    heartbeat: u64,
    /// How many takeovers a second: another device of a user logs in, and the first is told
    #[arg(long, value_name = "N", default_value_t = 0)]
    takeovers: u32,
    /// How many devices a second lose their connection and come back
    #[arg(long, value_name = "N", default_value_t = 0)]
    returns: u32,
    /// How many users a second an administrator kicks, who log in again
    #[arg(long, value_name = "N", default_value_t = 0)]
    kicks: u32,
    /// So many strangers misbehave all the while
    #[arg(long, value_name = "N", default_value_t = 0)]
    strangers: u32,
    /// At the end, takeovers as fast as they go, for so many seconds
    #[arg(long, value_name = "S", default_value_t = 0)]
    flat_out: u64,
    /// Also write the figures to this file, as one JSON object
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Speaks {
    Gatecrash,
    Mqtt,
}

fn seconds(number: u64) -> Duration {
    Duration::from_secs(number)
}

fn main() -> ExitCode {
    let ended = match Arguments::parse().command {
        Command::Certify { directory } => certificate::write(&directory).map(|()| true),
        Command::Run(run) => crowd::run(*run),
    };
    match ended {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::from(3)
        }
    }
}
