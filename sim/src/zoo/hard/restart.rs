//! What the server's next process does not find, or takes for something else.

use std::sync::Arc;

use gatecrash::server::Config;
use gatecrash::store::{EndReason, Owed, Records};

use crate::world::event::Interceptor;

/// The records are read with this lost.
pub(in crate::zoo) struct ReadsWithout(fn(&mut Records));

impl ReadsWithout {
    /// Single tickets that an administrator voided.
    pub(in crate::zoo) const SINGLE_VOIDS: ReadsWithout =
        ReadsWithout(|records| records.users.values_mut().for_each(|account| account.voided.clear()));
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
