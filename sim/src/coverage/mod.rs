//! Coverage: which pairs of a state and an event a run reached, and which situations it reached together.
//!
//! ```text
//! event ──▶ the state before it (a device's, the server's of a user, a device and a connection)
//!       ──▶ its kind (words, codes, flags) ──▶ a number: a feature of the run
//! ```
//!
//! States are a handful of bits each, so that a sweep reaches most of what can be reached within
//! thousands of runs, and what is new is rare enough to mean something. A feature knows no name, no
//! time and no number of anything. Two features may share a number; that hides one of them at times.
//!
//! Judges nothing and keeps nothing between runs: `guided` does.

mod device;
mod kind;
mod server;
#[cfg(test)]
mod tests;

use crate::sometimes::Sometimes;
use crate::trace::{Actor, Cast, DeviceIndex, Effect, Event, Observer, What};
use device::Device;
use kind::{kind, mixed};
use server::Server;

/// How many numbers there are for features: some ten times as many as a long sweep reaches.
pub const FEATURES: usize = 1 << FEATURE_BITS;

const FEATURE_BITS: u32 = 18;

/// A feature of a run: a number below [`FEATURES`].
pub type Feature = u32;

/// What kinds of features there are.
#[derive(Clone, Copy)]
enum Family {
    /// What a device's own events show of it, and its next one.
    Device = 1,
    /// What the server has of the device, and its next event.
    Held,
    /// Whether the device can reach the server, its status, and its next event.
    Reach,
    /// What the server has of the user whom its event is about.
    User,
    /// What it has of the device, and how far the connection has come.
    Seat,
    /// The server itself.
    Server,
    /// Two situations in one run.
    Sometimes,
}

/// Watches a run and notes its features.
#[derive(Clone, Debug)]
pub struct Coverage {
    devices: Vec<Device>,
    sites: Vec<Site>,
    server: Server,
    seen: Vec<u64>,
    features: Vec<Feature>,
}

/// What a site's link is like.
#[derive(Clone, Copy, Debug, Default)]
struct Site {
    is_outbound_cut: bool,
    is_inbound_cut: bool,
    is_held: bool,
}

impl Site {
    /// One way, both ways or not at all: what keeps a device from the server, as a number.
    fn bits(self, is_server_well: bool) -> u64 {
        match (is_server_well, self.is_held, self.is_outbound_cut, self.is_inbound_cut) {
            (false, ..) => 0,
            (true, true, ..) => 1,
            (true, false, true, _) => 2,
            (true, false, false, true) => 3,
            (true, false, false, false) => 4,
        }
    }
}

impl Default for Coverage {
    fn default() -> Self {
        Coverage {
            devices: Vec::new(),
            sites: Vec::new(),
            server: Server::default(),
            seen: vec![0; FEATURES / 64],
            features: Vec::new(),
        }
    }
}

impl Coverage {
    /// The run is over: its features, each once. It reached these situations.
    pub fn finish(mut self, sometimes: &Sometimes) -> Vec<Feature> {
        let reached: Vec<usize> = sometimes.reached().collect();
        for (place, &one) in reached.iter().enumerate() {
            for &other in &reached[..=place] {
                self.note(Family::Sometimes, one as u64, mixed(0, other as u64 + 1));
            }
        }
        self.features
    }

    #[inline]
    fn note(&mut self, family: Family, state: u64, event: u64) {
        let number = mixed(mixed(event, state), family as u64) >> (u64::BITS - FEATURE_BITS);
        let (word, bit) = (&mut self.seen[number as usize / 64], 1 << (number % 64));
        if *word & bit == 0 {
            *word |= bit;
            self.features.push(number as Feature);
        }
    }

    fn device_event(&mut self, cast: &Cast, device: DeviceIndex, what: &What) {
        let event = kind(what);
        let one = grown(&mut self.devices, device.index());
        let (bits, status, account) = (one.bits(), one.status_bits(), one.account);
        one.observe(what);
        let site = self.sites.get(cast.devices()[device.index()].site.index()).copied().unwrap_or_default();
        let held = self.server.seat_bits(device, account);
        self.note(Family::Device, bits, event);
        self.note(Family::Held, held, event);
        self.note(Family::Reach, status << 8 | site.bits(self.server.is_well()), event);
    }

    fn server_event(&mut self, what: &What) {
        let event = kind(what);
        let (user, seat) = self.server.about(what);
        self.note(Family::User, user, event);
        self.note(Family::Seat, seat, event);
        self.note(Family::Server, self.server.bits(), event);
        self.server.observe(what);
    }

    fn world_event(&mut self, what: &What) {
        let event = kind(what);
        let What::Effect { effect } = *what else {
            return self.note(Family::Server, self.server.bits(), event);
        };
        let device = match effect {
            Effect::ProcessDead { device }
            | Effect::ProcessUp { device }
            | Effect::Suspended { device }
            | Effect::Woken { device }
            | Effect::ConnectionReset { device }
            | Effect::DiskEmpty { device } => Some(device),
            _ => None,
        };
        match device {
            None => self.note(Family::Server, self.server.bits(), event),
            Some(device) => {
                let one = grown(&mut self.devices, device.index());
                let (bits, account) = (one.bits(), one.account);
                match effect {
                    Effect::ProcessDead { .. } => one.process_dead(),
                    Effect::ProcessUp { .. } => one.process_up(),
                    Effect::Suspended { .. } => one.suspended(true),
                    Effect::Woken { .. } => one.suspended(false),
                    Effect::DiskEmpty { .. } => one.wiped(),
                    _ => {}
                }
                self.note(Family::Device, bits, event);
                self.note(Family::Held, self.server.seat_bits(device, account), event);
            }
        }
        match effect {
            Effect::Link { site, outbound, inbound } => {
                let site = grown(&mut self.sites, site.index());
                *site = Site { is_outbound_cut: !outbound, is_inbound_cut: !inbound, is_held: false };
            }
            Effect::LinkHeld { site } => grown(&mut self.sites, site.index()).is_held = true,
            effect => self.server.effect(&effect),
        }
    }
}

impl Observer for Coverage {
    fn observe(&mut self, cast: &Cast, event: &Event) {
        match event.actor {
            // Most events of a long run, and nothing else follows from them.
            _ if event.is_routine() => {}
            Actor::World => self.world_event(&event.what),
            Actor::Server => self.server_event(&event.what),
            Actor::Device(DeviceIndex::STRANGER) => {}
            Actor::Device(device) => self.device_event(cast, device, &event.what),
        }
    }
}

/// The note at this place, which may be a new one.
fn grown<Note: Clone + Default>(notes: &mut Vec<Note>, index: usize) -> &mut Note {
    if notes.len() <= index {
        notes.resize(index + 1, Note::default());
    }
    &mut notes[index]
}
