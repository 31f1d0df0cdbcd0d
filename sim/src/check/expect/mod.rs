//! Whether a run showed what its scenario expects: read off the trace alone.
//!
//! Knows no rule. What must hold in every run is in `property`, and where one looks for the reason is in `moment`.

pub(crate) mod book;
mod holders;
mod moment;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::time::Duration;

use gatecrash::code::Code;
use gatecrash::protocol::Presence;
use gatecrash::time::Instant;

use crate::check::reading::session_changed;
use crate::scenario::{
    Answer, CallKind, DeviceName, Expectation, Expected, ListenerEvent, Place, Scenario, Shown, Window,
};
use crate::trace::{Actor, DeviceIndex, Fact, List, Outcome, Told, Trace, UserIndex};
use book::{Account, Book, Decided, Heard, Made};

/// An expectation of the file that the run does not meet. No rule is broken by it: the file asks for something else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Miss {
    /// What was expected, as a file says it.
    pub expected: String,
    /// What kind of thing that is, in a word: an event, a call, what is said of a user.
    pub kind: &'static str,
    /// Where the file says it.
    pub place: Option<Place>,
    /// What was seen instead.
    pub seen: String,
    /// Whether it was seen too often, too seldom, or as something else.
    pub manner: Manner,
    /// Of whom it is expected.
    pub actor: Actor,
    /// What to look at.
    pub moment: Moment,
    /// The last instant that one has to see to understand it.
    pub until: Instant,
}

/// How a run misses what is expected of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Manner {
    /// It was not there, or not often enough.
    Missing,
    /// It was there once too often.
    Surplus,
    /// There was something else in its place.
    Different,
}

impl Manner {
    /// It in a word.
    pub const fn word(self) -> &'static str {
        match self {
            Manner::Missing => "missing",
            Manner::Surplus => "surplus",
            Manner::Different => "different",
        }
    }
}

/// What shows best why an expectation is missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// The event at this position of the trace.
    Event(usize),
    /// An instant at which nothing need have happened.
    Instant(Instant),
}

/// What does not hold when an expectation is missed.
pub const SENTENCE: &str = "the run shows what the scenario expects";

/// Every expectation of the scenario that the trace does not bear out, in the order of the file.
pub fn misses(scenario: &Scenario, trace: &Trace) -> Vec<Miss> {
    let book = Book::read(trace);
    let reader = Reader { trace, book: &book };
    scenario.expectations.iter().filter_map(|expected| reader.missed(expected)).collect()
}

/// What was seen instead, and what to look at.
struct Instead {
    seen: String,
    manner: Manner,
    moment: Moment,
}

impl Instead {
    fn new(seen: impl Into<String>, manner: Manner, moment: Moment) -> Self {
        Instead { seen: seen.into(), manner, moment }
    }
}

struct Reader<'a> {
    trace: &'a Trace,
    book: &'a Book,
}

impl Reader<'_> {
    fn missed(&self, expected: &Expected) -> Option<Miss> {
        let Expected { expectation, place } = expected;
        let Instead { seen, manner, moment } = self.instead(expectation)?;
        let (kind, named) = about(expectation);
        let shown = match moment {
            Moment::Event(position) => self.at(position),
            Moment::Instant(at) => at,
        };
        Some(Miss {
            expected: expectation.to_string(),
            kind,
            place: *place,
            seen,
            manner,
            actor: self.index_of(expectation).map_or(Actor::Server, Actor::Device),
            moment,
            until: named.map_or(shown, |named| shown.max(Instant::ZERO + named)),
        })
    }

    fn instead(&self, expectation: &Expectation) -> Option<Instead> {
        match expectation {
            Expectation::Event { device, event, times, reason, code, between } => {
                let fits = |told: &Told| match told {
                    Told::KickedOffline { reason: given, .. } => reason.is_none_or(|reason| reason == *given),
                    Told::ConnectFailed { code: given } => code.is_none_or(|code| code == *given),
                    Told::Connecting
                    | Told::ConnectSuccess
                    | Told::UserSigExpired
                    | Told::Message { .. }
                    | Told::MessagesDropped { .. } => true,
                };
                let all: Vec<Heard> =
                    self.told(device).filter(|told| heard(&told.told) == *event && fits(&told.told)).collect();
                self.instead_of_times("fired", device, &all, *times, *between, |until| {
                    moment::last_of_family(self, device, *event, until)
                })
            }
            Expectation::Status { device, status, at } => {
                let stood = self.book.device(self.index(device)?).status_at(instant(*at));
                let (word, since) = (stood.status.word(), stood.since);
                (word != status.word()).then(|| {
                    let moment = self.so_since(*at, stood.position);
                    Instead::new(format!("it was {word} since {since} s"), Manner::Different, moment)
                })
            }
            Expectation::LoginUser { device, user, at } => {
                let stood = self.book.device(self.index(device)?).status_at(instant(*at));
                let seen = stood.user.map(|user| self.trace.cast.user_name(user).to_owned());
                (seen.as_deref() != user.as_ref().map(|user| user.as_str())).then(|| {
                    let (seen, since) = (seen.unwrap_or_else(|| "none".into()), stood.since);
                    let moment = self.so_since(*at, stood.position);
                    Instead::new(format!("it was {seen} since {since} s"), Manner::Different, moment)
                })
            }
            Expectation::Answer { device, call, number, answer, between } => {
                self.instead_of_answer(device, *call, *number, *answer, *between)
            }
            Expectation::Conversations { device, number, with } => {
                let made = match self.made(device, CallKind::Conversations, *number) {
                    Ok(made) => made,
                    Err(instead) => return Some(instead),
                };
                let Some((_, Outcome::Conversations { conversations })) = made.answered else {
                    return Some(made.instead("it was not answered with a list"));
                };
                let peers: BTreeSet<String> = match conversations.map(|list| self.trace.cast.list(list)) {
                    Some(List::Conversations(lines)) => {
                        lines.iter().map(|line| self.trace.cast.user_name(line.peer).to_owned()).collect()
                    }
                    Some(List::Devices(_) | List::Users(_) | List::Report(_)) | None => BTreeSet::new(),
                };
                let expected: BTreeSet<String> = with.iter().map(ToString::to_string).collect();
                (peers != expected).then(|| made.instead(format!("it listed {}", listed(&peers))))
            }
            Expectation::Query { device, number, user, shown } => {
                let made = match self.made(device, CallKind::Query, *number) {
                    Ok(made) => made,
                    Err(instead) => return Some(instead),
                };
                let Some((_, Outcome::Report { report })) = made.answered else {
                    return Some(made.instead("it was not answered with a report"));
                };
                let lines = match report.map(|list| self.trace.cast.list(list)) {
                    Some(List::Report(lines)) => lines.as_slice(),
                    Some(List::Devices(_) | List::Users(_) | List::Conversations(_)) | None => &[],
                };
                let line = lines.iter().find(|line| self.trace.cast.user_name(line.user) == user.as_str());
                let seen = line.map(|line| match line.presence {
                    Some(Presence::Online) => Shown::Online,
                    Some(Presence::PushOnline) => Shown::PushOnline,
                    Some(Presence::Offline) => Shown::Offline,
                    None => Shown::Unknown,
                });
                (seen != Some(*shown)).then(|| {
                    made.instead(format!("it showed {}", seen.map_or("nothing of this user", |shown| shown.word())))
                })
            }
            Expectation::Receives { device, text, times } => {
                let wanted = self.trace.cast.find_text(text);
                let all: Vec<Heard> = self
                    .told(device)
                    .filter(|heard| matches!(heard.told, Told::Message { text, .. } if Some(text) == wanted))
                    .collect();
                self.instead_of_times("was received", device, &all, *times, None, |until| {
                    moment::last_of_text(self, device, wanted, until)
                })
            }
            Expectation::Online { user, devices, at } => {
                let seen = self.account(user.as_str(), *at).online();
                self.instead_of_devices(user.as_str(), devices, &seen, *at, "online were")
            }
            Expectation::Sessions { user, devices, at } => {
                let seen = self.account(user.as_str(), *at).with_session();
                self.instead_of_devices(user.as_str(), devices, &seen, *at, "sessions had")
            }
            Expectation::Presence { user, presence, at } => {
                let seen = self.account(user.as_str(), *at).presence;
                (seen != *presence).then(|| {
                    let since = self.last_fact(user.as_str(), *at, |fact| matches!(fact, Fact::PresenceChanged { .. }));
                    let told = since.map_or(String::new(), |since| format!(" since {} s", since.at));
                    let moment = self.so_since(*at, since.map(|since| since.position));
                    Instead::new(format!("it was {}{told}", seen.word()), Manner::Different, moment)
                })
            }
            Expectation::Counted { user, days } => {
                self.instead_of_number(user.as_str(), *days, "were counted", |fact| {
                    matches!(fact, Fact::DayCounted { .. })
                })
            }
            Expectation::Epochs { user, logins } => {
                self.instead_of_number(user.as_str(), *logins, "were accepted", |fact| {
                    matches!(fact, Fact::SessionAccepted { .. })
                })
            }
        }
    }

    /// What there is instead of so many of these; `missing` says where to look, up to an instant, when one more
    /// should have come.
    fn instead_of_times(
        &self,
        verb: &str,
        device: &DeviceName,
        all: &[Heard],
        times: u32,
        between: Option<Window>,
        missing: impl Fn(Instant) -> Option<usize>,
    ) -> Option<Instead> {
        let inside: Vec<&Heard> = all.iter().filter(|heard| within(between, heard.at)).collect();
        let seen = format!("it {verb} {}", times_at(all));
        match inside.get(times as usize) {
            Some(surplus) => Some(Instead::new(seen, Manner::Surplus, Moment::Event(surplus.position))),
            None if inside.len() == times as usize => None,
            None => {
                let moment = match between {
                    Some(window) => Moment::Instant(Instant::ZERO + window.to),
                    None => self.event_or_end(missing(FOREVER).or_else(|| moment::last_of(self, device))),
                };
                Some(Instead::new(seen, Manner::Missing, moment))
            }
        }
    }

    fn instead_of_answer(
        &self,
        device: &DeviceName,
        call: CallKind,
        number: u32,
        answer: Answer,
        between: Option<Window>,
    ) -> Option<Instead> {
        let made = match self.made(device, call, number) {
            Ok(made) => made,
            Err(instead) => return Some(instead),
        };
        let Some((at, outcome)) = made.answered else {
            return (answer != Answer::Nothing).then(|| {
                let moment =
                    between.map_or(Moment::Event(made.position), |window| Moment::Instant(Instant::ZERO + window.to));
                Instead::new("it was never answered", Manner::Missing, moment)
            });
        };
        let seen = match outcome {
            Outcome::Done | Outcome::Message { .. } | Outcome::Conversations { .. } | Outcome::Report { .. } => {
                Answer::Ok
            }
            Outcome::Failed { code, .. } => Answer::Fails(code),
        };
        let is_right = seen == answer && within(between, at);
        (!is_right).then(|| made.instead(format!("it was answered {} at {at} s", answer_word(seen))))
    }

    /// What there is instead of these devices: what ended the session of one that is missing, or brought one that is
    /// there besides.
    fn instead_of_devices(
        &self,
        user: &str,
        expected: &BTreeSet<DeviceName>,
        seen: &[DeviceIndex],
        at: Option<Duration>,
        lead: &str,
    ) -> Option<Instead> {
        let names: BTreeSet<String> =
            seen.iter().map(|&device| self.trace.cast.device_name(device).to_owned()).collect();
        let wanted: BTreeSet<String> = expected.iter().map(ToString::to_string).collect();
        let missing = wanted.difference(&names).next().map(|name| (name, Manner::Missing));
        let surplus = names.difference(&wanted).next().map(|name| (name, Manner::Surplus));
        let (name, manner) = missing.or(surplus)?;
        let device = self.trace.cast.find_device(name);
        let why = device.and_then(|device| {
            let changed = |fact: &Fact| session_changed(fact).is_some_and(|(_, whose)| whose == device);
            let fact = self.last_fact(user, at, changed).map(|decided| decided.position);
            fact.or_else(|| moment::last_before(self, device, instant(at)))
        });
        Some(Instead::new(format!("{lead} {}", listed(&names)), manner, self.event_or_end(why)))
    }

    /// What there is instead of so many of these facts about a user.
    fn instead_of_number(
        &self,
        user: &str,
        number: u32,
        verb: &str,
        counts: impl Fn(&Fact) -> bool,
    ) -> Option<Instead> {
        let facts: Vec<usize> =
            self.facts(user, None).filter(|decided| counts(&decided.fact)).map(|decided| decided.position).collect();
        let seen = format!("{} {verb}", facts.len());
        match facts.get(number as usize) {
            Some(&surplus) => Some(Instead::new(seen, Manner::Surplus, Moment::Event(surplus))),
            None if facts.len() == number as usize => None,
            None => {
                let any = || self.facts(user, None).next_back().map(|decided| decided.position);
                let moment = self.event_or_end(facts.last().copied().or_else(any));
                Some(Instead::new(seen, Manner::Missing, moment))
            }
        }
    }

    /// The call, or what is wrong with its absence.
    fn made(&self, device: &DeviceName, call: CallKind, number: u32) -> Result<&Made, Instead> {
        let calls = |index| self.book.device(index).calls.iter().filter(|made| made.kind == call);
        let mut all = self.index(device).into_iter().flat_map(calls);
        let last = all.clone().last().map(|made| made.position);
        all.nth(number as usize - 1).ok_or_else(|| {
            let moment = self.event_or_end(last.or_else(|| moment::last_of(self, device)));
            Instead::new("there was no such call", Manner::Missing, moment)
        })
    }

    /// An instant that was named, or else the event that made it so.
    fn so_since(&self, at: Option<Duration>, since: Option<usize>) -> Moment {
        match at {
            Some(at) => Moment::Instant(Instant::ZERO + at),
            None => self.event_or_end(since),
        }
    }

    fn event_or_end(&self, position: Option<usize>) -> Moment {
        let end = || self.trace.events.len().checked_sub(1);
        position.or_else(end).map_or(Moment::Instant(Instant::ZERO), Moment::Event)
    }

    fn at(&self, position: usize) -> Instant {
        self.trace.events[position].at
    }

    fn told(&self, device: &DeviceName) -> impl Iterator<Item = Heard> {
        let device = self.index(device).map(|index| self.book.device(index));
        device.into_iter().flat_map(|device| device.told.iter().copied())
    }

    fn index(&self, device: &DeviceName) -> Option<DeviceIndex> {
        self.trace.cast.find_device(device.as_str())
    }

    /// The device of which this is expected.
    fn index_of(&self, expectation: &Expectation) -> Option<DeviceIndex> {
        match expectation {
            Expectation::Event { device, .. }
            | Expectation::Status { device, .. }
            | Expectation::LoginUser { device, .. }
            | Expectation::Answer { device, .. }
            | Expectation::Conversations { device, .. }
            | Expectation::Query { device, .. }
            | Expectation::Receives { device, .. } => self.index(device),
            Expectation::Online { .. }
            | Expectation::Sessions { .. }
            | Expectation::Presence { .. }
            | Expectation::Counted { .. }
            | Expectation::Epochs { .. } => None,
        }
    }

    fn user(&self, user: &str) -> Option<UserIndex> {
        self.trace.cast.find_user(user)
    }

    fn account(&self, user: &str, at: Option<Duration>) -> Account {
        self.user(user).map(|user| self.book.account_at(user, instant(at))).unwrap_or_default()
    }

    fn facts(&self, user: &str, at: Option<Duration>) -> impl DoubleEndedIterator<Item = &Decided> {
        self.user(user).into_iter().flat_map(move |user| self.book.facts_until(user, instant(at)))
    }

    fn last_fact(&self, user: &str, at: Option<Duration>, is_it: impl Fn(&Fact) -> bool) -> Option<&Decided> {
        self.facts(user, at).rfind(|decided| is_it(&decided.fact))
    }
}

impl Made {
    /// What is wrong with its answer.
    fn instead(&self, seen: impl Into<String>) -> Instead {
        Instead::new(seen, Manner::Different, Moment::Event(self.position))
    }
}

/// What an expectation is about, in a word, and the last instant that it names.
fn about(expectation: &Expectation) -> (&'static str, Option<Duration>) {
    let end = |between: &Option<Window>| between.map(|window| window.to);
    match expectation {
        Expectation::Event { event, between, .. } => (event.word(), end(between)),
        Expectation::Status { at, .. } => ("status", *at),
        Expectation::LoginUser { at, .. } => ("login_user", *at),
        Expectation::Answer { call, between, .. } => (call.word(), end(between)),
        Expectation::Conversations { .. } => ("conversations", None),
        Expectation::Query { .. } => ("query", None),
        Expectation::Receives { .. } => ("receives", None),
        Expectation::Online { at, .. } => ("online", *at),
        Expectation::Sessions { at, .. } => ("sessions", *at),
        Expectation::Presence { at, .. } => ("presence", *at),
        Expectation::Counted { .. } => ("counted", None),
        Expectation::Epochs { .. } => ("epochs", None),
    }
}

/// After every run.
const FOREVER: Instant = Instant::from_micros(u64::MAX);

/// The end of the run when no instant is named.
fn instant(at: Option<Duration>) -> Instant {
    at.map_or(FOREVER, |at| Instant::ZERO + at)
}

fn within(window: Option<Window>, at: Instant) -> bool {
    window.is_none_or(|window| window.contains(at - Instant::ZERO))
}

fn heard(told: &Told) -> ListenerEvent {
    match told {
        Told::Connecting => ListenerEvent::Connecting,
        Told::ConnectSuccess => ListenerEvent::ConnectSuccess,
        Told::ConnectFailed { .. } => ListenerEvent::ConnectFailed,
        Told::KickedOffline { .. } => ListenerEvent::KickedOffline,
        Told::UserSigExpired => ListenerEvent::UserSigExpired,
        Told::Message { .. } => ListenerEvent::Message,
        Told::MessagesDropped { .. } => ListenerEvent::MessagesDropped,
    }
}

fn answer_word(answer: Answer) -> String {
    match answer {
        Answer::Ok => "ok".into(),
        Answer::Fails(code) => Code::to_string(&code),
        Answer::Nothing => "nothing".into(),
    }
}

fn times_at(all: &[Heard]) -> String {
    let at: Vec<String> = all.iter().take(5).map(|heard| format!("{} s", heard.at)).collect();
    match all.len() {
        0 => "never".into(),
        count if count > at.len() => format!("{count} times, first at {}", at.join(", ")),
        1 => format!("once, at {}", at[0]),
        count => format!("{count} times, at {}", at.join(", ")),
    }
}

fn listed(names: &BTreeSet<String>) -> String {
    if names.is_empty() { "none".into() } else { names.iter().cloned().collect::<Vec<_>>().join(" ") }
}
