//! The closed vocabularies of scenario files: each value with its word, in one table.
//!
//! Words that the product has already, such as platforms and policies, are the product's.

use std::fmt;
use std::time::Duration;

macro_rules! words {
    ($($(#[$doc:meta])+ $name:ident { $($(#[$variant_doc:meta])+ $variant:ident = $word:literal,)+ })+) => { $(
        $(#[$doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$variant_doc])+ $variant,)+ }

        impl $name {
            /// Every one.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// The word scenario files and traces use.
            pub const fn word(self) -> &'static str {
                match self { $($name::$variant => $word,)+ }
            }

            /// The one with this word.
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.word() == word)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.word())
            }
        }
    )+ };
}

words! {
    /// Who starts a device's SDK.
    Init {
        /// The world: process and SDK are up at 0 s.
        Auto = "auto",
        /// A step: the process is up at 0 s, the SDK waits for `init`.
        Manual = "manual",
    }
    /// What is wrong with a ticket.
    Forge {
        /// Signed with a key that never was the app's.
        WrongKey = "wrong_key",
        /// Signed with the app's second key, good until that is dropped.
        OldKey = "old_key",
        /// Issued for another app.
        OtherApp = "other_app",
        /// Not a ticket at all.
        Garbage = "garbage",
        /// The empty text.
        Empty = "empty",
        /// Over 8 KiB.
        Oversized = "oversized",
        /// Inflates over 64 KiB.
        Bomb = "bomb",
        /// Cut in the middle.
        Truncated = "truncated",
    }
    /// What a listener hears.
    ListenerEvent {
        /// An attempt to connect begins.
        Connecting = "connecting",
        /// It succeeded.
        ConnectSuccess = "connect_success",
        /// It failed.
        ConnectFailed = "connect_failed",
        /// The session was ended by the server.
        KickedOffline = "kicked_offline",
        /// The session ended with its ticket.
        UserSigExpired = "user_sig_expired",
        /// A message arrived.
        Message = "message",
        /// There was no room for messages while the device was away.
        MessagesDropped = "messages_dropped",
    }
    /// What a stranger does on a connection of its own.
    Conduct {
        /// Sends random bytes.
        Garbage = "garbage",
        /// Announces a frame over 64 KiB.
        Oversized = "oversized",
        /// Sends a request first.
        NoHello = "no_hello",
        /// Says hello twice.
        TwoHellos = "two_hellos",
        /// Says hello in an unknown version.
        WrongVersion = "wrong_version",
        /// Opens the connection and stays silent.
        Idle = "idle",
        /// Says hello, then resumes a made-up session with an empty ticket.
        ResumeForged = "resume_forged",
        /// Sends half a frame, then nothing.
        Truncated = "truncated",
        /// Says hello, and again and again resumes a made-up session and logs out, without ever having logged in.
        LogoutAgain = "logout_again",
    }
    /// In which direction a partition loses what is sent.
    Direction {
        /// In both.
        Both = "both",
        /// From the server to the site.
        Inbound = "inbound",
        /// From the site to the server.
        Outbound = "outbound",
    }
    /// How far a commit of the server gets.
    CommitPoint {
        /// Nothing of it was written.
        BeforeWrite = "before_write",
        /// It is on disk, and nobody was answered.
        AfterCommit = "after_commit",
        /// It was answered.
        AfterAnswers = "after_answers",
    }
    /// What `login_status` says (LOGIN-6).
    LoginStatus {
        /// Nobody is logged in.
        Logout = "LOGOUT",
        /// A login is under way.
        Logining = "LOGINING",
        /// Logged in.
        Logined = "LOGINED",
    }
    /// The calls whose answers can be expected.
    CallKind {
        /// `login`.
        Login = "login",
        /// `logout`.
        Logout = "logout",
        /// `send_message`.
        Send = "send",
        /// `conversations`.
        Conversations = "conversations",
        /// The administrative kick.
        Kick = "kick",
        /// The administrative status query.
        Query = "query",
        /// `init`.
        Init = "init",
        /// `uninit`.
        Uninit = "uninit",
    }
    /// What a status query shows of a user.
    Shown {
        /// Online.
        Online = "online",
        /// PushOnline.
        PushOnline = "push_online",
        /// Offline.
        Offline = "offline",
        /// Listed apart: no such account.
        Unknown = "unknown",
    }
}

impl Conduct {
    /// How often the stranger says what it says: once, or thrice within the time it has to log in, and on for as long
    /// again.
    pub(crate) const fn times(self) -> u32 {
        match self {
            Conduct::LogoutAgain => 2 * WORDS_IN_TIME,
            Conduct::Garbage
            | Conduct::Oversized
            | Conduct::NoHello
            | Conduct::TwoHellos
            | Conduct::WrongVersion
            | Conduct::Idle
            | Conduct::ResumeForged
            | Conduct::Truncated => 1,
        }
    }

    /// How long it waits in between, on a server that lets it stay so long without a login.
    pub(crate) fn pause(admission: Duration) -> Duration {
        admission / WORDS_IN_TIME
    }
}

/// How often a stranger that says something again and again does so before its time is up (INPUT-2).
const WORDS_IN_TIME: u32 = 3;
