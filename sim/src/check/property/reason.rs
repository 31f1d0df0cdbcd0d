//! How a session ended is told as it was recorded (KICK-9, CONN-4, KICK-3).

use gatecrash::protocol::KickReason;

use super::contract::Property;
use super::report::Report;
use super::scene::Scene;
use super::server::Ended;
use crate::check::grown::grown;
use crate::scenario::numbers;
use crate::scenario::rules::{RuleId, rule};
use crate::trace::{ClientFrame, DeviceIndex, Event, Kick, ServerFrame, UserIndex, What};

const REASON: RuleId = rule("KICK-9");
const REMEMBERED: RuleId = rule("KICK-3");
const LIVES: RuleId = rule("CONN-4");

#[derive(Default)]
pub(super) struct Reasons {
    /// Of each connection, the session that a resume asked for last, if it had been kicked by then.
    asked: Vec<Option<(UserIndex, u32)>>,
}

impl Reasons {
    fn asked(&mut self, connection: u32) -> &mut Option<(UserIndex, u32)> {
        let index = connection as usize;
        grown(&mut self.asked, index)
    }
}

fn told(
    scene: &Scene<'_>,
    event: &Event,
    (connection, decided): (u32, u32),
    peer: DeviceIndex,
    kick: Kick,
    report: &mut Report,
) {
    let Kick { user, epoch, reason, .. } = kick;
    let records = &scene.server.now;
    let installation = scene.server.installation(connection);
    let what = || scene.session(peer, user, epoch);
    if records.session(user, peer, epoch).is_some_and(|session| session.installation == installation) {
        return report.event(
            LIVES,
            event,
            format!("{} is told that it is over ({}), and lives", what(), reason.word()),
        );
    }
    if reason == KickReason::Gone {
        if let Some(heir) = scene.server.let_back_as(peer, user, epoch, decided)
            && heir.installation == installation
        {
            let text = format!("{} is told that it is unknown, and had come back as epoch {}", what(), heir.epoch);
            return report.event(LIVES, event, text);
        }
        let remembered = records.device(peer).and_then(|device| device.remembered(installation));
        if let Some(ended) = remembered.filter(|ended| (ended.user, ended.epoch) == (user, epoch)) {
            let recorded = ended.reason.word();
            report.event(REMEMBERED, event, format!("{} is told that it is unknown, and ended ({recorded})", what()));
        }
    } else if let Some(ended) = scene.server.end_of(peer, user, epoch, decided)
        && numbers::kick_for(ended.reason) != Some(reason)
    {
        let (told, recorded) = (reason.word(), ended.reason.word());
        report.event(REASON, event, format!("{} is told to have ended as {told}, and ended as {recorded}", what()));
    }
}

impl Property for Reasons {
    sentence!(
        Always,
        "a session's end is told with the reason recorded first, and of no session that lives",
        "KICK-9",
        "KICK-3",
        "CONN-4"
    );
    watches!("server_received", "server_sent", "opened");
    frames!("resume", "resumed", "resume_expired", "resume_refused", "kick", "resume_kicked");

    fn observe(&mut self, scene: &Scene<'_>, event: &Event, report: &mut Report) {
        match event.what {
            What::Opened { connection } => *self.asked(connection) = None,
            What::ServerReceived { connection, peer: Some(peer), frame: ClientFrame::Resume { user, epoch, .. } }
                if peer != DeviceIndex::STRANGER =>
            {
                let records = &scene.server.now;
                let installation = scene.server.installation(connection);
                let ended = records.device(peer).and_then(|device| device.remembered(installation));
                let is_kicked = |ended: &&Ended| {
                    (ended.user, ended.epoch) == (user, epoch) && numbers::kick_for(ended.reason).is_some()
                };
                *self.asked(connection) = ended.filter(is_kicked).map(|_| (user, epoch));
            }
            _ => {}
        }
        let What::ServerSent { connection, peer: Some(peer), reveals, frame } = event.what else { return };
        if peer == DeviceIndex::STRANGER {
            return;
        }
        if let ServerFrame::Resumed { .. } | ServerFrame::ResumeExpired { .. } | ServerFrame::ResumeRefused { .. } =
            frame
            && let Some((user, epoch)) = self.asked(connection).take()
        {
            let what = scene.session(peer, user, epoch);
            report.event(LIVES, event, format!("{what} was kicked, and its device hears {}", frame.word()));
        }
        if let ServerFrame::Kick { kick } | ServerFrame::ResumeKicked { kick, .. } = frame {
            told(scene, event, (connection, reveals), peer, kick, report);
        }
    }
}

#[cfg(test)]
mod tests {
    use gatecrash::store::EndReason;

    use super::super::story::*;
    use super::*;
    use crate::trace::Fact;

    fn story() -> Story {
        let story = Story::of(Reasons::default()).hears(PHONE, 0, hello());
        story.commit(&[accepted(ALICE, PHONE, 1)])
    }

    fn told(story: Story, reason: KickReason) -> Story {
        story.sends(PHONE, 0, ServerFrame::Kick { kick: Kick { reason, ..kick(ALICE, 1) } })
    }

    /// KICK-9
    #[test]
    fn another_reason_than_the_recorded_one_is_seen() {
        let over = |reason| story().commit(&[ended(ALICE, PHONE, 1, reason, PHONE2)]);
        told(over(EndReason::SamePlatform), KickReason::SamePlatform).holds();
        told(over(EndReason::SamePlatform), KickReason::OtherPlatform).breaks("KICK-9");
        told(over(EndReason::Expired), KickReason::Administrator).breaks("KICK-9");
    }

    /// KICK-3, CONN-4: gone is what the server does not know.
    #[test]
    fn a_session_called_gone_that_is_not_is_seen() {
        told(story(), KickReason::Gone).breaks("CONN-4");
        let displaced = || story().commit(&[ended(ALICE, PHONE, 1, EndReason::SamePlatform, PHONE2)]);
        told(displaced(), KickReason::Gone).breaks("KICK-3");
        told(displaced().commit(&[Fact::EndForgotten { device: PHONE.into() }]), KickReason::Gone).holds();
        told(displaced().commit(&[accepted(BOB, PHONE, 2)]), KickReason::Gone).holds();
        told(story().commit(&[ended(ALICE, PHONE, 1, EndReason::Logout, PHONE)]), KickReason::Gone).holds();
    }

    /// KICK-6: where it may come back, and nobody told it that it has, the end of what it came back as is its own.
    #[test]
    fn a_session_that_came_back_unheard_and_is_called_gone_is_seen() {
        let seats = gatecrash::policy::Seats::default();
        let config = |reconnect_kicks| What::Configured {
            seats,
            reconnect_kicks,
            notify_offline_kick: false,
            administrators: None,
        };
        let displaced = [ended(ALICE, PHONE, 1, EndReason::SamePlatform, PHONE2)];
        let back = |may| story().server(config(may)).commit(&displaced).commit(&[accepted(ALICE, PHONE, 3)]);
        told(back(true), KickReason::Gone).breaks("CONN-4");
        told(back(false), KickReason::Gone).holds();
        let heard =
            back(true).commit(&[Fact::LoginAcknowledged { user: ALICE.into(), device: PHONE.into(), epoch: 3 }]);
        told(heard, KickReason::Gone).holds();
        let over = |reason| back(true).commit(&[ended(ALICE, PHONE, 3, reason, PHONE)]);
        told(over(EndReason::Administrator), KickReason::Administrator).holds();
        told(over(EndReason::Administrator), KickReason::SamePlatform).breaks("KICK-9");
        // The first one was told before, and waited for the disk.
        let kick = ServerFrame::Kick { kick: Kick { reason: KickReason::SamePlatform, ..kick(ALICE, 1) } };
        let waited = What::ServerSent { connection: 0, peer: Some(PHONE.into()), reveals: 2, frame: kick };
        over(EndReason::Administrator).server(waited).holds();
    }

    /// CONN-4: the reason recorded first is told, also when the ticket has expired since.
    #[test]
    fn a_kicked_session_that_hears_of_its_ticket_only_is_seen() {
        let (attempt, user, code) = (attempt(3), ALICE.into(), gatecrash::code::Code::TicketExpired);
        let resume = |epoch| ClientFrame::Resume { attempt, user, epoch, ticket: None, received: 0 };
        let over = |reason| story().commit(&[ended(ALICE, PHONE, 1, reason, PHONE2)]);
        let refused = ServerFrame::ResumeRefused { attempt, code };
        over(EndReason::SamePlatform).hears(PHONE, 0, resume(1)).sends(PHONE, 0, refused).breaks("CONN-4");
        over(EndReason::Expired).hears(PHONE, 0, resume(1)).sends(PHONE, 0, refused).holds();
        over(EndReason::SamePlatform).hears(PHONE, 0, resume(2)).sends(PHONE, 0, refused).holds();
        story().hears(PHONE, 0, resume(1)).sends(PHONE, 0, refused).holds();
        let kicked = ServerFrame::ResumeKicked { attempt, kick: kick(ALICE, 1) };
        over(EndReason::SamePlatform).hears(PHONE, 0, resume(1)).sends(PHONE, 0, kicked).holds();
    }
}
