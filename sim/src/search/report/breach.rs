//! A breach of a history in words: what was broken, what that demands, what happened instead, and which lines say so.

use super::escaped;
use crate::judge::{Breach, Line};

/// Which rule, of whom and when, in a line.
pub fn title(breach: &Breach) -> String {
    // As a sentence rounds it.
    let millis = breach.at.saturating_add(500) / 1_000;
    let at = format!("{}.{:03} s", millis / 1_000, millis % 1_000);
    let whom = if breach.actor.is_empty() { String::new() } else { format!("{} at ", escaped(&breach.actor)) };
    format!("{} violated: {whom}{at}", breach.rule)
}

/// All else, each line with this before it.
pub fn in_full(breach: &Breach, files: &[String], indent: &str) -> String {
    let lines: Vec<String> = breach.lines.iter().map(|&line| named(files, line)).collect();
    [
        ("rule      ", breach.rule.text().to_owned()),
        ("property  ", breach.property.to_owned()),
        ("instead   ", escaped(&breach.text).into_owned()),
        ("lines     ", lines.join(", ")),
    ]
    .map(|(name, said)| format!("{indent}{name}{said}\n"))
    .concat()
}

/// A line by its file.
pub fn named(files: &[String], line: Line) -> String {
    match files.get(line.file as usize) {
        Some(file) => format!("{}:{}", escaped(file), line.line),
        None => line.line.to_string(),
    }
}
