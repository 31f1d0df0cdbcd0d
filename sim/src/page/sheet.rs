//! A run as the page's script reads it: everything that is drawn, by the events it begins and ends at.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Serialize;

use super::Shown;
use super::bands::{Band, bands};
use super::calls::{Call, calls};
use super::commits::{Commit, commits};
use super::lanes::{Lane, Lanes, SERVER};
use super::links::{Link, links};
use super::marks::{Mark, marks};
use super::sessions::{Bar, bars};
use super::window::window;
use crate::trace::flight::{Flight, FlightEnd, flights};
use crate::trace::render::{self, View};
use crate::trace::ties::ties;
use crate::trace::{Actor, Ledger, Trace, What};

/// The most events that a page shows of one run.
pub const EVENTS_MAX: usize = 20_000;

/// The most lines of the drivers' logs that a page shows: the last ones of those in its window.
const LOG_LINES_MAX: usize = 5_000;

/// A run, or a window of it. Positions are those of the whole trace, from 0.
#[derive(Debug, Serialize)]
pub struct Sheet {
    /// How many events the run has.
    pub events_all: usize,
    /// The position of the first event shown.
    pub first: usize,
    /// Who is there.
    pub lanes: Vec<Lane>,
    /// The kinds of events, by number.
    pub kinds: &'static [&'static str],
    /// The events shown.
    pub rows: Vec<Row>,
    /// Everything that is drawn.
    pub sessions: Vec<Bar>,
    /// See [`Link`].
    pub links: Vec<Link>,
    /// See [`Call`].
    pub calls: Vec<Call>,
    /// See [`Arrow`].
    pub arrows: Vec<Arrow>,
    /// See [`Commit`].
    pub commits: Vec<Commit>,
    /// See [`Band`].
    pub bands: Vec<Band>,
    /// See [`Mark`].
    pub marks: Vec<Mark>,
    /// The counts of the whole run, where only a part of it is shown.
    pub ledger: Option<String>,
    /// What the drivers logged.
    pub log: Vec<LogRow>,
}

/// An event: microseconds, lane, number of its kind, who acts towards whom, what happened, how the story tells it (true
/// if it says the same, null if it leaves it out), and the numbers of what the event is part of.
#[derive(Debug, Serialize)]
pub struct Row(pub u64, pub usize, pub usize, pub String, pub String, pub Told, pub Vec<usize>);

/// How the story tells an event.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Told {
    /// Not at all: null.
    Not(()),
    /// In the same words: true.
    Same(bool),
    /// In other words.
    Otherwise(String),
}

/// A frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Arrow {
    /// From which lane.
    pub from_lane: usize,
    /// To which; none where nobody knows who is there.
    pub to_lane: Option<usize>,
    /// Where it leaves.
    pub from: usize,
    /// Where it arrives.
    pub to: Option<usize>,
    /// What became of it: `arrived`, `lost`, `under_way`, `unseen`.
    pub end: &'static str,
    /// Which frame.
    pub word: &'static str,
}

/// A line of a log: microseconds, who, what, and the position of the event before which it stands.
#[derive(Debug, Serialize)]
pub struct LogRow(pub u64, pub String, pub String, pub usize);

impl Sheet {
    /// The sheet of a run, with at most so many events: those around what went wrong, or around where it parts from
    /// another.
    pub fn of(run: &Shown<'_>, differs: Option<usize>, events_max: usize) -> Self {
        let trace = run.trace;
        let place = run.head.wrong.iter().find_map(|wrong| wrong.event).or(differs);
        let shown = window(trace.events.len(), place, events_max);
        let lanes = Lanes::of(&trace.cast);
        let flights = flights(trace);
        let is_in = |from: usize, to: Option<usize>| from < shown.end && to.is_none_or(|to| to >= shown.start);
        Sheet {
            events_all: trace.events.len(),
            first: shown.start,
            kinds: What::WORDS,
            rows: rows_of(trace, &lanes, &flights, &shown),
            sessions: bars(trace, &lanes).into_iter().filter(|bar| is_in(bar.from, bar.to)).collect(),
            links: links(trace, &lanes).into_iter().filter(|link| is_in(link.from, link.to)).collect(),
            calls: calls(trace, &lanes).into_iter().filter(|call| is_in(call.from, call.to)).collect(),
            arrows: arrows(trace, &lanes, &flights)
                .into_iter()
                .filter(|arrow| is_in(arrow.from, arrow.to.or(Some(arrow.from))))
                .collect(),
            commits: commits(trace)
                .into_iter()
                .filter(|commit| is_in(commit.decided, commit.disk.or(commit.undone)))
                .collect(),
            bands: bands(trace, &lanes).into_iter().filter(|band| is_in(band.from, band.to)).collect(),
            marks: marks(trace, &lanes).into_iter().filter(|mark| shown.contains(&mark.event)).collect(),
            ledger: (shown.len() < trace.events.len()).then(|| Ledger::of(trace).to_string()),
            log: log_of(run, &shown),
            lanes: lanes.lanes,
        }
    }
}

fn rows_of(trace: &Trace, lanes: &Lanes, flights: &[Flight], shown: &Range<usize>) -> Vec<Row> {
    let ties = ties(trace, flights);
    let mut story: BTreeMap<usize, String> =
        render::rows(trace, View::Story).into_iter().map(|row| (row.position, row.what)).collect();
    let rows = render::rows(trace, View::Everything).into_iter().zip(ties);
    let rows = rows.filter(|(row, _)| shown.contains(&row.position));
    rows.map(|(row, ties)| {
        let event = &trace.events[row.position];
        let told = match story.remove(&row.position) {
            None => Told::Not(()),
            Some(said) if said == row.what => Told::Same(true),
            Some(said) => Told::Otherwise(said),
        };
        let (lane, kind) = (lanes.actor(event.actor), event.what.index());
        Row(event.at.as_micros(), lane, kind, row.who, row.what, told, ties)
    })
    .collect()
}

fn arrows(trace: &Trace, lanes: &Lanes, flights: &[Flight]) -> Vec<Arrow> {
    let arrow = |flight: &Flight| {
        let event = &trace.events[flight.left];
        let (to_lane, word) = match event.what {
            What::DeviceSent { frame, .. } => (Some(SERVER), frame.word()),
            What::ServerSent { peer, frame, .. } => (peer.and_then(|peer| lanes.device(peer)), frame.word()),
            _ => unreachable!("only frames fly"),
        };
        let (to, end) = match flight.end {
            FlightEnd::Arrived(position) => (Some(position), "arrived"),
            FlightEnd::Lost => (None, "lost"),
            FlightEnd::UnderWay => (None, "under_way"),
            FlightEnd::Unseen => (None, "unseen"),
        };
        // What reached a device that goes by the id of another was sent to the other.
        let to_lane = match to.map(|to| trace.events[to].actor) {
            Some(Actor::Device(device)) => lanes.device(device),
            _ => to_lane,
        };
        Arrow { from_lane: lanes.actor(event.actor), to_lane, from: flight.left, to, end, word }
    };
    flights.iter().map(arrow).collect()
}

fn log_of(run: &Shown<'_>, shown: &Range<usize>) -> Vec<LogRow> {
    let events = &run.trace.events;
    let row = |line: &crate::trace::log::LogLine| {
        let before = events.partition_point(|event| event.at <= line.at);
        let target = line.target.trim_start_matches("gatecrash::driver::");
        let said = format!("{} {target}: {}", line.level.as_str().to_lowercase(), line.text);
        let is_in = before > shown.start && before <= shown.end;
        is_in.then(|| LogRow(line.at.as_micros(), line.who.clone(), said, before))
    };
    let mut rows: Vec<LogRow> = run.log.iter().filter_map(row).collect();
    rows.split_off(rows.len().saturating_sub(LOG_LINES_MAX))
}
