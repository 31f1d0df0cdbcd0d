//! A line of a history as people read it: who acts towards whom, and what happened.
//!
//! The words are those in which a run of ours is told. Every field stands there as the line has it; whether that is right
//! is judged elsewhere.

use serde_json::{Map, Value};

use super::raw::FIELDS;

/// The most letters of one field.
const LETTERS_MAX: usize = 120;

/// Fields that are told by other means: when, to whom, what.
const NOT_TOLD: [&str; 5] = ["at_us", "until_us", "actor", "number", "what"];

/// Who acts towards whom, and what happened, by a line about this actor; `call` is which call a result is of, where the line
/// does not say it.
pub(crate) fn told(actor: &str, line: &str, call: Option<&str>) -> (String, String) {
    let fields: Map<String, Value> = serde_json::from_str(line).unwrap_or_default();
    let text = |field: &str| fields.get(field).and_then(Value::as_str).unwrap_or_default();
    let (from_app, to_app) = (format!("{actor} <= app"), format!("{actor} => app"));
    let (who, mut what, said): (String, String, [&str; 2]) = match text("what") {
        "called" => (from_app, shown(text("request")), ["request", ""]),
        "answered" => {
            let of = [text("kind"), call.unwrap_or_default(), "call"].into_iter().find(|word| !word.is_empty());
            let what = format!("{} answered: {}", shown(of.unwrap_or_default()), shown(text("outcome")));
            (to_app, what, ["kind", "outcome"])
        }
        "told" => (to_app, shown(text("event")), ["event", ""]),
        "uninit_returned" => (to_app, "uninit returned".to_owned(), ["", ""]),
        word @ ("status" | "process" | "link" | "effect") => {
            (actor.to_owned(), format!("{word} {}", shown(text(word))), [word, ""])
        }
        word => (actor.to_owned(), shown(&word.replace('_', " ")), ["", ""]),
    };
    for field in FIELDS.iter().filter(|field| !NOT_TOLD.contains(field) && !said.contains(field)) {
        match fields.get(*field) {
            None | Some(Value::Null) => {}
            Some(Value::String(value)) => what.push_str(&format!(" {field}={}", shown(value))),
            Some(value) => what.push_str(&format!(" {field}={}", shortened(&value.to_string()))),
        }
    }
    (who, what)
}

/// A text as it is where it is one word, and else between quotes.
fn shown(text: &str) -> String {
    let is_word = |letter: char| letter.is_alphanumeric() || "-_.:/@+# ".contains(letter);
    match text.chars().all(is_word) && !text.contains("  ") && (text.is_empty() || text.trim() == text) {
        true => shortened(text),
        false => shortened(&Value::from(text).to_string()),
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(LETTERS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::told;

    #[track_caller]
    fn assert_told(line: &str, who: &str, what: &str) {
        assert_eq!(told("pad", line, Some("logout")), (who.to_owned(), what.to_owned()));
    }

    #[test]
    fn a_line_is_told_in_the_words_of_a_story_with_every_field_it_has() {
        assert_told(
            r#"{"at_us":1,"actor":"pad","what":"called","call":7,"request":"login","user":"alice","platform":"ipad"}"#,
            "pad <= app",
            "login user=alice platform=ipad call=7",
        );
        assert_told(
            r#"{"what":"answered","call":"r-1","outcome":"failed","code":6014}"#,
            "pad => app",
            "logout answered: failed call=r-1 code=6014",
        );
        assert_told(
            r#"{"what":"told","event":"kicked_offline","by":"phone","reason":"gone"}"#,
            "pad => app",
            "kicked_offline reason=gone by=phone",
        );
        assert_told(r#"{"what":"status","status":"LOGOUT","sampled":true}"#, "pad", "status LOGOUT sampled=true");
        assert_told(
            r#"{"what":"ticket_made","ticket":"t","issued":1,"ttl":2}"#,
            "pad",
            "ticket made ticket=t issued=1 ttl=2",
        );
    }

    #[test]
    fn what_somebody_else_wrote_stands_between_quotes_and_is_cut() {
        assert_told(
            r#"{"what":"called","request":"send","to":"bob","text":"a\nb call=9"}"#,
            "pad <= app",
            "send to=bob text=\"a\\nb call=9\"",
        );
        let long = format!(r#"{{"what":"called","request":"send","text":"{}"}}"#, "x".repeat(5_000));
        assert_eq!(told("pad", &long, None).1.chars().count(), "send text=".len() + 120 + 1);
    }
}
