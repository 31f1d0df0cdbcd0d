//! The fields of a trace: one of one event gets another value, and the question is who notices.
//!
//! ```text
//! seed ──event world──▶ passing trace ──one field of one event──▶ false trace ──every check──▶ noticed, by whom
//! ```
//!
//! The zoo breaks the system and asks whether a run shows it. Here no run is broken: what a trace says is made untrue in
//! one place. What nobody notices is a hole in the checks, or a field that need not be there. Which values are tried says
//! `value`, which changes are as true as what they replace says `open`. A function of the seed; prints nothing.

mod open;
mod value;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use gatecrash::time::Instant;

use crate::check::property::Checks;
use crate::generate;
use crate::generate::draw::Draw;
use crate::scenario::Scenario;
use crate::trace::{Actor, Cast, DeviceIndex, Event, Leaf, Observer as _, Recorder, Trace, Value, What, json};
use crate::world::caught::caught;
use crate::world::event;
use value::Pool;

pub use open::{OPEN, Open};

/// The longest trace that is changed, in events: a longer one takes the time of many and shows no more kinds of them.
const EVENTS_MAX: usize = 4_000;

/// The traces are those of the event world, which goes from event to event.
const TICK: Duration = Duration::ZERO;

/// How often another value is drawn before a field counts as one that has no other.
const TRIES: usize = 8;

/// Where an event says which of several things it is: what it carries then are fields of that.
const PAYLOADS: [&str; 8] = ["request", "outcome", "event", "frame", "write", "fact", "fault", "effect"];

/// A field of a kind of event, such as `told/kicked_offline.reason`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    /// The event's word.
    pub event: &'static str,
    /// The word of what it carries, where it carries one of several things.
    pub payload: Option<&'static str>,
    /// The field's name; `at`, `actor` and `nth` for when the event was, to whom, and which of theirs it is.
    pub field: &'static str,
}

/// One change of a trace that passes, and what came of it.
#[derive(Clone, Debug)]
pub struct Changed {
    /// Of which seed's trace.
    pub seed: u64,
    /// What was changed.
    pub name: Name,
    /// Who noticed.
    pub noticed: Noticed,
    /// The event as JSON, before and after. None of a change that was noticed, or is as true as what was before.
    pub lines: Option<[String; 2]>,
}

/// Who noticed a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Noticed {
    /// The property with this sentence, first of all.
    By(&'static str),
    /// A check failed where it should have said something.
    Panicked(String),
    /// Nobody.
    Nobody,
    /// Nobody can: what it says now may be as true as what it said before.
    Open(&'static Open),
}

impl Name {
    /// Whether this is what `EVENT`, `EVENT/PAYLOAD` or either with `.FIELD` behind it means.
    pub fn is_meant_by(&self, words: &str) -> bool {
        let (event, field) = words.split_once('.').map_or((words, None), |(event, field)| (event, Some(field)));
        let (event, payload) = event.split_once('/').map_or((event, None), |(event, payload)| (event, Some(payload)));
        self.event == event
            && (payload.is_none() || self.payload == payload)
            && field.is_none_or(|field| self.field == field)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Name { event, payload, field } = self;
        match payload {
            Some(payload) => f.pad(&format!("{event}/{payload}.{field}")),
            None => f.pad(&format!("{event}.{field}")),
        }
    }
}

/// Changes each field that the seed's trace has, once, in an event that is drawn. None when the trace is too long, or
/// does not pass as it is.
pub fn changed(seed: u64, is_meant: impl Fn(&Name) -> bool) -> Option<Vec<Changed>> {
    let scenario = generate::scenario(seed);
    let recorder = Recorder::new(Cast::of(&scenario));
    event::run(&scenario, &recorder).ok()?;
    let Trace { cast, mut events, .. } = recorder.finish();
    if events.len() > EVENTS_MAX || noticed(&scenario, &cast, &events) != Noticed::Nobody {
        return None;
    }
    let mut places: BTreeMap<Name, Vec<usize>> = BTreeMap::new();
    let mut pool = Pool::default();
    for (place, event) in events.iter().enumerate() {
        of(event, |name, leaf| {
            if let Some(leaf) = leaf {
                pool.seen(name, leaf.value);
            }
            places.entry(name).or_default().push(place);
        });
    }
    let mut draw = Draw::new(seed, "trace", "fields");
    let mut all = Vec::new();
    for (name, places) in places.into_iter().filter(|(name, _)| is_meant(name)) {
        let mut told = None;
        for _ in 0..TRIES {
            let place = *draw.pick(&places);
            told = other(&mut draw, &pool, &cast, &events, place, name).map(|other| (place, other));
            if told.is_some() {
                break;
            }
        }
        let Some((place, other)) = told else { continue };
        let before = std::mem::replace(&mut events[place], other);
        let mut noticed = noticed(&scenario, &cast, &events);
        if noticed == Noticed::Nobody
            && let Some(open) = OPEN.iter().find(|open| open.has(&scenario, name, &before, &other))
        {
            noticed = Noticed::Open(open);
        }
        let lines = match noticed {
            Noticed::Nobody | Noticed::Panicked(_) => Some([before, other].map(|event| json::line(&cast, &event))),
            Noticed::By(_) | Noticed::Open(_) => None,
        };
        events[place] = before;
        all.push(Changed { seed, name, noticed, lines });
    }
    Some(all)
}

/// Who notices something in these events, first of all.
fn noticed(scenario: &Scenario, cast: &Cast, events: &[Event]) -> Noticed {
    let judged = caught(|| {
        let mut checks = Checks::new(scenario, TICK);
        for event in events {
            checks.observe(cast, event);
            if let [first, ..] = checks.violations() {
                return Some(first.property);
            }
        }
        checks.finish(cast).first().map(|first| first.property)
    });
    match judged {
        Ok(Some(property)) => Noticed::By(property),
        Ok(None) => Noticed::Nobody,
        Err(said) => Noticed::Panicked(said),
    }
}

/// Every field of the event, and what can be given another value of it.
fn of(event: &Event, mut each: impl FnMut(Name, Option<Leaf>)) {
    let (carries, payload) = payload(&event.what).unzip();
    let named = |field| Name { event: event.what.word(), payload, field };
    ["at", "actor", "nth"].into_iter().chain(carries).for_each(|field| each(named(field), None));
    let mut what = event.what;
    what.change(&mut |leaf| {
        each(named(leaf.name), Some(leaf));
        None
    });
}

/// The event at this place with another value in this field; none when none was found.
fn other(draw: &mut Draw, pool: &Pool, cast: &Cast, events: &[Event], place: usize, name: Name) -> Option<Event> {
    let before = events[place];
    let mut other = before;
    match name.field {
        "at" => other.at = another_time(draw, events, place)?,
        "actor" => other.actor = another_actor(draw, cast, before.actor),
        "nth" => other.number = *draw.pick(&[before.number + 1, before.number - 1]),
        field if PAYLOADS.contains(&field) => {
            // One of the same kind of event, carrying something else.
            let donors = events.iter().map(|event| event.what);
            let is_one = |what: &What| what.index() == before.what.index() && payload(what) != payload(&before.what);
            let donors: Vec<What> = donors.filter(is_one).collect();
            other.what = if donors.is_empty() { return None } else { carrying(before.what, *draw.pick(&donors))? };
        }
        field => other.what.change(&mut |leaf| {
            let is_it = leaf.name == field;
            is_it.then(|| pool.another(draw, cast, name, leaf)).flatten()
        }),
    }
    (other != before).then_some(other)
}

/// What the event carries, where it carries one of several things: the field and the word.
fn payload(what: &What) -> Option<(&'static str, &'static str)> {
    let mut found = None;
    what.fields(&mut |name, value| {
        if let Value::Word(word) = value
            && PAYLOADS.contains(&name)
        {
            found = found.or(Some((name, word)));
        }
    });
    found
}

/// Another instant that leaves the events in their order: the one of a neighbour, or one close by.
fn another_time(draw: &mut Draw, events: &[Event], place: usize) -> Option<Instant> {
    let at = events[place].at.as_micros();
    let earliest = place.checked_sub(1).map_or(0, |before| events[before].at.as_micros());
    let latest = events.get(place + 1).map_or(at, |after| after.at.as_micros());
    let near = [1, 1_000, 1_000_000].into_iter().flat_map(|by| [at.saturating_sub(by), at + by]);
    let times: Vec<u64> =
        near.chain([earliest, latest]).filter(|&other| (earliest..=latest).contains(&other) && other != at).collect();
    (!times.is_empty()).then(|| Instant::from_micros(*draw.pick(&times)))
}

fn another_actor(draw: &mut Draw, cast: &Cast, actor: Actor) -> Actor {
    let devices = (0..cast.devices().len()).map(|index| Actor::Device(DeviceIndex::new(index)));
    let others: Vec<Actor> = devices.chain([Actor::World, Actor::Server]).filter(|&other| other != actor).collect();
    *draw.pick(&others)
}

/// The first event, carrying what the second one does; none where they do not carry the same sort of thing.
fn carrying(mut what: What, donor: What) -> Option<What> {
    match (&mut what, donor) {
        (What::Called { request, .. }, What::Called { request: other, .. }) => *request = other,
        (What::Answered { outcome, .. }, What::Answered { outcome: other, .. }) => *outcome = other,
        (What::Told { event, .. }, What::Told { event: other, .. }) => *event = other,
        (What::DeviceSent { frame, .. }, What::DeviceSent { frame: other, .. })
        | (What::ServerReceived { frame, .. }, What::ServerReceived { frame: other, .. }) => *frame = other,
        (What::ServerSent { frame, .. }, What::ServerSent { frame: other, .. })
        | (What::DeviceReceived { frame, .. }, What::DeviceReceived { frame: other, .. }) => *frame = other,
        (What::Fact { fact, .. }, What::Fact { fact: other, .. }) => *fact = other,
        (What::StoreAsked { write, .. }, What::StoreAsked { write: other, .. }) => *write = other,
        (What::Fault { fault }, What::Fault { fault: other }) => *fault = other,
        (What::Effect { effect }, What::Effect { effect: other }) => *effect = other,
        _ => return None,
    }
    Some(what)
}
