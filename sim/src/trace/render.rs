//! A trace as lines for people: one event a line, the time first, then who, then what.
//!
//! ```text
//!     2.061  server -> phone-1   kick user=alice epoch=1 by=phone-2 reason=same_platform commit=2
//!     2.091  phone-1 => app      kicked_offline by=phone-2 reason=same_platform user=alice epoch=1
//! ```
//!
//! `->` and `<-` are the wire, `=>` and `<=` the application. Two views: the story, which leaves out
//! what follows from the rest, and everything. What snapshots hold of the story is [`kept`]. Decides nothing about right
//! and wrong.

mod kept;
mod paint;
mod rows;
mod value;
mod what;
mod who;

use std::collections::BTreeSet;
use std::fmt::Write;

use anstyle::Style;
use gatecrash::time::Instant;

use super::cast::Cast;
use super::flight::{self, FlightEnd};
use super::index::{DeviceIndex, UserIndex};
use super::log::LogLine;
use super::{Actor, ClientFrame, Effect, Event, Fact, Outcome, Request, ServerFrame, Trace, Value, What};
use crate::scenario::CallKind;

pub use kept::kept;
pub use paint::Paint;
pub use rows::{Row, rows};

/// With more devices than this, a snapshot holds the ledger: nobody reads the lines.
pub const STORY_DEVICES_MAX: usize = 12;

/// How much a line-up shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// What a reader needs to follow what happened.
    Story,
    /// Every event with every field.
    Everything,
}

/// Which lines to show, and how.
#[derive(Clone, Copy, Debug)]
pub struct Show<'a> {
    /// How much.
    pub view: View,
    /// Of each event by its position, whether it is wanted; none for all of them.
    pub only: Option<&'a [bool]>,
    /// Of the events that are left the last so many lines, and of the log what is not older.
    pub last: Option<usize>,
    /// Behind the time two more columns: how long after the line before, and after an instant that matters.
    pub since: Option<Since>,
    /// The event that matters, by its position: its line stands out where there are colours.
    pub marked: Option<usize>,
    /// In which colours.
    pub paint: Paint,
    /// What the drivers logged, to be merged in by time.
    pub log: &'a [LogLine],
}

/// From when on lines are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Since {
    /// The instant that matters, if there is one: lines say how long before or after it they are.
    pub to: Option<Instant>,
}

impl Show<'_> {
    /// All of a view, without logs and colours.
    pub const fn all(view: View) -> Self {
        Show { view, only: None, last: None, since: None, marked: None, paint: Paint::Plain, log: &[] }
    }
}

/// When an event is part of the story.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// Always.
    Always,
    /// A frame that never arrived.
    WhenLost,
    /// As part of its commit's line.
    InItsCommit,
    /// Never: it follows from others, or only experts ask for it.
    Never,
}

/// The one table of what a story leaves out.
fn part(event: &Event) -> Part {
    match &event.what {
        // Nearly every device is initialised as the run begins.
        What::Called { request: Request::Init { .. }, .. }
        | What::Answered { kind: Some(CallKind::Init), outcome: Outcome::Done, .. }
            if event.at == Instant::ZERO =>
        {
            Part::Never
        }
        // The server gives up on a connection; a device's closing follows from its story.
        What::CloseAsked { .. } if event.actor == Actor::Server => Part::Always,
        What::Called { .. }
        | What::Answered { .. }
        | What::Told { .. }
        | What::Status { .. }
        | What::Malformed { .. }
        | What::Commit { .. }
        | What::Dormant { .. }
        | What::ServerStarted { .. }
        | What::StoreFailed
        | What::Stopping
        | What::StoodStill { .. }
        | What::Configured { .. }
        | What::BackOff { .. }
        | What::LinkLost
        | What::LinkKept
        | What::RecordFailed
        | What::NewDevice { .. }
        | What::NetworkChanged
        | What::NoFrame { .. }
        | What::KnownAs { .. }
        | What::Fault { .. }
        | What::Effect { effect: Effect::Nothing | Effect::Skipped { .. } }
        | What::Stranger { .. }
        | What::OldKeyDropped
        | What::ScriptEnded
        | What::Converged
        | What::NotConverged { .. } => Part::Always,
        What::Fact { .. } => Part::InItsCommit,
        What::DeviceSent { frame, .. } => match frame {
            ClientFrame::Hello { .. } | ClientFrame::LoginAcknowledged { .. } | ClientFrame::Heartbeat => {
                Part::WhenLost
            }
            ClientFrame::Login { .. }
            | ClientFrame::Resume { .. }
            | ClientFrame::Renew { .. }
            | ClientFrame::Logout { .. }
            | ClientFrame::KickConfirmed { .. }
            | ClientFrame::Send { .. }
            | ClientFrame::AdminKick { .. }
            | ClientFrame::Query { .. }
            | ClientFrame::MessagesReceived { .. } => Part::Always,
        },
        What::ServerSent { frame, .. } => match frame {
            ServerFrame::HeartbeatAnswer => Part::WhenLost,
            ServerFrame::LoginAccepted { .. }
            | ServerFrame::LoginRefused { .. }
            | ServerFrame::Resumed { .. }
            | ServerFrame::ResumedAsLogin { .. }
            | ServerFrame::ResumeKicked { .. }
            | ServerFrame::ResumeExpired { .. }
            | ServerFrame::ResumeRefused { .. }
            | ServerFrame::ResumeUnable { .. }
            | ServerFrame::ResumeStale { .. }
            | ServerFrame::RenewAnswer { .. }
            | ServerFrame::LogoutAnswer { .. }
            | ServerFrame::Kick { .. }
            | ServerFrame::Expired { .. }
            | ServerFrame::SendAnswer { .. }
            | ServerFrame::Message { .. }
            | ServerFrame::AdminKickAnswer { .. }
            | ServerFrame::QueryAnswer { .. }
            | ServerFrame::Error { .. }
            | ServerFrame::Closing { .. } => Part::Always,
        },
        What::TicketMade { .. }
        | What::UninitReturned { .. }
        | What::EventsDropped
        | What::ServerReceived { .. }
        | What::DeviceReceived { .. }
        | What::ConnectAsked { .. }
        | What::Connected { .. }
        | What::ConnectFailed { .. }
        | What::Untrusted { .. }
        | What::Opened { .. }
        | What::CloseAsked { .. }
        | What::Gone { .. }
        | What::Committed { .. }
        | What::TicketJudged { .. }
        | What::ClockChanged { .. }
        | What::StoreAsked { .. }
        | What::Stored { .. }
        | What::SdkWoken
        | What::Effect { .. } => Part::Never,
    }
}

/// Fields that a story leaves out: numbers that tie events together for machines.
const FIELDS_LEFT_OUT: [&str; 6] = ["connection", "installation", "version", "wall", "ticket", "return_spread"];

/// Numbers that are 0 when there is none.
const ZERO_IS_NONE: [&str; 5] = ["call", "epoch", "message", "received", "dropped"];

/// The lines of a trace.
pub fn lines(trace: &Trace, show: &Show<'_>) -> String {
    let mut writer = Writer::new(trace, &trace.events, show.view, show.paint);
    let is_wanted = |position: usize| show.only.is_none_or(|only| only.get(position).copied().unwrap_or(false));
    let mut shown: Vec<(Instant, String)> = Vec::new();
    for (position, event) in trace.events.iter().enumerate().filter(|(position, _)| is_wanted(*position)) {
        writer.is_marked = show.marked == Some(position);
        writer.gap = show.since.map(|Since { to }| Gap { before: shown.last().map(|(at, _)| *at), to });
        writer.event(position);
        if !writer.text.is_empty() {
            shown.push((event.at, std::mem::take(&mut writer.text)));
        }
    }
    let first = show.last.map_or(0, |last| shown.len().saturating_sub(last));
    let log = show.log.iter().filter(|line| first == 0 || shown.get(first).is_none_or(|(at, _)| *at <= line.at));
    let (mut log, mut text) = (log.peekable(), String::new());
    let mut logged = |line: &LogLine, text: &mut String| {
        writer.gap = show.since.map(|Since { to }| Gap { before: None, to });
        writer.log(line);
        text.push_str(&std::mem::take(&mut writer.text));
    };
    for (at, line) in &shown[first..] {
        while let Some(earlier) = log.next_if(|line| line.at < *at) {
            logged(earlier, &mut text);
        }
        text.push_str(line);
    }
    log.for_each(|line| logged(line, &mut text));
    text
}

/// The lines around the event at `position` of the trace, which is marked: so many lines of the
/// story before and after it.
pub fn around(trace: &Trace, position: usize, before: usize, after: usize, paint: Paint) -> Around {
    let mut writer = Writer::new(trace, &trace.events, View::Story, paint);
    let mut shown = Vec::new();
    let mut marked = None;
    for (index, event) in trace.events.iter().enumerate() {
        writer.is_marked = index == position;
        writer.event(index);
        if index == position {
            if writer.text.is_empty() {
                writer.view = View::Everything;
                writer.line(event);
                writer.view = View::Story;
            }
            marked = Some(shown.len());
        }
        if !writer.text.is_empty() {
            shown.push((Some(index), std::mem::take(&mut writer.text)));
        }
        if marked.is_some_and(|marked| shown.len() > marked + after) {
            break;
        }
    }
    marking(shown, marked.unwrap_or(0), before, paint)
}

/// An instant at which nothing need have happened, and what is to be said of somebody then.
#[derive(Clone, Copy, Debug)]
pub struct Remark<'a> {
    /// When.
    pub at: Instant,
    /// Of whom.
    pub who: &'a str,
    /// What.
    pub said: &'a str,
}

/// The lines around an instant: the remark has a line of its own.
pub fn around_instant(trace: &Trace, remark: Remark<'_>, before: usize, after: usize, paint: Paint) -> Around {
    let Remark { at, who, said } = remark;
    let mut writer = Writer::new(trace, &trace.events, View::Story, paint);
    let next = trace.events.partition_point(|event| event.at <= at);
    let mut shown = Vec::new();
    for index in 0..next {
        writer.event(index);
        shown.push((Some(index), std::mem::take(&mut writer.text)));
    }
    shown.retain(|(_, line)| !line.is_empty());
    let marked = shown.len();
    writer.columns(at, who, paint.alarm());
    writer.put(format_args!("{said}\n"));
    shown.push((None, std::mem::take(&mut writer.text)));
    for index in next..trace.events.len() {
        if shown.len() > marked + after {
            break;
        }
        writer.event(index);
        if !writer.text.is_empty() {
            shown.push((Some(index), std::mem::take(&mut writer.text)));
        }
    }
    marking(shown, marked, before, paint)
}

/// Some lines in a row, one of which is marked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Around {
    /// The lines.
    pub text: String,
    /// The marked one alone.
    pub marked: String,
    /// Where the events are that have a line.
    pub positions: Vec<usize>,
}

/// The lines from so many before the marked one on.
fn marking(shown: Vec<(Option<usize>, String)>, marked: usize, before: usize, paint: Paint) -> Around {
    let mut around = Around { text: String::new(), marked: String::new(), positions: Vec::new() };
    for (index, (position, line)) in shown.into_iter().enumerate().skip(marked.saturating_sub(before)) {
        around.positions.extend(position);
        if index == marked {
            let style = paint.alarm();
            around.marked = format!("{style}>{style:#} {line}");
            around.text.push_str(&around.marked);
        } else {
            around.text.push_str("  ");
            around.text.push_str(&line);
        }
    }
    around
}

/// One event with every field, without a line's end.
pub fn line(cast: &Cast, event: &Event) -> String {
    let mut writer = Writer {
        cast,
        events: &[],
        view: View::Everything,
        lost: BTreeSet::new(),
        width: who::who_width(cast),
        is_bare: false,
        is_marked: false,
        gap: None,
        paint: Paint::Plain,
        text: String::new(),
    };
    writer.line(event);
    writer.text.pop();
    writer.text
}

/// One field's value, as a line has it.
pub fn value(cast: &Cast, name: &str, value: Value) -> String {
    Writer {
        cast,
        events: &[],
        view: View::Everything,
        lost: BTreeSet::new(),
        width: 0,
        is_bare: true,
        is_marked: false,
        gap: None,
        paint: Paint::Plain,
        text: String::new(),
    }
    .value(name, value)
}

struct Writer<'a> {
    cast: &'a Cast,
    events: &'a [Event],
    view: View,
    /// Where the frames are that never arrived.
    lost: BTreeSet<usize>,
    width: usize,
    /// Whether only the third column is written.
    is_bare: bool,
    /// Whether the line stands out.
    is_marked: bool,
    /// What is written behind the time.
    gap: Option<Gap>,
    paint: Paint,
    text: String,
}

/// How far a line is from others.
#[derive(Clone, Copy)]
struct Gap {
    /// When the line before was; none for the first, and for what a driver logged.
    before: Option<Instant>,
    /// The instant that matters.
    to: Option<Instant>,
}

/// The width of a distance: `-120.300`, and hours.
const GAP_WIDTH: usize = 10;

/// A distance between two instants, in seconds with its sign.
fn distance(from: Instant, at: Instant) -> String {
    let (sign, span) = if at < from { ('-', from - at) } else { ('+', at - from) };
    format!("{sign}{}", Instant::ZERO + span)
}

impl<'a> Writer<'a> {
    fn new(trace: &'a Trace, events: &'a [Event], view: View, paint: Paint) -> Self {
        let flights = flight::flights(trace).into_iter();
        let lost = flights.filter(|flight| flight.end == FlightEnd::Lost).map(|flight| flight.left).collect();
        let width = who::who_width(&trace.cast);
        let (is_bare, is_marked, gap, text) = (false, false, None, String::new());
        Writer { cast: &trace.cast, events, view, lost, width, is_bare, is_marked, gap, paint, text }
    }

    fn event(&mut self, position: usize) {
        let event = &self.events[position];
        let lost = self.lost.contains(&position);
        let part = match self.view {
            View::Story => part(event),
            View::Everything => Part::Always,
        };
        match (part, &event.what) {
            (Part::Always, What::Commit { commit, .. }) if self.view == View::Story => {
                self.commit(event, *commit, position + 1);
            }
            (Part::Always, _) => self.line(event),
            (Part::WhenLost, _) if lost => self.line(event),
            (Part::WhenLost | Part::InItsCommit | Part::Never, _) => return,
        }
        if lost {
            self.text.pop();
            let style = self.paint.alarm();
            self.put(format_args!("  {style}LOST{style:#}\n"));
        }
    }

    fn line(&mut self, event: &Event) {
        self.head(event);
        let style = self.paint.what(event);
        self.put(format_args!("{style}"));
        self.what(event);
        self.put(format_args!("{style:#}\n"));
    }

    fn head(&mut self, event: &Event) {
        if self.is_bare {
            return;
        }
        let who = who::who(self.cast, event);
        let style = if self.is_marked { self.paint.alarm() } else { self.paint.actor(event.actor) };
        self.columns(event.at, &who, style);
    }

    fn columns(&mut self, at: Instant, who: &str, style: Style) {
        let (width, faint) = (self.width, self.paint.faint());
        self.put(format_args!("{faint}{:>9}", at.to_string()));
        if let Some(Gap { before, to }) = self.gap {
            let before = before.map(|before| distance(before, at)).unwrap_or_default();
            self.put(format_args!("  {before:>GAP_WIDTH$}"));
            if let Some(to) = to {
                self.put(format_args!("  {:>GAP_WIDTH$}", distance(to, at)));
            }
        }
        self.put(format_args!("{faint:#}  {style}{who:<width$}{style:#}  "));
    }

    fn log(&mut self, line: &LogLine) {
        self.is_marked = false;
        self.columns(line.at, if line.who.is_empty() { "-" } else { &line.who }, self.paint.faint());
        self.put(format_args!("{} {}: {}\n", line.level.as_str().to_lowercase(), line.target, line.text));
    }

    /// A commit and its facts on one line; none when all its facts are of no interest.
    fn commit(&mut self, event: &Event, commit: u32, first: usize) {
        let facts: Vec<String> = self.events[first..]
            .iter()
            .map_while(|event| {
                let What::Fact { commit: of, fact } = event.what else { return None };
                (of == commit).then(|| self.fact(&fact))
            })
            .flatten()
            .collect();
        if !facts.is_empty() {
            self.head(event);
            self.put(format_args!("commit {commit} {{{}}}\n", facts.join("; ")));
        }
    }

    /// A fact as a story tells it; none when it follows from others.
    fn fact(&self, fact: &Fact) -> Option<String> {
        let device = |device: &DeviceIndex| self.cast.device_name(*device);
        let user = |user: &UserIndex| self.user(*user);
        let session =
            |user: &UserIndex, device: &DeviceIndex| format!("{}/{}", self.user(*user), self.cast.device_name(*device));
        Some(match fact {
            Fact::AttemptRaised { .. }
            | Fact::LoginAcknowledged { .. }
            | Fact::EndForgotten { .. }
            | Fact::SentForgotten { .. }
            | Fact::MessageOwed { .. }
            | Fact::MessagesReceived { .. } => return None,
            Fact::MessagesDropped { user, device, through, .. } => {
                format!("dropped the messages of {} up to place {through}", session(user, device))
            }
            Fact::AccountCreated { user: who } => format!("account {}", user(who)),
            Fact::SessionAccepted { user, device, epoch, .. } => {
                format!("session accepted {} epoch {epoch}", session(user, device))
            }
            Fact::SessionResumed { user, device, epoch, .. } => {
                format!("session resumed {} epoch {epoch}", session(user, device))
            }
            Fact::SessionRenewed { user, device, epoch, .. } => {
                format!("session renewed {} epoch {epoch}", session(user, device))
            }
            Fact::LinkLost { user, device, epoch, .. } => {
                format!("link lost {} epoch {epoch}", session(user, device))
            }
            Fact::SessionEnded { user, device: of, epoch, reason, by, .. } => {
                let by = by.as_ref().map_or_else(String::new, |by| format!(" by {}", device(by)));
                format!("session ended {} epoch {epoch} {}{by}", session(user, of), reason.word())
            }
            Fact::KickSettled { user, device, epoch } => {
                format!("kick settled {} epoch {epoch}", session(user, device))
            }
            Fact::DeviceForgotten { device: which, .. } => format!("device {} forgotten", device(which)),
            Fact::TicketsVoided { user: who, until } => {
                format!("tickets of {} voided up to {}", user(who), until.get())
            }
            Fact::TicketVoided { user: who, ticket } => {
                format!("ticket {} of {} voided", self.cast.ticket(*ticket).name, user(who))
            }
            Fact::DayCounted { user: who, day, users } => {
                format!("day {day} counted for {}, number {users}", user(who))
            }
            Fact::PresenceChanged { user: who, sequence: number, presence, kicked } => {
                let kicked =
                    kicked.map_or_else(String::new, |list| format!(" kicked {}", self.list(self.cast.list(list))));
                format!("presence {number} {} {}{kicked}", user(who), presence.word())
            }
            Fact::MessageStored { message, from, to, .. } => {
                format!("message {message} {} to {}", user(from), user(to))
            }
        })
    }

    fn word(&mut self, word: &str) {
        self.text.push_str(word);
    }

    fn put(&mut self, arguments: std::fmt::Arguments<'_>) {
        self.text.write_fmt(arguments).expect("a string takes everything");
    }
}
