//! The server beside a naive one written from the rules (`model`): what comes in leads to the same.

use std::time::Duration;

use super::allowance::Allowance;
use super::contract::Property;
use super::decision::Decision;
use super::report::Report;
use super::scene::Scene;
use crate::check::model::{self, Server, Tolerance};
use crate::scenario::Scenario;
use crate::trace::{Actor, Event};

/// The reference server, following the run.
pub(super) struct ServerModel {
    model: Server,
}

impl ServerModel {
    pub(super) fn new(scenario: &Scenario, tick: Duration) -> Self {
        let Allowance { server, slack, lag, .. } = Allowance::new(scenario, tick);
        ServerModel { model: Server::new(scenario, server, Tolerance { slack, lag }) }
    }
}

impl Property for ServerModel {
    sentence!(
        Eventually,
        model::SERVER,
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
        "SWITCH-5",
        "DUR-4",
        "DUR-5",
        "CONN-2",
        "STOP-1",
        "CONN-12",
        "LOGIN-11",
        "ATT-6"
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
        "stopping",
        "configured",
        "clock_changed",
        "stood_still",
        "ticket_made",
        "old_key_dropped",
        "effect",
        "fault"
    );
    frames!(all);

    fn observe(&mut self, scene: &Scene<'_>, event: &Event, report: &mut Report) {
        if let Some(found) = self.model.observe(scene.cast, event) {
            report.difference(event, found);
        }
    }

    fn decide(&mut self, scene: &Scene<'_>, decision: &Decision, report: &mut Report) {
        let when = (decision.commit, decision.at, decision.wall);
        if let Some(found) = self.model.decided(scene.cast, when, &decision.facts) {
            match found.missing {
                Some(what) => report.missing_in(found.rule, decision, what, found.text),
                None => report.decision(found.rule, decision, found.text),
            }
        }
    }

    fn finish(&mut self, scene: &Scene<'_>, report: &mut Report) {
        if let Some(found) = self.model.finish(scene.cast, scene.now) {
            let what = found.missing.unwrap_or("fact");
            report.missing(found.rule, scene.now, Actor::Server, what, found.text);
        }
    }
}

#[cfg(test)]
mod tests {
    use gatecrash::code::Code;
    use gatecrash::policy::Platform;
    use gatecrash::protocol::{Closing, DeviceState, FrameError, KickReason, Presence};
    use gatecrash::store::EndReason;

    use super::super::story::*;
    use super::*;
    use crate::trace::{ClientFrame, Effect, Fact, Kick, Micros, Refusal, Seconds, ServerFrame, What};

    const TODAY: u32 = (START / 86_400) as u32;

    fn story() -> Story {
        Story::from(|scenario| ServerModel::new(scenario, scenario.tick)).tickets_made()
    }

    /// A connection of the device, with its number in the place of a call's.
    fn connects(story: Story, device: D, connection: u32) -> Story {
        let platform = if connection == 9 { Platform::Windows } else { Platform::Android };
        let hello = ClientFrame::Hello { version: 1, platform, installation: 1 };
        story.server(What::Opened { connection }).hears(device, connection, hello)
    }

    fn asks(story: Story, device: D, connection: u32, count: u32, number: usize) -> Story {
        let (call, attempt, user) = (connection, attempt(count), ALICE.into());
        let login = ClientFrame::Login { call, attempt, user, ticket: Some(ticket(number)), known_ended: None };
        story.hears(device, connection, login)
    }

    fn welcome(connection: u32, epoch: u32) -> ServerFrame {
        ServerFrame::LoginAccepted { call: connection, epoch, conversations: None, terms: Terms::default() }
    }

    fn refused(connection: u32, code: Code) -> ServerFrame {
        ServerFrame::LoginRefused { call: connection, refused: Refusal::Code(code) }
    }

    fn first() -> [Fact; 4] {
        let (user, online) = (ALICE.into(), presence(ALICE, 1, Presence::Online));
        [Fact::AccountCreated { user }, day(ALICE, TODAY), accepted(ALICE, PHONE, 1), online]
    }

    /// Alice is logged in on her phone.
    fn alice() -> Story {
        let asked = asks(connects(story(), PHONE, 1), PHONE, 1, 1, TICKET);
        asked.commit(&first()).sends(PHONE, 1, welcome(1, 1))
    }

    /// Something else happens, before which everything has to be said.
    fn goes_on(story: Story) -> Story {
        story.server(What::Opened { connection: 99 })
    }

    fn raised(count: u32) -> Fact {
        Fact::AttemptRaised { device: PHONE.into(), installation: 1, attempt: attempt(count) }
    }

    fn taken_by(epoch: u32) -> Kick {
        Kick { user: ALICE.into(), epoch, reason: KickReason::SamePlatform, by: Some(PHONE2.into()) }
    }

    /// LOGIN-1, DAU-1, PRES-1: each fact of a first login is demanded, and no other.
    #[test]
    fn a_first_login_is_followed() {
        goes_on(alice()).holds();
        let asked = || asks(connects(story(), PHONE, 1), PHONE, 1, 1, TICKET);
        asked().commit(&first()[1..]).breaks("LOGIN-1");
        asked().commit(&[first()[0], first()[2], first()[3]]).breaks("DAU-1");
        asked().commit(&first()[..3]).breaks("PRES-1");
        asked().commit(&[&first()[..], &[raised(1)]].concat()).breaks("ATT-1");
        goes_on(asked().commit(&first())).breaks("POLICY-3");
        goes_on(asked().decide(&first())).holds();
        goes_on(asked()).breaks("LOGIN-1");
    }

    /// LOGIN-10, DAU-1, DUR-3: the same user again on the same device.
    #[test]
    fn a_second_login_counts_no_second_day() {
        let again = || asks(alice(), PHONE, 1, 2, TICKET);
        let replaced = ended(ALICE, PHONE, 1, EndReason::Replaced, PHONE);
        let facts = [raised(2), replaced, accepted(ALICE, PHONE, 2), presence(ALICE, 2, Presence::Online)];
        goes_on(again().commit(&facts).sends(PHONE, 1, welcome(1, 2))).holds();
        again().commit(&[&facts[..], &[day(ALICE, TODAY)]].concat()).breaks("DAU-1");
        let Fact::SessionAccepted { user, device, installation, platform, attempt, ticket, until, .. } = facts[2]
        else {
            unreachable!("it is one")
        };
        let stands_still =
            Fact::SessionAccepted { user, device, installation, platform, epoch: 1, attempt, ticket, until };
        again().commit(&[facts[0], facts[1], stands_still, facts[3]]).breaks("DUR-3");
    }

    /// DAU-1: how many users the day has is told with each.
    #[test]
    fn a_day_has_as_many_users_as_it_counted() {
        let user = ALICE.into();
        let facts = |users| {
            let counted = Fact::DayCounted { user, day: TODAY, users };
            let online = presence(ALICE, 1, Presence::Online);
            [Fact::AccountCreated { user }, counted, accepted(ALICE, PHONE, 1), online]
        };
        let asked = || asks(connects(story(), PHONE, 1), PHONE, 1, 1, TICKET);
        goes_on(asked().commit(&facts(1)).sends(PHONE, 1, welcome(1, 1))).holds();
        asked().commit(&facts(2)).breaks("DAU-1");
    }

    /// POLICY-3, KICK-8: who goes, and what is said to whom.
    #[test]
    fn a_displacement_is_followed() {
        let asked = || asks(connects(alice(), PHONE2, 2), PHONE2, 2, 2, TICKET);
        let facts = |story: &Story| {
            let kicked = story.phone_kicked(ALICE, 2, Presence::Online);
            [ended(ALICE, PHONE, 1, EndReason::SamePlatform, PHONE2), accepted(ALICE, PHONE2, 2), kicked]
        };
        let decided = |facts: &dyn Fn(&Story) -> Vec<Fact>| {
            let story = asked();
            let facts = facts(&story);
            story.commit(&facts)
        };
        let right = || decided(&|story| facts(story).to_vec());
        let told = ServerFrame::Kick { kick: taken_by(1) };
        goes_on(right().sends(PHONE, 1, told).sends(PHONE2, 2, welcome(2, 2))).holds();
        goes_on(right().sends(PHONE2, 2, welcome(2, 2))).breaks("KICK-10");
        right().sends(PHONE, 1, ServerFrame::Kick { kick: taken_by(2) }).breaks("KICK-10");
        decided(&|story| facts(story)[1..].to_vec()).breaks("POLICY-3");
        decided(&|story| vec![facts(story)[0], facts(story)[1], presence(ALICE, 2, Presence::Online)]).breaks("PRES-1");
    }

    /// KICK-6, KICK-7: the rules leave a choice, and the configuration makes it.
    #[test]
    fn the_configuration_decides_what_comes_of_a_displaced_session() {
        let configured = |reconnect_kicks, notify_offline_kick, is_acknowledged| {
            let seats = gatecrash::policy::Seats::default();
            let story =
                alice().server(What::Configured { seats, reconnect_kicks, notify_offline_kick, administrators: None });
            let (user, epoch) = (ALICE.into(), 1);
            let acknowledged = Fact::LoginAcknowledged { user, device: PHONE.into(), epoch };
            let story = match is_acknowledged {
                true => story.hears(PHONE, 1, ClientFrame::LoginAcknowledged { user, epoch }).commit(&[acknowledged]),
                false => story,
            };
            let away = [lost(ALICE, PHONE, 1, 0), presence(ALICE, 2, Presence::PushOnline)];
            let story = story.server(What::Gone { connection: 1, peer: None }).commit(&away);
            let story = asks(connects(story, PHONE2, 2), PHONE2, 2, 2, TICKET);
            let kicked = story.phone_kicked(ALICE, 3, Presence::Online);
            let gone = ended(ALICE, PHONE, 1, EndReason::SamePlatform, PHONE2);
            let story = story.commit(&[gone, accepted(ALICE, PHONE2, 2), kicked]).sends(PHONE2, 2, welcome(2, 2));
            connects(story, PHONE, 3)
        };
        let settled = Fact::KickSettled { user: ALICE.into(), device: PHONE.into(), epoch: 1 };
        let back = |notify, is_acknowledged| asks(configured(false, notify, is_acknowledged), PHONE, 3, 3, TICKET);
        let notice = refused(3, Code::KickedWhileAway);
        goes_on(back(true, true).commit(&[raised(3), settled]).sends(PHONE, 3, notice)).holds();
        back(true, false).commit(&[raised(3), settled]).breaks("POLICY-3");
        back(false, true).commit(&[raised(3), settled]).breaks("POLICY-3");

        let resume = ClientFrame::Resume {
            attempt: attempt(3),
            user: ALICE.into(),
            epoch: 1,
            ticket: Some(ticket(TICKET)),
            received: 0,
        };
        let resumes = |reconnects| configured(reconnects, false, true).hears(PHONE, 3, resume).commit(&[raised(3)]);
        let told = ServerFrame::ResumeKicked { attempt: attempt(3), kick: taken_by(1) };
        goes_on(resumes(false).sends(PHONE, 3, told)).holds();
        resumes(true).breaks("POLICY-3");
    }

    /// TICKET-3, TICKET-4, ATT-1
    #[test]
    fn refusals_are_followed() {
        let judged = |refused| What::TicketJudged {
            device: PHONE.into(),
            user: ALICE.into(),
            second: Seconds::new(START),
            refused: Some(refused),
        };
        let forged = |story, count| asks(story, PHONE, 1, count, FORGED);
        let once = |story, count| {
            let judged = forged(story, count).server(judged(Code::TicketSignature));
            judged.sends(PHONE, 1, refused(1, Code::TicketSignature))
        };
        let start = || connects(story(), PHONE, 1);
        goes_on(once(start(), 1)).holds();
        forged(start(), 1).server(judged(Code::TicketExpired)).breaks("TICKET-3");
        forged(start(), 1).sends(PHONE, 1, refused(1, Code::TicketExpired)).breaks("TICKET-3");
        let ten = || (1..=10).fold(start(), once);
        let locked = refused(1, Code::TooManyRefusals);
        goes_on(forged(ten(), 11).sends(PHONE, 1, locked)).holds();
        goes_on(once(ten().at(59), 11)).breaks("TICKET-4");
        goes_on(once((1..=9).fold(start(), once), 10)).holds();
        let stale = ServerFrame::LoginRefused { call: 1, refused: Refusal::Stale };
        goes_on(forged(once(start(), 2), 2).sends(PHONE, 1, stale)).holds();
        forged(once(start(), 2), 2).sends(PHONE, 1, refused(1, Code::TicketSignature)).breaks("ATT-1");
    }

    /// TICKET-5, CONN-5, PRES-1: what time leads to comes when it is due.
    #[test]
    fn time_is_neither_early_nor_late() {
        let over = |second| {
            let beat = alice().at(second - 1).hears(PHONE, 1, ClientFrame::Heartbeat);
            let beat = beat.sends(PHONE, 1, ServerFrame::HeartbeatAnswer).at(second);
            let gone = ended(ALICE, PHONE, 1, EndReason::Expired, PHONE);
            beat.commit(&[gone, presence(ALICE, 2, Presence::Offline)])
        };
        let told = ServerFrame::Expired { user: ALICE.into(), epoch: 1 };
        goes_on(over(3601).sends(PHONE, 1, told)).holds();
        over(3600).breaks("TICKET-5");
        over(3604).breaks("TICKET-5");
        alice().at(3700).world(What::ScriptEnded).breaks("TICKET-5");

        let silent = |second: u64| {
            alice().at(second).commit(&[lost(ALICE, PHONE, 1, second), presence(ALICE, 2, Presence::PushOnline)])
        };
        silent(400).server(What::CloseAsked { connection: 1, peer: Some(PHONE.into()) }).holds();
        silent(399).breaks("CONN-5");
        silent(402).breaks("CONN-5");
        alice().at(402).world(What::ScriptEnded).breaks("CONN-5");
    }

    /// DUR-1, DUR-4: what was decided when the server died is settled by its next start.
    #[test]
    fn a_crash_leaves_open_what_was_decided() {
        let asked = || asks(connects(story(), PHONE, 1), PHONE, 1, 1, TICKET).decide(&first());
        let started = |commit| {
            let wall = Micros::new((START + 5) * 1_000_000);
            asked().effect(Effect::ServerDead).at(5).server(What::ServerStarted { commit, wall })
        };
        goes_on(started(0)).holds();
        goes_on(started(1)).breaks("DUR-4");
        let away = [lost(ALICE, PHONE, 1, 5), presence(ALICE, 2, Presence::PushOnline)];
        goes_on(started(1).commit(&away)).holds();
        started(0).commit(&away).breaks("CONN-7");
    }

    /// DUR-5
    #[test]
    fn a_failed_commit_is_owned_up_to() {
        let failed = || {
            let asked = asks(connects(story(), PHONE, 1), PHONE, 1, 1, TICKET);
            asked.decide(&first()).server(What::StoreFailed)
        };
        let wall = Micros::new(START * 1_000_000);
        let started = |story: Story| story.server(What::ServerStarted { commit: 0, wall });
        started(failed().sends(PHONE, 1, refused(1, Code::ServerUnable))).holds();
        failed().sends(PHONE, 1, welcome(1, 1)).breaks("DUR-5");
        started(failed()).breaks("DUR-5");
    }

    /// STOP-1, CONN-2: everybody is told, and then let go.
    #[test]
    fn a_stop_is_told() {
        let (after, spread) = (Micros::new(1_000_000), Micros::new(250_000));
        let told = ServerFrame::Closing { why: Closing::Stopping, after, spread };
        let close = What::CloseAsked { connection: 1, peer: Some(PHONE.into()) };
        let stops = || alice().server(What::Stopping);
        let dies = |story: Story| story.effect(Effect::ServerDead);
        dies(stops().sends(PHONE, 1, told).server(close)).holds();
        dies(stops().sends(PHONE, 1, told)).breaks("STOP-1");
        dies(stops()).breaks("CONN-2");
        stops().server(close).breaks("CONN-2");
        stops().sends(PHONE, 1, ServerFrame::Closing { why: Closing::Stopping, after, spread: after }).breaks("CONN-2");
        alice().sends(PHONE, 1, told).breaks("CONN-2");
        dies(alice()).holds();
    }

    /// CONN-12, LOGIN-11: the usual limits are not reached, and then nobody is told that they are.
    #[test]
    fn nobody_is_turned_away_for_nothing() {
        let asked = || asks(connects(story(), PHONE, 1), PHONE, 1, 1, TICKET);
        let (after, spread) = (Micros::new(0), Micros::new(250_000));
        asked().sends(PHONE, 1, ServerFrame::Closing { why: Closing::Busy, after, spread }).breaks("CONN-12");
        let again = |story: Story, count: u32| {
            let facts = [
                raised(count),
                ended(ALICE, PHONE, count - 1, EndReason::Replaced, PHONE),
                accepted(ALICE, PHONE, count),
                presence(ALICE, count, Presence::Online),
            ];
            asks(story, PHONE, 1, count, TICKET).commit(&facts).sends(PHONE, 1, welcome(1, count))
        };
        let sixty = || (2..=60).fold(alice(), again);
        let no = refused(1, Code::TooManyLogins);
        goes_on(sixty()).holds();
        goes_on(asks(sixty(), PHONE, 1, 61, TICKET).commit(&[raised(61)]).sends(PHONE, 1, no)).holds();
        asks(sixty(), PHONE, 1, 61, TICKET)
            .commit(&[raised(61)])
            .sends(PHONE, 1, refused(1, Code::TicketExpired))
            .breaks("LOGIN-11");
        goes_on(again(sixty().at(1), 61)).holds();
    }

    /// CONN-2: the spread that is named is that of so many devices.
    #[test]
    fn a_return_spread_is_that_of_all_who_are_connected() {
        let terms = Terms { return_spread: Micros::new(250_001), heartbeat: 0 };
        let asked = asks(connects(story(), PHONE, 1), PHONE, 1, 1, TICKET).commit(&first());
        let welcome = ServerFrame::LoginAccepted { call: 1, epoch: 1, conversations: None, terms };
        asked.sends(PHONE, 1, welcome).breaks("CONN-2");
    }

    /// CONN-4: what is over is not resumed, and nothing ends that there is not.
    #[test]
    fn a_session_ends_once_and_is_over_then() {
        let gone = |epoch| ended(ALICE, PHONE, epoch, EndReason::SamePlatform, PHONE2);
        alice().commit(&[gone(1), presence(ALICE, 2, Presence::Offline)]).breaks("POLICY-3");
        alice().commit(&[gone(2)]).breaks("POLICY-3");
        let story = asks(connects(alice(), PHONE2, 2), PHONE2, 2, 2, TICKET);
        let kicked = story.phone_kicked(ALICE, 2, Presence::Online);
        let taken = story.commit(&[gone(1), accepted(ALICE, PHONE2, 2), kicked]);
        let told = ServerFrame::Kick { kick: taken_by(1) };
        let taken = taken.sends(PHONE, 1, told).sends(PHONE2, 2, welcome(2, 2));
        let (user, ticket) = (ALICE.into(), Some(ticket(TICKET)));
        let resume = ClientFrame::Resume { attempt: attempt(3), user, epoch: 1, ticket, received: 0 };
        let resumes = connects(taken, PHONE, 3).hears(PHONE, 3, resume);
        resumes.commit(&[raised(3), resumed(ALICE, PHONE, 1), presence(ALICE, 3, Presence::Online)]).breaks("CONN-4");
    }

    /// SWITCH-5: bob logs in on the device that is logged in as alice. Which ticket it is nobody saw.
    #[test]
    fn a_device_holds_one_session() {
        let user = BOB.into();
        let (call, attempt, ticket) = (1, attempt(2), Some(ticket(TICKET)));
        let login = ClientFrame::Login { call, attempt, user, ticket, known_ended: None };
        let asked = || {
            let alone = asks(
                connects(Story::from(|scenario| ServerModel::new(scenario, scenario.tick)), PHONE, 1),
                PHONE,
                1,
                1,
                TICKET,
            );
            alone.commit(&first()).sends(PHONE, 1, welcome(1, 1)).hears(PHONE, 1, login)
        };
        let counted = Fact::DayCounted { user, day: TODAY, users: 2 };
        let begins = [Fact::AccountCreated { user }, counted, raised(2), accepted(BOB, PHONE, 2)];
        let online = presence(BOB, 1, Presence::Online);
        let leaves = [ended(ALICE, PHONE, 1, EndReason::OtherUser, PHONE), presence(ALICE, 2, Presence::Offline)];
        goes_on(asked().commit(&[&begins[..], &leaves, &[online]].concat()).sends(PHONE, 1, welcome(1, 2))).holds();
        asked().commit(&[&begins[..], &[online]].concat()).breaks("SWITCH-5");
    }

    /// API-2, KICK-10: to whom a message goes, and to whom not.
    #[test]
    fn a_message_is_followed() {
        let (user, text, call, message) = (ALICE.into(), text(0), 3, 1);
        let stored = Fact::MessageStored { message, from: user, to: user, text, id: 1 };
        let answer = ServerFrame::SendAnswer { call, message, refused: None };
        let delivery = ServerFrame::Message { message, from: user, to: user, text, place: 1 };
        let send = ClientFrame::Send { call, to: user, text, id: 1 };
        let both = || {
            let second = asks(connects(alice().multi(1), DESK, 9), DESK, 9, 2, TICKET);
            let facts = [accepted(ALICE, DESK, 2), presence(ALICE, 2, Presence::Online)];
            second.commit(&facts).sends(DESK, 9, welcome(9, 2))
        };
        let owed = Fact::MessageOwed { user, device: DESK.into(), epoch: 2, message };
        let answered = || both().hears(PHONE, 1, send).commit(&[stored, owed]).sends(PHONE, 1, answer);
        goes_on(answered().sends(DESK, 9, delivery)).holds();
        goes_on(answered()).breaks("API-7");
        answered().sends(DESK, 9, delivery).sends(DESK, 9, delivery).breaks("API-2");
        answered().sends(PHONE, 1, delivery).breaks("API-2");
        both().sends(DESK, 9, delivery).breaks("API-2");
        let gone = [ended(ALICE, DESK, 2, EndReason::Logout, DESK), presence(ALICE, 3, Presence::Online)];
        let leaves = ClientFrame::Logout { call: 4, attempt: attempt(3) };
        let left = || {
            let raised = Fact::AttemptRaised { device: DESK.into(), installation: 1, attempt: attempt(3) };
            let story = both().hears(DESK, 9, leaves).commit(&[&[raised], &gone[..]].concat());
            let story = story.sends(DESK, 9, ServerFrame::LogoutAnswer { call: 4, refused: None });
            story.hears(PHONE, 1, send).commit(&[stored]).sends(PHONE, 1, answer)
        };
        goes_on(left()).holds();
        left().sends(DESK, 9, delivery).breaks("API-2");
    }

    /// INPUT-1, KICK-10: what closes a connection, and what does not.
    #[test]
    fn a_close_has_a_reason() {
        let close = What::CloseAsked { connection: 1, peer: Some(PHONE.into()) };
        let start = || connects(story(), PHONE, 1);
        start().at(45).server(close).holds();
        start().at(44).server(close).breaks("KICK-10");
        let twice = || start().hears(PHONE, 1, hello());
        let wrong = ServerFrame::Error { why: FrameError::OutOfPlace };
        goes_on(twice().sends(PHONE, 1, wrong).server(close)).holds();
        goes_on(twice().sends(PHONE, 1, wrong)).breaks("INPUT-1");
        goes_on(twice().server(close)).breaks("INPUT-1");
    }

    /// ADMIN-2, ADMIN-3: alice is an administrator. Whom a report is about it says itself.
    #[test]
    fn a_report_is_the_truth() {
        let query = ClientFrame::Query { call: 7, users: None };
        let answer = |refused| ServerFrame::QueryAnswer { call: 7, report: None, refused };
        goes_on(alice().hears(PHONE, 1, query).sends(PHONE, 1, answer(None))).holds();
        let no = Some(Code::NotAdministrator);
        goes_on(alice().hears(PHONE, 1, query).sends(PHONE, 1, answer(no))).breaks("ADMIN-2");
        assert_ne!(DeviceState::Dormant, DeviceState::Connected);
    }
}
