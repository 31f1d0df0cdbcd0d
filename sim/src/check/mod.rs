//! Checks: what a trace says against what it should say.
//!
//! ```text
//! Trace ──property──▶ what must hold in every run ─┐
//!       ──model─────▶ what the rules alone say     ┴─▶ [Violation]
//!       ──expect────▶ what the file demands ─────────▶ [Miss]
//!       ──sometimes─▶ which situations it reached       two traces ──agree──▶ [Difference]
//! ```
//!
//! Every check reads the trace alone: none looks at a core, and none knows which world ran. Nothing here runs
//! anything, groups failures or tells them to anybody.

pub mod agree;
pub mod cited;
pub mod expect;
mod form;
mod grown;
mod model;
pub mod property;
mod reading;
mod run;
pub mod sometimes;
mod violation;

pub use expect::Miss;
pub use run::{Run, Verdict};
pub use violation::{Evidence, Violation};
