//! What an SDK says of itself: who is logged in, how a call ended, what its listener is told.

/// Whether somebody is logged in, and who.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// Nobody.
    Logout,
    /// This user is about to be, for the first time or again.
    Logining(String),
    /// This user.
    Logined(String),
}

/// What is taken for right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum JudgedBy {
    /// A few sentences that applications rely on with any system.
    #[default]
    Applications,
    /// Every rule of SPEC.md that can be judged from outside, to the letter: for a system that says it keeps them, in its codes
    /// and its events, too. Also what order things have at one instant: whoever answers from tasks of their own changes it.
    Specification,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It succeeded.
    Ok,
    /// It failed, with a code of the system's own.
    Failed(u32),
    /// Whether it succeeded is unknown.
    Unknown,
}

/// What an application is told, beside the results of its calls.
///
/// ```
/// use gatecrash_sim::subject::{Events, Told};
///
/// /// The callback of an SDK whose server says which device it was.
/// fn on_kicked(events: &Events, by: &str) {
///     events.tell(Told::KickedOffline { reason: "other_platform".to_owned(), by: Some(by.to_owned()) });
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// An attempt to connect begins.
    Connecting,
    /// A login, or a coming back, was accepted.
    ConnectSuccess,
    /// The attempt failed, with a code of the system's own.
    ConnectFailed(u32),
    /// The server ended the session.
    KickedOffline {
        /// In the words of the rules where there is one: `same_platform`, `other_platform`, `administrator`.
        reason: String,
        /// The device whose login it was, where that is known.
        by: Option<String>,
    },
    /// The session ended with its ticket.
    UserSigExpired,
    /// A message arrived.
    Message {
        /// As its sender called it.
        id: String,
        /// Who sent it.
        from: String,
        /// What it says.
        text: String,
    },
}
