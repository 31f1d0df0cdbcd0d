//! What a logged-in device asks for: messages, administrative kicks, status queries.

use gatecrash::code::Code;
use gatecrash::protocol::{DeviceState, FrameError};
use gatecrash::store::EndReason;

use super::memory::Standing;
use super::outbox::{Answer, Status};
use super::records::{Id, Session};
use super::server::Server;
use crate::scenario::numbers::TEXT_MAX;
use crate::scenario::rules::{RuleId, rule};
use crate::trace::{Cast, Fact, List, ListIndex, Seconds, ServerFrame, TextIndex, UserIndex};

const MESSAGE: RuleId = rule("API-2");
const AGAIN: RuleId = rule("API-6");
const KICK: RuleId = rule("ADMIN-1");
const QUERY: RuleId = rule("ADMIN-2");

impl Server {
    /// Who asks on the connection; or [6014] on that of an ended session (KICK-10). None where
    /// nobody may ask, which is then refused (INPUT-1).
    fn asker(&mut self, connection: u32) -> Option<Result<UserIndex, Code>> {
        match self.memory.standing(connection) {
            Standing::Carries(user, _) => Some(Ok(user)),
            Standing::Over(..) => Some(Err(Code::NotLoggedIn)),
            Standing::Fresh => {
                self.refuse_frame(connection, FrameError::OutOfPlace);
                None
            }
        }
    }

    /// ADMIN-3
    fn administrator(&mut self, connection: u32) -> Option<Result<(), Code>> {
        let asker = self.asker(connection)?;
        let administrators = self.config.as_ref().map(|config| config.administrators.as_slice()).unwrap_or_default();
        Some(asker.and_then(|user| match administrators.contains(&user) {
            true => Ok(()),
            false => Err(Code::NotAdministrator),
        }))
    }

    pub(super) fn message(
        &mut self,
        cast: &Cast,
        (connection, id): (u32, Id),
        call: u32,
        (to, text, name): (UserIndex, TextIndex, u32),
    ) {
        let Some(asker) = self.asker(connection) else { return };
        let refuse = |code| Answer::This(ServerFrame::SendAnswer { call, message: 0, refused: Some(code) });
        let from = match asker {
            Ok(user) => user,
            Err(code) => return self.say(const { rule("KICK-10") }, connection, refuse(code)),
        };
        let sent = self.records.users.get(&from).map(|account| account.sent.as_slice()).unwrap_or_default();
        if let Some(first) = sent.iter().find(|sent| sent.name == name) {
            let answer = ServerFrame::SendAnswer { call, message: first.message, refused: None };
            return self.say(AGAIN, connection, Answer::This(answer));
        }
        if cast.text(text).len() > TEXT_MAX {
            return self.say(const { rule("API-4") }, connection, refuse(Code::InvalidArgument));
        }
        if !self.records.users.contains_key(&to) {
            return self.say(const { rule("API-4") }, connection, refuse(Code::UnknownUser));
        }
        let message = self.next_message();
        self.fact(MESSAGE, Fact::MessageStored { message, from, to, text, id: name });
        self.forget_sent(from);
        let answer = ServerFrame::SendAnswer { call, message, refused: None };
        self.say(MESSAGE, connection, Answer::This(answer));
        self.owe(cast, id, (message, from, to));
    }

    /// API-6: who sends forgets what they called the oldest, above the bound or of a login that is over.
    fn forget_sent(&mut self, user: UserIndex) {
        let second = self.step.wall.0 / 1_000_000;
        let Some(account) = self.records.users.get(&user) else { return };
        let mut left = account.sent.len();
        let mut through = None;
        for sent in &account.sent {
            let lives = account.sessions.iter().any(|session| session.epoch == sent.epoch) || second <= sent.until;
            if lives && left <= self.limits.sent_max {
                break;
            }
            (left, through) = (left - 1, Some(sent.message));
        }
        if let Some(through) = through {
            self.fact(AGAIN, Fact::SentForgotten { user, through });
        }
    }

    /// The number the server gave, if that is above all earlier ones; or else one that is.
    fn next_message(&self) -> u32 {
        let last = self.records.last_message;
        let given = self.step.given.iter().find_map(|fact| match *fact {
            Fact::MessageStored { message, .. } => Some(message),
            _ => None,
        });
        given.filter(|&message| message > last).unwrap_or(last + 1)
    }

    pub(super) fn admin_kick(&mut self, cast: &Cast, connection: u32, call: u32, user: UserIndex) {
        let Some(asker) = self.administrator(connection) else { return };
        let answer = |refused| Answer::This(ServerFrame::AdminKickAnswer { call, refused });
        if let Err(code) = asker {
            return self.say(const { rule("ADMIN-3") }, connection, answer(Some(code)));
        }
        let Some(account) = self.records.users.get(&user) else {
            return self.say(KICK, connection, answer(Some(Code::UnknownUser)));
        };
        let sessions = account.sessions.clone();
        // Ahead of the ends: the administrator's own session may be among them (KICK-10).
        self.say(KICK, connection, answer(None));
        let second = self.step.wall.0 / 1_000_000;
        self.fact(KICK, Fact::TicketsVoided { user, until: Seconds::new(second) });
        for Session { id, ticket, .. } in sessions {
            if cast.ticket(ticket).issued > second {
                self.fact(KICK, Fact::TicketVoided { user, ticket });
            }
            self.end_for(KICK, (user, id), EndReason::Administrator, None);
        }
    }

    pub(super) fn query(&mut self, cast: &Cast, connection: u32, call: u32, users: Option<ListIndex>) {
        let Some(asker) = self.administrator(connection) else { return };
        if let Err(code) = asker {
            let answer = ServerFrame::QueryAnswer { call, report: None, refused: Some(code) };
            return self.say(const { rule("ADMIN-3") }, connection, Answer::This(answer));
        }
        let users = match users.map(|list| cast.list(list)) {
            Some(List::Users(users)) => users.as_slice(),
            Some(List::Devices(_) | List::Conversations(_) | List::Report(_)) | None => &[],
        };
        let (known, unknown): (Vec<UserIndex>, Vec<UserIndex>) =
            users.iter().partition(|user| self.records.users.contains_key(user));
        let statuses = known.into_iter().chain(unknown).map(|user| self.status(user)).collect();
        self.say(QUERY, connection, Answer::Report(call, statuses));
    }

    fn status(&self, user: UserIndex) -> Status {
        let (first, last) = self.step.wall;
        let Some(account) = self.records.users.get(&user) else {
            return Status { user, presence: None, devices: Vec::new() };
        };
        let state = |session: &Session, wall| match session.lost {
            None => DeviceState::Connected,
            Some(_) if self.is_dormant(session, wall) => DeviceState::Dormant,
            Some(_) => DeviceState::LinkLost,
        };
        let devices = account.sessions.iter();
        let devices = devices.map(|session| (session.id.0, [state(session, first), state(session, last)])).collect();
        // What the last event told, whatever the clock says since (PRES-1).
        Status { user, presence: Some(account.presence), devices }
    }
}
