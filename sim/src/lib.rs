//! The harness.

pub mod scenario;
