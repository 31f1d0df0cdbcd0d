//! A log as it is, turned into the lines of a history by a map that somebody writes once.
//!
//! ```text
//! map.toml  ──tree──▶ places ──read──▶ Map
//! log line  ──row──▶ fields ──turn──▶ the first rule that matches ──template──▶ lines of a history ──▶ `Reader`
//! ```
//!
//! Renames, converts, splits and drops; makes nothing up but the end, where the map says that all had come to rest. What
//! it makes goes through the reader of histories, so that it checks no event itself. Lines are taken in the order in
//! which they stand: it sorts nothing.

mod convert;
mod pattern;
mod read;
mod row;
mod rule;
mod template;
mod time;
pub(crate) mod tree;
mod turn;
mod unmapped;

pub(crate) use turn::Made;
pub use unmapped::Unmapped;

use std::collections::BTreeMap;

use serde_json::Value;

use super::head::Head;
use row::Format;
use rule::Rule;
use time::Unit;
use unmapped::Kinds;

/// How the lines of a log become those of a history.
///
/// ```
/// use gatecrash_sim::history::Map;
/// use gatecrash_sim::judge::{Source, Verdict, judge_log};
///
/// let map = r#"
/// format = "logfmt"
/// head = { system = "acme-im", observes = ["calls", "events"], settled = true }
/// fields = { at = "ts", actor = "device", user = "uid" }
/// time.unit = "epoch_ms"
///
/// [[event]]
/// when = { evt = "LOGIN_START" }
/// emit = [{ what = "called", request = "login", call = "{req}", platform = "ios" }]
///
/// [[event]]
/// when = { evt = "LOGIN_DONE" }
/// emit = [{ what = "answered", call = "{req}", outcome = "ok" }]
/// "#;
/// let log = "\
/// ts=1764500000100 evt=LOGIN_START device=phone uid=alice req=7
/// ts=1764500000300 evt=LOGIN_DONE device=phone uid=alice req=7
/// ts=1764500000400 evt=LOGIN_DONE device=phone uid=alice req=7
/// ";
/// let mut map = Map::read(map, "map.toml").expect("there is nothing wrong with it");
/// let source = Source { name: "im.log".to_owned(), text: Box::new(log.as_bytes()) };
/// let judgement = judge_log(vec![source], &mut map, &[], None)?;
/// assert_eq!(judgement.verdict(), Verdict::Violated);
/// assert_eq!(judgement.breaches[0].rule.as_str(), "LOGIN-3");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Map {
    file: String,
    head: Head,
    settled: bool,
    format: Format,
    unit: Unit,
    /// Of which field of the log the instant is made.
    at: String,
    /// Of which one the last possible instant, where a line says so.
    until: Option<String>,
    /// For each field of ours, their values and ours.
    values: BTreeMap<&'static str, BTreeMap<String, Value>>,
    rules: Vec<Rule>,
    /// Instant 0 of the history, in the log's microseconds.
    start: u64,
    /// The last instant that a line of the log names.
    latest: Option<u64>,
    dropped: u64,
    kinds: Kinds,
}

impl Map {
    /// What it knows of the system; once the first lines were read, also what a wall clock says at instant 0.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// Says that everything had come to rest when the log ended, as `settled` of its `[head]` does.
    pub fn settle(&mut self) {
        self.settled = true;
    }

    /// How many lines were dropped, because a rule says so.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Lines that no rule matches, by their kinds, in the order in which the first of each came.
    pub fn unmapped(&self) -> &[Unmapped] {
        self.kinds.all()
    }
}
