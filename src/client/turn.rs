//! One turn of the machine: the state, the time, the way out, and the verbs every exchange uses.
//!
//! Knows no exchange. Which one a frame or timer belongs to is sorted out here, and no more.

use crate::client::interface::{Action, Event, Note, Reply, Timer};
use crate::client::life::{Account, Life, Line, Stage};
use crate::client::outbox::Outbox;
use crate::code::Code;
use crate::decide::ClientDecisions;
use crate::id::{CallId, Change, ConnectionId};
use crate::protocol::{ClientFrame, ServerFrame};
use crate::ticket::Ticket;
use crate::time::Instant;

/// Everything at hand while one input or timer is dealt with.
pub(super) struct Turn<'a, D> {
    pub(super) now: Instant,
    pub(super) decisions: &'a D,
    pub(super) life: &'a mut Life,
    pub(super) outbox: &'a mut Outbox,
}

impl<D: ClientDecisions> Turn<'_, D> {
    /// A frame that makes no sense now is ignored.
    pub(super) fn frame(&mut self, connection: ConnectionId, frame: ServerFrame) {
        let is_open = |line: &Line| line.connection == connection && line.stage != Stage::Opening;
        if !self.life.line.as_ref().is_some_and(is_open) {
            return;
        }
        match frame {
            ServerFrame::LoginAnswer { call, outcome } => self.login_answered(call, outcome),
            ServerFrame::ResumeAnswer { attempt, outcome } => self.resume_answered(attempt, outcome),
            ServerFrame::RenewAnswer { call, outcome } => self.renewal_answered(call, outcome),
            ServerFrame::LogoutAnswer { call, outcome } => self.logout_answered(call, outcome),
            ServerFrame::HeartbeatAnswer => self.heartbeat_answered(),
            ServerFrame::Kick(kick) => self.kicked(kick),
            ServerFrame::Expired(name) => self.expired(name),
            ServerFrame::SendAnswer { call, outcome } => self.message_sent(call, outcome),
            ServerFrame::Message(message) => self.message_came(message),
            ServerFrame::AdminKickAnswer { call, outcome } => self.admin_kick_answered(call, outcome),
            ServerFrame::StatusAnswer { call, outcome } => self.query_answered(call, outcome),
            ServerFrame::Error(_) => self.link_lost(),
        }
    }

    /// `forced`: it fires irrespective of the time.
    pub(super) fn timer(&mut self, timer: Timer, forced: bool) {
        match timer {
            Timer::HeartbeatAnswer => self.link_lost(),
            Timer::Connect => self.connecting_took_too_long(),
            Timer::Login => match &self.life.account {
                Account::LoggingIn(_) => self.login_took_too_long(),
                Account::LoggedIn(_) => self.renewal_took_too_long(),
                Account::Nobody | Account::LoggingOut(_) => {}
            },
            Timer::Request(call) => match &self.life.account {
                Account::LoggingOut(logout) if *logout == call => self.logout_over(Ok(Reply::Done)),
                Account::Nobody | Account::LoggingIn(_) | Account::LoggedIn(_) | Account::LoggingOut(_) => {
                    self.request_took_too_long(call);
                }
            },
            Timer::BackOff => self.connect(),
            Timer::Heartbeat => self.heartbeat(forced),
        }
    }

    pub(super) fn result(&mut self, call: CallId, outcome: Result<Reply, Code>) {
        self.outbox.push(Change::NONE, Action::Result { call, outcome });
    }

    pub(super) fn event(&mut self, event: Event) {
        self.outbox.push(Change::NONE, Action::Event(event));
    }

    pub(super) fn drop_events(&mut self) {
        self.outbox.push(Change::NONE, Action::DropEvents);
    }

    pub(super) fn note(&mut self, note: Note) {
        self.outbox.push(Change::NONE, Action::Note(note));
    }

    /// Puts another account in the place of the one there is, and tells the status if it changed (LOGIN-6).
    pub(super) fn set_account(&mut self, account: Account) -> Account {
        let before = self.life.status();
        let replaced = std::mem::replace(&mut self.life.account, account);
        let status = self.life.status();
        if status != before {
            self.outbox.push(Change::NONE, Action::Status { status, login_user: self.life.login_user() });
        }
        replaced
    }

    /// Sends on the line there is. A frame leaves once the device's record is on disk (ATT-4).
    pub(super) fn send(&mut self, frame: ClientFrame<Ticket>) {
        let line = self.life.line.as_mut().expect("frames are sent while there is a line");
        line.last_sent = self.now;
        let connection = line.connection;
        self.outbox.push(self.life.record.written, Action::Send { connection, frame });
    }

    /// Ends the calls that were pending when the account they were made for was given up.
    pub(super) fn end_these(&mut self, pending: Vec<CallId>, code: Code) {
        self.life.requests.clear();
        self.life.timers.cancel(Timer::Login);
        for call in pending {
            self.life.timers.cancel(Timer::Request(call));
            self.result(call, Err(code));
        }
    }
}
