//! What a judgement says: of each rule one of four answers, and of all of them one verdict.

use crate::history::{Channels, Mistake, Unmapped};
use crate::scenario::rules::{RULES, RuleId};

/// A rule by its place in the list of them, so that counting is cheap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rule(u8);

/// How many rules there are.
pub(super) const COUNT: usize = RULES.len();

impl Rule {
    /// The rule with this id, for constants.
    pub(crate) const fn at(id: &str) -> Rule {
        let mut index = 0;
        while !crate::scenario::rules::is_same(RULES[index].0, id) {
            index += 1;
        }
        Rule(index as u8)
    }

    pub(super) const fn index(self) -> usize {
        self.0 as usize
    }

    /// That of an id that is known only when it runs.
    pub(super) fn of(id: RuleId) -> Rule {
        Rule::at(id.as_str())
    }

    /// Its id.
    pub(crate) fn id(self) -> RuleId {
        RuleId::find(RULES[self.index()].0).expect("it is in the list")
    }
}

/// What a history says of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It was asked so many times, and held each time.
    Holds {
        /// How many times; 0 where that was not counted, as of a whole trace.
        judged: u64,
    },
    /// It was broken, by so many of the violations.
    Violated {
        /// How many.
        times: u64,
    },
    /// The history does not hold what it takes.
    NotObserved {
        /// The channels that are missing.
        lacks: Channels,
    },
    /// It could have been judged, and its situation never came.
    NothingToJudge,
}

impl Answer {
    /// It in a word.
    pub const fn word(&self) -> &'static str {
        match self {
            Answer::Holds { .. } => "holds",
            Answer::Violated { .. } => "violated",
            Answer::NotObserved { .. } => "not observed",
            Answer::NothingToJudge => "nothing to judge",
        }
    }
}

/// Something in a history that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// Which rule.
    pub rule: RuleId,
    /// The property that does not hold, as a sentence.
    pub property: &'static str,
    /// What happened instead.
    pub text: String,
    /// When, in microseconds.
    pub at: u64,
    /// To whom.
    pub actor: String,
    /// The line at which it shows, where there is one.
    pub place: Option<Line>,
    /// The lines to blame, in order, each as file (by its place among those given) and line.
    pub lines: Vec<Line>,
}

/// A line of one of the files that are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line {
    /// Which file, counted from 0.
    pub file: u32,
    /// Which line, counted from 1.
    pub line: u64,
}

/// Everything there is to say of a history.
///
/// ```
/// use gatecrash_sim::judge::{Verdict, judge_text};
///
/// let history = r#"{"history":1,"system":"acme-im","observes":["calls","events"]}
/// {"at_us":1,"actor":"phone","what":"called","call":1,"request":"login","user":"alice","platform":"android"}
/// {"at_us":2,"actor":"phone","what":"answered","call":1,"outcome":"ok"}
/// {"at_us":3,"actor":"phone","what":"answered","call":1,"outcome":"ok"}
/// {"at_us":9,"what":"end","settled":true}"#;
/// let judgement = judge_text(history);
/// assert_eq!(judgement.verdict(), Verdict::Violated);
/// assert_eq!(judgement.breaches[0].rule.as_str(), "LOGIN-3");
/// ```
#[derive(Clone, Debug)]
pub struct Judgement {
    /// Whose history.
    pub system: String,
    /// Of each rule that was asked for, in the order of the specification.
    pub answers: Vec<(RuleId, Answer)>,
    /// What breaks a rule, in the order in which it showed; the first thousand.
    pub breaches: Vec<Breach>,
    /// How many more there are.
    pub more: u64,
    /// What could not be decided, and why.
    pub undecided: Vec<String>,
    /// Whether the history says that everything had come to rest; none where it has no end.
    pub settled: Option<bool>,
    /// How many events there were.
    pub events: u64,
    /// Lines of what nobody outside can see, which were passed over.
    pub inside: u64,
    /// Lines of a log that its map drops.
    pub dropped: u64,
    /// Lines of a log of which its map makes nothing, by kind.
    pub unmapped: Vec<Unmapped>,
    /// What is wrong with the history as a text.
    pub mistakes: Vec<Mistake>,
    /// How many more there are.
    pub more_mistakes: u64,
}

/// A judgement in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Something was judged, everything held, and everything had come to rest.
    Holds,
    /// Nothing is wrong, and nothing that was asked for could be judged.
    NothingJudged,
    /// Nothing is wrong, and the history does not say that everything had come to rest.
    NotSettled,
    /// Nothing is wrong that could be decided, and something could not be.
    Undecided,
    /// A rule was broken.
    Violated,
    /// The history cannot be read.
    Unreadable,
}

impl Judgement {
    /// That of what cannot be read.
    pub fn unreadable(mistakes: Vec<Mistake>) -> Judgement {
        Judgement {
            system: String::new(),
            answers: Vec::new(),
            breaches: Vec::new(),
            more: 0,
            undecided: Vec::new(),
            settled: None,
            events: 0,
            inside: 0,
            dropped: 0,
            unmapped: Vec::new(),
            mistakes,
            more_mistakes: 0,
        }
    }

    /// It in one word: of several that fit, the weightiest.
    pub fn verdict(&self) -> Verdict {
        let judged = self.answers.iter().any(|(_, answer)| matches!(answer, Answer::Holds { .. }));
        if !self.mistakes.is_empty() {
            Verdict::Unreadable
        } else if !self.breaches.is_empty() {
            Verdict::Violated
        } else if !judged {
            Verdict::NothingJudged
        } else if !self.undecided.is_empty() {
            Verdict::Undecided
        } else if self.settled != Some(true) {
            Verdict::NotSettled
        } else {
            Verdict::Holds
        }
    }

    /// The answer of a rule, if it was asked for.
    pub fn answer(&self, rule: &str) -> Option<&Answer> {
        self.answers.iter().find(|(id, _)| id.as_str() == rule).map(|(_, answer)| answer)
    }
}

impl Verdict {
    /// The word that tables and JSON use.
    pub const fn word(self) -> &'static str {
        match self {
            Verdict::Holds => "holds",
            Verdict::NothingJudged => "nothing_judged",
            Verdict::NotSettled => "not_settled",
            Verdict::Undecided => "undecided",
            Verdict::Violated => "violated",
            Verdict::Unreadable => "unreadable",
        }
    }
}
