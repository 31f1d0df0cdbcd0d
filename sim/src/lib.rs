//! The harness.

pub mod scenario;
pub mod trace;
