//! The conversation lists kept on the device, and whose may be shown (API-1, API-3).
//!
//! Fetches nothing: lists come with logins, resumes and messages. Writing them is the driver's part.

use std::collections::BTreeMap;

use crate::id::UserId;
use crate::protocol::{CONVERSATIONS_MAX, Conversation, Message};

/// The lists by user.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Cache {
    lists: BTreeMap<UserId, Vec<Conversation>>,
    /// Whose list `conversations` answers with.
    pub(super) viewer: Option<UserId>,
}

impl Cache {
    pub(super) fn new(lists: BTreeMap<UserId, Vec<Conversation>>) -> Self {
        Cache { lists, viewer: None }
    }

    /// The list of `user`, newest first.
    pub(super) fn list(&self, user: UserId) -> &[Conversation] {
        self.lists.get(&user).map_or(&[], Vec::as_slice)
    }

    /// Puts the server's list in the place of the one kept. Says whether it differs.
    pub(super) fn replace(&mut self, user: UserId, mut conversations: Vec<Conversation>) -> bool {
        conversations.truncate(CONVERSATIONS_MAX);
        let changed = self.list(user) != conversations;
        // No list is an empty list: most devices never have another.
        if changed {
            self.lists.insert(user, conversations);
        }
        changed
    }

    /// Enters a message into the list of `user` (API-2). Says whether that changed it: a message
    /// older than the one the list shows does not.
    pub(super) fn enter(&mut self, user: UserId, message: &Message) -> bool {
        let line = message.conversation_of(user);
        let list = self.lists.entry(user).or_default();
        if list.iter().any(|known| known.peer == line.peer && known.last >= line.last) {
            return false;
        }
        list.retain(|known| known.peer != line.peer);
        let place = list.partition_point(|known| known.last > line.last);
        list.insert(place, line);
        list.truncate(CONVERSATIONS_MAX);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::MessageId;

    fn message(id: u64, from: &str, to: &str) -> Message {
        Message { id: MessageId(id), from: from.parse().unwrap(), to: to.parse().unwrap(), text: format!("text {id}") }
    }

    /// API-2: one line for each peer, the newest message first.
    #[test]
    fn the_list_is_newest_first_with_one_line_for_each_peer() {
        let alice = "alice".parse().unwrap();
        let mut cache = Cache::new(BTreeMap::new());
        assert!(cache.enter(alice, &message(1, "alice", "bob")));
        assert!(cache.enter(alice, &message(4, "carol", "alice")));
        assert!(cache.enter(alice, &message(3, "bob", "alice")));
        assert!(!cache.enter(alice, &message(2, "bob", "alice")), "older than what is shown");
        let shown: Vec<_> = cache.list(alice).iter().map(|line| (line.peer.as_str(), line.last.0)).collect();
        assert_eq!(shown, [("carol", 4), ("bob", 3)]);
    }

    #[test]
    fn the_list_is_bounded() {
        let alice = "alice".parse().unwrap();
        let mut cache = Cache::new(BTreeMap::new());
        for id in 1..=CONVERSATIONS_MAX as u64 + 5 {
            assert!(cache.enter(alice, &message(id, &format!("user-{id}"), "alice")));
        }
        assert_eq!(cache.list(alice).len(), CONVERSATIONS_MAX);
        let longer = cache.list(alice).iter().cycle().take(CONVERSATIONS_MAX + 1).cloned().collect();
        assert!(!cache.replace(alice, longer), "cut to the same list");
    }
}
