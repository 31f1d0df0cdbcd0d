//! One group of platforms of one user: takes down what is said of it.
//!
//! What is said of a login that is not known, or no longer, counts for nothing. When to judge what is behind, and what may be
//! forgotten then, is in `judging`.

use std::collections::VecDeque;

use super::book::{Book, Login, Operation};
use super::fact::{Answer, Fact, OwnEnd, Reason, Span};
use super::profile::{Bounds, ComesBack, Profile, Victim};
use super::violation::{Breach, Involved, Outcome, Violation};

/// How many of those who were told are remembered. A kick that is told twice is told again soon.
const TOLD_REMEMBERED: usize = 64;

/// What a group is judged by.
pub(super) struct Terms<'a> {
    pub(super) profile: &'a Profile,
    pub(super) bounds: Bounds,
    pub(super) outcome: &'a mut Outcome,
}

/// One group of platforms of one user.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) book: Book,
    /// Instants at which no call had been without its result.
    pub(super) gaps: Vec<u64>,
    /// The latest instant that anything was said of.
    pub(super) clock: u64,
    /// Operations that there have to be before a cut is tried again.
    pub(super) patience: usize,
    /// Those who were told, the latest last: nobody is told twice.
    pub(super) told: VecDeque<(u64, Involved, Span)>,
    /// There were more logins without a result than can be kept: nothing is judged any more.
    pub(super) is_deaf: bool,
}

impl Group {
    pub(super) fn new() -> Self {
        Group { book: Book::new(), gaps: Vec::new(), clock: 0, patience: 0, told: VecDeque::new(), is_deaf: false }
    }

    pub(super) fn knows(&self, login: u64) -> bool {
        self.book.index(login).is_some()
    }

    /// Whether a login was told of its end, known or forgotten.
    pub(super) fn has_told(&self, login: u64) -> bool {
        self.told.iter().any(|(told, ..)| *told == login)
    }

    pub(super) fn kept(&self) -> usize {
        self.book.logins.len() + self.book.facts.len() + self.book.operations.len() + self.book.worlds.len()
    }

    pub(super) fn called(&mut self, login: u64, device: u32, platform: u16, at: Span, terms: &mut Terms<'_>) {
        self.clock = self.clock.max(at.from);
        for earlier in self.book.logins.iter_mut().filter(|earlier| earlier.device == device) {
            earlier.is_pending = false;
        }
        self.make_room(at.from, terms);
        if self.is_deaf {
            return;
        }
        self.add(login, device, platform, false);
        self.book.facts.push(Fact::Called { login, at });
    }

    fn add(&mut self, id: u64, device: u32, platform: u16, is_blind: bool) {
        let number = self.book.logins.len() as u16;
        let dormant = Vec::new();
        self.book.logins.push(Login { id, device, platform, dormant, is_pending: !is_blind, is_blind });
        self.book.operations.push(Operation::Accept(number));
    }

    pub(super) fn answered(&mut self, login: u64, at: Span, answer: Answer, terms: &mut Terms<'_>) {
        self.clock = self.clock.max(at.from);
        let Some(number) = self.book.index(login) else { return };
        self.book.logins[number].is_pending = false;
        match answer {
            Answer::Accepted => {
                if self.say(login, Fact::Accepted { login, at }) {
                    terms.outcome.judged += 1;
                }
            }
            Answer::Refused => {
                self.say(login, Fact::Refused { login, at });
            }
            Answer::Unknown => {}
        }
    }

    /// Takes a fact down, if it counts.
    fn say(&mut self, login: u64, fact: Fact) -> bool {
        self.clock = self.clock.max(fact.instant().unwrap_or(0));
        let counts = self.book.index(login).is_some_and(|number| !self.book.logins[number].is_blind);
        if counts {
            self.book.facts.push(fact);
        }
        counts
    }

    pub(super) fn alive(&mut self, login: u64, begun: u64, answered: u64) {
        let proof = Fact::Alive { login, begun, answered };
        // The first says by when it was accepted, and the latest how long it lived.
        let mut known = self.book.facts.iter_mut().rev().filter_map(|fact| match *fact {
            Fact::Alive { login: of, begun: before, .. } if of == login => Some((before, fact)),
            _ => None,
        });
        let last = known.next();
        match (last, known.next()) {
            (Some((before, fact)), Some(_)) => {
                self.clock = self.clock.max(begun);
                if begun > before {
                    *fact = proof;
                }
            }
            _ => {
                self.say(login, proof);
            }
        }
    }

    pub(super) fn kicked(
        &mut self,
        login: u64,
        at: Span,
        by: Option<u32>,
        reason: Option<Reason>,
        terms: &mut Terms<'_>,
    ) {
        if let Some((_, who, before)) = self.told.iter().find(|(told, ..)| *told == login) {
            let facts = vec![Fact::Told { login, at: *before }, Fact::Told { login, at }];
            terms.outcome.violations.push(Violation { breach: Breach::ToldTwice, facts, logins: vec![*who] });
            return;
        }
        let Some(number) = self.book.index(login) else { return };
        self.told.push_back((login, self.involved(number), at));
        if self.told.len() > TOLD_REMEMBERED {
            self.told.pop_front();
        }
        if !self.say(login, Fact::Told { login, at }) {
            return;
        }
        if let Some(device) = by {
            self.say(login, Fact::ToldBy { login, device });
        }
        let promised = terms.profile.victim == Victim::ToldWithReason;
        if let Some(reason) = reason.filter(|reason| promised || *reason == Reason::Gone) {
            self.say(login, Fact::ToldFor { login, reason });
        }
    }

    pub(super) fn ended(&mut self, login: u64, why: OwnEnd, from: u64, to: Option<u64>, terms: &mut Terms<'_>) {
        self.make_room(self.clock, terms);
        let Some(number) = self.book.index(login).map(|number| number as u16) else { return };
        let is_end = |fact: &Fact| matches!(fact, Fact::Ended { login: of, .. } if *of == login);
        self.book.facts.retain(|fact| !is_end(fact));
        self.say(login, Fact::Ended { login, why, from, to });
        if !self.book.operations.contains(&Operation::End(number)) {
            self.book.operations.push(Operation::End(number));
        }
    }

    /// The device logged in on a platform of another group: its session here ends then, if ever.
    pub(super) fn left(&mut self, device: u32, from: u64, terms: &mut Terms<'_>) {
        let sessions: Vec<u64> =
            self.book.logins.iter().filter(|login| login.device == device).map(|login| login.id).collect();
        for login in sessions {
            if !self.book.facts_of(login).any(|fact| matches!(fact, Fact::Ended { .. })) {
                self.ended(login, OwnEnd::Logout, from, None, terms);
            }
        }
    }

    pub(super) fn administrator(&mut self, at: Span, sure: bool, terms: &mut Terms<'_>) {
        self.clock = self.clock.max(at.from);
        self.make_room(at.from, terms);
        if !self.is_deaf {
            self.book.facts.push(Fact::Administrator { at, sure });
            self.book.operations.push(Operation::Administrator(at, sure));
        }
    }

    pub(super) fn would_have_heard(&mut self, login: u64, by: u64, terms: &mut Terms<'_>) {
        if matches!(terms.profile.victim, Victim::Closed | Victim::Silent) || self.has_told(login) {
            return;
        }
        let known = self.book.facts.iter_mut().rev().find_map(|fact| match fact {
            Fact::Unheard { login: of, by } if *of == login => Some(by),
            _ => None,
        });
        match known {
            Some(before) => *before = by.max(*before),
            None => {
                self.say(login, Fact::Unheard { login, by });
            }
        }
    }

    pub(super) fn came_back(&mut self, login: u64, device: u32, platform: u16, at: Span, terms: &mut Terms<'_>) {
        self.clock = self.clock.max(at.from);
        if terms.profile.comes_back == ComesBack::Resume {
            return;
        }
        self.make_room(at.from, terms);
        match self.book.index(login) {
            Some(number) if !self.book.logins[number].is_blind => {
                self.book.operations.push(Operation::Return(number as u16, at));
            }
            // It may have been forgotten, and displaces all the same.
            None if self.book.fog && !self.is_deaf => self.add(login, device, platform, true),
            Some(_) | None => {}
        }
    }

    pub(super) fn dormant(&mut self, login: u64, span: Span) {
        if let Some(number) = self.book.index(login) {
            self.book.logins[number].dormant.push(span);
        }
    }

    pub(super) fn settled(&mut self, at: u64, alive: &[u64], unseen: &[u64]) {
        for number in 0..self.book.logins.len() {
            let login = self.book.logins[number].id;
            let is_accepted = self.book.facts_of(login).any(|fact| matches!(fact, Fact::Accepted { .. }));
            if alive.contains(&login) {
                self.say(login, Fact::AliveAtEnd { login, at });
            } else if is_accepted && !unseen.contains(&login) {
                self.say(login, Fact::GoneAtEnd { login, at });
            }
        }
    }

    /// Told, forgotten, and alive at the end.
    pub(super) fn alive_though_told(&self, login: u64, at: u64) -> Option<Violation> {
        let (_, who, told) = self.told.iter().find(|(told, ..)| *told == login && !self.knows(login))?;
        let facts = vec![Fact::Told { login, at: *told }, Fact::AliveAtEnd { login, at }];
        Some(Violation { breach: Breach::AliveAtEnd, facts, logins: vec![*who] })
    }

    /// A login, as a violation shows it.
    pub(super) fn involved(&self, number: usize) -> Involved {
        let login = &self.book.logins[number];
        let (mut called, mut accepted) = (None, None);
        for fact in self.book.facts_of(login.id) {
            match *fact {
                Fact::Called { at, .. } => called = Some(at),
                Fact::Accepted { at, .. } => accepted = Some(at),
                _ => {}
            }
        }
        Involved { login: login.id, device: login.device, platform: login.platform, called, accepted }
    }
}
