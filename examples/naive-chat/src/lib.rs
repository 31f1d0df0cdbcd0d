//! A small chat over lines of text: one device of a user is online at a time, and messages wait for who is not.
//!
//! Written as one writes it the first time, with the bugs that come with that. None of them was planted; the tests say which
//! they are. Knows nothing of a simulation: whoever uses it brings the streams.
//!
//! ```text
//! device → server    login USER DEVICE | send ID TO TEXT | ping | logout
//! server → device    welcome | kicked DEVICE | sent ID | message ID FROM TEXT | pong
//! ```

pub mod sdk;
pub mod server;
