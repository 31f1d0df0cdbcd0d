//! Whether a run on real processes came to what the packet world makes of the same scenario.
//!
//! Compares what applications saw, in order and without times: each call with its result, what each listener was told, who
//! is logged in at the end. How many attempts to connect fail in a row is a matter of time, and counts as one.

use std::collections::BTreeMap;

use serde_json::Value;

use super::subject::Claims;
use crate::history::{Channel, Channels, keyhole};
use crate::scenario::{DeviceName, LimitOverrides, LimitValue, Scenario};
use crate::world::World;

/// What the application of a device saw.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Seen {
    /// Calls and their results.
    calls: Vec<String>,
    events: Vec<String>,
    status: String,
}

/// What differs, a sentence each; none of a scenario of which only the verdict is meant to be the same. `live` is the
/// history of the live run until everything had come to rest. An error: the packet world did not run it.
pub(super) fn differences(scenario: &Scenario, claims: &Claims, live: &str) -> Result<Vec<String>, String> {
    if scenario.verdict_only.is_some() {
        return Ok(Vec::new());
    }
    let mut timed = scenario.clone();
    timed.limits = limits(claims);
    timed.expectations.clear();
    timed.app.tls = true;
    let run = crate::run(&timed, World::Packet).map_err(|error| error.to_string())?;
    let observes = Channels::of(&[Channel::Calls, Channel::Events, Channel::Status, Channel::Process]);
    let packet = seen(&keyhole::history(&timed, observes, &run.trace));
    let live = seen(live);
    let mut told = Vec::new();
    for name in scenario.devices.keys().map(DeviceName::as_str) {
        let (packet, live) =
            (packet.get(name).cloned().unwrap_or_default(), live.get(name).cloned().unwrap_or_default());
        for (what, one, other) in [("calls", &packet.calls, &live.calls), ("events", &packet.events, &live.events)] {
            let at = (0..one.len().max(other.len())).find(|&at| one.get(at) != other.get(at));
            if let Some(at) = at {
                let shown = |list: &Vec<String>| list.get(at).map_or("nothing", String::as_str).to_owned();
                let number = at + 1;
                told.push(format!(
                    "{name}, {number} of its {what}: {} in the packet world, {} live",
                    shown(one),
                    shown(other)
                ));
            }
        }
        if packet.status != live.status {
            told.push(format!("{name} at the end: {} in the packet world, {} live", packet.status, live.status));
        }
    }
    Ok(told)
}

/// The limits of the rules as the subject has them.
fn limits(claims: &Claims) -> LimitOverrides {
    let limits = &claims.head.promise.limits;
    let mut overrides = LimitOverrides::default();
    for (name, span) in [
        ("login_timeout", limits.login_timeout),
        ("request_timeout", limits.request_timeout),
        ("connect_timeout", limits.connect_timeout),
        ("heartbeat", limits.heartbeat),
        ("heartbeat_answer", limits.heartbeat_answer),
        ("backoff_max", limits.back_off_max),
    ] {
        if let Some(span) = span {
            overrides.set(name, LimitValue::Time(span));
        }
    }
    overrides
}

/// What each device saw, of the lines of a history.
fn seen(history: &str) -> BTreeMap<String, Seen> {
    let mut all: BTreeMap<String, Seen> = BTreeMap::new();
    let mut open: BTreeMap<(String, String), usize> = BTreeMap::new();
    for line in history.lines().skip(1) {
        let Ok(line) = serde_json::from_str::<Value>(line) else { continue };
        let Some(actor) = line["actor"].as_str() else { continue };
        let text = |field: &str| line[field].as_str().unwrap_or_default().to_owned();
        let seen = all.entry(actor.to_owned()).or_default();
        match line["what"].as_str().unwrap_or_default() {
            // An SDK in a process of its own is made as that starts.
            "called" if line["request"] == "init" => {}
            "called" => {
                open.insert((actor.to_owned(), line["call"].to_string()), seen.calls.len());
                let call = [text("request"), text("user"), text("to")].join(" ");
                seen.calls.push(format!("{}: no result", call.trim()));
            }
            "answered" => {
                let Some(at) = open.remove(&(actor.to_owned(), line["call"].to_string())) else { continue };
                let outcome = text("outcome").split('_').next().unwrap_or_default().to_owned();
                let code = line["code"].as_u64().map(|code| format!(" [{code}]")).unwrap_or_default();
                let call = seen.calls[at].split(": ").next().unwrap_or_default().to_owned();
                seen.calls[at] = format!("{call}: {outcome}{code}");
            }
            "told" => {
                let event = [text("event"), text("reason")].join(" ").trim().to_owned();
                let is_attempt = |event: &str| event == "connecting" || event == "connect_failed";
                // A series of attempts that fail is one, however long.
                let repeats =
                    is_attempt(&event) && seen.events.len() >= 2 && seen.events[seen.events.len() - 2] == event;
                match repeats && seen.events.last().is_some_and(|last| is_attempt(last)) {
                    true => drop(seen.events.pop()),
                    false => seen.events.push(event),
                }
            }
            "status" => seen.status = [text("status"), text("login_user")].join(" ").trim().to_owned(),
            _ => {}
        }
    }
    for seen in all.values_mut() {
        if seen.status.is_empty() {
            seen.status = "LOGOUT".to_owned();
        }
    }
    all
}
