//! What devices and the server say to each other, as typed frames.
//!
//! Knows no bytes: `driver::wire` turns frames into protobuf and back. A client's frame is generic
//! over its ticket, because a device sends the text and the server's core receives it opened.

mod report;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::code::Code;
use crate::id::{Attempt, CallId, DeviceId, Epoch, MessageId, PublicName, SendId, UserId};
use crate::policy::Platform;

pub use report::{DeviceState, DeviceStatus, Presence, StatusReport, UserStatus};

/// The version a device names in its first frame.
pub const VERSION: u32 = 1;

/// The largest frame, in bytes of its body (INPUT-1).
pub const FRAME_BYTES_MAX: usize = 64 * 1024;

/// The largest message text, in bytes (API-4).
pub const TEXT_BYTES_MAX: usize = 12 * 1024;

/// The most users one status query names. The answer about 100 users with the most devices a user can
/// have, 28 (POLICY-2), is at most 100 × (39 + 28 × 16) bytes, below 48 KiB, and fits a frame.
pub const QUERY_USERS_MAX: usize = 100;

/// The most conversations a login's or resume's answer carries, the newest ones: 200 entries of at
/// most 150 bytes fit a frame.
pub const CONVERSATIONS_MAX: usize = 200;

/// The shortest time between heartbeats that a server may ask for (CONN-11).
pub const HEARTBEAT_MIN: Duration = Duration::from_secs(1);

/// The longest time that a server may ask devices to come back over, and to stay away before that (CONN-2).
pub const RETURN_MAX: Duration = Duration::from_secs(60 * 60);

/// How many messages the server sends on a connection before its device has acknowledged any (API-7): 16 of the
/// largest are 192 KiB, under what may wait for a device that does not read.
pub const MESSAGES_UNACKNOWLEDGED_MAX: usize = 16;

/// How many messages a device lets come before it acknowledges them without having anything else to say: half of
/// that, so that more can be on their way.
pub const MESSAGES_UNTIL_ACKNOWLEDGED: u64 = MESSAGES_UNACKNOWLEDGED_MAX as u64 / 2;

/// The longest preview of a conversation's last message, in bytes, cut at a character.
pub const PREVIEW_BYTES_MAX: usize = 64;

/// What a device sends.
///
/// ```
/// use gatecrash::protocol::ClientFrame;
///
/// let frame: ClientFrame<String> = ClientFrame::Heartbeat;
/// assert_eq!(frame.map_ticket(|text| text.len()), ClientFrame::<usize>::Heartbeat);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ClientFrame<Ticket> {
    /// The first frame of every connection: who speaks, and in which version.
    Hello {
        /// [`VERSION`].
        version: u32,
        /// The device.
        device: DeviceId,
        /// Its platform.
        platform: Platform,
    },
    /// Asks for a new session (LOGIN-1).
    Login {
        /// The call it serves.
        call: CallId,
        /// Its attempt number.
        attempt: Attempt,
        /// The user as the application wrote it: the server checks it too (LOGIN-2).
        user: String,
        /// The user's ticket.
        ticket: Ticket,
        /// The session of this device that the device knows to have ended (KICK-3).
        known_ended: Option<SessionName>,
    },
    /// Says that the answer to the login with this epoch arrived (KICK-7).
    LoginAcknowledged {
        /// The user.
        user: UserId,
        /// The session's epoch.
        epoch: Epoch,
    },
    /// Asks for the session back on this connection (CONN-4).
    Resume {
        /// Its attempt number.
        attempt: Attempt,
        /// The session's user.
        user: UserId,
        /// The session's epoch.
        epoch: Epoch,
        /// The session's ticket.
        ticket: Ticket,
        /// The place of the last message the device has: what comes after it is owed (API-7).
        received: u64,
    },
    /// Puts a fresh ticket in the place of the session's (LOGIN-5).
    Renew {
        /// The call it serves.
        call: CallId,
        /// Its attempt number.
        attempt: Attempt,
        /// The session's user.
        user: UserId,
        /// The session's epoch.
        epoch: Epoch,
        /// The fresh ticket.
        ticket: Ticket,
    },
    /// Ends every session of the device made by attempts up to this one (ATT-2).
    Logout {
        /// The call it serves; none when an owed end is delivered (LOGOUT-2).
        call: CallId,
        /// Its attempt number.
        attempt: Attempt,
    },
    /// Asks for a sign of life (CONN-5).
    Heartbeat,
    /// Says that the device has noted the end of this session (KICK-3).
    KickConfirmed {
        /// The user.
        user: UserId,
        /// The ended session's epoch.
        epoch: Epoch,
    },
    /// Sends a message (API-2).
    SendMessage {
        /// The call it serves.
        call: CallId,
        /// What the sender calls it: sent again under this id it is the same message (API-6).
        id: SendId,
        /// The receiver.
        to: UserId,
        /// The text.
        text: String,
    },
    /// Ends every session of a user (ADMIN-1).
    AdminKick {
        /// The call it serves.
        call: CallId,
        /// Whose sessions.
        user: UserId,
    },
    /// Asks for the presence of users (ADMIN-2).
    QueryStatus {
        /// The call it serves.
        call: CallId,
        /// Which users.
        users: Vec<UserId>,
    },
    /// Says that the device has every message of the session up to this place (API-7).
    MessagesReceived {
        /// The session's user.
        user: UserId,
        /// Its epoch.
        epoch: Epoch,
        /// The place of the last one.
        through: u64,
    },
}

impl<Ticket> ClientFrame<Ticket> {
    /// The call it serves, if it serves one.
    pub fn call(&self) -> Option<CallId> {
        match self {
            ClientFrame::Login { call, .. }
            | ClientFrame::Renew { call, .. }
            | ClientFrame::Logout { call, .. }
            | ClientFrame::SendMessage { call, .. }
            | ClientFrame::AdminKick { call, .. }
            | ClientFrame::QueryStatus { call, .. } => Some(*call),
            ClientFrame::Hello { .. }
            | ClientFrame::LoginAcknowledged { .. }
            | ClientFrame::Resume { .. }
            | ClientFrame::Heartbeat
            | ClientFrame::KickConfirmed { .. }
            | ClientFrame::MessagesReceived { .. } => None,
        }
    }

    /// The same frame with its ticket, if it has one, replaced by `open(ticket)`.
    pub fn map_ticket<Other>(self, open: impl FnOnce(Ticket) -> Other) -> ClientFrame<Other> {
        match self {
            ClientFrame::Hello { version, device, platform } => ClientFrame::Hello { version, device, platform },
            ClientFrame::Login { call, attempt, user, ticket, known_ended } => {
                ClientFrame::Login { call, attempt, user, ticket: open(ticket), known_ended }
            }
            ClientFrame::LoginAcknowledged { user, epoch } => ClientFrame::LoginAcknowledged { user, epoch },
            ClientFrame::Resume { attempt, user, epoch, ticket, received } => {
                ClientFrame::Resume { attempt, user, epoch, ticket: open(ticket), received }
            }
            ClientFrame::Renew { call, attempt, user, epoch, ticket } => {
                ClientFrame::Renew { call, attempt, user, epoch, ticket: open(ticket) }
            }
            ClientFrame::Logout { call, attempt } => ClientFrame::Logout { call, attempt },
            ClientFrame::Heartbeat => ClientFrame::Heartbeat,
            ClientFrame::KickConfirmed { user, epoch } => ClientFrame::KickConfirmed { user, epoch },
            ClientFrame::SendMessage { call, id, to, text } => ClientFrame::SendMessage { call, id, to, text },
            ClientFrame::AdminKick { call, user } => ClientFrame::AdminKick { call, user },
            ClientFrame::QueryStatus { call, users } => ClientFrame::QueryStatus { call, users },
            ClientFrame::MessagesReceived { user, epoch, through } => {
                ClientFrame::MessagesReceived { user, epoch, through }
            }
        }
    }
}

/// The name of one session of a device: with the device, (user, epoch) is unique.
///
/// ```
/// use gatecrash::{id::Epoch, protocol::SessionName};
///
/// let name = SessionName { user: "alice".parse().unwrap(), epoch: Epoch(3) };
/// assert_eq!(name.epoch, Epoch(3));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SessionName {
    /// Whose session.
    pub user: UserId,
    /// Its epoch.
    pub epoch: Epoch,
}

/// What the server sends.
///
/// ```
/// use gatecrash::{id::CallId, protocol::ServerFrame};
///
/// let answer = ServerFrame::LogoutAnswer { call: CallId(4), outcome: Ok(()) };
/// assert_ne!(answer, ServerFrame::HeartbeatAnswer);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ServerFrame {
    /// Answers a login.
    LoginAnswer {
        /// The call.
        call: CallId,
        /// The new session, or why not.
        outcome: Result<Admission, Refusal>,
    },
    /// Answers a resume.
    ResumeAnswer {
        /// Which resume: a device may have sent another since.
        attempt: Attempt,
        /// What became of it.
        outcome: ResumeOutcome,
    },
    /// Answers a renewal.
    RenewAnswer {
        /// The call.
        call: CallId,
        /// Whether the session now runs with the fresh ticket.
        outcome: Result<(), Refusal>,
    },
    /// Answers a logout.
    LogoutAnswer {
        /// The call, none for an owed end.
        call: CallId,
        /// Done, or why not.
        outcome: Result<(), Refusal>,
    },
    /// Answers a heartbeat.
    HeartbeatAnswer,
    /// Tells that a session was ended for its device (KICK-2, KICK-9).
    Kick(Kick),
    /// Tells that a session ended with its ticket (TICKET-5).
    Expired(SessionName),
    /// Answers a message.
    SendAnswer {
        /// The call.
        call: CallId,
        /// The message's number, or why not.
        outcome: Result<MessageId, Code>,
    },
    /// Delivers a message (API-2).
    Message {
        /// Its place among those that the session is owed, from 1. What is at a place that the device has seen, it
        /// has (API-7).
        place: u64,
        /// The message.
        message: Message,
    },
    /// Answers an administrative kick.
    AdminKickAnswer {
        /// The call.
        call: CallId,
        /// Done, or why not.
        outcome: Result<(), Code>,
    },
    /// Answers a status query.
    StatusAnswer {
        /// The call.
        call: CallId,
        /// What was asked for, or why not.
        outcome: Result<StatusReport, Code>,
    },
    /// The frame was not acceptable; the server closes the connection (INPUT-1).
    Error(FrameError),
    /// The server closes the connection on purpose, and nothing is wrong with what came on it. Whatever was asked on
    /// it and has no answer by now is not done (CONN-2).
    Closing {
        /// Why.
        why: Closing,
        /// When the device is to come back.
        come_back: Return,
    },
}

impl ServerFrame {
    /// What is said in the place of this answer when the store failed under it (DUR-5); none where nobody
    /// asked.
    pub fn unable(&self) -> Option<ServerFrame> {
        let refusal = Refusal::Code(Code::ServerUnable);
        match *self {
            ServerFrame::LoginAnswer { call, .. } => Some(ServerFrame::LoginAnswer { call, outcome: Err(refusal) }),
            ServerFrame::ResumeAnswer { attempt, .. } => {
                Some(ServerFrame::ResumeAnswer { attempt, outcome: ResumeOutcome::Unable(Code::ServerUnable) })
            }
            ServerFrame::RenewAnswer { call, .. } => Some(ServerFrame::RenewAnswer { call, outcome: Err(refusal) }),
            ServerFrame::LogoutAnswer { call, .. } => Some(ServerFrame::LogoutAnswer { call, outcome: Err(refusal) }),
            ServerFrame::SendAnswer { call, .. } => {
                Some(ServerFrame::SendAnswer { call, outcome: Err(Code::ServerUnable) })
            }
            ServerFrame::AdminKickAnswer { call, .. } => {
                Some(ServerFrame::AdminKickAnswer { call, outcome: Err(Code::ServerUnable) })
            }
            ServerFrame::StatusAnswer { call, .. } => {
                Some(ServerFrame::StatusAnswer { call, outcome: Err(Code::ServerUnable) })
            }
            // It is as true as before.
            ServerFrame::Closing { .. } => Some(self.clone()),
            ServerFrame::HeartbeatAnswer
            | ServerFrame::Kick(_)
            | ServerFrame::Expired(_)
            | ServerFrame::Message { .. }
            | ServerFrame::Error(_) => None,
        }
    }
}

/// Why a server closes a connection with which nothing is wrong (CONN-2).
///
/// ```
/// assert_eq!(gatecrash::protocol::Closing::Stopping.word(), "stopping");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Closing {
    /// It was told to stop; another one takes its place (STOP-1).
    Stopping,
    /// It has as many connections as it may (INPUT-5).
    Full,
    /// It has more to do than it can (CONN-12).
    Busy,
}

impl Closing {
    /// The word traces use.
    pub const fn word(self) -> &'static str {
        match self {
            Closing::Stopping => "stopping",
            Closing::Full => "full",
            Closing::Busy => "busy",
        }
    }
}

/// When a device that was sent away is to come back: `after` at the earliest, and up to `spread` later, so that
/// not all come back at once (CONN-2).
///
/// ```
/// use std::time::Duration;
/// use gatecrash::protocol::Return;
///
/// let come_back = Return { after: Duration::from_secs(1), spread: Duration::from_millis(250) };
/// assert!(come_back.spread < come_back.after);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Return {
    /// Not before this much time has passed.
    pub after: Duration,
    /// At a random moment of this much time then.
    pub spread: Duration,
}

/// A login's success.
///
/// ```
/// use gatecrash::{id::Epoch, protocol::{Admission, Terms}};
///
/// let admission = Admission { epoch: Epoch(1), conversations: Vec::new(), terms: Terms::default() };
/// assert!(admission.conversations.is_empty());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Admission {
    /// The new session's epoch.
    pub epoch: Epoch,
    /// The user's conversation list, newest first, at most [`CONVERSATIONS_MAX`].
    pub conversations: Vec<Conversation>,
    /// What holds for the link that it came on.
    pub terms: Terms,
}

/// What a server asks of a device for as long as its link lasts: it says so in its answer to a login or a resume. A
/// server that says nothing asks for what is usual.
///
/// ```
/// use std::time::Duration;
/// use gatecrash::protocol::Terms;
///
/// assert_eq!(Terms::default().return_spread, Duration::from_millis(250));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Terms {
    /// Over how long those come back whose links the server closes, or its death does (CONN-2).
    pub return_spread: Duration,
    /// How long the device may be silent before it sends a heartbeat, where that is shorter than its own time (CONN-11).
    pub heartbeat: Option<Duration>,
}

impl Default for Terms {
    fn default() -> Self {
        Terms { return_spread: Duration::from_millis(250), heartbeat: None }
    }
}

/// Why a login, renewal or logout was not carried out.
///
/// ```
/// use gatecrash::{code::Code, protocol::Refusal};
///
/// assert_ne!(Refusal::Code(Code::TicketExpired), Refusal::Stale);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Refusal {
    /// The caller sees this code.
    Code(Code),
    /// The attempt number is not above the highest the server acted upon (ATT-1).
    Stale,
}

/// What becomes of a resume: exactly one of these (CONN-4).
///
/// ```
/// use gatecrash::protocol::ResumeOutcome;
///
/// assert_ne!(ResumeOutcome::Expired, ResumeOutcome::Stale);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ResumeOutcome {
    /// The session goes on.
    Resumed {
        /// The user's conversation list.
        conversations: Vec<Conversation>,
        /// What holds for the link that it came on.
        terms: Terms,
        /// How many of the messages that the device does not have there was no room for (API-7). Those that there
        /// are come behind this answer.
        dropped: u64,
    },
    /// The session had been displaced; it was accepted as a new login (KICK-6).
    LoggedIn(Admission),
    /// The session had ended, told with the reason recorded first.
    Kicked(Kick),
    /// The session had ended with its ticket.
    Expired,
    /// The ticket is refused; the session, if there is one, stays as it was.
    Refused(Code),
    /// The server could not carry it out; try again.
    Unable(Code),
    /// The attempt number is not above the highest the server acted upon (ATT-1).
    Stale,
}

/// The end of a session that its device did not ask for (KICK-2, KICK-9).
///
/// ```
/// use gatecrash::{id::Epoch, protocol::{Kick, KickReason}};
///
/// let kick = Kick { user: "alice".parse().unwrap(), epoch: Epoch(1), reason: KickReason::Gone, by: None };
/// assert_eq!(kick.reason.word(), "gone");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Kick {
    /// Whose session.
    pub user: UserId,
    /// Its epoch.
    pub epoch: Epoch,
    /// Why.
    pub reason: KickReason,
    /// The device whose login displaced it, where one did.
    pub by: Option<PublicName>,
}

/// Why a session was kicked (KICK-9).
///
/// ```
/// assert_eq!(gatecrash::protocol::KickReason::SamePlatform.word(), "same_platform");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KickReason {
    /// Displaced by a login on the same platform.
    SamePlatform,
    /// Displaced by a login on another platform of the same group.
    OtherPlatform,
    /// Ended by an administrator.
    Administrator,
    /// The server knows no such session.
    Gone,
}

impl KickReason {
    /// The word traces and scenario files use.
    pub const fn word(self) -> &'static str {
        match self {
            KickReason::SamePlatform => "same_platform",
            KickReason::OtherPlatform => "other_platform",
            KickReason::Administrator => "administrator",
            KickReason::Gone => "gone",
        }
    }
}

/// One message (API-2).
///
/// ```
/// use gatecrash::{id::MessageId, protocol::Message};
///
/// let message = Message { id: MessageId(1), from: "alice".parse().unwrap(), to: "bob".parse().unwrap(), text: "hi".into() };
/// assert_eq!(message.peer_of(message.from), message.to);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Message {
    /// Its number.
    pub id: MessageId,
    /// The sender.
    pub from: UserId,
    /// The receiver.
    pub to: UserId,
    /// The text.
    pub text: String,
}

impl Message {
    /// With whom `user` has the conversation this message belongs to.
    pub fn peer_of(&self, user: UserId) -> UserId {
        if user == self.from { self.to } else { self.from }
    }

    /// The conversation of `user` as it stands after this message.
    pub fn conversation_of(&self, user: UserId) -> Conversation {
        let mut end = self.text.len().min(PREVIEW_BYTES_MAX);
        while !self.text.is_char_boundary(end) {
            end -= 1;
        }
        Conversation { peer: self.peer_of(user), last: self.id, preview: self.text[..end].to_owned() }
    }
}

/// One line of a user's conversation list (API-2).
///
/// ```
/// use gatecrash::{id::MessageId, protocol::Conversation};
///
/// let line = Conversation { peer: "bob".parse().unwrap(), last: MessageId(9), preview: "see you".into() };
/// assert_eq!(line.last, MessageId(9));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Conversation {
    /// With whom.
    pub peer: UserId,
    /// The last message's number.
    pub last: MessageId,
    /// How its text begins, at most [`PREVIEW_BYTES_MAX`] bytes.
    pub preview: String,
}

/// What is wrong with a frame (INPUT-1).
///
/// ```
/// assert_eq!(gatecrash::protocol::FrameError::Oversized.word(), "oversized");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FrameError {
    /// Its bytes are no frame, or a field breaks its bounds.
    Malformed,
    /// It is over [`FRAME_BYTES_MAX`].
    Oversized,
    /// It may not come here: a request before `Hello`, or a second `Hello`.
    OutOfPlace,
    /// The version in `Hello` is not [`VERSION`].
    Version,
}

impl FrameError {
    /// The word traces use.
    pub const fn word(self) -> &'static str {
        match self {
            FrameError::Malformed => "malformed",
            FrameError::Oversized => "oversized",
            FrameError::OutOfPlace => "out_of_place",
            FrameError::Version => "version",
        }
    }
}
