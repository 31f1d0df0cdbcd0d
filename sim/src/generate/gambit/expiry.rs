//! Gambits about tickets: what comes at the very instant one expires, and what comes after.

use super::*;
use crate::scenario::{Clock, Offset};

/// How long the tickets of these gambits last, in seconds.
fn seconds(author: &mut Author) -> u64 {
    lifetime(author, 2)
}

/// TICKET-5: a login, of the device itself or of a rival, at the instant.
pub(super) fn login(author: &mut Author) -> Option<()> {
    let (device, user, seconds) = (author.any_device(), author.any_user(), seconds(author));
    fits(author, seconds * SECOND, 5 * SECOND)?;
    let expiry = author.log_in_for(device, user, seconds)?;
    let rival = author.device_where(|belief, other| other != device && belief.are_rivals(other, device));
    let who = rival.filter(|_| author.draw.chance(2, 3)).unwrap_or(device);
    author.bring(who);
    let user = if who == device { author.any_user() } else { user };
    let latency = author.latency(who);
    let at = moment::around(author, expiry, latency);
    author.pass(at.saturating_sub(author.now));
    author.call(who, fresh_login(user));
    Some(())
}

/// CONN-4, TICKET-6: the device comes back at the instant.
pub(super) fn resume(author: &mut Author) -> Option<()> {
    let (device, user, seconds) = (author.any_device(), author.any_user(), seconds(author));
    fits(author, seconds * SECOND, 5 * SECOND)?;
    let first = whole_micros(client(author, device).backoff_first);
    let expiry = author.log_in_for(device, user, seconds)?;
    let latency = author.latency(device);
    let ahead = within(author, first + 2 * latency);
    let at = moment::around(author, expiry.saturating_sub(ahead), latency);
    author.pass(at.saturating_sub(author.now));
    let name = author.hand(device).name.clone();
    author.fault(Fault::Reset { device: name });
    Some(())
}

/// LOGIN-5: a renewal arrives at the instant.
pub(super) fn renewal(author: &mut Author) -> Option<()> {
    let (device, user, seconds) = (author.any_device(), author.any_user(), seconds(author));
    fits(author, seconds * SECOND, 5 * SECOND)?;
    let expiry = author.log_in_for(device, user, seconds)?;
    let latency = author.latency(device);
    let at = moment::around(author, expiry, latency);
    author.pass(at.saturating_sub(author.now));
    let ticket = if author.draw.chance(1, 4) { TicketChoice::Last } else { TicketChoice::Fresh { ttl: None } };
    author.call(device, super::login(user, ticket));
    Some(())
}

/// LOGIN-5: the server has the renewal, the device never hears of it, and the ticket before expires.
pub(super) fn renewal_unanswered(author: &mut Author) -> Option<()> {
    let (device, user, seconds) = (author.any_device(), author.any_user(), seconds(author));
    fits(author, seconds * SECOND, 60 * SECOND)?;
    let expiry = author.log_in_for(device, user, seconds)?;
    let trip = round_trip(author, device);
    let pause = within(author, expiry.saturating_sub(author.now + trip));
    author.pass(pause);
    author.call(device, fresh_login(user));
    let latency = author.latency(device);
    let before = latency + within(author, trip - latency);
    author.pass(before);
    cut_off(author, device, Direction::Both);
    let until = expiry + some(author, 1, 20_000);
    author.pass(until.saturating_sub(author.now));
    let site = author.hand(device).site;
    author.open(site);
    Some(())
}

/// TICKET-7: the very text again, when it has expired, whether the device was told or not.
pub(super) fn last_ticket(author: &mut Author) -> Option<()> {
    let (device, user, seconds) = (author.any_device(), author.any_user(), seconds(author));
    fits(author, seconds * SECOND, 15 * SECOND)?;
    let expiry = author.log_in_for(device, user, seconds)?;
    let is_cut = author.has(Family::Partition) && author.draw.chance(1, 2);
    if is_cut {
        cut_off(author, device, Direction::Both);
    }
    let latency = author.latency(device);
    let at = match author.draw.below(3) {
        0 => moment::around(author, expiry + latency, latency),
        _ => expiry + some(author, 1, 8_000),
    };
    author.pass(at.saturating_sub(author.now));
    if is_cut && author.draw.chance(1, 2) {
        let site = author.hand(device).site;
        author.open(site);
    }
    author.call(device, super::login(user, TicketChoice::Last));
    author.settle();
    author.bring(device);
    author.call(device, fresh_login(user));
    Some(())
}

/// TICKET-6, KICK-5: asleep while its ticket expires and its place is taken, in either order.
pub(super) fn sleeper(author: &mut Author) -> Option<()> {
    let (victim, rival) = author.rivals()?;
    let (user, seconds) = (author.any_user(), seconds(author));
    fits(author, seconds * SECOND, 30 * SECOND)?;
    let expiry = author.log_in_for(victim, user, seconds)?;
    author.bring(rival);
    let name = author.hand(victim).name.clone();
    author.fault(Fault::Suspend { device: name.clone() });
    let taken = match author.draw.below(3) {
        0 => moment::around(author, expiry, 0),
        1 => expiry + some(author, 1, 10_000),
        _ => author.now + within(author, expiry.saturating_sub(author.now)),
    };
    let woken = taken.max(expiry) + within(author, 5 * SECOND);
    let login = by(author, rival, fresh_login(user));
    author.race(vec![(taken, login), (woken, Action::Fault(Fault::Wake { device: name }))]);
    if author.draw.chance(1, 2) {
        let pause = within(author, SECOND);
        author.pass(pause);
        author.call(victim, fresh_login(user));
    }
    Some(())
}

/// TICKET-6: the link is gone when the ticket expires; and comes back, before or after the device
/// may think so.
pub(super) fn during_a_link_loss(author: &mut Author) -> Option<()> {
    let (device, user, seconds) = (author.any_device(), author.any_user(), seconds(author));
    fits(author, seconds * SECOND, 60 * SECOND)?;
    let expiry = author.log_in_for(device, user, seconds)?;
    let before = within(author, expiry.saturating_sub(author.now));
    author.pass(before);
    cut_off(author, device, Direction::Both);
    if author.has(Family::Renewal) && author.draw.chance(1, 3) {
        let pause = within(author, expiry.saturating_sub(author.now));
        author.pass(pause);
        author.call(device, fresh_login(user));
    }
    let until = expiry + some(author, 1, 40_000);
    author.pass(until.saturating_sub(author.now));
    let site = author.hand(device).site;
    author.open(site);
    Some(())
}

/// TICKET-5: the server's clock jumps over the instant, or back before it.
pub(super) fn clock_jump(author: &mut Author) -> Option<()> {
    let (device, user, seconds) = (author.any_device(), author.any_user(), seconds(author));
    fits(author, seconds * SECOND, 10 * SECOND)?;
    let expiry = author.log_in_for(device, user, seconds)?;
    let before = within(author, expiry.saturating_sub(author.now));
    author.pass(before);
    let left = expiry.saturating_sub(author.now);
    let by = match author.draw.below(3) {
        0 => left as i64,
        1 => (left + within(author, 3 * SECOND)) as i64,
        _ => -(within(author, 20 * SECOND) as i64),
    };
    author.fault(Fault::Skew { clock: Clock::Server, by: Offset(by) });
    let pause = within(author, SECOND);
    author.pass(pause);
    let ticket = if author.draw.chance(1, 2) { TicketChoice::Last } else { TicketChoice::Fresh { ttl: None } };
    author.call(device, super::login(user, ticket));
    Some(())
}
