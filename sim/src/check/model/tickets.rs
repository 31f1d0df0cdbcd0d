//! What a ticket is worth (TICKET-2, TICKET-3), from how the trace says it was made.

use std::collections::BTreeMap;
use std::time::Duration;

use gatecrash::code::Code;
use gatecrash::time::Instant;

use super::records::User;
use crate::scenario::numbers::TICKET_REFUSALS;
use crate::scenario::{Forge, Scenario};
use crate::trace::{Cast, TicketIndex, UserIndex};

/// Every ticket made so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Tickets {
    plans: BTreeMap<String, Option<Forge>>,
    made: BTreeMap<TicketIndex, (Option<UserIndex>, Option<Forge>)>,
    old_key_dropped: Option<Instant>,
    /// How long a frame that came before the old key went may still be judged by it.
    lag: Duration,
}

/// What may be said of a ticket: mostly one thing, several where the trace does not tell which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Worth {
    pub(super) may_pass: bool,
    pub(super) refusals: Vec<Code>,
}

impl Worth {
    fn refused(code: Code) -> Self {
        Worth { may_pass: false, refusals: vec![code] }
    }

    pub(super) fn allows(&self, refused: Option<Code>) -> bool {
        refused.map_or(self.may_pass, |code| self.refusals.contains(&code))
    }
}

impl Tickets {
    pub(super) fn new(scenario: &Scenario, lag: Duration) -> Self {
        let plans = scenario.tickets.iter().map(|(name, plan)| (name.to_string(), plan.forge)).collect();
        Tickets { plans, lag, ..Tickets::default() }
    }

    pub(super) fn made(&mut self, cast: &Cast, ticket: TicketIndex, owner: Option<UserIndex>) {
        let forge = self.plans.get(&cast.ticket(ticket).name).copied().flatten();
        self.made.insert(ticket, (owner, forge));
    }

    pub(super) fn old_key_dropped(&mut self, at: Instant) {
        self.old_key_dropped = Some(at);
    }

    /// What the ticket is worth to this user, at one of these seconds of the server's clock.
    pub(super) fn worth(
        &self,
        cast: &Cast,
        ticket: Option<TicketIndex>,
        user: UserIndex,
        account: Option<&User>,
        (at, (earliest, latest)): (Instant, (u64, u64)),
    ) -> Worth {
        let Some(ticket) = ticket else {
            // It could not be opened; whether because it is empty the frame does not say.
            return Worth { may_pass: false, refusals: vec![Code::TicketEmpty, Code::TicketMalformed] };
        };
        let Some(&(owner, forge)) = self.made.get(&ticket) else { return unknown() };
        match forge {
            Some(Forge::Empty) => return Worth::refused(Code::TicketEmpty),
            Some(Forge::Garbage | Forge::Oversized | Forge::Bomb | Forge::Truncated) => {
                return Worth::refused(Code::TicketMalformed);
            }
            Some(Forge::OtherApp) => return Worth::refused(Code::TicketOtherApp),
            Some(Forge::WrongKey | Forge::OldKey) | None => {}
        }
        if owner != Some(user) {
            return Worth::refused(Code::TicketOtherUser);
        }
        let signature = Worth::refused(Code::TicketSignature);
        let mut may_be_signature = false;
        match (forge, self.old_key_dropped) {
            (Some(Forge::WrongKey), _) => return signature,
            (Some(Forge::OldKey), Some(dropped)) if at - dropped > self.lag => return signature,
            (Some(Forge::OldKey), Some(_)) => may_be_signature = true,
            _ => {}
        }
        let made = cast.ticket(ticket);
        let is_void = account.is_some_and(|account| {
            account.voided_until.is_some_and(|until| made.issued <= until) || account.voided.contains(&ticket)
        });
        let mut worth = if is_void {
            Worth::refused(Code::TicketVoided)
        } else {
            let last = made.issued.saturating_add(made.ttl);
            let refusals = if latest > last { vec![Code::TicketExpired] } else { Vec::new() };
            Worth { may_pass: earliest <= last, refusals }
        };
        if may_be_signature {
            worth.refusals.push(Code::TicketSignature);
        }
        worth
    }
}

/// Of a ticket whose making nobody saw anything may be said.
fn unknown() -> Worth {
    Worth { may_pass: true, refusals: TICKET_REFUSALS.into() }
}
