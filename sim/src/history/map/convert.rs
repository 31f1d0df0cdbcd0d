//! Values of a log as our fields have them: texts, numbers, true or false.
//!
//! What cannot be one is left as it is: the reader of histories has the exact word for it.

use std::borrow::Cow;

use serde_json::Value;

use crate::history::raw::TEXTS;

/// Fields that tell calls and messages apart: a number or a text.
const KEYS: [&str; 3] = ["call", "message", "id"];

/// Fields that are true or false.
const TRUTHS: [&str; 2] = ["sampled", "settled"];

/// A value as a text, as two values are compared and as it stands within a longer text.
pub(super) fn text_of(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        other => Cow::Owned(other.to_string()),
    }
}

/// A value of the log as this field of ours has it.
pub(super) fn fitting(field: &str, value: Value) -> Value {
    if TEXTS.contains(&field) || field == "login_user" {
        return match value {
            Value::Number(_) | Value::Bool(_) => Value::String(value.to_string()),
            _ => value,
        };
    }
    if TRUTHS.contains(&field) {
        return match value.as_str() {
            Some("true") => Value::Bool(true),
            Some("false") => Value::Bool(false),
            _ => value,
        };
    }
    let is_key = KEYS.contains(&field);
    match &value {
        // What is told apart by a number is the same whether or not there are quotes around it.
        Value::String(text) => match number(text).filter(|&number| !is_key || number >> 63 == 0) {
            Some(number) => Value::from(number),
            None => value,
        },
        Value::Number(number) if is_key && number.as_i64().is_none_or(|number| number < 0) => {
            Value::String(value.to_string())
        }
        _ => value,
    }
}

/// The number that is written so and in no other way.
fn number(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number: &u64| number.to_string() == text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_becomes_what_its_field_has() {
        for (field, theirs, ours) in [
            ("user", json!(42), json!("42")),
            ("call", json!("42"), json!(42)),
            ("call", json!("042"), json!("042")),
            ("call", json!(-1), json!("-1")),
            ("call", json!("18446744073709551615"), json!("18446744073709551615")),
            ("call", json!(18_446_744_073_709_551_615_u64), json!("18446744073709551615")),
            ("code", json!("70001"), json!(70001)),
            ("code", json!("E7"), json!("E7")),
            ("sampled", json!("true"), json!(true)),
            ("settled", json!("yes"), json!("yes")),
        ] {
            assert_eq!(fitting(field, theirs.clone()), ours, "{field} {theirs}");
        }
    }
}
