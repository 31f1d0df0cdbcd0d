//! The zoo as a table for people, as Markdown to publish, as JSON for programs.

use std::io;

use super::super::{Colour, colours, count, paint, say, thousands};
use super::{Arguments, Hunted, Zoo};

/// The widths of the columns before the sentence.
const WIDTHS: [usize; 3] = [5, 9, 7];

/// Prints it as it was asked for.
pub fn zoo(zoo: &Zoo, arguments: &Arguments) {
    if arguments.json {
        say(serde_json::to_string_pretty(zoo).expect("numbers and texts"));
    } else if arguments.markdown {
        markdown(zoo);
    } else {
        table(zoo, colours(&io::stdout()));
    }
}

fn table(zoo: &Zoo, colours: bool) {
    let [id_width, seeds_width, steps_width] = WIDTHS;
    let head = format!("{:id_width$}  {:>seeds_width$}  {:>steps_width$}  caught by", "bug", "seeds", "steps");
    say(paint(&head, Colour::Bold, colours));
    for bug in &zoo.bugs {
        say(format_args!(
            "{:id_width$}  {:>seeds_width$}  {:>steps_width$}  {}",
            bug.id,
            number(bug.median_seeds),
            steps(bug),
            verdict(bug, colours)
        ));
    }
    say(format_args!("\n{}\nthe slowest shrink took {:.1} s", summary(zoo), zoo.slowest_shrink_ms as f64 / 1_000.0));
}

/// The median, or that there is none.
fn number(median: Option<u64>) -> String {
    median.map_or_else(|| "-".to_owned(), thousands)
}

/// How many steps the scenario has that showed the bug: drawn, and shrunk.
fn steps(bug: &Hunted) -> String {
    match (bug.steps, bug.steps_after_shrinking) {
        (Some(drawn), Some(shrunk)) => format!("{drawn}→{shrunk}"),
        (Some(drawn), None) => drawn.to_string(),
        (None, _) => "-".to_owned(),
    }
}

fn verdict(bug: &Hunted, colours: bool) -> String {
    let property = bug.property.as_deref().unwrap_or("nothing");
    let rule = bug.rule.map_or(String::new(), |rule| format!("{rule}  "));
    match (bug.caught, bug.right) {
        (true, true) => format!("{rule}{property}"),
        (true, false) => {
            let others = if bug.also.is_empty() { String::new() } else { format!("; also: {}", bug.also.join("; ")) };
            format!("{} {rule}{property}{others}", paint("NOT AS IT OUGHT:", Colour::Red, colours))
        }
        (false, _) => {
            let caught = bug.seeds.iter().flatten().count();
            let missed = format!("MISSED in {} of {} blocks", bug.seeds.len() - caught, bug.seeds.len());
            format!("{} {rule}{property}", paint(&missed, Colour::Red, colours))
        }
    }
}

fn summary(zoo: &Zoo) -> String {
    let told = match (zoo.interrupted, zoo.not_hunted.len()) {
        (false, _) => String::new(),
        (true, 0) => "told to end, so far: ".to_owned(),
        (true, left) => format!("told to end, so far, with {} not hunted: ", count(left, "bug")),
    };
    format!(
        "{told}{} of {} caught, {} by a property that ought to; median of the medians {}\n\
         of {} whose rule is known the first sentence names it in {}; {} on {} of the unbroken system",
        zoo.caught,
        count(zoo.bugs.len(), "bug"),
        zoo.right,
        zoo.median_of_medians.map_or_else(|| "-".to_owned(), |median| count(median as usize, "seed")),
        count(zoo.with_rules, "bug"),
        zoo.named,
        count(zoo.false_alarms, "false alarm"),
        count(zoo.seeds_unbroken as usize, "seed"),
    )
}

fn markdown(zoo: &Zoo) {
    say("| bug | what is wrong | seen in | seeds, median of five | steps | caught by |");
    say("|---|---|---|--:|--:|---|");
    for bug in &zoo.bugs {
        say(format_args!(
            "| {} | {} | {} | {} | {} | {} |",
            bug.id,
            bug.what,
            bug.source,
            number(bug.median_seeds),
            steps(bug),
            verdict(bug, false)
        ));
    }
    say(format_args!("\n{}.", summary(zoo).replace('\n', ". ")));
}
