//! What the server must not forget, as the model keeps it: plain lists, searched from end to end.

use std::collections::{BTreeMap, BTreeSet};

use gatecrash::id::Attempt;
use gatecrash::policy::Platform;
use gatecrash::protocol::Presence;
use gatecrash::store::EndReason;

use crate::scenario::numbers::DAYS_REMEMBERED;
use crate::trace::{DeviceIndex, Fact, TextIndex, TicketIndex, UserIndex};

/// A device by one of the ids it has had: one that was wiped is another device.
pub(super) type Id = (DeviceIndex, u16);

/// Everything durable.
#[derive(Clone, Debug, Default)]
pub(super) struct Records {
    /// The accounts: who is here exists.
    pub(super) users: BTreeMap<UserIndex, User>,
    /// The devices admitted at least once.
    pub(super) devices: BTreeMap<Id, Device>,
    /// How many users each day has (DAU-1).
    pub(super) days: BTreeMap<u32, u32>,
    /// The number of the last message.
    pub(super) last_message: u32,
    /// Every message.
    pub(super) messages: BTreeMap<u32, (UserIndex, UserIndex, TextIndex)>,
    /// What each session that is not over is owed.
    pub(super) queues: BTreeMap<(UserIndex, DeviceIndex, u32), Queue>,
}

/// The messages that a session is owed (API-7).
#[derive(Clone, Debug, Default)]
pub(super) struct Queue {
    /// The place of the last message that is owed no more, and of the last one.
    pub(super) gone: u32,
    pub(super) last: u32,
    /// At which place, which message; the oldest first.
    pub(super) messages: Vec<(u32, u32)>,
}

impl Queue {
    fn forget(&mut self, through: u32) {
        self.gone = through;
        self.messages.retain(|(place, _)| *place > through);
    }
}

/// An account.
#[derive(Clone, Debug, Default)]
pub(super) struct User {
    /// In the order of login.
    pub(super) sessions: Vec<Session>,
    pub(super) presence_number: u32,
    pub(super) presence: Presence,
    pub(super) days: BTreeSet<u32>,
    pub(super) voided_until: Option<u64>,
    pub(super) voided: Vec<TicketIndex>,
    /// With whom, the last message's number, and its text.
    pub(super) conversations: BTreeMap<UserIndex, (u32, TextIndex)>,
    /// What they sent, the oldest first.
    pub(super) sent: Vec<Sent>,
}

impl User {
    /// Whether they count no more for this day: of the last days it is known, and one before all of those is taken to
    /// have been counted (DAU-1).
    pub(super) fn was_counted(&self, day: u32) -> bool {
        let is_before_all = self.days.iter().rev().take(DAYS_REMEMBERED).all(|counted| day < *counted);
        self.days.contains(&day) || self.days.len() >= DAYS_REMEMBERED && is_before_all
    }
}

/// A message and what its sender calls it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent {
    pub(super) message: u32,
    pub(super) name: u32,
    /// The session that sent it, and the last second of its ticket: then, or when it ended.
    pub(super) epoch: u32,
    pub(super) until: u64,
}

/// Somebody is logged in on a device.
#[derive(Clone, Copy, Debug)]
pub(super) struct Session {
    pub(super) id: Id,
    pub(super) epoch: u32,
    pub(super) platform: Platform,
    pub(super) attempt: Attempt,
    pub(super) ticket: TicketIndex,
    /// The last second of its ticket.
    pub(super) until: u64,
    /// Whether the device has its login's answer.
    pub(super) acknowledged: bool,
    /// When the server noticed its link loss, in microseconds of the wall clock; none while connected.
    pub(super) lost: Option<u64>,
    /// Whether the presence event of its seven days is out.
    pub(super) lapsed: bool,
}

/// A device that was admitted.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Device {
    /// The highest attempt acted upon.
    pub(super) attempt: Attempt,
    /// Whose session it holds.
    pub(super) holds: Option<UserIndex>,
    /// How its last session ended, where it did not end it itself.
    pub(super) ended: Option<Ended>,
    /// Who was logged in on it last, and the last second of the ticket that their session lived by when it ended.
    pub(super) keeper: Option<UserIndex>,
    pub(super) until: u64,
}

/// A session's end, for the record of its device (KICK-3).
#[derive(Clone, Copy, Debug)]
pub(super) struct Ended {
    pub(super) user: UserIndex,
    pub(super) epoch: u32,
    pub(super) reason: EndReason,
    pub(super) by: Option<DeviceIndex>,
    /// Whether the device has yet to confirm that it was kicked.
    pub(super) owed: bool,
    pub(super) acknowledged: bool,
}

impl Ended {
    pub(super) fn names(&self, user: UserIndex, epoch: u32) -> bool {
        (self.user, self.epoch) == (user, epoch)
    }
}

impl Records {
    /// The session that the device holds as this user.
    pub(super) fn session(&self, user: UserIndex, id: Id) -> Option<&Session> {
        self.users.get(&user)?.sessions.iter().find(|session| session.id == id)
    }

    pub(super) fn ended(&self, id: Id) -> Option<&Ended> {
        self.devices.get(&id)?.ended.as_ref()
    }

    fn of_epoch(&mut self, user: UserIndex, device: DeviceIndex, epoch: u32) -> Option<&mut Session> {
        let sessions = &mut self.users.get_mut(&user)?.sessions;
        sessions.iter_mut().find(|session| session.id.0 == device && session.epoch == epoch)
    }

    fn ended_of_epoch(&mut self, user: UserIndex, device: DeviceIndex, epoch: u32) -> Option<&mut Ended> {
        let ids = self.devices.range_mut((device, 0)..=(device, u16::MAX));
        ids.filter_map(|(_, device)| device.ended.as_mut()).find(|ended| ended.names(user, epoch))
    }

    /// Makes a fact true. `from` is who caused it: facts name a device, not which of its ids.
    pub(super) fn apply(&mut self, fact: &Fact, from: Option<Id>) {
        match *fact {
            Fact::AccountCreated { user } => {
                self.users.entry(user).or_default();
            }
            Fact::AttemptRaised { device, installation, attempt } => {
                if let Some(device) = self.devices.get_mut(&(device, installation)) {
                    device.attempt = attempt;
                }
            }
            Fact::SessionAccepted { user, device, installation, platform, epoch, attempt, ticket, until } => {
                let id = (device, installation);
                self.devices
                    .insert(id, Device { attempt, holds: Some(user), ended: None, keeper: Some(user), until: 0 });
                let (until, acknowledged, lost, lapsed) = (until.get(), false, None, false);
                let session = Session { id, epoch, platform, attempt, ticket, until, acknowledged, lost, lapsed };
                self.users.entry(user).or_default().sessions.push(session);
            }
            Fact::SessionResumed { user, device, epoch, ticket, until } => {
                if let Some(session) = self.of_epoch(user, device, epoch) {
                    (session.lost, session.lapsed) = (None, false);
                    (session.ticket, session.until) = (ticket, until.get());
                }
            }
            Fact::SessionRenewed { user, device, epoch, ticket, until } => {
                if let Some(session) = self.of_epoch(user, device, epoch) {
                    (session.ticket, session.until) = (ticket, until.get());
                }
            }
            Fact::LoginAcknowledged { user, device, epoch } => {
                if let Some(session) = self.of_epoch(user, device, epoch) {
                    session.acknowledged = true;
                } else if let Some(ended) = self.ended_of_epoch(user, device, epoch) {
                    ended.acknowledged = true;
                }
            }
            Fact::LinkLost { user, device, epoch, wall } => {
                if let Some(session) = self.of_epoch(user, device, epoch) {
                    session.lost = Some(wall.get());
                }
            }
            Fact::SessionEnded { user, device, installation, epoch, reason, by } => {
                self.ended_now(user, (device, installation), epoch, reason, by);
            }
            Fact::KickSettled { user, device, epoch } => {
                if let Some(ended) = self.ended_of_epoch(user, device, epoch) {
                    ended.owed = false;
                }
            }
            Fact::EndForgotten { .. } => {
                if let Some(device) = from.and_then(|id| self.devices.get_mut(&id)) {
                    device.ended = None;
                }
            }
            Fact::DeviceForgotten { device, installation, .. } => {
                self.devices.remove(&(device, installation));
            }
            Fact::TicketsVoided { user, until } => {
                let account = self.users.entry(user).or_default();
                account.voided_until = account.voided_until.max(Some(until.get()));
            }
            Fact::TicketVoided { user, ticket } => self.users.entry(user).or_default().voided.push(ticket),
            Fact::DayCounted { user, day, .. } => {
                self.users.entry(user).or_default().days.insert(day);
                *self.days.entry(day).or_default() += 1;
            }
            Fact::PresenceChanged { user, sequence: number, presence, .. } => {
                let account = self.users.entry(user).or_default();
                (account.presence_number, account.presence) = (number, presence);
            }
            Fact::MessageStored { message, from: sender, to, text, id: name } => {
                self.last_message = message;
                self.messages.insert(message, (sender, to, text));
                let session = from.and_then(|id| self.session(sender, id));
                let (epoch, until) = session.map_or((0, 0), |session| (session.epoch, session.until));
                self.users.entry(sender).or_default().sent.push(Sent { message, name, epoch, until });
                for (user, peer) in [(sender, to), (to, sender)] {
                    self.users.entry(user).or_default().conversations.insert(peer, (message, text));
                }
            }
            Fact::SentForgotten { user, through } => self.forget_sent(user, through),
            Fact::MessageOwed { user, device, epoch, message } => {
                let queue = self.queues.entry((user, device, epoch)).or_default();
                queue.last += 1;
                queue.messages.push((queue.last, message));
            }
            Fact::MessagesReceived { user, device, epoch, through }
            | Fact::MessagesDropped { user, device, epoch, through } => {
                self.queues.entry((user, device, epoch)).or_default().forget(through);
            }
        }
    }

    fn forget_sent(&mut self, user: UserIndex, through: u32) {
        self.users.entry(user).or_default().sent.retain(|sent| sent.message > through);
    }

    fn ended_now(&mut self, user: UserIndex, id: Id, epoch: u32, reason: EndReason, by: Option<DeviceIndex>) {
        let Some(account) = self.users.get_mut(&user) else { return };
        let Some(place) = account.sessions.iter().position(|one| one.id == id && one.epoch == epoch) else { return };
        let Session { acknowledged, until, .. } = account.sessions.remove(place);
        account.sent.iter_mut().filter(|sent| sent.epoch == epoch).for_each(|sent| sent.until = until);
        self.queues.remove(&(user, id.0, epoch));
        let device = self.devices.entry(id).or_default();
        device.holds = None;
        device.until = until;
        device.ended = match reason {
            EndReason::Logout | EndReason::Replaced | EndReason::OtherUser => None,
            EndReason::Expired => Some(Ended { user, epoch, reason, by, owed: false, acknowledged }),
            EndReason::SamePlatform | EndReason::OtherPlatform | EndReason::Administrator => {
                Some(Ended { user, epoch, reason, by, owed: true, acknowledged })
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// DAU-1: one day before those that are remembered counts for nothing, unless there is room for it.
    #[test]
    fn a_day_that_nobody_remembers_was_counted() {
        let counted = |number: usize| User { days: (10..10 + number as u32).collect(), ..User::default() };
        let full = counted(DAYS_REMEMBERED);
        assert_eq!([9, 10, 17, 18].map(|day| full.was_counted(day)), [true, true, true, false]);
        assert!(!counted(DAYS_REMEMBERED - 1).was_counted(9));
        // More were counted than are remembered; one between those that are is another day.
        let gap = User { days: [5, 10, 12, 13, 14, 15, 16, 17, 18].into(), ..User::default() };
        assert_eq!([5, 9, 10, 11].map(|day| gap.was_counted(day)), [true, true, true, false]);
    }
}
