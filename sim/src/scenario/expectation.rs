//! What a scenario expects of its run.
//!
//! Read by `expect`, judged by the checks over a trace.

use std::collections::BTreeSet;
use std::time::Duration;

use gatecrash::code::Code;
use gatecrash::id::UserId;
use gatecrash::protocol::{KickReason, Presence};

use super::{CallKind, DeviceName, ListenerEvent, LoginStatus, Shown};

/// An expectation of a file. Where it stands is no part of what it says: two are equal that say the same.
#[derive(Clone, Debug)]
pub struct Expected {
    /// What must come of the run.
    pub expectation: Expectation,
    /// Where its line begins; nowhere when no file was read.
    pub place: Option<Place>,
}

impl PartialEq for Expected {
    fn eq(&self, other: &Self) -> bool {
        self.expectation == other.expectation
    }
}

impl Eq for Expected {}

/// A place in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its line, from 1.
    pub line: usize,
    /// Its column, in characters, from 1.
    pub column: usize,
}

/// Something the trace of the run must show. One that names no instant speaks of the end of the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expectation {
    /// A listener event fires so many times.
    Event {
        /// On which device.
        device: DeviceName,
        /// Which.
        event: ListenerEvent,
        /// How many times, exactly.
        times: u32,
        /// Counts only kicks with this reason.
        reason: Option<KickReason>,
        /// Counts only `connect_failed` with this code.
        code: Option<Code>,
        /// Counts only what happens in here.
        between: Option<Window>,
    },
    /// What `login_status` says.
    Status {
        /// Which device's.
        device: DeviceName,
        /// What.
        status: LoginStatus,
        /// When.
        at: Option<Duration>,
    },
    /// What `login_user` says.
    LoginUser {
        /// Which device's.
        device: DeviceName,
        /// Who; none when it is empty.
        user: Option<UserId>,
        /// When.
        at: Option<Duration>,
    },
    /// How a call is answered.
    Answer {
        /// Whose call.
        device: DeviceName,
        /// Which call.
        call: CallKind,
        /// Which of its kind on this device, counted from 1, those made inside listeners included.
        number: u32,
        /// With what.
        answer: Answer,
        /// When.
        between: Option<Window>,
    },
    /// What a call of `conversations` answers.
    Conversations {
        /// Whose call.
        device: DeviceName,
        /// Which `conversations` of this device, counted from 1.
        number: u32,
        /// Exactly these peers, in any order.
        with: BTreeSet<UserId>,
    },
    /// What a status query answers about one user.
    Query {
        /// Whose call.
        device: DeviceName,
        /// Which `query` of this device, counted from 1.
        number: u32,
        /// About whom.
        user: UserId,
        /// What it shows.
        shown: Shown,
    },
    /// A message with exactly this text is delivered so many times.
    Receives {
        /// To which device.
        device: DeviceName,
        /// The text.
        text: String,
        /// How many times, exactly.
        times: u32,
    },
    /// Which devices' sessions of the user have a connection on the server.
    Online {
        /// The user.
        user: UserId,
        /// Exactly these.
        devices: BTreeSet<DeviceName>,
        /// When.
        at: Option<Duration>,
    },
    /// Which devices have a session of the user on the server.
    Sessions {
        /// The user.
        user: UserId,
        /// Exactly these.
        devices: BTreeSet<DeviceName>,
        /// When.
        at: Option<Duration>,
    },
    /// The user's presence on the server.
    Presence {
        /// The user.
        user: UserId,
        /// What it is.
        presence: Presence,
        /// When.
        at: Option<Duration>,
    },
    /// On how many days the user was counted in the whole run (DAU-1).
    Counted {
        /// The user.
        user: UserId,
        /// How many days.
        days: u32,
    },
    /// How many logins of the user were accepted in the whole run.
    Epochs {
        /// The user.
        user: UserId,
        /// How many.
        logins: u32,
    },
}

/// A span of the script, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Window {
    /// Its first instant.
    pub from: Duration,
    /// Its last instant.
    pub to: Duration,
}

impl Window {
    /// Whether `at` is in it.
    pub fn contains(&self, at: Duration) -> bool {
        self.from <= at && at <= self.to
    }
}

/// How a call is expected to be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Answer {
    /// It succeeds.
    Ok,
    /// It fails with this code.
    Fails(Code),
    /// Never: its process dies first.
    Nothing,
}
