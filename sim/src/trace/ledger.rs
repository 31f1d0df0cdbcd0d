//! The ledger: how often each kind of thing happened in a run.
//!
//! What is reviewed of a run too large to be read, and what totals are made of. Counts only.

use std::collections::BTreeMap;
use std::fmt;

use gatecrash::store::EndReason;
use gatecrash::time::Instant;

use super::cast::Cast;
use super::{Event, Fact, Observer, Outcome, Trace, What};

/// Counts by kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// How many events.
    pub events: u64,
    /// When the last one was: the simulated time of the run.
    pub ended_at: Instant,
    counts: BTreeMap<(Section, String), u64>,
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
    const fn word(self) -> &'static str {
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

    /// How often this happened.
    pub fn number(&self, section: Section, word: &str) -> u64 {
        self.counts.get(&(section, word.to_owned())).copied().unwrap_or(0)
    }

    /// How many logins were accepted, resumes accepted as logins included.
    pub fn accepted(&self) -> u64 {
        self.number(Section::Fact, "session_accepted")
    }

    /// How many sessions another login displaced.
    pub fn displaced(&self) -> u64 {
        [EndReason::SamePlatform, EndReason::OtherPlatform]
            .iter()
            .map(|reason| self.number(Section::Fact, &ended(*reason)))
            .sum()
    }

    /// Counts one more event.
    pub fn count(&mut self, event: &Event) {
        self.events += 1;
        self.ended_at = self.ended_at.max(event.at);
        let device = |word: &str| Some((Section::Device, word.to_owned()));
        let phase = |word: &str| Some((Section::Phase, word.to_owned()));
        let counted = match event.what {
            What::Called { request, .. } => Some((Section::Call, request.word().to_owned())),
            What::Answered { kind, outcome, .. } => {
                let kind = kind.map_or("unasked", |kind| kind.word());
                let outcome = match outcome {
                    Outcome::Failed { code } => format!("[{}]", code.number()),
                    Outcome::Done
                    | Outcome::Message { .. }
                    | Outcome::Conversations { .. }
                    | Outcome::Report { .. } => "ok".to_owned(),
                };
                Some((Section::Result, format!("{kind} {outcome}")))
            }
            What::Told { event, .. } => Some((Section::Event, event.word().to_owned())),
            What::Fact { fact: Fact::SessionEnded { reason, .. }, .. } => Some((Section::Fact, ended(reason))),
            What::Fact { fact, .. } => Some((Section::Fact, fact.word().to_owned())),
            What::Commit { .. } => Some((Section::Commit, "decided".to_owned())),
            What::Committed { .. } => Some((Section::Commit, "on disk".to_owned())),
            What::DeviceSent { frame, .. } => Some((Section::DeviceFrame, frame.word().to_owned())),
            What::ServerSent { frame, .. } => Some((Section::ServerFrame, frame.word().to_owned())),
            What::Malformed { why, .. } => Some((Section::Malformed, why.word().to_owned())),
            What::BackOff { .. }
            | What::LinkLost
            | What::NewDevice { .. }
            | What::ConnectAsked { .. }
            | What::Connected { .. }
            | What::ConnectFailed { .. }
            | What::Stored { .. } => device(event.what.word()),
            What::Fault { fault } => Some((Section::Fault, fault.word().to_owned())),
            What::Effect { effect } => Some((Section::Effect, effect.word().to_owned())),
            What::Stranger { conduct, .. } => Some((Section::Fault, format!("stranger {conduct}"))),
            What::ServerStarted { .. }
            | What::Configured { .. }
            | What::Dormant { .. }
            | What::ScriptEnded
            | What::Converged
            | What::NotConverged { .. } => phase(event.what.word()),
            What::UninitReturned { .. }
            | What::EventsDropped
            | What::Status { .. }
            | What::ServerReceived { .. }
            | What::DeviceReceived { .. }
            | What::Opened { .. }
            | What::CloseAsked { .. }
            | What::Gone { .. }
            | What::TicketJudged { .. }
            | What::ClockChanged { .. }
            | What::StoreAsked { .. }
            | What::SdkWoken
            | What::NetworkChanged
            | What::TicketMade { .. }
            | What::OldKeyDropped => None,
        };
        if let Some(key) = counted {
            *self.counts.entry(key).or_default() += 1;
        }
    }
}

fn ended(reason: EndReason) -> String {
    format!("session_ended {}", reason.word())
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
        for ((section, word), number) in &self.counts {
            writeln!(f, "{:<14}{:<30}{number:>12}", section.word(), word)?;
        }
        Ok(())
    }
}
