//! The SDK's core.

mod interface;

pub use interface::{Action, Call, Event, Input, Installation, Note, Output, Reply, Start, Status, Timer, Write};
