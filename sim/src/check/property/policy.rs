//! Who is displaced, and that nobody else is (POLICY-3, POLICY-4, POLICY-5).
//!
//! A naive model of the policy: it sorts and counts, and shares no code with the server.

use gatecrash::policy::{Platform, Policy as PolicyName, Seats};
use gatecrash::store::EndReason;

use super::contract::Property;
use super::decision::Decision;
use super::report::Report;
use super::scene::Scene;
use super::server::Session;
use crate::scenario::numbers;
use crate::scenario::rules::{RuleId, rule};
use crate::trace::{DeviceIndex, Fact, UserIndex};

const WHO: RuleId = rule("POLICY-3");
const EXACTLY: RuleId = rule("POLICY-4");
const CHANGE: RuleId = rule("POLICY-5");

#[derive(Default)]
pub(super) struct Policy {
    rivals: Vec<(bool, u32)>,
}

struct Newcomer {
    device: DeviceIndex,
    installation: u16,
    platform: Platform,
}

impl Policy {
    /// Whether what the decision ended is what these seats at this time of the wall clock demand;
    /// if not, the first session treated otherwise, and how it should have been.
    fn mistake<'s>(
        &mut self,
        sessions: &'s [Session],
        newcomer: &Newcomer,
        seats: &Seats,
        is_dormant: impl Fn(&Session) -> bool,
        ended: impl Fn(&Session) -> Option<EndReason>,
    ) -> Option<(&'s Session, Option<EndReason>)> {
        let is_own = |one: &Session| one.device == newcomer.device && one.installation == newcomer.installation;
        self.rivals.clear();
        let rivals = sessions.iter().filter(|one| !is_own(one) && one.platform == newcomer.platform);
        self.rivals.extend(rivals.map(|one| (!is_dormant(one), one.epoch)));
        self.rivals.sort_unstable();
        let excess = (self.rivals.len() + 1).saturating_sub(seats.instances_max(newcomer.platform));
        let wanted = |one: &Session| {
            if is_own(one) {
                return Some(EndReason::Replaced);
            }
            if one.platform != newcomer.platform {
                return shares_a_place(seats.policy(), one.platform, newcomer.platform)
                    .then_some(EndReason::OtherPlatform);
            }
            let gone = &self.rivals[..excess.min(self.rivals.len())];
            gone.iter().any(|(_, epoch)| *epoch == one.epoch).then_some(EndReason::SamePlatform)
        };
        sessions.iter().find(|one| ended(one) != wanted(one)).map(|one| (one, wanted(one)))
    }
}

/// POLICY-1, written out once more.
fn shares_a_place(policy: PolicyName, one: Platform, other: Platform) -> bool {
    let is_web = |platform| platform == Platform::Web;
    match policy {
        PolicyName::Single => true,
        PolicyName::Dual => is_web(one) == is_web(other),
        PolicyName::Triple => {
            is_web(one) == is_web(other) && (is_web(one) || numbers::is_mobile(one) == numbers::is_mobile(other))
        }
        PolicyName::Multi => one == other,
    }
}

fn ended_here(decision: &Decision, user: UserIndex, session: &Session) -> Option<EndReason> {
    decision.facts.iter().find_map(|fact| match *fact {
        Fact::SessionEnded { user: of, device, epoch, reason, .. }
            if of == user && device == session.device && epoch == session.epoch =>
        {
            Some(reason)
        }
        _ => None,
    })
}

impl Property for Policy {
    sentence!(
        Always,
        "after every login exactly the set of sessions is left that the policy allows",
        "POLICY-1",
        "POLICY-3",
        "POLICY-4",
        "POLICY-5",
        "LOGIN-10",
        "CONN-6"
    );
    watches!("decision");

    fn decide(&mut self, scene: &Scene<'_>, decision: &Decision, report: &mut Report) {
        for fact in &decision.facts {
            let Fact::SessionEnded { user, device, epoch, reason, by, .. } = *fact else { continue };
            if !numbers::is_displacement(reason) {
                continue;
            }
            let newcomer = decision.facts.iter().find_map(|fact| match *fact {
                Fact::SessionAccepted { user: of, device, .. } if of == user => Some(device),
                _ => None,
            });
            if newcomer.is_none() {
                let what = scene.session(device, user, epoch);
                report.decision(CHANGE, decision, format!("{what} was displaced, but nobody logged in"));
            } else if by != newcomer {
                let what = scene.session(device, user, epoch);
                report.decision(WHO, decision, format!("{what} was not displaced in the name of the newcomer"));
            }
        }
        for fact in &decision.facts {
            let Fact::SessionAccepted { user, device, installation, platform, epoch, .. } = *fact else { continue };
            let Some(seats) = scene.server.seats else { continue };
            let sessions = scene.server.now.sessions(user);
            let newcomer = Newcomer { device, installation, platform };
            let ended = |session: &Session| ended_here(decision, user, session);
            let dormant = numbers::dormant_of(&scene.allowance.server, platform).as_micros() as u64;
            let at = |wall: u64| move |one: &Session| one.lost.is_some_and(|lost| wall >= lost.saturating_add(dormant));
            let Some((session, wanted)) = self.mistake(sessions, &newcomer, &seats, at(decision.wall), ended) else {
                continue;
            };
            // A change of the policy may be seen before the decision that did not know of it yet.
            let just_changed = decision.at - scene.server.configured_at <= scene.allowance.lag;
            let before = scene.server.seats_before.filter(|_| just_changed).unwrap_or(seats);
            if self.mistake(sessions, &newcomer, &before, at(decision.wall), ended).is_none() {
                continue;
            }
            let wanted = wanted.map_or("stay".to_owned(), |reason| format!("end ({})", reason.word()));
            let done = ended(session).map_or("stayed".to_owned(), |reason| format!("ended ({})", reason.word()));
            let who = scene.session(session.device, user, session.epoch);
            let by = scene.session(device, user, epoch);
            report.decision(WHO, decision, format!("when {by} was accepted, {who} had to {wanted}, but {done}"));
        }
    }

    fn decided(&mut self, scene: &Scene<'_>, decision: &Decision, report: &mut Report) {
        for fact in &decision.facts {
            let Fact::SessionAccepted { user, device, platform, epoch, .. } = *fact else { continue };
            let Some(seats) = scene.server.seats else { continue };
            let sessions = scene.server.now.sessions(user);
            if !sessions.iter().any(|one| one.device == device && one.epoch == epoch) {
                let who = scene.session(device, user, epoch);
                report.decision(EXACTLY, decision, format!("{who} was accepted and is not there"));
            }
            let count = sessions.iter().filter(|one| one.platform == platform).count();
            let limit = seats.instances_max(platform);
            let just_changed = decision.at - scene.server.configured_at <= scene.allowance.lag;
            if count > limit && !just_changed {
                let user = scene.user(user);
                report.decision(EXACTLY, decision, format!("{user} has {count} sessions on {platform}, not {limit}"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use gatecrash::store::EndReason::{OtherPlatform, SamePlatform};

    use super::super::story::*;
    use super::*;

    fn story() -> Story {
        Story::of(Policy::default())
    }

    /// POLICY-3: the oldest goes, not the newest.
    #[test]
    fn the_wrong_victim_is_seen() {
        let start = || story().multi(2).commit(&[accepted(ALICE, PHONE, 1)]).commit(&[accepted(ALICE, PHONE2, 2)]);
        let newcomer = accepted(ALICE, PHONE3, 3);
        start().commit(&[ended(ALICE, PHONE, 1, SamePlatform, PHONE3), newcomer]).holds();
        start().commit(&[ended(ALICE, PHONE2, 2, SamePlatform, PHONE3), newcomer]).breaks("POLICY-3");
        start().commit(&[newcomer]).breaks("POLICY-3");
    }

    /// POLICY-3, CONN-6: a dormant session goes before an older one that is not.
    #[test]
    fn dormancy_counts_to_the_second() {
        let start = |seconds| {
            let sessions = [accepted(ALICE, PHONE, 1), accepted(ALICE, PHONE2, 2)];
            let story = story().multi(2).commit(&sessions[..1]).commit(&sessions[1..]);
            story.at(1).commit(&[lost(ALICE, PHONE2, 2, 1)]).at(seconds)
        };
        let newcomer = accepted(ALICE, PHONE3, 3);
        start(401).commit(&[ended(ALICE, PHONE2, 2, SamePlatform, PHONE3), newcomer]).holds();
        start(401).commit(&[ended(ALICE, PHONE, 1, SamePlatform, PHONE3), newcomer]).breaks("POLICY-3");
        start(400).commit(&[ended(ALICE, PHONE2, 2, SamePlatform, PHONE3), newcomer]).breaks("POLICY-3");
    }

    /// POLICY-4: whatever was decided, no more are left than may be, and the newcomer is.
    #[test]
    fn more_sessions_than_the_limit_are_seen() {
        let start = || story().multi(2).commit(&[accepted(ALICE, PHONE, 1)]);
        start().at(9).commit(&[accepted(ALICE, PHONE2, 2)]).holds();
        let gone = [accepted(ALICE, PHONE2, 2), ended(ALICE, PHONE2, 2, SamePlatform, PHONE2)];
        start().at(9).commit(&gone).breaks("POLICY-4");
    }

    /// POLICY-5: a change of policy ends nothing by itself.
    #[test]
    fn a_displacement_without_a_login_is_seen() {
        let start = || story().commit(&[accepted(ALICE, PHONE, 1)]);
        start().commit(&[ended(ALICE, PHONE, 1, OtherPlatform, DESK)]).breaks("POLICY-5");
        start().commit(&[ended(ALICE, PHONE, 1, OtherPlatform, DESK), accepted(ALICE, DESK, 2)]).holds();
    }
}
