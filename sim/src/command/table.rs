//! The table of `gatecrash run`: a line per scenario, printed as soon as it is known.
//!
//! Its columns are as wide when a pipe reads them as when a person does.

use std::time::Duration;

use gatecrash_sim::Verdict;
use gatecrash_sim::world::World;

use super::{Colour, paint, thousands};

/// The head of the column of names.
const SCENARIO: &str = "scenario";

/// The columns.
pub struct Table {
    name_width: usize,
    /// Whether lines tell the worlds apart.
    has_worlds: bool,
    colours: bool,
}

/// What a line says.
pub struct Line<'a> {
    /// The scenario.
    pub name: &'a str,
    /// Where it ran.
    pub world: World,
    /// How many devices it has.
    pub devices: usize,
    /// How many events its run had, where there is one.
    pub events: Option<usize>,
    /// How much time passed in the world.
    pub simulated: Option<Duration>,
    /// How long it took.
    pub wall: Duration,
    /// The result.
    pub verdict: Verdict,
    /// What the result is about, such as the rules that were broken.
    pub about: String,
}

impl Table {
    /// A table of scenarios with these names, in so many worlds.
    pub fn new<'a>(names: impl Iterator<Item = &'a str>, worlds: usize, colours: bool) -> Self {
        let name_width = names.map(|name| name.chars().count()).chain([SCENARIO.len()]).max().unwrap_or_default();
        Table { name_width, has_worlds: worlds > 1, colours }
    }

    /// The head.
    pub fn head(&self) -> String {
        let (width, world) = (self.name_width, self.world("world"));
        let line = format!("{SCENARIO:width$}{world}  devices     events    simulated       wall  result");
        paint(&line, Colour::Bold, self.colours)
    }

    /// The column of worlds, where there is one.
    fn world(&self, word: &str) -> String {
        if self.has_worlds { format!("  {word:6}") } else { String::new() }
    }

    /// One line.
    pub fn line(&self, line: &Line<'_>) -> String {
        let (name, devices, width) = (line.name, line.devices, self.name_width);
        let world = self.world(line.world.word());
        let events = line.events.map_or_else(|| "-".to_owned(), |events| thousands(events as u64));
        let simulated = line.simulated.map_or_else(|| "-".to_owned(), |span| seconds(span, 1));
        let wall = seconds(line.wall, 2);
        let (word, colour) = match line.verdict {
            Verdict::Passed => ("passed", Colour::Green),
            Verdict::NothingToJudge => ("NOTHING TO JUDGE", Colour::Red),
            Verdict::NotConverged => ("NOT CONVERGED", Colour::Red),
            Verdict::Missed => ("MISSED", Colour::Red),
            Verdict::Disagrees => ("DISAGREES", Colour::Red),
            Verdict::Violated => ("VIOLATED", Colour::Red),
            Verdict::HarnessFailed => ("HARNESS FAILED", Colour::Red),
        };
        let result = format!("{} {}", paint(word, colour, self.colours), line.about);
        let result = result.trim_end();
        format!("{name:width$}{world}  {devices:>7}  {events:>9}  {simulated:>11}  {wall:>9}  {result}")
    }
}

/// A span in seconds, with so many decimals.
fn seconds(span: Duration, decimals: usize) -> String {
    let text = format!("{:.decimals$}", span.as_secs_f64());
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    format!("{}.{fraction} s", thousands(whole.parse().expect("whole seconds are a number")))
}

/// A span as people say it: its two largest units.
pub fn prose(span: Duration) -> String {
    let whole = span.as_secs();
    match whole {
        0..60 => format!("{:.1} s", span.as_secs_f64()),
        60..3_600 => format!("{} min {} s", whole / 60, whole % 60),
        3_600..86_400 => format!("{} h {} min", whole / 3_600, whole / 60 % 60),
        _ => format!("{} d {} h", thousands(whole / 86_400), whole / 3_600 % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let table = Table::new(["a_rather_long_name", "b"].into_iter(), 1, false);
        let passed = Line {
            name: "b",
            world: World::Packet,
            devices: 2,
            events: Some(1_234),
            simulated: Some(Duration::from_secs(604_800)),
            wall: Duration::from_millis(250),
            verdict: Verdict::Passed,
            about: String::new(),
        };
        let failed = Line {
            name: "a_rather_long_name",
            events: None,
            simulated: None,
            verdict: Verdict::HarnessFailed,
            about: "the world failed".to_owned(),
            ..passed
        };
        insta::assert_snapshot!([table.head(), table.line(&passed), table.line(&failed)].join("\n"), @r#"
        scenario            devices     events    simulated       wall  result
        b                         2      1,234  604,800.0 s     0.25 s  passed
        a_rather_long_name        2          -            -     0.25 s  HARNESS FAILED the world failed
        "#);
    }

    #[test]
    fn worlds_have_a_column_where_there_are_two() {
        let table = Table::new(["a_name"].into_iter(), 2, false);
        let line = Line {
            name: "a_name",
            world: World::Event,
            devices: 2,
            events: Some(1_234),
            simulated: Some(Duration::from_secs(140)),
            wall: Duration::ZERO,
            verdict: Verdict::Disagrees,
            about: String::new(),
        };
        insta::assert_snapshot!([table.head(), table.line(&line)].join("\n"), @r#"
        scenario  world   devices     events    simulated       wall  result
        a_name    event         2      1,234      140.0 s     0.00 s  DISAGREES
        "#);
    }

    #[test]
    fn spans_are_said_in_their_two_largest_units() {
        for (seconds, text) in
            [(0, "0.0 s"), (59, "59.0 s"), (61, "1 min 1 s"), (7_260, "2 h 1 min"), (90_000, "1 d 1 h")]
        {
            assert_eq!(prose(Duration::from_secs(seconds)), text);
        }
    }
}
