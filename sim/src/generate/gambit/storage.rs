//! Gambits about a device's disk: a record that cannot be written, or takes its time.

use super::super::moves;
use super::super::setup::user_name;
use super::*;
use crate::scenario::{Span, Text};

/// ATT-5: something is asked of a device whose disk is in trouble, and again when it is mended.
pub(super) fn in_trouble(author: &mut Author) -> Option<()> {
    fits(author, 0, 40 * SECOND)?;
    let (device, user) = (author.any_device(), author.any_user());
    author.bring(device);
    if author.draw.chance(2, 3) {
        author.log_in(device, user);
    }
    let name = author.hand(device).name.clone();
    if author.draw.chance(1, 2) && author.has(Family::Kill) {
        // Its first write is then still to come.
        author.fault(Fault::Kill { device: name.clone() });
        let fault = moves::device_disk(author, device);
        author.fault(fault);
        author.fault(Fault::Start { device: name });
        if !author.hand(device).is_initialised {
            author.call(device, Call::Init);
        }
    } else {
        let fault = moves::device_disk(author, device);
        author.fault(fault);
    }
    for _ in 0..author.draw.between(1, 4) {
        let pause = within(author, 3 * SECOND);
        author.pass(pause);
        let call = match author.draw.below(8) {
            0..=2 => fresh_login(author.any_user()),
            3 | 4 => Call::Logout,
            5 => Call::Uninit,
            6 => Call::Init,
            _ => {
                let text = Text::Written("will this be kept?".to_owned());
                Call::Send { to: user_name(user).to_owned(), text, id: None }
            }
        };
        author.call(device, call);
    }
    let pause = some(author, 1, 20_000);
    author.pass(pause);
    author.mend_disk(device);
    let pause = some(author, 1, 4_000);
    author.pass(pause);
    if !author.hand(device).is_initialised {
        author.call(device, Call::Init);
    }
    author.call(device, fresh_login(user));
    Some(())
}

/// ATT-4, LOGOUT-2: two calls change the record of a device whose disk takes its time, and while the first is being
/// written the disk gets into another trouble. The server is out of reach, or not, when its process dies.
pub(super) fn two_troubles(author: &mut Author) -> Option<()> {
    fits(author, 0, 40 * SECOND)?;
    let (device, user) = (author.any_device(), author.any_user());
    author.log_in(device, user);
    let name = author.hand(device).name.clone();
    // Who was displaced has an end on the disk, which the next login takes off it.
    let rival = author.device_where(|belief, other| other != device && belief.are_rivals(other, device));
    let was_displaced = rival.filter(|_| author.draw.chance(2, 3));
    if let Some(rival) = was_displaced {
        author.bring(rival);
        author.call(rival, fresh_login(user));
        author.settle();
        author.pass(200 * MILLI);
    }
    let answered = 2 * round_trip(author, device) + 100 * MILLI;
    // Shorter than a request may take, or longer.
    let timeout = whole_micros(client(author, device).request_timeout) / MILLI;
    let takes = match author.draw.below(2) {
        0 => author.draw.log_between(100, 4_000),
        _ => author.draw.between(timeout / 2, timeout * 2),
    };
    let takes = if was_displaced.is_some() { takes.max(3 * answered / MILLI) } else { takes };
    let latency = Span::exactly(super::super::micros(takes * MILLI));
    author.fault(Fault::DeviceSlowDisk { device: name.clone(), latency });
    let is_out = author.draw.chance(7, 8);
    let first_out = author.draw.chance(1, 2);
    if was_displaced.is_some() {
        author.call(device, fresh_login(user));
        author.pass(answered / MILLI * MILLI);
    } else if is_out && first_out {
        put_out_of_reach(author, device);
    } else if author.draw.chance(3, 4) {
        let call = changing(author, user);
        author.call(device, call);
        let pause = author.draw.below(takes / 2 + 1) * MILLI;
        author.pass(pause);
    }
    if is_out && (was_displaced.is_some() || !first_out) {
        put_out_of_reach(author, device);
        author.call(device, Call::NetworkChanged);
    }
    let pause = author.draw.below(takes / 4 + 1) * MILLI;
    author.pass(pause);
    let call = if is_out { Call::Logout } else { changing(author, user) };
    author.call(device, call);
    let pause = author.draw.below(takes / 4 + 1) * MILLI;
    author.pass(pause);
    match author.draw.below(4) {
        0 => {}
        1 => author.fault(Fault::DeviceDiskFull { device: name.clone(), operation: 1 }),
        _ => author.fault(Fault::DeviceDiskError { device: name.clone(), operation: 1 }),
    }
    // Mostly until the first has come to its end.
    let least = *author.draw.pick(&[1, takes, takes]);
    let pause = author.draw.between(least, 2 * takes) * MILLI;
    author.pass(pause);
    if author.draw.chance(3, 4) {
        author.mend_disk(device);
        let least = *author.draw.pick(&[1, 1_000]);
        let pause = some(author, least, 3_000);
        author.pass(pause);
    }
    if author.has(Family::Kill) {
        author.fault(Fault::Kill { device: name.clone() });
        let pause = some(author, 1, 1_000);
        author.pass(pause);
    }
    author.bring(device);
    author.settle();
    if author.draw.chance(1, 3) {
        author.call(device, fresh_login(user));
    }
    Some(())
}

/// Something that changes the record of a device, mostly an end.
fn changing(author: &mut Author, user: usize) -> Call {
    match author.draw.below(6) {
        0..=2 => Call::Logout,
        3 | 4 => fresh_login(user),
        _ => fresh_login(author.any_user()),
    }
}

/// The server is out of the device's reach, in any way that the seed has.
fn put_out_of_reach(author: &mut Author, device: usize) {
    let rate = |family| author.setup.families.rate(family);
    // Where it is lost what a device says, and where it is but late.
    let (lost, late) = ([Family::Partition, Family::Crash], [Family::Hold, Family::Standstill]);
    let [cut, dead] = lost.map(|family| 6 * rate(family));
    let [held, suspended] = late.map(rate);
    let site = author.belief.sites[author.hand(device).site].name.clone();
    match author.draw.weighted(&[cut, dead, held, suspended]) {
        Some(0) => cut_off(author, device, Direction::Both),
        Some(1) => author.fault(Fault::CrashServer),
        Some(2) => author.fault(Fault::Hold { site }),
        Some(3) => author.fault(Fault::SuspendServer),
        _ => {}
    }
}

/// ATT-1: a device is copied to another one, now or a while before that one starts, and both are used.
pub(super) fn copied(author: &mut Author) -> Option<()> {
    fits(author, 0, 40 * SECOND)?;
    let (first, user) = (author.any_device(), author.any_user());
    let second = author.device_where(|_, device| device != first)?;
    author.bring(first);
    if author.draw.chance(3, 4) {
        author.log_in(first, user);
    }
    let [device, onto] = [first, second].map(|device| author.hand(device).name.clone());
    if author.hand(second).runs {
        author.fault(Fault::Kill { device: onto.clone() });
    }
    let copy = Fault::Clone { device: device.clone(), onto: onto.clone() };
    if author.draw.chance(1, 4) {
        author.call(first, Call::Logout);
    }
    author.fault(copy.clone());
    if author.draw.chance(1, 4) {
        author.call(first, Call::Logout);
    }
    if author.draw.chance(1, 4) {
        // A backup of long ago: the first has been started since.
        author.fault(Fault::Kill { device: device.clone() });
        author.fault(Fault::Start { device });
        author.bring(first);
        author.log_in(first, user);
    }
    let pause = some(author, 1, 10_000);
    author.pass(pause);
    author.fault(Fault::Start { device: onto });
    author.bring(second);
    let user = if author.draw.chance(3, 4) { user } else { author.any_user() };
    author.log_in(second, user);
    for _ in 0..author.draw.between(0, 3) {
        let pause = within(author, 4 * SECOND);
        author.pass(pause);
        let device = *author.draw.pick(&[first, second]);
        let call = match author.draw.below(6) {
            0..=2 => fresh_login(user),
            3 => Call::Logout,
            4 => Call::NetworkChanged,
            _ => {
                let text = Text::Written("which of us is this?".to_owned());
                Call::Send { to: user_name(user).to_owned(), text, id: None }
            }
        };
        author.call(device, call);
    }
    if author.draw.chance(1, 4) {
        author.fault(copy);
    }
    Some(())
}

/// KICK-7: a device is displaced that cannot note it, or that could and cannot note that it is over.
pub(super) fn kick(author: &mut Author) -> Option<()> {
    let (victim, rival) = author.rivals()?;
    fits(author, 0, 40 * SECOND)?;
    let user = author.any_user();
    author.bring(rival);
    author.log_in(victim, user);
    let is_before = author.draw.chance(1, 2);
    if is_before {
        let fault = moves::device_disk(author, victim);
        author.fault(fault);
    }
    author.call(rival, fresh_login(user));
    let pause = within(author, 2 * SECOND);
    author.pass(pause);
    if !is_before {
        let fault = moves::device_disk(author, victim);
        author.fault(fault);
    }
    author.call(victim, fresh_login(user));
    let pause = some(author, 1, 15_000);
    author.pass(pause);
    author.mend_disk(victim);
    if author.has(Family::Kill) && author.draw.chance(1, 2) {
        let device = author.hand(victim).name.clone();
        author.fault(Fault::Kill { device: device.clone() });
        author.call(rival, fresh_login(user));
        let pause = some(author, 1, 4_000);
        author.pass(pause);
        author.fault(Fault::Start { device });
        author.bring(victim);
        author.call(victim, fresh_login(user));
    }
    Some(())
}
