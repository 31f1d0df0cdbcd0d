//! Which ticket is which: a device knows it by its text, the server by its signature.

use gatecrash::store;
use gatecrash::ticket::{self, Claims, OpenedTicket, Signature, Ticket};

use super::Recording;
use crate::trace::{Observer, TicketIndex};

impl<O: Observer> Recording<O> {
    pub(super) fn add_ticket(&mut self, name: Option<&str>, claims: Option<&Claims>) -> TicketIndex {
        let (issued, ttl) = claims.map_or((0, 0), |claims| (claims.issued_at, claims.ttl));
        let index = self.new_ticket(name, issued, ttl);
        if let Some(claims) = claims {
            self.ticket_by_signature.entry(claims.signature).or_insert(index);
        }
        index
    }

    fn new_ticket(&mut self, name: Option<&str>, issued: u64, ttl: u64) -> TicketIndex {
        let index = self.cast.add_ticket(name, issued, ttl);
        self.encoder.ticket(&self.cast.ticket(index).name, issued, ttl);
        index
    }

    pub(super) fn ticket(&mut self, text: &Ticket) -> TicketIndex {
        if let Some(&index) = self.ticket_by_text.get(text) {
            return index;
        }
        let claims = ticket::read(text.as_str()).ok().map(|contents| contents.claims);
        let known = claims.as_ref().and_then(|claims| self.ticket_by_signature.get(&claims.signature).copied());
        let index = known.unwrap_or_else(|| self.add_ticket(None, claims.as_ref()));
        self.ticket_by_text.insert(text.clone(), index);
        index
    }

    pub(super) fn opened_ticket(&mut self, opened: &OpenedTicket) -> Option<TicketIndex> {
        let claims = opened.as_ref().ok()?.claims;
        Some(match self.ticket_by_signature.get(&claims.signature) {
            Some(&index) => index,
            None => self.add_ticket(None, Some(&claims)),
        })
    }

    pub(super) fn session_ticket(&mut self, ticket: &store::SessionTicket) -> TicketIndex {
        self.signed_ticket(ticket.signature, ticket.issued_at, ticket.last_second)
    }

    pub(super) fn signed_ticket(&mut self, signature: Signature, issued_at: u64, last_second: u64) -> TicketIndex {
        if let Some(&index) = self.ticket_by_signature.get(&signature) {
            return index;
        }
        let index = self.new_ticket(None, issued_at, last_second.saturating_sub(issued_at));
        self.ticket_by_signature.insert(signature, index);
        index
    }
}
