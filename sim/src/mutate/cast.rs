//! Somebody else: another device acts, another user is named, in one step or from one on.

use super::any_step;
use crate::draw::Draw;
use crate::scenario::{Call, DeviceName, Scenario, SiteName, Step};
use crate::shrink::cast::{called_mut, rename_device, site_of, site_of_mut, users_of};
use crate::shrink::device_of;

/// Another device, or another site where the step is about one.
pub(super) fn another_device(scenario: &mut Scenario, _: &Scenario, draw: &mut Draw) {
    let Some(step) = any_step(scenario, draw) else { return };
    if site_of(&scenario.steps[step].action).is_some() {
        let sites: Vec<SiteName> = scenario.sites.keys().cloned().collect();
        if let Some(site) = site_of_mut(&mut scenario.steps[step].action) {
            site.clone_from(draw.pick(&sites));
        }
        return;
    }
    let Some(from) = device_of(&scenario.steps[step].action).cloned() else { return };
    let devices: Vec<DeviceName> = scenario.devices.keys().filter(|device| **device != from).cloned().collect();
    if devices.is_empty() {
        return;
    }
    let to = draw.pick(&devices).clone();
    for step in reached(scenario, step, draw) {
        rename_device(&mut step.action, &from, &to);
    }
}

/// Another user, of those whom the scenario names.
pub(super) fn another_user(scenario: &mut Scenario, _: &Scenario, draw: &mut Draw) {
    let users: Vec<String> = users_of(scenario).into_iter().collect();
    let Some(step) = any_step(scenario, draw).filter(|_| !users.is_empty()) else { return };
    let to = draw.pick(&users).clone();
    for step in reached(scenario, step, draw) {
        if let Some(Call::Login { user, .. } | Call::Kick { user } | Call::Send { to: user, .. }) =
            called_mut(&mut step.action)
        {
            user.clone_from(&to);
        }
    }
}

/// One step, or as many as follow within a few.
fn reached<'s>(scenario: &'s mut Scenario, step: usize, draw: &mut Draw) -> &'s mut [Step] {
    let left = (scenario.steps.len() - step) as u64;
    let count = if draw.chance(1, 2) { 1 } else { draw.log_between(1, left) as usize };
    &mut scenario.steps[step..step + count]
}
