//! A hunt by what a guide drafts, in the place of one seed after the other: whether it is sooner is what there is to
//! know.
//!
//! On one thread, and generation by generation as a guided sweep goes. The guide learns from the broken system, for
//! that is what a sweep would have before it.

use std::ops::Range;

use super::{Bug, Catch};
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
            let mut lesson = None;
            let named = fingerprint::told(caught(|| {
                let watch = ((Checks::new(&scenario), Ledger::default()), (Sometimes::default(), Coverage::default()));
                let (summary, ((mut checks, ledger), (sometimes, coverage))) =
                    event::watch_with(&scenario, watch, (bug.system)())?;
                lesson = Some((coverage.finish(&sometimes), ledger.events));
                Ok((checks.finish(&summary.cast), summary.ending))
            }));
            if !named.is_empty() {
                return Some(Catch { seed, seeds: seed - runs.start + 1, named, steps: scenario.steps.len() });
            }
            lessons.extend(lesson.map(|(features, events)| Lesson { draft, features, events }));
        }
        guide.learn(lessons);
        start = end;
    }
    None
}
