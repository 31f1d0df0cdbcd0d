//! What of a scenario a real system can be asked to do, and why not the rest.
//!
//! Real processes have no clock that can be set, no disk that fails when it is told to, and no configuration that changes
//! while they run. What is left out is counted with its reason, and never passed over in silence.

use std::time::Duration;

use super::adapter::{Can, Capability};
use super::subject::Claims;
use crate::scenario::{Action, App, Call, Fault, Init, LimitOverrides, Scenario, Step};

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

/// Why a step with this action cannot be played; none if it can. What says nothing to any system but ours is left out first
/// by that.
fn refuses(can: &Can, action: &Action) -> Option<&'static str> {
    let lacks = |capability, why| (!can.has(capability)).then_some(why);
    let of_real_ones = match action {
        Action::Call { call, .. } | Action::On { call, .. } => match call {
            Call::Logout => lacks(Capability::Logout, "the adapter cannot log out"),
            Call::Send { .. } => lacks(Capability::Send, "the adapter cannot send"),
            Call::NetworkChanged => {
                lacks(Capability::NetworkChanged, "the adapter is not interested in a change of the network")
            }
            _ => None,
        },
        Action::Fault(Fault::Skew { .. } | Fault::Drift { .. }) => Some("a real clock cannot be set"),
        Action::Fault(Fault::PowerLossServer) => Some("a real machine keeps its power"),
        _ => None,
    };
    can.vocabulary().refuses(action).or(of_real_ones)
}
