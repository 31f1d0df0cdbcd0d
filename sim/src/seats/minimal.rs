//! The smallest part that cannot be explained.
//!
//! Every subset of the facts is a history of its own that is easier to explain (see `problem`). So facts are left out as long
//! as no explanation appears: first all but those of one login, or of two; where that does not do, one login's facts after
//! another; and in the end fact by fact. What remains is minimal: leave out any one fact and there is an explanation. A
//! search that gives up counts as an explanation, so that nothing is ever blamed for want of patience.
//!
//! When a login was called always counts and is never blamed: else whoever was told of nothing would be blamed together with
//! everybody who came too late to have displaced it.

use super::book::Book;
use super::fact::{Fact, Reason};
use super::problem::Problem;
use super::profile::{Bounds, Profile};
use super::search::{Found, Goal, search};

/// Above so many logins, pairs are not tried.
const PAIRED_MAX: usize = 40;

/// States for each pair: enough for two logins among any number of others of which nothing is known.
const PAIR_STATES: usize = 2_000;

/// What to leave out of which part of a book.
pub(super) struct Part<'a> {
    pub(super) profile: &'a Profile,
    pub(super) bounds: Bounds,
    pub(super) book: &'a Book,
    pub(super) horizon: Option<u64>,
    /// States visited.
    pub(super) visited: usize,
}

impl Part<'_> {
    /// The facts of a pair of logins, or of a single one, that alone cannot be explained; minimal.
    pub(super) fn small(&mut self) -> Option<Vec<Fact>> {
        let ids: Vec<u64> = self.book.logins.iter().map(|login| login.id).collect();
        let ids: Vec<u64> = ids.into_iter().filter(|id| self.book.facts_of(*id).next().is_some()).collect();
        if ids.len() > PAIRED_MAX {
            return None;
        }
        let of = |book: &Book, one: u64, other: u64| -> Vec<bool> {
            let is_of = |fact: &Fact| fact.login().is_none_or(|login| login == one || login == other);
            let counts = |fact: &Fact| is_of(fact) || is_context(fact);
            book.facts.iter().map(counts).collect()
        };
        let mut limit = self.bounds.states / 2;
        for (at, one) in ids.iter().enumerate() {
            for other in ids[..=at].iter().rev() {
                let counts = of(self.book, *one, *other);
                if limit == 0 {
                    return None;
                }
                if self.is_unexplained(&counts, PAIR_STATES.min(self.bounds.states), &mut limit) {
                    return Some(self.fact_by_fact(counts));
                }
            }
        }
        None
    }

    /// A minimal part of a whole that cannot be explained.
    pub(super) fn minimal(&mut self) -> Vec<Fact> {
        if let Some(facts) = self.small() {
            return facts;
        }
        let mut counts = vec![true; self.book.facts.len()];
        let mut limit = self.bounds.states;
        for login in self.book.logins.iter().rev() {
            let mut fewer = counts.clone();
            for (fact, counts) in self.book.facts.iter().zip(&mut fewer) {
                *counts &= fact.login() != Some(login.id) || is_context(fact);
            }
            if fewer != counts && self.is_unexplained(&fewer, self.bounds.states, &mut limit) {
                counts = fewer;
            }
        }
        self.fact_by_fact(counts)
    }

    fn fact_by_fact(&mut self, mut counts: Vec<bool>) -> Vec<Fact> {
        let mut limit = self.bounds.states;
        let mut order: Vec<usize> =
            (0..counts.len()).filter(|at| counts[*at] && !is_context(&self.book.facts[*at])).collect();
        order.sort_by_key(|&at| (weight(&self.book.facts[at]), std::cmp::Reverse(at)));
        for at in order {
            counts[at] = false;
            if !self.is_unexplained(&counts, self.bounds.states, &mut limit) {
                counts[at] = true;
            }
        }
        let mut facts: Vec<Fact> =
            self.book.facts.iter().zip(&counts).filter(|(_, counts)| **counts).map(|(fact, _)| *fact).collect();
        let told: Vec<Option<u64>> =
            facts.iter().filter(|fact| matches!(fact, Fact::Told { .. })).map(Fact::login).collect();
        facts.retain(|fact| {
            let is_added = matches!(fact, Fact::ToldBy { .. } | Fact::ToldFor { .. });
            !is_context(fact) && (!is_added || told.contains(&fact.login()))
        });
        facts.sort_by_key(|fact| (fact.instant().unwrap_or(u64::MAX), *fact));
        facts
    }

    fn is_unexplained(&mut self, counts: &[bool], states: usize, limit: &mut usize) -> bool {
        let book = self.book;
        let problem = Problem::of(self.profile, book, self.horizon, true, |at| counts[at]);
        let mut visited = 0;
        let found = search(&problem, Goal::One, states.min(*limit), &mut visited);
        *limit = limit.saturating_sub(visited + 1);
        self.visited += visited;
        matches!(found, Found::Unexplained)
    }
}

/// What always counts: without that reason a device would have been told more, and not less.
fn is_context(fact: &Fact) -> bool {
    matches!(fact, Fact::Called { .. } | Fact::ToldFor { reason: Reason::Gone, .. })
}

/// What is left out first: what says the least to a reader.
fn weight(fact: &Fact) -> u8 {
    match fact {
        Fact::Administrator { .. } | Fact::Ended { .. } | Fact::Refused { .. } => 0,
        Fact::ToldFor { .. } | Fact::ToldBy { .. } => 1,
        Fact::GoneAtEnd { .. } => 2,
        Fact::AliveAtEnd { .. } => 3,
        Fact::Unheard { .. } => 4,
        Fact::Told { .. } => 5,
        Fact::Alive { .. } => 6,
        Fact::Accepted { .. } | Fact::Called { .. } => 7,
    }
}
