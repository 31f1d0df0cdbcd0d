//! What goes into the server's core and what comes out of it.
//!
//! Types only: `server` acts on them, a driver or a simulated world carries them.

use std::collections::BTreeSet;

use crate::code::Code;
use crate::id::{Change, ConnectionId, DeviceId, Epoch, UserId};
use crate::limits::ServerLimits;
use crate::policy::Seats;
use crate::protocol::{ClientFrame, FrameError, ServerFrame, VERSION};
use crate::store::Commit;
use crate::ticket::OpenedTicket;
use crate::time::WallTime;

/// What the app's owner decides.
///
/// ```
/// use gatecrash::server::Config;
///
/// assert!(!Config::new(1_400_000_000).reconnect_kicks);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Config {
    /// The app: tickets must name it (TICKET-3).
    pub app_id: u64,
    /// The policy and its numbers of devices (POLICY-1, POLICY-2).
    pub seats: Seats,
    /// Who may make administrative calls (ADMIN-3).
    pub administrators: BTreeSet<UserId>,
    /// Whether the resume of a displaced session is accepted as a login (KICK-6).
    pub reconnect_kicks: bool,
    /// Whether a login is told once of a displacement the device has not learnt of (KICK-7).
    pub notify_offline_kick: bool,
    /// Which version of the protocol its devices are to speak (VERSION-1).
    pub version: u32,
    /// Times and numbers.
    pub limits: ServerLimits,
}

impl Config {
    /// The defaults for an app.
    pub fn new(app_id: u64) -> Self {
        Config {
            app_id,
            seats: Seats::default(),
            administrators: BTreeSet::new(),
            reconnect_kicks: false,
            notify_offline_kick: false,
            version: VERSION,
            limits: ServerLimits::default(),
        }
    }
}

/// What happens to the server.
///
/// ```
/// use gatecrash::{id::ConnectionId, server::Input};
///
/// assert_ne!(Input::Opened { connection: ConnectionId(0) }, Input::Closed { connection: ConnectionId(0) });
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Input {
    /// The server begins to run on its records: sessions last known connected lose their link (DUR-4).
    Started,
    /// A connection was accepted.
    Opened {
        /// Its number from now on.
        connection: ConnectionId,
    },
    /// A frame arrived.
    Frame {
        /// On which connection.
        connection: ConnectionId,
        /// The frame, its ticket opened at the edge.
        frame: ClientFrame<OpenedTicket>,
    },
    /// Bytes arrived that are no acceptable frame (INPUT-1).
    Malformed {
        /// On which connection.
        connection: ConnectionId,
        /// What is wrong with them.
        error: FrameError,
    },
    /// The connection is gone: closed, reset, or its output overflowed.
    Closed {
        /// Which one.
        connection: ConnectionId,
    },
    /// The app's owner changed the configuration (POLICY-5).
    Configured(Config),
    /// The wall clock jumped: timers that run on it are looked at again.
    ClockChanged,
    /// The server did not run for a while: its process was suspended, or starved. What was due by the wall clock
    /// meanwhile happens now; what has arrived is read before anybody is taken for silent (CONN-5, TICKET-5).
    StoodStill,
    /// The app's owner wants the server to stop: it says so on every connection and closes it, and takes nothing in
    /// any more. Its sessions lose their links when the next server starts (STOP-1, DUR-4).
    Stopping,
}

/// What the server wants done, in order.
///
/// ```
/// use gatecrash::{id::{Change, ConnectionId}, server::{Action, Output}};
///
/// let output = Output { reveals: Change(3), action: Action::Close { connection: ConnectionId(0) } };
/// assert!(output.reveals > Change::NONE);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Output {
    /// The last change it may reveal: it is to wait until that one is on disk (DUR-1).
    pub reveals: Change,
    /// What to do.
    pub action: Action,
}

impl Output {
    /// The connection it goes out on.
    pub fn connection(&self) -> Option<ConnectionId> {
        match &self.action {
            Action::Send { connection, .. } | Action::Close { connection } => Some(*connection),
            Action::Commit(_) | Action::Note(_) => None,
        }
    }

    /// What is said in its place when the store failed while it waited: that the server was unable. Nothing to
    /// those who asked nothing (DUR-5).
    pub fn unable(&self) -> Option<Output> {
        let Action::Send { connection, frame } = &self.action else { return None };
        let action = Action::Send { connection: *connection, frame: frame.unable()? };
        Some(Output { reveals: Change::NONE, action })
    }
}

/// One thing to do.
///
/// ```
/// use gatecrash::{id::ConnectionId, protocol::ServerFrame, server::Action};
///
/// let action = Action::Send { connection: ConnectionId(0), frame: ServerFrame::HeartbeatAnswer };
/// assert!(matches!(action, Action::Send { .. }));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Put this change on disk.
    Commit(Commit),
    /// Send this frame.
    Send {
        /// On which connection.
        connection: ConnectionId,
        /// The frame.
        frame: ServerFrame,
    },
    /// Close the connection once what was sent before is out. The core has forgotten it already;
    /// what still arrives on it is ignored.
    Close {
        /// Which one.
        connection: ConnectionId,
    },
    /// For the trace only.
    Note(Note),
}

/// What a trace should show beside frames and changes.
///
/// ```
/// use gatecrash::{id::DeviceId, server::Note, time::WallTime};
///
/// let note = Note::TicketJudged {
///     device: DeviceId::from_bytes([1; 16]),
///     user: "alice".parse().unwrap(),
///     wall: WallTime::from_seconds(5),
///     verdict: Ok(()),
/// };
/// assert!(matches!(note, Note::TicketJudged { verdict: Ok(()), .. }));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Note {
    /// A ticket was judged (TICKET-3).
    TicketJudged {
        /// The device that brought it.
        device: DeviceId,
        /// For whom.
        user: UserId,
        /// The server's wall clock.
        wall: WallTime,
        /// Valid, or why not.
        verdict: Result<(), Code>,
    },
    /// A session has been without a connection for so long that it is displaced first (CONN-6).
    Dormant {
        /// The user.
        user: UserId,
        /// The device.
        device: DeviceId,
        /// Its epoch.
        epoch: Epoch,
    },
}

/// The server's timers, each with when it is due. The first three run on the monotonic clock, the
/// others on the wall clock (DUR-4).
///
/// ```
/// use gatecrash::{id::ConnectionId, server::Timer};
///
/// assert!(Timer::Silence(ConnectionId(0)) < Timer::Silence(ConnectionId(1)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Timer {
    /// When to close a connection that has not logged in or resumed (INPUT-2).
    Admission(ConnectionId),
    /// When to look whether a connection has been silent for too long (CONN-5).
    Silence(ConnectionId),
    /// When to close the connection of an ended session that was not confirmed (KICK-10).
    Linger(ConnectionId),
    /// When the session's ticket is over (TICKET-5).
    Expiry(UserId, DeviceId),
    /// When the session becomes dormant (CONN-6).
    Dormant(UserId, DeviceId),
    /// When a push no longer reaches the device (PRES-1).
    PushOnline(UserId, DeviceId),
    /// When the first of the user's devices without a session is let go (ATT-6).
    LetGo(UserId),
}
