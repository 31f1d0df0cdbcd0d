//! Gambits about displacements: of a victim that cannot hear, is coming back, leaves, was away.

use super::super::setup::user_name;
use super::*;
use crate::scenario::{AppChange, ListenerEvent, Text};

/// KICK-5: the victim's link is gone when its place is taken.
pub(super) fn during_a_partition(author: &mut Author) -> Option<()> {
    let (victim, rival) = author.distant_rivals()?;
    let user = author.any_user();
    author.bring(rival);
    author.log_in(victim, user);
    let direction =
        if author.has(Family::OneWay) && author.draw.chance(1, 2) { Direction::Inbound } else { Direction::Both };
    cut_off(author, victim, direction);
    let pause = within(author, 2 * author.latency(rival));
    author.pass(pause);
    author.call(rival, fresh_login(user));
    let pause = some(author, 1, 150_000).min(author.time_left() / 2);
    author.pass(pause);
    let site = author.hand(victim).site;
    author.open(site);
    // KICK-6 with the switch on, and the victim comes back as a login.
    if author.draw.chance(1, 3) {
        author.call(victim, Call::NetworkChanged);
    }
    Some(())
}

/// CONN-4, KICK-6: the victim resumes while its place is taken.
pub(super) fn during_a_resume(author: &mut Author) -> Option<()> {
    let (victim, rival) = author.rivals()?;
    let user = author.any_user();
    author.bring(rival);
    author.log_in(victim, user);
    if author.belief.is_in(rival) && author.hand(rival).account == Some(user) {
        return None;
    }
    let first = whole_micros(client(author, victim).backoff_first);
    let name = author.hand(victim).name.clone();
    let start = author.now + author.latency(rival);
    let spread = first + 4 * author.latency(victim) + author.latency(rival);
    let at = start.saturating_sub(author.latency(rival)) + within(author, spread);
    let login = by(author, rival, fresh_login(user));
    author.race(vec![(start, Action::Fault(Fault::Reset { device: name })), (at, login)]);
    Some(())
}

/// LOGOUT-1: the victim logs out as its place is taken.
pub(super) fn and_a_logout(author: &mut Author) -> Option<()> {
    let (victim, rival) = author.rivals()?;
    let user = author.any_user();
    author.bring(rival);
    author.log_in(victim, user);
    let (near, far) = (author.latency(victim), author.latency(rival));
    let meet = author.now + near.max(far) + SECOND;
    let at = moment::around(author, meet - near, near + far);
    let moves = vec![(meet - far, by(author, rival, fresh_login(user))), (at, by(author, victim, Call::Logout))];
    author.race(moves);
    Some(())
}

/// KICK-6: displaced while its link was gone, and when it is back its ticket is over, too; with displaced
/// sessions allowed to come back, if the seed can have it so.
pub(super) fn and_an_expiry(author: &mut Author) -> Option<()> {
    let (victim, rival) = author.distant_rivals()?;
    let (user, seconds) = (author.any_user(), lifetime(author, 5));
    fits(author, seconds * SECOND, 40 * SECOND)?;
    if !author.belief.reconnect_kicks && author.has(Family::SwitchChange) {
        author.act(Action::App(AppChange::ReconnectKicks(true)));
    }
    author.bring(rival);
    let expiry = author.log_in_for(victim, user, seconds)?;
    cut_off(author, victim, Direction::Both);
    let pause = within(author, expiry.saturating_sub(author.now + 2 * author.latency(rival)) / 2);
    author.pass(pause);
    author.call(rival, fresh_login(user));
    let back = expiry + some(author, 1, 20_000);
    author.pass(back.saturating_sub(author.now));
    let site = author.hand(victim).site;
    author.open(site);
    Some(())
}

/// ADMIN-1: an administrator ends, once or several times, the session of a ticket that is issued later than now:
/// linked, cut off, killed, or over by then. The same ticket is shown again after each, by a login and by whoever
/// comes back by itself.
pub(super) fn of_a_future_ticket(author: &mut Author) -> Option<()> {
    let (administrator, office) = (administrator(author)?, author.any_device());
    let device = author.device_where(|_, other| other != office)?;
    let user = author.any_user();
    fits(author, 0, 30 * SECOND)?;
    author.log_in(office, administrator);
    author.bring(device);
    if author.hand(device).account.is_some() {
        author.call(device, Call::Logout);
        author.settle();
    }
    let shown = login(user, TicketChoice::Named(author.future_ticket(user)));
    author.call(device, shown.clone());
    author.settle();
    let kicks = author.draw.between(1, 3);
    for _ in 0..kicks {
        leave_link(author, device, office);
        let pause = within(author, 3 * SECOND);
        author.pass(pause);
        author.call(office, Call::Kick { user: user_name(user).to_owned() });
        author.settle();
        if author.draw.chance(1, 6) {
            // To the server that starts again it is void as well.
            crash(author);
        }
        let pause = within(author, 3 * SECOND);
        author.pass(pause);
        author.bring(device);
        if author.draw.chance(2, 3) {
            author.call(device, shown.clone());
            author.settle();
        }
        author.log_in(office, administrator);
    }
    author.bring(device);
    author.call(device, shown);
    author.settle();
    author.call(device, fresh_login(user));
    Some(())
}

/// What becomes of the device's link before the kick: mostly nothing.
fn leave_link(author: &mut Author, device: usize, office: usize) {
    let name = author.hand(device).name.clone();
    let is_elsewhere = author.hand(device).site != author.hand(office).site;
    match author.draw.below(6) {
        0 | 1 if author.has(Family::Kill) => author.fault(Fault::Kill { device: name }),
        2 if author.has(Family::Partition) && is_elsewhere => cut_off(author, device, Direction::Both),
        3 if author.has(Family::Suspend) => author.fault(Fault::Suspend { device: name }),
        4 if author.has(Family::Logout) => author.call(device, Call::Logout),
        _ => {}
    }
}

/// The server's process dies and is back at once, where there are such seeds.
fn crash(author: &mut Author) {
    if author.has(Family::Bounce) {
        author.fault(Fault::BounceServer { after: super::super::micros(0) });
        author.settle();
    }
}

/// Some user who may make administrative calls.
fn administrator(author: &mut Author) -> Option<usize> {
    let administrators: Vec<usize> = (0..author.setup.users.len())
        .filter(|&user| author.setup.app.administrators.contains(&author.setup.users[user]))
        .collect();
    if administrators.is_empty() { None } else { Some(*author.draw.pick(&administrators)) }
}

/// ADMIN-1: a login of the user arrives as an administrator kicks them.
pub(super) fn administrators(author: &mut Author) -> Option<()> {
    let (administrator, office) = (administrator(author)?, author.any_device());
    let device = author.device_where(|_, other| other != office)?;
    let user = author.any_user();
    author.log_in(office, administrator);
    author.bring(device);
    if author.draw.chance(1, 2) {
        author.log_in(device, user);
    }
    let (near, far) = (author.latency(office), author.latency(device));
    let meet = author.now + near.max(far) + SECOND;
    let at = moment::around(author, meet - near, near + far);
    let kick = by(author, office, Call::Kick { user: user_name(user).to_owned() });
    let ticket = if author.draw.chance(1, 3) { TicketChoice::Last } else { TicketChoice::Fresh { ttl: None } };
    let again = by(author, device, login(user, ticket));
    author.race(vec![(meet - far, again), (at, kick)]);
    // With a ticket of the same second, and of a later one.
    let pause = within(author, 2 * SECOND);
    author.pass(pause);
    author.call(device, fresh_login(user));
    Some(())
}

/// KICK-7: displaced while its process was dead, with the notice on if the seed can have it so.
pub(super) fn while_away(author: &mut Author) -> Option<()> {
    let (victim, rival) = author.rivals()?;
    let user = author.any_user();
    if !author.belief.notify_offline_kick && author.has(Family::SwitchChange) {
        author.act(Action::App(AppChange::NotifyOfflineKick(true)));
    }
    author.bring(rival);
    author.log_in(victim, user);
    let name = author.hand(victim).name.clone();
    // Killed before the kick reaches it, or long before.
    if author.draw.chance(1, 2) {
        author.fault(Fault::Kill { device: name });
        let pause = some(author, 1, 5_000);
        author.pass(pause);
        author.call(rival, fresh_login(user));
    } else {
        author.call(rival, fresh_login(user));
        let pause = within(author, author.latency(rival) + author.latency(victim));
        author.pass(pause);
        author.fault(Fault::Kill { device: name });
    }
    let pause = some(author, 1, 5_000);
    author.pass(pause);
    author.bring(victim);
    author.call(victim, fresh_login(user));
    author.settle();
    author.call(victim, fresh_login(user));
    Some(())
}

/// EVENT-2: whoever is kicked logs in again at once.
pub(super) fn answered_by_logins(author: &mut Author) -> Option<()> {
    let (victim, rival) = author.rivals()?;
    let user = author.any_user();
    author.bring(rival);
    author.log_in(victim, user);
    for device in [victim, rival] {
        for _ in 0..author.draw.below(3) {
            let name = author.hand(device).name.clone();
            let event = if author.draw.chance(3, 4) { ListenerEvent::KickedOffline } else { ListenerEvent::Connecting };
            let call = if event == ListenerEvent::KickedOffline { fresh_login(user) } else { Call::Logout };
            author.act(Action::On { device: name, event, call });
        }
    }
    author.call(rival, fresh_login(user));
    let pause = some(author, 100, 5_000);
    author.pass(pause);
    Some(())
}

/// KICK-10: a message is on its way to the victim, and another one comes after its end.
pub(super) fn and_a_message(author: &mut Author) -> Option<()> {
    let (victim, rival) = author.rivals()?;
    let user = author.any_user();
    author.bring(rival);
    author.log_in(victim, user);
    let sender = author.device_where(|belief, other| other != rival && belief.reaches(other) && belief.is_in(other))?;
    let (near, far) = (author.latency(sender), author.latency(rival));
    let meet = author.now + near.max(far) + 10 * MILLI;
    let mut moves = vec![(meet - far, by(author, rival, fresh_login(user)))];
    for _ in 0..author.draw.between(1, 3) {
        let at = moment::around(author, meet - near, near + far);
        let to =
            if author.draw.chance(3, 4) { user_name(user).to_owned() } else { user_name(author.any_user()).to_owned() };
        moves.push((
            at,
            by(author, sender, Call::Send { to, text: Text::Written("still there?".to_owned()), id: None }),
        ));
    }
    author.race(moves);
    Some(())
}
