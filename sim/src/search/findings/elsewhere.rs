//! What another world shows of a finding: a bug of the cores is seen in both.

use std::fmt;

use super::Fingerprint;
use crate::scenario::Scenario;

/// What came of running a finding in another world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Elsewhere {
    /// The smallest scenario fails there in the same way.
    Same,
    /// The smallest does not, the one that failed first does.
    PlanOnly,
    /// It fails there in another way.
    Otherwise(Fingerprint),
    /// Nothing is wrong there.
    Passes,
}

/// Runs the smallest scenario, then if need be the one that failed first.
pub fn elsewhere(
    wanted: &Fingerprint,
    shrunk: &Scenario,
    plan: &Scenario,
    look: impl Fn(&Scenario) -> Vec<Fingerprint>,
) -> Elsewhere {
    let of_shrunk = look(shrunk);
    if of_shrunk.contains(wanted) {
        return Elsewhere::Same;
    }
    let of_plan = look(plan);
    if of_plan.contains(wanted) {
        return Elsewhere::PlanOnly;
    }
    of_shrunk.into_iter().chain(of_plan).next().map_or(Elsewhere::Passes, Elsewhere::Otherwise)
}

impl Elsewhere {
    /// The word that programs read.
    pub const fn word(&self) -> &'static str {
        match self {
            Elsewhere::Same => "same",
            Elsewhere::PlanOnly => "plan_only",
            Elsewhere::Otherwise(_) => "otherwise",
            Elsewhere::Passes => "passes",
        }
    }
}

impl fmt::Display for Elsewhere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Elsewhere::Same => f.write_str("fails in the same way"),
            Elsewhere::PlanOnly => f.write_str("fails in the same way on the plan, and not on what is left of it"),
            Elsewhere::Otherwise(other) => write!(f, "fails in another way: {other}"),
            Elsewhere::Passes => f.write_str("nothing is wrong: look at the event world first"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate;

    #[test]
    fn the_smallest_is_asked_first_and_the_plan_if_that_says_nothing() {
        let (plan, shrunk) = (generate::scenario(1), generate::scenario(2));
        let (wanted, other) = (Fingerprint::harness("wanted"), Fingerprint::harness("other"));
        let shown = |of_shrunk: &[Fingerprint], of_plan: &[Fingerprint]| {
            elsewhere(&wanted, &shrunk, &plan, |scenario| if *scenario == plan { of_plan } else { of_shrunk }.to_vec())
        };
        assert_eq!(shown(&[other.clone(), wanted.clone()], &[]), Elsewhere::Same);
        assert_eq!(shown(std::slice::from_ref(&other), std::slice::from_ref(&wanted)), Elsewhere::PlanOnly);
        assert_eq!(shown(&[], std::slice::from_ref(&other)), Elsewhere::Otherwise(other.clone()));
        assert_eq!(shown(&[], &[]), Elsewhere::Passes);
    }
}
