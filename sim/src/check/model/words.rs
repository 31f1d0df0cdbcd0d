//! Facts and frames in the words of a trace, for what a violation says.

use crate::trace::{Cast, Fact, ServerFrame, Value};

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
    let value = match value {
        Value::Nothing => return,
        Value::Device(device) => cast.device_name(device).to_owned(),
        Value::User(user) => cast.user_name(user).to_owned(),
        Value::Ticket(ticket) => cast.ticket(ticket).name.clone(),
        Value::Word(word) => word.to_owned(),
        Value::Number(number) | Value::Seconds(number) | Value::Micros(number) => number.to_string(),
        Value::Code(code) => format!("[{}]", code.number()),
        Value::Attempt(attempt) => attempt.to_string(),
        Value::List(list) => format!("{:?}", cast.list(list)),
        Value::Text(text) => format!("\"{}\"", cast.text(text).chars().take(40).collect::<String>()),
        Value::Signed(_) | Value::SignedMicros(_) | Value::Flag(_) | Value::Seats(_) | Value::Site(_) => return,
    };
    *text += &format!(" {name}={value}");
}
