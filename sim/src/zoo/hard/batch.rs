//! What the server's disk keeps of a batch, where several commits come together and the server starts again.

use std::collections::BTreeMap;

use gatecrash::id::UserId;
use gatecrash::store::{Commit, Fact};

use crate::world::event::Interceptor;

/// Of a batch of several commits facts of one kind are lost.
pub(in crate::zoo) struct Loses {
    least: usize,
    is_lost: fn(&Fact) -> bool,
}

impl Loses {
    const fn of_three(is_lost: fn(&Fact) -> bool) -> Loses {
        Loses { least: 3, is_lost }
    }

    const fn of_two(is_lost: fn(&Fact) -> bool) -> Loses {
        Loses { least: 2, is_lost }
    }

    /// That a kick was confirmed.
    pub(in crate::zoo) const SETTLED: Loses = Loses::of_three(|fact| matches!(fact, Fact::KickSettled { .. }));
    /// That a login was acknowledged.
    pub(in crate::zoo) const ACKNOWLEDGED: Loses = Loses::of_two(|fact| matches!(fact, Fact::LoginAcknowledged { .. }));
    /// Which messages a device has.
    pub(in crate::zoo) const RECEIVED: Loses = Loses::of_two(|fact| matches!(fact, Fact::MessagesReceived { .. }));
    /// What an administrator's kick voids.
    pub(in crate::zoo) const VOIDS: Loses =
        Loses::of_two(|fact| matches!(fact, Fact::TicketsVoided { .. } | Fact::TicketVoided { .. }));
    /// A day that counts.
    pub(in crate::zoo) const DAYS: Loses = Loses::of_three(|fact| matches!(fact, Fact::DayCounted { .. }));
    /// By which ticket a session lives.
    pub(in crate::zoo) const RENEWALS: Loses = Loses::of_two(|fact| matches!(fact, Fact::SessionRenewed { .. }));
    /// What a session is owed.
    pub(in crate::zoo) const OWED: Loses = Loses::of_two(|fact| matches!(fact, Fact::MessageOwed { .. }));
    /// That a logout ended what its device owed.
    pub(in crate::zoo) const FORGOTTEN: Loses = Loses::of_two(|fact| matches!(fact, Fact::EndForgotten { .. }));

    /// What the disk keeps.
    pub(in crate::zoo) fn kept(&self, batch: &mut [Commit]) {
        if batch.len() >= self.least {
            batch.iter_mut().for_each(|commit| commit.facts.retain(|fact| !(self.is_lost)(fact)));
        }
    }
}

impl Interceptor for Loses {
    fn stored(&mut self, batch: &mut Vec<Commit>) {
        self.kept(batch);
    }
}

/// Of a batch of five commits or more the one in the middle is written without what is in it.
pub(in crate::zoo) struct MiddleIsEmpty;

impl Interceptor for MiddleIsEmpty {
    fn stored(&mut self, batch: &mut Vec<Commit>) {
        let middle = batch.len() / 2;
        if batch.len() >= 5 {
            batch[middle].facts.clear();
        }
    }
}

/// The attempt of a login or resume that was refused is not written.
pub(in crate::zoo) struct LoneAttemptIsLost;

impl Interceptor for LoneAttemptIsLost {
    fn stored(&mut self, batch: &mut Vec<Commit>) {
        for commit in batch {
            if commit.facts.len() == 1 {
                commit.facts.retain(|fact| !matches!(fact, Fact::AttemptRaised { .. }));
            }
        }
    }
}

/// Of three changes or more of one user's presence in a batch the first two are written, under their numbers.
pub(in crate::zoo) struct TwoPresencesAreWritten;

impl Interceptor for TwoPresencesAreWritten {
    fn stored(&mut self, batch: &mut Vec<Commit>) {
        let mut told: BTreeMap<UserId, u32> = BTreeMap::new();
        for commit in batch {
            commit.facts.retain(|fact| match fact {
                Fact::PresenceChanged { user, .. } => {
                    let times = told.entry(*user).or_default();
                    *times += 1;
                    *times <= 2
                }
                _ => true,
            });
        }
    }
}
