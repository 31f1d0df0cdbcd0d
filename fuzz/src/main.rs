//! What the network reaches first, under inputs that are nearly good: frames, tickets, hellos of TLS, WebSockets.
//!
//! The inputs are those of a corpus, changed a little (see [`corpus`]); the server is the one that ships, in memory (see
//! [`town`]). Looks for three things: a panic, a session that changed, and a ticket that says what nobody signed. Stops at
//! the first, and writes down the input.

mod corpus;
mod panics;
mod tickets;
mod town;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::corpus::Corpus;

/// Inputs that are nearly good, for what the network reaches first
#[derive(Parser)]
#[command(
    name = "gatecrash-fuzz",
    version,
    after_help = "\
Examples:
  gatecrash-fuzz                                 ten million inputs, shared among all places
  gatecrash-fuzz --only tls --inputs 100000 --seed 7
  gatecrash-fuzz --only frames --replay input.bin

Exit codes: 0 nothing was found, 1 something was, 3 bad input."
)]
struct Arguments {
    /// How many inputs in all
    #[arg(long, value_name = "N", default_value_t = 10_000_000)]
    inputs: u64,
    /// What the changes are drawn from: the same seed makes the same inputs
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// One place alone
    #[arg(long, value_enum)]
    only: Option<Place>,
    /// This file as it is, and nothing else
    #[arg(long, value_name = "FILE", requires = "only")]
    replay: Option<PathBuf>,
    /// Where an input is written that something was found with
    #[arg(long, value_name = "FILE", default_value = "found.bin")]
    found: PathBuf,
    /// The directory of good inputs, one of each place's within
    #[arg(long, value_name = "DIR", default_value = "fuzz/corpus")]
    corpus: PathBuf,
    /// Write the good inputs to that directory anew, and nothing else
    #[arg(long)]
    write_corpus: bool,
}

/// What inputs go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Place {
    /// Bytes on a connection without TLS.
    Frames,
    /// A ticket's text.
    Tickets,
    /// Bytes where a handshake of TLS is expected.
    Tls,
    /// Bytes where a WebSocket is opened, and in one that is.
    Websocket,
}

impl Place {
    const ALL: [Place; 4] = [Place::Frames, Place::Tickets, Place::Tls, Place::Websocket];

    /// Its directory in the corpus.
    pub fn word(self) -> &'static str {
        match self {
            Place::Frames => "frames",
            Place::Tickets => "tickets",
            Place::Tls => "tls",
            Place::Websocket => "websocket",
        }
    }
}

/// Something was found: what, and with which input.
#[derive(Debug)]
pub struct Found {
    /// In a sentence.
    pub what: String,
    /// The input, or those among which it is.
    pub inputs: Vec<Vec<u8>>,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(code) => code,
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::from(3)
        }
    }
}

fn run(arguments: &Arguments) -> Result<ExitCode, String> {
    if arguments.write_corpus {
        corpus::write(&arguments.corpus)?;
        return Ok(ExitCode::SUCCESS);
    }
    let places = arguments.only.map_or(Place::ALL.to_vec(), |place| vec![place]);
    for (index, &place) in places.iter().enumerate() {
        let (share, rest) = (arguments.inputs / places.len() as u64, arguments.inputs % places.len() as u64);
        let inputs = share + u64::from((index as u64) < rest);
        let corpus = match &arguments.replay {
            None => Corpus::read(&arguments.corpus.join(place.word()), arguments.seed)?,
            Some(path) => Corpus::single(std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?),
        };
        let inputs = if arguments.replay.is_some() { 1 } else { inputs };
        if let Err(Found { what, inputs }) = fuzz(place, corpus, inputs) {
            let path = &arguments.found;
            std::fs::write(path, inputs.concat()).map_err(|error| format!("{}: {error}", path.display()))?;
            println!("{}: {what}; the last {} inputs are in {}", place.word(), inputs.len(), path.display());
            return Ok(ExitCode::FAILURE);
        }
        println!("{}: {inputs} inputs, nothing found", place.word());
    }
    Ok(ExitCode::SUCCESS)
}

/// Tries so many inputs.
fn fuzz(place: Place, corpus: Corpus, inputs: u64) -> Result<(), Found> {
    let bar = ProgressBar::with_draw_target(Some(inputs), ProgressDrawTarget::stderr_with_hz(2));
    let style = ProgressStyle::with_template("{msg} {wide_bar} {pos} of {len}, {per_sec}, {eta} to go");
    bar.set_style(style.expect("a template"));
    bar.set_message(place.word());
    let ended = match place {
        Place::Tickets => tickets::fuzz(corpus, inputs, &|| bar.inc(1)),
        Place::Frames | Place::Tls | Place::Websocket => town::fuzz(place, corpus, inputs, &|| bar.inc(1)),
    };
    bar.finish_and_clear();
    ended
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn corpus(place: Place) -> Corpus {
        Corpus::read(&Path::new("corpus").join(place.word()), 1).expect("it is in the tree")
    }

    /// INPUT-1, INPUT-3, INPUT-7: what is nearly good changes nothing, wherever it comes in.
    #[test]
    fn nearly_good_input_changes_nothing() {
        for (place, inputs) in [(Place::Frames, 20_000), (Place::Tls, 5_000), (Place::Websocket, 20_000)] {
            fuzz(place, corpus(place), inputs).unwrap_or_else(|found| panic!("{place:?}: {}", found.what));
        }
    }

    /// TICKET-3: no change of a ticket makes another one that fits.
    #[test]
    fn no_change_makes_another_good_ticket() {
        fuzz(Place::Tickets, corpus(Place::Tickets), 50_000).unwrap_or_else(|found| panic!("{}", found.what));
    }

    /// A ticket that says what nobody signed would be found: here one of the right key for somebody who has none.
    #[test]
    fn a_ticket_that_nobody_signed_is_found() {
        let ticket = corpus::signed("mallory", corpus::KEY, None);
        let corpus = Corpus::single(ticket.as_str().as_bytes().to_vec());
        assert!(fuzz(Place::Tickets, corpus, 1).is_err());
    }

    /// The same seed makes the same inputs.
    #[test]
    fn a_seed_is_replayed() {
        let draw = || {
            (0..100).map({
                let mut corpus = corpus(Place::Frames);
                move |_| corpus.next()
            })
        };
        assert!(draw().eq(draw()));
        let distinct: std::collections::BTreeSet<_> = draw().collect();
        assert!(distinct.len() > 80, "{} of 100", distinct.len());
    }

    /// What would be found is: a session of the one who stays is changed by a ticket that fits.
    #[test]
    fn a_session_that_changes_is_found() {
        let good = town::takes_the_place_of_who_is_there();
        let found = fuzz(Place::Frames, Corpus::single(good), 1).expect_err("it is let in");
        assert!(found.what.contains("changed"), "{}", found.what);
    }
}
