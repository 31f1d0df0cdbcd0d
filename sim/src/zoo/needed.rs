//! Which property earns its place: what each of them says of every bug, on seeds that show it.
//!
//! ```text
//! Bug ──known seed, and some after it──▶ all that objects ──▶ without this property: unseen? a worse sentence?
//! ```
//!
//! A run keeps what every property found, in the order in which it is told: so one run answers for all of them.

use std::collections::BTreeMap;

use super::{Bug, NOT_CONVERGED, PANICKED, known, named};
use crate::check::property::vagueness;
use crate::generate;
use crate::search::fingerprint::Fingerprint;

/// What objected to a bug.
#[derive(Clone, Debug)]
pub struct Objections {
    /// The bug's name.
    pub bug: &'static str,
    /// Who, on each seed that showed it, the first to be told before the others. Never nobody.
    pub runs: Vec<Vec<&'static str>>,
    right: &'static [&'static str],
}

/// What one property is for, by the names of the bugs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Use {
    /// It objects to them.
    pub sees: Vec<&'static str>,
    /// It is the first to, on some seed.
    pub tells: Vec<&'static str>,
    /// Without it, what is told of them on some seed is another property's affair, or that of one that knows less.
    pub tells_better: Vec<&'static str>,
    /// Without it, some seed that shows them passes.
    pub sees_alone: Vec<&'static str>,
}

impl Use {
    /// Whether anything is worse without the property.
    pub fn is_needed(&self) -> bool {
        !self.tells_better.is_empty() || !self.sees_alone.is_empty()
    }
}

/// Runs the bug on the seed that is known to show it and those after it: so many in all, or until so many have shown it.
pub fn objections(bug: &'static Bug, seeds: u64, shown: usize) -> Objections {
    let first = known::seed_of(bug.id);
    let runs = (first..first + seeds).filter_map(|number| {
        let told = named(bug, &generate::scenario(bug.seed(number)));
        let mut who: Vec<&'static str> = told.iter().map(sentence).collect();
        let mut seen = Vec::new();
        who.retain(|one| {
            !seen.contains(one) && {
                seen.push(*one);
                true
            }
        });
        (!who.is_empty()).then_some(who)
    });
    Objections { bug: bug.id, runs: runs.take(shown).collect(), right: bug.right }
}

/// What each property is for, as these bugs show it. One that has no entry is for nothing.
pub fn uses(all: &[Objections]) -> BTreeMap<&'static str, Use> {
    let mut uses: BTreeMap<&'static str, Use> = BTreeMap::new();
    for Objections { bug, runs, right } in all {
        let mut note = |who: &'static str, of: fn(&mut Use) -> &mut Vec<&'static str>| {
            let bugs = of(uses.entry(who).or_default());
            if bugs.last() != Some(bug) {
                bugs.push(bug);
            }
        };
        for who in runs {
            who.iter().for_each(|one| note(one, |one| &mut one.sees));
            let first = who[0];
            note(first, |one| &mut one.tells);
            let Some(next) = who.get(1) else {
                note(first, |one| &mut one.sees_alone);
                continue;
            };
            let is_right = |one: &str| right.contains(&one);
            if vagueness(next) > vagueness(first) || is_right(first) && !is_right(next) {
                note(first, |one| &mut one.tells_better);
            }
        }
    }
    uses
}

/// Who says so: a property, or what takes its place.
fn sentence(told: &Fingerprint) -> &'static str {
    match told {
        Fingerprint::Property { property, .. } => property,
        Fingerprint::Missed { .. } => crate::check::expect::SENTENCE,
        Fingerprint::NotConverged(_) => NOT_CONVERGED,
        Fingerprint::Harness(_) => PANICKED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::property::MODELS;

    #[test]
    fn a_property_is_needed_where_nothing_else_says_so_or_says_it_as_well() {
        let [server, _] = MODELS;
        let runs = |runs: &[&[&'static str]]| Objections {
            bug: "F01",
            runs: runs.iter().map(|who| who.to_vec()).collect(),
            right: &["a", "b"],
        };
        let of = |all: &[Objections], who| uses(all).remove(who).unwrap_or_default();
        let alone = [runs(&[&["a", "b"], &["a"]])];
        assert_eq!(of(&alone, "a").sees_alone, ["F01"]);
        assert_eq!(of(&alone, "b"), Use { sees: vec!["F01"], ..Use::default() });
        assert!(of(&alone, "a").is_needed() && !of(&alone, "b").is_needed());
        let better = [runs(&[&["a", server, "b"]])];
        assert_eq!((of(&better, "a").tells_better, of(&better, server).tells), (vec!["F01"], vec![]));
        assert_eq!(of(&[runs(&[&["a", "c"]])], "a").tells_better, ["F01"]);
        assert!(!of(&[runs(&[&["a", "b"], &["b", "a"]])], "a").is_needed());
        assert!(!of(&[runs(&[&["c", "d"]])], "c").is_needed());
    }
}
