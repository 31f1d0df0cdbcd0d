//! Ghosts: sessions that count as connected, though nobody is there (PRES-1, PRES-2).

use super::contract::Property;
use super::decision::Decision;
use super::report::Report;
use super::scene::Scene;
use crate::check::grown::grown;
use crate::scenario::rules::{RuleId, rule};
use crate::trace::{Actor, ClientFrame, DeviceIndex, Effect, Event, Fact, UserIndex, What};

const GHOST: RuleId = rule("PRES-2");
const LIVING: RuleId = rule("CONN-7");

/// A session: whose, on which device, of which epoch.
type Name = (UserIndex, DeviceIndex, u32);

#[derive(Default)]
pub(super) struct Ghosts {
    /// The session on each of the server's connections.
    bound: Vec<Option<Name>>,
    /// The connection on which the last frame came that asks for a session.
    asking: Option<u32>,
    /// Sessions whose link must be lost with the next decision.
    gone: Vec<Name>,
    /// The server has just started: nobody is connected to it yet.
    is_starting: bool,
}

impl Ghosts {
    fn bind(&mut self, name: Name) {
        let Some(connection) = self.asking else { return };
        self.bound.iter_mut().filter(|bound| bound.is_some_and(|(_, device, _)| device == name.1)).for_each(|bound| {
            *bound = None;
        });
        *grown(&mut self.bound, connection as usize) = Some(name);
    }
}

/// Whether the server takes the session for connected.
fn counts_as_connected(scene: &Scene<'_>, &(user, device, epoch): &Name) -> bool {
    scene.server.now.session(user, device, epoch).is_some_and(|session| session.lost.is_none())
}

impl Property for Ghosts {
    sentence!(
        Always,
        "a session has lost its link just when its connection is gone or its server died",
        "PRES-1",
        "PRES-2",
        "CONN-7"
    );
    watches!(
        "decision",
        "effect",
        "server_started",
        "store_failed",
        "opened",
        "gone",
        "close_asked",
        "server_received",
        "server_sent"
    );
    frames!(all);

    fn observe(&mut self, scene: &Scene<'_>, event: &Event, report: &mut Report) {
        let is_over = matches!(event.what, What::StoreFailed | What::Effect { effect: Effect::ServerDead });
        if is_over {
            *self = Ghosts::default();
        }
        if event.actor != Actor::Server {
            return;
        }
        if std::mem::take(&mut self.is_starting) {
            let connected = scene.server.now.connected();
            self.gone.extend(connected.map(|(user, session)| (user, session.device, session.epoch)));
        }
        for (user, device, epoch) in std::mem::take(&mut self.gone) {
            let session = scene.session(device, user, epoch);
            let text = format!("{session} has no connection any more, and counts as connected");
            report.missing_by(GHOST, event, "link_lost", text);
        }
        if let What::ServerReceived { connection, .. } = event.what
            && let Some((user, device, epoch)) = self.bound.get(connection as usize).copied().flatten()
            && scene.server.now.session(user, device, epoch).is_some_and(|session| session.lost.is_some())
        {
            self.bound[connection as usize] = None;
            let session = scene.session(device, user, epoch);
            report.event(LIVING, event, format!("{session} has a connection, and counts as without"));
        }
        match event.what {
            What::ServerStarted { .. } => self.is_starting = true,
            What::ServerReceived {
                connection,
                peer: Some(peer),
                frame: ClientFrame::Login { .. } | ClientFrame::Resume { .. },
            } if peer != DeviceIndex::STRANGER => self.asking = Some(connection),
            What::CloseAsked { connection, .. } => {
                if let Some(bound) = self.bound.get_mut(connection as usize) {
                    *bound = None;
                }
            }
            What::Opened { connection } | What::Gone { connection, .. } => {
                self.asking = None;
                let bound = self.bound.get_mut(connection as usize).and_then(Option::take);
                self.gone.extend(bound.filter(|name| counts_as_connected(scene, name)));
            }
            _ => {}
        }
    }

    fn decide(&mut self, _: &Scene<'_>, decision: &Decision, _: &mut Report) {
        for fact in &decision.facts {
            match *fact {
                Fact::LinkLost { user, device, epoch, .. } | Fact::SessionEnded { user, device, epoch, .. } => {
                    self.gone.retain(|name| *name != (user, device, epoch));
                }
                Fact::SessionAccepted { user, device, epoch, .. }
                | Fact::SessionResumed { user, device, epoch, .. } => self.bind((user, device, epoch)),
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::story::*;
    use super::*;

    /// The phone is logged in on connection 1.
    fn story() -> Story {
        let login = login_frame(1, 1, TICKET);
        let story = Story::of(Ghosts::default()).server(What::Opened { connection: 1 });
        story.hears(PHONE, 1, hello()).hears(PHONE, 1, login).commit(&[accepted(ALICE, PHONE, 1)])
    }

    fn gone(story: Story, connection: u32) -> Story {
        story.at(9).server(What::Gone { connection, peer: None })
    }

    fn goes_on(story: Story) -> Story {
        story.at(20).server(What::Opened { connection: 7 })
    }

    /// PRES-2
    #[test]
    fn a_connection_that_goes_and_leaves_its_session_is_seen() {
        goes_on(gone(story(), 1)).breaks("PRES-2");
        goes_on(gone(story(), 1).commit(&[lost(ALICE, PHONE, 1, 9)])).holds();
        goes_on(gone(story(), 2)).holds();
        let again = || {
            let resume =
                ClientFrame::Resume { attempt: attempt(2), user: ALICE.into(), epoch: 1, ticket: None, received: 0 };
            let story = story().server(What::Opened { connection: 2 }).hears(PHONE, 2, hello());
            story.hears(PHONE, 2, resume).commit(&[resumed(ALICE, PHONE, 1)])
        };
        goes_on(gone(again(), 1)).holds();
        goes_on(gone(again(), 2)).breaks("PRES-2");
    }

    /// CONN-7
    #[test]
    fn a_living_connection_that_counts_as_lost_is_seen() {
        let story = || story().commit(&[lost(ALICE, PHONE, 1, 9)]);
        let beats = |story: Story| story.at(10).hears(PHONE, 1, ClientFrame::Heartbeat);
        beats(story()).breaks("CONN-7");
        story().server(What::CloseAsked { connection: 1, peer: None }).holds();
        beats(gone(story(), 1).server(What::Opened { connection: 1 })).holds();
    }

    /// PRES-2
    #[test]
    fn a_server_that_starts_and_takes_the_dead_for_connected_is_seen() {
        let dies = |story: Story| story.at(9).effect(Effect::ServerDead);
        let wall = crate::trace::Micros::new(START * 1_000_000);
        let starts = |story: Story| dies(story).at(10).server(What::ServerStarted { commit: 1, wall });
        goes_on(starts(story())).breaks("PRES-2");
        goes_on(starts(story()).commit(&[lost(ALICE, PHONE, 1, 10)])).holds();
        goes_on(dies(story())).holds();
    }
}
