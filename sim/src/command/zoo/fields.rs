//! `gatecrash zoo --fields`: which field of a trace could be wrong, and who would notice.
//!
//! Changes nothing itself: the zoo does. Adds up what it says, and prints that.

use std::collections::BTreeMap;
use std::io;

use gatecrash_sim::search::workers::Workers;
use gatecrash_sim::trace::What;
use gatecrash_sim::zoo::fields::{self, Changed, Name, Noticed, Open};
use serde::Serialize;

use super::super::files::BadInput;
use super::super::interrupt;
use super::super::{Colour, End, colours, count, paint, say, thousands};
use super::{Arguments, bar};

/// The traces of how many seeds are changed.
const SEEDS: u64 = 500;

/// How much of all changes has to be noticed, in tenths of a percent.
const SHARE_MIN: u64 = 980;

/// How many changes that nobody notices are shown of a field.
const SHOWN_MAX: usize = 3;

/// What came of all changes.
#[derive(Serialize)]
struct Table {
    fields: Vec<Row>,
    /// Seeds whose trace passes and is not too long.
    seeds: u64,
    /// Whether it was told to end before it had finished: what it says is of the seeds so far.
    interrupted: bool,
    changed: u64,
    noticed: u64,
    unnoticed: u64,
    /// As true as what was there before.
    open: u64,
    /// Where a check failed instead of saying something.
    panicked: u64,
}

/// What came of the changes of one field.
#[derive(Serialize)]
struct Row {
    field: String,
    /// Those that are open are not among them.
    changed: u64,
    noticed: u64,
    /// Who noticed, first of all, and how often.
    by: BTreeMap<&'static str, u64>,
    open: u64,
    /// Why those are.
    why: Vec<&'static str>,
    panicked: u64,
    /// Some changes that nobody noticed: the seed, and the event before and after.
    unnoticed: Vec<(u64, serde_json::Value, serde_json::Value)>,
    #[serde(skip)]
    lines: Vec<(u64, String, [String; 2])>,
}

impl Row {
    fn new(field: String) -> Row {
        let (by, why, unnoticed, lines) = (BTreeMap::new(), Vec::new(), Vec::new(), Vec::new());
        Row { field, changed: 0, noticed: 0, by, open: 0, why, panicked: 0, unnoticed, lines }
    }

    fn add(&mut self, change: Changed) {
        let Changed { seed, noticed, lines, .. } = change;
        let mut said = "nobody notices".to_owned();
        match noticed {
            Noticed::Open(&Open { why, .. }) => {
                self.open += 1;
                if !self.why.contains(&why) {
                    self.why.push(why);
                }
                return;
            }
            Noticed::By(property) => {
                self.noticed += 1;
                *self.by.entry(property).or_default() += 1;
            }
            Noticed::Panicked(words) => {
                self.panicked += 1;
                said = words;
            }
            Noticed::Nobody => {}
        }
        self.changed += 1;
        if let Some(lines) = lines
            && self.lines.len() < SHOWN_MAX
        {
            let [before, after] =
                lines.each_ref().map(|line| serde_json::from_str(line).expect("an event's line is JSON"));
            self.unnoticed.push((seed, before, after));
            self.lines.push((seed, said, lines));
        }
    }
}

/// Does it.
pub fn run(arguments: &Arguments) -> End {
    let is_event = |words: &&String| {
        let event = words.split(['.', '/']).next().unwrap_or_default();
        What::WORDS.contains(&event)
    };
    if let Some(unknown) = arguments.only.iter().find(|words| !is_event(words)) {
        let problem =
            format!("no event is called {unknown}: --only takes EVENT, EVENT/WORD or either with .FIELD behind it");
        return BadInput::Refused(problem).report(arguments.json);
    }
    let seeds: Vec<u64> = (arguments.from..arguments.from + arguments.limit.unwrap_or(SEEDS)).collect();
    let bar = bar(arguments, seeds.len() as u64);
    let goes_on = || interrupt::told().is_none();
    let only = arguments.only.clone();
    let is_meant = move |name: &Name| only.is_empty() || only.iter().any(|words| name.is_meant_by(words));
    let (mut changes, mut unnoticed) = (0, 0);
    let all = Workers::new(arguments.jobs).all(
        seeds,
        move |&seed| fields::changed(seed, &is_meant),
        |changed| {
            let changed = changed.as_deref().unwrap_or_default();
            changes += changed.len();
            unnoticed += changed.iter().filter(|change| change.lines.is_some()).count();
            bar.inc(1);
            bar.set_message(format!("{}, {} not noticed", count(changes, "change"), thousands(unnoticed as u64)));
        },
        goes_on,
    );
    bar.finish_and_clear();
    let table = Table::new(all, !goes_on());
    if arguments.json {
        say(serde_json::to_string_pretty(&table).expect("numbers and texts"));
    } else if arguments.markdown {
        table.markdown();
    } else {
        table.print(arguments.show, colours(&io::stdout()));
    }
    if let Some(end) = interrupt::told() {
        return end;
    }
    let is_well = table.panicked == 0 && table.noticed * 1_000 >= table.changed * SHARE_MIN;
    if is_well || !arguments.only.is_empty() { End::Passed } else { End::Violated }
}

impl Table {
    fn new(all: Vec<Option<Vec<Changed>>>, interrupted: bool) -> Table {
        let seeds = all.iter().flatten().count() as u64;
        let mut rows: BTreeMap<Name, Row> = BTreeMap::new();
        for change in all.into_iter().flatten().flatten() {
            rows.entry(change.name).or_insert_with(|| Row::new(change.name.to_string())).add(change);
        }
        let fields: Vec<Row> = rows.into_values().collect();
        let sum = |of: fn(&Row) -> u64| fields.iter().map(of).sum::<u64>();
        let (changed, noticed, panicked) = (sum(|row| row.changed), sum(|row| row.noticed), sum(|row| row.panicked));
        let (open, unnoticed) = (sum(|row| row.open), changed - noticed - panicked);
        Table { fields, seeds, interrupted, changed, noticed, unnoticed, open, panicked }
    }

    fn summary(&self) -> String {
        let Table { changed, noticed, open, panicked, seeds, fields, .. } = self;
        let told = if self.interrupted { "told to end, so far: " } else { "" };
        let panicked =
            if *panicked > 0 { format!(", {} a check that panicked", thousands(*panicked)) } else { String::new() };
        format!(
            "{told}{} of {} noticed, {}{panicked}; {} more open\n{} in the traces of {}",
            thousands(*noticed),
            count(*changed as usize, "change"),
            percent(*noticed, *changed),
            thousands(*open),
            count(fields.len(), "field"),
            count(*seeds as usize, "seed"),
        )
    }

    fn print(&self, shows: bool, colours: bool) {
        let width = self.fields.iter().map(|row| row.field.len()).max().unwrap_or(0);
        let head = format!("{:width$}  {:>8}  {:>8}  {:>7}  noticed by", "field", "changes", "noticed", "open");
        say(paint(&head, Colour::Bold, colours));
        for row in &self.fields {
            let share = percent(row.noticed, row.changed);
            let share = format!("{share:>8}");
            let share = if row.noticed < row.changed { paint(&share, Colour::Red, colours) } else { share };
            let (field, changed, open) = (&row.field, thousands(row.changed), thousands(row.open));
            say(format_args!("{field:width$}  {changed:>8}  {share}  {open:>7}  {}", most(row)));
            if shows {
                for (seed, said, [before, after]) in &row.lines {
                    say(format_args!("  seed {seed}: {said}\n    - {before}\n    + {after}"));
                }
            }
        }
        say(format_args!("\n{}", self.summary()));
    }

    /// A line for each field of an event, whatever else the event carries: people look for the holes.
    fn markdown(&self) {
        let mut groups: BTreeMap<String, Row> = BTreeMap::new();
        for row in &self.fields {
            let name = group(&row.field);
            let sum = groups.entry(name.clone()).or_insert_with(|| Row::new(name));
            sum.changed += row.changed;
            sum.noticed += row.noticed;
            sum.open += row.open;
            for (&property, &number) in &row.by {
                *sum.by.entry(property).or_default() += number;
            }
        }
        say("| field | changes | noticed | open | noticed by, most often first of all |");
        say("|---|--:|--:|--:|---|");
        for row in groups.values() {
            let (changed, open) = (thousands(row.changed), thousands(row.open));
            let share = percent(row.noticed, row.changed);
            say(format_args!("| `{}` | {changed} | {share} | {open} | {} |", row.field, most(row)));
        }
        say(format_args!("\n{}.", self.summary().replace('\n', ". ")));
    }
}

/// The field without what its event carries; the same of every event where every event has it.
fn group(field: &str) -> String {
    let (event, name) = field.rsplit_once('.').unwrap_or((field, ""));
    match name {
        "at" | "actor" | "nth" => name.to_owned(),
        _ => format!("{}.{name}", event.split('/').next().unwrap_or(event)),
    }
}

/// Who noticed most often.
fn most(row: &Row) -> &'static str {
    row.by.iter().max_by_key(|(_, number)| **number).map_or("", |(property, _)| *property)
}

/// The share in percent, with one digit behind the point; never 100.0 where something is missing.
fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "-".to_owned();
    }
    let tenths = part * 1_000 / whole;
    format!("{}.{} %", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_grouped_with_those_of_its_event() {
        assert_eq!(group("told/kicked_offline.reason"), "told.reason");
        assert_eq!(group("commit.wall"), "commit.wall");
        assert_eq!(group("fact/presence.at"), "at");
    }

    #[test]
    fn a_share_is_rounded_down() {
        assert_eq!(percent(0, 0), "-");
        assert_eq!(percent(1_999, 2_000), "99.9 %");
        assert_eq!(percent(5, 5), "100.0 %");
    }
}
