//! One line of a log: its fields, by name, and where in the line each stands.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::pattern::Pattern;
use crate::history::mistake::said;
use crate::history::mistake::{Wrong, place_of};

/// How the lines of a log are written.
#[derive(Debug)]
pub(super) enum Format {
    /// A JSON object.
    Json,
    /// `name=value`, with quotes around a value that has spaces.
    Logfmt,
    /// A text of this form.
    Text(Pattern),
}

/// A line's fields.
#[derive(Debug)]
pub(super) struct Row<'a> {
    line: &'a str,
    fields: Fields<'a>,
    /// Those that the rule's patterns have found within others.
    pub(super) captured: Vec<(&'a str, Value)>,
}

#[derive(Debug)]
enum Fields<'a> {
    Json(Map<String, Value>),
    /// Name, value, and at which byte the value begins.
    Pairs(Vec<(&'a str, Value, usize)>),
}

impl Format {
    /// Reads a line; none where it is a text of another form.
    pub(super) fn read<'a>(&'a self, line: &'a str) -> Result<Option<Row<'a>>, Wrong> {
        let fields = match self {
            Format::Json => match serde_json::from_str(line) {
                Ok(map) => Fields::Json(map),
                Err(error) => {
                    let text = format!("the line is no JSON object: {}", said(&error));
                    return Err(Wrong::at(error.column(), text));
                }
            },
            Format::Logfmt => Fields::Pairs(logfmt(line)?),
            Format::Text(pattern) => match pattern.fit(line) {
                Some(found) => {
                    Fields::Pairs(found.into_iter().map(|(name, at, value)| (name, Value::from(value), at)).collect())
                }
                None => return Ok(None),
            },
        };
        Ok(Some(Row { line, fields, captured: Vec::new() }))
    }
}

impl Row<'_> {
    /// A field's value, if there is one: what is null is not there.
    pub(super) fn get(&self, path: &str) -> Option<Cow<'_, Value>> {
        let captured = self.captured.iter().find(|(name, _)| *name == path).map(|(_, value)| value);
        let value = captured.or_else(|| match &self.fields {
            Fields::Json(map) => nested(map, path),
            Fields::Pairs(pairs) => pairs.iter().find(|(name, ..)| *name == path).map(|(_, value, _)| value),
        });
        value.filter(|value| !value.is_null()).map(Cow::Borrowed)
    }

    /// At which byte of the line the value of a field begins, counted from 1; of a nested one, that of the outermost.
    pub(super) fn column(&self, path: &str) -> usize {
        match &self.fields {
            Fields::Json(map) => {
                let outer = if map.contains_key(path) { path } else { path.split('.').next().unwrap_or(path) };
                place_of(self.line, outer).map_or(1, |(_, value)| value + 1)
            }
            Fields::Pairs(pairs) => pairs.iter().find(|(name, ..)| *name == path).map_or(1, |(_, _, at)| at + 1),
        }
    }
}

/// A field by a path with dots between names, each of which may have dots of its own.
fn nested<'m>(map: &'m Map<String, Value>, path: &str) -> Option<&'m Value> {
    map.get(path).or_else(|| {
        path.match_indices('.').find_map(|(dot, _)| nested(map.get(&path[..dot])?.as_object()?, &path[dot + 1..]))
    })
}

/// The pairs of a line; a name alone is true.
fn logfmt(line: &str) -> Result<Vec<(&str, Value, usize)>, Wrong> {
    let mut pairs = Vec::new();
    let mut at = 0;
    loop {
        at += line[at..].len() - line[at..].trim_start().len();
        let rest = &line[at..];
        if rest.is_empty() {
            return Ok(pairs);
        }
        let name = &rest[..rest.find(|letter: char| letter == '=' || letter.is_whitespace()).unwrap_or(rest.len())];
        if name.is_empty() {
            return Err(Wrong::at(at + 1, "a `=` without a name before it"));
        }
        let start = at + name.len() + 1;
        if !rest[name.len()..].starts_with('=') {
            pairs.push((name, Value::Bool(true), at));
            at += name.len();
        } else if line[start..].starts_with('"') {
            let (text, length) =
                quoted(&line[start..]).ok_or_else(|| Wrong::at(start + 1, "a `\"` that nothing ends"))?;
            pairs.push((name, Value::String(text), start));
            at = start + length;
        } else {
            let length = line[start..].find(char::is_whitespace).unwrap_or(line.len() - start);
            pairs.push((name, Value::from(&line[start..start + length]), start));
            at = start + length;
        }
    }
}

/// A text in quotes, and how many bytes it takes with them.
fn quoted(line: &str) -> Option<(String, usize)> {
    let mut text = String::new();
    let mut letters = line.char_indices().skip(1);
    while let Some((index, letter)) = letters.next() {
        match letter {
            '"' => return Some((text, index + 1)),
            '\\' => text.push(match letters.next()?.1 {
                'n' => '\n',
                't' => '\t',
                other => other,
            }),
            other => text.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_of_json_are_found_by_their_path_whether_a_name_has_dots_or_not() {
        let row = Format::Json.read(r#"{"a":{"b.c":1},"a.d":2,"n":null}"#).unwrap().unwrap();
        assert_eq!(row.get("a.b.c").as_deref(), Some(&json!(1)));
        assert_eq!(row.get("a.d").as_deref(), Some(&json!(2)));
        assert_eq!((row.get("n"), row.get("a.b"), row.get("x.y")), (None, None, None));
        assert_eq!((row.column("a.b.c"), row.column("a.d")), (6, 22));
    }

    #[test]
    fn pairs_have_quotes_escapes_and_names_alone() {
        let row = Format::Logfmt.read(r#"ts=1.5 msg="say \"hi\" = x" retry uid="#).unwrap().unwrap();
        let value = |name| row.get(name).map(Cow::into_owned);
        assert_eq!(value("ts"), Some(json!("1.5")));
        assert_eq!(value("msg"), Some(json!("say \"hi\" = x")));
        assert_eq!(value("retry"), Some(json!(true)));
        assert_eq!(value("uid"), Some(json!("")));
        assert_eq!(row.column("msg"), 12);
    }

    #[test]
    fn a_line_that_cannot_be_read_says_where() {
        for (format, line, column, why) in [
            (Format::Logfmt, "ts=1 msg=\"a", 10, "a `\"` that nothing ends"),
            (Format::Logfmt, "ts=1 =a", 6, "a `=` without a name before it"),
            (Format::Json, "[1]", 1, "the line is no JSON object: invalid type: sequence, expected a map"),
            (Format::Json, "{\"a\":}", 6, "the line is no JSON object: expected value"),
        ] {
            let wrong = format.read(line).unwrap_err();
            assert_eq!((wrong.column(line), wrong.text.as_str()), (column, why));
        }
    }
}
