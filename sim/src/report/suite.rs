//! What there is to say of each thing that was asked for, as any program that shows tests wants it.

use super::finding::{Finding, Kind};
use super::{Exhibit, Report};

/// Things that belong together.
#[derive(Clone, Debug, PartialEq)]
pub struct Suite {
    /// What they are.
    pub name: String,
    /// Each of them; what is wrong and new first, then what did not run, then what is wrong and was known.
    pub cases: Vec<Case>,
}

/// One thing that was asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// Where it belongs, as names with dots between.
    pub class: String,
    /// What it is.
    pub name: String,
    /// How long it took, in seconds, where that is known.
    pub seconds: Option<f64>,
    /// What came of it.
    pub outcome: Outcome,
    /// Whether all that is wrong with it was known before.
    pub is_known: bool,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It ran, and all is well.
    Passed,
    /// It cannot run where it was asked for: why. It is neither well nor wrong.
    LeftOut(String),
    /// It ran, and something is wrong.
    Failed {
        /// What kind of thing.
        kind: Kind,
        /// In a line.
        short: String,
        /// In full.
        text: String,
    },
    /// It was asked for and did not run: why.
    NotRun(String),
}

impl Outcome {
    /// Whether nobody may call the whole green because of it.
    pub const fn is_red(&self) -> bool {
        match self {
            Outcome::Passed | Outcome::LeftOut(_) => false,
            Outcome::Failed { .. } | Outcome::NotRun(_) => true,
        }
    }
}

impl Suite {
    /// A suite whose cases are in their order.
    pub(super) fn new(name: String, mut cases: Vec<Case>) -> Self {
        cases.sort_by_key(|case| match (&case.outcome, case.is_known) {
            (Outcome::Failed { .. }, false) => 0,
            (Outcome::NotRun(_), _) => 1,
            (Outcome::Failed { .. }, true) => 2,
            (Outcome::LeftOut(_), _) => 3,
            (Outcome::Passed, _) => 4,
        });
        Suite { name, cases }
    }
}

impl Case {
    /// A case of which these findings are; `well` is what came of it where there are none.
    pub(super) fn of(class: String, name: String, findings: &[&Finding], report: &Report, well: Outcome) -> Self {
        let is_known = !findings.is_empty() && findings.iter().all(|finding| finding.is_known);
        let outcome = match findings {
            [] => well,
            [first, ..] => Outcome::Failed { kind: first.kind, short: first.in_a_line(), text: text(findings, report) },
        };
        Case { class, name, seconds: None, outcome, is_known }
    }
}

/// Of how many findings of one case all is told.
const TOLD_MAX: usize = 50;

/// All that is told of these findings: of those that are shown by one exhibit that once.
fn text(findings: &[&Finding], report: &Report) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut shown: Vec<&str> = Vec::new();
    for finding in findings.iter().take(TOLD_MAX) {
        let exhibit: Option<&Exhibit> = finding.exhibit.as_deref().and_then(|name| report.exhibit(name));
        match exhibit {
            Some(exhibit) if shown.contains(&exhibit.name.as_str()) => {}
            Some(exhibit) => {
                shown.push(&exhibit.name);
                parts.push(exhibit.told.clone());
                parts.extend(exhibit.files().map(|(what, path)| format!("{what}: {path}")));
            }
            None => parts.push(finding.in_full()),
        }
        parts.extend(
            (finding.seen > 1).then(|| format!("seen {} times, first: {}", finding.seen, finding.first.join(", "))),
        );
        parts.extend(finding.is_known.then(|| format!("known before: {}", finding.fingerprint)));
    }
    let more = findings.len().saturating_sub(TOLD_MAX);
    parts.extend((more > 0).then(|| format!("and {more} more")));
    parts.join("\n\n")
}
