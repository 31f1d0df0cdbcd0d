//! What a user called the messages they sent, in the order of the messages (API-6).
//!
//! Looked through from end to end: their number is bounded. When one may be forgotten is decided in `decide`.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::id::{Epoch, MessageId, SendId};

/// One message that a user sent.
///
/// ```
/// use gatecrash::{id::{Epoch, MessageId, SendId}, store::SentMessage};
///
/// let id = SendId::from_bytes([7; 16]);
/// let sent = SentMessage { number: MessageId(1), id, epoch: Epoch(3), last_second: 60 };
/// assert_eq!(sent.id, id);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SentMessage {
    /// The number the server gave it.
    pub number: MessageId,
    /// What its sender calls it.
    pub id: SendId,
    /// The epoch of the session that sent it.
    pub epoch: Epoch,
    /// The last second of the ticket that session lived by: when it sent, and from its end on, at the end.
    pub last_second: u64,
}

/// The messages a user sent, as far as they are remembered.
///
/// ```
/// use gatecrash::{id::SendId, store::Sent};
///
/// assert_eq!(Sent::default().number_of(SendId::from_bytes([7; 16])), None);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Sent {
    in_order: VecDeque<SentMessage>,
}

impl Sent {
    /// The number of the message that is called so.
    pub fn number_of(&self, id: SendId) -> Option<MessageId> {
        // What is sent again was sent not long ago.
        self.in_order.iter().rev().find(|sent| sent.id == id).map(|sent| sent.number)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.in_order.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.in_order.is_empty()
    }

    /// The messages, the oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &SentMessage> {
        self.in_order.iter()
    }

    /// Adds the newest.
    pub fn push(&mut self, sent: SentMessage) {
        assert!(self.in_order.back().is_none_or(|last| last.number < sent.number), "message numbers only grow");
        self.in_order.push_back(sent);
    }

    /// The session of this epoch has ended, and lived by a ticket that is valid up to this second.
    pub fn ended(&mut self, epoch: Epoch, last_second: u64) {
        for sent in self.in_order.iter_mut().filter(|sent| sent.epoch == epoch) {
            sent.last_second = last_second;
        }
    }

    /// Forgets those up to this number.
    pub fn forget(&mut self, through: MessageId) {
        let forgotten = self.in_order.partition_point(|sent| sent.number <= through);
        self.in_order.drain(..forgotten);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// API-6
    #[test]
    fn what_is_forgotten_is_not_found() {
        let mut sent = Sent::default();
        for number in 1..=4_u8 {
            let id = SendId::from_bytes([number; 16]);
            sent.push(SentMessage { number: MessageId(number.into()), id, epoch: Epoch(1), last_second: 60 });
        }
        sent.forget(MessageId(2));
        let found = (1..=4).map(|number| sent.number_of(SendId::from_bytes([number; 16])).map(|number| number.0));
        assert_eq!(found.collect::<Vec<_>>(), [None, None, Some(3), Some(4)]);
        assert_eq!((sent.len(), sent.is_empty()), (2, false));
    }
}
