//! A run as Perfetto and Chrome show traces: in the Trace Event Format, as JSON.
//!
//! What is drawn is what a page draws: sessions, links, calls and faults as slices, frames as arrows, the story as marks.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::page::{EVENTS_MAX, Sheet, Shown};
use crate::trace::{Trace, What};

/// The tracks of a lane: each kind of slice has so many numbers of its own.
const TRACKS: usize = 100;

/// How long a frame's ends are drawn, in microseconds: an arrow needs something to begin and end at.
const FRAME_US: u64 = 1;

/// The kinds of tracks of a lane, in their order.
#[derive(Clone, Copy)]
enum Track {
    Story,
    Frames,
    Calls,
    Links,
    Sessions,
    Faults,
}

impl Track {
    const fn name(self) -> &'static str {
        match self {
            Track::Story => "story",
            Track::Frames => "frames",
            Track::Calls => "calls",
            Track::Links => "links",
            Track::Sessions => "sessions",
            Track::Faults => "faults",
        }
    }
}

/// A thing that lasts, in a lane.
struct Slice {
    lane: usize,
    track: Track,
    name: String,
    from: usize,
    to: Option<usize>,
    more: Value,
}

/// The trace, as the text of a file.
pub(super) fn trace(run: &Shown<'_>) -> String {
    let trace = run.trace;
    let sheet = Sheet::of(run, None, EVENTS_MAX);
    let mut drawing = Drawing { trace, events: Vec::new(), names: BTreeMap::new() };
    for (number, lane) in sheet.lanes.iter().enumerate() {
        let name = if lane.what.is_empty() { lane.name.clone() } else { format!("{} {}", lane.name, lane.what) };
        drawing.meta("process_name", number, 0, json!({ "name": name }));
        drawing.meta("process_sort_index", number, 0, json!({ "sort_index": number }));
    }
    drawing.slices(slices(&sheet));
    for (number, arrow) in sheet.arrows.iter().enumerate() {
        let is_lost = if arrow.end == "lost" { " LOST" } else { "" };
        let left = drawing.at(arrow.from);
        let tid = drawing.tid(arrow.from_lane, Track::Frames, 0);
        let name = format!("{}{is_lost}", arrow.word);
        drawing.complete(&name, "frame", arrow.from_lane, tid, left, FRAME_US, json!({ "end": arrow.end }));
        let (Some(to), Some(lane)) = (arrow.to, arrow.to_lane) else { continue };
        let (arrived, there) = (drawing.at(to), drawing.tid(lane, Track::Frames, 0));
        drawing.complete(&name, "frame", lane, there, arrived, FRAME_US, json!({}));
        let mut flow = |phase: &str, lane: usize, tid: usize, at: u64| {
            let mut event = json!({
                "name": arrow.word, "cat": "frame", "ph": phase, "id": number + 1, "pid": lane + 1, "tid": tid, "ts": at,
            });
            if phase == "f" {
                event["bp"] = json!("e");
            }
            drawing.events.push(event);
        };
        flow("s", arrow.from_lane, tid, left);
        flow("f", lane, there, arrived);
    }
    for row in &sheet.rows {
        if row.5 == crate::page::Told::Not(()) {
            continue;
        }
        let tid = drawing.tid(row.1, Track::Story, 0);
        let kind = What::WORDS[row.2];
        drawing.events.push(json!({
            "name": kind, "cat": "story", "ph": "i", "s": "t", "pid": row.1 + 1, "tid": tid, "ts": row.0,
            "args": { "who": row.3, "what": row.4 },
        }));
    }
    for wrong in &run.head.wrong {
        drawing.events.push(json!({
            "name": wrong.what, "cat": "wrong", "ph": "i", "s": "g", "pid": 1, "tid": 1, "ts": wrong.at_us,
            "args": { "instead": wrong.instead },
        }));
    }
    let head = run.head;
    let other = json!({
        "title": head.title, "path": head.path, "world": head.world, "verdict": head.verdict, "version": head.version,
        "digest": head.digest, "replay": head.replay,
    });
    json!({ "displayTimeUnit": "ms", "otherData": other, "traceEvents": drawing.events }).to_string()
}

/// Everything that lasts, of each kind in the order in which it begins.
fn slices(sheet: &Sheet) -> Vec<Slice> {
    let calls = sheet.calls.iter().map(|call| Slice {
        lane: call.lane,
        track: Track::Calls,
        name: call.word.to_owned(),
        from: call.from,
        to: call.to,
        more: json!({ "call": call.call, "outcome": call.outcome }),
    });
    let links = sheet.links.iter().map(|link| Slice {
        lane: link.lane,
        track: Track::Links,
        name: if link.up.is_some() { "link" } else { "no link" }.to_owned(),
        from: link.from,
        to: link.to,
        more: json!({}),
    });
    let sessions = sheet.sessions.iter().map(|bar| Slice {
        lane: bar.lane,
        track: Track::Sessions,
        name: format!("{} epoch {}", bar.user, bar.epoch),
        from: bar.from,
        to: bar.to,
        more: json!({ "ended": bar.reason }),
    });
    let bands = sheet.bands.iter().map(|band| Slice {
        lane: band.lane,
        track: Track::Faults,
        name: band.said.to_owned(),
        from: band.from,
        to: band.to,
        more: json!({}),
    });
    calls.chain(links).chain(sessions).chain(bands).collect()
}

struct Drawing<'a> {
    trace: &'a Trace,
    events: Vec<Value>,
    /// The tracks that have their names.
    names: BTreeMap<(usize, usize), ()>,
}

impl Drawing<'_> {
    fn at(&self, position: usize) -> u64 {
        self.trace.events[position].at.as_micros()
    }

    /// The number of a track of a lane, which gets its name with the first thing in it.
    fn tid(&mut self, lane: usize, track: Track, beside: usize) -> usize {
        let tid = 1 + track as usize * TRACKS + beside;
        if self.names.insert((lane, tid), ()).is_none() {
            self.meta("thread_name", lane, tid, json!({ "name": track.name() }));
            self.meta("thread_sort_index", lane, tid, json!({ "sort_index": tid }));
        }
        tid
    }

    fn meta(&mut self, name: &str, lane: usize, tid: usize, args: Value) {
        self.events.push(json!({ "name": name, "ph": "M", "pid": lane + 1, "tid": tid, "args": args }));
    }

    #[expect(clippy::too_many_arguments, reason = "the format's own fields")]
    fn complete(&mut self, name: &str, kind: &str, lane: usize, tid: usize, at: u64, lasts: u64, args: Value) {
        self.events.push(json!({
            "name": name, "cat": kind, "ph": "X", "pid": lane + 1, "tid": tid, "ts": at, "dur": lasts, "args": args,
        }));
    }

    /// Slices of one lane that are there together stand on tracks of their own: the format knows one inside another, and
    /// none that overlap.
    fn slices(&mut self, slices: Vec<Slice>) {
        let end = self.trace.ended_at().as_micros();
        let mut busy: BTreeMap<(usize, usize), Vec<u64>> = BTreeMap::new();
        for slice in slices {
            let (from, to) = (self.at(slice.from), slice.to.map_or(end, |to| self.at(to)));
            let ends = busy.entry((slice.lane, slice.track as usize)).or_default();
            let beside = ends.iter().position(|&until| until <= from).unwrap_or(ends.len()).min(TRACKS - 1);
            ends.resize(ends.len().max(beside + 1), 0);
            ends[beside] = to;
            let tid = self.tid(slice.lane, slice.track, beside);
            self.complete(&slice.name, slice.track.name(), slice.lane, tid, from, to - from, slice.more);
        }
    }
}
