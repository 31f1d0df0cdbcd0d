//! Seeds for an SDK and a server that are not ours: in words that they know, and with no trouble that they cannot have.
//!
//! They are the dense profile's: seconds long, in a world that breaks all the time. What it draws for our timers, disks and
//! tickets is left out. Another seed than the one of the same number in a profile, and of no profile.

use std::collections::BTreeMap;

use gatecrash::policy::Seats;

use super::author::Author;
use super::family::Family;
use super::setup::Setup;
use super::{Profile, Seed, dense, micros, plan, title};
use crate::generate::draw::Draw;
use crate::scenario::{App, Init, LimitOverrides, Scenario, Site, Vocabulary};

/// What can befall a system whatever it knows.
const FAULTS: [Family; 12] = [
    Family::Partition,
    Family::OneWay,
    Family::Hold,
    Family::Latency,
    Family::Reset,
    Family::Crash,
    Family::Bounce,
    Family::Standstill,
    Family::Kill,
    Family::Suspend,
    Family::Portal,
    Family::Move,
];

/// What every application does.
const ACTIONS: [Family; 6] =
    [Family::Switch, Family::Renewal, Family::Logout, Family::Send, Family::NetworkChanged, Family::Listener];

/// The scenario of a seed for a system with these words and seats. The same seed gives the same scenario, in every build.
///
/// ```
/// use gatecrash_sim::generate::foreign;
/// use gatecrash_sim::scenario::Vocabulary;
///
/// let knows = Vocabulary::default();
/// let scenario = foreign(17, knows, Default::default());
/// assert_eq!(knows.refusals(&scenario), Vec::<String>::new());
/// assert_eq!(scenario, foreign(17, knows, Default::default()));
/// ```
pub fn foreign(number: u64, knows: Vocabulary, seats: Seats) -> Scenario {
    altered(number, knows, seats, |_| {})
}

/// The same, with something else about what is decided before the first step.
pub(super) fn altered(number: u64, knows: Vocabulary, seats: Seats, alter: impl FnOnce(&mut Setup)) -> Scenario {
    let seed = Seed { profile: Profile::Dense, number };
    let mut setup = Setup::draw(seed, false);
    let draw = &mut Draw::new(number, "generate", "foreign");
    for family in Family::ALL {
        setup.families.set(*family, 0);
    }
    for family in FAULTS {
        let (exists, rate) = (draw.chance(2, 5), draw.log_between(1, 12));
        setup.families.set(family, if exists { rate } else { 0 });
    }
    for family in ACTIONS {
        let (exists, rate) = (draw.chance(3, 5), draw.log_between(1, 12));
        setup.families.set(family, if exists { rate } else { 0 });
    }
    let known = [
        (knows.conversations, Family::Conversations),
        (knows.tickets, Family::BadTicket),
        (knows.files, Family::Wipe),
        (knows.files, Family::Clone),
    ];
    for (_, family) in known.into_iter().filter(|(is_known, _)| *is_known) {
        let rate = draw.log_between(1, 12);
        setup.families.set(family, rate);
    }
    let plain = App::default();
    let ticket_ttl = if knows.tickets { setup.app.ticket_ttl } else { plain.ticket_ttl };
    setup.app = App { seats, ticket_ttl, start: setup.app.start, ..plain };
    setup.limits = LimitOverrides::default();
    setup.devices.iter_mut().for_each(|(_, device)| device.init = Init::Auto);
    // In every other seed the way there is nothing special, so that a bug that needs none is found with none.
    if draw.chance(1, 2) {
        let plain = |site: &mut Site| *site = Site { latency: site.latency, ..Site::default() };
        setup.sites.iter_mut().for_each(|(_, site)| plain(site));
    }
    setup.vocabulary = Some(knows);
    alter(&mut setup);
    let mut author = Author::new(number, setup);
    plan::write(&mut author);
    let title = title::of(seed, &author).replacen("dense:", "", 1);
    let rules = title::rules(&author);
    let Author { setup, steps, tickets, .. } = author;
    Scenario {
        title,
        rules,
        seed: number,
        tick: dense::tick(setup.span),
        verdict_only: None,
        converge: None,
        app: setup.app,
        limits: setup.limits,
        sites: setup.sites.into_iter().collect(),
        devices: setup.devices.into_iter().collect(),
        tickets: if knows.tickets { tickets } else { BTreeMap::new() },
        until: micros(setup.span),
        steps,
        expectations: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_says_nothing_that_the_system_does_not_know_and_can_be_written_down() {
        for number in 0..200 {
            let knows = Vocabulary { conversations: number % 2 == 0, tickets: number % 3 == 0, files: number % 5 == 0 };
            let scenario = foreign(number, knows, Seats::default());
            assert_eq!(knows.refusals(&scenario), Vec::<String>::new(), "seed {number}");
            assert!(scenario.reads_back(), "seed {number}");
        }
    }

    #[test]
    fn seeds_log_in_send_and_break_things() {
        let text: String =
            (0..50).map(|number| foreign(number, Vocabulary::default(), Seats::default()).to_string()).collect();
        for word in ["login", "logout", "send", "partition", "bounce server", "kill", "suspend", "reset", "move"] {
            assert!(text.contains(word), "no seed says `{word}`");
        }
    }
}
