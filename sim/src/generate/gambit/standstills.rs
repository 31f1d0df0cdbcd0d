//! Gambits about a server that stands still: what is asked of it meanwhile, and what its clocks overtake.

use super::super::setup::user_name;
use super::*;
use crate::scenario::Text;
use crate::scenario::numbers;

/// Something that somebody wants of the server.
fn wants(author: &mut Author, user: usize) -> Call {
    match author.draw.below(8) {
        0..=2 => fresh_login(user),
        3 => fresh_login(author.any_user()),
        4 => Call::Logout,
        5 => Call::NetworkChanged,
        _ => {
            let text = Text::Written("is anybody there?".to_owned());
            Call::Send { to: user_name(user).to_owned(), text, id: None }
        }
    }
}

/// LOGIN-8, CONN-2: what is asked of it waits, or is given up and asked again.
pub(super) fn asked(author: &mut Author) -> Option<()> {
    fits(author, 0, 2 * MINUTE)?;
    let (device, user) = (author.any_device(), author.any_user());
    author.bring(device);
    if author.draw.chance(2, 3) {
        author.log_in(device, user);
    }
    author.fault(Fault::SuspendServer);
    for _ in 0..author.draw.between(1, 4) {
        let pause = some(author, 1, 8_000);
        author.pass(pause);
        let who = if author.draw.chance(2, 3) { device } else { author.any_device() };
        let call = wants(author, user);
        author.call(who, call);
    }
    let pause = some(author, 1, 40_000);
    author.pass(pause);
    author.fault(Fault::WakeServer);
    let pause = some(author, 1, 2_000);
    author.pass(pause);
    let call = wants(author, user);
    author.call(device, call);
    Some(())
}

/// TICKET-5: a ticket runs out while it stands still, and its session asks for something.
pub(super) fn over_an_expiry(author: &mut Author) -> Option<()> {
    let (device, user, expiry) = short_session(author)?;
    author.fault(Fault::SuspendServer);
    let until = expiry.saturating_sub(author.now);
    let pause = within(author, until);
    author.pass(pause);
    if author.draw.chance(2, 3) {
        let call = wants(author, user);
        author.call(device, call);
    }
    let at = expiry + some(author, 1, 12_000);
    author.pass(at.saturating_sub(author.now));
    author.fault(Fault::WakeServer);
    Some(())
}

/// CONN-5: a device wakes when its silence is almost over, and what it says waits until it is.
pub(super) fn over_a_silence(author: &mut Author) -> Option<()> {
    let (device, user) = (author.any_device(), author.any_user());
    let silence = whole_micros(numbers::silence_of(&server(author), author.hand(device).platform));
    fits(author, silence, 20 * SECOND)?;
    author.log_in(device, user);
    // From here on its silence counts.
    let text = Text::Written("good night".to_owned());
    author.call(device, Call::Send { to: user_name(user).to_owned(), text, id: None });
    author.settle();
    let over = author.now + silence;
    let name = author.hand(device).name.clone();
    author.fault(Fault::Suspend { device: name.clone() });
    let lead = some(author, 1_000, 5_000);
    approach(author, over, lead);
    author.fault(Fault::SuspendServer);
    let pause = within(author, lead);
    author.pass(pause);
    author.fault(Fault::Wake { device: name });
    let rest = over.saturating_sub(author.now) + some(author, 1, 3_000);
    author.pass(rest);
    author.fault(Fault::WakeServer);
    Some(())
}
