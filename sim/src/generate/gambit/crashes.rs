//! Gambits about the server's death: between a decision and its answer, with something owed.

use super::super::moves;
use super::super::setup::user_name;
use super::*;
use crate::scenario::{AppChange, Span, Text};
use gatecrash::policy::Policy;

/// How this seed's server dies, if it does.
fn death(author: &mut Author) -> Option<Fault> {
    let rate = |family| author.setup.families.rate(family);
    let weights = [rate(Family::Crash), rate(Family::PowerLoss), rate(Family::Bounce)];
    let after = some(author, 1, 5_000);
    Some(match author.draw.weighted(&weights)? {
        0 => Fault::CrashServer,
        1 => Fault::PowerLossServer,
        _ => Fault::BounceServer { after: super::super::micros(after) },
    })
}

/// DUR-1: something arrives, is decided, and the server dies while the disk is at work, shortly
/// before or shortly after.
pub(super) fn before_the_answer(author: &mut Author) -> Option<()> {
    let fault = death(author)?;
    fits(author, 0, 20 * SECOND)?;
    let (device, user) = (author.any_device(), author.any_user());
    author.bring(device);
    let call = match author.draw.below(8) {
        0..=4 => {
            if author.hand(device).account == Some(user) && author.draw.chance(3, 4) {
                author.call(device, Call::Logout);
                author.settle();
            }
            fresh_login(user)
        }
        5 => {
            author.log_in(device, user);
            Call::Send { to: user_name(user).to_owned(), text: Text::Written("before it dies".to_owned()), id: None }
        }
        6 => {
            author.log_in(device, user);
            Call::Logout
        }
        _ => {
            author.log_in(device, user);
            fresh_login(user)
        }
    };
    author.call(device, call);
    // A connection takes one way to open, and then the login another.
    let is_new = author.hand(device).lost_at.is_some() || author.draw.chance(1, 2);
    let arrives = author.latency(device) * if is_new { 2 } else { 1 };
    let disk = author.setup.app.commit_latency.max;
    let after = within(author, whole_micros(disk) * 3 / 2 + 2 * MILLI);
    author.pass((arrives + after).saturating_sub(MILLI));
    let comes_back = matches!(fault, Fault::BounceServer { .. });
    author.fault(fault);
    let pause = some(author, 1, 15_000);
    author.pass(pause);
    if !comes_back {
        author.fault(Fault::StartServer);
    }
    if author.draw.chance(1, 2) {
        let pause = some(author, 1, 2_000);
        author.pass(pause);
        author.call(device, fresh_login(user));
    }
    Some(())
}

/// Somebody asks for something that has to be on disk before it is answered.
fn ask(author: &mut Author, device: usize, user: usize) {
    let call = match author.draw.below(6) {
        0..=3 => fresh_login(user),
        4 => {
            author.log_in(device, user);
            Call::Send { to: user_name(user).to_owned(), text: Text::Written("before it dies".to_owned()), id: None }
        }
        _ => {
            author.log_in(device, user);
            Call::Logout
        }
    };
    author.call(device, call);
}

/// DUR-1: the power goes at a certain point of the commit of what is asked for.
pub(super) fn inside_a_commit(author: &mut Author) -> Option<()> {
    fits(author, 0, 20 * SECOND)?;
    let (device, user) = (author.any_device(), author.any_user());
    author.bring(device);
    let fault = moves::commit_cut(author);
    author.fault(fault);
    ask(author, device, user);
    let pause = some(author, 1, 8_000);
    author.pass(pause);
    author.fault(Fault::StartServer);
    let pause = some(author, 1, 2_000);
    author.pass(pause);
    author.call(device, fresh_login(user));
    Some(())
}

/// DUR-5: the disk fails under what is asked for, perhaps for longer than the caller waits.
pub(super) fn a_disk_that_fails(author: &mut Author) -> Option<()> {
    fits(author, 0, 60 * SECOND)?;
    let (device, other, user) = (author.any_device(), author.any_device(), author.any_user());
    author.bring(device);
    author.bring(other);
    let operation = moves::disk_operation(author);
    let is_full = author.has(Family::DiskFull) && author.draw.chance(1, 2);
    author.fault(if is_full { Fault::DiskFull { operation } } else { Fault::DiskError { operation } });
    ask(author, device, user);
    let pause = some(author, 1, 3_000);
    author.pass(pause);
    author.call(other, fresh_login(user));
    let pause = some(author, 1, 40_000);
    author.pass(pause);
    author.fault(Fault::MendDisk);
    let pause = some(author, 1, 9_000);
    author.pass(pause);
    author.call(device, fresh_login(user));
    Some(())
}

/// POLICY-5, ADMIN-3: the configuration changes while a commit waits for the disk, or while the server's store is shut,
/// and decides about a login that comes then or later.
pub(super) fn configured_meanwhile(author: &mut Author) -> Option<()> {
    fits(author, 0, 30 * SECOND)?;
    let rate = |family| author.setup.families.rate(family);
    let weights = [rate(Family::DiskError), rate(Family::DiskFull), rate(Family::SlowDisk)];
    let trouble = author.draw.weighted(&weights)?;
    let (one, user) = (author.any_device(), author.any_user());
    let other = author.device_where(|_, other| other != one)?;
    author.bring(other);
    author.log_in(one, user);
    let takes = author.draw.log_between(20, 1_500) * MILLI;
    author.fault(match trouble {
        0 => Fault::DiskError { operation: 1 },
        1 => Fault::DiskFull { operation: 1 },
        _ => Fault::SlowDisk { latency: Span::exactly(super::super::micros(takes)) },
    });
    // Whoever it is, somebody asks for something that goes to the disk.
    let asks = if author.draw.chance(1, 2) { user } else { author.any_user() };
    author.call(other, fresh_login(asks));
    let pause = within(author, takes + SECOND);
    author.pass(3 * author.latency(other) + pause);
    for _ in 0..author.draw.between(1, 2) {
        let families = [Family::PolicyChange, Family::PolicyChange, Family::SwitchChange, Family::AdministratorChange];
        let family = *author.draw.pick(&families);
        let family = if author.has(family) { family } else { Family::PolicyChange };
        let change = if family == Family::PolicyChange && author.draw.chance(2, 3) {
            // One that tells on whoever logs in beside another.
            let is_multi = author.belief.seats.policy() == Policy::Multi;
            AppChange::Policy(if is_multi { Policy::Single } else { Policy::Multi })
        } else {
            moves::change(author, family)
        };
        author.act(Action::App(change));
        let pause = within(author, SECOND);
        author.pass(pause);
    }
    author.fault(Fault::MendDisk);
    author.settle();
    let pause = some(author, 1, 8_000);
    author.pass(pause);
    author.bring(one);
    for device in [one, other] {
        // A renewal decides nothing.
        if author.draw.chance(1, 3) {
            author.call(device, Call::Logout);
            author.settle();
        }
        author.call(device, fresh_login(user));
        author.settle();
    }
    Some(())
}

/// API-7, DUR-2: a session is replaced by a login that waits for the disk together with messages for the new one, and
/// the server dies once they are out, or a little earlier or later.
pub(super) fn with_messages_owed(author: &mut Author) -> Option<()> {
    let fault = death(author)?;
    fits(author, 0, 20 * SECOND)?;
    if author.left() < 100 {
        return None;
    }
    affords(author, 300)?;
    let (device, user) = (author.any_device(), author.any_user());
    // Somebody else, whose own login takes nobody's place.
    let from = (user + 1) % author.setup.users.len();
    let sender =
        author.device_where(|belief, other| other != device && (from != user || !belief.are_rivals(other, device)))?;
    author.log_in(device, user);
    author.log_in(sender, from);
    // More than may be under way to a device, or fewer.
    let least = *author.draw.pick(&[1, 17]);
    for _ in 0..author.draw.between(least, 26) {
        say(author, sender, user, 20);
        author.pass(MILLI);
    }
    author.settle();
    let takes = author.draw.log_between(600, 2_000) * MILLI;
    let latency = Span::exactly(super::super::micros(takes));
    author.fault(Fault::SlowDisk { latency });
    // What goes to the disk now keeps it busy, and all the rest waits for one batch.
    say(author, sender, user, 20);
    let begins = author.now + author.latency(sender);
    author.pass(2 * author.latency(sender) + MILLI);
    if author.has(Family::Kill) && author.draw.chance(3, 4) {
        let name = author.hand(device).name.clone();
        author.fault(Fault::Kill { device: name });
        author.pass(MILLI);
        author.bring(device);
    } else {
        author.call(device, Call::Logout);
    }
    author.call(device, fresh_login(user));
    author.pass(4 * author.latency(device) + 100 * MILLI);
    let longest = if author.draw.chance(1, 3) { 6_000 } else { 40 };
    let least = *author.draw.pick(&[2, 18]);
    for _ in 0..author.draw.between(least, 30) {
        say(author, sender, user, longest);
        author.pass(MILLI);
    }
    // What it hears of them takes as long again to get to the disk.
    let out = begins + 2 * takes;
    let at = out + author.latency(device) + author.draw.below(takes);
    author.pass((at / MILLI * MILLI).saturating_sub(author.now));
    let comes_back = matches!(fault, Fault::BounceServer { .. });
    author.fault(fault);
    author.fault(Fault::MendDisk);
    let pause = some(author, 1, 4_000);
    author.pass(pause);
    if !comes_back {
        author.fault(Fault::StartServer);
    }
    let pause = some(author, 1, 2_000);
    author.pass(pause);
    author.bring(device);
    author.call(device, Call::NetworkChanged);
    author.settle();
    let pause = some(author, 100, 3_000);
    author.pass(pause);
    Some(())
}

/// CONN-2, KICK-1: the server has a last word for a device, and long texts are still on their way there: a narrow link takes
/// them a piece at a time, and the word comes behind them.
pub(super) fn behind_long_texts(author: &mut Author) -> Option<()> {
    fits(author, 0, 40 * SECOND)?;
    affords(author, 200)?;
    let narrow: Vec<bool> = author.setup.sites.iter().map(|(_, site)| site.window.is_some()).collect();
    let device = author.device_where(|belief, device| narrow[belief.devices[device].site]);
    let (device, user) = (device.unwrap_or_else(|| author.any_device()), author.any_user());
    let sender = author.device_where(|belief, other| other != device && !narrow[belief.devices[other].site]);
    let sender = sender.or_else(|| author.device_where(|_, other| other != device))?;
    let from = author.any_user();
    author.log_in(device, user);
    author.log_in(sender, from);
    if !author.belief.is_in(device) {
        return None;
    }
    for _ in 0..author.draw.between(2, 5) {
        let text = Text::Bytes(author.draw.between(2_000, 12_000) as u32);
        author.call(sender, Call::Send { to: user_name(user).to_owned(), text, id: None });
        author.pass(MILLI);
    }
    let trip = author.latency(sender) + 2 * author.latency(device);
    let pause = within(author, trip);
    author.pass(author.latency(sender) + pause);
    let rival = author.device_where(|belief, other| other != sender && belief.are_rivals(other, device));
    match rival {
        Some(rival) if !author.has(Family::Stop) || author.draw.chance(1, 2) => {
            author.bring(rival);
            author.call(rival, fresh_login(user));
        }
        _ if author.has(Family::Stop) => author.fault(Fault::StopServer),
        _ => return None,
    }
    let pause = some(author, 1, 6_000);
    author.pass(pause);
    if !author.belief.is_server_up {
        author.fault(Fault::StartServer);
    }
    Some(())
}

/// A message to the user, of up to so many bytes.
fn say(author: &mut Author, sender: usize, user: usize, most: u64) {
    let text = Text::Bytes(author.draw.log_between(1, most) as u32);
    author.call(sender, Call::Send { to: user_name(user).to_owned(), text, id: None });
}

/// DUR-2: the victim has not confirmed its kick when the server's machine goes dark.
pub(super) fn with_a_kick_owed(author: &mut Author) -> Option<()> {
    let (victim, rival) = author.distant_rivals()?;
    let user = author.any_user();
    fits(author, 0, 30 * SECOND)?;
    author.bring(rival);
    author.log_in(victim, user);
    let name = author.hand(victim).name.clone();
    match author.draw.below(3) {
        0 if author.has(Family::Partition) => cut_off(author, victim, Direction::Both),
        1 if author.has(Family::Suspend) => author.fault(Fault::Suspend { device: name }),
        // Nothing: the kick or its confirmation is under way.
        _ => {}
    }
    author.call(rival, fresh_login(user));
    let trip = round_trip(author, rival) + 2 * author.latency(victim);
    let pause = within(author, trip);
    author.pass(pause);
    author.fault(Fault::PowerLossServer);
    let pause = some(author, 1, 20_000);
    author.pass(pause);
    author.fault(Fault::StartServer);
    let pause = some(author, 1, 5_000);
    author.pass(pause);
    author.bring(victim);
    Some(())
}

/// DUR-4: what runs by the server's clock runs on while it is dead.
pub(super) fn over_an_expiry(author: &mut Author) -> Option<()> {
    let fault = death(author)?;
    let (device, _, expiry) = short_session(author)?;
    let comes_back = matches!(fault, Fault::BounceServer { .. });
    author.fault(fault);
    let latency = author.latency(device);
    let at = match author.draw.below(3) {
        0 => moment::around(author, expiry, latency),
        _ => expiry + some(author, 1, 15_000),
    };
    author.pass(at.saturating_sub(author.now));
    if !comes_back {
        author.fault(Fault::StartServer);
    }
    Some(())
}
