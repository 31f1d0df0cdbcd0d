//! The SDK beside a naive one written from the rules (`model`): which results a call can have.

use gatecrash::time::Instant;

use super::contract::Property;
use super::report::Report;
use super::scene::Scene;
use crate::check::grown::grown;
use crate::check::model::{self, Sdks};
use crate::scenario::Scenario;
use crate::trace::{Actor, DeviceIndex, Effect, Event, What};

/// The reference SDKs, one for each device.
pub(super) struct SdkModel {
    model: Sdks,
    /// When something happened to each device last.
    last: Vec<Option<Instant>>,
}

impl SdkModel {
    pub(super) fn new(scenario: &Scenario) -> Self {
        SdkModel { model: Sdks::new(scenario), last: Vec::new() }
    }
}

impl Property for SdkModel {
    sentence!(
        Always,
        model::SDK,
        "LOGIN-3",
        "LOGIN-4",
        "LOGIN-5",
        "LOGIN-8",
        "LOGOUT-1",
        "LOGOUT-2",
        "LOGOUT-3",
        "LOGOUT-4",
        "API-1",
        "API-5",
        "CONN-8",
        "CONN-10",
        "EVENT-1",
        "INIT-1",
        "INIT-3",
        "INIT-4",
        "SWITCH-2",
        "TICKET-7",
        "VERSION-1",
        "ATT-5"
    );
    watches!(
        "called",
        "answered",
        "told",
        "status",
        "device_sent",
        "device_received",
        "record_failed",
        "store_asked",
        "stored",
        "connect_asked",
        "connected",
        "connect_failed",
        "untrusted",
        "close_asked",
        "gone",
        "no_frame",
        "link_lost",
        "link_kept",
        "sdk_woken",
        "network_changed",
        "effect",
        "ticket_made"
    );
    frames!(all);

    fn observe(&mut self, scene: &Scene<'_>, event: &Event, report: &mut Report) {
        match (event.actor, event.what) {
            (_, What::Effect { effect: Effect::ProcessDead { device } | Effect::ProcessUp { device } }) => {
                self.model.forget(device);
            }
            (_, What::TicketMade { ticket, .. }) => self.model.made(ticket),
            (Actor::Device(device), _) if device != DeviceIndex::STRANGER => {
                let limits = scene.allowance.client(scene.cast, device);
                let sdk = scene.sdks.find(device).filter(|sdk| !sdk.is_suspended && !sdk.is_writing(event.at));
                let at_once = scene.allowance.slack;
                let last = grown(&mut self.last, device.index()).replace(event.at).unwrap_or(event.at);
                if sdk.is_some_and(|sdk| sdk.woken_at + at_once < event.at)
                    && let Some(before) = event.at.as_micros().checked_sub(at_once.as_micros() as u64)
                    && let Some(found) = self.model.untold(device, Instant::from_micros(before), last)
                {
                    report.difference(event, found);
                }
                if let Some(found) = self.model.observe(scene.cast, device, event, limits) {
                    report.difference(event, found);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use gatecrash::client::Status;
    use gatecrash::code::{Code, Reason};
    use gatecrash::policy::Platform;
    use gatecrash::protocol::FrameError;

    use super::super::story::*;
    use super::*;
    use crate::scenario::CallKind;
    use crate::trace::{ClientFrame, Outcome, Refusal, Request, Seconds, ServerFrame, Write};

    fn story() -> Story {
        let init = Request::Init { platform: Platform::Android };
        let (ticket, user) = (ticket(TICKET), Some(ALICE.into()));
        let (issued, ttl) = (Seconds::new(START), Seconds::new(3600));
        let story = Story::from(SdkModel::new).world(What::TicketMade { ticket, user, issued, ttl });
        story.calls(PHONE, 1, init).on(PHONE, answered(1, CallKind::Init, None, Outcome::Done))
    }

    fn login(story: Story, call: u32, user: U) -> Story {
        story.calls(PHONE, call, Request::Login { user: user.into(), ticket: ticket(TICKET) })
    }

    fn ends(story: Story, call: u32, outcome: Outcome) -> Story {
        story.on(PHONE, answered(call, CallKind::Login, Some(ALICE), outcome))
    }

    /// A login that has a connection to leave on.
    fn connected() -> Story {
        login(story(), 2, ALICE)
            .on(PHONE, status(Status::Logining, None))
            .on(PHONE, What::ConnectAsked { connection: 0 })
            .on(PHONE, What::Connected { connection: 0 })
    }

    fn leaves(story: Story) -> Story {
        story.on(PHONE, What::DeviceSent { connection: 0, reveals: 0, frame: login_frame(2, 1, TICKET) })
    }

    /// A login that is on its way to the server.
    fn asked() -> Story {
        leaves(connected())
    }

    fn gone() -> What {
        What::Gone { connection: 0, peer: None }
    }

    fn alice() -> Story {
        let accepted = ServerFrame::LoginAccepted { call: 2, epoch: 1, conversations: None, terms: Terms::default() };
        ends(asked().receives(PHONE, accepted).on(PHONE, status(Status::Logined, Some(ALICE))), 2, Outcome::Done)
    }

    /// LOGIN-3, LOGIN-8
    /// API-5
    #[test]
    fn a_result_that_is_known_and_not_told_is_seen() {
        let refused = || login(story(), 2, ALICE).calls(PHONE, 3, Request::Conversations);
        refused().on(PHONE, What::NetworkChanged).holds();
        refused().at(9).on(PHONE, What::NetworkChanged).breaks("API-1");
    }

    #[test]
    fn a_login_has_the_result_that_came() {
        alice().holds();
        ends(asked(), 2, Outcome::Done).breaks("LOGIN-8");
        let refused = |code| {
            let refused = Refusal::Code(Code::TicketExpired);
            ends(asked().receives(PHONE, ServerFrame::LoginRefused { call: 2, refused }), 2, failed(code))
        };
        refused(Code::TicketExpired).holds();
        refused(Code::TicketVoided).breaks("LOGIN-3");
        ends(asked().on(PHONE, gone()), 2, failed(Code::NoAnswer)).holds();
        ends(asked().on(PHONE, gone()), 2, failed(Code::NoLink)).breaks("LOGIN-8");
    }

    /// LOGIN-8, ATT-5: what waits for the disk was not sent. Where nothing keeps it, it was, seen to leave or not.
    #[test]
    fn a_login_that_waits_for_the_disk_was_not_sent() {
        let record = Write::Installation { installation: 1, starts: 1, owed_end: false, known_ended: None };
        let asked_for = |story: Story| story.on(PHONE, What::StoreAsked { change: 1, write: record });
        let lost = |story: Story| ends(story.on(PHONE, gone()), 2, failed(Code::NoAnswer));
        lost(asked_for(connected()).at(1)).breaks("LOGIN-8");
        lost(asked_for(connected()).on(PHONE, What::Stored { change: 1 }).at(1)).holds();
        lost(connected()).breaks("LOGIN-8");
        lost(connected().at(1)).holds();
        lost(leaves(connected())).holds();
    }

    /// VERSION-1, LOGIN-5
    #[test]
    fn a_server_of_another_version_ends_what_waits_for_it() {
        let error = ServerFrame::Error { why: FrameError::Version };
        ends(asked().receives(PHONE, error), 2, failed(Code::VersionNotSupported)).holds();
        ends(asked().receives(PHONE, error), 2, failed(Code::NoAnswer)).breaks("VERSION-1");
        let malformed = ServerFrame::Error { why: FrameError::Malformed };
        ends(asked().receives(PHONE, malformed), 2, failed(Code::VersionNotSupported)).breaks("LOGIN-8");
        let again = |story: Story| {
            story.on(PHONE, What::ConnectAsked { connection: 1 }).on(PHONE, What::Connected { connection: 1 })
        };
        let refused = |code| {
            let renewing = login(again(alice().on(PHONE, gone())), 5, ALICE);
            let error = What::DeviceReceived { connection: 1, frame: error };
            ends(renewing.on(PHONE, error), 5, failed(code))
        };
        refused(Code::VersionNotSupported).holds();
        refused(Code::NoLink).breaks("VERSION-1");
    }

    /// LOGIN-3, LOGIN-8: time settles a login that nothing else does, when it is up.
    #[test]
    fn a_login_takes_the_time_it_has() {
        ends(asked().at(30), 2, failed(Code::NoAnswer)).holds();
        ends(asked().at(29), 2, failed(Code::NoAnswer)).breaks("LOGIN-8");
        let unsent = || login(story(), 2, ALICE).on(PHONE, What::ConnectAsked { connection: 0 });
        ends(unsent().at(30), 2, failed(Code::ConnectTimeout)).holds();
        ends(unsent().at(30), 2, failed(Code::NoAnswer)).breaks("LOGIN-8");
    }

    /// LOGIN-4, LOGOUT-3, LOGOUT-4, INIT-1, INIT-3
    #[test]
    fn what_is_refused_at_once_is_refused_for_its_reason() {
        ends(login(asked(), 3, BOB), 3, failed(Code::LoginPending)).holds();
        ends(login(asked(), 3, BOB), 3, failed(Code::LogoutPending)).breaks("LOGIN-4");
        ends(asked().calls(PHONE, 3, Request::Logout), 2, failed(Code::LoginCancelled)).holds();
        ends(asked().calls(PHONE, 3, Request::Logout), 2, failed(Code::NotLoggedIn)).breaks("LOGOUT-3");
        ends(story().calls(PHONE, 3, Request::Logout), 3, nobody(Reason::NeverLoggedIn)).holds();
        ends(story().calls(PHONE, 3, Request::Logout), 3, Outcome::Done).breaks("LOGOUT-4");
        ends(asked().calls(PHONE, 3, Request::Uninit), 2, failed(Code::Uninitialised)).holds();
        ends(asked().calls(PHONE, 3, Request::Uninit), 2, failed(Code::NoAnswer)).breaks("INIT-3");
        let uninitialised = || story().calls(PHONE, 2, Request::Uninit).calls(PHONE, 3, Request::Logout);
        ends(uninitialised(), 3, failed(Code::NotInitialised)).holds();
        ends(uninitialised(), 3, failed(Code::NotLoggedIn)).breaks("INIT-1");
    }

    /// API-1, API-5, CONN-8, EVENT-1
    #[test]
    fn a_request_has_the_result_that_came() {
        let send = Request::Kick { user: BOB.into() };
        let sent = || alice().calls(PHONE, 5, send);
        let answer = ServerFrame::AdminKickAnswer { call: 5, refused: None };
        ends(sent().receives(PHONE, answer), 5, Outcome::Done).holds();
        ends(sent().receives(PHONE, answer), 5, failed(Code::UnknownUser)).breaks("ADMIN-1");
        let done = sent().receives(PHONE, answer).calls(PHONE, 6, Request::Logout);
        ends(done, 5, nobody(Reason::LoggedOut)).holds();
        let done = sent().receives(PHONE, answer).calls(PHONE, 6, Request::Logout);
        ends(done, 5, Outcome::Done).breaks("LOGOUT-1");
        ends(sent(), 5, failed(Code::NoLink)).breaks("API-5");
        ends(sent().on(PHONE, gone()), 5, failed(Code::NoAnswer)).holds();
        ends(sent().on(PHONE, gone()), 5, failed(Code::NotLoggedIn)).breaks("CONN-8");
        let kicked = || sent().receives(PHONE, ServerFrame::Kick { kick: kick(ALICE, 1) });
        ends(kicked(), 5, nobody(Reason::Kicked)).holds();
        ends(kicked(), 5, nobody(Reason::LoggedOut)).breaks("API-1");
        ends(kicked(), 5, failed(Code::NotLoggedIn)).breaks("EVENT-1");
        let refused = || kicked().calls(PHONE, 6, send);
        ends(refused(), 6, nobody(Reason::Kicked)).holds();
        ends(refused(), 6, nobody(Reason::NeverLoggedIn)).breaks("API-1");
        ends(kicked(), 5, failed(Code::NoAnswer)).breaks("EVENT-1");
        let unlinked = || alice().on(PHONE, gone()).calls(PHONE, 5, send);
        ends(unlinked(), 5, failed(Code::NoLink)).holds();
        ends(unlinked(), 5, failed(Code::NotLoggedIn)).breaks("API-1");
    }

    /// ATT-5, INPUT-6: what a page answered counts as not sent, and the next attempt may end for the record.
    #[test]
    fn a_login_ends_for_the_record_unless_it_has_left() {
        let page = || asked().on(PHONE, What::NoFrame { connection: 0 });
        let again = || page().on(PHONE, What::ConnectAsked { connection: 1 });
        let unwritten = |story: Story| ends(story.on(PHONE, What::RecordFailed), 2, failed(Code::StorageFailed));
        unwritten(connected()).holds();
        unwritten(asked()).breaks("LOGIN-8");
        unwritten(again().on(PHONE, What::Connected { connection: 1 })).holds();
    }

    /// LOGIN-5, SWITCH-2, LOGOUT-2
    #[test]
    fn a_session_ends_its_calls_as_it_ends() {
        let renewing = || login(alice(), 5, ALICE);
        let answer = |refused| ServerFrame::RenewAnswer { call: 5, refused };
        ends(renewing().receives(PHONE, answer(None)), 5, Outcome::Done).holds();
        ends(renewing(), 5, Outcome::Done).breaks("LOGIN-5");
        ends(login(renewing(), 6, BOB), 6, failed(Code::LoginPending)).holds();
        ends(renewing().calls(PHONE, 6, Request::Logout), 5, nobody(Reason::LoggedOut)).holds();
        let send = Request::Kick { user: BOB.into() };
        let switched = || login(alice().calls(PHONE, 5, send), 6, BOB);
        ends(switched(), 5, nobody(Reason::Switched)).holds();
        ends(switched(), 5, nobody(Reason::LoggingIn)).breaks("API-1");
        ends(switched(), 5, failed(Code::NoAnswer)).breaks("SWITCH-2");
        ends(alice().on(PHONE, gone()).calls(PHONE, 6, Request::Logout), 6, Outcome::Done).holds();
        ends(alice().on(PHONE, gone()).calls(PHONE, 6, Request::Logout), 6, failed(Code::NoLink)).breaks("LOGOUT-2");
    }

    /// TICKET-7: with a renewal unanswered nobody knows which ticket the server called expired.
    #[test]
    fn a_ticket_that_may_be_good_is_not_refused() {
        let again = |story: Story| {
            let expired = ServerFrame::Expired { user: ALICE.into(), epoch: 1 };
            let story = story.receives(PHONE, expired).on(PHONE, status(Status::Logout, None));
            ends(login(story, 9, ALICE), 9, failed(Code::TicketKnownExpired))
        };
        again(alice()).holds();
        let (attempt, user, epoch) = (attempt(2), ALICE.into(), 1);
        let frame = ClientFrame::Renew { call: 5, attempt, user, epoch, ticket: Some(ticket(TICKET)) };
        let renews = || login(alice(), 5, ALICE).on(PHONE, What::DeviceSent { connection: 0, reveals: 0, frame });
        again(renews()).breaks("TICKET-7");
        let answer = ServerFrame::RenewAnswer { call: 5, refused: None };
        again(ends(renews().receives(PHONE, answer), 5, Outcome::Done)).holds();
    }
}
