//! What a history tells, as it is judged: small events that name everybody by number.
//!
//! Types only. `read` makes them of lines, `keyhole` of what our own worlds do.

use gatecrash::client::Status;
use gatecrash::protocol::{KickReason, Presence};

use crate::scenario::CallKind;

/// One thing that happened, as somebody at its place saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// In which line of the history, counted from 1; which file, the reader knows.
    pub line: u64,
    /// The first instant at which it may have happened, in microseconds, by the clock of whoever saw it.
    pub from: u64,
    /// The last one.
    pub to: u64,
    /// To whom.
    pub actor: Actor,
    /// What.
    pub what: What,
}

/// A device, and with it whoever uses it; or nobody in particular.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Actor(pub u32);

/// A user, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct User(pub u32);

/// A platform, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Platform(pub u32);

/// A ticket, a message, the id of a message or a text: what is kept of it is enough to know it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Known(pub u64);

/// What a policy is from some instant on, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NewPolicy(pub u32);

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// The application calls its SDK.
    Called {
        /// By which its result is known.
        call: u64,
        /// What it asks for.
        request: Request,
    },
    /// A part of what a call brings; its result follows, and is told by the same line.
    Brings {
        /// Which call.
        call: u64,
        /// What of it.
        item: Item,
    },
    /// A call has its result.
    Answered {
        /// Which call.
        call: u64,
        /// What it asked for, where the line says so.
        kind: Option<CallKind>,
        /// The result.
        outcome: Outcome,
    },
    /// `uninit` has returned.
    UninitReturned,
    /// The listener is called.
    Told {
        /// What it is told.
        event: Told,
        /// About whose account, where that is said.
        user: Option<User>,
        /// About which session, where that is said.
        epoch: Option<u64>,
    },
    /// The login status and user, from now on or as they were found.
    Status {
        /// The status.
        status: Status,
        /// The login user.
        login_user: Option<User>,
        /// Whether it is said who that is: then none is nobody.
        is_said: bool,
        /// Whether somebody looked, so that there may have been others in between.
        sampled: bool,
    },
    /// What became of the process.
    Process(Process),
    /// Whether the device can reach the server, from now on.
    Link {
        /// It can.
        up: bool,
    },
    /// The SDK is told that the device is on another network, or that its network is another.
    NetworkChanged,
    /// What the server takes the device for, from now on.
    Identity(Identity),
    /// A ticket was issued.
    Ticket {
        /// Which.
        ticket: Known,
        /// For whom.
        user: Option<User>,
        /// When, in seconds since 1970.
        issued: u64,
        /// For how many seconds it holds.
        ttl: u64,
    },
    /// A user's presence, as somebody who watches it is told.
    Presence {
        /// Whose.
        user: User,
        /// The event's number among those of this user.
        sequence: Option<u64>,
        /// From now on.
        presence: Presence,
    },
    /// The server's policy is another from now on: this one, where it is said which.
    PolicyChanged {
        /// Which.
        to: Option<NewPolicy>,
    },
    /// The history is over.
    End {
        /// Whether everything had come to rest: faults over, everybody in reach, nothing under way.
        settled: bool,
    },
}

/// What an application calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// `init`.
    Init { platform: Option<Platform> },
    /// `uninit`.
    Uninit,
    /// `login`: login, renewal or switch.
    Login { user: User, platform: Option<Platform>, ticket: Option<Known> },
    /// `logout`.
    Logout,
    /// The conversation list.
    Conversations,
    /// `send_message`.
    Send { to: User, text: Option<Known>, length: u32, id: Option<Known> },
    /// The administrative kick.
    Kick { user: User },
    /// The administrative status query.
    Query,
}

/// The result of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It succeeded; of a message, with its number.
    Done { message: Option<Known> },
    /// It failed, with a code where there is one.
    Failed { code: Option<u32> },
    /// Nobody knows.
    Unknown,
}

/// A part of what a call brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item {
    /// A line of the conversation list.
    Conversation {
        /// With whom.
        peer: User,
        /// The last message, where that is said.
        last: Option<Known>,
        /// How its text begins, where that is said.
        preview: Option<Beginning>,
    },
    /// What a query says of a user.
    Standing {
        /// Of whom.
        user: User,
        /// Their presence; none where there is no such user.
        presence: Option<Presence>,
    },
}

/// The beginning of a text, or all of it: it is the text where it is as long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Beginning {
    /// By what it is known.
    pub sum: Known,
    /// How many bytes it has.
    pub length: u32,
}

/// What a listener is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// An attempt to connect begins.
    Connecting,
    /// A login or a resume was accepted.
    ConnectSuccess,
    /// The attempt failed.
    ConnectFailed { code: Option<u32> },
    /// The session was ended by the server.
    KickedOffline { by: Option<Actor>, reason: Option<KickReason> },
    /// The session ended with its ticket.
    UserSigExpired,
    /// A message arrived.
    Message { message: Option<Known>, from: Option<User>, to: Option<User>, text: Option<Known> },
    /// So many messages are lost to the device.
    MessagesDropped,
}

/// What a server takes a device for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identity {
    /// One that it has never seen: the device has lost what was on its disk.
    New,
    /// Another device, of whose disk it has a copy.
    CopyOf(Actor),
}

/// What became of a device's process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Process {
    /// It runs, and is new.
    Up,
    /// It is dead.
    Dead,
    /// It is frozen.
    Suspended,
    /// It goes on.
    Woken,
}

impl Process {
    /// All four.
    pub const ALL: [Process; 4] = [Process::Up, Process::Dead, Process::Suspended, Process::Woken];

    /// The word that lines use.
    pub const fn word(self) -> &'static str {
        match self {
            Process::Up => "up",
            Process::Dead => "dead",
            Process::Suspended => "suspended",
            Process::Woken => "woken",
        }
    }
}

impl Request {
    /// Which call it is.
    pub const fn kind(&self) -> CallKind {
        match self {
            Request::Init { .. } => CallKind::Init,
            Request::Uninit => CallKind::Uninit,
            Request::Login { .. } => CallKind::Login,
            Request::Logout => CallKind::Logout,
            Request::Conversations => CallKind::Conversations,
            Request::Send { .. } => CallKind::Send,
            Request::Kick { .. } => CallKind::Kick,
            Request::Query => CallKind::Query,
        }
    }
}
