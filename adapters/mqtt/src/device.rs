//! The device: what lines ask of it and what its link tells become lines, and what is asked of the link. Does no I/O.

use std::collections::BTreeSet;
use std::mem;

use serde_json::{Value, json};

use crate::client::Failure;
use crate::link::{Ask, Heard};

/// There is no connection.
const UNREACHABLE: u8 = 1;
/// Nobody is logged in.
const NOBODY: u8 = 2;
/// Somebody is logged in or logging in, or the logout is under way.
const BUSY: u8 = 3;
/// The server refuses the message.
const NOT_TAKEN: u8 = 4;
/// The connection was lost, or silent for 5 s, before CONNECT had its answer.
const NO_ANSWER: u8 = 5;

/// What is to be done, in order.
#[derive(Debug, PartialEq, Eq)]
pub enum Do {
    Say(Value),
    Ask(Ask),
    /// A link for this user, in the place of the one that there may be.
    Connect(String),
    LetGo,
    Exit,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Out,
    /// The call.
    In(u64),
    Connected,
    Reconnecting,
    /// The calls that end when the session has.
    Leaving(Leaving),
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Leaving {
    logout: Option<u64>,
    login: Option<(u64, String)>,
    stop: bool,
}

#[derive(Debug, Default)]
pub struct Device {
    user: String,
    phase: Phase,
    /// Of messages that the server has not acknowledged.
    calls: BTreeSet<u64>,
    watched: BTreeSet<String>,
    to_do: Vec<Do>,
}

impl Device {
    pub fn line(&mut self, line: &Value) -> Vec<Do> {
        if let (Some(call), Some(what)) = (line["call"].as_u64(), line["do"].as_str()) {
            self.call(call, what, line);
        } else if !line["note"].is_null() && self.phase == Phase::Connected {
            self.to_do.push(Do::Ask(Ask::Ping));
        } else if !line["stop"].is_null() {
            self.leave(Leaving { stop: true, ..Leaving::default() });
        }
        mem::take(&mut self.to_do)
    }

    fn call(&mut self, call: u64, what: &str, line: &Value) {
        let text = |field: &str| line[field].as_str().unwrap_or_default().to_owned();
        self.say(json!({"called": call}));
        match (what, &self.phase) {
            ("login", Phase::Out) => self.login(call, text("user")),
            ("login", Phase::Connected | Phase::Reconnecting) if self.user != text("user") => {
                self.leave(Leaving { login: Some((call, text("user"))), ..Leaving::default() });
            }
            ("login", _) | ("send" | "logout", Phase::Leaving(_)) => self.failed(call, BUSY),
            ("logout", Phase::Connected | Phase::Reconnecting) => {
                self.leave(Leaving { logout: Some(call), ..Leaving::default() });
            }
            ("send", Phase::Connected) => {
                self.calls.insert(call);
                let message = json!({"id": text("id"), "from": self.user, "text": text("text")});
                let (topic, payload) = (format!("to/{}", text("to")), message.to_string().into_bytes());
                self.ask(Ask::Publish { call: Some(call), topic, payload, retain: false });
            }
            ("send", Phase::Reconnecting) => self.failed(call, UNREACHABLE),
            ("logout" | "send", Phase::Out | Phase::In(_)) => self.failed(call, NOBODY),
            ("watch", phase) => {
                let is_connected = *phase == Phase::Connected;
                let users = line["users"].as_array().into_iter().flatten().filter_map(Value::as_str);
                let users: BTreeSet<String> = users.map(str::to_owned).collect();
                for user in users.iter().filter(|_| is_connected) {
                    self.ask(Ask::Subscribe(format!("presence/{user}")));
                }
                self.watched.extend(users);
                self.say(json!({"answered": call, "outcome": "ok"}));
            }
            _ => self.failed(call, UNREACHABLE),
        }
    }

    pub fn heard(&mut self, heard: Heard) -> Vec<Do> {
        match heard {
            Heard::Connecting => self.say(json!({"told": "connecting"})),
            Heard::Accepted => self.accepted(),
            Heard::Failed(failure) => self.not_accepted(&failure),
            Heard::Published(topic, payload) => self.published(&topic, &payload),
            Heard::Answered(call, taken) if self.calls.remove(&call) => {
                if taken {
                    self.say(json!({"answered": call, "outcome": "ok"}));
                } else {
                    self.failed(call, NOT_TAKEN);
                }
            }
            Heard::Answered(..) => {}
            Heard::Lost => {
                self.calls_are_unknown();
                self.phase = Phase::Reconnecting;
            }
            Heard::TakenOver => {
                self.ended(None);
                // Who it was, MQTT does not say.
                self.say(json!({"told": "kicked_offline", "reason": "same_platform"}));
            }
            Heard::Closed => self.ended(None),
            Heard::Left(said) => self.ended(Some(if said { "ok" } else { "unknown" })),
        }
        mem::take(&mut self.to_do)
    }

    fn login(&mut self, call: u64, user: String) {
        self.phase = Phase::In(call);
        self.user.clone_from(&user);
        self.say(json!({"status": "LOGINING", "login_user": null}));
        self.to_do.push(Do::Connect(user));
    }

    fn accepted(&mut self) {
        let login = mem::replace(&mut self.phase, Phase::Connected);
        if let Phase::In(_) = login {
            self.say(json!({"status": "LOGINED", "login_user": self.user}));
        }
        self.say(json!({"told": "connect_success"}));
        if let Phase::In(call) = login {
            self.say(json!({"answered": call, "outcome": "ok"}));
        }
        self.ask(Ask::Subscribe(format!("to/{}", self.user)));
        let topic = format!("presence/{}", self.user);
        self.ask(Ask::Publish { call: None, topic, payload: b"online".to_vec(), retain: true });
        for user in self.watched.clone() {
            self.ask(Ask::Subscribe(format!("presence/{user}")));
        }
    }

    fn not_accepted(&mut self, failure: &Failure) {
        let code = match failure {
            Failure::Unreachable => UNREACHABLE,
            Failure::Refused(code) => *code,
            Failure::TakenOver | Failure::Closed | Failure::Lost => NO_ANSWER,
        };
        let Phase::In(call) = self.phase else { return self.say(json!({"told": "connect_failed", "code": code})) };
        self.logged_out();
        self.say(json!({"told": "connect_failed", "code": code}));
        if code == NO_ANSWER {
            self.say(json!({"answered": call, "outcome": "unknown"}));
        } else {
            self.failed(call, code);
        }
    }

    fn published(&mut self, topic: &str, payload: &[u8]) {
        let Some((kind, user)) = topic.split_once('/') else { return };
        if kind == "to" && user == self.user {
            match serde_json::from_slice::<Value>(payload) {
                Ok(it) => {
                    self.say(json!({"told": "message", "id": it["id"], "from": it["from"], "text": it["text"]}));
                }
                Err(error) => eprintln!("a message on {topic} is no JSON: {error}"),
            }
        // A session may have subscriptions of whoever had it before.
        } else if kind == "presence" && self.watched.contains(user) {
            self.say(json!({"presence": String::from_utf8_lossy(payload), "user": user}));
        }
    }

    /// A session without a connection ends here alone: the server keeps it until it expires.
    fn leave(&mut self, mut leaving: Leaving) {
        if let Phase::Leaving(already) = &mut self.phase {
            already.stop |= leaving.stop;
        } else if self.phase == Phase::Connected {
            self.phase = Phase::Leaving(leaving);
            let topic = format!("presence/{}", self.user);
            self.ask(Ask::Leave { topic, payload: b"offline".to_vec() });
        } else {
            let was_in = self.phase == Phase::Reconnecting;
            if let Phase::In(call) = self.phase {
                leaving.login = None;
                self.say(json!({"answered": call, "outcome": "unknown"}));
            }
            self.to_do.push(Do::LetGo);
            self.phase = Phase::Leaving(leaving);
            if was_in {
                self.ended(Some("unknown"));
            } else {
                self.to_do.push(Do::Exit);
            }
        }
    }

    /// The session is over. `left`: what came of leaving, where that was asked for.
    fn ended(&mut self, left: Option<&str>) {
        let phase = mem::take(&mut self.phase);
        self.logged_out();
        self.calls_are_unknown();
        let Phase::Leaving(leaving) = phase else { return };
        if let Some(call) = leaving.logout {
            self.say(json!({"answered": call, "outcome": left.unwrap_or("unknown")}));
        }
        if leaving.stop {
            self.to_do.push(Do::Exit);
        } else if let Some((call, user)) = leaving.login {
            self.login(call, user);
        }
    }

    fn logged_out(&mut self) {
        self.phase = Phase::Out;
        self.say(json!({"status": "LOGOUT", "login_user": null}));
    }

    fn calls_are_unknown(&mut self) {
        for call in mem::take(&mut self.calls) {
            self.say(json!({"answered": call, "outcome": "unknown"}));
        }
    }

    fn failed(&mut self, call: u64, code: u8) {
        self.say(json!({"answered": call, "code": code}));
    }

    fn say(&mut self, line: Value) {
        self.to_do.push(Do::Say(line));
    }

    fn ask(&mut self, ask: Ask) {
        self.to_do.push(Do::Ask(ask));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(to_do: Vec<Do>) -> Vec<Value> {
        to_do.into_iter().filter_map(|it| if let Do::Say(line) = it { Some(line) } else { None }).collect()
    }

    fn logged_in() -> Device {
        let mut device = Device::default();
        device.line(&json!({"call": 1, "do": "login", "user": "alice"}));
        device.heard(Heard::Accepted);
        device
    }

    fn answer(call: u64, outcome: &str) -> Value {
        json!({"answered": call, "outcome": outcome})
    }

    #[test]
    fn a_takeover_ends_the_session_and_then_the_calls_and_is_told_after_that() {
        let mut device = logged_in();
        device.line(&json!({"call": 2, "do": "send", "to": "bob", "text": "Hello", "id": "1"}));
        assert_eq!(
            said(device.heard(Heard::TakenOver)),
            [
                json!({"status": "LOGOUT", "login_user": null}),
                answer(2, "unknown"),
                json!({"told": "kicked_offline", "reason": "same_platform"}),
            ]
        );
        // What comes late is nobody's.
        assert_eq!(device.heard(Heard::Answered(2, true)), []);
        let refused = device.line(&json!({"call": 3, "do": "send", "to": "bob", "text": "Hello", "id": "2"}));
        assert_eq!(said(refused), [json!({"called": 3}), json!({"answered": 3, "code": NOBODY})]);
    }

    #[test]
    fn a_lost_connection_leaves_the_status_and_its_calls_unknown() {
        let mut device = logged_in();
        device.line(&json!({"call": 2, "do": "send", "to": "bob", "text": "Hello", "id": "1"}));
        assert_eq!(said(device.heard(Heard::Lost)), [answer(2, "unknown")]);
        let refused = device.line(&json!({"call": 3, "do": "send", "to": "bob", "text": "Hello", "id": "2"}));
        assert_eq!(said(refused), [json!({"called": 3}), json!({"answered": 3, "code": UNREACHABLE})]);
        assert_eq!(said(device.heard(Heard::Accepted)), [json!({"told": "connect_success"})]);
    }

    #[test]
    fn a_login_is_refused_for_certain_or_unknown() {
        for (failure, last) in [
            (Failure::Unreachable, json!({"answered": 1, "code": 1})),
            (Failure::Refused(0x87), json!({"answered": 1, "code": 0x87})),
            (Failure::Lost, answer(1, "unknown")),
        ] {
            let mut device = Device::default();
            device.line(&json!({"call": 1, "do": "login", "user": "alice"}));
            assert_eq!(said(device.heard(Heard::Failed(failure))).last(), Some(&last));
            assert_eq!(device.phase, Phase::Out);
        }
    }

    #[test]
    fn a_login_of_somebody_else_waits_for_the_goodbye() {
        let mut device = logged_in();
        let (topic, payload) = ("presence/alice".to_owned(), b"offline".to_vec());
        let switch = device.line(&json!({"call": 2, "do": "login", "user": "bob"}));
        assert_eq!(switch.last(), Some(&Do::Ask(Ask::Leave { topic, payload })));
        assert_eq!(device.heard(Heard::Left(true)).last(), Some(&Do::Connect("bob".to_owned())));
        assert_eq!(said(device.heard(Heard::Accepted)).last(), Some(&answer(2, "ok")));
    }

    #[test]
    fn presence_is_told_of_those_who_are_watched() {
        let mut device = logged_in();
        device.line(&json!({"call": 2, "do": "watch", "users": ["bob"]}));
        let online = |user: &str| Heard::Published(format!("presence/{user}"), b"online".to_vec());
        assert_eq!(said(device.heard(online("bob"))), [json!({"presence": "online", "user": "bob"})]);
        assert_eq!(device.heard(online("carol")), []);
        device.heard(Heard::Lost);
        assert!(device.heard(Heard::Accepted).contains(&Do::Ask(Ask::Subscribe("presence/bob".to_owned()))));
    }

    #[test]
    fn stop_says_goodbye_and_a_session_without_a_connection_cannot() {
        let mut device = logged_in();
        device.line(&json!({"stop": 1}));
        assert_eq!(device.heard(Heard::Left(true)).last(), Some(&Do::Exit));
        let mut device = logged_in();
        device.heard(Heard::Lost);
        let stop = device.line(&json!({"stop": 1}));
        assert_eq!((stop.first(), stop.last()), (Some(&Do::LetGo), Some(&Do::Exit)));
        assert_eq!(Device::default().line(&json!({"stop": 1})).last(), Some(&Do::Exit));
    }
}
