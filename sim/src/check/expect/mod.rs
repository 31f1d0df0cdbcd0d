//! Whether a run showed what its scenario expects: read off the trace alone.
//!
//! Knows no rule. What must hold in every run is in `property`.

pub(crate) mod book;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::time::Duration;

use gatecrash::code::Code;
use gatecrash::protocol::Presence;
use gatecrash::time::Instant;

use crate::check::violation::Violation;
use crate::scenario::{Answer, CallKind, DeviceName, Expectation, ListenerEvent, Scenario, Shown, Window};
use crate::trace::{Actor, DeviceIndex, List, Outcome, Told, Trace};
use book::{Account, Book, Made};

/// What a violation says is broken when a file's own expectation is.
pub const PROPERTY: &str = "the run shows what the scenario expects";

/// Every expectation of the scenario that the trace does not bear out, in the order of the file.
pub fn misses(scenario: &Scenario, trace: &Trace) -> Vec<Violation> {
    let book = Book::read(trace);
    let reader = Reader { trace, book: &book };
    scenario
        .expectations
        .iter()
        .filter_map(|expectation| reader.miss(expectation).map(|miss| violation(scenario, trace, expectation, miss)))
        .collect()
}

/// What was seen instead, and where.
struct Miss {
    seen: String,
    at: Option<Instant>,
    device: Option<DeviceIndex>,
}

fn violation(scenario: &Scenario, trace: &Trace, expectation: &Expectation, miss: Miss) -> Violation {
    let end = trace.events.last().map_or(Instant::ZERO, |event| event.at);
    Violation {
        property: PROPERTY,
        rule: scenario.rules[0],
        text: format!("expected `{expectation}`, but {}", miss.seen),
        at: miss.at.unwrap_or(end),
        actor: miss.device.map_or(Actor::Server, Actor::Device),
        number: 0,
        kind: None,
    }
}

struct Reader<'a> {
    trace: &'a Trace,
    book: &'a Book,
}

impl Reader<'_> {
    fn miss(&self, expectation: &Expectation) -> Option<Miss> {
        match expectation {
            Expectation::Event { device, event, times, reason, code, between } => {
                let fits = |told: &Told| match told {
                    Told::KickedOffline { reason: given, .. } => reason.is_none_or(|reason| reason == *given),
                    Told::ConnectFailed { code: given } => code.is_none_or(|code| code == *given),
                    Told::Connecting | Told::ConnectSuccess | Told::UserSigExpired | Told::Message { .. } => true,
                };
                let all: Vec<Instant> = self
                    .told(device)
                    .filter(|(_, told)| heard(told) == *event && fits(told))
                    .map(|(at, _)| at)
                    .collect();
                let inside = all.iter().filter(|&&at| within(*between, at)).count();
                (inside != *times as usize).then(|| Miss {
                    seen: format!("it fired {}", times_at(&all)),
                    at: all.first().copied(),
                    device: self.index(device),
                })
            }
            Expectation::Status { device, status, at } => {
                let (seen, since) = self.book.device(self.index(device)?).status_at(instant(*at));
                let word = seen.0.word();
                (word != status.word()).then(|| Miss {
                    seen: format!("it was {word} since {since} s"),
                    at: Some(since),
                    device: self.index(device),
                })
            }
            Expectation::LoginUser { device, user, at } => {
                let (seen, since) = self.book.device(self.index(device)?).status_at(instant(*at));
                let seen = seen.1.map(|user| self.trace.cast.user_name(user).to_owned());
                (seen.as_deref() != user.as_ref().map(|user| user.as_str())).then(|| Miss {
                    seen: format!("it was {} since {since} s", seen.unwrap_or_else(|| "none".into())),
                    at: Some(since),
                    device: self.index(device),
                })
            }
            Expectation::Answer { device, call, number, answer, between } => {
                self.answer_miss(device, *call, *number, *answer, *between)
            }
            Expectation::Conversations { device, number, with } => {
                let (made, miss) = self.made(device, CallKind::Conversations, *number);
                let Some((_, Outcome::Conversations { conversations })) = made.and_then(|made| made.answered) else {
                    return Some(miss("it was not answered with a list"));
                };
                let peers: BTreeSet<String> = match conversations.map(|list| self.trace.cast.list(list)) {
                    Some(List::Conversations(lines)) => {
                        lines.iter().map(|line| self.trace.cast.user_name(line.peer).to_owned()).collect()
                    }
                    Some(List::Devices(_) | List::Users(_) | List::Report(_)) | None => BTreeSet::new(),
                };
                let expected: BTreeSet<String> = with.iter().map(ToString::to_string).collect();
                (peers != expected).then(|| miss(&format!("it listed {}", listed(&peers))))
            }
            Expectation::Query { device, number, user, shown } => {
                let (made, miss) = self.made(device, CallKind::Query, *number);
                let Some((_, Outcome::Report { report })) = made.and_then(|made| made.answered) else {
                    return Some(miss("it was not answered with a report"));
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
                (seen != Some(*shown))
                    .then(|| miss(&format!("it showed {}", seen.map_or("nothing of this user", |shown| shown.word()))))
            }
            Expectation::Receives { device, text, times } => {
                let wanted = self.trace.cast.find_text(text);
                let all: Vec<Instant> = self
                    .told(device)
                    .filter(|(_, told)| matches!(told, Told::Message { text, .. } if Some(*text) == wanted))
                    .map(|(at, _)| at)
                    .collect();
                (all.len() != *times as usize).then(|| Miss {
                    seen: format!("it was received {}", times_at(&all)),
                    at: all.first().copied(),
                    device: self.index(device),
                })
            }
            Expectation::Online { user, devices, at } => {
                let account = self.account(user.as_str(), *at);
                self.devices_miss(devices, &account.online(), "online were")
            }
            Expectation::Sessions { user, devices, at } => {
                let account = self.account(user.as_str(), *at);
                self.devices_miss(devices, &account.with_session(), "sessions had")
            }
            Expectation::Presence { user, presence, at } => {
                let seen = self.account(user.as_str(), *at).presence;
                (seen != *presence).then(|| at_server(format!("it was {}", seen.word())))
            }
            Expectation::Counted { user, days } => {
                let seen = self.account(user.as_str(), None).days;
                (seen != *days).then(|| at_server(format!("{seen} were counted")))
            }
            Expectation::Epochs { user, logins } => {
                let seen = self.account(user.as_str(), None).logins;
                (seen != *logins).then(|| at_server(format!("{seen} were accepted")))
            }
        }
    }

    fn answer_miss(
        &self,
        device: &DeviceName,
        call: CallKind,
        number: u32,
        answer: Answer,
        between: Option<Window>,
    ) -> Option<Miss> {
        let (made, miss) = self.made(device, call, number);
        let Some(made) = made else { return Some(miss("there was no such call")) };
        let Some((at, outcome)) = made.answered else {
            return (answer != Answer::Nothing).then(|| miss("it was never answered"));
        };
        let seen = match outcome {
            Outcome::Done | Outcome::Message { .. } | Outcome::Conversations { .. } | Outcome::Report { .. } => {
                Answer::Ok
            }
            Outcome::Failed { code } => Answer::Fails(code),
        };
        let is_right = seen == answer && within(between, at);
        (!is_right).then(|| miss(&format!("it was answered {} at {at} s", answer_word(seen))))
    }

    /// The call, and how to say what is wrong with it.
    fn made(&self, device: &DeviceName, call: CallKind, number: u32) -> (Option<&Made>, impl Fn(&str) -> Miss + use<>) {
        let index = self.index(device);
        let made = index.and_then(|index| {
            let mut calls = self.book.device(index).calls.iter().filter(|made| made.kind == call);
            calls.nth(number as usize - 1)
        });
        let at = made.map(|made| made.answered.map_or(made.at, |(at, _)| at));
        (made, move |seen: &str| Miss { seen: seen.to_owned(), at, device: index })
    }

    fn told(&self, device: &DeviceName) -> impl Iterator<Item = (Instant, Told)> {
        let device = self.index(device).map(|index| self.book.device(index));
        device.into_iter().flat_map(|device| device.told.iter().copied())
    }

    fn index(&self, device: &DeviceName) -> Option<DeviceIndex> {
        self.trace.cast.find_device(device.as_str())
    }

    fn account(&self, user: &str, at: Option<Duration>) -> Account {
        let user = self.trace.cast.find_user(user);
        user.map(|user| self.book.account_at(user, instant(at))).unwrap_or_default()
    }

    fn devices_miss(&self, expected: &BTreeSet<DeviceName>, seen: &[DeviceIndex], lead: &str) -> Option<Miss> {
        let seen: BTreeSet<String> =
            seen.iter().map(|&device| self.trace.cast.device_name(device).to_owned()).collect();
        let expected: BTreeSet<String> = expected.iter().map(ToString::to_string).collect();
        (seen != expected).then(|| at_server(format!("{lead} {}", listed(&seen))))
    }
}

fn at_server(seen: String) -> Miss {
    Miss { seen, at: None, device: None }
}

/// The end of the run when no instant is named.
fn instant(at: Option<Duration>) -> Instant {
    at.map_or(Instant::from_micros(u64::MAX), |at| Instant::ZERO + at)
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
    }
}

fn answer_word(answer: Answer) -> String {
    match answer {
        Answer::Ok => "ok".into(),
        Answer::Fails(code) => Code::to_string(&code),
        Answer::Nothing => "nothing".into(),
    }
}

fn times_at(all: &[Instant]) -> String {
    let at: Vec<String> = all.iter().take(5).map(|at| format!("{at} s")).collect();
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
