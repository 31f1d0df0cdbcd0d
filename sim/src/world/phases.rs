//! The phases of a run: the script, then healing, then waiting until what should come to rest has.
//!
//! A safety phase with faults, then a demand for convergence, and when it fails, its reason.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use gatecrash::limits::ClientLimits;
use gatecrash::policy::Platform;
use gatecrash::time::Instant;

use super::converge::Convergence;
use super::limits;
use crate::scenario::Scenario;
use crate::trace::Recorder;

/// How often a world looks whether the run has converged.
const LOOK_EVERY: Duration = Duration::from_millis(100);

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
pub(super) struct Phases {
    recorder: Recorder,
    convergence: Arc<Mutex<Convergence>>,
    bound: Duration,
    settle: Duration,
    state: State,
}

enum State {
    Script,
    Converging { until: Instant },
    Settling { until: Instant },
}

impl Phases {
    pub(super) fn new(scenario: &Scenario, recorder: &Recorder) -> Self {
        let convergence = Arc::new(Mutex::new(Convergence::default()));
        recorder.add_observer(Box::new(Arc::clone(&convergence)));
        let latency = scenario.sites.values().map(|site| site.latency.max).max().unwrap_or_default();
        // An answer under way, the commit it waits for, and its acknowledgement still arrive.
        let settle = latency * 3 + scenario.app.commit_latency.max * 2 + scenario.tick * 4;
        let bound = scenario.converge.unwrap_or_else(|| bound(scenario, latency));
        Phases { recorder: recorder.clone(), convergence, bound, settle, state: State::Script }
    }

    /// To be asked at the script's end, and whenever the last answer said.
    pub(super) fn look(&mut self, now: Instant) -> Phase {
        match self.state {
            State::Script => {
                self.recorder.script_ended(now);
                self.state = State::Converging { until: now + self.bound };
                Phase::Heal { look_at: now + LOOK_EVERY }
            }
            State::Converging { until } => {
                let missing = self.missing();
                if missing.is_empty() {
                    self.state = State::Settling { until: now + self.settle };
                    Phase::Wait { look_at: now + self.settle }
                } else if now < until {
                    Phase::Wait { look_at: (now + LOOK_EVERY).min(until) }
                } else {
                    self.recorder.not_converged(now, &missing.join("; "));
                    Phase::Over
                }
            }
            State::Settling { until } if now < until => Phase::Wait { look_at: until },
            State::Settling { .. } => {
                self.recorder.converged(now);
                Phase::Over
            }
        }
    }

    fn missing(&self) -> Vec<String> {
        let convergence = self.convergence.lock().expect("observers do not panic");
        self.recorder.cast(|cast| convergence.missing(cast))
    }
}

/// How long the slowest way back takes: a probe goes unanswered, an attempt to connect hangs for
/// its whole time, the next one succeeds, and a call made meanwhile has its full time too.
fn bound(scenario: &Scenario, latency: Duration) -> Duration {
    let slowest = |limits: ClientLimits| {
        limits.heartbeat_answer
            + limits.connect_timeout * 2
            + limits.backoff_first
            + limits.backoff_min * 2
            + limits.login_timeout.max(limits.request_timeout)
    };
    let platforms = [Platform::Android, Platform::Web];
    let slowest = platforms.map(|platform| slowest(limits::client(&scenario.limits, platform)));
    slowest.into_iter().max().expect("there are platforms") + latency * 8 + scenario.tick * 16
}
