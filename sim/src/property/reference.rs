//! The server beside a naive one written from the rules: what comes in leads to the same (`model`).

use super::allowance::Allowance;
use super::{Decision, Property, Report, Scene};
use crate::model::{Server, Tolerance};
use crate::scenario::Scenario;
use crate::trace::Event;

/// The reference server, following the run.
pub(super) struct ServerModel {
    model: Server,
}

impl ServerModel {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let Allowance { server, slack, lag, .. } = Allowance::new(scenario);
        ServerModel { model: Server::new(scenario, server, Tolerance { slack, lag }) }
    }
}

impl Property for ServerModel {
    sentence!(
        "the server decides, answers and closes what a naive reading of the rules does",
        "POLICY-3",
        "ATT-1",
        "CONN-4",
        "KICK-3",
        "TICKET-3",
        "PRES-1",
        "DAU-1",
        "API-2",
        "ADMIN-1",
        "ADMIN-2",
        "DUR-4",
        "DUR-5"
    );
    watches!(
        "decision",
        "opened",
        "server_received",
        "malformed",
        "gone",
        "close_asked",
        "server_sent",
        "committed",
        "ticket_judged",
        "server_started",
        "store_failed",
        "configured",
        "clock_changed",
        "ticket_made",
        "old_key_dropped",
        "effect"
    );

    fn observe(&mut self, scene: &Scene<'_>, event: &Event, report: &mut Report) {
        if let Some(found) = self.model.observe(scene.cast, event) {
            report.event(found.rule, event, found.text);
        }
    }

    fn decide(&mut self, scene: &Scene<'_>, decision: &Decision, report: &mut Report) {
        let when = (decision.commit, decision.at, decision.wall);
        if let Some(found) = self.model.decided(scene.cast, when, &decision.facts) {
            report.decision(found.rule, decision, found.text);
        }
    }

    fn finish(&mut self, scene: &Scene<'_>, report: &mut Report) {
        if let Some(found) = self.model.finish(scene.cast, scene.now) {
            report.violation(found.rule, scene.now, crate::trace::Actor::Server, 0, found.text);
        }
    }
}
