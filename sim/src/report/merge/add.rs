//! What several shards come to: sums, and of what several found the shortest that shows it.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::Part;
use crate::report::{Count, Finding, Situation, Sweep};
use crate::trace::digest::Sum;

/// Of how many seeds of a finding is said which they are.
const FIRST_MAX: usize = 8;

/// The sweep that they are together. They are its shards, all of them.
pub fn sweeps<'a>(parts: impl Iterator<Item = &'a Sweep> + Clone) -> Sweep {
    let first = parts.clone().next().expect("there is a shard");
    let sum = |number: fn(&Sweep) -> u64| parts.clone().map(number).sum();
    let mut sweep = Sweep {
        world: first.world.clone(),
        profile: first.profile.clone(),
        asked: first.share.expect("it is a shard").whole,
        time_seconds: None,
        share: None,
        canaries: parts.clone().flat_map(|part| part.canaries.clone()).collect(),
        finished: sum(|part| part.finished),
        left_out: sum(|part| part.left_out),
        failing: sum(|part| part.failing),
        soaks: sum(|part| part.soaks),
        repeated: sum(|part| part.repeated),
        events: sum(|part| part.events),
        simulated_us: sum(|part| part.simulated_us),
        digest: None,
        sum: parts.clone().try_fold(Sum::default(), |sum, part| Some(sum.plus(part.sum?))),
        properties: first.properties.clone(),
        situations: situations(parts.clone().flat_map(|part| &part.situations)),
        counts: counts(parts.flat_map(|part| &part.counts)),
    };
    sweep.sort();
    sweep
}

fn situations<'a>(of_parts: impl Iterator<Item = &'a Situation>) -> Vec<Situation> {
    let mut all: BTreeMap<&str, Situation> = BTreeMap::new();
    for one in of_parts {
        let all = all.entry(&one.situation).or_insert_with(|| Situation { seeds: 0, parts: Vec::new(), ..one.clone() });
        all.seeds += one.seeds;
        for part in &one.parts {
            match all.parts.iter_mut().find(|known| known.part == part.part) {
                Some(known) => known.seeds += part.seeds,
                None => all.parts.push(part.clone()),
            }
        }
        // How far seeds got is said of what no seed reached.
        if all.seeds > 0 {
            all.parts.clear();
        }
    }
    all.into_values().collect()
}

fn counts<'a>(of_parts: impl Iterator<Item = &'a Count>) -> Vec<Count> {
    let mut all: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for Count { section, what, number } in of_parts {
        *all.entry((section, what)).or_default() += number;
    }
    let count = |((section, what), number): ((&str, &str), u64)| Count {
        section: section.to_owned(),
        what: what.to_owned(),
        number,
    };
    all.into_iter().map(count).collect()
}

/// The findings of all of them, each kind once, and the part that shows it by the fewest steps. The shortest come first, then
/// what more seeds show.
pub fn findings(parts: &[Part]) -> Vec<(Finding, usize)> {
    let mut all: BTreeMap<&str, (Finding, usize)> = BTreeMap::new();
    for (number, part) in parts.iter().enumerate() {
        for finding in &part.report.findings {
            let blank = || (Finding { seen: 0, first: Vec::new(), ..finding.clone() }, number);
            let (known, of) = all.entry(&finding.fingerprint).or_insert_with(blank);
            let (seen, mut first) = (known.seen + finding.seen, std::mem::take(&mut known.first));
            let disagreement = known.disagreement.take().or_else(|| finding.disagreement.clone());
            first.extend(finding.first.iter().cloned());
            if length(finding) < length(known) {
                (*known, *of) = (finding.clone(), number);
            }
            (known.seen, known.first, known.disagreement) = (seen, first, disagreement);
        }
    }
    let mut all: Vec<(Finding, usize)> = all.into_values().collect();
    for (finding, _) in &mut all {
        finding.first.sort_by_key(|seed| number_of(seed));
        finding.first.truncate(FIRST_MAX);
    }
    all.sort_by_key(|(finding, _)| (length(finding), Reverse(finding.seen)));
    all
}

/// What was not shrunk is the longest.
fn length(finding: &Finding) -> usize {
    finding.steps.unwrap_or(usize::MAX)
}

/// The number of a seed, which may have its profile in front of it.
fn number_of(seed: &str) -> u64 {
    seed.rsplit(':').next().and_then(|number| number.parse().ok()).unwrap_or(u64::MAX)
}
