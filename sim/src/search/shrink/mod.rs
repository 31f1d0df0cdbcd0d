//! Shrinking: from a scenario that fails to the smallest that still fails in the same way.
//!
//! ```text
//!  Scenario ──change──▶ candidate ──prints, parses?──▶ run ──same fingerprint?──▶ the new best
//!      ▲                                                                              │
//!      └──────────────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! Delta debugging in passes: steps, then who and where, then what is configured, then when and with
//! which values; over again while anything helps. A candidate counts only if it is a file that parses
//! to itself, and if its run shows the fingerprint that is wanted. Everything drawn while running
//! comes from a stream of each entity's own, so that what is taken away shifts nobody else's draws.
//!
//! Runs nothing itself: whoever calls says how, in which world, and with which decisions.

pub(crate) mod cast;
mod config;
mod faults;
mod steps;
#[cfg(test)]
mod tests;
mod times;
mod title;
mod values;

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest as _, Sha256};

use crate::scenario::{Action, DeviceName, Scenario};
use crate::search::fingerprint::Fingerprint;

pub use title::{as_regression, stem};

/// The most candidates that are run when nobody says otherwise.
pub const RUNS_MAX: u64 = 20_000;

/// What runs a scenario and says what goes wrong in it; none when there is no time left.
pub trait Look: FnMut(&Scenario) -> Option<Vec<Fingerprint>> {}

impl<F: FnMut(&Scenario) -> Option<Vec<Fingerprint>>> Look for F {}

/// A scenario that nothing could be taken away from any more, and how it came about.
#[derive(Clone, Debug)]
pub struct Shrunk {
    /// It: without expectations, with a title that says what it breaks.
    pub scenario: Scenario,
    /// What it shows when it runs.
    pub fingerprint: Fingerprint,
    /// What was tried, by pass, in the order of the passes.
    pub tried: Vec<Tried>,
    /// Why it was not tried to make it smaller still.
    pub end: End,
}

/// What became of the candidates of one pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tried {
    /// The pass, in a word.
    pub pass: &'static str,
    /// How many candidates were run.
    pub runs: u64,
    /// How many of them failed in the same way.
    pub kept: u64,
    /// How many were no scenario that can be written down.
    pub refused: u64,
}

/// Why shrinking ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Nothing helps any more.
    Smallest,
    /// There were no runs, or there was no time, left.
    Budget,
}

/// Why there is nothing to shrink.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unshrinkable {
    /// The scenario does not fail so.
    #[error("it does not fail")]
    Passes,
    /// It fails in another way only.
    #[error("it fails, but not so: {0}")]
    FailsOtherwise(Fingerprint),
}

/// Makes the scenario as small as it gets while its run shows this fingerprint, with so many runs.
///
/// What the file itself expects is dropped first: it speaks of the whole of it.
///
/// # Errors
///
/// When its run does not show it in the first place.
pub fn shrink(
    scenario: &Scenario,
    wanted: &Fingerprint,
    mut look: impl Look,
    runs_max: u64,
) -> Result<Shrunk, Unshrinkable> {
    let best = Scenario { expectations: Vec::new(), ..scenario.clone() };
    let found = look(&best).unwrap_or_default();
    if !found.contains(wanted) {
        return Err(found.into_iter().next().map_or(Unshrinkable::Passes, Unshrinkable::FailsOtherwise));
    }
    let mut search = Search {
        wanted,
        look: &mut look,
        best,
        known: BTreeSet::new(),
        runs_left: runs_max,
        is_over: false,
        pass: PASSES[0].0,
        tried: BTreeMap::new(),
    };
    search.run();
    let Search { best, tried, is_over, .. } = search;
    let order = PASSES.iter().chain(&LAST).filter_map(|(pass, _)| tried.get(pass).copied());
    Ok(Shrunk {
        scenario: title::entitled(best, wanted),
        fingerprint: wanted.clone(),
        tried: order.collect(),
        end: if is_over { End::Budget } else { End::Smallest },
    })
}

/// A pass: tries candidates made of the best scenario so far.
type Pass = (&'static str, fn(&mut Search<'_>));

/// The passes of a round.
const PASSES: [Pass; 10] = [
    ("ending", steps::ending),
    ("devices", cast::devices),
    ("steps", steps::chunks),
    ("users", cast::users),
    ("sites", cast::sites),
    ("faults", faults::faults),
    ("configuration", config::configuration),
    ("pairs", steps::pairs),
    ("times", times::times),
    ("values", values::values),
];

/// What is tried when rounds help no more.
const LAST: [Pass; 1] = [("luck", steps::luck)];

/// The search for a smaller scenario.
struct Search<'a> {
    wanted: &'a Fingerprint,
    look: &'a mut dyn FnMut(&Scenario) -> Option<Vec<Fingerprint>>,
    /// The smallest so far that fails in the same way.
    best: Scenario,
    /// What was tried, so that nothing is tried twice.
    known: BTreeSet<[u8; 16]>,
    runs_left: u64,
    is_over: bool,
    pass: &'static str,
    tried: BTreeMap<&'static str, Tried>,
}

impl Search<'_> {
    fn run(&mut self) {
        loop {
            while self.round(&PASSES) && !self.is_over {}
            if self.is_over || !self.round(&LAST) {
                return;
            }
        }
    }

    /// Says whether any of these passes helped.
    fn round(&mut self, passes: &[Pass]) -> bool {
        let kept = |search: &Self| search.tried.values().map(|tried| tried.kept).sum::<u64>();
        let before = kept(self);
        for (name, pass) in passes {
            self.pass = name;
            pass(self);
        }
        kept(self) > before
    }

    /// Tries the best scenario with this change. It is the best from now on if it fails in the same way.
    fn try_with(&mut self, change: impl FnOnce(&mut Scenario)) -> bool {
        let mut candidate = self.best.clone();
        change(&mut candidate);
        self.try_out(candidate)
    }

    /// Tries a scenario. It is the best from now on if it fails in the same way.
    fn try_out(&mut self, candidate: Scenario) -> bool {
        if self.is_over || candidate == self.best {
            return false;
        }
        let text = candidate.to_string();
        let sum = Sha256::digest(&text);
        let sum: [u8; 16] = sum[..16].try_into().expect("it has 32 bytes");
        if !self.known.insert(sum) {
            return false;
        }
        let pass = self.pass;
        let tried = self.tried.entry(pass).or_insert(Tried { pass, runs: 0, kept: 0, refused: 0 });
        if Scenario::parse("shrunk.toml", &text).as_ref() != Ok(&candidate) {
            tried.refused += 1;
            return false;
        }
        tried.runs += 1;
        let Some(found) = self.runs_left.checked_sub(1).and_then(|left| {
            self.runs_left = left;
            (self.look)(&candidate)
        }) else {
            self.is_over = true;
            return false;
        };
        let is_same = found.contains(self.wanted);
        if is_same {
            tried.kept += 1;
            self.best = candidate;
        }
        is_same
    }

    /// Tries these values in turn until one fails in the same way.
    fn first_of<V>(&mut self, values: impl IntoIterator<Item = V>, mut change: impl FnMut(&mut Scenario, V)) -> bool {
        values.into_iter().any(|value| self.try_with(|scenario| change(scenario, value)))
    }
}

/// The device that a step is about, if it is about one.
pub(crate) fn device_of(action: &Action) -> Option<&DeviceName> {
    match action {
        Action::Call { device, .. } | Action::On { device, .. } | Action::Raw { device, .. } => Some(device),
        Action::Fault(fault) => fault.device(),
        Action::App(_) => None,
    }
}
