//! What follows from something follows at once: no time passes between what came in and what that led to.
//!
//! A timer is no event. What one may bring is held to less: where something else comes of it at that instant, to come with
//! that.

use gatecrash::client::Status;
use gatecrash::code::Code;
use gatecrash::store::EndReason;
use gatecrash::time::Instant;

use super::{Misfit, unfit};
use crate::check::property::Kinds;
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

/// What comes in, whenever it does.
const COMES_IN: Kinds = Kinds::of(&[
    "called",
    "device_received",
    "no_frame",
    "connected",
    "connect_failed",
    "untrusted",
    "gone",
    "stored",
    "record_failed",
    "sdk_woken",
    "network_changed",
    "server_received",
    "malformed",
    "opened",
    "committed",
    "server_started",
    "store_failed",
    "configured",
    "clock_changed",
    "stood_still",
    "stopping",
]);

/// What a timer may bring alone.
const ANYTIME: Kinds =
    Kinds::of(&["connect_asked", "close_asked", "back_off", "link_lost", "link_kept", "commit", "dormant"]);

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
            return Some(unfit(rule, "a timer ended what somebody waited for, and nobody was told then".to_owned()));
        }
        let kind = event.what.index();
        let is_right = if COMES_IN.has(kind) {
            self.led_at = at;
            true
        } else {
            self.led_at == at || ANYTIME.has(kind) || self.may_come_of_time(event, is_with_last)
        };
        if let What::Status { status, .. } = event.what {
            self.is_logged_in = status == Status::Logined;
            self.is_ending = status == Status::Logout && self.led_at != at;
        }
        (!is_right).then(|| unfit(rule, format!("{} came when nothing led to it", event.what.word())))
    }

    /// Whether an event to which nothing led that came in may be a timer's: alone, or with what else that brings.
    fn may_come_of_time(&self, event: &Event, is_with_last: bool) -> bool {
        match event.what {
            What::DeviceSent { frame: ClientFrame::Heartbeat | ClientFrame::MessagesReceived { .. }, .. }
            | What::StoreAsked { write: Write::Installation { .. }, .. }
            | What::Status { status: Status::Logout, .. } => true,
            // A renewal and a request leave the session as it is, whatever comes of them.
            What::Answered { kind, outcome: Outcome::Failed { code, .. }, .. }
                if is_of_time(code) && self.is_logged_in && kind != Some(CallKind::Logout) =>
            {
                true
            }
            // Nor does a logout whose end is still not on the disk.
            What::Answered {
                kind: Some(CallKind::Logout),
                outcome: Outcome::Failed { code: Code::StorageFailed, .. },
                ..
            } => true,
            What::Answered { .. }
            | What::UninitReturned { .. }
            | What::Told { event: Told::Connecting | Told::ConnectSuccess | Told::ConnectFailed { .. }, .. } => {
                is_with_last
            }
            _ => false,
        }
    }

    /// Decided these facts.
    pub(super) fn decided(&self, rule: RuleId, at: Instant, facts: &[Fact]) -> Option<Misfit> {
        let by_timer = |fact: &Fact| match fact {
            Fact::LinkLost { .. } | Fact::DeviceForgotten { .. } | Fact::PresenceChanged { .. } => true,
            Fact::SessionEnded { reason, .. } => *reason == EndReason::Expired,
            _ => false,
        };
        let is_right = self.led_at == at || facts.iter().all(by_timer);
        (!is_right).then(|| unfit(rule, "a change was decided when nothing led to it".to_owned()))
    }
}

/// How a call may end whose time is up: with what the last attempt came to, where one did.
fn is_of_time(code: Code) -> bool {
    matches!(
        code,
        Code::NoLink
            | Code::ConnectTimeout
            | Code::ServerUntrusted
            | Code::NoAnswer
            | Code::ServerBusy
            | Code::ServerUnable
            | Code::StorageFailed
    )
}
