//! What becomes of messages on a device: it tells the application (API-2), keeps the conversations (API-3), and says
//! to the server that they came (API-7).
//!
//! The list is worked out from what came in. That what is kept is what is shown, and survives the process, is
//! `account`'s.

use gatecrash::client::Status;
use gatecrash::time::Instant;

use super::contract::Property;
use super::report::Report;
use super::scene::Scene;
use super::sdk::Sdk;
use crate::check::grown::grown;
use crate::scenario::numbers::{LIST_MAX, UNDER_WAY_MAX, preview};
use crate::scenario::rules::{RuleId, rule};
use crate::trace::{
    Cast, ClientFrame, DeviceIndex, Effect, Event, List, ListIndex, Request, ServerFrame, Session, TextIndex, Told,
    UserIndex, What, Write,
};

const LIST: RuleId = rule("API-2");
const KEPT: RuleId = rule("API-3");
const ACKNOWLEDGED: RuleId = rule("API-7");

/// After so many messages a device says that they came without another reason (API-7's reading).
const UNSAID_MAX: u32 = UNDER_WAY_MAX as u32 / 2;

#[derive(Default)]
pub(super) struct Kept {
    devices: Vec<Device>,
}

#[derive(Clone, Default)]
struct Device {
    /// The session that what comes in belongs to, where that is certain.
    session: Option<Session>,
    /// The user's list, newest first.
    list: Vec<Line>,
    /// The list has changed, and its write was not asked for.
    unkept_since: Option<Instant>,
    /// The place of the last message that came, and the last one that the server knows of.
    came: u32,
    said: u32,
    /// A message came while nothing waited for the disk: what is sent now was sent after it came.
    owes_word: bool,
    /// Since when so many came that it has to be said at once.
    overdue_since: Option<Instant>,
    /// Messages that came and that the application was not told.
    untold: Vec<(u32, Instant)>,
    /// Messages on their way, without a result.
    sends: Vec<Sending>,
}

/// A conversation with somebody: the last message's number and its text, all of it or its beginning.
type Line = (UserIndex, u32, TextIndex);

#[derive(Clone, Copy)]
struct Sending {
    call: u32,
    to: UserIndex,
    text: TextIndex,
}

fn lines(cast: &Cast, list: Option<ListIndex>) -> Vec<Line> {
    match list.map(|list| cast.list(list)) {
        Some(List::Conversations(lines)) => lines.iter().map(|line| (line.peer, line.last, line.preview)).collect(),
        Some(List::Devices(_) | List::Users(_) | List::Report(_)) | None => Vec::new(),
    }
}

/// Whether the lines written are those of `list`.
fn are_those(cast: &Cast, written: &[Line], list: &[Line]) -> bool {
    let is_shown = |whole, shown| whole == shown || preview(cast.text(whole)) == cast.text(shown);
    written.len() == list.len()
        && written.iter().zip(list).all(|(one, other)| (one.0, one.1) == (other.0, other.1) && is_shown(other.2, one.2))
}

impl Device {
    fn begins(&mut self, cast: &Cast, at: Instant, session: Session, list: Option<ListIndex>) {
        let before = self.session.map(|session| session.user);
        let (brought, sends) = (lines(cast, list), std::mem::take(&mut self.sends));
        let changes = before == Some(session.user) && !are_those(cast, &brought, &self.list);
        let unkept_since = changes.then_some(at);
        *self = Device { session: Some(session), list: brought, unkept_since, sends, ..Device::default() };
    }

    fn enters(&mut self, at: Instant, user: UserIndex, from: UserIndex, to: UserIndex, message: u32, text: TextIndex) {
        let peer = if user == from { to } else { from };
        if self.list.iter().any(|&(known, last, _)| known == peer && last >= message) {
            return;
        }
        self.list.retain(|&(known, ..)| known != peer);
        let place = self.list.iter().position(|&(_, last, _)| last <= message).unwrap_or(self.list.len());
        self.list.insert(place, (peer, message, text));
        self.list.truncate(LIST_MAX);
        self.unkept_since = Some(at);
    }

    fn received(&mut self, scene: &Scene<'_>, event: &Event, sdk: &Sdk, connection: u32, frame: ServerFrame) {
        let (is_link, at) = (sdk.connection == Some(connection), event.at);
        let is_doubted = sdk.doubted.is_some_and(|(doubted, _)| doubted == connection);
        match (frame, self.session) {
            (ServerFrame::LoginAccepted { call, epoch, conversations, .. }, _)
                if is_link && call == sdk.login_call && sdk.status == Status::Logining =>
            {
                let Some(user) = sdk.account else { return };
                // Of whom it was before nobody knows: another user's list is kept, too.
                self.session = None;
                self.begins(scene.cast, at, Session { user, epoch }, conversations);
            }
            (ServerFrame::ResumedAsLogin { epoch, conversations, .. }, Some(session)) if is_link => {
                self.begins(scene.cast, at, Session { epoch, ..session }, conversations);
            }
            (ServerFrame::Resumed { conversations, dropped, .. }, Some(_)) if is_link => {
                let brought = lines(scene.cast, conversations);
                if !are_those(scene.cast, &brought, &self.list) {
                    (self.list, self.unkept_since) = (brought, Some(at));
                }
                let through = self.said.saturating_add(dropped);
                (self.came, self.said) = (self.came.max(through), self.said.max(through));
            }
            (ServerFrame::Message { message, from, to, text, place }, Some(Session { user, .. }))
                if (is_link || is_doubted) && (user == from || user == to) && place > self.came =>
            {
                self.came = place;
                self.untold.push((message, at));
                self.enters(at, user, from, to, message, text);
                self.owes_word = !sdk.is_writing(at);
                if sdk.up_since.is_some() && self.owes_word && self.came - self.said >= UNSAID_MAX {
                    self.overdue_since = self.overdue_since.or(Some(at));
                }
            }
            (ServerFrame::SendAnswer { call, message, refused: None }, Some(Session { user, .. }))
                if is_link || is_doubted =>
            {
                // API-6: a number that is no new one is that of the message sent first, maybe to somebody else.
                let is_new = self.list.iter().all(|&(_, last, _)| last < message);
                if is_new && let Some(&Sending { to, text, .. }) = self.sends.iter().find(|send| send.call == call) {
                    self.enters(at, user, user, to, message, text);
                }
            }
            // KICK-1, TICKET-5: nothing is shown of what came after.
            (ServerFrame::Kick { .. } | ServerFrame::ResumeKicked { .. }, _)
            | (ServerFrame::Expired { .. } | ServerFrame::ResumeExpired { .. }, _) => self.session = None,
            _ => {}
        }
    }

    /// What leaves the device ahead of its word that messages came, if that is owed.
    fn sent(&mut self, frame: ClientFrame, sdk: &Sdk) -> Option<&'static str> {
        match frame {
            ClientFrame::MessagesReceived { through, .. } => self.has_said(through),
            ClientFrame::Resume { received, .. } => self.has_said(received),
            ClientFrame::Heartbeat
            | ClientFrame::Renew { .. }
            | ClientFrame::Send { .. }
            | ClientFrame::AdminKick { .. }
            | ClientFrame::Query { .. } => {
                let is_owed = self.session.is_some() && self.owes_word && sdk.up_since.is_some();
                return is_owed.then(|| frame.word());
            }
            ClientFrame::Hello { .. }
            | ClientFrame::Login { .. }
            | ClientFrame::LoginAcknowledged { .. }
            | ClientFrame::Logout { .. }
            | ClientFrame::KickConfirmed { .. } => {}
        }
        None
    }

    /// The session is over, or may be: nothing of it is told any more.
    fn ends(&mut self) {
        self.session = None;
        self.untold.clear();
    }

    fn has_said(&mut self, through: u32) {
        self.said = self.said.max(through);
        if self.said >= self.came {
            (self.owes_word, self.overdue_since) = (false, None);
        }
    }
}

impl Property for Kept {
    sentence!(
        Always,
        "what comes in of messages is told, kept in the conversations, and said to have come",
        "API-2",
        "API-3",
        "API-7"
    );
    watches!(
        "effect",
        "called",
        "answered",
        "status",
        "told",
        "device_received",
        "device_sent",
        "store_asked",
        "connect_asked",
        "close_asked",
        "gone",
        "link_lost"
    );
    // What it sends next shows whether it has said what it had to, whatever that is.
    frames!(all);

    fn observe(&mut self, scene: &Scene<'_>, event: &Event, report: &mut Report) {
        if let What::Effect { effect: Effect::ProcessDead { device } | Effect::ProcessUp { device } } = event.what {
            *grown(&mut self.devices, device.index()) = Device::default();
        }
        let Some((on, sdk)) = scene.actor else { return };
        let name = scene.device(on);
        let device: &mut Device = grown(&mut self.devices, DeviceIndex::index(on));
        if device.overdue_since.take_if(|since| *since < event.at).is_some() {
            let text = format!("{name} has got {UNSAID_MAX} messages, and has not said that they came");
            report.missing_by(ACKNOWLEDGED, event, "messages_received", text);
        }
        let is_held = sdk.is_suspended || sdk.is_writing(event.at);
        let is_overdue = |at: Instant| at.max(sdk.woken_at) + scene.allowance.slack < event.at;
        if !is_held && let Some(place) = device.untold.iter().position(|&(_, at)| is_overdue(at)) {
            let (message, _) = device.untold.remove(place);
            let text = format!("{name} has got message {message}, and its application was not told");
            report.missing_by(LIST, event, "told", text);
        }
        if device.unkept_since.take_if(|since| *since < event.at).is_some() {
            let text = format!("{name} has not written its conversations, which had changed");
            report.missing_by(KEPT, event, "store_asked", text);
        }
        match event.what {
            What::Told { event: Told::Message { message, .. }, .. } => device.untold.retain(|&(one, _)| one != message),
            What::Called { call, request } => match request {
                Request::Send { to, text, .. } => device.sends.push(Sending { call, to, text }),
                // Another user's login may be refused at once: whose the SDK is then is not worked out.
                Request::Login { user, .. } => {
                    if device.session.is_some_and(|session| session.user != user) {
                        device.ends();
                    }
                }
                Request::Logout | Request::Uninit => device.ends(),
                Request::Init { .. } | Request::Conversations | Request::Kick { .. } | Request::Query { .. } => {}
            },
            What::Answered { call, .. } => device.sends.retain(|send| send.call != call),
            What::Status { status: Status::Logout, .. } => device.ends(),
            What::DeviceReceived { connection, frame } => device.received(scene, event, sdk, connection, frame),
            What::DeviceSent { frame, .. } => {
                if let Some(word) = device.sent(frame, sdk) {
                    device.owes_word = false;
                    let text = format!("{name} sends {word}, and has not said before which messages came");
                    report.event(ACKNOWLEDGED, event, text);
                }
            }
            What::StoreAsked { write: Write::Conversations { user, conversations }, .. } => {
                let Some(session) = device.session.filter(|session| session.user == user) else { return };
                device.unkept_since = None;
                if !are_those(scene.cast, &lines(scene.cast, conversations), &device.list) {
                    let text = format!(
                        "{name} keeps another list of {}'s conversations than came in",
                        scene.user(session.user)
                    );
                    report.event(LIST, event, text);
                }
            }
            What::ConnectAsked { .. } | What::CloseAsked { .. } | What::Gone { .. } | What::LinkLost => {
                (device.owes_word, device.overdue_since) = (false, None);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::story::*;
    use super::*;

    fn alice() -> Story {
        Story::of(Kept::default()).logs_in(PHONE, ALICE, 1)
    }

    fn message(story: Story, place: u32) -> Story {
        let (from, to) = (BOB.into(), ALICE.into());
        story.receives(PHONE, ServerFrame::Message { message: place, from, to, text: text(0), place })
    }

    fn keeps(story: Story, conversations: Option<ListIndex>) -> Story {
        let write = Write::Conversations { user: ALICE.into(), conversations };
        story.on(PHONE, What::StoreAsked { change: 1, write })
    }

    fn sends(story: Story, frame: ClientFrame) -> Story {
        story.on(PHONE, What::DeviceSent { connection: 0, reveals: 0, frame })
    }

    fn received(through: u32) -> ClientFrame {
        ClientFrame::MessagesReceived { user: ALICE.into(), epoch: 1, through }
    }

    /// API-2
    #[test]
    fn a_list_without_a_message_that_came_is_seen() {
        keeps(alice(), None).holds();
        keeps(message(alice(), 1), None).breaks("API-2");
        let sent = ServerFrame::SendAnswer { call: 7, message: 3, refused: None };
        let sends = alice().calls(PHONE, 7, Request::Send { to: BOB.into(), text: text(0), id: None });
        keeps(sends.receives(PHONE, sent), None).breaks("API-2");
    }

    /// API-2
    #[test]
    fn a_message_that_is_not_told_is_seen() {
        let told = Told::Message { message: 1, from: BOB.into(), to: ALICE.into(), text: text(0) };
        let asks = |story: Story| story.at(9).calls(PHONE, 8, Request::Conversations);
        asks(message(alice(), 1)).breaks("API-2");
        // What else is wrong here is that it is not kept.
        asks(message(alice(), 1).told(PHONE, told, ALICE, 1)).breaks("API-3");
    }

    /// API-3
    #[test]
    fn a_list_that_is_not_written_is_seen() {
        message(alice(), 1).holds();
        let told = Told::Message { message: 1, from: BOB.into(), to: ALICE.into(), text: text(0) };
        let later = message(alice(), 1).told(PHONE, told, ALICE, 1).at(9);
        later.calls(PHONE, 8, Request::Conversations).breaks("API-3");
    }

    /// API-7
    #[test]
    fn a_message_that_is_passed_over_in_silence_is_seen() {
        sends(message(alice(), 1), ClientFrame::Heartbeat).breaks("API-7");
        sends(sends(message(alice(), 1), received(1)), ClientFrame::Heartbeat).holds();
        // Of fewer it says so with what it sends anyway. What else is wrong here is that nobody was told.
        let asks = |story: Story| story.at(9).calls(PHONE, 8, Request::Conversations);
        asks((1..=UNSAID_MAX).fold(alice(), message)).breaks("API-7");
        asks((1..UNSAID_MAX).fold(alice(), message)).breaks("API-2");
    }
}
