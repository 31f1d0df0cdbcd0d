//! What the server's core decides.

use std::fmt::Debug;
use std::hash::Hash;
use std::time::Duration;

use crate::time::WallTime;

/// The server's decisions. The default methods are the rules.
pub trait ServerDecisions: Clone + Debug + Default + Eq + Hash + Send + Sync + 'static {
    /// Whether a session that lost its link at `lost_at` is dormant by now (CONN-6).
    fn is_dormant(&self, lost_at: WallTime, dormant: Duration, now: WallTime) -> bool {
        now >= lost_at + dormant
    }
}
