//! Which version of the harness and its product this is.

use std::process::{Command, Stdio};

use gatecrash_sim::search::identity::{Identity, sum};

/// The lock file that this program was built by.
const LOCK: &[u8] = include_bytes!("../../../Cargo.lock");

/// The version, and where git tells the commit that the sources are at.
pub fn version() -> String {
    identity().to_string()
}

/// The same, with what it was built by.
pub fn identity() -> Identity {
    let git = |arguments: &[&str]| {
        let mut git = Command::new("git");
        git.arg("-C").arg(env!("CARGO_MANIFEST_DIR")).args(arguments).stdin(Stdio::null()).stderr(Stdio::null());
        let output = git.output().ok().filter(|output| output.status.success())?;
        Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let commit = git(&["rev-parse", "--short=12", "HEAD"]);
    let has_changes = commit.is_some() && git(&["status", "--porcelain"]).is_none_or(|changes| !changes.is_empty());
    Identity {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        commit,
        has_changes,
        lock: sum(LOCK),
        toolchain: env!("GATECRASH_TOOLCHAIN").to_owned(),
        target: env!("GATECRASH_TARGET").to_owned(),
    }
}
