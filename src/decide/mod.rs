//! What the rules decide, apart from the mechanics: small pure functions, each citing its rule.
//!
//! The cores do the bookkeeping and ask. They take the decisions as a type parameter, and [`Rules`]
//! is the product's one implementation: the default methods of both traits are the rules.

pub mod client;
pub mod server;

pub use client::ClientDecisions;
pub use server::ServerDecisions;

/// The rules as written.
///
/// ```
/// use std::time::Duration;
/// use gatecrash::{decide::{Rules, ServerDecisions}, time::WallTime};
///
/// let lost_at = WallTime::from_seconds(1_000);
/// assert!(Rules.is_dormant(lost_at, Duration::from_secs(400), WallTime::from_seconds(1_400)));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Rules;

impl ClientDecisions for Rules {}
impl ServerDecisions for Rules {}
