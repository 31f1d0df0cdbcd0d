//! A hunt by what a guide drafts, in the place of one seed after the other: whether it is sooner is what there is to
//! know.
//!
//! On one thread, and generation by generation as a guided sweep goes. The guide learns from the broken system, for
//! that is what a sweep would have before it.

use std::ops::Range;

use gatecrash::decide::Rules;

use super::{Bug, Catch, look};
use crate::caught::caught;
use crate::coverage::Coverage;
use crate::fingerprint;
use crate::generate::Profile;
use crate::guided::{GENERATION, Guide, Lesson};
use crate::property::Checks;
use crate::sometimes::Sometimes;
use crate::trace::Ledger;
use crate::world::event;

/// Runs the bug on one draft after the other until something names it.
pub fn hunt_guided(bug: &Bug, runs: Range<u64>) -> Option<Catch> {
    let mut guide = Guide::new(Profile::Swarm);
    let mut start = runs.start;
    while start < runs.end {
        let end = runs.end.min(start + GENERATION);
        let mut lessons = Vec::new();
        for seed in start..end {
            let draft = guide.draft(seed);
            let scenario = draft.scenario();
            let (mut checks, mut ledger) = (Checks::new(&scenario), Ledger::default());
            let (mut sometimes, mut coverage) = (Sometimes::default(), Coverage::default());
            let end = caught(|| {
                let watch = ((&mut checks, &mut ledger), (&mut sometimes, &mut coverage));
                let (summary, ((checks, _), _)) = event::watch_with(&scenario, watch, (bug.system)())?;
                checks.close(&summary.cast);
                Ok(summary.ending)
            });
            let named = fingerprint::told(checks.violations(), end);
            if !named.is_empty() {
                // No seed was ever looked at for false alarms as a mutant is.
                if !look(&scenario, (Rules, Rules)).is_empty() {
                    continue;
                }
                return Some(Catch { seed, seeds: seed - runs.start + 1, named, steps: scenario.steps.len() });
            }
            lessons.push(Lesson { draft, features: coverage.finish(&sometimes), events: ledger.events });
        }
        guide.learn(lessons);
        start = end;
    }
    None
}
