//! What a server does when its store fails: it says so, lets everybody go, and begins anew (DUR-5).
//!
//! Nothing is repaired here. What the failed commit left on disk is found out by opening the store again.

use std::io;
use std::time::Duration;

use tracing::{error, info, warn};

use super::gate::Gate;
use super::{Command, Output, ServeError, ServerDriver, ServerSeen, ServerStore};
use crate::decide::ServerDecisions;
use crate::driver::timer::sleep_until;
use crate::driver::{Observe, Surroundings};
use crate::server::Server;
use crate::store::Records;

/// The first pause before a store that failed is opened again. Each is twice the one before (DUR-5).
pub const REOPEN_PAUSE_MIN: Duration = Duration::from_millis(250);
/// The longest.
pub const REOPEN_PAUSE_MAX: Duration = Duration::from_secs(8);

impl<S: Surroundings, Store: ServerStore, O: Observe, D: ServerDecisions> ServerDriver<S, Store, O, D> {
    /// Answers whoever waits for the store that the server was unable, closes every connection and forgets
    /// everything: what is on disk is not known.
    pub(super) fn fail(&mut self, error: &io::Error) {
        error!(%error, "the store failed: every connection is closed, and the store is opened again");
        let now = self.surroundings.now();
        self.observe.server(now, ServerSeen::StoreFailed);
        for output in self.gate.give_up().iter().filter_map(Output::unable) {
            self.carry_out(now, &output);
        }
        self.gathered.clear();
        self.follow_ups.clear();
        self.slots.close_all();
        self.core = Server::restore(self.core.config().clone(), Records::default());
        self.is_open = false;
    }

    /// Opens the store, however often it takes. False when the owner wants the server to stop first.
    pub(super) async fn reopen(&mut self) -> Result<bool, ServeError> {
        let mut pause = REOPEN_PAUSE_MIN;
        loop {
            if self.is_stopped_within(pause).await {
                return Ok(false);
            }
            let store = self.store.idle().expect("no commit runs without an open store");
            match store.open().await {
                Ok(records) => {
                    info!(change = records.change.0, "the store is open again");
                    self.gate = Gate::new(records.change);
                    self.log.restored(records.change);
                    self.core = Server::restore(self.core.config().clone(), records);
                    self.is_open = true;
                    return Ok(true);
                }
                Err(error) if error.may_pass() => {
                    pause = REOPEN_PAUSE_MAX.min(pause * 2);
                    warn!(%error, ?pause, "the store cannot be opened yet");
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Waits, and meanwhile lets nobody in. Whether the owner wants the server to stop.
    async fn is_stopped_within(&mut self, pause: Duration) -> bool {
        let until = self.surroundings.now().instant + pause;
        loop {
            tokio::select! {
                biased;
                Some(command) = self.commands.recv() => match command {
                    Command::Configure(config, keys) => {
                        self.keys.replace(keys);
                        self.core = Server::restore(*config, Records::default());
                    }
                    Command::Limit(bounds) => self.bounds = bounds,
                    // What the clock says counts once the server knows somebody.
                    Command::ClockChanged => {}
                    Command::Stop => return true,
                },
                // Whoever connects is let go, and what was sent before that is nobody's.
                Some(_) = self.arrivals.recv() => {}
                () = sleep_until(&self.surroundings, Some(until)) => return false,
            }
            while self.tasks.try_join_next().is_some() {}
        }
    }
}
