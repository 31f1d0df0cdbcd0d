//! A run as a page: one HTML file that shows it as a picture beside its story, and needs nothing else.
//!
//! ```text
//! Trace ──sheet──▶ lanes, bars, arrows, marks, rows ──window──▶ what fits ──html──▶ one file
//! ```
//!
//! Everything that is drawn is found here, from the trace alone, as positions of its events; where on the screen an event
//! is, the page's own script in `sim/page/` decides. `history` finds the same in what somebody else recorded. Judges nothing: what was wrong comes with the [`Head`].

mod bands;
mod beside;
mod calls;
mod commits;
mod head;
mod history;
mod html;
mod lanes;
mod likely;
mod links;
mod marks;
mod sessions;
mod sheet;
#[cfg(test)]
mod tests;
mod window;

use serde::Serialize;

use crate::trace::Trace;
use crate::trace::log::LogLine;

pub use head::{Head, Wrong};
pub use history::of_history;
pub use html::BYTES_MAX;
pub use likely::Likely;
pub use sheet::{EVENTS_MAX, Sheet, Told};

/// A run to be shown.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    /// What is said of it above the picture.
    pub head: &'a Head,
    /// What happened.
    pub trace: &'a Trace,
    /// What the drivers logged meanwhile.
    pub log: &'a [LogLine],
}

/// What a page holds: one run, or two beside each other.
#[derive(Debug, Serialize)]
struct Data<'a> {
    sides: Vec<Side<'a>>,
    /// Of two: the first event of each that the other does not have in its place.
    differs: Option<[Option<usize>; 2]>,
}

#[derive(Debug, Serialize)]
struct Side<'a> {
    head: &'a Head,
    sheet: Sheet,
}

/// The page of a run, or of two, as the text of an HTML file.
///
/// One that would be too large shows the events around what went wrong, and the ledger of them all.
pub fn page(runs: &[Shown<'_>]) -> String {
    fitting(EVENTS_MAX / runs.len().max(1), |events_max| data(runs, events_max))
}

/// The page that shows as many events as make no file that is too large, and at most so many of each run.
fn fitting<'a>(events_max: usize, data: impl Fn(usize) -> Data<'a>) -> String {
    let mut events_max = events_max;
    loop {
        let text = html::file(&data(events_max));
        if text.len() <= BYTES_MAX || events_max < 100 {
            return text;
        }
        events_max = events_max / 4 * 3;
    }
}

fn data<'a>(runs: &[Shown<'a>], events_max: usize) -> Data<'a> {
    let differs = match runs {
        [first, second] => beside::first_difference(first.trace, second.trace),
        _ => None,
    };
    let side = |(index, run): (usize, &Shown<'a>)| {
        let differs = differs.and_then(|differs| differs[index]);
        Side { head: run.head, sheet: Sheet::of(run, differs, events_max) }
    };
    Data { sides: runs.iter().enumerate().map(side).collect(), differs }
}
