//! How likely a failure was after the steps that led to it, as a curve beside the time.

use serde::Serialize;

use crate::scenario::Scenario;
use crate::search::when::{Curve, Point};

/// The curve.
///
/// ```
/// use gatecrash_sim::generate::scenario;
/// use gatecrash_sim::page::Likely;
/// use gatecrash_sim::search::when::{Curve, Point};
///
/// let points = [(0, 2), (1, 3), (2, 99)].map(|(kept, failed)| Point { kept, failed }).to_vec();
/// let curve = Curve { steps: 2, draws: 100, points, is_whole: true };
/// let likely = Likely::of(&curve, &scenario(17));
/// assert!(likely.said.starts_with("step 2, "));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Likely {
    /// What it says, as a sentence.
    pub said: String,
    /// Of how many draws of what follows each point counts those that fail.
    pub draws: u32,
    /// How many steps are kept, when the last of them is, in microseconds, and how many draws fail; in the order of the
    /// steps.
    pub points: Vec<(usize, u64, u32)>,
}

impl Likely {
    /// The curve of a scenario.
    pub fn of(curve: &Curve, scenario: &Scenario) -> Self {
        let at = |kept: usize| match kept.checked_sub(1) {
            Some(last) => u64::try_from(scenario.steps[last].at.as_micros()).unwrap_or(u64::MAX),
            None => 0,
        };
        Likely {
            said: curve.sentence(scenario).unwrap_or_default(),
            draws: curve.draws,
            points: curve.points.iter().map(|&Point { kept, failed }| (kept, at(kept), failed)).collect(),
        }
    }
}
