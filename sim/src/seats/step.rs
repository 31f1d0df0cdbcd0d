//! What can happen, with the bounds of its instant and what comes before it.
//!
//! Of sessions `claim` says what bounds them.

use super::book::{Book, Operation};
use super::claim::Claim;
use super::fact::Fact;
use super::marks::Marks;

/// An operation, with the bounds of its instant and of its place in the order.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) what: Operation,
    pub(super) from: u64,
    pub(super) to: u64,
    /// It has to happen.
    pub(super) is_certain: bool,
    /// Can happen at all before the horizon.
    pub(super) is_open: bool,
    /// What comes before it.
    pub(super) after: Marks,
    /// What it cannot come after.
    pub(super) barred: Marks,
}

/// The operations of a book, by the facts that count.
pub(super) fn steps(book: &Book, claims: &[Claim], horizon: Option<u64>, counts: &impl Fn(usize) -> bool) -> Vec<Step> {
    let facts = || book.facts.iter().enumerate().filter(|(at, _)| counts(*at)).map(|(_, fact)| *fact);
    let step = |operation: &Operation| {
        let (from, to, is_certain) = match *operation {
            Operation::Accept(login) => {
                let claim = &claims[usize::from(login)];
                (claim.from, claim.to, claim.is_certain)
            }
            Operation::End(login) => {
                let id = book.logins[usize::from(login)].id;
                let bounds = facts().find_map(|fact| match fact {
                    Fact::Ended { login, from, to, .. } if login == id => Some((from, to.unwrap_or(u64::MAX))),
                    _ => None,
                });
                let (from, to) = bounds.unwrap_or((0, u64::MAX));
                (from, to, false)
            }
            Operation::Return(_, at) => (at.from, at.to, false),
            Operation::Administrator(at, sure) => {
                if facts().any(|fact| fact == Fact::Administrator { at, sure }) {
                    (at.from, at.to, sure)
                } else {
                    (0, u64::MAX, false)
                }
            }
        };
        let is_refused = matches!(operation, Operation::Accept(login) if claims[usize::from(*login)].is_refused);
        let is_open = !is_refused && horizon.is_none_or(|horizon| from < horizon);
        Step { what: *operation, from, to, is_certain, is_open, after: Marks::default(), barred: Marks::default() }
    };
    let mut steps: Vec<Step> = book.operations.iter().map(step).collect();
    let accepted: Vec<(usize, usize)> = (0..steps.len())
        .filter_map(|at| match steps[at].what {
            Operation::Accept(login) => Some((usize::from(login), at)),
            Operation::End(_) | Operation::Return(..) | Operation::Administrator(..) => None,
        })
        .collect();
    let step_of = |login: usize| accepted.iter().find(|(of, _)| *of == login).map(|(_, at)| *at);
    for &(late, late_at) in &accepted {
        for &(early, early_at) in &accepted {
            if early < late && claims[early].device == claims[late].device {
                if steps[early_at].is_certain {
                    steps[late_at].after.add(early_at);
                } else {
                    steps[early_at].barred.add(late_at);
                }
            }
        }
    }
    for step in &mut steps {
        let (login, returns) = match step.what {
            Operation::End(login) => (usize::from(login), false),
            Operation::Return(login, _) => (usize::from(login), true),
            Operation::Accept(_) | Operation::Administrator(..) => continue,
        };
        if let Some(accept) = step_of(login) {
            step.after.add(accept);
        }
        let is_later = |other: usize| other > login && claims[other].device == claims[login].device;
        for &(_, later) in accepted.iter().filter(|(other, _)| returns && is_later(*other)) {
            step.barred.add(later);
        }
    }
    // Whoever was told of a device was accepted before that device's last login, which is known by then; unless that
    // device displaced by coming back.
    for (login, claim) in claims.iter().enumerate() {
        let Some(told) = claim.told.filter(|told| horizon.is_none_or(|horizon| told.until < horizon)) else { continue };
        let Some(device) = told.by.filter(|device| *device != claim.device) else { continue };
        if claims.iter().any(|other| other.device == device && other.may_return) {
            continue;
        }
        let last = (0..claims.len()).rev().find(|&other| claims[other].device == device).and_then(step_of);
        if let (Some(last), Some(own)) = (last, step_of(login)) {
            steps[last].after.add(own);
        }
    }
    steps
}
