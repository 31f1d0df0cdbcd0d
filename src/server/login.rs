//! What a device asks for with an attempt number: login, resume, renewal, logout (ATT-1).
//!
//! An attempt at or below the highest changes nothing and is answered "stale". What is refused is
//! refused in a fixed order: the user id, the lock, the ticket (TICKET-3), the pace (LOGIN-11), the notice of KICK-7.

use super::session::Newcomer;
use super::{Action, Binding, Note, Peer, Server, Whose};
use crate::code::Code;
use crate::decide::ServerDecisions;
use crate::decide::server::{Pace, ResumeCase, ResumeVerdict};
use crate::id::{Attempt, ConnectionId, DeviceId, Epoch, UserId};
use crate::protocol::{Admission, FrameError, Kick, Refusal, ResumeOutcome, ServerFrame, SessionName};
use crate::store::{EndReason, Fact, Session, SessionTicket};
use crate::ticket::OpenedTicket;

impl<D: ServerDecisions> Server<D> {
    pub(super) fn login(
        &mut self,
        connection: ConnectionId,
        peer: Peer,
        attempt: Attempt,
        user: &str,
        ticket: &OpenedTicket,
        known_ended: Option<SessionName>,
    ) -> Result<Admission, Refusal> {
        self.act_on(connection, peer.device, attempt)?;
        if let Some(name) = known_ended {
            self.settle(peer.device, name);
        }
        let user: UserId = user.parse().map_err(|_| Refusal::Code(Code::UserIdRejected))?;
        let ticket = self.admit(peer.device, user, ticket).map_err(Refusal::Code)?;
        let paces = self.login_paces(peer.device, user).ok_or(Refusal::Code(Code::TooManyLogins))?;
        if self.decisions.owes_notice(self.config.notify_offline_kick, self.ended(peer.device), user) {
            let epoch = self.ended(peer.device).map_or(Epoch(0), |ended| ended.epoch);
            self.settle(peer.device, SessionName { user, epoch });
            return Err(Refusal::Code(Code::KickedWhileAway));
        }
        paces.into_iter().for_each(|(whose, pace)| self.paces.put(whose, pace));
        Ok(self.accept(Newcomer { connection, peer, user, attempt, ticket, counts: true }))
    }

    pub(super) fn resume(
        &mut self,
        connection: ConnectionId,
        peer: Peer,
        attempt: Attempt,
        name: SessionName,
        ticket: &OpenedTicket,
        received: u64,
    ) -> ResumeOutcome {
        let SessionName { user, epoch } = name;
        let device = peer.device;
        if self.act_on(connection, device, attempt).is_err() {
            return ResumeOutcome::Stale;
        }
        let judged = self.judge(device, user, ticket);
        // A device that has more than it was ever given is of a later time than these records, as after a restore: what it
        // would be given next it would take for what it has (API-7).
        let is_ahead = |session: &Session| session.epoch == epoch && received > session.owed.places().last;
        if judged.is_ok() && self.session(user, device).is_some_and(is_ahead) {
            self.end_own_session(user, device, EndReason::Replaced, connection);
        }
        let verdict = self.decisions.resume(&ResumeCase {
            user,
            epoch,
            session: self.session(user, device),
            ended: self.ended(device),
            ticket: judged.map(|_| ()),
            reconnect_kicks: self.config.reconnect_kicks,
        });
        let verdict = match (verdict, judged) {
            // Whatever is decided, nobody is admitted without a valid ticket (INPUT-3).
            (ResumeVerdict::Resume | ResumeVerdict::Login | ResumeVerdict::LoginAgain, Err(code)) => {
                ResumeVerdict::Refused(code)
            }
            (verdict, _) => verdict,
        };
        match verdict {
            ResumeVerdict::Resume => {
                let ticket = judged.expect("a refused ticket was turned into a refusal");
                self.link_again(connection, device, name, ticket);
                let dropped = self.goes_on_from(connection, device, name, received);
                let (conversations, terms) = (self.conversations(user), self.terms());
                ResumeOutcome::Resumed { conversations, terms, dropped }
            }
            ResumeVerdict::LoginAgain => {
                let ticket = judged.expect("a refused ticket was turned into a refusal");
                let epoch = self.session(user, device).expect("what an earlier resume was given lives").epoch;
                self.link_again(connection, device, SessionName { user, epoch }, ticket);
                let (conversations, terms) = (self.conversations(user), self.terms());
                ResumeOutcome::LoggedIn(Admission { epoch, conversations, terms })
            }
            ResumeVerdict::Login => {
                let ticket = judged.expect("a refused ticket was turned into a refusal");
                let newcomer = Newcomer { connection, peer, user, attempt, ticket, counts: false };
                ResumeOutcome::LoggedIn(self.accept(newcomer))
            }
            ResumeVerdict::Kicked(reason, by) => {
                self.over(connection, name);
                ResumeOutcome::Kicked(Kick { user, epoch, reason, by })
            }
            ResumeVerdict::Expired => {
                self.over(connection, name);
                ResumeOutcome::Expired
            }
            ResumeVerdict::Refused(code) => ResumeOutcome::Refused(code),
        }
    }

    /// The session goes on over this connection, with this ticket.
    fn link_again(&mut self, connection: ConnectionId, device: DeviceId, name: SessionName, ticket: SessionTicket) {
        let SessionName { user, epoch } = name;
        self.fact(Fact::SessionResumed { user, device, epoch, ticket });
        self.bind(connection, device, name);
        self.walls.set(super::Timer::Expiry(user, device), ticket.ends_at());
        self.touch(user);
    }

    /// LOGIN-5: another ticket for a session that goes on unchanged.
    pub(super) fn renew(
        &mut self,
        connection: ConnectionId,
        peer: Peer,
        attempt: Attempt,
        name: SessionName,
        ticket: &OpenedTicket,
    ) -> Result<Result<(), Refusal>, FrameError> {
        let binding = self.connection(connection).map(|link| link.binding);
        if binding == Some(Binding::Fresh) {
            return Err(FrameError::OutOfPlace);
        }
        Ok(self.renew_session(connection, peer.device, attempt, name, ticket))
    }

    fn renew_session(
        &mut self,
        connection: ConnectionId,
        device: DeviceId,
        attempt: Attempt,
        name: SessionName,
        ticket: &OpenedTicket,
    ) -> Result<(), Refusal> {
        self.act_on(connection, device, attempt)?;
        let SessionName { user, epoch } = name;
        if self.connection(connection).is_none_or(|link| link.binding != Binding::Bound(name)) {
            return Err(Refusal::Code(Code::NotLoggedIn));
        }
        let ticket = self.admit(device, user, ticket).map_err(Refusal::Code)?;
        self.fact(Fact::SessionRenewed { user, device, epoch, ticket });
        self.walls.set(super::Timer::Expiry(user, device), ticket.ends_at());
        Ok(())
    }

    /// ATT-2: ends every session of the device made by attempts up to this one, whoever's, and
    /// settles what the device is owed (KICK-7). The device id is what entitles to it (ATT-3); no
    /// other device is touched (LOGOUT-5).
    pub(super) fn logout(&mut self, connection: ConnectionId, peer: Peer, attempt: Attempt) -> Result<(), Refusal> {
        let device = peer.device;
        self.act_on(connection, device, attempt)?;
        if let Some(user) = self.records.devices.get(&device).and_then(|record| record.user) {
            let session = self.session(user, device).expect("a device's holder has a session");
            if self.decisions.logout_ends(session.attempt, attempt) {
                self.end_own_session(user, device, EndReason::Logout, connection);
            }
        }
        if let Some(record) = self.records.devices.get(&device).filter(|record| record.ended.is_some()) {
            self.fact(Fact::EndForgotten { user: record.keeper, device });
        }
        // The end was told by being asked for: the connection is as good as new.
        if self.connection(connection).is_some_and(|link| matches!(link.binding, Binding::Over(_))) {
            self.refresh(connection);
        }
        Ok(())
    }

    /// Answers what came with an attempt number. A stale one came on a connection that the device
    /// has left if it has another by now: that one wins and this is closed (CONN-7).
    pub(super) fn answer_attempt(&mut self, connection: ConnectionId, peer: Peer, answer: ServerFrame) {
        let is_stale = match &answer {
            ServerFrame::LoginAnswer { outcome, .. } => outcome.as_ref().err() == Some(&Refusal::Stale),
            ServerFrame::RenewAnswer { outcome, .. } | ServerFrame::LogoutAnswer { outcome, .. } => {
                *outcome == Err(Refusal::Stale)
            }
            ServerFrame::ResumeAnswer { outcome, .. } => *outcome == ResumeOutcome::Stale,
            ServerFrame::HeartbeatAnswer
            | ServerFrame::Kick(_)
            | ServerFrame::Expired(_)
            | ServerFrame::SendAnswer { .. }
            | ServerFrame::Message { .. }
            | ServerFrame::AdminKickAnswer { .. }
            | ServerFrame::StatusAnswer { .. }
            | ServerFrame::Error(_)
            | ServerFrame::Closing { .. } => false,
        };
        self.send(connection, answer);
        let current = self.links.get(&peer.device).or_else(|| self.newest.get(&peer.device));
        if is_stale && current.is_some_and(|&current| current != connection) {
            self.hang_up(connection);
        }
    }

    /// ATT-1: notes the attempt as acted upon, or finds it stale. Of a device never admitted it is
    /// kept in memory only.
    ///
    /// CONN-7: the connection that an earlier attempt came on is closed, unless it carries a live
    /// session: that one stays on it until this attempt takes or ends it.
    fn act_on(&mut self, connection: ConnectionId, device: DeviceId, attempt: Attempt) -> Result<(), Refusal> {
        let admitted = self.records.devices.get(&device).map(|record| (record.keeper, record.attempt));
        let highest = admitted.map(|(_, attempt)| attempt).or_else(|| self.strangers.find(&device).copied());
        if !self.decisions.is_new_attempt(highest, attempt) {
            return Err(Refusal::Stale);
        }
        match admitted {
            Some((user, _)) => self.fact(Fact::AttemptRaised { user, device, attempt }),
            None => self.strangers.put(device, attempt),
        }
        let earlier = self.newest.insert(device, connection).filter(|&earlier| earlier != connection);
        if let Some(earlier) = earlier.filter(|_| self.links.get(&device).copied() != earlier) {
            self.hang_up(earlier);
        }
        Ok(())
    }

    /// Judges the ticket of a login or renewal, behind the lock of TICKET-4.
    fn admit(&mut self, device: DeviceId, user: UserId, ticket: &OpenedTicket) -> Result<SessionTicket, Code> {
        let now = self.now.instant;
        let refusals = self.refusals.find(&(user, device));
        if refusals.is_some_and(|refusals| self.decisions.is_locked(refusals, now)) {
            return Err(Code::TooManyRefusals);
        }
        let refusals = refusals.cloned().unwrap_or_default();
        self.judge(device, user, ticket).inspect_err(|_| {
            let refusals = self.decisions.refused(refusals, &self.config.limits, now);
            self.refusals.put((user, device), refusals);
        })
    }

    /// The paces after one more login of this user from this device; none when there are too many (LOGIN-11).
    fn login_paces(&self, device: DeviceId, user: UserId) -> Option<[(Whose, Pace); 2]> {
        let one_more = |whose| {
            let pace = self.paces.find(&whose).copied().unwrap_or_default();
            Some((whose, self.decisions.login_pace(pace, &self.config.limits, self.now.instant)?))
        };
        Some([one_more(Whose::User(user))?, one_more(Whose::Device(device))?])
    }

    fn judge(&mut self, device: DeviceId, user: UserId, ticket: &OpenedTicket) -> Result<SessionTicket, Code> {
        let (wall, account) = (self.now.wall, self.records.users.get(&user));
        let verdict = self.decisions.judge_ticket(ticket, self.config.app_id, user, account, wall.seconds());
        self.actions.push(Action::Note(Note::TicketJudged { device, user, wall, verdict }));
        verdict?;
        ticket.as_ref().map(|opened| SessionTicket::from(&opened.claims)).map_err(|&code| code)
    }

    fn over(&mut self, connection: ConnectionId, name: SessionName) {
        let is_bound = self.connection(connection).is_some_and(|link| matches!(link.binding, Binding::Bound(_)));
        // A connection that carries a live session of the device goes on carrying it.
        if !is_bound {
            self.linger(connection, name);
        }
    }
}
