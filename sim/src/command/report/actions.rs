//! What GitHub Actions tells a step by variables, and what a step tells it.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

use gatecrash_sim::report::{Report, annotations};

use super::super::{complain, say};

/// How much of a summary GitHub takes of a step.
const SUMMARY_BYTES_MAX: usize = 1024 * 1024;

/// A step of GitHub Actions.
pub struct Step {
    /// The file whose text it shows as its summary.
    summary: Option<PathBuf>,
}

impl Step {
    /// The step that this process is, if it is one.
    #[expect(
        clippy::disallowed_methods,
        reason = "GitHub tells by variables that it runs a step, and no run depends on it"
    )]
    pub fn this() -> Option<Step> {
        // A test is no step, wherever it runs.
        let is_one = !cfg!(test) && std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true");
        let summary = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()).map(PathBuf::from);
        is_one.then_some(Step { summary })
    }

    /// Annotates what is wrong, and adds the report's summary to that of the step. GitHub reads both streams: what is for
    /// programs on standard output stays whole.
    pub fn tell(&self, report: &Report, summary: &str, json: bool) {
        for line in annotations::lines(report) {
            if json { complain(line) } else { say(line) }
        }
        let Some(path) = &self.summary else { return };
        let end = (0..=summary.len().min(SUMMARY_BYTES_MAX)).rev().find(|&end| summary.is_char_boundary(end));
        let fits = &summary[..end.unwrap_or(0)];
        let added =
            OpenOptions::new().append(true).create(true).open(path).and_then(|mut file| writeln!(file, "{fits}"));
        if let Err(error) = added {
            complain(format_args!("warning: cannot add to the step's summary {}: {error}", path.display()));
        }
    }
}
