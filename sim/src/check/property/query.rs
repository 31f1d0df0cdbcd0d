//! What an administrator is shown of somebody is the truth (ADMIN-2).

use gatecrash::protocol::Presence;

use super::contract::Property;
use super::decision::Decision;
use super::report::Report;
use super::scene::Scene;
use crate::scenario::rules::{RuleId, rule};
use crate::trace::{ClientFrame, DeviceIndex, Effect, Event, Fact, List, ServerFrame, UserIndex, What};

const SHOWN: RuleId = rule("ADMIN-2");

#[derive(Default)]
pub(super) struct Queries {
    asked: Vec<Asked>,
}

struct Asked {
    connection: u32,
    call: u32,
    /// The presences that each user has had since the question came; none for an unknown user.
    shown: Vec<(UserIndex, Vec<Option<Presence>>)>,
}

fn presence_of(scene: &Scene<'_>, user: UserIndex) -> Option<Presence> {
    scene.server.now.user(user).filter(|user| user.exists).map(|user| user.presence)
}

impl Property for Queries {
    sentence!(Always, "a query shows each user's presence, and unknown users as such", "ADMIN-2");
    watches!("decision", "server_received", "server_sent", "opened", "effect");
    frames!("query", "query_answer");

    fn observe(&mut self, scene: &Scene<'_>, event: &Event, report: &mut Report) {
        match event.what {
            What::ServerReceived { connection, peer: Some(peer), frame: ClientFrame::Query { call, users } }
                if peer != DeviceIndex::STRANGER =>
            {
                let users: &[UserIndex] = match users.map(|list| scene.cast.list(list)) {
                    Some(List::Users(users)) => users,
                    Some(List::Devices(_) | List::Conversations(_) | List::Report(_)) | None => &[],
                };
                let shown = users.iter().map(|&user| (user, vec![presence_of(scene, user)])).collect();
                self.asked.push(Asked { connection, call, shown });
            }
            What::ServerSent {
                connection, frame: ServerFrame::QueryAnswer { call, report: answer, refused }, ..
            } => {
                let is_it = |asked: &Asked| (asked.connection, asked.call) == (connection, call);
                let Some(place) = self.asked.iter().position(is_it) else { return };
                let Asked { shown, .. } = self.asked.remove(place);
                let Some(List::Report(lines)) = answer.map(|list| scene.cast.list(list)) else { return };
                if refused.is_some() {
                    return;
                }
                for (user, shown) in shown {
                    let line = lines.iter().find(|line| line.user == user);
                    if line.is_none_or(|line| !shown.contains(&line.presence)) {
                        let word = |presence: Option<Presence>| presence.map_or("unknown", Presence::word);
                        let said = line.map_or("nowhere", |line| word(line.presence));
                        let (user, true_one) = (scene.user(user), word(presence_of(scene, user)));
                        report.event(SHOWN, event, format!("a query shows {user} {said}, who is {true_one}"));
                    }
                }
            }
            What::Opened { connection } => self.asked.retain(|asked| asked.connection != connection),
            What::Effect { effect: Effect::ServerDead } => self.asked.clear(),
            _ => {}
        }
    }

    /// What is decided before the question is answered may show in the answer.
    fn decided(&mut self, scene: &Scene<'_>, decision: &Decision, _: &mut Report) {
        if self.asked.is_empty() {
            return;
        }
        for fact in &decision.facts {
            let (Fact::PresenceChanged { user, .. } | Fact::AccountCreated { user }) = *fact else { continue };
            for (of, shown) in self.asked.iter_mut().flat_map(|asked| &mut asked.shown) {
                if *of == user {
                    shown.push(presence_of(scene, user));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::story::*;
    use super::*;
    use crate::trace::ListIndex;

    /// An administrator asks about alice and bob, and is shown the report.
    fn asks(story: Story) -> Story {
        let users = Some(ListIndex::new(0));
        let report = Some(story.report());
        let story = story.hears(DESK, 0, ClientFrame::Query { call: 9, users });
        story.sends(DESK, 0, ServerFrame::QueryAnswer { call: 9, report, refused: None })
    }

    /// ADMIN-2
    #[test]
    fn a_user_who_is_shown_otherwise_is_seen() {
        let created = |user: U| Fact::AccountCreated { user: user.into() };
        let alice = |told| Story::of(Queries::default()).commit(&[created(ALICE), presence(ALICE, 1, told)]);
        asks(alice(Presence::Online)).holds();
        asks(alice(Presence::Offline)).breaks("ADMIN-2");
        asks(alice(Presence::Online).commit(&[created(BOB)])).breaks("ADMIN-2");
        asks(Story::of(Queries::default())).breaks("ADMIN-2");
    }
}
