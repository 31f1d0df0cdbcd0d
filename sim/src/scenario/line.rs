//! The column texts of a file, `steps` and `expect`: from the quoted text in the file to lines of
//! words, each knowing its bytes in the file, and the patterns that make many words of one.
//!
//! Knows no step and no expectation: `script` and `expect` read the words.

use std::ops::Range;

use gatecrash::policy::{Platform, Policy};
use gatecrash::protocol::{KickReason, Presence};

use super::diagnose::{Mistake, Problems, one_of};
use super::{CallKind, CommitPoint, Conduct, Direction, Forge, Init, ListenerEvent, LoginStatus, Shown};

/// The most words one pattern makes.
pub(super) const PATTERN_WORDS_MAX: u32 = 1_000_000;

/// One character of a text, with the bytes of the file it was written with.
struct Letter {
    value: char,
    at: Range<usize>,
}

/// A word of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    /// What it says, without quotes and escapes.
    pub(super) text: String,
    /// Whether it was written in quotes: then it is never a keyword and no pattern.
    pub(super) quoted: bool,
    /// Its bytes in the file, quotes included.
    pub(super) at: Range<usize>,
}

impl Word {
    /// Whether it is this keyword.
    pub(super) fn is(&self, keyword: &str) -> bool {
        !self.quoted && self.text == keyword
    }
}

/// A column text as the file holds it.
#[derive(Clone)]
pub(super) struct Literal<'t> {
    /// The whole file.
    pub(super) file: &'t str,
    /// Where in it the text is, quotes included.
    pub(super) at: Range<usize>,
}

/// The lines of a column text that have words. With `numbers`, `#` before a digit begins a word,
/// not a comment.
pub(super) fn read_lines(literal: Literal<'_>, numbers: bool, problems: &mut Problems<'_>) -> Vec<Vec<Word>> {
    let letters = decode(literal.file, literal.at);
    letters
        .split(|letter| letter.value == '\n')
        .filter_map(|line| read_words(line, numbers, problems))
        .filter(|words| !words.is_empty())
        .collect()
}

/// Undoes a TOML string of any of the four kinds. The parser has found it well formed.
fn decode(text: &str, literal: Range<usize>) -> Vec<Letter> {
    let written = &text[literal.clone()];
    let quotes = if written.starts_with("\"\"\"") || written.starts_with("'''") { 3 } else { 1 };
    let escapes = written.starts_with('"');
    let inside = literal.start + quotes..literal.end - quotes;
    let mut rest = text[inside.clone()].char_indices().map(|(at, value)| (inside.start + at, value)).peekable();
    if quotes == 3 {
        rest.next_if(|(_, value)| *value == '\r');
        rest.next_if(|(_, value)| *value == '\n');
    }
    let mut letters = Vec::new();
    while let Some((start, value)) = rest.next() {
        if !(escapes && value == '\\') {
            letters.push(Letter { value, at: start..start + value.len_utf8() });
            continue;
        }
        let (_, escape) = rest.next().expect("an escape has a second character");
        let digits = match escape {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            _ => 0,
        };
        let value = match escape {
            'b' => '\u{8}',
            't' => '\t',
            'n' => '\n',
            'f' => '\u{c}',
            'r' => '\r',
            'e' => '\u{1b}',
            '"' | '\\' => escape,
            'x' | 'u' | 'U' => {
                let code: String = rest.by_ref().take(digits).map(|(_, digit)| digit).collect();
                u32::from_str_radix(&code, 16).ok().and_then(char::from_u32).expect("the parser checked the code")
            }
            // The end of the line is escaped, and with it all white space up to the next word.
            _ => {
                while rest.next_if(|(_, value)| value.is_ascii_whitespace()).is_some() {}
                continue;
            }
        };
        let end = rest.peek().map_or(inside.end, |(at, _)| *at);
        letters.push(Letter { value, at: start..end });
    }
    letters
}

/// The words of one line; none if it was reported.
fn read_words(line: &[Letter], numbers: bool, problems: &mut Problems<'_>) -> Option<Vec<Word>> {
    let mut words: Vec<Word> = Vec::new();
    let mut next = 0;
    while next < line.len() {
        let letter = &line[next];
        let digit_follows = line.get(next + 1).is_some_and(|letter| letter.value.is_ascii_digit());
        if letter.value.is_whitespace() {
            next += 1;
        } else if letter.value == '#' && !(numbers && digit_follows && !words.is_empty()) {
            break;
        } else if letter.value == '"' {
            let (word, end) = quoted_word(line, next, problems)?;
            words.push(word);
            next = end;
        } else {
            let length = line[next + 1..].iter().position(|letter| ends_word(letter.value));
            let end = length.map_or(line.len(), |length| next + 1 + length);
            words.push(Word {
                text: line[next..end].iter().map(|letter| letter.value).collect(),
                quoted: false,
                at: line[next].at.start..line[end - 1].at.end,
            });
            if let Some(quote) = line.get(end).filter(|letter| letter.value == '"') {
                let expected = "white space before a quote";
                problems.report(Mistake::new(quote.at.clone(), "a quote inside a word", expected));
                return None;
            }
            next = end;
        }
    }
    Some(words)
}

fn ends_word(letter: char) -> bool {
    letter.is_whitespace() || letter == '#' || letter == '"'
}

/// The quoted word that begins at `start`, and where the line goes on after it.
fn quoted_word(line: &[Letter], start: usize, problems: &mut Problems<'_>) -> Option<(Word, usize)> {
    let opening = line[start].at.clone();
    let mut text = String::new();
    let mut next = start + 1;
    while let Some(letter) = line.get(next) {
        next += 1;
        match letter.value {
            '"' => {
                let at = opening.start..letter.at.end;
                if let Some(follower) =
                    line.get(next).filter(|letter| !letter.value.is_whitespace() && letter.value != '#')
                {
                    let expected = "white space after a quoted text";
                    problems.report(Mistake::new(follower.at.clone(), "a word right after a quote", expected));
                    return None;
                }
                return Some((Word { text, quoted: true, at }, next));
            }
            '\\' => match escape(&line[next..]) {
                Some((value, length)) => {
                    text.push(value);
                    next += length;
                }
                None => {
                    let expected = "\\\" \\\\ \\n \\r \\t or \\u{…} with up to six hexadecimal digits";
                    problems.report(Mistake::new(letter.at.clone(), "not an escape", expected));
                    return None;
                }
            },
            value => text.push(value),
        }
    }
    let expected = "a closing quote on the same line";
    problems.report(Mistake::new(opening, "a quote that is never closed", expected));
    None
}

/// What the letters after a backslash stand for, and how many they are.
fn escape(letters: &[Letter]) -> Option<(char, usize)> {
    /// The largest character has six hexadecimal digits.
    const DIGITS_MAX: usize = 6;
    match letters.first()?.value {
        '"' => Some(('"', 1)),
        '\\' => Some(('\\', 1)),
        'n' => Some(('\n', 1)),
        'r' => Some(('\r', 1)),
        't' => Some(('\t', 1)),
        'u' if letters.get(1)?.value == '{' => {
            let length = letters[2..].iter().take(DIGITS_MAX + 1).position(|letter| letter.value == '}')?;
            let code: String = letters[2..2 + length].iter().map(|letter| letter.value).collect();
            let value = u32::from_str_radix(&code, 16).ok().and_then(char::from_u32)?;
            Some((value, length + 3))
        }
        _ => None,
    }
}

/// How a quoted word is written: the inverse of reading it.
pub(super) fn print_quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            control if control.is_control() => quoted.push_str(&format!("\\u{{{:x}}}", u32::from(control))),
            plain => quoted.push(plain),
        }
    }
    quoted.push('"');
    quoted
}

/// What a word with braces is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Plain(String),
    /// `{}`: the index of the line's pattern.
    Index,
    /// `{%N}`: the index, counted from 1 to N over and over.
    Wrapped(u32),
    /// `{A..B}`: each number from A to B.
    Range(u32, u32),
}

/// What braces may hold.
const BRACES: &str = "{A..B} for the numbers A to B, {} for the index, or {%N} for the index wrapped at N";

/// The pieces of a word; what is wrong with its braces, otherwise.
fn pieces(text: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(opening) = rest.find(['{', '}']) {
        let (plain, braces) = rest.split_at(opening);
        let inside = braces.strip_prefix('{').ok_or("a brace that was never opened")?;
        let (inside, after) = inside.split_once('}').ok_or("a brace that is never closed")?;
        if !plain.is_empty() {
            pieces.push(Piece::Plain(plain.to_owned()));
        }
        pieces.push(piece(inside).ok_or_else(|| format!("`{{{inside}}}` is no pattern"))?);
        rest = after;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Plain(rest.to_owned()));
    }
    match pieces.iter().filter(|piece| matches!(piece, Piece::Range(..))).count() {
        0 | 1 => Ok(pieces),
        _ => Err("two ranges in one word".to_owned()),
    }
}

fn piece(inside: &str) -> Option<Piece> {
    let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u32>().ok())?;
    if inside.is_empty() {
        return Some(Piece::Index);
    }
    if let Some(modulus) = inside.strip_prefix('%') {
        return number(modulus).filter(|modulus| *modulus > 0).map(Piece::Wrapped);
    }
    let (from, to) = inside.split_once("..")?;
    let (from, to) = (number(from)?, number(to)?);
    (from <= to && to - from < PATTERN_WORDS_MAX).then_some(Piece::Range(from, to))
}

fn join(pieces: &[Piece], index: u32) -> String {
    let mut text = String::new();
    for piece in pieces {
        match piece {
            Piece::Plain(plain) => text.push_str(plain),
            Piece::Index | Piece::Range(..) => text.push_str(&index.to_string()),
            Piece::Wrapped(modulus) => text.push_str(&wrapped(index, *modulus).to_string()),
        }
    }
    text
}

/// `index` counted from 1 to `modulus` over and over.
fn wrapped(index: u32, modulus: u32) -> u32 {
    (index + modulus - 1) % modulus + 1
}

/// The indices a word's range stands for; none if it has no range.
pub(super) fn range_of(text: &str) -> Result<Option<(u32, u32)>, String> {
    Ok(pieces(text)?.iter().find_map(|piece| match piece {
        Piece::Range(from, to) => Some((*from, *to)),
        Piece::Plain(_) | Piece::Index | Piece::Wrapped(_) => None,
    }))
}

/// The word with `index` for each of its braces.
pub(super) fn with_index(text: &str, index: u32) -> Result<String, String> {
    Ok(join(&pieces(text)?, index))
}

/// A line whose pattern was found: its words for each index.
pub(super) struct Expansion {
    words: Vec<Word>,
    subject: Option<usize>,
    from: u32,
    to: u32,
}

impl Expansion {
    /// How often the line stands.
    pub(super) fn count(&self) -> u32 {
        self.to - self.from + 1
    }

    /// Whether the line has a pattern.
    pub(super) fn has_pattern(&self) -> bool {
        self.subject.is_some()
    }

    /// The line's words for its `nth` index, counted from 0; none if one was reported.
    pub(super) fn words(&self, nth: u32, problems: &mut Problems<'_>) -> Option<Vec<Word>> {
        let Some(subject) = self.subject else { return Some(self.words.clone()) };
        let index = self.from + nth;
        let mut words = self.words.clone();
        for (position, word) in words.iter_mut().enumerate() {
            if word.quoted {
                word.text = quoted_with_index(&word.text, index);
                continue;
            }
            match pieces(&word.text) {
                // A range that is not the subject's stays: in a list it stands for several words.
                Ok(pieces) => {
                    let list = position != subject && pieces.iter().any(|piece| matches!(piece, Piece::Range(..)));
                    if !list {
                        word.text = join(&pieces, index);
                    }
                }
                Err(message) => {
                    problems.report(Mistake::new(word.at.clone(), message, BRACES));
                    return None;
                }
            }
        }
        Some(words)
    }
}

/// In quotes braces that hold no index are text.
fn quoted_with_index(text: &str, index: u32) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((plain, braces)) = rest.split_once('{') {
        out.push_str(plain);
        let held = braces.split_once('}').and_then(|(inside, after)| match piece(inside)? {
            Piece::Index => Some((index, after)),
            Piece::Wrapped(modulus) => Some((wrapped(index, modulus), after)),
            Piece::Plain(_) | Piece::Range(..) => None,
        });
        match held {
            Some((number, after)) => {
                out.push_str(&number.to_string());
                rest = after;
            }
            None => {
                out.push('{');
                rest = braces;
            }
        }
    }
    out.push_str(rest);
    out
}

/// Finds the pattern of a line among the words at `subjects`. Reports bad braces there.
pub(super) fn expand(words: Vec<Word>, subjects: Range<usize>, problems: &mut Problems<'_>) -> Option<Expansion> {
    let mut found = Expansion { words, subject: None, from: 0, to: 0 };
    for position in subjects {
        let Some(word) = found.words.get(position).filter(|word| !word.quoted) else { continue };
        match range_of(&word.text) {
            Ok(None) => {}
            Ok(Some(_)) if found.subject.is_some() => {
                let expected = "one range in a line; {} stands for its index elsewhere";
                problems.report(Mistake::new(word.at.clone(), "a second range", expected));
                return None;
            }
            Ok(Some((from, to))) => (found.subject, found.from, found.to) = (Some(position), from, to),
            Err(message) => {
                problems.report(Mistake::new(word.at.clone(), message, BRACES));
                return None;
            }
        }
    }
    Some(found)
}

/// A closed set whose members scenario files name with a word each.
pub(super) trait Vocabulary: Copy + 'static {
    /// Every member.
    const MEMBERS: &'static [Self];

    /// Its word.
    fn text(self) -> &'static str;
}

macro_rules! vocabularies {
    ($($name:ty = $members:expr;)+) => { $(
        impl Vocabulary for $name {
            const MEMBERS: &'static [Self] = $members;
            fn text(self) -> &'static str { self.word() }
        }
    )+ };
}

vocabularies! {
    CallKind = CallKind::ALL;
    Conduct = Conduct::ALL;
    CommitPoint = CommitPoint::ALL;
    Direction = Direction::ALL;
    Forge = Forge::ALL;
    Init = Init::ALL;
    ListenerEvent = ListenerEvent::ALL;
    LoginStatus = LoginStatus::ALL;
    Shown = Shown::ALL;
    Platform = &Platform::ALL;
    Policy = &Policy::ALL;
    KickReason = &[KickReason::SamePlatform, KickReason::OtherPlatform, KickReason::Administrator, KickReason::Gone];
    Presence = &[Presence::Online, Presence::PushOnline, Presence::Offline];
}

/// The member of a closed set with this word.
pub(super) fn member<V: Vocabulary>(word: &str) -> Option<V> {
    V::MEMBERS.iter().copied().find(|member| member.text() == word)
}

/// Every word of a closed set.
pub(super) fn words_of<V: Vocabulary>() -> impl Iterator<Item = &'static str> {
    V::MEMBERS.iter().map(|member| member.text())
}

/// Reads the words of one concrete line from left to right, and reports what does not fit.
pub(super) struct Cursor<'l, 'p, 't> {
    words: &'l [Word],
    next: usize,
    pub(super) problems: &'p mut Problems<'t>,
}

impl<'l, 'p, 't> Cursor<'l, 'p, 't> {
    pub(super) fn new(words: &'l [Word], problems: &'p mut Problems<'t>) -> Self {
        Cursor { words, next: 0, problems }
    }

    /// The next word, if there is one.
    pub(super) fn peek(&self) -> Option<&'l Word> {
        self.words.get(self.next)
    }

    /// The words that are left.
    pub(super) fn rest(&self) -> &'l [Word] {
        &self.words[self.next.min(self.words.len())..]
    }

    /// The next word if it is this keyword.
    pub(super) fn keyword(&mut self, keyword: &str) -> Option<&'l Word> {
        let word = self.peek().filter(|word| word.is(keyword))?;
        self.next += 1;
        Some(word)
    }

    /// The next word. Reports the end of the line, or a pattern that cannot stand here.
    pub(super) fn word(&mut self, expected: &str) -> Option<&'l Word> {
        let Some(word) = self.peek() else {
            let end = self.words.last().map_or(0, |word| word.at.end);
            self.problems.report(Mistake::new(end..end, "the line ends too early", expected));
            return None;
        };
        self.next += 1;
        if !word.quoted && word.text.contains(['{', '}']) {
            let message = match range_of(&word.text) {
                Ok(Some(_)) => "a range cannot stand here".to_owned(),
                Ok(None) => "an index without a pattern in this line".to_owned(),
                Err(message) => message,
            };
            self.problems.report(Mistake::new(word.at.clone(), message, expected));
            return None;
        }
        Some(word)
    }

    /// The value of the next word if it is `key=value`, as a word of its own.
    pub(super) fn option(&mut self, key: &str) -> Option<Word> {
        let word = self.peek().filter(|word| !word.quoted)?;
        let value = word.text.strip_prefix(key)?.strip_prefix('=')?;
        let text = value.to_owned();
        // A word with a pattern is reported here; then there is no value either.
        let word = self.word(key)?;
        Some(Word { text, quoted: false, at: word.at.start + key.len() + 1..word.at.end })
    }

    /// The member of a closed set that the next word names.
    pub(super) fn member<V: Vocabulary>(&mut self, what: &str) -> Option<V> {
        let expected = one_of(words_of::<V>());
        let word = self.word(&expected)?;
        let found = member::<V>(&word.text).filter(|_| !word.quoted);
        if found.is_none() {
            self.refuse(word, what, &expected, words_of::<V>());
        }
        found
    }

    /// What `read` makes of the next word. Reports a word of which it makes nothing.
    pub(super) fn value<T>(
        &mut self,
        what: &str,
        expected: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Option<(T, &'l Word)> {
        let word = self.word(expected)?;
        match read(&word.text) {
            Some(value) if !word.quoted => Some((value, word)),
            Some(_) | None => {
                self.refuse(word, what, expected, []);
                None
            }
        }
    }

    /// The words up to the end of the line or an unquoted `at`, ranges expanded. Reports an empty list.
    pub(super) fn list(&mut self, expected: &str) -> Option<Vec<Word>> {
        let mut list = Vec::new();
        let first = self.next;
        while let Some(word) = self.peek().filter(|word| !word.is("at")) {
            let range = if word.quoted { Ok(None) } else { range_of(&word.text) };
            match range {
                Ok(Some((from, to))) => {
                    self.next += 1;
                    for index in from..=to {
                        let text = with_index(&word.text, index).expect("its range was just read");
                        list.push(Word { text, ..word.clone() });
                    }
                }
                Ok(None) | Err(_) => list.push(self.word(expected)?.clone()),
            }
        }
        if self.next == first {
            self.missing(expected);
            return None;
        }
        Some(list)
    }

    /// Reports that something is missing before the next word, or at the end of the line.
    pub(super) fn missing(&mut self, expected: &str) {
        let mistake = match self.peek() {
            Some(word) => Mistake::new(word.at.clone(), format!("`{}` comes too early", word.text), expected),
            None => {
                let end = self.words.last().map_or(0, |word| word.at.end);
                Mistake::new(end..end, "the line ends too early", expected)
            }
        };
        self.problems.report(mistake);
    }

    /// Reports a word that is not what it should be.
    pub(super) fn refuse<'w>(
        &mut self,
        word: &Word,
        what: &str,
        expected: &str,
        valid: impl IntoIterator<Item = &'w str>,
    ) {
        let message = format!("`{}` is no {what}", word.text);
        self.problems.report(Mistake::new(word.at.clone(), message, expected).near(&word.text, valid));
    }

    /// Reports what is left of the line. Says whether nothing was.
    pub(super) fn finish(&mut self, options: &[&str]) -> Option<()> {
        let Some(word) = self.peek() else { return Some(()) };
        let expected = match options {
            [] => "the end of the line".to_owned(),
            options => format!("{}, or the end of the line", one_of(options.iter().copied())),
        };
        let names = options.iter().map(|option| option.split_once('=').map_or(*option, |(name, _)| name));
        let written = word.text.split('=').next().unwrap_or_default();
        let message = format!("`{}` is too much here", word.text);
        self.problems.report(Mistake::new(word.at.clone(), message, expected).near(written, names));
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Lines of words, each with how the file writes it.
    type Lines<'w> = &'w [&'w [(&'w str, &'w str)]];

    fn words(file: &str) -> Result<Vec<Vec<(String, &str)>>, String> {
        let start = file.find(['"', '\'']).unwrap();
        let mut problems = Problems::new(file);
        let lines = read_lines(Literal { file, at: start..file.trim_end().len() }, true, &mut problems);
        problems.into_result("f", Some(())).map_err(|diagnosis| diagnosis.to_string())?;
        Ok(lines.into_iter().map(|line| line.into_iter().map(|word| (word.text, &file[word.at])).collect()).collect())
    }

    #[test]
    fn words_know_where_the_file_has_them() {
        let cases: [(&str, Lines<'_>); 7] = [
            (
                "a = \"\"\"\n1s  x \"y z\"# c\n\n  # only this\n2s #1 #x\n\"\"\"",
                &[&[("1s", "1s"), ("x", "x"), ("y z", "\"y z\"")], &[("2s", "2s"), ("#1", "#1")]],
            ),
            ("a = '''x \"\\\"\\u{e4}\\n\" y'''", &[&[("x", "x"), ("\"ä\n", "\"\\\"\\u{e4}\\n\""), ("y", "y")]]),
            ("a = \"x\\ty\\nz\\u00e4\\\\\"", &[&[("x", "x"), ("y", "y")], &[("zä\\", "z\\u00e4\\\\")]]),
            ("a = '1s ä'", &[&[("1s", "1s"), ("ä", "ä")]]),
            ("a = \"\"\"x \\\n\n   y\"\"\"", &[&[("x", "x"), ("y", "y")]]),
            ("a = \"\"\"\r\nx y\r\nz\r\n\"\"\"", &[&[("x", "x"), ("y", "y")], &[("z", "z")]]),
            ("a = \"\"\"x \"\" y\"\"\"", &[&[("x", "x"), ("", "\"\""), ("y", "y")]]),
        ];
        for (file, expected) in cases {
            let expected: Vec<Vec<(String, &str)>> = expected
                .iter()
                .map(|line| line.iter().map(|(text, written)| ((*text).to_owned(), *written)).collect())
                .collect();
            assert_eq!(words(file).unwrap(), expected, "{file}");
        }
    }

    #[test]
    fn bad_quotes_are_reported_where_they_are() {
        for (file, expected) in [
            (
                "a = '''x \"y\nz'''",
                "f:1:10: a quote that is never closed; expected a closing quote on the same line (INPUT-4)",
            ),
            ("a = '''x\"y\" z'''", "f:1:9: a quote inside a word; expected white space before a quote (INPUT-4)"),
            (
                "a = '''\"y\"z'''",
                "f:1:11: a word right after a quote; expected white space after a quoted text (INPUT-4)",
            ),
            (
                "a = '''x\n \"\\q\"'''",
                "f:2:3: not an escape; expected \\\" \\\\ \\n \\r \\t or \\u{…} with up to six hexadecimal digits (INPUT-4)",
            ),
        ] {
            assert_eq!(words(file).unwrap_err(), expected);
        }
    }

    #[test]
    fn patterns_are_read() {
        assert_eq!(range_of("phone-{1..12}"), Ok(Some((1, 12))));
        assert_eq!(range_of("phone-1"), Ok(None));
        assert_eq!(range_of("user-{}"), Ok(None));
        assert_eq!(with_index("a{1..9}-{}-{%3}", 4), Ok("a4-4-1".to_owned()));
        assert_eq!(with_index("{%3}", 3), Ok("3".to_owned()));
        for (bad, message) in [
            ("a{", "a brace that is never closed"),
            ("a}", "a brace that was never opened"),
            ("a{x}", "`{x}` is no pattern"),
            ("a{2..1}", "`{2..1}` is no pattern"),
            ("a{1..2000000}", "`{1..2000000}` is no pattern"),
            ("a{%0}", "`{%0}` is no pattern"),
            ("{1..2}{1..2}", "two ranges in one word"),
        ] {
            assert_eq!(range_of(bad), Err(message.to_owned()), "{bad}");
        }
    }

    #[test]
    fn in_quotes_only_indices_are_patterns() {
        assert_eq!(quoted_with_index("{} {%2} {x} {1..2} {", 3), "3 1 {x} {1..2} {");
    }

    proptest! {
        #![proptest_config(crate::scenario::fixed_seed::cases(256))]

        #[test]
        fn a_quoted_word_is_read_back(text in any::<String>()) {
            let file = format!("a = '''x {} y'''", print_quoted(&text).replace("'''", "''"));
            let text = text.replace("'''", "''");
            prop_assume!(!file.contains('\r'));
            let lines = words(&file).unwrap();
            prop_assert_eq!(&lines[0][1].0, &text);
        }

        #[test]
        fn strings_are_decoded_as_the_toml_parser_does(text in "([a-z \"'äß\u{1F600}\n\t]|\\\\[btnfre\"\\\\]|\\\\u00e4|\\\\U0001F600|\\\\x41){0,20}") {
            for file in [format!("a = \"\"\"{text}\"\"\""), format!("a = '''{text}'''"), format!("a = \"{text}\"")] {
                let Ok(document) = toml_edit::Document::parse(file.as_str()) else { continue };
                let Some(expected) = document.as_table()["a"].as_str() else { continue };
                let span = document.as_table()["a"].span().unwrap();
                let letters: String = decode(&file, span).iter().map(|letter| letter.value).collect();
                prop_assert_eq!(letters, expected);
            }
        }
    }
}
