//! The conversations that a login or a resume brings are the user's own, as they stood (API-2).

use super::contract::Property;
use super::decision::Decision;
use super::report::Report;
use super::scene::Scene;
use crate::check::grown::grown;
use crate::scenario::rules::{RuleId, rule};
use crate::trace::{DeviceIndex, Event, Fact, List, ListIndex, ServerFrame, UserIndex, What};

const LIST: RuleId = rule("API-2");

/// How many answers of one device may be on their way at once.
const AWAITED_MAX: usize = 8;

#[derive(Default)]
pub(super) struct Lists {
    /// Of each device, the lists that its next answers may bring.
    awaited: Vec<Vec<Awaited>>,
}

#[derive(Clone)]
struct Awaited {
    user: UserIndex,
    epoch: u32,
    /// Newest first.
    list: Vec<(UserIndex, u32)>,
}

impl Property for Lists {
    sentence!(Always, "a login and a resume bring the user's own conversations, as they stood", "API-2");
    watches!("decision", "server_sent");
    frames!("login_accepted", "resumed_as_login", "resumed");

    fn observe(&mut self, scene: &Scene<'_>, event: &Event, report: &mut Report) {
        let What::ServerSent { connection, peer: Some(peer), frame, .. } = event.what else { return };
        let (epoch, brought): (Option<u32>, Option<ListIndex>) = match frame {
            ServerFrame::LoginAccepted { epoch, conversations, .. }
            | ServerFrame::ResumedAsLogin { epoch, conversations, .. } => (Some(epoch), conversations),
            ServerFrame::Resumed { conversations, .. } => (None, conversations),
            _ => return,
        };
        if peer == DeviceIndex::STRANGER {
            return;
        }
        let brought: Vec<(UserIndex, u32)> = match brought.map(|list| scene.cast.list(list)) {
            Some(List::Conversations(lines)) => lines.iter().map(|line| (line.peer, line.last)).collect(),
            Some(List::Devices(_) | List::Users(_) | List::Report(_)) | None => Vec::new(),
        };
        let Some(user) = scene.server.asker(connection) else { return };
        // An answer to a login names its epoch; of resumes several may be on their way.
        let is_its = |one: &&Awaited| one.user == user && epoch.is_none_or(|epoch| one.epoch == epoch);
        let awaited = self.awaited.get(peer.index()).map_or(&[][..], Vec::as_slice);
        let Some(last) = awaited.iter().rev().find(is_its) else { return };
        if !awaited.iter().filter(is_its).any(|one| one.list == brought) {
            let (name, user) = (scene.device(peer), scene.user(user));
            let text =
                format!("{name} gets {} conversations as {user}'s, which are {}", brought.len(), last.list.len());
            report.event(LIST, event, text);
        }
    }

    fn decide(&mut self, scene: &Scene<'_>, decision: &Decision, _: &mut Report) {
        for fact in &decision.facts {
            let (Fact::SessionAccepted { user, device, epoch, .. } | Fact::SessionResumed { user, device, epoch, .. }) =
                *fact
            else {
                continue;
            };
            if device == DeviceIndex::STRANGER {
                continue;
            }
            let mut list = scene.server.now.user(user).map_or(Vec::new(), |user| user.conversations.clone());
            list.reverse();
            list.truncate(scene.allowance.server.conversations_max);
            let awaited = grown(&mut self.awaited, device.index());
            if awaited.len() >= AWAITED_MAX {
                awaited.remove(0);
            }
            awaited.push(Awaited { user, epoch, list });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::story::*;
    use super::*;

    /// Alice, who has a conversation or none, logs in; the answer brings no list.
    fn login(story: Story) -> Story {
        let login = login_frame(1, 1, TICKET);
        let answer = ServerFrame::LoginAccepted { call: 1, epoch: 1, conversations: None, terms: Terms::default() };
        story.hears(PHONE, 0, login).commit(&[accepted(ALICE, PHONE, 1)]).sends(PHONE, 0, answer)
    }

    /// API-2
    #[test]
    fn a_list_that_is_not_the_users_is_seen() {
        let story = || Story::of(Lists::default());
        login(story()).holds();
        login(story().commit(&[stored_message(1)])).breaks("API-2");
        // The message comes when the list is on its way.
        let answer =
            ServerFrame::Resumed { attempt: attempt(2), conversations: None, terms: Terms::default(), dropped: 0 };
        let back = || login(story()).commit(&[resumed(ALICE, PHONE, 1)]);
        back().commit(&[stored_message(1)]).sends(PHONE, 0, answer).holds();
        let again = back().commit(&[stored_message(1)]);
        let others = (0..AWAITED_MAX).fold(again, |story, _| story.commit(&[resumed(ALICE, PHONE, 1)]));
        others.sends(PHONE, 0, answer).breaks("API-2");
    }
}
