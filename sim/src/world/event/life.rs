//! Whether the server's process runs, and what its machine does for it when it does not.

/// What there is of the server's process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Life {
    /// Nothing: it was not started yet, or died. Whatever comes waits at its machine.
    Dead,
    /// It runs, with a core or waiting for its disk.
    Running,
    /// It was told to stop, and has still something to say. Another may be started as soon as it has.
    Stopping { starts_again: bool },
    /// It has stopped.
    Stopped,
}

impl Life {
    /// Whether there is a process.
    pub(super) fn is_up(self) -> bool {
        matches!(self, Life::Running | Life::Stopping { .. })
    }

    /// Whether its machine says that nobody listens.
    pub(super) fn refuses(self) -> bool {
        matches!(self, Life::Stopping { .. } | Life::Stopped)
    }
}
