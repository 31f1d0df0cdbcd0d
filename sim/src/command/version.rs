//! Which version of the harness and its product this is.

use std::process::{Command, Stdio};

/// The version, and where git tells the commit that the sources are at.
pub fn version() -> String {
    let git = |arguments: &[&str]| {
        let mut git = Command::new("git");
        git.arg("-C").arg(env!("CARGO_MANIFEST_DIR")).args(arguments).stdin(Stdio::null()).stderr(Stdio::null());
        let output = git.output().ok().filter(|output| output.status.success())?;
        Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let version = env!("CARGO_PKG_VERSION");
    match git(&["rev-parse", "--short=12", "HEAD"]) {
        None => version.to_owned(),
        Some(commit) => {
            let is_clean = git(&["status", "--porcelain"]).is_some_and(|changes| changes.is_empty());
            format!("{version}, commit {commit}{}", if is_clean { "" } else { " with changes" })
        }
    }
}
