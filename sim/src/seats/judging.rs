//! Judges what is behind, and forgets it.
//!
//! ```text
//! facts ──▶ book ──a cut whose time has come──▶ search for all explanations ──▶ a smaller book, and what they agree on
//!                                                └──none──▶ the smallest part without one; its facts count no more
//! ```
//!
//! **Why a cut is sound.** A cut is an instant. Whatever happened by then is an operation whose bounds begin before it, and
//! the search takes down every state that some order of these can leave there. Operations whose bounds reach past the cut may
//! have happened or not: a state says which have. What comes later begins after the cut and bounds the rest. Of a session
//! that ended before the cut, and whose device may still say something of it, its end is kept with the bounds that its
//! instant has in every order: looser ones, so that more is explained and never less. Where several logins could stand for
//! one another, it is left open which of them ended it.
//!
//! A cut that finds too many explanations is not made. When too much is open for the search to hold, everything is
//! forgotten but logins that may still be accepted, nothing counts that is said of what was forgotten, and that is told as
//! undecided.

use super::book::{Book, Login, Operation};
use super::fact::Fact;
use super::group::{Group, Terms};
use super::marks::OPERATIONS_MAX;
use super::minimal::Part;
use super::problem::Problem;
use super::search::{Found, Goal, search};
use super::violation::{Breach, Undecided, Violation, Why};
use super::world::World;

/// A cut is an attempt: it gets this part of a search's states.
const CUT_SHARE: usize = 10;

/// A cut looks at everything that is open. So it waits until half of that is new, and until there are so many operations.
const PATIENCE_MIN: usize = 4;

/// However many residues are allowed, a book numbers no more logins.
const LOGINS_MAX: usize = 10_000;

impl Group {
    pub(super) fn finish(mut self, terms: &mut Terms<'_>) {
        while !self.book.operations.is_empty() || !self.book.logins.is_empty() {
            let problem = Problem::of(terms.profile, &self.book, None, true, |_| true);
            match search(&problem, Goal::One, terms.bounds.states, &mut terms.outcome.states) {
                Found::Explained(_) => return,
                Found::Unexplained => self.report(None, false, terms),
                Found::Undecided => {
                    let violations = terms.outcome.violations.len();
                    self.report(None, true, terms);
                    if terms.outcome.violations.len() == violations {
                        self.give_up(Why::States, self.clock, terms);
                        return;
                    }
                }
            };
        }
    }

    /// Before something begins at this instant: cuts what can be cut.
    pub(super) fn make_room(&mut self, at: u64, terms: &mut Terms<'_>) {
        if self.is_deaf {
            return;
        }
        if self.gaps.last() != Some(&at) && !self.book.logins.iter().any(|login| login.is_pending) {
            self.gaps.push(at);
        }
        let ripe = self.gaps.iter().rposition(|gap| gap.saturating_add(terms.bounds.lag) <= self.clock);
        if let Some(ripe) = ripe
            && self.book.operations.len() >= self.patience
        {
            let gap = self.gaps[ripe];
            self.gaps.drain(..=ripe);
            self.cut(gap, terms);
        }
        let most = terms.bounds.operations.min(OPERATIONS_MAX - 1);
        let is_full = |book: &Book| book.operations.len() >= most;
        if is_full(&self.book) {
            let gap = self.gaps.last().copied().unwrap_or(at);
            self.gaps.clear();
            if !self.cut(gap, terms) || is_full(&self.book) {
                self.forget(at, terms);
            }
        }
        if self.book.logins.len() > terms.bounds.residues.clamp(OPERATIONS_MAX, LOGINS_MAX) {
            self.forget_residues(terms);
        }
    }

    /// Judges what was before an instant and goes on from there. False if there is too much to search.
    fn cut(&mut self, cut: u64, terms: &mut Terms<'_>) -> bool {
        loop {
            let problem = Problem::of(terms.profile, &self.book, Some(cut), false, |_| true);
            let states = terms.bounds.states / CUT_SHARE;
            match search(&problem, Goal::All(terms.bounds.worlds), states, &mut terms.outcome.states) {
                Found::Explained(worlds) => {
                    self.book.go_on(worlds, cut);
                    self.patience = (2 * self.book.operations.len()).max(PATIENCE_MIN);
                    return true;
                }
                Found::Unexplained => self.report(Some(cut), false, terms),
                Found::Undecided => {
                    self.patience = (2 * self.book.operations.len()).max(PATIENCE_MIN);
                    return false;
                }
            }
        }
    }

    /// Takes a violation down, and lets its facts count no more, so that the rest can be judged. `is_open` says that it is
    /// not known whether there is one.
    fn report(&mut self, horizon: Option<u64>, is_open: bool, terms: &mut Terms<'_>) {
        let mut part = Part { profile: terms.profile, bounds: terms.bounds, book: &self.book, horizon, visited: 0 };
        let facts = if is_open { part.small() } else { Some(part.minimal()) };
        terms.outcome.states += part.visited;
        let Some(facts) = facts else { return };
        let mut logins: Vec<usize> =
            facts.iter().filter_map(|fact| fact.login().and_then(|login| self.book.index(login))).collect();
        // Whoever is named is shown too.
        logins.extend(facts.iter().filter_map(|fact| match *fact {
            Fact::ToldBy { device, .. } => self.book.logins.iter().rposition(|login| login.device == device),
            _ => None,
        }));
        logins.sort_unstable();
        logins.dedup();
        let logins = logins.into_iter().map(|login| self.involved(login)).collect();
        assert!(!facts.is_empty(), "without facts, everything has an explanation");
        terms.outcome.violations.push(Violation { breach: Breach::of(&facts), facts: facts.clone(), logins });
        // When a login was accepted goes on to count, unless that is all that is wrong.
        let is_window = |fact: &Fact| matches!(fact, Fact::Accepted { .. });
        let are_windows = facts.iter().all(is_window);
        let is_at_end = |fact: &Fact| matches!(fact, Fact::AliveAtEnd { .. } | Fact::GoneAtEnd { .. });
        let is_blamed = |login: Option<u64>| facts.iter().any(|fact| !is_window(fact) && fact.login() == login);
        self.book.facts.retain(|fact| {
            let is_over = facts.contains(fact) && (are_windows || !is_window(fact));
            let is_moot = is_at_end(fact) && is_blamed(fact.login());
            !is_over && !is_moot
        });
    }

    fn give_up(&self, why: Why, to: u64, terms: &mut Terms<'_>) {
        let called = self.book.facts.iter().filter_map(|fact| match fact {
            Fact::Called { at, .. } => Some(at.from),
            _ => None,
        });
        let has = |login: &&Login, wanted: fn(&Fact) -> bool| self.book.facts_of(login.id).any(wanted);
        let is_accepted = |login: &&Login| has(login, |fact| matches!(fact, Fact::Accepted { .. }));
        let is_told = |login: &&Login| has(login, |fact| matches!(fact, Fact::Told { .. }));
        let is_named = |login: &&Login| has(login, |fact| matches!(fact, Fact::ToldBy { .. }));
        terms.outcome.undecided.push(Undecided {
            why,
            from: called.min().unwrap_or(to),
            to,
            logins: self.book.logins.len(),
            unknown: self.book.logins.iter().filter(|login| !is_accepted(login)).count(),
            unnamed: self.book.logins.iter().filter(|login| is_told(login) && !is_named(login)).count(),
        });
    }

    /// Forgets all but what may still happen, of which nothing is known from here on.
    fn forget(&mut self, at: u64, terms: &mut Terms<'_>) {
        self.give_up(Why::Crowd, at, terms);
        let mut stays = self.book.waiting(&self.book.worlds, at);
        for operation in &self.book.operations {
            if let Operation::Return(login, span) = operation
                && span.to >= at
            {
                stays[usize::from(*login)] = true;
            }
        }
        let logins: Vec<usize> = (0..stays.len()).filter(|&login| stays[login]).collect();
        let is_ahead = |operation: &Operation| matches!(operation, Operation::Administrator(span, _) if span.to >= at);
        let operations: Vec<usize> =
            (0..self.book.operations.len()).filter(|&at| is_ahead(&self.book.operations[at])).collect();
        if (logins.len() + operations.len()) * 2 > terms.bounds.operations.min(OPERATIONS_MAX) {
            self.is_deaf = true;
            self.book = Book::new();
            return;
        }
        self.book.keep(vec![World::default()], &logins, &operations);
        // Whoever may be accepted yet, or come back, is accepted at any instant or never; an administrator as well.
        self.book.operations.extend((0..logins.len()).map(|login| Operation::Accept(login as u16)));
        self.book.facts.clear();
        self.book.fog = true;
        for login in &mut self.book.logins {
            login.is_blind = true;
        }
        self.patience = 0;
        self.gaps.clear();
    }

    /// Forgets the older half of the sessions that ended before the last cut and whose devices were not told.
    fn forget_residues(&mut self, terms: &mut Terms<'_>) {
        let is_residue = |number: usize| {
            let is_live = |world: &World| world.live.contains(&(number as u16));
            let is_ahead = |operation: &Operation| match operation {
                Operation::Accept(login) | Operation::Return(login, _) => usize::from(*login) == number,
                Operation::End(_) | Operation::Administrator(..) => false,
            };
            !self.book.operations.iter().any(is_ahead) && !self.book.worlds.iter().any(is_live)
        };
        let residues: Vec<usize> = (0..self.book.logins.len()).filter(|&number| is_residue(number)).collect();
        if residues.len() < 2 {
            return;
        }
        let gone = &residues[..residues.len() / 2];
        let logins: Vec<usize> = (0..self.book.logins.len()).filter(|number| !gone.contains(number)).collect();
        let is_of_gone = |operation: &Operation| match operation {
            Operation::End(login) | Operation::Return(login, _) => gone.contains(&usize::from(*login)),
            Operation::Accept(_) | Operation::Administrator(..) => false,
        };
        let operations: Vec<usize> =
            (0..self.book.operations.len()).filter(|&at| !is_of_gone(&self.book.operations[at])).collect();
        let worlds = std::mem::take(&mut self.book.worlds);
        self.give_up(Why::Residues, self.clock, terms);
        self.book.fog = true;
        self.book.keep(worlds, &logins, &operations);
    }
}
