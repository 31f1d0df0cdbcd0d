//! The subcommands, and what they share: how they end, and how they speak to a terminal or a pipe.

pub mod drive;
pub mod files;
mod herd;
pub mod inspect;
pub mod interrupt;
pub mod judge;
pub mod keep;
mod meant;
pub mod merge;
pub mod page;
pub mod replay;
pub mod report;
pub mod review;
pub mod run;
pub mod shrink;
pub mod sweep;
mod table;
mod version;
pub mod when;
pub mod worlds;
pub mod zoo;

use std::fmt::Display;
use std::io::{ErrorKind, Write};
use std::process::ExitCode;
use std::time::Instant;

use anstream::AutoStream;
use anstream::stream::RawStream;
use anstyle::{AnsiColor, Style};
use gatecrash_sim::Verdict;

/// How a command ended. The exit code is the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// All is well.
    Passed = 0,
    /// A rule was violated, what a file expects was missed, or two worlds disagree.
    Violated = 1,
    /// A run did not come to rest.
    NotConverged = 2,
    /// What was asked for cannot be done as it was asked.
    BadInput = 3,
    /// The harness itself failed.
    HarnessFailed = 4,
    /// It was told to end by SIGINT, and said what it knew.
    Interrupted = 130,
    /// The same by SIGTERM.
    Terminated = 143,
}

impl From<End> for ExitCode {
    fn from(end: End) -> ExitCode {
        ExitCode::from(end as u8)
    }
}

impl From<Verdict> for End {
    fn from(verdict: Verdict) -> End {
        match verdict {
            Verdict::Passed => End::Passed,
            Verdict::NothingToJudge => End::Violated,
            Verdict::NotConverged => End::NotConverged,
            Verdict::Missed | Verdict::Disagrees | Verdict::Violated => End::Violated,
            Verdict::HarnessFailed => End::HarnessFailed,
        }
    }
}

/// What the clock says, by which it is told how long something took.
#[expect(clippy::disallowed_methods, reason = "how long it took is told to people, and decides nothing")]
pub fn now() -> Instant {
    Instant::now()
}

/// Writes a text and a newline to standard output. Whoever reads may have read enough, as `head`
/// does; the verdict stands. What cannot be written for another reason is told, and nothing goes on: whoever asked
/// would take what is there for all of it.
pub fn say(text: impl Display) {
    let mut out = std::io::stdout();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
        Err(error) => {
            complain(format_args!("error: cannot write to standard output: {error}"));
            std::process::exit(End::HarnessFailed as i32)
        }
    }
}

/// Writes a text and a newline to standard error.
pub fn complain(text: impl Display) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// From here on colours what `--color` says.
pub fn choose_colours(choice: clap::ColorChoice) {
    let choice = match choice {
        clap::ColorChoice::Auto => anstream::ColorChoice::Auto,
        clap::ColorChoice::Always => anstream::ColorChoice::Always,
        clap::ColorChoice::Never => anstream::ColorChoice::Never,
    };
    choice.write_global();
}

/// Whether to colour what goes to this stream: as `--color` says, or else on a terminal, and not under `NO_COLOR`.
pub fn colours(stream: &impl RawStream) -> bool {
    AutoStream::choice(stream) != anstream::ColorChoice::Never
}

/// The colours this command uses.
#[derive(Clone, Copy)]
pub enum Colour {
    Bold,
    Red,
    Green,
}

/// The text in this colour, where colours are on.
pub fn paint(text: &str, colour: Colour, on: bool) -> String {
    let style = match colour {
        Colour::Bold => Style::new().bold(),
        Colour::Red => AnsiColor::Red.on_default(),
        Colour::Green => AnsiColor::Green.on_default(),
    };
    if on { format!("{style}{text}{style:#}") } else { text.to_owned() }
}

/// `1 file`, `2 files`, `12,000 files`.
pub fn count(number: usize, noun: &str) -> String {
    format!("{} {noun}{}", thousands(number as u64), if number == 1 { "" } else { "s" })
}

/// The number with a comma before each three digits.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_nouns_counted() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(thousands(number), text);
        }
        assert_eq!(count(1, "file"), "1 file");
        assert_eq!(count(1_000, "file"), "1,000 files");
    }

    #[test]
    fn colours_are_escape_codes_only_where_they_are_on() {
        assert_eq!(paint("ok", Colour::Green, true), "\u{1b}[32mok\u{1b}[0m");
        assert_eq!(paint("ok", Colour::Green, false), "ok");
    }
}
