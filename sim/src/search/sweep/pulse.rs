//! Where a worker of a sweep is, for whoever watches that it gets on.
//!
//! Written at every event, read about once a second: plain numbers, no lock. They may be of two
//! neighbouring events; nothing is decided by them.

use std::fmt;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use gatecrash::time::Instant;

use crate::trace::{Actor, DeviceIndex, Event, What};

/// The last event of a worker's run.
#[derive(Debug, Default)]
pub struct Pulse {
    seed: AtomicU64,
    beats: AtomicU64,
    at: AtomicU64,
    actor: AtomicU32,
    number: AtomicU32,
    what: AtomicU32,
}

/// A look at a pulse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// Which seed runs.
    pub seed: u64,
    /// How much the worker has done since it began: as long as that grows, it gets on.
    pub beats: u64,
    /// When the last event was.
    pub at: Instant,
    /// To whom.
    pub actor: Actor,
    /// Which of this actor's events it is.
    pub number: u32,
    /// What, in a word.
    pub what: &'static str,
}

impl fmt::Display for Sighting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Sighting { at, actor, number, what, .. } = self;
        write!(
            f,
            "nothing has happened since {at} s of simulated time; the last event was {what}, number {number} of "
        )?;
        match actor {
            Actor::World => f.write_str("the world"),
            Actor::Server => f.write_str("the server"),
            &Actor::Device(DeviceIndex::STRANGER) => f.write_str("a stranger"),
            Actor::Device(device) => write!(f, "device {} of the scenario", device.index() + 1),
        }
    }
}

impl Pulse {
    /// A run begins.
    pub fn begin(&self, seed: u64) {
        self.seed.store(seed, Ordering::Relaxed);
        self.at.store(0, Ordering::Relaxed);
        self.add_beat();
    }

    /// Something happened in it.
    #[inline]
    pub fn beat(&self, event: &Event) {
        let actor = match event.actor {
            Actor::World => 0,
            Actor::Server => 1,
            Actor::Device(DeviceIndex::STRANGER) => u32::MAX,
            Actor::Device(device) => 2 + device.index() as u32,
        };
        self.at.store(event.at.as_micros(), Ordering::Relaxed);
        self.actor.store(actor, Ordering::Relaxed);
        self.number.store(event.number, Ordering::Relaxed);
        self.what.store(event.what.index() as u32, Ordering::Relaxed);
        self.add_beat();
    }

    fn add_beat(&self) {
        // Only the worker writes, so this need not be one operation.
        self.beats.store(self.beats.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    /// Where the worker is.
    pub fn look(&self) -> Sighting {
        let actor = match self.actor.load(Ordering::Relaxed) {
            0 => Actor::World,
            1 => Actor::Server,
            u32::MAX => Actor::Device(DeviceIndex::STRANGER),
            device => Actor::Device(DeviceIndex::new(device as usize - 2)),
        };
        Sighting {
            seed: self.seed.load(Ordering::Relaxed),
            beats: self.beats.load(Ordering::Relaxed),
            at: Instant::from_micros(self.at.load(Ordering::Relaxed)),
            actor,
            number: self.number.load(Ordering::Relaxed),
            what: What::WORDS[self.what.load(Ordering::Relaxed) as usize],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pulse_shows_the_last_event_and_that_it_beats() {
        let pulse = Pulse::default();
        pulse.begin(17);
        let before = pulse.look();
        let actor = Actor::Device(DeviceIndex::new(3));
        pulse.beat(&Event { at: Instant::from_micros(5), actor, number: 9, what: What::LinkLost });
        let after = pulse.look();
        assert_eq!((after.seed, after.at, after.actor, after.number), (17, Instant::from_micros(5), actor, 9));
        assert_eq!(after.what, "link_lost");
        assert!(after.beats > before.beats);
    }
}
