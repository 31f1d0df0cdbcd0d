//! What a generated scenario calls itself, and the rules it names.

use super::author::Author;
use super::family::Family;
use super::{DAY, HOUR, MINUTE, SECOND, Seed};
use crate::scenario::rules::{RuleId, rule};

/// The most faults a title names.
const FAULTS_MAX: usize = 3;

/// What the scenario has, in a line: `seed 17: 5 devices, triple, 2 sites, partition, crash, 3 days`.
pub(super) fn of(seed: Seed, author: &Author) -> String {
    let setup = &author.setup;
    let soak = if setup.is_soak { " (soak)" } else { "" };
    let mut parts = vec![
        format!("seed {seed}{soak}: {}", count(setup.devices.len() as u64, "device")),
        setup.app.seats.policy().word().to_owned(),
        count(setup.sites.len() as u64, "site"),
    ];
    let faults = Family::ALL.iter().filter(|family| family.is_fault() && setup.families.has(**family));
    parts.extend(faults.take(FAULTS_MAX).map(|family| family.word().to_owned()));
    parts.push(length(setup.span));
    parts.join(", ")
}

fn length(span: u64) -> String {
    let units = [(DAY, "day"), (HOUR, "hour"), (MINUTE, "minute"), (SECOND, "second")];
    let (unit, word) = units.into_iter().find(|(unit, _)| span >= *unit).unwrap_or((SECOND, "second"));
    count(span / unit, word)
}

fn count(number: u64, word: &str) -> String {
    format!("{number} {word}{}", if number == 1 { "" } else { "s" })
}

/// Those it has to do with whatever it draws, and those of its families.
pub(super) fn rules(author: &Author) -> Vec<RuleId> {
    const ALWAYS: [RuleId; 3] = [rule("LOGIN-3"), rule("POLICY-3"), rule("PRES-3")];
    const OF_FAMILIES: [(Family, RuleId); 12] = [
        (Family::Partition, rule("CONN-5")),
        (Family::Hold, rule("CONN-7")),
        (Family::Reset, rule("CONN-4")),
        (Family::Crash, rule("DUR-1")),
        (Family::PowerLoss, rule("DUR-2")),
        (Family::DiskError, rule("DUR-5")),
        (Family::Suspend, rule("CONN-10")),
        (Family::DeviceDisk, rule("ATT-5")),
        (Family::Switch, rule("SWITCH-3")),
        (Family::Renewal, rule("LOGIN-5")),
        (Family::AdminKick, rule("ADMIN-1")),
        (Family::BadTicket, rule("TICKET-3")),
    ];
    let theirs = OF_FAMILIES.into_iter().filter(|(family, _)| author.has(*family)).map(|(_, rule)| rule);
    ALWAYS.into_iter().chain(theirs).collect()
}
