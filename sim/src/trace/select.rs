//! A part of a trace: the events of a time, of devices, of users, or those that hang together with some.
//!
//! Shows nothing: `render` and `json` do. Which events are chosen for what hangs together with them, the caller decides.

use gatecrash::time::Instant;

use super::cast::List;
use super::index::{DeviceIndex, UserIndex};
use super::log::LogLine;
use super::{Actor, Cast, Event, Trace, Value, What, ties};

/// What an event must be to be part of it: all of what is said here. Nothing said is everything.
///
/// ```
/// use gatecrash::time::Instant;
/// use gatecrash_sim::trace::select::Selection;
/// use gatecrash_sim::{generate, run, world::World};
///
/// let trace = run(&generate::scenario(17), World::Event).unwrap().trace;
/// let until = Some(Instant::from_micros(500_000));
/// let chosen = Selection { until, ..Selection::default() }.of(&trace);
/// assert_eq!(chosen.iter().filter(|&&is_chosen| is_chosen).count(), trace.events.partition_point(|event| Some(event.at) <= until));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Not earlier than this.
    pub from: Option<Instant>,
    /// Not later than this.
    pub until: Option<Instant>,
    /// Of one of these devices, where there are any: what it does, what is done to it, what names it or its site.
    pub devices: Vec<DeviceIndex>,
    /// Of one of these users, where there are any: what names them, and what is part of a call or session of theirs.
    pub users: Vec<UserIndex>,
    /// Part of a call, attempt, session, commit, write, connection, fault or frame that one of the events at these
    /// positions is part of, where that is asked.
    pub linked_to: Option<Vec<usize>>,
}

impl Selection {
    /// Of each event, whether it is part of it. A commit and its facts are one: all of them are, or none.
    pub fn of(&self, trace: &Trace) -> Vec<bool> {
        let mut chosen: Vec<bool> = trace.events.iter().map(|event| self.is_in_time(event.at)).collect();
        let mut keep = |is_wanted: &dyn Fn(usize, &Event) -> bool| {
            for (position, event) in trace.events.iter().enumerate() {
                chosen[position] &= is_wanted(position, event);
            }
        };
        if !self.devices.is_empty() {
            keep(&|_, event| self.devices.iter().any(|&device| is_about(&trace.cast, event, device)));
        }
        if !self.users.is_empty() {
            let theirs = ties::of_users(trace, &self.users);
            keep(&|position, _| theirs.contains(&position));
        }
        if let Some(positions) = &self.linked_to {
            let linked = ties::linked(trace, positions);
            keep(&|position, _| linked.contains(&position));
        }
        whole_commits(trace, &mut chosen);
        chosen
    }

    /// The lines of a log that are of its time and devices. A line is of no user, and hangs together with nothing.
    pub fn of_log(&self, cast: &Cast, log: Vec<LogLine>) -> Vec<LogLine> {
        let is_of = |line: &LogLine| {
            self.devices.is_empty() || self.devices.iter().any(|&device| cast.device_name(device) == line.who)
        };
        log.into_iter().filter(|line| self.is_in_time(line.at) && is_of(line)).collect()
    }

    fn is_in_time(&self, at: Instant) -> bool {
        self.from.is_none_or(|from| from <= at) && self.until.is_none_or(|until| at <= until)
    }
}

/// A commit is told with all of its facts.
fn whole_commits(trace: &Trace, chosen: &mut [bool]) {
    let mut position = 0;
    while position < chosen.len() {
        let start = position;
        position += 1;
        if let What::Commit { .. } = trace.events[start].what {
            let facts = trace.events[position..].iter().take_while(|event| matches!(event.what, What::Fact { .. }));
            position += facts.count();
            let is_any = chosen[start..position].contains(&true);
            chosen[start..position].fill(is_any);
        }
    }
}

/// Whether it is this device's, or names it or its site.
fn is_about(cast: &Cast, event: &Event, device: DeviceIndex) -> bool {
    let mut is_about = event.actor == Actor::Device(device);
    let site = cast.devices()[device.index()].site;
    event.what.fields(&mut |_, value| {
        is_about |= match value {
            Value::Device(named) => named == device,
            Value::Site(named) => named == site,
            Value::List(list) => match cast.list(list) {
                List::Devices(devices) => devices.contains(&device),
                List::Report(lines) => lines.iter().flat_map(|line| &line.devices).any(|line| line.device == device),
                List::Users(_) | List::Conversations(_) => false,
            },
            _ => false,
        };
    });
    is_about
}
