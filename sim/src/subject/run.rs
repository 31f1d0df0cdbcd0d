//! One scenario, run on a system: its history, and what is wrong with it.

use sha2::{Digest as _, Sha256};

use super::foreign::Foreign;
use super::judge::{self, Finding};
use super::record::{Line, Record, What, head, json};
use super::said::JudgedBy;
use super::story::story;
use super::system::System;
use super::watch::Watch;
use crate::check::Evidence;
use crate::scenario::Scenario;
use crate::search::fingerprint::Fingerprint;
use crate::trace::{Cast, Recorder};
use crate::world::caught::caught;
use crate::world::packet;

/// Why a scenario was not run, or not to its end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    /// It says what means nothing to this system: each such line, and why.
    #[error("{system} cannot do what the scenario asks:\n  {}", refused.join("\n  "))]
    Refused {
        /// The system's name.
        system: String,
        /// Each line that means nothing to it, and why.
        refused: Vec<String>,
    },
    /// The system panicked: where, and with which words.
    #[error("the system {0}")]
    Panicked(String),
    /// The server's process ended, or the world failed.
    #[error("{0}")]
    Failed(String),
}

impl RunError {
    /// What failures of this kind share.
    fn fingerprint(&self) -> Option<Fingerprint> {
        match self {
            RunError::Refused { .. } => None,
            RunError::Panicked(_) | RunError::Failed(_) => Some(Fingerprint::harness(&self.to_string())),
        }
    }
}

/// What a scenario came to on a system.
#[derive(Clone, Debug)]
pub struct Run {
    /// The history: JSON Lines, a head first.
    pub history: String,
    /// What is wrong with it, the earliest first.
    pub findings: Vec<Finding>,
    scenario: Scenario,
    lines: Vec<Line>,
}

impl Run {
    /// The story for people: all of it when it is short, and what is around these lines of the history when it is not.
    pub fn story(&self, shows: &[usize]) -> String {
        story(&self.scenario, &self.lines, shows)
    }

    /// A sum of the whole history: two runs are the same if it is.
    pub fn digest(&self) -> String {
        Sha256::digest(&self.history).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Runs the scenario on the system, with everything that it breaks, and judges what applications saw.
///
/// # Errors
///
/// [`RunError`], when there is no history to judge. What is wrong with the system is in the run, unless it panicked.
pub fn run<M: System>(system: &M, scenario: &Scenario) -> Result<Run, RunError> {
    let refused = refusals(system, scenario);
    if !refused.is_empty() {
        return Err(RunError::Refused { system: system.name().to_owned(), refused });
    }
    let record = Record::default();
    let cast = Cast::of(scenario);
    let recorder = Recorder::streaming(cast.clone());
    recorder.add_observer(Box::new(Watch::new(record.clone(), scenario, &cast)));
    let ran = caught(|| packet::run_foreign(Foreign::new(system, record.clone()), scenario, &recorder));
    if let Some(how) = record.misuse() {
        return Err(RunError::Failed(how));
    }
    ran.map_err(RunError::Panicked)?.map_err(|error| RunError::Failed(error.to_string()))?;
    let at_us = recorder.summary().ended_at.as_micros();
    record.push_at(at_us, None, What::End { settled: true });
    let lines = record.finish();
    let mut history = head(system.name(), system.seats(), system.judged_by());
    history.push('\n');
    for line in lines.iter().filter_map(json) {
        history.push_str(&line);
        history.push('\n');
    }
    let findings = match system.judged_by() {
        JudgedBy::Applications => judge::judge(&history),
        JudgedBy::Specification => judge::by_specification(&history),
    };
    let findings = findings.map_err(RunError::Failed)?;
    Ok(Run { history, findings, scenario: scenario.clone(), lines })
}

/// What of the scenario means nothing to the system, a line each.
fn refusals<M: System>(system: &M, scenario: &Scenario) -> Vec<String> {
    let mut refused = system.knows().refusals(scenario);
    if scenario.app.seats != system.seats() {
        let (asked, has) = (scenario.app.seats.policy(), system.seats().policy());
        refused.push(format!(
            "[app]: it asks for the policy {asked} with its numbers of devices, and the system has {has}"
        ));
    }
    refused
}

/// What the run shows, each kind once, the earliest first.
pub(super) fn fingerprints(result: &Result<Run, RunError>) -> Vec<Fingerprint> {
    match result {
        Ok(run) => {
            let mut found: Vec<Fingerprint> = Vec::new();
            for finding in &run.findings {
                let fingerprint = fingerprint(finding);
                if !found.contains(&fingerprint) {
                    found.push(fingerprint);
                }
            }
            found
        }
        Err(error) => error.fingerprint().into_iter().collect(),
    }
}

/// What findings of one kind share: the sentence.
pub(super) fn fingerprint(finding: &Finding) -> Fingerprint {
    let evidence = Evidence::Event("history");
    Fingerprint::Property { property: finding.property, rule: finding.rule, evidence }
}
