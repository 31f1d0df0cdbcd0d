//! The arguments of `--report`, which every command has alike.

use std::path::PathBuf;

use clap::Args;

/// Whether a report is wanted, and of what it is to tell what is new.
#[derive(Args, Clone, Debug, Default)]
pub struct Wanted {
    /// Write a report to this folder: JUnit, SARIF, a summary as Markdown, JSON that adds up, and of what failed pages and
    /// traces for Perfetto. In GitHub Actions also annotations and the step's summary
    #[arg(long = "report", value_name = "DIR")]
    pub folder: Option<PathBuf>,
    /// The folder of an earlier report: what that found already is told apart, behind what is new
    #[arg(long, value_name = "DIR", requires = "folder")]
    pub known: Vec<PathBuf>,
}
