//! The network that a device is on.
//!
//! Carries nothing: both worlds use it to tell a device's living connections from those it has left behind.

/// A site, and how often the device had moved before: a connection that was made over an earlier network is dead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Network {
    /// The site, by its place among the scenario's.
    pub(super) site: usize,
    /// How many networks the device was on before.
    pub(super) number: u32,
}
