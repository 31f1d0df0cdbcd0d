//! A snapshot's text as events: when, who, a word, and fields.
//!
//! The word is what is the same in every story: names and numbers that stand in it without a label become fields, called
//! by the word before them. A commit is an event, and each of its facts is one more on the same line. The lines of a
//! ledger, and the title and rules above a story, are events of which nothing says when.

use std::collections::BTreeSet;

use super::columns::{When, columns, ledger};
use super::renames::{Renamed, Renames};

/// Something that a snapshot tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// The line of the file, from 1.
    pub line: usize,
    /// The line itself.
    pub text: String,
    /// What the first column says.
    pub when: When,
    /// The second column; empty where there is none.
    pub who: String,
    /// What it is, without names and numbers.
    pub word: String,
    /// What it says of it.
    pub fields: Vec<Field>,
    /// Words of it that were called otherwise; it has their old names.
    pub renamed: Vec<Renamed>,
}

/// A field of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its label, or the word before it.
    pub name: String,
    /// What it says.
    pub value: String,
}

/// The name of the field that says how something ended.
pub const OUTCOME: &str = "outcome";

/// Events of which the rest of the line, up to the first field, says how something ended.
const ENDINGS: [&str; 8] = [
    "status",
    "connect_failed",
    "session ended",
    "not converged:",
    "closing",
    "stranger beside",
    "no acceptable frame:",
    "record failed",
];

/// Fields that hold a name.
const NAMES: [&str; 6] = ["user", "login_user", "to", "from", "by", "users"];

impl Event {
    /// Who tells it: the server, a device, the world.
    pub fn actor(&self) -> &str {
        self.who.split(' ').next().unwrap_or_default()
    }

    /// The value of a field.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|field| field.name == name).map(|field| field.value.as_str())
    }
}

/// A snapshot without the header that insta gives it.
pub fn body(text: &str) -> &str {
    text.strip_prefix("---\n").and_then(|rest| rest.split_once("\n---\n")).map_or(text, |(_, body)| body)
}

/// The events of a snapshot, with the names that words had before these were renamed.
pub fn parse(text: &str, renames: &Renames) -> Vec<Event> {
    let body = body(text);
    let above = text[..text.len() - body.len()].lines().count();
    let undone: Vec<String> = body.lines().map(|line| renames.undo(line).0).collect();
    let names = names(&undone);
    let mut events = Vec::new();
    let mut is_above = true;
    for (index, line) in body.lines().enumerate() {
        let event = Event { line: above + index + 1, text: line.trim_end().to_owned(), ..Event::default() };
        if line.trim().is_empty() {
            is_above = false;
        } else if let Some((when, who, what)) = columns(line) {
            let event = Event { when, who: who.to_owned(), ..event };
            push(&mut events, event, what, &names, renames);
        } else if let Some((key, count)) = ledger(line) {
            let field = Field { name: "count".to_owned(), value: count.to_owned() };
            let (word, renamed) = renames.undo(&key);
            events.push(Event { word, fields: vec![field], renamed, ..event });
        } else {
            // What is above the first empty line is the title and the rules, what is below the last a list of situations.
            let word = match (is_above, line.starts_with("rules ")) {
                (true, true) => "rules",
                (true, false) => "title",
                (false, _) => line.trim(),
            };
            let fields =
                if is_above { vec![Field { name: "text".to_owned(), value: line.to_owned() }] } else { vec![] };
            events.push(Event { word: word.to_owned(), fields, ..event });
        }
    }
    events
}

/// Adds a line of a story: one event, or those of a commit.
fn push(events: &mut Vec<Event>, event: Event, what: &str, names: &BTreeSet<&str>, renames: &Renames) {
    let read = |event: Event, what: &str| {
        let (what, renamed) = renames.undo(what);
        with_words(Event { renamed, ..event }, &what, names)
    };
    let commit = what.starts_with("commit ").then(|| what.split_once(" {")).flatten();
    let Some((commit, facts)) = commit else { return events.push(read(event, what)) };
    events.push(read(event.clone(), commit));
    for fact in facts.trim_end_matches('}').split("; ").filter(|fact| !fact.is_empty() && *fact != "…") {
        events.push(read(event.clone(), fact));
    }
}

/// The event with what its third column says.
fn with_words(mut event: Event, what: &str, names: &BTreeSet<&str>) -> Event {
    let mut words: Vec<&str> = Vec::new();
    let mut before = "of".to_owned();
    let mut ending = String::new();
    let mut is_ending = false;
    let mut is_labelled = false;
    for token in tokens(what) {
        if token == "LOST" {
            event.fields.push(Field { name: "arrives".to_owned(), value: "LOST".to_owned() });
        } else if let Some((name, value)) = labelled(token) {
            is_labelled = true;
            event.fields.push(Field { name: name.to_owned(), value: value.to_owned() });
        } else if is_ending && !is_labelled {
            if ["epoch", "by"].contains(&token) {
                token.clone_into(&mut before);
            } else if !is_name(token, names) && !is_number(token) {
                ending.push_str(if ending.is_empty() { "" } else { " " });
                ending.push_str(token);
            } else {
                event.fields.push(Field { name: before.clone(), value: token.to_owned() });
            }
        } else {
            let bare = token.trim_matches(|letter| ",;:()".contains(letter));
            if is_number(bare) || is_name(bare, names) {
                // What labels a number is no part of the word: `(attempt 2)`.
                if is_number(bare) && words.len() > 1 && words.last() == Some(&before.as_str()) {
                    words.pop();
                }
                // What a name is called by would be another field once the word before it is renamed.
                let name = if is_number(bare) { before.as_str() } else { "of" };
                event.fields.push(Field { name: name.to_owned(), value: bare.to_owned() });
            } else {
                words.push(token.trim_matches(|letter| ",;()".contains(letter)));
                before = bare.to_owned();
                let word = words.join(" ");
                is_ending = token == "answered:" || ENDINGS.contains(&word.as_str());
            }
        }
    }
    event.word = words.join(" ").trim_end_matches(':').to_owned();
    if !ending.is_empty() {
        event.fields.insert(0, Field { name: OUTCOME.to_owned(), value: ending });
    }
    event
}

/// A label and its value.
fn labelled(token: &str) -> Option<(&str, &str)> {
    let (name, value) = token.split_once('=')?;
    let is_label = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    is_label.then_some((name, value))
}

/// Whether it is a number, with a unit or in parts.
pub fn is_number(value: &str) -> bool {
    let value = value.trim_start_matches(['+', '-']);
    value.starts_with(|first: char| first.is_ascii_digit())
        && value
            .trim_end_matches(|letter: char| letter.is_ascii_alphabetic())
            .bytes()
            .all(|byte| byte.is_ascii_digit() || b".:,msdhu".contains(&byte))
}

/// The milliseconds of a span such as `0.177s`.
pub fn millis(value: &str) -> Option<u64> {
    let (seconds, millis) = value.strip_suffix('s')?.split_once('.')?;
    Some(seconds.parse::<u64>().ok()? * 1_000 + (millis.len() == 3).then(|| millis.parse::<u64>().ok())??)
}

fn is_name(token: &str, names: &BTreeSet<&str>) -> bool {
    token.split('/').all(|part| names.contains(part))
}

/// The names of devices and users in a story.
fn names(lines: &[String]) -> BTreeSet<&str> {
    let mut names = BTreeSet::new();
    for (_, who, what) in lines.iter().filter_map(|line| columns(line)) {
        let parts =
            who.split(' ').filter(|part| !part.is_empty() && part.bytes().any(|byte| byte.is_ascii_alphanumeric()));
        names.extend(parts.filter(|part| !["server", "app", "world"].contains(part)));
        let labels = tokens(what).into_iter().filter_map(labelled).filter(|(name, _)| NAMES.contains(name));
        names.extend(labels.flat_map(|(_, value)| value.trim_matches(['[', ']']).split(", ")));
    }
    names
}

/// The words of a text: what is quoted or in brackets is one.
fn tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let (mut start, mut depth, mut is_quoted, mut is_escaped) = (0, 0_u32, false, false);
    for (index, letter) in text.char_indices() {
        match letter {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            _ if is_quoted => {}
            '[' | '{' => depth += 1,
            ']' | '}' => depth = depth.saturating_sub(1),
            ' ' if depth == 0 => {
                tokens.push(&text[start..index]);
                start = index + 1;
            }
            _ => {}
        }
    }
    tokens.push(&text[start..]);
    tokens.retain(|token| !token.is_empty());
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(line: &str) -> (String, String) {
        let text = format!("A title\n\n    0.000  phone-1 -> server  login user=alice\n{line}\n");
        let event = parse(&text, &Renames::default()).remove(2);
        let fields: Vec<String> = event.fields.iter().map(|field| format!("{}={}", field.name, field.value)).collect();
        (event.word, fields.join(" "))
    }

    #[test]
    fn a_word_has_neither_names_nor_numbers() {
        for (line, word, fields) in [
            ("    0.1  odd", "0.1  odd", ""),
            (
                "    0.091  phone-1 => app  login answered: ok user=alice call=2",
                "login answered",
                "outcome=ok user=alice call=2",
            ),
            (
                "    0.091  phone-1 => app  login answered: [70001] expired call=2",
                "login answered",
                "outcome=[70001] expired call=2",
            ),
            ("    0.091  phone-1        status LOGINED login_user=alice", "status", "outcome=LOGINED login_user=alice"),
            ("   10.000  phone-1        tries again in 0.177s (attempt 1)", "tries again", "in=0.177s attempt=1"),
            ("    0.030  phone-1 -> server  hello  LOST", "hello", "arrives=LOST"),
            ("           phone-1 -> server  hello  LOST", "hello", "arrives=LOST"),
            ("    +15 s  server -- phone-1  closes the connection", "closes the connection", ""),
            ("  a logout reached the server", "a logout reached the server", ""),
            (
                "    0.030  phone-1 -> server  send text=\"a b]\" list=[a b, \"c\"] id=1",
                "send",
                "text=\"a b]\" list=[a b, \"c\"] id=1",
            ),
            ("    0.030  server  session dormant alice/phone-1 epoch 1", "session dormant", "of=alice/phone-1 epoch=1"),
        ] {
            assert_eq!(one(line), (word.to_owned(), fields.to_owned()), "{line}");
        }
    }

    #[test]
    fn a_commit_is_followed_by_its_facts_on_one_line() {
        let text = "---\nsource: x\n---\nA title\nrules A-1\n\n    0.060  server  commit 3 {account alice; session ended alice/b epoch 1 same_platform by c}\n    0.061  b => app  kicked user=alice\n    0.062  c  link lost\n";
        let events = parse(text, &Renames::default());
        let told: Vec<_> = events.iter().map(|event| (event.line, event.word.as_str())).collect();
        assert_eq!(
            told,
            [
                (4, "title"),
                (5, "rules"),
                (7, "commit"),
                (7, "account"),
                (7, "session ended"),
                (8, "kicked"),
                (9, "link lost")
            ]
        );
        assert_eq!(events[4].field(OUTCOME), Some("same_platform"));
    }

    #[test]
    fn the_first_column_is_a_time_a_wait_or_nothing() {
        let text = "T\n\n    3.000  world  fault repair home\n    +15 s  server  x\n           phone  y\n100000.001  phone  z\n";
        let when: Vec<When> = parse(text, &Renames::default()).iter().skip(1).map(|event| event.when).collect();
        assert_eq!(when, [When::At(3_000), When::After(15), When::Unsaid, When::At(100_000_001)]);
    }

    #[test]
    fn a_ledger_counts_by_key() {
        let events = parse(
            "T\nrules A-1\n\nsimulated seconds      140\nresult        login ok            30\n",
            &Renames::default(),
        );
        assert_eq!((events[2].word.as_str(), events[2].field("count")), ("simulated seconds", Some("140")));
        assert_eq!((events[3].word.as_str(), events[3].field("count")), ("result login ok", Some("30")));
    }

    #[test]
    fn a_span_has_milliseconds() {
        assert_eq!((millis("0.177s"), millis("12.000s"), millis("7d")), (Some(177), Some(12_000), None));
        assert!(
            is_number("1.1") && is_number("7d") && is_number("+5") && !is_number("phone-1") && !is_number("2nd-floor")
        );
    }
}
