//! Coverage that steers: scenarios that reach something new are kept, and what is run next are mutants of
//! them as well as fresh seeds.
//!
//! ```text
//!        ┌──────────────── the corpus, as it was when the generation began ◀────────────┐
//!        ▼                                                                              │
//!  number ──▶ Draft: a fresh seed, or a mutant ──run──▶ features ──in the order of numbers: learn
//! ```
//!
//! Reproducible: what a number means follows from the first number, the profile and the numbers before its
//! generation, whoever runs them and on how many threads. So a number alone does not draw its scenario again:
//! who finds something with a mutant keeps the scenario.
//!
//! Runs nothing: a sweep and the zoo do.

mod corpus;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use crate::coverage::Feature;
use crate::draw::Draw;
use crate::generate::{self, Profile, Seed};
use crate::mutate::{self, Mutant};
use crate::scenario::Scenario;
use corpus::Corpus;

/// How many scenarios are drawn from the corpus as it is before what they reached is learnt.
pub const GENERATION: u64 = 64;

/// How many generations are fresh seeds only: what is common is met by anybody, and nothing is rare before it is
/// known what is not.
const FRESH_FIRST: u64 = 4;

/// How many of a hundred are fresh seeds from then on.
const FRESH: u64 = 20;

/// The most events that a mutant may cost beside what its parent did, in hundredths, and in any case.
const COST_SHARE: u64 = 150;
const COST: (u64, u64) = (1_000, 10_000);

/// The guide of a search.
#[derive(Clone, Debug)]
pub struct Guide {
    profile: Profile,
    corpus: Corpus,
    new: u64,
    new_in_last: u64,
    /// How many generations it has learnt from.
    generations: u64,
}

/// What is to be run as a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The number, as a seed: of a fresh one, what its scenario is drawn from.
    pub seed: Seed,
    /// The scenario, where no seed draws it.
    pub mutant: Option<Arc<Scenario>>,
    /// The seed whose scenario it comes from.
    root: u64,
}

/// Where a scenario that was run comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A seed draws it.
    Seed(Seed),
    /// It is the mutant that a guided sweep made for this number, and nothing but its file draws it again.
    Mutant(u64),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Seed(seed) => seed.fmt(f),
            Origin::Mutant(number) => write!(f, "run {number}"),
        }
    }
}

/// What became of a draft.
#[derive(Clone, Debug)]
pub struct Lesson {
    /// What was run.
    pub draft: Draft,
    /// What it reached.
    pub features: Vec<Feature>,
    /// How many events it took.
    pub events: u64,
}

/// How far a guided search has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// How many scenarios are kept.
    pub corpus: usize,
    /// How many features were reached.
    pub features: u64,
    /// How many of them in the last generation for the first time.
    pub new: u64,
}

impl Guide {
    /// A guide that has learnt nothing yet, for scenarios of this kind.
    pub fn new(profile: Profile) -> Self {
        Guide { profile, corpus: Corpus::default(), new: 0, new_in_last: 0, generations: 0 }
    }

    /// What this number means, as far as has been learnt.
    pub fn draft(&self, number: u64) -> Draft {
        let seed = Seed { profile: self.profile, number };
        let mut draw = Draw::new(number, "guided", "draft");
        let is_fresh = self.generations < FRESH_FIRST || draw.chance(FRESH, 100);
        let pair = self.corpus.pick(&mut draw).zip(self.corpus.pick(&mut draw));
        let Some((parent, donor)) = pair.filter(|_| !is_fresh) else {
            return Draft::fresh(seed);
        };
        let cost_max = (parent.events * COST_SHARE / 100).clamp(COST.0, COST.1);
        let mutant = mutate::mutant(&parent.scenario, &donor.scenario, number, cost_max);
        let Some(Mutant { mut scenario, changes }) = mutant else {
            return Draft::fresh(seed);
        };
        scenario.title = format!("run {number} of a guided sweep, from seed {}: {}", parent.root, changes.join(", "));
        Draft { seed, mutant: Some(Arc::new(scenario)), root: parent.root }
    }

    /// What a generation showed, in the order of its numbers.
    pub fn learn(&mut self, lessons: impl IntoIterator<Item = Lesson>) {
        self.new_in_last = lessons.into_iter().map(|lesson| self.corpus.learn(lesson)).sum();
        self.new += self.new_in_last;
        self.generations += 1;
        self.corpus.weigh();
    }

    /// How far it has come.
    pub fn progress(&self) -> Progress {
        Progress { corpus: self.corpus.len(), features: self.new, new: self.new_in_last }
    }
}

impl Draft {
    /// The scenario of a seed, as it is.
    pub fn fresh(seed: Seed) -> Self {
        Draft { seed, mutant: None, root: seed.number }
    }

    /// The scenario.
    pub fn scenario(&self) -> Arc<Scenario> {
        self.mutant.clone().unwrap_or_else(|| Arc::new(generate::scenario(self.seed)))
    }
}
