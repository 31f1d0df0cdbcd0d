//! What goes into the SDK's core and what comes out of it.
//!
//! Types only: `client` acts on them, a driver or a simulated world carries them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::code::{Code, Failure};
use crate::id::{CallId, Change, ConnectionId, DeviceId, MessageId, SendId, UserId};
use crate::limits::ClientLimits;
use crate::policy::Platform;
use crate::protocol::{ClientFrame, Conversation, Kick, Message, ServerFrame, SessionName, StatusReport};
use crate::ticket::Ticket;
use crate::time::WallTime;
use std::time::Duration;

/// What a device keeps on its disk besides its caches: one record, written whole (ATT-4).
///
/// ```
/// use gatecrash::{client::Installation, id::DeviceId};
///
/// let fresh = Installation::new(DeviceId::from_bytes([7; 16]));
/// assert_eq!(fresh.starts, 0);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Installation {
    /// The device's id.
    pub device: DeviceId,
    /// How often the SDK was initialised with this id (ATT-1).
    pub starts: u32,
    /// Whether the server is still to be told of the end of what the device did last (LOGOUT-2).
    pub owed_end: bool,
    /// When the last ticket runs out by which there may be something to end, on the device's wall clock: then the
    /// end is given up. Records did not always have it.
    #[serde(default)]
    pub owed_until: Option<WallTime>,
    /// A session the device knows to have ended, until a login names it (KICK-3, KICK-7).
    pub known_ended: Option<SessionName>,
}

impl Installation {
    /// An installation that was never started.
    pub fn new(device: DeviceId) -> Self {
        Installation { device, starts: 0, owed_end: false, owed_until: None, known_ended: None }
    }
}

/// What `init` needs to know.
///
/// ```
/// use std::collections::BTreeMap;
/// use gatecrash::{client::Start, limits::ClientLimits, policy::Platform, time::WallTime};
///
/// let start = Start {
///     platform: Platform::Ios,
///     seed: [7; 32],
///     limits: ClientLimits::of(Platform::Ios),
///     wall: WallTime::from_seconds(1_700_000_000),
///     installation: None,
///     conversations: BTreeMap::new(),
/// };
/// assert!(start.installation.is_none());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Start {
    /// The device's platform.
    pub platform: Platform,
    /// What jitter and new device ids are derived from: fresh random bits at each start.
    pub seed: [u8; 32],
    /// Times and numbers.
    pub limits: ClientLimits,
    /// What the device's wall clock shows. It may be wrong, and only tells how long no process ran (LOGOUT-2).
    pub wall: WallTime,
    /// The record on the device's disk; none makes a new device.
    pub installation: Option<Installation>,
    /// The caches on the device's disk (API-3).
    pub conversations: BTreeMap<UserId, Vec<Conversation>>,
}

/// What the application asks of the SDK.
///
/// ```
/// use gatecrash::client::Call;
///
/// assert_eq!(Call::Logout.word(), "logout");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// Starts the SDK (INIT-1).
    Init(Box<Start>),
    /// Ends the SDK (INIT-3).
    Uninit,
    /// Logs in, renews, or switches (LOGIN, SWITCH).
    Login {
        /// The user, as the application wrote it.
        user: String,
        /// Their ticket.
        ticket: Ticket,
        /// How long a ticket like it lasts from its issue on, where that can be read: as long at most there may be
        /// something to end (LOGOUT-2).
        lasts: Option<Duration>,
    },
    /// Logs out (LOGOUT).
    Logout,
    /// Reads the conversation list (API-1).
    Conversations,
    /// Sends a message (API-2).
    SendMessage {
        /// What the application calls it; none has the SDK draw an id (API-6).
        id: Option<SendId>,
        /// The receiver, as the application wrote it.
        to: String,
        /// The text.
        text: String,
    },
    /// Ends every session of a user; for administrators (ADMIN-1).
    AdminKick {
        /// The user, as the application wrote it.
        user: String,
    },
    /// Asks for users' presence; for administrators (ADMIN-2).
    QueryStatus {
        /// The users, as the application wrote them.
        users: Vec<String>,
    },
}

impl Call {
    /// The word traces and scenario files use.
    pub const fn word(&self) -> &'static str {
        match self {
            Call::Init(_) => "init",
            Call::Uninit => "uninit",
            Call::Login { .. } => "login",
            Call::Logout => "logout",
            Call::Conversations => "conversations",
            Call::SendMessage { .. } => "send",
            Call::AdminKick { .. } => "kick",
            Call::QueryStatus { .. } => "query",
        }
    }

    /// Whether its success tells something of an account: it is not told any more once that is given up (SWITCH-2,
    /// LOGOUT-1, INIT-3).
    pub const fn is_of_account(&self) -> bool {
        match self {
            Call::Init(_) | Call::Uninit | Call::Logout => false,
            Call::Login { .. }
            | Call::Conversations
            | Call::SendMessage { .. }
            | Call::AdminKick { .. }
            | Call::QueryStatus { .. } => true,
        }
    }
}

/// A call's success.
///
/// ```
/// use gatecrash::{client::Reply, id::MessageId};
///
/// assert_ne!(Reply::Done, Reply::Message(MessageId(1)));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Reply {
    /// Nothing more to say.
    Done,
    /// The message's number.
    Message(MessageId),
    /// The conversation list, newest first.
    Conversations(Vec<Conversation>),
    /// What the query asked for.
    Report(StatusReport),
}

/// What happens to the SDK.
///
/// ```
/// use gatecrash::client::Input;
///
/// assert_ne!(Input::Woken, Input::NetworkChanged);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Input {
    /// The application calls. Its result comes as [`Action::Result`] with the same number.
    Call {
        /// The call's number, above every earlier one of this core.
        call: CallId,
        /// What it asks.
        request: Call,
    },
    /// The connection asked for is open.
    Connected {
        /// Which one.
        connection: ConnectionId,
    },
    /// The connection asked for could not be opened.
    ConnectFailed {
        /// Which one.
        connection: ConnectionId,
    },
    /// Whoever answered where the connection was to go could not prove to be the server (TLS-2).
    Untrusted {
        /// Which one.
        connection: ConnectionId,
    },
    /// A frame arrived.
    Frame {
        /// On which connection.
        connection: ConnectionId,
        /// The frame.
        frame: ServerFrame,
    },
    /// The connection is gone: closed, reset, or it carried something that is no frame behind one that was.
    Closed {
        /// Which one.
        connection: ConnectionId,
    },
    /// The first that came on the connection is no frame: whoever answers there, it is no server. The connection is
    /// gone, and nothing that was sent on it has reached one (INPUT-6).
    NoFrame {
        /// Which one.
        connection: ConnectionId,
    },
    /// Every write up to this one is on the device's disk. The owner has carried out what was asked for before, and
    /// sends what waited for the write (ATT-4) once this is handed over.
    Stored {
        /// The last of them.
        change: Change,
    },
    /// The device's record cannot be written at the moment. The owner goes on trying; the frames that
    /// waited for it on the connection are given up (ATT-5).
    StorageFailed {
        /// Those frames, in order. None of them has left, and none will.
        unsent: Vec<ClientFrame<Ticket>>,
    },
    /// The device runs again after its operating system froze it (CONN-10).
    Woken,
    /// The operating system reports another network (CONN-10).
    NetworkChanged,
}

/// What the SDK wants done, in order.
///
/// ```
/// use gatecrash::{client::{Action, Output}, id::{Change, ConnectionId}};
///
/// let output = Output { reveals: Change::NONE, action: Action::Connect { connection: ConnectionId(0) } };
/// assert_eq!(output.reveals, Change::NONE);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Output {
    /// The last write to the device's disk it must wait for (ATT-4, LOGOUT-2, KICK-7).
    pub reveals: Change,
    /// What to do.
    pub action: Action,
}

/// One thing to do.
///
/// ```
/// use gatecrash::{client::Action, id::CallId, code::Code};
///
/// let action = Action::Result { call: CallId(1), outcome: Err(Code::NotInitialised.into()) };
/// assert!(matches!(action, Action::Result { outcome: Err(_), .. }));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Write to the device's disk. Outputs that reveal `change` wait until it is synced.
    Store {
        /// Its number, one above the last.
        change: Change,
        /// What to write.
        write: Write,
    },
    /// Open a connection to the server. There is never more than one that was not closed, but for a
    /// session's link that may be dead and the one that is to take its place (CONN-10).
    Connect {
        /// The number it goes by from now on.
        connection: ConnectionId,
    },
    /// Send this frame.
    Send {
        /// On which connection.
        connection: ConnectionId,
        /// The frame.
        frame: ClientFrame<Ticket>,
    },
    /// Close the connection, or give up opening it, once what was sent before is out. A login or resume that waits
    /// for a write is given up. What still arrives on it is ignored.
    Close {
        /// Which one.
        connection: ConnectionId,
    },
    /// The result of a call: exactly one for each. That of `uninit` overtakes none that waits (INIT-3).
    Result {
        /// Which call.
        call: CallId,
        /// Its result.
        outcome: Result<Reply, Failure>,
    },
    /// The listener is to be called.
    Event(Event),
    /// Listener calls that were asked for and not yet made are not to be made any more: the
    /// application switched accounts, logged out or ended the SDK (SWITCH-2, LOGOUT-1, INIT-3).
    DropEvents {
        /// What a call ends with that was made for the account given up and whose success waits to be told.
        given_up: Failure,
    },
    /// The login status and user changed.
    Status {
        /// The status now.
        status: Status,
        /// The login user now: set while [`Status::Logined`] only (LOGIN-7).
        login_user: Option<UserId>,
    },
    /// For the trace only.
    Note(Note),
}

/// A write to the device's disk.
///
/// ```
/// use gatecrash::{client::{Installation, Write}, id::DeviceId};
///
/// let write = Write::Installation(Installation::new(DeviceId::from_bytes([7; 16])));
/// assert!(matches!(write, Write::Installation(_)));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Write {
    /// Replaces the device's record.
    Installation(Installation),
    /// Replaces the cached conversation list of a user (API-3).
    Conversations {
        /// Whose cache.
        user: UserId,
        /// The list, newest first.
        conversations: Vec<Conversation>,
    },
}

/// What the listener is told (EVENT-1, CONN-3).
///
/// ```
/// assert_eq!(gatecrash::client::Event::Connecting.word(), "connecting");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// An attempt to connect begins.
    Connecting,
    /// A login or resume was accepted.
    ConnectSuccess,
    /// The attempt failed.
    ConnectFailed(Code),
    /// The session was ended for this device.
    KickedOffline(Kick),
    /// The session ended with its ticket.
    UserSigExpired(SessionName),
    /// A message arrived.
    Message(Message),
    /// So many messages are lost to this device: it was away for longer than the server has room for (API-7).
    MessagesDropped(u64),
}

impl Event {
    /// The word traces and scenario files use.
    pub const fn word(&self) -> &'static str {
        match self {
            Event::Connecting => "connecting",
            Event::ConnectSuccess => "connect_success",
            Event::ConnectFailed(_) => "connect_failed",
            Event::KickedOffline(_) => "kicked_offline",
            Event::UserSigExpired(_) => "user_sig_expired",
            Event::Message(_) => "message",
            Event::MessagesDropped(_) => "messages_dropped",
        }
    }
}

/// The login status, with the rules' numbers (LOGIN-6).
///
/// ```text
///            login            accepted
///  LOGOUT ─────────▶ LOGINING ─────────▶ LOGINED
///     ▲                  │ refused, timed     │ logout, kick, expiry,
///     └──────────────────┴──out, cancelled────┘ switch
/// ```
///
/// ```
/// use gatecrash::client::Status;
///
/// assert_eq!(Status::Logined as u32, 0);
/// assert_eq!(Status::Logout as u32, 2);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// Somebody is logged in.
    Logined = 0,
    /// A login is under way.
    Logining = 1,
    /// Nobody is logged in.
    #[default]
    Logout = 2,
}

impl Status {
    /// The word traces and scenario files use.
    pub const fn word(self) -> &'static str {
        match self {
            Status::Logined => "LOGINED",
            Status::Logining => "LOGINING",
            Status::Logout => "LOGOUT",
        }
    }
}

/// What a trace should show beside frames, results and events.
///
/// ```
/// use std::time::Duration;
/// use gatecrash::client::Note;
///
/// let note = Note::BackOff { attempt: 1, delay: Duration::from_millis(130) };
/// assert!(matches!(note, Note::BackOff { attempt: 1, .. }));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Note {
    /// The next attempt to connect comes after this delay (CONN-2).
    BackOff {
        /// Which delay this is since the back-off started over, counted from 1.
        attempt: u32,
        /// The delay drawn.
        delay: Duration,
    },
    /// The SDK takes its link for lost.
    LinkLost,
    /// The connection that was to take the link's place did not come about: the link, which has given a sign of life,
    /// stays (CONN-10).
    LinkKept,
    /// The server called an attempt stale: the SDK goes on under a new device id (ATT-1).
    NewDevice {
        /// The new id.
        device: DeviceId,
    },
}

/// The SDK's timers, each with when it is due.
///
/// ```
/// use gatecrash::{client::Timer, id::CallId};
///
/// assert_ne!(Timer::Request(CallId(1)), Timer::Request(CallId(2)));
/// ```
// Those that are found due together fire in this order, whichever was due first: a link loss comes before a request's
// timeout (CONN-8), and who is out of time begins no attempt (LOGIN-8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Timer {
    /// When a heartbeat has gone unanswered for so long that the link is lost (CONN-5).
    HeartbeatAnswer,
    /// When an attempt to connect, its resume included, has lasted too long (CONN-2).
    Connect,
    /// When the `login` call must have its result (LOGIN-3).
    Login,
    /// When a request must have its result (API-5, LOGOUT-1).
    Request(CallId),
    /// When a link that was asked for a sign of life has not given one soon enough to rely on it (CONN-10).
    Probe,
    /// When the next attempt to connect begins (CONN-2).
    BackOff,
    /// When to send a heartbeat, unless something was sent since (CONN-5).
    Heartbeat,
}
