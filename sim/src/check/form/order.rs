//! Whose event is the how manieth: each actor's are counted from 1, in the order of time, and are of its kind.
//!
//! Only events of one actor are in an order, and what befalls the world is carried out in several places. Which of them
//! have to be at one instant says `turn`.

use gatecrash::time::Instant;

use super::turn::Turn;
use super::{Misfit, unfit};
use crate::check::grown::grown;
use crate::check::property::Kinds;
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

/// What happens in the world.
const OF_WORLD: Kinds = Kinds::of(&[
    "fault",
    "effect",
    "stranger",
    "ticket_made",
    "old_key_dropped",
    "script_ended",
    "converged",
    "not_converged",
]);

/// What happens to the server; its facts come with their change.
const OF_SERVER: Kinds = Kinds::of(&[
    "server_received",
    "server_sent",
    "malformed",
    "opened",
    "close_asked",
    "gone",
    "commit",
    "committed",
    "ticket_judged",
    "dormant",
    "server_started",
    "store_failed",
    "configured",
    "clock_changed",
    "stopping",
    "stood_still",
]);

impl Order {
    pub(super) fn observe(&mut self, event: &Event) -> Option<Misfit> {
        let (counted, rule, its) = match event.actor {
            Actor::World => (&mut self.world, DEVICE, OF_WORLD),
            Actor::Server => (&mut self.server, SERVER, OF_SERVER),
            Actor::Device(DeviceIndex::STRANGER) => return Some(unfit(DEVICE, "a stranger has no events".to_owned())),
            Actor::Device(device) => (grown(&mut self.devices, device.index()), DEVICE, Kinds::OF_DEVICES),
        };
        counted.events += 1;
        let last_at = std::mem::replace(&mut counted.last_at, event.at);
        let is_world = event.actor == Actor::World;
        if event.at < last_at && !is_world {
            return Some(unfit(rule, format!("{} came before what it follows", event.what.word())));
        }
        if event.number != counted.events {
            let (word, events, number) = (event.what.word(), counted.events, event.number);
            return Some(unfit(rule, format!("{word} is event {events} of its actor, and counted as {number}")));
        }
        if !its.has(event.what.index()) {
            return Some(unfit(rule, format!("{} happened to somebody to whom it cannot", event.what.word())));
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
