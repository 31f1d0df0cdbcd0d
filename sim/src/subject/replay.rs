//! A scenario's file, run on a system.

use std::io;
use std::path::{Path, PathBuf};

use super::run::{Run, RunError, run};
use super::system::System;
use crate::scenario::{Diagnosis, Scenario};

/// Why a file was not replayed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The file cannot be read.
    #[error("{}: {cause}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// It is no scenario: every mistake in it.
    #[error("{0}")]
    NoScenario(Diagnosis),
    /// There is no history of it.
    #[error("{}: {cause}", path.display())]
    NoRun {
        /// Which.
        path: PathBuf,
        /// Why.
        cause: RunError,
    },
}

/// Runs the scenario of a file on the system. What the file expects is not looked at: it speaks of gatecrash.
///
/// # Errors
///
/// [`ReplayError`]: the file is none, or says what means nothing to this system, or the system panicked.
pub fn replay<M: System>(system: &M, path: impl AsRef<Path>) -> Result<Run, ReplayError> {
    let path = path.as_ref();
    let text =
        std::fs::read_to_string(path).map_err(|cause| ReplayError::Unreadable { path: path.to_owned(), cause })?;
    let scenario = Scenario::parse(&path.display().to_string(), &text).map_err(ReplayError::NoScenario)?;
    run(system, &scenario).map_err(|cause| ReplayError::NoRun { path: path.to_owned(), cause })
}
