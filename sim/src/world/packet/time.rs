//! What time it is in the packet world.

use gatecrash::time::Instant;

/// Simulated time: turmoil's, where a host runs.
pub(super) fn now() -> Instant {
    Instant::ZERO + turmoil::sim_elapsed().expect("drivers run on a host")
}
