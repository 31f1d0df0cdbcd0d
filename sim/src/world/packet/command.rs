//! What the script has for a device, on its way to the site where the device is.

use std::collections::VecDeque;
use std::sync::Mutex;

use tokio::sync::Notify;

use crate::scenario::{Call, Conduct, Fault, ListenerEvent};

/// What the script has for one device. A fault is one that befalls it.
#[derive(Clone, Debug)]
pub(super) enum Command {
    Fault(Fault),
    Call(Call),
    Arm(ListenerEvent, Call),
    Stranger(Conduct),
    /// The script is over: go on if frozen, and look whether the link works.
    Heal,
}

/// Commands on their way to a site.
#[derive(Default)]
pub(super) struct Inbox {
    commands: Mutex<VecDeque<(usize, Command)>>,
    notify: Notify,
}

impl Inbox {
    pub(super) fn push(&self, device: usize, command: Command) {
        self.commands.lock().expect("nobody panics with it").push_back((device, command));
        self.notify.notify_one();
    }

    pub(super) fn pop(&self) -> Option<(usize, Command)> {
        self.commands.lock().expect("nobody panics with it").pop_front()
    }

    /// Waits until there may be something.
    pub(super) async fn notified(&self) {
        self.notify.notified().await;
    }
}
