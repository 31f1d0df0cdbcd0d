//! What `judge` reports: of each history what it says of each rule.

use serde::{Deserialize, Serialize};

use super::Report;
use super::finding::{Finding, Kind};
use super::suite::{Case, Outcome, Suite};
use crate::judge::Answer;
use crate::scenario::rules::RuleId;

/// Histories that were to be judged, and what came of each.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Histories {
    /// Each of them.
    pub asked: Vec<History>,
}

/// A history.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// Its files, as the command line names them.
    pub files: Vec<String>,
    /// Whose it is, as it says itself.
    pub system: String,
    /// What came of it, in a word; none before it was judged.
    pub verdict: Option<String>,
    /// Why it is neither right nor wrong, where it is not.
    pub open: Option<String>,
    /// How many events it has.
    pub events: u64,
    /// How often it breaks a rule.
    pub violations: u64,
    /// What it says of each rule that was asked for.
    pub answers: Vec<Answered>,
}

/// What a history says of a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    /// The rule's id.
    pub rule: String,
    /// The answer.
    pub answer: Given,
    /// How often it was judged or broken, or why it was not judged.
    pub why: String,
}

/// One of four answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Given {
    /// It was judged, and held.
    Holds,
    /// It was broken.
    Violated,
    /// The history does not hold what it takes.
    NotObserved,
    /// Its situation never came.
    NothingToJudge,
}

impl From<&Answer> for Given {
    fn from(answer: &Answer) -> Given {
        match answer {
            Answer::Holds { .. } => Given::Holds,
            Answer::Violated { .. } => Given::Violated,
            Answer::NotObserved { .. } => Given::NotObserved,
            Answer::NothingToJudge => Given::NothingToJudge,
        }
    }
}

impl Given {
    /// It in words.
    pub const fn said(self) -> &'static str {
        match self {
            Given::Holds => "holds",
            Given::Violated => "violated",
            Given::NotObserved => "not observed",
            Given::NothingToJudge => "nothing to judge",
        }
    }
}

impl History {
    /// What it is called: its files.
    pub fn name(&self) -> String {
        self.files.join(" ")
    }

    /// Whether it could be read, and was judged.
    pub fn is_judged(&self) -> bool {
        self.verdict.is_some() && !self.answers.is_empty()
    }
}

impl Histories {
    pub(super) fn suites(&self, report: &Report) -> Vec<Suite> {
        self.asked.iter().map(|history| suite(history, report)).collect()
    }
}

fn suite(history: &History, report: &Report) -> Suite {
    let name = history.name();
    let class = format!("histories.{}", name.replace('/', "."));
    let of = |rule: Option<&str>| -> Vec<&Finding> {
        let is_its = |finding: &&Finding| finding.origin.path == name && finding.rule.as_deref() == rule;
        report.findings.iter().filter(is_its).collect()
    };
    let case = |what: String, findings: &[&Finding], well| Case::of(class.clone(), what, findings, report, well);
    let judged = match (&history.verdict, &history.open) {
        (None, _) => Outcome::NotRun(format!("{name} was not judged")),
        (Some(_), Some(why)) => Outcome::NotRun(why.clone()),
        (Some(_), None) => Outcome::Passed,
    };
    let whole = case("the history can be read and says enough".to_owned(), &of(None), judged);
    let rules = history.answers.iter().map(|answered| {
        let text = RuleId::find(&answered.rule).map_or("", RuleId::text);
        let said = format!("{}: {}", answered.answer.said(), answered.why);
        let well = match answered.answer {
            Given::Holds => Outcome::Passed,
            Given::NotObserved | Given::NothingToJudge => Outcome::LeftOut(said),
            // So many rules are broken that not every violation is told.
            Given::Violated => Outcome::Failed { kind: Kind::Violated, short: said.clone(), text: said },
        };
        case(format!("{} {text}", answered.rule), &of(Some(&answered.rule)), well)
    });
    let cases = std::iter::once(whole).chain(rules).collect();
    Suite::new(format!("gatecrash judge, {name}"), cases)
}
