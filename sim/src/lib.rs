//! The harness.

pub mod draw;
pub mod scenario;
pub mod trace;
pub mod world;
