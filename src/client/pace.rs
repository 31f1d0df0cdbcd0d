//! How often the device sends a heartbeat on the network it is on (CONN-11).
//!
//! When one is due is `link`'s part; by how much the time changes is decided in `decide::client`.

use std::time::Duration;

use crate::client::handler::Handler;
use crate::client::state::Pace;
use crate::decide::ClientDecisions;

impl<D: ClientDecisions> Handler<'_, D> {
    /// How long the device is silent before it sends a heartbeat, as of now.
    pub(super) fn heartbeat_time(&mut self) -> Duration {
        let usual = self.usual_heartbeat();
        let Some(Pace { mut every, mut since }) = self.state.pace.take() else { return usual };
        let limits = &self.state.limits;
        // Nothing wakes for it: whoever asks finds what the time has done.
        while every < usual && self.decisions.heartbeat_recovers(self.now - since, limits) {
            every = self.decisions.recovered_heartbeat(every, usual);
            since = since + limits.heartbeat_recovery;
        }
        if every < usual {
            self.state.pace = Some(Pace { every, since });
        }
        every.min(usual)
    }

    /// The session's link did not answer a heartbeat, before which nothing had passed on it since `quiet_since`.
    pub(super) fn link_fell_silent(&mut self) {
        let Some(connection) = self.state.connection.as_ref().filter(|connection| !connection.slept) else { return };
        let idle_for = connection.asked_at - connection.quiet_since;
        let (usual, every) = (self.usual_heartbeat(), self.heartbeat_time());
        if self.decisions.is_idle_loss(idle_for, every, &self.state.limits) {
            let every = self.decisions.shortened_heartbeat(every, usual, &self.state.limits);
            self.state.pace = Some(Pace { every, since: self.now });
        }
    }

    /// Another network: what was learnt of the one before is void.
    pub(super) fn forget_pace(&mut self) {
        self.state.pace = None;
    }

    /// The rules' time, or a shorter one that the server named.
    fn usual_heartbeat(&self) -> Duration {
        self.decisions.usual_heartbeat(self.state.told_heartbeat, &self.state.limits)
    }
}
