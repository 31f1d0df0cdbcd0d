//! A device: the conductor's calls, a session, and what it tells of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::{Instant, sleep};
use tokio_xmpp::minidom::Element;
use tokio_xmpp::parsers::ns;

use crate::link::{self, Came, DOMAIN, Failure, Order, element, goodbye, iq};
use crate::managed::Managed;
use crate::{Input, Options};

const CALL: Duration = Duration::from_secs(5);
const GOODBYE: Duration = Duration::from_secs(2);
/// Between two attempts, at first and at most.
const BACK_OFF: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(1)];
/// From being bound until the server has said of every contact that is there that it is.
const LISTED: Duration = Duration::from_secs(1);

struct Login {
    call: u64,
    deadline: Instant,
    /// Whether the server may have given this device a session.
    asked: Arc<AtomicBool>,
}

pub struct Device {
    options: Options,
    into: UnboundedSender<Input>,
    server: String,
    resource: String,
    /// Whoever is logged in or about to be.
    user: Option<String>,
    login: Option<Login>,
    logout: Option<u64>,
    managed: Option<Managed>,
    /// Counts attempts to come in. What comes of an earlier one is passed over.
    link: u64,
    out: Option<UnboundedSender<Element>>,
    is_dialling: bool,
    back_off: Duration,
    /// Messages without an answer by their call.
    sent: BTreeMap<u64, String>,
    /// What was last shown of whom.
    watched: BTreeMap<String, Option<bool>>,
    available: BTreeMap<String, BTreeSet<String>>,
    is_stopping: bool,
}

impl Device {
    pub fn new(options: Options, into: UnboundedSender<Input>) -> Device {
        Device {
            options,
            into,
            server: String::new(),
            resource: String::new(),
            user: None,
            login: None,
            logout: None,
            managed: None,
            link: 0,
            out: None,
            is_dialling: false,
            back_off: BACK_OFF[0],
            sent: BTreeMap::new(),
            watched: BTreeMap::new(),
            available: BTreeMap::new(),
            is_stopping: false,
        }
    }

    /// Whether to go on.
    pub fn take(&mut self, input: Input) -> bool {
        match input {
            Input::End => return false,
            Input::Line(line) => self.line(&serde_json::from_str(&line).unwrap_or(Value::Null)),
            Input::Came(link, result) if link == self.link => {
                self.is_dialling = false;
                match result {
                    Ok((stream, came)) => self.came(stream, came),
                    Err(failure) => self.failed(&failure),
                }
            }
            Input::Element(link, element) if link == self.link => self.element(&element),
            Input::Silence(link) if link == self.link => self.probe(),
            Input::Closed(link) if link == self.link => self.end(true),
            Input::Lost(link) if link == self.link => self.lost(),
            Input::Retry(link) if link == self.link => self.dial(),
            Input::Listed(link) if link == self.link => self.listed(),
            Input::Late(call) if self.logout == Some(call) => self.end(false),
            Input::Late(call) if self.sent.remove(&call).is_some() => answer(call, json!({"outcome": "unknown"})),
            _ => {}
        }
        !self.is_stopping || self.user.is_some()
    }

    fn line(&mut self, line: &Value) {
        let text = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
        let call = line["call"].as_u64().unwrap_or(0);
        if !line["hello"].is_null() {
            self.server = text("server");
            self.resource = self.options.resource.clone().unwrap_or_else(|| text("platform"));
            let mut can = vec!["login", "logout", "send", "watch"];
            can.extend(self.options.managed.then_some("network_changed"));
            say(json!({"ready": 1, "can": can, "version": "tokio-xmpp 6.0"}));
        } else if !line["stop"].is_null() {
            self.is_stopping = true;
            self.leave(0);
        } else if line["note"] == "woken" {
            if self.out.is_some() { self.probe() } else { self.dial() }
        } else if line["note"] == "network_changed" {
            if self.out.is_some() {
                self.lost();
                self.dial();
            }
        } else {
            match line["do"].as_str() {
                Some("login") if self.user.is_some() => answer(call, json!({"code": 7501})),
                Some("login") => self.log_in(call, text("user")),
                Some("logout" | "send" | "watch") if self.user.is_none() || self.login.is_some() => {
                    answer(call, json!({"code": 6014}));
                }
                Some("logout") => self.leave(call),
                Some("send") => self.send(call, &text("to"), &text("text"), text("id")),
                Some("watch") => {
                    let users = line["users"].as_array().into_iter().flatten().filter_map(Value::as_str);
                    self.watched.extend(users.map(|user| (user.to_owned(), None)));
                    answer(call, json!({"outcome": "ok"}));
                    self.show(|_, is_there| is_there);
                    self.later(LISTED, Input::Listed(self.link));
                }
                _ if line["call"].is_null() => eprintln!("not understood: {line}"),
                _ => answer(call, json!({"code": 1})),
            }
        }
    }

    fn log_in(&mut self, call: u64, user: String) {
        self.user = Some(user);
        self.login = Some(Login { call, deadline: Instant::now() + CALL, asked: Arc::default() });
        status("LOGINING", None);
        self.dial();
    }

    /// Ends the session in good order: says that it is over, and waits until the server says so too.
    fn leave(&mut self, call: u64) {
        if self.out.is_none() {
            self.logout = Some(call);
            return self.end(false);
        }
        self.stanza(element("presence", ns::JABBER_CLIENT, &[("type", "unavailable")]).build(), None);
        self.raw(goodbye());
        self.logout = Some(call);
        self.later(GOODBYE, Input::Late(call));
    }

    fn send(&mut self, call: u64, to: &str, text: &str, id: String) {
        if self.out.is_none() {
            return answer(call, json!({"code": 9508}));
        }
        let to = format!("{to}@{DOMAIN}");
        let message = element("message", ns::JABBER_CLIENT, &[("type", "chat"), ("to", &to), ("id", &id)]);
        let body = Element::builder("body", ns::JABBER_CLIENT).append(text).build();
        self.sent.insert(call, id);
        self.stanza(message.append(body).build(), Some(call));
        match self.managed {
            Some(_) => self.raw(element("r", ns::SM, &[]).build()),
            // What a server gets it handles in its order (RFC 6120, 10.1).
            None => self.raw(iq("get", &format!("sent-{call}"), Element::bare("ping", ns::PING))),
        }
        self.later(CALL, Input::Late(call));
    }

    fn dial(&mut self) {
        let Some(user) = self.user.clone().filter(|_| self.out.is_none() && !self.is_dialling) else { return };
        self.link += 1;
        self.is_dialling = true;
        say(json!({"told": "connecting"}));
        let (link, into) = (self.link, self.into.clone());
        let order = Order {
            server: self.server.clone(),
            user,
            password: self.options.password.clone(),
            resource: self.resource.clone(),
            heartbeat: self.options.heartbeat,
            managed: self.options.managed,
            resume: self.managed.as_ref().map(|managed| (managed.id.clone(), managed.handled)),
            rebind: self.options.rebind,
            deadline: self.login.as_ref().map_or_else(|| Instant::now() + CALL, |login| login.deadline),
            asked: self.login.as_ref().map(|login| login.asked.clone()).unwrap_or_default(),
        };
        tokio::spawn(async move { into.send(Input::Came(link, link::come(order).await)) });
    }

    fn came(&mut self, stream: link::Stream, came: Came) {
        self.out = Some(link::run(stream, self.link, self.into.clone()));
        self.back_off = BACK_OFF[0];
        if let Some(login) = self.login.take() {
            status("LOGINED", self.user.as_deref());
            say(json!({"told": "connect_success"}));
            answer(login.call, json!({"outcome": "ok"}));
        } else {
            say(json!({"told": "connect_success"}));
        }
        match came {
            Came::Resumed(h) => {
                self.acknowledged(h);
                let again: Vec<Element> = self.managed.iter().flat_map(Managed::unacknowledged).cloned().collect();
                again.into_iter().for_each(|stanza| self.raw(stanza));
                self.probe();
            }
            Came::Bound(id, handled) => {
                handled.into_iter().for_each(|h| self.acknowledged(h));
                self.forget_sent();
                self.managed = id.map(Managed::new);
                self.available.clear();
                self.stanza(Element::bare("presence", ns::JABBER_CLIENT), None);
                self.later(LISTED, Input::Listed(self.link));
            }
        }
    }

    fn failed(&mut self, failure: &Failure) {
        let asked = self.login.as_ref().is_some_and(|login| login.asked.load(Ordering::SeqCst));
        let code = match failure {
            Failure::NoLink(_) if asked => 9520,
            Failure::NoLink(code) | Failure::Refused(code) => *code,
            Failure::Gone => return self.kicked("gone"),
        };
        let is_over = matches!(failure, Failure::Refused(_)) || asked;
        match self.login.take_if(|login| is_over || login.deadline <= Instant::now() + self.back_off) {
            Some(login) => {
                self.end(false);
                say(json!({"told": "connect_failed", "code": code}));
                let is_unknown = matches!(failure, Failure::NoLink(_)) && asked;
                answer(login.call, json!({"code": code, "definite": !is_unknown}));
            }
            // A login is refused as the newcomer: whoever comes back as one has lost its seat.
            None if is_over && code == 409 => self.kicked("gone"),
            None => {
                say(json!({"told": "connect_failed", "code": code}));
                self.later(self.back_off, Input::Retry(self.link));
                self.back_off = (self.back_off * 2).min(BACK_OFF[1]);
            }
        }
    }

    fn lost(&mut self) {
        self.out = None;
        self.link += 1;
        if self.managed.is_none() || self.logout.is_some() {
            return self.end(false);
        }
        self.later(self.back_off, Input::Retry(self.link));
    }

    fn kicked(&mut self, reason: &str) {
        say(json!({"told": "kicked_offline", "reason": reason}));
        self.end(false);
    }

    /// The session is over here, and nothing brings it back.
    fn end(&mut self, in_order: bool) {
        self.out = None;
        self.link += 1;
        self.is_dialling = false;
        self.managed = None;
        self.user = None;
        self.back_off = BACK_OFF[0];
        self.forget_sent();
        self.watched.clear();
        self.available.clear();
        status("LOGOUT", None);
        if let Some(call) = self.logout.take().filter(|_| !self.is_stopping) {
            answer(call, json!({"outcome": if in_order { "ok" } else { "unknown" }}));
        }
    }

    fn element(&mut self, it: &Element) {
        if it.is("r", ns::SM) {
            let handled = self.managed.as_ref().map_or(0, |managed| managed.handled);
            self.raw(element("a", ns::SM, &[("h", &handled.to_string())]).build());
        } else if it.is("a", ns::SM) {
            it.attr("h").and_then(|h| h.parse().ok()).into_iter().for_each(|h| self.acknowledged(h));
        } else if it.is("error", ns::STREAM) {
            eprintln!("stream error: {}", String::from(it));
            // Whatever follows belongs to it, the end of the stream too.
            if it.has_child("conflict", ns::XMPP_STREAMS) { self.kicked("same_platform") } else { self.lost() }
        } else if ["iq", "message", "presence"].contains(&it.name()) {
            self.managed.iter_mut().for_each(|managed| managed.handled = managed.handled.wrapping_add(1));
            match it.name() {
                "iq" => self.iq(it),
                "message" => self.message(it),
                _ => self.presence(it),
            }
        }
    }

    fn iq(&mut self, it: &Element) {
        let id = it.attr("id").unwrap_or_default();
        match it.attr("type") {
            Some("get" | "set") => {
                let mut with = vec![("type", "result"), ("id", id)];
                with.extend(it.attr("from").map(|from| ("to", from)));
                self.stanza(element("iq", ns::JABBER_CLIENT, &with).build(), None);
            }
            _ => {
                if let Some(call) = id.strip_prefix("sent-").and_then(|call| call.parse().ok()) {
                    self.is_done(call);
                }
            }
        }
    }

    fn message(&mut self, it: &Element) {
        let id = it.attr("id").unwrap_or_default();
        if it.attr("type") == Some("error") {
            let call = self.sent.iter().find_map(|(call, of)| (of == id).then_some(*call));
            if let Some(call) = call.filter(|call| self.sent.remove(call).is_some()) {
                answer(call, json!({"code": 70107}));
            }
        } else if let Some(body) = it.get_child("body", ns::JABBER_CLIENT) {
            let (from, _) = parts(it.attr("from").unwrap_or_default());
            say(json!({"told": "message", "id": id, "from": from, "text": body.text()}));
        }
    }

    fn presence(&mut self, it: &Element) {
        let (user, resource) = parts(it.attr("from").unwrap_or_default());
        let there = self.available.entry(user.to_owned()).or_default();
        match it.attr("type") {
            None => drop(there.insert(resource.to_owned())),
            Some("unavailable") if resource.is_empty() => there.clear(),
            Some("unavailable") => drop(there.remove(resource)),
            _ => return,
        }
        self.show(|of, is_there| is_there || of == user);
    }

    /// The server has had the time to say who is there: of whom it said nothing, nobody is.
    fn listed(&mut self) {
        if self.out.is_some() {
            self.show(|_, _| true);
        }
    }

    /// Tells what is shown of those whom it concerns, where that is new.
    fn show(&mut self, concerns: impl Fn(&str, bool) -> bool) {
        for (user, shown) in &mut self.watched {
            let is_there = self.available.get(user).is_some_and(|there| !there.is_empty());
            if concerns(user, is_there) && *shown != Some(is_there) {
                *shown = Some(is_there);
                say(json!({"presence": if is_there { "online" } else { "offline" }, "user": user}));
            }
        }
    }

    fn acknowledged(&mut self, h: u32) {
        let done = self.managed.as_mut().map(|managed| managed.acknowledge(h)).unwrap_or_default();
        done.into_iter().for_each(|call| self.is_done(call));
    }

    fn is_done(&mut self, call: u64) {
        if self.sent.remove(&call).is_some() {
            answer(call, json!({"outcome": "ok"}));
        }
    }

    /// What is not answered by now never will be.
    fn forget_sent(&mut self) {
        std::mem::take(&mut self.sent).into_keys().for_each(|call| answer(call, json!({"outcome": "unknown"})));
    }

    /// Asks the server whether it is there. Without an answer the link is lost.
    fn probe(&mut self) {
        match self.managed {
            Some(_) => self.raw(element("r", ns::SM, &[]).build()),
            None => self.raw(iq("get", "probe", Element::bare("ping", ns::PING))),
        }
    }

    fn stanza(&mut self, stanza: Element, call: Option<u64>) {
        self.managed.iter_mut().for_each(|managed| managed.sends(&stanza, call));
        self.raw(stanza);
    }

    fn raw(&self, element: Element) {
        // Without a link it is lost as on a link that nobody knows to be lost yet.
        let _ = self.out.as_ref().map(|out| out.send(element));
    }

    fn later(&self, after: Duration, input: Input) {
        let into = self.into.clone();
        tokio::spawn(async move {
            sleep(after).await;
            into.send(input)
        });
    }
}

/// User and resource of an address.
fn parts(address: &str) -> (&str, &str) {
    let (bare, resource) = address.split_once('/').unwrap_or((address, ""));
    (bare.split_once('@').map_or(bare, |(user, _)| user), resource)
}

fn status(status: &str, user: Option<&str>) {
    say(json!({"status": status, "login_user": user}));
}

fn answer(call: u64, mut with: Value) {
    with["answered"] = call.into();
    say(with);
}

fn say(line: Value) {
    println!("{line}");
}
