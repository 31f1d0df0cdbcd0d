//! A device whose every call, result, event and status goes into the history: what an application does to be judged.
//!
//! A call is written down before it is made, everything else when it is heard. Nothing is left out, and nothing is added.

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::cable::Cable;
use crate::history::History;
use crate::sdk::{Done, Event, Listener, Sdk, Status};
use crate::wire::Kick;

/// A user looks at a screen for so long, and then goes on.
const PATIENCE: Duration = Duration::from_millis(500);

/// A device with a cable of its own.
pub struct Device {
    name: &'static str,
    platform: &'static str,
    /// The SDK.
    pub sdk: Rc<Sdk>,
    cable: Cable,
    history: Rc<History>,
    events: UnboundedReceiver<Event>,
}

impl Device {
    /// One that has just been switched on.
    ///
    /// # Errors
    ///
    /// When loopback has no port left.
    pub async fn new(
        name: &'static str,
        platform: &'static str,
        server: SocketAddr,
        history: &Rc<History>,
    ) -> io::Result<Device> {
        let cable = Cable::to(server).await?;
        let (sender, events) = unbounded_channel();
        let ears = Ears { name, history: Rc::clone(history), events: sender };
        let sdk = Sdk::new(name, platform, cable.address, Box::new(ears));
        Ok(Device { name, platform, sdk, cable, history: Rc::clone(history), events })
    }

    /// Logs in, and waits for the result.
    pub async fn login(&self, user: &str) {
        let request = json!({ "request": "login", "user": user, "platform": self.platform });
        self.call(request, |done| self.sdk.login(user, done), |()| json!({})).await;
    }

    /// Logs out, and waits for the result.
    pub async fn logout(&self) {
        self.call(json!({ "request": "logout" }), |done| self.sdk.logout(done), |()| json!({})).await;
    }

    /// Sends a message, and waits for the result.
    pub async fn send(&self, to: &str, text: &str) {
        let request = json!({ "request": "send", "to": to, "text": text });
        self.call(request, |done| self.sdk.send(to, text, done), |number| json!({ "message": number })).await;
    }

    async fn call<T: 'static>(&self, request: Value, make: impl FnOnce(Done<T>), result: fn(T) -> Value) {
        let call = self.history.next_call();
        let (sender, answered) = oneshot::channel();
        let (name, history) = (self.name, Rc::clone(&self.history));
        history.write(name, "called", with(request, json!({ "call": call })));
        make(Box::new(move |outcome| {
            let outcome = match outcome {
                Ok(value) => with(result(value), json!({ "outcome": "ok" })),
                Err(refusal) => json!({ "outcome": "failed", "code": refusal as u32 }),
            };
            history.write(name, "answered", with(outcome, json!({ "call": call })));
            let _nobody_waits = sender.send(());
        }));
        let _answered = answered.await;
    }

    /// Waits for such an event, and passes over others. A user does not wait for ever.
    pub async fn hears(&mut self, is_it: impl Fn(&Event) -> bool) {
        let heard = async {
            while let Some(event) = self.events.recv().await {
                if is_it(&event) {
                    return;
                }
            }
        };
        let _in_time = timeout(PATIENCE, heard).await;
    }

    /// Cuts its cable. What it heard before that is past.
    pub fn cut(&mut self) {
        while self.events.try_recv().is_ok() {}
        self.history.write(self.name, "link", json!({ "link": "down" }));
        self.cable.cut();
    }

    /// Mends its cable.
    pub fn mend(&self) {
        self.cable.mend();
        self.history.write(self.name, "link", json!({ "link": "up" }));
    }
}

struct Ears {
    name: &'static str,
    history: Rc<History>,
    events: UnboundedSender<Event>,
}

impl Listener for Ears {
    fn status(&self, status: Status, user: &str) {
        let line = match status {
            Status::Logout => json!({ "status": "LOGOUT" }),
            Status::Logining => json!({ "status": "LOGINING" }),
            Status::Logined => json!({ "status": "LOGINED", "login_user": user }),
        };
        self.history.write(self.name, "status", line);
    }

    fn told(&self, event: Event) {
        let line = match &event {
            Event::Connecting => json!({ "event": "connecting" }),
            Event::Connected => json!({ "event": "connect_success" }),
            Event::ConnectFailed(refusal) => json!({ "event": "connect_failed", "code": *refusal as u32 }),
            Event::Kicked(kick) => with(reason(kick), json!({ "event": "kicked_offline" })),
            Event::Message(message) => json!({
                "event": "message",
                "message": message.number,
                "from": message.from,
                "to": message.to,
                "text": message.text,
            }),
        };
        self.history.write(self.name, "told", line);
        let _nobody_waits = self.events.send(event);
    }
}

fn reason(kick: &Kick) -> Value {
    match kick {
        Kick::SamePlatform(by) => json!({ "reason": "same_platform", "by": by }),
        Kick::OtherPlatform(by) => json!({ "reason": "other_platform", "by": by }),
        Kick::Gone => json!({ "reason": "gone" }),
    }
}

/// Both objects' fields in one.
fn with(mut one: Value, mut other: Value) -> Value {
    if let (Some(one), Some(other)) = (one.as_object_mut(), other.as_object_mut()) {
        one.append(other);
    }
    one
}
