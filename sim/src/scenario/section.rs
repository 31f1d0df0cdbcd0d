//! The TOML of a scenario file: its tables and entries, each with its place in the text.
//!
//! Knows no key and no value: `parse` does.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;

use toml_edit::{Document, Item, TableLike, Value};

use super::diagnose::{Mistake, Problems};

/// Parses as much of the text as is TOML. Lines that are not are blanked, so that places stay true.
pub(super) fn read_toml(text: &str, problems: &mut Problems<'_>) -> (String, Option<Document<String>>) {
    /// A file with more is hardly a scenario at all.
    const MISTAKES_MAX: usize = 50;
    let mut readable = text.to_owned();
    for _ in 0..MISTAKES_MAX {
        let error = match Document::parse(readable.clone()) {
            Ok(document) => return (readable, Some(document)),
            Err(error) => error,
        };
        let span = error.span().unwrap_or(0..0);
        let at = span.start.min(text.len())..span.end.min(text.len());
        let (message, expected) = match error.message().split_once(", expected ") {
            Some((message, expected)) => (message, expected),
            None if error.message() == "duplicate key" => ("a key that was there before", "each key once"),
            None => (error.message(), "well-formed TOML"),
        };
        problems.report(Mistake::new(at.clone(), message.trim(), expected));
        let line_start = readable[..at.start].rfind('\n').map_or(0, |newline| newline + 1);
        let line_end = readable[at.start..].find('\n').map_or(readable.len(), |length| at.start + length);
        let line = &readable[line_start..line_end];
        // Without its header a section's keys would be read as those of the section before; without its
        // end a text would take in the rest of the file.
        if line.trim().is_empty()
            || line.trim_start().starts_with('[')
            || at.start == text.len()
            || line.contains("\"\"\"")
        {
            break;
        }
        readable.replace_range(line_start..line_end, &" ".repeat(line.len()));
    }
    (readable, None)
}

/// The keys of the lines that are left out of what is read: the first word of each.
pub(super) fn lost_keys(text: &str, readable: &str) -> BTreeSet<String> {
    let lines = text.lines().zip(readable.lines());
    let lost = lines.filter(|(written, read)| written != read).map(|(written, _)| written);
    lost.filter_map(|line| line.split(['=', ' ', '\t']).find(|word| !word.is_empty()))
        .map(|key| key.trim_matches(['"', '\'']).rsplit('.').next().unwrap_or_default().to_owned())
        .collect()
}

/// A value in the file, with the dotted key it stands under.
pub(super) struct Entry<'d> {
    /// The whole key.
    pub(super) key: String,
    /// Its last part.
    pub(super) name: String,
    pub(super) item: Cow<'d, Item>,
    pub(super) key_at: Range<usize>,
    pub(super) at: Range<usize>,
}

/// A table in the file.
pub(super) struct Section<'d> {
    /// Its dotted key; empty for the root.
    pub(super) key: String,
    pub(super) table: &'d dyn TableLike,
    pub(super) at: Range<usize>,
}

impl<'d> Section<'d> {
    /// Every entry, in the order of the file.
    pub(super) fn entries(&self) -> Vec<Entry<'d>> {
        self.table.iter().filter_map(|(key, _)| self.entry(key)).collect()
    }

    /// The whole key of what stands here under `name`.
    pub(super) fn key_of(&self, name: &str) -> String {
        if self.key.is_empty() { name.to_owned() } else { format!("{}.{name}", self.key) }
    }

    pub(super) fn entry(&self, key: &str) -> Option<Entry<'d>> {
        let (written, item) = self.table.get_key_value(key)?;
        let name = key.to_owned();
        let key = self.key_of(key);
        let key_at = written.span().unwrap_or_else(|| self.at.clone());
        let at = item.span().unwrap_or_else(|| key_at.clone());
        Some(Entry { key, name, item: Cow::Borrowed(item), key_at, at })
    }
}

/// What a value is, for those who expected something else.
pub(super) fn kind_of(item: &Item) -> &'static str {
    match item {
        Item::None => "nothing",
        Item::Table(_) | Item::ArrayOfTables(_) | Item::Value(Value::InlineTable(_)) => "a table",
        Item::Value(Value::String(_)) => "a text",
        Item::Value(Value::Integer(_)) => "a whole number",
        Item::Value(Value::Float(_)) => "a number with a fraction",
        Item::Value(Value::Boolean(_)) => "true or false",
        Item::Value(Value::Datetime(_)) => "a date",
        Item::Value(Value::Array(_)) => "a list",
    }
}
