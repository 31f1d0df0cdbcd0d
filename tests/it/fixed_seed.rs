//! How properties draw their cases: from the same seed in every run, and from another where one is asked for.
//! Every test binary of the repository that has properties compiles this file, and no `proptest!` does without it.
//!
//! A failure leaves no file. It says what draws it again:
//!
//! ```text
//! PROPTEST_RNG_SEED=7 PROPTEST_CASES=100000 cargo test the_property     other cases, and more
//! ```
//!
//! Those two are the library's own variables, and so are all the others it honours. What is drawn by hand from
//! `TestRunner::deterministic()` is no property and is the same always.

use std::any::Any;
use std::fmt::Debug;

use proptest::test_runner::{Config, FailurePersistence, PersistedSeed, RngSeed, contextualize_config};

const SEED: u64 = 1;

/// The configuration of a property that is tried with `number` cases.
pub fn cases(number: u32) -> Config {
    Config {
        cases: number,
        rng_seed: RngSeed::Fixed(SEED),
        failure_persistence: Some(Box::new(ToldOnly { cases: number })),
        ..Config::default()
    }
}

/// Keeps no failure: a kept one would be tried first by one checkout and unknown to all others.
#[derive(Clone, Debug, PartialEq)]
struct ToldOnly {
    cases: u32,
}

impl FailurePersistence for ToldOnly {
    fn load_persisted_failures2(&self, _: Option<&'static str>) -> Vec<PersistedSeed> {
        Vec::new()
    }

    fn save_persisted_failure2(&mut self, file: Option<&'static str>, _: PersistedSeed, _: &dyn Debug) {
        let Config { cases, rng_seed, .. } = contextualize_config(self::cases(self.cases));
        let thread = std::thread::current();
        let test = thread.name().filter(|name| *name != "main").unwrap_or_default();
        eprintln!("A case drawn from seed {rng_seed} fails in {}. To draw it again:", file.unwrap_or("a property"));
        eprintln!("    PROPTEST_RNG_SEED={rng_seed} PROPTEST_CASES={cases} cargo test {test}");
    }

    fn box_clone(&self) -> Box<dyn FailurePersistence> {
        Box::new(self.clone())
    }

    fn eq(&self, other: &dyn FailurePersistence) -> bool {
        other.as_any().downcast_ref() == Some(self)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
