//! The device's record on its disk: attempts, owed ends, sessions known to have ended, new ids.
//!
//! Writes nothing itself: a change of the record becomes an output, and frames wait for it (ATT-4).

use crate::client::draw;
use crate::client::handler::Handler;
use crate::client::interface::{Installation, Note, Timer, Write};
use crate::client::state::Account;
use crate::code::Code;
use crate::decide::ClientDecisions;
use crate::id::{Attempt, CallId, Change};
use crate::protocol::{ClientFrame, SessionName};
use crate::ticket::Ticket;

impl<D: ClientDecisions> Handler<'_, D> {
    pub(super) fn write_record(&mut self) {
        let write = Write::Installation(self.state.record.installation.clone());
        self.state.record.written = self.outbox.store(write);
    }

    /// The number of the next attempt (ATT-1).
    pub(super) fn next_attempt(&mut self) -> Attempt {
        self.state.record.attempt = self.decisions.next_attempt(self.state.record.attempt);
        self.state.record.attempt
    }

    /// Whether the server is still to be told of an end (LOGOUT-2, LOGIN-8, SWITCH-3).
    pub(super) fn owe_end(&mut self) {
        let until = self.state.born.wall_of(self.state.record.tickets_until);
        let installation = &mut self.state.record.installation;
        if !installation.owed_end || installation.owed_until != Some(until) {
            (installation.owed_end, installation.owed_until) = (true, Some(until));
            self.write_record();
            self.state.record.owed_in = Some(self.state.record.written);
        }
    }

    /// The session the next login names as ended (KICK-3, KICK-7).
    pub(super) fn set_known_ended(&mut self, ended: Option<SessionName>) {
        if self.state.record.installation.known_ended != ended {
            self.state.record.installation.known_ended = ended;
            self.write_record();
        }
    }

    /// The server knows of everything the record holds for it.
    pub(super) fn settle_record(&mut self) {
        let installation = &mut self.state.record.installation;
        if installation.owed_end || installation.known_ended.is_some() {
            (installation.owed_end, installation.owed_until) = (false, None);
            installation.known_ended = None;
            self.write_record();
        }
    }

    /// Every write up to this one is on disk, and what waited for it leaves (ATT-4).
    pub(super) fn stored(&mut self, change: Change) {
        self.state.record.stored = change;
        self.login_leaves();
    }

    /// ATT-5: the record cannot be written. What needs it ends at once: `unsent` has not left, and will not.
    pub(super) fn storage_failed(&mut self, unsent: &[ClientFrame<Ticket>]) {
        let resume_is_unsent = unsent.iter().any(|frame| matches!(frame, ClientFrame::Resume { .. }));
        match &self.state.account {
            // One for which there is no connection yet would have to wait for the record, too.
            Account::LoggingIn(_) if !self.state.login_was_sent() => {
                self.login_never_sent(Code::StorageFailed);
            }
            Account::LoggingOut(call) if carry(unsent, *call) => {
                let call = *call;
                self.hang_up();
                self.set_account(Account::Nobody);
                self.state.timers.cancel(Timer::Request(call));
                self.result(call, Err(Code::StorageFailed));
                // LOGOUT-2: once it can be written.
                self.reconnect();
            }
            Account::LoggedIn(_) => {
                if resume_is_unsent {
                    self.close_connection();
                    self.attempt_failed(Code::StorageFailed);
                }
                if !self.state.is_up() {
                    // What waits for a link waits for the record.
                    self.renewal_failed(Code::StorageFailed);
                }
            }
            Account::Nobody if !unsent.is_empty() => {
                // The owed end's connection waits for nothing else.
                self.hang_up();
                self.attempt_failed(Code::StorageFailed);
            }
            Account::Nobody | Account::LoggingIn(_) | Account::LoggingOut(_) => {}
        }
    }

    /// Another installation uses this device's id: a new one is taken (ATT-1). What the record
    /// owed was owed under the old id and can no longer be said.
    pub(super) fn take_new_device(&mut self) {
        let record = &mut self.state.record;
        let device = draw::device(&self.state.seed, Some(&record.installation.device));
        record.installation = Installation { starts: 1, ..Installation::new(device) };
        record.attempt = Attempt { start: 1, count: 0 };
        self.note(Note::NewDevice { device });
        self.write_record();
    }
}

/// Whether one of the frames carries the call.
fn carry(frames: &[ClientFrame<Ticket>], call: CallId) -> bool {
    frames.iter().any(|frame| frame.call() == Some(call))
}
