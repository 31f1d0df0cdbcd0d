//! The failures below the table: one for each cause, and how many more there are.

use gatecrash_sim::check::agree::Difference;
use gatecrash_sim::search::causes::{Cause, Causes, Length};
use gatecrash_sim::search::report::{self, Case, Telling};
use gatecrash_sim::trace::render::Paint;
use gatecrash_sim::{HarnessError, Run};

use super::super::count;

/// How many are named that fail like one that is told.
const NAMED: usize = 8;

/// How a failure is told.
#[derive(Clone, Copy)]
pub struct Told {
    /// Everything that is wrong.
    pub is_whole: bool,
    /// Whether lines have colours.
    pub colours: bool,
}

/// A run that failed.
pub struct Failing {
    cause: Cause,
    length: Length,
    /// What it is called among others: the scenario, or the seed.
    name: String,
    report: String,
}

impl Failing {
    /// What came of a case, if it failed.
    pub fn of(case: &Case<'_>, name: &str, result: &Result<Run, HarnessError>, told: Told) -> Option<Failing> {
        let cause = Cause::of(result)?;
        let paint = if told.colours { Paint::Colours } else { Paint::Plain };
        let (events, report) = match result {
            Ok(run) => {
                let telling = Telling { is_whole: told.is_whole, paint, ..Telling::default() };
                (run.trace.events.len(), report::told(case, run, telling)?)
            }
            Err(error) => (0, report::harness_failure(case, error)),
        };
        let length = Length { events, steps: case.scenario.steps.len() };
        Some(Failing { cause, length, name: name.to_owned(), report })
    }

    /// One more whose cause has been told.
    pub fn known(cause: Cause, name: &str) -> Failing {
        Failing { cause, length: Length { events: 0, steps: 0 }, name: name.to_owned(), report: String::new() }
    }

    /// What two worlds made of a scenario, if that is not the same.
    pub fn of_worlds(first: &Case<'_>, second: &Case<'_>, name: &str, differences: &[Difference]) -> Option<Failing> {
        let report = report::disagreement(first, second, differences)?;
        let cause = Cause::Disagrees(differences.first()?.about.clone());
        let length = Length { events: 0, steps: first.scenario.steps.len() };
        Some(Failing { cause, length, name: name.to_owned(), report })
    }
}

impl Failing {
    /// The cause; and its name and what is told of it.
    pub fn known_by(self) -> (Cause, (String, String)) {
        (self.cause, (self.name, self.report))
    }
}

/// All of them.
#[derive(Default)]
pub struct Failures {
    causes: Causes<(String, String)>,
    names: Vec<String>,
}

impl Extend<Failing> for Failures {
    fn extend<All: IntoIterator<Item = Failing>>(&mut self, all: All) {
        for Failing { cause, length, name, report } in all {
            if self.names.last() != Some(&name) {
                self.names.push(name.clone());
            }
            self.causes.add(cause, length, (name, report));
        }
    }
}

impl Failures {
    /// What is told of them, part by part: of each cause the first, or all.
    pub fn told(self, is_whole: bool) -> Vec<String> {
        let scenarios = self.names.len();
        let groups = self.causes.groups();
        let mut parts = Vec::new();
        if scenarios > 1 {
            let fail = format!("{} fail in {}", count(scenarios, "scenario"), count(groups.len(), "way"));
            let which =
                if is_whole || groups.len() == scenarios { "" } else { "; of each way the shortest (--all tells all)" };
            parts.push(format!("{fail}{which}"));
        }
        for group in groups {
            let told = if is_whole { group.len() } else { 1 };
            parts.extend(group.iter().take(told).map(|(_, report)| report.clone()));
            if !is_whole && let Some(more) = more(&group, "scenario") {
                parts.last_mut().expect("a group has a first").push_str(&format!("\n\n  {more}"));
            }
        }
        parts
    }
}

/// Of a group that is told by its first: who else is in it.
pub fn more(group: &[(String, String)], noun: &str) -> Option<String> {
    let mut others: Vec<&str> = group.iter().skip(1).map(|(name, _)| name.as_str()).collect();
    others.dedup();
    others.retain(|name| *name != group[0].0);
    let named = others.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    let rest = if others.len() > NAMED { ", …" } else { "" };
    let fail = if others.len() == 1 { "fails" } else { "fail" };
    let number = count(others.len(), noun).replacen(' ', " more ", 1);
    (!others.is_empty()).then(|| format!("{number} {fail} so: {named}{rest}"))
}
