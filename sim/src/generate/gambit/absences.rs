//! Gambits about sessions whose device is gone: dormant, out of push, wiped.

use super::super::moves;
use super::super::setup::user_name;
use super::*;
use crate::scenario::numbers;

/// Kills the device, and says when the server has noticed.
fn leave(author: &mut Author, device: usize) -> u64 {
    let name = author.hand(device).name.clone();
    author.fault(Fault::Kill { device: name });
    author.now + author.latency(device)
}

/// Something of the user's, at the device itself or at another one.
fn stir(author: &mut Author, device: usize, user: usize, at: u64) {
    let other = author.device_where(|_, other| other != device).filter(|_| author.draw.chance(2, 3));
    let who = other.unwrap_or(device);
    author.bring(who);
    let latency = author.latency(who);
    let at = moment::around(author, at, latency);
    author.pass(at.saturating_sub(author.now));
    author.call(who, fresh_login(user));
}

/// CONN-6: the instant at which the session goes dormant.
pub(super) fn dormant(author: &mut Author) -> Option<()> {
    let (device, user) = (author.any_device(), author.any_user());
    let dormant = whole_micros(numbers::dormant_of(&server(author), author.hand(device).platform));
    fits(author, dormant, 10 * SECOND)?;
    author.log_in(device, user);
    let at = leave(author, device) + dormant;
    approach(author, at, 5 * SECOND);
    stir(author, device, user, at);
    Some(())
}

/// CONN-6, ADMIN-2: an administrator asks while a session is not dormant yet, or is, of a web page sooner than of others.
pub(super) fn asked_about(author: &mut Author) -> Option<()> {
    let (device, user) = (author.any_device(), author.any_user());
    let limits = server(author);
    let dormant = whole_micros(numbers::dormant_of(&limits, author.hand(device).platform));
    let both = [limits.dormant, limits.dormant_web].map(whole_micros);
    let latest = both[0].max(both[1]);
    fits(author, latest, 20 * SECOND)?;
    let of_administrators =
        author.setup.users.iter().position(|user| author.setup.app.administrators.contains(user))?;
    let other = author.device_where(|_, other| other != device)?;
    author.log_in(other, of_administrators);
    author.log_in(device, user);
    let left_at = leave(author, device);
    let span = match author.draw.below(3) {
        0 => dormant,
        _ => author.draw.between(both[0].min(both[1]), latest + SECOND),
    };
    approach(author, left_at + span, 5 * SECOND);
    let at =
        if span == dormant { moment::around(author, left_at + span, author.latency(other)) } else { left_at + span };
    author.pass(at.saturating_sub(author.now));
    author.call(other, Call::Query { users: vec![user_name(user).to_owned()] });
    author.settle();
    Some(())
}

/// POLICY-3: with places for several, one dormant session and one that is older but connected.
pub(super) fn dormant_first(author: &mut Author) -> Option<()> {
    let seats = author.belief.seats;
    let one = author.device_where(|belief, device| seats.instances_max(belief.devices[device].platform) > 1)?;
    let platform = author.hand(one).platform;
    let places = seats.instances_max(platform);
    let mut others: Vec<usize> = (0..author.belief.devices.len())
        .filter(|&other| other != one && author.hand(other).platform == platform)
        .collect();
    if others.len() < places {
        return None;
    }
    let user = author.any_user();
    let dormant = whole_micros(numbers::dormant_of(&server(author), platform));
    fits(author, dormant, 20 * SECOND)?;
    others.truncate(places);
    let last = others.pop()?;
    for &other in &others {
        author.log_in(other, user);
    }
    author.log_in(one, user);
    let at = leave(author, one) + dormant;
    let latency = author.latency(last);
    author.rest_until(at.saturating_sub(5 * SECOND), 60);
    author.bring(last);
    let at = match author.draw.below(4) {
        0 => moment::around(author, at, latency),
        // Its connection and its login take one way each: it comes at the very instant.
        1 => at.saturating_sub(2 * latency),
        _ => at + some(author, 1, 4_000),
    };
    author.pass(at.saturating_sub(author.now));
    author.call(last, fresh_login(user));
    Some(())
}

/// PRES-1: seven days after the last mobile device's link loss.
pub(super) fn push_ends(author: &mut Author) -> Option<()> {
    let push = whole_micros(server(author).push_online);
    fits(author, push, 10 * SECOND)?;
    let device = author.device_where(|belief, device| numbers::is_mobile(belief.devices[device].platform))?;
    let user = author.any_user();
    // The session must outlive them.
    author.log_in_for(device, user, push / SECOND + 600)?;
    for other in 0..author.belief.devices.len() {
        if other != device && author.hand(other).account == Some(user) {
            author.call(other, Call::Logout);
        }
    }
    author.settle();
    let at = leave(author, device) + push;
    approach(author, at, 5 * SECOND);
    if author.draw.chance(1, 2) {
        stir(author, device, user, at);
    } else {
        author.pass((at + SECOND).saturating_sub(author.now));
    }
    Some(())
}

/// ATT-4: the application is installed afresh: another device for the server.
pub(super) fn wiped(author: &mut Author) -> Option<()> {
    let (device, user) = (author.any_device(), author.any_user());
    author.log_in(device, user);
    leave(author, device);
    let pause = some(author, 1, 5_000);
    author.pass(pause);
    let name = author.hand(device).name.clone();
    author.fault(Fault::Wipe { device: name });
    author.bring(device);
    author.call(device, fresh_login(user));
    Some(())
}

/// ATT-5: what is on its disk is damaged while it is off: that keeps nobody from logging in, another user least of all.
pub(super) fn damaged(author: &mut Author) -> Option<()> {
    let (device, user) = (author.any_device(), author.any_user());
    author.log_in(device, user);
    leave(author, device);
    let pause = some(author, 1, 5_000);
    author.pass(pause);
    for _ in 0..author.draw.between(1, 2) {
        let fault = moves::damage(author, device);
        author.fault(fault);
    }
    author.bring(device);
    let next = if author.draw.chance(1, 2) { user } else { author.any_user() };
    author.call(device, fresh_login(next));
    author.settle();
    author.call(device, Call::Conversations);
    Some(())
}
