//! Calls that have one right answer, whatever the server says: refused by the state that the application has made.

use gatecrash::client::Status;

use super::answer::Rule;
use super::device::{Account, Device, How};
use crate::history::event::Request;
use crate::scenario::CallKind;

/// Refused, with one of these codes, by one of these rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Gate {
    pub(super) rule: Rule,
    /// By our codes; the first is what the rule names.
    pub(super) codes: [u32; 2],
    /// Why, in words.
    pub(super) why: &'static str,
}

/// What a call has to be answered at once, being made at an instant; none where that depends on more.
pub(super) fn of(device: &Device, request: &Request, at: u64) -> Option<Gate> {
    let gate = |rule: &str, code: u32, why| Some(Gate { rule: Rule::at(rule), codes: [code, code], why });
    let kind = request.kind();
    match device.init {
        Some(true) if kind == CallKind::Init => {
            return gate("INIT-4", 6015, "the SDK was initialised already");
        }
        Some(false) if !matches!(kind, CallKind::Init) && device.sees_process() => {
            return gate("INIT-1", 6013, "the SDK was not initialised");
        }
        _ => {}
    }
    match (kind, device.account) {
        // Whether it waits for the server or only for the device's disk, no application sees.
        (CallKind::Login | CallKind::Logout, _) if device.waits(CallKind::Logout) => None,
        // The process that waited may be gone.
        (CallKind::Login, Account::Pending(_)) if !device.sees_process() => None,
        (CallKind::Login, Account::Pending(pending)) => {
            let is_pending = match device.status {
                Some((status, _)) => status == Status::Logining,
                None => {
                    !pending.may_be_over
                        && device.calls.iter().all(|open| !open.purpose.is(pending.login) || open.to < at)
                }
            };
            if is_pending { gate("LOGIN-4", 7501, "a login was pending") } else { None }
        }
        (_, Account::Nobody(How::Unknown) | Account::Unsure) => None,
        // A login that the SDK itself refused leaves all as it was, and only the status tells which one that is.
        (_, Account::Pending(_) | Account::Nobody(How::LoggedOut | How::Failed)) if !device.sees_status() => None,
        (CallKind::Logout, Account::Nobody(_)) => gate("LOGOUT-4", 6014, "nobody was logged in or logging in"),
        (CallKind::Send | CallKind::Kick | CallKind::Query, Account::Nobody(_)) => {
            gate("API-1", 6014, "nobody was logged in")
        }
        (CallKind::Send | CallKind::Kick | CallKind::Query, Account::Pending(_)) => {
            gate("API-1", 6014, "the login was still pending")
        }
        (CallKind::Conversations, Account::Nobody(How::Fresh | How::LoggedOut)) => {
            gate("API-1", 6014, "no login was accepted since")
        }
        _ => None,
    }
}
