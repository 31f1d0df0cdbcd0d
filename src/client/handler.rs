//! What handles one input or timer: the state, the time, the way out, and the verbs every exchange uses.
//!
//! Knows no exchange. Which one a frame or timer belongs to is sorted out here, and no more.

use crate::client::interface::{Action, Event, Note, Reply, Timer};
use crate::client::outbox::Outbox;
use crate::client::state::{Account, Connection, Stage, State};
use crate::code::{Code, Failure};
use crate::decide::ClientDecisions;
use crate::id::{CallId, Change, ConnectionId};
use crate::protocol::{ClientFrame, FrameError, ServerFrame};
use crate::ticket::Ticket;
use crate::time::Instant;

/// Everything at hand while one input or timer is handled. Each exchange adds methods in its own file.
pub(super) struct Handler<'a, D> {
    pub(super) now: Instant,
    pub(super) decisions: &'a D,
    pub(super) state: &'a mut State,
    pub(super) outbox: &'a mut Outbox,
}

impl<D: ClientDecisions> Handler<'_, D> {
    /// A frame that makes no sense now is ignored.
    pub(super) fn frame(&mut self, connection: ConnectionId, frame: ServerFrame) {
        if self.state.doubted.as_ref().is_some_and(|doubted| doubted.link.id == connection) {
            return self.doubted_frame(frame);
        }
        let is_open = |it: &Connection| it.id == connection && it.stage != Stage::Opening;
        if !self.state.connection.as_ref().is_some_and(is_open) {
            return;
        }
        if let Some(connection) = &mut self.state.connection {
            connection.last_heard = self.now;
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
            ServerFrame::Message { place, message } => self.message_came(place, message),
            ServerFrame::AdminKickAnswer { call, outcome } => self.admin_kick_answered(call, outcome),
            ServerFrame::StatusAnswer { call, outcome } => self.query_answered(call, outcome),
            ServerFrame::Error(FrameError::Version) => self.version_refused(),
            ServerFrame::Error(FrameError::Malformed | FrameError::Oversized | FrameError::OutOfPlace) => {
                self.link_lost();
            }
            ServerFrame::Closing { why, come_back } => self.sent_away(why, come_back),
        }
    }

    /// `forced`: it fires irrespective of the time.
    pub(super) fn timer(&mut self, timer: Timer, forced: bool) {
        match timer {
            Timer::HeartbeatAnswer => self.heartbeat_unanswered(),
            Timer::Connect => self.connecting_took_too_long(),
            Timer::Login => match &self.state.account {
                Account::LoggingIn(_) => self.login_took_too_long(),
                Account::LoggedIn(_) => self.renewal_took_too_long(),
                Account::Nobody | Account::LoggingOut(_) => {}
            },
            Timer::Request(call) => match &self.state.account {
                Account::LoggingOut(logout) if *logout == call => self.logout_unanswered(),
                Account::Nobody | Account::LoggingIn(_) | Account::LoggedIn(_) | Account::LoggingOut(_) => {
                    self.request_took_too_long(call);
                }
            },
            Timer::Probe => self.probe_unanswered(),
            // LOGOUT-2: while it waited, the end may have lost its worth.
            Timer::BackOff if self.state.account == Account::Nobody && self.gives_up_end() => {}
            Timer::BackOff => self.connect(),
            Timer::Heartbeat => self.heartbeat(forced),
        }
    }

    pub(super) fn result(&mut self, call: CallId, outcome: Result<Reply, Code>) {
        let outcome = outcome.map_err(|code| self.state.failure(code));
        self.outbox.push(Change::NONE, Action::Result { call, outcome });
    }

    pub(super) fn event(&mut self, event: Event) {
        self.outbox.push(Change::NONE, Action::Event(event));
    }

    /// The account is given up: nothing of it is told any more, and calls that were made for it end so.
    pub(super) fn drop_events(&mut self, given_up: Failure) {
        self.outbox.push(Change::NONE, Action::DropEvents { given_up });
    }

    pub(super) fn note(&mut self, note: Note) {
        self.outbox.push(Change::NONE, Action::Note(note));
    }

    /// Puts another account in the place of the one there is, and tells the status if it changed (LOGIN-6).
    pub(super) fn set_account(&mut self, account: Account) -> Account {
        let before = self.state.status();
        let replaced = std::mem::replace(&mut self.state.account, account);
        let status = self.state.status();
        if status != before {
            self.outbox.push(Change::NONE, Action::Status { status, login_user: self.state.login_user() });
        }
        replaced
    }

    /// Sends on the connection there is. What rests on the device's record leaves once that is on disk (ATT-4).
    pub(super) fn send(&mut self, frame: ClientFrame<Ticket>) {
        if goes_behind_acknowledgement(&frame) {
            self.acknowledge_messages();
        }
        let connection = self.state.connection.as_mut().expect("frames are sent while there is a connection");
        connection.last_sent = self.now;
        let reveals = if rests_on_record(&frame) { self.state.record.written } else { Change::NONE };
        self.outbox.push(reveals, Action::Send { connection: connection.id, frame });
    }

    /// Ends the calls that were pending when the account they were made for was given up.
    pub(super) fn end_these(&mut self, pending: Vec<CallId>, failure: Failure) {
        self.state.requests.clear();
        self.state.timers.cancel(Timer::Login);
        for call in pending {
            self.state.timers.cancel(Timer::Request(call));
            self.outbox.push(Change::NONE, Action::Result { call, outcome: Err(failure) });
        }
    }
}

/// ATT-4, KICK-7: whether such a frame says what a device that forgets its last write could take back. What is sent on
/// the link of a session does not: whoever has a link had its record on disk, and what is written then is that
/// something is over.
fn rests_on_record(frame: &ClientFrame<Ticket>) -> bool {
    match frame {
        ClientFrame::Hello { .. }
        | ClientFrame::Login { .. }
        | ClientFrame::Resume { .. }
        | ClientFrame::Logout { .. }
        | ClientFrame::KickConfirmed { .. } => true,
        ClientFrame::LoginAcknowledged { .. }
        | ClientFrame::Heartbeat
        | ClientFrame::Renew { .. }
        | ClientFrame::SendMessage { .. }
        | ClientFrame::AdminKick { .. }
        | ClientFrame::QueryStatus { .. }
        | ClientFrame::MessagesReceived { .. } => false,
    }
}

/// API-7: whether such a frame, sent on the link of a session, is an occasion to say which messages came. What ends
/// the session, or asks for it, is none.
fn goes_behind_acknowledgement(frame: &ClientFrame<Ticket>) -> bool {
    match frame {
        ClientFrame::Heartbeat
        | ClientFrame::Renew { .. }
        | ClientFrame::SendMessage { .. }
        | ClientFrame::AdminKick { .. }
        | ClientFrame::QueryStatus { .. } => true,
        ClientFrame::Hello { .. }
        | ClientFrame::Login { .. }
        | ClientFrame::LoginAcknowledged { .. }
        | ClientFrame::Resume { .. }
        | ClientFrame::Logout { .. }
        | ClientFrame::KickConfirmed { .. }
        | ClientFrame::MessagesReceived { .. } => false,
    }
}
