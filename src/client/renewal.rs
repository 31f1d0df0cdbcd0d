//! Renewing: a fresh ticket for the session that stands (LOGIN-5).
//!
//! Never logs anybody in or out: a renewal cannot become a login.

use crate::client::handler::Handler;
use crate::client::interface::{Reply, Timer};
use crate::client::state::{LastingTicket, Renewal, Stage, Unconfirmed};
use crate::code::Code;
use crate::decide::ClientDecisions;
use crate::decide::client::TicketChoice;
use crate::id::CallId;
use crate::protocol::{ClientFrame, Refusal};

impl<D: ClientDecisions> Handler<'_, D> {
    /// Without a link it waits for the resume.
    pub(super) fn renew(&mut self, call: CallId, ticket: LastingTicket) {
        if let Some(session) = self.state.session_mut() {
            session.renewal = Some(Renewal { call, ticket, sent: false });
        }
        self.start_login_timeout();
        // CONN-2: an accepted call starts the back-off over.
        self.restart_backoff();
        self.connect_again();
        self.send_renewal();
    }

    /// Sends the renewal that waits, once the link is up.
    pub(super) fn send_renewal(&mut self) {
        if !self.is_usable() {
            return;
        }
        let Some(session) = self.state.session_mut() else { return };
        let name = session.name;
        let Some(renewal) = session.renewal.as_mut().filter(|renewal| !renewal.sent) else { return };
        renewal.sent = true;
        let (call, LastingTicket { ticket, lasts }) = (renewal.call, renewal.ticket.clone());
        self.ticket_is_shown(lasts);
        let attempt = self.next_attempt();
        self.send(ClientFrame::Renew { call, attempt, user: name.user, epoch: name.epoch, ticket });
    }

    pub(super) fn renewal_answered(&mut self, call: CallId, outcome: Result<(), Refusal>) {
        let stage = self.state.stage();
        let is_tried = matches!(stage, Some(Stage::ResumeSent { ticket: TicketChoice::Unconfirmed, .. }));
        let Some(session) = self.state.session_mut() else { return };
        if let Some(renewal) = session.renewal.take_if(|renewal| renewal.sent && renewal.call == call) {
            self.state.timers.cancel(Timer::Login);
            self.renewal_judged(renewal, outcome);
        } else if let Some(late) = session.unconfirmed.take_if(|late| late.call == call) {
            // The caller has its [9520] already; which ticket the session runs with is known now.
            match outcome {
                Ok(()) => session.ticket = late.ticket,
                Err(Refusal::Code(code)) if self.decisions.outcome_unknown(code) => session.unconfirmed = Some(late),
                Err(Refusal::Code(code)) => {
                    let ticket = late.ticket.clone();
                    // A lock may have been over when the resume came that carries it: the answer to that one counts.
                    session.unconfirmed = is_tried.then_some(Unconfirmed { refused: true, ..late });
                    self.remember_if_expired(code, ticket);
                }
                Err(Refusal::Stale) => self.renewal_stale(),
            }
        }
    }

    fn renewal_judged(&mut self, renewal: Renewal, outcome: Result<(), Refusal>) {
        let Renewal { call, ticket: LastingTicket { ticket, .. }, .. } = renewal;
        let Some(session) = self.state.session_mut() else { return };
        match outcome {
            Ok(()) => {
                session.ticket = ticket;
                session.unconfirmed = None;
                self.result(call, Ok(Reply::Done));
            }
            Err(Refusal::Code(code)) if self.decisions.outcome_unknown(code) => {
                session.unconfirmed = Some(Unconfirmed { call, ticket, refused: false });
                self.result(call, Err(code));
            }
            Err(Refusal::Code(code)) => {
                self.remember_if_expired(code, ticket);
                self.result(call, Err(code));
            }
            Err(Refusal::Stale) => {
                self.result(call, Err(Code::NoAnswer));
                self.renewal_stale();
            }
        }
    }

    /// ATT-1: under a new device id the session is asked for again; the server will not know it.
    fn renewal_stale(&mut self) {
        self.take_new_device();
        self.lose_doubted();
        self.link_lost();
    }

    /// LOGIN-3 for a renewal: the status does not change.
    pub(super) fn renewal_took_too_long(&mut self) {
        if self.renewal_unanswered() {
            // CONN-5, CONN-10: the link is suspect.
            self.doubt();
            return;
        }
        let code = if self.state.connection.is_some() { Code::ConnectTimeout } else { self.last_attempt_end() };
        self.renewal_failed(code);
    }

    /// Ends a renewal that was never sent.
    pub(super) fn renewal_failed(&mut self, code: Code) {
        let Some(session) = self.state.session_mut() else { return };
        let Some(Renewal { call, .. }) = session.renewal.take_if(|renewal| !renewal.sent) else { return };
        self.state.timers.cancel(Timer::Login);
        self.result(call, Err(code));
    }

    /// Ends a renewal that was sent. Its outcome is unknown, so both tickets are kept. Says whether there was one.
    pub(super) fn renewal_unanswered(&mut self) -> bool {
        let Some(session) = self.state.session_mut() else { return false };
        let Some(Renewal { call, ticket, .. }) = session.renewal.take_if(|renewal| renewal.sent) else { return false };
        session.unconfirmed = Some(Unconfirmed { call, ticket: ticket.ticket, refused: false });
        self.state.timers.cancel(Timer::Login);
        self.result(call, Err(Code::NoAnswer));
        true
    }
}
