//! What a rule gives a field of ours: a fixed value, or a text in which fields of the log's line are filled in.

use serde_json::Value;

use super::convert::text_of;
use super::pattern::{Part, parts};
use super::row::Row;

/// A value with fields in it.
#[derive(Clone, Debug)]
pub(super) enum Template {
    /// This, whatever the line says.
    Fixed(Value),
    /// One field of the line, as it is.
    Field { name: String, may_lack: bool },
    /// A text with several parts.
    Parts(Vec<Part>),
}

impl Template {
    /// Reads one. Otherwise, what is wrong with it.
    pub(super) fn read(value: Value) -> Result<Template, String> {
        let Value::String(text) = &value else { return Ok(Template::Fixed(value)) };
        let mut parts = parts(text)?;
        Ok(match parts.as_mut_slice() {
            [] | [Part::Letters(_)] => Template::Fixed(value),
            [Part::Field { name, may_lack }] => Template::Field { name: std::mem::take(name), may_lack: *may_lack },
            _ => Template::Parts(parts),
        })
    }

    /// Its value for a line; none where the line lacks a field that it may lack. Otherwise, the field that is missing.
    pub(super) fn fill(&self, row: &Row<'_>) -> Result<Option<Value>, &str> {
        match self {
            Template::Fixed(value) => Ok(Some(value.clone())),
            Template::Field { name, may_lack } => match row.get(name) {
                Some(value) => Ok(Some(value.into_owned())),
                None if *may_lack => Ok(None),
                None => Err(name),
            },
            Template::Parts(parts) => {
                let mut text = String::new();
                for part in parts {
                    match part {
                        Part::Letters(letters) => text.push_str(letters),
                        Part::Field { name, may_lack } => match row.get(name) {
                            Some(value) => text.push_str(&text_of(&value)),
                            None if *may_lack => return Ok(None),
                            None => return Err(name),
                        },
                    }
                }
                Ok(Some(Value::String(text)))
            }
        }
    }
}
