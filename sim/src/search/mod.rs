//! The search: many runs, what fails in them, and how little it takes to fail so.
//!
//! ```text
//! seeds ──sweep──▶ Failed ──fingerprint──▶ one finding ──shrink──▶ the smallest scenario ──findings──▶ a folder
//!                                                                            ├──when──▶ the step that decided it
//!                                                                            └──report──▶ what a person reads
//! ```
//!
//! Prints nothing and writes no file: the commands do.

pub mod causes;
pub mod findings;
pub mod fingerprint;
pub mod identity;
pub mod night;
pub mod report;
pub mod shard;
pub mod shrink;
pub mod sweep;
pub mod when;
pub mod workers;
