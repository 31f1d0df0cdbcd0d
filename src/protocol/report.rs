//! What is said of users: their presence, and the report of a query (PRES-1, ADMIN-2).
//!
//! Is part of frames and is none itself.

use serde::{Deserialize, Serialize};

use crate::id::{PublicName, UserId};
use crate::policy::Platform;

/// Whether a user can be reached (PRES-1).
///
/// ```
/// assert_eq!(gatecrash::protocol::Presence::PushOnline.word(), "push_online");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// A session of theirs has a connection.
    Online,
    /// None has, but a mobile device's session lost its link less than seven days ago.
    PushOnline,
    /// Neither.
    #[default]
    Offline,
}

impl Presence {
    /// The word traces and scenario files use.
    pub const fn word(self) -> &'static str {
        match self {
            Presence::Online => "online",
            Presence::PushOnline => "push_online",
            Presence::Offline => "offline",
        }
    }
}

/// The answer to a status query (ADMIN-2).
///
/// ```
/// assert!(gatecrash::protocol::StatusReport::default().unknown.is_empty());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StatusReport {
    /// The accounts asked for, in the order asked.
    pub users: Vec<UserStatus>,
    /// The names asked for that no account has: code 70107.
    pub unknown: Vec<UserId>,
}

/// One account in a [`StatusReport`].
///
/// ```
/// use gatecrash::protocol::{Presence, UserStatus};
///
/// let status = UserStatus { user: "alice".parse().unwrap(), presence: Presence::Offline, devices: Vec::new() };
/// assert_eq!(status.presence, Presence::Offline);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserStatus {
    /// Who.
    pub user: UserId,
    /// Their presence.
    pub presence: Presence,
    /// Their devices with a session, in the order of login.
    pub devices: Vec<DeviceStatus>,
}

/// One device in a [`UserStatus`].
///
/// ```
/// use gatecrash::{id::DeviceId, policy::Platform, protocol::{DeviceState, DeviceStatus}};
///
/// let status = DeviceStatus {
///     device: DeviceId::from_bytes([1; 16]).public_name(),
///     platform: Platform::Web,
///     state: DeviceState::Connected,
/// };
/// assert_eq!(status.state, DeviceState::Connected);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceStatus {
    /// Its public name.
    pub device: PublicName,
    /// Its platform.
    pub platform: Platform,
    /// Its link.
    pub state: DeviceState,
}

/// A session's link, as the server knows it.
///
/// ```
/// assert_eq!(gatecrash::protocol::DeviceState::Dormant.word(), "dormant");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceState {
    /// It has a connection.
    Connected,
    /// It lost its connection and may come back.
    LinkLost,
    /// It has had no connection for 400 s (web: 90 s).
    Dormant,
}

impl DeviceState {
    /// The word traces and scenario files use.
    pub const fn word(self) -> &'static str {
        match self {
            DeviceState::Connected => "connected",
            DeviceState::LinkLost => "link_lost",
            DeviceState::Dormant => "dormant",
        }
    }
}
