//! What a decision should be beside what it was.

use super::difference::Difference;
use super::words::fact_in_words;
use crate::scenario::rules::{RuleId, rule};
use crate::trace::{Cast, DeviceIndex, Fact, List};

/// A fact that has to be decided, and the rule that demands it.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) rule: RuleId,
    /// Of a presence event without the devices kicked.
    pub(super) fact: Fact,
    pub(super) kicked: Vec<DeviceIndex>,
}

impl Wanted {
    fn is(&self, cast: &Cast, fact: &Fact) -> bool {
        let &Fact::PresenceChanged { user, sequence, presence, kicked } = fact else { return self.fact == *fact };
        let said: &[DeviceIndex] = match kicked.map(|list| cast.list(list)) {
            Some(List::Devices(devices)) => devices,
            Some(List::Users(_) | List::Conversations(_) | List::Report(_)) | None => &[],
        };
        self.fact == Fact::PresenceChanged { user, sequence, presence, kicked: None }
            && said.len() == self.kicked.len()
            && said.iter().all(|device| self.kicked.contains(device))
    }
}

/// The first difference, in whichever order the facts were decided.
pub(super) fn difference(cast: &Cast, wanted: &[Wanted], facts: &[Fact]) -> Option<Difference> {
    let mut left: Vec<&Fact> = facts.iter().collect();
    let mut missing = None;
    for one in wanted {
        match left.iter().position(|fact| one.is(cast, fact)) {
            Some(place) => drop(left.remove(place)),
            None => missing = missing.or(Some(one)),
        }
    }
    let list = |devices: &[DeviceIndex]| match devices {
        [] => String::new(),
        _ => {
            let names: Vec<&str> = devices.iter().map(|&device| cast.device_name(device)).collect();
            format!(" kicked={}", names.join(","))
        }
    };
    let in_words = |one: &Wanted| fact_in_words(cast, &one.fact) + &list(&one.kicked);
    let Some(one) = missing else {
        let fact = left.first()?;
        let text = format!("the server decided {}, which nothing led to", fact_in_words(cast, fact));
        return Difference::of(rule_of(fact), text);
    };
    match left.iter().find(|fact| fact.index() == one.fact.index()) {
        Some(fact) => {
            Difference::of(one.rule, format!("the server decided {}, not {}", fact_in_words(cast, fact), in_words(one)))
        }
        None => Difference::lacks(one.rule, one.fact.word(), format!("the server did not decide {}", in_words(one))),
    }
}

/// What a fact that nothing led to breaks.
fn rule_of(fact: &Fact) -> RuleId {
    match fact {
        Fact::AccountCreated { .. } => const { rule("LOGIN-1") },
        Fact::AttemptRaised { .. } => const { rule("ATT-1") },
        Fact::SessionAccepted { .. } => const { rule("INPUT-3") },
        Fact::SessionResumed { .. } => const { rule("CONN-4") },
        Fact::SessionRenewed { .. } => const { rule("LOGIN-5") },
        Fact::LoginAcknowledged { .. } => const { rule("KICK-7") },
        Fact::LinkLost { .. } => const { rule("CONN-7") },
        Fact::SessionEnded { .. } => const { rule("POLICY-3") },
        Fact::KickSettled { .. } | Fact::EndForgotten { .. } => const { rule("KICK-3") },
        Fact::DeviceForgotten { .. } => const { rule("ATT-6") },
        Fact::TicketsVoided { .. } | Fact::TicketVoided { .. } => const { rule("ADMIN-1") },
        Fact::DayCounted { .. } => const { rule("DAU-1") },
        Fact::PresenceChanged { .. } => const { rule("PRES-1") },
        Fact::MessageStored { .. } => const { rule("API-2") },
        Fact::SentForgotten { .. } => const { rule("API-6") },
        Fact::MessageOwed { .. } | Fact::MessagesReceived { .. } | Fact::MessagesDropped { .. } => {
            const { rule("API-7") }
        }
    }
}
