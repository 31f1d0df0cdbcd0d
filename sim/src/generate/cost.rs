//! What a scenario costs in events of its trace: a table by kind of step, and what time costs.
//!
//! Measured in the event world. A table that is a little off makes a seed spend a little more or
//! less than it drew; nothing else depends on it.

use super::SECOND;
use super::belief::Belief;
use crate::scenario::{Action, Call, Fault, TicketChoice};

/// A heartbeat and its answer, each sent and received.
pub(super) const HEARTBEAT: u64 = 4;

/// An SDK is initialised, by the world or a step.
pub(super) const INIT: u64 = 4;

/// A login, from the call to the acknowledgement on the server's disk.
pub(super) const LOGIN: u64 = 24;

/// A login that is refused.
const REFUSED: u64 = 18;

/// A displaced session, from the fact to the confirmation on the server's disk.
pub(super) const KICK: u64 = 12;

/// A link loss, one attempt, and the resume.
pub(super) const RESUME: u64 = 26;

/// One attempt to connect that fails, and the back-off before it.
pub(super) const ATTEMPT: u64 = 5;

/// A renewal.
const RENEWAL: u64 = 11;

/// A logout with an answer.
const LOGOUT: u64 = 15;

/// What a switch costs beside its login.
const LEFT_BEHIND: u64 = 11;

/// A call that is answered at once.
const AT_ONCE: u64 = 2;

/// A message between two devices.
const MESSAGE: u64 = 14;

/// Any other request.
const REQUEST: u64 = 6;

/// A fault and its effect, and nothing that follows from it.
const FAULT: u64 = 2;

/// What follows from a step, as far as the belief before it tells.
pub(super) fn of_step(belief: &Belief, now: u64, action: &Action) -> u64 {
    match action {
        Action::Call { device, call } => of_call(belief, belief.device(device), call),
        Action::On { .. } => LOGIN / 2,
        Action::Raw { conduct, .. } => 6 * u64::from(conduct.times()),
        Action::Fault(fault) => FAULT + of_fault(belief, now, fault),
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
        Call::Uninit => {
            if hand.session.is_some() {
                12
            } else {
                4
            }
        }
        Call::Login { .. } if hand.pending.is_some() => AT_ONCE,
        Call::Login { user, ticket } => {
            let user = super::setup::user_index(user);
            match (hand.account, user) {
                (_, None) => AT_ONCE,
                (Some(account), Some(user)) if account == user => RENEWAL,
                (None, _) if matches!(ticket, TicketChoice::Named(_)) => REFUSED,
                (account, Some(user)) => {
                    let rivals = (0..belief.devices.len()).filter(|&other| {
                        let is_theirs = belief.devices[other].session.is_some_and(|session| session.user == user);
                        other != device && is_theirs && belief.are_rivals(device, other)
                    });
                    let kicks = if reaches { rivals.count() as u64 * KICK } else { 0 };
                    LOGIN + kicks + if account.is_some() { LEFT_BEHIND } else { 0 }
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

fn of_fault(belief: &Belief, now: u64, fault: &Fault) -> u64 {
    // Who has noticed its link loss by now comes back, some to hear that there is nothing to come back to.
    let returning = |is_one: &dyn Fn(usize) -> bool| {
        let count = (0..belief.devices.len()).filter(|&device| {
            let hand = &belief.devices[device];
            let has_noticed = hand.tries_from.is_some_and(|from| from <= now);
            belief.works(device) && hand.account.is_some() && has_noticed && is_one(device)
        });
        count.count() as u64 * RESUME * 2 / 3
    };
    match fault {
        Fault::Repair { site } | Fault::Release { site } => {
            returning(&|device| belief.sites[belief.devices[device].site].name == *site)
        }
        Fault::StartServer | Fault::WakeServer => returning(&|_| true),
        Fault::BounceServer { .. } => {
            let online = (0..belief.devices.len()).filter(|&device| belief.is_in(device) && belief.reaches(device));
            online.count() as u64 * RESUME * 2 / 3
        }
        Fault::MendDisk => returning(&|_| true),
        Fault::Reset { device } => {
            let device = belief.device(device);
            if belief.is_in(device) && belief.reaches(device) { RESUME } else { 0 }
        }
        Fault::Wake { device } => {
            let hand = &belief.devices[belief.device(device)];
            if hand.account.is_some() { RESUME / 2 } else { 1 }
        }
        Fault::Start { .. } => INIT,
        Fault::Kill { device } => {
            let hand = &belief.devices[belief.device(device)];
            if hand.session.is_some() { 6 } else { 0 }
        }
        // The others cost what is counted elsewhere: as they are noticed, or as they end.
        _ => 0,
    }
}

/// What the device spends while so much time passes, in thousandths of an event, if the beliefs are right.
pub(super) fn of_time(belief: &Belief, device: usize, now: u64, span: u64) -> u64 {
    let hand = &belief.devices[device];
    if hand.account.is_none() && !hand.owes || !belief.works(device) {
        0
    } else {
        of_activity(belief, device, now, span)
    }
}

/// The same for a device that wants to be online, whether it is believed to or not.
pub(super) fn of_activity(belief: &Belief, device: usize, now: u64, span: u64) -> u64 {
    let hand = &belief.devices[device];
    if belief.reaches(device) {
        return per(HEARTBEAT, span, hand.heartbeat);
    }
    let begins = hand.tries_from.unwrap_or(now);
    // A portal is talked to before it is found out, and a server that stands still hears later what it was told.
    let times = match (belief.sites[hand.site].has_portal, belief.is_server_suspended) {
        (true, _) => 2,
        (false, true) => 3,
        (false, false) => 1,
    };
    let until = |at: u64| times * of_attempts(at.saturating_sub(begins), hand.backoff_max);
    until(now + span) - until(now)
}

/// The first attempts double their distance; then it stays.
fn of_attempts(span: u64, backoff_max: u64) -> u64 {
    let doubling = (span / (SECOND / 4) + 1).min(backoff_max / (SECOND / 4) + 1);
    u64::from(doubling.ilog2()) * ATTEMPT * 1_000 + per(ATTEMPT, span, backoff_max)
}

fn per(events: u64, span: u64, interval: u64) -> u64 {
    let thousandths = u128::from(span) * u128::from(events) * 1_000 / u128::from(interval.max(1));
    u64::try_from(thousandths).unwrap_or(u64::MAX)
}
