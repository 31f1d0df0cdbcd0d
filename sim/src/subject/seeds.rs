//! Many seeds on a system: each kind of failure once, shrunk to the smallest scenario that still shows it.

use std::fmt;
use std::fs;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::run::{Run, RunError, fingerprint, fingerprints, run};
use super::system::System;
use crate::generate;
use crate::scenario::{Scenario, tick_default};
use crate::search::fingerprint::Fingerprint;
use crate::search::shrink;

/// The most runs that go into making one failure small, when nobody says otherwise.
const SHRINKING_RUNS: u64 = 1_500;

/// Which seeds to run, and what to do with what they find.
///
/// ```no_run
/// # use gatecrash_sim::subject::{Seeds, System};
/// # fn test(system: impl System) {
/// let report = Seeds::new(0..200).keep_in("target/findings").run(&system).expect("the folder can be written");
/// assert!(report.findings.is_empty(), "{report}");
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Seeds {
    numbers: Range<u64>,
    folder: Option<PathBuf>,
    shrinking_runs: u64,
}

/// A failure, made small.
#[derive(Clone, Debug)]
pub struct Found {
    /// What does not hold, as a sentence; or what happened in the place of a run.
    pub sentence: String,
    /// The rule it is from, where it is from one.
    pub rule: Option<String>,
    /// What happened in the shrunk scenario.
    pub text: String,
    /// The first seed that showed it.
    pub seed: u64,
    /// How many of the seeds showed it.
    pub seeds: u64,
    /// How many steps the seed's scenario had.
    pub steps_before: usize,
    /// The smallest scenario that still shows it.
    pub scenario: Scenario,
    /// Its story, with a mark where it shows.
    pub story: String,
    /// The file with the scenario, where a folder was named.
    pub file: Option<PathBuf>,
}

/// What the seeds came to.
#[derive(Clone, Debug)]
pub struct Report {
    /// The system's name.
    pub system: String,
    /// How many seeds were run.
    pub seeds: u64,
    /// How many of them showed nothing.
    pub passed: u64,
    /// Each kind of failure once, in the order found.
    pub findings: Vec<Found>,
    /// The first seed whose scenario gave two histories, and the first line in which they differ: then the system draws
    /// from somewhere else than its seed, or goes by the order of a hash map.
    pub differs: Option<(u64, String)>,
}

impl Seeds {
    /// These seeds.
    pub fn new(numbers: Range<u64>) -> Self {
        Seeds { numbers, folder: None, shrinking_runs: SHRINKING_RUNS }
    }

    /// Writes each shrunk scenario, with its history and story, into this folder, which is made where there is none.
    #[must_use]
    pub fn keep_in(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = Some(folder.into());
        self
    }

    /// Spends at most so many runs on making one failure small; none shrinks nothing.
    #[must_use]
    pub fn shrink_with(mut self, runs: u64) -> Self {
        self.shrinking_runs = runs;
        self
    }

    /// Runs them one after the other, and makes small what fails.
    ///
    /// # Errors
    ///
    /// When a file cannot be written.
    pub fn run<M: System>(&self, system: &M) -> io::Result<Report> {
        let mut failed: Vec<(Fingerprint, u64, u64)> = Vec::new();
        let mut passed = 0;
        for seed in self.numbers.clone() {
            let found = fingerprints(&run(system, &scenario(system, seed)));
            passed += u64::from(found.is_empty());
            for fingerprint in found {
                match failed.iter_mut().find(|(known, ..)| *known == fingerprint) {
                    Some((_, _, seeds)) => *seeds += 1,
                    None => failed.push((fingerprint, seed, 1)),
                }
            }
        }
        let mut findings: Vec<Found> = Vec::new();
        let mut differs = self.numbers.clone().next().and_then(|seed| difference(system, seed));
        for (fingerprint, seed, seeds) in failed {
            differs = differs.or_else(|| difference(system, seed));
            let mut found = self.shrink(system, &fingerprint, seed);
            found.seeds = seeds;
            if let Some(folder) = &self.folder {
                let stem = shrink::stem(&found.scenario);
                let of_its_name = findings.iter().filter(|other| shrink::stem(&other.scenario) == stem).count();
                let name = if of_its_name == 0 { stem } else { format!("{stem}_{}", of_its_name + 1) };
                found.file = Some(keep(folder, &name, system, &fingerprint, &found)?);
            }
            findings.push(found);
        }
        let seeds = self.numbers.end.saturating_sub(self.numbers.start);
        Ok(Report { system: system.name().to_owned(), seeds, passed, findings, differs })
    }

    fn shrink<M: System>(&self, system: &M, wanted: &Fingerprint, seed: u64) -> Found {
        let whole = scenario(system, seed);
        // Ticks as fine as a file has them when nobody says so cost much: they come last.
        let shows = |candidate: &Scenario| fingerprints(&run(system, candidate));
        let look =
            |candidate: &Scenario| Some(if candidate.tick == whole.tick { shows(candidate) } else { Vec::new() });
        let shrunk = shrink::shrink(&whole, wanted, look, self.shrinking_runs);
        let mut scenario = shrunk.map_or_else(|_| whole.clone(), |shrunk| shrunk.scenario);
        let plain = Scenario { tick: tick_default(scenario.until), ..scenario.clone() };
        if self.shrinking_runs > 0 && plain.reads_back() && shows(&plain).contains(wanted) {
            scenario = plain;
        }
        let (text, story) = told(&run(system, &scenario), wanted);
        Found {
            sentence: wanted.said().to_owned(),
            rule: wanted.rule().map(|rule| rule.as_str().to_owned()),
            text,
            seed,
            seeds: 1,
            steps_before: whole.steps.len(),
            scenario,
            story,
            file: None,
        }
    }
}

/// The scenario that a seed is for this system.
pub fn scenario<M: System>(system: &M, seed: u64) -> Scenario {
    generate::foreign(seed, system.knows(), system.seats())
}

/// What happened, and its story.
fn told(result: &Result<Run, RunError>, wanted: &Fingerprint) -> (String, String) {
    match result {
        Ok(run) => match run.findings.iter().find(|finding| fingerprint(finding) == *wanted) {
            Some(finding) => (finding.text.clone(), run.story(&finding.lines)),
            None => (
                "it does not show it a second time: something in it is not drawn from the seed".to_owned(),
                String::new(),
            ),
        },
        Err(error) => (error.to_string(), String::new()),
    }
}

/// Where two runs of the seed differ.
fn difference<M: System>(system: &M, seed: u64) -> Option<(u64, String)> {
    let scenario = scenario(system, seed);
    let (first, second) = (run(system, &scenario).ok()?.history, run(system, &scenario).ok()?.history);
    let mut lines = first.lines().zip(second.lines()).enumerate();
    let different = lines.find(|(_, (one, other))| one != other);
    let said = match different {
        Some((index, (one, other))) => format!("line {}:\n  {one}\n  {other}", index + 1),
        None if first == second => return None,
        None => "one history is longer than the other".to_owned(),
    };
    Some((seed, said))
}

fn keep<M: System>(
    folder: &Path,
    name: &str,
    system: &M,
    fingerprint: &Fingerprint,
    found: &Found,
) -> io::Result<PathBuf> {
    fs::create_dir_all(folder)?;
    let file = folder.join(format!("{name}.toml"));
    let text = found.scenario.to_string();
    // The schema is the harness's, and not beside this file.
    let text: String =
        text.lines().filter(|line| !line.starts_with("#:schema")).map(|line| format!("{line}\n")).collect();
    fs::write(&file, text.trim_start())?;
    if let Ok(run) = run(system, &found.scenario) {
        fs::write(file.with_extension("jsonl"), &run.history)?;
    }
    fs::write(file.with_extension("story"), format!("{fingerprint}\n{}\n\n{}", found.text, found.story))?;
    Ok(file)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report { system, seeds, passed, findings, differs } = self;
        let kinds = if findings.len() == 1 { "kind" } else { "kinds" };
        writeln!(f, "{system}: {passed} of {seeds} seeds show nothing wrong, {} {kinds} of failure", findings.len())?;
        if let Some((seed, said)) = differs {
            writeln!(f, "\ntwo runs of seed {seed} differ, so that nothing here can be trusted, at {said}")?;
        }
        for (index, found) in findings.iter().enumerate() {
            let rule = found.rule.as_deref().map_or_else(String::new, |rule| format!(" ({rule})"));
            writeln!(f, "\n{}. {}{rule}", index + 1, found.sentence)?;
            writeln!(f, "   {}", found.text)?;
            let (before, after) = (found.steps_before, found.scenario.steps.len());
            writeln!(
                f,
                "   {} of {seeds} seeds, the first is {}; {before} steps shrunk to {after}",
                found.seeds, found.seed
            )?;
            if let Some(file) = &found.file {
                writeln!(f, "   {}", file.display())?;
            }
            writeln!(f, "\n{}", found.story)?;
        }
        Ok(())
    }
}
