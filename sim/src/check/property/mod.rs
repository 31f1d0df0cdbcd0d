//! What must hold in every run, judged by its trace alone.
//!
//! A property is a sentence and the code that knows when it is broken. All of them watch a run while
//! it happens, beside two views that they share: the server as its facts tell it, and each device as
//! its events tell it. None of them runs anything, and none looks into a core.
//!
//! What one scenario expects beyond that is `expect`'s part.

/// What every property has to say of itself: its kind, its sentence, its rules.
macro_rules! sentence {
    ($kind:ident, $name:expr, $($rule:literal),+) => {
        fn kind(&self) -> $crate::check::property::Kind {
            $crate::check::property::Kind::$kind
        }

        fn name(&self) -> &'static str {
            $name
        }

        fn rules(&self) -> &'static [$crate::scenario::rules::RuleId] {
            const { &[$($crate::scenario::rules::rule($rule)),+] }
        }
    };
}

/// The kinds of events that a property is shown, where these are not all: words, before them
/// `devices` for everything that happens to a device, and `decision` for the changes the server decides.
macro_rules! watches {
    (devices $(, $word:literal)*) => {
        fn watches(&self) -> $crate::check::property::kinds::Kinds {
            const { $crate::check::property::kinds::Kinds::of(&[$($word),*]).and($crate::check::property::kinds::Kinds::OF_DEVICES) }
        }
    };
    ($($word:literal),*) => {
        fn watches(&self) -> $crate::check::property::kinds::Kinds {
            const { $crate::check::property::kinds::Kinds::of(&[$($word),*]) }
        }
    };
}

mod account;
mod admin;
mod allowance;
mod attempt;
mod calls;
mod commit;
mod confirm;
mod connecting;
mod connection;
mod day;
mod ends;
mod ghost;
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
mod renewal;
mod sdk;
mod sdk_model;
mod server;
mod server_model;
mod silence;
mod status;
#[cfg(test)]
mod story;
mod terminal;
mod ticket;

use gatecrash::time::Instant;

use crate::check::Violation;
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
    /// How it can be broken.
    fn kind(&self) -> Kind;

    /// What holds, as a sentence.
    fn name(&self) -> &'static str;

    /// The rules it guards.
    fn rules(&self) -> &'static [RuleId];

    /// The kinds of events it wants to observe, and whether it wants to be shown decisions.
    fn watches(&self) -> Kinds {
        Kinds::ALL
    }

    /// One more event, of a kind it watches. The views show what was before it.
    fn observe(&mut self, scene: &Scene<'_>, event: &Event, report: &mut Report) {
        let _ = (scene, event, report);
    }

    /// The server decided a change, if it watches decisions. The views show what was before it.
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

/// How a property can be broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// By something that happens.
    Always,
    /// Also by something that does not happen, when its time is up. The time is computed: from the limits
    /// of the rule, and from the tick and the disk of the run.
    Eventually,
}

impl Kind {
    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Always => "always",
            Kind::Eventually => "eventually",
        }
    }
}

/// Every property, for a run of this scenario.
pub fn all(scenario: &Scenario) -> Vec<Box<dyn Property>> {
    let mut every: Vec<Box<dyn Property>> = vec![
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
        Box::new(reason::Reasons::default()),
        Box::new(notice::Notices::default()),
        Box::new(lists::Lists::default()),
        Box::new(query::Queries::default()),
        Box::new(confirm::Confirmations::default()),
        Box::new(ghost::Ghosts::default()),
        Box::new(renewal::Renewals::default()),
    ];
    every.extend(models(scenario));
    every
}

/// Those that hold a run against the model of the truth, whatever is wrong in it.
pub fn models(scenario: &Scenario) -> [Box<dyn Property>; 2] {
    [Box::new(server_model::ServerModel::new(scenario)), Box::new(sdk_model::SdkModel::new(scenario))]
}

/// Their sentences.
pub const MODELS: [&str; 2] = [server_model::SENTENCE, sdk_model::SENTENCE];

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
    /// Each property's name, and how many it found.
    finders: Vec<(&'static str, usize)>,
    /// Whose turn it is.
    finder: usize,
    /// In the order in which it was, but that at one instant a model comes last: it knows that something is
    /// wrong, and a property what.
    found: Vec<Violation>,
}

impl Report {
    /// What should have happened did not.
    fn violation(&mut self, rule: RuleId, at: Instant, actor: Actor, number: u32, text: String) {
        self.add(rule, at, actor, number, None, text);
    }

    /// The event shows it.
    fn event(&mut self, rule: RuleId, event: &Event, text: String) {
        let &Event { at, actor, number, what } = event;
        self.add(rule, at, actor, number, Some(what.word()), text);
    }

    /// The server's decision shows it.
    fn decision(&mut self, rule: RuleId, decision: &Decision, text: String) {
        let &Decision { at, number, .. } = decision;
        self.add(rule, at, Actor::Server, number, Some("commit"), text);
    }

    fn add(&mut self, rule: RuleId, at: Instant, actor: Actor, number: u32, kind: Option<&'static str>, text: String) {
        let (property, found) = &mut self.finders[self.finder];
        *found += 1;
        if *found > VIOLATIONS_MAX {
            return;
        }
        let of_model = |one: &&Violation| one.at == at && MODELS.contains(&one.property);
        let after = if MODELS.contains(property) { 0 } else { self.found.iter().rev().take_while(of_model).count() };
        self.found.insert(self.found.len() - after, Violation { property, rule, text, at, actor, number, kind });
    }
}

/// Every property at work on one run.
pub struct Checks {
    properties: Vec<Box<dyn Property>>,
    /// For each kind of event, and for decisions, a bit for each property that watches it.
    watchers: [u32; Kinds::COUNT],
    server: ServerView,
    sdks: Sdks,
    allowance: Allowance,
    decision: Decision,
    is_deciding: bool,
    converged: bool,
    now: Instant,
    report: Report,
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
            let bit = 1_u32.checked_shl(index as u32).expect("under 33 properties");
            property.watches().places().for_each(|kind| watchers[kind] |= bit);
        }
        let finders = properties.iter().map(|property| (property.name(), 0)).collect();
        Checks {
            watchers,
            properties,
            server: ServerView::default(),
            sdks: Sdks::default(),
            allowance: Allowance::new(scenario),
            decision: Decision { commit: 0, wall: 0, at: Instant::ZERO, number: 0, facts: Vec::new() },
            is_deciding: false,
            converged: false,
            now: Instant::ZERO,
            report: Report { finders, finder: 0, found: Vec::new() },
        }
    }

    /// What was found so far.
    pub fn violations(&self) -> &[Violation] {
        &self.report.found
    }

    /// The run is over: everything that was found, in the order in which it was.
    pub fn finish(&mut self, cast: &Cast) -> Vec<Violation> {
        self.close(cast);
        std::mem::take(&mut self.report.found)
    }

    /// The run is over: what is found out by that joins what was found so far.
    pub(crate) fn close(&mut self, cast: &Cast) {
        self.close_decision(cast);
        self.ask(cast, u32::MAX, |property, scene, _, report| property.finish(scene, report));
    }

    /// Asks the properties with these bits.
    fn ask(
        &mut self,
        cast: &Cast,
        mut bits: u32,
        mut ask: impl FnMut(&mut dyn Property, &Scene<'_>, &Decision, &mut Report),
    ) {
        let Checks { properties, server, sdks, allowance, decision, converged, now, report, .. } = self;
        let scene = Scene { cast, server, sdks, allowance, now: *now, converged: *converged };
        while let Some(property) = properties.get_mut(bits.trailing_zeros() as usize) {
            report.finder = bits.trailing_zeros() as usize;
            bits &= bits - 1;
            ask(property.as_mut(), &scene, decision, report);
        }
    }

    /// The facts of a change follow it at once: whatever else happens next closes it.
    fn close_decision(&mut self, cast: &Cast) {
        if !self.is_deciding {
            return;
        }
        self.is_deciding = false;
        let watching = self.watchers[Kinds::DECISION];
        self.ask(cast, watching, |property, scene, decision, report| property.decide(scene, decision, report));
        self.server.decided(&self.decision);
        self.ask(cast, watching, |property, scene, decision, report| property.decided(scene, decision, report));
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
        let kind = event.what.index();
        debug_assert!(!matches!(event.actor, Actor::Device(_)) || Kinds::OF_DEVICES.has(kind), "{}", event.what.word());
        self.ask(cast, self.watchers[kind], |property, scene, _, report| property.observe(scene, event, report));
        match event.what {
            What::Commit { commit, wall } => {
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
        let document = include_str!("../../../../docs/properties.md");
        let rows: Vec<&str> = document.lines().filter(|line| line.ends_with(".rs` |")).collect();
        let properties = all(&story::scenario());
        assert_eq!(rows.len(), properties.len());
        for (row, property) in rows.iter().zip(properties) {
            let rules: Vec<&str> = property.rules().iter().map(|rule| rule.as_str()).collect();
            let expected = format!("| {} | {} | {} |", property.kind().word(), property.name(), rules.join(", "));
            assert!(row.starts_with(&expected), "{row}\nshould begin with\n{expected}");
        }
    }

    /// At one instant it says what is wrong before the model says that something is.
    #[test]
    fn a_model_comes_last_at_one_instant_and_first_at_an_earlier_one() {
        let that = MODELS[0];
        let mut report = Report { finders: vec![("what", 0), ("also", 0), (that, 0)], finder: 0, found: Vec::new() };
        for (finder, second) in [(2, 1), (2, 1), (0, 1), (1, 1), (2, 1), (2, 2), (0, 3), (2, 3)] {
            report.finder = finder;
            let at = Instant::from_micros(second * 1_000_000);
            report.violation(crate::scenario::rules::rule("KICK-1"), at, Actor::Server, 0, String::new());
        }
        let found: Vec<(&str, u64)> =
            report.found.iter().map(|one| (one.property, one.at.as_micros() / 1_000_000)).collect();
        let at_one = [("what", 1), ("also", 1), (that, 1), (that, 1), (that, 1)];
        assert_eq!(found[..5], at_one);
        assert_eq!(found[5..], [(that, 2), ("what", 3), (that, 3)]);
    }
}
