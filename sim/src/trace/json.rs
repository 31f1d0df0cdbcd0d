//! A trace as JSON Lines: one object per event, names instead of numbers, keys in a fixed order.
//!
//! ```text
//! {"at_us":2061000,"actor":"server","number":31,"what":"server_sent","connection":1,"peer":"phone-1",…}
//! ```
//!
//! `at_us` and fields that are spans or clocks (`wall`, `delay`, `after`, `min`, `max`, `by` of a
//! skew) are whole microseconds; `second`, `until`, `issued` and `ttl` whole seconds. Codes are
//! numbers, attempts texts such as "1.2". What there is none of is null.

use gatecrash::policy::{Platform, Seats};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use super::cast::{Cast, List};
use super::field::Value;
use super::{Actor, Event, Trace};

/// Every event on a line of its own.
pub fn lines(trace: &Trace) -> String {
    let mut text = String::new();
    for event in &trace.events {
        text.push_str(&line(&trace.cast, event));
        text.push('\n');
    }
    text
}

/// One event, without a line's end.
pub fn line(cast: &Cast, event: &Event) -> String {
    serde_json::to_string(&Named { cast, event }).expect("an event has text keys and finite numbers")
}

struct Named<'a> {
    cast: &'a Cast,
    event: &'a Event,
}

impl Serialize for Named<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Named { cast, event } = *self;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("at_us", &event.at.as_micros())?;
        let actor = match event.actor {
            Actor::World => "world",
            Actor::Server => "server",
            Actor::Device(device) => cast.device_name(device),
        };
        map.serialize_entry("actor", actor)?;
        map.serialize_entry("number", &event.number)?;
        map.serialize_entry("what", event.what.word())?;
        let mut result = Ok(());
        event.what.fields(&mut |name, value| {
            if result.is_ok() {
                result = map.serialize_entry(name, &Shown { cast, value });
            }
        });
        result?;
        map.end()
    }
}

struct Shown<'a> {
    cast: &'a Cast,
    value: Value,
}

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let cast = self.cast;
        match self.value {
            Value::Nothing => serializer.serialize_none(),
            Value::Number(number) | Value::Seconds(number) | Value::Micros(number) => serializer.serialize_u64(number),
            Value::Signed(number) | Value::SignedMicros(number) => serializer.serialize_i64(number),
            Value::Flag(flag) => serializer.serialize_bool(flag),
            Value::Word(word) => serializer.serialize_str(word),
            Value::Code(code) => serializer.serialize_u32(code.number()),
            Value::Attempt(attempt) => serializer.collect_str(&attempt),
            Value::Seats(seats) => seats_map(seats, serializer),
            Value::Device(device) => serializer.serialize_str(cast.device_name(device)),
            Value::User(user) => serializer.serialize_str(cast.user_name(user)),
            Value::Site(site) => serializer.serialize_str(cast.site_name(site)),
            Value::Ticket(ticket) => serializer.serialize_str(&cast.ticket(ticket).name),
            Value::Text(text) => serializer.serialize_str(cast.text(text)),
            Value::List(list) => list_of(cast, cast.list(list), serializer),
        }
    }
}

fn seats_map<S: Serializer>(seats: Seats, serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(None)?;
    map.serialize_entry("policy", seats.policy().word())?;
    for platform in Platform::ALL {
        map.serialize_entry(platform.word(), &seats.instances_max(platform))?;
    }
    map.end()
}

fn list_of<S: Serializer>(cast: &Cast, list: &List, serializer: S) -> Result<S::Ok, S::Error> {
    match list {
        List::Devices(devices) => serializer.collect_seq(devices.iter().map(|&device| cast.device_name(device))),
        List::Users(users) => serializer.collect_seq(users.iter().map(|&user| cast.user_name(user))),
        List::Conversations(lines) => {
            let mut sequence = serializer.serialize_seq(Some(lines.len()))?;
            for line in lines {
                sequence.serialize_element(&serde_json::json!({
                    "peer": cast.user_name(line.peer),
                    "last": line.last,
                    "preview": cast.text(line.preview),
                }))?;
            }
            sequence.end()
        }
        List::Report(lines) => {
            let mut sequence = serializer.serialize_seq(Some(lines.len()))?;
            for line in lines {
                let devices: Vec<serde_json::Value> = line
                    .devices
                    .iter()
                    .map(|device| {
                        serde_json::json!({
                            "device": cast.device_name(device.device),
                            "platform": device.platform.word(),
                            "state": device.state.word(),
                        })
                    })
                    .collect();
                sequence.serialize_element(&serde_json::json!({
                    "user": cast.user_name(line.user),
                    "presence": line.presence.map(|presence| presence.word()),
                    "devices": devices,
                }))?;
            }
            sequence.end()
        }
    }
}
