//! The phases of a run: the script, then healing, then waiting until what should come to rest has.
//!
//! A safety phase with faults, then a demand for convergence, and when it fails, its reason.

use std::time::Duration;

use gatecrash::limits::ClientLimits;
use gatecrash::policy::Platform;
use gatecrash::time::Instant;

use crate::scenario::numbers;
use crate::scenario::{Action, Call, Fault, Scenario, Site, Step, Text};
use crate::trace::Observer;
use crate::trace::record::Recording;

/// How often a world looks whether the run has converged.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// How long what trickles is waited for.
const TRICKLE_MAX: Duration = Duration::from_secs(60);

/// How many long messages may be under way together.
const TOGETHER: usize = 5;

/// What a world does next, once the script is over.
pub(super) enum Phase {
    /// Switch every fault off, then look again.
    Heal { look_at: Instant },
    /// Go on, and look again.
    Wait { look_at: Instant },
    /// The run is over.
    Over,
}

/// Where a run is.
pub(crate) struct Phases {
    bound: Duration,
    settle: Duration,
    state: State,
    /// Whether the trace tells what is at rest.
    tells: bool,
}

enum State {
    Script,
    Converging { until: Instant },
    Settling { until: Instant },
}

impl Phases {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let latency = scenario.sites.values().map(|site| site.latency.max).max().unwrap_or_default();
        // The script may leave a link slower than it was.
        let slowest = scenario.steps.iter().filter_map(|step| match &step.action {
            Action::Fault(Fault::Latency { latency, .. }) => Some(latency.max),
            _ => None,
        });
        let slowest = slowest.max().unwrap_or_default().max(latency);
        // An answer under way, the commit it waits for, and its acknowledgement still arrive.
        let settle = latency * 3 + scenario.app.commit_latency.max * 2 + scenario.tick * 4 + trickle(scenario, slowest);
        let bound = scenario.converge.unwrap_or_else(|| bound(scenario, latency));
        Phases { bound, settle, state: State::Script, tells: true }
    }

    /// Of a run in which nobody can tell whether everything is at rest: so long after everything is mended it is over.
    pub(crate) fn that_wait(settle: Duration) -> Self {
        Phases { bound: Duration::ZERO, settle, state: State::Script, tells: false }
    }

    /// To be asked at the script's end, and whenever the last answer said.
    pub(super) fn look<O: Observer>(&mut self, now: Instant, recording: &mut Recording<O>) -> Phase {
        match self.state {
            State::Script => {
                recording.script_ended(now);
                self.state = State::Converging { until: now + self.bound };
                Phase::Heal { look_at: now + LOOK_EVERY }
            }
            State::Converging { .. } if !self.tells => {
                self.state = State::Settling { until: now + self.settle };
                Phase::Wait { look_at: now + self.settle }
            }
            State::Converging { .. } if recording.is_at_rest() => {
                self.state = State::Settling { until: now + self.settle };
                Phase::Wait { look_at: now + self.settle }
            }
            State::Converging { until } if now < until => Phase::Wait { look_at: (now + LOOK_EVERY).min(until) },
            State::Converging { .. } => {
                let missing = recording.missing();
                recording.not_converged(now, &missing.join("; "));
                Phase::Over
            }
            State::Settling { until } if now < until => Phase::Wait { look_at: until },
            State::Settling { .. } => {
                recording.converged(now);
                Phase::Over
            }
        }
    }
}

/// How long the longest messages take that may be under way together where a connection takes but so many bytes at once,
/// and waits for them to arrive before it takes more, at the longest latency that there is.
fn trickle(scenario: &Scenario, latency: Duration) -> Duration {
    let length = |step: &Step| match &step.action {
        Action::Call { call: Call::Send { text, .. }, .. } | Action::On { call: Call::Send { text, .. }, .. } => {
            match text {
                Text::Written(text) => text.len() as u64,
                Text::Bytes(count) => u64::from(*count),
            }
        }
        _ => 0,
    };
    let mut lengths: Vec<u64> = scenario.steps.iter().map(length).collect();
    lengths.sort_unstable_by(|one, other| other.cmp(one));
    let bytes: u64 = lengths.iter().take(TOGETHER).sum::<u64>().max(lengths.first().map_or(0, |longest| longest * 2));
    let of_site = |site: &Site| {
        let trips = site.window.map_or(0, |window| bytes.div_ceil(u64::from(window)));
        site.latency.max.max(latency) * 2 * u32::try_from(trips).unwrap_or(u32::MAX)
    };
    scenario.sites.values().map(of_site).max().unwrap_or_default().min(TRICKLE_MAX)
}

/// How long the slowest way back takes: an answer from before says nothing, so that the next heartbeat
/// is the probe; that goes unanswered, an attempt to connect hangs for
/// its whole time, the next one succeeds, and a call made meanwhile has its full time too.
fn bound(scenario: &Scenario, latency: Duration) -> Duration {
    let slowest = |limits: ClientLimits| {
        limits.heartbeat
            + limits.heartbeat_answer
            + limits.connect_timeout * 2
            + limits.backoff_first
            + limits.backoff_min * 2
            + limits.login_timeout.max(limits.request_timeout)
    };
    let platforms = [Platform::Android, Platform::Web];
    let slowest = platforms.map(|platform| slowest(numbers::client_limits(&scenario.limits, platform)));
    slowest.into_iter().max().expect("there are platforms") + latency * 8 + scenario.tick * 16
}
