//! What the SDK's core decides.

use std::fmt::Debug;
use std::hash::Hash;

/// The SDK's decisions. The default methods are the rules.
pub trait ClientDecisions: Clone + Debug + Default + Eq + Hash + Send + Sync + 'static {}
