//! What a finding was found in: the version, the commit, the locked dependencies, the compiler.
//!
//! Finds none of it out: the command does.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::scenario::Scenario;

/// What was run. Two that are equal do the same with the same scenario.
///
/// ```
/// use gatecrash_sim::search::identity::Identity;
///
/// let identity = Identity {
///     version: "0.1.0".to_owned(),
///     commit: Some("f2397d0b1c22".to_owned()),
///     has_changes: true,
///     lock: "5d0a11c2".to_owned(),
///     toolchain: "rustc 1.95.0".to_owned(),
///     target: "x86_64-unknown-linux-gnu".to_owned(),
/// };
/// assert_eq!(identity.to_string(), "0.1.0, commit f2397d0b1c22 with changes");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The version of the package.
    pub version: String,
    /// The commit that the sources are at, where git tells it: its first 12 digits.
    pub commit: Option<String>,
    /// Whether the sources differ from that commit.
    pub has_changes: bool,
    /// The SHA-256 of the lock file that it was built by, as hexadecimal digits.
    pub lock: String,
    /// The compiler, as it names itself.
    pub toolchain: String,
    /// What it was built for, as the compiler calls it.
    pub target: String,
}

impl fmt::Display for Identity {
    /// The version and the commit, in one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.version)?;
        match &self.commit {
            Some(commit) => write!(f, ", commit {commit}{}", if self.has_changes { " with changes" } else { "" }),
            None => Ok(()),
        }
    }
}

/// The SHA-256 of these bytes, as hexadecimal digits.
pub fn sum(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What tells a scenario from any other that says something else: the SHA-256 of it as it prints.
pub fn sum_of(scenario: &Scenario) -> String {
    sum(scenario.to_string().as_bytes())
}
