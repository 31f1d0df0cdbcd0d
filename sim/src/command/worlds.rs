//! The worlds that a command line names.

use clap::ValueEnum;
use gatecrash_sim::world::World;

/// One world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum One {
    /// The code that ships, over a simulated network
    Packet,
    /// Its cores alone, about a thousand times faster
    Event,
}

/// One world, or both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Choice {
    /// The code that ships, over a simulated network
    Packet,
    /// Its cores alone, about a thousand times faster
    Event,
    /// One after the other, which must come to the same
    Both,
}

impl One {
    /// The world meant.
    pub fn world(self) -> World {
        match self {
            One::Packet => World::Packet,
            One::Event => World::Event,
        }
    }
}

impl Choice {
    /// The worlds meant, in the order in which a scenario runs in them.
    pub fn worlds(self) -> &'static [World] {
        match self {
            Choice::Packet => &[World::Packet],
            Choice::Event => &[World::Event],
            Choice::Both => &[World::Packet, World::Event],
        }
    }
}
