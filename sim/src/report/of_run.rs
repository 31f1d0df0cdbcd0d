//! What `run` reports: each scenario in each world.

use serde::{Deserialize, Serialize};

use super::Report;
use super::finding::{Finding, Kind};
use super::of_sweep::Seeds;
use super::suite::{Case, Outcome, Suite};

/// Scenario files that were to run, and those that did.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Runs {
    /// Where each was to run.
    pub worlds: Vec<String>,
    /// How often each ran in each of them.
    pub runs_each: u32,
    /// The seeds under each of which it was to run, in the place of its own, where there are any.
    pub seeds: Option<Seeds>,
    /// What was to run.
    pub asked: Vec<Asked>,
    /// What ran, in the order in which it was to.
    pub ran: Vec<Ran>,
    /// The sum of everything that happened.
    pub digest: Option<String>,
}

/// A scenario that was to run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// Its file, as the command line or its folder names it.
    pub path: String,
    /// What tables call it.
    pub name: String,
    /// Its title.
    pub title: String,
    /// The SHA-256 of it as it prints.
    pub sum: String,
}

/// A scenario that ran in a world.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ran {
    /// Its file.
    pub path: String,
    /// Where.
    pub world: String,
    /// Under how many seeds, where there are any: what follows is of all of them.
    pub seeds: Option<u64>,
    /// What came of it, in a word.
    pub result: String,
    /// How many events its run had.
    pub events: u64,
    /// How much time passed in the world, in microseconds.
    pub simulated_us: u64,
    /// How long it took, in seconds.
    pub wall_seconds: f64,
    /// The sum of its events, where there is one run.
    pub digest: Option<String>,
}

impl Runs {
    pub(super) fn suites(&self, report: &Report) -> Vec<Suite> {
        let mut suites: Vec<Suite> = self
            .worlds
            .iter()
            .map(|world| {
                let cases = self.asked.iter().map(|asked| self.case(asked, world, report)).collect();
                Suite::new(format!("gatecrash run, {world} world"), cases)
            })
            .collect();
        let refused: Vec<Case> = files_refused(report).into_iter().map(|file| refused(file, report)).collect();
        if !refused.is_empty() {
            suites.push(Suite::new("gatecrash run, files that are refused".to_owned(), refused));
        }
        suites
    }

    fn case(&self, asked: &Asked, world: &str, report: &Report) -> Case {
        let folder =
            asked.name.rsplit_once('/').map_or(String::new(), |(folder, _)| format!(".{}", folder.replace('/', ".")));
        let name = asked.name.rsplit('/').next().unwrap_or(&asked.name);
        let is_its =
            |finding: &&Finding| finding.origin.path == asked.path && finding.origin.world.as_deref() == Some(world);
        let findings: Vec<&Finding> = report.findings.iter().filter(is_its).collect();
        let ran = self.ran.iter().find(|ran| ran.path == asked.path && ran.world == world);
        let well = match ran.map(|ran| self.lacking(ran)) {
            Some(None) => Outcome::Passed,
            Some(Some((ran, seeds))) => {
                Outcome::NotRun(format!("{} ran under {ran} of {seeds} seeds in the {world} world", asked.path))
            }
            None => Outcome::NotRun(format!("{} did not run in the {world} world", asked.path)),
        };
        let case = Case::of(format!("scenarios.{world}{folder}"), name.to_owned(), &findings, report, well);
        Case { seconds: ran.map(|ran| ran.wall_seconds), ..case }
    }

    /// Under how many of how many seeds it ran, where these are not all.
    fn lacking(&self, ran: &Ran) -> Option<(u64, u64)> {
        let (seeds, ran) = (self.seeds?.number, ran.seeds.unwrap_or(0));
        (ran < seeds).then_some((ran, seeds))
    }

    /// How many scenarios came to the end in every world where they were to run, and under every seed.
    pub fn finished(&self) -> usize {
        let is_its = |asked: &Asked, ran: &Ran| ran.path == asked.path && self.lacking(ran).is_none();
        let is_there = |asked: &&Asked| self.ran.iter().filter(|ran| is_its(asked, ran)).count() == self.worlds.len();
        self.asked.iter().filter(is_there).count()
    }
}

/// The files that were refused, each once.
fn files_refused(report: &Report) -> Vec<&str> {
    let mut files: Vec<&str> = Vec::new();
    for finding in report.findings.iter().filter(|finding| finding.kind == Kind::BadInput) {
        if !files.contains(&finding.origin.path.as_str()) {
            files.push(&finding.origin.path);
        }
    }
    files
}

fn refused(file: &str, report: &Report) -> Case {
    let is_its = |finding: &&Finding| finding.kind == Kind::BadInput && finding.origin.path == file;
    let findings: Vec<&Finding> = report.findings.iter().filter(is_its).collect();
    Case::of("scenarios.refused".to_owned(), file.to_owned(), &findings, report, Outcome::Passed)
}
