//! From a seed to a scenario: whatever there is to choose is chosen here.
//!
//! A seed draws how much it may spend, in events of its trace, and how long it lasts; the app, its
//! places and devices; which families of faults and of actions exist in it at all. Then an author
//! writes steps: single ones in bursts, and gambits, which are small plots around a race. It
//! spends events, not days: while nothing is to happen, devices are put away, and long spans cost next to
//! nothing. Heartbeats are never left out.
//!
//! Runs nothing and judges nothing: a scenario drawn here is like any other, prints as a file, and
//! may be kept. What a seed means is fixed until this module changes; what a file means does not.

mod author;
mod belief;
mod cost;
mod dense;
pub mod draw;
mod driven;
mod family;
mod foreign;
mod gambit;
mod moment;
mod moves;
mod plan;
mod redraw;
mod seed;
mod setup;
#[cfg(test)]
mod tests;
mod title;

use std::time::Duration;

use crate::generate::draw::Draw;
use crate::scenario::Scenario;
use author::Author;
pub use driven::driven;
pub use foreign::foreign;
pub use redraw::redrawn;
pub use seed::{Profile, Seed};
use setup::Setup;

// Times are whole microseconds since the start.
const MILLI: u64 = 1_000;
const SECOND: u64 = 1_000 * MILLI;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// How far the packet world goes in one step where power is lost: several commits' latencies, so that many
/// seeds can be run there.
const TICK_POWER_LOSS: Duration = Duration::from_millis(5);

/// One seed in so many is a soak.
const SOAK_EVERY: u64 = 10_000;

/// Whether the seed has no budget: its devices stay online over its whole span.
pub fn is_soak(seed: impl Into<Seed>) -> bool {
    let Seed { profile, number } = seed.into();
    profile == Profile::Swarm && Draw::new(number, "generate", "soak").chance(1, SOAK_EVERY)
}

/// The scenario of a seed. The same seed gives the same scenario, in every build.
///
/// ```
/// let scenario = gatecrash_sim::generate::scenario(17);
/// assert_eq!(scenario.seed, 17);
/// assert_eq!(scenario, gatecrash_sim::generate::scenario(17));
/// ```
pub fn scenario(seed: impl Into<Seed>) -> Scenario {
    let seed = seed.into();
    let mut author = Author::new(seed.number, Setup::draw(seed, is_soak(seed)));
    plan::write(&mut author);
    let (title, rules) = (title::of(seed, &author), title::rules(&author));
    let Author { setup, tickets, steps, .. } = author;
    let mut scenario = Scenario {
        title,
        rules,
        seed: seed.number,
        tick: tick(setup.profile, setup.span),
        verdict_only: None,
        converge: None,
        app: setup.app,
        limits: setup.limits,
        sites: setup.sites.into_iter().collect(),
        devices: setup.devices.into_iter().collect(),
        tickets,
        until: micros(setup.span),
        steps,
        expectations: Vec::new(),
    };
    if seed.profile == Profile::Dense {
        dense::secure(&mut scenario);
    }
    scenario
}

/// As fine as a world that steps through time can bear: some 600,000 ticks, up to a second each. Less where many
/// seeds are to run in it.
fn tick(profile: Profile, span: u64) -> Duration {
    match (profile, span) {
        (Profile::PowerLoss, _) => TICK_POWER_LOSS,
        (Profile::Dense, _) => dense::tick(span),
        (Profile::Swarm, 0..=600_000_000) => Duration::from_millis(1),
        (Profile::Swarm, 600_000_001..=6_000_000_000) => Duration::from_millis(10),
        (Profile::Swarm, 6_000_000_001..=60_000_000_000) => Duration::from_millis(100),
        (Profile::Swarm, _) => Duration::from_secs(1),
    }
}

const fn micros(micros: u64) -> Duration {
    Duration::from_micros(micros)
}

fn whole_micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).expect("a scenario's spans are at most a century")
}

/// How many events the seed means to spend, unless it is a soak.
pub fn budget(seed: impl Into<Seed>) -> u64 {
    Setup::draw(seed.into(), false).budget
}
