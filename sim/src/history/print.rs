//! An event of a history as its line.

use gatecrash::client::Status;
use serde_json::{Map, Value};

use super::event::{Event, Identity, Item, Known, Outcome, Request, Told, User, What};
use super::read::Cast;

/// The line of an event, without a line's end; of a result, with what it has brought ahead of it. What is known of a text, a ticket or an id only by its sum is written as
/// a text that has the same use: it is the same where that was the same.
pub fn line(cast: &Cast, ahead: &[Event], event: &Event) -> String {
    let mut map = Map::new();
    let mut line = Line { cast, map: &mut map };
    if event.to > event.from {
        line.put("until_us", event.to);
    }
    let word = line.what(&event.what);
    line.brought(ahead);
    let rest = Value::Object(map).to_string();
    let actor = Value::from(cast.actors.name(event.actor.0));
    let comma = if rest.len() > 2 { "," } else { "" };
    format!("{{\"at_us\":{},\"actor\":{actor},\"what\":\"{word}\"{comma}{}", event.from, &rest[1..])
}

struct Line<'a> {
    cast: &'a Cast,
    map: &'a mut Map<String, Value>,
}

impl Line<'_> {
    fn put(&mut self, field: &str, value: impl Into<Value>) {
        self.map.insert(field.to_owned(), value.into());
    }

    fn user(&mut self, field: &str, user: Option<User>) {
        if let Some(user) = user {
            self.put(field, self.cast.users.name(user.0));
        }
    }

    fn known(&mut self, field: &str, known: Option<Known>) {
        match known {
            Some(Known(number)) if number >> 63 == 0 => self.put(field, number),
            Some(Known(sum)) => self.put(field, format!("#{sum:x}")),
            None => {}
        }
    }

    fn text(&mut self, field: &str, known: Option<Known>) {
        if let Some(Known(sum)) = known {
            self.put(field, format!("#{sum:x}"));
        }
    }

    fn code(&mut self, code: Option<u32>) {
        if let Some(code) = code {
            self.put("code", code);
        }
    }

    fn what(&mut self, what: &What) -> &'static str {
        match *what {
            What::Called { call, request } => {
                self.known("call", Some(Known(call)));
                self.put("request", request.kind().word());
                self.request(&request);
                "called"
            }
            // It is a part of its result's line.
            What::Brings { call, .. } => {
                self.known("call", Some(Known(call)));
                "answered"
            }
            What::Answered { call, kind, outcome } => {
                self.known("call", Some(Known(call)));
                if let Some(kind) = kind {
                    self.put("kind", kind.word());
                }
                let word = match outcome {
                    Outcome::Done { message } => {
                        self.known("message", message);
                        "ok"
                    }
                    Outcome::Failed { code } => {
                        self.code(code);
                        "failed"
                    }
                    Outcome::Unknown => "unknown",
                };
                self.put("outcome", word);
                "answered"
            }
            What::UninitReturned => "uninit_returned",
            What::NetworkChanged => "network_changed",
            What::Told { event, user, epoch } => {
                let word = self.told(&event);
                self.put("event", word);
                self.user("user", user);
                if let Some(epoch) = epoch {
                    self.put("epoch", epoch);
                }
                "told"
            }
            What::Status { status, login_user, is_said, sampled } => {
                self.put("status", status.word());
                self.user("login_user", login_user);
                if login_user.is_none() && is_said && status == Status::Logined {
                    self.put("login_user", Value::Null);
                }
                if sampled {
                    self.put("sampled", true);
                }
                "status"
            }
            What::Process(process) => {
                self.put("process", process.word());
                "process"
            }
            What::Link { up } => {
                self.put("link", if up { "up" } else { "down" });
                "link"
            }
            What::Identity(Identity::New) => "new_device",
            What::Identity(Identity::CopyOf(device)) => {
                self.put("device", self.cast.actors.name(device.0));
                "known_as"
            }
            What::Ticket { ticket, user, issued, ttl } => {
                self.text("ticket", Some(ticket));
                self.user("user", user);
                self.put("issued", issued);
                self.put("ttl", ttl);
                "ticket_made"
            }
            What::Presence { user, sequence, presence } => {
                self.user("user", Some(user));
                if let Some(sequence) = sequence {
                    self.put("sequence", sequence);
                }
                self.put("presence", presence.word());
                "presence"
            }
            What::PolicyChanged { to } => {
                let fields = to.map(|to| serde_json::from_str::<Map<String, Value>>(self.cast.policies.name(to.0)));
                self.map.extend(fields.into_iter().flatten().flatten());
                "configured"
            }
            What::End { settled } => {
                self.put("settled", settled);
                "end"
            }
        }
    }

    fn brought(&mut self, ahead: &[Event]) {
        let (mut conversations, mut report) = (Vec::new(), Vec::new());
        for event in ahead {
            let What::Brings { item, .. } = event.what else { continue };
            let mut map = Map::new();
            let mut part = Line { cast: self.cast, map: &mut map };
            match item {
                // Of a text that is written by its sum no beginning is known.
                Item::Conversation { peer, last, .. } => {
                    part.user("peer", Some(peer));
                    part.known("last", last);
                    conversations.push(Value::Object(map));
                }
                Item::Standing { user, presence } => {
                    part.user("user", Some(user));
                    part.put("presence", presence.map(|presence| presence.word()));
                    report.push(Value::Object(map));
                }
            }
        }
        for (field, items) in [("conversations", conversations), ("report", report)] {
            if !items.is_empty() {
                self.put(field, items);
            }
        }
    }

    fn request(&mut self, request: &Request) {
        match *request {
            Request::Init { platform } => self.platform(platform),
            Request::Login { user, platform, ticket } => {
                self.user("user", Some(user));
                self.platform(platform);
                self.text("ticket", ticket);
            }
            Request::Send { to, text, id, .. } => {
                self.user("to", Some(to));
                self.text("text", text);
                self.known("id", id);
            }
            Request::Kick { user } => self.user("user", Some(user)),
            Request::Uninit | Request::Logout | Request::Conversations | Request::Query => {}
        }
    }

    fn platform(&mut self, platform: Option<super::event::Platform>) {
        if let Some(platform) = platform {
            self.put("platform", self.cast.platforms.name(platform.0));
        }
    }

    fn told(&mut self, event: &Told) -> &'static str {
        match *event {
            Told::Connecting => "connecting",
            Told::ConnectSuccess => "connect_success",
            Told::ConnectFailed { code } => {
                self.code(code);
                "connect_failed"
            }
            Told::KickedOffline { by, reason } => {
                if let Some(by) = by {
                    self.put("by", self.cast.actors.name(by.0));
                }
                if let Some(reason) = reason {
                    self.put("reason", reason.word());
                }
                "kicked_offline"
            }
            Told::UserSigExpired => "user_sig_expired",
            Told::Message { message, from, to, text } => {
                self.known("message", message);
                self.user("from", from);
                self.user("to", to);
                self.text("text", text);
                "message"
            }
            Told::MessagesDropped => "messages_dropped",
        }
    }
}
