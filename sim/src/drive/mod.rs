//! Scenarios on real processes, over real sockets and in real time: servers and SDKs that nobody here wrote.
//!
//! ```text
//! Scenario ──plan──▶ acts ──play──▶ Adapter of each device ──▶ Proxy of the device ──▶ the server's process
//!                                │  ▲ answers, events                  ▲ faults
//!                                └──┴──▶ history ──judge──▶ Played ──campaign──▶ Table, Finding
//! ```
//!
//! What is known of a system stands in its [`Subject`]; what speaks to it is an adapter, a program on standard input and
//! output (`docs/drive.md`). Nothing here is deterministic: what is judged is what came, and a finding says how often it
//! comes again.

mod adapter;
mod campaign;
mod device;
mod plan;
mod play;
mod process;
mod proxy;
mod record;
mod same;
mod schema;
mod selftest;
mod server;
mod subject;
mod table;

pub use adapter::{Can, Capability};
pub use campaign::{Campaign, Finding, Progress, ask};
pub use play::{Place, PlayError, Played};
pub use process::{Ending, Warden, keep_watch, tied};
pub use schema::schema;
pub use selftest::{Check, selftest};
pub use subject::{Claims, Ready, Subject};
pub use table::{Row, Table};
