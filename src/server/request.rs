//! What a logged-in device asks for: messages, administrative kicks, status queries.
//!
//! On a connection whose session ended every request answers [6014] (KICK-10); on one that never
//! had a session a request is out of place (INPUT-1).

use super::{Binding, Peer, Server};
use crate::code::Code;
use crate::decide::ServerDecisions;
use crate::id::{CallId, ConnectionId, DeviceId, MessageId, SendId, UserId};
use crate::protocol::{
    DeviceState, DeviceStatus, FrameError, Message, ServerFrame, SessionName, StatusReport, TEXT_BYTES_MAX, UserStatus,
};
use crate::store::{EndReason, Fact, Session};

/// A message that the server has.
pub(super) enum Accepted {
    Now(Message),
    /// It was sent before under the same id, and is this one (API-6).
    Before(MessageId),
}

impl Accepted {
    fn number(&self) -> MessageId {
        match self {
            Accepted::Now(message) => message.id,
            Accepted::Before(number) => *number,
        }
    }
}

impl<D: ServerDecisions> Server<D> {
    /// Who asks on this connection, or [6014], or that nobody may ask here.
    fn asker(&self, connection: ConnectionId) -> Result<Result<UserId, Code>, FrameError> {
        match self.connection(connection).map(|link| link.binding) {
            Some(Binding::Bound(SessionName { user, .. })) => Ok(Ok(user)),
            Some(Binding::Over(_)) => Ok(Err(Code::NotLoggedIn)),
            Some(Binding::Fresh) | None => Err(FrameError::OutOfPlace),
        }
    }

    fn administrator(&self, connection: ConnectionId) -> Result<Result<UserId, Code>, FrameError> {
        let asker = self.asker(connection)?;
        Ok(asker.and_then(|user| {
            let may = self.decisions.may_administer(&self.config.administrators, user);
            may.then_some(user).ok_or(Code::NotAdministrator)
        }))
    }

    /// API-2: gives the message its number; API-6: unless it has one.
    pub(super) fn send_message(
        &mut self,
        connection: ConnectionId,
        peer: Peer,
        id: SendId,
        to: UserId,
        text: String,
    ) -> Result<Result<Accepted, Code>, FrameError> {
        let from = match self.asker(connection)? {
            Ok(user) => user,
            Err(code) => return Ok(Err(code)),
        };
        let account = self.records.users.get(&from).expect("who is logged in has an account");
        if let Some(number) = self.decisions.sent_before(&account.sent, id) {
            return Ok(Ok(Accepted::Before(number)));
        }
        let session = account.sessions.get(&peer.device).expect("who is logged in has a session");
        let (epoch, last_second) = (session.epoch, session.ticket.last_second);
        if text.len() > TEXT_BYTES_MAX {
            return Ok(Err(Code::InvalidArgument));
        }
        if !self.records.users.contains_key(&to) {
            return Ok(Err(Code::UnknownUser));
        }
        let message = Message { id: MessageId(self.records.last_message.0 + 1), from, to, text };
        self.fact(Fact::MessageStored { message: message.clone(), id, epoch, last_second });
        let (account, sent_max) = (&self.records.users[&from], self.config.limits.sent_max);
        if let Some(through) = self.decisions.forgets_sent(account, sent_max, self.now.wall.seconds()) {
            self.fact(Fact::SentForgotten { user: from, through });
        }
        Ok(Ok(Accepted::Now(message)))
    }

    /// API-2, API-7: answers the sender, then delivers to the receiver's devices and the sender's others.
    pub(super) fn answer_message(
        &mut self,
        connection: ConnectionId,
        peer: Peer,
        call: CallId,
        accepted: Result<Accepted, Code>,
    ) {
        let outcome = accepted.as_ref().map(Accepted::number).map_err(|&code| code);
        self.send(connection, ServerFrame::SendAnswer { call, outcome });
        let Ok(Accepted::Now(message)) = accepted else { return };
        for (user, device) in self.owe(peer.device, message) {
            self.deliver(user, device);
        }
    }

    /// ADMIN-1: ends every session of the user and voids the tickets.
    pub(super) fn admin_kick(
        &mut self,
        connection: ConnectionId,
        user: UserId,
    ) -> Result<Result<(), Code>, FrameError> {
        if let Err(code) = self.administrator(connection)? {
            return Ok(Err(code));
        }
        let Some(account) = self.records.users.get(&user) else { return Ok(Err(Code::UnknownUser)) };
        let until = self.now.wall.seconds();
        let mut sessions: Vec<(DeviceId, Session)> =
            account.sessions.iter().map(|(&device, session)| (device, session.clone())).collect();
        sessions.sort_unstable_by_key(|(_, session)| session.epoch);
        self.fact(Fact::TicketsVoided { user, until });
        for (device, session) in sessions {
            if session.ticket.issued_at > until {
                let (signature, last_second) = (session.ticket.signature, session.ticket.last_second);
                self.fact(Fact::TicketVoided { user, signature, last_second });
            }
            self.kick(user, device, EndReason::Administrator, None);
        }
        Ok(Ok(()))
    }

    /// Answers ahead of what this input ends: an administrator who kicks themselves hears the
    /// answer first, since nothing may follow the end on its connection (KICK-10).
    pub(super) fn send_before_ends(&mut self, connection: ConnectionId, answer: ServerFrame) {
        let ends = std::mem::take(&mut self.actions);
        self.send(connection, answer);
        self.actions.extend(ends);
    }

    /// ADMIN-2: presence and devices of accounts, in the order asked.
    pub(super) fn query_status(
        &self,
        connection: ConnectionId,
        users: &[UserId],
    ) -> Result<Result<StatusReport, Code>, FrameError> {
        if let Err(code) = self.administrator(connection)? {
            return Ok(Err(code));
        }
        let mut report = StatusReport::default();
        for &user in users {
            match self.records.users.get(&user) {
                None => report.unknown.push(user),
                Some(account) => {
                    let mut sessions: Vec<(&DeviceId, &Session)> = account.sessions.iter().collect();
                    sessions.sort_unstable_by_key(|(_, session)| session.epoch);
                    let devices = sessions.into_iter().map(|(device, session)| DeviceStatus {
                        device: device.public_name(),
                        platform: session.platform,
                        state: self.device_state(session),
                    });
                    // What the last event told: the seven days that ran out do not run again because a
                    // clock was set back (PRES-1).
                    let presence = account.presence;
                    report.users.push(UserStatus { user, presence, devices: devices.collect() });
                }
            }
        }
        Ok(Ok(report))
    }

    fn device_state(&self, session: &Session) -> DeviceState {
        let dormant = self.config.limits.dormant_of(session.platform);
        match session.link.lost_at() {
            None => DeviceState::Connected,
            Some(lost_at) if self.decisions.is_dormant(lost_at, dormant, self.now.wall) => DeviceState::Dormant,
            Some(_) => DeviceState::LinkLost,
        }
    }
}
