//! One scenario's beginning and another's end: the names of the second become names of the first.

use std::collections::BTreeMap;
use std::time::Duration;

use super::any_step;
use crate::draw::Draw;
use crate::scenario::{Call, DeviceName, Scenario, SiteName, Step, TicketChoice};
use crate::shrink::cast::{called_mut, rename_device, site_of_mut};
use crate::shrink::device_of;

/// After some step come the donor's from some step on.
pub(super) fn the_end_of(scenario: &mut Scenario, donor: &Scenario, draw: &mut Draw) {
    let (Some(last), Some(first)) = (any_step(scenario, draw), any_step(donor, draw)) else { return };
    let (devices, sites) = (devices(scenario, donor), sites(scenario, donor));
    let pause = Duration::from_millis(draw.log_between(1, 10_000));
    let (from, to) = (donor.steps[first].at, scenario.steps[last].at + pause);
    scenario.steps.truncate(last + 1);
    for step in &donor.steps[first..] {
        let mut step = Step { at: step.at - from + to, ..step.clone() };
        if let Some(device) = device_of(&step.action).cloned() {
            rename_device(&mut step.action, &device, &devices[&device]);
        }
        if let Some(site) = site_of_mut(&mut step.action) {
            *site = sites[site].clone();
        }
        if let Some(Call::Login { ticket: TicketChoice::Named(name), .. }) = called_mut(&mut step.action) {
            scenario.tickets.entry(name.clone()).or_insert_with(|| donor.tickets[name].clone());
        }
        scenario.steps.push(step);
    }
    scenario.until = donor.until - from + to;
}

/// For each device of the donor one of the same platform, or else the one at its place.
fn devices(scenario: &Scenario, donor: &Scenario) -> BTreeMap<DeviceName, DeviceName> {
    let ours: Vec<&DeviceName> = scenario.devices.keys().collect();
    let mut taken = Vec::new();
    let place = |(place, (name, device)): (usize, (&DeviceName, &crate::scenario::Device))| {
        let fits = |one: &&&DeviceName| scenario.devices[**one].platform == device.platform && !taken.contains(**one);
        let one = ours.iter().find(fits).copied().unwrap_or(ours[place % ours.len()]);
        taken.push(one.clone());
        (name.clone(), one.clone())
    };
    donor.devices.iter().enumerate().map(place).collect()
}

fn sites(scenario: &Scenario, donor: &Scenario) -> BTreeMap<SiteName, SiteName> {
    let ours: Vec<&SiteName> = scenario.sites.keys().collect();
    let pairs = donor.sites.keys().enumerate().map(|(place, name)| (name.clone(), ours[place % ours.len()].clone()));
    pairs.collect()
}
