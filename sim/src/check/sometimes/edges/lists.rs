//! Conversation lists and their previews, as long as they may be and longer (API-2).

use gatecrash::limits::ServerLimits;

use super::super::table::{Reached, Situation};
use crate::check::grown::grown;
use crate::scenario::numbers::PREVIEW_MAX;
use crate::trace::{Cast, Fact, List, ListIndex, ServerFrame, UserIndex};

#[derive(Clone, Debug, Default)]
pub(super) struct Lists {
    /// By user: with whom they have a conversation, and since which change.
    peers: Vec<Vec<(UserIndex, u32)>>,
    /// Messages whose text is as long as a preview, or one byte longer.
    as_long: Vec<u32>,
    longer: Vec<u32>,
}

impl Lists {
    pub(super) fn fact(&mut self, cast: &Cast, commit: u32, fact: &Fact) {
        let Fact::MessageStored { message, from, to, text, .. } = *fact else { return };
        for (user, peer) in [(from, to), (to, from)] {
            let peers = grown(&mut self.peers, user.index());
            if peers.iter().all(|(known, _)| *known != peer) {
                peers.push((peer, commit));
            }
        }
        match cast.text(text).len() {
            PREVIEW_MAX => self.as_long.push(message),
            length if length == PREVIEW_MAX + 1 => self.longer.push(message),
            _ => {}
        }
    }

    /// A frame that waits for this change.
    pub(super) fn sent(
        &self,
        cast: &Cast,
        user: Option<UserIndex>,
        (reveals, frame): (u32, &ServerFrame),
        limits: &ServerLimits,
        reached: &mut Reached,
    ) {
        let list: Option<ListIndex> = match *frame {
            ServerFrame::LoginAccepted { conversations, .. }
            | ServerFrame::Resumed { conversations, .. }
            | ServerFrame::ResumedAsLogin { conversations, .. } => conversations,
            _ => None,
        };
        let (Some(List::Conversations(lines)), Some(user)) = (list.map(|list| cast.list(list)), user) else { return };
        let peers = self.peers.get(user.index()).map_or(&[][..], Vec::as_slice);
        let known = peers.iter().filter(|(_, since)| *since <= reveals).count();
        if lines.len() == limits.conversations_max {
            match known {
                _ if known == lines.len() => reached.add(Situation::ListAtMost),
                _ if known > lines.len() => reached.add(Situation::ListCut),
                _ => {}
            }
        }
        for line in lines.iter().filter(|line| cast.text(line.preview).len() == PREVIEW_MAX) {
            if self.as_long.contains(&line.last) {
                reached.add(Situation::PreviewWhole);
            }
            if self.longer.contains(&line.last) {
                reached.add(Situation::PreviewCut);
            }
        }
    }
}
