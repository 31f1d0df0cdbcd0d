//! A server that stood still ends what its clock has overtaken, then reads, and only then takes anybody for silent.

use gatecrash::time::Instant;

use super::contract::Property;
use super::decision::Decision;
use super::report::Report;
use super::scene::Scene;
use crate::scenario::numbers::CATCH_UP;
use crate::scenario::rules::{RuleId, rule};
use crate::trace::{Event, Fact, What};

const SILENT: RuleId = rule("CONN-5");
const OVER: RuleId = rule("TICKET-5");

#[derive(Default)]
pub(super) struct Standstills {
    /// When the server found that it had stood still.
    found_at: Option<Instant>,
    /// What its wall clock showed then, until it hears something.
    wall: Option<u64>,
    /// When something came in last.
    heard_at: Option<Instant>,
}

impl Property for Standstills {
    sentence!(
        Always,
        "a server that stood still reads what has arrived before it takes anybody for silent, and no session outlives its ticket by that",
        "CONN-5",
        "TICKET-5"
    );
    watches!("stood_still", "server_started", "opened", "gone", "malformed", "server_received", "decision");
    frames!(all);

    fn observe(&mut self, scene: &Scene<'_>, event: &Event, report: &mut Report) {
        match event.what {
            What::StoodStill { wall } => {
                *self = Standstills { found_at: Some(event.at), wall: Some(wall.get()), heard_at: None };
            }
            What::ServerStarted { .. } => *self = Standstills::default(),
            What::ServerReceived { .. } => {
                self.heard_at = Some(event.at);
                let Some(wall) = self.wall.take() else { return };
                for (user, session) in scene.server.now.connected() {
                    if session.until.saturating_add(1).saturating_mul(1_000_000) <= wall {
                        let what = scene.session(session.device, user, session.epoch);
                        let text = format!("{what} goes on, and its ticket ran out while the server stood still");
                        report.event(OVER, event, text);
                    }
                }
            }
            What::Opened { .. } | What::Gone { .. } | What::Malformed { .. } => self.heard_at = Some(event.at),
            _ => {}
        }
    }

    fn decide(&mut self, scene: &Scene<'_>, decision: &Decision, report: &mut Report) {
        let is_reading = self.found_at.is_some_and(|at| decision.at < at + CATCH_UP);
        // What came in led to it.
        if !is_reading || self.heard_at == Some(decision.at) {
            return;
        }
        for fact in &decision.facts {
            if let Fact::LinkLost { user, device, epoch, .. } = *fact {
                let what = scene.session(device, user, epoch);
                let text = format!("{what} lost its link before the server had read what arrived while it stood still");
                report.decision(SILENT, decision, text);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::story::*;
    use super::*;
    use crate::trace::{ClientFrame, Micros};

    fn stands_still(second: u64) -> Story {
        let story = Story::of(Standstills::default()).tickets_made().commit(&[accepted(ALICE, PHONE, 1)]);
        story.at(second).server(What::StoodStill { wall: Micros::new((START + second) * 1_000_000) })
    }

    /// CONN-5
    #[test]
    fn a_link_given_up_unread_is_seen() {
        let lost = [lost(ALICE, PHONE, 1, 500)];
        stands_still(500).commit(&lost).breaks("CONN-5");
        stands_still(500).at(501).commit(&lost).holds();
        stands_still(500).server(What::Gone { connection: 0, peer: Some(PHONE.into()) }).commit(&lost).holds();
    }

    /// TICKET-5
    #[test]
    fn a_session_that_outlives_its_ticket_by_a_standstill_is_seen() {
        use gatecrash::store::EndReason::Expired;
        let hears = |story: Story| story.hears(PHONE, 0, ClientFrame::Heartbeat);
        hears(stands_still(3600)).holds();
        hears(stands_still(3601)).breaks("TICKET-5");
        hears(stands_still(3601).commit(&[ended(ALICE, PHONE, 1, Expired, PHONE)])).holds();
    }
}
