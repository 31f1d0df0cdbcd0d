//! What a property is shown beside an event: who is in the run, and the views that all properties share.

use gatecrash::time::Instant;

use super::allowance::Allowance;
use super::sdk::{Sdk, Sdks};
use super::server::ServerView;
use crate::trace::{Cast, DeviceIndex, UserIndex};

/// What a property can look at.
pub struct Scene<'a> {
    /// Who and what events name.
    pub cast: &'a Cast,
    pub(super) server: &'a ServerView,
    pub(super) sdks: &'a Sdks,
    pub(super) allowance: &'a Allowance,
    /// The device to which the event happens, if it is one.
    pub(super) actor: Option<(DeviceIndex, &'a Sdk)>,
    /// When the last event was.
    pub now: Instant,
    /// Whether the run came to rest after its faults.
    pub converged: bool,
}

impl Scene<'_> {
    /// What the server calls the device: by the name of the one whose record it has a copy of, if it has.
    pub(super) fn known_as(&self, device: DeviceIndex) -> DeviceIndex {
        self.sdks.find(device).and_then(|sdk| sdk.known_as).unwrap_or(device)
    }

    /// The session in words.
    pub(super) fn session(&self, device: DeviceIndex, user: UserIndex, epoch: u32) -> String {
        format!("the session of {} on {} (epoch {epoch})", self.cast.user_name(user), self.cast.device_name(device))
    }

    /// The device's name.
    pub(super) fn device(&self, device: DeviceIndex) -> &str {
        self.cast.device_name(device)
    }

    /// The user's name.
    pub(super) fn user(&self, user: UserIndex) -> &str {
        self.cast.user_name(user)
    }

    /// The user's name, or that there is none.
    pub(super) fn maybe_user(&self, user: Option<UserIndex>) -> &str {
        user.map_or("nobody", |user| self.cast.user_name(user))
    }
}
