//! Tickets: whose they are, and until when they hold.

use std::collections::{BTreeMap, BTreeSet};

use super::answer::Rule;
use super::outside::{Found, Outside, Report, Scene};
use crate::history::event::{Event, Known, Outcome, Request, Told, User, What};
use crate::history::{Channel, Channels, Head};

/// See the module.
pub(super) struct Tickets {
    tickets: BTreeMap<Known, Ticket>,
    /// The same, by when they run out.
    by_end: BTreeSet<(u64, Known)>,
    /// What a wall clock says at instant 0, in microseconds.
    wall: Option<u64>,
}

#[derive(Clone, Copy)]
struct Ticket {
    user: Option<User>,
    /// The last second at which it holds.
    until: u64,
    line: u64,
}

/// How many tickets are remembered; those that run out first are forgotten.
const TICKETS_MAX: usize = 65_536;

const NAME: &str = "a ticket is good for its user and its time";

const VALID: Rule = Rule::at("TICKET-2");
const WHOSE: Rule = Rule::at("TICKET-3");
const END: Rule = Rule::at("TICKET-5");

impl Tickets {
    pub(super) fn new(head: &Head) -> Tickets {
        Tickets { tickets: BTreeMap::new(), by_end: BTreeSet::new(), wall: head.wall }
    }
}

impl Outside for Tickets {
    fn name(&self) -> &'static str {
        NAME
    }

    fn rules(&self) -> &'static [Rule] {
        &[VALID, WHOSE, END]
    }

    fn needs(&self) -> Channels {
        Channels::of(&[Channel::Calls, Channel::Events, Channel::Tickets])
    }

    fn asked_when(&self) -> &'static str {
        "a login with a ticket that was seen made is accepted; an expiry is told"
    }

    fn see(&mut self, scene: &Scene<'_>, event: &Event, report: &mut Report) {
        match event.what {
            What::Ticket { ticket, user, issued, ttl } => {
                let until = issued.saturating_add(ttl);
                if let Some(before) = self.tickets.insert(ticket, Ticket { user, until, line: event.line }) {
                    self.by_end.remove(&(before.until, ticket));
                }
                self.by_end.insert((until, ticket));
                if self.by_end.len() > TICKETS_MAX
                    && let Some((_, first)) = self.by_end.pop_first()
                {
                    self.tickets.remove(&first);
                }
            }
            What::Answered { outcome: Outcome::Done { .. }, .. } => {
                let Some(open) = scene.open else { return };
                let Request::Login { user, ticket: Some(known), .. } = open.request else { return };
                let Some(ticket) = self.tickets.get(&known) else { return };
                if let Some(whose) = ticket.user {
                    report.check(WHOSE, whose == user, || {
                        let text = format!("{} logged in with a ticket of {}", scene.user(user), scene.user(whose));
                        Found::at(NAME, scene, event, Some(ticket.line), text)
                    });
                }
                if let Some(called) = self.second(open.from.saturating_sub(scene.skew)) {
                    report.check(VALID, called <= ticket.until, || {
                        let late = called - ticket.until;
                        let text = format!(
                            "{} logged in with a ticket that had run out {late} s before the call",
                            scene.user(user)
                        );
                        Found::at(NAME, scene, event, Some(ticket.line), text)
                    });
                }
            }
            // Whose session it is, and by which ticket, only who sees status and process can be sure of. Of one that comes
            // back the ticket may be refused for another reason than its time (CONN-4).
            What::Told { event: Told::UserSigExpired, .. }
                if scene.device.sees_status() && scene.device.sees_process() && !scene.device.is_offline =>
            {
                let Some(known) = scene.device.session().and_then(|session| session.ticket) else { return };
                let (Some(ticket), Some(told)) =
                    (self.tickets.get(&known), self.second(event.to.saturating_add(scene.skew)))
                else {
                    return;
                };
                report.check(END, told > ticket.until, || {
                    let early = ticket.until + 1 - told;
                    let text = format!("user_sig_expired was told {early} s before the ticket runs out");
                    Found::at(NAME, scene, event, Some(ticket.line), text)
                });
            }
            _ => {}
        }
    }
}

impl Tickets {
    /// The second of the wall clock at an instant.
    fn second(&self, at: u64) -> Option<u64> {
        Some(self.wall?.saturating_add(at) / 1_000_000)
    }
}
