//! What the application on a device remembers of the messages it sends, so as to send one again (API-6).
//!
//! An application that was not told that a message arrived, and is asked to send the same text to the same
//! user once more, sends the same message. It keeps this on a disk of its own: a process that dies forgets
//! nothing. The same in every world.

use gatecrash::id::{SendId, UserId};

use crate::scenario::Text;

/// What one device's application was not told had arrived.
#[derive(Clone, Debug, Default)]
pub(super) struct Outgoing {
    /// How many ids it has drawn.
    drawn: u64,
    unsettled: Vec<Unsettled>,
}

#[derive(Clone, Debug)]
struct Unsettled {
    id: SendId,
    from: UserId,
    to: String,
    text: Text,
    /// Whether a call waits for its result: then the same text again is another message.
    is_pending: bool,
}

impl Outgoing {
    /// What the application calls the message that it sends now. `from` is who is logged in.
    pub(super) fn send(&mut self, device: usize, from: Option<UserId>, to: &str, text: &Text) -> SendId {
        let is_it =
            |one: &&mut Unsettled| !one.is_pending && Some(one.from) == from && one.to == to && one.text == *text;
        if let Some(again) = self.unsettled.iter_mut().find(is_it) {
            again.is_pending = true;
            return again.id;
        }
        self.drawn += 1;
        // No step names such a number.
        let id = SendId::from_bytes(((device as u128 + 1) << 64 | u128::from(self.drawn)).to_be_bytes());
        // Without anybody logged in nothing is sent.
        if let Some(from) = from {
            let (to, text) = (to.to_owned(), text.clone());
            self.unsettled.push(Unsettled { id, from, to, text, is_pending: true });
        }
        id
    }

    /// The call that sent it has its result.
    pub(super) fn answered(&mut self, id: SendId, has_arrived: bool) {
        self.unsettled.retain(|one| one.id != id || !has_arrived);
        self.unsettled.iter_mut().filter(|one| one.id == id).for_each(|one| one.is_pending = false);
    }

    /// What it remembers is what the other one does. Of the ids it has drawn itself none is drawn again.
    pub(super) fn copy(&mut self, other: Outgoing) {
        self.unsettled = other.unsettled;
        // No call of the other's has its result here.
        self.process_died();
    }

    /// The process is dead: no call of it has a result any more.
    pub(super) fn process_died(&mut self) {
        self.unsettled.iter_mut().for_each(|one| one.is_pending = false);
    }
}

/// What a step calls a message.
pub(super) fn named(id: u32) -> SendId {
    SendId::from_bytes(u128::from(id).to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// API-6
    #[test]
    fn only_what_may_not_have_arrived_is_the_same_message_again() {
        let mut outgoing = Outgoing::default();
        let [alice, bob] = ["alice", "bob"].map(|user| Some(user.parse().unwrap()));
        let send = |outgoing: &mut Outgoing, from, text: &str| {
            outgoing.send(0, from, "carol", &Text::Written(text.to_owned()))
        };
        let first = send(&mut outgoing, alice, "pay 100");
        assert_ne!(send(&mut outgoing, alice, "pay 100"), first, "it may yet be answered");
        outgoing.answered(first, false);
        assert_ne!(send(&mut outgoing, bob, "pay 100"), first);
        assert_ne!(send(&mut outgoing, alice, "pay 200"), first);
        assert_eq!(send(&mut outgoing, alice, "pay 100"), first);
        outgoing.process_died();
        assert_eq!(send(&mut outgoing, alice, "pay 100"), first);
        outgoing.answered(first, true);
        assert_ne!(send(&mut outgoing, alice, "pay 100"), first);
    }
}
