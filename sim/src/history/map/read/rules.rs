//! The rules of a map.
//!
//! What a rule makes is tried on the reader of histories, so that a word which no line can have is found before there is
//! a line.

use gatecrash::client::Status;
use gatecrash::protocol::{KickReason, Presence};
use serde_json::{Map as Object, Value, json};

use super::{Reader, TIMES, place_in};
use crate::history::map::convert::{fitting, text_of};
use crate::history::map::pattern::Pattern;
use crate::history::map::rule::{Condition, Emit, Rule, Wanted};
use crate::history::map::template::Template;
use crate::history::map::tree::Tree;
use crate::history::mistake::place_of_byte;
use crate::history::raw::FIELDS;
use crate::history::read::{check, has_field};

impl Reader<'_> {
    pub(super) fn rules(&mut self, tree: &Tree, fields: &[(&'static str, String)]) -> Vec<Rule> {
        let Some(list) = tree.get("event").and_then(|entry| entry.value.list()) else {
            let at = tree.get("event").map_or(0, |entry| entry.value.at);
            self.wrong(at, "the map has no rules: each is an `[[event]]` with `when`, and `emit` or `drop`");
            return Vec::new();
        };
        list.iter().map(|rule| self.rule(rule, fields)).collect()
    }

    fn rule(&mut self, tree: &Tree, fields: &[(&'static str, String)]) -> Rule {
        self.known(tree, "an `[[event]]`", &["when", "emit", "drop"]);
        let mut when = Vec::new();
        for entry in self.table(tree, "when") {
            let wanted = match entry.value.json() {
                Value::String(text) if text == "*" => Ok(Wanted::Present),
                Value::String(text) if text.contains(['{', '}']) => Pattern::read(&text).map(Wanted::Fits),
                Value::Array(_) | Value::Object(_) => {
                    Err(format!("`{}` has to be a text, a number, true or false", entry.key))
                }
                value => Ok(Wanted::Equal(text_of(&value).into_owned())),
            };
            match wanted {
                Ok(wanted) => when.push(Condition { path: entry.key.clone(), wanted }),
                Err(why) => self.wrong(entry.value.at, why),
            }
        }
        if tree.get("when").is_none() {
            self.wrong(
                tree.at,
                "the rule does not say which lines it is about: `when` is a table of fields and their values",
            );
        }
        let drop = tree.get("drop");
        if let Some(drop) = drop.filter(|drop| drop.value.json() != Value::Bool(true)) {
            self.wrong(drop.value.at, "`drop` has to be true, where it is");
        }
        let emit = match (tree.get("emit"), drop) {
            (Some(_), Some(drop)) => {
                self.wrong(drop.key_at, "a line is dropped, or something is emitted: not both");
                Vec::new()
            }
            (None, None) => {
                self.wrong(tree.at, "the rule does not say what becomes of a line: it lacks `emit` or `drop = true`");
                Vec::new()
            }
            (None, Some(_)) => Vec::new(),
            (Some(entry), None) => match entry.value.list() {
                Some(list) if !list.is_empty() => list.iter().map(|emit| self.emit(emit, fields)).collect(),
                _ => {
                    self.wrong(
                        entry.value.at,
                        "`emit` has to be a list of tables, at least one; `drop = true` emits nothing",
                    );
                    Vec::new()
                }
            },
        };
        Rule { line: place_of_byte(self.text, tree.at).0, when, emit }
    }

    fn emit(&mut self, tree: &Tree, from_map: &[(&'static str, String)]) -> Emit {
        let mut emit = Emit { fields: Vec::new(), added: Vec::new() };
        let Some(what) = tree.get("what").and_then(|entry| entry.value.text()) else {
            self.wrong(tree.at, "the line does not say `what` happened, in one word");
            return emit;
        };
        let mut is_known = true;
        for entry in tree.entries().unwrap_or_default() {
            if TIMES.contains(&entry.key.as_str()) {
                self.wrong(
                    entry.key_at,
                    format!("`{}` is made of the fields of `[fields]`, and not by a rule", entry.key),
                );
                is_known = false;
                continue;
            }
            let Some(field) = FIELDS.iter().copied().find(|field| *field == entry.key) else {
                is_known &= self.ours(&entry.key, entry.key_at).is_some();
                continue;
            };
            match Template::read(entry.value.json()) {
                Ok(template) => emit.fields.push((field, template)),
                Err(why) => {
                    self.wrong(entry.value.at, why);
                    is_known = false;
                }
            }
        }
        let is_given = |field: &str| emit.fields.iter().any(|(given, _)| *given == field);
        emit.added = from_map.iter().filter(|(field, _)| has_field(what, field) && !is_given(field)).cloned().collect();
        // A field that is wrong has been told, and may be the one that would be missing.
        if is_known
            && self.fields_known
            && let Err(wrong) = check(&sample(&emit))
        {
            let text = match wrong.text.as_str() {
                "" => format!("`{what}` is what only traces of our own worlds tell"),
                text => text.to_owned(),
            };
            self.wrong(place_in(tree, &wrong), text);
        }
        emit
    }
}

/// A line that could be made: what the log would fill in is something that may stand there.
fn sample(emit: &Emit) -> String {
    let is_given = |field: &str| emit.fields.iter().any(|(given, _)| *given == field);
    let filled = |field: &str| match field {
        "request" | "kind" => json!("logout"),
        "outcome" if is_given("code") => json!("failed"),
        "outcome" => json!("ok"),
        "status" => json!(Status::Logined.word()),
        "presence" => json!(Presence::Online.word()),
        "reason" => json!(KickReason::SamePlatform.word()),
        "event" => json!("connecting"),
        "process" | "link" => json!("up"),
        "sampled" | "settled" => json!(true),
        _ => fitting(field, json!(1)),
    };
    let mut line: Object<String, Value> = Object::new();
    for (field, template) in &emit.fields {
        let value = match template {
            Template::Fixed(value) => fitting(field, value.clone()),
            Template::Field { .. } | Template::Parts(_) => filled(field),
        };
        line.insert((*field).to_owned(), value);
    }
    line.extend(emit.added.iter().map(|(field, _)| ((*field).to_owned(), filled(field))));
    line.insert("at_us".to_owned(), json!(1));
    Value::Object(line).to_string()
}
