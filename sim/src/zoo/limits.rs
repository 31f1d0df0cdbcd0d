//! Limits that are not what the rules say: a wrapper hands the core other ones than it was given.

use std::time::Duration;

use gatecrash::client::{Call, Input};
use gatecrash::limits::{ClientLimits, ServerLimits};
use gatecrash::server::{self, Config};
use gatecrash::store::Records;
use gatecrash::time::{Instant, Now};

use crate::world::event::{Interceptor, ServerStep};

/// So long that it is never over in a run's closing minutes.
const FOR_EVER: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// A server with other limits.
pub(super) struct ServerLimit(fn(&mut ServerLimits));

impl ServerLimit {
    /// A connection on which nobody logs in is never closed.
    pub(super) const NO_ADMISSION: ServerLimit = ServerLimit(|limits| limits.admission = FOR_EVER);
    /// A silent connection is closed after twice the time.
    pub(super) const LATE_SILENCE: ServerLimit = ServerLimit(|limits| {
        limits.silence *= 2;
        limits.silence_web *= 2;
    });
    /// The connection of an ended session waits for its confirmation for ever.
    pub(super) const NO_LINGER: ServerLimit = ServerLimit(|limits| limits.kick_linger = FOR_EVER);
    /// Browsers are given the time of phones before they count as dormant.
    pub(super) const WEB_DORMANT_LATE: ServerLimit = ServerLimit(|limits| limits.dormant_web = limits.dormant);
    /// Push messages reach a device a day less than they do.
    pub(super) const SHORT_PUSH: ServerLimit = ServerLimit(|limits| limits.push_online = limits.push_online * 6 / 7);
}

impl Interceptor for ServerLimit {
    fn server_starts(&mut self, config: &mut Config, _: &mut Records) {
        (self.0)(&mut config.limits);
    }

    fn server_steps(&mut self, _: Now, _: &Records, steps: &mut Vec<ServerStep>) {
        for step in steps {
            if let ServerStep::Input(server::Input::Configured(config)) = step {
                (self.0)(&mut config.limits);
            }
        }
    }
}

/// An SDK with other limits.
pub(super) struct ClientLimit(fn(&mut ClientLimits));

impl ClientLimit {
    /// The heartbeat comes after twice the time.
    pub(super) const LATE_HEARTBEAT: ClientLimit = ClientLimit(|limits| limits.heartbeat *= 2);
    /// A heartbeat's answer is awaited for twice the time.
    pub(super) const PATIENT_HEARTBEAT: ClientLimit = ClientLimit(|limits| limits.heartbeat_answer *= 2);
    /// A login is given up after twice the time.
    pub(super) const LATE_LOGIN: ClientLimit = ClientLimit(|limits| limits.login_timeout *= 2);
    /// A request is given up after twice the time.
    pub(super) const LATE_REQUEST: ClientLimit = ClientLimit(|limits| limits.request_timeout *= 2);
    /// A link that is doubted is given ten times the time to show that it lives.
    pub(super) const PATIENT_PROBE: ClientLimit = ClientLimit(|limits| limits.probe_answer *= 10);
    /// An attempt to connect may last for ever.
    pub(super) const ENDLESS_ATTEMPT: ClientLimit = ClientLimit(|limits| limits.connect_timeout = FOR_EVER);
}

impl Interceptor for ClientLimit {
    fn device_inputs(&mut self, _: Instant, _: usize, inputs: &mut Vec<Input>) {
        for input in inputs {
            if let Input::Call { request: Call::Init(start), .. } = input {
                (self.0)(&mut start.limits);
            }
        }
    }
}
