//! The messages that a session is owed, in the order of the server, each at its place (API-7).
//!
//! What is owed no more is gone from the front: the device said that it has it, or there was no room. Which of the
//! two, and who is owed what, is decided in `decide`.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::protocol::Message;

/// Where the queue of a session stands. Places count all messages that the session was ever owed, from 1.
///
/// ```
/// use gatecrash::store::Places;
///
/// assert_eq!(Places::default(), Places { gone: 0, last: 0 });
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Places {
    /// The last place of which the message is owed no more.
    pub gone: u64,
    /// The last place.
    pub last: u64,
}

/// A session's queue.
///
/// ```
/// assert_eq!(gatecrash::store::Owed::default().iter().count(), 0);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Owed {
    places: Places,
    /// By place. A store has only those here that it is about to write.
    messages: BTreeMap<u64, Arc<Message>>,
    /// Of their texts.
    bytes: usize,
}

impl Owed {
    /// A queue that stands here, with none of its messages.
    pub fn at(places: Places) -> Self {
        Owed { places, ..Owed::default() }
    }

    /// Where it stands.
    pub fn places(&self) -> Places {
        self.places
    }

    /// How many messages there are.
    pub fn len(&self) -> usize {
        self.messages.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// How long their texts are together.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The messages at their places, the oldest first.
    pub fn iter(&self) -> impl Iterator<Item = (u64, &Arc<Message>)> {
        self.messages.iter().map(|(&place, message)| (place, message))
    }

    /// The message at the first place after this one.
    pub fn after(&self, place: u64) -> Option<(u64, &Arc<Message>)> {
        self.messages.range(place + 1..).next().map(|(&place, message)| (place, message))
    }

    /// One more message, at the next place.
    pub fn push(&mut self, message: Arc<Message>) {
        self.places.last += 1;
        self.put_back(self.places.last, message);
    }

    /// The message that is at this place, read from where it was kept.
    pub fn put_back(&mut self, place: u64, message: Arc<Message>) {
        self.bytes += message.text.len();
        self.messages.insert(place, message);
    }

    /// What is up to this place is owed no more.
    pub fn forget(&mut self, through: u64) {
        assert!(self.places.gone < through && through <= self.places.last, "a place is gone once, and was there");
        self.places.gone = through;
        let kept = self.messages.split_off(&(through + 1));
        let gone = std::mem::replace(&mut self.messages, kept);
        self.bytes -= gone.values().map(|message| message.text.len()).sum::<usize>();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::MessageId;

    /// API-7
    #[test]
    fn what_is_gone_is_gone_from_the_front() {
        let mut owed = Owed::default();
        let users = ["alice", "bob"].map(|user| user.parse().unwrap());
        for number in 1..=4 {
            let text = "x".repeat(number as usize);
            owed.push(Arc::new(Message { id: MessageId(number), from: users[0], to: users[1], text }));
        }
        owed.forget(1);
        owed.forget(3);
        assert_eq!(owed.places(), Places { gone: 3, last: 4 });
        assert_eq!((owed.len(), owed.is_empty(), owed.bytes()), (1, false, 4));
        assert_eq!(owed.after(0).map(|(place, message)| (place, message.id.0)), Some((4, 4)));
        assert_eq!(owed.after(4), None);
        owed.forget(4);
        assert_eq!((owed.iter().count(), owed.bytes()), (0, 0));
    }
}
