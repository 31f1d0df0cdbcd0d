//! A history as the page's script reads it.

use std::collections::BTreeMap;
use std::ops::Range;

use super::super::bands::{Band, said};
use super::super::calls::{Call, put_beside};
use super::super::lanes::Lane;
use super::super::marks::Mark;
use super::super::sessions::Bar;
use super::super::sheet::{Row, Sheet, Told};
use super::super::window::window;
use crate::history::event::{Outcome, Process, What};
use crate::judge::recording::{KINDS, kind};
use crate::judge::{Judged, Moment, Recording, Standing};
use crate::scenario::CallKind;

/// The lane of what happens to nobody in particular.
const HISTORY: usize = 0;

/// The sheet of a history, with at most so many events: those around the first breach, or else the last ones.
pub fn of(judged: &Judged<'_>, events_max: usize) -> Sheet {
    let recording = judged.recording;
    let place = judged.judgement.breaches.iter().find_map(|breach| recording.place(breach));
    let shown = window(recording.moments.len(), place, events_max);
    let lanes = Lanes::of(recording, &shown);
    let mut drawn = Drawn::new(&lanes, recording);
    for position in 0..recording.moments.len() {
        drawn.draw(recording, position);
    }
    for breach in &judged.judgement.breaches {
        drawn.tie(&recording.blamed(breach));
    }
    put_beside(&mut drawn.calls);
    let before = recording.before as usize;
    let part = before + shown.start..before + shown.end;
    let is_in = |from: usize, to: Option<usize>| from < part.end && to.is_none_or(|to| to >= part.start);
    let is_whole = recording.events() == shown.len() as u64;
    Sheet {
        events_all: recording.events() as usize,
        first: part.start,
        kinds: &KINDS,
        rows: shown.clone().map(|position| row(recording, position, &lanes, &drawn.ties)).collect(),
        sessions: drawn.sessions.into_iter().filter(|bar| is_in(bar.from, bar.to)).collect(),
        links: Vec::new(),
        calls: drawn.calls.into_iter().filter(|call| is_in(call.from, call.to)).collect(),
        arrows: Vec::new(),
        commits: Vec::new(),
        bands: drawn.bands.into_iter().filter(|band| is_in(band.from, band.to)).collect(),
        marks: drawn.marks.into_iter().filter(|mark| part.contains(&mark.event)).collect(),
        ledger: (!is_whole).then(|| ledger(recording)),
        log: Vec::new(),
        lanes: lanes.lanes,
    }
}

fn row(recording: &Recording, position: usize, lanes: &Lanes, ties: &[Vec<usize>]) -> Row {
    let moment = &recording.moments[position];
    let word = kind(&moment.event.what);
    let kind = KINDS.iter().position(|kind| *kind == word).expect("every kind is among them");
    let lane = lanes.of_moment(moment).unwrap_or(HISTORY);
    let (who, what) = (moment.who.clone(), moment.what.clone());
    Row(moment.event.from, lane, kind, who, what, Told::Same(true), ties[position].clone())
}

fn ledger(recording: &Recording) -> String {
    let lines = recording.counts.iter().map(|(kind, number)| format!("{:<16} {number}", kind.replace('_', " ")));
    lines.collect::<Vec<_>>().join("\n")
}

/// Whoever something happens to in the part that is shown.
struct Lanes {
    lanes: Vec<Lane>,
    /// By number of the actor.
    places: BTreeMap<u32, usize>,
}

impl Lanes {
    fn of(recording: &Recording, shown: &Range<usize>) -> Lanes {
        let history = Lane { name: "history".to_owned(), kind: "world", what: String::new() };
        let mut lanes = Lanes { lanes: vec![history], places: BTreeMap::new() };
        for moment in recording.moments.range(shown.clone()).filter(|moment| !moment.is_nobodys()) {
            let actor = moment.event.actor.0;
            if lanes.places.contains_key(&actor) {
                continue;
            }
            lanes.places.insert(actor, lanes.lanes.len());
            let platform = recording.platforms.get(actor as usize).copied().flatten();
            lanes.lanes.push(Lane {
                name: recording.cast.actors.name(actor).to_owned(),
                kind: "device",
                what: platform.map_or(String::new(), |platform| recording.cast.platforms.name(platform.0).to_owned()),
            });
        }
        lanes
    }

    fn of_moment(&self, moment: &Moment) -> Option<usize> {
        if moment.is_nobodys() { Some(HISTORY) } else { self.places.get(&moment.event.actor.0).copied() }
    }
}

/// What is drawn so far.
struct Drawn<'a> {
    lanes: &'a Lanes,
    /// How many events come before the first that is kept: positions are those of the whole history.
    before: usize,
    sessions: Vec<Bar>,
    calls: Vec<Call>,
    bands: Vec<Band>,
    marks: Vec<Mark>,
    /// What each event is part of.
    ties: Vec<Vec<usize>>,
    next_tie: usize,
    /// Of each lane, the login whose bar is open, the bar, and its tie.
    standing: BTreeMap<usize, (u64, usize, usize)>,
    /// Calls without a result: of each lane and number, the call and its tie.
    open: BTreeMap<(usize, u64), (usize, usize)>,
}

impl<'a> Drawn<'a> {
    fn new(lanes: &'a Lanes, recording: &Recording) -> Drawn<'a> {
        Drawn {
            lanes,
            before: recording.before as usize,
            sessions: Vec::new(),
            calls: Vec::new(),
            bands: Vec::new(),
            marks: Vec::new(),
            ties: vec![Vec::new(); recording.moments.len()],
            next_tie: 0,
            standing: BTreeMap::new(),
            open: BTreeMap::new(),
        }
    }

    /// These belong together.
    fn tie(&mut self, positions: &[usize]) -> usize {
        self.next_tie += 1;
        for &position in positions {
            self.ties[position].push(self.next_tie);
        }
        self.next_tie
    }

    fn draw(&mut self, recording: &Recording, position: usize) {
        let moment = &recording.moments[position];
        let Some(lane) = self.lanes.of_moment(moment) else { return };
        let event = position + self.before;
        let look = match moment.event.what {
            What::Called { call, request } => {
                let number = u32::try_from(call).unwrap_or(0);
                let word = request.kind().word();
                let tie = self.tie(&[position]);
                self.open.insert((lane, call), (self.calls.len(), tie));
                self.calls.push(Call { lane, call: number, word, from: event, to: None, track: 0, outcome: None });
                None
            }
            // It is told with its result.
            What::Brings { .. } => None,
            What::Answered { call, outcome, .. } => {
                if let Some((index, tie)) = self.open.remove(&(lane, call)) {
                    self.ties[position].push(tie);
                    self.calls[index].to = Some(event);
                    self.calls[index].outcome = Some(match outcome {
                        Outcome::Done { .. } => "ok".to_owned(),
                        Outcome::Failed { code: Some(code) } => format!("[{code}]"),
                        Outcome::Failed { code: None } => "failed".to_owned(),
                        Outcome::Unknown => "unknown".to_owned(),
                    });
                }
                None
            }
            What::UninitReturned => {
                self.uninit_returned(lane, event, position);
                None
            }
            What::Told { .. } => Some("told"),
            What::Status { .. } => Some("status"),
            What::Process(process) => {
                self.process(lane, event, process);
                Some("note")
            }
            What::Link { up } => {
                self.band(lane, event, if up { None } else { Some("cut") }, &["cut"]);
                Some("note")
            }
            What::NetworkChanged | What::Identity(_) | What::Ticket { .. } | What::Presence { .. } => Some("note"),
            What::PolicyChanged { .. } | What::End { .. } => Some("phase"),
        };
        self.marks.extend(look.map(|look| Mark { lane, event, look }));
        if lane != HISTORY {
            self.stand(recording, lane, position);
        }
    }

    /// Nobody answers the call of `uninit` but its return.
    fn uninit_returned(&mut self, lane: usize, event: usize, position: usize) {
        let calls = &self.calls;
        let is_it = |index: usize| calls[index].word == CallKind::Uninit.word();
        let found = self.open.iter().find(|&(&(of, _), &(index, _))| of == lane && is_it(index));
        if let Some((&key, &(index, tie))) = found {
            self.open.remove(&key);
            self.ties[position].push(tie);
            (self.calls[index].to, self.calls[index].outcome) = (Some(event), Some("ok".to_owned()));
        }
    }

    fn process(&mut self, lane: usize, event: usize, process: Process) {
        match process {
            Process::Suspended => self.band(lane, event, Some("suspended"), &[]),
            Process::Woken => self.band(lane, event, None, &["suspended"]),
            Process::Up => self.band(lane, event, None, &["suspended", "dead"]),
            Process::Dead => self.band(lane, event, Some("dead"), &["suspended", "dead"]),
        }
        if matches!(process, Process::Up | Process::Dead) {
            let gone: Vec<_> =
                self.open.range((lane, 0)..=(lane, u64::MAX)).map(|(&key, &(call, _))| (key, call)).collect();
            for (key, call) in gone {
                self.open.remove(&key);
                (self.calls[call].to, self.calls[call].outcome) = (Some(event), Some("dead".to_owned()));
            }
        }
    }

    /// One band begins in a lane, and those of these words end.
    fn band(&mut self, lane: usize, event: usize, begins: Option<&'static str>, ends: &[&str]) {
        let is_open = |band: &&mut Band| band.lane == lane && band.to.is_none();
        for band in self.bands.iter_mut().filter(is_open).filter(|band| ends.contains(&band.word)) {
            band.to = Some(event);
        }
        let is_there = |word| self.bands.iter().any(|band| band.lane == lane && band.to.is_none() && band.word == word);
        if let Some(word) = begins.filter(|word| !is_there(*word)) {
            self.bands.push(Band { lane, word, said: said(word), from: event, to: None });
        }
    }

    /// A session begins or ends, as the application has reason to believe.
    fn stand(&mut self, recording: &Recording, lane: usize, position: usize) {
        let moment = &recording.moments[position];
        let event = position + self.before;
        let now = if let Standing::In { user, login } = moment.standing { Some((user, login)) } else { None };
        if self.standing.get(&lane).map(|(login, ..)| *login) == now.map(|(_, login)| login) {
            return;
        }
        if let Some((_, bar, tie)) = self.standing.remove(&lane) {
            self.sessions[bar].to = Some(event);
            self.sessions[bar].reason = Some(match moment.standing {
                Standing::In { .. } => "another login".to_owned(),
                Standing::Out("") => "over".to_owned(),
                Standing::Out(why) => why.to_owned(),
            });
            self.ties[position].push(tie);
        }
        if let Some((user, login)) = now {
            let tie = self.tie(&[position]);
            self.standing.insert(lane, (login, self.sessions.len(), tie));
            let user = recording.cast.users.name(user.0).to_owned();
            self.sessions.push(Bar::seen(lane, user, event));
        }
    }
}
