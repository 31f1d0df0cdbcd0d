//! The canary of a sweep: a broken system beside the real one, on the same machine and from the same seeds. Where nothing names it
//! the checks have gone blind, and what they let pass proves nothing.

use super::{Bug, Catch, hunt_in};
use crate::generate::{self, Profile, Seed};
use crate::search::sweep::is_too_long;
use crate::world::World;

/// On how many seeds it flies at most. One that is worth its seed falls on the first few.
pub const SEEDS_MAX: u64 = 100;

/// The bug that is the canary of a world where nobody names another: in the one a kick that is never made, in the other a
/// batch that is called written and is not.
pub fn of(world: World) -> &'static Bug {
    let id = match world {
        World::Event => "F12",
        World::Packet => "V01",
    };
    Bug::find(id).expect("it is in the zoo")
}

/// Runs the bug on the seeds of this profile from this one on, up to [`SEEDS_MAX`] of them, until something names it. It is caught
/// by what ought to name it alone: where everything breaks, something always does. A small shard's canary flies on past its last
/// seed: it is to show that the checks see, and not how many seeds there are.
pub fn fly(bug: &Bug, profile: Profile, first: u64) -> Option<Catch> {
    let is_run = |seed: &Seed| bug.world() == World::Event || !is_too_long(&generate::scenario(*seed));
    let seeds = (first..=u64::MAX).map(|number| Seed { profile, number });
    hunt_in(bug, seeds.filter(is_run).take(SEEDS_MAX as usize)).filter(|catch| catch.is_right(bug))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever a sweep may be of, its canary falls on one of the first few seeds.
    #[test]
    fn every_kind_of_sweep_has_its_canary() {
        for (world, profile) in [
            (World::Event, Profile::Swarm),
            (World::Event, Profile::PowerLoss),
            (World::Event, Profile::Dense),
            (World::Packet, Profile::PowerLoss),
            (World::Packet, Profile::Dense),
        ] {
            let bug = of(world);
            assert_eq!(bug.world(), world);
            for first in [0, 7_000, u64::MAX - SEEDS_MAX] {
                let catch = fly(bug, profile, first);
                let catch = catch.unwrap_or_else(|| panic!("{} in {profile:?} from {first}", bug.id));
                assert!(catch.seeds <= SEEDS_MAX / 4, "{} in {profile:?} from {first}: {}", bug.id, catch.seeds);
            }
        }
    }
}
