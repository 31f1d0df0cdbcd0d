//! The history: a line for everything that an application did and was told, as docs/histories.md has them.
//!
//! One clock and one list for all devices, so that lines are in the order in which things happened. Judges nothing.

use std::cell::{Cell, RefCell};

use serde::Serialize;
use serde_json::{Value, json};
use tokio::time::Instant;

/// What the chat promises, and which channels are there in full. No process ends here, and there is nothing to write of that.
const HEAD: &str = concat!(
    r#"{"history":1,"system":"tcp-chat 0.1","observes":["calls","events","status","process","link"],"#,
    r#""policy":{"phone":["android","ios"],"desk":["mac","windows"]},"limits":{"login_timeout":"5s"},"codes":"own"}"#,
);

/// A history that is being written.
pub struct History {
    start: Instant,
    lines: RefCell<Vec<String>>,
    calls: Cell<u64>,
}

#[derive(Serialize)]
struct Line<'a> {
    at_us: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    actor: Option<&'a str>,
    what: &'a str,
    #[serde(flatten)]
    more: Value,
}

impl History {
    /// One with nothing but its first line.
    pub fn new() -> History {
        History { start: Instant::now(), lines: RefCell::new(vec![HEAD.to_owned()]), calls: Cell::new(0) }
    }

    /// The number of the next call.
    pub fn next_call(&self) -> u64 {
        self.calls.set(self.calls.get() + 1);
        self.calls.get()
    }

    /// Something happened to a device just now.
    pub fn write(&self, actor: &str, what: &str, more: Value) {
        self.push(Some(actor), what, more);
    }

    /// The history as text, with its last line, which says that everything had come to rest.
    pub fn end(&self) -> String {
        self.push(None, "end", json!({ "settled": true }));
        let mut text = self.lines.borrow().join("\n");
        text.push('\n');
        text
    }

    fn push(&self, actor: Option<&str>, what: &str, more: Value) {
        let at_us = u64::try_from(self.start.elapsed().as_micros()).expect("nobody runs it for an age");
        let line = serde_json::to_string(&Line { at_us, actor, what, more }).expect("its keys are texts");
        self.lines.borrow_mut().push(line);
    }
}

impl Default for History {
    fn default() -> History {
        History::new()
    }
}
