//! Simpler faults: without a kind or a place of them, two that are one, and milder ones.

use std::collections::BTreeSet;
use std::mem;
use std::time::Duration;

use super::cast::site_of;
use super::{Search, device_of};
use crate::scenario::fault::Part;
use crate::scenario::{Action, Direction, Fault, SiteName, Step};

pub(super) fn faults(search: &mut Search<'_>) {
    search.try_with(|scenario| scenario.steps.retain(|step| fault_of(step).is_none()));
    let mut kinds = Vec::new();
    for kind in search.best.steps.iter().filter_map(fault_of).map(mem::discriminant) {
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    for kind in kinds {
        search.try_with(|scenario| scenario.steps.retain(|step| fault_of(step).map(mem::discriminant) != Some(kind)));
    }
    let sites: BTreeSet<SiteName> =
        search.best.steps.iter().filter_map(|step| site_of(&step.action)).cloned().collect();
    for site in sites {
        search.try_with(|scenario| scenario.steps.retain(|step| site_of(&step.action) != Some(&site)));
    }
    for device in search.best.devices.keys().cloned().collect::<Vec<_>>() {
        search.try_with(|scenario| {
            scenario.steps.retain(|step| fault_of(step).is_none() || device_of(&step.action) != Some(&device));
        });
    }
    bounce(search);
    for index in 0..search.best.steps.len() {
        let milder = fault_of(&search.best.steps[index]).map(milder).unwrap_or_default();
        search.first_of(milder, |scenario, fault| scenario.steps[index].action = Action::Fault(fault));
    }
}

/// A crash and the start that follows it are one step.
fn bounce(search: &mut Search<'_>) {
    let is_crash = |step: &Step| matches!(fault_of(step), Some(Fault::CrashServer | Fault::PowerLossServer));
    let is_start = |step: &Step| matches!(fault_of(step), Some(Fault::StartServer));
    let mut first = 0;
    while first < search.best.steps.len() {
        let steps = &search.best.steps;
        let start = is_crash(&steps[first]).then(|| steps[first..].iter().position(is_start)).flatten();
        if let Some(start) = start.map(|start| first + start) {
            let after = steps[start].at - steps[first].at;
            search.try_with(|scenario| {
                scenario.steps[first].action = Action::Fault(Fault::BounceServer { after });
                scenario.steps.remove(start);
            });
        }
        first += 1;
    }
}

/// What does less, the least first.
fn milder(fault: &Fault) -> Vec<Fault> {
    let parts = fault.parts().into_iter().enumerate();
    let simpler = parts.flat_map(|(nth, part)| simpler(part).into_iter().map(move |part| fault.with(nth, part)));
    fault.milder().into_iter().chain(simpler).collect()
}

/// What does less in the place of this part. Clocks come later, with the other values.
fn simpler(part: Part<'_>) -> Vec<Part<'static>> {
    match part {
        Part::Direction(Direction::Inbound | Direction::Outbound) => vec![Part::Direction(Direction::Both)],
        Part::Operation(2..) => vec![Part::Operation(1)],
        Part::After(after) => {
            let shorter = [Duration::ZERO, Duration::from_secs(1), Duration::from_secs(10)];
            shorter.into_iter().filter(|shorter| *shorter < after).map(Part::After).collect()
        }
        Part::Direction(Direction::Both)
        | Part::Operation(0..2)
        | Part::Device(_)
        | Part::Site(_)
        | Part::Clock(_)
        | Part::Span(_)
        | Part::Offset(_)
        | Part::Millionths(_)
        | Part::Point(_)
        | Part::Version(_) => Vec::new(),
    }
}

fn fault_of(step: &Step) -> Option<&Fault> {
    match &step.action {
        Action::Fault(fault) => Some(fault),
        Action::Call { .. } | Action::On { .. } | Action::Raw { .. } | Action::App(_) => None,
    }
}
