//! The zoo: systems that are broken on purpose, and how many seeds it takes until a property says so.
//!
//! ```text
//! Bug ──▶ Broken (decisions, an interceptor) ──▶ event world ──seed by seed──▶ Catch
//! ```
//!
//! Bugs of drivers stand in the packet world, between the shipped drivers and what they stand on, and are hunted in the
//! dense seeds that are drawn for it.
//!
//! A harness that catches nothing proves nothing. Each bug is another implementation of the decisions,
//! or a wrapper around a core; none of it is in the product, which knows of no zoo. A bug says which
//! properties are the right ones to name it.
//!
//! Runs on the thread it is called on and prints nothing: the command `gatecrash zoo` does.

mod broken;
pub mod canary;
mod client;
mod device;
mod disk;
mod driver;
pub mod fields;
mod hard;
mod known;
mod limits;
pub mod needed;
mod rules;
mod server;
mod storage;
mod table;
#[cfg(test)]
mod tests;
mod wire;

use std::ops::Range;
use std::sync::{Arc, Mutex};

use crate::check::property::{Checks, MODELS};
use crate::generate::{self, Profile, Seed};
use crate::history::Channels;
use crate::judge::Peephole;
use crate::scenario::Scenario;
use crate::scenario::rules::RuleId;
use crate::search::fingerprint::{self, Fingerprint};
use crate::search::shrink::{self, Shrunk};
use crate::trace::{Cast, Event, Observer, Recorder};
use crate::world::caught::caught;
use crate::world::event::{self, Interceptor, System};
use crate::world::{World, packet};
use crate::{HarnessError, Run};
use client::ClientBug;
use gatecrash::decide::Rules;
use server::ServerBug;

pub use hard::{HARD_BUGS, HARD_DRIVER_BUGS, OPEN_BUGS};
pub use table::{BUGS, DRIVER_BUGS};

/// What a bug may be named by instead of a property: a run that does not come to rest.
pub const NOT_CONVERGED: &str = "everything comes to rest";

/// The same: an assertion of a core's own.
pub const PANICKED: &str = "no run panics";

/// One way to get it wrong.
#[derive(Clone, Copy)]
pub struct Bug {
    /// Its name in tables.
    pub id: &'static str,
    /// What is wrong, as a sentence.
    pub what: &'static str,
    /// Where the world has seen it; empty where we thought of it ourselves.
    pub source: &'static str,
    /// The sentences of the properties that ought to name it.
    pub right: &'static [&'static str],
    system: fn() -> Broken,
}

impl Bug {
    /// The bug of this name.
    pub fn find(id: &str) -> Option<&'static Bug> {
        let all = [BUGS, DRIVER_BUGS, HARD_BUGS, HARD_DRIVER_BUGS, OPEN_BUGS];
        all.into_iter().flatten().find(|bug| bug.id.eq_ignore_ascii_case(id))
    }

    /// Where it is hunted: one of drivers where drivers run, any other where most seeds do.
    pub fn world(&self) -> World {
        if (self.system)().driver.is_some() { World::Packet } else { World::Event }
    }

    /// The seed of this number among those in which it is hunted.
    pub fn seed(&self, number: u64) -> Seed {
        hunted_in(self.world(), number)
    }
}

/// The seed of this number among those that are hunted in.
pub fn hunted_in(world: World, number: u64) -> Seed {
    let profile = match world {
        World::Event => Profile::Swarm,
        World::Packet => Profile::Dense,
    };
    Seed { profile, number }
}

/// A broken system: broken decisions, or somebody between the cores and the world, or both; or somebody between the
/// drivers and the world.
struct Broken {
    server: ServerBug,
    client: ClientBug,
    interceptor: Option<Box<dyn Interceptor>>,
    driver: Option<Arc<dyn packet::Interceptor>>,
}

impl Broken {
    fn server(server: ServerBug) -> Broken {
        Broken { server, ..Broken::none() }
    }

    fn client(client: ClientBug) -> Broken {
        Broken { client, ..Broken::none() }
    }

    fn interceptor(interceptor: impl Interceptor + 'static) -> Broken {
        Broken { interceptor: Some(Box::new(interceptor)), ..Broken::none() }
    }

    fn driver(interceptor: impl packet::Interceptor + 'static) -> Broken {
        Broken { driver: Some(Arc::new(interceptor)), ..Broken::none() }
    }

    fn none() -> Broken {
        Broken { server: ServerBug::Rules, client: ClientBug::Rules, interceptor: None, driver: None }
    }
}

impl System for Broken {
    type Server = ServerBug;
    type Client = ClientBug;

    fn server(&self) -> ServerBug {
        self.server
    }

    fn client(&self) -> ClientBug {
        self.client
    }

    fn interceptor(&mut self) -> Option<&mut dyn Interceptor> {
        match &mut self.interceptor {
            Some(interceptor) => Some(interceptor.as_mut()),
            None => None,
        }
    }
}

/// A bug that was caught.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Catch {
    /// By which seed.
    pub seed: u64,
    /// After how many seeds, this one included.
    pub seeds: u64,
    /// What named it, the first before the others.
    pub named: Vec<Fingerprint>,
    /// How many steps the seed's scenario has.
    pub steps: usize,
}

impl Catch {
    /// What named it first.
    pub fn by(&self) -> &Fingerprint {
        &self.named[0]
    }

    /// Whether that ought to.
    pub fn is_right(&self, bug: &Bug) -> bool {
        let name: &str = match self.by() {
            Fingerprint::Property { property, .. } => property,
            Fingerprint::Missed { .. } => self.by().said(),
            Fingerprint::NotConverged(_) => NOT_CONVERGED,
            Fingerprint::Harness(_) => PANICKED,
        };
        bug.right.contains(&name) || MODELS.contains(&name)
    }
}

/// Runs the bug on one seed after the other until something names it.
pub fn hunt(bug: &Bug, seeds: Range<u64>) -> Option<Catch> {
    hunt_in(bug, seeds.map(|number| bug.seed(number)))
}

/// The same on seeds of any profile.
fn hunt_in(bug: &Bug, seeds: impl Iterator<Item = Seed>) -> Option<Catch> {
    seeds.zip(1..).find_map(|(seed, seeds)| {
        let scenario = generate::scenario(seed);
        let named = named(bug, &scenario);
        let catch = Catch { seed: seed.number, seeds, named, steps: scenario.steps.len() };
        (!catch.named.is_empty()).then_some(catch)
    })
}

/// What names this bug in a run of the scenario.
pub fn named(bug: &Bug, scenario: &Scenario) -> Vec<Fingerprint> {
    let broken = (bug.system)();
    match &broken.driver {
        Some(driver) => fingerprint::seen(scenario, World::Packet.tick(scenario), |scenario, recorder| {
            packet::run_intercepted(scenario, recorder, Arc::clone(driver))
        }),
        None => look(scenario, broken),
    }
}

/// The smallest scenario that shows the bug as its catch does.
pub fn shrunk(bug: &Bug, catch: &Catch) -> Shrunk {
    let scenario = generate::scenario(bug.seed(catch.seed));
    let shrunk = shrink::shrink(&scenario, catch.by(), |scenario| Some(named(bug, scenario)), shrink::RUNS_MAX);
    shrunk.expect("a run does what it did before")
}

/// A run of the bug in the scenario, with what names it.
///
/// # Errors
///
/// As of [`crate::run`]: where an assertion of a core's own names it, for one.
pub fn run(bug: &Bug, scenario: &Scenario) -> Result<Run, HarnessError> {
    crate::run_by(scenario, bug.world().tick(scenario), |scenario, recorder| {
        let broken = (bug.system)();
        match &broken.driver {
            Some(driver) => packet::run_intercepted(scenario, recorder, Arc::clone(driver)),
            None => event::run_with(scenario, recorder, broken),
        }
    })
}

/// A bug that was caught by what somebody outside sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatchOutside {
    /// By which seed.
    pub seed: u64,
    /// After how many seeds, this one included.
    pub seeds: u64,
    /// The rule that was named first.
    pub rule: RuleId,
    /// What happened instead, in the words of the judgement.
    pub text: String,
}

/// Runs the bug on one seed after the other until a judgement of what is seen through these channels names it.
pub fn hunt_outside(bug: &Bug, observes: Channels, seeds: Range<u64>) -> Option<CatchOutside> {
    seeds.zip(1..).find_map(|(number, seeds)| {
        let scenario = generate::scenario(bug.seed(number));
        let broken = (bug.system)();
        let judged = caught(|| match broken.driver {
            Some(driver) => {
                let peephole = Arc::new(Mutex::new(Some(Peephole::new(&scenario, observes))));
                let recorder = Recorder::streaming(Cast::of(&scenario));
                recorder.add_observer(Box::new(Through(Arc::clone(&peephole))));
                packet::run_intercepted(&scenario, &recorder, driver).ok()?;
                let peephole = peephole.lock().expect("an observer does not panic").take();
                peephole.map(Peephole::finish)
            }
            None => {
                let (_, peephole) = event::watch_with(&scenario, Peephole::new(&scenario, observes), broken).ok()?;
                Some(peephole.finish())
            }
        });
        // A run that an assertion of the product ends has no history: it is seen by whoever runs the product.
        let breach = judged.ok().flatten()?.breaches.into_iter().next()?;
        Some(CatchOutside { seed: number, seeds, rule: breach.rule, text: breach.text })
    })
}

/// Lets a peephole watch that is taken back before the run is dropped.
struct Through(Arc<Mutex<Option<Peephole>>>);

impl Observer for Through {
    fn observe(&mut self, cast: &Cast, event: &Event) {
        if let Some(peephole) = self.0.lock().expect("an observer does not panic").as_mut() {
            peephole.observe(cast, event);
        }
    }
}

/// Runs the system as the rules have it: nothing should be named.
pub fn false_alarm(world: World, seed: u64) -> Option<Fingerprint> {
    let scenario = generate::scenario(hunted_in(world, seed));
    let named = match world {
        World::Event => look(&scenario, (Rules, Rules)),
        World::Packet => fingerprint::seen(&scenario, world.tick(&scenario), packet::run),
    };
    named.into_iter().next()
}

/// What a run of the scenario is blamed for, the first before the others.
fn look(scenario: &Scenario, system: impl System) -> Vec<Fingerprint> {
    let mut checks = Checks::new(scenario, World::Event.tick(scenario));
    let end = caught(|| {
        let (summary, checks) = event::watch_with(scenario, &mut checks, system)?;
        checks.close(&summary.cast);
        Ok(summary.ending)
    });
    fingerprint::told(checks.violations(), end)
}
