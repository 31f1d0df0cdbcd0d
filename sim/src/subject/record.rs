//! The history of a run, as lines of JSON: what applications called and were told, what became of processes and links.
//!
//! Beside the lines there are notes, the script's faults and the server's life, which stories show and the history leaves
//! out: no application could know of them. Judges nothing.

use std::sync::{Arc, Mutex, MutexGuard};

use gatecrash::policy::{Platform, Seats};
use serde::Serialize;

use super::said::{JudgedBy, Outcome, Status, Told};

/// What happened, at which simulated microsecond, to whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Line {
    pub(super) at_us: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) actor: Option<String>,
    #[serde(flatten)]
    pub(super) what: What,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub(super) enum What {
    Called {
        call: u32,
        #[serde(flatten)]
        request: Request,
    },
    Answered {
        call: u32,
        kind: &'static str,
        user: Option<String>,
        #[serde(flatten)]
        outcome: Answer,
    },
    Told(Event),
    Status {
        status: &'static str,
        login_user: Option<String>,
        /// Always: what it was between two looks nobody knows.
        sampled: bool,
    },
    Process {
        process: &'static str,
    },
    Link {
        link: &'static str,
    },
    End {
        settled: bool,
    },
    /// Only stories show it.
    #[serde(skip)]
    Note(String),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "request", rename_all = "snake_case")]
pub(super) enum Request {
    Init { platform: &'static str },
    Login { user: String, platform: &'static str },
    Logout,
    Send { to: String, text: String, id: String },
    Conversations,
}

impl Request {
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Request::Init { .. } => "init",
            Request::Login { .. } => "login",
            Request::Logout => "logout",
            Request::Send { .. } => "send",
            Request::Conversations => "conversations",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub(super) enum Answer {
    Ok,
    Failed { code: u32 },
    Unknown,
}

impl From<Outcome> for Answer {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Ok => Answer::Ok,
            Outcome::Failed(code) => Answer::Failed { code },
            Outcome::Unknown => Answer::Unknown,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(super) enum Event {
    Connecting,
    ConnectSuccess,
    ConnectFailed {
        code: u32,
    },
    KickedOffline {
        reason: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        by: Option<String>,
    },
    UserSigExpired,
    Message {
        message: String,
        from: String,
        to: String,
        text: String,
    },
}

impl Event {
    /// What the application is told that works for this user.
    pub(super) fn of(told: Told, user: Option<String>) -> Self {
        match told {
            Told::Connecting => Event::Connecting,
            Told::ConnectSuccess => Event::ConnectSuccess,
            Told::ConnectFailed(code) => Event::ConnectFailed { code },
            Told::KickedOffline { reason, by } => Event::KickedOffline { reason, by },
            Told::UserSigExpired => Event::UserSigExpired,
            Told::Message { id, from, text } => {
                Event::Message { message: id, from, to: user.unwrap_or_default(), text }
            }
        }
    }
}

impl From<Status> for What {
    fn from(status: Status) -> Self {
        let (status, login_user) = match status {
            Status::Logout => ("LOGOUT", None),
            Status::Logining(_) => ("LOGINING", None),
            Status::Logined(user) => ("LOGINED", Some(user)),
        };
        What::Status { status, login_user, sampled: true }
    }
}

/// The first line of a history.
#[derive(Serialize)]
struct Head<'a> {
    history: u32,
    system: &'a str,
    policy: &'static str,
    max_instances: std::collections::BTreeMap<&'static str, usize>,
    observes: [&'static str; 6],
    codes: &'static str,
}

/// The first line: whose history it is, and what it holds in full.
pub(super) fn head(system: &str, seats: Seats, judged_by: JudgedBy) -> String {
    let several = Platform::ALL.into_iter().map(|platform| (platform.word(), seats.instances_max(platform)));
    let head = Head {
        history: 1,
        system,
        policy: seats.policy().word(),
        max_instances: several.filter(|(_, number)| *number != 1).collect(),
        observes: ["calls", "events", "status", "process", "link", "messages"],
        codes: if judged_by == JudgedBy::Specification { "gatecrash" } else { "own" },
    };
    serde_json::to_string(&head).expect("a head has text keys and finite numbers")
}

/// The line as JSON; none for a note.
pub(super) fn json(line: &Line) -> Option<String> {
    let is_note = matches!(line.what, What::Note(_));
    (!is_note).then(|| serde_json::to_string(line).expect("a line has text keys and finite numbers"))
}

/// The lines of a run, while it goes on. A clone is the same record.
#[derive(Clone, Default)]
pub(super) struct Record(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    lines: Vec<Line>,
    calls: u32,
    misuse: Option<String>,
}

impl Record {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("nobody panics with it")
    }

    /// It happens now.
    pub(super) fn push(&self, actor: Option<&str>, what: What) {
        self.push_at(crate::world::packet::now().as_micros(), actor, what);
    }

    pub(super) fn push_at(&self, at_us: u64, actor: Option<&str>, what: What) {
        self.lock().lines.push(Line { at_us, actor: actor.map(str::to_owned), what });
    }

    /// The number of the next call.
    pub(super) fn next_call(&self) -> u32 {
        let mut state = self.lock();
        state.calls += 1;
        state.calls
    }

    /// The system does what it may not: the history says nothing then.
    pub(super) fn misused(&self, how: String) {
        self.lock().misuse.get_or_insert(how);
    }

    /// What the system did first that it may not.
    pub(super) fn misuse(&self) -> Option<String> {
        self.lock().misuse.clone()
    }

    /// Takes the lines out.
    pub(super) fn finish(&self) -> Vec<Line> {
        std::mem::take(&mut self.lock().lines)
    }
}
