//! The session system of an instant-messaging SDK and its server: who is logged in, done right.
#![warn(missing_docs)]

pub mod client;
pub mod code;
pub mod decide;
pub mod driver;
pub mod id;
pub mod limits;
pub mod policy;
pub mod protocol;
pub mod server;
pub mod store;
pub mod ticket;
pub mod time;
pub mod timers;
