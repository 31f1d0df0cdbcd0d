//! Gambits about messages: without an answer, for who is not there, and around every way of coming back.

use super::super::setup::user_name;
use super::*;
use crate::scenario::numbers::TEXT_MAX;
use crate::scenario::{AppChange, Text};

fn message(author: &mut Author, id: u32) -> Call {
    let to = user_name(author.any_user()).to_owned();
    Call::Send { to, text: Text::Written("and now?".to_owned()), id: Some(id) }
}

/// So few messages remembered of a user that one who sends some has sent more.
const REMEMBERED_FEW: usize = 6;

/// A text of any length; where there is little room, mostly one that it is just enough for, or not.
fn some_text(author: &mut Author) -> Text {
    let bound = server(author).owed_bytes_max as u64;
    let most = TEXT_MAX as u64;
    let is_little = bound <= most;
    match author.draw.below(8) {
        0 => Text::Bytes(author.draw.log_between(1, (bound + bound / 8).min(most)) as u32),
        1..=5 if is_little => Text::Bytes(author.draw.between(1, bound) as u32),
        _ => Text::Written("are you away?".to_owned()),
    }
}

/// API-6: the answer to a message is lost, and the application sends it again: by the same device, as soon as
/// it knows or a while later, or when it has sent as many others as leave it the oldest that is remembered, or one more.
pub(super) fn sent_again(author: &mut Author) -> Option<()> {
    fits(author, 0, MINUTE)?;
    let (device, user) = (author.any_device(), author.any_user());
    author.log_in(device, user);
    let site = author.belief.sites[author.hand(device).site].name.clone();
    author.fault(Fault::Partition { site: site.clone(), direction: Direction::Inbound });
    let id = author.draw.between(21, 1_000_000) as u32;
    let call = message(author, id);
    author.call(device, call.clone());
    if author.has(Family::Kill) && author.draw.chance(1, 4) {
        author.pass(SECOND);
        let name = author.hand(device).name.clone();
        author.fault(Fault::Kill { device: name });
    } else {
        let timeout = whole_micros(client(author, device).request_timeout);
        let pause = within(author, 2 * timeout);
        author.pass(pause);
    }
    author.log_in(device, user);
    for _ in 0..author.draw.between(1, 3) {
        author.call(device, call.clone());
        author.settle();
    }
    let most = server(author).sent_max;
    if most <= REMEMBERED_FEW {
        let others = most as u32 - u32::from(author.draw.chance(2, 3));
        for other in 1..=others {
            let call = message(author, id + other);
            author.call(device, call);
            author.settle();
        }
        author.call(device, call);
        author.settle();
    }
    Some(())
}

/// API-7: messages come for a device whose link is gone, whether it or the server knows; then it is back. Meanwhile
/// the server may die.
pub(super) fn for_who_is_away(author: &mut Author) -> Option<()> {
    fits(author, 0, MINUTE)?;
    let (device, user) = (author.any_device(), author.any_user());
    author.log_in(device, user);
    let site = author.hand(device).site;
    let sender = author.device_where(|belief, other| belief.devices[other].site != site)?;
    let from = author.any_user();
    author.log_in(sender, from);
    if !author.belief.is_in(device) {
        return None;
    }
    cut_off(author, device, Direction::Both);
    // Now and then more than may be under way to a device at once.
    let is_many = author.draw.chance(1, 5) && author.left() > 600;
    let messages = if is_many { author.draw.between(14, 40) } else { author.draw.log_between(1, 12) };
    let room = server(author).owed_bytes_max as u64;
    if !is_many && (2..=TEXT_MAX as u64).contains(&room) && author.draw.chance(1, 3) {
        // Two that fill the room to the last byte.
        let first = author.draw.between(1, room - 1);
        for bytes in [first, room - first] {
            let text = Text::Bytes(bytes as u32);
            author.call(sender, Call::Send { to: user_name(user).to_owned(), text, id: None });
            author.settle();
        }
    }
    for _ in 0..messages {
        let text = if is_many { Text::Written("and this".to_owned()) } else { some_text(author) };
        author.call(sender, Call::Send { to: user_name(user).to_owned(), text, id: None });
        let pause = some(author, 1, if is_many { 100 } else { 1_000 });
        author.pass(pause);
    }
    if author.has(Family::Bounce) && author.draw.chance(1, 3) {
        let after = some(author, 1, 5_000);
        author.fault(Fault::BounceServer { after: super::super::micros(after) });
        author.pass(after);
    }
    let pause = some(author, 1, 20_000);
    author.pass(pause);
    author.bring(device);
    if author.has(Family::NetworkChanged) && author.draw.chance(1, 2) {
        author.call(device, Call::NetworkChanged);
    }
    author.settle();
    Some(())
}

/// API-7, CONN-10, KICK-6: messages come before a device comes back, while it does, and after it: with its link
/// doubted, lost, slept through or left for another network, or as a login, its place having been taken.
pub(super) fn around_a_return(author: &mut Author) -> Option<()> {
    fits(author, 0, 40 * SECOND)?;
    affords(author, 300)?;
    let (device, user) = (author.any_device(), author.any_user());
    let site = author.hand(device).site;
    let sender = author.device_where(|belief, other| other != device && belief.devices[other].site != site);
    let sender = sender.or_else(|| author.device_where(|_, other| other != device))?;
    let from = author.any_user();
    author.log_in(device, user);
    author.log_in(sender, from);
    let (near, first) = (author.latency(device), whole_micros(client(author, device).backoff_first));
    let most = (server(author).owed_max as u64).min(12) + 3;
    messages(author, sender, user, 4, SECOND);
    if !author.belief.is_in(device) {
        return None;
    }
    let name = author.hand(device).name.clone();
    match author.draw.below(6) {
        0 if author.has(Family::Reset) => author.fault(Fault::Reset { device: name }),
        1 if author.has(Family::Suspend) => {
            author.fault(Fault::Suspend { device: name.clone() });
            messages(author, sender, user, most, 2 * SECOND);
            author.fault(Fault::Wake { device: name });
        }
        2 | 3 if author.has(Family::Partition) && author.hand(sender).site != site => {
            displaced(author, device, sender, user)?;
        }
        _ => author.call(device, Call::NetworkChanged),
    }
    // Until a connection stands and a resume on it is answered.
    messages(author, sender, user, most, first + 6 * near);
    author.settle();
    author.settle();
    messages(author, sender, user, 4, SECOND);
    author.settle();
    Some(())
}

/// A rival takes the place of the device, which cannot hear it and is let back in as a login, if the seed can have it so.
fn displaced(author: &mut Author, device: usize, sender: usize, user: usize) -> Option<()> {
    let site = author.hand(device).site;
    let rival =
        author.device_where(|belief, other| belief.devices[other].site != site && belief.are_rivals(other, device))?;
    if !author.belief.reconnect_kicks && author.has(Family::SwitchChange) {
        author.act(Action::App(AppChange::ReconnectKicks(true)));
    }
    let from = author.hand(sender).account;
    cut_off(author, device, Direction::Both);
    messages(author, sender, user, 2, SECOND);
    author.log_in(rival, user);
    let pause = within(author, 4 * SECOND);
    author.pass(pause);
    author.open(site);
    author.call(device, Call::NetworkChanged);
    if rival == sender {
        // It is to say something to whoever takes its place.
        let from = from.unwrap_or(user);
        author.settle();
        author.call(sender, fresh_login(from));
    }
    Some(())
}

/// Up to so many messages to the user, within about so much time.
fn messages(author: &mut Author, sender: usize, user: usize, most: u64, span: u64) {
    let number = author.draw.below(most + 1);
    for _ in 0..number {
        let text = some_text(author);
        author.call(sender, Call::Send { to: user_name(user).to_owned(), text, id: None });
        let pause = within(author, 2 * span / number);
        author.pass(pause);
    }
}
