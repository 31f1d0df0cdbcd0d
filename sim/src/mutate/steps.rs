//! Fewer steps, some of them again, two in each other's place.

use std::time::Duration;

use super::{any_step, delay, some_steps};
use crate::draw::Draw;
use crate::scenario::{Scenario, Step};

pub(super) fn without_one(scenario: &mut Scenario, _: &Scenario, draw: &mut Draw) {
    if let Some(step) = any_step(scenario, draw) {
        scenario.steps.remove(step);
    }
}

pub(super) fn without_some(scenario: &mut Scenario, _: &Scenario, draw: &mut Draw) {
    if let Some(some) = some_steps(scenario, draw) {
        scenario.steps.drain(some);
    }
}

/// A step happens once more, soon or where the next ones are.
pub(super) fn one_twice(scenario: &mut Scenario, _: &Scenario, draw: &mut Draw) {
    let Some(step) = any_step(scenario, draw) else { return };
    let again = scenario.steps[step].clone();
    let at = match draw.below(3) {
        0 => again.at,
        1 => again.at + Duration::from_millis(draw.log_between(1, 20_000)),
        _ => {
            let later = draw.between(step as u64, scenario.steps.len() as u64 - 1) as usize;
            scenario.steps[later].at
        }
    };
    scenario.steps.push(Step { at, ..again });
}

/// A few steps in a row happen once more after them, and what follows happens later.
pub(super) fn some_twice(scenario: &mut Scenario, _: &Scenario, draw: &mut Draw) {
    let Some(some) = some_steps(scenario, draw) else { return };
    let mut again = scenario.steps[some.clone()].to_vec();
    let (first, last) = (again[0].at, again[again.len() - 1].at);
    let by = last - first + Duration::from_millis(draw.log_between(1, 10_000));
    again.iter_mut().for_each(|step| step.at += by);
    delay(scenario, some.end, by);
    scenario.steps.splice(some.end..some.end, again);
}

/// Two steps that are close to each other do what the other did.
pub(super) fn exchanged(scenario: &mut Scenario, _: &Scenario, draw: &mut Draw) {
    let Some(some) = some_steps(scenario, draw) else { return };
    let (one, other) = (some.start, some.end - 1);
    let (first, last) = (scenario.steps[one].at, scenario.steps[other].at);
    scenario.steps.swap(one, other);
    (scenario.steps[one].at, scenario.steps[other].at) = (first, last);
}
