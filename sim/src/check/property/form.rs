//! What a trace says agrees with itself: the checks of `form`, told as a property.

use std::time::Duration;

use super::contract::Property;
use super::decision::Decision;
use super::report::Report;
use super::scene::Scene;
use crate::check::form::{Form, SENTENCE};
use crate::scenario::Scenario;
use crate::scenario::rules::rule;
use crate::trace::{Event, What};

/// The form of the run.
pub(super) struct TraceForm(Form);

impl TraceForm {
    pub(super) fn new(scenario: &Scenario, tick: Duration) -> Self {
        TraceForm(Form::new(scenario, tick))
    }
}

impl Property for TraceForm {
    sentence!(
        Always,
        SENTENCE,
        "EVENT-1",
        "POLICY-4",
        "CONN-7",
        "INIT-5",
        "INPUT-1",
        "API-5",
        "SWITCH-2",
        "KICK-2",
        "VERSION-1",
        "ATT-1",
        "API-2",
        "ATT-4",
        "DUR-1",
        "CONN-6",
        "CONN-2",
        "CONN-3",
        "CONN-10",
        "TICKET-2",
        "API-7",
        "KICK-1",
        "TICKET-5",
        "API-1"
    );
    frames!(all);

    fn observe(&mut self, scene: &Scene<'_>, event: &Event, report: &mut Report) {
        if let What::Dormant { user, device, epoch } = event.what
            && scene.server.now.session(user, device, epoch).is_none_or(|session| session.lost.is_none())
        {
            let text = format!("{} is dormant, and has lost no link", scene.session(device, user, epoch));
            report.event(const { rule("CONN-6") }, event, text);
        }
        if let Some(found) = self.0.observe(scene.cast, event) {
            let (rule, text) = *found;
            report.event(rule, event, text);
        }
    }

    fn decide(&mut self, _: &Scene<'_>, decision: &Decision, report: &mut Report) {
        if let Some(found) = self.0.decided(decision.at, decision.number, &decision.facts) {
            let (rule, text) = *found;
            report.decision(rule, decision, text);
        }
        if !decision.is_whole {
            let text = "a fact is not of the change that it follows".to_owned();
            report.decision(const { rule("DUR-1") }, decision, text);
        }
    }
}

#[cfg(test)]
mod tests {
    use gatecrash::protocol::{Closing, FrameError};

    use super::super::story::*;
    use super::*;
    use crate::trace::{ClientFrame, Effect, Micros, ServerFrame, Told};

    /// The phone has a connection, and says hello on it.
    fn connected() -> Story {
        let reveals = 0;
        Story::from(|scenario| TraceForm::new(scenario, scenario.tick))
            .effect(Effect::ProcessUp { device: PHONE.into() })
            .on(PHONE, What::ConnectAsked { connection: 0 })
            .server(What::Opened { connection: 0 })
            .on(PHONE, What::Connected { connection: 0 })
            .on(PHONE, What::DeviceSent { connection: 0, reveals, frame: hello() })
    }

    #[test]
    fn what_fits_is_passed_over() {
        connected().tickets_made().hears(PHONE, 0, hello()).commit(&[day(ALICE, 1)]).holds();
    }

    #[test]
    fn what_arrives_was_sent() {
        connected().hears(PHONE, 0, hello()).hears(PHONE, 0, login_frame(1, 1, TICKET)).breaks("INPUT-1");
        let other = ClientFrame::Hello { version: 2, platform: gatecrash::policy::Platform::Android, installation: 1 };
        connected().hears(PHONE, 0, other).breaks("INPUT-1");
    }

    /// CONN-2: who learns of a close has heard what was said before it, unless something has meddled with the connection.
    #[test]
    fn what_was_said_before_a_close_has_come() {
        let spread = Micros::new(0);
        let closing = || ServerFrame::Closing { why: Closing::Stopping, after: spread, spread };
        let closed = |story: Story| {
            story.sends(PHONE, 0, closing()).server(What::CloseAsked { connection: 0, peer: Some(PHONE.into()) })
        };
        let gone = |story: Story| story.on(PHONE, What::Gone { connection: 0, peer: None });
        let heard = |story: Story| story.on(PHONE, What::DeviceReceived { connection: 0, frame: closing() });
        let greeted = || connected().hears(PHONE, 0, hello());
        gone(closed(greeted())).breaks("CONN-2");
        gone(heard(closed(greeted()))).holds();
        // A peer that reads slowly is given up at some time.
        gone(closed(greeted()).at(5)).holds();
    }

    #[test]
    fn connections_are_there_and_counted() {
        connected().on(PHONE, What::ConnectAsked { connection: 2 }).breaks("CONN-7");
        connected().server(What::Opened { connection: 0 }).breaks("CONN-7");
        let why = FrameError::Malformed;
        connected().server(What::Malformed { connection: 0, peer: Some(PHONE.into()), why }).breaks("CONN-7");
    }

    #[test]
    fn nobody_is_logged_out_unasked() {
        let logout = |call| What::DeviceSent {
            connection: 0,
            reveals: 0,
            frame: ClientFrame::Logout { call, attempt: attempt(1) },
        };
        connected().on(PHONE, logout(0)).holds();
        connected().on(PHONE, logout(9)).breaks("INIT-5");
    }

    #[test]
    fn changes_are_counted() {
        connected().server(What::Committed { commit: 1 }).breaks("DUR-1");
        connected().on(PHONE, What::Stored { change: 1 }).breaks("ATT-4");
        connected().server(What::Fact { commit: 1, fact: day(ALICE, 1) }).server(What::Stopping).breaks("POLICY-4");
    }

    #[test]
    fn the_script_and_the_clock_are_the_scenario_s() {
        connected().effect(Effect::Suspended { device: PHONE.into() }).breaks("CONN-10");
        connected().calls(PHONE, 1, crate::trace::Request::Logout).breaks("CONN-10");
        connected().at(7).server(What::ClockChanged { wall: Micros::new(START * 1_000_000) }).breaks("TICKET-2");
    }

    #[test]
    fn what_follows_follows_at_once() {
        let late = What::DeviceSent { connection: 0, reveals: 0, frame: login_frame(1, 1, TICKET) };
        connected().at(1).on(PHONE, late).breaks("EVENT-1");
        connected().at(1).commit(&[day(ALICE, 1)]).breaks("POLICY-4");
        connected().at(1).server(What::Opened { connection: 1 }).commit(&[day(ALICE, 1)]).holds();
    }

    #[test]
    fn a_fault_has_its_effect_and_an_effect_its_reason() {
        connected().effect(Effect::Nothing).breaks("CONN-10");
        connected().effect(Effect::ServerDead).breaks("CONN-10");
        connected().effect(Effect::ProcessUp { device: PHONE.into() }).breaks("CONN-10");
        connected().effect(Effect::ProcessUp { device: DESK.into() }).holds();
    }

    #[test]
    fn a_record_changes_by_what_happened() {
        let write = |owed_end| {
            let (installation, starts, known_ended) = (1, 1, None);
            crate::trace::Write::Installation { installation, starts, owed_end, known_ended }
        };
        let written = || connected().on(PHONE, What::StoreAsked { change: 1, write: write(false) });
        written().on(PHONE, What::StoreAsked { change: 2, write: write(true) }).holds();
        written().on(PHONE, What::StoreAsked { change: 2, write: write(false) }).breaks("ATT-4");
        let conversations = crate::trace::Write::Conversations { user: ALICE.into(), conversations: None };
        written().on(PHONE, What::StoreAsked { change: 2, write: conversations }).breaks("SWITCH-2");
        // It leaves once what it rests on is there.
        let reveals = |reveals| What::DeviceSent { connection: 0, reveals, frame: hello() };
        written().on(PHONE, reveals(1)).breaks("ATT-4");
        written().on(PHONE, What::Stored { change: 1 }).on(PHONE, reveals(1)).holds();
        written().on(PHONE, What::Stored { change: 1 }).on(PHONE, reveals(0)).breaks("ATT-4");
    }

    #[test]
    fn what_an_application_is_told_is_about_its_session() {
        connected().told(PHONE, Told::Connecting, ALICE, 0).breaks("SWITCH-2");
        connected().on(PHONE, What::UninitReturned { call: 3 }).breaks("API-5");
        connected().told(PHONE, kicked(), ALICE, 1).breaks("KICK-2");
        let dormant = What::Dormant { user: ALICE.into(), device: PHONE.into(), epoch: 1 };
        connected().server(dormant).breaks("CONN-6");
    }
}
