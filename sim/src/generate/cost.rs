//! What a scenario costs in events of its trace: a table by kind of step, and what time costs.
//!
//! Measured in the event world. A table that is a little off makes a seed spend a little more or
//! less than it drew; nothing else depends on it.

use super::belief::Belief;
use super::{MINUTE, SECOND};
use crate::scenario::{Action, Call, Fault};

/// A heartbeat and its answer, each sent and received.
pub(super) const HEARTBEAT: u64 = 4;

/// An SDK is initialised, by the world or a step.
pub(super) const INIT: u64 = 4;

/// A login, from the call to the acknowledgement on the server's disk.
pub(super) const LOGIN: u64 = 36;

/// A displaced session, from the fact to the confirmation on the server's disk.
pub(super) const KICK: u64 = 18;

/// A link loss, one attempt, and the resume.
pub(super) const RESUME: u64 = 28;

/// One attempt to connect that fails, and the back-off before it.
pub(super) const ATTEMPT: u64 = 5;

/// A renewal.
const RENEWAL: u64 = 12;

/// A logout with an answer.
const LOGOUT: u64 = 18;

/// A call that is answered at once.
const AT_ONCE: u64 = 2;

/// A message between two devices.
const MESSAGE: u64 = 12;

/// Any other request.
const REQUEST: u64 = 6;

/// A fault and its effect, and nothing that follows from it.
const FAULT: u64 = 2;

/// What follows from a step, as far as the belief before it tells.
pub(super) fn of_step(belief: &Belief, action: &Action) -> u64 {
    match action {
        Action::Call { device, call } => of_call(belief, belief.device(device), call),
        Action::On { .. } => LOGIN / 2,
        Action::Raw { .. } => 6,
        Action::Fault(fault) => FAULT + of_fault(belief, fault),
        Action::App(_) => 1,
    }
}

fn of_call(belief: &Belief, device: usize, call: &Call) -> u64 {
    let hand = &belief.devices[device];
    if !hand.runs {
        return 0;
    }
    if !hand.is_initialised {
        return if *call == Call::Init { INIT } else { AT_ONCE };
    }
    let reaches = belief.reaches(device);
    match call {
        Call::Init => AT_ONCE,
        Call::Uninit => AT_ONCE + 4,
        Call::Login { user, .. } => {
            let user = super::setup::user_index(user);
            match (hand.account, user) {
                (_, None) => AT_ONCE,
                (Some(account), Some(user)) if account == user => RENEWAL,
                (account, Some(user)) => {
                    let rivals = (0..belief.devices.len()).filter(|&other| {
                        let is_theirs = belief.devices[other].session.is_some_and(|session| session.user == user);
                        other != device && is_theirs && belief.are_rivals(device, other)
                    });
                    let kicks = if reaches { rivals.count() as u64 * KICK } else { 0 };
                    LOGIN + kicks + if account.is_some() { LOGOUT } else { 0 }
                }
            }
        }
        Call::Logout if hand.account.is_some() => LOGOUT,
        Call::Logout | Call::Conversations => AT_ONCE,
        Call::Send { .. } if belief.is_in(device) && reaches => MESSAGE,
        Call::Kick { user } if belief.is_in(device) && reaches => {
            let user = super::setup::user_index(user);
            let theirs =
                belief.devices.iter().filter(|hand| hand.session.is_some_and(|session| Some(session.user) == user));
            REQUEST + theirs.count() as u64 * KICK
        }
        Call::Query { .. } if belief.is_in(device) && reaches => REQUEST,
        Call::Send { .. } | Call::Kick { .. } | Call::Query { .. } => AT_ONCE,
        Call::NetworkChanged if belief.is_in(device) => HEARTBEAT,
        Call::NetworkChanged => 1,
    }
}

fn of_fault(belief: &Belief, fault: &Fault) -> u64 {
    let returning = |is_one: &dyn Fn(usize) -> bool| {
        let count = (0..belief.devices.len())
            .filter(|&device| belief.works(device) && belief.devices[device].account.is_some() && is_one(device))
            .count();
        count as u64 * RESUME
    };
    match fault {
        Fault::Repair { site } | Fault::Release { site } => {
            returning(&|device| belief.sites[belief.devices[device].site].name == *site)
        }
        Fault::BounceServer { .. } | Fault::StartServer => returning(&|_| true),
        Fault::CrashServer | Fault::PowerLossServer => returning(&|_| true) / 4,
        Fault::Reset { device } => returning(&|other| belief.devices[other].name == *device),
        Fault::Wake { device } => {
            let hand = &belief.devices[belief.device(device)];
            if hand.account.is_some() { RESUME } else { 0 }
        }
        Fault::Start { .. } => INIT,
        Fault::Kill { device } => {
            let hand = &belief.devices[belief.device(device)];
            if hand.session.is_some() { 6 } else { 0 }
        }
        Fault::Partition { .. }
        | Fault::Hold { .. }
        | Fault::Latency { .. }
        | Fault::Suspend { .. }
        | Fault::Skew { .. }
        | Fault::Drift { .. }
        | Fault::Wipe { .. } => 0,
    }
}

/// What the device spends while so much time passes, in thousandths of an event.
pub(super) fn of_time(belief: &Belief, device: usize, span: u64) -> u64 {
    let hand = &belief.devices[device];
    if !belief.works(device) || hand.account.is_none() && !(hand.may_be_active && span > MINUTE) {
        return 0;
    }
    let per = |events: u64, interval: u64| {
        u64::try_from(u128::from(span) * u128::from(events) * 1_000 / u128::from(interval.max(1))).unwrap_or(u64::MAX)
    };
    if belief.reaches(device) {
        per(HEARTBEAT, hand.heartbeat)
    } else {
        // The first attempts double their distance; then it stays.
        let first = u64::from((span / (SECOND / 4)).max(1).ilog2()) * ATTEMPT * 1_000;
        first.min(per(ATTEMPT, SECOND / 4)) + per(ATTEMPT, hand.backoff_max)
    }
}
