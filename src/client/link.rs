//! The link: connecting, the back-off, heartbeats, and what ends when it is lost.
//!
//! Asks for nothing on a fresh connection: `login` and `resume` do.

use std::collections::VecDeque;
use std::time::Duration;

use crate::client::draw;
use crate::client::handler::Handler;
use crate::client::interface::{Action, Event, Note, Timer};
use crate::client::state::{Account, BackOff, Connection, Stage};
use crate::code::Code;
use crate::decide::ClientDecisions;
use crate::decide::client::Loss;
use crate::id::ConnectionId;
use crate::protocol::{ClientFrame, Closing, Return, VERSION};

impl<D: ClientDecisions> Handler<'_, D> {
    /// Begins an attempt to connect, in the place of whatever there was (CONN-3).
    pub(super) fn connect(&mut self) {
        self.hang_up();
        self.open();
    }

    /// Begins an attempt to connect (CONN-3).
    pub(super) fn open(&mut self) {
        // However the link was lost: this attempt comes after its delay.
        (self.state.backoff.loss, self.state.backoff.away) = (Loss::Own, None);
        if self.decisions.tells_of_attempts(self.state.standing()) {
            self.event(Event::Connecting);
        }
        let id = self.outbox.connect();
        let logouts = VecDeque::new();
        let now = self.now;
        self.state.connection = Some(Connection {
            id,
            stage: Stage::Opening,
            last_sent: now,
            last_heard: now,
            asked_at: now,
            quiet_since: now,
            slept: false,
            logouts,
        });
        self.state.timers.set(Timer::Connect, self.now + self.state.limits.connect_timeout);
    }

    pub(super) fn connected(&mut self, connection: ConnectionId) {
        let is_ours = |it: &Connection| it.id == connection && it.stage == Stage::Opening;
        if !self.state.connection.as_ref().is_some_and(is_ours) {
            return;
        }
        let (device, platform) = (self.state.record.installation.device, self.state.platform);
        self.send(ClientFrame::Hello { version: VERSION, device, platform });
        match &self.state.account {
            Account::LoggingIn(_) => self.send_login(),
            Account::LoggedIn(_) => self.send_resume(),
            Account::Nobody => self.send_end(),
            Account::LoggingOut(_) => {}
        }
    }

    /// The connection could not be opened, or is gone.
    pub(super) fn disconnected(&mut self, connection: ConnectionId) {
        if self.state.doubted.take_if(|doubted| doubted.link.id == connection).is_some() {
            // The connection that is being made is from now on one like any other.
            return self.end_sent_calls();
        }
        let Some(ended) = self.state.connection.take_if(|it| it.id == connection) else { return };
        self.cancel_connection_timers();
        let loss = match &self.state.account {
            Account::LoggedIn(session) => Loss::Closed { return_spread: session.terms.return_spread },
            Account::Nobody | Account::LoggingIn(_) | Account::LoggingOut(_) => Loss::Own,
        };
        self.connection_ended(ended.stage, loss);
    }

    /// The link is silent, or the server calls it unusable.
    pub(super) fn link_lost(&mut self) {
        if let Some(stage) = self.state.stage() {
            self.hang_up();
            self.connection_ended(stage, Loss::Own);
        }
    }

    /// VERSION-1: the server refuses the greeting, and with it whatever came behind. What was up before
    /// had been greeted: then the connection is no good, and the next one tells.
    pub(super) fn version_refused(&mut self) {
        match (&self.state.account, self.state.stage()) {
            (Account::LoggingIn(_), Some(Stage::LoginWaits { was_up: false, .. } | Stage::LoginSent)) => {
                self.state.backoff.last_end = Some(Code::VersionNotSupported);
                self.login_refused(Code::VersionNotSupported);
            }
            (Account::LoggedIn(_), Some(Stage::ResumeSent { .. })) | (Account::Nobody, Some(Stage::EndSent)) => {
                self.close_connection();
                self.attempt_failed(Code::VersionNotSupported);
            }
            (Account::Nobody | Account::LoggingIn(_) | Account::LoggedIn(_) | Account::LoggingOut(_), _) => {
                self.link_lost();
            }
        }
    }

    /// CONN-2: the server closes on purpose. What was asked on the connection and not answered it does not do, so a
    /// login goes on waiting (LOGIN-8).
    pub(super) fn sent_away(&mut self, why: Closing, come_back: Return) {
        let Some(stage) = self.state.stage() else { return };
        self.close_connection();
        self.state.backoff =
            BackOff { away: Some((self.now + come_back.after, come_back.spread)), ..BackOff::default() };
        let code = self.decisions.closing_code(why);
        let outlives = self.decisions.login_outlives(why);
        let goes_on = match (&self.state.account, stage) {
            (Account::LoggingIn(_), Stage::LoginSent) => outlives,
            (Account::LoggingIn(_), Stage::LoginWaits { .. }) | (Account::LoggedIn(_), Stage::ResumeSent { .. }) => {
                true
            }
            (Account::Nobody | Account::LoggingIn(_) | Account::LoggedIn(_) | Account::LoggingOut(_), _) => false,
        };
        if goes_on {
            self.note_loss(stage);
            self.attempt_failed(code);
        } else {
            self.connection_ended(stage, Loss::Own);
        }
    }

    /// CONN-2: an attempt lasts so long and no longer, the answer to its resume included, and what its login waits
    /// for on the disk.
    pub(super) fn connecting_took_too_long(&mut self) {
        self.close_connection();
        self.attempt_failed(Code::ConnectTimeout);
    }

    /// Closes what connections there are, and makes none.
    pub(super) fn hang_up(&mut self) {
        self.close_doubted();
        self.close_connection();
    }

    /// Closes the connection there is, or gives up making one. A link that it was to replace stays.
    pub(super) fn close_connection(&mut self) {
        self.state.timers.cancel(Timer::BackOff);
        self.cancel_connection_timers();
        if let Some(Connection { id, stage, .. }) = self.state.connection.take() {
            self.was_up(stage);
            self.close(id);
        }
    }

    /// CONN-2: the back-off starts over after a link that was up for long enough, whoever gave it up and why.
    fn was_up(&mut self, stage: Stage) {
        if let Stage::Up { since } = stage
            && self.decisions.backoff_restarts(self.now - since, &self.state.limits)
        {
            self.state.backoff.drawn = 0;
        }
    }

    pub(super) fn close(&mut self, connection: ConnectionId) {
        // What was sent before may wait for the record: the close must not overtake it.
        self.outbox.push(self.state.record.written, Action::Close { connection });
    }

    pub(super) fn cancel_connection_timers(&mut self) {
        for timer in [Timer::Connect, Timer::Heartbeat, Timer::HeartbeatAnswer, Timer::Probe] {
            self.state.timers.cancel(timer);
        }
    }

    /// Of what was a link, or might have become one by a login that is out.
    fn note_loss(&mut self, stage: Stage) {
        match stage {
            Stage::Opening | Stage::LoginWaits { was_up: false, .. } | Stage::ResumeSent { .. } | Stage::EndSent => {}
            Stage::LoginWaits { was_up: true, .. } | Stage::LoginSent | Stage::Up { .. } => self.note(Note::LinkLost),
        }
    }

    /// There is no connection any more, and it had come so far. How it was lost matters to a link that was up.
    pub(super) fn connection_ended(&mut self, stage: Stage, loss: Loss) {
        self.note_loss(stage);
        if let Stage::Up { .. } = stage {
            self.was_up(stage);
            (self.state.backoff.last_end, self.state.backoff.loss) = (None, loss);
        }
        match (&self.state.account, stage) {
            // CONN-8, LOGOUT-2: the end stays owed.
            (Account::LoggingOut(_), _) => self.logout_unanswered(),
            // LOGIN-8
            (Account::LoggingIn(_), Stage::LoginSent) => self.login_unanswered(),
            (
                Account::Nobody | Account::LoggingIn(_) | Account::LoggedIn(_),
                Stage::Opening
                | Stage::LoginWaits { .. }
                | Stage::LoginSent
                | Stage::ResumeSent { .. }
                | Stage::EndSent,
            ) => self.attempt_failed(Code::NoLink),
            (Account::Nobody | Account::LoggingIn(_) | Account::LoggedIn(_), Stage::Up { .. }) => {
                // CONN-1: the status stays. CONN-8: what was sent ends, and is not repeated.
                self.end_sent_calls();
                self.reconnect();
            }
        }
    }

    /// An attempt is over, its connection too (CONN-3). A login that it was for is made again on the next, and a kick
    /// that came before its answer stays owed (KICK-8).
    pub(super) fn attempt_failed(&mut self, code: Code) {
        if self.keep_doubted(code) {
            return;
        }
        if let Account::LoggingIn(login) = &mut self.state.account {
            login.held = None;
        }
        // What was begun before is over at that instant, and says nothing of what comes.
        self.state.roused_at = self.state.roused_at.filter(|at| *at == self.now);
        self.state.backoff.last_end = Some(code);
        if self.decisions.tells_of_attempts(self.state.standing()) {
            self.event(Event::ConnectFailed(code));
        }
        if self.decisions.is_final(code) {
            self.renewal_failed(code);
        } else {
            self.reconnect();
        }
    }

    /// VERSION-1: connects for a call where nothing else does any more.
    pub(super) fn connect_again(&mut self) {
        if self.has_given_up() && self.state.connection.is_none() {
            self.state.backoff = Default::default();
            self.connect();
        }
    }

    /// VERSION-1: whether the last attempt ended so that none follows by itself.
    pub(super) fn has_given_up(&self) -> bool {
        self.state.backoff.last_end.is_some_and(|code| self.decisions.is_final(code))
    }

    /// Draws the delay before the next attempt, unless there is nothing to connect for (CONN-2, CONN-9).
    pub(super) fn reconnect(&mut self) {
        let owes_end = self.state.record.installation.owed_end;
        if self.has_given_up() || !self.decisions.reconnects(self.state.standing(), owes_end) {
            return;
        }
        // LOGOUT-2: for an end that is not worth it any more nobody connects.
        if self.state.account == Account::Nobody && self.gives_up_end() {
            return;
        }
        let BackOff { drawn, loss, .. } = self.state.backoff;
        let attempt = drawn.saturating_add(1);
        self.state.backoff.drawn = attempt;
        let delay = self.delay(attempt, self.away().unwrap_or(loss));
        self.note(Note::BackOff { attempt, delay });
        self.state.timers.set(Timer::BackOff, self.now + delay);
    }

    /// The server does not want the device back yet (CONN-2).
    pub(super) fn away(&self) -> Option<Loss> {
        let (until, spread) = self.state.backoff.away.filter(|(until, _)| *until >= self.now)?;
        Some(Loss::SentAway(Return { after: until - self.now, spread }))
    }

    pub(super) fn delay(&mut self, attempt: u32, loss: Loss) -> Duration {
        let attempts = self.state.record.attempt.count;
        let again = self.state.last_delay.next(attempts, attempt);
        let draw = draw::backoff(&self.state.seed, attempts, attempt, again);
        self.decisions.backoff_delay(&self.state.limits, attempt, loss, draw)
    }

    /// The back-off starts over: a wait under way is drawn anew (CONN-2). What starts it over happens to this
    /// device alone, however the link was lost.
    pub(super) fn restart_backoff(&mut self) {
        self.state.backoff.drawn = 0;
        self.state.backoff.loss = Loss::Own;
        if self.state.timers.due(Timer::BackOff).is_some() {
            self.reconnect();
        }
    }

    /// CONN-11: the answer to a heartbeat may have been missed asleep, so its absence says nothing of the network.
    pub(super) fn slept_on_the_link(&mut self) {
        if self.state.timers.due(Timer::HeartbeatAnswer).is_some()
            && let Some(connection) = &mut self.state.connection
        {
            connection.slept = true;
        }
    }

    /// A login or resume was accepted on the connection: from now on it is the session's link.
    pub(super) fn link_is_up(&mut self, told_heartbeat: Option<Duration>) {
        // CONN-11: with every answer anew.
        self.state.told_heartbeat = told_heartbeat;
        let connection = self.state.connection.as_mut().expect("an answer came on a connection");
        connection.stage = Stage::Up { since: self.now };
        self.state.roused_at = None;
        self.state.timers.cancel(Timer::Connect);
        if self.state.timers.due(Timer::HeartbeatAnswer).is_none() {
            self.await_heartbeat();
        }
        self.replace_doubted();
    }

    /// Asks for a sign of life at once, if the link is up and nobody has asked yet (CONN-5).
    pub(super) fn probe(&mut self) {
        if self.state.is_up() && self.state.timers.due(Timer::HeartbeatAnswer).is_none() {
            if let Some(connection) = &mut self.state.connection {
                connection.quiet_since = connection.last_sent.max(connection.last_heard);
                (connection.asked_at, connection.slept) = (self.now, false);
            }
            self.send(ClientFrame::Heartbeat);
            self.state.timers.cancel(Timer::Heartbeat);
            self.state.timers.set(Timer::HeartbeatAnswer, self.now + self.state.limits.heartbeat_answer);
        }
    }

    pub(super) fn heartbeat(&mut self, forced: bool) {
        let every = self.heartbeat_time();
        let Some(connection) = &self.state.connection else { return };
        // The timer is not moved at every frame sent: it looks back when it fires.
        if forced || self.decisions.heartbeat_due(self.now - connection.last_sent, every) {
            self.probe();
        } else {
            self.await_heartbeat();
        }
    }

    pub(super) fn heartbeat_answered(&mut self) {
        if self.state.timers.cancel(Timer::HeartbeatAnswer) && self.state.is_up() {
            self.await_heartbeat();
            self.state.roused_at = None;
            if self.state.timers.cancel(Timer::Probe) {
                self.send_what_waits();
            }
        }
    }

    pub(super) fn await_heartbeat(&mut self) {
        let every = self.heartbeat_time();
        if let Some(connection) = &self.state.connection {
            self.state.timers.set(Timer::Heartbeat, connection.last_sent + every);
        }
    }

    /// A heartbeat has no answer (CONN-5, CONN-11).
    pub(super) fn heartbeat_unanswered(&mut self) {
        self.link_fell_silent();
        self.link_lost();
    }
}
