//! Gambits about logins: at the same time, unanswered, interrupted, refused, overtaken.

use super::*;
use crate::scenario::Span;
use crate::scenario::numbers::DAYS_REMEMBERED;
use crate::scenario::{AppChange, Clock, Forge, Offset};
use gatecrash::policy::Policy;

/// POLICY-4: two to four devices of one user, each login sent before any other is answered.
pub(super) fn within_one_latency(author: &mut Author) -> Option<()> {
    let user = author.any_user();
    let first = author.any_device();
    let mut devices = vec![first];
    for _ in 0..author.draw.between(1, 3) {
        let next = author.device_where(|belief, other| !devices.contains(&other) && belief.are_rivals(other, first));
        devices.extend(next);
    }
    if devices.len() < 2 {
        return None;
    }
    for &device in &devices {
        author.bring(device);
        // A renewal would race nobody.
        if author.hand(device).account == Some(user) && author.draw.chance(3, 4) {
            author.call(device, Call::Logout);
        }
    }
    author.settle();
    let longest = devices.iter().map(|&device| author.latency(device)).max()?;
    let start = author.now + longest;
    let logins = devices.iter().map(|&device| {
        let scatter = within(author, longest);
        (start + scatter - author.latency(device).min(start), by(author, device, fresh_login(user)))
    });
    let logins = logins.collect();
    author.race(logins);
    Some(())
}

/// LOGIN-8: the server has the login, the device never hears.
pub(super) fn answer_lost(author: &mut Author) -> Option<()> {
    let (device, user) = (author.any_device(), author.any_user());
    author.bring(device);
    let timeout = whole_micros(client(author, device).login_timeout);
    fits(author, timeout, 10 * SECOND)?;
    if author.hand(device).account == Some(user) {
        author.call(device, Call::Logout);
        author.settle();
    }
    author.call(device, fresh_login(user));
    let before = within(author, round_trip(author, device));
    author.pass(before);
    let site = author.belief.sites[author.hand(device).site].name.clone();
    author.fault(Fault::Partition { site: site.clone(), direction: Direction::Inbound });
    match author.draw.below(4) {
        // The same device, when it has given up or while it has not.
        0 => {
            author.pass(timeout);
            author.fault(Fault::Repair { site });
            let pause = within(author, SECOND);
            author.pass(pause);
            author.call(device, fresh_login(user));
        }
        1 => {
            let pause = some(author, 10, 5_000);
            author.pass(pause);
            author.call(device, Call::Logout);
            author.fault(Fault::Repair { site });
            let other = author.any_user();
            author.call(device, fresh_login(other));
        }
        // Another device takes the place of a session that nobody knows of.
        _ => {
            let rival = author.device_where(|belief, other| other != device && belief.are_rivals(other, device));
            if let Some(rival) = rival.filter(|&rival| author.hand(rival).site != author.hand(device).site) {
                author.log_in(rival, user);
            }
            let pause = some(author, 10, 40_000);
            author.pass(pause);
            author.fault(Fault::Repair { site });
            let pause = some(author, 10, 10_000);
            author.pass(pause);
            author.call(device, fresh_login(user));
        }
    }
    Some(())
}

/// INIT-6, ATT-2: the process dies with its login under way, and the next one logs in.
pub(super) fn killed_before_the_answer(author: &mut Author) -> Option<()> {
    let (device, user) = (author.any_device(), author.any_user());
    author.bring(device);
    author.call(device, fresh_login(user));
    let before = within(author, round_trip(author, device) + 2 * MILLI);
    author.pass(before);
    let name = author.hand(device).name.clone();
    author.fault(Fault::Kill { device: name.clone() });
    let pause = some(author, 1, 3_000);
    author.pass(pause);
    author.fault(Fault::Start { device: name });
    author.bring(device);
    let user = if author.draw.chance(3, 4) { user } else { author.any_user() };
    author.call(device, fresh_login(user));
    Some(())
}

/// LOGIN-3: suspended past its `login_timeout`.
pub(super) fn slept_through(author: &mut Author) -> Option<()> {
    let (device, user) = (author.any_device(), author.any_user());
    author.bring(device);
    let timeout = whole_micros(client(author, device).login_timeout);
    fits(author, timeout, 20 * SECOND)?;
    if author.hand(device).account == Some(user) {
        author.call(device, Call::Logout);
        author.settle();
    }
    let start = author.now;
    author.call(device, fresh_login(user));
    let before = within(author, round_trip(author, device));
    author.pass(before);
    let name = author.hand(device).name.clone();
    author.fault(Fault::Suspend { device: name.clone() });
    if author.draw.chance(1, 3) {
        author.call(device, Call::Logout);
    }
    let latency = author.latency(device);
    let end = match author.draw.below(3) {
        0 => moment::around(author, start + timeout, latency),
        _ => start + timeout + some(author, 1, 20_000),
    };
    author.pass(end.saturating_sub(author.now));
    author.fault(Fault::Wake { device: name });
    if author.draw.chance(1, 2) {
        let pause = within(author, 2 * latency);
        author.pass(pause);
        author.call(device, fresh_login(user));
    }
    Some(())
}

/// So few records that a handful of devices needs more.
const RECORDS_FEW: usize = 4;

/// TICKET-4: as many refused tickets as lock a device, good ones anywhere among them, and a good one within the lock
/// or after it.
pub(super) fn refused_and_a_good_one(author: &mut Author) -> Option<()> {
    /// Those that the SDK sends.
    const FORGES: [Option<Forge>; 4] = [Some(Forge::WrongKey), Some(Forge::OtherApp), Some(Forge::Truncated), None];
    let limits = server(author);
    if author.left() < 300 {
        return None;
    }
    let (device, user) = (author.any_device(), author.any_user());
    author.bring(device);
    // Renewals count, too.
    if author.hand(device).account.is_some() && author.draw.chance(3, 4) {
        author.call(device, Call::Logout);
        author.settle();
    }
    let forge = *author.draw.pick(&FORGES);
    let ticket = author.bad_ticket(user, forge);
    // One less, now and then: no lock.
    let tickets = u64::from(limits.refusals_max) - u64::from(author.draw.chance(1, 6));
    let trip = round_trip(author, device) + 2 * MILLI;
    // No good ticket, one, or one after about every other.
    let good = *author.draw.pick(&[0, 0, 1, tickets.div_ceil(2)]);
    for _ in 0..tickets {
        if author.draw.chance(good, tickets) {
            author.call(device, fresh_login(user));
            author.pass(2 * trip);
            if author.draw.chance(1, 2) {
                author.call(device, Call::Logout);
                author.pass(trip);
            }
        }
        author.call(device, login(user, TicketChoice::Named(ticket.clone())));
        let pause = within(author, trip);
        author.pass(trip + pause);
    }
    if limits.records_max <= RECORDS_FEW {
        others_are_refused(author, limits.records_max, forge);
    }
    let lock = whole_micros(limits.refusals_lock);
    let latency = author.latency(device);
    match author.draw.below(4) {
        0 => {}
        1 => {
            let pause = within(author, lock);
            author.pass(pause);
        }
        _ => {
            author.call(device, fresh_login(user));
            let at = moment::around(author, author.now + lock, latency);
            author.pass(at.saturating_sub(author.now));
        }
    }
    author.call(device, fresh_login(user));
    Some(())
}

/// TICKET-4: refusals of others, so many that there may be no room for an earlier record.
fn others_are_refused(author: &mut Author, records_max: usize, forge: Option<Forge>) {
    for _ in 0..records_max {
        let (device, user) = (author.any_device(), author.any_user());
        author.bring(device);
        let ticket = author.bad_ticket(user, forge);
        let trip = round_trip(author, device) + 2 * MILLI;
        author.call(device, login(user, TicketChoice::Named(ticket)));
        author.pass(trip);
    }
}

/// ATT-1: a login is under way for longer than its caller waits; a newer one arrives first.
pub(super) fn overtaken(author: &mut Author) -> Option<()> {
    let (device, user) = (author.any_device(), author.any_user());
    author.bring(device);
    let timeout = whole_micros(client(author, device).login_timeout);
    fits(author, 2 * timeout, 20 * SECOND)?;
    let spot = &author.belief.sites[author.hand(device).site];
    let (site, before) = (spot.name.clone(), spot.latency);
    if author.hand(device).account.is_some() {
        author.call(device, Call::Logout);
        author.settle();
    }
    author.call(device, fresh_login(user));
    // The request to connect passes first, then the login crawls, which leaves as soon as that has arrived.
    author.pass(before.saturating_sub(MILLI.min(before / 2)));
    let slow = timeout + some(author, 100, 10_000);
    author.fault(Fault::Latency { site: site.clone(), latency: Span::exactly(super::super::micros(slow)) });
    author.pass(timeout);
    author.fault(Fault::Latency { site, latency: Span::exactly(super::super::micros(before)) });
    let pause = some(author, 1, 2_000);
    author.pass(pause);
    let user = if author.draw.chance(1, 2) { user } else { author.any_user() };
    // One that is refused is the highest that the server knows of the device, too, admitted or not.
    let newer = if author.has(Family::BadTicket) && author.draw.chance(1, 3) {
        login(user, TicketChoice::Named(author.bad_ticket(user, Some(Forge::WrongKey))))
    } else {
        fresh_login(user)
    };
    author.call(device, newer);
    author.pass(slow);
    Some(())
}

/// DAU-1: around the server's midnight.
pub(super) fn around_midnight(author: &mut Author) -> Option<()> {
    let day = super::super::DAY;
    let midnight = author.belief.when(author.now, (author.belief.wall(author.now) / day + 1) * day);
    let lead = some(author, 1_000, 30_000);
    fits(author, midnight.checked_sub(author.now)?, SECOND)?;
    if midnight < author.now + lead {
        return None;
    }
    approach(author, midnight, lead);
    let user = author.any_user();
    let mut logins = Vec::new();
    for _ in 0..author.draw.between(1, 3) {
        let device = author.any_device();
        author.bring(device);
        if author.hand(device).account == Some(user) && author.draw.chance(3, 4) {
            author.call(device, Call::Logout);
            author.settle();
        }
        let latency = author.latency(device);
        let at = moment::around(author, midnight, latency);
        logins.push((at, by(author, device, fresh_login(user))));
    }
    // One that comes on the day before, to be counted again.
    if author.draw.chance(1, 2) {
        let device = author.any_device();
        author.call(device, fresh_login(user));
    }
    author.race(logins);
    Some(())
}

/// DAU-1: logins on as many days as are remembered, or on one more, as the server's clock goes from one to the next; and
/// then, by a clock that was set back, on the oldest of them or weeks before it.
pub(super) fn on_days_gone_by(author: &mut Author) -> Option<()> {
    let day = super::super::DAY as i64;
    let remembered = DAYS_REMEMBERED as i64;
    fits(author, 0, 30 * SECOND)?;
    if author.left() < DAYS_COST {
        return None;
    }
    let (device, user) = (author.any_device(), author.any_user());
    let days = remembered + i64::from(author.draw.chance(1, 3));
    for later in 0..days {
        if later > 0 {
            author.fault(Fault::Skew { clock: Clock::Server, by: Offset(day) });
        }
        anew(author, device, user);
    }
    let back = if author.draw.chance(1, 2) { remembered - 1 } else { remembered + author.draw.below(21) as i64 };
    author.fault(Fault::Skew { clock: Clock::Server, by: Offset(-back * day) });
    anew(author, device, user);
    Some(())
}

/// About what so many logins cost.
const DAYS_COST: u64 = 600;

/// The device logs in, and is no longer logged in before.
fn anew(author: &mut Author, device: usize, user: usize) {
    author.bring(device);
    if author.hand(device).account.is_some() {
        author.call(device, Call::Logout);
        author.settle();
    }
    author.call(device, fresh_login(user));
    author.settle();
}

/// POLICY-5: between two logins of a user, the policy becomes another.
pub(super) fn policy_change_between(author: &mut Author) -> Option<()> {
    let (one, user) = (author.any_device(), author.any_user());
    let other = author.device_where(|_, other| other != one)?;
    author.bring(other);
    author.log_in(one, user);
    let policy = *author.draw.pick(&Policy::ALL);
    let latency = author.latency(other);
    let start = author.now + 2 * latency;
    let at = moment::around(author, start, latency);
    let change = Action::App(AppChange::Policy(policy));
    let login = by(author, other, fresh_login(user));
    author.race(vec![(start.saturating_sub(latency), login), (at, change)]);
    Some(())
}
