//! The adapter's protocol, in words: what the conductor asks of one, and what it says.
//!
//! One JSON object a line, each way. Reads and writes lines; starts no process. `docs/drive.md` has it for whoever writes one.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::history::hint;
use crate::scenario::{Vocabulary, nearest};

/// The version of the protocol.
pub(super) const VERSION: u32 = 1;

/// How long an adapter has to be ready.
pub(super) const READY_WITHIN: Duration = Duration::from_secs(10);

/// How long one that is told to stop has for it.
pub(super) const STOP_WITHIN: Duration = Duration::from_secs(5);

macro_rules! capabilities {
    ($($(#[$doc:meta])+ $name:ident = $word:literal,)+) => {
        /// Something that an adapter understands.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Capability { $($(#[$doc])+ $name,)+ }

        impl Capability {
            /// Each of them, in the order of the documents.
            pub const ALL: [Capability; [$($word),+].len()] = [$(Capability::$name),+];

            /// The word for it.
            pub const fn word(self) -> &'static str {
                match self { $(Capability::$name => $word,)+ }
            }
        }
    };
}

capabilities! {
    /// To say when it takes a call.
    Called = "called",
    /// A login. There is no adapter without.
    Login = "login",
    /// A logout.
    Logout = "logout",
    /// A message to a user.
    Send = "send",
    /// The list of conversations.
    Conversations = "conversations",
    /// To tell the presence of users.
    Watch = "watch",
    /// A login of whoever is logged in already, with a fresh ticket.
    Renew = "renew",
    /// A login of somebody else than whoever is logged in.
    Switch = "switch",
    /// To be told that the network is another one.
    NetworkChanged = "network_changed",
    /// Tickets that run out.
    Tickets = "tickets",
    /// Something on the device's disk.
    Files = "files",
}

/// What an adapter understands.
///
/// ```
/// use gatecrash_sim::drive::{Can, Capability};
///
/// let can = Can::of(&[Capability::Login, Capability::Send]);
/// assert!(can.has(Capability::Send) && !can.has(Capability::Watch));
/// assert_eq!(can.to_string(), "login, send");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Can(BTreeSet<Capability>);

impl Can {
    /// These.
    pub fn of(capabilities: &[Capability]) -> Can {
        Can(capabilities.iter().copied().collect())
    }

    /// The words of scenarios that mean something to whoever understands this.
    pub fn vocabulary(&self) -> Vocabulary {
        Vocabulary {
            conversations: self.has(Capability::Conversations),
            tickets: self.has(Capability::Tickets),
            files: self.has(Capability::Files),
        }
    }

    /// Whether this is among it.
    pub fn has(&self, capability: Capability) -> bool {
        self.0.contains(&capability)
    }
}

impl fmt::Display for Can {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<&str> = self.0.iter().map(|capability| capability.word()).collect();
        f.write_str(&words.join(", "))
    }
}

/// A line to an adapter.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Ask {
    Hello {
        hello: u32,
        device: String,
        platform: String,
        server: String,
        dir: String,
    },
    Call {
        call: u32,
        #[serde(flatten)]
        what: Request,
    },
    Note {
        note: Note,
    },
    Stop {
        stop: u32,
    },
}

/// A call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub(super) enum Request {
    Login {
        user: String,
        ticket: Ticket,
    },
    Logout,
    Send {
        to: String,
        text: String,
        id: String,
    },
    Conversations,
    Watch {
        users: Vec<String>,
    },
    /// A word that no adapter knows: it has to say so and go on.
    Nonsense,
}

/// What the business server gave the application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Ticket {
    pub(super) text: String,
    pub(super) issued: u64,
    pub(super) ttl: u64,
}

/// Something an adapter is told and does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Note {
    Woken,
    NetworkChanged,
}

impl Ask {
    pub(super) fn line(&self) -> String {
        serde_json::to_string(self).expect("a line has text keys")
    }
}

/// A line of an adapter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    Ready { can: Can, version: String },
    Called { call: u64 },
    Answered { call: u64, outcome: Outcome, brings: Brings },
    Status { status: &'static str, login_user: Option<String> },
    Told(Told),
    Presence { user: String, presence: &'static str },
}

/// What a result brings beside its outcome.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Brings {
    /// What the message that was sent is called from now on.
    pub(super) message: Option<Value>,
    pub(super) conversations: Option<Value>,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Ok,
    Failed(u32),
    Unknown,
}

/// What an application is told.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "told", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Told {
    Connecting,
    ConnectSuccess,
    ConnectFailed {
        code: u32,
    },
    KickedOffline {
        #[serde(default)]
        reason: Option<String>,
        #[serde(default)]
        by: Option<String>,
    },
    UserSigExpired,
    Message {
        /// A number or a text.
        id: Value,
        from: String,
        #[serde(default)]
        to: Option<String>,
        #[serde(default)]
        text: String,
    },
    MessagesDropped,
}

/// The words of a login status.
pub(super) const STATUSES: [&str; 3] = ["LOGINED", "LOGINING", "LOGOUT"];
/// The words of a presence.
pub(super) const PRESENCES: [&str; 3] = ["online", "push_online", "offline"];
/// The words for why somebody was kicked.
pub(super) const REASONS: [&str; 4] = ["same_platform", "other_platform", "administrator", "gone"];
/// The words for what an application is told.
pub(super) const TOLD: [&str; 7] = [
    "connecting",
    "connect_success",
    "connect_failed",
    "kicked_offline",
    "user_sig_expired",
    "message",
    "messages_dropped",
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReadyLine {
    ready: u32,
    can: Vec<String>,
    #[serde(default)]
    version: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CalledLine {
    called: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AnsweredLine {
    answered: u64,
    outcome: Option<String>,
    code: Option<u32>,
    definite: Option<bool>,
    message: Option<Value>,
    conversations: Option<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StatusLine {
    status: String,
    #[serde(default)]
    login_user: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PresenceLine {
    presence: String,
    user: String,
}

impl Said {
    /// Reads a line.
    ///
    /// # Errors
    ///
    /// What about it the protocol does not have.
    pub(super) fn read(line: &str) -> Result<Said, String> {
        const KEYS: [&str; 6] = ["ready", "called", "answered", "status", "told", "presence"];
        let value: Value = serde_json::from_str(line).map_err(|error| format!("it is no JSON: {error}"))?;
        let Value::Object(fields) = &value else { return Err("it is no JSON object".to_owned()) };
        let Some(key) = KEYS.into_iter().find(|key| fields.contains_key(*key)) else {
            let meant = fields.keys().find_map(|key| nearest(key, KEYS));
            return Err(format!("it has none of the fields {}{}", KEYS.join(", "), hint(meant)));
        };
        match key {
            "ready" => {
                let ReadyLine { ready, can, version } = typed(value)?;
                if ready != VERSION {
                    return Err(format!("only version {VERSION} of the protocol is known, and not {ready}"));
                }
                let can = can.iter().map(|word| capability(word)).collect::<Result<_, _>>()?;
                Ok(Said::Ready { can: Can(can), version })
            }
            "called" => typed(value).map(|CalledLine { called: call }| Said::Called { call }),
            "answered" => {
                let AnsweredLine { answered: call, outcome, code, definite, message, conversations } = typed(value)?;
                let outcome = match (outcome.as_deref(), code, definite) {
                    (Some("ok"), None, None) => Outcome::Ok,
                    (Some("unknown"), None, None) => Outcome::Unknown,
                    (None | Some("failed"), Some(code), None | Some(true)) => Outcome::Failed(code),
                    (None | Some("failed"), Some(_), Some(false)) => Outcome::Unknown,
                    _ => {
                        let says = "an answer has \"outcome\":\"ok\", \"outcome\":\"unknown\", or a \"code\", and \
                                    beside a code perhaps \"definite\":false";
                        return Err(says.to_owned());
                    }
                };
                message.as_ref().map_or(Ok(()), is_key)?;
                Ok(Said::Answered { call, outcome, brings: Brings { message, conversations } })
            }
            "status" => {
                let StatusLine { status, login_user } = typed(value)?;
                Ok(Said::Status { status: word("status", &status, &STATUSES)?, login_user })
            }
            "presence" => {
                let PresenceLine { presence, user } = typed(value)?;
                Ok(Said::Presence { user, presence: word("presence", &presence, &PRESENCES)? })
            }
            _ => {
                let told = fields["told"].as_str().unwrap_or_default();
                word("event", told, &TOLD)?;
                let told = typed(value)?;
                if let Told::KickedOffline { reason: Some(reason), .. } = &told {
                    word("reason", reason, &REASONS)?;
                }
                if let Told::Message { id, .. } = &told {
                    is_key(id)?;
                }
                Ok(Said::Told(told))
            }
        }
    }
}

fn typed<T: serde::de::DeserializeOwned>(value: Value) -> Result<T, String> {
    serde_json::from_value(value).map_err(|error| error.to_string())
}

fn is_key(value: &Value) -> Result<(), String> {
    let is_key = value.is_string() || value.as_u64().is_some();
    if is_key { Ok(()) } else { Err(format!("a message is called by a text or a number, and not by {value}")) }
}

fn word(what: &str, said: &str, words: &[&'static str]) -> Result<&'static str, String> {
    let found = words.iter().copied().find(|word| *word == said);
    found.ok_or_else(|| {
        let meant = hint(nearest(said, words.iter().copied()));
        format!("there is no {what} `{said}`{meant}; there are {}", words.join(", "))
    })
}

fn capability(said: &str) -> Result<Capability, String> {
    let word = word("capability", said, &Capability::ALL.map(Capability::word))?;
    Ok(Capability::ALL.into_iter().find(|capability| capability.word() == word).expect("it is among the words"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_the_document_has_them() {
        let said = |line| Said::read(line).unwrap();
        let can = Can::of(&[Capability::Login, Capability::Send]);
        assert_eq!(
            said(r#"{"ready":1,"can":["send","login"],"version":"acme"}"#),
            Said::Ready { can, version: "acme".to_owned() }
        );
        assert_eq!(said(r#"{"called":7}"#), Said::Called { call: 7 });
        let answered = |outcome| Said::Answered { call: 7, outcome, brings: Brings::default() };
        assert_eq!(said(r#"{"answered":7,"outcome":"ok"}"#), answered(Outcome::Ok));
        assert_eq!(said(r#"{"answered":7,"code":70001}"#), answered(Outcome::Failed(70001)));
        assert_eq!(said(r#"{"answered":7,"code":70001,"definite":false}"#), answered(Outcome::Unknown));
        let status = Said::Status { status: "LOGOUT", login_user: None };
        assert_eq!(said(r#"{"status":"LOGOUT","login_user":null}"#), status);
        assert!(matches!(said(r#"{"told":"kicked_offline"}"#), Said::Told(Told::KickedOffline { .. })));
        let presence = Said::Presence { user: "bob".to_owned(), presence: "online" };
        assert_eq!(said(r#"{"presence":"online","user":"bob"}"#), presence);
    }

    #[test]
    fn what_is_none_of_them_is_told_exactly() {
        let wrong = |line| Said::read(line).unwrap_err();
        assert!(wrong("hello").starts_with("it is no JSON"));
        assert_eq!(wrong("[1]"), "it is no JSON object");
        assert!(wrong(r#"{"anwsered":1}"#).contains("did you mean `answered`?"));
        assert!(wrong(r#"{"ready":2,"can":[]}"#).contains("only version 1"));
        assert!(wrong(r#"{"ready":1,"can":["logn"]}"#).contains("did you mean `login`?"));
        assert!(wrong(r#"{"answered":1}"#).contains("\"outcome\":\"ok\""));
        assert!(wrong(r#"{"answered":1,"outcome":"ok","cod":3}"#).contains("unknown field `cod`"));
        assert!(wrong(r#"{"status":"LOGGED_IN"}"#).contains("there are LOGINED"));
        assert!(wrong(r#"{"told":"kicked"}"#).contains("there is no event `kicked`"));
        assert!(wrong(r#"{"told":"kicked_offline","reason":"because"}"#).contains("there is no reason"));
    }

    #[test]
    fn lines_are_written_as_the_document_has_them() {
        let ticket = Ticket { text: "t".to_owned(), issued: 1, ttl: 2 };
        let login = Ask::Call { call: 7, what: Request::Login { user: "alice".to_owned(), ticket } };
        let line = r#"{"call":7,"do":"login","user":"alice","ticket":{"text":"t","issued":1,"ttl":2}}"#;
        assert_eq!(login.line(), line);
        assert_eq!(Ask::Note { note: Note::NetworkChanged }.line(), r#"{"note":"network_changed"}"#);
        assert_eq!(Ask::Stop { stop: 1 }.line(), r#"{"stop":1}"#);
    }
}
