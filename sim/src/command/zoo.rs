//! `gatecrash zoo`: systems that are broken on purpose, and how soon each is caught.

mod book;
mod fields;
mod outside;
mod print;
mod properties;

use std::num::NonZeroUsize;
use std::ops::Range;
use std::time::{Duration, Instant};

use clap::Args;
use gatecrash_sim::history::Channels;
use gatecrash_sim::report as reports;
use gatecrash_sim::search::report::{self, Case};
use gatecrash_sim::search::workers::{self, Workers};
use gatecrash_sim::world::World;
use gatecrash_sim::zoo::{self, BUGS, Bug, Catch, DRIVER_BUGS, HARD_BUGS, HARD_DRIVER_BUGS, OPEN_BUGS};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use self::book::{Book, Over};
use super::files::BadInput;
use super::interrupt;
use super::report::Wanted;
use super::{End, count, say};

/// How many seed blocks each bug is hunted in, and each of the hard ones, which take as long in one as others in five.
const BLOCKS: u64 = 5;
const HARD_BLOCKS: u64 = 1;

/// After how many seeds a hard bug is given up.
const HARD_LIMIT: u64 = 5_000;

/// Where the next block begins: no bug may take more seeds than that.
const BLOCK_SEEDS: u64 = 100_000;

/// What the median of all medians may be.
const MEDIAN_MAX: u64 = 2_000;

/// How many seeds a worker takes at a time when it looks for false alarms.
const CHUNK_SEEDS: u64 = 100;

/// Hunt bugs that were planted on purpose
///
/// Each bug of the zoo is a broken server or SDK. It runs on drawn scenarios, seed by seed, until a
/// property names it, in five blocks of seeds that have none in common; the median counts. The unbroken
/// system runs on the same seeds: whatever is named there is a false alarm. Passes when every bug is
/// caught by a property that ought to catch it, within bounds, and there is no false alarm.
#[derive(Args)]
#[command(after_help = "\
Examples:
  gatecrash zoo                      hunt all of them
  gatecrash zoo --only F12           hunt one
  gatecrash zoo --only F01 --only D2 or two
  gatecrash zoo --drivers            hunt those of the drivers, in the packet world
  gatecrash zoo --hard               hunt those that show only where several things come together
  gatecrash zoo --list               say what they are, and hunt none
  gatecrash zoo --from 500000        hunt in other seeds
  gatecrash zoo --only F12 --show    what does it do?
  gatecrash zoo --limit 500          give up on a bug after 500 seeds of a block
  gatecrash zoo --json | jq .bugs    for programs
  gatecrash zoo --report DIR         for CI: JUnit, SARIF, a summary
  gatecrash zoo --markdown           the table of docs/zoo.md
  gatecrash zoo --fields             of each field of a trace: who would notice if it were wrong?
  gatecrash zoo --fields --only told/kicked_offline --show
                                     which changes of these does nobody notice?
  gatecrash zoo --fields --markdown  the table of docs/fields.md
  gatecrash zoo --observe calls,events
                                     which of them does an application's own log show?
  gatecrash zoo --properties         of each property: what would be missed, or told worse, without it?")]
pub struct Arguments {
    /// Hunt this one only; may be given more than once. With --fields an event, or EVENT.FIELD
    #[arg(long, value_name = "ID")]
    only: Vec<String>,
    /// Hunt nothing: change one field of one event in traces that pass, and say who notices
    #[arg(long, conflicts_with_all = ["list", "blocks", "unshrunk", "drivers", "folder"])]
    fields: bool,
    /// Hunt nothing: run each bug on seeds that show it, and say which properties it takes to see and tell them all
    #[arg(long, conflicts_with_all = ["list", "blocks", "unshrunk", "drivers", "fields", "show", "folder"])]
    properties: bool,
    /// Judge what somebody outside would have recorded of each run, and nothing else: channels with commas between them
    #[arg(long, value_name = "CHANNELS", conflicts_with_all = ["list", "blocks", "show", "folder", "fields", "properties"])]
    observe: Option<Channels>,
    /// Hunt the bugs of drivers, on seeds of the profile `dense` in the packet world
    #[arg(long, conflicts_with = "only")]
    drivers: bool,
    /// Hunt the harder bugs, which show only where several things come together: in one block of 5,000 seeds, and shrink
    /// nothing, unless told otherwise. With --drivers those of the drivers
    #[arg(long, conflicts_with_all = ["only", "fields"])]
    hard: bool,
    /// Say what the bugs are, and hunt none
    #[arg(long, conflicts_with_all = ["json", "markdown", "folder"])]
    list: bool,
    /// Show the smallest scenario that each of them breaks, and how, and hunt on no further. With --fields, some changes
    /// that nobody notices
    #[arg(long, conflicts_with_all = ["json", "markdown", "list", "folder"])]
    show: bool,
    /// Give up on a bug after so many seeds of a block, by default 100,000, and 5,000 on a hard one. With --fields, change
    /// the traces of so many seeds, by default 500. With --properties, look at a bug on so many, by default 100
    #[arg(long, value_name = "SEEDS", value_parser = clap::value_parser!(u64).range(1..=BLOCK_SEEDS))]
    limit: Option<u64>,
    /// Where the first block of seeds begins
    #[arg(long, value_name = "SEED", default_value_t = 0, value_parser = clap::value_parser!(u64).range(..=1 << 60))]
    from: u64,
    /// In how many blocks of seeds to hunt, by default five
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=99))]
    blocks: Option<u64>,
    /// Shrink nothing
    #[arg(long)]
    unshrunk: bool,
    /// How many seeds to run at a time; it changes nothing but the time taken
    #[arg(long, value_name = "N", default_value_t = workers::cores())]
    jobs: NonZeroUsize,
    /// Print one JSON object instead of the table
    #[arg(long, conflicts_with = "markdown")]
    json: bool,
    /// Print the table as Markdown, as it is published
    #[arg(long)]
    markdown: bool,
    #[command(flatten)]
    report: Wanted,
}

/// What came of all hunts.
#[derive(Serialize)]
struct Zoo {
    bugs: Vec<Hunted>,
    /// Those that were not hunted in any block, because it was told to end.
    not_hunted: Vec<&'static str>,
    /// Whether it was told to end before it had finished: what it says is of the blocks so far.
    interrupted: bool,
    caught: usize,
    right: usize,
    /// Of how many the rules are written down that they break, and how many of those are first told by one of them.
    with_rules: usize,
    named: usize,
    /// The median of the bugs' medians, where all are caught.
    median_of_medians: Option<u64>,
    /// Seeds on which the unbroken system ran.
    seeds_unbroken: u64,
    /// How long the slowest of all shrinks took, in milliseconds.
    slowest_shrink_ms: u128,
    false_alarms: usize,
    false_alarm_seeds: Vec<u64>,
}

/// What came of hunting one bug.
#[derive(Serialize)]
struct Hunted {
    id: &'static str,
    what: &'static str,
    source: &'static str,
    /// Whether it was caught in every block.
    caught: bool,
    /// The median of the blocks; none where it was not caught in more than half of them.
    median_seeds: Option<u64>,
    /// After how many seeds it was caught in each block.
    seeds: Vec<Option<u64>>,
    /// What named it first in the block of the median.
    property: Option<String>,
    rule: Option<&'static str>,
    /// The rules that it breaks.
    rules: &'static [&'static str],
    /// Whether, in every block, what named it first is one of those that ought to.
    right: bool,
    /// What named it first in the other blocks, where that is something else.
    also: Vec<String>,
    /// The seed of the block of the median.
    seed: Option<u64>,
    /// How many steps that seed's scenario has, and how many are left of them.
    steps: Option<usize>,
    steps_after_shrinking: Option<usize>,
    /// How many steps are left in each block.
    steps_after_shrinking_by_block: Vec<Option<usize>>,
    /// How long shrinking took in each block, in milliseconds.
    shrink_ms_by_block: Vec<Option<u128>>,
}

/// A catch, and if it was shrunk, how many steps were left of its scenario and how long that took.
type Shown = (Catch, Option<(usize, Duration)>);

#[expect(clippy::disallowed_methods, reason = "how long people wait shows in no run")]
fn shrink(bug: &Bug, catch: Catch) -> Shown {
    let start = Instant::now();
    let steps = zoo::shrunk(bug, &catch).scenario.steps.len();
    (catch, Some((steps, start.elapsed())))
}

/// Hunts the bug in the first block, and shows how it is named in the smallest scenario.
fn show(bug: &Bug, seeds: Range<u64>) -> End {
    let limit = seeds.end - seeds.start;
    let Some(catch) = zoo::hunt(bug, seeds) else {
        say(format_args!("{}: nothing names it in {}", bug.id, count(limit as usize, "seed")));
        return End::Violated;
    };
    let scenario = zoo::shrunk(bug, &catch).scenario;
    say(format_args!("{}: {}", bug.id, bug.what));
    let left = count(scenario.steps.len(), "step");
    say(format_args!("seed {}, {}, shrunk to {left}\n\n{scenario}", catch.seed, count(catch.steps, "step")));
    let case = Case { path: bug.id, scenario: &scenario, world: bug.world(), seed: None };
    let told = match zoo::run(bug, &scenario) {
        Ok(run) => report::failure(&case, &run).expect("it is named"),
        Err(error) => report::harness_failure(&case, &error),
    };
    // There is no file yet, and the product passes it.
    let command = report::command_line("replay");
    let lines: Vec<&str> = told.lines().filter(|line| !line.trim_start().starts_with(&command)).collect();
    say(lines.join("\n"));
    End::Passed
}

impl Hunted {
    fn new(bug: &Bug, blocks: &[Option<Shown>]) -> Hunted {
        let mut catches: Vec<Option<&Shown>> = blocks.iter().map(Option::as_ref).collect();
        catches.sort_by_key(|shown| shown.map_or(u64::MAX, |(catch, ..)| catch.seeds));
        let median = catches[catches.len() / 2];
        let property = median.map(|(catch, ..)| catch.by().said().to_owned());
        let mut also: Vec<String> = blocks.iter().flatten().map(|(catch, ..)| catch.by().said().to_owned()).collect();
        also.sort_unstable();
        also.dedup();
        also.retain(|other| Some(other) != property.as_ref());
        let caught = blocks.iter().all(Option::is_some);
        let shrunk = blocks.iter().map(|shown| shown.as_ref()?.1);
        Hunted {
            id: bug.id,
            what: bug.what,
            source: bug.source,
            caught,
            median_seeds: median.map(|(catch, ..)| catch.seeds),
            seeds: blocks.iter().map(|shown| shown.as_ref().map(|(catch, ..)| catch.seeds)).collect(),
            property,
            rule: median.and_then(|(catch, ..)| catch.by().rule()).map(|rule| rule.as_str()),
            rules: bug.rules(),
            right: caught && blocks.iter().flatten().all(|(catch, ..)| catch.is_right(bug)),
            also,
            seed: median.map(|(catch, ..)| catch.seed),
            steps: median.map(|(catch, ..)| catch.steps),
            steps_after_shrinking: median.and_then(|(_, shrunk)| shrunk.map(|(steps, _)| steps)),
            steps_after_shrinking_by_block: shrunk.clone().map(|shrunk| Some(shrunk?.0)).collect(),
            shrink_ms_by_block: shrunk.map(|shrunk| Some(shrunk?.1.as_millis())).collect(),
        }
    }
}

/// Does it.
#[expect(clippy::disallowed_methods, reason = "how long the hunts took is told to people, and decides none")]
pub fn run(arguments: &Arguments) -> End {
    let start = Instant::now();
    if arguments.fields {
        return fields::run(arguments);
    }
    if let Some(observes) = arguments.observe {
        return outside::run(arguments, observes);
    }
    if arguments.properties {
        return properties::run(arguments);
    }
    let limit = arguments.limit.unwrap_or(if arguments.hard { HARD_LIMIT } else { BLOCK_SEEDS });
    let blocks = arguments.blocks.unwrap_or(if arguments.hard { HARD_BLOCKS } else { BLOCKS });
    let unknown: Vec<&str> = arguments.only.iter().map(String::as_str).filter(|id| Bug::find(id).is_none()).collect();
    if let [first, ..] = unknown[..] {
        let problem = format!("there is no bug {first}: `gatecrash zoo --list` says which there are");
        return Book::refuse(&arguments.report, &BadInput::Refused(problem), arguments.json);
    }
    let is_meant =
        |bug: &&Bug| arguments.only.is_empty() || arguments.only.iter().any(|id| id.eq_ignore_ascii_case(bug.id));
    let there: &[&'static [Bug]] = match (arguments.hard, arguments.drivers, &arguments.only[..]) {
        (false, true, _) => &[DRIVER_BUGS],
        (true, true, _) => &[HARD_DRIVER_BUGS],
        (false, false, []) => &[BUGS],
        (true, false, _) => &[HARD_BUGS],
        (false, false, _) => &[BUGS, DRIVER_BUGS, HARD_BUGS, HARD_DRIVER_BUGS, OPEN_BUGS],
    };
    let bugs: Vec<&'static Bug> = there.iter().copied().flatten().filter(is_meant).collect();
    if arguments.list {
        bugs.iter().for_each(|bug| say(format_args!("{:<5} {}", bug.id, bug.what)));
        return End::Passed;
    }

    if arguments.show {
        let ends: Vec<End> = bugs.iter().map(|bug| show(bug, seeds(arguments.from, 0, limit))).collect();
        return if ends.contains(&End::Violated) { End::Violated } else { End::Passed };
    }

    let blank = reports::Zoo { blocks, from: arguments.from, limit, ..reports::Zoo::default() };
    let book = match Book::begin(&arguments.report, &bugs, blank, arguments.json) {
        Ok(book) => book,
        Err(bad_input) => return bad_input.report(arguments.json),
    };

    // Block by block, so that no thread is left alone with the slow ones of the last bug.
    let hunts: Vec<(&'static Bug, u64)> =
        (0..blocks).flat_map(|block| bugs.iter().map(move |&bug| (bug, block))).collect();
    let bar = bar(arguments, hunts.len() as u64);
    bar.set_message(format!("{} of hunting", count(hunts.len(), "block")));
    let workers = Workers::new(arguments.jobs);
    let goes_on = || interrupt::told().is_none();
    let mut caught = 0;
    let (from, unshrunk) = (arguments.from, arguments.unshrunk || arguments.hard);
    let catches = workers.all(
        hunts.clone(),
        move |&(bug, block)| {
            let catch = zoo::hunt(bug, seeds(from, block, limit))?;
            Some(if unshrunk { (catch, None) } else { shrink(bug, catch) })
        },
        |catch| {
            caught += usize::from(catch.is_some());
            bar.inc(1);
            bar.set_message(format!("{caught} caught"));
        },
        goes_on,
    );
    let (bugs, not_hunted) = bugs.split_at(bugs.len().min(catches.len()));
    let of = |bug: &Bug| -> Vec<Option<Shown>> {
        hunts.iter().zip(&catches).filter(|((one, _), _)| one.id == bug.id).map(|(_, catch)| catch.clone()).collect()
    };
    let hunted: Vec<Hunted> = bugs.iter().map(|bug| Hunted::new(bug, &of(bug))).collect();

    // The same seeds, and nothing is broken.
    let chunks: Vec<(World, Range<u64>)> = [World::Event, World::Packet]
        .into_iter()
        .flat_map(|world| {
            let of_world: Vec<&Hunted> =
                hunted.iter().zip(bugs).filter_map(|(hunted, bug)| (bug.world() == world).then_some(hunted)).collect();
            let chunks = (0..blocks).flat_map(move |block| chunks(seeds(from, block, needed(block, &of_world, limit))));
            chunks.map(move |chunk| (world, chunk))
        })
        .collect();
    bar.set_length(chunks.len() as u64);
    bar.set_position(0);
    bar.set_message("on the same seeds: false alarms?");
    let alarms = workers.all(
        chunks.clone(),
        |(world, chunk)| chunk.clone().filter(|&seed| zoo::false_alarm(*world, seed).is_some()).collect::<Vec<u64>>(),
        |_| bar.inc(1),
        goes_on,
    );
    bar.finish_and_clear();
    let of_worlds = chunks.iter().zip(&alarms).flat_map(|((world, _), seeds)| seeds.iter().map(|&seed| (*world, seed)));
    let of_worlds: Vec<(World, u64)> = of_worlds.collect();
    let false_alarm_seeds = alarms.concat();
    let zoo = Zoo {
        caught: hunted.iter().filter(|bug| bug.caught).count(),
        right: hunted.iter().filter(|bug| bug.right).count(),
        with_rules: hunted.iter().filter(|bug| bug.caught && !bug.rules.is_empty()).count(),
        named: hunted.iter().filter(|bug| bug.rule.is_some_and(|rule| bug.rules.contains(&rule))).count(),
        median_of_medians: median_of(&hunted),
        slowest_shrink_ms: hunted
            .iter()
            .flat_map(|bug| &bug.shrink_ms_by_block)
            .flatten()
            .copied()
            .max()
            .unwrap_or_default(),
        seeds_unbroken: chunks.iter().take(alarms.len()).map(|(_, chunk)| chunk.end - chunk.start).sum(),
        false_alarms: false_alarm_seeds.len(),
        false_alarm_seeds,
        not_hunted: not_hunted.iter().map(|bug| bug.id).collect(),
        interrupted: !goes_on(),
        bugs: hunted,
    };
    print::zoo(&zoo, arguments);
    let is_within = zoo.median_of_medians.is_some_and(|median| median <= MEDIAN_MAX);
    let is_well = zoo.right == zoo.bugs.len() && zoo.false_alarms == 0 && is_within;
    let end = interrupt::told().unwrap_or(if is_well { End::Passed } else { End::Violated });
    book.end(&Over { zoo: &zoo, alarms: &of_worlds, wall: start.elapsed(), end })
}

/// The seeds of a block.
fn seeds(from: u64, block: u64, number: u64) -> Range<u64> {
    let first = from + block * BLOCK_SEEDS;
    first..first + number
}

/// How many seeds of the block the slowest bug took; none of a block in which nothing was hunted.
fn needed(block: u64, hunted: &[&Hunted], limit: u64) -> u64 {
    hunted.iter().filter_map(|bug| bug.seeds.get(block as usize)).map(|seeds| seeds.unwrap_or(limit)).max().unwrap_or(0)
}

fn chunks(seeds: Range<u64>) -> impl Iterator<Item = Range<u64>> {
    let end = seeds.end;
    seeds.step_by(CHUNK_SEEDS as usize).map(move |start| start..end.min(start + CHUNK_SEEDS))
}

fn median_of(hunted: &[Hunted]) -> Option<u64> {
    let mut medians = hunted.iter().map(|bug| bug.median_seeds).collect::<Option<Vec<u64>>>()?;
    medians.sort_unstable();
    medians.get(medians.len() / 2).copied()
}

fn bar(arguments: &Arguments, jobs: u64) -> ProgressBar {
    let target = if arguments.json { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
    let template = "{bar:32} {human_pos}/{human_len}  {msg}  {elapsed}";
    let style = ProgressStyle::with_template(template).expect("the template is well formed");
    ProgressBar::with_draw_target(Some(jobs), target).with_style(style)
}

#[cfg(test)]
mod tests {
    use gatecrash_sim::search::fingerprint::Fingerprint;

    use super::*;

    fn catch(seeds: u64, property: &'static str) -> Option<Shown> {
        let rule = gatecrash_sim::scenario::rules::rule("KICK-1");
        let by = Fingerprint::Property { property, rule, evidence: gatecrash_sim::check::Evidence::Missing("told") };
        Some((
            Catch { seed: seeds - 1, seeds, named: vec![by], steps: 9 },
            Some((seeds as usize % 10, Duration::from_millis(seeds))),
        ))
    }

    #[test]
    fn the_median_of_five_blocks_is_the_third() {
        let bug = BUGS.first().expect("there are bugs");
        let right = bug.right[0];
        let blocks = [catch(9, right), catch(1, right), catch(5, right), catch(3, right), catch(700, right)];
        let hunted = Hunted::new(bug, &blocks);
        assert_eq!((hunted.median_seeds, hunted.seed, hunted.caught, hunted.right), (Some(5), Some(4), true, true));
        assert_eq!((hunted.steps, hunted.steps_after_shrinking), (Some(9), Some(5)));
        assert_eq!(hunted.shrink_ms_by_block, [9, 1, 5, 3, 700].map(Some));
        let blocks = [catch(9, right), catch(1, "something else"), None, None, None];
        let hunted = Hunted::new(bug, &blocks);
        assert_eq!((hunted.median_seeds, hunted.caught, hunted.right), (None, false, false));
        assert_eq!(hunted.also, [right, "something else"]);
    }

    #[test]
    fn chunks_cover_the_seeds_of_a_block() {
        let chunks: Vec<_> = chunks(200_000..200_250).collect();
        assert_eq!(chunks, [200_000..200_100, 200_100..200_200, 200_200..200_250]);
    }
}
