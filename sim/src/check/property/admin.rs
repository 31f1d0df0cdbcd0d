//! The administrative kick and query: what they do, and who may (ADMIN-1, ADMIN-3).

use gatecrash::store::EndReason;
use gatecrash::time::{Instant, WallTime};

use super::contract::Property;
use super::decision::Decision;
use super::report::Report;
use super::scene::Scene;
use crate::scenario::rules::{RuleId, rule};
use crate::trace::{ClientFrame, DeviceIndex, Effect, Event, Fact, List, ServerFrame, UserIndex, What};

const ENDS: RuleId = rule("ADMIN-1");
const ONLY: RuleId = rule("ADMIN-3");

#[derive(Default)]
pub(super) struct Administrators {
    /// Administrative calls that are not answered.
    asked: Vec<Asked>,
    /// Whom an administrator asked to kick last, and when.
    kicks: Vec<(UserIndex, Instant)>,
}

struct Asked {
    connection: u32,
    call: u32,
    peer: DeviceIndex,
    may: bool,
}

fn may_administer(scene: &Scene<'_>, peer: DeviceIndex) -> bool {
    if peer == DeviceIndex::STRANGER {
        return false;
    }
    let administrators: &[UserIndex] = match scene.server.administrators.map(|list| scene.cast.list(list)) {
        Some(List::Users(users)) => users,
        Some(List::Devices(_) | List::Conversations(_) | List::Report(_)) | None => &[],
    };
    scene.server.now.holds(peer).iter().any(|(user, _)| administrators.contains(user))
}

impl Property for Administrators {
    sentence!(
        Always,
        "an administrator's kick ends all sessions and voids their tickets, and nobody else's call does",
        "ADMIN-1",
        "ADMIN-3"
    );
    watches!("decision", "server_received", "server_sent", "opened", "effect");
    frames!("admin_kick", "query", "admin_kick_answer", "query_answer");

    fn observe(&mut self, scene: &Scene<'_>, event: &Event, report: &mut Report) {
        match event.what {
            What::ServerReceived { connection, peer: Some(peer), frame } => {
                let call = match frame {
                    ClientFrame::AdminKick { call, user } => {
                        if may_administer(scene, peer) {
                            self.kicks.retain(|&(one, _)| one != user);
                            self.kicks.push((user, event.at));
                        }
                        call
                    }
                    ClientFrame::Query { call, .. } => call,
                    _ => return,
                };
                self.asked.push(Asked { connection, call, peer, may: may_administer(scene, peer) });
            }
            What::ServerSent { connection, frame, .. } => {
                let (call, succeeded) = match frame {
                    ServerFrame::AdminKickAnswer { call, refused } => (call, refused.is_none()),
                    ServerFrame::QueryAnswer { call, refused, .. } => (call, refused.is_none()),
                    _ => return,
                };
                let is_it = |asked: &Asked| (asked.connection, asked.call) == (connection, call);
                let Some(place) = self.asked.iter().position(is_it) else { return };
                let Asked { peer, may, .. } = self.asked.remove(place);
                if succeeded && !may {
                    let name = scene.device(peer);
                    report.event(
                        ONLY,
                        event,
                        format!("{name} is no administrator's, and its {} succeeded", frame.word()),
                    );
                }
            }
            What::Opened { connection } => self.asked.retain(|asked| asked.connection != connection),
            What::Effect { effect: Effect::ServerDead } => self.asked.clear(),
            _ => {}
        }
    }

    fn decide(&mut self, scene: &Scene<'_>, decision: &Decision, report: &mut Report) {
        let voids = |user: UserIndex| {
            decision.facts.iter().find_map(|fact| match *fact {
                Fact::TicketsVoided { user: of, until } if of == user => Some(until.get()),
                _ => None,
            })
        };
        for fact in &decision.facts {
            match *fact {
                Fact::SessionEnded { user, device, epoch, reason: EndReason::Administrator, .. }
                    if voids(user).is_none() =>
                {
                    let what = scene.session(device, user, epoch);
                    report.decision(
                        ENDS,
                        decision,
                        format!("{what} was ended for an administrator, and no ticket voided"),
                    );
                }
                Fact::TicketsVoided { user, until } => {
                    let name = scene.user(user);
                    let lag = scene.allowance.lag.as_micros() as u64;
                    let seconds = [decision.wall.saturating_sub(lag), decision.wall]
                        .map(|wall| WallTime::from_micros(wall).seconds());
                    if !(seconds[0]..=seconds[1]).contains(&until.get()) {
                        let text = format!("{name}'s tickets were voided up to {} at {}", until.get(), seconds[1]);
                        report.decision(ENDS, decision, text);
                    }
                    let is_recent =
                        |&(of, at): &(UserIndex, Instant)| of == user && decision.at - at <= scene.allowance.lag;
                    if !self.kicks.iter().any(is_recent) {
                        report.decision(
                            ONLY,
                            decision,
                            format!("{name} was kicked, and no administrator asked for it"),
                        );
                    }
                    for session in scene.server.now.sessions(user) {
                        let what = || scene.session(session.device, user, session.epoch);
                        let is_end = |fact: &Fact| {
                            matches!(*fact, Fact::SessionEnded { user: of, device, epoch, reason: EndReason::Administrator, .. }
                                if (of, device, epoch) == (user, session.device, session.epoch))
                        };
                        if !decision.facts.iter().any(is_end) {
                            report.decision(ENDS, decision, format!("{} survived the administrator's kick", what()));
                        }
                        let issued = scene.cast.ticket(session.ticket).issued;
                        let is_void = |fact: &Fact| matches!(*fact, Fact::TicketVoided { ticket, .. } if ticket == session.ticket);
                        if issued > until.get() && !decision.facts.iter().any(is_void) {
                            let text = format!("the ticket of {}, issued later, was not voided", what());
                            report.decision(ENDS, decision, text);
                        }
                    }
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::story::*;
    use super::*;
    use crate::trace::Seconds;

    /// Bob, an administrator, asks to kick alice.
    fn story() -> Story {
        let story = Story::of(Administrators::default()).commit(&[accepted(BOB, DESK, 1)]);
        let story = story.commit(&[accepted(ALICE, PHONE, 1), accepted(ALICE, PHONE2, 2)]);
        story.hears(DESK, 0, ClientFrame::AdminKick { call: 5, user: ALICE.into() })
    }

    fn voided(second: u64) -> Fact {
        Fact::TicketsVoided { user: ALICE.into(), until: Seconds::new(START + second) }
    }

    /// ADMIN-1
    #[test]
    fn a_kick_that_leaves_something_is_seen() {
        let ends = [(PHONE, 1), (PHONE2, 2)].map(|(on, epoch)| ended(ALICE, on, epoch, EndReason::Administrator, on));
        story().commit(&[voided(0), ends[0], ends[1]]).holds();
        story().commit(&[voided(0), ends[0]]).breaks("ADMIN-1");
        story().commit(&[voided(7), ends[0], ends[1]]).breaks("ADMIN-1");
        story().commit(&ends).breaks("ADMIN-1");
    }

    /// ADMIN-3
    #[test]
    fn a_call_of_somebody_else_is_seen() {
        let query = |story: Story, device| {
            let story = story.hears(device, 4, ClientFrame::Query { call: 9, users: None });
            story.sends(device, 4, ServerFrame::QueryAnswer { call: 9, report: None, refused: None })
        };
        query(story(), DESK).holds();
        query(story(), PHONE3).breaks("ADMIN-3");
        Story::of(Administrators::default()).commit(&[voided(0)]).breaks("ADMIN-3");
    }
}
