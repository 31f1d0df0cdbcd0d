//! What a device learns of a session it says it has learnt: its beginning, and its end (KICK-3, KICK-7).

use std::time::Duration;

use gatecrash::client::Status;
use gatecrash::time::Instant;

use super::contract::Property;
use super::noted::Notes;
use super::overdue::Overdue;
use super::report::Report;
use super::scene::Scene;
use super::sdk::Sdk;
use crate::check::grown::grown;
use crate::scenario::rules::{RuleId, rule};
use crate::trace::{ClientFrame, DeviceIndex, Effect, Event, ServerFrame, Session, UserIndex, What};

const CONFIRM: RuleId = rule("KICK-3");
const ACKNOWLEDGE: RuleId = rule("KICK-7");

#[derive(Default)]
pub(super) struct Confirmations {
    /// Of each device, what it has yet to say on its connection.
    owed: Vec<Vec<Owed>>,
    /// What their records say of sessions that have ended.
    notes: Notes,
}

#[derive(Clone, Copy, PartialEq)]
struct Owed {
    word: Word,
    user: UserIndex,
    epoch: u32,
    since: Instant,
}

#[derive(Clone, Copy, PartialEq)]
enum Word {
    Acknowledgement,
    Confirmation,
}

impl Confirmations {
    fn owed(&mut self, device: DeviceIndex) -> &mut Vec<Owed> {
        grown(&mut self.owed, device.index())
    }

    fn said(&mut self, device: DeviceIndex, word: Word, user: UserIndex, epoch: u32) {
        let owed = self.owed(device);
        if let Some(place) = owed.iter().position(|one| (one.word, one.user, one.epoch) == (word, user, epoch)) {
            owed.remove(place);
        }
    }
}

/// What the device has not said though nothing kept it from saying so.
fn overdue(scene: &Scene<'_>, sdk: &Sdk, owed: &Owed) -> bool {
    // A kick that names nobody known waits for the answer of the login under way (KICK-8).
    let may_wait = sdk.status == Status::Logining || sdk.is_suspended || sdk.is_writing(scene.now);
    !may_wait && owed.since.max(sdk.woken_at) + scene.allowance.slack < scene.now
}

impl Property for Confirmations {
    sentence!(Eventually, "a device acknowledges the login and confirms the kick that it hears of", "KICK-3", "KICK-7");
    // What it looks at; what is overdue shows at the next of them.
    watches!(
        "device_sent",
        "device_received",
        "connect_asked",
        "close_asked",
        "gone",
        "link_lost",
        "uninit_returned",
        "called",
        "told",
        "store_asked",
        "stored",
        "new_device",
        "effect"
    );
    frames!(
        "login",
        "resumed_as_login",
        "logout_answer",
        "kick_confirmed",
        "login_acknowledged",
        "kick",
        "resume_kicked",
        "login_accepted",
        "heartbeat",
        "heartbeat_answer"
    );

    fn observe(&mut self, scene: &Scene<'_>, event: &Event, report: &mut Report) {
        if let What::Effect { effect: Effect::ProcessDead { device } | Effect::ProcessUp { device } } = event.what {
            self.owed(device).clear();
        }
        if let What::Effect { effect } = event.what {
            self.notes.effect(effect);
        }
        let Some((on, sdk)) = scene.actor else { return };
        match event.what {
            What::DeviceSent { frame: ClientFrame::KickConfirmed { user, epoch }, .. } => {
                self.said(on, Word::Confirmation, user, epoch);
            }
            What::DeviceSent { frame: ClientFrame::LoginAcknowledged { user, epoch }, .. } => {
                self.said(on, Word::Acknowledgement, user, epoch);
            }
            What::DeviceSent { frame: ClientFrame::Login { known_ended, .. }, .. } => {
                if let Some(known) = self.notes.named_next(on, event.at)
                    && known != known_ended
                {
                    let named = |one: Option<Session>| {
                        one.map_or("none".to_owned(), |one| scene.session(on, one.user, one.epoch))
                    };
                    let (name, known, said) = (scene.device(on), named(known), named(known_ended));
                    let text = format!("{name} logs in and names {said} as ended; its record says {known}");
                    report.event(CONFIRM, event, text);
                }
            }
            What::StoreAsked { change, write } => {
                if let Some(Session { user, epoch }) = self.notes.asked(on, change, &write) {
                    let (name, session) = (scene.device(on), scene.session(on, user, epoch));
                    let text =
                        format!("{name}'s record says no more that {session} has ended, and no login was accepted");
                    report.event(ACKNOWLEDGE, event, text);
                }
            }
            What::Called { .. } => self.notes.called(on),
            What::Stored { change } => self.notes.stored(on, change, event.at),
            What::NewDevice { .. } => self.notes.is_another(on),
            What::DeviceReceived {
                frame:
                    ServerFrame::LoginAccepted { .. }
                    | ServerFrame::ResumedAsLogin { .. }
                    | ServerFrame::LogoutAnswer { refused: None, .. },
                ..
            } => self.notes.settled(on),
            _ => {}
        }
        if let Some(place) = self.owed(on).iter().position(|owed| overdue(scene, sdk, owed)) {
            let Owed { word, user, epoch, since } = self.owed(on).remove(place);
            let (rule, what, missing) = match word {
                Word::Acknowledgement => (ACKNOWLEDGE, "the login that made", "login_acknowledged"),
                Word::Confirmation => (CONFIRM, "the end of", "kick_confirmed"),
            };
            let (name, session) = (scene.device(on), scene.session(on, user, epoch));
            let at = since.max(sdk.woken_at);
            let overdue = Overdue { since: "it heard", at, limit: Duration::ZERO, now: event.at };
            let text = format!("{name} heard of {what} {session} and never told the server so: {overdue}");
            report.missing_by(rule, event, missing, text);
        }
        match event.what {
            What::DeviceReceived { connection, frame } if sdk.connection == Some(connection) => {
                let since = event.at;
                let owed = match frame {
                    ServerFrame::Kick { kick } | ServerFrame::ResumeKicked { kick, .. } => {
                        Owed { word: Word::Confirmation, user: kick.user, epoch: kick.epoch, since }
                    }
                    ServerFrame::LoginAccepted { call, epoch, .. }
                        if call == sdk.login_call && sdk.status == Status::Logining =>
                    {
                        let Some(user) = sdk.account else { return };
                        Owed { word: Word::Acknowledgement, user, epoch, since }
                    }
                    _ => return,
                };
                self.owed(on).push(owed);
            }
            // Nothing is said on a connection that is no more, nor by an SDK that was told to be silent.
            What::ConnectAsked { .. }
            | What::CloseAsked { .. }
            | What::Gone { .. }
            | What::LinkLost
            | What::UninitReturned { .. } => self.owed(on).clear(),
            What::Called { .. } if sdk.asked_to_end().is_some() => self.owed(on).clear(),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::story::*;
    use super::*;
    use crate::trace::Write;

    fn story() -> Story {
        Story::of(Confirmations::default()).logs_in(PHONE, ALICE, 1)
    }

    fn sends(story: Story, frame: ClientFrame) -> Story {
        story.on(PHONE, What::DeviceSent { connection: 0, reveals: 0, frame })
    }

    fn acknowledges(story: Story, epoch: u32) -> Story {
        sends(story, ClientFrame::LoginAcknowledged { user: ALICE.into(), epoch })
    }

    /// A minute later it still has its connection.
    fn goes_on(story: Story) -> Story {
        story.at(60).receives(PHONE, ServerFrame::HeartbeatAnswer)
    }

    /// KICK-7
    #[test]
    fn a_login_that_is_not_acknowledged_is_seen() {
        goes_on(acknowledges(story(), 1)).holds();
        goes_on(story()).breaks("KICK-7");
        goes_on(acknowledges(story(), 2)).breaks("KICK-7");
        story().at(60).on(PHONE, What::LinkLost).breaks("KICK-7");
        goes_on(story().on(PHONE, What::LinkLost)).holds();
    }

    /// KICK-3
    #[test]
    fn a_kick_that_is_not_confirmed_is_seen() {
        let kicked = || acknowledges(story(), 1).receives(PHONE, ServerFrame::Kick { kick: kick(ALICE, 1) });
        let confirmed = ClientFrame::KickConfirmed { user: ALICE.into(), epoch: 1 };
        goes_on(sends(kicked(), confirmed)).holds();
        goes_on(kicked()).breaks("KICK-3");
        let stored = What::Stored { change: 1 };
        let writing = kicked().on(PHONE, What::StoreAsked { change: 1, write: known_ended(ALICE, 1) });
        sends(writing.at(60).on(PHONE, stored), confirmed).holds();
    }

    /// KICK-3, KICK-7: what is noted of an end stays noted, and is named, until a login is accepted.
    #[test]
    fn an_end_that_is_forgotten_is_seen() {
        let (user, device) = (ALICE.into(), PHONE.into());
        let writes = |story: Story, change, write| {
            story.on(PHONE, What::StoreAsked { change, write }).on(PHONE, What::Stored { change })
        };
        let kicked = || {
            let kicked = acknowledges(story(), 1).receives(PHONE, ServerFrame::Kick { kick: kick(ALICE, 1) });
            sends(writes(kicked, 1, known_ended(ALICE, 1)), ClientFrame::KickConfirmed { user, epoch: 1 })
        };
        let names = |story: Story, known_ended| {
            sends(story, ClientFrame::Login { call: 9, attempt: attempt(2), user, ticket: None, known_ended })
        };
        names(kicked().at(5), Some(Session { user, epoch: 1 })).holds();
        names(kicked().at(5), None).breaks("KICK-3");
        // It may have been made before, and waited for the disk.
        names(kicked(), None).holds();
        let empty = Write::Installation { installation: 1, starts: 1, owed_end: false, known_ended: None };
        let forgets = |story: Story| writes(story, 2, empty);
        forgets(kicked().at(5)).breaks("KICK-7");
        let answer = ServerFrame::LoginAccepted { call: 9, epoch: 2, conversations: None, terms: Terms::default() };
        acknowledges(forgets(kicked().at(5).receives(PHONE, answer)), 2).holds();
        let dies = |story: Story| story.effect(Effect::ProcessDead { device });
        forgets(dies(kicked())).breaks("KICK-7");
        forgets(dies(kicked()).effect(Effect::DiskEmpty { device })).holds();
    }
}
