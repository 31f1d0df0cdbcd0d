//! Commits as two joined marks: where one was decided, and where it was on disk.

use serde::Serialize;

use crate::trace::{Trace, What};

/// A change that the server decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Commit {
    /// Its number.
    pub commit: u32,
    /// Where it was decided.
    pub decided: usize,
    /// Where it was known to be on disk.
    pub disk: Option<usize>,
    /// Where the server went on without it.
    pub undone: Option<usize>,
}

/// Every change, in the order of the decisions.
pub fn commits(trace: &Trace) -> Vec<Commit> {
    let mut commits: Vec<Commit> = Vec::new();
    // What comes before has been settled.
    let mut open = 0;
    for (position, event) in trace.events.iter().enumerate() {
        match event.what {
            What::Commit { commit, .. } => {
                commits.push(Commit { commit, decided: position, disk: None, undone: None });
            }
            What::Committed { commit: last } => {
                while let Some(commit) = commits.get_mut(open).filter(|commit| commit.commit <= last) {
                    commit.disk = Some(position);
                    open += 1;
                }
            }
            What::ServerStarted { commit: last, .. } => {
                for commit in &mut commits[open..] {
                    let end = if commit.commit <= last { &mut commit.disk } else { &mut commit.undone };
                    *end = Some(position);
                }
                open = commits.len();
            }
            _ => {}
        }
    }
    commits
}
