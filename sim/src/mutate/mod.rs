//! Mutations: from a scenario to one a little different, which may be run as it is.
//!
//! ```text
//!  parent ──one to four changes──▶ candidate ──settled──▶ cheap enough? ──reads back?──▶ mutant
//!              │                                               │ no              │ no
//!              └── times, steps, cast, splice, generate ◀──────┴─────────────────┘
//! ```
//!
//! Some change what is there: when a step happens, to whom, how often, whether at all. Others have the
//! generator write on: a few steps around one, an episode between two, another end. And one
//! lays another scenario's end after this one's beginning. What comes out is a scenario like any other:
//! it prints, parses, shrinks.
//!
//! Decides neither which scenarios are worth it nor what became of one: `guided` does.

mod cast;
mod splice;
mod steps;
#[cfg(test)]
mod tests;
mod times;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::draw::Draw;
use crate::generate;
use crate::scenario::{Action, Direction, Fault, Scenario, SiteName};

/// How many candidates are drawn before a parent is given up.
const TRIES: u32 = 6;

/// The most steps of a mutant: a script that only ever grew would be run ever slower.
const STEPS_MAX: usize = 600;

/// What is changed at once, at least and at most.
const CHANGES: (u64, u64) = (1, 4);

/// A link that takes longer than this is set right again by whoever draws it: what waits for an answer would give up for
/// ever.
const LATENCY_MAX: Duration = Duration::from_secs(1);

/// Of so many mutants one draws anew what is drawn while running.
const RESEEDED_ONE_IN: u64 = 4;

/// A changed scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mutant {
    /// It.
    pub scenario: Scenario,
    /// What was changed, in the order in which it was.
    pub changes: Vec<&'static str>,
}

/// A way to change a scenario. It may be impossible then, or no change.
struct Mutation {
    name: &'static str,
    /// How often it is drawn beside the others.
    weight: u64,
    change: fn(&mut Scenario, &Scenario, &mut Draw),
}

/// Every one.
const MUTATIONS: [Mutation; 16] = [
    Mutation { name: "a step beside another", weight: 5, change: times::beside },
    Mutation { name: "a step at a limit", weight: 4, change: times::at_a_limit },
    Mutation { name: "another pause", weight: 4, change: times::another_pause },
    Mutation { name: "closer together", weight: 2, change: times::closer },
    Mutation { name: "a step less", weight: 2, change: steps::without_one },
    Mutation { name: "some steps less", weight: 2, change: steps::without_some },
    Mutation { name: "a step twice", weight: 3, change: steps::one_twice },
    Mutation { name: "some steps twice", weight: 3, change: steps::some_twice },
    Mutation { name: "two steps exchanged", weight: 2, change: steps::exchanged },
    Mutation { name: "another device", weight: 4, change: cast::another_device },
    Mutation { name: "another user", weight: 3, change: cast::another_user },
    Mutation { name: "new steps", weight: 8, change: new_steps },
    Mutation { name: "an episode", weight: 8, change: episode },
    Mutation { name: "another end", weight: 5, change: another_end },
    Mutation { name: "the end of another", weight: 4, change: splice::the_end_of },
    Mutation { name: "another configuration", weight: 6, change: reconfigured },
];

/// The names of all mutations.
pub fn names() -> impl Iterator<Item = &'static str> {
    MUTATIONS.iter().map(|mutation| mutation.name)
}

/// A mutant of the parent, which may take parts of the donor; it costs about so many events at most. The same
/// number draws the same. None when nothing fits.
pub fn mutant(parent: &Scenario, donor: &Scenario, number: u64, cost_max: u64) -> Option<Mutant> {
    let mut draw = Draw::new(number, "mutate", "changes");
    let weights: Vec<u64> = MUTATIONS.iter().map(|mutation| mutation.weight).collect();
    (0..TRIES).find_map(|_| {
        let mut scenario = Scenario { expectations: Vec::new(), ..parent.clone() };
        let mut changes = Vec::new();
        for _ in 0..draw.log_between(CHANGES.0, CHANGES.1) {
            let mutation = &MUTATIONS[draw.weighted(&weights)?];
            (mutation.change)(&mut scenario, donor, &mut draw);
            settle(&mut scenario);
            changes.push(mutation.name);
        }
        if draw.chance(1, RESEEDED_ONE_IN) {
            scenario.seed = number;
        }
        let is_another = scenario.steps != parent.steps
            || (&scenario.app, &scenario.limits) != (&parent.app, &parent.limits)
            || (&scenario.devices, &scenario.sites) != (&parent.devices, &parent.sites);
        let is_bearable = scenario.steps.len() <= STEPS_MAX && generate::cost(&scenario) <= cost_max;
        (is_another && is_bearable && scenario.reads_back()).then_some(Mutant { scenario, changes })
    })
}

/// Puts the steps in order, and takes away what could not be at its place any more: a policy that its numbers do
/// not fit, a link both held and cut one way.
fn settle(scenario: &mut Scenario) {
    let until = scenario.until;
    scenario.steps.iter_mut().for_each(|step| step.at = step.at.min(until));
    scenario.steps.sort_by_key(|step| step.at);
    let mut seats = scenario.app.seats;
    let mut links: BTreeMap<SiteName, (bool, bool)> = BTreeMap::new();
    scenario.steps.retain(|step| match &step.action {
        Action::App(change) => match change.seats_after(seats) {
            Ok(after) => {
                seats = after;
                true
            }
            Err(_) => false,
        },
        Action::Fault(fault) => {
            let Some(site) = crate::shrink::cast::site_of(&step.action) else { return true };
            let (is_held, is_one_way) = links.entry(site.clone()).or_default();
            match fault {
                Fault::Hold { .. } if *is_one_way => return false,
                Fault::Hold { .. } => *is_held = true,
                Fault::Partition { direction, .. } if *direction != Direction::Both && *is_held => return false,
                // Two one-way partitions would be one way for the file and both ways for the world.
                Fault::Partition { direction, .. } if *direction != Direction::Both && *is_one_way => return false,
                Fault::Partition { direction, .. } => *is_one_way = *direction != Direction::Both,
                Fault::Repair { .. } => *is_one_way = false,
                Fault::Release { .. } => *is_held = false,
                _ => {}
            }
            true
        }
        Action::Call { .. } | Action::On { .. } | Action::Raw { .. } => true,
    });
    bear_latencies(scenario);
}

/// No link is left with a latency that nobody would bear: the last that a site is given is a short one.
fn bear_latencies(scenario: &mut Scenario) {
    let mut settled = BTreeSet::new();
    for place in (0..scenario.steps.len()).rev() {
        if let Action::Fault(Fault::Latency { site, latency }) = &scenario.steps[place].action
            && !settled.contains(site)
        {
            if latency.max > LATENCY_MAX {
                scenario.steps.remove(place);
            } else {
                settled.insert(site.clone());
            }
        }
    }
}

fn new_steps(scenario: &mut Scenario, _: &Scenario, draw: &mut Draw) {
    let near = draw.below(scenario.steps.len() as u64 + 1) as usize;
    *scenario = generate::with_single_steps(scenario, near, draw.below(u64::MAX));
}

fn episode(scenario: &mut Scenario, _: &Scenario, draw: &mut Draw) {
    let after = draw.below(scenario.steps.len() as u64 + 1) as usize;
    *scenario = generate::with_an_episode(scenario, after, draw.below(u64::MAX));
}

fn another_end(scenario: &mut Scenario, _: &Scenario, draw: &mut Draw) {
    let kept = draw.below(scenario.steps.len() as u64 + 1) as usize;
    *scenario = generate::another_end(scenario, kept, draw.below(u64::MAX));
}

fn reconfigured(scenario: &mut Scenario, _: &Scenario, draw: &mut Draw) {
    generate::reconfigure(scenario, draw);
}

/// Any of the steps; none when there are none.
fn any_step(scenario: &Scenario, draw: &mut Draw) -> Option<usize> {
    let count = scenario.steps.len() as u64;
    (count > 0).then(|| draw.below(count) as usize)
}

/// A few steps in a row; none when there are none.
fn some_steps(scenario: &Scenario, draw: &mut Draw) -> Option<std::ops::Range<usize>> {
    let first = any_step(scenario, draw)?;
    let left = (scenario.steps.len() - first) as u64;
    let count = draw.log_between(1, left.min(12)) as usize;
    Some(first..first + count)
}

/// Everything from this step on happens so much later, the end of the script included.
fn delay(scenario: &mut Scenario, from: usize, by: Duration) {
    scenario.steps[from..].iter_mut().for_each(|step| step.at += by);
    scenario.until += by;
}
