//! What the server's clock shows: the scenario says what it began with, the script how it was set and how fast it runs.

use gatecrash::time::Instant;

use super::{Misfit, unfit};
use crate::scenario::clock::WallClock;
use crate::scenario::rules::{RuleId, rule};
use crate::scenario::{Offset, Scenario};
use crate::trace::{ClockOf, Event, Fault, What};

const RULE: RuleId = rule("TICKET-2");

/// The server's clock.
#[derive(Clone, Debug)]
pub(super) struct Wall(WallClock);

impl Wall {
    pub(super) fn new(scenario: &Scenario) -> Self {
        Wall(WallClock::new(scenario.app.start, Offset(0)))
    }

    pub(super) fn observe(&mut self, event: &Event) -> Option<Misfit> {
        match event.what {
            What::Fault { fault: Fault::Skew { clock: ClockOf(None), by } } => {
                self.0.skew(event.at, Offset(by.get()));
                None
            }
            What::Fault { fault: Fault::Drift { clock: ClockOf(None), ppm } } => {
                self.0.drift(event.at, ppm);
                None
            }
            What::Commit { wall, .. }
            | What::ServerStarted { wall, .. }
            | What::ClockChanged { wall }
            | What::StoodStill { wall } => self.shows(event.at, wall.get(), 1),
            What::TicketJudged { second, .. } => self.shows(event.at, second.get() * 1_000_000, 1_000_000),
            _ => None,
        }
    }

    /// Whether the clock shows this, of a time that is cut off to so many microseconds.
    fn shows(&self, at: Instant, said: u64, cut: u64) -> Option<Misfit> {
        let shown = self.0.at(at).as_micros();
        (shown - shown % cut != said)
            .then(|| unfit(RULE, format!("the server's clock shows {shown} µs, not {said} µs")))
    }
}
