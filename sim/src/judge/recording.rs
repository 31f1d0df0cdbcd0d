//! The events of a history as they were judged, kept so that they can be shown.
//!
//! Keeps the part of a long history that matters: what led to the first breach and what followed, or else its end. Draws
//! nothing: the page and the reports do.

use std::collections::{BTreeMap, VecDeque};

use super::answer::{Breach, Line};
use super::outside;
use crate::Run;
use crate::history::event::{Event, Platform, User, What};
use crate::history::{Cast, story};
use crate::scenario::{CallKind, Scenario};
use crate::world::World;

/// The most events that are kept before there is a breach.
pub const EVENTS_MAX: usize = 200_000;

/// Of so many a quarter more is kept for what follows one.
const PARTS_AFTER: usize = 4;

/// What is kept of a history.
///
/// ```
/// use gatecrash_sim::judge::{Recording, Source, judge_sources};
///
/// let history = r#"{"history":1,"system":"acme-im","observes":["calls","events"]}
/// {"at_us":1,"actor":"phone","what":"called","call":1,"request":"login","user":"alice","platform":"android"}
/// {"at_us":2,"actor":"phone","what":"answered","call":1,"outcome":"ok"}"#;
/// let source = Source { name: "h.jsonl".to_owned(), text: Box::new(history.as_bytes()) };
/// let mut recording = Recording::default();
/// judge_sources(vec![source], &[], Some(&mut recording))?;
/// assert_eq!(recording.moments[1].what, "login answered: ok call=1");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Recording {
    /// Who it speaks of.
    pub cast: Cast,
    /// The platform of each device, by the device's number.
    pub platforms: Vec<Option<Platform>>,
    /// What happened.
    pub moments: VecDeque<Moment>,
    /// How many events before them are not kept.
    pub before: u64,
    /// How many after them.
    pub after: u64,
    /// How many there were of each kind, kept or not.
    pub counts: BTreeMap<&'static str, u64>,
    /// The run that the history is all of; then no moments are kept.
    pub whole: Option<Box<Whole>>,
    /// Calls without a result: of which device, by which number.
    open: BTreeMap<(u32, u64), CallKind>,
    /// How many are kept before what matters.
    most: usize,
    /// The line that matters, where it is known before.
    line: Option<Line>,
    /// Whether what matters has come.
    has_come: bool,
}

impl Default for Recording {
    fn default() -> Self {
        Recording::of(EVENTS_MAX, None)
    }
}

/// An event that is kept.
#[derive(Clone, Debug)]
pub struct Moment {
    /// It.
    pub event: Event,
    /// Of a result, which call it is of.
    pub call: Option<CallKind>,
    /// Who acts towards whom.
    pub who: String,
    /// What happened, in a line.
    pub what: String,
    /// What its application has reason to take the device for from then on.
    pub standing: Standing,
}

/// What an application has reason to take its device for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Logged in.
    In {
        /// As whom.
        user: User,
        /// By which login, counted over all devices.
        login: u64,
    },
    /// Not logged in: why, in a word or two, where that is known.
    Out(&'static str),
}

/// A run of one of our worlds that a history is all of.
#[derive(Debug)]
pub struct Whole {
    /// What ran.
    pub scenario: Scenario,
    /// Where.
    pub world: World,
    /// What came of it.
    pub run: Run,
}

impl Recording {
    /// One in which this line matters, and not what is found broken first: the order of seats is judged at the end of a
    /// history, when the lines to blame may not be kept any more.
    pub fn around(line: Line) -> Recording {
        Recording::of(EVENTS_MAX, Some(line))
    }

    fn of(most: usize, line: Option<Line>) -> Recording {
        Recording {
            cast: Cast::default(),
            platforms: Vec::new(),
            moments: VecDeque::new(),
            before: 0,
            after: 0,
            counts: BTreeMap::new(),
            whole: None,
            open: BTreeMap::new(),
            most,
            line,
            has_come: false,
        }
    }

    /// The line of the first breach, where it is not kept.
    pub fn lost(&self, breaches: &[Breach]) -> Option<Line> {
        let first = breaches.first()?;
        let line = first.place.or(first.lines.last().copied())?;
        (self.before > 0 && self.positions(line).next().is_none()).then_some(line)
    }

    /// Keeps an event that a line tells. `is_broken` says that a breach was found by then.
    pub(super) fn keep(&mut self, cast: &Cast, event: &Event, line: &str, standing: Standing, is_broken: bool) {
        *self.counts.entry(kind(&event.what)).or_default() += 1;
        let actor = event.actor.0;
        let call = match event.what {
            What::Called { call, request } => {
                self.open.insert((actor, call), request.kind());
                None
            }
            What::Answered { call, kind, .. } => self.open.remove(&(actor, call)).or(kind),
            _ => None,
        };
        self.has_come |= self.line.map_or(is_broken, |line| outside::line(event.line) == line);
        if self.has_come && self.moments.len() >= self.most + self.most / PARTS_AFTER {
            self.after += 1;
            return;
        }
        if !self.has_come && self.moments.len() >= self.most {
            self.moments.pop_front();
            self.before += 1;
        }
        let (who, what) = story::told(cast.actors.name(actor), line, call.map(CallKind::word));
        let mut moment = Moment { event: *event, call, who, what, standing };
        if moment.is_nobodys() {
            moment.who = "history".to_owned();
        }
        self.moments.push_back(moment);
    }

    /// The history is over: of whom it speaks, and of which platform each device is.
    pub(super) fn finish(&mut self, cast: Cast, platforms: Vec<Option<Platform>>) {
        (self.cast, self.platforms) = (cast, platforms);
        // Lines of two actors may be out of order by what their clocks are apart; those of one are not.
        self.moments.make_contiguous().sort_by_key(|moment| moment.event.from);
    }

    /// How many events there were, kept or not.
    pub fn events(&self) -> u64 {
        self.before + self.moments.len() as u64 + self.after
    }

    /// Which of the moments are of this line: one line of a log may tell several.
    pub fn positions(&self, line: Line) -> impl Iterator<Item = usize> {
        let is_of = move |(_, moment): &(usize, &Moment)| outside::line(moment.event.line) == line;
        self.moments.iter().enumerate().filter(is_of).map(|(position, _)| position)
    }

    /// Which of the moments are to blame for a breach, in their order.
    pub fn blamed(&self, breach: &Breach) -> Vec<usize> {
        let mut all: Vec<usize> = breach.lines.iter().filter_map(|&line| self.positions(line).last()).collect();
        all.sort_unstable();
        all
    }

    /// Which of the moments shows a breach best.
    pub fn place(&self, breach: &Breach) -> Option<usize> {
        breach.place.iter().chain(breach.lines.last()).find_map(|&line| self.positions(line).last())
    }
}

impl Moment {
    /// Whether it is about no device.
    pub fn is_nobodys(&self) -> bool {
        matches!(
            self.event.what,
            What::Ticket { .. } | What::Presence { .. } | What::PolicyChanged { .. } | What::End { .. }
        )
    }
}

/// Kinds of events, as lines name them.
pub const KINDS: [&str; 13] = [
    "called",
    "answered",
    "uninit_returned",
    "network_changed",
    "told",
    "status",
    "process",
    "link",
    "new_device",
    "ticket_made",
    "presence",
    "configured",
    "end",
];

/// Of which kind something is that happened.
pub fn kind(what: &What) -> &'static str {
    match what {
        What::Called { .. } => "called",
        What::Brings { .. } | What::Answered { .. } => "answered",
        What::UninitReturned => "uninit_returned",
        What::NetworkChanged => "network_changed",
        What::Told { .. } => "told",
        What::Status { .. } => "status",
        What::Process(_) => "process",
        What::Link { .. } => "link",
        What::Identity(_) => "new_device",
        What::Ticket { .. } => "ticket_made",
        What::Presence { .. } => "presence",
        What::PolicyChanged { .. } => "configured",
        What::End { .. } => "end",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::{Judgement, Source, judge_sources};

    const NEVER_TOLD: &str = include_str!("../../../examples/histories/never-told.jsonl");

    fn judged(history: &str, recording: &mut Recording) -> Judgement {
        let source = Source { name: "h.jsonl".to_owned(), text: Box::new(history.as_bytes()) };
        judge_sources(vec![source], &[], Some(recording)).expect("it is in memory")
    }

    #[test]
    fn of_a_long_history_the_end_is_kept_or_what_lies_around_a_line() {
        let mut last = Recording::of(4, None);
        let breaches = judged(NEVER_TOLD, &mut last).breaches;
        assert_eq!((last.before, last.moments.len(), last.after, last.events()), (9, 4, 0, 13));
        assert_eq!(last.counts["told"], 4, "they are counted, kept or not");
        let line = last.lost(&breaches).expect("the first login is not kept");
        assert_eq!((line, last.place(&breaches[0])), (Line { file: 0, line: 2 }, None));
        let mut around = Recording::of(4, Some(line));
        judged(NEVER_TOLD, &mut around);
        assert_eq!((around.before, around.moments.len(), around.after), (0, 5, 8));
        assert_eq!((around.lost(&breaches), around.place(&breaches[0])), (None, Some(0)));
    }

    #[test]
    fn what_follows_the_first_breach_is_kept_up_to_a_number() {
        let twice = NEVER_TOLD.lines().nth(6).map(|line| line.replace("1084000", "1085000")).expect("it is a result");
        let lines: Vec<&str> = NEVER_TOLD.lines().collect();
        let history = [&lines[..7], &[twice.as_str()], &lines[7..]].concat().join("\n");
        let mut recording = Recording::of(4, None);
        let breaches = judged(&history, &mut recording).breaches;
        assert_eq!(breaches[0].rule.as_str(), "LOGIN-3");
        assert_eq!((recording.before, recording.moments.len(), recording.after), (2, 5, 7));
        assert_eq!(recording.place(&breaches[0]), Some(4));
    }
}
