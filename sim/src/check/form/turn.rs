//! What follows from something follows at once: no time passes between what came in and what that led to.
//!
//! A timer is no event. What one may bring is held to less: where something else comes of it at that instant, to come with
//! that.

use gatecrash::client::Status;
use gatecrash::code::Code;
use gatecrash::store::EndReason;
use gatecrash::time::Instant;

use super::Misfit;
use crate::check::grown::grown;
use crate::scenario::CallKind;
use crate::scenario::rules::{RuleId, rule};
use crate::trace::{Actor, ClientFrame, DeviceIndex, Effect, Event, Fact, Outcome, Told, What, Write};

const DEVICE: RuleId = rule("EVENT-1");
const SERVER: RuleId = rule("POLICY-4");

/// The server and every device.
#[derive(Clone, Debug, Default)]
pub(super) struct Turns {
    server: Turn,
    devices: Vec<Turn>,
}

/// Somebody whose turn it was.
#[derive(Clone, Copy, Debug, Default)]
struct Turn {
    /// When something last came in.
    led_at: Instant,
    /// When there last was an event.
    last_at: Instant,
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

impl Turns {
    pub(super) fn observe(&mut self, event: &Event) -> Option<Misfit> {
        let (turn, rule) = match event.actor {
            Actor::Server => (&mut self.server, SERVER),
            Actor::Device(device) => (grown(&mut self.devices, device.index()), DEVICE),
            Actor::World => {
                if let What::Effect { effect } = event.what {
                    self.befalls(&effect, event.at);
                }
                return None;
            }
        };
        let at = event.at;
        let is_with_last = turn.last_at == at;
        let is_ending = std::mem::take(&mut turn.is_ending);
        turn.last_at = at;
        if is_ending && !is_with_last {
            return Some((rule, "a timer ended what somebody waited for, and nobody was told then".to_owned()));
        }
        let is_right = match when(event, turn.is_logged_in) {
            When::ComesIn => {
                turn.led_at = at;
                true
            }
            When::AtOnce => turn.led_at == at,
            When::Together => turn.led_at == at || is_with_last,
            When::Anytime => true,
        };
        if let What::Status { status, .. } = event.what {
            turn.is_logged_in = status == Status::Logined;
            turn.is_ending = status == Status::Logout && turn.led_at != at;
        }
        (!is_right).then(|| (rule, format!("{} came when nothing led to it", event.what.word())))
    }

    fn befalls(&mut self, effect: &Effect, at: Instant) {
        match *effect {
            Effect::ServerUp | Effect::ServerDead | Effect::ServerWoken => self.server.led_at = at,
            Effect::ProcessUp { device } | Effect::ProcessDead { device } => {
                *self.device(device) = Turn { led_at: at, ..Turn::default() };
            }
            Effect::Woken { device } => self.device(device).led_at = at,
            _ => {}
        }
    }

    /// The server decided these facts.
    pub(super) fn decided(&self, at: Instant, facts: &[Fact]) -> Option<Misfit> {
        let by_timer = |fact: &Fact| match fact {
            Fact::LinkLost { .. } | Fact::DeviceForgotten { .. } | Fact::PresenceChanged { .. } => true,
            Fact::SessionEnded { reason, .. } => *reason == EndReason::Expired,
            _ => false,
        };
        let is_right = self.server.led_at == at || facts.iter().all(by_timer);
        (!is_right).then(|| (SERVER, "a change was decided when nothing led to it".to_owned()))
    }

    fn device(&mut self, device: DeviceIndex) -> &mut Turn {
        grown(&mut self.devices, device.index())
    }
}

/// How a call or an attempt ends whose time is up.
fn is_of_time(code: Code) -> bool {
    matches!(code, Code::NoLink | Code::ConnectTimeout | Code::NoAnswer)
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
