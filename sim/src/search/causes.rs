//! What failing runs have in common: one cause is told once, of the shortest run that shows it.
//!
//! Runs nothing and tells nothing: it only knows what goes together. Of one run the first that went wrong counts, since
//! that explains the rest.

use std::collections::BTreeMap;
use std::fmt;

use crate::scenario::rules::RuleId;
use crate::search::fingerprint::Fingerprint;
use crate::{HarnessError, Run};

/// By what a failing run is known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// Something is wrong with it.
    Found(Fingerprint),
    /// Its scenario cites this rule, and nothing happened by which it could have been broken.
    NothingToJudge(RuleId),
    /// Two worlds made something else of its scenario: what.
    Disagrees(String),
}

impl Cause {
    /// Of this run, or of there being none; nothing of a run that passed.
    pub fn of(result: &Result<Run, HarnessError>) -> Option<Self> {
        let idle = result.as_ref().ok().and_then(|run| run.idle.first());
        let found = Fingerprint::all_of(result).into_iter().next().map(Cause::Found);
        found.or(idle.copied().map(Cause::NothingToJudge))
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cause::Found(found) => found.fmt(f),
            Cause::NothingToJudge(rule) => write!(f, "cites {rule}: nothing to judge"),
            Cause::Disagrees(about) => write!(f, "the worlds disagree: {about}"),
        }
    }
}

/// How long a run is: its events, then the steps of its scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Length {
    /// Its events; none when there is no run.
    pub events: usize,
    /// The steps of its scenario.
    pub steps: usize,
}

/// Failing runs by their cause.
///
/// ```
/// use gatecrash_sim::search::causes::{Cause, Causes, Length};
///
/// let mut causes = Causes::default();
/// let disagrees = |what: &str| Cause::Disagrees(what.to_owned());
/// causes.add(disagrees("a login"), Length { events: 90, steps: 3 }, "long");
/// causes.add(disagrees("a kick"), Length { events: 50, steps: 3 }, "other");
/// causes.add(disagrees("a login"), Length { events: 20, steps: 1 }, "short");
/// assert_eq!(causes.groups(), [vec!["short", "long"], vec!["other"]]);
/// ```
#[derive(Clone, Debug)]
pub struct Causes<Case>(BTreeMap<Cause, Vec<(Length, Case)>>);

impl<Case> Default for Causes<Case> {
    fn default() -> Self {
        Causes(BTreeMap::new())
    }
}

impl<Case> Causes<Case> {
    /// One more that fails.
    pub fn add(&mut self, cause: Cause, length: Length, case: Case) {
        self.0.entry(cause).or_default().push((length, case));
    }

    /// Each cause's, the shortest first and the causes in that order too. Of two as long as each other the one first that
    /// was added first.
    pub fn groups(self) -> Vec<Vec<Case>> {
        let mut groups: Vec<Vec<(Length, Case)>> = self.0.into_values().collect();
        groups.iter_mut().for_each(|group| group.sort_by_key(|(length, _)| *length));
        groups.sort_by_key(|group| group.first().map(|(length, _)| *length));
        groups.into_iter().map(|group| group.into_iter().map(|(_, case)| case).collect()).collect()
    }
}
