//! The devices that hold no session, and how long they are remembered (ATT-6).
//!
//! Says which there are of a user and in which order they go; when one goes is decided in `decide`.

use std::collections::{BTreeMap, BTreeSet};

use super::{Server, Timer};
use crate::decide::ServerDecisions;
use crate::id::{DeviceId, UserId};
use crate::store::{DeviceRecord, Fact, Records};
use crate::time::WallTime;

/// Devices without a session, by who keeps their record: when the ticket of their last session is over, the earliest
/// first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Away(BTreeMap<UserId, BTreeSet<(WallTime, DeviceId)>>);

impl Away {
    pub(super) fn of(records: &Records) -> Self {
        let mut away = Away::default();
        for (&device, record) in records.devices.iter().filter(|(_, record)| record.user.is_none()) {
            away.put(device, record);
        }
        away
    }

    fn put(&mut self, device: DeviceId, record: &DeviceRecord) {
        self.0.entry(record.keeper).or_default().insert((over_at(record), device));
    }

    fn remove(&mut self, device: DeviceId, record: &DeviceRecord) {
        if let Some(of_user) = self.0.get_mut(&record.keeper) {
            of_user.remove(&(over_at(record), device));
            if of_user.is_empty() {
                self.0.remove(&record.keeper);
            }
        }
    }
}

/// An earlier version did not write down when that is: those go by number alone, and last.
fn over_at(record: &DeviceRecord) -> WallTime {
    record.last_second.map_or(WallTime::from_micros(u64::MAX), |last| WallTime::from_seconds(last.saturating_add(1)))
}

impl<D: ServerDecisions> Server<D> {
    /// The device holds no session any more.
    pub(super) fn goes_away(&mut self, device: DeviceId) {
        let record = &self.records.devices[&device];
        self.away.put(device, record);
        self.arm_let_go(record.keeper);
    }

    /// The device is about to hold a session.
    pub(super) fn comes_back(&mut self, device: DeviceId) {
        let Some(record) = self.records.devices.get(&device) else { return };
        self.away.remove(device, record);
        self.arm_let_go(record.keeper);
    }

    /// Lets those of the user's devices go that are too many, or long gone.
    pub(super) fn let_go(&mut self, user: UserId) {
        while let Some(of_user) = self.away.0.get(&user)
            && let Some(device) = self.decisions.lets_go(of_user, &self.config.limits, self.now.wall)
        {
            self.forget_device(device);
        }
    }

    /// The time has come for the first of the user's devices, as it was when that was set.
    pub(super) fn let_long_gone_go(&mut self, user: UserId) {
        self.let_go(user);
        // By another configuration it is remembered for longer.
        let next = self.next_let_go(user).filter(|&at| at > self.now.wall);
        next.into_iter().for_each(|at| self.walls.set(Timer::LetGo(user), at));
    }

    /// Lets the first of the user's devices go, whatever the time.
    pub(super) fn let_first_go(&mut self, user: UserId) {
        if let Some(&(_, device)) = self.away.0.get(&user).and_then(BTreeSet::first) {
            self.forget_device(device);
        }
    }

    fn forget_device(&mut self, device: DeviceId) {
        let record = &self.records.devices[&device];
        let (user, attempt) = (record.keeper, record.attempt);
        self.comes_back(device);
        self.strangers.put(device, attempt);
        self.fact(Fact::DeviceForgotten { user, device });
    }

    pub(super) fn arm_all_let_go(&mut self) {
        let users: Vec<UserId> = self.away.0.keys().copied().collect();
        for user in users {
            self.arm_let_go(user);
        }
    }

    fn arm_let_go(&mut self, user: UserId) {
        match self.next_let_go(user) {
            Some(at) => self.walls.set(Timer::LetGo(user), at),
            None => drop(self.walls.cancel(Timer::LetGo(user))),
        }
    }

    fn next_let_go(&self, user: UserId) -> Option<WallTime> {
        let &(over_at, _) = self.away.0.get(&user)?.first()?;
        (over_at.as_micros() < u64::MAX).then(|| over_at + self.config.limits.remembered)
    }
}
