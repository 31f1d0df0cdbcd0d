//! `gatecrashd check-config`: reads what `serve` would read, and says whether it can be served with.
//!
//! Neither listens nor opens a database: that an address is free, or the records in order, only a start can tell.

use std::io::{Write, stderr};
use std::path::PathBuf;

use clap::Args;

use crate::config::{self, Configuration};
use crate::{BadInput, End};

/// Check a configuration and the keys it names, without serving
///
/// Prints one line when it can be served with, and exits 0. Says all that is wrong otherwise, each with its
/// line and column, in the words of `serve`, and exits 3. What is only unwise is a warning on standard error.
#[derive(Args)]
#[command(after_help = "\
Examples:
  gatecrashd check-config --config app.toml
  gatecrashd check-config --config app.toml && systemctl restart gatecrashd

Nothing is listened on and no database opened: whether the address is free, only a start can tell.")]
pub struct Arguments {
    /// The app's configuration
    #[arg(long, value_name = "PATH")]
    config: PathBuf,
}

/// Reads it: how that ended, and what to print.
pub fn run(arguments: Arguments) -> Result<(End, String), BadInput> {
    let Arguments { config } = arguments;
    let Configuration { warnings, .. } = config::read(&config, None)?;
    for warning in warnings {
        // Nobody may be reading: the verdict stands.
        let _ = writeln!(stderr(), "warning: {warning}");
    }
    Ok((End::Done, format!("{}: good", config.display())))
}
