//! Gambits about messages: without an answer, and for who is not there.

use super::super::setup::user_name;
use super::*;
use crate::scenario::Text;

fn message(author: &mut Author) -> Call {
    let to = user_name(author.any_user()).to_owned();
    Call::Send { to, text: Text::Written("and now?".to_owned()), id: None }
}

/// API-6: the answer to a message is lost, and the application sends it again: by the same device, as soon as
/// it knows or a while later.
pub(super) fn sent_again(author: &mut Author) -> Option<()> {
    fits(author, 0, MINUTE)?;
    let (device, user) = (author.any_device(), author.any_user());
    author.log_in(device, user);
    let site = author.belief.sites[author.hand(device).site].name.clone();
    author.fault(Fault::Partition { site: site.clone(), direction: Direction::Inbound });
    let call = message(author);
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
    for _ in 0..author.draw.log_between(1, 12) {
        let text = Text::Written("are you away?".to_owned());
        author.call(sender, Call::Send { to: user_name(user).to_owned(), text, id: None });
        let pause = some(author, 1, 1_000);
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
