//! What is open of one group of platforms: its logins, the facts about them, and the explanations of all that was before.
//!
//! Kept as small as what is open. Neither judges nor searches: `group` does the one and `search` the other.

use super::fact::{Fact, Span};
use super::marks::Marks;
use super::world::{Death, World};

/// A login of the group.
#[derive(Clone, Debug)]
pub(super) struct Login {
    pub(super) id: u64,
    pub(super) device: u32,
    pub(super) platform: u16,
    pub(super) dormant: Vec<Span>,
    /// Its call has had no result, and may have one yet.
    pub(super) is_pending: bool,
    /// It was called before a forced cut: no fact about it counts.
    pub(super) is_blind: bool,
}

/// What can happen to the seats. Logins are numbers in the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Operation {
    /// A login is accepted.
    Accept(u16),
    /// A session ends by itself.
    End(u16),
    /// A device comes back, and that is a login.
    Return(u16, Span),
    /// All sessions end; for sure or perhaps.
    Administrator(Span, bool),
}

/// What is open of one group of platforms.
#[derive(Clone, Debug, Default)]
pub(super) struct Book {
    pub(super) logins: Vec<Login>,
    pub(super) facts: Vec<Fact>,
    pub(super) operations: Vec<Operation>,
    /// The explanations of what was before. Never empty.
    pub(super) worlds: Vec<World>,
    /// Seats may be taken by sessions that nobody knows.
    pub(super) fog: bool,
}

impl Book {
    pub(super) fn new() -> Self {
        Book { worlds: vec![World::default()], ..Book::default() }
    }

    /// Where a login stands.
    pub(super) fn index(&self, login: u64) -> Option<usize> {
        self.logins.iter().rposition(|known| known.id == login)
    }

    pub(super) fn facts_of(&self, login: u64) -> impl Iterator<Item = &Fact> {
        self.facts.iter().filter(move |fact| fact.login() == Some(login))
    }

    /// Goes on from these explanations of everything before the cut, and forgets what no later fact can be about: logins
    /// that can never be accepted any more, and sessions that are over, whose devices know of it or have logged in since;
    /// unless they may come back yet.
    pub(super) fn go_on(&mut self, worlds: Vec<World>, cut: u64) {
        let waits = self.waiting(&worlds, cut);
        let is_live: Vec<bool> =
            (0..self.logins.len()).map(|at| worlds.iter().any(|world| world.live.contains(&(at as u16)))).collect();
        let may_be_heard_of = |at: usize| {
            let login = &self.logins[at];
            let ended = |fact: &Fact| {
                matches!(fact, Fact::Told { .. } | Fact::Ended { to: Some(_), .. } | Fact::Refused { .. })
            };
            let is_dead = worlds.iter().any(|world| world.dead.iter().any(|death| usize::from(death.victim) == at));
            let is_followed = (at + 1..self.logins.len())
                .any(|later| self.logins[later].device == login.device && !waits[later] && self.is_accepted(later));
            let may_return = |operation: &Operation| matches!(operation, Operation::Return(of, span) if usize::from(*of) == at && span.to >= cut);
            let is_over = login.is_blind || is_followed || self.facts_of(login.id).any(ended);
            is_dead && (!is_over || self.operations.iter().any(may_return))
        };
        let stays: Vec<bool> =
            (0..self.logins.len()).map(|at| waits[at] || is_live[at] || may_be_heard_of(at)).collect();
        let is_kept = |at: usize, operation: Operation| {
            let in_all = worlds.iter().all(|world| world.placed.has(at));
            match operation {
                Operation::Accept(login) => waits[usize::from(login)],
                Operation::End(login) => !in_all && (waits[usize::from(login)] || is_live[usize::from(login)]),
                Operation::Return(login, span) => !in_all && span.to >= cut && stays[usize::from(login)],
                Operation::Administrator(span, _) => !in_all && span.to >= cut,
            }
        };
        let operations: Vec<usize> =
            (0..self.operations.len()).filter(|&at| is_kept(at, self.operations[at])).collect();
        let logins: Vec<usize> = (0..self.logins.len()).filter(|&at| stays[at]).collect();
        self.keep(worlds, &logins, &operations);
    }

    /// By login, whether it may be accepted after the cut in some explanation.
    pub(super) fn waiting(&self, worlds: &[World], cut: u64) -> Vec<bool> {
        let accept = |login: usize| self.operations.iter().position(|one| *one == Operation::Accept(login as u16));
        let waits = |login: usize| {
            let Some(own) = accept(login) else { return false };
            let id = self.logins[login].id;
            let is_over = |fact: &Fact| match *fact {
                Fact::Refused { .. } => true,
                Fact::Accepted { at, .. } | Fact::Told { at, .. } => at.to < cut,
                Fact::Alive { answered, .. } => answered < cut,
                Fact::Ended { to, .. } => to.is_some_and(|to| to < cut),
                _ => false,
            };
            let is_barred = |world: &World| {
                let mut later = (login + 1..self.logins.len())
                    .filter(|&later| self.logins[later].device == self.logins[login].device);
                later.any(|later| accept(later).is_none_or(|later| world.placed.has(later)))
            };
            !self.facts_of(id).any(is_over) && worlds.iter().any(|world| !world.placed.has(own) && !is_barred(world))
        };
        (0..self.logins.len()).map(waits).collect()
    }

    fn is_accepted(&self, login: usize) -> bool {
        self.facts_of(self.logins[login].id).any(|fact| matches!(fact, Fact::Accepted { .. }))
    }

    /// Forgets everything but these logins and operations.
    pub(super) fn keep(&mut self, worlds: Vec<World>, logins: &[usize], operations: &[usize]) {
        let renamed = |login: u16| logins.iter().position(|&kept| kept == usize::from(login)).map(|at| at as u16);
        self.worlds = worlds
            .into_iter()
            .map(|world| {
                let mut placed = Marks::default();
                for (new, &old) in operations.iter().enumerate() {
                    if world.placed.has(old) {
                        placed.add(new);
                    }
                }
                let live = world.live.iter().filter_map(|login| renamed(*login)).collect();
                let dead =
                    world.dead.iter().filter_map(|death| Some(Death { victim: renamed(death.victim)?, ..*death }));
                World { placed, live, dead: dead.collect(), now: world.now }
            })
            .collect();
        self.worlds.sort_unstable();
        // Of two that differ in their least instant alone, the earlier one explains whatever the later one does.
        self.worlds.dedup_by(|later, earlier| {
            later.placed == earlier.placed && later.live == earlier.live && later.dead == earlier.dead
        });
        let operations: Vec<Operation> = operations
            .iter()
            .filter_map(|&old| match self.operations[old] {
                Operation::Accept(login) => renamed(login).map(Operation::Accept),
                Operation::End(login) => renamed(login).map(Operation::End),
                Operation::Return(login, span) => renamed(login).map(|login| Operation::Return(login, span)),
                administrator @ Operation::Administrator(..) => Some(administrator),
            })
            .collect();
        self.logins = logins.iter().map(|&old| self.logins[old].clone()).collect();
        self.operations = operations;
        let (logins, operations) = (&self.logins, &self.operations);
        self.facts.retain(|fact| match *fact {
            Fact::Administrator { at, sure } => operations.contains(&Operation::Administrator(at, sure)),
            fact => logins.iter().any(|login| Some(login.id) == fact.login()),
        });
    }
}
