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
mod violation;

use crate::scenario::Scenario;
use crate::trace::Trace;

pub use run::{Run, Verdict};
pub use violation::Violation;

/// What should not have happened in a run: the properties' violations, then those of what the file expects.
pub fn violations(scenario: &Scenario, trace: &Trace) -> Vec<Violation> {
    [property::check(scenario, trace), expect::misses(scenario, trace)].concat()
}
