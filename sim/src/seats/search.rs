//! The search for an order that explains the facts.
//!
//! ```text
//! state     which operations happened, who holds seats (the oldest first), who lost one and may still hear of it
//! a step    one operation more, at the least instant that its lower bounds and those of its victims' ends allow
//! memory    by state, the least instant at which it was reached: the same state later explains no more
//! ```
//!
//! **Why the least instant is enough.** For a given order each fact bounds the instant of one operation from below or from
//! above. Instants do not fall along the order. So the least ones are those that go up only where a lower bound makes
//! them; if one of these is above an upper bound, so is every other choice.
//!
//! **What keeps it small.** A step is not taken if it would come after the deadline of something that still has to happen.
//! Of logins that differ in nothing but instants the one with the earlier bounds comes first (`Problem::is_behind`), which
//! makes thirty unnamed logins at one instant a chain. What need not happen at all comes last. Where the claims have one
//! order, there is one step from each state.

use std::collections::BTreeMap;

use super::book::Operation;
use super::claim::Claim;
use super::fact::Span;
use super::marks::Marks;
use super::problem::Problem;
use super::profile::Wins;
use super::step::Step;
use super::world::{Death, How, World};

/// What a search found.
#[derive(Debug)]
pub(super) enum Found {
    /// Explanations: one, or each that differs for what may come.
    Explained(Vec<World>),
    /// There is none.
    Unexplained,
    /// More states than it may visit.
    Undecided,
}

/// How far a search goes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Goal {
    /// To the first explanation.
    One,
    /// To all, if there are no more than so many.
    All(usize),
}

type Key = (usize, Marks, Vec<u16>, Vec<Death>);
type End = (Marks, Vec<u16>, Vec<Death>);

#[derive(Clone)]
struct State {
    start: usize,
    placed: Marks,
    live: Vec<u16>,
    /// Those who lost a seat in this search and are remembered.
    dead: Vec<Death>,
    now: u64,
}

struct Search<'p> {
    problem: &'p Problem<'p>,
    goal: Goal,
    seen: BTreeMap<Key, u64>,
    ends: BTreeMap<End, u64>,
    visited: usize,
    budget: usize,
    is_over: bool,
}

/// Who goes at a step, and when it can be.
struct Turn {
    victims: Vec<(u16, How)>,
    span: Span,
}

/// Searches, and adds the states visited to `visited`: at most `budget`.
pub(super) fn search(problem: &Problem<'_>, goal: Goal, budget: usize, visited: &mut usize) -> Found {
    if problem.has_no_last() {
        return Found::Unexplained;
    }
    let mut search =
        Search { problem, goal, seen: BTreeMap::new(), ends: BTreeMap::new(), visited: 0, budget, is_over: false };
    for (start, world) in problem.starts.iter().enumerate() {
        // The dead of before are looked at again only if they may come back.
        let returns = |death: &&Death| problem.claims[usize::from(death.victim)].may_return;
        let dead = world.dead.iter().filter(returns).copied().collect();
        let state = State { start, placed: world.placed, live: world.live.clone(), dead, now: world.now };
        if search.visit(state) {
            break;
        }
    }
    *visited += search.visited;
    if search.is_over {
        return Found::Undecided;
    }
    let worlds: Vec<World> =
        search.ends.into_iter().map(|((placed, live, dead), now)| World { placed, live, dead, now }).collect();
    if worlds.is_empty() { Found::Unexplained } else { Found::Explained(worlds) }
}

impl Search<'_> {
    fn claim(&self, login: u16) -> &Claim {
        &self.problem.claims[usize::from(login)]
    }

    /// Looks at a state and at all that follow. True when there is nothing more to look for.
    fn visit(&mut self, state: State) -> bool {
        let key = (state.start, state.placed, state.live.clone(), state.dead.clone());
        match self.seen.get_mut(&key) {
            Some(before) if *before <= state.now => return false,
            Some(before) => *before = state.now,
            None => {
                self.seen.insert(key, state.now);
            }
        }
        if self.visited == self.budget {
            self.is_over = true;
            return true;
        }
        self.visited += 1;
        if self.is_end(&state) && self.has_ended(&state) {
            return true;
        }
        let problem = self.problem;
        let deadlines = self.deadlines(&state.placed);
        for &at in &problem.order {
            let step = &problem.steps[at];
            let is_next = step.is_open
                && !state.placed.has(at)
                && state.placed.contains(&step.after)
                && !state.placed.meets(&step.barred);
            if !is_next || self.waits(step.what, &state) {
                continue;
            }
            let deadline = if deadlines[0].1 == at { deadlines[1].0 } else { deadlines[0].0 };
            for turn in self.turns(at, &state) {
                for next in self.take(at, turn, &state) {
                    let is_late = |login: &u16| self.claim(*login).deadline() < next.now;
                    if next.now <= deadline && !next.live.iter().any(is_late) && self.visit(next) {
                        return true;
                    }
                }
            }
        }
        false
    }

    fn waits(&self, what: Operation, state: &State) -> bool {
        matches!(what, Operation::Accept(login) if self.problem.is_behind(login, &state.placed, state.now))
    }

    /// The two earliest deadlines of what has to happen yet, and whose they are.
    fn deadlines(&self, placed: &Marks) -> [(u64, usize); 2] {
        let mut first = [(u64::MAX, usize::MAX); 2];
        for (at, step) in self.problem.steps.iter().enumerate() {
            if step.is_certain && !placed.has(at) {
                if step.to < first[0].0 {
                    first = [(step.to, at), first[0]];
                } else if step.to < first[1].0 {
                    first[1] = (step.to, at);
                }
            }
        }
        first
    }

    /// Whether everything has happened that must have, by the horizon.
    fn is_end(&self, state: &State) -> bool {
        let is_due = |instant: u64| self.problem.horizon.is_none_or(|horizon| instant < horizon);
        let mut steps = self.problem.steps.iter().enumerate();
        let stays = |login: &u16| {
            let claim = self.claim(*login);
            let must_have_ended = match self.problem.horizon {
                Some(horizon) => claim.deadline() < horizon,
                None => claim.told.is_some() || claim.end_by.is_some() || claim.at_end == Some(false),
            };
            !must_have_ended
        };
        let returns = |death: &Death| {
            let waits = |(at, step): (usize, &Step)| {
                matches!(step.what, Operation::Return(login, span)
                    if login == death.victim && !state.placed.has(at) && !is_due(span.to))
            };
            self.problem.steps.iter().enumerate().any(waits)
        };
        !steps.any(|(at, step)| step.is_certain && is_due(step.to) && !state.placed.has(at))
            && state.live.iter().all(stays)
            && state.dead.iter().all(|death| death.fits || returns(death))
    }

    /// Takes an explanation down. True when there are enough.
    fn has_ended(&mut self, state: &State) -> bool {
        let before = &self.problem.starts[state.start].dead;
        let still = before.iter().filter(|death| !self.claim(death.victim).may_return);
        let mut dead: Vec<Death> = still.chain(&state.dead).copied().collect();
        dead.sort_unstable();
        let now = self.ends.entry((state.placed, state.live.clone(), dead)).or_insert(state.now);
        *now = state.now.min(*now);
        match self.goal {
            Goal::One => true,
            Goal::All(most) if self.ends.len() > most => {
                self.is_over = true;
                true
            }
            Goal::All(_) => false,
        }
    }

    /// What an operation can do to the seats: nothing at all, one thing, or one of several.
    fn turns(&self, at: usize, state: &State) -> Vec<Turn> {
        let always = Span { from: 0, to: u64::MAX };
        match self.problem.steps[at].what {
            Operation::Accept(login) => self.acceptances(login, state),
            Operation::End(login) if state.live.contains(&login) => {
                vec![Turn { victims: vec![(login, How::Own)], span: always }]
            }
            Operation::End(_) => Vec::new(),
            Operation::Return(login, _) => {
                let was_displaced = |death: &Death| death.victim == login && matches!(death.how, How::Displaced { .. });
                if state.live.contains(&login) || state.dead.iter().any(was_displaced) {
                    self.acceptances(login, state)
                } else {
                    Vec::new()
                }
            }
            Operation::Administrator(..) if state.live.is_empty() && !self.problem.steps[at].is_certain => Vec::new(),
            Operation::Administrator(..) => {
                let victims = state.live.iter().map(|login| (*login, How::Administrator)).collect();
                vec![Turn { victims, span: always }]
            }
        }
    }

    /// Whom an accepted login sends away (POLICY-3, LOGIN-10).
    fn acceptances(&self, login: u16, state: &State) -> Vec<Turn> {
        let always = Span { from: 0, to: u64::MAX };
        let newcomer = self.claim(login);
        let mut victims = Vec::new();
        let mut rivals = Vec::new();
        for &other in state.live.iter().filter(|other| **other != login) {
            let claim = self.claim(other);
            if claim.device == newcomer.device {
                victims.push((other, How::Replaced));
            } else if claim.platform == newcomer.platform {
                rivals.push(other);
            } else {
                victims.push((other, How::Displaced { same_platform: false }));
            }
        }
        let excess = (rivals.len() + 1).saturating_sub(self.problem.profile.seats.seats(newcomer.platform));
        let is_displacing = victims.iter().any(|(_, how)| how.is_kick()) || excess > 0;
        if self.problem.profile.wins == Wins::NewcomerRefused {
            return if is_displacing { Vec::new() } else { vec![Turn { victims, span: always }] };
        }
        let with = |gone: &[u16], span: Span| {
            let gone = gone.iter().map(|rival| (*rival, How::Displaced { same_platform: true }));
            Turn { victims: victims.iter().copied().chain(gone).collect(), span }
        };
        let mut turns = vec![with(&rivals[..excess], always)];
        // A dormant one goes before the oldest; in the fog there may be more rivals than are seen.
        if excess > 0 || self.problem.fog {
            for rival in rivals.iter().skip(excess) {
                turns.extend(self.claim(*rival).dormant.iter().map(|span| with(&[*rival], *span)));
            }
        }
        turns
    }

    /// The states after an operation: none if bounds forbid it, several if a victim may come back.
    fn take(&self, at: usize, turn: Turn, state: &State) -> Vec<State> {
        let step = &self.problem.steps[at];
        let horizon = self.problem.horizon.unwrap_or(u64::MAX);
        let newcomer = match step.what {
            Operation::Accept(login) | Operation::Return(login, _) => Some(login),
            Operation::End(_) | Operation::Administrator(..) => None,
        };
        let by = newcomer.map(|login| self.claim(login).device);
        let mut options = vec![(
            Span { from: state.now.max(step.from).max(turn.span.from), to: step.to.min(turn.span.to).min(horizon) },
            Vec::new(),
        )];
        for &(victim, how) in &turn.victims {
            let by = by.filter(|_| how.is_kick());
            let claim = self.claim(victim);
            let death = |fits: bool| {
                // Of several who may be exchanged nobody knows which it was.
                let blurred = newcomer.and_then(|login| self.problem.exchangeable(login));
                let span = blurred.unwrap_or(Span { from: step.from, to: step.to });
                let by = by.filter(|_| blurred.is_none());
                Death { victim, how, by, span: Span { to: span.to.min(horizon), ..span }, fits }
            };
            let mut next = Vec::new();
            for (span, deaths) in options {
                if let Some(end) = claim.end(how, by) {
                    let mut deaths: Vec<Death> = deaths.clone();
                    deaths.push(death(true));
                    next.push((Span { from: span.from.max(end.from), to: span.to.min(end.to) }, deaths));
                }
                if claim.may_return && matches!(how, How::Displaced { .. }) {
                    let mut deaths: Vec<Death> = deaths;
                    deaths.push(death(false));
                    next.push((span, deaths));
                }
            }
            options = next;
        }
        let fits = options.into_iter().filter(|(span, _)| span.from <= span.to);
        fits.map(|(span, deaths)| self.after(at, newcomer, span.from, &deaths, state)).collect()
    }

    fn after(&self, at: usize, newcomer: Option<u16>, now: u64, deaths: &[Death], state: &State) -> State {
        let mut live = state.live.clone();
        live.retain(|login| Some(*login) != newcomer && !deaths.iter().any(|death| death.victim == *login));
        live.extend(newcomer);
        let mut dead = state.dead.clone();
        dead.retain(|death| Some(death.victim) != newcomer);
        dead.extend(deaths.iter().filter(|death| self.is_remembered(death.victim)));
        dead.sort_unstable();
        State { start: state.start, placed: state.placed.with(at), live, dead, now }
    }

    /// Whether it matters later how this session ended.
    fn is_remembered(&self, login: u16) -> bool {
        let claim = self.claim(login);
        match self.goal {
            Goal::One => claim.may_return,
            Goal::All(_) => claim.may_return || claim.told.is_none(),
        }
    }
}
