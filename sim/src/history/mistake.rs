//! What is wrong with a history as a text: where, and what should stand there.

use std::fmt;

/// A mistake in a history, at its place.
///
/// ```
/// use gatecrash_sim::history::Mistake;
///
/// let mistake = Mistake { file: "a.jsonl".into(), line: 3, column: 17, text: "no such field".into() };
/// assert_eq!(mistake.to_string(), "a.jsonl:3:17: no such field");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// In which file.
    pub file: String,
    /// In which line, counted from 1.
    pub line: u64,
    /// At which byte of the line, counted from 1.
    pub column: usize,
    /// What is wrong, and what would be right.
    pub text: String,
}

impl Mistake {
    /// One at a byte of a text.
    pub(crate) fn at(file: &str, text: &str, byte: usize, what: impl Into<String>) -> Mistake {
        let (line, column) = place_of_byte(text, byte);
        Mistake { file: file.to_owned(), line, column, text: what.into() }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.text)
    }
}

/// In which line a byte of a text is, and at which byte of that, both counted from 1.
pub(crate) fn place_of_byte(text: &str, byte: usize) -> (u64, usize) {
    let before = &text.as_bytes()[..byte.min(text.len())];
    let line = before.iter().filter(|&&byte| byte == b'\n').count() as u64 + 1;
    let start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |newline| newline + 1);
    (line, before.len() - start + 1)
}

/// A mistake of a line: about one of its fields, or about all of it.
#[derive(Clone, Debug)]
pub(crate) struct Wrong {
    pub(crate) place: Place,
    pub(crate) text: String,
}

/// Where in its line a mistake is.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    /// The whole line.
    Line,
    /// The value of a field.
    Value(&'static str),
    /// The name of a field.
    Key(String),
    /// This byte, counted from 1.
    Column(usize),
}

impl Wrong {
    pub(crate) fn line(text: impl Into<String>) -> Wrong {
        Wrong { place: Place::Line, text: text.into() }
    }

    pub(crate) fn value(field: &'static str, text: impl Into<String>) -> Wrong {
        Wrong { place: Place::Value(field), text: text.into() }
    }

    pub(crate) fn at(column: usize, text: impl Into<String>) -> Wrong {
        Wrong { place: Place::Column(column), text: text.into() }
    }

    pub(super) fn key(field: &str, text: impl Into<String>) -> Wrong {
        Wrong { place: Place::Key(field.to_owned()), text: text.into() }
    }

    /// At which byte of its line, counted from 1.
    pub(super) fn column(&self, line: &str) -> usize {
        match &self.place {
            Place::Line => 1,
            Place::Column(column) => (*column).max(1),
            Place::Key(field) => place_of(line, field).map_or(1, |(key, _)| key + 1),
            Place::Value(field) => place_of(line, field).map_or(1, |(_, value)| value + 1),
        }
    }
}

/// What JSON's reader has to say, without the place, which is told apart.
pub(super) fn said(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or_default().to_owned()
}

/// Where a field of an object in one line begins, and where its value does. Looks at the object's own fields alone.
pub(super) fn place_of(line: &str, field: &str) -> Option<(usize, usize)> {
    let bytes = line.as_bytes();
    let (mut depth, mut index) = (0_u32, 0);
    while index < bytes.len() {
        match bytes[index] {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => {
                let end = end_of_text(bytes, index)?;
                let after = skip_space(bytes, end);
                let is_key = depth == 1 && bytes.get(after) == Some(&b':');
                if is_key && line.get(index + 1..end - 1) == Some(field) {
                    return Some((index, skip_space(bytes, after + 1)));
                }
                index = end;
                continue;
            }
            _ => {}
        }
        index += 1;
    }
    None
}

fn end_of_text(bytes: &[u8], start: usize) -> Option<usize> {
    let mut index = start + 1;
    loop {
        match bytes.get(index)? {
            b'\\' => index += 2,
            b'"' => return Some(index + 1),
            _ => index += 1,
        }
    }
}

fn skip_space(bytes: &[u8], mut index: usize) -> usize {
    while bytes.get(index).is_some_and(u8::is_ascii_whitespace) {
        index += 1;
    }
    index
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_found_where_it_stands_and_not_within_another() {
        let line = r#"{"a":"b\":", "list":[{"b":1}], "b" : 7}"#;
        assert_eq!(Wrong::key("b", "").column(line), line.rfind("\"b\"").unwrap() + 1);
        assert_eq!(Wrong::value("b", "").column(line), line.rfind('7').unwrap() + 1);
        assert_eq!(Wrong::value("c", "").column(line), 1);
    }
}
