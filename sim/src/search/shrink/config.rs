//! A plainer configuration: the app, its limits and tickets, devices and links as the rules have them.

use std::collections::{BTreeMap, BTreeSet};

use gatecrash::policy::{Platform, Seats};

use super::Search;
use super::cast::{called, called_mut};
use crate::scenario::{
    Action, App, Call, Forge, Init, LATENCY_DEFAULT, LimitOverrides, Offset, Scenario, Site, Span, TicketChoice,
    TicketName, tick_default,
};

pub(super) fn configuration(search: &mut Search<'_>) {
    search.try_with(|scenario| scenario.app = App { id: scenario.app.id, ..App::default() });
    app(search);
    seats(search);
    limits(search);
    tickets(search);
    devices(search);
    links(search);
    search.try_with(|scenario| scenario.converge = None);
    search.try_with(|scenario| scenario.verdict_only = None);
    search.try_with(|scenario| scenario.tick = tick_default(scenario.until));
}

fn app(search: &mut Search<'_>) {
    let plain = App::default();
    search.try_with(|scenario| scenario.app.id = plain.id);
    search.try_with(|scenario| scenario.app.administrators.clear());
    for user in search.best.app.administrators.clone() {
        search.try_with(|scenario| {
            scenario.app.administrators.remove(&user);
        });
    }
    search.try_with(|scenario| scenario.app.reconnect_kicks = false);
    search.try_with(|scenario| scenario.app.notify_offline_kick = false);
    search.try_with(|scenario| scenario.app.tls = false);
    search.try_with(|scenario| scenario.app.start = plain.start);
    search.try_with(|scenario| scenario.app.ticket_ttl = plain.ticket_ttl);
    let Span { min, max } = search.best.app.commit_latency;
    let plainer = [plain.commit_latency, Span::exactly(max), Span::exactly(min)];
    search.first_of(plainer, |scenario, latency| scenario.app.commit_latency = latency);
}

/// Policy and numbers as they are when nobody says, or as few devices as will do.
fn seats(search: &mut Search<'_>) {
    if search.try_with(|scenario| scenario.app.seats = Seats::default()) {
        return;
    }
    for platform in Platform::ALL {
        let number = search.best.app.seats.instances_max(platform);
        search.first_of([1, 2, 3].into_iter().filter(|fewer| *fewer < number), |scenario, fewer| {
            let seats = scenario.app.seats;
            let mut numbers = numbers(seats);
            numbers.insert(platform, fewer as u32);
            // What does not fit the policy leaves the scenario as it was, and nothing is run.
            scenario.app.seats = Seats::new(seats.policy(), &numbers).unwrap_or(seats);
        });
    }
    search.try_with(|scenario| {
        let seats = scenario.app.seats;
        scenario.app.seats = Seats::new(Seats::default().policy(), &numbers(seats)).unwrap_or(seats);
    });
}

fn numbers(seats: Seats) -> BTreeMap<Platform, u32> {
    let number = |platform| u32::try_from(seats.instances_max(platform)).expect("at most ten");
    Platform::ALL.into_iter().map(|platform| (platform, number(platform))).collect()
}

fn limits(search: &mut Search<'_>) {
    search.try_with(|scenario| scenario.limits = LimitOverrides::default());
    for (gone, _) in search.best.limits.set_values() {
        search.try_with(|scenario| {
            let kept = scenario.limits.set_values().into_iter().filter(|(key, _)| *key != gone);
            let mut limits = LimitOverrides::default();
            for (key, value) in kept {
                assert!(limits.set(key, value), "{key} was set");
            }
            scenario.limits = limits;
        });
    }
}

fn tickets(search: &mut Search<'_>) {
    drop_unused(search);
    for index in 0..search.best.steps.len() {
        let plainer = match called(&search.best.steps[index].action) {
            Some(Call::Login { ticket: TicketChoice::Fresh { ttl: None }, .. }) => continue,
            Some(Call::Login { .. }) => TicketChoice::Fresh { ttl: None },
            Some(_) | None => continue,
        };
        search.try_with(|scenario| {
            if let Some(Call::Login { ticket, .. }) = called_mut(&mut scenario.steps[index].action) {
                *ticket = plainer;
            }
        });
    }
    drop_unused(search);
    for name in search.best.tickets.keys().cloned().collect::<Vec<TicketName>>() {
        let mut change = |change: fn(&mut Scenario, &TicketName)| {
            search.try_with(|scenario| change(scenario, &name));
        };
        change(|scenario, name| plan(scenario, name).forge = None);
        change(|scenario, name| {
            if plan(scenario, name).forge.is_some() {
                plan(scenario, name).forge = Some(Forge::Garbage);
            }
        });
        change(|scenario, name| plan(scenario, name).issued = Offset::default());
        change(|scenario, name| plan(scenario, name).ttl = scenario.app.ticket_ttl);
    }
}

fn plan<'s>(scenario: &'s mut Scenario, name: &TicketName) -> &'s mut crate::scenario::TicketPlan {
    scenario.tickets.get_mut(name).expect("it was listed")
}

fn drop_unused(search: &mut Search<'_>) {
    search.try_with(|scenario| {
        let named = |step: &crate::scenario::Step| match called(&step.action) {
            Some(Call::Login { ticket: TicketChoice::Named(name), .. }) => Some(name.clone()),
            Some(_) | None => None,
        };
        let used: BTreeSet<TicketName> = scenario.steps.iter().filter_map(named).collect();
        scenario.tickets.retain(|name, _| used.contains(name));
    });
}

fn devices(search: &mut Search<'_>) {
    for name in search.best.devices.keys().cloned().collect::<Vec<_>>() {
        search.try_with(|scenario| {
            scenario.devices.get_mut(&name).expect("it was listed").wall_offset = Offset::default();
        });
        // The world starts its SDK, so that no step need do it.
        search.try_with(|scenario| {
            let device = scenario.devices.get_mut(&name).expect("it was listed");
            if device.init == Init::Manual {
                device.init = Init::Auto;
                let is_init =
                    |action: &Action| matches!(action, Action::Call { device, call: Call::Init } if *device == name);
                if let Some(first) = scenario.steps.iter().position(|step| is_init(&step.action)) {
                    scenario.steps.remove(first);
                }
            }
        });
        search.try_with(|scenario| scenario.devices.get_mut(&name).expect("it was listed").init = Init::Auto);
        search.first_of([Platform::Android, Platform::Web], |scenario, platform| {
            let device = scenario.devices.get_mut(&name).expect("it was listed");
            if device.platform != Platform::Android {
                device.platform = platform;
            }
        });
    }
}

/// Latencies as they are when nobody says, or at least without anything to draw.
fn links(search: &mut Search<'_>) {
    search.try_with(|scenario| scenario.sites.values_mut().for_each(|site| *site = Site::default()));
    search.try_with(|scenario| scenario.sites.values_mut().for_each(|site| site.latency = LATENCY_DEFAULT));
    for name in search.best.sites.keys().cloned().collect::<Vec<_>>() {
        let mut change = |change: fn(&mut Site)| {
            search.try_with(|scenario| change(scenario.sites.get_mut(&name).expect("it was listed")));
        };
        change(|site| site.forgets_idle = None);
        change(|site| site.segments = None);
        change(|site| site.window = None);
        let Span { min, max } = search.best.sites[&name].latency;
        let plainer = [LATENCY_DEFAULT, Span::exactly(max), Span::exactly(min)];
        search.first_of(plainer, |scenario, latency| {
            scenario.sites.get_mut(&name).expect("it was listed").latency = latency;
        });
    }
}
