//! Presence events, replayed, are the truth (PRES-1, PRES-3).

use std::collections::BTreeSet;

use gatecrash::protocol::Presence;

use super::contract::Property;
use super::decision::Decision;
use super::report::Report;
use super::scene::Scene;
use crate::check::reading::whose_sessions;
use crate::scenario::numbers;
use crate::scenario::rules::{RuleId, rule};
use crate::trace::{DeviceIndex, Event, Fact, List, UserIndex, What};

const ONE: RuleId = rule("PRES-1");
const GHOST: RuleId = rule("PRES-2");
const NUMBERED: RuleId = rule("PRES-3");

const LOST: RuleId = rule("DUR-1");

#[derive(Default)]
pub(super) struct PresenceReplays {
    /// Whose presence was told since the server started.
    told: BTreeSet<UserIndex>,
}

impl Property for PresenceReplays {
    sentence!(
        Always,
        "presence events are numbered without gaps and, replayed, are the truth",
        "PRES-1",
        "PRES-2",
        "PRES-3",
        "LOGOUT-5",
        "DUR-1"
    );
    watches!("decision", "server_started");

    fn observe(&mut self, _: &Scene<'_>, event: &Event, _: &mut Report) {
        if let What::ServerStarted { .. } = event.what {
            self.told.clear();
        }
    }

    fn decide(&mut self, scene: &Scene<'_>, decision: &Decision, report: &mut Report) {
        for (index, fact) in decision.facts.iter().enumerate() {
            if let Some(user) = whose_sessions(fact) {
                let is_first = !decision.facts[..index].iter().any(|earlier| whose_sessions(earlier) == Some(user));
                let is_event = |fact: &&Fact| matches!(**fact, Fact::PresenceChanged { user: of, .. } if of == user);
                let events = decision.facts.iter().filter(is_event).count();
                if is_first && events != 1 {
                    let text = format!(
                        "one change touched {}'s sessions and told their presence {events} times",
                        scene.user(user)
                    );
                    report.decision(ONE, decision, text);
                }
            }
            let Fact::PresenceChanged { user, sequence: number, kicked, .. } = *fact else { continue };
            let last = scene.server.now.user(user).map_or(0, |user| user.presence_number);
            let is_first = self.told.insert(user);
            if number != last + 1 {
                let mut text = format!("{}'s presence event {number} follows number {last}", scene.user(user));
                if is_first && number <= last {
                    text += ", which was there when the server started";
                    report.decision(LOST, decision, text);
                } else {
                    report.decision(NUMBERED, decision, text);
                }
            }
            let told: &[DeviceIndex] = match kicked.map(|list| scene.cast.list(list)) {
                Some(List::Devices(devices)) => devices,
                Some(List::Users(_) | List::Conversations(_) | List::Report(_)) | None => &[],
            };
            let is_kicked = |one: &Fact| match *one {
                Fact::SessionEnded { user: of, device, reason, .. }
                    if of == user && numbers::kick_for(reason).is_some() =>
                {
                    Some(device)
                }
                _ => None,
            };
            let kicked = || decision.facts.iter().filter_map(is_kicked);
            if kicked().count() != told.len() || !kicked().all(|device| told.contains(&device)) {
                let names = |devices: &mut dyn Iterator<Item = DeviceIndex>| {
                    devices.map(|device| scene.device(device).to_owned()).collect::<Vec<_>>().join(", ")
                };
                let (told, kicked) = (names(&mut told.iter().copied()), names(&mut kicked()));
                let text =
                    format!("{}'s presence event names [{told}] as kicked, which were [{kicked}]", scene.user(user));
                report.decision(NUMBERED, decision, text);
            }
        }
    }

    fn decided(&mut self, scene: &Scene<'_>, decision: &Decision, report: &mut Report) {
        for fact in &decision.facts {
            let Fact::PresenceChanged { user, presence, .. } = *fact else { continue };
            let sessions = scene.server.now.sessions(user);
            let push = scene.allowance.server.push_online.as_micros() as u64;
            let at = |wall: u64| {
                let is_pushable = |lost: u64| wall < lost.saturating_add(push);
                if sessions.iter().any(|session| session.lost.is_none()) {
                    Presence::Online
                } else if sessions
                    .iter()
                    .any(|session| numbers::is_mobile(session.platform) && session.lost.is_some_and(is_pushable))
                {
                    Presence::PushOnline
                } else {
                    Presence::Offline
                }
            };
            let lag = scene.allowance.lag.as_micros() as u64;
            let truth = at(decision.wall);
            if presence != truth && presence != at(decision.wall.saturating_sub(lag)) {
                let text = format!(
                    "{}'s presence event says {}, the sessions say {}",
                    scene.user(user),
                    presence.word(),
                    truth.word()
                );
                report.decision(GHOST, decision, text);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use gatecrash::store::EndReason::{Logout, SamePlatform};

    use super::super::story::*;
    use super::*;

    fn story() -> Story {
        Story::of(PresenceReplays::default()).commit(&[accepted(ALICE, PHONE, 1), presence(ALICE, 1, Presence::Online)])
    }

    /// PRES-2: nobody is shown offline because another device left.
    #[test]
    fn a_presence_that_is_not_true_is_seen() {
        let two = || story().commit(&[accepted(ALICE, DESK, 2), presence(ALICE, 2, Presence::Online)]);
        let leaves = |now| [ended(ALICE, DESK, 2, Logout, DESK), presence(ALICE, 3, now)];
        two().commit(&leaves(Presence::Online)).holds();
        two().commit(&leaves(Presence::Offline)).breaks("PRES-2");
        let link = |now| [lost(ALICE, PHONE, 1, 0), presence(ALICE, 2, now)];
        story().commit(&link(Presence::PushOnline)).holds();
        story().commit(&link(Presence::Online)).breaks("PRES-2");
    }

    /// PRES-1, PRES-3
    #[test]
    fn gaps_repetitions_and_wrong_names_are_seen() {
        story().commit(&[lost(ALICE, PHONE, 1, 0)]).breaks("PRES-1");
        story().commit(&[lost(ALICE, PHONE, 1, 0), presence(ALICE, 3, Presence::PushOnline)]).breaks("PRES-3");
        let kicks = [ended(ALICE, PHONE, 1, SamePlatform, PHONE2), accepted(ALICE, PHONE2, 2)];
        let named = story().phone_kicked(ALICE, 2, Presence::Online);
        story().commit(&[kicks[0], kicks[1], named]).holds();
        story().commit(&[kicks[0], kicks[1], presence(ALICE, 2, Presence::Online)]).breaks("PRES-3");
    }

    /// DUR-1: a number that was given before the server died is given again.
    #[test]
    fn a_number_that_a_start_took_back_is_seen() {
        let started = What::ServerStarted { commit: 1, wall: crate::trace::Micros::new(START * 1_000_000) };
        let goes = |number| [lost(ALICE, PHONE, 1, 0), presence(ALICE, number, Presence::PushOnline)];
        story().server(started).commit(&goes(2)).holds();
        story().server(started).commit(&goes(1)).breaks("DUR-1");
        story().server(started).commit(&goes(3)).breaks("PRES-3");
    }
}
