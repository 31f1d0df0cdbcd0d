//! An SDK and a server that are not ours, in the packet world: run, judged, shrunk, replayed.
//!
//! ```text
//! System ──┐
//!          ├─run──▶ history ──judge──▶ [Finding] ──shrink──▶ the smallest scenario
//! Scenario ┘
//! ```
//!
//! Whoever has a system writes two traits, [`System`] and [`Device`], and calls [`Seeds`] from a test of their own. The
//! world is the one that our drivers run in, with the same links, faults and clocks. It sees nothing of what the system says
//! on the wire: what is judged is what applications call and are told. `docs/your-own.md` takes one from nothing to a
//! shrunk failure.

mod answer;
mod foreign;
mod judge;
mod place;
mod read;
mod record;
mod replay;
mod run;
mod said;
mod seeds;
mod story;
mod system;
#[cfg(test)]
mod tests;
mod watch;

pub use answer::{Events, Reply};
pub use gatecrash::policy::{Platform, Policy, Seats};
pub use judge::{Finding, judge};
pub use place::{DevicePlace, Disk, Listener, ServerPlace, Stream};
pub use replay::{ReplayError, replay};
pub use run::{Run, RunError, run};
pub use said::{JudgedBy, Outcome, Status, Told};
pub use seeds::{Found, Report, Seeds, scenario};
pub use system::{Device, System, Ticket};

pub use crate::scenario::Vocabulary;
