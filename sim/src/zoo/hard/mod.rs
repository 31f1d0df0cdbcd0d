//! A harder zoo: bugs that show only where two or three things come together.
//!
//! Thought of by who has read the rules, the properties and the generator, and aimed where those are thin. They are hunted
//! by themselves, since one of them takes as long as all the others: see `docs/zoo.md`.

mod batch;
pub(super) mod clocks;
pub(super) mod counts;
mod driver;
pub(super) mod ends;
pub(super) mod known;
mod restart;
mod said;
pub(super) mod sdk;
pub(super) mod seats;
mod seen;
mod sent;
mod table;
mod told;

pub use table::{HARD_BUGS, HARD_DRIVER_BUGS, OPEN_BUGS};
