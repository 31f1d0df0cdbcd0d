//! What a property of a history is: a sentence, what it takes to judge it, and code that takes the history event by
//! event.

use super::answer::{Breach, COUNT, Line, Rule};
use super::device::Device;
use super::standing::Open;
use crate::history::event::{Event, User};
use crate::history::{Cast, Channels, Head};

/// Something that holds in every history of a system that keeps the rules.
pub(super) trait Outside: Send {
    /// What holds, as a sentence.
    fn name(&self) -> &'static str;

    /// When it has something to judge.
    fn asked_when(&self) -> &'static str;

    /// The rules that it judges.
    fn rules(&self) -> &'static [Rule];

    /// What a history has to hold in full for that.
    fn needs(&self) -> Channels;

    /// Takes in one event.
    fn see(&mut self, scene: &Scene<'_>, event: &Event, report: &mut Report);

    /// The history is over.
    fn finish(&mut self, end: &End<'_>, report: &mut Report) {
        let _ = (end, report);
    }
}

/// What a property can look at beside an event.
pub(super) struct Scene<'a> {
    pub(super) head: &'a Head,
    pub(super) cast: &'a Cast,
    /// The device to which the event happens, as it was before.
    pub(super) device: &'a Device,
    /// All of them, as they were before.
    pub(super) devices: &'a [Device],
    /// The call whose result this is.
    pub(super) open: Option<&'a Open>,
    /// The number that a login gets which is called now.
    pub(super) next: u64,
    /// How far the clock of whoever saw it may be from the truth.
    pub(super) skew: u64,
}

/// What a property can look at when the history is over.
pub(super) struct End<'a> {
    pub(super) cast: &'a Cast,
    pub(super) devices: &'a [Device],
    /// When, and whether everything had come to rest; none where the history has no end.
    pub(super) end: Option<(u64, bool)>,
}

/// What a history holds in the words of a sentence.
impl Scene<'_> {
    pub(super) fn actor(&self, event: &Event) -> &str {
        self.cast.actors.name(event.actor.0)
    }

    pub(super) fn user(&self, user: User) -> &str {
        self.cast.users.name(user.0)
    }
}

/// More breaches than this are counted, and not told.
const BREACHES_MAX: usize = 1_000;

/// What properties have found.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) judged: [u64; COUNT],
    pub(super) violated: [u64; COUNT],
    pub(super) breaches: Vec<Breach>,
    pub(super) more: u64,
    pub(super) undecided: Vec<String>,
}

impl Report {
    pub(super) fn new() -> Report {
        Report { judged: [0; COUNT], violated: [0; COUNT], breaches: Vec::new(), more: 0, undecided: Vec::new() }
    }

    /// The rule was asked, whatever the answer.
    pub(super) fn asked(&mut self, rule: Rule) {
        self.judged[rule.index()] += 1;
    }

    /// The rule was asked, and is broken unless `holds`.
    pub(super) fn check(&mut self, rule: Rule, holds: bool, breach: impl FnOnce() -> Found) {
        self.asked(rule);
        if !holds {
            self.broken(rule, breach());
        }
    }

    /// The rule is broken.
    pub(super) fn broken(&mut self, rule: Rule, found: Found) {
        self.violated[rule.index()] += 1;
        if self.breaches.len() >= BREACHES_MAX {
            self.more += 1;
            return;
        }
        let Found { property, text, at, actor, place, lines } = found;
        let mut lines: Vec<Line> = lines.into_iter().map(line).collect();
        lines.sort_unstable();
        lines.dedup();
        self.breaches.push(Breach { rule: rule.id(), property, text, at, actor, place: place.map(line), lines });
    }
}

/// What was found.
pub(super) struct Found {
    pub(super) property: &'static str,
    pub(super) text: String,
    pub(super) at: u64,
    pub(super) actor: String,
    /// The line at which it shows.
    pub(super) place: Option<u64>,
    pub(super) lines: Vec<u64>,
}

impl Found {
    /// About an event, and perhaps a line before it.
    pub(super) fn at(
        property: &'static str,
        scene: &Scene<'_>,
        event: &Event,
        before: Option<u64>,
        text: impl Into<String>,
    ) -> Found {
        Found {
            property,
            text: text.into(),
            at: event.from,
            actor: scene.actor(event).to_owned(),
            place: Some(event.line),
            lines: before.into_iter().chain([event.line]).collect(),
        }
    }
}

/// In an event's line, the highest bits say in which file it is.
pub(super) const FILE_SHIFT: u32 = 48;

/// The line of an event, and its file.
pub(super) fn line(line: u64) -> Line {
    Line { file: (line >> FILE_SHIFT) as u32, line: line & ((1 << FILE_SHIFT) - 1) }
}

/// How a code is shown.
pub(super) fn code(code: u32) -> String {
    gatecrash::code::Code::from_number(code).map_or_else(|| format!("[{code}]"), |code| code.to_string())
}
