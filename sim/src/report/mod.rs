//! Reports for those who do not sit at the terminal: what a command was asked for, what ran, and what came of it, as files
//! that other programs read.
//!
//! ```text
//! Report ──┬──▶ report.json     as it is: what it says adds up
//!          ├──suites──▶ junit.xml
//!          ├──findings──▶ results.sarif, annotations
//!          └──▶ summary.md
//! Run ──exhibit──▶ what is told of it, a diagram, a page, a trace for Perfetto
//! Reports of shards ──merge──▶ Report, or why they are no whole
//! ```
//!
//! Whatever was asked for and did not run is in every one of them, and none of them is green then. Runs nothing, prints
//! nothing and writes no file: commands do.

pub mod annotations;
mod blame;
mod escape;
mod exhibit;
mod finding;
mod junit;
pub mod merge;
mod mermaid;
mod of_judge;
mod of_run;
mod of_sweep;
mod of_zoo;
mod perfetto;
mod sarif;
mod suite;
mod summary;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::search::identity::Identity;

pub use blame::{Blame, blame};
pub use escape::stem;
pub use exhibit::{EXHIBITS_MAX, Exhibit, Shown, exhibit};
pub use finding::{Finding, Kind, Origin, Place};
pub use of_judge::{Answered, Given, Histories, History};
pub use of_run::{Asked, Ran, Runs};
pub use of_sweep::{Canary, Count, Part, Seeds, Share, Situation, Sweep};
pub use of_zoo::{Bug, Zoo};
pub use suite::{Case, Outcome, Suite};

/// The form of `report.json`. Whoever reads one of another form cannot know what it says.
pub const FORMAT: u32 = 1;

/// The name of the file that programs read to add reports up.
pub const REPORT: &str = "report.json";

/// What a command was asked for, what ran, and what came of it.
///
/// ```
/// use gatecrash_sim::report::{Ended, Report, Runs, Subject};
/// use gatecrash_sim::search::identity::Identity;
///
/// let identity = Identity {
///     version: "0.1.0".to_owned(),
///     commit: None,
///     has_changes: false,
///     lock: "5d0a11c2".to_owned(),
///     toolchain: "rustc 1.95.0".to_owned(),
///     target: "x86_64-unknown-linux-gnu".to_owned(),
/// };
/// let report = Report::new(identity, Subject::Run(Runs::default()));
/// // Nothing ran, so nothing is green.
/// assert_eq!(report.ended, Ended::NotYet);
/// assert!(!report.is_green());
///
/// let files = report.files();
/// let (_, text) = files.iter().find(|(name, _)| name == "report.json").unwrap();
/// assert_eq!(Report::parse(text).unwrap(), report);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// [`FORMAT`].
    pub format: u32,
    /// What ran.
    pub identity: Identity,
    /// How the command came to its end.
    pub ended: Ended,
    /// How long it took, in seconds.
    pub wall_seconds: f64,
    /// What was asked for, and what ran of it.
    pub subject: Subject,
    /// Whether there was an earlier report to tell what is new.
    pub is_compared: bool,
    /// What is wrong, the new before what was known.
    pub findings: Vec<Finding>,
    /// What is shown of them.
    pub exhibits: Vec<Exhibit>,
}

/// How a command came to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// It has not: whoever finds this in a file finds what a process left that was killed.
    NotYet,
    /// By itself.
    Finished,
    /// It was told to end.
    Told,
    /// It never began, for what it was asked cannot be done.
    Refused(String),
}

/// What a report is about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// Scenario files.
    Run(Runs),
    /// Seeds.
    Sweep(Sweep),
    /// Systems broken on purpose.
    Zoo(Zoo),
    /// What somebody else recorded.
    Judge(Histories),
}

impl Subject {
    /// The command that it is of.
    pub const fn word(&self) -> &'static str {
        match self {
            Subject::Run(_) => "run",
            Subject::Sweep(_) => "sweep",
            Subject::Zoo(_) => "zoo",
            Subject::Judge(_) => "judge",
        }
    }
}

/// Why a text is no report to go by.
#[derive(Debug, thiserror::Error)]
pub enum NoReport {
    /// It has another form.
    #[error("it is a report of form {0}, and this version reads form {FORMAT}: make it anew with this version")]
    Format(u64),
    /// It is no report at all.
    #[error("it is no report: {0}")]
    Json(#[from] serde_json::Error),
}

impl Report {
    /// One of a command that has just begun: nothing ran, and it has not come to its end.
    pub fn new(identity: Identity, subject: Subject) -> Self {
        let (ended, findings, exhibits) = (Ended::NotYet, Vec::new(), Vec::new());
        Report { format: FORMAT, identity, ended, wall_seconds: 0.0, subject, is_compared: false, findings, exhibits }
    }

    /// The report that a file holds.
    ///
    /// # Errors
    ///
    /// When it is none, or one of another form.
    pub fn parse(text: &str) -> Result<Report, NoReport> {
        let value: serde_json::Value = serde_json::from_str(text)?;
        match value.get("format").and_then(serde_json::Value::as_u64) {
            Some(format) if format != u64::from(FORMAT) => Err(NoReport::Format(format)),
            Some(_) | None => Ok(serde_json::from_value(value)?),
        }
    }

    /// Marks what these reports had found already, and puts it behind what is new.
    pub fn compare(&mut self, before: &[Report]) {
        self.is_compared = !before.is_empty();
        let known: Vec<&str> =
            before.iter().flat_map(|report| &report.findings).map(|finding| finding.fingerprint.as_str()).collect();
        for finding in &mut self.findings {
            finding.is_known = known.contains(&finding.fingerprint.as_str());
        }
        self.findings.sort_by_key(|finding| finding.is_known);
    }

    /// What there is to say of each thing that was asked for.
    pub fn suites(&self) -> Vec<Suite> {
        let mut suites = match &self.subject {
            Subject::Run(runs) => runs.suites(self),
            Subject::Sweep(sweep) => sweep.suites(self),
            Subject::Zoo(zoo) => zoo.suites(self),
            Subject::Judge(histories) => histories.suites(self),
        };
        let class = format!("gatecrash.{}", self.subject.word());
        let not_run = |name: &str, said: String| {
            let outcome = Outcome::NotRun(said);
            let case = Case { class: class.clone(), name: name.to_owned(), seconds: None, outcome, is_known: false };
            Suite { name: format!("gatecrash {}", self.subject.word()), cases: vec![case] }
        };
        let ended = "the command comes to its end";
        match &self.ended {
            Ended::Finished => {}
            Ended::NotYet => suites.push(not_run(ended, "it has not: what ran until then is not told".to_owned())),
            Ended::Told => suites.push(not_run(ended, "it was told to end before it had finished".to_owned())),
            Ended::Refused(why) => suites.push(not_run("what is asked for can be done", why.clone())),
        }
        let is_judged = |outcome: &Outcome| matches!(outcome, Outcome::Passed | Outcome::Failed { .. });
        if self.ended == Ended::Finished
            && !suites.iter().flat_map(|suite| &suite.cases).any(|it| is_judged(&it.outcome))
        {
            suites.push(not_run("something is judged", "nothing was asked for, or nothing of it ran".to_owned()));
        }
        suites
    }

    /// Whether everything that was asked for ran and is well.
    pub fn is_green(&self) -> bool {
        self.suites().iter().flat_map(|suite| &suite.cases).all(|case| !case.outcome.is_red())
    }

    /// What was asked for and did not run: of what, and why.
    pub fn not_run(&self) -> Vec<(String, String)> {
        let cases = self.suites().into_iter().flat_map(|suite| suite.cases);
        cases
            .filter_map(|case| match case.outcome {
                Outcome::NotRun(why) => Some((case.name, why)),
                Outcome::Passed | Outcome::LeftOut(_) | Outcome::Failed { .. } => None,
            })
            .collect()
    }

    /// Its files, each with its name: everything but pages and traces.
    pub fn files(&self) -> Vec<(String, String)> {
        let mut json = serde_json::to_string_pretty(self).expect("numbers and texts");
        json.push('\n');
        vec![
            (REPORT.to_owned(), json),
            ("junit.xml".to_owned(), junit::xml(self)),
            ("results.sarif".to_owned(), sarif::log(self)),
            ("summary.md".to_owned(), summary::text(self)),
        ]
    }

    /// What is shown under this name.
    pub fn exhibit(&self, name: &str) -> Option<&Exhibit> {
        self.exhibits.iter().find(|exhibit| exhibit.name == name)
    }
}
