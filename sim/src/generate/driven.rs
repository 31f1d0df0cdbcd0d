//! Seeds for real processes: a script of a few seconds, since every second is one.
//!
//! Those of [`super::foreign`], with less of everything: few devices that meet often, no pieces and windows, which a real
//! kernel has of its own. Another scenario than the one of the same number there.

use gatecrash::policy::Seats;

use super::MILLI;
use super::draw::Draw;
use super::foreign::altered;
use crate::scenario::{Scenario, Site, Vocabulary};

/// The shortest and the longest script, in milliseconds.
const SPAN: (u64, u64) = (800, 3_500);

/// The most devices: each is a process.
const DEVICES_MAX: usize = 4;

/// The fewest and the most events a seed has to spend.
const BUDGET: (u64, u64) = (80, 300);

/// The scenario of a seed for real processes with these words and seats. The same seed gives the same scenario, in every build.
///
/// ```
/// use gatecrash_sim::generate::driven;
/// use gatecrash_sim::scenario::Vocabulary;
///
/// let scenario = driven(17, Vocabulary::default(), Default::default());
/// assert!(scenario.until.as_secs() < 4 && scenario.devices.len() <= 4);
/// ```
pub fn driven(number: u64, knows: Vocabulary, seats: Seats) -> Scenario {
    let draw = &mut Draw::new(number, "generate", "driven");
    let (span, budget) = (draw.between(SPAN.0, SPAN.1) * MILLI, draw.log_between(BUDGET.0, BUDGET.1));
    altered(number, knows, seats, |setup| {
        (setup.span, setup.budget) = (span, budget);
        setup.devices.truncate(DEVICES_MAX);
        for (_, site) in &mut setup.sites {
            *site = Site { latency: site.latency, ..Site::default() };
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_short_and_can_be_written_down() {
        let mut text = String::new();
        for number in 0..200 {
            let scenario = driven(number, Vocabulary::default(), Seats::default());
            assert!(scenario.reads_back(), "seed {number}");
            assert!(scenario.until.as_millis() <= u128::from(SPAN.1), "seed {number}");
            text.push_str(&scenario.to_string());
        }
        for word in ["login", "logout", "send", "partition", "bounce server", "kill", "suspend", "reset", "move"] {
            assert!(text.contains(word), "no seed says `{word}`");
        }
    }
}
