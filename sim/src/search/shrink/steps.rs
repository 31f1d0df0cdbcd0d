//! Fewer steps: from the end, in chunks of half as many each time, in twos and threes, and with luck.
//!
//! Changes no step: `faults`, `times` and `values` do.

use std::time::Duration;

use super::Search;
use crate::generate::draw::Draw;
use crate::scenario::numbers;
use crate::scenario::{Scenario, Step};

/// Up to so many steps any two are tried without.
const PAIRS_STEPS_MAX: usize = 24;

/// Up to so many any three.
const TRIPLES_STEPS_MAX: usize = 11;

/// Up to so many any two are tried with other seeds.
const LUCKY_PAIRS_STEPS_MAX: usize = 16;

/// Which other seeds each removal gets when rounds help no more.
const SEEDS: std::ops::RangeInclusive<u64> = 1..=6;

/// The fewer refused tickets before a lock, the fewer logins it takes: the numbers that are tried.
const REFUSALS: std::ops::RangeInclusive<u32> = 1..=3;

/// Of so few steps every removal has been tried but that of all.
const FEW_STEPS: usize = 4;

/// The same where more steps are left than anybody wants to read: of a race that is seldom lost the way out
/// may be narrow.
const SEEDS_OF_MANY: std::ops::RangeInclusive<u64> = 1..=60;

/// How many subsets of the steps are drawn, and how many of more steps than anybody wants to read.
const SUBSETS: usize = 300;
const SUBSETS_OF_MANY: usize = 4_000;

/// So many steps are many.
const MANY_STEPS: usize = 8;

/// A script that has no step left to end with ends here.
const EMPTY_UNTIL: Duration = Duration::from_secs(1);

/// What happens after the failure is of no use: looks for the earliest step that can be the last.
pub(super) fn ending(search: &mut Search<'_>) {
    let (mut low, mut high) = (0, search.best.steps.len());
    while low < high {
        let middle = low + (high - low) / 2;
        let end = search.best.steps[middle].at;
        let is_enough = search.try_with(|scenario| {
            scenario.steps.truncate(middle);
            scenario.until = if end.is_zero() { EMPTY_UNTIL } else { end };
        });
        if is_enough { high = middle } else { low = middle + 1 }
    }
}

/// Without half of the steps, a quarter of them, down to single ones; the last ones first.
pub(super) fn chunks(search: &mut Search<'_>) {
    let mut size = search.best.steps.len().div_ceil(2);
    while size > 0 {
        let mut has_helped = false;
        let mut end = search.best.steps.len();
        while end > 0 {
            let start = end.saturating_sub(size);
            has_helped |= search.try_with(|scenario| drop(scenario.steps.drain(start..end)));
            end = start;
        }
        if size == 1 && !has_helped {
            return;
        }
        // Single steps again and again: one may have held another.
        size = if size == 1 { 1 } else { size / 2 };
    }
}

/// Without any two, then without any three, of what is left: a crash and its start, a call and what
/// waits for it.
pub(super) fn pairs(search: &mut Search<'_>) {
    if search.best.steps.len() <= PAIRS_STEPS_MAX {
        while search.first_of(pairs_of(search.best.steps.len()), |scenario, gone| without(&mut scenario.steps, &gone)) {
        }
    }
    if search.best.steps.len() <= TRIPLES_STEPS_MAX {
        while search.first_of(triples_of(search.best.steps.len()), |scenario, gone| without(&mut scenario.steps, &gone))
        {
        }
    }
}

/// Whether a race is lost or won depends on what is drawn: with another seed less may do.
pub(super) fn luck(search: &mut Search<'_>) {
    if search.best.steps.len() > PAIRS_STEPS_MAX {
        return;
    }
    loop {
        let count = search.best.steps.len();
        let singles = (0..count).map(|gone| vec![gone]);
        let pairs = pairs_of(count).map(Vec::from).filter(|_| count <= LUCKY_PAIRS_STEPS_MAX);
        let removals: Vec<Vec<usize>> = singles.chain(pairs).collect();
        let seeds = if count > MANY_STEPS { SEEDS_OF_MANY } else { SEEDS };
        let tries = removals.into_iter().flat_map(|gone| seeds.clone().map(move |seed| (gone.clone(), seed)));
        // Locks first: they take few runs, and other seeds many.
        let has_helped = locks(search)
            || search.first_of(tries, |scenario: &mut Scenario, (gone, seed)| {
                without(&mut scenario.steps, &gone);
                scenario.seed = seed;
            });
        if !has_helped && !subsets(search) {
            return;
        }
    }
}

/// With a lock after fewer refused tickets, and as many fewer steps in a row.
fn locks(search: &mut Search<'_>) -> bool {
    let count = search.best.steps.len();
    let refusals_max = numbers::server_limits(&search.best.limits).refusals_max;
    let fewer = REFUSALS.filter(|&refusals| refusals < refusals_max);
    let tries = fewer.flat_map(|refusals| {
        let width = (refusals_max - refusals) as usize;
        (0..(count + 1).saturating_sub(width)).map(move |start| (refusals, start..start + width))
    });
    search.first_of(tries, |scenario, (refusals, gone)| {
        scenario.steps.drain(gone);
        scenario.limits.refusals_max = Some(refusals);
    })
}

/// Without several steps at once, drawn by lot, where many are left: the way out may lead through more than three.
fn subsets(search: &mut Search<'_>) -> bool {
    let count = search.best.steps.len();
    if count <= FEW_STEPS {
        return false;
    }
    let mut draw = Draw::new(count as u64, "shrink", "subsets");
    let (number, seeds) = if count > MANY_STEPS { (SUBSETS_OF_MANY, SEEDS_OF_MANY) } else { (SUBSETS, SEEDS) };
    let tries: Vec<(Vec<usize>, u64)> = (0..number)
        .map(|_| {
            let share = draw.between(2, count as u64 - 2);
            let gone = (0..count).filter(|_| draw.chance(share, count as u64)).collect();
            let seed = if draw.chance(1, 2) { search.best.seed } else { draw.between(*seeds.start(), *seeds.end()) };
            (gone, seed)
        })
        .collect();
    search.first_of(tries, |scenario, (gone, seed)| {
        without(&mut scenario.steps, &gone);
        scenario.seed = seed;
    })
}

/// The last ones first.
fn pairs_of(count: usize) -> impl Iterator<Item = [usize; 2]> {
    (0..count).rev().flat_map(|high| (0..high).rev().map(move |low| [low, high]))
}

fn triples_of(count: usize) -> impl Iterator<Item = [usize; 3]> {
    pairs_of(count).flat_map(|[middle, high]| (0..middle).rev().map(move |low| [low, middle, high]))
}

fn without(steps: &mut Vec<Step>, gone: &[usize]) {
    let mut index = 0;
    steps.retain(|_| {
        index += 1;
        !gone.contains(&(index - 1))
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_two_and_any_three_are_each_named_once() {
        let mut pairs: Vec<_> = pairs_of(5).collect();
        assert_eq!((pairs.len(), pairs[0]), (10, [3, 4]));
        pairs.dedup();
        assert_eq!(pairs.len(), 10);
        let triples: Vec<_> = triples_of(5).collect();
        assert_eq!((triples.len(), triples[0]), (10, [2, 3, 4]));
        assert!(triples.iter().all(|[low, middle, high]| low < middle && middle < high));
        assert_eq!((pairs_of(1).count(), triples_of(2).count()), (0, 0));
    }
}
