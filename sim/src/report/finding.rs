//! One thing that is wrong, whatever command found it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What kind of thing is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A property does not hold.
    Violated,
    /// A run does not show what its file expects.
    Missed,
    /// Two worlds made something else of a scenario.
    Disagrees,
    /// A run did not come to rest.
    NotConverged,
    /// A file cites a rule of which no situation came.
    NothingToJudge,
    /// The harness failed.
    HarnessFailed,
    /// A file that cannot be read, or says what cannot be.
    BadInput,
    /// A planted bug was not caught, or not by what ought to catch it.
    NotCaught,
    /// The system that is not broken was called broken.
    FalseAlarm,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 9] = [
        Kind::Violated,
        Kind::Missed,
        Kind::Disagrees,
        Kind::NotConverged,
        Kind::NothingToJudge,
        Kind::HarnessFailed,
        Kind::BadInput,
        Kind::NotCaught,
        Kind::FalseAlarm,
    ];

    /// Its id, where no rule of the specification has one.
    pub const fn id(self) -> &'static str {
        match self {
            Kind::Violated => "violated",
            Kind::Missed => "expectation-missed",
            Kind::Disagrees => "worlds-disagree",
            Kind::NotConverged => "not-converged",
            Kind::NothingToJudge => "nothing-to-judge",
            Kind::HarnessFailed => "harness-failed",
            Kind::BadInput => "bad-input",
            Kind::NotCaught => "bug-not-caught",
            Kind::FalseAlarm => "false-alarm",
        }
    }

    /// What it demands, in a sentence.
    pub const fn demand(self) -> &'static str {
        match self {
            Kind::Violated => "Every property holds in every run.",
            Kind::Missed => "A run shows what its file expects.",
            Kind::Disagrees => "Both worlds make the same of a scenario.",
            Kind::NotConverged => "Once the faults are over everything comes to rest.",
            Kind::NothingToJudge => "A rule that a file cites has something to judge in its run.",
            Kind::HarnessFailed => "The harness runs, and does the same twice.",
            Kind::BadInput => "What is asked for can be read and done.",
            Kind::NotCaught => "A bug that is planted is caught by a property that ought to catch it.",
            Kind::FalseAlarm => "Nothing is found in a system that is not broken.",
        }
    }

    /// Whether the harness is to blame, or nobody can tell, rather than what it tests.
    pub const fn is_error(self) -> bool {
        match self {
            Kind::HarnessFailed | Kind::BadInput => true,
            Kind::Violated
            | Kind::Missed
            | Kind::Disagrees
            | Kind::NotConverged
            | Kind::NothingToJudge
            | Kind::NotCaught
            | Kind::FalseAlarm => false,
        }
    }
}

/// One thing that is wrong.
///
/// ```
/// use gatecrash_sim::report::{Finding, Kind, Origin};
///
/// let origin = Origin { path: "a.toml".to_owned(), title: "A".to_owned(), sum: None, world: None };
/// let finding = Finding::new(Kind::BadInput, "bad-input-1".to_owned(), "it has no seed".to_owned(), origin);
/// assert_eq!((finding.rule_id(), finding.seen), ("bad-input", 1));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// What it has in common with others of its kind.
    pub fingerprint: String,
    /// What kind of thing.
    pub kind: Kind,
    /// The rule that is broken, if it is one.
    pub rule: Option<String>,
    /// What that demands.
    pub rule_text: Option<String>,
    /// What does not hold, as a sentence.
    pub sentence: String,
    /// What happened instead.
    pub instead: Option<String>,
    /// In what.
    pub origin: Origin,
    /// Where to look, where that is a file.
    pub place: Option<Place>,
    /// All the lines to blame, in a history.
    #[serde(default)]
    pub lines: Vec<Place>,
    /// When, in microseconds of simulated time.
    pub at_us: Option<u64>,
    /// To whom.
    pub actor: Option<String>,
    /// How many times it was seen: in how many seeds of a sweep.
    pub seen: u64,
    /// The first of those.
    pub first: Vec<String>,
    /// How many steps the smallest scenario has that shows it, where that was looked for.
    pub steps: Option<usize>,
    /// What a fresh process said that does not agree, where one was asked.
    pub disagreement: Option<String>,
    /// The command that shows it.
    pub replay: Option<String>,
    /// The name of the exhibit that shows it.
    pub exhibit: Option<String>,
    /// Whether an earlier report has it.
    pub is_known: bool,
}

/// What a finding was made in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Its file, or `--seed` and the seed it was drawn from; the id of a bug.
    pub path: String,
    /// Its title.
    pub title: String,
    /// The SHA-256 of the scenario as it prints, where there is one.
    pub sum: Option<String>,
    /// The world it ran in.
    pub world: Option<String>,
}

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The file: from the root of its repository, where it is in one.
    pub file: String,
    /// Its line, from 1.
    pub line: usize,
    /// Its column, in characters, from 1, where that is known.
    pub column: Option<usize>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

impl Finding {
    /// One that was seen once and is not known, of which nothing else is said yet.
    pub fn new(kind: Kind, fingerprint: String, sentence: String, origin: Origin) -> Self {
        Finding {
            fingerprint,
            kind,
            rule: None,
            rule_text: None,
            sentence,
            instead: None,
            origin,
            place: None,
            lines: Vec::new(),
            at_us: None,
            actor: None,
            seen: 1,
            first: Vec::new(),
            steps: None,
            disagreement: None,
            replay: None,
            exhibit: None,
            is_known: false,
        }
    }

    /// The id of what is broken.
    pub fn rule_id(&self) -> &str {
        self.rule.as_deref().unwrap_or(self.kind.id())
    }

    /// It in a line.
    pub fn in_a_line(&self) -> String {
        match &self.rule {
            Some(rule) => format!("{rule}: {}", self.sentence),
            None => self.sentence.clone(),
        }
    }

    /// The lines to blame, where there are any.
    pub fn lines_to_blame(&self) -> Option<String> {
        let places: Vec<String> = self.lines.iter().map(ToString::to_string).collect();
        (!places.is_empty()).then(|| places.join(", "))
    }

    /// It in full, where no exhibit shows it.
    pub fn in_full(&self) -> String {
        let mut lines = vec![self.in_a_line()];
        lines.extend(self.rule_text.iter().map(|text| format!("  rule      {text}")));
        lines.extend(self.instead.iter().map(|instead| format!("  instead   {instead}")));
        lines.extend(self.lines_to_blame().map(|places| format!("  lines     {places}")));
        lines.push(format!("  finding   {}", self.fingerprint));
        lines.extend(self.disagreement.iter().map(|how| format!("  NOT confirmed in a fresh process: {how}")));
        lines.extend(self.replay.iter().map(|replay| format!("\n  {replay}")));
        lines.join("\n")
    }
}
