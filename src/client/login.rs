//! Logging in: a login, a switch, the answer, and every way it can fail.
//!
//! A login of the user who is logged in already is a renewal: see `renewal`.

use crate::client::handler::Handler;
use crate::client::interface::{Event, Reply, Timer};
use crate::client::state::{Account, LastingTicket, Login, Session, Stage};
use crate::code::{Code, Reason};
use crate::decide::ClientDecisions;
use crate::decide::client::LoginKind;
use crate::id::{CallId, UserId};
use crate::protocol::{Admission, ClientFrame, Refusal, SessionName};
use crate::ticket::Ticket;

impl<D: ClientDecisions> Handler<'_, D> {
    pub(super) fn login(&mut self, call: CallId, user: &str, ticket: LastingTicket) {
        let reported_expired = self.state.reported_expired.as_ref();
        let user = match self.decisions.login_user(user, &ticket.ticket, reported_expired) {
            Ok(user) => user,
            Err(code) => return self.result(call, Err(code)),
        };
        match self.decisions.login_kind(self.state.standing(), user) {
            LoginKind::Renewal => self.renew(call, ticket),
            LoginKind::Login => {
                // API-1: what the user before was still to be shown is not shown to this one.
                if self.state.cache.viewer.is_some_and(|viewer| viewer != user) {
                    self.drop_events(Reason::Switched.into());
                }
                self.begin_login(call, user, ticket);
                self.connect();
            }
            LoginKind::Switch => self.switch(call, user, ticket),
        }
    }

    /// SWITCH-1 to SWITCH-3: the one who is logged in is logged out on the way.
    fn switch(&mut self, call: CallId, user: UserId, ticket: LastingTicket) {
        let link_is_up = self.is_usable();
        // SWITCH-2: nothing of theirs reaches the application any more.
        self.drop_events(Reason::Switched.into());
        let pending = self.state.pending();
        self.set_account(Account::Nobody);
        self.end_these(pending, Reason::Switched.into());
        // LOGOUT-2: what comes of the login that follows may have to be ended, too.
        self.ticket_is_shown(ticket.lasts);
        self.owe_end();
        self.begin_login(call, user, ticket);
        if link_is_up {
            // SWITCH-3: both frames at once, on the link that stands.
            self.event(Event::Connecting);
            self.state.timers.cancel(Timer::Heartbeat);
            self.send_login();
        } else {
            self.connect();
        }
    }

    fn begin_login(&mut self, call: CallId, user: UserId, ticket: LastingTicket) {
        // CONN-2: the back-off starts over.
        self.state.backoff = Default::default();
        self.state.cache.viewer = self.decisions.viewer_after_login(self.state.cache.viewer, user);
        self.start_login_timeout();
        self.set_account(Account::LoggingIn(Login { call, user, ticket, held: None }));
    }

    /// LOGIN-3
    pub(super) fn start_login_timeout(&mut self) {
        self.state.timers.set(Timer::Login, self.now + self.state.limits.login_timeout);
    }

    /// What is owed goes ahead, under a lower attempt number (LOGOUT-2, LOGIN-8, ATT-2).
    pub(super) fn send_login(&mut self) {
        let Account::LoggingIn(Login { call, user, ticket, .. }) = &self.state.account else { return };
        let (call, user, LastingTicket { ticket, lasts }) = (*call, user.to_string(), ticket.clone());
        // Ahead of both frames: they wait for the record together, and leave together (SWITCH-3).
        self.ticket_is_shown(lasts);
        if self.state.record.installation.owed_end {
            self.send_logout(CallId::NONE);
        }
        let attempt = self.next_attempt();
        let known_ended = self.state.record.installation.known_ended;
        self.send(ClientFrame::Login { call, attempt, user, ticket, known_ended });
        let reveals = self.state.record.written;
        if let Some(connection) = &mut self.state.connection {
            let was_up = matches!(connection.stage, Stage::Up { .. });
            connection.stage = Stage::LoginWaits { reveals, was_up };
        }
        self.login_leaves();
    }

    /// The login leaves, if what it rests on is on disk.
    pub(super) fn login_leaves(&mut self) {
        let stored = self.state.record.stored;
        let Some(connection) = &mut self.state.connection else { return };
        if matches!(connection.stage, Stage::LoginWaits { reveals, .. } if reveals <= stored) {
            connection.stage = Stage::LoginSent;
            // From here on the login's own timeout decides (LOGIN-8).
            self.state.timers.cancel(Timer::Connect);
        }
    }

    pub(super) fn login_answered(&mut self, call: CallId, outcome: Result<Admission, Refusal>) {
        let is_awaited = matches!(&self.state.account, Account::LoggingIn(login) if login.call == call);
        if !(is_awaited && self.state.login_was_sent()) {
            if outcome == Err(Refusal::Stale) {
                self.cancelled_login_stale();
            }
            return;
        }
        match outcome {
            Ok(admission) => self.login_accepted(admission),
            Err(Refusal::Code(code)) if self.decisions.outcome_unknown(code) => self.login_lost(code),
            Err(Refusal::Code(code)) => self.login_refused(code),
            Err(Refusal::Stale) => self.login_stale(),
        }
    }

    fn login_accepted(&mut self, admission: Admission) {
        let Admission { epoch, conversations, terms } = admission;
        let Account::LoggingIn(Login { call, user, ticket, held }) = self.state.account.clone() else { return };
        self.state.timers.cancel(Timer::Login);
        // KICK-3: the server has forgotten whatever ended before.
        self.set_known_ended(None);
        self.store_conversations(user, conversations);
        let name = SessionName { user, epoch };
        // CONN-3: status, then the event, then the result.
        self.set_account(Account::LoggedIn(Session::new(name, ticket.ticket, terms)));
        self.event(Event::ConnectSuccess);
        self.result(call, Ok(Reply::Done));
        self.link_is_up(terms.heartbeat);
        // KICK-7
        self.send(ClientFrame::LoginAcknowledged { user, epoch });
        // KICK-8: what came before the answer is applied after it.
        if let Some(kick) = held {
            self.kicked(kick);
        }
    }

    pub(super) fn login_refused(&mut self, code: Code) {
        let Account::LoggingIn(login) = &self.state.account else { return };
        let (held, ticket) = (login.held, login.ticket.ticket.clone());
        self.remember_if_expired(code, ticket);
        self.fail_login(code, true);
        if let Some(kick) = held {
            self.confirm(kick);
        }
        // CONN-9, LOGIN-9
        self.hang_up();
        self.reconnect();
    }

    /// Sent, and the link is gone (LOGIN-8).
    pub(super) fn login_unanswered(&mut self) {
        self.login_lost(Code::NoAnswer);
    }

    /// Whether the login was accepted nobody knows: its end goes ahead of the next one (LOGIN-8, DUR-5).
    fn login_lost(&mut self, code: Code) {
        self.hang_up();
        self.owe_end();
        self.fail_login(code, true);
        self.reconnect();
    }

    /// ATT-1. The rules name no code for it: the caller is told that there was no answer to its login.
    pub(super) fn login_stale(&mut self) {
        self.take_new_device();
        self.fail_login(Code::NoAnswer, true);
        self.hang_up();
        self.reconnect();
    }

    pub(super) fn login_took_too_long(&mut self) {
        if self.state.login_was_sent() {
            self.login_unanswered();
            return;
        }
        // LOGIN-8: never sent, so the last attempt's end decides.
        let under_way = self.state.connection.is_some();
        self.login_never_sent(if under_way { Code::ConnectTimeout } else { self.last_attempt_end() });
    }

    /// Not a byte of it has left, and none will (LOGIN-8, ATT-5).
    pub(super) fn login_never_sent(&mut self, code: Code) {
        let under_way = self.state.connection.is_some();
        self.hang_up();
        self.fail_login(code, under_way);
        self.reconnect();
    }

    /// How the last attempt to connect ended (LOGIN-8).
    pub(super) fn last_attempt_end(&self) -> Code {
        match self.state.backoff.last_end {
            Some(code @ (Code::ConnectTimeout | Code::ServerBusy | Code::ServerUntrusted)) => code,
            Some(_) | None => Code::NoLink,
        }
    }

    /// LOGIN-6, LOGIN-7; after a switch nobody is logged in (SWITCH-4). `under_way`: an attempt began
    /// and did not end yet (CONN-3).
    fn fail_login(&mut self, code: Code, under_way: bool) {
        let Account::LoggingIn(login) = self.set_account(Account::Nobody) else { return };
        self.state.nobody = Reason::LoginFailed;
        self.state.timers.cancel(Timer::Login);
        if under_way {
            self.event(Event::ConnectFailed(code));
        }
        self.result(login.call, Err(code));
    }

    /// TICKET-7: the very ticket is not asked about again.
    pub(super) fn remember_if_expired(&mut self, code: Code, ticket: Ticket) {
        if code == Code::TicketExpired {
            self.state.reported_expired = Some(ticket);
        }
    }
}
