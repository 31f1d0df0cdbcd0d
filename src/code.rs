//! The error codes a caller can meet: one table, with who caused each and what to do about it. And what an
//! application gets: a code, and the reason where the code alone says too little.
//!
//! Decides nothing. Which code answers what is decided in `decide` and in the cores.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! codes {
    ($($(#[$doc:meta])+ $name:ident = $number:literal, $text:literal;)+) => {
        /// Why a call failed. The numbers are those of the rules and never change.
        ///
        /// ```
        /// use gatecrash::code::Code;
        ///
        /// assert_eq!(Code::TicketExpired.number(), 70001);
        /// assert_eq!(Code::from_number(70001), Some(Code::TicketExpired));
        /// assert_eq!(Code::TicketExpired.to_string(), "[70001] the ticket has expired");
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum Code { $($(#[$doc])+ $name,)+ }

        impl Code {
            /// Every code, in the order of the table.
            pub const ALL: &'static [Code] = &[$(Code::$name),+];

            /// The number a caller sees.
            pub const fn number(self) -> u32 {
                match self { $(Code::$name => $number,)+ }
            }

            /// The code with this number.
            pub const fn from_number(number: u32) -> Option<Code> {
                match number { $($number => Some(Code::$name),)+ _ => None }
            }

            /// What went wrong, in a few words.
            pub const fn text(self) -> &'static str {
                match self { $(Code::$name => $text,)+ }
            }
        }
    };
}

codes! {
    /// The application: call `init` first (INIT-1).
    NotInitialised = 6013, "the SDK is not initialised";
    /// Nobody is logged in, or the session just ended: log in first (API-1).
    NotLoggedIn = 6014, "nobody is logged in";
    /// The application: `uninit` before another `init` (INIT-4).
    AlreadyInitialised = 6015, "the SDK is initialised already";
    /// The application: correct the argument (API-4).
    InvalidArgument = 6017, "an argument is not valid";
    /// The device's storage: the record cannot be written, so nothing was sent (ATT-5).
    StorageFailed = 6022, "the device's storage cannot be written";
    /// The application logged out before the login had ended (LOGOUT-3).
    LoginCancelled = 6023, "a logout came before the login had ended";
    /// The application: get a fresh ticket, this one was reported expired before (TICKET-7).
    TicketKnownExpired = 6206, "the server has already reported this very ticket expired";
    /// Another device took the place while the process was not running; a second `login` succeeds (KICK-7).
    KickedWhileAway = 6208, "displaced while the process was not running";
    /// The application: correct the user id (LOGIN-2).
    InvalidUserId = 7003, "the user id is not valid";
    /// The application called `uninit` (INIT-3).
    Uninitialised = 7009, "the SDK was uninitialised";
    /// The application is too old for its server, or too new: update it (VERSION-1).
    VersionNotSupported = 7013, "the server does not support this version of the SDK";
    /// The application: a login is under way, await it (LOGIN-4).
    LoginPending = 7501, "a login is pending";
    /// The application: a logout is under way, await it (LOGOUT-4).
    LogoutPending = 7502, "a logout is pending";
    /// The network: no link to the server; nothing was sent (API-5, LOGIN-8).
    NoLink = 9508, "no link to the server";
    /// The network: connecting took too long; nothing was sent (LOGIN-8).
    ConnectTimeout = 9510, "connecting timed out";
    /// The network: sent and not answered in time, the outcome is unknown (LOGIN-8, API-5).
    NoAnswer = 9520, "no answer in time, the outcome is unknown";
    /// Who answers in the server's place: nothing was sent (TLS-2).
    ServerUntrusted = 9530, "whoever answers cannot prove to be the server";
    /// The user, or the device, logs in again and again: slow down (LOGIN-11).
    TooManyLogins = 60007, "too many logins in a short time";
    /// The caller is no administrator of the app (ADMIN-3).
    NotAdministrator = 60010, "not an administrator";
    /// The ticket's time is over: get a fresh one (TICKET-3).
    TicketExpired = 70001, "the ticket has expired";
    /// There is no ticket (TICKET-3).
    TicketEmpty = 70002, "the ticket is empty";
    /// The ticket cannot be decoded, or is too large (TICKET-3).
    TicketMalformed = 70003, "the ticket is malformed";
    /// The ticket was signed with a key that is not the app's (TICKET-3).
    TicketSignature = 70009, "the ticket's signature is wrong";
    /// The ticket names another user (TICKET-3).
    TicketOtherUser = 70013, "the ticket is another user's";
    /// The ticket names another app (TICKET-3).
    TicketOtherApp = 70014, "the ticket is another app's";
    /// Too many refused tickets: wait a minute (TICKET-4).
    TooManyRefusals = 70050, "too many refused tickets, locked for a minute";
    /// An administrative kick voided the ticket: get one issued later (ADMIN-1).
    TicketVoided = 70052, "an administrator voided the ticket";
    /// There is no such account (API-4, ADMIN-1).
    UnknownUser = 70107, "no such user";
    /// The server has more to do than it can: the SDK comes back when it was told to (CONN-12).
    ServerBusy = 70169, "the server is busy";
    /// The server found the user id not valid (LOGIN-2).
    UserIdRejected = 70402, "the server rejects the user id";
    /// The server could not store the change: the outcome is unknown (DUR-5).
    ServerUnable = 70500, "the server was unable to answer";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}] {}", self.number(), self.text())
    }
}

impl std::error::Error for Code {}

/// Why nobody is logged in, of a call that failed for it (API-1).
///
/// ```
/// assert_eq!(gatecrash::code::Reason::Kicked.text(), "the session was kicked");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// There was no login since `init` (INIT-6).
    NeverLoggedIn,
    /// A login is pending: its result decides.
    LoggingIn,
    /// The last login failed, with a code of its own (LOGIN-6).
    LoginFailed,
    /// The session was kicked: `kicked_offline` says by whom (KICK-1).
    Kicked,
    /// The session ended with its ticket: log in with a fresh one (TICKET-5).
    Expired,
    /// The application logged out (LOGOUT-1).
    LoggedOut,
    /// The application logged in as somebody else; the call was made for the one before (SWITCH-2).
    Switched,
}

impl Reason {
    /// It in a word, as traces show it.
    pub const fn word(self) -> &'static str {
        match self {
            Reason::NeverLoggedIn => "never_logged_in",
            Reason::LoggingIn => "logging_in",
            Reason::LoginFailed => "login_failed",
            Reason::Kicked => "kicked",
            Reason::Expired => "expired",
            Reason::LoggedOut => "logged_out",
            Reason::Switched => "switched",
        }
    }

    /// It in a few words.
    pub const fn text(self) -> &'static str {
        match self {
            Reason::NeverLoggedIn => "there was no login yet",
            Reason::LoggingIn => "a login is pending",
            Reason::LoginFailed => "the last login failed",
            Reason::Kicked => "the session was kicked",
            Reason::Expired => "the session's ticket has expired",
            Reason::LoggedOut => "the application logged out",
            Reason::Switched => "the application logged in as somebody else",
        }
    }
}

/// What a failed call gives the application: the code, and more where the code says too little.
///
/// ```
/// use gatecrash::code::{Code, Failure, Reason};
///
/// let failure = Failure { code: Code::NotLoggedIn, reason: Some(Reason::Kicked) };
/// assert_eq!(failure.to_string(), "[6014] nobody is logged in: the session was kicked");
/// assert_eq!(Failure::from(Code::NoLink).reason, None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Failure {
    /// What went wrong.
    pub code: Code,
    /// Why nobody is logged in: set with [`Code::NotLoggedIn`], except where the server gave that code. Then the
    /// session has just ended, and the event that says how is on its way.
    pub reason: Option<Reason>,
}

impl From<Code> for Failure {
    fn from(code: Code) -> Self {
        Failure { code, reason: None }
    }
}

impl From<Reason> for Failure {
    fn from(reason: Reason) -> Self {
        Failure { code: Code::NotLoggedIn, reason: Some(reason) }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.code.fmt(f)?;
        self.reason.map_or(Ok(()), |reason| write!(f, ": {}", reason.text()))
    }
}

impl std::error::Error for Failure {}
