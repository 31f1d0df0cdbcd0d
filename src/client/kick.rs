//! Sessions that end without being asked: kicks and expiries (KICK, TICKET-5, EVENT-1).
//!
//! Whom a kick ends is decided in `decide::client`. Nothing here connects again (KICK-4, TICKET-8).

use crate::client::handler::Handler;
use crate::client::interface::Event;
use crate::client::state::Account;
use crate::code::Reason;
use crate::decide::ClientDecisions;
use crate::decide::client::KickVerdict;
use crate::protocol::{ClientFrame, Kick, SessionName};

impl<D: ClientDecisions> Handler<'_, D> {
    pub(super) fn kicked(&mut self, kick: Kick) {
        match self.decisions.kick_verdict(&kick, self.state.standing()) {
            KickVerdict::Apply => {
                // KICK-7: noted before it is confirmed, and before the application hears of it.
                self.set_known_ended(Some(SessionName { user: kick.user, epoch: kick.epoch }));
                self.end_session(Reason::Kicked);
                self.event(Event::KickedOffline(kick));
                self.confirm(kick);
                // CONN-9, KICK-10
                self.hang_up();
                self.reconnect();
            }
            KickVerdict::Hold => self.hold(kick),
            KickVerdict::Drop => self.confirm(kick),
        }
    }

    /// KICK-8: judged after the login's answer. The server's order gives at most one kick a chance
    /// to be about this login, the one with the highest epoch; the others are dropped.
    fn hold(&mut self, kick: Kick) {
        let Account::LoggingIn(login) = &mut self.state.account else { return };
        let (kept, dropped) = match login.held {
            Some(held) if held.epoch > kick.epoch => (held, Some(kick)),
            Some(held) if held.epoch < kick.epoch => (kick, Some(held)),
            Some(_) | None => (kick, None),
        };
        login.held = Some(kept);
        if let Some(dropped) = dropped {
            self.confirm(dropped);
        }
    }

    /// Tells the server that the device has noted the end, after it has (KICK-3, KICK-7).
    pub(super) fn confirm(&mut self, kick: Kick) {
        let Kick { user, epoch, .. } = kick;
        self.set_known_ended(Some(SessionName { user, epoch }));
        self.send(ClientFrame::KickConfirmed { user, epoch });
    }

    /// The server says on the session's link that it ended with its ticket.
    pub(super) fn expired(&mut self, name: SessionName) {
        if self.decisions.expiry_applies(name, self.state.standing()) {
            self.remember_ended_ticket();
            self.session_expired();
        }
    }

    /// The server reported the session's ticket expired (TICKET-7). With a renewal unanswered nobody
    /// knows which of the two tickets that was.
    pub(super) fn remember_ended_ticket(&mut self) {
        let Some(session) = self.state.session_mut() else { return };
        if session.unconfirmed.as_ref().is_none_or(|unconfirmed| unconfirmed.refused)
            && session.renewal.as_ref().is_none_or(|renewal| !renewal.sent)
        {
            self.state.reported_expired = Some(session.ticket.clone());
        }
    }

    /// TICKET-5, TICKET-6, CONN-4: told once; then nothing more (TICKET-8).
    pub(super) fn session_expired(&mut self) {
        let Some(session) = self.state.session_mut() else { return };
        let name = session.name;
        self.end_session(Reason::Expired);
        self.event(Event::UserSigExpired(name));
        self.hang_up();
        self.reconnect();
    }

    /// CONN-4: the server refuses the session's ticket and still has the session, whose end it is owed.
    /// The connection is there already.
    pub(super) fn session_refused(&mut self) {
        let Some(session) = self.state.session_mut() else { return };
        let name = session.name;
        self.owe_end();
        self.end_session(Reason::Expired);
        self.event(Event::UserSigExpired(name));
        self.send_end();
    }

    /// EVENT-1: the status changes, pending calls end, then the caller fires the event.
    fn end_session(&mut self, reason: Reason) {
        let pending = self.state.pending();
        self.state.nobody = reason;
        self.close_doubted();
        self.set_account(Account::Nobody);
        self.end_these(pending, reason.into());
    }
}
