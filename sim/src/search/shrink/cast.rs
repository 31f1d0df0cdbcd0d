//! Fewer devices, users and sites: without one, or with another in its place.
//!
//! A device that goes takes its steps along.

use std::collections::BTreeSet;

use gatecrash::id::UserId;

use super::{Search, device_of};
use crate::scenario::fault::Part;
use crate::scenario::{Action, AppChange, Call, Clock, DeviceName, Scenario, SiteName};

/// Up to so many steps it is worth trying every pair of devices, users or sites.
const PAIRS_STEPS_MAX: usize = 80;

pub(super) fn devices(search: &mut Search<'_>) {
    for name in last_first(search.best.devices.keys()) {
        search.try_with(|scenario| {
            scenario.steps.retain(|step| device_of(&step.action) != Some(&name));
            scenario.devices.remove(&name);
        });
    }
    if search.best.steps.len() > PAIRS_STEPS_MAX {
        return;
    }
    for name in last_first(search.best.devices.keys()) {
        let others: Vec<DeviceName> = search.best.devices.keys().filter(|other| **other != name).cloned().collect();
        search.first_of(others, |scenario, other| {
            for step in &mut scenario.steps {
                rename_device(&mut step.action, &name, &other);
            }
            scenario.devices.remove(&name);
        });
    }
}

pub(super) fn users(search: &mut Search<'_>) {
    for user in last_first(users_of(&search.best).iter()) {
        search.try_with(|scenario| {
            scenario.steps.retain(|step| called(&step.action).is_none_or(|call| !names_only(call, &user)));
        });
    }
    if search.best.steps.len() > PAIRS_STEPS_MAX {
        return;
    }
    for user in last_first(users_of(&search.best).iter()) {
        let others: Vec<String> = users_of(&search.best).into_iter().filter(|other| *other != user).collect();
        search.first_of(others, |scenario, other| rename_user(scenario, &user, &other));
        // Out of the lists it is in.
        search.try_with(|scenario| {
            for step in &mut scenario.steps {
                if let Some(Call::Query { users }) = called_mut(&mut step.action)
                    && users.len() > 1
                {
                    users.retain(|other| *other != user);
                }
                if let Action::App(AppChange::Administrators(users)) = &mut step.action {
                    users.retain(|other| other.as_str() != user);
                }
            }
        });
    }
}

pub(super) fn sites(search: &mut Search<'_>) {
    search.try_with(|scenario| {
        let mut used: BTreeSet<SiteName> = scenario.devices.values().map(|device| device.site.clone()).collect();
        used.extend(scenario.steps.iter().filter_map(|step| site_of(&step.action)).cloned());
        scenario.sites.retain(|site, _| used.contains(site));
    });
    for name in last_first(search.best.sites.keys()) {
        // What befalls a site where nobody is does nothing.
        search.try_with(|scenario| {
            let is_empty = scenario.devices.values().all(|device| device.site != name);
            if is_empty {
                scenario.steps.retain(|step| site_of(&step.action) != Some(&name));
                scenario.sites.remove(&name);
            }
        });
    }
    if search.best.steps.len() > PAIRS_STEPS_MAX {
        return;
    }
    for name in last_first(search.best.sites.keys()) {
        let others: Vec<SiteName> = search.best.sites.keys().filter(|other| **other != name).cloned().collect();
        let ways = others.into_iter().flat_map(|other| [(other.clone(), false), (other, true)]);
        search.first_of(ways, |scenario, (other, takes_faults)| {
            for device in scenario.devices.values_mut().filter(|device| device.site == name) {
                device.site = other.clone();
            }
            if takes_faults {
                for step in &mut scenario.steps {
                    rename_site(&mut step.action, &name, &other);
                }
            } else {
                scenario.steps.retain(|step| site_of(&step.action) != Some(&name));
            }
            scenario.sites.remove(&name);
        });
    }
}

/// The names, from the last to the first: later ones were less likely to matter.
fn last_first<'n, N: Clone + 'n>(names: impl DoubleEndedIterator<Item = &'n N>) -> Vec<N> {
    names.rev().cloned().collect()
}

/// Every user that a call names.
pub(crate) fn users_of(scenario: &Scenario) -> BTreeSet<String> {
    let mut users = BTreeSet::new();
    for call in scenario.steps.iter().filter_map(|step| called(&step.action)) {
        match call {
            Call::Login { user, .. } | Call::Kick { user } | Call::Send { to: user, .. } => {
                users.insert(user.clone());
            }
            Call::Query { users: asked } => users.extend(asked.iter().cloned()),
            Call::Init | Call::Uninit | Call::Logout | Call::Conversations | Call::NetworkChanged => {}
        }
    }
    users
}

/// Whether the call is about this user and nobody else.
fn names_only(call: &Call, name: &str) -> bool {
    match call {
        Call::Login { user, .. } | Call::Kick { user } | Call::Send { to: user, .. } => user == name,
        Call::Query { users } => users.iter().all(|user| user == name),
        Call::Init | Call::Uninit | Call::Logout | Call::Conversations | Call::NetworkChanged => false,
    }
}

pub(crate) fn called(action: &Action) -> Option<&Call> {
    match action {
        Action::Call { call, .. } | Action::On { call, .. } => Some(call),
        Action::Raw { .. } | Action::Fault(_) | Action::App(_) => None,
    }
}

pub(crate) fn called_mut(action: &mut Action) -> Option<&mut Call> {
    match action {
        Action::Call { call, .. } | Action::On { call, .. } => Some(call),
        Action::Raw { .. } | Action::Fault(_) | Action::App(_) => None,
    }
}

/// Calls the user by another name, wherever the scenario names one.
pub(crate) fn rename_user(scenario: &mut Scenario, from: &str, to: &str) {
    let rename = |user: &mut String| {
        if user == from {
            to.clone_into(user);
        }
    };
    for step in &mut scenario.steps {
        match called_mut(&mut step.action) {
            Some(Call::Login { user, .. } | Call::Kick { user } | Call::Send { to: user, .. }) => rename(user),
            Some(Call::Query { users }) => {
                users.iter_mut().for_each(rename);
                users.dedup();
            }
            Some(Call::Init | Call::Uninit | Call::Logout | Call::Conversations | Call::NetworkChanged) | None => {}
        }
        if let Action::App(AppChange::Administrators(users)) = &mut step.action {
            rename_id(users, from, to);
        }
    }
    rename_id(&mut scenario.app.administrators, from, to);
    if let Ok(to) = to.parse::<UserId>() {
        for ticket in scenario.tickets.values_mut().filter(|ticket| ticket.user.as_str() == from) {
            ticket.user = to;
        }
    }
}

fn rename_id(users: &mut BTreeSet<UserId>, from: &str, to: &str) {
    let (Ok(from), Ok(to)) = (from.parse::<UserId>(), to.parse::<UserId>()) else { return };
    if users.remove(&from) {
        users.insert(to);
    }
}

/// Has another device act in a step of this one.
pub(crate) fn rename_device(action: &mut Action, from: &DeviceName, to: &DeviceName) {
    match action {
        Action::Call { device, .. } | Action::On { device, .. } | Action::Raw { device, .. } => {
            if device == from {
                device.clone_from(to);
            }
        }
        Action::Fault(fault) => {
            let clock = Clock::Device(to.clone());
            fault.replace(|part| match part {
                Part::Device(device) if device == from => Some(Part::Device(to)),
                Part::Clock(Clock::Device(device)) if device == from => Some(Part::Clock(&clock)),
                _ => None,
            });
        }
        Action::App(_) => {}
    }
}

/// The site that a step is about.
pub(crate) fn site_of(action: &Action) -> Option<&SiteName> {
    match action {
        Action::Fault(fault) => fault.site(),
        Action::Call { .. } | Action::On { .. } | Action::Raw { .. } | Action::App(_) => None,
    }
}

/// Has a step be about another site.
pub(crate) fn rename_site(action: &mut Action, from: &SiteName, to: &SiteName) {
    if let Action::Fault(fault) = action {
        fault.replace(|part| (part == Part::Site(from)).then_some(Part::Site(to)));
    }
}
