//! What bounds a login and its session: the facts about it, as instants.
//!
//! ```text
//! a login    accepted in [from, to]; if nothing proves that it was, then perhaps never
//! its end    not before `lived`; by others not before `unheard`; not after `told.until`, if it was told
//! ```
//!
//! A fact that is left out leaves its bound open. What bounds the order is in `step`.

use super::book::{Book, Operation};
use super::fact::{Fact, Span};
use super::world::{Death, How, Told};

/// A login, and what bounds its session.
#[derive(Clone, Debug)]
pub(super) struct Claim {
    pub(super) device: u32,
    pub(super) platform: u16,
    pub(super) from: u64,
    pub(super) to: u64,
    /// Something proves that it was accepted.
    pub(super) is_certain: bool,
    pub(super) is_refused: bool,
    /// Its session had not ended before.
    pub(super) lived: u64,
    /// No one else had ended its session before.
    pub(super) unheard: u64,
    pub(super) told: Option<Told>,
    /// Its session had ended by itself, if not otherwise, by then.
    pub(super) end_by: Option<u64>,
    /// Known to hold a seat in the end, or known not to.
    pub(super) at_end: Option<bool>,
    /// When its session may have been dormant.
    pub(super) dormant: Vec<Span>,
    /// Whether its session may come back after it was displaced.
    pub(super) may_return: bool,
    /// Logins with the same number differ in nothing but instants: see `Problem::is_behind`.
    pub(super) kind: Option<u16>,
}

impl Claim {
    /// The instants at which such an end is what the facts say: none if never.
    pub(super) fn end(&self, how: How, by: Option<u32>) -> Option<Span> {
        if self.at_end == Some(true) || self.told.is_some_and(|told| !told.tells_of(how, by)) {
            return None;
        }
        let from = if how.is_kick() { self.lived.max(self.unheard) } else { self.lived };
        Some(Span { from, to: self.deadline() })
    }

    /// When its session has to have ended, at the latest.
    pub(super) fn deadline(&self) -> u64 {
        let told = self.told.map_or(u64::MAX, |told| told.until);
        told.min(self.end_by.unwrap_or(u64::MAX))
    }

    pub(super) fn outlived_by(&self, death: &Death) -> bool {
        self.end(death.how, death.by).is_some_and(|span| span.from <= death.span.to && death.span.from <= span.to)
    }
}

/// The claims of a book, by the facts that count.
pub(super) fn claims(book: &Book, counts: &impl Fn(usize) -> bool) -> Vec<Claim> {
    let mut claims: Vec<Claim> = book
        .logins
        .iter()
        .map(|login| Claim {
            device: login.device,
            platform: login.platform,
            from: 0,
            to: u64::MAX,
            is_certain: false,
            is_refused: false,
            lived: 0,
            unheard: 0,
            told: None,
            end_by: None,
            at_end: None,
            dormant: login.dormant.clone(),
            may_return: false,
            kind: None,
        })
        .collect();
    let facts = || book.facts.iter().enumerate().filter(|(at, _)| counts(*at)).map(|(_, fact)| *fact);
    for fact in facts() {
        let Some(claim) = fact.login().and_then(|login| book.index(login)).map(|at| &mut claims[at]) else { continue };
        match fact {
            Fact::Called { at, .. } => claim.from = claim.from.max(at.from),
            Fact::Accepted { at, .. } => {
                claim.is_certain = true;
                claim.to = claim.to.min(at.to);
            }
            Fact::Refused { .. } => claim.is_refused = true,
            Fact::Alive { begun, answered, .. } => {
                claim.is_certain = true;
                claim.to = claim.to.min(answered);
                claim.lived = claim.lived.max(begun);
            }
            Fact::Told { at, .. } => {
                claim.is_certain = true;
                claim.to = claim.to.min(at.to);
                claim.told = Some(Told { until: at.to, by: None, reason: None });
            }
            Fact::Unheard { by, .. } => claim.unheard = claim.unheard.max(by.saturating_add(1)),
            Fact::Ended { to, .. } => {
                claim.to = claim.to.min(to.unwrap_or(u64::MAX));
                claim.end_by = to;
            }
            Fact::AliveAtEnd { .. } => {
                claim.is_certain = true;
                claim.at_end = Some(true);
            }
            Fact::GoneAtEnd { .. } => claim.at_end = Some(false),
            Fact::ToldBy { .. } | Fact::ToldFor { .. } | Fact::Administrator { .. } => {}
        }
    }
    for fact in facts() {
        let Some(claim) = fact.login().and_then(|login| book.index(login)).map(|at| &mut claims[at]) else { continue };
        match (fact, &mut claim.told) {
            (Fact::ToldBy { device, .. }, Some(told)) => told.by = Some(device),
            (Fact::ToldFor { reason, .. }, Some(told)) => told.reason = Some(reason),
            _ => {}
        }
    }
    for operation in &book.operations {
        if let Operation::Return(login, _) = operation {
            claims[usize::from(*login)].may_return = true;
        }
    }
    claims
}
