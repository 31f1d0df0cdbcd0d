//! One thing about the app, its places or its devices is drawn anew, as a seed would have drawn it.
//!
//! Whatever a seed keeps to is kept to here: a way there and back is shorter than what waits for it, and
//! the server bears the silence between two heartbeats. The script stays as it is.

use std::collections::BTreeMap;

use gatecrash::policy::{Platform, Policy, Seats};

use super::setup::{USERS, draw_commit_latency, draw_latency, draw_start, draw_ttl, redraw_limit};
use super::whole_micros;
use crate::draw::Draw;
use crate::scenario::{DeviceName, Offset, Scenario, SiteName};

/// Changes one thing.
pub fn reconfigure(scenario: &mut Scenario, draw: &mut Draw) {
    let span = whole_micros(scenario.until);
    match draw.below(14) {
        0 => scenario.app.seats = another_policy(scenario.app.seats, *draw.pick(&Policy::ALL)),
        1 => scenario.app.seats = another_number(scenario, draw),
        2 => scenario.app.reconnect_kicks ^= true,
        3 => scenario.app.notify_offline_kick ^= true,
        4 => scenario.app.administrators = USERS.iter().map(|name| name.parse().expect("a user id")).collect(),
        5 => scenario.app.start = draw_start(draw),
        6 => scenario.app.ticket_ttl = draw_ttl(draw, span),
        7 => scenario.app.commit_latency = draw_commit_latency(draw),
        8..=9 => redraw_limit(draw, &mut scenario.limits),
        10 => {
            let sites: Vec<SiteName> = scenario.sites.keys().cloned().collect();
            let site = draw.pick(&sites).clone();
            let latency = draw_latency(draw);
            scenario.sites.get_mut(&site).expect("it was listed").latency = latency;
        }
        11 => {
            let sites: Vec<SiteName> = scenario.sites.keys().cloned().collect();
            let (device, site) = (any_device(scenario, draw), draw.pick(&sites).clone());
            scenario.devices.get_mut(&device).expect("it was listed").site = site;
        }
        12 => {
            // One that another device has: rivals are what most rules are about.
            let platforms: Vec<Platform> = scenario.devices.values().map(|device| device.platform).collect();
            let platform = if draw.chance(2, 3) { *draw.pick(&platforms) } else { *draw.pick(&Platform::ALL) };
            let device = any_device(scenario, draw);
            scenario.devices.get_mut(&device).expect("it was listed").platform = platform;
        }
        _ => {
            let by = draw.log_between(1, 86_400) as i64 * 1_000_000;
            let offset = Offset(if draw.chance(1, 2) { by } else { -by });
            let device = any_device(scenario, draw);
            scenario.devices.get_mut(&device).expect("it was listed").wall_offset = offset;
        }
    }
}

fn any_device(scenario: &Scenario, draw: &mut Draw) -> DeviceName {
    let devices: Vec<&DeviceName> = scenario.devices.keys().collect();
    (*draw.pick(&devices)).clone()
}

fn numbers(seats: Seats) -> BTreeMap<Platform, u32> {
    let number = |platform| u32::try_from(seats.instances_max(platform)).expect("ten at most");
    Platform::ALL.into_iter().map(|platform| (platform, number(platform))).collect()
}

/// The numbers of devices as they are, where the policy allows them.
fn another_policy(seats: Seats, policy: Policy) -> Seats {
    let web = BTreeMap::from([(Platform::Web, numbers(seats)[&Platform::Web])]);
    let seats = Seats::new(policy, &numbers(seats)).or_else(|_| Seats::new(policy, &web));
    seats.expect("pages are within the range of every policy")
}

fn another_number(scenario: &Scenario, draw: &mut Draw) -> Seats {
    let seats = scenario.app.seats;
    let device = any_device(scenario, draw);
    let mut numbers = numbers(seats);
    numbers.insert(scenario.devices[&device].platform, draw.between(1, 3) as u32);
    Seats::new(seats.policy(), &numbers).unwrap_or(seats)
}
