//! What a search has to explain, and which logins may stand for one another in it.
//!
//! Every subset of the facts is a problem too, and an easier one to explain, since a fact that is left out leaves its bound
//! open: a login of which no fact but its call is left was accepted at any instant since, or never. Does not search.

use super::book::{Book, Operation};
use super::claim::{Claim, claims};
use super::fact::{Reason, Span};
use super::marks::Marks;
use super::profile::Profile;
use super::step::{Step, steps};
use super::world::{How, World};

/// What has to be explained, from the explanations of what was before.
#[derive(Debug)]
pub(super) struct Problem<'a> {
    pub(super) profile: &'a Profile,
    pub(super) claims: Vec<Claim>,
    pub(super) steps: Vec<Step>,
    /// The most promising first.
    pub(super) order: Vec<usize>,
    pub(super) starts: Vec<World>,
    /// Up to which instant: later facts bound what is before it, and nothing else of them is looked at. None: everything.
    pub(super) horizon: Option<u64>,
    /// What was before a forced cut is forgotten: seats may be taken by sessions that nobody knows.
    pub(super) fog: bool,
    /// The greatest of the lower bounds.
    latest: u64,
    /// The logins of each kind, and their steps.
    kinds: Vec<Vec<(usize, usize)>>,
    bounds: Vec<Bounded>,
}

/// The instants in which logins of a kind differ.
#[derive(Debug)]
struct Bounded {
    /// Not before: its acceptance, its end, its end by others.
    from: [u64; 3],
    /// Not after: its acceptance.
    to: u64,
    /// Not after: its end.
    told: u64,
}

impl<'a> Problem<'a> {
    /// The problem that is left of a book if only some of its facts count. `all_told` says that no fact about any of its
    /// logins will come later; else that is so only of those whose device was told.
    pub(super) fn of(
        profile: &'a Profile,
        book: &Book,
        horizon: Option<u64>,
        all_told: bool,
        counts: impl Fn(usize) -> bool,
    ) -> Self {
        let claims = claims(book, &counts);
        let steps = steps(book, &claims, horizon, &counts);
        let mut problem = Problem {
            profile,
            claims,
            steps,
            order: Vec::new(),
            starts: Vec::new(),
            horizon,
            fog: book.fog,
            latest: 0,
            kinds: Vec::new(),
            bounds: Vec::new(),
        };
        let mut order: Vec<usize> = (0..problem.steps.len()).collect();
        order.sort_by_key(|&at| problem.promise(at));
        problem.order = order;
        problem.starts = book.worlds.iter().filter_map(|world| problem.start(world)).collect();
        let of_claims = problem.claims.iter().flat_map(|claim| {
            let dormant = claim.dormant.iter().map(|span| span.from);
            dormant.chain([claim.from, claim.lived, claim.unheard])
        });
        let of_steps = problem.steps.iter().map(|step| step.from);
        let of_starts = problem.starts.iter().map(|world| world.now);
        problem.latest = of_claims.chain(of_steps).chain(of_starts).max().unwrap_or(0);
        let bounds = |claim: &Claim| Bounded {
            from: [claim.from, claim.lived, claim.unheard],
            to: problem.rounded(claim.to),
            told: problem.rounded(claim.told.map_or(u64::MAX, |told| told.until)),
        };
        problem.bounds = problem.claims.iter().map(bounds).collect();
        problem.sort_into_kinds(all_told);
        problem
    }

    /// Certain ones first, and of those whose device was told first.
    fn promise(&self, at: usize) -> (bool, u64, u64, u64, usize) {
        let step = &self.steps[at];
        let deadline = match step.what {
            Operation::Accept(login) => self.claims[usize::from(login)].deadline(),
            Operation::End(_) | Operation::Return(..) | Operation::Administrator(..) => step.to,
        };
        (!step.is_certain, deadline, step.to, step.from, at)
    }

    /// An explanation of what was before, if it is still one by what is known now.
    fn start(&self, world: &World) -> Option<World> {
        let mut world = world.clone();
        for death in &mut world.dead {
            let claim = &self.claims[usize::from(death.victim)];
            death.fits = claim.outlived_by(death);
            let may_come_back = claim.may_return && matches!(death.how, How::Displaced { .. });
            if !death.fits && !may_come_back {
                return None;
            }
        }
        let is_refuted = |at: usize, step: &Step| match step.what {
            Operation::Accept(login) => self.claims[usize::from(login)].is_refused && world.placed.has(at),
            Operation::End(_) | Operation::Return(..) | Operation::Administrator(..) => false,
        };
        (!self.steps.iter().enumerate().any(|(at, step)| is_refuted(at, step))).then_some(world)
    }

    /// Whether nobody can be the last to be accepted, though somebody is: whoever is last keeps the seat, unless it ends by
    /// itself or by an administrator.
    pub(super) fn has_no_last(&self) -> bool {
        let accepts = |step: &Step| match step.what {
            Operation::Accept(login) | Operation::Return(login, _) => Some(&self.claims[usize::from(login)]),
            Operation::End(_) | Operation::Administrator(..) => None,
        };
        let ends = |step: &Step| matches!(step.what, Operation::End(_) | Operation::Administrator(..));
        let may_stay = |claim: &Claim| claim.told.is_none() && claim.at_end != Some(false);
        self.horizon.is_none()
            && self.starts.iter().all(|world| {
                let open =
                    || self.steps.iter().enumerate().filter(|(at, _)| !world.placed.has(*at)).map(|(_, step)| step);
                open().any(|step| step.is_certain && accepts(step).is_some())
                    && !open().any(|step| ends(step) || accepts(step).is_some_and(may_stay))
            })
    }

    /// Whether this login may wait: there is another that differs from it in nothing but instants, has not come either
    /// at `now`, and whose bounds are no later in any respect. Exchanged, the two leave every explanation one.
    pub(super) fn is_behind(&self, login: u16, placed: &Marks, now: u64) -> bool {
        let Some(kind) = self.claims[usize::from(login)].kind else { return false };
        let late = &self.bounds[usize::from(login)];
        self.kinds[usize::from(kind)].iter().any(|&(other, step)| {
            if other == usize::from(login) || placed.has(step) || !self.steps[step].is_open {
                return false;
            }
            let early = &self.bounds[other];
            let is_earlier = early.to <= late.to
                && early.told <= late.told
                && early.from.iter().zip(&late.from).all(|(early, late)| *early <= now || early <= late);
            let is_same = early.to == late.to
                && early.told == late.told
                && early.from.iter().zip(&late.from).all(|(early, late)| early.max(&now) == late.max(&now));
            is_earlier && (!is_same || other < usize::from(login))
        })
    }

    /// When one of those was accepted that this login may be exchanged with, itself included: none if there is no other.
    pub(super) fn exchangeable(&self, login: u16) -> Option<Span> {
        let logins = &self.kinds[usize::from(self.claims[usize::from(login)].kind?)];
        let claims = || logins.iter().map(|(other, _)| &self.claims[*other]);
        let from = claims().map(|claim| claim.from).min()?;
        let to = claims().map(|claim| claim.to).max()?;
        (logins.len() > 1).then_some(Span { from, to })
    }

    /// An upper bound, as far as it can matter: instants are chosen as early as lower bounds let them.
    fn rounded(&self, to: u64) -> u64 {
        if to >= self.latest.max(self.horizon.unwrap_or(0)) { u64::MAX } else { to }
    }

    fn sort_into_kinds(&mut self, all_told: bool) {
        let step_of = |login: usize| {
            let is_own = |step: &Step| step.what == Operation::Accept(login as u16);
            self.steps.iter().position(is_own)
        };
        let is_concerned = |step: &Step, login: usize| match step.what {
            Operation::End(of) | Operation::Return(of, _) => usize::from(of) == login,
            Operation::Accept(_) | Operation::Administrator(..) => false,
        };
        type Kind = (u16, bool, Option<(Option<u32>, Option<Reason>)>, Option<bool>);
        let mut kinds: Vec<(Kind, Vec<(usize, usize)>)> = Vec::new();
        let mut of = vec![None; self.claims.len()];
        for (login, claim) in self.claims.iter().enumerate() {
            let is_alone = self.claims.iter().filter(|other| other.device == claim.device).count() == 1;
            let is_named = |other: &Claim| other.told.is_some_and(|told| told.by == Some(claim.device));
            let is_plain = claim.dormant.is_empty()
                && is_alone
                && !claim.is_refused
                && !self.steps.iter().any(|step| is_concerned(step, login))
                && !self.claims.iter().any(is_named);
            let Some(step) = step_of(login).filter(|_| is_plain && (all_told || claim.told.is_some())) else {
                continue;
            };
            let told = claim.told.map(|told| (told.by, told.reason));
            let kind = (claim.platform, claim.is_certain, told, claim.at_end);
            let known = kinds.iter().position(|(known, _)| *known == kind).unwrap_or_else(|| {
                kinds.push((kind, Vec::new()));
                kinds.len() - 1
            });
            kinds[known].1.push((login, step));
            of[login] = Some(known as u16);
        }
        for (claim, kind) in self.claims.iter_mut().zip(of) {
            claim.kind = kind;
        }
        self.kinds = kinds.into_iter().map(|(_, logins)| logins).collect();
    }
}
