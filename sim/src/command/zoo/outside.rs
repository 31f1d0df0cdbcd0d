//! `gatecrash zoo --observe`: which bugs an application's own log shows.
//!
//! Judges nothing itself: `judge` does, by what somebody outside sees of each run.

use std::io;

use gatecrash_sim::history::Channels;
use gatecrash_sim::search::workers::Workers;
use gatecrash_sim::zoo::{self, BUGS, Bug, CatchOutside, DRIVER_BUGS, HARD_BUGS};
use serde::Serialize;

use super::super::interrupt;
use super::super::{Colour, End, colours, count, paint, say};
use super::{Arguments, bar};

/// After how many seeds a bug counts as not seen from outside.
const SEEDS: u64 = 2_000;

/// What came of it.
#[derive(Serialize)]
struct Table {
    observes: Vec<&'static str>,
    bugs: Vec<Row>,
    seen: usize,
    interrupted: bool,
}

/// One bug.
#[derive(Serialize)]
struct Row {
    id: &'static str,
    name: &'static str,
    seed: Option<u64>,
    seeds: Option<u64>,
    rule: Option<&'static str>,
    instead: Option<String>,
}

/// Does it.
pub fn run(arguments: &Arguments, observes: Channels) -> End {
    let is_meant =
        |id: &str| arguments.only.is_empty() || arguments.only.iter().any(|one| one.eq_ignore_ascii_case(id));
    let all = match (arguments.hard, arguments.drivers) {
        (true, _) => HARD_BUGS,
        (false, true) => DRIVER_BUGS,
        (false, false) => BUGS,
    };
    let bugs: Vec<&'static Bug> = all.iter().filter(|bug| is_meant(bug.id)).collect();
    let bar = bar(arguments, bugs.len() as u64);
    let seeds = arguments.from..arguments.from + arguments.limit.unwrap_or(SEEDS);
    let goes_on = || interrupt::told().is_none();
    let rows = Workers::new(arguments.jobs).all(
        bugs,
        move |&bug| Row::new(bug, zoo::hunt_outside(bug, observes, seeds.clone())),
        |row| {
            bar.inc(1);
            bar.set_message(row.id);
        },
        goes_on,
    );
    bar.finish_and_clear();
    let seen = rows.iter().filter(|row| row.seed.is_some()).count();
    let observes = observes.iter().map(|channel| channel.word()).collect();
    let table = Table { observes, bugs: rows, seen, interrupted: !goes_on() };
    if arguments.json {
        say(serde_json::to_string_pretty(&table).expect("numbers and texts"));
    } else {
        table.print(arguments.markdown, colours(&io::stdout()));
    }
    interrupt::told().unwrap_or(if table.seen > 0 { End::Passed } else { End::Violated })
}

impl Row {
    fn new(bug: &Bug, caught: Option<CatchOutside>) -> Row {
        let (mut seed, mut seeds, mut rule, mut instead) = (None, None, None, None);
        if let Some(caught) = caught {
            (seed, seeds) = (Some(caught.seed), Some(caught.seeds));
            (rule, instead) = (Some(caught.rule.as_str()), Some(caught.text));
        }
        Row { id: bug.id, name: bug.what, seed, seeds, rule, instead }
    }
}

impl Table {
    fn print(&self, markdown: bool, colours: bool) {
        let shown = |seeds: Option<u64>| seeds.map_or_else(|| "-".to_owned(), |seeds| seeds.to_string());
        if markdown {
            say("| bug | what is broken | seeds | rule | the first sentence from outside |\n|---|---|--:|---|---|");
        }
        for Row { id, name, seeds, rule, instead, .. } in &self.bugs {
            let (seeds, rule) = (shown(*seeds), rule.unwrap_or("-"));
            let instead = instead.as_deref().unwrap_or("not seen from outside");
            match markdown {
                true => say(format_args!("| {id} | {name} | {seeds} | {rule} | {instead} |")),
                false => {
                    let line = format!("{id:<4} {seeds:>6}  {rule:<9} {name}");
                    say(if seeds == "-" { paint(&line, Colour::Red, colours) } else { line });
                    if seeds != "-" {
                        say(format_args!("                       {instead}"));
                    }
                }
            }
        }
        let told = if self.interrupted { "told to end, so far: " } else { "" };
        let channels = self.observes.join(", ");
        say(format_args!(
            "\n{told}{} of {} seen from outside, by {channels}",
            self.seen,
            count(self.bugs.len(), "bug")
        ));
    }
}
