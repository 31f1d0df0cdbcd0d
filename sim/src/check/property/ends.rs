//! A session ends once, goes on unchanged until then, and a device holds one (KICK-4, CONN-4, SWITCH-5).

use super::contract::Property;
use super::decision::Decision;
use super::report::Report;
use super::scene::Scene;
use crate::scenario::rules::{RuleId, rule};
use crate::trace::{DeviceIndex, Event, Fact, UserIndex, What};

const ONCE: RuleId = rule("KICK-4");
const OTHER: RuleId = rule("KICK-2");
const KEEPS: RuleId = rule("CONN-4");
const LAST: RuleId = rule("SWITCH-5");
const RESTART: RuleId = rule("DUR-4");

#[derive(Default)]
pub(super) struct Ends {
    /// The server started and has decided nothing since.
    has_just_started: bool,
}

/// Whether the session is live when this fact of the decision is reached.
fn lives(scene: &Scene<'_>, earlier: &[Fact], user: UserIndex, device: DeviceIndex, epoch: u32) -> bool {
    let is_it = |of: UserIndex, on: DeviceIndex, number: u32| (of, on, number) == (user, device, epoch);
    earlier.iter().fold(scene.server.now.session(user, device, epoch).is_some(), |lives, fact| match *fact {
        Fact::SessionAccepted { user, device, epoch, .. } if is_it(user, device, epoch) => true,
        Fact::SessionEnded { user, device, epoch, .. } if is_it(user, device, epoch) => false,
        _ => lives,
    })
}

impl Property for Ends {
    sentence!(
        Always,
        "a session ends once, keeps its epoch until then, and is the only one of its device",
        "KICK-2",
        "KICK-4",
        "CONN-4",
        "CONN-7",
        "SWITCH-5",
        "LOGIN-5",
        "DUR-4"
    );
    watches!("decision", "server_started");

    fn observe(&mut self, _: &Scene<'_>, event: &Event, _: &mut Report) {
        if let What::ServerStarted { .. } = event.what {
            self.has_just_started = true;
        }
    }

    fn decide(&mut self, scene: &Scene<'_>, decision: &Decision, report: &mut Report) {
        if std::mem::take(&mut self.has_just_started) {
            for (user, session) in scene.server.now.connected() {
                let is_lost = |fact: &Fact| {
                    matches!(*fact, Fact::LinkLost { user: of, device, epoch, .. }
                        if (of, device, epoch) == (user, session.device, session.epoch))
                };
                if !decision.facts.iter().any(is_lost) {
                    let what = scene.session(session.device, user, session.epoch);
                    report.decision(RESTART, decision, format!("the server restarted, and {what} kept its connection"));
                }
            }
        }
        for (index, fact) in decision.facts.iter().enumerate() {
            let earlier = &decision.facts[..index];
            match *fact {
                Fact::SessionEnded { user, device, epoch, .. } if !lives(scene, earlier, user, device, epoch) => {
                    let what = scene.session(device, user, epoch);
                    let other = scene.server.now.sessions(user).iter().any(|session| session.device == device);
                    let (rule, why) = if other {
                        (OTHER, "the device's session of that user has another epoch")
                    } else {
                        (ONCE, "there is none")
                    };
                    report.decision(rule, decision, format!("{what} was ended, but {why}"));
                }
                Fact::SessionResumed { user, device, epoch, .. }
                | Fact::SessionRenewed { user, device, epoch, .. }
                | Fact::LinkLost { user, device, epoch, .. }
                    if !lives(scene, earlier, user, device, epoch) =>
                {
                    let what = scene.session(device, user, epoch);
                    report.decision(KEEPS, decision, format!("{} names {what}, which is not live", fact.word()));
                }
                _ => {}
            }
        }
    }

    fn decided(&mut self, scene: &Scene<'_>, decision: &Decision, report: &mut Report) {
        let records = &scene.server.now;
        if records.displaced > records.accepted {
            let text = format!("{} sessions were displaced by {} logins", records.displaced, records.accepted);
            report.decision(ONCE, decision, text);
        }
        for fact in &decision.facts {
            let Fact::SessionAccepted { user, device, installation, epoch, .. } = *fact else { continue };
            if device == DeviceIndex::STRANGER {
                continue;
            }
            for &(other, number) in records.holds(device) {
                let session = records.session(other, device, number);
                let is_same_id = session.is_some_and(|session| session.installation == installation);
                if (other, number) != (user, epoch) && is_same_id {
                    let (new, old) = (scene.session(device, user, epoch), scene.session(device, other, number));
                    report.decision(LAST, decision, format!("{new} was accepted, and {old} lives on"));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use gatecrash::store::EndReason::{OtherUser, SamePlatform};

    use super::super::story::*;
    use super::*;

    fn story() -> Story {
        Story::of(Ends::default()).commit(&[accepted(ALICE, PHONE, 1)])
    }

    /// KICK-2, KICK-4
    #[test]
    fn an_end_of_nothing_is_seen() {
        let end = |epoch| ended(ALICE, PHONE, epoch, SamePlatform, PHONE2);
        story().commit(&[end(1)]).holds();
        story().commit(&[end(1)]).commit(&[end(1)]).breaks("KICK-4");
        story().commit(&[end(2)]).breaks("KICK-2");
    }

    /// CONN-4
    #[test]
    fn a_resume_of_what_has_ended_is_seen() {
        story().commit(&[lost(ALICE, PHONE, 1, 0)]).commit(&[resumed(ALICE, PHONE, 1)]).holds();
        let over = story().commit(&[ended(ALICE, PHONE, 1, SamePlatform, PHONE2)]);
        over.commit(&[resumed(ALICE, PHONE, 1)]).breaks("CONN-4");
    }

    /// DUR-4
    #[test]
    fn a_connection_that_outlives_the_server_is_seen() {
        let again =
            || story().server(What::ServerStarted { commit: 0, wall: crate::trace::Micros::new(START * 1_000_000) });
        again().commit(&[lost(ALICE, PHONE, 1, 0)]).commit(&[resumed(ALICE, PHONE, 1)]).holds();
        again().commit(&[resumed(ALICE, PHONE, 1)]).breaks("DUR-4");
    }

    /// SWITCH-5
    #[test]
    fn two_accounts_on_one_device_are_seen() {
        let leaves = ended(ALICE, PHONE, 1, OtherUser, PHONE);
        story().commit(&[leaves, accepted(BOB, PHONE, 2)]).holds();
        story().commit(&[accepted(BOB, PHONE, 2)]).breaks("SWITCH-5");
    }
}
