//! What an event says that is no field of it: which call a request is, whether a result is a success, whose
//! sessions a fact changes.
//!
//! Judges nothing, and remembers nothing: one event says it all.

use crate::scenario::CallKind;
use crate::trace::{DeviceIndex, Fact, Outcome, Request, UserIndex};

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
    session_changed(fact).map(|(user, _)| user)
}

/// The session that the fact begins, ends, or gives or takes its connection: of whom, and on which device.
pub(super) fn session_changed(fact: &Fact) -> Option<(UserIndex, DeviceIndex)> {
    match *fact {
        Fact::SessionAccepted { user, device, .. }
        | Fact::SessionResumed { user, device, .. }
        | Fact::LinkLost { user, device, .. }
        | Fact::SessionEnded { user, device, .. } => Some((user, device)),
        Fact::AccountCreated { .. }
        | Fact::AttemptRaised { .. }
        | Fact::SessionRenewed { .. }
        | Fact::LoginAcknowledged { .. }
        | Fact::KickSettled { .. }
        | Fact::EndForgotten { .. }
        | Fact::DeviceForgotten { .. }
        | Fact::TicketsVoided { .. }
        | Fact::TicketVoided { .. }
        | Fact::DayCounted { .. }
        | Fact::PresenceChanged { .. }
        | Fact::MessageStored { .. }
        | Fact::SentForgotten { .. }
        | Fact::MessageOwed { .. }
        | Fact::MessagesReceived { .. }
        | Fact::MessagesDropped { .. } => None,
    }
}
