//! One run, judged: its trace, what is wrong with it, and the one word for that.

use std::time::Duration;

use super::expect::Miss;
use super::violation::Violation;
use crate::scenario::rules::RuleId;
use crate::trace::Trace;

/// One run of a scenario, judged.
#[derive(Clone, Debug)]
pub struct Run {
    /// Everything that happened.
    pub trace: Trace,
    /// What should not have happened, in the order of the checks.
    pub violations: Vec<Violation>,
    /// What the file expects and the run does not show, in the order of the file.
    pub missed: Vec<Miss>,
    /// The rules that the file cites and of which no situation came.
    pub idle: Vec<RuleId>,
    /// Why not everything came to rest, if it did not.
    pub not_converged: Option<String>,
    /// How much time passed in the world.
    pub simulated: Duration,
}

/// What there is to say of a scenario in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Every check holds and everything came to rest.
    Passed,
    /// Nothing is wrong, and the scenario cites a rule of which no situation came.
    NothingToJudge,
    /// Not everything came to rest.
    NotConverged,
    /// The run breaks no rule, and does not show what the file expects.
    Missed,
    /// Another world made something else of the same scenario.
    Disagrees,
    /// A check does not hold.
    Violated,
    /// There is no run to judge.
    HarnessFailed,
}

impl Run {
    /// The run in one word: of several that fit, the weightiest.
    pub fn verdict(&self) -> Verdict {
        match (&self.violations[..], &self.missed[..], &self.not_converged) {
            ([], [], None) if self.idle.is_empty() => Verdict::Passed,
            ([], [], None) => Verdict::NothingToJudge,
            ([], [], Some(_)) => Verdict::NotConverged,
            ([], [_, ..], _) => Verdict::Missed,
            ([_, ..], _, _) => Verdict::Violated,
        }
    }
}

impl Verdict {
    /// The word that tables and JSON use.
    pub const fn word(self) -> &'static str {
        match self {
            Verdict::Passed => "passed",
            Verdict::NothingToJudge => "nothing_to_judge",
            Verdict::NotConverged => "not_converged",
            Verdict::Missed => "missed",
            Verdict::Disagrees => "disagrees",
            Verdict::Violated => "violated",
            Verdict::HarnessFailed => "harness_failed",
        }
    }
}
