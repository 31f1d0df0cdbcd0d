//! The ledger: how often each kind of thing happened in a run.
//!
//! What is reviewed of a run too large to be read, and what totals are made of. Counts only.

use std::collections::BTreeMap;
use std::fmt;

use gatecrash::code::Code;
use gatecrash::protocol::FrameError;
use gatecrash::store::EndReason;
use gatecrash::time::Instant;

use super::cast::Cast;
use super::{ClientFrame, Effect, Event, Fact, Fault, Observer, Outcome, Request, ServerFrame, Told, Trace, What};
use crate::scenario::{CallKind, Conduct};

/// Counts by kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ledger {
    /// How many events.
    pub events: u64,
    /// When the last one was: the simulated time of the run.
    pub ended_at: Instant,
    // Every event is counted while searching, so a count is an element of an array.
    calls: [u64; Request::WORDS.len()],
    told: [u64; Told::WORDS.len()],
    facts: [u64; Fact::WORDS.len()],
    device_frames: [u64; ClientFrame::WORDS.len()],
    server_frames: [u64; ServerFrame::WORDS.len()],
    faults: [u64; Fault::WORDS.len()],
    effects: [u64; Effect::WORDS.len()],
    others: [u64; What::WORDS.len()],
    results: BTreeMap<(Option<CallKind>, Option<Code>), u64>,
    ended: BTreeMap<EndReason, u64>,
    malformed: BTreeMap<FrameError, u64>,
    strangers: BTreeMap<Conduct, u64>,
}

impl Default for Ledger {
    fn default() -> Self {
        Ledger {
            events: 0,
            ended_at: Instant::ZERO,
            calls: [0; _],
            told: [0; _],
            facts: [0; _],
            device_frames: [0; _],
            server_frames: [0; _],
            faults: [0; _],
            effects: [0; _],
            others: [0; _],
            results: BTreeMap::new(),
            ended: BTreeMap::new(),
            malformed: BTreeMap::new(),
            strangers: BTreeMap::new(),
        }
    }
}

/// What a count is about, in the order of the rendered ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Section {
    /// Calls made, by kind.
    Call,
    /// Results of calls, by kind and code.
    Result,
    /// Listener calls, by event.
    Event,
    /// Facts committed, by kind; ended sessions also by reason.
    Fact,
    /// Commits: decided, and on disk.
    Commit,
    /// Frames sent by devices, by kind.
    DeviceFrame,
    /// Frames sent by the server, by kind.
    ServerFrame,
    /// Inputs that were no frames, by kind.
    Malformed,
    /// What happened on devices of its own accord.
    Device,
    /// Faults taken, by kind.
    Fault,
    /// Effects seen, by kind.
    Effect,
    /// Phases of the run.
    Phase,
}

impl Section {
    /// What the section is called.
    pub const fn word(self) -> &'static str {
        match self {
            Section::Call => "call",
            Section::Result => "result",
            Section::Event => "event",
            Section::Fact => "fact",
            Section::Commit => "commit",
            Section::DeviceFrame => "device frame",
            Section::ServerFrame => "server frame",
            Section::Malformed => "malformed",
            Section::Device => "device",
            Section::Fault => "fault",
            Section::Effect => "effect",
            Section::Phase => "phase",
        }
    }
}

impl Ledger {
    /// The ledger of a trace that kept its events.
    pub fn of(trace: &Trace) -> Self {
        let mut ledger = Ledger::default();
        for event in &trace.events {
            ledger.count(event);
        }
        ledger
    }

    /// What is kept of it: without what the latencies have a say in, such as how many commits share a write.
    pub fn kept(&self) -> String {
        let mut text = format!("{:<44}{:>12}\n", "simulated seconds", self.ended_at.as_micros() / 1_000_000);
        for (section, word, number) in self.counts() {
            let is_of_disks =
                matches!((section, word.as_str()), (Section::Commit, "on disk") | (Section::Device, "stored"));
            if !is_of_disks {
                text.push_str(&line(section, &word, number));
            }
        }
        text
    }

    /// How often this happened.
    pub fn number(&self, section: Section, word: &str) -> u64 {
        self.counts().filter(|(of, one, _)| *of == section && one == word).map(|(.., number)| number).sum()
    }

    /// How many logins were accepted, resumes accepted as logins included.
    pub fn accepted(&self) -> u64 {
        self.number(Section::Fact, "session_accepted")
    }

    /// How many sessions another login displaced.
    pub fn displaced(&self) -> u64 {
        self.ended.iter().filter(|(reason, _)| reason.is_displacement()).map(|(_, number)| number).sum()
    }

    /// Counts one more event.
    #[inline]
    pub fn count(&mut self, event: &Event) {
        self.events += 1;
        self.ended_at = self.ended_at.max(event.at);
        match event.what {
            What::Called { request, .. } => self.calls[request.index()] += 1,
            What::Answered { kind, outcome, .. } => {
                let code = match outcome {
                    Outcome::Failed { code, .. } => Some(code),
                    Outcome::Done
                    | Outcome::Message { .. }
                    | Outcome::Conversations { .. }
                    | Outcome::Report { .. } => None,
                };
                *self.results.entry((kind, code)).or_default() += 1;
            }
            What::Told { event, .. } => self.told[event.index()] += 1,
            What::Fact { fact: Fact::SessionEnded { reason, .. }, .. } => *self.ended.entry(reason).or_default() += 1,
            What::Fact { fact, .. } => self.facts[fact.index()] += 1,
            What::DeviceSent { frame, .. } => self.device_frames[frame.index()] += 1,
            What::ServerSent { frame, .. } => self.server_frames[frame.index()] += 1,
            What::Malformed { why, .. } => *self.malformed.entry(why).or_default() += 1,
            What::Fault { fault } => self.faults[fault.index()] += 1,
            What::Effect { effect } => self.effects[effect.index()] += 1,
            What::Stranger { conduct, .. } => *self.strangers.entry(conduct).or_default() += 1,
            _ => self.others[event.what.index()] += 1,
        }
    }

    /// Puts the counts of another run to these. The time is that of both runs together.
    pub fn add(&mut self, other: &Ledger) {
        self.events += other.events;
        self.ended_at = Instant::from_micros(self.ended_at.as_micros() + other.ended_at.as_micros());
        let add = |ours: &mut [u64], theirs: &[u64]| ours.iter_mut().zip(theirs).for_each(|(our, their)| *our += their);
        add(&mut self.calls, &other.calls);
        add(&mut self.told, &other.told);
        add(&mut self.facts, &other.facts);
        add(&mut self.device_frames, &other.device_frames);
        add(&mut self.server_frames, &other.server_frames);
        add(&mut self.faults, &other.faults);
        add(&mut self.effects, &other.effects);
        add(&mut self.others, &other.others);
        merge(&mut self.results, &other.results);
        merge(&mut self.ended, &other.ended);
        merge(&mut self.malformed, &other.malformed);
        merge(&mut self.strangers, &other.strangers);
    }

    /// Every count that is not zero, by section and word.
    pub fn counts(&self) -> impl Iterator<Item = (Section, String, u64)> {
        let words = |section, words: &[&'static str], counts: &[u64]| -> Vec<(Section, String, u64)> {
            words.iter().zip(counts).map(|(word, &number)| (section, (*word).to_owned(), number)).collect()
        };
        let mut counts = words(Section::Call, Request::WORDS, &self.calls);
        for ((kind, code), &number) in &self.results {
            let kind = kind.map_or("unasked", |kind| kind.word());
            let outcome = code.map_or("ok".to_owned(), |code| format!("[{}]", code.number()));
            counts.push((Section::Result, format!("{kind} {outcome}"), number));
        }
        counts.extend(words(Section::Event, Told::WORDS, &self.told));
        counts.extend(words(Section::Fact, Fact::WORDS, &self.facts));
        for (reason, &number) in &self.ended {
            counts.push((Section::Fact, format!("session_ended {}", reason.word()), number));
        }
        counts.extend(words(Section::DeviceFrame, ClientFrame::WORDS, &self.device_frames));
        counts.extend(words(Section::ServerFrame, ServerFrame::WORDS, &self.server_frames));
        for (why, &number) in &self.malformed {
            counts.push((Section::Malformed, why.word().to_owned(), number));
        }
        counts.extend(words(Section::Fault, Fault::WORDS, &self.faults));
        for (conduct, &number) in &self.strangers {
            counts.push((Section::Fault, format!("stranger {conduct}"), number));
        }
        counts.extend(words(Section::Effect, Effect::WORDS, &self.effects));
        for (&word, &number) in What::WORDS.iter().zip(&self.others) {
            counts.extend(section_of(word).map(|(section, word)| (section, word.to_owned(), number)));
        }
        counts.retain(|(.., number)| *number > 0);
        counts.sort_unstable();
        counts.into_iter()
    }
}

/// A count on its line.
fn line(section: Section, word: &str, number: u64) -> String {
    format!("{:<14}{:<30}{number:>12}\n", section.word(), word)
}

fn merge<Key: Copy + Ord>(ours: &mut BTreeMap<Key, u64>, theirs: &BTreeMap<Key, u64>) {
    for (&key, &number) in theirs {
        *ours.entry(key).or_default() += number;
    }
}

/// Where an event that stands for itself is counted, and as what. The others say nothing by their number.
fn section_of(word: &'static str) -> Option<(Section, &'static str)> {
    match word {
        "commit" => Some((Section::Commit, "decided")),
        "committed" => Some((Section::Commit, "on disk")),
        "back_off" | "link_lost" | "link_kept" | "new_device" | "connect_asked" | "connected" | "connect_failed"
        | "untrusted" | "stored" => Some((Section::Device, word)),
        "server_started" | "configured" | "dormant" | "script_ended" | "converged" | "not_converged" => {
            Some((Section::Phase, word))
        }
        _ => None,
    }
}

impl Observer for Ledger {
    fn observe(&mut self, _: &Cast, event: &Event) {
        self.count(event);
    }
}

impl fmt::Display for Ledger {
    /// One count a line, aligned; each line ends with a newline.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<44}{:>12}", "simulated seconds", self.ended_at.to_string())?;
        writeln!(f, "{:<44}{:>12}", "events", self.events)?;
        for (section, word, number) in self.counts() {
            f.write_str(&line(section, &word, number))?;
        }
        Ok(())
    }
}
