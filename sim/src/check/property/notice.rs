//! A displacement while away is told by the next login, once, where that is switched on (KICK-7).

use gatecrash::code::Code;

use super::contract::Property;
use super::decision::Decision;
use super::report::Report;
use super::scene::Scene;
use super::server::Ended;
use crate::scenario::numbers;
use crate::scenario::rules::{RuleId, rule};
use crate::trace::{DeviceIndex, Event, Fact, Refusal, ServerFrame, UserIndex, What};

const NOTICE: RuleId = rule("KICK-7");

/// For so many changes, at least, a notice may wait for the disk.
const REMEMBERED: u32 = 10_000;

#[derive(Default)]
pub(super) struct Notices {
    settled: Vec<Settled>,
}

/// A change after which a device counts as told of its session's end.
struct Settled {
    device: DeviceIndex,
    user: UserIndex,
    commit: u32,
    /// Why a notice of that end would be wrong.
    but: Option<&'static str>,
}

/// How the last session of that user on the device ended, as far as the server remembers.
fn remembered<'s>(scene: &'s Scene<'_>, device: DeviceIndex, installation: u16, user: UserIndex) -> Option<&'s Ended> {
    scene.server.now.device(device)?.remembered(installation).filter(|ended| ended.user == user)
}

fn was_acknowledged(ended: &Ended) -> bool {
    ended.session.is_some_and(|session| session.acknowledged)
}

impl Notices {
    /// What is settled is judged by what was true until then: the notice itself leaves later, when the
    /// change is on disk, and by then its device may have asked for something else.
    fn settle(&mut self, scene: &Scene<'_>, decision: &Decision) {
        for fact in &decision.facts {
            let Fact::KickSettled { user, device, epoch } = *fact else { continue };
            let but = match scene.server.now.ended(device, user, epoch) {
                None => Some("that session did not end"),
                Some(ended) if !numbers::is_displacement(ended.reason) => Some("its session was not displaced"),
                Some(ended) if !ended.owed => Some("it had been told before"),
                Some(ended) if !was_acknowledged(ended) => Some("the device never knew that it had the session"),
                Some(_) => None,
            };
            self.settled.retain(|settled| settled.device != device || settled.commit + REMEMBERED > decision.commit);
            self.settled.push(Settled { device, user, commit: decision.commit, but });
        }
    }
}

impl Property for Notices {
    sentence!(
        Always,
        "a displacement a device has not learnt of is told by its next login, once, where that is switched on",
        "KICK-7"
    );
    watches!("decision", "server_sent");
    frames!("login_refused");

    fn observe(&mut self, scene: &Scene<'_>, event: &Event, report: &mut Report) {
        let What::ServerSent { connection, peer: Some(peer), frame, reveals } = event.what else { return };
        let refused = Refusal::Code(Code::KickedWhileAway);
        let is_notice = matches!(frame, ServerFrame::LoginRefused { refused: said, .. } if said == refused);
        if !is_notice || peer == DeviceIndex::STRANGER {
            return;
        }
        let Some(user) = scene.server.asker(connection) else { return };
        let its = |one: &&Settled| (one.device, one.user, one.commit) == (peer, user, reveals);
        let why = match self.settled.iter().rev().find(its) {
            None => "none of its sessions' ends is settled by that",
            Some(Settled { but: Some(why), .. }) => why,
            Some(_) => return,
        };
        let (name, user) = (scene.device(peer), scene.user(user));
        report.event(NOTICE, event, format!("{user}'s login on {name} is told of a displacement, and {why}"));
    }

    fn decide(&mut self, scene: &Scene<'_>, decision: &Decision, report: &mut Report) {
        self.settle(scene, decision);
        let just_changed = decision.at - scene.server.configured_at <= scene.allowance.lag;
        if !scene.server.notify_offline_kick || just_changed {
            return;
        }
        for fact in &decision.facts {
            let Fact::SessionAccepted { user, device, installation, attempt, .. } = *fact else { continue };
            if device == DeviceIndex::STRANGER || scene.server.is_resume(device, installation, attempt) {
                continue;
            }
            let Some(ended) = remembered(scene, device, installation, user) else { continue };
            let is_settled = decision.facts.iter().any(|fact| {
                matches!(*fact, Fact::KickSettled { user: of, device: on, epoch }
                    if (of, on, epoch) == (user, device, ended.epoch))
            });
            if ended.owed && numbers::is_displacement(ended.reason) && was_acknowledged(ended) && !is_settled {
                let what = scene.session(device, user, ended.epoch);
                report.decision(
                    NOTICE,
                    decision,
                    format!("a login succeeds, and was to be told that {what} was displaced"),
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use gatecrash::policy::Seats;
    use gatecrash::store::EndReason;

    use super::super::story::*;
    use super::*;

    fn acknowledged(epoch: u32) -> Fact {
        Fact::LoginAcknowledged { user: ALICE.into(), device: PHONE.into(), epoch }
    }

    /// The phone's session was displaced, and nobody told it; it asks again.
    fn displaced(facts: &[Fact]) -> Story {
        let seats = Seats::default();
        let configured =
            What::Configured { seats, reconnect_kicks: false, notify_offline_kick: true, administrators: None };
        let story = Story::of(Notices::default()).server(configured).hears(PHONE, 0, hello());
        let story = story.at(5).commit(&[accepted(ALICE, PHONE, 1)]).commit(facts);
        story.commit(&[ended(ALICE, PHONE, 1, EndReason::SamePlatform, PHONE2), accepted(ALICE, PHONE2, 2)])
    }

    fn settled() -> Fact {
        Fact::KickSettled { user: ALICE.into(), device: PHONE.into(), epoch: 1 }
    }

    /// KICK-7
    #[test]
    fn a_login_that_is_not_told_is_seen() {
        displaced(&[acknowledged(1)]).commit(&[accepted(ALICE, PHONE, 3)]).breaks("KICK-7");
        displaced(&[]).commit(&[accepted(ALICE, PHONE, 3)]).holds();
        displaced(&[acknowledged(1)]).commit(&[settled(), accepted(ALICE, PHONE, 3)]).holds();
        displaced(&[acknowledged(1)]).commit(&[settled()]).commit(&[accepted(ALICE, PHONE, 3)]).holds();
        displaced(&[acknowledged(1)]).commit(&[accepted(BOB, PHONE, 3)]).holds();
    }

    /// KICK-7
    #[test]
    fn a_notice_without_a_reason_is_seen() {
        let asks = |story: Story| {
            let login = login_frame(9, 3, TICKET);
            let refused = Refusal::Code(Code::KickedWhileAway);
            let story = story.hears(PHONE, 0, login).commit(&[settled()]);
            story.sends(PHONE, 0, ServerFrame::LoginRefused { call: 9, refused })
        };
        asks(displaced(&[acknowledged(1)])).holds();
        asks(displaced(&[])).breaks("KICK-7");
        asks(displaced(&[acknowledged(1)]).commit(&[settled()])).breaks("KICK-7");
        asks(Story::of(Notices::default()).hears(PHONE, 0, hello()).commit(&[accepted(ALICE, PHONE, 1)]))
            .breaks("KICK-7");
    }

    /// KICK-3, KICK-7: whatever a copy of the phone has done since, under an id of its own.
    #[test]
    fn what_a_device_is_owed_outlasts_the_sessions_of_its_copy() {
        let of_copy = |epoch| match accepted(BOB, PHONE, epoch) {
            Fact::SessionAccepted { user, device, platform, epoch, attempt, ticket, until, .. } => {
                Fact::SessionAccepted { user, device, installation: 2, platform, epoch, attempt, ticket, until }
            }
            fact => fact,
        };
        let story = (10..40).fold(displaced(&[acknowledged(1)]), |story, epoch| {
            story.commit(&[of_copy(epoch), ended(BOB, PHONE, epoch, EndReason::Expired, PHONE2)])
        });
        let refused = ServerFrame::LoginRefused { call: 9, refused: Refusal::Code(Code::KickedWhileAway) };
        story.hears(PHONE, 0, login_frame(9, 3, TICKET)).commit(&[settled()]).sends(PHONE, 0, refused).holds();
    }
}
