//! A trace as rows: the columns of each event apart, and which event a row is of.

use super::{Paint, View, Writer, who};
use crate::trace::Trace;

/// The row of one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Where in [`Trace::events`] it is.
    pub position: usize,
    /// Who acts, towards whom.
    pub who: String,
    /// What happened.
    pub what: String,
}

/// The rows that a view shows.
pub fn rows(trace: &Trace, view: View) -> Vec<Row> {
    let mut writer = Writer::new(trace, &trace.events, view, Paint::Plain);
    writer.is_bare = true;
    let mut rows = Vec::new();
    for (position, event) in trace.events.iter().enumerate() {
        writer.event(position);
        let what = std::mem::take(&mut writer.text);
        if !what.is_empty() {
            let who = who::who(&trace.cast, event);
            rows.push(Row { position, who, what: what.trim_end_matches('\n').to_owned() });
        }
    }
    rows
}
