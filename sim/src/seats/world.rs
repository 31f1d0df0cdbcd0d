//! One explanation of all that was before a cut: who holds the seats, who lost them to whom, and what may still come.
//!
//! Decides nothing. Logins and operations are numbers in the book that the explanation belongs to.

use super::fact::{Reason, Span};
use super::marks::Marks;

/// How a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum How {
    /// Another device's login took the seat.
    Displaced { same_platform: bool },
    /// An administrator ended it.
    Administrator,
    /// Its device logged in again.
    Replaced,
    /// By itself.
    Own,
}

impl How {
    /// Whether its device is told.
    pub(super) fn is_kick(self) -> bool {
        matches!(self, How::Displaced { .. } | How::Administrator)
    }
}

/// That a session ended before the cut. Of its instant only the bounds are kept that hold in every order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Death {
    pub(super) victim: u16,
    pub(super) how: How,
    /// The device that displaced it: none if it may have been one or another.
    pub(super) by: Option<u32>,
    pub(super) span: Span,
    /// Whether it is what the victim's device saw of it. If not, the session has to come back.
    pub(super) fits: bool,
}

/// What a device was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Told {
    pub(super) until: u64,
    pub(super) by: Option<u32>,
    pub(super) reason: Option<Reason>,
}

impl Told {
    /// Whether it tells of such an end.
    pub(super) fn tells_of(&self, how: How, by: Option<u32>) -> bool {
        let by_whom = self.by.is_none()
            || match how {
                How::Displaced { .. } => by.is_none() || self.by == by,
                How::Administrator | How::Replaced | How::Own => false,
            };
        by_whom
            && match (self.reason, how) {
                (Some(Reason::Gone), _) | (None, How::Displaced { .. } | How::Administrator) => true,
                (None, How::Own | How::Replaced) => false,
                (Some(Reason::SamePlatform), how) => how == How::Displaced { same_platform: true },
                (Some(Reason::OtherPlatform), how) => how == How::Displaced { same_platform: false },
                (Some(Reason::Administrator), how) => how == How::Administrator,
            }
    }
}

/// One explanation of what was before a cut.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct World {
    /// Operations of the book that have happened.
    pub(super) placed: Marks,
    /// Who holds seats, the oldest first.
    pub(super) live: Vec<u16>,
    /// Who lost one and may still hear of it.
    pub(super) dead: Vec<Death>,
    /// The least instant to which it can have come.
    pub(super) now: u64,
}
