//! The times a run is held to, and how much later than on paper things may happen in it.
//!
//! A world goes from tick to tick, and the server's facts are seen when its disk gets them, which is
//! later than it decided them.

use std::time::Duration;

use gatecrash::limits::{ClientLimits, ServerLimits};
use gatecrash::policy::Platform;
use gatecrash::time::Instant;

use crate::scenario::numbers;
use crate::scenario::numbers::CATCH_UP;
use crate::scenario::{Action, Fault, Scenario};
use crate::trace::{Cast, DeviceIndex, Effect, Event, What};

/// Limits and tolerances of one run.
#[derive(Clone, Debug)]
pub(super) struct Allowance {
    pub(super) server: ServerLimits,
    clients: Vec<ClientLimits>,
    /// How much later than due a timer may fire or a result be delivered.
    pub(super) slack: Duration,
    /// The same of a device's timers, where its operating system may gather them.
    pub(super) device_slack: Duration,
    /// How much later than decided a commit may be seen.
    pub(super) lag: Duration,
    /// How long a frame is under way at most, as long as it is neither held nor lost.
    pub(super) latency: Duration,
    /// When the server's wall clock last jumped, or the server started, or went on after it stood still.
    pub(super) wall_set_at: Instant,
    /// Until when the server, having stood still, may read before it takes anybody for silent.
    pub(super) reads_until: Instant,
}

/// How much later than due a timer may fire or a result be delivered in a world that goes from tick to tick.
pub fn slack(tick: Duration) -> Duration {
    tick * 4 + Duration::from_millis(5)
}

impl Allowance {
    pub(super) fn new(scenario: &Scenario, tick: Duration) -> Self {
        let changed = scenario.steps.iter().filter_map(|step| match &step.action {
            Action::Fault(Fault::Latency { latency, .. }) => Some(latency.max),
            _ => None,
        });
        let latency = scenario.sites.values().map(|site| site.latency.max).chain(changed).max().unwrap_or_default();
        let slowed = scenario.steps.iter().filter_map(|step| match &step.action {
            Action::Fault(Fault::SlowDisk { latency }) => Some(latency.max),
            _ => None,
        });
        let commit = slowed.fold(scenario.app.commit_latency.max, Duration::max);
        let slack = slack(tick);
        let gathered = scenario.steps.iter().filter_map(|step| match &step.action {
            Action::Fault(Fault::LateTimers { by, .. }) => Some(*by),
            _ => None,
        });
        Allowance {
            server: numbers::server_limits(&scenario.limits),
            clients: Platform::ALL
                .into_iter()
                .map(|platform| numbers::client_limits(&scenario.limits, platform))
                .collect(),
            slack,
            device_slack: slack + gathered.max().unwrap_or_default(),
            lag: commit * 3 + slack,
            latency,
            wall_set_at: Instant::ZERO,
            reads_until: Instant::ZERO,
        }
    }

    /// The limits of the device's SDK.
    pub(super) fn client(&self, cast: &Cast, device: DeviceIndex) -> &ClientLimits {
        &self.clients[cast.devices()[device.index()].platform as usize]
    }

    pub(super) fn observe(&mut self, event: &Event) {
        match event.what {
            What::ServerStarted { .. } | What::ClockChanged { .. } => self.wall_set_at = event.at,
            What::Effect { effect: Effect::ServerWoken } => {
                (self.wall_set_at, self.reads_until) = (event.at, event.at + CATCH_UP);
            }
            _ => {}
        }
    }
}
