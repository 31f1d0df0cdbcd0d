//! The scenarios that were the first to reach something, and how often what they reached was reached since.
//!
//! Who alone reached something is picked often; the more runs reach it as well, the less, and the less the longer it
//! takes. What is rare is so looked at from more sides, until it is not rare any more.

use std::sync::Arc;

use super::Lesson;
use crate::coverage::{FEATURES, Feature};
use crate::draw::Draw;
use crate::scenario::Scenario;

/// The most scenarios that are kept; of more, the lightest half goes.
const ENTRIES_MAX: usize = 2_000;

/// What takes more events than this is not kept: its mutants would take all the time.
const EVENTS_MAX: u64 = 20_000;

/// What takes fewer events than this weighs as if it took so many.
const EVENTS_MIN: u64 = 200;

/// What a feature weighs that one run has reached, in a hundred events.
const WEIGHT: u64 = 1 << 20;

/// What is kept.
#[derive(Clone, Debug)]
pub(super) struct Corpus {
    entries: Vec<Entry>,
    weights: Vec<u64>,
    /// How many runs reached each feature.
    hits: Vec<u32>,
}

/// A scenario that was kept.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) scenario: Arc<Scenario>,
    pub(super) root: u64,
    pub(super) events: u64,
    /// What it was the first to reach.
    first: Vec<Feature>,
}

impl Default for Corpus {
    fn default() -> Self {
        Corpus { entries: Vec::new(), weights: Vec::new(), hits: vec![0; FEATURES] }
    }
}

impl Corpus {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// One of them, the heavy ones more often; none when nothing is kept.
    pub(super) fn pick(&self, draw: &mut Draw) -> Option<&Entry> {
        draw.weighted(&self.weights).map(|place| &self.entries[place])
    }

    /// Takes note of a run, and keeps its scenario if it reached something new. Says how much that is.
    pub(super) fn learn(&mut self, lesson: Lesson) -> u64 {
        let Lesson { draft, features, events } = lesson;
        let mut first = Vec::new();
        for feature in features {
            let hits = &mut self.hits[feature as usize];
            if *hits == 0 {
                first.push(feature);
            }
            *hits = hits.saturating_add(1);
        }
        let new = first.len() as u64;
        if new > 0 && events <= EVENTS_MAX {
            self.entries.push(Entry { scenario: draft.scenario(), root: draft.root, events, first });
        }
        new
    }

    /// Weighs all entries anew.
    pub(super) fn weigh(&mut self) {
        let hits = &self.hits;
        let weight = |entry: &Entry| {
            let first: u64 = entry.first.iter().map(|&first| WEIGHT / u64::from(hits[first as usize])).sum();
            first * 100 / entry.events.max(EVENTS_MIN)
        };
        self.weights = self.entries.iter().map(weight).collect();
        if self.entries.len() > ENTRIES_MAX {
            let mut sorted = self.weights.clone();
            sorted.sort_unstable();
            let least = sorted[sorted.len() / 2];
            let mut weights = self.weights.iter();
            self.entries.retain(|_| weights.next().is_some_and(|weight| *weight > least));
            self.weights.retain(|weight| *weight > least);
        }
    }
}
