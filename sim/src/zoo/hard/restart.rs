//! What the server's next process does not find, or takes for something else.

use std::collections::BTreeSet;
use std::sync::Arc;

use gatecrash::policy::Seats;
use gatecrash::server::Config;
use gatecrash::store::{Owed, Records, Sent};

use gatecrash::id::UserId;

use crate::world::event::Interceptor;

/// The records are read with this lost.
pub(in crate::zoo) struct ReadsWithout(fn(&mut Records));

impl ReadsWithout {
    /// Single tickets that an administrator voided.
    pub(in crate::zoo) const SINGLE_VOIDS: ReadsWithout =
        ReadsWithout(|records| records.users.values_mut().for_each(|account| account.voided.clear()));
    /// What users called their messages.
    pub(in crate::zoo) const SENT: ReadsWithout =
        ReadsWithout(|records| records.users.values_mut().for_each(|account| account.sent = Sent::default()));
    /// The attempts of devices that hold no session.
    pub(in crate::zoo) const ATTEMPTS_OF_THE_AWAY: ReadsWithout = ReadsWithout(|records| {
        let away = records.devices.values_mut().filter(|device| device.user.is_none());
        away.for_each(|device| device.attempt = gatecrash::id::Attempt::default());
    });
    /// Whether the device of a session that ended had acknowledged its login.
    pub(in crate::zoo) const ACKNOWLEDGED_OF_THE_ENDED: ReadsWithout = ReadsWithout(|records| {
        let ended = records.devices.values_mut().filter_map(|device| device.ended.as_mut());
        ended.for_each(|ended| ended.acknowledged = false);
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
    /// By whom a session was displaced.
    pub(in crate::zoo) const DISPLACER: ReadsWithout = ReadsWithout(|records| {
        let ended = records.devices.values_mut().filter_map(|device| device.ended.as_mut());
        ended.for_each(|ended| ended.by = None);
    });
    /// When the last ticket of a device without a session is over.
    pub(in crate::zoo) const LAST_SECOND: ReadsWithout =
        ReadsWithout(|records| records.devices.values_mut().for_each(|device| device.last_second = None));
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
    /// What ended a session whose device has confirmed it.
    pub(in crate::zoo) const CONFIRMED_ENDS: ReadsWithout = ReadsWithout(|records| {
        for device in records.devices.values_mut() {
            device.ended.take_if(|ended| !ended.owed && ended.reason.kick().is_some());
        }
    });
}

impl Interceptor for ReadsWithout {
    fn server_starts(&mut self, _: &mut Config, records: &mut Records) {
        (self.0)(records);
    }
}

/// What an operator changed while the server ran is not so any more when it starts again.
#[derive(Default)]
pub(in crate::zoo) struct FirstConfiguration {
    first: Option<Config>,
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
        FirstConfiguration { first: None, keeps: Some(kept) }
    }
}

impl Interceptor for FirstConfiguration {
    fn server_starts(&mut self, config: &mut Config, _: &mut Records) {
        let first: &Config = self.first.get_or_insert_with(|| config.clone());
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
