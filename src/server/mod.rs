//! The server's core.

mod interface;

pub use interface::{Action, Config, Input, Note, Output, Timer};
