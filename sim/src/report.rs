//! Reports: what people read when a run failed, what programs read, and what a snapshot holds.
//!
//! Judges nothing and prints nowhere: the command and the tests show the same texts.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use gatecrash::time::Instant;
use serde::Serialize;

use crate::scenario::rules::RuleId;
use crate::scenario::{Scenario, print_duration};
use crate::trace::{Actor, Cast, Event, Trace, render};
use crate::{HarnessError, Run, Violation};

/// How many events are shown before the one in question.
const EVENTS_BEFORE: usize = 6;

/// How many after it.
const EVENTS_AFTER: usize = 3;

/// How many violations of one run are told in full: the first ones explain the others.
const VIOLATIONS_TOLD: usize = 5;

/// A replay stops at a multiple of this, so that a little more is seen than what went wrong.
const REPLAY_STEP_MICROS: u64 = 500_000;

/// What a person needs to know of a run that failed; nothing of one that passed.
pub fn failure(path: &str, scenario: &Scenario, run: &Run) -> Option<String> {
    if run.violations.is_empty() && run.not_converged.is_none() {
        return None;
    }
    let mut text = head(path, scenario);
    for violation in run.violations.iter().take(VIOLATIONS_TOLD) {
        push_violation(&mut text, path, &run.trace, violation);
    }
    if run.violations.len() > VIOLATIONS_TOLD {
        let mut more: BTreeMap<&str, usize> = BTreeMap::new();
        for violation in &run.violations[VIOLATIONS_TOLD..] {
            *more.entry(violation.rule.as_str()).or_default() += 1;
        }
        let more: Vec<String> = more.iter().map(|(rule, number)| format!("{number} of {rule}")).collect();
        push(&mut text, format_args!("\n  and more violations: {}", more.join(", ")));
    }
    if let Some(reason) = &run.not_converged {
        push(&mut text, format_args!("\n  did not converge: {reason}"));
        if let Some(last) = run.trace.events.len().checked_sub(1) {
            push_events(&mut text, &run.trace, last);
        }
        push(&mut text, format_args!("\n    {}", replay_command(path, None)));
    }
    Some(text.trim_end().to_owned())
}

/// What a person needs to know of a scenario that the harness could not judge.
pub fn harness_failure(path: &str, scenario: &Scenario, error: &HarnessError) -> String {
    let mut text = head(path, scenario);
    push(&mut text, format_args!("\n  the harness itself failed: {}", indented(&error.to_string())));
    push(&mut text, format_args!("\n  {}", replay_command(path, None)));
    text.trim_end().to_owned()
}

/// Rules as they stand in a sentence.
pub fn listed(rules: &[RuleId]) -> String {
    rules.iter().map(|rule| rule.as_str()).collect::<Vec<_>>().join(", ")
}

/// The rules that a run broke, each once, in the order of its violations.
pub fn rules_broken(run: &Run) -> String {
    let mut rules: Vec<RuleId> = Vec::new();
    for violation in &run.violations {
        if !rules.contains(&violation.rule) {
            rules.push(violation.rule);
        }
    }
    listed(&rules)
}

/// A violation as programs read it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// The rule that was broken.
    pub rule: &'static str,
    /// What the rule demands.
    pub rule_text: &'static str,
    /// The property that does not hold, as a sentence.
    pub property: String,
    /// What happened instead.
    pub text: String,
    /// When, in microseconds of simulated time.
    pub at_us: u64,
    /// To whom.
    pub actor: String,
    /// At the how manieth event of the actor; 0 when no single event is to blame.
    pub number: u32,
    /// The command that shows it.
    pub replay: String,
}

/// The violations of a run.
pub fn findings(path: &str, run: &Run) -> Vec<Finding> {
    let finding = |violation: &Violation| Finding {
        rule: violation.rule.as_str(),
        rule_text: violation.rule.text(),
        property: violation.property.to_owned(),
        text: violation.text.clone(),
        at_us: violation.at.as_micros(),
        actor: actor_name(&run.trace.cast, violation.actor).to_owned(),
        number: violation.number,
        replay: replay_command(path, Some(violation.at)),
    };
    run.violations.iter().map(finding).collect()
}

/// Where two runs of one scenario first differ, if they do.
pub fn difference(first: &Trace, second: &Trace) -> Option<String> {
    if first.digest == second.digest {
        return None;
    }
    let line = |trace: &Trace, index: usize| trace.events.get(index).map(|event| render::line(&trace.cast, event));
    let length = first.events.len().max(second.events.len());
    // Lines say more than events: the same number may name somebody else in each.
    let Some(index) = (0..length).find(|&index| line(first, index) != line(second, index)) else {
        return Some("every line is the same, but the digests are not".to_owned());
    };
    let mut text = format!("event {} is the first to differ:\n", index + 1);
    for before in index.saturating_sub(EVENTS_BEFORE)..index {
        push(&mut text, format_args!("   both  {}", line(first, before).unwrap_or_default()));
    }
    let ended = || "(the trace has ended)".to_owned();
    push(&mut text, format_args!("  first  {}", line(first, index).unwrap_or_else(ended)));
    push(&mut text, format_args!(" second  {}", line(second, index).unwrap_or_else(ended)));
    Some(text.trim_end().to_owned())
}

fn head(path: &str, scenario: &Scenario) -> String {
    format!("FAILED  {path}\n        {}\n", scenario.title)
}

fn push_violation(text: &mut String, path: &str, trace: &Trace, violation: &Violation) {
    let Violation { rule, property, actor, at, .. } = violation;
    push(text, format_args!("\n  {rule} violated: {} at {at} s", actor_name(&trace.cast, *actor)));
    push(text, format_args!("    rule      {}", rule.text()));
    push(text, format_args!("    property  {property}"));
    push(text, format_args!("    instead   {}", violation.text));
    if let Some(position) = position(trace, violation) {
        push_events(text, trace, position);
    }
    push(text, format_args!("\n    {}", replay_command(path, Some(*at))));
}

/// The event that a violation is about: the one it names, or the last one not after it.
fn position(trace: &Trace, violation: &Violation) -> Option<usize> {
    let named = |event: &Event| event.actor == violation.actor && event.number == violation.number;
    let named = trace.events.iter().position(named);
    named.or_else(|| trace.events.iter().rposition(|event| event.at <= violation.at))
}

fn push_events(text: &mut String, trace: &Trace, position: usize) {
    text.push('\n');
    for line in render::around(trace, position, EVENTS_BEFORE, EVENTS_AFTER).lines() {
        push(text, format_args!("  {line}"));
    }
}

fn actor_name(cast: &Cast, actor: Actor) -> &str {
    match actor {
        Actor::World => "world",
        Actor::Server => "server",
        Actor::Device(device) => cast.device_name(device),
    }
}

/// The command that replays a scenario, up to the first half of a second after this instant.
pub fn replay_command(path: &str, until: Option<Instant>) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-".contains(letter);
    let path = if path.chars().all(is_plain) { path.to_owned() } else { format!("'{}'", path.replace('\'', r"'\''")) };
    let until = until.map(|at| {
        let micros = (at.as_micros() / REPLAY_STEP_MICROS + 1) * REPLAY_STEP_MICROS;
        format!(" --until {}", print_duration(Duration::from_micros(micros)))
    });
    format!("cargo run --release -- replay {path}{}", until.unwrap_or_default())
}

/// The text that the snapshot of a scenario holds.
pub fn snapshot(scenario: &Scenario, run: &Run) -> String {
    format!("{}\nrules {}\n\n{}", scenario.title, listed(&scenario.rules), render::snapshot(&run.trace))
}

fn indented(text: &str) -> String {
    text.replace('\n', "\n  ")
}

fn push(text: &mut String, line: std::fmt::Arguments<'_>) {
    writeln!(text, "{line}").expect("a string takes everything");
}
