//! The server's wall clock, as far as a trace tells it, and how much later than due things may be seen.
//!
//! Says nothing of what is due: `time` does.

use std::time::Duration;

use gatecrash::time::Instant;

use crate::scenario::{Action, Fault, Scenario};

/// How much later than due things may be seen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tolerance {
    /// Of what waits for a timer.
    pub(crate) slack: Duration,
    /// Of what waits for the disk.
    pub(crate) lag: Duration,
}

/// What can be known of the server's wall clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    /// When it was last seen, and what it showed; none while it may show anything.
    seen: Option<(Instant, u64)>,
    /// When it last jumped, or the server started.
    pub(super) set_at: Instant,
    /// By how many millionths it may be fast or slow.
    drift: u64,
}

/// Whether so much time has passed on the wall since then.
pub(super) fn is_past(since: u64, span: Duration, wall: u64) -> bool {
    wall >= since.saturating_add(span.as_micros() as u64)
}

impl Clock {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let drifts = scenario.steps.iter().map(|step| match &step.action {
            Action::Fault(Fault::Drift { ppm, .. }) => u64::from(ppm.unsigned_abs()),
            _ => 0,
        });
        Clock { seen: None, set_at: Instant::ZERO, drift: drifts.max().unwrap_or(0) }
    }

    pub(super) fn seen(&mut self, at: Instant, wall: u64) {
        self.seen = Some((at, wall));
    }

    /// It jumped, or the server has just begun to look at it.
    pub(super) fn set(&mut self, at: Instant, wall: u64) {
        self.seen(at, wall);
        self.set_at = at;
    }

    /// Somebody set it, and nobody has looked since.
    pub(super) fn moved(&mut self) {
        self.seen = None;
    }

    /// What it shows: something between these two.
    pub(super) fn at(&self, now: Instant) -> (u64, u64) {
        let Some((at, wall)) = self.seen else { return (0, u64::MAX) };
        let passed = (now - at).as_micros() as u64;
        let off = if self.drift == 0 { 0 } else { passed * self.drift / 1_000_000 + 1 };
        ((wall + passed).saturating_sub(off), wall + passed + off)
    }
}
