//! What is wrong with a scenario file: every mistake at once, each with its place, what was
//! expected there, the nearest valid word and the rule (INPUT-4).
//!
//! Finds no mistake itself: `parse`, `script` and `expect` do. Prints nowhere: the command chooses
//! the plain form or the graphical one.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode};

use super::expectation::Place;
use super::rules::{RuleId, rule};

/// The rule a mistake breaks when no other rule says more.
const BAD_INPUT: RuleId = rule("INPUT-4");

/// Width of the graphical form, in columns.
const GRAPHICAL_WIDTH: usize = 110;

/// Why a scenario file was refused. `Display` gives one plain line per problem.
#[derive(Clone, Debug, thiserror::Error)]
pub struct Diagnosis {
    /// The file, as the caller named it.
    pub file: String,
    /// Every problem, in the order of their places. Never empty.
    pub errors: Vec<Problem>,
    quoted: Arc<NamedSource<String>>,
}

/// One mistake in a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Problem {
    /// Where it begins, in bytes from the start of the file.
    pub offset: usize,
    /// How many bytes it takes; zero where something is missing.
    pub length: usize,
    /// Its line, from 1.
    pub line: usize,
    /// Its column, in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub expected: String,
    /// The valid word nearest to the one written, if one is near.
    pub nearest: Option<String>,
    /// The rule it breaks.
    pub rule: RuleId,
}

impl Problem {
    fn advice(&self) -> String {
        match &self.nearest {
            Some(nearest) => format!("expected {}; did you mean `{nearest}`?", self.expected),
            None => format!("expected {}", self.expected),
        }
    }
}

impl Diagnosis {
    /// The form for a terminal, with the lines concerned, in colour or not.
    pub fn graphical(&self, coloured: bool) -> String {
        let theme = if coloured { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
        let handler = GraphicalReportHandler::new_themed(theme).with_width(GRAPHICAL_WIDTH);
        let mut text = String::new();
        handler.render_report(&mut text, &Graphical(self)).expect("writing to a string does not fail");
        text
    }
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.errors.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            let Problem { line, column, message, rule, .. } = problem;
            let (file, advice) = (&self.file, problem.advice());
            write!(f, "{separator}{file}:{line}:{column}: {message}; {advice} ({rule})")?;
        }
        Ok(())
    }
}

impl PartialEq for Diagnosis {
    fn eq(&self, other: &Self) -> bool {
        self.file == other.file && self.errors == other.errors && self.quoted.inner() == other.quoted.inner()
    }
}

impl Diagnostic for Problem {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.rule))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.advice()))
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(std::iter::once(LabeledSpan::new(None, self.offset, self.length))))
    }
}

/// The head of the graphical form; the problems hang below it.
#[derive(Debug, thiserror::Error)]
#[error("{} is refused: {}", .0.file, count_of(.0.errors.len()))]
struct Graphical<'d>(&'d Diagnosis);

fn count_of(problems: usize) -> String {
    if problems == 1 { "1 mistake".to_owned() } else { format!("{problems} mistakes") }
}

impl Diagnostic for Graphical<'_> {
    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(self.0.quoted.as_ref())
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        Some(Box::new(self.0.errors.iter().map(|problem| problem as &dyn Diagnostic)))
    }
}

/// A mistake about to be reported.
pub(super) struct Mistake {
    at: Range<usize>,
    message: String,
    expected: String,
    nearest: Option<String>,
    rule: RuleId,
}

impl Mistake {
    /// A mistake in these bytes of the file.
    pub(super) fn new(at: Range<usize>, message: impl Into<String>, expected: impl Into<String>) -> Self {
        Mistake { at, message: message.into(), expected: expected.into(), nearest: None, rule: BAD_INPUT }
    }

    /// Names the valid word nearest to `word`.
    pub(super) fn near<'w>(mut self, word: &str, valid: impl IntoIterator<Item = &'w str>) -> Self {
        self.nearest = nearest(word, valid);
        self
    }

    /// Names the rule, where one says more than INPUT-4.
    pub(super) fn breaking(mut self, rule: RuleId) -> Self {
        self.rule = rule;
        self
    }
}

/// The mistakes found so far in one file.
pub(super) struct Problems<'t> {
    text: &'t str,
    found: Vec<Mistake>,
}

impl<'t> Problems<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Problems { text, found: Vec::new() }
    }

    pub(super) fn report(&mut self, mistake: Mistake) {
        self.found.push(mistake);
    }

    /// The line and column of a byte of the file.
    pub(super) fn place(&self, offset: usize) -> Place {
        place(self.text, offset)
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.found.len()
    }

    /// The diagnosis, if there was any mistake.
    pub(super) fn into_result<T>(mut self, file: &str, value: Option<T>) -> Result<T, Diagnosis> {
        match value {
            Some(value) if self.found.is_empty() => Ok(value),
            Some(_) | None => {
                assert!(!self.found.is_empty(), "a file that is refused is refused with a reason");
                self.found.sort_by_key(|mistake| (mistake.at.start, mistake.at.end));
                let mut errors: Vec<Problem> = Vec::new();
                for mistake in self.found {
                    let problem = placed(self.text, mistake);
                    if errors.last() != Some(&problem) {
                        errors.push(problem);
                    }
                }
                let quoted = Arc::new(NamedSource::new(file, self.text.to_owned()));
                Err(Diagnosis { file: file.to_owned(), errors, quoted })
            }
        }
    }
}

fn placed(text: &str, mistake: Mistake) -> Problem {
    let Place { line, column } = place(text, mistake.at.start);
    Problem {
        offset: mistake.at.start,
        length: mistake.at.len(),
        line,
        column,
        message: mistake.message,
        expected: mistake.expected,
        nearest: mistake.nearest,
        rule: mistake.rule,
    }
}

/// The line and column of a byte of the text.
fn place(text: &str, offset: usize) -> Place {
    let before = &text[..offset];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    Place { line: before.matches('\n').count() + 1, column: before[line_start..].chars().count() + 1 }
}

/// Words that people type, and those they mean. Written small, without what joins their parts.
const MEANT: &[(&str, &str)] = &[
    // platforms
    ("iphone", "ios"),
    ("iphoneos", "ios"),
    ("apple", "ios"),
    ("phone", "android"),
    ("ipados", "ipad"),
    ("tablet", "ipad"),
    ("pc", "windows"),
    ("win", "windows"),
    ("win32", "windows"),
    ("win64", "windows"),
    ("macos", "mac"),
    ("osx", "mac"),
    ("macbook", "mac"),
    ("darwin", "mac"),
    ("ubuntu", "linux"),
    ("desktop", "linux"),
    ("browser", "web"),
    ("chrome", "web"),
    ("firefox", "web"),
    ("safari", "web"),
    ("page", "web"),
    ("h5", "web"),
    // policies
    ("one", "single"),
    ("exclusive", "single"),
    ("two", "dual"),
    ("double", "dual"),
    ("three", "triple"),
    ("many", "multi"),
    ("all", "multi"),
    ("multiple", "multi"),
    ("unlimited", "multi"),
    // statuses and presences
    ("loggedin", "LOGINED"),
    ("login", "LOGINED"),
    ("in", "LOGINED"),
    ("online", "LOGINED"),
    ("loggingin", "LOGINING"),
    ("connecting", "LOGINING"),
    ("pending", "LOGINING"),
    ("loggedout", "LOGOUT"),
    ("out", "LOGOUT"),
    ("offline", "LOGOUT"),
    ("none", "LOGOUT"),
    ("connected", "online"),
    ("loggedin", "online"),
    ("away", "push_online"),
    ("push", "push_online"),
    ("asleep", "push_online"),
    ("disconnected", "offline"),
    ("loggedout", "offline"),
    ("gone", "offline"),
    // events, calls and faults
    ("connected", "connect_success"),
    ("kicked", "kicked_offline"),
    ("kick", "kicked_offline"),
    ("expired", "user_sig_expired"),
    ("received", "receives"),
    ("signin", "login"),
    ("logon", "login"),
    ("signout", "logout"),
    ("logoff", "logout"),
    ("disconnect", "logout"),
    ("message", "send"),
    ("list", "conversations"),
    ("cut", "partition"),
    ("disconnect", "partition"),
    ("heal", "repair"),
    ("reconnect", "repair"),
    ("restart", "bounce"),
    ("reboot", "bounce"),
    ("sleep", "suspend"),
    ("freeze", "suspend"),
    ("resume", "wake"),
    ("delay", "latency"),
];

/// The word that people mean who type this one: by the table, or because a part of it is that word.
fn meant<'w>(word: &str, valid: &[&'w str]) -> Option<&'w str> {
    let written = word.to_lowercase();
    let plain: String = written.chars().filter(char::is_ascii_alphanumeric).collect();
    let by_table = |plain: &str| {
        let said = MEANT.iter().filter(|(typed, _)| *typed == plain);
        said.filter_map(|(_, meant)| valid.iter().find(|one| *one == meant)).next().copied()
    };
    let parts = || written.split(['-', '_', ' ', '.']).filter(|part| *part != written);
    by_table(&plain)
        .or_else(|| parts().find_map(|part| valid.iter().find(|one| **one == part).copied()))
        .or_else(|| parts().find_map(by_table))
}

/// The valid word nearest to `word`, if one is near: one that differs by a letter, one that people mean by it, one of
/// which at most a third of the letters are wrong, or else the beginning right and most of the rest.
pub fn nearest<'w>(word: &str, valid: impl IntoIterator<Item = &'w str>) -> Option<String> {
    let valid: Vec<&str> = valid.into_iter().collect();
    let by_letters = by_letters(word, valid.iter().copied());
    let is_slip = by_letters
        .as_deref()
        .is_some_and(|near| strsim::damerau_levenshtein(&near.to_lowercase(), &word.to_lowercase()) <= 1);
    match meant(word, &valid) {
        Some(meant) if !is_slip => Some(meant.to_owned()),
        Some(_) | None => by_letters,
    }
}

fn by_letters<'w>(word: &str, valid: impl IntoIterator<Item = &'w str>) -> Option<String> {
    /// How alike two words with many differences must still be, of 1.
    const ALIKE_MIN: f64 = 0.85;
    let written = word.to_lowercase();
    let valid: Vec<(&str, String)> = valid.into_iter().map(|candidate| (candidate, candidate.to_lowercase())).collect();
    let wrong_max = (written.chars().count() / 3).max(1);
    let wrong = |candidate: &str| strsim::damerau_levenshtein(&written, candidate);
    let alike = |candidate: &str| strsim::jaro_winkler(&written, candidate);
    let fewest_wrong = valid
        .iter()
        .map(|(candidate, lower)| (wrong(lower), candidate))
        .filter(|(wrong, _)| *wrong <= wrong_max)
        .min_by_key(|(wrong, _)| *wrong)
        .map(|(_, candidate)| candidate);
    let most_alike = || {
        valid
            .iter()
            .map(|(candidate, lower)| (alike(lower), candidate))
            .filter(|(alike, _)| *alike >= ALIKE_MIN)
            .max_by(|(one, _), (other, _)| one.total_cmp(other))
            .map(|(_, candidate)| candidate)
    };
    fewest_wrong.or_else(most_alike).map(|candidate| (*candidate).to_owned())
}

/// `a, b or c`, cut where more would help nobody.
pub(super) fn one_of<'w>(words: impl IntoIterator<Item = &'w str>) -> String {
    /// The longest closed set has 18 words.
    const SHOWN_MAX: usize = 24;
    let words: Vec<&str> = words.into_iter().collect();
    match words.as_slice() {
        [] => "nothing".to_owned(),
        [only] => (*only).to_owned(),
        [shown @ .., last] if words.len() <= SHOWN_MAX => format!("{} or {last}", shown.join(", ")),
        many => format!("{} or {} more", many[..SHOWN_MAX].join(", "), many.len() - SHOWN_MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_near() {
        let valid = ["kicked_offline", "connect_success", "connect_failed", "message", "login", "logout"];
        for (word, expected) in [
            ("kiked_offline", Some("kicked_offline")),
            ("KICKED_OFFLINE", Some("kicked_offline")),
            ("kicked", Some("kicked_offline")),
            ("lgoin", Some("login")),
            ("logot", Some("logout")),
            ("masage", Some("message")),
            ("log-in", Some("login")),
            ("zebra", None),
            ("x", None),
        ] {
            assert_eq!(nearest(word, valid).as_deref(), expected, "{word}");
        }
        assert_eq!(nearest("word", []), None);
    }

    #[test]
    fn words_that_people_type_lead_to_those_they_mean() {
        let platforms = ["android", "ios", "ipad", "windows", "mac", "linux", "web"];
        for (word, expected) in [
            ("iphone", "ios"),
            ("iPhone", "ios"),
            ("android-phone", "android"),
            ("ios_tablet", "ios"),
            ("macOS", "mac"),
            ("browser", "web"),
            ("windwos", "windows"),
            ("ipda", "ipad"),
        ] {
            assert_eq!(nearest(word, platforms).as_deref(), Some(expected), "{word}");
        }
        let policies = ["single", "dual", "triple", "multi"];
        assert_eq!(nearest("exclusive", policies).as_deref(), Some("single"));
        let statuses = ["LOGOUT", "LOGINING", "LOGINED"];
        for (word, expected) in [("logged_in", "LOGINED"), ("LOGGED-OUT", "LOGOUT"), ("offline", "LOGOUT")] {
            assert_eq!(nearest(word, statuses).as_deref(), Some(expected), "{word}");
        }
        assert_eq!(nearest("away", ["online", "push_online", "offline"]).as_deref(), Some("push_online"));
    }

    #[test]
    fn places_count_lines_and_characters_from_one() {
        let text = "ä\nöü x";
        let mut problems = Problems::new(text);
        problems.report(Mistake::new(8..9, "no x", "y").near("x", ["y"]).breaking(rule("KICK-1")));
        problems.report(Mistake::new(0..2, "no ä", "a"));
        problems.report(Mistake::new(0..2, "no ä", "a"));
        let diagnosis = problems.into_result("a.toml", Some(())).unwrap_err();
        assert_eq!(
            diagnosis.to_string(),
            "a.toml:1:1: no ä; expected a (INPUT-4)\na.toml:2:4: no x; expected y; did you mean `y`? (KICK-1)"
        );
    }

    #[test]
    fn without_a_mistake_the_value_comes_through() {
        assert_eq!(Problems::new("").into_result("a.toml", Some(3)), Ok(3));
    }

    #[test]
    fn lists_of_words_read_as_prose() {
        assert_eq!(one_of(["a"]), "a");
        assert_eq!(one_of(["a", "b", "c"]), "a, b or c");
    }
}
