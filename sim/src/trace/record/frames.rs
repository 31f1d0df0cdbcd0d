//! Frames of the protocol as frames of events.

use gatecrash::id::Attempt;
use gatecrash::protocol::{self, ResumeOutcome};

use super::{Recording, small};
use crate::trace::{ClientFrame, Observer, Refusal, ServerFrame, Session, TicketIndex};

impl<O: Observer> Recording<O> {
    pub(super) fn client_frame<T>(
        &mut self,
        frame: &protocol::ClientFrame<T>,
        ticket_of: impl Fn(&mut Self, &T) -> Option<TicketIndex>,
    ) -> ClientFrame {
        match frame {
            protocol::ClientFrame::Hello { version, device, platform } => {
                let installation = self.greeted(device);
                ClientFrame::Hello { version: *version, platform: *platform, installation }
            }
            protocol::ClientFrame::Login { call, attempt, user, ticket, known_ended } => ClientFrame::Login {
                call: small(call.0),
                attempt: *attempt,
                user: self.user(user),
                ticket: ticket_of(self, ticket),
                known_ended: known_ended.as_ref().map(|name| self.session(name)),
            },
            protocol::ClientFrame::LoginAcknowledged { user, epoch } => {
                ClientFrame::LoginAcknowledged { user: self.user(user.as_str()), epoch: small(epoch.0) }
            }
            protocol::ClientFrame::Resume { attempt, user, epoch, ticket, received } => ClientFrame::Resume {
                attempt: *attempt,
                user: self.user(user.as_str()),
                epoch: small(epoch.0),
                ticket: ticket_of(self, ticket),
                received: small(*received),
            },
            protocol::ClientFrame::Renew { call, attempt, user, epoch, ticket } => ClientFrame::Renew {
                call: small(call.0),
                attempt: *attempt,
                user: self.user(user.as_str()),
                epoch: small(epoch.0),
                ticket: ticket_of(self, ticket),
            },
            protocol::ClientFrame::Logout { call, attempt } => {
                ClientFrame::Logout { call: small(call.0), attempt: *attempt }
            }
            protocol::ClientFrame::Heartbeat => ClientFrame::Heartbeat,
            protocol::ClientFrame::KickConfirmed { user, epoch } => {
                ClientFrame::KickConfirmed { user: self.user(user.as_str()), epoch: small(epoch.0) }
            }
            protocol::ClientFrame::SendMessage { call, id, to, text } => {
                let (to, text, id) = (self.user(to.as_str()), self.text(text), self.send(*id));
                ClientFrame::Send { call: small(call.0), to, text, id }
            }
            protocol::ClientFrame::AdminKick { call, user } => {
                ClientFrame::AdminKick { call: small(call.0), user: self.user(user.as_str()) }
            }
            protocol::ClientFrame::QueryStatus { call, users } => {
                let users = users.iter().map(|user| self.user(user.as_str())).collect();
                ClientFrame::Query { call: small(call.0), users: self.users(users) }
            }
            protocol::ClientFrame::MessagesReceived { user, epoch, through } => ClientFrame::MessagesReceived {
                user: self.user(user.as_str()),
                epoch: small(epoch.0),
                through: small(*through),
            },
        }
    }

    pub(super) fn server_frame(&mut self, frame: &protocol::ServerFrame) -> ServerFrame {
        match frame {
            protocol::ServerFrame::LoginAnswer { call, outcome: Ok(admission) } => ServerFrame::LoginAccepted {
                call: small(call.0),
                epoch: small(admission.epoch.0),
                conversations: self.conversations(&admission.conversations),
                terms: admission.terms.into(),
            },
            protocol::ServerFrame::LoginAnswer { call, outcome: Err(refusal) } => {
                ServerFrame::LoginRefused { call: small(call.0), refused: refused(*refusal) }
            }
            protocol::ServerFrame::ResumeAnswer { attempt, outcome } => self.resume_answer(*attempt, outcome),
            protocol::ServerFrame::RenewAnswer { call, outcome } => {
                ServerFrame::RenewAnswer { call: small(call.0), refused: outcome.err().map(refused) }
            }
            protocol::ServerFrame::LogoutAnswer { call, outcome } => {
                ServerFrame::LogoutAnswer { call: small(call.0), refused: outcome.err().map(refused) }
            }
            protocol::ServerFrame::HeartbeatAnswer => ServerFrame::HeartbeatAnswer,
            protocol::ServerFrame::Kick(kick) => ServerFrame::Kick { kick: self.kick(kick) },
            protocol::ServerFrame::Expired(name) => {
                let Session { user, epoch } = self.session(name);
                ServerFrame::Expired { user, epoch }
            }
            protocol::ServerFrame::SendAnswer { call, outcome } => ServerFrame::SendAnswer {
                call: small(call.0),
                message: outcome.map_or(0, |message| small(message.0)),
                refused: outcome.err(),
            },
            protocol::ServerFrame::Message { place, message } => {
                let (message, from, to, text) = self.message(message);
                ServerFrame::Message { message, from, to, text, place: small(*place) }
            }
            protocol::ServerFrame::AdminKickAnswer { call, outcome } => {
                ServerFrame::AdminKickAnswer { call: small(call.0), refused: outcome.err() }
            }
            protocol::ServerFrame::StatusAnswer { call, outcome } => ServerFrame::QueryAnswer {
                call: small(call.0),
                report: outcome.as_ref().ok().and_then(|report| self.report(report)),
                refused: outcome.as_ref().err().copied(),
            },
            protocol::ServerFrame::Error(error) => ServerFrame::Error { why: *error },
            protocol::ServerFrame::Closing { why, come_back: protocol::Return { after, spread } } => {
                ServerFrame::Closing { why: *why, after: (*after).into(), spread: (*spread).into() }
            }
        }
    }

    pub(super) fn resume_answer(&mut self, attempt: Attempt, outcome: &ResumeOutcome) -> ServerFrame {
        match outcome {
            ResumeOutcome::Resumed { conversations, terms, dropped } => ServerFrame::Resumed {
                attempt,
                conversations: self.conversations(conversations),
                terms: (*terms).into(),
                dropped: small(*dropped),
            },
            ResumeOutcome::LoggedIn(admission) => ServerFrame::ResumedAsLogin {
                attempt,
                epoch: small(admission.epoch.0),
                conversations: self.conversations(&admission.conversations),
                terms: admission.terms.into(),
            },
            ResumeOutcome::Kicked(kick) => ServerFrame::ResumeKicked { attempt, kick: self.kick(kick) },
            ResumeOutcome::Expired => ServerFrame::ResumeExpired { attempt },
            ResumeOutcome::Refused(code) => ServerFrame::ResumeRefused { attempt, code: *code },
            ResumeOutcome::Unable(code) => ServerFrame::ResumeUnable { attempt, code: *code },
            ResumeOutcome::Stale => ServerFrame::ResumeStale { attempt },
        }
    }
}

fn refused(refusal: protocol::Refusal) -> Refusal {
    match refusal {
        protocol::Refusal::Code(code) => Refusal::Code(code),
        protocol::Refusal::Stale => Refusal::Stale,
    }
}
