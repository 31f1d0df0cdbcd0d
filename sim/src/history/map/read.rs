//! The text of a map into a map, and every mistake in it.
//!
//! Reads all but the rules, which `rules` reads.

mod rules;

use std::collections::BTreeMap;

use serde_json::Value;
use toml_edit::Document;

use super::Map;
use super::pattern::Pattern;
use super::row::Format;
use super::time::Unit;
use super::tree::{Entry, Tree};
use super::unmapped::Kinds;
use crate::history::VERSION;
use crate::history::head::{Head, hint};
use crate::history::mistake::{Mistake, Place, Wrong};
use crate::history::raw::FIELDS;
use crate::scenario::nearest;

impl Map {
    /// Reads the text of a map; mistakes call it `file`.
    ///
    /// # Errors
    ///
    /// All that is wrong with it, in the order of the text.
    pub fn read(text: &str, file: &str) -> Result<Map, Vec<Mistake>> {
        let mut reader = Reader { file, text, mistakes: Vec::new(), fields_known: true };
        let map = reader.map();
        reader.mistakes.sort_by_key(|mistake| (mistake.line, mistake.column));
        match map {
            Some(map) if reader.mistakes.is_empty() => Ok(map),
            _ => Err(reader.mistakes),
        }
    }
}

struct Reader<'t> {
    file: &'t str,
    text: &'t str,
    mistakes: Vec<Mistake>,
    /// Whether every field of ours that `[fields]` names is one.
    fields_known: bool,
}

/// Of which fields of the log something is made.
#[derive(Default)]
struct Fields {
    at: Option<String>,
    until: Option<String>,
    ours: Vec<(&'static str, String)>,
}

/// Fields that are made by the map itself: when something happened.
const TIMES: [&str; 3] = ["at_us", "until_us", "number"];

impl Reader<'_> {
    fn wrong(&mut self, at: usize, text: impl Into<String>) {
        self.mistakes.push(Mistake::at(self.file, self.text, at, text));
    }

    fn map(&mut self) -> Option<Map> {
        let document = match Document::parse(self.text) {
            Ok(document) => document,
            Err(error) => {
                self.wrong(error.span().map_or(0, |span| span.start), error.message().trim());
                return None;
            }
        };
        let tree = Tree::of_table(document.as_table(), 0);
        let keys = ["format", "pattern", "head", "fields", "time", "values", "codes", "event"];
        self.known(&tree, "a map", &keys);
        let format = self.format(&tree);
        let (head, settled) = self.head(&tree);
        let unit = self.unit(&tree);
        if let (Some(head), Some(unit)) = (&head, unit)
            && head.wall.is_some()
            && unit.is_wall()
        {
            let at = tree.get("head").and_then(|head| head.value.get("wall_us")).map_or(0, |entry| entry.key_at);
            self.wrong(at, "`wall_us` is made of the log's instants, which are those of a wall clock");
        }
        let Fields { at, until, ours } = self.fields(&tree);
        let values = self.values(&tree);
        let rules = self.rules(&tree, &ours);
        Some(Map {
            file: self.file.to_owned(),
            head: head?,
            settled,
            format: format?,
            unit: unit?,
            at: at?,
            until,
            values,
            rules,
            start: 0,
            latest: None,
            dropped: 0,
            kinds: Kinds::default(),
        })
    }

    /// Tells keys that a table does not have.
    fn known(&mut self, tree: &Tree, name: &str, keys: &[&str]) {
        tree.unknown(name, keys).for_each(|(at, what)| self.wrong(at, what));
    }

    fn text<'d>(&mut self, entry: &'d Entry) -> Option<&'d str> {
        let text = entry.value.text();
        if text.is_none() {
            self.wrong(entry.value.at, format!("`{}` has to be a text", entry.key));
        }
        text
    }

    fn table<'d>(&mut self, tree: &'d Tree, key: &str) -> &'d [Entry] {
        let Some(entry) = tree.get(key) else { return &[] };
        entry.value.entries().unwrap_or_else(|| {
            self.wrong(entry.value.at, format!("`{key}` has to be a table"));
            &[]
        })
    }

    fn format(&mut self, tree: &Tree) -> Option<Format> {
        const WORDS: [&str; 3] = ["json", "logfmt", "text"];
        let Some(entry) = tree.get("format") else {
            self.wrong(0, "the map does not say how lines are written: `format` is json, logfmt or text");
            return None;
        };
        let word = self.text(entry)?;
        let pattern = tree.get("pattern");
        match (word, pattern) {
            ("text", Some(pattern)) => {
                let text = self.text(pattern)?;
                return match Pattern::read(text) {
                    Ok(pattern) => Some(Format::Text(pattern)),
                    Err(why) => {
                        self.wrong(pattern.value.at, why);
                        None
                    }
                };
            }
            ("text", None) => {
                self.wrong(entry.value.at, "a text has a `pattern` such as \"{ts} {level} {message}\"");
                return None;
            }
            ("json" | "logfmt", Some(pattern)) => {
                self.wrong(pattern.key_at, format!("only lines of the format text have a `pattern`, and not {word}"));
            }
            _ => {}
        }
        match word {
            "json" => Some(Format::Json),
            "logfmt" => Some(Format::Logfmt),
            _ => {
                let meant = hint(nearest(word, WORDS));
                self.wrong(entry.value.at, format!("`format` is json, logfmt or text, and not `{word}`{meant}"));
                None
            }
        }
    }

    fn head(&mut self, tree: &Tree) -> (Option<Head>, bool) {
        let Some(head) = tree.get("head") else {
            self.wrong(0, "the map does not say what the log holds: `[head]` has `system`, `observes` and what the system promises");
            return (None, false);
        };
        let Value::Object(mut fields) = head.value.json() else {
            self.wrong(head.value.at, "`head` has to be a table");
            return (None, false);
        };
        let settled = fields.remove("settled").unwrap_or(Value::Bool(false));
        if let (None, Some(entry)) = (settled.as_bool(), head.value.get("settled")) {
            self.wrong(entry.value.at, "`settled` has to be true or false");
        }
        fields.entry("history").or_insert_with(|| VERSION.into());
        match Head::read(&Value::Object(fields).to_string()) {
            Ok(read) => (Some(read), settled == Value::Bool(true)),
            Err(wrong) => {
                for wrong in wrong {
                    // It is read as the first line of a history, and here it is a table.
                    let text = wrong.text.replace("the first line", "`[head]`");
                    self.wrong(place_in(&head.value, &wrong), text);
                }
                (None, false)
            }
        }
    }

    fn unit(&mut self, tree: &Tree) -> Option<Unit> {
        let words = Unit::WORDS.join(", ");
        self.table(tree, "time");
        let time = tree.get("time").map(|entry| &entry.value);
        let Some(entry) = time.and_then(|time| time.get("unit")) else {
            self.wrong(
                time.map_or(0, |time| time.at),
                format!("the map does not say how instants are written: `unit` of `[time]` is one of {words}"),
            );
            return None;
        };
        self.known(time?, "`[time]`", &["unit"]);
        let word = self.text(entry)?;
        let unit = Unit::of(word);
        if unit.is_none() {
            let meant = hint(nearest(word, Unit::WORDS));
            self.wrong(entry.value.at, format!("there is no unit `{word}`{meant}; there are {words}"));
        }
        unit
    }

    /// Of which fields of the log instants and our fields are made.
    fn fields(&mut self, tree: &Tree) -> Fields {
        let mut fields = Fields::default();
        for entry in self.table(tree, "fields") {
            let Some(path) = self.text(entry) else { continue };
            if path.contains(['{', '}']) {
                self.wrong(
                    entry.value.at,
                    format!("a field of the log stands here without braces, and not as `{path}`"),
                );
            }
            match entry.key.as_str() {
                "at" => fields.at = Some(path.to_owned()),
                "until" => fields.until = Some(path.to_owned()),
                key => match self.ours(key, entry.key_at) {
                    Some(field) => fields.ours.push((field, path.to_owned())),
                    None => self.fields_known = false,
                },
            }
        }
        if tree.get("fields").and_then(|fields| fields.value.get("at")).is_none() {
            let place = tree.get("fields").map_or(0, |fields| fields.value.at);
            self.wrong(place, "the map does not say which field is the instant: `[fields]` lacks `at`");
        }
        fields
    }

    /// A field that lines of histories have.
    fn ours(&mut self, key: &str, at: usize) -> Option<&'static str> {
        let valid = FIELDS.iter().copied().filter(|field| !TIMES.contains(field) && *field != "what");
        let found = valid.clone().find(|field| *field == key);
        if found.is_none() {
            let meant = hint(nearest(key, valid.chain(["at", "until"])));
            self.wrong(at, format!("no line of a history has a field `{key}`{meant}"));
        }
        found
    }

    fn values(&mut self, tree: &Tree) -> BTreeMap<&'static str, BTreeMap<String, Value>> {
        let mut values: BTreeMap<&'static str, BTreeMap<String, Value>> = BTreeMap::new();
        for entry in self.table(tree, "values") {
            let Some(field) = self.ours(&entry.key, entry.key_at) else { continue };
            let Some(entries) = entry.value.entries() else {
                self.wrong(entry.value.at, format!("`values.{}` has to be a table: their value, and ours", entry.key));
                continue;
            };
            values.entry(field).or_default().extend(entries.iter().map(|pair| (pair.key.clone(), pair.value.json())));
        }
        for pair in self.table(tree, "codes") {
            let code = pair.value.json();
            if code.as_u64().is_none_or(|code| u32::try_from(code).is_err()) {
                self.wrong(
                    pair.value.at,
                    format!("the code for {} has to be a number from 0 to {}", pair.key, u32::MAX),
                );
            }
            values.entry("code").or_default().insert(pair.key.clone(), code);
        }
        values
    }
}

/// Where in a table a mistake of the line that was made of it is.
fn place_in(tree: &Tree, wrong: &Wrong) -> usize {
    let entry = |key: &str| tree.get(key);
    match &wrong.place {
        Place::Line | Place::Column(_) => tree.at,
        Place::Key(key) => entry(key).map_or(tree.at, |entry| entry.key_at),
        Place::Value(key) => entry(key).map_or(tree.at, |entry| entry.value.at),
    }
}
