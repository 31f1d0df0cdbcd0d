//! What of a scenario a real system can be asked to do, and why not the rest.
//!
//! Real processes have no clock that can be set, no disk that fails when it is told to, and no configuration that changes
//! while they run. What is left out is counted with its reason, and never passed over in silence.

use std::time::Duration;

use super::adapter::{Can, Capability};
use super::subject::Claims;
use crate::scenario::{Action, App, Call, Fault, Init, LimitOverrides, Scenario, Step, TicketChoice};

/// What of a scenario is played, in the order of time.
#[derive(Clone, Debug, Default)]
pub(super) struct Plan {
    pub(super) steps: Vec<Step>,
    /// Why each of the others is not.
    pub(super) left_out: Vec<&'static str>,
}

impl Plan {
    /// Of this scenario, for an adapter that understands this much.
    pub(super) fn of(scenario: &Scenario, can: &Can) -> Plan {
        let mut plan = Plan::default();
        for step in &scenario.steps {
            match refuses(can, &step.action) {
                None => plan.steps.push(step.clone()),
                Some(why) => plan.left_out.push(why),
            }
        }
        plan
    }
}

/// Why a whole scenario says nothing about a system, or takes too long to say it.
pub(super) fn refuses_scenario(scenario: &Scenario, claims: &Claims, longest: Duration) -> Option<&'static str> {
    if scenario.until > longest {
        return Some("it lasts longer than --longest");
    }
    if scenario.limits != LimitOverrides::default() {
        return Some("it sets limits, and the system has its own");
    }
    if scenario.app.seats != claims.seats() {
        return Some("it asks for another policy than the system has");
    }
    let App { id, seats, start, ticket_ttl, .. } = scenario.app.clone();
    if scenario.app != (App { id, seats, start, ticket_ttl, ..App::default() }) {
        return Some("it configures the app otherwise than the system is");
    }
    if scenario.devices.values().any(|device| device.init == Init::Manual) {
        return Some("a device's SDK is made when its process starts, so `init` is no choice");
    }
    None
}

/// Why a step with this action cannot be played; none if it can.
fn refuses(can: &Can, action: &Action) -> Option<&'static str> {
    match action {
        Action::Call { call, .. } | Action::On { call, .. } => refuses_call(can, call),
        Action::Raw { .. } => Some("a stranger speaks gatecrash's own protocol"),
        Action::App(_) => Some("a configuration does not change while the server runs"),
        Action::Fault(fault) => refuses_fault(can, fault),
    }
}

fn refuses_call(can: &Can, call: &Call) -> Option<&'static str> {
    let lacks = |capability, why| (!can.has(capability)).then_some(why);
    match call {
        Call::Login { ticket: TicketChoice::Fresh { ttl: None }, .. } => None,
        Call::Login { .. } => lacks(Capability::Tickets, "the adapter has no tickets that run out"),
        Call::Logout => lacks(Capability::Logout, "the adapter cannot log out"),
        Call::Send { .. } => lacks(Capability::Send, "the adapter cannot send"),
        Call::Conversations => lacks(Capability::Conversations, "the adapter has no list of conversations"),
        Call::NetworkChanged => {
            lacks(Capability::NetworkChanged, "the adapter is not interested in a change of the network")
        }
        Call::Init | Call::Uninit => Some("a device's SDK is made when its process starts"),
        Call::Kick { .. } | Call::Query { .. } => Some("administrative calls are gatecrash's own"),
    }
}

fn refuses_fault(can: &Can, fault: &Fault) -> Option<&'static str> {
    match fault {
        Fault::Partition { .. }
        | Fault::Repair { .. }
        | Fault::Hold { .. }
        | Fault::Release { .. }
        | Fault::Latency { .. }
        | Fault::Portal { .. }
        | Fault::CrashServer
        | Fault::BounceServer { .. }
        | Fault::StartServer
        | Fault::SuspendServer
        | Fault::WakeServer
        | Fault::Reset { .. }
        | Fault::Kill { .. }
        | Fault::Start { .. }
        | Fault::Suspend { .. }
        | Fault::Wake { .. }
        | Fault::Move { .. } => None,
        Fault::Wipe { .. } | Fault::Clone { .. } => {
            (!can.has(Capability::Files)).then_some("the adapter keeps nothing on a device's disk")
        }
        Fault::Skew { .. } | Fault::Drift { .. } => Some("a real clock cannot be set"),
        Fault::StopServer | Fault::UpgradeServer { .. } => Some("how a server is stopped is its own"),
        Fault::PowerLossServer | Fault::PowerLossAt { .. } | Fault::PowerLossInDisk { .. } => {
            Some("a real machine keeps its power")
        }
        Fault::DiskError { .. }
        | Fault::DiskFull { .. }
        | Fault::SlowDisk { .. }
        | Fault::MendDisk
        | Fault::DeviceDiskError { .. }
        | Fault::DeviceDiskFull { .. }
        | Fault::DeviceSlowDisk { .. }
        | Fault::DeviceMendDisk { .. }
        | Fault::DamageRecord { .. }
        | Fault::DamageCache { .. } => Some("a real disk does not fail when it is told to"),
        Fault::LateTimers { .. } => Some("timers of a real system are not ours to delay"),
    }
}
