//! A device: the conductor's calls, a session, and what it tells of it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::{Instant, sleep};
use tokio_xmpp::minidom::Element;
use tokio_xmpp::parsers::ns;

use crate::link::{self, Came, DOMAIN, Order, Said, UNKNOWN, element, iq};
use crate::{Input, Options};

const CALL: Duration = Duration::from_secs(5);
const GOODBYE: Duration = Duration::from_secs(2);
/// From being bound until the server has said of everybody who is there.
const LISTED: Duration = Duration::from_secs(1);

pub struct Device {
    options: Options,
    into: UnboundedSender<Input>,
    server: String,
    resource: String,
    /// Counts attempts and the links that are over.
    link: u64,
    is_stopping: bool,
    session: Option<Session>,
}

/// From the call of a login until the end.
#[derive(Default)]
struct Session {
    user: String,
    /// The login that is not answered, and its time.
    login: Option<(u64, Instant)>,
    /// Whether the server may know of this session.
    asked: Arc<AtomicBool>,
    logout: Option<u64>,
    managed: Option<Managed>,
    out: Option<UnboundedSender<Element>>,
    is_dialling: bool,
    failures: u32,
    /// Messages without an answer, by their call.
    sent: BTreeMap<u64, String>,
    /// What was last shown of whom.
    watched: BTreeMap<String, Option<bool>>,
    available: BTreeMap<String, BTreeSet<String>>,
}

/// What XEP-0198 has a device remember.
struct Managed {
    id: String,
    /// Of the server's stanzas, modulo 2³².
    handled: u32,
    acknowledged: u32,
    unacknowledged: VecDeque<(Element, Option<u64>)>,
}

impl Device {
    pub fn new(options: Options, into: UnboundedSender<Input>) -> Device {
        let (server, resource) = (String::new(), String::new());
        Device { options, into, server, resource, link: 0, is_stopping: false, session: None }
    }

    pub fn is_done(&self) -> bool {
        self.is_stopping && self.session.is_none()
    }

    pub fn take(&mut self, input: Input) {
        if let Input::Line(line) = &input {
            return self.line(&serde_json::from_str(line).unwrap_or_default());
        }
        let Some(mut session) = self.session.take() else { return };
        // Whoever takes the session and does not give it back has ended it.
        let goes_on = match input {
            Input::Link(link, said) if link == self.link => match said {
                Said::Came(Ok((stream, came))) => {
                    session.out = Some(link::run(stream, link, self.into.clone()));
                    session.came(came);
                    self.later(LISTED, Input::Listed(link));
                    true
                }
                Said::Came(Err(code)) => self.failed(&mut session, code),
                Said::Element(element) => self.element(&mut session, &element),
                Said::Silence => session.probe(),
                Said::Closed => session.ended(None, true),
                Said::Lost => self.lost(&mut session),
            },
            Input::Retry(link) if link == self.link => self.dial(&mut session),
            Input::Listed(link) if link == self.link => session.show(|_, _| true),
            Input::Late(call) if session.logout == Some(call) => session.ended(None, false),
            Input::Late(call) if session.sent.remove(&call).is_some() => answer(call, json!({"outcome": "unknown"})),
            _ => true,
        };
        match goes_on {
            true => self.session = Some(session),
            false => self.link += 1,
        }
    }

    fn line(&mut self, line: &Value) {
        let text = |name: &str| line[name].as_str().unwrap_or_default();
        let call = line["call"].as_u64().unwrap_or(0);
        if line["call"].is_u64() {
            say(json!({"called": call}));
        }
        self.is_stopping |= !line["stop"].is_null();
        let Some(mut session) = self.session.take() else {
            if !line["hello"].is_null() {
                self.server = text("server").into();
                self.resource = self.options.resource.clone().unwrap_or_else(|| text("platform").into());
                let moves = self.options.managed.then_some("network_changed");
                let can: Vec<_> = ["called", "login", "logout", "send", "watch"].into_iter().chain(moves).collect();
                say(json!({"ready": 1, "can": can, "version": "tokio-xmpp 6.0"}));
            } else if text("do") == "login" {
                let login = Some((call, Instant::now() + CALL));
                let mut session = Session { user: text("user").into(), login, ..Session::default() };
                say(json!({"status": "LOGINING", "login_user": null}));
                self.dial(&mut session);
                self.session = Some(session);
            } else if !line["call"].is_null() {
                answer(call, json!({"code": if text("do").is_empty() { 1 } else { 6014 }}));
            }
            return;
        };
        let is_in = session.login.is_none();
        let goes_on = match (text("do"), text("note")) {
            _ if self.is_stopping => self.leave(&mut session, call),
            ("logout", _) if is_in => self.leave(&mut session, call),
            ("send", _) if is_in => {
                self.later(CALL, Input::Late(call));
                session.send(call, text("to"), text("text"), text("id"))
            }
            ("watch", _) if is_in => {
                let users = line["users"].as_array().into_iter().flatten().filter_map(Value::as_str);
                session.watched.extend(users.map(|user| (user.to_owned(), None)));
                self.later(LISTED, Input::Listed(self.link));
                answer(call, json!({"outcome": "ok"}));
                session.show(|_, is_there| is_there)
            }
            ("login", _) => answer(call, json!({"code": 7501})),
            ("logout" | "send" | "watch", _) => answer(call, json!({"code": 6014})),
            (_, "woken") if session.out.is_some() => session.probe(),
            (_, "woken") => self.dial(&mut session),
            (_, "network_changed") if session.out.is_some() => self.lost(&mut session) && self.dial(&mut session),
            _ => line["call"].is_null() || answer(call, json!({"code": 1})),
        };
        self.session = goes_on.then_some(session);
    }

    /// Says that it is over, and waits until the server says so too.
    fn leave(&mut self, session: &mut Session, call: u64) -> bool {
        session.logout = Some(call);
        if session.out.is_none() {
            return session.ended(None, false);
        }
        session.stanza(element("presence", ns::JABBER_CLIENT, &[("type", "unavailable")]).build(), None);
        session.put(Element::bare("goodbye", ns::STREAM));
        self.later(GOODBYE, Input::Late(call));
        true
    }

    fn dial(&mut self, session: &mut Session) -> bool {
        if session.out.is_some() || session.is_dialling {
            return true;
        }
        say(json!({"told": "connecting"}));
        session.is_dialling = true;
        self.link += 1;
        let (link, into) = (self.link, self.into.clone());
        let order = Order {
            server: self.server.clone(),
            user: session.user.clone(),
            resource: self.resource.clone(),
            options: self.options.clone(),
            resume: session.managed.as_ref().map(|managed| (managed.id.clone(), managed.handled)),
            deadline: session.login.map_or_else(|| Instant::now() + CALL, |(_, deadline)| deadline),
            asked: session.asked.clone(),
        };
        tokio::spawn(async move { into.send(Input::Link(link, Said::Came(link::come(order).await))) });
        true
    }

    fn failed(&mut self, session: &mut Session, code: u32) -> bool {
        session.is_dialling = false;
        let is_no = code < 1000;
        let is_asked = session.asked.load(Ordering::SeqCst);
        let delay = Duration::from_millis((100 << session.failures.min(4)).min(1000));
        if let Some((call, _)) = session.login.take_if(|(_, end)| is_no || is_asked || *end <= Instant::now() + delay) {
            let code = if is_asked && !is_no { UNKNOWN } else { code };
            session.ended(Some(json!({"told": "connect_failed", "code": code})), false);
            answer(call, json!({"code": code, "definite": code != UNKNOWN}));
            return false;
        }
        if is_no {
            // It is not known to have been displaced: it may have been away for too long, or the server begun anew.
            return session.ended(Some(json!({"told": "connect_failed", "code": code})), false);
        }
        say(json!({"told": "connect_failed", "code": code}));
        session.failures += 1;
        self.later(delay, Input::Retry(self.link));
        true
    }

    fn lost(&mut self, session: &mut Session) -> bool {
        session.out = None;
        self.link += 1;
        if session.managed.is_none() || session.logout.is_some() {
            return session.ended(None, false);
        }
        self.later(Duration::from_millis(100), Input::Retry(self.link));
        true
    }

    fn element(&mut self, session: &mut Session, it: &Element) -> bool {
        let h = it.attr("h").and_then(|h| h.parse().ok());
        match it.name() {
            "r" => session.put(element("a", ns::SM, &[("h", &session.handled().to_string())]).build()),
            "a" => session.acknowledged(h),
            "error" if it.has_child("conflict", ns::XMPP_STREAMS) => {
                session.ended(Some(json!({"told": "kicked_offline", "reason": "same_platform"})), false)
            }
            "error" => {
                eprintln!("{}", String::from(it));
                self.lost(session)
            }
            "iq" => session.handles(Session::iq, it),
            "message" => session.handles(Session::message, it),
            "presence" => session.handles(Session::presence, it),
            _ => true,
        }
    }

    fn later(&self, after: Duration, input: Input) {
        let into = self.into.clone();
        tokio::spawn(async move {
            sleep(after).await;
            into.send(input)
        });
    }
}

/// Each says whether the session goes on.
impl Session {
    fn came(&mut self, came: Came) {
        (self.is_dialling, self.failures) = (false, 0);
        let login = self.login.take();
        if login.is_some() {
            say(json!({"status": "LOGINED", "login_user": self.user}));
        }
        say(json!({"told": "connect_success"}));
        login.map(|(call, _)| answer(call, json!({"outcome": "ok"})));
        match came {
            Came::Resumed(h) => {
                self.acknowledged(Some(h));
                for (stanza, _) in self.managed.iter().flat_map(|managed| &managed.unacknowledged) {
                    self.put(stanza.clone());
                }
                self.probe();
            }
            Came::Bound(id, handled) => {
                self.acknowledged(handled);
                self.forget();
                let new = |id| Managed { id, handled: 0, acknowledged: 0, unacknowledged: VecDeque::new() };
                self.managed = id.map(new);
                self.available.clear();
                self.stanza(Element::bare("presence", ns::JABBER_CLIENT), None);
            }
        }
    }

    fn send(&mut self, call: u64, to: &str, text: &str, id: &str) -> bool {
        if self.out.is_none() {
            return answer(call, json!({"code": 9508}));
        }
        let to = format!("{to}@{DOMAIN}");
        let message = element("message", ns::JABBER_CLIENT, &[("type", "chat"), ("to", &to), ("id", id)]);
        let body = Element::builder("body", ns::JABBER_CLIENT).append(text).build();
        self.sent.insert(call, id.to_owned());
        self.stanza(message.append(body).build(), Some(call));
        match self.managed {
            Some(_) => self.probe(),
            // What a server gets it handles in its order (RFC 6120, 10.1).
            None => self.put(iq(&format!("sent-{call}"), "get", Element::bare("ping", ns::PING))),
        }
    }

    /// Asks the server whether it is there. Without an answer the link is lost.
    fn probe(&mut self) -> bool {
        self.put(match self.managed {
            Some(_) => Element::bare("r", ns::SM),
            None => iq("probe", "get", Element::bare("ping", ns::PING)),
        })
    }

    fn ended(&mut self, told: Option<Value>, in_order: bool) -> bool {
        self.forget();
        let is_kick = told.as_ref().is_some_and(|told| told["told"] == "kicked_offline");
        let status = json!({"status": "LOGOUT", "login_user": null});
        let lines = if is_kick { [told, Some(status)] } else { [Some(status), told] };
        lines.into_iter().flatten().for_each(say);
        let outcome = if in_order { "ok" } else { "unknown" };
        self.logout.take().filter(|call| *call > 0).map(|call| answer(call, json!({"outcome": outcome})));
        false
    }

    fn handled(&self) -> u32 {
        self.managed.as_ref().map_or(0, |managed| managed.handled)
    }

    fn handles(&mut self, how: fn(&mut Session, &Element), stanza: &Element) -> bool {
        self.managed.iter_mut().for_each(|managed| managed.handled = managed.handled.wrapping_add(1));
        how(self, stanza);
        true
    }

    fn iq(&mut self, it: &Element) {
        let id = it.attr("id").unwrap_or_default();
        if let Some("get" | "set") = it.attr("type") {
            let to = it.attr("from").map(|from| ("to", from));
            let with: Vec<_> = [("type", "result"), ("id", id)].into_iter().chain(to).collect();
            self.stanza(element("iq", ns::JABBER_CLIENT, &with).build(), None);
        } else if let Some(call) = id.strip_prefix("sent-").and_then(|call| call.parse().ok()) {
            self.done([call]);
        }
    }

    fn message(&mut self, it: &Element) {
        let id = it.attr("id").unwrap_or_default();
        if it.attr("type") == Some("error") {
            for (call, _) in self.sent.extract_if(.., |_, of| of == id) {
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

    /// Tells what is shown of those whom it concerns, where that is new. Who was not heard of is not there.
    fn show(&mut self, concerns: impl Fn(&str, bool) -> bool) -> bool {
        for (user, shown) in self.watched.iter_mut().filter(|_| self.out.is_some()) {
            let is_there = self.available.get(user).is_some_and(|there| !there.is_empty());
            if concerns(user, is_there) && *shown != Some(is_there) {
                *shown = Some(is_there);
                say(json!({"presence": if is_there { "online" } else { "offline" }, "user": user}));
            }
        }
        true
    }

    fn acknowledged(&mut self, h: Option<u32>) -> bool {
        if let Some((managed, h)) = self.managed.as_mut().zip(h) {
            let more = (h.wrapping_sub(managed.acknowledged) as usize).min(managed.unacknowledged.len());
            managed.acknowledged = h;
            let done: Vec<u64> = managed.unacknowledged.drain(..more).filter_map(|(_, call)| call).collect();
            self.done(done);
        }
        true
    }

    fn done(&mut self, calls: impl IntoIterator<Item = u64>) {
        for call in calls.into_iter().filter(|call| self.sent.remove(call).is_some()) {
            answer(call, json!({"outcome": "ok"}));
        }
    }

    /// What is not answered by now never will be.
    fn forget(&mut self) {
        for (call, _) in std::mem::take(&mut self.sent) {
            answer(call, json!({"outcome": "unknown"}));
        }
    }

    fn stanza(&mut self, stanza: Element, call: Option<u64>) {
        self.managed.iter_mut().for_each(|managed| managed.unacknowledged.push_back((stanza.clone(), call)));
        self.put(stanza);
    }

    /// Without a link it is lost as on one that nobody knows to be lost yet.
    fn put(&self, element: Element) -> bool {
        let _ = self.out.as_ref().map(|out| out.send(element));
        true
    }
}

/// User and resource of an address.
fn parts(address: &str) -> (&str, &str) {
    let (bare, resource) = address.split_once('/').unwrap_or((address, ""));
    (bare.split_once('@').map_or(bare, |(user, _)| user), resource)
}

fn answer(call: u64, mut with: Value) -> bool {
    with["answered"] = call.into();
    say(with);
    true
}

fn say(line: Value) {
    println!("{line}");
}
