//! The session system of an instant-messaging SDK and its server: who is logged in, done right.
#![warn(missing_docs)]

pub mod code;
pub mod id;
pub mod policy;
pub mod protocol;
pub mod ticket;
pub mod time;
