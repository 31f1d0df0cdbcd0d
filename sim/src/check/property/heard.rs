//! What a device does once it has heard of its session's end, and that only what may come back does
//! (KICK-1, TICKET-5, CONN-4, KICK-6).

use std::time::Duration;

use gatecrash::time::Instant;

use super::contract::Property;
use super::decision::Decision;
use super::overdue::Overdue;
use super::report::Report;
use super::scene::Scene;
use crate::check::grown::grown;
use crate::scenario::rules::{RuleId, rule};
use crate::trace::{ClientFrame, DeviceIndex, Effect, Event, Fact, ServerFrame, Session, What};

const KICKED: RuleId = rule("KICK-1");
const EXPIRED: RuleId = rule("TICKET-5");
const REFUSED: RuleId = rule("CONN-4");
const BACK: RuleId = rule("KICK-6");

#[derive(Default)]
pub(super) struct Heard {
    /// The end each device has just heard of: it takes effect before anything else happens there.
    ends: Vec<Option<End>>,
}

#[derive(Clone, Copy)]
struct End {
    session: Session,
    rule: RuleId,
    at: Instant,
}

impl Heard {
    fn end(&mut self, device: DeviceIndex) -> &mut Option<End> {
        grown(&mut self.ends, device.index())
    }
}

impl Property for Heard {
    sentence!(
        Eventually,
        "a session's end takes effect on its device at once, and no displaced session comes back unasked",
        "KICK-1",
        "KICK-5",
        "KICK-6",
        "TICKET-5",
        "TICKET-6",
        "CONN-4"
    );
    // What it looks at; an end that takes no effect shows at the next of them.
    watches!(
        "device_received",
        "device_sent",
        "status",
        "told",
        "answered",
        "connect_asked",
        "gone",
        "link_lost",
        "effect",
        "decision"
    );
    frames!(
        "kick",
        "resume_kicked",
        "expired",
        "resume_expired",
        "resume_refused",
        "hello",
        "login",
        "resume",
        "heartbeat",
        "heartbeat_answer"
    );

    fn observe(&mut self, scene: &Scene<'_>, event: &Event, report: &mut Report) {
        if let What::Effect { effect: Effect::ProcessDead { device } } = event.what {
            *self.end(device) = None;
        }
        let Some((on, sdk)) = scene.actor else { return };
        if let Some(End { session, rule, at }) = self.end(on).filter(|end| end.at < event.at) {
            *self.end(on) = None;
            if sdk.session == Some(session) {
                let what = scene.session(on, session.user, session.epoch);
                let overdue = Overdue { since: "it heard so", at, limit: Duration::ZERO, now: event.at };
                let text = format!("{what} ended, and its device is LOGINED still: {overdue}");
                report.missing_by(rule, event, "status", text);
            }
        }
        if let What::DeviceSent { frame: ClientFrame::Resume { .. }, .. } = event.what {
            // LOGIN-5: there was another ticket to try.
            self.end(on).take_if(|end| end.rule == REFUSED);
        }
        let What::DeviceReceived { connection, frame } = event.what else { return };
        let Some(held) = sdk.session.filter(|_| sdk.connection == Some(connection)) else { return };
        let (session, rule) = match frame {
            ServerFrame::Kick { kick } | ServerFrame::ResumeKicked { kick, .. } => {
                (Session { user: kick.user, epoch: kick.epoch }, KICKED)
            }
            ServerFrame::Expired { user, epoch } => (Session { user, epoch }, EXPIRED),
            ServerFrame::ResumeExpired { .. } => (held, EXPIRED),
            // What else is to be tried may wait for the disk.
            ServerFrame::ResumeRefused { .. } if !sdk.is_writing(event.at) => (held, REFUSED),
            _ => return,
        };
        if session == held {
            *self.end(on) = Some(End { session, rule, at: event.at });
        }
    }

    fn decide(&mut self, scene: &Scene<'_>, decision: &Decision, report: &mut Report) {
        if scene.server.reconnect_kicks {
            return;
        }
        for fact in &decision.facts {
            if let Fact::SessionAccepted { device, installation, epoch, attempt, .. } = *fact
                && scene.server.is_resume(device, installation, attempt)
            {
                let text = format!("a resume was accepted as a login (epoch {epoch}), which nobody switched on");
                report.decision(BACK, decision, text);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use gatecrash::client::Status;

    use super::super::story::*;
    use super::*;

    fn story() -> Story {
        Story::of(Heard::default()).logs_in(PHONE, ALICE, 1)
    }

    /// KICK-1
    #[test]
    fn a_kick_without_effect_is_seen() {
        let kicked = || story().receives(PHONE, ServerFrame::Kick { kick: kick(ALICE, 1) });
        kicked().on(PHONE, status(Status::Logout, None)).at(60).on(PHONE, What::LinkLost).holds();
        kicked().at(60).on(PHONE, What::LinkLost).breaks("KICK-1");
        let other = story().receives(PHONE, ServerFrame::Kick { kick: kick(ALICE, 7) });
        other.at(60).on(PHONE, What::LinkLost).holds();
    }

    /// TICKET-5
    #[test]
    fn an_expiry_without_effect_is_seen() {
        let over = || story().receives(PHONE, ServerFrame::Expired { user: ALICE.into(), epoch: 1 });
        over().on(PHONE, status(Status::Logout, None)).at(60).on(PHONE, What::LinkLost).holds();
        over().at(60).on(PHONE, What::LinkLost).breaks("TICKET-5");
    }

    /// CONN-4: it is over, unless there is another ticket to try.
    #[test]
    fn a_refusal_without_effect_is_seen() {
        let code = gatecrash::code::Code::TicketExpired;
        let refused = || story().receives(PHONE, ServerFrame::ResumeRefused { attempt: attempt(2), code });
        refused().on(PHONE, status(Status::Logout, None)).at(60).on(PHONE, What::LinkLost).holds();
        refused().at(60).on(PHONE, What::LinkLost).breaks("CONN-4");
        let (user, ticket) = (ALICE.into(), None);
        let frame = ClientFrame::Resume { attempt: attempt(3), user, epoch: 1, ticket, received: 0 };
        let other = refused().on(PHONE, What::DeviceSent { connection: 0, reveals: 0, frame });
        other.at(60).on(PHONE, What::LinkLost).holds();
    }

    /// KICK-6
    #[test]
    fn a_session_that_comes_back_unasked_is_seen() {
        let resume = |count| ClientFrame::Resume {
            attempt: attempt(count),
            user: ALICE.into(),
            epoch: 1,
            ticket: None,
            received: 0,
        };
        let asks = |count| story().hears(PHONE, 1, hello()).hears(PHONE, 1, resume(count));
        asks(3).commit(&[resumed(ALICE, PHONE, 1)]).holds();
        asks(3).commit(&[accepted(ALICE, PHONE, 2)]).holds();
        asks(2).commit(&[accepted(ALICE, PHONE, 2)]).breaks("KICK-6");
    }
}
