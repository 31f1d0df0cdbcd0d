//! A trace of one of our worlds that is all there, as a history: its first line has the scenario and whom the trace
//! names, and each other line is an event as `trace::json` writes it.
//!
//! Read back it is the same trace, and is judged the same, to the sentence.

use gatecrash::policy::Platform;
use serde_json::{Map, Value, json};

use super::channel::Channels;
use super::head::Head;
use super::mistake::Wrong;
use crate::scenario::Scenario;
use crate::trace::{Cast, Digest, Event, Trace, json, parse};
use crate::world::World;

/// The history: its first line and all others, each with its end.
pub fn history(scenario: &Scenario, world: World, trace: &Trace) -> String {
    let mut text = head(scenario, world, trace).line();
    text.push('\n');
    text.push_str(&json::lines(trace));
    text
}

fn head(scenario: &Scenario, world: World, trace: &Trace) -> Head {
    let cast = &trace.cast;
    let device = |device: &crate::trace::CastDevice| json!({ "name": device.name, "platform": device.platform.word(), "site": cast.site_name(device.site) });
    let ticket =
        |ticket: &crate::trace::CastTicket| json!({ "name": ticket.name, "issued": ticket.issued, "ttl": ticket.ttl });
    let whole = json!({
        "world": world.word(),
        "digest": trace.digest.in_full(),
        "scenario": scenario.to_string(),
        "sites": cast.sites(),
        "devices": cast.devices().iter().map(device).collect::<Vec<_>>(),
        "users": cast.users(),
        "tickets": cast.tickets().iter().map(ticket).collect::<Vec<_>>(),
        "texts": cast.texts(),
    });
    Head { trace: Some(whole), ..super::keyhole::Keyhole::head(scenario, Channels::ALL) }
}

/// What a first line says of such a trace: the scenario, where it ran, whom it names, and its digest.
///
/// # Errors
///
/// What is missing or wrong.
pub fn of(whole: &Value) -> Result<(Scenario, World, Cast, Digest), String> {
    let text = |field: &str| {
        let value = whole.get(field).and_then(Value::as_str);
        value.ok_or_else(|| format!("`trace` has no text `{field}`"))
    };
    let list = |field: &str| {
        let value = whole.get(field).and_then(Value::as_array);
        value.ok_or_else(|| format!("`trace` has no list `{field}`"))
    };
    let name = |value: &Value, field: &str| {
        let name = if value.is_string() { Some(value) } else { value.get(field) };
        name.and_then(Value::as_str).map(str::to_owned).ok_or_else(|| format!("`trace` names no `{field}` in {value}"))
    };
    let scenario: Scenario = Scenario::parse("scenario", text("scenario")?)
        .map_err(|diagnosis| format!("the scenario of the trace is wrong: {diagnosis}"))?;
    let world = [World::Packet, World::Event].into_iter().find(|world| Ok(world.word()) == text("world"));
    let world = world.ok_or("`world` of the trace is packet or event")?;
    let digest = Digest::from_full(text("digest")?).ok_or("`digest` of the trace has to have 64 digits")?;
    let mut cast = Cast::default();
    for site in list("sites")? {
        cast.add_site(&name(site, "name")?);
    }
    for device in list("devices")? {
        let platform = name(device, "platform")?;
        let platform = Platform::ALL.into_iter().find(|known| known.word() == platform);
        let site = cast.add_site(&name(device, "site")?);
        let own = name(device, "name")?;
        if cast.find_device(&own).is_some() {
            return Err(format!("the trace has two devices called {own}"));
        }
        cast.add_device(&own, platform.ok_or_else(|| format!("{own} of the trace has no platform of ours"))?, site);
    }
    for user in list("users")? {
        cast.user(&name(user, "name")?);
    }
    for ticket in list("tickets")? {
        let seconds = |field: &str| ticket.get(field).and_then(Value::as_u64);
        let own = name(ticket, "name")?;
        let (issued, ttl) =
            seconds("issued").zip(seconds("ttl")).ok_or_else(|| format!("ticket {own} has no times"))?;
        cast.add_ticket(Some(&own), issued, ttl);
    }
    for text in list("texts")? {
        cast.intern_text(&name(text, "text")?);
    }
    Ok((scenario, world, cast, digest))
}

/// The event on a line of such a trace.
pub(crate) fn event(cast: &mut Cast, line: &str) -> Result<Event, Wrong> {
    let map: Map<String, Value> = serde_json::from_str(line).map_err(|error| {
        Wrong::at(error.column(), format!("the line is no JSON object: {}", super::mistake::said(&error)))
    })?;
    parse::event(cast, &map).map_err(|unread| match unread.field {
        Some(field) => Wrong::value(field, unread.text),
        None => Wrong::line(unread.text),
    })
}

/// Reads such a history back.
///
/// # Errors
///
/// What is wrong, with the number of its line.
pub fn read(text: &str) -> Result<(Scenario, World, Trace), String> {
    let mut lines = text.lines();
    let first = Head::read(lines.next().unwrap_or_default());
    let head = first.map_err(|wrong| wrong.first().map_or_else(String::new, |wrong| wrong.text.clone()))?;
    let (scenario, world, mut cast, digest) = of(&head.trace.ok_or("it is no trace that is all there")?)?;
    let mut events = Vec::new();
    for (index, line) in lines.enumerate() {
        events.push(event(&mut cast, line).map_err(|wrong| format!("line {}: {}", index + 2, wrong.text))?);
    }
    Ok((scenario, world, Trace { cast, events, digest }))
}
