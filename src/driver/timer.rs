//! Sleeping until an instant of the surroundings, if there is one to sleep until.

use std::future::pending;

use crate::driver::Surroundings;
use crate::time::Instant;

/// Returns at `at`, or a little after; never if there is nothing to wait for.
pub(super) async fn sleep_until(surroundings: &impl Surroundings, at: Option<Instant>) {
    match at {
        Some(at) => surroundings.sleep_until(at).await,
        None => pending().await,
    }
}
