//! A link that may be dead: it is tried, and another connection is made beside it (CONN-10).
//!
//! Until one of the two is known to work, calls wait. Whoever answers first is not asked: the one made last
//! takes the session, and the one before stays only if that fails and it has shown that it lives.

use crate::client::handler::Handler;
use crate::client::interface::{Event, Note, Timer};
use crate::client::state::{Account, Doubted, Stage};
use crate::code::Code;
use crate::decide::ClientDecisions;
use crate::decide::client::KickVerdict;
use crate::protocol::{FrameError, ServerFrame};

impl<D: ClientDecisions> Handler<'_, D> {
    /// The device runs again after it was frozen: its link may have died meanwhile.
    pub(super) fn woken(&mut self) {
        self.restart_backoff();
        self.doubt();
        self.state.roused_at = Some(self.now);
    }

    /// The network is another one. What is under way on the one before is not waited for.
    pub(super) fn network_changed(&mut self) {
        self.restart_backoff();
        match self.state.stage() {
            Some(Stage::Up { .. }) if self.state.is_up() => {
                self.probe();
                self.connect_beside();
            }
            Some(Stage::Opening | Stage::LoginWaits { .. } | Stage::ResumeSent { .. } | Stage::EndSent) => {
                // What the link said before says nothing of it now.
                if let Some(doubted) = &mut self.state.doubted {
                    doubted.answered = false;
                }
                self.close_connection();
                self.attempt_failed(Code::NoLink);
            }
            // A login that was sent has its own timeout (LOGIN-8).
            Some(Stage::LoginSent | Stage::Up { .. }) | None => {}
        }
        self.state.roused_at = Some(self.now);
    }

    /// Asks the link for a sign of life, and does not wait long for it.
    pub(super) fn doubt(&mut self) {
        self.probe();
        if self.state.is_up() && self.state.timers.due(Timer::Probe).is_none() {
            self.state.timers.set(Timer::Probe, self.now + self.state.limits.probe_answer);
        }
    }

    pub(super) fn probe_unanswered(&mut self) {
        self.restart_backoff();
        self.connect_beside();
    }

    fn is_early(&self) -> bool {
        self.state.backoff.away.is_some_and(|(until, _)| until > self.now)
    }

    /// Makes another connection, which is to take the link's place.
    fn connect_beside(&mut self) {
        if let Some(away) = self.away().filter(|_| self.is_early()) {
            // CONN-2: before that the server would not take it.
            let at = self.now + self.delay(1, away);
            return self.state.timers.set(Timer::Probe, at);
        }
        self.cancel_connection_timers();
        self.state.doubted = self.state.connection.take().map(|link| Doubted { link, answered: false });
        self.open();
    }

    /// What comes on the link meanwhile. It carries the session until the other connection does.
    pub(super) fn doubted_frame(&mut self, frame: ServerFrame) {
        let Some(doubted) = &mut self.state.doubted else { return };
        doubted.link.last_heard = self.now;
        match frame {
            ServerFrame::HeartbeatAnswer => doubted.answered = true,
            ServerFrame::RenewAnswer { call, outcome } => self.renewal_answered(call, outcome),
            ServerFrame::SendAnswer { call, outcome } => self.message_sent(call, outcome),
            ServerFrame::Message { place, message } => self.message_came(place, message),
            ServerFrame::AdminKickAnswer { call, outcome } => self.admin_kick_answered(call, outcome),
            ServerFrame::StatusAnswer { call, outcome } => self.query_answered(call, outcome),
            ServerFrame::Error(
                FrameError::Version | FrameError::Malformed | FrameError::Oversized | FrameError::OutOfPlace,
            ) => self.doubted_link_lost(),
            ServerFrame::Closing { come_back, .. } => {
                self.state.backoff.away = Some((self.now + come_back.after, come_back.spread));
                self.doubted_link_lost();
            }
            ServerFrame::Kick(kick) => match self.decisions.kick_verdict(&kick, self.state.standing()) {
                KickVerdict::Apply => {
                    self.go_back();
                    self.kicked(kick);
                }
                // The resume is told of it.
                KickVerdict::Hold | KickVerdict::Drop => {}
            },
            ServerFrame::Expired(name) => {
                if self.decisions.expiry_applies(name, self.state.standing()) {
                    self.go_back();
                    self.expired(name);
                }
            }
            ServerFrame::LoginAnswer { .. } | ServerFrame::ResumeAnswer { .. } | ServerFrame::LogoutAnswer { .. } => {}
        }
    }

    /// The session that the link carried is none of the device's any more. CONN-8: what was sent on it ends.
    pub(super) fn lose_doubted(&mut self) {
        if self.state.doubted.is_some() {
            self.doubted_link_lost();
        }
    }

    /// The link is no good: the connection that is being made is from now on one like any other.
    fn doubted_link_lost(&mut self) {
        self.close_doubted();
        self.note(Note::LinkLost);
        self.end_sent_calls();
    }

    /// The link is the connection there is again, and nothing replaces it.
    fn go_back(&mut self) {
        self.close_connection();
        self.state.connection = self.state.doubted.take().map(|doubted| doubted.link);
    }

    /// Closes the link without waiting for it.
    pub(super) fn close_doubted(&mut self) {
        if let Some(doubted) = self.state.doubted.take() {
            self.close(doubted.link.id);
        }
    }

    /// The other connection has the session. CONN-8: what was sent on the link ends with it.
    pub(super) fn replace_doubted(&mut self) {
        if self.state.doubted.is_some() {
            self.close_doubted();
            self.end_sent_calls();
        }
    }

    /// The attempt to replace the link came to nothing. Says whether the link stays, because it has answered.
    pub(super) fn keep_doubted(&mut self, code: Code) -> bool {
        let Some(doubted) = &self.state.doubted else { return false };
        if !self.decisions.keeps_link(doubted.answered, code) {
            self.doubted_link_lost();
            return false;
        }
        self.go_back();
        self.note(Note::LinkKept);
        self.event(Event::ConnectSuccess);
        // The attempt may have taken longer than the link lived.
        self.doubt();
        true
    }

    /// There is a link to rely on: what was called for meanwhile goes out on it, in order.
    pub(super) fn send_what_waits(&mut self) {
        self.send_renewal();
        self.send_requests();
    }

    /// Whether the session has a link that calls may be sent on.
    pub(super) fn is_usable(&self) -> bool {
        self.state.is_up() && self.decisions.relies_on_link(self.state.is_in_doubt())
    }

    /// Whether a call that needs the link may wait for it (API-5).
    pub(super) fn may_wait(&self) -> bool {
        let is_about_to_connect = self.state.roused_at.is_some() && !self.has_given_up();
        matches!(self.state.account, Account::LoggedIn(_)) && (self.state.is_in_doubt() || is_about_to_connect)
    }
}
