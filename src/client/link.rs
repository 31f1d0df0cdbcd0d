//! The link: connecting, the back-off, heartbeats, and what ends when it is lost.
//!
//! Asks for nothing on a fresh connection: `login` and `resume` do.

use std::collections::VecDeque;

use crate::client::draw;
use crate::client::interface::{Action, Event, Note, Reply, Timer};
use crate::client::life::{Account, Line, Stage};
use crate::client::turn::Turn;
use crate::code::Code;
use crate::decide::ClientDecisions;
use crate::id::ConnectionId;
use crate::protocol::{ClientFrame, VERSION};

impl<D: ClientDecisions> Turn<'_, D> {
    /// Begins an attempt to connect, in the place of whatever there was (CONN-3).
    pub(super) fn connect(&mut self) {
        self.hang_up();
        self.event(Event::Connecting);
        let connection = self.outbox.connect();
        let logouts = VecDeque::new();
        self.life.line = Some(Line { connection, stage: Stage::Opening, last_sent: self.now, logouts });
        self.life.timers.set(Timer::Connect, self.now + self.life.limits.connect_timeout);
    }

    pub(super) fn connected(&mut self, connection: ConnectionId) {
        let is_ours = |line: &Line| line.connection == connection && line.stage == Stage::Opening;
        if !self.life.line.as_ref().is_some_and(is_ours) {
            return;
        }
        let (device, platform) = (self.life.record.installation.device, self.life.platform);
        self.send(ClientFrame::Hello { version: VERSION, device, platform });
        match &self.life.account {
            Account::LoggingIn(_) => self.send_login(),
            Account::LoggedIn(_) => self.send_resume(),
            Account::Nobody | Account::LoggingOut(_) => {}
        }
    }

    /// The connection could not be opened, or is gone.
    pub(super) fn disconnected(&mut self, connection: ConnectionId) {
        let Some(line) = self.life.line.take_if(|line| line.connection == connection) else { return };
        self.forget_line_timers();
        self.line_ended(line.stage);
    }

    /// The link is silent, or the server calls it unusable.
    pub(super) fn link_lost(&mut self) {
        if let Some(stage) = self.life.stage() {
            self.hang_up();
            self.line_ended(stage);
        }
    }

    /// CONN-2: an attempt lasts so long and no longer, the answer to its resume included.
    pub(super) fn connecting_took_too_long(&mut self) {
        self.hang_up();
        self.attempt_failed(Code::ConnectTimeout);
    }

    /// Closes the connection, if there is one, and stops making one.
    pub(super) fn hang_up(&mut self) {
        self.life.timers.cancel(Timer::BackOff);
        self.forget_line_timers();
        if let Some(Line { connection, .. }) = self.life.line.take() {
            // What was sent before may wait for the record: the close must not overtake it.
            self.outbox.push(self.life.record.written, Action::Close { connection });
        }
    }

    fn forget_line_timers(&mut self) {
        for timer in [Timer::Connect, Timer::Heartbeat, Timer::HeartbeatAnswer] {
            self.life.timers.cancel(timer);
        }
    }

    /// There is no line any more, and it had come so far.
    fn line_ended(&mut self, stage: Stage) {
        match stage {
            Stage::Opening | Stage::Resuming { .. } => {}
            Stage::Asking | Stage::Up { .. } => self.note(Note::LinkLost),
        }
        match (&self.life.account, stage) {
            // CONN-8, LOGOUT-2: the end stays owed.
            (Account::LoggingOut(_), _) => self.logout_over(Ok(Reply::Done)),
            // LOGIN-8
            (Account::LoggingIn(_), Stage::Asking) => self.login_unanswered(),
            (
                Account::Nobody | Account::LoggingIn(_) | Account::LoggedIn(_),
                Stage::Opening | Stage::Asking | Stage::Resuming { .. },
            ) => self.attempt_failed(Code::NoLink),
            (Account::Nobody | Account::LoggingIn(_) | Account::LoggedIn(_), Stage::Up { since }) => {
                // CONN-1: the status stays. CONN-8: what was sent ends, and is not repeated.
                self.end_sent_calls();
                if self.decisions.backoff_restarts(self.now - since, &self.life.limits) {
                    self.life.backoff.drawn = 0;
                }
                self.life.backoff.last_end = None;
                self.reconnect();
            }
        }
    }

    /// An attempt that began with `connecting` is over, its connection too (CONN-3).
    pub(super) fn attempt_failed(&mut self, code: Code) {
        self.life.backoff.last_end = Some(code);
        self.event(Event::ConnectFailed(code));
        self.reconnect();
    }

    /// Draws the delay before the next attempt, unless there is nothing to connect for (CONN-2, CONN-9).
    pub(super) fn reconnect(&mut self) {
        if !self.decisions.reconnects(self.life.standing()) {
            return;
        }
        let attempt = self.life.backoff.drawn.saturating_add(1);
        self.life.backoff.drawn = attempt;
        let draw = draw::backoff(&self.life.seed, self.life.record.attempt.count, attempt);
        let delay = self.decisions.backoff_delay(&self.life.limits, attempt, draw);
        self.note(Note::BackOff { attempt, delay });
        self.life.timers.set(Timer::BackOff, self.now + delay);
    }

    /// The back-off starts over: a wait under way is drawn anew (CONN-2).
    pub(super) fn restart_backoff(&mut self) {
        self.life.backoff.drawn = 0;
        if self.life.timers.due(Timer::BackOff).is_some() {
            self.reconnect();
        }
    }

    /// CONN-10: the device woke, or its network changed.
    pub(super) fn look_at_the_link(&mut self) {
        self.restart_backoff();
        self.probe();
    }

    /// A login or resume was accepted on the line: from now on it is the session's link.
    pub(super) fn link_is_up(&mut self) {
        let line = self.life.line.as_mut().expect("an answer came on a line");
        line.stage = Stage::Up { since: self.now };
        self.life.timers.cancel(Timer::Connect);
        if self.life.timers.due(Timer::HeartbeatAnswer).is_none() {
            self.await_heartbeat();
        }
    }

    /// Asks for a sign of life at once, if the link is up and nobody has asked yet (CONN-5).
    pub(super) fn probe(&mut self) {
        if self.life.is_up() && self.life.timers.due(Timer::HeartbeatAnswer).is_none() {
            self.send(ClientFrame::Heartbeat);
            self.life.timers.cancel(Timer::Heartbeat);
            self.life.timers.set(Timer::HeartbeatAnswer, self.now + self.life.limits.heartbeat_answer);
        }
    }

    pub(super) fn heartbeat(&mut self, forced: bool) {
        let Some(line) = &self.life.line else { return };
        // The timer is not moved at every frame sent: it looks back when it fires.
        if forced || self.decisions.heartbeat_due(self.now - line.last_sent, &self.life.limits) {
            self.probe();
        } else {
            self.await_heartbeat();
        }
    }

    pub(super) fn heartbeat_answered(&mut self) {
        if self.life.timers.cancel(Timer::HeartbeatAnswer) && self.life.is_up() {
            self.await_heartbeat();
        }
    }

    fn await_heartbeat(&mut self) {
        if let Some(line) = &self.life.line {
            self.life.timers.set(Timer::Heartbeat, line.last_sent + self.life.limits.heartbeat);
        }
    }
}
