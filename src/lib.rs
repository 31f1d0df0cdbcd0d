//! The session system of an instant-messaging SDK and its server: who is logged in, done right.
//!
//! The cores and what they speak of are pure and always there. What runs them in the world comes with features:
//!
//! | feature | what it brings |
//! |---|---|
//! | `client` | [`driver::client`] and [`driver::disk`]: the SDK |
//! | `server` | [`driver::server`] and [`driver::store`]: the server, with its database |
//! | `tls` | [`driver::trust`], with the SDK: TLS; the server always has it |
//! | `cli` | the program `gatecrashd`, with the server, and the SDK with TLS for its administrators |
//!
//! All four are on unless switched off. An application that only logs in depends on the SDK alone, which brings no
//! database, no command line and no compiler for protobuf:
//!
//! ```toml
//! [dependencies]
//! gatecrash = { path = "../gatecrash", default-features = false, features = ["client"] }
//! ```
#![warn(missing_docs)]

pub mod client;
pub mod code;
pub mod decide;
#[cfg(any(feature = "client", feature = "server"))]
pub mod driver;
pub mod id;
pub mod limits;
pub mod policy;
pub mod protocol;
pub mod server;
pub mod span;
pub mod store;
pub mod ticket;
pub mod time;
pub mod timers;
