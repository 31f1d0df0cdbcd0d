//! Whether the server's process has been stopped, and whether another one is to be started on its machine.
//!
//! A machine that crashes is turmoil's business.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// Where the operator sits.
#[derive(Default)]
pub(super) struct Office {
    has_stopped: AtomicBool,
    /// Whether another one is to be started, and was not yet. A notification alone would outlive the machine.
    is_wanted: AtomicBool,
    another: Notify,
}

impl Office {
    /// The process has said all there was.
    pub(super) fn stopped(&self) {
        self.has_stopped.store(true, Ordering::Relaxed);
    }

    /// Whether it did, and no other has been started since.
    pub(super) fn has_stopped(&self) -> bool {
        self.has_stopped.load(Ordering::Relaxed)
    }

    /// The machine is dead: nothing of this matters when it starts.
    pub(super) fn crashed(&self) {
        self.has_stopped.store(false, Ordering::Relaxed);
        self.is_wanted.store(false, Ordering::Relaxed);
    }

    /// Starts another process, if the one there was has stopped. Says whether.
    pub(super) fn start_another(&self) -> bool {
        let has_stopped = self.has_stopped.swap(false, Ordering::Relaxed);
        if has_stopped {
            self.is_wanted.store(true, Ordering::Relaxed);
            self.another.notify_one();
        }
        has_stopped
    }

    /// Waits until another process is to be started.
    pub(super) async fn another(&self) {
        while !self.is_wanted.swap(false, Ordering::Relaxed) {
            self.another.notified().await;
        }
    }
}
