//! Worlds: each turns a scenario into a trace by running the product's own code.
//!
//! Nothing else knows which world ran. None of them judges what happened.

pub(crate) mod caught;
pub mod event;
mod network;
mod outgoing;
pub mod packet;
mod phases;
mod storage;
pub mod tickets;
mod timers;

pub(crate) use phases::Phases;

use std::time::Duration;

use gatecrash::time::Instant;

use crate::scenario::{FORGED_USER, Scenario, Text};
use crate::trace::Recorder;

/// Which world a scenario runs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum World {
    /// The code that ships, over turmoil's network.
    Packet,
    /// The pure cores, joined by one queue of events.
    Event,
}

impl World {
    /// The word that commands and JSON use.
    pub const fn word(self) -> &'static str {
        match self {
            World::Packet => "packet",
            World::Event => "event",
        }
    }

    /// How far apart the instants are at which this world lets something happen: a queue of events has it happen when it is due.
    pub fn tick(self, scenario: &Scenario) -> Duration {
        match self {
            World::Packet => scenario.tick,
            World::Event => Duration::ZERO,
        }
    }

    /// Runs the scenario to its convergence and records what happens.
    ///
    /// # Errors
    ///
    /// [`WorldError`] when the run itself fails, which says nothing about the rules.
    pub fn run(self, scenario: &Scenario, recorder: &Recorder) -> Result<(), WorldError> {
        match self {
            World::Packet => packet::run(scenario, recorder),
            World::Event => event::run(scenario, recorder),
        }
    }
}

/// Whom a ticket is made out to when the login it is for names no possible user.
pub(crate) const NOBODY: &str = "nobody";

/// The run itself failed: this says nothing about the rules.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WorldError {
    /// Nothing is left to happen, and the run is not over.
    #[error("at {at} s nothing is left to happen, and the run is not over")]
    Stuck {
        /// When.
        at: Instant,
    },
    /// The run takes more events than any should.
    #[error("at {at} s the run has taken more events than any should")]
    Endless {
        /// When.
        at: Instant,
    },
    /// A simulated host failed.
    #[error("at {at} s a simulated host failed: {cause}")]
    Host {
        /// When.
        at: Instant,
        /// Why.
        cause: String,
    },
}

/// The text of a message that a step sends.
pub(crate) fn text(text: &Text) -> String {
    match text {
        Text::Written(text) => text.clone(),
        // It counts, so that no part of it is like another: who shows the end for the beginning is seen (API-2). It has
        // fewer characters than bytes: who counts one for the other is seen, too (API-4).
        Text::Bytes(count) => {
            let bytes = *count as usize;
            let mut text = String::with_capacity(bytes);
            for character in (0_u32..).flat_map(|number| format!("{number}·").chars().collect::<Vec<_>>()) {
                if text.len() + character.len_utf8() > bytes {
                    break;
                }
                text.push(character);
            }
            text.extend(std::iter::repeat_n('-', bytes - text.len()));
            text
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::numbers::PREVIEW_MAX;

    #[test]
    fn a_long_text_does_not_begin_as_it_ends() {
        for bytes in [PREVIEW_MAX + 1, 200, 12 * 1024] {
            let text = text(&Text::Bytes(bytes as u32));
            assert_eq!(text.len(), bytes);
            assert_ne!(text.as_bytes()[..PREVIEW_MAX], text.as_bytes()[bytes - PREVIEW_MAX..]);
            assert!(text.chars().count() < bytes);
        }
        assert_eq!(text(&Text::Bytes(4)), "0·1");
        assert_eq!(text(&Text::Bytes(5)), "0·1-");
    }
}
