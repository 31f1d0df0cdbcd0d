//! A rule of a map: which lines it is about, and what becomes of them.

use serde_json::Value;

use super::convert::text_of;
use super::pattern::Pattern;
use super::row::Row;
use super::template::Template;

/// Lines that have all of these fields, and what becomes of them.
#[derive(Debug)]
pub(super) struct Rule {
    /// In which line of the map it is written.
    pub(super) line: u64,
    pub(super) when: Vec<Condition>,
    /// The lines of the history; none where they are dropped.
    pub(super) emit: Vec<Emit>,
}

/// What a line has to have.
#[derive(Debug)]
pub(super) struct Condition {
    /// In this field of the log
    pub(super) path: String,
    /// this.
    pub(super) wanted: Wanted,
}

/// What a field has to be.
#[derive(Debug)]
pub(super) enum Wanted {
    /// There.
    Present,
    /// This, as a text.
    Equal(String),
    /// A text of this form, of which the rule takes the parts.
    Fits(Pattern),
}

/// One line of the history.
#[derive(Debug)]
pub(super) struct Emit {
    /// Our fields, as the rule gives them.
    pub(super) fields: Vec<(&'static str, Template)>,
    /// Our fields that the rule leaves to the map, and the log's fields of which they are made.
    pub(super) added: Vec<(&'static str, String)>,
}

impl Rule {
    /// Whether it is about this line. What its patterns find is among the line's fields then.
    pub(super) fn matches<'a>(&'a self, row: &mut Row<'a>) -> bool {
        row.captured.clear();
        let mut captured = Vec::new();
        let matches = self.when.iter().all(|condition| {
            let Some(value) = row.get(&condition.path) else { return false };
            match &condition.wanted {
                Wanted::Present => true,
                Wanted::Equal(text) => text_of(&value) == *text,
                Wanted::Fits(pattern) => match pattern.fit(&text_of(&value)) {
                    Some(found) => {
                        captured.extend(found.into_iter().map(|(name, _, value)| (name, Value::from(value))));
                        true
                    }
                    None => false,
                },
            }
        });
        if matches {
            row.captured = captured;
        }
        matches
    }
}
