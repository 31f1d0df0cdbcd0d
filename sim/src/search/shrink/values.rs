//! Plainer values: texts, tickets, limits, the seed, and names.

use std::collections::BTreeMap;
use std::time::Duration;

use gatecrash::policy::Platform;

use super::Search;
use super::cast::{called, called_mut, rename_device, rename_site, rename_user, site_of, users_of};
use super::times::plainer;
use crate::scenario::fault::Part;
use crate::scenario::{
    Action, Call, DeviceName, Fault, LimitValue, Offset, Scenario, SiteName, TICKET_TTL_DEFAULT, Text, TicketChoice,
    TicketName,
};

/// The seeds that people would write.
const SEEDS: std::ops::RangeInclusive<u64> = 1..=5;

pub(super) fn values(search: &mut Search<'_>) {
    texts(search);
    tickets(search);
    limits(search);
    clocks(search);
    listeners(search);
    names(search);
    let seed = search.best.seed;
    search.first_of(SEEDS.filter(|plainer| *plainer < seed), |scenario, plainer| scenario.seed = plainer);
}

fn texts(search: &mut Search<'_>) {
    for index in 0..search.best.steps.len() {
        let Some(Call::Send { text, .. }) = called(&search.best.steps[index].action) else { continue };
        let plainer: Vec<Text> = match text {
            Text::Written(text) if text == "hello" => Vec::new(),
            Text::Written(_) => vec![Text::Written("hello".to_owned())],
            Text::Bytes(count) => {
                let fewer = (1..6).map(|power| 10_u32.pow(power)).filter(|fewer| fewer < count).map(Text::Bytes);
                [Text::Written("hello".to_owned())].into_iter().chain(fewer).collect()
            }
        };
        search.first_of(plainer, |scenario, plainer| {
            if let Some(Call::Send { text, .. }) = called_mut(&mut scenario.steps[index].action) {
                *text = plainer;
            }
        });
    }
}

fn tickets(search: &mut Search<'_>) {
    for index in 0..search.best.steps.len() {
        let Some(Call::Login { ticket: TicketChoice::Fresh { ttl: Some(ttl) }, .. }) =
            called(&search.best.steps[index].action)
        else {
            continue;
        };
        search.first_of(plainer(*ttl), |scenario, plainer| {
            if let Some(Call::Login { ticket: TicketChoice::Fresh { ttl }, .. }) =
                called_mut(&mut scenario.steps[index].action)
            {
                *ttl = Some(plainer);
            }
        });
    }
    if search.best.app.ticket_ttl != TICKET_TTL_DEFAULT {
        search.first_of(plainer(search.best.app.ticket_ttl), |scenario, ttl| scenario.app.ticket_ttl = ttl);
    }
    for (name, plan) in search.best.tickets.clone() {
        search.first_of(plainer(plan.ttl), |scenario, ttl| {
            scenario.tickets.get_mut(&name).expect("it was listed").ttl = ttl;
        });
        search.first_of(plainer_offsets(plan.issued), |scenario, issued| {
            scenario.tickets.get_mut(&name).expect("it was listed").issued = issued;
        });
    }
}

fn limits(search: &mut Search<'_>) {
    for (key, value) in search.best.limits.set_values() {
        let values: Vec<LimitValue> = match value {
            LimitValue::Time(span) => plainer(span).into_iter().map(LimitValue::Time).collect(),
            LimitValue::Number(number) => (1..number.min(4)).map(LimitValue::Number).collect(),
            LimitValue::Lines(number) => (1..number.min(4)).map(LimitValue::Lines).collect(),
            LimitValue::Percent(0) => Vec::new(),
            LimitValue::Percent(_) => vec![LimitValue::Percent(0)],
        };
        search.first_of(values, |scenario, value| {
            assert!(scenario.limits.set(key, value), "{key} was set");
        });
    }
}

fn clocks(search: &mut Search<'_>) {
    for index in 0..search.best.steps.len() {
        let Action::Fault(fault) = &search.best.steps[index].action else { continue };
        let plainer: Vec<Fault> = fault
            .parts()
            .into_iter()
            .enumerate()
            .flat_map(|(nth, part)| plainer_parts(part).into_iter().map(move |part| fault.with(nth, part)))
            .collect();
        search.first_of(plainer, |scenario, fault| scenario.steps[index].action = Action::Fault(fault));
    }
}

fn plainer_parts(part: Part<'_>) -> Vec<Part<'static>> {
    match part {
        Part::Offset(by) => plainer_offsets(by).into_iter().map(Part::Offset).collect(),
        Part::Millionths(ppm) => {
            let fewer = [10, 100, 1_000, 10_000, 100_000].into_iter().filter(|fewer| *fewer < ppm.abs());
            fewer.map(|fewer| Part::Millionths(fewer * ppm.signum())).collect()
        }
        _ => Vec::new(),
    }
}

fn plainer_offsets(offset: Offset) -> Vec<Offset> {
    let spans = plainer(Duration::from_micros(offset.0.unsigned_abs()));
    let micros = |span: Duration| i64::try_from(span.as_micros()).expect("at most the offset itself");
    spans.into_iter().map(|span| Offset(micros(span) * offset.0.signum())).collect()
}

/// A call made at a time of its own is plainer than one made inside a listener.
fn listeners(search: &mut Search<'_>) {
    for index in 0..search.best.steps.len() {
        let Action::On { device, event: _, call } = search.best.steps[index].action.clone() else { continue };
        search.try_with(|scenario| scenario.steps[index].action = Action::Call { device, call });
    }
}

/// Names as people would give them. The name of a device decides what is drawn for it, so that with a new one
/// the seed may have to change as well.
fn names(search: &mut Search<'_>) {
    search.try_with(name_users);
    search.try_with(name_tickets);
    search.try_with(name_sites);
    let seed = search.best.seed;
    search.first_of([seed].into_iter().chain(SEEDS), |scenario, seed| {
        let before = scenario.devices.clone();
        name_devices(scenario);
        if scenario.devices != before {
            scenario.seed = seed;
        }
    });
}

fn name_tickets(scenario: &mut Scenario) {
    let is_one = scenario.tickets.len() == 1;
    let name = |number| if is_one { "ticket".to_owned() } else { format!("ticket-{}", number + 1) };
    let names: BTreeMap<TicketName, TicketName> = scenario
        .tickets
        .keys()
        .enumerate()
        .map(|(number, old)| (old.clone(), name(number).parse().expect("the name of a ticket")))
        .collect();
    scenario.tickets = scenario.tickets.iter().map(|(name, plan)| (names[name].clone(), plan.clone())).collect();
    for step in &mut scenario.steps {
        if let Some(Call::Login { ticket: TicketChoice::Named(name), .. }) = called_mut(&mut step.action) {
            *name = names[name].clone();
        }
    }
}

fn name_users(scenario: &mut Scenario) {
    let is_name = |user: &String| user.parse::<gatecrash::id::UserId>().is_ok();
    let users: Vec<String> = users_of(scenario).into_iter().filter(is_name).collect();
    const NAMES: [&str; 4] = ["alice", "bob", "carol", "dave"];
    if users.len() > NAMES.len() {
        return;
    }
    // By way of names that nobody has.
    for (user, name) in users.iter().zip(NAMES) {
        rename_user(scenario, user, &format!("to-be-{name}"));
    }
    for name in NAMES.iter().take(users.len()) {
        rename_user(scenario, &format!("to-be-{name}"), name);
    }
}

fn name_devices(scenario: &mut Scenario) {
    let word = |platform| match platform {
        Platform::Android | Platform::Ios => "phone",
        Platform::Ipad => "pad",
        Platform::Windows | Platform::Mac | Platform::Linux => "desk",
        Platform::Web => "page",
    };
    let total = |wanted| scenario.devices.values().filter(|device| word(device.platform) == wanted).count();
    let mut counted: BTreeMap<&str, usize> = BTreeMap::new();
    let mut names: Vec<(DeviceName, DeviceName)> = Vec::new();
    for (name, device) in &scenario.devices {
        let word = word(device.platform);
        let number = counted.entry(word).or_default();
        *number += 1;
        let new = if total(word) == 1 { word.to_owned() } else { format!("{word}-{number}") };
        names.push((name.clone(), new.parse().expect("the name of a device")));
    }
    let renamed = |name: &DeviceName| names.iter().find(|(old, _)| old == name).expect("it was listed").1.clone();
    scenario.devices = scenario.devices.iter().map(|(name, device)| (renamed(name), device.clone())).collect();
    for step in &mut scenario.steps {
        if let Some(old) = super::device_of(&step.action).cloned() {
            rename_device(&mut step.action, &old, &renamed(&old));
        }
    }
}

fn name_sites(scenario: &mut Scenario) {
    const NAMES: [&str; 4] = ["home", "office", "cafe", "train"];
    if scenario.sites.len() > NAMES.len() {
        return;
    }
    // In the order of the devices that are there, then those where nobody is.
    let mut old: Vec<&SiteName> = Vec::new();
    for name in scenario.devices.values().map(|device| &device.site).chain(scenario.sites.keys()) {
        if !old.contains(&name) {
            old.push(name);
        }
    }
    let new = NAMES.into_iter().map(|name| name.parse().expect("the name of a site"));
    let names: BTreeMap<SiteName, SiteName> = old.into_iter().cloned().zip(new).collect();
    scenario.sites = scenario.sites.iter().map(|(name, site)| (names[name].clone(), site.clone())).collect();
    for device in scenario.devices.values_mut() {
        device.site = names[&device.site].clone();
    }
    for step in &mut scenario.steps {
        if let Some(site) = site_of(&step.action).cloned() {
            rename_site(&mut step.action, &site, &names[&site]);
        }
    }
}
