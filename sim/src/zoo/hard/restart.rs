//! What the server's next process does not find, or takes for something else.

use std::collections::BTreeSet;
use std::sync::Arc;

use gatecrash::policy::Seats;
use gatecrash::server::Config;
use gatecrash::store::{EndReason, Owed, Records, Sent};

use gatecrash::id::UserId;

use crate::world::event::Interceptor;

/// The records are read with this lost.
pub(in crate::zoo) struct ReadsWithout(fn(&mut Records));

impl ReadsWithout {
    /// Single tickets that an administrator voided.
    pub(in crate::zoo) const SINGLE_VOIDS: ReadsWithout =
        ReadsWithout(|records| records.users.values_mut().for_each(|account| account.voided.clear()));
    /// What users called the messages that they sent from sessions that have ended.
    pub(in crate::zoo) const SENT: ReadsWithout = ReadsWithout(|records| {
        for account in records.users.values_mut() {
            let mut sent = Sent::default();
            let lives = |epoch| account.sessions.values().any(|session| session.epoch == epoch);
            account.sent.iter().filter(|sent| lives(sent.epoch)).for_each(|one| sent.push(one.clone()));
            account.sent = sent;
        }
    });
    /// Whether the device of a session that another platform displaced had acknowledged its login.
    pub(in crate::zoo) const ACKNOWLEDGED_OF_THE_ENDED: ReadsWithout = ReadsWithout(|records| {
        let ended = records.devices.values_mut().filter_map(|device| device.ended.as_mut());
        let of_other = ended.filter(|ended| ended.reason == EndReason::OtherPlatform);
        of_other.for_each(|ended| ended.acknowledged = false);
    });
    /// That a device has yet to acknowledge its login.
    pub(in crate::zoo) const UNACKNOWLEDGED: ReadsWithout = ReadsWithout(|records| {
        for account in records.users.values_mut() {
            account.sessions.iter_mut().for_each(|(_, session)| session.acknowledged = true);
        }
    });
    /// The days before the last one.
    pub(in crate::zoo) const EARLIER_DAYS: ReadsWithout = ReadsWithout(|records| {
        for account in records.users.values_mut() {
            while account.days.len() > 1 {
                account.days.pop_first();
            }
        }
    });
    /// By whom a session was displaced whose device never acknowledged its login.
    pub(in crate::zoo) const DISPLACER: ReadsWithout = ReadsWithout(|records| {
        let ended = records.devices.values_mut().filter_map(|device| device.ended.as_mut());
        ended.filter(|ended| !ended.acknowledged).for_each(|ended| ended.by = None);
    });
    /// Of the messages that a session is owed, those behind the third.
    pub(in crate::zoo) const LATER_MESSAGES: ReadsWithout = ReadsWithout(|records| {
        for account in records.users.values_mut() {
            for (_, session) in account.sessions.iter_mut() {
                let mut owed = Owed::at(session.owed.places());
                session.owed.iter().take(3).for_each(|(place, message)| owed.put_back(place, Arc::clone(message)));
                session.owed = owed;
            }
        }
    });
    /// That an administrator ended a session, where its device has confirmed it.
    pub(in crate::zoo) const CONFIRMED_ENDS: ReadsWithout = ReadsWithout(|records| {
        for device in records.devices.values_mut() {
            device.ended.take_if(|ended| !ended.owed && ended.reason == EndReason::Administrator);
        }
    });
}

impl Interceptor for ReadsWithout {
    fn server_starts(&mut self, _: &mut Config, records: &mut Records) {
        (self.0)(records);
    }
}

/// What an operator changed while the server ran is so when it starts again, and not when it does for the second time.
#[derive(Default)]
pub(in crate::zoo) struct FirstConfiguration {
    first: Option<Config>,
    starts: u32,
    keeps: Option<Kept>,
}

/// Part of a configuration.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::zoo) enum Kept {
    Seats,
    ReconnectKicks,
    Notice,
    Administrators,
}

impl FirstConfiguration {
    pub(in crate::zoo) fn of(kept: Kept) -> Self {
        FirstConfiguration { keeps: Some(kept), ..FirstConfiguration::default() }
    }
}

impl Interceptor for FirstConfiguration {
    fn server_starts(&mut self, config: &mut Config, _: &mut Records) {
        let first: &Config = self.first.get_or_insert_with(|| config.clone());
        self.starts += 1;
        if self.starts < 3 {
            return;
        }
        let (seats, administrators): (Seats, BTreeSet<UserId>) = (first.seats.clone(), first.administrators.clone());
        match self.keeps {
            Some(Kept::Seats) => config.seats = seats,
            Some(Kept::ReconnectKicks) => config.reconnect_kicks = first.reconnect_kicks,
            Some(Kept::Notice) => config.notify_offline_kick = first.notify_offline_kick,
            Some(Kept::Administrators) => config.administrators = administrators,
            None => {}
        }
    }
}
