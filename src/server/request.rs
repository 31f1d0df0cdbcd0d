//! What a logged-in device asks for: messages, administrative kicks, status queries.
//!
//! On a connection whose session ended every request answers [6014] (KICK-10); on one that never
//! had a session a request is out of place (INPUT-1).

use std::collections::BTreeSet;

use super::{Binding, Peer, Server};
use crate::code::Code;
use crate::decide::ServerDecisions;
use crate::id::{CallId, ConnectionId, DeviceId, MessageId, UserId};
use crate::protocol::{
    DeviceState, DeviceStatus, FrameError, Message, ServerFrame, SessionName, StatusReport, TEXT_BYTES_MAX, UserStatus,
};
use crate::store::{EndReason, Fact, Session};

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

    /// API-2: gives the message its number.
    pub(super) fn send_message(
        &mut self,
        connection: ConnectionId,
        to: UserId,
        text: String,
    ) -> Result<Result<Message, Code>, FrameError> {
        let from = match self.asker(connection)? {
            Ok(user) => user,
            Err(code) => return Ok(Err(code)),
        };
        if text.len() > TEXT_BYTES_MAX {
            return Ok(Err(Code::InvalidArgument));
        }
        if !self.records.users.contains_key(&to) {
            return Ok(Err(Code::UnknownUser));
        }
        let message = Message { id: MessageId(self.records.last_message.0 + 1), from, to, text };
        self.fact(Fact::MessageStored { message: message.clone() });
        Ok(Ok(message))
    }

    /// API-2: answers the sender, then delivers to the receiver's connected devices and the
    /// sender's others.
    pub(super) fn answer_message(
        &mut self,
        connection: ConnectionId,
        peer: Peer,
        call: CallId,
        accepted: Result<Message, Code>,
    ) {
        let outcome = accepted.as_ref().map(|message| message.id).map_err(|&code| code);
        self.send(connection, ServerFrame::SendAnswer { call, outcome });
        let Ok(message) = accepted else { return };
        let devices_of = |user| self.records.users[&user].sessions.keys();
        let devices: BTreeSet<DeviceId> =
            devices_of(message.from).chain(devices_of(message.to)).copied().filter(|&to| to != peer.device).collect();
        for device in devices {
            if let Some(&link) = self.links.get(&device) {
                self.send(link, ServerFrame::Message(message.clone()));
            }
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
