//! `gatecrash zoo --properties`: which property earns its place.
//!
//! Judges nothing itself: the zoo does. Adds up what it says, and prints that.

use std::io;
use std::time::Duration;

use gatecrash_sim::check::property;
use gatecrash_sim::generate;
use gatecrash_sim::search::workers::Workers;
use gatecrash_sim::zoo::needed::{self, Objections, Use};
use gatecrash_sim::zoo::{BUGS, DRIVER_BUGS};
use serde::Serialize;

use super::super::interrupt;
use super::super::{Colour, End, colours, count, paint, say};
use super::{Arguments, bar};

/// On how many seeds each bug is looked at, from the one on that is known to show it.
const SEEDS: u64 = 100;

/// How many that show it are enough.
const SHOWN: usize = 5;

/// How many bugs are named in a cell.
const NAMED_MAX: usize = 4;

/// What came of it.
#[derive(Serialize)]
struct Table {
    properties: Vec<Row>,
    bugs: usize,
    /// Those that no seed showed.
    unseen: Vec<&'static str>,
    /// How many seeds showed one.
    runs: usize,
    interrupted: bool,
    /// The properties without which nothing is worse.
    needless: usize,
}

/// One property, by the names of bugs.
#[derive(Serialize)]
struct Row {
    property: &'static str,
    sees: Vec<&'static str>,
    tells: Vec<&'static str>,
    tells_better: Vec<&'static str>,
    sees_alone: Vec<&'static str>,
    needed: bool,
}

/// Does it.
pub fn run(arguments: &Arguments) -> End {
    let is_meant =
        |id: &str| arguments.only.is_empty() || arguments.only.iter().any(|one| one.eq_ignore_ascii_case(id));
    let bugs: Vec<_> = BUGS.iter().chain(DRIVER_BUGS).filter(|bug| is_meant(bug.id)).collect();
    let bar = bar(arguments, bugs.len() as u64);
    let seeds = arguments.limit.unwrap_or(SEEDS);
    let goes_on = || interrupt::told().is_none();
    let all = Workers::new(arguments.jobs).all(
        bugs,
        move |&bug| needed::objections(bug, seeds, SHOWN),
        |objections| {
            bar.inc(1);
            bar.set_message(objections.bug);
        },
        goes_on,
    );
    bar.finish_and_clear();
    let table = Table::new(&all, !goes_on());
    if arguments.json {
        say(serde_json::to_string_pretty(&table).expect("numbers and texts"));
    } else if arguments.markdown {
        table.markdown();
    } else {
        table.print(colours(&io::stdout()));
    }
    if let Some(end) = interrupt::told() {
        return end;
    }
    let is_well = table.unseen.is_empty() && (table.needless == 0 || !arguments.only.is_empty());
    if is_well { End::Passed } else { End::Violated }
}

impl Table {
    fn new(all: &[Objections], interrupted: bool) -> Table {
        let mut uses = needed::uses(all);
        let properties = property::all(&generate::scenario(0), Duration::ZERO);
        let rows = properties.iter().map(|property| Row::new(property.name(), uses.remove(property.name())));
        let properties: Vec<Row> = rows.collect();
        Table {
            bugs: all.len(),
            unseen: all.iter().filter(|bug| bug.runs.is_empty()).map(|bug| bug.bug).collect(),
            runs: all.iter().map(|bug| bug.runs.len()).sum(),
            interrupted,
            needless: properties.iter().filter(|row| !row.needed).count(),
            properties,
        }
    }

    fn summary(&self) -> String {
        let Table { bugs, unseen, runs, interrupted, needless, properties } = self;
        let told = if *interrupted { "told to end, so far: " } else { "" };
        let unseen = if unseen.is_empty() { String::new() } else { format!("; not seen: {}", unseen.join(", ")) };
        format!(
            "{told}{} on {} that show them{unseen}\n{} of {} properties without which nothing is worse",
            count(*bugs, "bug"),
            count(*runs, "seed"),
            needless,
            properties.len(),
        )
    }

    fn print(&self, colours: bool) {
        let head = format!("{:>6}  {:>6}  {:>6}  {:>6}  property", "sees", "tells", "better", "alone");
        say(paint(&head, Colour::Bold, colours));
        for row in &self.properties {
            let Row { property, sees, tells, tells_better, sees_alone, needed } = row;
            let [sees, tells, better, alone] = [sees, tells, tells_better, sees_alone].map(|bugs| bugs.len());
            let property = if *needed { (*property).to_owned() } else { paint(property, Colour::Red, colours) };
            say(format_args!("{sees:>6}  {tells:>6}  {better:>6}  {alone:>6}  {property}"));
        }
        say(format_args!("\n{}", self.summary()));
    }

    fn markdown(&self) {
        say("| property | sees | tells | tells better | sees alone |");
        say("|---|--:|--:|---|---|");
        for row in &self.properties {
            let Row { property, sees, tells, tells_better, sees_alone, .. } = row;
            let (better, alone) = (names(tells_better), names(sees_alone));
            say(format_args!("| {property} | {} | {} | {better} | {alone} |", sees.len(), tells.len()));
        }
        say(format_args!("\n{}.", self.summary().replace('\n', ". ")));
    }
}

impl Row {
    fn new(property: &'static str, what: Option<Use>) -> Row {
        let what = what.unwrap_or_default();
        let needed = what.is_needed();
        let Use { sees, tells, tells_better, sees_alone } = what;
        Row { property, sees, tells, tells_better, sees_alone, needed }
    }
}

/// The first of the bugs, and how many more there are.
fn names(bugs: &[&str]) -> String {
    let (first, more) = bugs.split_at(bugs.len().min(NAMED_MAX));
    let more = if more.is_empty() { String::new() } else { format!(" and {} more", more.len()) };
    format!("{}{more}", first.join(", "))
}
