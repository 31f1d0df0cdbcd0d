//! Resuming: asking for the session back on a fresh connection (CONN-4).
//!
//! When to connect is `link`'s part; what an answer means is decided in `decide::client`.

use crate::client::handler::Handler;
use crate::client::interface::Event;
use crate::client::state::{Session, Stage};
use crate::code::Code;
use crate::decide::ClientDecisions;
use crate::decide::client::{ResumeVerdict, TicketChoice};
use crate::id::Attempt;
use crate::protocol::{Admission, ClientFrame, Conversation, ResumeOutcome, SessionName, Terms};
use crate::ticket::Ticket;

impl<D: ClientDecisions> Handler<'_, D> {
    pub(super) fn send_resume(&mut self) {
        // LOGIN-5: of a renewal that is unanswered on the link before, both tickets are tried.
        self.renewal_unanswered();
        let Some(session) = self.state.session_mut() else { return };
        session.unconfirmed.take_if(|unconfirmed| unconfirmed.refused);
        let choice = self.decisions.resume_ticket(session.unconfirmed.is_some());
        let SessionName { user, epoch } = session.name;
        let ticket = tried_ticket(session, choice);
        // API-7: said with this, accepted or not: the next one says it again.
        session.acknowledged = session.received;
        let received = session.received;
        let attempt = self.next_attempt();
        self.send(ClientFrame::Resume { attempt, user, epoch, ticket, received });
        if let Some(connection) = &mut self.state.connection {
            connection.stage = Stage::ResumeSent { attempt, ticket: choice };
        }
    }

    pub(super) fn resume_answered(&mut self, attempt: Attempt, outcome: ResumeOutcome) {
        let Some(Stage::ResumeSent { attempt: asked, ticket: choice }) = self.state.stage() else { return };
        let Some(session) = self.state.session_mut() else { return };
        if attempt != asked {
            return;
        }
        let other_left = session.unconfirmed.is_some();
        let tried = tried_ticket(session, choice);
        match &outcome {
            ResumeOutcome::Refused(code) => self.remember_if_expired(*code, tried),
            ResumeOutcome::Expired => self.remember_ended_ticket(),
            ResumeOutcome::Resumed { .. }
            | ResumeOutcome::LoggedIn(_)
            | ResumeOutcome::Kicked(_)
            | ResumeOutcome::Unable(_)
            | ResumeOutcome::Stale => {}
        }
        match self.decisions.resume_verdict(outcome, other_left) {
            ResumeVerdict::Resumed { conversations, terms, dropped } => {
                self.resumed(choice, conversations, terms, dropped);
            }
            ResumeVerdict::LoggedIn(Admission { epoch, conversations, terms }) => {
                // KICK-6: the same session for the application, another one for the server.
                let Some(session) = self.state.session_mut() else { return };
                session.name.epoch = epoch;
                (session.received, session.acknowledged) = (0, 0);
                let SessionName { user, .. } = session.name;
                self.set_known_ended(None);
                // KICK-7
                self.send(ClientFrame::LoginAcknowledged { user, epoch });
                self.resumed(choice, conversations, terms, 0);
            }
            // KICK-5: told on reconnecting, and not online again.
            ResumeVerdict::Kicked(kick) => self.kicked(kick),
            ResumeVerdict::Expired => self.session_expired(),
            ResumeVerdict::Refused => self.session_refused(),
            ResumeVerdict::OtherTicket => {
                self.forget_ticket(choice);
                self.send_resume();
            }
            ResumeVerdict::Again(code) => {
                self.close_connection();
                self.attempt_failed(code);
            }
            ResumeVerdict::NewDevice => {
                self.take_new_device();
                self.lose_doubted();
                self.close_connection();
                self.attempt_failed(Code::NoAnswer);
            }
        }
    }

    /// A resume accepted with another ticket renews, so the one tried is the session's now.
    fn resumed(&mut self, choice: TicketChoice, conversations: Vec<Conversation>, terms: Terms, dropped: u64) {
        let Some(session) = self.state.session_mut() else { return };
        session.terms = terms;
        let user = session.name.user;
        session.ticket = tried_ticket(session, choice);
        session.unconfirmed = None;
        self.store_conversations(user, conversations);
        self.link_is_up(terms.heartbeat);
        self.event(Event::ConnectSuccess);
        self.missed(dropped);
        self.send_what_waits();
    }

    /// The ticket tried was refused: the other one is the only one now (LOGIN-5: once).
    fn forget_ticket(&mut self, choice: TicketChoice) {
        let Some(session) = self.state.session_mut() else { return };
        let unconfirmed = session.unconfirmed.take();
        if let (TicketChoice::Accepted, Some(unconfirmed)) = (choice, unconfirmed) {
            session.ticket = unconfirmed.ticket;
        }
    }
}

fn tried_ticket(session: &Session, choice: TicketChoice) -> Ticket {
    match (choice, &session.unconfirmed) {
        (TicketChoice::Unconfirmed, Some(unconfirmed)) => unconfirmed.ticket.clone(),
        (TicketChoice::Unconfirmed, None) | (TicketChoice::Accepted, _) => session.ticket.clone(),
    }
}
