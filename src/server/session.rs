//! A session's life: accepted, connected, lost, ended, and its end told.
//!
//! Decides nothing: `login` and `request` say what happens, this keeps facts, timers and
//! connections in step.

use super::{Action, Binding, Connection, Delivery, Peer, Server, Timer};
use crate::decide::ServerDecisions;
use crate::id::{Attempt, ConnectionId, DeviceId, PublicName, UserId};
use crate::policy::Platform;
use crate::protocol::{Admission, CONVERSATIONS_MAX, Conversation, Kick, KickReason, ServerFrame, SessionName, Terms};
use crate::store::{DAYS_MAX, EndReason, Ended, Fact, Session, SessionTicket};
use crate::time::WallTime;

/// What an accepted login brings along.
pub(super) struct Newcomer {
    pub(super) connection: ConnectionId,
    pub(super) peer: Peer,
    pub(super) user: UserId,
    pub(super) attempt: Attempt,
    pub(super) ticket: SessionTicket,
    /// Whether it counts for the day: a login does, a resume accepted as one does not (KICK-6).
    pub(super) counts: bool,
}

impl<D: ServerDecisions> Server<D> {
    pub(super) fn session(&self, user: UserId, device: DeviceId) -> Option<&Session> {
        self.records.users.get(&user)?.sessions.get(&device)
    }

    pub(super) fn ended(&self, device: DeviceId) -> Option<&Ended> {
        self.records.devices.get(&device)?.ended.as_ref()
    }

    /// Makes the session, ends whatever it displaces, all in one change (POLICY-3, POLICY-4).
    pub(super) fn accept(&mut self, newcomer: Newcomer) -> Admission {
        let Newcomer { connection, peer: Peer { device, platform }, user, attempt, ticket, counts } = newcomer;
        if !self.records.users.contains_key(&user) {
            self.fact(Fact::AccountCreated { user });
        }
        let account = &self.records.users[&user];
        let day = self.now.wall.day();
        let epoch = self.decisions.next_epoch(account.last_epoch, self.records.epoch_floor());
        if counts && self.decisions.counts_day(&account.days, DAYS_MAX, day) {
            let users = self.records.daily_active_users(day) + 1;
            self.fact(Fact::DayCounted { user, day, users });
        }
        // LOGIN-10, SWITCH-5: whatever the device held makes room, and is told nothing.
        if let Some(holder) = self.records.devices.get(&device).and_then(|record| record.user) {
            let reason = if holder == user { EndReason::Replaced } else { EndReason::OtherUser };
            self.end_own_session(holder, device, reason, connection);
        }
        let account = &self.records.users[&user];
        let victims =
            self.decisions.victims(&self.config.seats, &account.sessions, platform, &self.config.limits, self.now.wall);
        for victim in victims {
            self.kick(user, victim.device, victim.reason, Some(device.public_name()));
        }
        self.strangers.remove(&device);
        self.comes_back(device);
        let keeper_before =
            self.records.devices.get(&device).map(|record| record.keeper).filter(|&keeper| keeper != user);
        self.fact(Fact::SessionAccepted { user, device, platform, epoch, attempt, ticket, keeper_before });
        self.bind(connection, device, SessionName { user, epoch });
        self.walls.set(Timer::Expiry(user, device), ticket.ends_at());
        self.touch(user);
        Admission { epoch, conversations: self.conversations(user), terms: self.terms() }
    }

    /// What holds for the links of those who are connected by now (CONN-2).
    pub(super) fn terms(&self) -> Terms {
        Terms { return_spread: self.come_back().spread, heartbeat: self.config.limits.heartbeat }
    }

    /// Puts the session on this connection; another one of the device is closed (CONN-7).
    pub(super) fn bind(&mut self, connection: ConnectionId, device: DeviceId, name: SessionName) {
        if let Some(other) = self.links.insert(device, connection).filter(|&other| other != connection) {
            self.hang_up(other);
        }
        let now = self.now.instant;
        let link = self.connection_mut(connection).expect("a session is bound to the connection it came on");
        link.binding = Binding::Bound(name);
        link.delivery = Delivery::default();
        let platform = link.peer.expect("only a named peer is bound").platform;
        self.instants.cancel(Timer::Admission(connection));
        self.instants.cancel(Timer::Linger(connection));
        self.instants.set(Timer::Silence(connection), now + self.config.limits.silence_of(platform));
        self.walls.cancel(Timer::Dormant(name.user, device));
        self.walls.cancel(Timer::PushOnline(name.user, device));
    }

    /// The session's connection is gone; it lives on (CONN-6).
    pub(super) fn lose_link(&mut self, user: UserId, device: DeviceId) {
        let at = self.now.wall;
        let session = self.session(user, device).expect("a live session loses its link");
        let (epoch, platform) = (session.epoch, session.platform);
        self.fact(Fact::LinkLost { user, device, epoch, at });
        self.arm_link_loss(user, device, platform, at);
        self.touch(user);
    }

    pub(super) fn arm_link_loss(&mut self, user: UserId, device: DeviceId, platform: Platform, at: WallTime) {
        self.walls.set(Timer::Dormant(user, device), at + self.config.limits.dormant_of(platform));
        let push_online = at + self.config.limits.push_online;
        if platform.is_mobile() && self.now.wall < push_online {
            self.walls.set(Timer::PushOnline(user, device), push_online);
        }
    }

    /// TICKET-5: the session ends with its ticket.
    pub(super) fn ticket_over(&mut self, user: UserId, device: DeviceId) {
        if self.session(user, device).is_some() {
            self.end_session(user, device, EndReason::Expired, None);
            self.push_end(user, device);
        }
    }

    /// Ends a session that its device did not ask to end, and tells the device if it is connected.
    pub(super) fn kick(&mut self, user: UserId, device: DeviceId, reason: EndReason, by: Option<PublicName>) {
        self.end_session(user, device, reason, by);
        self.touch(user).push(device.public_name());
        self.push_end(user, device);
    }

    /// Ends a session because its device said so, on `connection`; another connection that carried
    /// it is closed without a word.
    pub(super) fn end_own_session(
        &mut self,
        user: UserId,
        device: DeviceId,
        reason: EndReason,
        connection: ConnectionId,
    ) {
        self.end_session(user, device, reason, None);
        match self.links.remove(&device) {
            Some(other) if other != connection => self.hang_up(other),
            Some(_) => self.refresh(connection),
            None => {}
        }
    }

    /// Nobody is logged in on this connection any more, and nothing is left to tell on it.
    pub(super) fn refresh(&mut self, connection: ConnectionId) {
        let admission = self.now.instant + self.config.limits.admission;
        let link = self.connection_mut(connection).expect("only an open connection is used again");
        link.binding = Binding::Fresh;
        self.instants.cancel(Timer::Silence(connection));
        self.instants.cancel(Timer::Linger(connection));
        // INPUT-2: who was never admitted gains no time by asking for an end.
        self.instants.set_first(Timer::Admission(connection), admission);
    }

    fn end_session(&mut self, user: UserId, device: DeviceId, reason: EndReason, by: Option<PublicName>) {
        let epoch = self.session(user, device).expect("a live session ends").epoch;
        self.fact(Fact::SessionEnded { user, device, epoch, reason, by });
        self.goes_away(device);
        self.walls.cancel(Timer::Expiry(user, device));
        self.walls.cancel(Timer::Dormant(user, device));
        self.walls.cancel(Timer::PushOnline(user, device));
        self.touch(user);
    }

    /// Tells a connected device of its session's end; from here on its connection carries nothing
    /// else (KICK-10).
    fn push_end(&mut self, user: UserId, device: DeviceId) {
        let Some(connection) = self.links.remove(&device) else { return };
        let ended = self.ended(device).expect("a session that was ended for its device is remembered");
        let (name, frame) = (SessionName { user, epoch: ended.epoch }, end_frame(ended));
        self.send(connection, frame);
        self.linger(connection, name);
    }

    /// Keeps the connection for the confirmation of this session's end, 15 s at most (KICK-10).
    pub(super) fn linger(&mut self, connection: ConnectionId, name: SessionName) {
        let until = self.now.instant + self.config.limits.kick_linger;
        let link = self.connection_mut(connection).expect("only an open connection lingers");
        link.binding = Binding::Over(name);
        self.instants.cancel(Timer::Silence(connection));
        // Asking again gains no time, and who was never admitted stays under INPUT-2's.
        self.instants.set_first(Timer::Linger(connection), until);
    }

    /// KICK-3, KICK-10: what is asked on the connection of an ended session is answered with the
    /// end, once more; anything else hears that the peer is there (CONN-5).
    pub(super) fn heartbeat(&mut self, connection: ConnectionId, peer: Peer) {
        let frame = match self.connection(connection).map(|Connection { binding, .. }| *binding) {
            Some(Binding::Over(SessionName { user, epoch })) => {
                match self.ended(peer.device).filter(|ended| ended.names(user, epoch)) {
                    Some(ended) => end_frame(ended),
                    None => ServerFrame::Kick(Kick { user, epoch, reason: KickReason::Gone, by: None }),
                }
            }
            Some(Binding::Fresh | Binding::Bound(_)) | None => ServerFrame::HeartbeatAnswer,
        };
        self.send(connection, frame);
    }

    pub(super) fn login_acknowledged(&mut self, peer: Peer, SessionName { user, epoch }: SessionName) {
        let device = peer.device;
        let waits = |acknowledged: bool| !acknowledged;
        let live = self.session(user, device).is_some_and(|s| s.epoch == epoch && waits(s.acknowledged));
        let over = self.ended(device).is_some_and(|e| e.names(user, epoch) && waits(e.acknowledged));
        if live || over {
            self.fact(Fact::LoginAcknowledged { user, device, epoch });
        }
    }

    /// KICK-3: the device has noted the end; its connection has nothing more to carry (KICK-10).
    pub(super) fn kick_confirmed(&mut self, connection: ConnectionId, peer: Peer, name: SessionName) {
        self.settle(peer.device, name);
        if self.connection(connection).is_some_and(|link| link.binding == Binding::Over(name)) {
            self.actions.push(Action::Close { connection });
            self.connection_gone(connection);
        }
    }

    /// Strikes the kick off what the device is owed, if it is this one.
    pub(super) fn settle(&mut self, device: DeviceId, SessionName { user, epoch }: SessionName) {
        if self.decisions.settles(self.ended(device), user, epoch) {
            self.fact(Fact::KickSettled { user, device, epoch });
        }
    }

    /// The user's conversation list, newest first (API-2).
    pub(super) fn conversations(&self, user: UserId) -> Vec<Conversation> {
        let Some(account) = self.records.users.get(&user) else { return Vec::new() };
        let mut list: Vec<Conversation> = account.conversations.values().cloned().collect();
        list.sort_unstable_by_key(|conversation| std::cmp::Reverse(conversation.last));
        list.truncate(self.config.limits.conversations_max.min(CONVERSATIONS_MAX));
        list
    }
}

/// The frame that tells a device how its session ended.
fn end_frame(ended: &Ended) -> ServerFrame {
    let Ended { user, epoch, reason, by, .. } = *ended;
    match reason.kick() {
        Some(reason) => ServerFrame::Kick(Kick { user, epoch, reason, by }),
        None => ServerFrame::Expired(SessionName { user, epoch }),
    }
}
