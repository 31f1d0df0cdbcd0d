//! What the server's disk keeps of a batch, where several commits come together and the server starts again.

use gatecrash::store::{Commit, Fact};

use crate::world::event::Interceptor;

/// Of a batch of several commits facts of one kind are lost.
pub(in crate::zoo) struct Loses {
    is_lost: fn(&Fact) -> bool,
}

impl Loses {
    const fn of(is_lost: fn(&Fact) -> bool) -> Loses {
        Loses { is_lost }
    }

    /// That a login was acknowledged.
    pub(in crate::zoo) const ACKNOWLEDGED: Loses = Loses::of(|fact| matches!(fact, Fact::LoginAcknowledged { .. }));
    /// Which messages a device has.
    pub(in crate::zoo) const RECEIVED: Loses = Loses::of(|fact| matches!(fact, Fact::MessagesReceived { .. }));
    /// What an administrator's kick voids.
    pub(in crate::zoo) const VOIDS: Loses =
        Loses::of(|fact| matches!(fact, Fact::TicketsVoided { .. } | Fact::TicketVoided { .. }));
    /// By which ticket a session lives.
    pub(in crate::zoo) const RENEWALS: Loses = Loses::of(|fact| matches!(fact, Fact::SessionRenewed { .. }));
    /// What a session is owed.
    pub(in crate::zoo) const OWED: Loses = Loses::of(|fact| matches!(fact, Fact::MessageOwed { .. }));
    /// That a logout ended what its device owed.
    pub(in crate::zoo) const FORGOTTEN: Loses = Loses::of(|fact| matches!(fact, Fact::EndForgotten { .. }));

    /// What the disk keeps.
    pub(in crate::zoo) fn kept(&self, batch: &mut [Commit]) {
        if batch.len() > 1 {
            batch.iter_mut().for_each(|commit| commit.facts.retain(|fact| !(self.is_lost)(fact)));
        }
    }
}

impl Interceptor for Loses {
    fn stored(&mut self, batch: &mut Vec<Commit>) {
        self.kept(batch);
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
