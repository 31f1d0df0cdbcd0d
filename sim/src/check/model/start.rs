//! What a start of the server leads to: nobody is connected to it yet, and time has passed while it was down (DUR-4).

use std::collections::BTreeSet;

use super::clock::is_past;
use super::records::Id;
use super::server::Server;
use crate::scenario::numbers;
use crate::scenario::rules::rule;
use crate::trace::UserIndex;

impl Server {
    /// DUR-4: who was connected has lost the link just now, and what passed meanwhile is told.
    pub(super) fn started(&mut self) {
        let connected: Vec<(UserIndex, Id, u32)> = self
            .records
            .users
            .iter()
            .flat_map(|(&user, account)| account.sessions.iter().map(move |session| (user, *session)))
            .filter(|(_, session)| session.lost.is_none())
            .map(|(user, session)| (user, session.id, session.epoch))
            .collect();
        for (user, id, epoch) in connected {
            self.lose_link(const { rule("DUR-4") }, user, id, epoch);
        }
        let wall = self.step.wall.0;
        let mut lapsed = BTreeSet::new();
        for (&user, account) in &mut self.records.users {
            for session in &mut account.sessions {
                session.lapsed = session.lost.is_some_and(|lost| is_past(lost, self.limits.push_online, wall));
                if session.lapsed && numbers::is_mobile(session.platform) && !self.step.touched.contains_key(&user) {
                    lapsed.insert(user);
                }
            }
        }
        let untouched = self.records.users.iter().filter(|(user, _)| !self.step.touched.contains_key(user));
        let overtaken: Vec<UserIndex> = untouched
            .filter(|(_, account)| account.presence != self.presence_at(account, wall))
            .map(|(&user, _)| user)
            .collect();
        for user in overtaken {
            lapsed.remove(&user);
            self.touch(user);
        }
        // Whether seven days that passed and changed nothing are told the rules leave open.
        lapsed.into_iter().for_each(|user| self.presence_event(user, Vec::new(), true));
    }
}
