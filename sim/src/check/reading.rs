//! What an event says that is no field of it: which call a request is, whether a result is a success, whose
//! sessions a fact changes.
//!
//! Judges nothing, and remembers nothing: one event says it all.

use crate::scenario::CallKind;
use crate::trace::{Fact, Outcome, Request, UserIndex};

/// Which call a request is.
pub(super) fn kind_of(request: &Request) -> CallKind {
    match request {
        Request::Init { .. } => CallKind::Init,
        Request::Uninit => CallKind::Uninit,
        Request::Login { .. } => CallKind::Login,
        Request::Logout => CallKind::Logout,
        Request::Conversations => CallKind::Conversations,
        Request::Send { .. } => CallKind::Send,
        Request::Kick { .. } => CallKind::Kick,
        Request::Query { .. } => CallKind::Query,
    }
}

/// Whether the call succeeded.
pub(super) fn succeeded(outcome: Outcome) -> bool {
    match outcome {
        Outcome::Done | Outcome::Message { .. } | Outcome::Conversations { .. } | Outcome::Report { .. } => true,
        Outcome::Failed { .. } => false,
    }
}

/// The user whose sessions the fact changes: one more, one less, or another connection.
pub(super) fn whose_sessions(fact: &Fact) -> Option<UserIndex> {
    match *fact {
        Fact::SessionAccepted { user, .. }
        | Fact::SessionResumed { user, .. }
        | Fact::LinkLost { user, .. }
        | Fact::SessionEnded { user, .. } => Some(user),
        Fact::AccountCreated { .. }
        | Fact::AttemptRaised { .. }
        | Fact::SessionRenewed { .. }
        | Fact::LoginAcknowledged { .. }
        | Fact::KickSettled { .. }
        | Fact::EndForgotten { .. }
        | Fact::TicketsVoided { .. }
        | Fact::TicketVoided { .. }
        | Fact::DayCounted { .. }
        | Fact::PresenceChanged { .. }
        | Fact::MessageStored { .. } => None,
    }
}
