//! What a history says of one user's sessions: the facts, each of which can be left out by itself.
//!
//! Judges nothing. A fact bounds instants, and how `problem` reads it says which.

/// An instant that is known to lie between two, both included, in microseconds.
///
/// ```
/// use gatecrash_sim::seats::Span;
///
/// assert_eq!(Span::at(7), Span { from: 7, to: 7 });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// Not before.
    pub from: u64,
    /// Not after.
    pub to: u64,
}

impl Span {
    /// An instant that is known exactly.
    pub const fn at(instant: u64) -> Self {
        Span { from: instant, to: instant }
    }
}

/// What came of a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It was accepted, at some instant between call and answer.
    Accepted,
    /// It was not accepted, whyever.
    Refused,
    /// Nobody knows: it was accepted at some instant since its call, or never.
    Unknown,
}

/// What a device was told of the reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// A device on the same platform displaced it.
    SamePlatform,
    /// A device on another platform displaced it.
    OtherPlatform,
    /// An administrator ended it.
    Administrator,
    /// No such session is known: it had ended, however.
    Gone,
}

/// How a session ends by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OwnEnd {
    /// Its device logged out.
    Logout,
    /// Its ticket ran out.
    Expired,
}

/// One thing that the history says. Logins are the caller's numbers, instants are in microseconds.
///
/// ```
/// use gatecrash_sim::seats::Fact;
///
/// let fact = Fact::Alive { login: 7, begun: 10, answered: 12 };
/// assert_eq!(fact.login(), Some(7));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fact {
    /// It was called, and so not accepted before.
    Called { login: u64, at: Span },
    /// It was answered, and so accepted by then.
    Accepted { login: u64, at: Span },
    /// It was answered, and not accepted before nor afterwards.
    Refused { login: u64, at: Span },
    /// Its session lived at some instant between the two.
    Alive { login: u64, begun: u64, answered: u64 },
    /// Its device was told that the session was over.
    Told { login: u64, at: Span },
    /// What it was told named the device that displaced it.
    ToldBy { login: u64, device: u32 },
    /// What it was told gave a reason.
    ToldFor { login: u64, reason: Reason },
    /// Had its session been ended by others at or before `by`, its device would have been told.
    Unheard { login: u64, by: u64 },
    /// Its session ended by itself between the two; without the latter, at some instant or never.
    Ended { login: u64, why: OwnEnd, from: u64, to: Option<u64> },
    /// All sessions of the user ended at one instant; perhaps, unless it is sure.
    Administrator { at: Span, sure: bool },
    /// Its session was alive when everything had come to rest.
    AliveAtEnd { login: u64, at: u64 },
    /// Its session was not alive when everything had come to rest.
    GoneAtEnd { login: u64, at: u64 },
}

impl Fact {
    /// The login that it is about: none of an administrator.
    pub fn login(&self) -> Option<u64> {
        match *self {
            Fact::Called { login, .. }
            | Fact::Accepted { login, .. }
            | Fact::Refused { login, .. }
            | Fact::Alive { login, .. }
            | Fact::Told { login, .. }
            | Fact::ToldBy { login, .. }
            | Fact::ToldFor { login, .. }
            | Fact::Unheard { login, .. }
            | Fact::Ended { login, .. }
            | Fact::AliveAtEnd { login, .. }
            | Fact::GoneAtEnd { login, .. } => Some(login),
            Fact::Administrator { .. } => None,
        }
    }

    /// The instant that it says something of: none if it only adds to another fact.
    pub(super) fn instant(&self) -> Option<u64> {
        let instant = match *self {
            Fact::Called { at, .. }
            | Fact::Accepted { at, .. }
            | Fact::Refused { at, .. }
            | Fact::Told { at, .. }
            | Fact::Administrator { at, .. } => at.from,
            Fact::Alive { begun, .. } => begun,
            Fact::ToldBy { .. } | Fact::ToldFor { .. } => return None,
            Fact::Unheard { by, .. } => by,
            Fact::Ended { from, .. } => from,
            Fact::AliveAtEnd { at, .. } | Fact::GoneAtEnd { at, .. } => at,
        };
        Some(instant)
    }
}
