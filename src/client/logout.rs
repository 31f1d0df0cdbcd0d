//! Logging out: the call, the frame, its answer, and ends that stay owed (LOGOUT, ATT-2).
//!
//! An owed end travels ahead of the next login, which sends it from here, and before that on a connection
//! of its own as soon as there is one.

use crate::client::handler::Handler;
use crate::client::interface::{Action, Reply, Timer};
use crate::client::state::{Account, Stage};
use crate::code::{Code, Failure, Reason};
use crate::decide::ClientDecisions;
use crate::decide::client::Loss;
use crate::id::{CallId, Change};
use crate::protocol::{ClientFrame, Refusal};

impl<D: ClientDecisions> Handler<'_, D> {
    pub(super) fn logout(&mut self, call: CallId) {
        // LOGOUT-1: from the call on nothing is shown any more.
        let given_up = Failure::from(Reason::LoggedOut);
        self.drop_events(given_up);
        self.state.nobody = Reason::LoggedOut;
        self.state.cache.viewer = self.decisions.viewer_after_logout(self.state.cache.viewer);
        let login_was_sent = self.state.login_was_sent();
        // LOGOUT-2, CONN-10: a link that may be dead is as good as none. The end is brought on another one.
        let can_be_said = login_was_sent || self.is_usable();
        let pending = self.state.pending();
        let (failure, is_owed) = match self.set_account(Account::LoggingOut(call)) {
            // LOGOUT-3: a login never sent leaves nothing behind.
            Account::LoggingIn(_) => (Code::LoginCancelled.into(), login_was_sent),
            Account::Nobody | Account::LoggedIn(_) | Account::LoggingOut(_) => (given_up, true),
        };
        self.end_these(pending, failure);
        if is_owed {
            // LOGOUT-2: on the disk from the call until the answer.
            self.owe_end();
        }
        if can_be_said {
            self.state.timers.cancel(Timer::Heartbeat);
            self.state.timers.set(Timer::Request(call), self.now + self.state.limits.request_timeout);
            self.send_logout(call);
        } else {
            self.logout_unanswered();
        }
    }

    pub(super) fn send_logout(&mut self, call: CallId) {
        let attempt = self.next_attempt();
        self.send(ClientFrame::Logout { call, attempt });
        if let Some(connection) = &mut self.state.connection {
            connection.logouts.push_back(call);
        }
    }

    /// LOGOUT-2: nobody is logged in, and the server is owed an end. On a connection that is there for it.
    pub(super) fn send_end(&mut self) {
        self.send_logout(CallId::NONE);
        if let Some(connection) = &mut self.state.connection {
            connection.stage = Stage::EndSent;
        }
    }

    /// The owed end has its answer; one that does not settle it is asked for again (DUR-5).
    fn end_answered(&mut self, is_stale: bool) {
        if is_stale {
            // ATT-1: nothing of this device id can be said any more.
            self.take_new_device();
        }
        self.hang_up();
        self.reconnect();
    }

    pub(super) fn logout_answered(&mut self, call: CallId, outcome: Result<(), Refusal>) {
        let Some(connection) = &mut self.state.connection else { return };
        if connection.logouts.front() != Some(&call) {
            return;
        }
        connection.logouts.pop_front();
        // A later logout on this connection is about more than this one.
        if connection.logouts.is_empty() && self.decisions.logout_settles(outcome) {
            self.settle_record();
        }
        let is_stale = outcome == Err(Refusal::Stale);
        match &self.state.account {
            Account::LoggingOut(own) if *own == call && is_stale => {
                // ATT-1: the call fails; the rules name no code for it.
                self.take_new_device();
                self.logout_answered_with(Err(Code::NoAnswer));
            }
            // DUR-5: whatever else the server says, the logout succeeds and its end stays owed.
            Account::LoggingOut(own) if *own == call => self.logout_answered_with(Ok(Reply::Done)),
            // ATT-1: the owed end served the login that it went ahead of.
            Account::LoggingIn(_) if is_stale => self.login_stale(),
            Account::Nobody => self.end_answered(is_stale),
            Account::LoggingIn(_) | Account::LoggedIn(_) | Account::LoggingOut(_) => {}
        }
    }

    /// LOGOUT-3, ATT-1: of the login that this logout cut off nothing was made, and under this device id nothing more
    /// is said: it would be said of whoever else has the record.
    pub(super) fn cancelled_login_stale(&mut self) {
        if let Account::LoggingOut(_) = self.state.account {
            self.take_new_device();
            self.logout_answered_with(Ok(Reply::Done));
        }
    }

    /// LOGOUT-2: the server was not heard. Who is told of the logout may rely on its end being in the record,
    /// whatever else is to be noted there. LOGOUT-3: of a login that was never sent there is none.
    pub(super) fn logout_unanswered(&mut self) {
        let record = &self.state.record;
        let noted_in = record.installation.owed_end.then(|| record.owed_in.unwrap_or(record.written));
        self.logout_over(noted_in.unwrap_or(Change::NONE), Ok(Reply::Done));
    }

    /// The server knows, and so nothing rests on the record (ATT-5).
    fn logout_answered_with(&mut self, outcome: Result<Reply, Code>) {
        self.logout_over(Change::NONE, outcome);
    }

    /// CONN-9: nothing is left to hold a connection for.
    fn logout_over(&mut self, reveals: Change, outcome: Result<Reply, Code>) {
        self.hang_up();
        if let Account::LoggingOut(call) = self.set_account(Account::Nobody) {
            self.state.timers.cancel(Timer::Request(call));
            let outcome = outcome.map_err(Failure::from);
            self.outbox.push(reveals, Action::Result { call, outcome });
        }
        // CONN-2: an owed end is this device's own affair, whoever closed the link before.
        self.state.backoff.loss = Loss::Own;
        self.reconnect();
    }
}
