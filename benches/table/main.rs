//! The table of all benchmarks: what each took, beside its peer, and whether that is good enough.
//!
//! Reads what one run of `benches/run` left in a folder. Measures nothing, and starts nothing.

mod measured;
mod print;
mod quantity;
mod rows;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use measured::Measurements;

/// Prints the table of the measurements in a folder.
#[derive(Parser)]
struct Arguments {
    /// Where `benches/run` left them.
    folder: PathBuf,
    /// Prints one JSON object in the place of the table.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let Arguments { folder, json } = Arguments::parse();
    let rows = rows::all(&Measurements::of(folder));
    if json {
        println!("{:#}", print::json(&rows));
    } else {
        print!("{}", print::text(&rows));
    }
    let missing: Vec<_> = rows.iter().filter_map(|row| Some((&row.work, row.measured.as_ref().err()?))).collect();
    for (work, error) in &missing {
        eprintln!("{work}: {error}");
    }
    if missing.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
