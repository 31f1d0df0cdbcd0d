//! What `sweep` reports: each property, over all the seeds that ran; and whether all ran that were to.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::Report;
use super::finding::{Finding, Kind};
use super::suite::{Case, Outcome, Suite};
use crate::search::shard::Shard;
use crate::trace::digest::Sum;

/// Seeds that were to run, and what those came to that did. Two of the same version, world and profile whose seeds meet
/// add up: every number here is a sum over seeds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sweep {
    /// Where they were to run.
    pub world: String,
    /// What kind of scenarios was drawn.
    pub profile: String,
    /// Which seeds were to run. Of a sweep that goes on for a time, those that were begun.
    pub asked: Seeds,
    /// For how long it was to go on, in seconds, where a time was asked for.
    pub time_seconds: Option<f64>,
    /// Which part it is, where it is one of a larger sweep.
    pub share: Option<Share>,
    /// What became of the canary that was swept beside it; of several shards each one's.
    #[serde(default)]
    pub canaries: Vec<Canary>,
    /// How many came to their end.
    pub finished: u64,
    /// How many are longer than the world can run.
    pub left_out: u64,
    /// How many have something wrong.
    pub failing: u64,
    /// How many were drawn without a budget.
    pub soaks: u64,
    /// How many ran twice.
    pub repeated: u64,
    /// How many events they had.
    pub events: u64,
    /// How much time passed in all their worlds, in microseconds.
    pub simulated_us: u64,
    /// The sum of everything that happened in those that finished, in the order of the seeds. Several shards have none together.
    pub digest: Option<String>,
    /// The same in no order, which adds up.
    pub sum: Option<Sum>,
    /// The sentences that were judged.
    pub properties: Vec<String>,
    /// The situations without which the sentences prove nothing, and how often each came.
    pub situations: Vec<Situation>,
    /// How much happened, by kind.
    pub counts: Vec<Count>,
}

/// Seeds in a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seeds {
    /// The first.
    pub first: u64,
    /// How many.
    pub number: u64,
}

impl Seeds {
    /// The first, and the one after the last.
    pub const fn range(self) -> Range<u64> {
        self.first..self.first.saturating_add(self.number)
    }
}

impl From<Range<u64>> for Seeds {
    fn from(range: Range<u64>) -> Seeds {
        Seeds { first: range.start, number: range.end.saturating_sub(range.start) }
    }
}

/// A part of a larger sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// Which.
    pub shard: Shard,
    /// The seeds of all parts together.
    pub whole: Seeds,
}

/// A bug that was swept beside the real system, to show that the checks see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Canary {
    /// Its id in the zoo.
    pub bug: String,
    /// The seed from which on.
    pub first: u64,
    /// On how many seeds at most.
    pub limit: u64,
    /// After how many it was caught; none when it was not.
    pub caught_after: Option<u64>,
    /// By which sentence.
    pub by: Option<String>,
}

/// A situation, and in how many seeds it came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Situation {
    /// As a sentence.
    pub situation: String,
    /// In so many seeds.
    pub seeds: u64,
    /// Where it never came, what comes before it, and in how many seeds that did.
    pub parts: Vec<Part>,
}

/// A part of a situation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// As a sentence.
    pub part: String,
    /// In so many seeds.
    pub seeds: u64,
}

/// How often something happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// Of which kind it is.
    pub section: String,
    /// What.
    pub what: String,
    /// How often.
    pub number: u64,
}

impl Sweep {
    pub(super) fn suites(&self, report: &Report) -> Vec<Suite> {
        let class = format!("sweep.{}.{}", self.world, self.profile);
        let well = || match self.finished {
            0 => Outcome::NotRun("no seed has finished".to_owned()),
            _ => Outcome::Passed,
        };
        let case =
            |name: &str, findings: &[&Finding], well| Case::of(class.clone(), name.to_owned(), findings, report, well);
        let that = |wanted: &dyn Fn(&Finding) -> bool| -> Vec<&Finding> {
            report.findings.iter().filter(|finding| wanted(finding)).collect()
        };
        let mut cases = Vec::new();
        for property in &self.properties {
            let broken = that(&|finding| finding.kind == Kind::Violated && finding.sentence == *property);
            cases.push(case(property, &broken, well()));
        }
        let restless = that(&|finding| finding.kind == Kind::NotConverged);
        cases.push(case("every run comes to rest once its faults are over", &restless, well()));
        let failed = that(&|finding| finding.kind == Kind::HarnessFailed);
        cases.push(case("every run ends, and a second one does the same", &failed, well()));
        let differs = that(&|finding| finding.disagreement.is_some());
        if !differs.is_empty() {
            cases.push(case("what fails here fails in a fresh process too", &differs, Outcome::Passed));
        }
        cases.push(case("every seed that was asked for has run", &[], self.all_ran()));
        if !self.canaries.is_empty() {
            let blind = that(&|finding| finding.kind == Kind::NotCaught);
            cases.push(case("the canary is caught", &blind, Outcome::Passed));
        }
        if self.left_out > 0 {
            let said = format!(
                "{} of {} seeds are longer than the {} world can run",
                self.left_out, self.asked.number, self.world
            );
            cases.push(case("no seed is longer than its world can run", &[], Outcome::LeftOut(said)));
        }
        vec![Suite::new(format!("gatecrash sweep, {} world, profile {}", self.world, self.profile), cases)]
    }

    /// Puts what a list has in the order in which lists of parts come together, too.
    pub fn sort(&mut self) {
        self.situations
            .sort_by(|one, other| (one.seeds == 0, &one.situation).cmp(&(other.seeds == 0, &other.situation)));
        self.counts.sort_by(|one, other| (&one.section, &one.what).cmp(&(&other.section, &other.what)));
    }

    /// Whether all seeds have run that were asked for, and any at all.
    pub(super) fn all_ran(&self) -> Outcome {
        let (asked, ran) = (self.asked.number, self.finished + self.left_out);
        if asked == 0 {
            Outcome::NotRun("no seed was asked for".to_owned())
        } else if self.finished == 0 {
            Outcome::NotRun(format!("none of {asked} seeds from {} has finished", self.asked.first))
        } else if ran < asked {
            let missing = asked - ran;
            Outcome::NotRun(format!("{missing} of {asked} seeds from {} did not run to their end", self.asked.first))
        } else {
            Outcome::Passed
        }
    }
}
