//! Facts and frames in the words of a trace, for what a violation says.

use crate::trace::{Cast, Fact, ServerFrame, Value, render};

pub(super) fn fact_in_words(cast: &Cast, fact: &Fact) -> String {
    let mut text = fact.word().to_owned();
    fact.fields(&mut |name, value| field(cast, &mut text, name, value));
    text
}

pub(super) fn frame_in_words(cast: &Cast, frame: &ServerFrame) -> String {
    let mut text = frame.word().to_owned();
    frame.fields(&mut |name, value| field(cast, &mut text, name, value));
    text
}

fn field(cast: &Cast, text: &mut String, name: &str, value: Value) {
    if value != Value::Nothing {
        *text += &format!(" {name}={}", render::value(cast, name, value));
    }
}
