//! Lines of a log, one after the other, into lines of the history.

use serde_json::{Map as Object, Value};

use super::Map;
use super::convert::{fitting, text_of};
use super::row::Row;
use super::rule::{Emit, Rule, Wanted};
use crate::history::Head;
use crate::history::mistake::Wrong;

/// A line of the history whose instants are still those of the log.
#[derive(Debug)]
pub(crate) struct Made {
    /// When, in the log's microseconds.
    pub(crate) at: u64,
    until: Option<u64>,
    fields: Object<String, Value>,
}

impl Map {
    /// What becomes of a line: none, one or several of the history.
    pub(crate) fn turn(&mut self, file: &str, number: u64, line: &str) -> Result<Vec<Made>, Wrong> {
        if line.trim_ascii().is_empty() {
            return Ok(Vec::new());
        }
        let Some(mut row) = self.format.read(line)? else {
            self.kinds.count(Vec::new(), file, number, line);
            return Ok(Vec::new());
        };
        let rule = self.rules.iter().find(|rule| rule.matches(&mut row));
        let made = match rule {
            Some(rule) if !rule.emit.is_empty() => {
                let at = self.instant(&row, &self.at)?;
                let at =
                    at.ok_or_else(|| Wrong::line(format!("the line does not say when: it has no `{}`", self.at)))?;
                let until = self.until.as_ref().map(|until| self.instant(&row, until)).transpose()?.flatten();
                let emit = rule.emit.iter();
                emit.map(|emit| Ok(Made { at, until, fields: self.fields(rule, emit, &row)? }))
                    .collect::<Result<_, _>>()?
            }
            _ => Vec::new(),
        };
        // Also a line of which nothing becomes says how long the log goes on, if it says when.
        let named = self.unit.micros(row.get(&self.at).as_deref().unwrap_or(&Value::Null));
        self.latest = self.latest.max(named).max(made.iter().filter_map(|made| made.until).max());
        match rule {
            None => {
                let kind = self.kind(&row);
                self.kinds.count(kind, file, number, line);
            }
            Some(rule) => self.dropped += u64::from(rule.emit.is_empty()),
        }
        Ok(made)
    }

    /// Counts from the second of the earliest instant, where the log tells instants of a wall clock; from as much before
    /// as clocks may be apart. What there is to know of the system then.
    pub(crate) fn begin(&mut self, earliest: Option<u64>) -> Head {
        const SECOND: u64 = 1_000_000;
        if let Some(earliest) = earliest.filter(|_| self.unit.is_wall()) {
            let apart = self.head.skew.largest().saturating_mul(2);
            self.start = earliest.saturating_sub(apart) / SECOND * SECOND;
            self.head.wall = Some(self.start);
        }
        self.head.clone()
    }

    /// A line of the history as its reader takes it.
    pub(crate) fn line(&self, made: &Made) -> Result<String, Wrong> {
        let since = |instant: u64| {
            instant.checked_sub(self.start).ok_or_else(|| {
                Wrong::line(
                    "lines have to stand in the order of time: that is before the second of the log's first event",
                )
            })
        };
        let mut fields = made.fields.clone();
        fields.insert("at_us".to_owned(), since(made.at)?.into());
        if let Some(until) = made.until {
            fields.insert("until_us".to_owned(), since(until)?.into());
        }
        Ok(Value::Object(fields).to_string())
    }

    /// The last line of the history, where the map says that all had come to rest when the log ended.
    pub(crate) fn end(&self) -> Option<String> {
        let at = self.latest?.saturating_sub(self.start);
        self.settled.then(|| format!("{{\"at_us\":{at},\"what\":\"end\",\"settled\":true}}"))
    }

    fn instant(&self, row: &Row<'_>, path: &str) -> Result<Option<u64>, Wrong> {
        let Some(value) = row.get(path) else { return Ok(None) };
        let micros = self.unit.micros(&value).ok_or_else(|| {
            let text = format!("`{path}` has to be {}, and not `{}`", self.unit.said(), text_of(&value));
            Wrong::at(row.column(path), text)
        })?;
        Ok(Some(micros))
    }

    fn fields(&self, rule: &Rule, emit: &Emit, row: &Row<'_>) -> Result<Object<String, Value>, Wrong> {
        let mut fields = Object::new();
        for (field, template) in &emit.fields {
            let value = template.fill(row).map_err(|missing| {
                Wrong::line(format!(
                    "the line has no `{missing}`, of which the rule in line {} of {} makes `{field}`",
                    rule.line, self.file
                ))
            })?;
            if let Some(value) = value {
                fields.insert((*field).to_owned(), self.ours(field, value));
            }
        }
        for (field, path) in &emit.added {
            // Logs write an empty text for somebody who is not known yet.
            if let Some(value) = row.get(path).filter(|value| value.as_str() != Some("")) {
                fields.insert((*field).to_owned(), self.ours(field, value.into_owned()));
            }
        }
        Ok(fields)
    }

    fn ours(&self, field: &str, value: Value) -> Value {
        let ours = self.values.get(field).and_then(|values| values.get(&*text_of(&value)));
        fitting(field, ours.cloned().unwrap_or(value))
    }

    /// What tells a line that no rule matches from others: the fields at which rules look, and only whether they are there
    /// where no rule names their values.
    fn kind(&self, row: &Row<'_>) -> Vec<Option<String>> {
        let conditions = self.rules.iter().flat_map(|rule| &rule.when);
        let value = |condition: &super::rule::Condition| {
            let value = row.get(&condition.path)?;
            Some(match condition.wanted {
                Wanted::Equal(_) => text_of(&value).into_owned(),
                Wanted::Present | Wanted::Fits(_) => String::new(),
            })
        };
        conditions.map(value).collect()
    }
}
