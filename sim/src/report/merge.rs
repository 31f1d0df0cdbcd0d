//! The reports of shards as one, or everything that keeps them from being a whole.
//!
//! ```text
//! reports ──are they a whole?──▶ problems, all of them
//!            └──add up──▶ Report: numbers are sums, what was found in several is told once
//! ```
//!
//! Nobody is trusted here: a report that is missing, came twice, did not get to its end, or was made of something else must not
//! become green by standing beside others.

mod add;
mod whole;

use super::{Ended, Exhibit, Finding, Report, Subject};

/// The report of a shard.
#[derive(Clone, Debug)]
pub struct Part {
    /// What it is called in what is said of it: its folder.
    pub name: String,
    /// What it says.
    pub report: Report,
}

/// Reports that were added up.
#[derive(Clone, Debug, PartialEq)]
pub struct Merged {
    /// What they are together. It shows nothing yet.
    pub report: Report,
    /// Of each of its findings the part whose exhibit shows it best, and the exhibit.
    pub shown: Vec<Option<(usize, Exhibit)>>,
}

/// Adds reports up.
///
/// ```
/// use gatecrash_sim::report::merge::merge;
///
/// assert_eq!(merge(&[]).unwrap_err(), ["there is no report of any shard"]);
/// ```
///
/// # Errors
///
/// Everything that is wrong with them, each in a sentence.
pub fn merge(parts: &[Part]) -> Result<Merged, Vec<String>> {
    let problems = whole::problems(parts);
    if !problems.is_empty() {
        return Err(problems);
    }
    let sweeps = parts.iter().filter_map(|part| match &part.report.subject {
        Subject::Sweep(sweep) => Some(sweep),
        Subject::Run(_) | Subject::Zoo(_) | Subject::Judge(_) => None,
    });
    let findings = add::findings(parts);
    let shown = findings.iter().map(|(finding, part)| {
        let exhibit = parts[*part].report.exhibit(finding.exhibit.as_deref()?)?;
        Some((*part, exhibit.clone()))
    });
    let shown = shown.collect();
    let findings: Vec<Finding> = findings.into_iter().map(|(finding, _)| finding).collect();
    let subject = Subject::Sweep(add::sweeps(sweeps));
    let report = Report {
        ended: Ended::Finished,
        wall_seconds: parts.iter().map(|part| part.report.wall_seconds).sum(),
        findings,
        ..Report::new(parts[0].report.identity.clone(), subject)
    };
    Ok(Merged { report, shown })
}
