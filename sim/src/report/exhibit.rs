//! What is shown of a failure: what is told of it, a diagram, a page, a trace for Perfetto.

use serde::{Deserialize, Serialize};

use super::escape::stem;
use super::{mermaid, perfetto};
use crate::Run;
use crate::check::expect::Moment;
use crate::page::{self, Head};
use crate::search::report::{self as failures, Case};

/// Of how many failures a report has pages and traces: each page is some hundred kilobytes.
pub const EXHIBITS_MAX: usize = 20;

/// What is shown of a failure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exhibit {
    /// What findings call it by.
    pub name: String,
    /// Everything that is told of it.
    pub told: String,
    /// Its story as a Mermaid sequence diagram.
    pub diagram: Option<String>,
    /// Where its page is, from the report's folder.
    pub page: Option<String>,
    /// Where its trace for Perfetto is, from the report's folder.
    pub trace: Option<String>,
    /// The folder of the finding, where it has one.
    pub folder: Option<String>,
}

/// A run that failed.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    /// What findings call it by.
    pub name: &'a str,
    /// What ran.
    pub case: Case<'a>,
    /// What came of it.
    pub run: &'a Run,
    /// What is said above its picture.
    pub head: &'a Head,
    /// Everything that is told of it.
    pub told: &'a str,
}

impl Exhibit {
    /// One of which there is nothing to see: no run of it came to an end, or there are enough others.
    pub fn told(name: &str, told: &str) -> Self {
        let (diagram, page, trace, folder) = (None, None, None, None);
        Exhibit { name: name.to_owned(), told: told.to_owned(), diagram, page, trace, folder }
    }

    /// Its files, each with what it is.
    pub fn files(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let files = [("page", &self.page), ("trace for Perfetto", &self.trace), ("folder", &self.folder)];
        files.into_iter().filter_map(|(what, path)| Some((what, path.as_deref()?)))
    }
}

/// What is shown of a run, and its files, each with its name below the report's folder.
pub fn exhibit(shown: &Shown<'_>) -> (Exhibit, Vec<(String, String)>) {
    let stem = stem(shown.name);
    let (page_path, trace_path) = (format!("pages/{stem}.html"), format!("traces/{stem}.json"));
    let drawn = page::Shown { head: shown.head, trace: &shown.run.trace, log: &[] };
    let files = vec![(page_path.clone(), page::page(&[drawn])), (trace_path.clone(), perfetto::trace(&drawn))];
    let exhibit = Exhibit {
        diagram: Some(mermaid::diagram(&shown.run.trace, place(shown.run))),
        page: Some(page_path),
        trace: Some(trace_path),
        ..Exhibit::told(shown.name, shown.told)
    };
    (exhibit, files)
}

/// The event that shows best what is wrong, and what that is, in a few words.
pub(super) fn place(run: &Run) -> Option<(usize, String)> {
    let trace = &run.trace;
    let last = trace.events.len().checked_sub(1)?;
    if let Some(violation) = run.violations.first() {
        let said = format!("{} violated: {}", violation.rule, violation.text);
        return Some((failures::position(trace, violation).unwrap_or(last), said));
    }
    if let Some(miss) = run.missed.first() {
        let position = match miss.moment {
            Moment::Event(position) => position,
            Moment::Instant(at) => trace.events.partition_point(|event| event.at <= at).saturating_sub(1),
        };
        return Some((position, format!("expected `{}`: {}", miss.expected, miss.seen)));
    }
    run.not_converged.as_ref().map(|reason| (last, format!("did not converge: {reason}")))
}
