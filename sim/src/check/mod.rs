//! Checks: what a trace says against what it should say.
//!
//! ```text
//! Trace ──property──▶ what must hold in every run ─┐
//!       ──model─────▶ what the rules alone say     ├─▶ [Violation]
//!       ──expect────▶ what the file demands        ┘
//!       ──sometimes─▶ which situations it reached       two traces ──agree──▶ [Difference]
//! ```
//!
//! Every check reads the trace alone: none looks at a core, and none knows which world ran. Nothing here runs
//! anything, groups failures or tells them to anybody.

pub mod agree;
pub mod expect;
mod model;
pub mod property;
mod reading;
mod run;
pub mod sometimes;

use gatecrash::time::Instant;

use crate::scenario::Scenario;
use crate::scenario::rules::RuleId;
use crate::trace::{Actor, Trace};

pub use run::{Run, Verdict};

/// Something that should not have happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The property that does not hold, as a sentence.
    pub property: &'static str,
    /// The rule it checks.
    pub rule: RuleId,
    /// What happened instead.
    pub text: String,
    /// When.
    pub at: Instant,
    /// To whom.
    pub actor: Actor,
    /// Which event of the actor, counted from 1; 0 when no single event is to blame.
    pub number: u32,
    /// The kind of that event, in a word; none when something is missing rather than wrong.
    pub kind: Option<&'static str>,
}

/// What should not have happened in a run: the properties' violations, then those of what the file expects.
pub fn violations(scenario: &Scenario, trace: &Trace) -> Vec<Violation> {
    [property::check(scenario, trace), expect::misses(scenario, trace)].concat()
}
