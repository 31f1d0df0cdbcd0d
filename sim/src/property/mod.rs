//! What must hold in every run, judged by its trace alone.
//!
//! A property is a sentence and the code that knows when it is broken. All of them watch a run while
//! it happens, beside two views that they share: the server as its facts tell it, and each device as
//! its events tell it. None of them runs anything, and none looks into a core.
//!
//! What one scenario expects beyond that is `expect`'s part.

/// The two things every property has to say of itself.
macro_rules! sentence {
    ($name:literal, $($rule:literal),+) => {
        fn name(&self) -> &'static str {
            $name
        }

        fn rules(&self) -> &'static [$crate::scenario::rules::RuleId] {
            const { &[$($crate::scenario::rules::rule($rule)),+] }
        }
    };
}

/// The kinds of events that a property's `observe` is called for, where these are not all.
macro_rules! watches {
    ($($word:literal),*) => {
        fn watches(&self) -> $crate::property::kinds::Kinds {
            const { $crate::property::kinds::Kinds::of(&[$($word),*]) }
        }
    };
}

mod account;
mod admin;
mod allowance;
mod attempt;
mod calls;
mod commit;
mod connecting;
mod connection;
mod day;
mod ends;
mod heard;
mod kick;
mod kinds;
mod link;
mod lists;
mod lock;
mod message;
mod notice;
mod owed;
mod policy;
mod presence;
mod query;
#[cfg(test)]
mod random;
mod reason;
mod sdk;
mod server;
mod silence;
mod status;
#[cfg(test)]
mod story;
mod terminal;
mod ticket;

use gatecrash::time::Instant;

use crate::Violation;
use crate::scenario::Scenario;
use crate::scenario::rules::RuleId;
use crate::trace::{Actor, Cast, DeviceIndex, Event, Fact, Observer, Trace, UserIndex, What};
use allowance::Allowance;
use kinds::Kinds;
use sdk::Sdks;
use server::ServerView;

/// The most violations of one property that one run reports: the first ones tell the story.
const VIOLATIONS_MAX: usize = 8;

/// Something that holds in every run.
pub trait Property: Send {
    /// What holds, as a sentence.
    fn name(&self) -> &'static str;

    /// The rules it guards.
    fn rules(&self) -> &'static [RuleId];

    /// The kinds of events it wants to observe.
    fn watches(&self) -> Kinds {
        Kinds::ALL
    }

    /// One more event, of a kind it watches. The views show what was before it.
    fn observe(&mut self, scene: &Scene<'_>, event: &Event, report: &mut Report) {
        let _ = (scene, event, report);
    }

    /// The server decided a change. The views show what was before it.
    fn decide(&mut self, scene: &Scene<'_>, decision: &Decision, report: &mut Report) {
        let _ = (scene, decision, report);
    }

    /// The same, when the views show what is after it.
    fn decided(&mut self, scene: &Scene<'_>, decision: &Decision, report: &mut Report) {
        let _ = (scene, decision, report);
    }

    /// The run is over.
    fn finish(&mut self, scene: &Scene<'_>, report: &mut Report) {
        let _ = (scene, report);
    }
}

/// Every property, for a run of this scenario.
pub fn all(scenario: &Scenario) -> Vec<Box<dyn Property>> {
    vec![
        Box::new(policy::Policy::default()),
        Box::new(kick::Kicks::default()),
        Box::new(status::StatusMoves::default()),
        Box::new(calls::Calls),
        Box::new(account::OneAccount::default()),
        Box::new(silence::Silence::default()),
        Box::new(connecting::Connecting::default()),
        Box::new(presence::PresenceReplays),
        Box::new(terminal::Terminal::default()),
        Box::new(heard::Heard::default()),
        Box::new(commit::CommitFirst::default()),
        Box::new(attempt::Attempts::default()),
        Box::new(owed::OwedEnds::default()),
        Box::new(ends::Ends::default()),
        Box::new(ticket::Tickets::new(scenario)),
        Box::new(day::Days),
        Box::new(message::Messages::default()),
        Box::new(link::Links::default()),
        Box::new(admin::Administrators::default()),
        Box::new(connection::Connections::default()),
        Box::new(lock::Locks::default()),
        Box::new(reason::Reasons),
        Box::new(notice::Notices),
        Box::new(lists::Lists::default()),
        Box::new(query::Queries::default()),
    ]
}

/// Judges a trace that kept its events.
pub fn check(scenario: &Scenario, trace: &Trace) -> Vec<Violation> {
    let mut checks = Checks::new(scenario);
    for event in &trace.events {
        checks.observe(&trace.cast, event);
    }
    checks.finish(&trace.cast)
}

/// What a property can look at.
pub struct Scene<'a> {
    /// Who and what events name.
    pub cast: &'a Cast,
    server: &'a ServerView,
    sdks: &'a Sdks,
    allowance: &'a Allowance,
    /// When the last event was.
    pub now: Instant,
    /// Whether the run came to rest after its faults.
    pub converged: bool,
}

impl Scene<'_> {
    /// The session in words.
    fn session(&self, device: DeviceIndex, user: UserIndex, epoch: u32) -> String {
        format!("the session of {} on {} (epoch {epoch})", self.cast.user_name(user), self.cast.device_name(device))
    }

    /// The device's name.
    fn device(&self, device: DeviceIndex) -> &str {
        self.cast.device_name(device)
    }

    /// The user's name.
    fn user(&self, user: UserIndex) -> &str {
        self.cast.user_name(user)
    }

    /// The user's name, or that there is none.
    fn maybe_user(&self, user: Option<UserIndex>) -> &str {
        user.map_or("nobody", |user| self.cast.user_name(user))
    }
}

/// A change that the server decided, with all its facts.
#[derive(Clone, Debug)]
pub struct Decision {
    /// Its number.
    pub commit: u32,
    /// The server's wall clock when it went to the disk, in microseconds since 1970.
    pub wall: u64,
    /// When that was.
    pub at: Instant,
    /// Which of the server's events it is.
    pub number: u32,
    /// What became true.
    pub facts: Vec<Fact>,
}

/// Takes violations.
#[derive(Clone, Debug)]
pub struct Report {
    property: &'static str,
    found_by_this: usize,
    found: Vec<Violation>,
}

impl Report {
    fn violation(&mut self, rule: RuleId, at: Instant, actor: Actor, number: u32, text: String) {
        self.found_by_this += 1;
        if self.found_by_this <= VIOLATIONS_MAX {
            self.found.push(Violation { property: self.property, rule, text, at, actor, number });
        }
    }

    /// The event shows it.
    fn event(&mut self, rule: RuleId, event: &Event, text: String) {
        self.violation(rule, event.at, event.actor, event.number, text);
    }

    /// The server's decision shows it.
    fn decision(&mut self, rule: RuleId, decision: &Decision, text: String) {
        self.violation(rule, decision.at, Actor::Server, decision.number, text);
    }
}

/// Every property at work on one run.
pub struct Checks {
    properties: Vec<Watcher>,
    /// For each kind of event, a bit for each property that watches it.
    watchers: [u32; What::WORDS.len()],
    server: ServerView,
    sdks: Sdks,
    allowance: Allowance,
    decision: Decision,
    is_deciding: bool,
    converged: bool,
    now: Instant,
    report: Report,
}

/// A property, with what would otherwise be asked of it at each event.
struct Watcher {
    property: Box<dyn Property>,
    name: &'static str,
    found: usize,
}

impl Checks {
    /// All properties, for a run of this scenario.
    pub fn new(scenario: &Scenario) -> Self {
        Checks::with(scenario, all(scenario))
    }

    /// These properties only.
    pub fn with(scenario: &Scenario, properties: Vec<Box<dyn Property>>) -> Self {
        let mut watchers = [0; _];
        for (index, property) in properties.iter().enumerate() {
            property
                .watches()
                .each(|kind| watchers[kind] |= 1_u32.checked_shl(index as u32).expect("under 33 properties"));
        }
        Checks {
            watchers,
            properties: properties
                .into_iter()
                .map(|property| Watcher { name: property.name(), property, found: 0 })
                .collect(),
            server: ServerView::default(),
            sdks: Sdks::default(),
            allowance: Allowance::new(scenario),
            decision: Decision { commit: 0, wall: 0, at: Instant::ZERO, number: 0, facts: Vec::new() },
            is_deciding: false,
            converged: false,
            now: Instant::ZERO,
            report: Report { property: "", found_by_this: 0, found: Vec::new() },
        }
    }

    /// What was found so far.
    pub fn violations(&self) -> &[Violation] {
        &self.report.found
    }

    /// The run is over: everything that was found, in the order in which it was.
    pub fn finish(&mut self, cast: &Cast) -> Vec<Violation> {
        self.close_decision(cast);
        self.each(cast, |property, scene, _, report| property.finish(scene, report));
        std::mem::take(&mut self.report.found)
    }

    /// Shows the event to those who watch its kind.
    fn show(&mut self, cast: &Cast, event: &Event) {
        let Checks { properties, watchers, server, sdks, allowance, converged, now, report, .. } = self;
        let scene = Scene { cast, server, sdks, allowance, now: *now, converged: *converged };
        let mut watching = watchers[event.what.index()];
        while watching != 0 {
            let Watcher { property, name, found } = &mut properties[watching.trailing_zeros() as usize];
            watching &= watching - 1;
            report.property = name;
            report.found_by_this = *found;
            property.observe(&scene, event, report);
            *found = report.found_by_this;
        }
    }

    fn each(&mut self, cast: &Cast, mut ask: impl FnMut(&mut dyn Property, &Scene<'_>, &Decision, &mut Report)) {
        let Checks { properties, server, sdks, allowance, decision, converged, now, report, .. } = self;
        let scene = Scene { cast, server, sdks, allowance, now: *now, converged: *converged };
        for Watcher { property, name, found } in properties {
            report.property = name;
            report.found_by_this = *found;
            ask(property.as_mut(), &scene, decision, report);
            *found = report.found_by_this;
        }
    }

    /// The facts of a change follow it at once: whatever else happens next closes it.
    fn close_decision(&mut self, cast: &Cast) {
        if !self.is_deciding {
            return;
        }
        self.is_deciding = false;
        self.each(cast, |property, scene, decision, report| property.decide(scene, decision, report));
        self.server.decided(&self.decision);
        self.each(cast, |property, scene, decision, report| property.decided(scene, decision, report));
    }
}

impl Observer for Checks {
    fn observe(&mut self, cast: &Cast, event: &Event) {
        if let What::Fact { fact, .. } = event.what {
            self.decision.facts.push(fact);
            return;
        }
        self.close_decision(cast);
        self.now = event.at;
        self.show(cast, event);
        match event.what {
            What::Commit { commit, wall } => {
                self.server.restarted_with(commit);
                let Decision { facts, .. } = &mut self.decision;
                facts.clear();
                let facts = std::mem::take(facts);
                self.decision = Decision { commit, wall: wall.get(), at: event.at, number: event.number, facts };
                self.is_deciding = true;
            }
            What::Converged => self.converged = true,
            _ => {}
        }
        self.server.observe(event);
        self.sdks.observe(event);
        self.allowance.observe(event);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table for people names every property with its rules, in their order.
    #[test]
    fn the_table_in_the_documents_is_complete() {
        let document = include_str!("../../../docs/properties.md");
        let rows: Vec<&str> = document.lines().filter(|line| line.ends_with(".rs` |")).collect();
        let properties = all(&story::scenario());
        assert_eq!(rows.len(), properties.len());
        for (row, property) in rows.iter().zip(properties) {
            let rules: Vec<&str> = property.rules().iter().map(|rule| rule.as_str()).collect();
            let expected = format!("| {} | {} |", property.name(), rules.join(", "));
            assert!(row.starts_with(&expected), "{row}\nshould begin with\n{expected}");
        }
    }
}
