//! What follows from something follows at once: no time passes between what came in and what that led to.
//!
//! A timer is no event. What one may bring is held to less: where something else comes of it at that instant, to come with
//! that.

use gatecrash::client::Status;
use gatecrash::code::Code;
use gatecrash::store::EndReason;
use gatecrash::time::Instant;

use super::Misfit;
use crate::scenario::CallKind;
use crate::scenario::rules::RuleId;
use crate::trace::{ClientFrame, Event, Fact, Outcome, Told, What, Write};

/// Somebody whose turn it was.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Turn {
    /// When something last came in.
    led_at: Instant,
    /// A timer ended the session or the login, and what else comes of that is not told yet.
    is_ending: bool,
    is_logged_in: bool,
}

/// When an event may be.
enum When {
    /// Whenever something comes in.
    ComesIn,
    /// At the instant of what came in.
    AtOnce,
    /// At that instant, or with what else a timer brings.
    Together,
    /// Also by a timer alone.
    Anytime,
}

impl Turn {
    /// Something befell whoever it is.
    pub(super) fn led_at(at: Instant) -> Self {
        Turn { led_at: at, ..Turn::default() }
    }

    /// The same, and whoever it is goes on as before.
    pub(super) fn is_led(&mut self, at: Instant) {
        self.led_at = at;
    }

    /// An event of this one, perhaps at the instant of the one before.
    pub(super) fn observe(&mut self, rule: RuleId, event: &Event, is_with_last: bool) -> Option<Misfit> {
        let at = event.at;
        if std::mem::take(&mut self.is_ending) && !is_with_last {
            return Some((rule, "a timer ended what somebody waited for, and nobody was told then".to_owned()));
        }
        let is_right = match when(event, self.is_logged_in) {
            When::ComesIn => {
                self.led_at = at;
                true
            }
            When::AtOnce => self.led_at == at,
            When::Together => self.led_at == at || is_with_last,
            When::Anytime => true,
        };
        if let What::Status { status, .. } = event.what {
            self.is_logged_in = status == Status::Logined;
            self.is_ending = status == Status::Logout && self.led_at != at;
        }
        (!is_right).then(|| (rule, format!("{} came when nothing led to it", event.what.word())))
    }

    /// Decided these facts.
    pub(super) fn decided(&self, rule: RuleId, at: Instant, facts: &[Fact]) -> Option<Misfit> {
        let by_timer = |fact: &Fact| match fact {
            Fact::LinkLost { .. } | Fact::DeviceForgotten { .. } | Fact::PresenceChanged { .. } => true,
            Fact::SessionEnded { reason, .. } => *reason == EndReason::Expired,
            _ => false,
        };
        let is_right = self.led_at == at || facts.iter().all(by_timer);
        (!is_right).then(|| (rule, "a change was decided when nothing led to it".to_owned()))
    }
}

/// How a call may end whose time is up: with what the last attempt came to, where one did.
fn is_of_time(code: Code) -> bool {
    matches!(
        code,
        Code::NoLink
            | Code::ConnectTimeout
            | Code::NoAnswer
            | Code::ServerBusy
            | Code::ServerUnable
            | Code::StorageFailed
    )
}

fn when(event: &Event, is_logged_in: bool) -> When {
    match &event.what {
        What::Called { .. }
        | What::DeviceReceived { .. }
        | What::NoFrame { .. }
        | What::Connected { .. }
        | What::ConnectFailed { .. }
        | What::Gone { .. }
        | What::Stored { .. }
        | What::RecordFailed
        | What::SdkWoken
        | What::NetworkChanged
        | What::ServerReceived { .. }
        | What::Malformed { .. }
        | What::Opened { .. }
        | What::Committed { .. }
        | What::ServerStarted { .. }
        | What::StoreFailed
        | What::Configured { .. }
        | What::ClockChanged { .. }
        | What::StoodStill { .. }
        | What::Stopping => When::ComesIn,
        What::DeviceSent { frame: ClientFrame::Heartbeat | ClientFrame::MessagesReceived { .. }, .. }
        | What::ConnectAsked { .. }
        | What::CloseAsked { .. }
        | What::BackOff { .. }
        | What::LinkLost
        | What::LinkKept
        | What::StoreAsked { write: Write::Installation { .. }, .. }
        | What::Status { status: Status::Logout, .. }
        | What::Commit { .. }
        | What::Dormant { .. } => When::Anytime,
        // A renewal and a request leave the session as it is, whatever comes of them.
        What::Answered { kind, outcome: Outcome::Failed { code, .. }, .. }
            if is_of_time(*code) && is_logged_in && *kind != Some(CallKind::Logout) =>
        {
            When::Anytime
        }
        What::Answered { .. }
        | What::Told { event: Told::Connecting | Told::ConnectSuccess | Told::ConnectFailed { .. }, .. } => {
            When::Together
        }
        What::DeviceSent { .. }
        | What::ServerSent { .. }
        | What::TicketJudged { .. }
        | What::UninitReturned { .. }
        | What::Told { .. }
        | What::EventsDropped
        | What::Status { .. }
        | What::StoreAsked { .. }
        | What::NewDevice { .. }
        | What::KnownAs { .. } => When::AtOnce,
        What::Fact { .. }
        | What::Fault { .. }
        | What::Effect { .. }
        | What::Stranger { .. }
        | What::TicketMade { .. }
        | What::OldKeyDropped
        | What::ScriptEnded
        | What::Converged
        | What::NotConverged { .. } => When::Anytime,
    }
}
