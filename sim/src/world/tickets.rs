//! The app's business server, as far as a world needs one: it signs tickets, and forges some.
//!
//! Judges none: that is the server's.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use gatecrash::id::UserId;
use gatecrash::ticket::{INFLATED_BYTES_MAX, SecretKey, TICKET_BYTES_MAX, Ticket, TicketSpec, open, sign};
use gatecrash::time::Instant;

use crate::scenario::{App, Forge, Offset, Scenario, TicketChoice, TicketName, TicketPlan};
use crate::trace::Recorder;

/// The app's key in every run: a run is no secret.
const KEY: &str = "5bd2850fff3ecb11d7c805251c51ee463a25727bddc2385f3fa8bfee1bb93b5e";

/// The app's second key, until a step drops it.
const OLD_KEY: &str = "a0c1e2d3f4b5968778695a4b3c2d1e0fa0c1e2d3f4b5968778695a4b3c2d1e0f";

/// A key the app never had.
const WRONG_KEY: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The keys the server accepts.
pub fn keys(accepts_old: bool) -> Vec<SecretKey> {
    let mut keys = vec![SecretKey::from(KEY)];
    keys.extend(accepts_old.then(|| SecretKey::from(OLD_KEY)));
    keys
}

/// The ticket that a scenario's plan describes.
pub fn planned(app: &App, plan: &TicketPlan) -> Ticket {
    let spec = TicketSpec {
        app_id: app.id,
        user: plan.user,
        issued_at: issued_at(app, plan),
        ttl: plan.ttl.as_secs(),
        userbuf: None,
    };
    match plan.forge {
        None => sign(&spec, &SecretKey::from(KEY)),
        Some(Forge::WrongKey) => sign(&spec, &SecretKey::from(WRONG_KEY)),
        Some(Forge::OldKey) => sign(&spec, &SecretKey::from(OLD_KEY)),
        Some(Forge::OtherApp) => sign(&TicketSpec { app_id: app.id + 1, ..spec }, &SecretKey::from(KEY)),
        Some(Forge::Garbage) => Ticket::from("this is no ticket"),
        Some(Forge::Empty) => Ticket::from(""),
        Some(Forge::Oversized) => Ticket::from("A".repeat(TICKET_BYTES_MAX + 1)),
        Some(Forge::Bomb) => bomb(),
        Some(Forge::Truncated) => {
            let text = sign(&spec, &SecretKey::from(KEY));
            Ticket::from(&text.as_str()[..text.as_str().len() / 2])
        }
    }
}

/// When a planned ticket is issued, in seconds since 1970.
pub fn issued_at(app: &App, plan: &TicketPlan) -> u64 {
    plan.issued.from(app.start).seconds()
}

/// What a login's ticket is made by, as its step has it, with its name; none when it is the one the
/// device brought before. `second` is the server's wall clock.
pub fn plan<'a>(
    scenario: &'a Scenario,
    second: u64,
    user: &str,
    choice: &'a TicketChoice,
) -> Option<(Option<&'a TicketName>, TicketPlan)> {
    let app = &scenario.app;
    match choice {
        TicketChoice::Last => None,
        TicketChoice::Named(name) => Some((Some(name), scenario.tickets[name].clone())),
        TicketChoice::Fresh { ttl } => {
            let user = user.parse().unwrap_or_else(|_| super::NOBODY.parse().expect("a valid user id"));
            let issued = Offset((second as i64 - app.start.seconds() as i64) * 1_000_000);
            Some((None, TicketPlan { user, issued, ttl: ttl.unwrap_or(app.ticket_ttl), forge: None }))
        }
    }
}

/// The ticket a login brings, as its step has it: `second` is the server's wall clock, `last` what
/// the device's previous login brought.
pub fn for_login(
    scenario: &Scenario,
    recorder: &Recorder,
    now: Instant,
    second: u64,
    user: &str,
    choice: &TicketChoice,
    last: Option<Ticket>,
) -> Ticket {
    let Some((name, plan)) = plan(scenario, second, user, choice) else {
        return last.unwrap_or_else(|| Ticket::from(""));
    };
    let ticket = planned(&scenario.app, &plan);
    record(recorder, now, name, plan.user, &ticket);
    ticket
}

/// Tells the recorder of a ticket that was made.
fn record(recorder: &Recorder, at: Instant, name: Option<&TicketName>, user: UserId, ticket: &Ticket) {
    let claims = open(ticket.as_str(), &[]).ok().map(|opened| opened.claims);
    recorder.ticket_made(at, name.map(TicketName::as_str), Some(user.as_str()), ticket, claims.as_ref());
}

/// A ticket of some hundred bytes that inflates over the limit.
fn bomb() -> Ticket {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&vec![b' '; INFLATED_BYTES_MAX * 4]).expect("a vector takes what it is given");
    let bytes = encoder.finish().expect("a vector takes what it is given");
    Ticket::from(STANDARD.encode(bytes).replace('+', "*").replace('/', "-").replace('=', "_"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use gatecrash::code::Code;
    use gatecrash::ticket::judge;

    use super::*;
    use crate::scenario::Offset;

    /// TICKET-3: each forgery meets the refusal it is made for.
    #[test]
    fn every_forgery_is_refused_for_its_own_reason() {
        let app = App::default();
        let user: UserId = "alice".parse().unwrap();
        let judged = |forge: Option<Forge>, keys: &[SecretKey]| {
            let plan = TicketPlan { user, issued: Offset(0), ttl: Duration::from_secs(60), forge };
            let opened = open(planned(&app, &plan).as_str(), keys)?;
            judge(&opened, app.id, &user, app.start.seconds(), |_| false)
        };
        let with_old = keys(true);
        assert_eq!(judged(None, &with_old), Ok(()));
        assert_eq!(judged(Some(Forge::OldKey), &with_old), Ok(()));
        assert_eq!(judged(Some(Forge::OldKey), &keys(false)), Err(Code::TicketSignature));
        assert_eq!(judged(Some(Forge::WrongKey), &with_old), Err(Code::TicketSignature));
        assert_eq!(judged(Some(Forge::OtherApp), &with_old), Err(Code::TicketOtherApp));
        assert_eq!(judged(Some(Forge::Empty), &with_old), Err(Code::TicketEmpty));
        for forge in [Forge::Garbage, Forge::Oversized, Forge::Bomb, Forge::Truncated] {
            assert_eq!(judged(Some(forge), &with_old), Err(Code::TicketMalformed), "{forge}");
        }
    }
}
