//! What a device's application and its SDK show: arguments that are as long as may be, and the longest delay.

use gatecrash::code::Code;
use gatecrash::limits::ClientLimits;
use gatecrash::policy::Platform;

use super::super::table::{Reached, Situation};
use crate::check::grown::grown;
use crate::scenario::numbers::{QUERY_MAX, TEXT_MAX, USER_ID_MAX};
use crate::scenario::{CallKind, LimitOverrides, numbers};
use crate::trace::{Cast, DeviceIndex, List, Outcome, Request, What};

#[derive(Clone, Debug)]
pub(super) struct Calls {
    /// By platform.
    limits: Vec<ClientLimits>,
    /// By device: the last call with an argument at its bound, and what that is.
    at_bound: Vec<Option<(u32, Situation)>>,
}

impl Calls {
    pub(super) fn new(set: &LimitOverrides) -> Self {
        let limits = Platform::ALL.into_iter().map(|platform| numbers::client_limits(set, platform)).collect();
        Calls { limits, at_bound: Vec::new() }
    }

    pub(super) fn observe(&mut self, cast: &Cast, on: DeviceIndex, what: &What, reached: &mut Reached) {
        match *what {
            What::Called { call, request } => {
                if let Some(situation) = at_bound(cast, &request) {
                    *grown(&mut self.at_bound, on.index()) = Some((call, situation));
                }
            }
            What::Answered { call, kind, user, outcome, .. } => {
                if let Outcome::Failed { .. } = outcome
                    && kind == Some(CallKind::Login)
                    && user.is_some_and(|user| cast.user_name(user).len() == USER_ID_MAX + 1)
                {
                    reached.add(Situation::NameTooLong);
                }
                let waits = self.at_bound.get_mut(on.index());
                let Some((_, situation)) = waits.and_then(|waits| waits.take_if(|(of, _)| *of == call)) else { return };
                let is_it = match outcome {
                    Outcome::Report { .. } => situation == Situation::QueryAtMost,
                    Outcome::Failed { code: Code::InvalidArgument, .. } => situation != Situation::QueryAtMost,
                    Outcome::Done
                    | Outcome::Message { .. }
                    | Outcome::Conversations { .. }
                    | Outcome::Failed { .. } => false,
                };
                if is_it {
                    reached.add(situation);
                }
            }
            What::BackOff { attempt, .. } if attempt > 1 => {
                let limits = &self.limits[cast.devices()[on.index()].platform as usize];
                let doubled = 1_u32.checked_shl(attempt - 2).and_then(|by| limits.backoff_min.checked_mul(by));
                if doubled.is_none_or(|doubled| doubled > limits.backoff_max) {
                    reached.add(Situation::BackOffNoLonger);
                }
            }
            _ => {}
        }
    }
}

/// What the call is about if it comes to an argument that is as long as may be, or one too long.
fn at_bound(cast: &Cast, request: &Request) -> Option<Situation> {
    match *request {
        Request::Send { text, .. } => (cast.text(text).len() == TEXT_MAX + 1).then_some(Situation::TextTooLong),
        Request::Query { users: Some(users) } => match cast.list(users) {
            List::Users(users) if users.len() == QUERY_MAX => Some(Situation::QueryAtMost),
            List::Users(users) if users.len() == QUERY_MAX + 1 => Some(Situation::QueryTooLong),
            List::Users(_) | List::Devices(_) | List::Conversations(_) | List::Report(_) => None,
        },
        Request::Query { users: None }
        | Request::Init { .. }
        | Request::Uninit
        | Request::Login { .. }
        | Request::Logout
        | Request::Conversations
        | Request::Kick { .. } => None,
    }
}
