//! The server as its facts tell it: sessions, ends, numbers, and which of that is on disk.
//!
//! Keeps the books and judges nothing. A crash may take back what was not committed: how much of it
//! is there says the next start.

use std::collections::VecDeque;

use gatecrash::id::Attempt;
use gatecrash::policy::{Platform, Seats};
use gatecrash::protocol::Presence;
use gatecrash::store::EndReason;
use gatecrash::time::Instant;

use super::decision::Decision;
use crate::check::grown::grown;
use crate::scenario::numbers;
use crate::trace::{ClientFrame, DeviceIndex, Event, Fact, ListIndex, TicketIndex, UserIndex, What};

/// How many ended sessions of a device are remembered.
const ENDED_MAX: usize = 16;

/// The server, now and on disk.
#[derive(Clone, Debug, Default)]
pub(super) struct ServerView {
    /// With every change decided.
    pub(super) now: Records,
    durable: Records,
    /// Facts decided and not on disk, with the change each is part of.
    pending: VecDeque<(u32, Fact, Instant)>,
    /// The last change on disk.
    pub(super) committed: u32,
    /// The configuration in force, and what it was before.
    pub(super) seats: Option<Seats>,
    pub(super) seats_before: Option<Seats>,
    pub(super) administrators: Option<ListIndex>,
    pub(super) reconnect_kicks: bool,
    /// Whether a login is told once of a displacement its device has not learnt of.
    pub(super) notify_offline_kick: bool,
    pub(super) configured_at: Instant,
    /// When the core began.
    pub(super) started_at: Instant,
    /// Whether the core runs.
    pub(super) is_up: bool,
    /// By connection.
    installations: Vec<u16>,
    /// Who last asked to be let in on each connection.
    askers: Vec<Option<UserIndex>>,
    /// The last resume of each device that the server got, and under which of its ids.
    resumes: Vec<Option<(u16, Attempt)>>,
}

/// What is true on the server.
#[derive(Clone, Debug, Default)]
pub(super) struct Records {
    users: Vec<User>,
    devices: Vec<Device>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct User {
    pub(super) exists: bool,
    pub(super) sessions: Vec<Session>,
    pub(super) last_epoch: u32,
    pub(super) presence_number: u32,
    pub(super) presence: Presence,
    /// In ascending order.
    pub(super) days: Vec<u32>,
    pub(super) voided_until: Option<u64>,
    pub(super) voided: Vec<TicketIndex>,
    /// With whom messages were exchanged, and the last one of each.
    pub(super) conversations: Vec<(UserIndex, u32)>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Session {
    pub(super) device: DeviceIndex,
    pub(super) installation: u16,
    pub(super) epoch: u32,
    /// The change that made it.
    pub(super) commit: u32,
    pub(super) platform: Platform,
    pub(super) attempt: Attempt,
    pub(super) ticket: TicketIndex,
    /// The last second of its ticket.
    pub(super) until: u64,
    /// When the server noticed its link loss, in microseconds of its wall clock; none while connected.
    pub(super) lost: Option<u64>,
    /// Whether the device said that the login's answer arrived.
    pub(super) acknowledged: bool,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Device {
    /// The live sessions of this device, whoever's.
    pub(super) holds: Vec<(UserIndex, u32)>,
    /// Its last ended sessions, the latest last.
    pub(super) ended: Vec<Ended>,
    /// The highest attempt acted upon of each id it had.
    pub(super) attempts: Vec<(u16, Attempt)>,
    /// Of each id it had, the change since which the server remembers how a session ended.
    remembered: Vec<(u16, u32)>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Ended {
    pub(super) user: UserIndex,
    pub(super) epoch: u32,
    pub(super) reason: EndReason,
    pub(super) session: Option<Session>,
    /// The change that ended it, and when it was seen.
    pub(super) commit: u32,
    pub(super) at: Instant,
    /// Whether the device has yet to confirm it.
    pub(super) owed: bool,
}

impl Records {
    pub(super) fn user(&self, user: UserIndex) -> Option<&User> {
        self.users.get(user.index())
    }

    pub(super) fn sessions(&self, user: UserIndex) -> &[Session] {
        self.user(user).map_or(&[], |user| &user.sessions)
    }

    /// Every session with a connection, and whose it is.
    pub(super) fn connected(&self) -> impl Iterator<Item = (UserIndex, &Session)> {
        self.users.iter().enumerate().flat_map(|(index, account)| {
            let is_connected = |session: &&Session| session.lost.is_none();
            account.sessions.iter().filter(is_connected).map(move |session| (UserIndex::new(index), session))
        })
    }

    pub(super) fn session(&self, user: UserIndex, device: DeviceIndex, epoch: u32) -> Option<&Session> {
        self.sessions(user).iter().find(|session| session.device == device && session.epoch == epoch)
    }

    pub(super) fn device(&self, device: DeviceIndex) -> Option<&Device> {
        self.devices.get(device.index())
    }

    /// Whose live sessions the device holds.
    pub(super) fn holds(&self, device: DeviceIndex) -> &[(UserIndex, u32)] {
        self.device(device).map_or(&[], |device| &device.holds)
    }

    pub(super) fn ended(&self, device: DeviceIndex, user: UserIndex, epoch: u32) -> Option<&Ended> {
        self.device(device)?.ended.iter().rev().find(|ended| ended.user == user && ended.epoch == epoch)
    }

    pub(super) fn attempt(&self, device: DeviceIndex, installation: u16) -> Option<Attempt> {
        let attempts = &self.device(device)?.attempts;
        attempts.iter().find(|(one, _)| *one == installation).map(|(_, attempt)| *attempt)
    }

    fn user_mut(&mut self, user: UserIndex) -> &mut User {
        grown(&mut self.users, user.index())
    }

    fn device_mut(&mut self, device: DeviceIndex) -> &mut Device {
        grown(&mut self.devices, device.index())
    }

    fn session_mut(&mut self, user: UserIndex, device: DeviceIndex, epoch: u32) -> Option<&mut Session> {
        self.user_mut(user).sessions.iter_mut().find(|session| session.device == device && session.epoch == epoch)
    }

    fn ended_mut(&mut self, device: DeviceIndex, user: UserIndex, epoch: u32) -> Option<&mut Ended> {
        let ended = self.device_mut(device).ended.iter_mut().rev();
        ended.into_iter().find(|ended| ended.user == user && ended.epoch == epoch)
    }

    fn raise(&mut self, device: DeviceIndex, installation: u16, attempt: Attempt) {
        let attempts = &mut self.device_mut(device).attempts;
        match attempts.iter_mut().find(|(one, _)| *one == installation) {
            Some((_, highest)) => *highest = attempt.max(*highest),
            None => attempts.push((installation, attempt)),
        }
    }

    fn apply(&mut self, commit: u32, fact: &Fact, at: Instant) {
        match *fact {
            Fact::AccountCreated { user } => self.user_mut(user).exists = true,
            Fact::AttemptRaised { device, installation, attempt } if device != DeviceIndex::STRANGER => {
                self.raise(device, installation, attempt);
            }
            Fact::SessionAccepted { user, device, installation, platform, epoch, attempt, ticket, until }
                if device != DeviceIndex::STRANGER =>
            {
                self.raise(device, installation, attempt);
                self.device_mut(device).holds.push((user, epoch));
                let account = self.user_mut(user);
                account.last_epoch = epoch.max(account.last_epoch);
                account.sessions.push(Session {
                    device,
                    installation,
                    epoch,
                    commit,
                    platform,
                    attempt,
                    ticket,
                    until: until.get(),
                    lost: None,
                    acknowledged: false,
                });
                self.device_mut(device).forget(Some(installation), commit);
            }
            Fact::SessionResumed { user, device, epoch, ticket, until } => {
                if let Some(session) = self.session_mut(user, device, epoch) {
                    (session.lost, session.ticket, session.until) = (None, ticket, until.get());
                }
            }
            Fact::SessionRenewed { user, device, epoch, ticket, until } => {
                if let Some(session) = self.session_mut(user, device, epoch) {
                    (session.ticket, session.until) = (ticket, until.get());
                }
            }
            Fact::LinkLost { user, device, epoch, wall } => {
                if let Some(session) = self.session_mut(user, device, epoch) {
                    session.lost = Some(wall.get());
                }
            }
            Fact::SessionEnded { user, device, epoch, reason, .. } if device != DeviceIndex::STRANGER => {
                let sessions = &mut self.user_mut(user).sessions;
                let place = sessions.iter().position(|one| one.device == device && one.epoch == epoch);
                let session = place.map(|place| sessions.remove(place));
                let device = self.device_mut(device);
                device.holds.retain(|&held| held != (user, epoch));
                device.make_room();
                device.ended.push(Ended {
                    user,
                    epoch,
                    reason,
                    session,
                    commit,
                    at,
                    owed: numbers::kick_for(reason).is_some(),
                });
                if numbers::is_own(reason) {
                    device.forget(session.map(|session| session.installation), commit + 1);
                }
            }
            Fact::TicketsVoided { user, until } => {
                let account = self.user_mut(user);
                account.voided_until = account.voided_until.max(Some(until.get()));
            }
            Fact::TicketVoided { user, ticket } => self.user_mut(user).voided.push(ticket),
            Fact::DayCounted { user, day, .. } => {
                let days = &mut self.user_mut(user).days;
                if let Err(place) = days.binary_search(&day) {
                    days.insert(place, day);
                }
            }
            Fact::PresenceChanged { user, sequence: number, presence, .. } => {
                let account = self.user_mut(user);
                (account.presence_number, account.presence) = (number, presence);
            }
            Fact::MessageStored { message, from, to, .. } => {
                for (user, peer) in [(from, to), (to, from)] {
                    let conversations = &mut self.user_mut(user).conversations;
                    conversations.retain(|&(one, _)| one != peer);
                    conversations.push((peer, message));
                }
            }
            Fact::LoginAcknowledged { user, device, epoch } if device != DeviceIndex::STRANGER => {
                if let Some(session) = self.session_mut(user, device, epoch) {
                    session.acknowledged = true;
                } else if let Some(session) = self.ended_mut(device, user, epoch).and_then(|one| one.session.as_mut()) {
                    session.acknowledged = true;
                }
            }
            Fact::KickSettled { user, device, epoch } if device != DeviceIndex::STRANGER => {
                if let Some(ended) = self.ended_mut(device, user, epoch) {
                    ended.owed = false;
                }
            }
            Fact::EndForgotten { device } if device != DeviceIndex::STRANGER => {
                self.device_mut(device).forget(None, commit + 1);
            }
            Fact::DeviceForgotten { device, installation, .. } if device != DeviceIndex::STRANGER => {
                let device = self.device_mut(device);
                device.forget(Some(installation), commit + 1);
                // A server remembers it in memory from now on; that one keeps to it, its model says.
                device.attempts.retain(|(one, _)| *one != installation);
            }
            Fact::AttemptRaised { .. }
            | Fact::SessionAccepted { .. }
            | Fact::SessionEnded { .. }
            | Fact::LoginAcknowledged { .. }
            | Fact::KickSettled { .. }
            | Fact::EndForgotten { .. }
            | Fact::DeviceForgotten { .. }
            | Fact::SentForgotten { .. }
            | Fact::MessageOwed { .. }
            | Fact::MessagesReceived { .. }
            | Fact::MessagesDropped { .. } => {}
        }
    }
}

impl Device {
    /// The oldest end goes that is not the last one under its id: a copy of the device may have ended
    /// any number of sessions since, under its own (KICK-3).
    fn make_room(&mut self) {
        if self.ended.len() < ENDED_MAX {
            return;
        }
        let id = |one: &Ended| one.session.map(|session| session.installation);
        let is_past = |place: &usize| self.ended[place + 1..].iter().any(|later| id(later) == id(&self.ended[*place]));
        if let Some(place) = (0..self.ended.len()).find(is_past) {
            self.ended.remove(place);
        }
    }

    /// The server forgets what ended before this change, under one id or, when it is not said which, all.
    fn forget(&mut self, installation: Option<u16>, commit: u32) {
        match installation {
            Some(installation) => match self.remembered.iter_mut().find(|(one, _)| *one == installation) {
                Some((_, since)) => *since = commit.max(*since),
                None => self.remembered.push((installation, commit)),
            },
            None => {
                let ids: Vec<u16> = self.ended.iter().filter_map(|one| Some(one.session?.installation)).collect();
                ids.into_iter().for_each(|id| self.forget(Some(id), commit));
            }
        }
    }

    /// How its last session under this id ended, as far as the server remembers it (KICK-3).
    pub(super) fn remembered(&self, installation: u16) -> Option<&Ended> {
        let since = self.remembered.iter().find(|(one, _)| *one == installation).map_or(0, |(_, since)| *since);
        let is_its = |ended: &&Ended| ended.session.is_some_and(|session| session.installation == installation);
        self.ended.iter().rev().find(is_its).filter(|ended| ended.commit >= since)
    }
}

impl ServerView {
    /// Which of its device's ids the peer on this connection gave: a wiped device is another one.
    pub(super) fn installation(&self, connection: u32) -> u16 {
        self.installations.get(connection as usize).copied().unwrap_or(0)
    }

    /// Who last asked on this connection for a login or a resume.
    pub(super) fn asker(&self, connection: u32) -> Option<UserIndex> {
        self.askers.get(connection as usize).copied().flatten()
    }

    /// Whether it was a resume of the device that came with this attempt (KICK-6).
    pub(super) fn is_resume(&self, device: DeviceIndex, installation: u16, attempt: Attempt) -> bool {
        self.resumes.get(device.index()).copied().flatten() == Some((installation, attempt))
    }

    /// The session that the device was let back as, by this change, when it came back with this epoch, and of which it has
    /// not heard yet (KICK-6).
    pub(super) fn let_back_as(
        &self,
        device: DeviceIndex,
        user: UserIndex,
        epoch: u32,
        decided: u32,
    ) -> Option<&Session> {
        let sessions = self.now.user(user).map_or(&[][..], |user| &user.sessions);
        let is_heir = |session: &&Session| {
            let is_later = session.epoch > epoch && session.commit <= decided;
            session.device == device && is_later && !session.acknowledged
        };
        sessions.iter().filter(|_| self.reconnect_kicks).find(is_heir)
    }

    /// How what the device knows as this session ended. That is another one where a resume under its epoch was
    /// a login and the device has not heard of it (KICK-6). Of what was decided up to this change: what is said of it
    /// may wait for the disk.
    pub(super) fn end_of(&self, device: DeviceIndex, user: UserIndex, epoch: u32, until: u32) -> Option<&Ended> {
        let is_unheard = |session: Session| !session.acknowledged;
        let is_heir = |ended: &&Ended| {
            ended.user == user && ended.epoch > epoch && ended.session.is_some_and(is_unheard) && self.reconnect_kicks
        };
        let named = self.now.ended(device, user, epoch);
        // Under another of its ids it is another device, or one with a copy of its record.
        let id = |ended: &Ended| ended.session.map(|session| session.installation);
        let is_its = |ended: &&Ended| ended.commit <= until && named.is_none_or(|named| id(named) == id(ended));
        let last = self.now.device(device).and_then(|device| device.ended.iter().rev().find(is_its));
        last.filter(is_heir).or(named)
    }

    /// The facts decided and not on disk.
    pub(super) fn pending(&self) -> impl Iterator<Item = &Fact> {
        self.pending.iter().map(|(_, fact, _)| fact)
    }

    /// The server goes on from what is on disk, up to this change: the rest is lost.
    fn started_from(&mut self, commit: u32) {
        self.is_up = true;
        if !self.pending.is_empty() {
            self.on_disk(commit);
            self.pending.clear();
            self.now = self.durable.clone();
        }
        self.committed = commit;
    }

    pub(super) fn decided(&mut self, decision: &Decision) {
        for fact in &decision.facts {
            self.now.apply(decision.commit, fact, decision.at);
            self.pending.push_back((decision.commit, *fact, decision.at));
        }
    }

    fn on_disk(&mut self, commit: u32) {
        while self.pending.front().is_some_and(|(number, ..)| *number <= commit) {
            let (number, fact, at) = self.pending.pop_front().expect("just looked at");
            self.durable.apply(number, &fact, at);
        }
        self.committed = commit.max(self.committed);
    }

    pub(super) fn observe(&mut self, event: &Event) {
        if let What::ServerReceived {
            connection,
            frame: ClientFrame::Login { user, .. } | ClientFrame::Resume { user, .. },
            ..
        } = event.what
        {
            let index = connection as usize;
            *grown(&mut self.askers, index) = Some(user);
        }
        match event.what {
            What::Committed { commit } => self.on_disk(commit),
            What::ServerReceived { connection, frame: ClientFrame::Hello { installation, .. }, .. } => {
                let index = connection as usize;
                *grown(&mut self.installations, index) = installation;
            }
            What::ServerReceived { connection, peer: Some(peer), frame: ClientFrame::Resume { attempt, .. } }
                if peer != DeviceIndex::STRANGER =>
            {
                *grown(&mut self.resumes, peer.index()) = Some((self.installation(connection), attempt));
            }
            // Another device with a copy of the record may come with the number of a resume that a crash undid.
            What::ServerReceived { connection, peer: Some(peer), frame: ClientFrame::Login { attempt, .. } }
                if self.is_resume(peer, self.installation(connection), attempt) =>
            {
                self.resumes[peer.index()] = None;
            }
            What::ServerStarted { commit, .. } => {
                self.started_at = event.at;
                self.started_from(commit);
            }
            What::StoreFailed | What::Effect { effect: crate::trace::Effect::ServerDead } => self.is_up = false,
            What::Configured { seats, reconnect_kicks, notify_offline_kick, administrators } => {
                self.seats_before = self.seats.replace(seats).or(Some(seats));
                self.reconnect_kicks = reconnect_kicks;
                self.notify_offline_kick = notify_offline_kick;
                self.administrators = administrators;
                self.configured_at = event.at;
            }
            _ => {}
        }
    }
}
