//! What stands above the picture: what came of the run, what is wrong with it, and how to see it again.

use serde::Serialize;

use super::likely::Likely;
use crate::Run;
use crate::check::expect::Moment;
use crate::search::fingerprint::Fingerprint;
use crate::search::report::{self, Case};

/// The most things told of what is wrong with one run: the first ones explain the others.
const WRONG_MAX: usize = 20;

/// What is said of a run.
#[derive(Clone, Debug, Serialize)]
pub struct Head {
    /// The scenario's sentence.
    pub title: String,
    /// The rules that it cites, each with its text.
    pub rules: Vec<[&'static str; 2]>,
    /// What came of it, in a word.
    pub verdict: String,
    /// In which world; `outside` of a history.
    pub world: &'static str,
    /// The file, or the seed that it was drawn from.
    pub path: String,
    /// What everything random in it was drawn from.
    pub seed: String,
    /// Of what: the version, and the commit where it is known.
    pub version: String,
    /// The sum of everything that happened.
    pub digest: String,
    /// The command that shows it again.
    pub replay: String,
    /// The scenario as a file.
    pub scenario: String,
    /// Its steps, a line each.
    pub steps: Vec<String>,
    /// What is wrong, the first first.
    pub wrong: Vec<Wrong>,
    /// How much more is wrong than is told.
    pub more: usize,
    /// Of a history: each of the four answers that it gives, and the rules that have it.
    pub answers: Vec<[String; 2]>,
    /// How likely that was after each step; none where nobody asked.
    pub likely: Option<Likely>,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Wrong {
    /// In a line: which rule is violated, or what else it is.
    pub what: String,
    /// The rule, where one is broken.
    pub rule: Option<&'static str>,
    /// What the rule demands.
    pub rule_text: Option<&'static str>,
    /// The property that does not hold, or the expectation that is missed.
    pub property: Option<String>,
    /// What happened instead.
    pub instead: String,
    /// What it has in common with others of its kind.
    pub fingerprint: Option<String>,
    /// When, in microseconds.
    pub at_us: u64,
    /// The event that shows it best.
    pub event: Option<usize>,
    /// Other events that are to blame.
    pub also: Vec<usize>,
}

impl Head {
    /// What is to be said of a run.
    pub fn of(case: &Case<'_>, run: &Run, version: &str) -> Self {
        let wrong = wrong(run);
        let scenario = case.scenario;
        Head {
            title: scenario.title.clone(),
            rules: scenario.rules.iter().map(|rule| [rule.as_str(), rule.text()]).collect(),
            verdict: run.verdict().word().to_owned(),
            world: case.world.word(),
            path: case.path.to_owned(),
            seed: scenario.seed.to_string(),
            version: version.to_owned(),
            digest: run.trace.digest.to_string(),
            replay: report::replay_command(case, None),
            scenario: scenario.to_string(),
            steps: scenario.steps.iter().map(ToString::to_string).collect(),
            more: wrong.len().saturating_sub(WRONG_MAX),
            wrong: wrong.into_iter().take(WRONG_MAX).collect(),
            answers: Vec::new(),
            likely: None,
        }
    }
}

fn wrong(run: &Run) -> Vec<Wrong> {
    let trace = &run.trace;
    let mut wrong = Vec::new();
    for violation in &run.violations {
        let who = report::actor_name(&trace.cast, violation.actor);
        wrong.push(Wrong {
            what: format!("{} violated: {who} at {} s", violation.rule, violation.at),
            rule: Some(violation.rule.as_str()),
            rule_text: Some(violation.rule.text()),
            property: Some(violation.property.to_owned()),
            instead: violation.text.clone(),
            fingerprint: Some(Fingerprint::of(violation).slug()),
            at_us: violation.at.as_micros(),
            event: report::position(trace, violation),
            also: Vec::new(),
        });
    }
    for miss in &run.missed {
        let (event, at) = match miss.moment {
            Moment::Event(position) => (Some(position), trace.events[position].at),
            Moment::Instant(at) => (trace.events.partition_point(|event| event.at <= at).checked_sub(1), at),
        };
        let who = report::actor_name(&trace.cast, miss.actor);
        wrong.push(Wrong {
            what: format!("the scenario expected `{}`: {who} at {at} s", miss.expected),
            rule: None,
            rule_text: None,
            property: None,
            instead: miss.seen.clone(),
            fingerprint: Some(Fingerprint::of_miss(miss).slug()),
            at_us: at.as_micros(),
            event,
            also: Vec::new(),
        });
    }
    if let Some(reason) = &run.not_converged {
        wrong.push(Wrong {
            what: "did not converge".to_owned(),
            rule: None,
            rule_text: None,
            property: None,
            instead: reason.clone(),
            fingerprint: Some(Fingerprint::not_converged(reason).slug()),
            at_us: trace.ended_at().as_micros(),
            event: trace.events.len().checked_sub(1),
            also: Vec::new(),
        });
    }
    for rule in &run.idle {
        wrong.push(Wrong {
            what: format!("cites {rule}: nothing to judge"),
            rule: Some(rule.as_str()),
            rule_text: Some(rule.text()),
            property: None,
            instead: "nothing happened by which it could have been broken".to_owned(),
            fingerprint: None,
            at_us: 0,
            event: None,
            also: Vec::new(),
        });
    }
    wrong
}
