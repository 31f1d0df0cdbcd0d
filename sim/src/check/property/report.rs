//! Takes violations, and puts them in the order in which they are told.

use gatecrash::time::Instant;

use super::decision::Decision;
use crate::check::violation::{Evidence, Violation};
use crate::check::{form, model};
use crate::scenario::rules::RuleId;
use crate::trace::{Actor, Event};

/// The most violations of one property that one run reports: the first ones tell the story.
const VIOLATIONS_MAX: usize = 8;

/// The sentences of those that hold a run against the model of the truth.
pub const MODELS: [&str; 2] = [model::SERVER, model::SDK];

/// Takes violations.
#[derive(Clone, Debug)]
pub struct Report {
    /// Each property's name, and how many it found.
    pub(super) finders: Vec<(&'static str, usize)>,
    /// Whose turn it is.
    pub(super) finder: usize,
    /// In the order in which it was, but that at one instant a model comes after the others, since it knows that
    /// something is wrong and a property what; and last what only knows that two things do not fit.
    pub(super) found: Vec<Violation>,
}

impl Report {
    /// What should have happened did not: an event or a frame of this kind, of this actor.
    pub(super) fn missing(&mut self, rule: RuleId, at: Instant, actor: Actor, what: &'static str, text: String) {
        self.add(rule, at, (actor, 0), Evidence::Missing(what), text);
    }

    /// The same, where this event shows that it is late.
    pub(super) fn missing_by(&mut self, rule: RuleId, event: &Event, what: &'static str, text: String) {
        let &Event { at, actor, number, .. } = event;
        self.missing_after(rule, at, (actor, number), what, text);
    }

    /// The same, where it should have followed this event of the actor.
    pub(super) fn missing_after(
        &mut self,
        rule: RuleId,
        at: Instant,
        event: (Actor, u32),
        what: &'static str,
        text: String,
    ) {
        self.add(rule, at, event, Evidence::Missing(what), text);
    }

    /// The event shows it.
    pub(super) fn event(&mut self, rule: RuleId, event: &Event, text: String) {
        let &Event { at, actor, number, what } = event;
        self.add(rule, at, (actor, number), Evidence::Event(what.word()), text);
    }

    /// What a model found, which this event shows.
    pub(super) fn difference(&mut self, event: &Event, found: model::Difference) {
        match found.missing {
            Some(what) => self.missing_by(found.rule, event, what, found.text),
            None => self.event(found.rule, event, found.text),
        }
    }

    /// The server's decision shows it.
    pub(super) fn decision(&mut self, rule: RuleId, decision: &Decision, text: String) {
        let &Decision { at, number, .. } = decision;
        self.add(rule, at, (Actor::Server, number), Evidence::Event("commit"), text);
    }

    /// The decision lacks a fact of this kind.
    pub(super) fn missing_in(&mut self, rule: RuleId, decision: &Decision, what: &'static str, text: String) {
        let &Decision { at, number, .. } = decision;
        self.add(rule, at, (Actor::Server, number), Evidence::Missing(what), text);
    }

    fn add(&mut self, rule: RuleId, at: Instant, (actor, number): (Actor, u32), evidence: Evidence, text: String) {
        let (property, found) = &mut self.finders[self.finder];
        *found += 1;
        if *found > VIOLATIONS_MAX {
            return;
        }
        let its = vagueness(property);
        let is_vaguer = |one: &&Violation| one.at == at && vagueness(one.property) > its;
        let after = self.found.iter().rev().take_while(is_vaguer).count();
        self.found.insert(self.found.len() - after, Violation { property, rule, text, at, actor, number, evidence });
    }
}

/// How little the property with this sentence says of what is wrong: a model knows that something is, and the form of a
/// trace that two things do not fit.
pub fn vagueness(property: &str) -> u8 {
    match property {
        form::SENTENCE => 2,
        model::SERVER | model::SDK => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_comes_after_what_is_wrong() {
        let (that, form) = (MODELS[0], form::SENTENCE);
        let mut report = Report { finders: vec![("what", 0), (that, 0), (form, 0)], finder: 0, found: Vec::new() };
        for finder in [2, 1, 0] {
            report.finder = finder;
            let rule = crate::scenario::rules::rule("KICK-1");
            report.missing(rule, Instant::ZERO, Actor::Server, "kick", String::new());
        }
        assert_eq!(report.found.iter().map(|one| one.property).collect::<Vec<_>>(), ["what", that, form]);
    }

    /// At one instant it says what is wrong before the model says that something is.
    #[test]
    fn a_model_comes_last_at_one_instant_and_first_at_an_earlier_one() {
        let that = MODELS[0];
        let mut report = Report { finders: vec![("what", 0), ("also", 0), (that, 0)], finder: 0, found: Vec::new() };
        for (finder, second) in [(2, 1), (2, 1), (0, 1), (1, 1), (2, 1), (2, 2), (0, 3), (2, 3)] {
            report.finder = finder;
            let at = Instant::from_micros(second * 1_000_000);
            report.missing(crate::scenario::rules::rule("KICK-1"), at, Actor::Server, "kick", String::new());
        }
        let found: Vec<(&str, u64)> =
            report.found.iter().map(|one| (one.property, one.at.as_micros() / 1_000_000)).collect();
        let at_one = [("what", 1), ("also", 1), (that, 1), (that, 1), (that, 1)];
        assert_eq!(found[..5], at_one);
        assert_eq!(found[5..], [(that, 2), ("what", 3), (that, 3)]);
    }
}
