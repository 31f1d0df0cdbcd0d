//! What `zoo` reports: each planted bug, and the system in which none is.

use serde::{Deserialize, Serialize};

use super::Report;
use super::finding::{Finding, Kind};
use super::suite::{Case, Outcome, Suite};

/// Bugs that were to be hunted, and what came of that.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Zoo {
    /// Every bug that was to be hunted.
    pub bugs: Vec<Bug>,
    /// In how many blocks of seeds.
    pub blocks: u64,
    /// Where the first of them begins.
    pub from: u64,
    /// After how many seeds of a block a bug is given up.
    pub limit: u64,
    /// The median of the bugs' medians, where all are caught.
    pub median_of_medians: Option<u64>,
    /// On how many seeds the system ran in which nothing is broken.
    pub seeds_unbroken: u64,
}

/// A bug.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bug {
    /// Its id.
    pub id: String,
    /// What is wrong, as a sentence.
    pub what: String,
    /// Whether it was hunted in every block.
    pub is_hunted: bool,
    /// After how many seeds of each block it was caught.
    pub seeds: Vec<Option<u64>>,
    /// What named it first in the block of the median.
    pub property: Option<String>,
    /// How many steps were left of the scenario that showed it, where it was shrunk.
    pub steps: Option<u64>,
}

impl Zoo {
    pub(super) fn suites(&self, report: &Report) -> Vec<Suite> {
        let of = |path: &str, kind: Kind| -> Vec<&Finding> {
            report.findings.iter().filter(|finding| finding.kind == kind && finding.origin.path == path).collect()
        };
        let case = |name: String, findings: &[&Finding], well| Case::of("zoo".to_owned(), name, findings, report, well);
        let mut cases: Vec<Case> = self
            .bugs
            .iter()
            .map(|bug| {
                let well = match bug.is_hunted {
                    true => Outcome::Passed,
                    false => Outcome::NotRun(format!("{} was not hunted in {} blocks of seeds", bug.id, self.blocks)),
                };
                case(format!("{} {}", bug.id, bug.what), &of(&bug.id, Kind::NotCaught), well)
            })
            .collect();
        let unbroken = match self.seeds_unbroken {
            0 => Outcome::NotRun("the system in which nothing is broken did not run".to_owned()),
            _ => Outcome::Passed,
        };
        let alarms: Vec<&Finding> = report.findings.iter().filter(|finding| finding.kind == Kind::FalseAlarm).collect();
        cases.push(case("nothing is found where nothing is broken".to_owned(), &alarms, unbroken));
        let all = of(Self::ALL, Kind::NotCaught);
        let bounded = match self.median_of_medians {
            Some(_) => Outcome::Passed,
            None => Outcome::NotRun("there is no median: not every bug was caught".to_owned()),
        };
        cases.push(case("the median of the medians is within its bound".to_owned(), &all, bounded));
        vec![Suite::new("gatecrash zoo".to_owned(), cases)]
    }

    /// What a finding of all bugs together is a finding of.
    pub const ALL: &'static str = "zoo";
}
