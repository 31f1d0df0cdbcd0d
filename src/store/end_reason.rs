//! Why a session ended, and what its device is told of that.
//!
//! Decides no end: `decide::server` does.

use serde::{Deserialize, Serialize};

use crate::protocol::KickReason;

/// Why a session ended.
///
/// ```
/// use gatecrash::{protocol::KickReason, store::EndReason};
///
/// assert_eq!(EndReason::Administrator.kick(), Some(KickReason::Administrator));
/// assert_eq!(EndReason::Logout.kick(), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum EndReason {
    /// Displaced by a login on the same platform (POLICY-3).
    SamePlatform,
    /// Displaced by a login on another platform of the group (POLICY-3).
    OtherPlatform,
    /// Ended by an administrator (ADMIN-1).
    Administrator,
    /// Its ticket expired (TICKET-5).
    Expired,
    /// Its device logged out (LOGOUT-1, SWITCH-3).
    Logout,
    /// Its device logged in anew as the same user (LOGIN-10).
    Replaced,
    /// Its device logged in as another user (SWITCH-5).
    OtherUser,
}

impl EndReason {
    /// The reason its device is told in a kick; none when it is not kicked.
    pub const fn kick(self) -> Option<KickReason> {
        match self {
            EndReason::SamePlatform => Some(KickReason::SamePlatform),
            EndReason::OtherPlatform => Some(KickReason::OtherPlatform),
            EndReason::Administrator => Some(KickReason::Administrator),
            EndReason::Expired | EndReason::Logout | EndReason::Replaced | EndReason::OtherUser => None,
        }
    }

    /// Whether another login took the place (KICK-1).
    pub const fn is_displacement(self) -> bool {
        matches!(self, EndReason::SamePlatform | EndReason::OtherPlatform)
    }

    /// Whether the device did it itself, so that there is nothing to tell it.
    pub const fn is_own(self) -> bool {
        matches!(self, EndReason::Logout | EndReason::Replaced | EndReason::OtherUser)
    }

    /// The word traces use.
    pub const fn word(self) -> &'static str {
        match self {
            EndReason::SamePlatform => "same_platform",
            EndReason::OtherPlatform => "other_platform",
            EndReason::Administrator => "administrator",
            EndReason::Expired => "expired",
            EndReason::Logout => "logout",
            EndReason::Replaced => "replaced",
            EndReason::OtherUser => "other_user",
        }
    }
}
