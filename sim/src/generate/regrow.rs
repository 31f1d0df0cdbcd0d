//! The generator on a script that somebody else began: the author reads it up to a place, believes what
//! came of it, and goes on from there.
//!
//! For `mutate`, which changes scenarios that reached something. A family that the scenario never had may
//! exist in what is written now. What a whole script costs is told by the same accounts.

use std::collections::BTreeSet;
use std::time::Duration;

use super::author::Author;
use super::family::Families;
use super::setup::{Setup, USERS, user_index};
use super::{MILLI, MINUTE, moment, moves, plan, whole_micros};
use crate::draw::Draw;
use crate::scenario::{Action, Call, Scenario};

/// The fewest events that are spent on what is written anew, and the most.
const SPENT: (u64, u64) = (60, 2_000);

/// About what the scenario costs, in events of its trace.
pub fn cost(scenario: &Scenario) -> u64 {
    let mut author = reader(scenario, 0);
    scenario.steps.iter().for_each(|step| author.replay(step));
    author.replay_until(whole_micros(scenario.until));
    author.spent()
}

/// The scenario up to this step, and another end: as many episodes as a drawn number of events allows.
pub fn another_end(scenario: &Scenario, kept: usize, seed: u64) -> Scenario {
    let mut author = reader(scenario, seed);
    scenario.steps[..kept].iter().for_each(|step| author.replay(step));
    author.setup.budget = author.spent() + author.draw.log_between(SPENT.0, SPENT.1);
    plan::go_on(&mut author);
    Scenario { tickets: author.tickets, steps: author.steps, ..scenario.clone() }
}

/// The scenario with an episode after this many steps; what comes later happens so much later.
pub fn with_an_episode(scenario: &Scenario, after: usize, seed: u64) -> Scenario {
    let mut author = reader(scenario, seed);
    let (before, later) = scenario.steps.split_at(after);
    before.iter().for_each(|step| author.replay(step));
    author.setup.budget = author.spent() + author.draw.log_between(SPENT.0, SPENT.1);
    author.pace = author.time_left() / 4;
    let begun = author.now;
    let next = later.first().map_or(whole_micros(scenario.until), |step| whole_micros(step.at));
    // Right after the step, right before the next one, or somewhere between them.
    let wait = match author.draw.below(3) {
        0 => 0,
        1 => next - begun,
        _ => author.draw.below(next - begun + 1),
    };
    author.replay_until(begun + wait);
    plan::an_episode(&mut author);
    // What was to happen meanwhile happens after the episode.
    let delay = Duration::from_micros(author.now.saturating_sub(next));
    let mut steps = author.steps;
    steps.extend(later.iter().cloned().map(|mut step| {
        step.at += delay;
        step
    }));
    Scenario { tickets: author.tickets, steps, until: scenario.until + delay, ..scenario.clone() }
}

/// The scenario with one to three single steps close to the one at this place, and often with something mended
/// a while later. Everything else happens when it did.
pub fn with_single_steps(scenario: &Scenario, near: usize, seed: u64) -> Scenario {
    let mut author = reader(scenario, seed);
    scenario.steps[..near].iter().for_each(|step| author.replay(step));
    let at = scenario.steps.get(near).map_or(author.now, |step| whole_micros(step.at));
    let device = author.any_device();
    let latency = author.latency(device);
    let at = moment::around(&mut author, at, latency).min(author.setup.span);
    author.replay_until(at);
    for _ in 0..author.draw.between(1, 3) {
        moves::one(&mut author);
        let pause = author.draw.below(3) * latency;
        author.pass(pause);
    }
    if author.draw.chance(1, 2) {
        let pause = author.draw.log_between(MILLI, 2 * MINUTE);
        author.pass(pause);
        if let Some(action) = moves::mended(&mut author) {
            author.act(action);
        }
    }
    let mut steps = author.steps;
    steps.extend_from_slice(&scenario.steps[near..]);
    steps.sort_by_key(|step| step.at);
    Scenario { tickets: author.tickets, steps, ..scenario.clone() }
}

/// An author who has written nothing of this scenario yet, with families of its own.
fn reader(scenario: &Scenario, seed: u64) -> Author {
    let mut families = Draw::new(seed, "regrow", "families");
    let setup = Setup {
        is_soak: false,
        loses_power: false,
        budget: u64::MAX,
        span: whole_micros(scenario.until),
        families: Families::draw(&mut families),
        app: scenario.app.clone(),
        limits: scenario.limits.clone(),
        users: USERS[..users(scenario)].iter().map(|name| name.parse().expect("a user id")).collect(),
        sites: scenario.sites.clone().into_iter().collect(),
        devices: scenario.devices.clone().into_iter().collect(),
    };
    let mut author = Author::new(seed, setup);
    author.tickets.clone_from(&scenario.tickets);
    author
}

/// How many of the users there may be.
fn users(scenario: &Scenario) -> usize {
    let named: BTreeSet<usize> = scenario
        .steps
        .iter()
        .filter_map(|step| match &step.action {
            Action::Call { call: Call::Login { user, .. }, .. } | Action::On { call: Call::Login { user, .. }, .. } => {
                user_index(user)
            }
            _ => None,
        })
        .collect();
    named.last().map_or(1, |last| last + 1)
}
