//! Properties at work: each is shown the events it watches, and all of them the same views.

use std::time::Duration;

use gatecrash::time::Instant;

use super::allowance::Allowance;
use super::contract::Property;
use super::decision::Decision;
use super::frames::Frames;
use super::kinds::Kinds;
use super::report::Report;
use super::scene::Scene;
use super::sdk::Sdks;
use super::server::ServerView;
use crate::check::violation::Violation;
use crate::scenario::Scenario;
use crate::trace::{Actor, Cast, Event, Observer, What};

/// Every property at work on one run.
pub struct Checks {
    properties: Vec<Box<dyn Property>>,
    /// For each kind of event, and for decisions, a bit for each property that watches it.
    watchers: [u64; Kinds::COUNT],
    /// For each frame, a bit for each property that wants to see it.
    readers: [u64; Frames::COUNT],
    server: ServerView,
    sdks: Sdks,
    allowance: Allowance,
    decision: Decision,
    is_deciding: bool,
    pub(super) converged: bool,
    now: Instant,
    report: Report,
}

impl Checks {
    /// These properties only, for a run in a world that goes from tick to tick, or, with none, from event to event.
    pub fn with(scenario: &Scenario, tick: Duration, properties: Vec<Box<dyn Property>>) -> Self {
        let (mut watchers, mut readers) = ([0; _], [0; _]);
        for (index, property) in properties.iter().enumerate() {
            let bit = 1_u64.checked_shl(index as u32).expect("under 65 properties");
            property.watches().places().for_each(|kind| watchers[kind] |= bit);
            property.frames().places().for_each(|frame| readers[frame] |= bit);
        }
        let finders = properties.iter().map(|property| (property.name(), 0)).collect();
        Checks {
            watchers,
            readers,
            properties,
            server: ServerView::default(),
            sdks: Sdks::default(),
            allowance: Allowance::new(scenario, tick),
            decision: Decision { commit: 0, wall: 0, at: Instant::ZERO, number: 0, facts: Vec::new(), is_whole: true },
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
        self.ask(cast, None, u64::MAX, |property, scene, _, report| property.finish(scene, report));
    }

    /// Asks the properties with these bits, about an event if it is about one.
    fn ask(
        &mut self,
        cast: &Cast,
        event: Option<&Event>,
        mut bits: u64,
        mut ask: impl FnMut(&mut dyn Property, &Scene<'_>, &Decision, &mut Report),
    ) {
        let Checks { properties, server, sdks, allowance, decision, converged, now, report, .. } = self;
        let actor = event.and_then(|event| sdks.actor(event));
        let scene = Scene { cast, server, sdks, allowance, actor, now: *now, converged: *converged };
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
        self.ask(cast, None, watching, |property, scene, decision, report| property.decide(scene, decision, report));
        self.server.decided(&self.decision);
        self.ask(cast, None, watching, |property, scene, decision, report| property.decided(scene, decision, report));
    }
}

impl Observer for Checks {
    fn observe(&mut self, cast: &Cast, event: &Event) {
        if let What::Fact { commit, fact } = event.what {
            let Decision { commit: of, at, number, facts, is_whole, .. } = &mut self.decision;
            facts.push(fact);
            let next = *number + facts.len() as u32;
            *is_whole &= (event.actor, event.at, event.number, commit) == (Actor::Server, *at, next, *of);
            return;
        }
        self.close_decision(cast);
        self.now = event.at;
        let kind = event.what.index();
        debug_assert!(!matches!(event.actor, Actor::Device(_)) || Kinds::OF_DEVICES.has(kind), "{}", event.what.word());
        let everybody = self.watchers[kind];
        let watching = Frames::place_of(&event.what).map_or(everybody, |frame| everybody & self.readers[frame]);
        self.ask(cast, Some(event), watching, |property, scene, _, report| property.observe(scene, event, report));
        match event.what {
            What::Commit { commit, wall } => {
                let Decision { facts, .. } = &mut self.decision;
                facts.clear();
                let facts = std::mem::take(facts);
                self.decision =
                    Decision { commit, wall: wall.get(), at: event.at, number: event.number, facts, is_whole: true };
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
