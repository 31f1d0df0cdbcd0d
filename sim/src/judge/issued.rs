//! Which tickets were issued, for whom, and until when they hold.
//!
//! Keeps the books, and judges nothing.

use std::collections::{BTreeMap, BTreeSet};

use crate::history::Head;
use crate::history::event::{Event, Known, Request, User, What};

/// See the module.
pub(super) struct Issued {
    tickets: BTreeMap<Known, Ticket>,
    /// The same, by when they run out.
    by_end: BTreeSet<(u64, Known)>,
    has_forgotten: bool,
    /// What a wall clock says at instant 0, in microseconds.
    wall: Option<u64>,
}

/// A ticket that was issued.
#[derive(Clone, Copy)]
pub(super) struct Ticket {
    /// For whom; none of one that may be withdrawn before its time.
    pub(super) user: Option<User>,
    /// In which second.
    pub(super) issued: u64,
    /// The last second at which it holds.
    pub(super) until: u64,
    /// When a login or renewal first brought it, in microseconds.
    pub(super) shown: Option<u64>,
    pub(super) line: u64,
}

/// How many tickets are remembered; those that run out first are forgotten.
const TICKETS_MAX: usize = 65_536;

/// Whether a ticket was issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WasIssued {
    Yes,
    No,
    /// It may be among those that were forgotten.
    Perhaps,
}

impl Issued {
    pub(super) fn new(head: &Head) -> Issued {
        Issued { tickets: BTreeMap::new(), by_end: BTreeSet::new(), has_forgotten: false, wall: head.wall }
    }

    /// Takes in an event. `skew` is how far the clock of whoever saw it may be from the truth.
    pub(super) fn see(&mut self, event: &Event, skew: u64) {
        match event.what {
            What::Ticket { ticket, user, issued, ttl } => {
                let until = issued.saturating_add(ttl);
                let made = Ticket { user, issued, until, shown: None, line: event.line };
                if let Some(before) = self.tickets.insert(ticket, made) {
                    self.by_end.remove(&(before.until, ticket));
                }
                self.by_end.insert((until, ticket));
                if self.by_end.len() > TICKETS_MAX
                    && let Some((_, first)) = self.by_end.pop_first()
                {
                    self.tickets.remove(&first);
                    self.has_forgotten = true;
                }
            }
            What::Called { request: Request::Login { ticket: Some(ticket), .. }, .. } => {
                if let Some(ticket) = self.tickets.get_mut(&ticket) {
                    ticket.shown.get_or_insert(event.from.saturating_sub(skew));
                }
            }
            _ => {}
        }
    }

    /// What is known of a ticket.
    pub(super) fn get(&self, ticket: Known) -> Option<Ticket> {
        self.tickets.get(&ticket).copied()
    }

    /// Whether a ticket was issued, as far as the history is read.
    pub(super) fn was_issued(&self, ticket: Known) -> WasIssued {
        match self.tickets.contains_key(&ticket) {
            true => WasIssued::Yes,
            false if self.has_forgotten => WasIssued::Perhaps,
            false => WasIssued::No,
        }
    }

    /// The second of the wall clock at an instant, where that is known.
    pub(super) fn second(&self, at: u64) -> Option<u64> {
        Some(self.wall?.saturating_add(at) / 1_000_000)
    }
}
