//! The history of a run: what applications called and were told, what became of processes and of ways to the server.
//!
//! Judges nothing. An instant is when the conductor did something or heard of it, so that a call lies no later than it
//! was made and what came of it no earlier.

use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::adapter::{Brings, Can, Capability, Outcome, Request, Told};
use super::server::Start;
use super::subject::Claims;
use crate::history::{Channel, Channels, Head};

/// The lines of a run.
pub(super) struct Record {
    start: Start,
    lines: Vec<(u64, String)>,
    /// When that was heard which is being written down.
    heard: Option<u64>,
}

/// The channels that a history of a drive holds in full.
pub(super) fn observed(can: &Can) -> Channels {
    let mut channels = vec![Channel::Calls, Channel::Events, Channel::Status, Channel::Process, Channel::Link];
    channels.extend(can.has(Capability::Watch).then_some(Channel::Presence));
    Channels::of(&channels)
}

/// The first line.
pub(super) fn head(claims: &Claims, can: &Can, version: &str) -> String {
    let mut head = Head { observes: observed(can), ..claims.head.clone() };
    if !version.is_empty() {
        head.system = format!("{}, {version}", head.system);
    }
    head.line()
}

impl Record {
    pub(super) fn new(start: Start) -> Record {
        Record { start, lines: Vec::new(), heard: None }
    }

    /// What is written down from now on was heard at this instant; none: happens as it is written down.
    pub(super) fn heard(&mut self, at: Option<Instant>) {
        self.heard = at.map(|at| self.start.micros_at(at));
    }

    /// How many lines there are, but for the first.
    pub(super) fn events(&self) -> u64 {
        self.lines.len() as u64
    }

    fn push(&mut self, actor: Option<&str>, what: &str, fields: Value) {
        let mut line = Map::new();
        let at = self.heard.unwrap_or_else(|| self.start.micros());
        line.insert("at_us".to_owned(), at.into());
        if let Some(actor) = actor {
            line.insert("actor".to_owned(), actor.into());
        }
        line.insert("what".to_owned(), what.into());
        if let Value::Object(fields) = fields {
            line.extend(fields.into_iter().filter(|(_, value)| !value.is_null()));
        }
        self.lines.push((at, Value::Object(line).to_string()));
    }

    pub(super) fn called(&mut self, actor: &str, platform: &str, call: u64, request: &Request) {
        let fields = match request {
            Request::Login { user, .. } => {
                json!({ "call": call, "request": "login", "user": user, "platform": platform })
            }
            Request::Logout => json!({ "call": call, "request": "logout" }),
            Request::Send { to, text, id } => {
                json!({ "call": call, "request": "send", "to": to, "text": text, "id": id })
            }
            Request::Conversations => json!({ "call": call, "request": "conversations" }),
            // Asked by the conductor and not by an application.
            Request::Watch { .. } | Request::Nonsense => return,
        };
        self.push(Some(actor), "called", fields);
    }

    pub(super) fn answered(&mut self, actor: &str, call: u64, outcome: Outcome, brings: Brings) {
        let fields = match outcome {
            Outcome::Ok => {
                let Brings { message, conversations } = brings;
                json!({ "call": call, "outcome": "ok", "message": message, "conversations": conversations })
            }
            Outcome::Failed(code) => json!({ "call": call, "outcome": "failed", "code": code }),
            Outcome::Unknown => json!({ "call": call, "outcome": "unknown" }),
        };
        self.push(Some(actor), "answered", fields);
    }

    /// `user`: for whom the device works.
    pub(super) fn told(&mut self, actor: &str, user: Option<&str>, told: &Told) {
        let fields = match told {
            Told::Connecting => json!({ "event": "connecting" }),
            Told::ConnectSuccess => json!({ "event": "connect_success" }),
            Told::ConnectFailed { code } => json!({ "event": "connect_failed", "code": code }),
            Told::KickedOffline { reason, by } => json!({ "event": "kicked_offline", "reason": reason, "by": by }),
            Told::UserSigExpired => json!({ "event": "user_sig_expired" }),
            Told::Message { id, from, to, text } => {
                let to = to.as_deref().or(user).unwrap_or_default();
                json!({ "event": "message", "message": id, "from": from, "to": to, "text": text })
            }
            Told::MessagesDropped => json!({ "event": "messages_dropped" }),
        };
        self.push(Some(actor), "told", fields);
    }

    pub(super) fn status(&mut self, actor: &str, status: &str, login_user: Option<&str>) {
        self.push(Some(actor), "status", json!({ "status": status, "login_user": login_user }));
    }

    pub(super) fn presence(&mut self, actor: &str, user: &str, presence: &str) {
        self.push(Some(actor), "presence", json!({ "user": user, "presence": presence }));
    }

    pub(super) fn process(&mut self, actor: &str, process: &str) {
        self.push(Some(actor), "process", json!({ "process": process }));
    }

    pub(super) fn link(&mut self, actor: &str, is_up: bool) {
        self.push(Some(actor), "link", json!({ "link": if is_up { "up" } else { "down" } }));
    }

    pub(super) fn new_device(&mut self, actor: &str) {
        self.push(Some(actor), "new_device", json!({}));
    }

    pub(super) fn known_as(&mut self, actor: &str, device: &str) {
        self.push(Some(actor), "known_as", json!({ "device": device }));
    }

    /// The history: everything has come to rest, or has had the time for it.
    pub(super) fn end(mut self, head: &str) -> String {
        self.push(None, "end", json!({ "settled": true }));
        // Something may have been heard while the conductor was waiting for something else.
        self.lines.sort_by_key(|(at, _)| *at);
        let lines = self.lines.into_iter().map(|(_, line)| line + "\n");
        std::iter::once(format!("{head}\n")).chain(lines).collect()
    }
}
