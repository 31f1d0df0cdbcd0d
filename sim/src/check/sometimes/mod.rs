//! What a search must have reached at least once: situations without which the properties prove nothing.
//!
//! A situation is seen in a run's events alone, as a property sees that it is broken. It counts when
//! it came about, not when a script meant it to. Nothing here is right or wrong.
//!
//! Cheap on purpose, as it watches every event of every seed: notes of fixed size by device and by
//! user, and heartbeats fall through. After a crash the notes may miss a situation; they invent none.

mod bounds;
mod device;
mod edges;
mod notes;
mod server;
mod table;
#[cfg(test)]
mod tests;

use crate::scenario::Scenario;
use crate::trace::{Actor, Cast, DeviceIndex, Effect, Event, Fault, Observer, Trace, What};
use edges::Edges;
use table::Situation;

pub use bounds::{Bound, Most};
pub use notes::Sometimes;

/// How far runs got towards a situation that none of them reached.
///
/// ```
/// use gatecrash_sim::check::sometimes::Sometimes;
///
/// let nothing = Sometimes::default();
/// let progress = nothing.progress().find(|progress| progress.situation.contains("wiped")).unwrap();
/// assert_eq!(progress.reached(), (0, 2));
/// assert_eq!(progress.parts, [("a device that had logged in was wiped", 0)]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The situation, as a sentence.
    pub situation: &'static str,
    /// What comes about before it, as sentences, and in how many runs it did. None where it comes about by itself.
    pub parts: Vec<(&'static str, u32)>,
}

impl Progress {
    /// How many of its parts came about, and how many there are with the last one, which is the situation itself.
    pub fn reached(&self) -> (usize, usize) {
        (self.parts.iter().filter(|(_, runs)| *runs > 0).count(), self.parts.len() + 1)
    }
}

impl Sometimes {
    /// Nothing reached yet, in a run of this scenario: whether a bound is reached its limits say.
    pub fn new(scenario: &Scenario) -> Self {
        Sometimes { edges: Some(Box::new(Edges::new(&scenario.limits))), ..Sometimes::default() }
    }

    /// What a run of the scenario reached, by its trace.
    pub fn of(scenario: &Scenario, trace: &Trace) -> Self {
        let mut reached = Sometimes::new(scenario);
        trace.events.iter().for_each(|event| reached.observe(&trace.cast, event));
        reached
    }

    /// Puts what another run reached to this.
    pub fn merge(&mut self, other: &Sometimes) {
        self.reached.add_all(other.reached);
        self.parts.add_all(&other.parts);
    }

    /// The situations reached, as sentences, in the order of the table.
    pub fn hit(&self) -> impl Iterator<Item = &'static str> {
        self.that_are(true)
    }

    /// The situations not reached, as sentences, in the order of the table.
    pub fn missed(&self) -> impl Iterator<Item = &'static str> {
        self.that_are(false)
    }

    /// Of the situations not reached, in the order of the table, how far runs got.
    pub fn progress(&self) -> impl Iterator<Item = Progress> {
        let missed = Situation::ALL.iter().copied().filter(|&situation| !self.reached.has(situation));
        missed.map(|situation| {
            let runs = self.parts.of(situation).iter().copied();
            Progress { situation: situation.name(), parts: situation.parts().iter().copied().zip(runs).collect() }
        })
    }

    /// Of the situations reached, the parts that never came about: none, or a part is no part.
    #[cfg(test)]
    pub(crate) fn skipped(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let reached = Situation::ALL.iter().copied().filter(|&situation| self.reached.has(situation));
        reached.flat_map(|situation| {
            let parts = situation.parts().iter().zip(self.parts.of(situation));
            parts.filter(|(_, runs)| **runs == 0).map(move |(part, _)| (situation.name(), *part))
        })
    }

    /// Every bound, in the order of the table.
    pub fn bounds(&self) -> impl Iterator<Item = Bound> {
        bounds::ALL.iter().map(|row| row.seen_in(&self.reached))
    }

    fn that_are(&self, reached: bool) -> impl Iterator<Item = &'static str> {
        let all = Situation::ALL.iter().copied();
        all.filter(move |&situation| self.reached.has(situation) == reached).map(Situation::name)
    }

    fn effect(&mut self, effect: Effect) {
        match effect {
            Effect::ServerDead => {
                self.server.is_suspended = false;
                self.server_died();
            }
            Effect::ServerSuspended => self.server.is_suspended = true,
            Effect::ServerWoken => self.server.is_suspended = false,
            Effect::ProcessDead { device } => self.process_died(device),
            Effect::ProcessUp { device } => {
                let device = self.device(device);
                device.life += 1;
                device.has_no_caches = device.has_damaged_caches;
                let (owes, has_no_caches) = (device.owes_since.is_some(), device.has_no_caches);
                if owes {
                    self.parts.add(Situation::OwedEndLater, 1);
                }
                if has_no_caches {
                    self.parts.add(Situation::CacheBroughtAnew, 1);
                }
            }
            Effect::Suspended { device } => self.device(device).is_suspended = true,
            Effect::Woken { device } => self.woke(device),
            Effect::DiskEmpty { device } => self.wiped(device),
            Effect::RecordDamaged { device } => {
                let device = self.device(device);
                device.was_damaged |= device.has_logged_in;
                if device.was_damaged {
                    self.parts.add(Situation::DamagedAndBack, 0);
                }
            }
            Effect::CachesDamaged { device } => {
                let device = self.device(device);
                device.has_damaged_caches |= device.has_cached;
                if device.has_damaged_caches {
                    self.parts.add(Situation::CacheBroughtAnew, 0);
                }
            }
            Effect::Moved { device, .. } => {
                let device = self.device(device);
                device.has_moved = device.is_linked;
                if device.has_moved {
                    self.parts.add(Situation::Moved, 0);
                }
            }
            Effect::LinkForgotten { device } => self.forgotten(device),
            // What befalls links, clocks and the server's disk makes no situation by itself.
            _ => {}
        }
    }
}

impl Observer for Sometimes {
    fn observe(&mut self, cast: &Cast, event: &Event) {
        if let Some(edges) = &mut self.edges {
            edges.observe(cast, event, &mut self.reached);
        }
        match (event.what, event.actor) {
            (What::Fault { fault }, _) => {
                if let Fault::LateTimers { device, by } = fault {
                    self.device(device).is_late = by.get() > 0;
                    if by.get() > 0 {
                        self.parts.add(Situation::LateAndClosed, 0);
                    }
                }
                self.server.faulted(&fault);
                if let Some(due) = self.server.cut {
                    self.parts.add(due, 0);
                }
            }
            (What::Effect { effect }, _) => self.effect(effect),
            (_, Actor::Server) => self.on_server(event),
            (_, Actor::Device(device)) if device != DeviceIndex::STRANGER => self.on_device(device, event),
            (_, Actor::Device(_) | Actor::World) => {}
        }
    }
}
