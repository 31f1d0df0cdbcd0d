//! Tickets for the event world: what one is worth is known from the plan it was made by.
//!
//! Nothing is signed or compressed: the text is the plan in words, the signature a hash of it. Whatever
//! reads otherwise is opened like any ticket, and is none.

use std::time::Duration;

use gatecrash::ticket::{Claims, Opened, OpenedTicket, Signature, TICKET_BYTES_MAX, Ticket, open};
use sha2::{Digest as _, Sha256};

use super::super::tickets::issued_at;
use crate::scenario::{App, Forge, TicketPlan};

/// What signed a ticket.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Key {
    Current,
    Old,
    Wrong,
}

impl Key {
    const ALL: [Key; 3] = [Key::Current, Key::Old, Key::Wrong];

    const fn word(self) -> &'static str {
        match self {
            Key::Current => "current",
            Key::Old => "old",
            Key::Wrong => "wrong",
        }
    }
}

/// The ticket that a plan describes, with what can be read of it.
pub(super) fn make(app: &App, plan: &TicketPlan) -> (Ticket, Option<Claims>) {
    let (app_id, key) = match plan.forge {
        None => (app.id, Key::Current),
        Some(Forge::OldKey) => (app.id, Key::Old),
        Some(Forge::WrongKey) => (app.id, Key::Wrong),
        Some(Forge::OtherApp) => (app.id + 1, Key::Current),
        Some(Forge::Empty) => return (Ticket::from(""), None),
        Some(Forge::Oversized) => return (Ticket::from("A".repeat(TICKET_BYTES_MAX + 1)), None),
        Some(Forge::Garbage) => return (Ticket::from("garbage"), None),
        Some(Forge::Bomb) => return (Ticket::from("bomb"), None),
        Some(Forge::Truncated) => return (Ticket::from("truncated"), None),
    };
    let (issued_at, ttl) = (issued_at(app, plan), plan.ttl.as_secs());
    let text = format!("{}/{app_id}/{issued_at}/{ttl}/{}", plan.user, key.word());
    let claims = Claims { app_id, user: Some(plan.user), issued_at, ttl, signature: signature(&text) };
    (Ticket::from(text), Some(claims))
}

/// What the server's edge makes of a ticket.
pub(super) fn open_made(ticket: &Ticket, accepts_old_key: bool) -> OpenedTicket {
    let Some((claims, key)) = read(ticket.as_str()) else { return open(ticket.as_str(), &[]) };
    let signature_fits = match key {
        Key::Current => true,
        Key::Old => accepts_old_key,
        Key::Wrong => false,
    };
    Ok(Opened { claims, signature_fits })
}

/// How long a ticket like it lasts, where that can be read.
pub(super) fn lasts(ticket: &Ticket) -> Option<Duration> {
    read(ticket.as_str()).map(|(claims, _)| Duration::from_secs(claims.ttl))
}

fn read(text: &str) -> Option<(Claims, Key)> {
    let mut words = text.split('/');
    let user = words.next()?.parse().ok()?;
    let mut number = || words.next()?.parse().ok();
    let (app_id, issued_at, ttl) = (number()?, number()?, number()?);
    let word = words.next()?;
    let key = Key::ALL.into_iter().find(|key| key.word() == word)?;
    Some((Claims { app_id, user: Some(user), issued_at, ttl, signature: signature(text) }, key))
}

fn signature(text: &str) -> Signature {
    Signature(Sha256::digest(text).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Offset;
    use crate::world::tickets;

    /// TICKET-1, TICKET-3: a made ticket is worth what the signed one of the same plan is worth.
    #[test]
    fn a_made_ticket_is_opened_like_the_signed_one_of_its_plan() {
        let app = App::default();
        let forges = [
            None,
            Some(Forge::OldKey),
            Some(Forge::WrongKey),
            Some(Forge::OtherApp),
            Some(Forge::Empty),
            Some(Forge::Oversized),
            Some(Forge::Garbage),
            Some(Forge::Bomb),
            Some(Forge::Truncated),
        ];
        let mut signatures = Vec::new();
        for (accepts_old, forge) in [true, false].into_iter().flat_map(|old| forges.map(|forge| (old, forge))) {
            let user = "alice".parse().expect("a user id");
            let plan = TicketPlan { user, issued: Offset(7_000_000), ttl: Duration::from_secs(60), forge };
            let (ticket, claims) = make(&app, &plan);
            let signed = tickets::planned(&app, &plan);
            assert_eq!(ticket.check(), signed.check(), "{forge:?}");
            let unsigned = |opened: OpenedTicket| {
                opened.map(|opened| {
                    let claims = Claims { signature: Signature([0; 32]), ..opened.claims };
                    Opened { claims, ..opened }
                })
            };
            let opened = open_made(&ticket, accepts_old);
            let real = open(signed.as_str(), &tickets::keys(accepts_old));
            assert_eq!(unsigned(opened), unsigned(real), "{forge:?}");
            assert_eq!(opened.ok().map(|opened| opened.claims), claims, "{forge:?}");
            signatures.extend(claims.map(|claims| claims.signature));
        }
        signatures.sort_unstable();
        signatures.dedup();
        assert_eq!(signatures.len(), 4, "tickets of different plans have different signatures");
    }
}
