//! Fingerprints: what failures must share to be one finding.
//!
//! What was broken, and at what kind of event, or by what kind of event that did not come; not by whom, when, or in which scenario. So a thousand
//! seeds that meet one bug are told once, and a scenario that is made smaller is known to fail still
//! in the same way. Judges nothing: checks do.

use std::fmt;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use crate::check::expect::{self, Manner, Miss};
use crate::check::property::Checks;
use crate::check::{Evidence, Violation};
use crate::scenario::Scenario;
use crate::scenario::rules::RuleId;
use crate::trace::{Cast, Ending, Recorder};
use crate::world::WorldError;
use crate::{HarnessError, Run};
use std::sync::{Arc, Mutex, PoisonError};

use crate::world::caught::caught;

/// What failures of one kind have in common.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fingerprint {
    /// A property does not hold.
    Property {
        /// Which, as a sentence.
        property: &'static str,
        /// The rule it checks.
        rule: RuleId,
        /// What shows it: the kind of an event that came, or of one that did not.
        evidence: Evidence,
    },
    /// The run does not show what the file expects: no rule is broken by that.
    Missed {
        /// What kind of thing is expected: an event, a call, what is said of a user.
        kind: &'static str,
        /// Whether there was less of it, more of it, or something else.
        manner: Manner,
    },
    /// Something did not come to rest: what, of whichever device.
    NotConverged(String),
    /// The harness failed, or a core's own assertion did: where it panicked, or why there is no run.
    Harness(String),
}

impl Fingerprint {
    /// Of a violation.
    pub fn of(violation: &Violation) -> Self {
        let &Violation { property, rule, evidence, .. } = violation;
        Fingerprint::Property { property, rule, evidence }
    }

    /// Of an expectation that is missed.
    pub fn of_miss(miss: &Miss) -> Self {
        Fingerprint::Missed { kind: miss.kind, manner: miss.manner }
    }

    /// Of a run that did not come to rest, for this reason.
    pub fn not_converged(reason: &str) -> Self {
        // `phone-1 waits for the result of call 3; desk is still logging in`: the first is enough.
        let first = reason.split(';').next().unwrap_or_default();
        let said = first.split_once(' ').map_or(first, |(_device, said)| said);
        Fingerprint::NotConverged(without_numbers(said))
    }

    /// Of a run that there is none of, for this reason.
    pub fn harness(said: &str) -> Self {
        // `the run panicked at src/server/mod.rs:12:5:` and on the next line what it said.
        let first = said.lines().next().unwrap_or_default();
        let place = first.split_once("panicked at ").map(|(_, place)| place.trim_end_matches(':'));
        let said = match place {
            Some(place) => place.rsplit_once(':').map_or(place, |(line, _column)| line).to_owned(),
            None => without_numbers(first),
        };
        Fingerprint::Harness(said)
    }

    /// Of everything that went wrong in a run, each once, the first and weightiest before what it
    /// explains.
    pub fn all_of(result: &Result<Run, HarnessError>) -> Vec<Self> {
        match result {
            Ok(run) => {
                let missed = run.missed.iter().map(Fingerprint::of_miss);
                let last = run.not_converged.as_deref().map(Fingerprint::not_converged);
                distinct(&run.violations, missed.chain(last))
            }
            Err(error) => vec![Fingerprint::harness(&error.to_string())],
        }
    }

    /// The property that does not hold, or what happened instead of a run, in words.
    pub fn said(&self) -> &str {
        match self {
            Fingerprint::Property { property, .. } => property,
            Fingerprint::Missed { .. } => expect::SENTENCE,
            Fingerprint::NotConverged(said) | Fingerprint::Harness(said) => said,
        }
    }

    /// The rule that is broken, if it is one.
    pub fn rule(&self) -> Option<RuleId> {
        match self {
            Fingerprint::Property { rule, .. } => Some(*rule),
            Fingerprint::Missed { .. } | Fingerprint::NotConverged(_) | Fingerprint::Harness(_) => None,
        }
    }

    /// It as the name of a folder: `policy-3-commit-5d0a11c2`.
    pub fn slug(&self) -> String {
        let name = match self {
            Fingerprint::Property { rule, evidence, .. } => {
                let shown = match evidence {
                    Evidence::Event(kind) => kind.replace('_', "-"),
                    Evidence::Missing(kind) => format!("no-{}", kind.replace('_', "-")),
                };
                format!("{}-{shown}", rule.as_str().to_lowercase())
            }
            Fingerprint::Missed { kind, manner } => format!("expected-{}-{}", kind.replace('_', "-"), manner.word()),
            Fingerprint::NotConverged(_) => "not-converged".to_owned(),
            Fingerprint::Harness(_) => "harness".to_owned(),
        };
        let sum = Sha256::digest(self.said());
        let sum: String = sum.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        format!("{name}-{sum}")
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fingerprint::Property { property, rule, evidence: Evidence::Event(kind) } => {
                write!(f, "{rule} at an event `{kind}`: {property}")
            }
            Fingerprint::Property { property, rule, evidence: Evidence::Missing(kind) } => {
                write!(f, "{rule} by a `{kind}` that is missing: {property}")
            }
            Fingerprint::Missed { kind, manner } => {
                write!(f, "`{kind}` of what the file expects, {}: {}", manner.word(), self.said())
            }
            Fingerprint::NotConverged(said) => write!(f, "not converged: a device {said}"),
            Fingerprint::Harness(said) => write!(f, "the harness failed: {said}"),
        }
    }
}

/// The fingerprints of everything that goes wrong when this world, which has such a tick, runs the scenario,
/// without keeping its events. What the file itself expects is not looked at.
pub fn seen(
    scenario: &Scenario,
    tick: Duration,
    world: impl Fn(&Scenario, &Recorder) -> Result<(), WorldError>,
) -> Vec<Fingerprint> {
    let checks = Arc::new(Mutex::new(Checks::new(scenario, tick)));
    let end = caught(|| {
        let recorder = Recorder::streaming(Cast::of(scenario));
        recorder.add_observer(Box::new(Arc::clone(&checks)));
        world(scenario, &recorder)?;
        let summary = recorder.summary();
        checks.lock().expect("nothing has panicked").close(&summary.cast);
        Ok(summary.ending)
    });
    let checks = checks.lock().unwrap_or_else(PoisonError::into_inner);
    told(checks.violations(), end)
}

/// The fingerprints of everything that went wrong in a run that found these violations and came to this
/// end, if it did not panic. What was found until then is the better lead.
pub(crate) fn told(found: &[Violation], end: Result<Result<Option<Ending>, WorldError>, String>) -> Vec<Fingerprint> {
    let last = match end {
        Ok(Ok(Some(Ending::Converged))) => None,
        Ok(Ok(Some(Ending::NotConverged(reason)))) => Some(Fingerprint::not_converged(&reason)),
        Ok(Ok(None)) => Some(Fingerprint::harness("the world never said whether it had converged")),
        Ok(Err(error)) => Some(Fingerprint::harness(&HarnessError::World(error).to_string())),
        Err(said) => Some(Fingerprint::harness(&format!("the run {said}"))),
    };
    distinct(found, last)
}

fn distinct(violations: &[Violation], last: impl IntoIterator<Item = Fingerprint>) -> Vec<Fingerprint> {
    let mut all: Vec<Fingerprint> = Vec::new();
    for fingerprint in violations.iter().map(Fingerprint::of).chain(last) {
        if !all.contains(&fingerprint) {
            all.push(fingerprint);
        }
    }
    all
}

/// The words without those that count something.
fn without_numbers(said: &str) -> String {
    let is_plain = |word: &&str| !word.bytes().any(|byte| byte.is_ascii_digit());
    said.split_whitespace().filter(is_plain).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use gatecrash::time::Instant;

    use super::*;
    use crate::scenario::rules::rule;
    use crate::trace::{Actor, DeviceIndex};

    fn violation(device: usize, seconds: u64) -> Violation {
        Violation {
            property: "nothing breaks",
            rule: rule("KICK-1"),
            text: format!("device {device} broke"),
            at: Instant::ZERO + Duration::from_secs(seconds),
            actor: Actor::Device(DeviceIndex::new(device)),
            number: 7,
            evidence: Evidence::Event("told"),
        }
    }

    #[test]
    fn neither_who_nor_when_makes_a_difference() {
        let (one, other) = (Fingerprint::of(&violation(0, 1)), Fingerprint::of(&violation(3, 900)));
        assert_eq!((&one, one.slug()), (&other, other.slug()));
        assert!(one.slug().starts_with("kick-1-told-"), "{}", one.slug());
        let elsewhere = Fingerprint::of(&Violation { evidence: Evidence::Missing("told"), ..violation(0, 1) });
        assert_ne!((&one, one.slug()), (&elsewhere, elsewhere.slug()));
        let property = Fingerprint::of(&Violation { property: "nothing bends", ..violation(0, 1) });
        assert_ne!((&one, one.slug()), (&property, property.slug()));
    }

    #[test]
    fn what_did_not_come_to_rest_is_one_thing_on_every_device() {
        let one = Fingerprint::not_converged("phone-1 waits for the result of call 3; desk-2 is still logging in");
        assert_eq!(one, Fingerprint::not_converged("pad waits for the result of call 12"));
        assert_ne!(one, Fingerprint::not_converged("desk-2 is still logging in"));
        assert_eq!(one.to_string(), "not converged: a device waits for the result of call");
    }

    #[test]
    fn a_panic_is_known_by_its_place_and_an_error_by_its_words() {
        let one = Fingerprint::harness("the run panicked at src/server/mod.rs:12:5:\nseven is 7");
        assert_eq!(one, Fingerprint::Harness("src/server/mod.rs:12".to_owned()));
        let stuck = Fingerprint::harness("the world failed: at 12.500 s nothing is left to happen");
        assert_eq!(stuck.said(), "the world failed: at s nothing is left to happen");
    }

    #[test]
    fn a_run_that_fails_in_several_ways_has_them_in_order() {
        let found =
            [violation(0, 1), violation(1, 2), Violation { evidence: Evidence::Missing("told"), ..violation(0, 3) }];
        let all = distinct(&found, Some(Fingerprint::not_converged("phone is still logging in")));
        assert_eq!(all.len(), 3);
        assert_eq!(all[0], Fingerprint::of(&found[0]));
        assert_eq!(all[2], Fingerprint::NotConverged("is still logging in".to_owned()));
    }
}
