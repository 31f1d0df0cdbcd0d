//! Which part of a run a replay shows: the arguments that say so, and what they mean of one run.

use std::ops::RangeInclusive;
use std::time::Duration;

use clap::Args;
use gatecrash::time::Instant;
use gatecrash_sim::Run;
use gatecrash_sim::scenario::{Scenario, nearest, parse_duration};
use gatecrash_sim::search::report;
use gatecrash_sim::trace::select::Selection;
use gatecrash_sim::trace::{DeviceIndex, Trace, UserIndex};

/// How far around a time is looked when nothing is said.
const AROUND: Duration = Duration::from_secs(1);

/// The part that is asked for.
#[derive(Args)]
#[group(id = "lens")]
pub struct Arguments {
    /// Print no event earlier than this
    #[arg(long, value_name = "TIME", value_parser = time)]
    from: Option<Duration>,
    /// Print no event later than this
    #[arg(long, value_name = "TIME", value_parser = time)]
    until: Option<Duration>,
    /// Print what is so near to this time: 2.061s is 2.061s±1s; +- is as good as ±
    #[arg(long, value_name = "TIME[±SPAN]", value_parser = around)]
    around: Option<RangeInclusive<Duration>>,
    /// Of what is left, print the last so many lines; with --json, events
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    last: Option<u32>,
    /// Print what concerns this device: what it does, what is done to it, what names it or its site. May be repeated
    #[arg(long, value_name = "NAME")]
    device: Vec<String>,
    /// Print what concerns this user: what names them, and their calls and sessions. May be repeated
    #[arg(long, value_name = "NAME")]
    user: Vec<String>,
    /// Print what is part of the same call, attempt, session, commit, write, connection, fault or frame as what went wrong
    /// first, or as what happened nearest to a time
    #[arg(long, value_name = "TIME", num_args = 0..=1, require_equals = true, value_parser = time)]
    why: Option<Option<Duration>>,
}

impl Arguments {
    /// How many lines, at most.
    pub fn last(&self) -> Option<usize> {
        self.last.map(|last| last as usize)
    }
}

fn time(text: &str) -> Result<Duration, String> {
    parse_duration(text).ok_or_else(|| "expected a span of time such as 250ms, 12.5s or 1m30s".to_owned())
}

fn around(text: &str) -> Result<RangeInclusive<Duration>, String> {
    let (middle, span) = match text.split_once('±').or_else(|| text.split_once("+-")) {
        Some((middle, span)) => (middle, parse_duration(span)),
        None => (text, Some(AROUND)),
    };
    let range = parse_duration(middle).zip(span).map(|(middle, span)| middle.saturating_sub(span)..=middle + span);
    range.ok_or_else(|| "expected a time, and how far around it, such as 12.5s or 12.5s±200ms".to_owned())
}

/// What they mean, whatever run it is of.
pub struct Lens<'a> {
    arguments: &'a Arguments,
    from: Option<Instant>,
    until: Option<Instant>,
}

/// What of a run is seen.
pub struct Seen {
    /// What every event of it is, but for the last of `chosen`.
    pub selection: Selection,
    /// Of each event of the run, whether it is.
    pub chosen: Vec<bool>,
    /// Where the event is that shows best what went wrong first.
    pub wrong: Option<usize>,
    last: Option<usize>,
}

impl<'a> Lens<'a> {
    /// Refuses what can be of no run of this scenario, in words.
    pub fn new(arguments: &'a Arguments, scenario: &Scenario, is_logged: bool) -> Result<Self, String> {
        let Arguments { from, until, around, device, user, why, .. } = arguments;
        if is_logged && (!user.is_empty() || why.is_some()) {
            let which = if user.is_empty() { "--why" } else { "--user" };
            return Err(format!("a line of a log is no user's and part of nothing: give --log or {which}, not both"));
        }
        for name in device {
            let known = || scenario.devices.keys().map(|known| known.as_str());
            if !known().any(|known| known == name) {
                return Err(format!("there is no device {name}: {}", hint(name, known().collect())));
            }
        }
        let starts = [*from, around.as_ref().map(|around| *around.start())];
        let ends = [*until, around.as_ref().map(|around| *around.end())];
        let (from, until) = (starts.into_iter().flatten().max(), ends.into_iter().flatten().min());
        if let (Some(from), Some(until)) = (from, until)
            && from > until
        {
            let at = |time: Duration| Instant::ZERO + time;
            return Err(format!("nothing is both from {} s on and up to {} s", at(from), at(until)));
        }
        let at = |time: Option<Duration>| time.map(|time| Instant::ZERO + time);
        Ok(Lens { arguments, from: at(from), until: at(until) })
    }

    /// What is seen of this run. Refuses what is not in it, in words.
    pub fn of(&self, run: &Run) -> Result<Seen, String> {
        let Arguments { device, user, why, .. } = self.arguments;
        let trace = &run.trace;
        let devices: Vec<DeviceIndex> = device.iter().filter_map(|name| trace.cast.find_device(name)).collect();
        let users = user.iter().map(|name| find_user(trace, name)).collect::<Result<Vec<UserIndex>, String>>()?;
        let wrong = report::wrong(run);
        let mut selection = Selection { devices, users, ..Selection::default() };
        selection.linked_to = match why {
            None => None,
            Some(None) => match wrong {
                Some(position) => Some(vec![position]),
                None => return Err("nothing went wrong: --why=TIME says what it is to be about".to_owned()),
            },
            Some(Some(time)) => Some(nearest_to(trace, &selection, Instant::ZERO + *time)?),
        };
        (selection.from, selection.until) = (self.from, self.until);
        let chosen = selection.of(trace);
        Ok(Seen { selection, chosen, wrong, last: self.arguments.last() })
    }
}

impl Seen {
    /// Where the events are.
    pub fn positions(&self) -> Vec<usize> {
        let positions: Vec<usize> = (0..self.chosen.len()).filter(|&position| self.chosen[position]).collect();
        let first = self.last.map_or(0, |last| positions.len().saturating_sub(last));
        positions[first..].to_vec()
    }
}

/// The user of this name.
fn find_user(trace: &Trace, name: &str) -> Result<UserIndex, String> {
    let known = trace.cast.users().iter().map(String::as_str);
    trace.cast.find_user(name).ok_or_else(|| format!("there is no user {name}: {}", hint(name, known.collect())))
}

/// The events at the instant nearest to this time at which there are any, to the millisecond that lines show.
fn nearest_to(trace: &Trace, selection: &Selection, time: Instant) -> Result<Vec<usize>, String> {
    let shown = |at: Instant| at.as_micros() / 1_000;
    let chosen = selection.of(trace);
    let positions = || (0..chosen.len()).filter(|&position| chosen[position]);
    let nearest =
        positions().map(|position| shown(trace.events[position].at)).min_by_key(|at| at.abs_diff(shown(time)));
    let nearest = nearest.ok_or_else(|| "no event concerns these devices and users".to_owned())?;
    Ok(positions().filter(|&position| shown(trace.events[position].at) == nearest).collect())
}

/// The name that was probably meant, or all of them.
fn hint(name: &str, known: Vec<&str>) -> String {
    match nearest(name, known.iter().copied()) {
        Some(nearest) => format!("did you mean {nearest}?"),
        None if known.is_empty() => "there is none".to_owned(),
        None => format!("there is {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_something_around_it() {
        let seconds = |from: f64, until: f64| Duration::from_secs_f64(from)..=Duration::from_secs_f64(until);
        assert_eq!(around("12.5s"), Ok(seconds(11.5, 13.5)));
        assert_eq!(around("12.5s±200ms"), Ok(seconds(12.3, 12.7)));
        assert_eq!(around("500ms+-2s"), Ok(seconds(0.0, 2.5)));
        assert!(around("12.5s±").unwrap_err().contains("12.5s±200ms"));
        assert!(around("soon").unwrap_err().contains("12.5s±200ms"));
    }
}
