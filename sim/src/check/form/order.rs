//! Whose event is the how manieth: each actor's are counted from 1, in the order of time, and are of its kind.
//!
//! Only events of one actor are in an order, and what befalls the world is carried out in several places. Which of them
//! have to be at one instant says `turn`.

use gatecrash::time::Instant;

use super::Misfit;
use super::turn::Turn;
use crate::check::grown::grown;
use crate::scenario::rules::{RuleId, rule};
use crate::trace::{Actor, DeviceIndex, Effect, Event, Fact, What};

const DEVICE: RuleId = rule("EVENT-1");
const SERVER: RuleId = rule("POLICY-4");

/// How many events each had.
#[derive(Clone, Debug, Default)]
pub(super) struct Order {
    world: Counted,
    server: Counted,
    devices: Vec<Counted>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counted {
    events: u32,
    last_at: Instant,
    turn: Turn,
}

/// Who has events of this kind.
enum Whose {
    World,
    Server,
    Device,
    /// One end of a connection or the other.
    Ends,
}

impl Order {
    pub(super) fn observe(&mut self, event: &Event) -> Option<Misfit> {
        let (counted, rule) = match event.actor {
            Actor::World => (&mut self.world, DEVICE),
            Actor::Server => (&mut self.server, SERVER),
            Actor::Device(DeviceIndex::STRANGER) => return Some((DEVICE, "a stranger has no events".to_owned())),
            Actor::Device(device) => (grown(&mut self.devices, device.index()), DEVICE),
        };
        counted.events += 1;
        let last_at = std::mem::replace(&mut counted.last_at, event.at);
        let is_world = event.actor == Actor::World;
        if event.at < last_at && !is_world {
            return Some((rule, format!("{} came before what it follows", event.what.word())));
        }
        if event.number != counted.events {
            let (word, events, number) = (event.what.word(), counted.events, event.number);
            return Some((rule, format!("{word} is event {events} of its actor, and counted as {number}")));
        }
        let is_its = match (whose(&event.what), event.actor) {
            (Whose::World, Actor::World)
            | (Whose::Server, Actor::Server)
            | (Whose::Device, Actor::Device(_))
            | (Whose::Ends, Actor::Server | Actor::Device(_)) => true,
            (Whose::World | Whose::Server | Whose::Device | Whose::Ends, _) => false,
        };
        if !is_its {
            return Some((rule, format!("{} happened to somebody to whom it cannot", event.what.word())));
        }
        if !is_world {
            return counted.turn.observe(rule, event, last_at == event.at);
        }
        if let What::Effect { effect } = event.what {
            self.befalls(&effect, event.at);
        }
        None
    }

    fn befalls(&mut self, effect: &Effect, at: Instant) {
        match *effect {
            Effect::ServerUp | Effect::ServerDead | Effect::ServerWoken => self.server.turn.is_led(at),
            Effect::ProcessUp { device } | Effect::ProcessDead { device } => {
                grown(&mut self.devices, device.index()).turn = Turn::led_at(at);
            }
            Effect::Woken { device } => grown(&mut self.devices, device.index()).turn.is_led(at),
            _ => {}
        }
    }

    /// The server decided these facts, in an event of this number.
    pub(super) fn decided(&mut self, at: Instant, number: u32, facts: &[Fact]) -> Option<Misfit> {
        self.server.events = number + facts.len() as u32;
        self.server.turn.decided(SERVER, at, facts)
    }
}

fn whose(what: &What) -> Whose {
    match what {
        What::Fault { .. }
        | What::Effect { .. }
        | What::Stranger { .. }
        | What::TicketMade { .. }
        | What::OldKeyDropped
        | What::ScriptEnded
        | What::Converged
        | What::NotConverged { .. } => Whose::World,
        What::ServerReceived { .. }
        | What::ServerSent { .. }
        | What::Malformed { .. }
        | What::Opened { .. }
        | What::Commit { .. }
        | What::Fact { .. }
        | What::Committed { .. }
        | What::TicketJudged { .. }
        | What::Dormant { .. }
        | What::ServerStarted { .. }
        | What::StoreFailed
        | What::Configured { .. }
        | What::ClockChanged { .. }
        | What::Stopping
        | What::StoodStill { .. } => Whose::Server,
        What::CloseAsked { .. } | What::Gone { .. } => Whose::Ends,
        What::Called { .. }
        | What::Answered { .. }
        | What::UninitReturned { .. }
        | What::Told { .. }
        | What::EventsDropped
        | What::Status { .. }
        | What::DeviceSent { .. }
        | What::DeviceReceived { .. }
        | What::ConnectAsked { .. }
        | What::Connected { .. }
        | What::ConnectFailed { .. }
        | What::StoreAsked { .. }
        | What::Stored { .. }
        | What::BackOff { .. }
        | What::LinkLost
        | What::NewDevice { .. }
        | What::SdkWoken
        | What::NetworkChanged
        | What::LinkKept
        | What::RecordFailed
        | What::NoFrame { .. }
        | What::KnownAs { .. } => Whose::Device,
    }
}
