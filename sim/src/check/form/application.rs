//! Whose it is: a call's number, kind and user, the account and session of what an application is told, and what a device
//! says in the name of both.
//!
//! Follows what the application called, what came in, and the status. Whether any of it was right to say is not asked.

use gatecrash::client::Status;
use gatecrash::code::Code;
use gatecrash::id::Attempt;
use gatecrash::protocol::FrameError;
use gatecrash::time::Instant;

use super::{Misfit, remember, unfit};
use crate::check::grown::grown;
use crate::check::reading::kind_of;
use crate::scenario::rules::{RuleId, rule};
use crate::scenario::{CallKind, numbers};
use crate::trace::{
    Actor, Cast, ClientFrame, DeviceIndex, Effect, Event, Kick, Outcome, Refusal, Request, ServerFrame, Session,
    TextIndex, TicketIndex, Told, UserIndex, What, Write,
};

const CALL: RuleId = rule("API-5");
const LEFT: RuleId = rule("INIT-5");
const ACCOUNT: RuleId = rule("SWITCH-2");
const END: RuleId = rule("KICK-2");
const HELLO: RuleId = rule("VERSION-1");
const ATTEMPT: RuleId = rule("ATT-1");
const CONNECT: RuleId = rule("CONN-3");
const MESSAGE: RuleId = rule("API-2");
const PLACE: RuleId = rule("API-7");
const KICKED: RuleId = rule("KICK-1");
const EXPIRED: RuleId = rule("TICKET-5");
const KNOWN: RuleId = rule("KICK-7");
const TERMINAL: RuleId = rule("TICKET-6");

/// How an attempt may end of which nothing is known: no link, no connection or no answer in time, a record that cannot be
/// written, or a server that sent the device away.
const WITHOUT_A_WORD: [Code; 5] =
    [Code::NoLink, Code::ConnectTimeout, Code::NoAnswer, Code::StorageFailed, Code::ServerBusy];

/// How many ends of sessions, and how many messages, of a process are remembered.
const REMEMBERED: usize = 64;

/// The application on every device.
#[derive(Clone, Debug, Default)]
pub(super) struct Applications(Vec<Application>);

/// A session as it was: of which account, its epoch, and the place of its last message.
type Former = (Option<UserIndex>, u32, u32);

/// One process of it.
#[derive(Clone, Debug, Default)]
struct Application {
    /// The number of the last call.
    called: u32,
    /// The calls without a result.
    calls: Vec<(u32, Option<UserIndex>, Request)>,
    /// Whom the last login named.
    asked: Option<UserIndex>,
    account: Option<UserIndex>,
    epoch: u32,
    /// The last epoch that came with an answer.
    admitted: u32,
    /// Every session that this process had.
    sessions: Vec<Session>,
    /// What it was told of the ends of sessions.
    ended: Vec<Kick>,
    /// The messages that came.
    messages: Vec<(u32, UserIndex, UserIndex, TextIndex)>,
    /// The place of the last one, among those of the session.
    place: u32,
    /// The place that its last resume said: what there was no room for is counted from there.
    said: u32,
    /// The place when its connection was made, or its resume there was refused: a resume that waits for the disk is not
    /// asked again what came meanwhile on the connection of before.
    place_before: u32,
    /// Every ticket that it brought.
    tickets: Vec<TicketIndex>,
    /// The connection that it asked for last, and what is known of how the attempt on it ends.
    asked_on: u32,
    ends: Option<Code>,
    /// By which rule the session is over, where it heard so on that connection.
    over: Option<RuleId>,
    /// The sessions before at this instant, which count too: what was asked for in their names leaves when the SDK has
    /// done all that came.
    former: (Option<Instant>, Vec<Former>),
    /// The connections that it left last.
    left: Vec<u32>,
    /// The `uninit` that was answered last.
    uninit: u32,
    /// Which of its ids the device goes by, and how often it was started under that; none before that shows.
    installation: Option<u16>,
    starts: Option<u32>,
    /// What that was before, at this instant: what was asked for then leaves when the SDK has done all that came.
    starts_before: Option<(Instant, u32)>,
}

impl Applications {
    pub(super) fn observe(&mut self, cast: &Cast, event: &Event) -> Option<Misfit> {
        match (event.actor, event.what) {
            (Actor::World, What::Effect { effect: Effect::ProcessDead { device } }) => {
                *self.application(device) = Application::default();
                None
            }
            (Actor::Device(device), what) => self.application(device).event(cast, device, event.at, &what),
            (Actor::World | Actor::Server, _) => None,
        }
    }

    fn application(&mut self, device: DeviceIndex) -> &mut Application {
        grown(&mut self.0, device.index())
    }
}

impl Application {
    fn event(&mut self, cast: &Cast, device: DeviceIndex, at: Instant, what: &What) -> Option<Misfit> {
        match *what {
            What::Called { call, request } => {
                let user = match request {
                    Request::Login { user, ticket } => {
                        self.asked = Some(user);
                        self.tickets.push(ticket);
                        Some(user)
                    }
                    _ => self.account,
                };
                self.calls.push((call, user, request));
                let last = std::mem::replace(&mut self.called, call);
                let platform = cast.devices()[device.index()].platform;
                match request {
                    _ if call != last + 1 => misfit(CALL, format!("call {call} follows call {last}")),
                    Request::Init { platform: other } if other != platform => {
                        misfit(HELLO, format!("the SDK is initialised as that of another platform, {other}"))
                    }
                    _ => None,
                }
            }
            What::Answered { call, kind, user, outcome } => {
                let place = self.calls.iter().position(|(one, ..)| *one == call);
                let (whose, request) = place
                    .map(|place| self.calls.remove(place))
                    .map_or((None, None), |(_, user, request)| (user, Some(request)));
                if kind == Some(CallKind::Uninit) && outcome == Outcome::Done {
                    self.uninit = call;
                }
                let is_its = kind == request.as_ref().map(kind_of) && user == whose;
                (!is_its).then(|| unfit(CALL, format!("the result of call {call} is that of another call")))
            }
            What::UninitReturned { call } if call != self.uninit => {
                misfit(CALL, format!("uninit returned as call {call}, and was call {}", self.uninit))
            }
            What::Status { status, login_user } => {
                self.forget_former(at);
                self.former.1.push((self.account, self.epoch, self.place));
                self.over = None;
                match status {
                    Status::Logining => (self.account, self.epoch, self.place) = (self.asked, 0, 0),
                    Status::Logined => {
                        (self.account, self.epoch, self.place) = (login_user, self.admitted, 0);
                        self.begins();
                    }
                    Status::Logout => {}
                }
                None
            }
            What::Told { event, user, epoch } => self.told(event, user, epoch),
            // What comes on a connection that it has left it ignores.
            What::DeviceReceived { connection, .. } if self.left.contains(&connection) => None,
            What::DeviceReceived { connection, frame } => {
                self.received(connection, frame);
                None
            }
            What::CloseAsked { connection, .. } => {
                remember(&mut self.left, REMEMBERED, connection);
                None
            }
            What::DeviceSent { frame, .. } => {
                self.forget_former(at);
                self.starts_before.take_if(|(then, _)| *then != at);
                if let ClientFrame::Resume { received, .. } = frame {
                    self.said = received;
                }
                self.sent(cast, device, frame)
            }
            What::Connected { .. } => {
                self.place_before = self.place;
                None
            }
            What::ConnectAsked { connection } => {
                (self.asked_on, self.ends, self.over) = (connection, None, None);
                None
            }
            What::ConnectFailed { connection } => {
                if connection == self.asked_on {
                    self.ends = Some(Code::NoLink);
                }
                None
            }
            What::Untrusted { connection } => {
                if connection == self.asked_on {
                    self.ends = Some(Code::ServerUntrusted);
                }
                None
            }
            What::StoreAsked { write: Write::Conversations { user, .. }, .. } if Some(user) != self.account => {
                misfit(ACCOUNT, "a list is kept that is not the account's".to_owned())
            }
            What::StoreAsked { write: Write::Installation { installation, starts, .. }, .. } => {
                self.installation = Some(installation);
                if let Some(before) = self.starts.replace(starts).filter(|before| *before != starts) {
                    self.starts_before = Some((at, before));
                }
                None
            }
            What::NewDevice { installation } | What::KnownAs { installation, .. } => {
                self.installation = Some(installation);
                None
            }
            _ => None,
        }
    }

    fn begins(&mut self) {
        if let Some(user) = self.account {
            remember(&mut self.sessions, REMEMBERED, Session { user, epoch: self.epoch });
        }
    }

    fn told(&self, event: Told, user: Option<UserIndex>, epoch: u32) -> Option<Misfit> {
        if let Told::KickedOffline { by, reason } = event {
            let is_it = |kick: &Kick| (Some(kick.user), kick.epoch, kick.by, kick.reason) == (user, epoch, by, reason);
            let is_known = self.ended.iter().any(is_it);
            return (!is_known)
                .then(|| unfit(END, "the application is told of an end that the server did not tell".to_owned()));
        }
        if (user, epoch) != (self.account, self.epoch) {
            let rule = if user == self.account { END } else { ACCOUNT };
            return misfit(rule, format!("{} is told of another session", event.word()));
        }
        match event {
            Told::ConnectFailed { .. } if self.over.is_some() => {
                self.over.map(|rule| unfit(rule, "an attempt is told to have failed, and ended the session".to_owned()))
            }
            Told::ConnectFailed { code } if self.ends.is_some_and(|known| known != code) => {
                misfit(CONNECT, format!("an attempt is told to have ended with [{}]", code.number()))
            }
            Told::ConnectFailed { code } if self.ends.is_none() && !WITHOUT_A_WORD.contains(&code) => misfit(
                // A session whose ticket has run out ends with the event for that.
                if code == Code::TicketExpired { TERMINAL } else { CONNECT },
                format!("an attempt that nothing came of is told to have ended with [{}]", code.number()),
            ),
            Told::Message { message, from, to, text } if !self.messages.contains(&(message, from, to, text)) => {
                misfit(MESSAGE, format!("message {message} is told otherwise than it came"))
            }
            _ => None,
        }
    }

    fn received(&mut self, connection: u32, frame: ServerFrame) {
        // What comes on another connection says nothing of the attempt on this one.
        let is_of_attempt = connection == self.asked_on;
        match frame {
            ServerFrame::LoginAccepted { epoch, .. } => self.admitted = epoch,
            ServerFrame::LoginRefused { refused: Refusal::Code(code), .. } => self.ends = Some(code),
            ServerFrame::LoginRefused { refused: Refusal::Stale, .. } => self.ends = Some(Code::NoAnswer),
            ServerFrame::ResumeUnable { code, .. } => self.ends = Some(code),
            ServerFrame::Error { why: FrameError::Version } => self.ends = Some(Code::VersionNotSupported),
            ServerFrame::Resumed { dropped, .. } if dropped > 0 => {
                self.place = self.place.max(self.said.saturating_add(dropped));
            }
            ServerFrame::ResumedAsLogin { epoch, .. } => {
                (self.admitted, self.epoch, self.place) = (epoch, epoch, 0);
                self.begins();
            }
            ServerFrame::ResumeRefused { .. } => self.place_before = self.place,
            ServerFrame::Kick { kick } => remember(&mut self.ended, REMEMBERED, kick),
            ServerFrame::ResumeKicked { kick, .. } => {
                self.over = is_of_attempt.then_some(KICKED).or(self.over);
                remember(&mut self.ended, REMEMBERED, kick);
            }
            ServerFrame::ResumeExpired { .. } if is_of_attempt => self.over = Some(EXPIRED),
            ServerFrame::Message { message, from, to, text, place } => {
                self.place = self.place.max(place);
                remember(&mut self.messages, REMEMBERED, (message, from, to, text));
            }
            _ => {}
        }
    }

    fn request(&self, call: u32) -> Option<&Request> {
        self.calls.iter().find(|(one, ..)| *one == call).map(|(.., request)| request)
    }

    /// A frame is about what was called, and about the session that the device has.
    fn sent(&self, cast: &Cast, device: DeviceIndex, frame: ClientFrame) -> Option<Misfit> {
        let word = frame.word();
        let is_called = |is_it: bool| (!is_it).then(|| unfit(CALL, format!("{word} is not what was called")));
        let is_of_session_by =
            |rule: RuleId, is_it: bool| (!is_it).then(|| unfit(rule, format!("{word} is about another session")));
        let is_of_session = |is_it: bool| is_of_session_by(ACCOUNT, is_it);
        if let ClientFrame::Login { attempt, .. }
        | ClientFrame::Resume { attempt, .. }
        | ClientFrame::Renew { attempt, .. }
        | ClientFrame::Logout { attempt, .. } = frame
        {
            let Attempt { start, .. } = attempt;
            let was_before = self.starts_before.is_some_and(|(_, before)| before == start);
            if self.starts.is_some_and(|starts| starts != start)
                && !was_before
                && !matches!(frame, ClientFrame::Logout { .. })
            {
                return misfit(ATTEMPT, format!("{word} is an attempt of start {start}, which this is not"));
            }
        }
        match frame {
            ClientFrame::Hello { version, platform, installation } => {
                let is_its = version == numbers::PROTOCOL
                    && platform == cast.devices()[device.index()].platform
                    && self.installation.is_none_or(|known| known == installation);
                (!is_its).then(|| unfit(HELLO, "the device says hello as another one".to_owned()))
            }
            ClientFrame::Login { call, user, ticket, .. } => is_called(matches!(
                self.request(call),
                Some(Request::Login { user: of, ticket: brought }) if *of == user && Some(*brought) == ticket
            )),
            ClientFrame::Renew { call, user, epoch, ticket, .. } => is_called(matches!(
                self.request(call),
                Some(Request::Login { ticket: brought, .. }) if Some(*brought) == ticket
            ))
            .or_else(|| self.is_session(word, user, epoch, None)),
            ClientFrame::Resume { user, epoch, ticket, received, .. } => {
                let is_brought = ticket.is_some_and(|ticket| self.tickets.contains(&ticket));
                let waited = self.place_before..self.place;
                let place = Some(received).filter(|place| !waited.contains(place));
                is_of_session(is_brought).or_else(|| self.is_session(word, user, epoch, place))
            }
            // INIT-5: nobody is logged out who did not ask for it.
            ClientFrame::Logout { call, .. } => {
                (call > self.called).then(|| unfit(LEFT, "a logout leaves that nobody called for".to_owned()))
            }
            ClientFrame::LoginAcknowledged { user, epoch } => {
                let is_user = self.sessions.iter().any(|session| session.user == user);
                let is_it = self.sessions.contains(&Session { user, epoch });
                // KICK-7: a session of the user that was not told of counts as one that the device knows.
                is_of_session_by(if is_user { KNOWN } else { ACCOUNT }, is_it)
            }
            ClientFrame::KickConfirmed { user, epoch } => {
                is_of_session(self.ended.iter().any(|kick| (kick.user, kick.epoch) == (user, epoch)))
            }
            ClientFrame::MessagesReceived { user, epoch, through } => self.is_session(word, user, epoch, Some(through)),
            ClientFrame::Send { call, to, text, id } => is_called(matches!(
                self.request(call),
                Some(Request::Send { to: whom, text: what, id: name })
                    if (*whom, *what) == (to, text) && name.is_none_or(|name| name == id)
            )),
            ClientFrame::AdminKick { call, user } => {
                is_called(matches!(self.request(call), Some(Request::Kick { user: of }) if *of == user))
            }
            ClientFrame::Query { call, users } => {
                is_called(matches!(self.request(call), Some(Request::Query { users: of }) if *of == users))
            }
            ClientFrame::Heartbeat => None,
        }
    }
}

impl Application {
    /// Those of an earlier instant.
    fn forget_former(&mut self, at: Instant) {
        if self.former.0.replace(at) != Some(at) {
            self.former.1.clear();
        }
    }

    /// Whether the device has this session, and its messages up to this place, or had until just now.
    fn is_session(&self, word: &str, user: UserIndex, epoch: u32, place: Option<u32>) -> Option<Misfit> {
        let is_one = |account: Option<UserIndex>, of: u32, last: u32| {
            (account, of) == (Some(user), epoch) && place.is_none_or(|place| place == last)
        };
        if self.former.1.iter().any(|&(account, of, last)| is_one(account, of, last))
            || is_one(self.account, self.epoch, self.place)
        {
            return None;
        }
        if self.account != Some(user) {
            return misfit(ACCOUNT, format!("{word} is about the session of another user"));
        }
        if self.epoch != epoch {
            return misfit(END, format!("{word} is about another session of the user"));
        }
        misfit(PLACE, format!("{word} says that other messages came than did"))
    }
}

fn misfit(rule: RuleId, text: String) -> Option<Misfit> {
    Some(unfit(rule, text))
}
