//! What the application of this device is told, as lines: said where the SDK's driver carries it out, so in its order.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gatecrash::client::{Action, Event, Input, Output, Reply};
use gatecrash::code::Failure;
use gatecrash::driver::{ClientSeen, Observe};
use gatecrash::id::{CallId, SendId};
use gatecrash::time::Instant;
use serde_json::{Value, json};

/// Says it.
pub fn say(line: &Value) {
    let mut out = std::io::stdout();
    // Whoever reads is gone only when this process is about to be killed.
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// Knows the conductor's calls by the SDK's numbers. A clone is the same one.
#[derive(Clone, Default)]
pub struct Voice(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    speaks: bool,
    /// The call that is being made.
    making: Option<u64>,
    calls: BTreeMap<CallId, u64>,
}

impl Voice {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on everything is said.
    pub fn speaks(&self) {
        self.lock().speaks = true;
    }

    /// Whatever the SDK is asked meanwhile is this call.
    pub fn during<T>(&self, call: u64, make: impl FnOnce() -> T) -> T {
        self.lock().making = Some(call);
        let made = make();
        self.lock().making = None;
        made
    }
}

/// The id of the message that the conductor calls so: the same for the same word, and another for another.
pub fn message_id(word: &str) -> SendId {
    // FNV-1a, 128 bits.
    let sum = word.bytes().fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128, |sum, byte| {
        (sum ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b)
    });
    SendId::from_bytes(sum.to_be_bytes())
}

impl Observe for Voice {
    fn client(&self, _: Instant, seen: ClientSeen<'_>) {
        let state = &mut *self.lock();
        match seen {
            ClientSeen::Input(Input::Call { call, .. }) => {
                if let Some(number) = state.making {
                    state.calls.insert(*call, number);
                    say(&json!({ "called": number }));
                }
            }
            ClientSeen::Output(Output { action, .. }) if state.speaks => match action {
                Action::Result { call, outcome } => {
                    if let Some(number) = state.calls.remove(call) {
                        say(&answered(number, outcome));
                    }
                }
                Action::Event(event) => say(&told(event)),
                Action::Status { status, login_user } => {
                    let user = login_user.as_ref().map(|user| user.as_str());
                    say(&json!({ "status": status.word(), "login_user": user }));
                }
                _ => {}
            },
            _ => {}
        }
    }
}

fn answered(number: u64, outcome: &Result<Reply, Failure>) -> Value {
    match outcome {
        Ok(Reply::Message(message)) => json!({ "answered": number, "outcome": "ok", "message": message.0 }),
        Ok(Reply::Conversations(list)) => {
            let lines: Vec<Value> = list
                .iter()
                .map(|line| json!({ "peer": line.peer.as_str(), "last": line.last.0, "preview": line.preview }))
                .collect();
            json!({ "answered": number, "outcome": "ok", "conversations": lines })
        }
        Ok(_) => json!({ "answered": number, "outcome": "ok" }),
        Err(failure) => json!({ "answered": number, "code": failure.code.number() }),
    }
}

fn told(event: &Event) -> Value {
    match event {
        Event::ConnectFailed(code) => json!({ "told": "connect_failed", "code": code.number() }),
        Event::KickedOffline(kick) => json!({ "told": "kicked_offline", "reason": kick.reason.word() }),
        Event::Message(message) => json!({
            "told": "message", "id": message.id.0, "from": message.from.as_str(), "to": message.to.as_str(),
            "text": message.text,
        }),
        event => json!({ "told": event.word() }),
    }
}
