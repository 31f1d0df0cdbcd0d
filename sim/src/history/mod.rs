//! Histories: what somebody recorded of a session system, line by line, and what the system promised.
//!
//! ```text
//! head   {"history":1,"system":"acme-im 3.2","observes":["calls","events"],…}      Head, with a Promise
//! lines  {"at_us":1000000,"actor":"phone-1","what":"called",…}                     Event
//! ```
//!
//! The lines are those that a trace has as JSON, of fewer channels. Reads and writes them, and says what is wrong with
//! one at its line and column; `map` makes lines of a log as it is, and `keyhole` makes the same events of a run of our own worlds. Whether what a history tells is
//! right, `judge` says.

mod channel;
pub mod event;
mod head;
pub mod keyhole;
pub(crate) mod map;
mod mistake;
mod names;
mod print;
mod promise;
mod raw;
mod read;
mod schema;
pub(crate) mod story;
#[cfg(test)]
mod tests;
pub mod whole;

pub use channel::{Channel, Channels};
pub use event::Event;
pub use head::{Head, Skew, VERSION};
pub use map::{Map, Unmapped};
pub use mistake::Mistake;
pub use names::Names;
pub use print::line;
pub use promise::{Comes, Limits, Numbers, Plan, Promise, Victim, Wins};
pub use read::{Cast, MISTAKES_MAX, Reader};
pub use schema::schema;

pub(crate) use head::hint;
pub(crate) use map::Made;
pub(crate) use mistake::{Place, Wrong};
