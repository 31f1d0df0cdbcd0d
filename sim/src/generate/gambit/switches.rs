//! Gambits about accounts left behind: switches and ends that cannot be told at once.

use super::*;

/// Another user than this one.
fn another(author: &mut Author, user: usize) -> Option<usize> {
    let others: Vec<usize> = (0..author.setup.users.len()).filter(|&other| other != user).collect();
    if others.is_empty() { None } else { Some(*author.draw.pick(&others)) }
}

/// SWITCH-3: the SDK knows that its link is gone, and is between two attempts or in one.
pub(super) fn backing_off(author: &mut Author) -> Option<()> {
    let (device, user) = (author.any_device(), author.any_user());
    let other = another(author, user)?;
    fits(author, 0, 40 * SECOND)?;
    author.log_in(device, user);
    cut_off(author, device, Direction::Both);
    if author.draw.chance(1, 2) {
        author.call(device, Call::NetworkChanged);
    }
    let pause = some(author, 1, 30_000);
    author.pass(pause);
    let site = author.hand(device).site;
    // The link comes back before, between or after.
    let early = author.draw.chance(1, 4);
    if early {
        author.open(site);
        let pause = within(author, 300 * MILLI);
        author.pass(pause);
    }
    author.call(device, fresh_login(other));
    let pause = some(author, 1, 20_000);
    author.pass(pause);
    author.open(site);
    Some(())
}

/// SWITCH-3, LOGOUT-2: the link is dead, and the SDK may not know.
pub(super) fn link_down(author: &mut Author) -> Option<()> {
    let (device, user) = (author.any_device(), author.any_user());
    let other = another(author, user)?;
    author.log_in(device, user);
    let site = author.hand(device).site;
    let direction = if author.has(Family::OneWay) {
        *author.draw.pick(&[Direction::Both, Direction::Inbound, Direction::Outbound])
    } else {
        Direction::Both
    };
    let name = author.belief.sites[site].name.clone();
    author.fault(Fault::Partition { site: name, direction });
    let pause = within(author, 2 * SECOND);
    author.pass(pause);
    author.call(device, fresh_login(other));
    let pause = some(author, 1, 60_000).min(author.time_left() / 2);
    author.pass(pause);
    if author.draw.chance(1, 3) {
        author.call(device, fresh_login(user));
        let pause = some(author, 1, 5_000).min(author.time_left() / 2);
        author.pass(pause);
    }
    author.open(site);
    Some(())
}

/// SWITCH-2: in quick succession, back to the first one now and then.
pub(super) fn two(author: &mut Author) -> Option<()> {
    let (device, user) = (author.any_device(), author.any_user());
    let other = another(author, user)?;
    let third = another(author, other)?;
    author.log_in(device, user);
    let trip = round_trip(author, device);
    author.call(device, fresh_login(other));
    // The second waits for the first, which is pending: only an end lets it through.
    let pause = within(author, trip + 5 * MILLI);
    author.pass(pause);
    if author.draw.chance(1, 2) {
        author.call(device, Call::Logout);
        let pause = within(author, trip + 5 * MILLI);
        author.pass(pause);
    }
    author.call(device, fresh_login(third));
    let pause = within(author, 2 * trip);
    author.pass(pause);
    author.call(device, fresh_login(user));
    Some(())
}

/// LOGOUT-2: an end that never left the device, delivered by a later process.
pub(super) fn owed_end(author: &mut Author) -> Option<()> {
    let (device, user) = (author.any_device(), author.any_user());
    author.log_in(device, user);
    let site = author.hand(device).site;
    cut_off(author, device, Direction::Both);
    let pause = some(author, 1, 3_000);
    author.pass(pause);
    match another(author, user).filter(|_| author.has(Family::Switch) && author.draw.chance(1, 3)) {
        Some(other) => author.call(device, fresh_login(other)),
        None => author.call(device, Call::Logout),
    }
    let pause = some(author, 1, 20_000).min(author.time_left() / 2);
    author.pass(pause);
    let name = author.hand(device).name.clone();
    author.fault(Fault::Kill { device: name });
    if author.draw.chance(1, 2) {
        author.open(site);
    }
    let pause = some(author, 1, 5_000).min(author.time_left() / 2);
    author.pass(pause);
    author.bring(device);
    let user = if author.draw.chance(1, 2) { user } else { author.any_user() };
    author.call(device, fresh_login(user));
    Some(())
}
