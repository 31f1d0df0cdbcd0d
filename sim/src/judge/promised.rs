//! What the first line of a history promises of seats, as the checker of `seats` has it.

use std::collections::BTreeSet;

use gatecrash::policy::Platform as Ours;

use crate::history::{Cast, Comes, Head, Plan, Promise, Victim, Wins};
use crate::seats;

/// Gives the platforms of a policy the first numbers, so that they are its places.
pub(super) fn number_platforms(head: &Head, cast: &mut Cast) {
    match &head.promise.plan {
        Plan::Policy { .. } => {
            for platform in Ours::ALL {
                cast.platforms.number(platform.word());
            }
        }
        Plan::Groups { groups, .. } => {
            for platform in groups.keys() {
                cast.platforms.number(platform);
            }
        }
        Plan::OneName | Plan::OneNameAndResource => {}
    }
}

/// What the checker of seats has to know of a system that promises this.
pub(super) fn profile(promise: &Promise) -> seats::Profile {
    let names: Vec<&str> = match &promise.plan {
        Plan::Policy { .. } => Ours::ALL.iter().map(|platform| platform.word()).collect(),
        Plan::Groups { groups, .. } => groups.keys().map(String::as_str).collect(),
        Plan::OneName | Plan::OneNameAndResource => Vec::new(),
    };
    let groups: BTreeSet<&str> = names.iter().filter_map(|name| promise.plan.group(name)).collect();
    let place = |name: &str| {
        let group = promise.plan.group(name).unwrap_or_default();
        let group = groups.iter().position(|known| *known == group).unwrap_or_default() as u16;
        (group, u16::try_from(promise.plan.max(name)).unwrap_or(u16::MAX))
    };
    seats::Profile {
        wins: match promise.wins {
            Wins::Newest => seats::Wins::NewestWins,
            Wins::Refused => seats::Wins::NewcomerRefused,
        },
        seats: match promise.plan {
            Plan::OneName => seats::SeatPlan::OneName,
            Plan::OneNameAndResource => seats::SeatPlan::OneNameAndResource,
            Plan::Policy { .. } | Plan::Groups { .. } => {
                seats::SeatPlan::Groups(names.iter().map(|name| place(name)).collect())
            }
        },
        comes_back: match promise.comes {
            Comes::Resume => seats::ComesBack::Resume,
            Comes::Login => seats::ComesBack::Login,
        },
        victim: match promise.victim {
            Victim::Reason => seats::Victim::ToldWithReason,
            Victim::Told => seats::Victim::Told,
            Victim::Closed => seats::Victim::Closed,
            Victim::Silent => seats::Victim::Silent,
        },
    }
}
