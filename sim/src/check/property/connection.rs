//! How long the server keeps a connection that is silent, idle or over (CONN-5, INPUT-1, INPUT-2, KICK-10).

use gatecrash::policy::Platform;
use gatecrash::time::Instant;

use super::contract::Property;
use super::overdue::Overdue;
use super::report::Report;
use super::scene::Scene;
use crate::check::grown::grown;
use crate::scenario::numbers;
use crate::scenario::rules::{RuleId, rule};
use crate::trace::{Actor, ClientFrame, Effect, Event, ServerFrame, UserIndex, What};

const MALFORMED: RuleId = rule("INPUT-1");
const IDLE: RuleId = rule("INPUT-2");
const SILENT: RuleId = rule("CONN-5");
const OVER: RuleId = rule("KICK-10");

#[derive(Default)]
pub(super) struct Connections {
    /// By the server's number.
    connections: Vec<Option<Connection>>,
}

#[derive(Clone, Copy)]
struct Connection {
    platform: Option<Platform>,
    standing: Standing,
    /// The end that was told on it: whose session, and which.
    told: Option<(UserIndex, u32)>,
    last_heard: Instant,
    opened_at: Instant,
    /// Whether anybody was ever let in on it.
    was_bound: bool,
}

#[derive(Clone, Copy)]
enum Standing {
    /// Nobody is logged in on it, since then.
    Fresh(Instant),
    /// A session is.
    Bound,
    /// Its session has ended: it waits for the confirmation.
    Over(Instant),
    /// The confirmation came.
    Confirmed(Instant),
    /// It carried something that is no frame.
    Refused(Instant),
}

impl Connections {
    fn find(&mut self, connection: u32) -> Option<&mut Connection> {
        self.connections.get_mut(connection as usize)?.as_mut()
    }
}

/// Until when the server may keep it, by which rule, why, and since when that counts.
fn due(scene: &Scene<'_>, connection: &Connection) -> (Instant, RuleId, &'static str, Instant) {
    let limits = &scene.allowance.server;
    let lag = scene.allowance.lag;
    let due = |at: Instant| at.max(scene.allowance.reads_until) + lag;
    match connection.standing {
        Standing::Fresh(since) => (due(since + limits.admission), IDLE, "nobody logged in", since),
        Standing::Bound => {
            let silence = connection.platform.map_or(limits.silence, |platform| numbers::silence_of(limits, platform));
            (due(connection.last_heard + silence), SILENT, "it was silent", connection.last_heard)
        }
        Standing::Over(since) => (due(since + limits.kick_linger), OVER, "its session was over", since),
        Standing::Confirmed(since) => (due(since), OVER, "the end of its session was confirmed", since),
        Standing::Refused(since) => (due(since), MALFORMED, "it carried no frame, or one out of place", since),
    }
}

/// Of a connection that is open until now: which rule has it closed before, and why.
fn overdue(scene: &Scene<'_>, connection: &Connection, now: Instant) -> Option<(RuleId, String)> {
    let (due, rule, why, at) = due(scene, connection);
    let limit = (due - at).saturating_sub(scene.allowance.lag);
    let overdue = Overdue { since: "then", at, limit, now };
    let opened = connection.opened_at;
    (due < now).then(|| (rule, format!("of {opened} s is still open, although {why}: {overdue}")))
}

impl Property for Connections {
    sentence!(
        Eventually,
        "the server closes a connection that is silent, that nobody logs in on, or whose session is over",
        "INPUT-1",
        "INPUT-2",
        "CONN-5",
        "KICK-10",
        "PRES-2"
    );
    watches!(
        "effect",
        "server_started",
        "store_failed",
        "opened",
        "close_asked",
        "gone",
        "server_received",
        "malformed",
        "server_sent"
    );
    frames!(all);

    fn observe(&mut self, scene: &Scene<'_>, event: &Event, report: &mut Report) {
        if let What::Effect { effect: Effect::ServerDead } | What::ServerStarted { .. } | What::StoreFailed = event.what
        {
            self.connections.clear();
        }
        if event.actor != Actor::Server {
            return;
        }
        match event.what {
            What::Opened { connection } => {
                let index = connection as usize;
                *grown(&mut self.connections, index) = Some(Connection {
                    platform: None,
                    standing: Standing::Fresh(event.at),
                    told: None,
                    last_heard: event.at,
                    opened_at: event.at,
                    was_bound: false,
                });
            }
            What::CloseAsked { connection, .. } | What::Gone { connection, .. } => {
                let Some(entry) = self.connections.get_mut(connection as usize).and_then(Option::take) else { return };
                if let Some((rule, text)) = overdue(scene, &entry, event.at) {
                    report.missing_by(rule, event, "close_asked", format!("connection {connection} {text}"));
                }
            }
            What::ServerReceived { connection, frame, .. } => {
                let Some(entry) = self.find(connection) else { return };
                if let Some((rule, text)) = overdue(scene, entry, event.at) {
                    report.missing_by(rule, event, "close_asked", format!("connection {connection} {text}"));
                }
                entry.last_heard = event.at;
                // A first frame that is no hello, and a second hello.
                let is_out_of_place = match (frame, entry.platform) {
                    (ClientFrame::Hello { .. }, platform) => platform.is_some(),
                    (_, None) => matches!(entry.standing, Standing::Fresh(_)),
                    (_, Some(_)) => false,
                };
                if is_out_of_place && !matches!(entry.standing, Standing::Refused(_)) {
                    entry.standing = Standing::Refused(event.at);
                }
                match frame {
                    ClientFrame::Hello { platform, .. } => {
                        entry.platform.get_or_insert(platform);
                    }
                    ClientFrame::KickConfirmed { user, epoch } if entry.told == Some((user, epoch)) => {
                        if let Standing::Over(_) = entry.standing {
                            entry.standing = Standing::Confirmed(event.at);
                        }
                    }
                    _ => {}
                }
            }
            What::Malformed { connection, .. } => {
                if let Some(entry) = self.find(connection) {
                    entry.standing = Standing::Refused(event.at);
                }
            }
            What::ServerSent { connection, frame, .. } => {
                let Some(entry) = self.find(connection) else { return };
                let is_over = matches!(entry.standing, Standing::Over(_) | Standing::Confirmed(_));
                if let ServerFrame::Kick { kick } | ServerFrame::ResumeKicked { kick, .. } = frame {
                    entry.told = Some((kick.user, kick.epoch));
                }
                match frame {
                    ServerFrame::LoginAccepted { .. }
                    | ServerFrame::Resumed { .. }
                    | ServerFrame::ResumedAsLogin { .. } => {
                        (entry.standing, entry.was_bound) = (Standing::Bound, true);
                        // The end of another session may be confirmed yet.
                        entry.told = None;
                    }
                    ServerFrame::Kick { .. }
                    | ServerFrame::Expired { .. }
                    | ServerFrame::ResumeKicked { .. }
                    | ServerFrame::ResumeExpired { .. }
                        if !is_over =>
                    {
                        entry.standing = Standing::Over(event.at);
                    }
                    ServerFrame::LogoutAnswer { refused: None, .. } => {
                        // Who was never admitted gains no time by asking for an end.
                        let since = if entry.was_bound { event.at } else { entry.opened_at };
                        entry.standing = Standing::Fresh(since);
                    }
                    ServerFrame::Message { .. } if is_over => {
                        let text = format!("connection {connection} carries a message after the end of its session");
                        report.event(OVER, event, text);
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }

    fn finish(&mut self, scene: &Scene<'_>, report: &mut Report) {
        for (number, connection) in self.connections.iter().enumerate() {
            let Some(connection) = connection else { continue };
            if let Some((rule, text)) = overdue(scene, connection, scene.now) {
                report.missing(rule, scene.now, Actor::Server, "close_asked", format!("connection {number} {text}"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::story::*;
    use super::*;

    fn story() -> Story {
        Story::of(Connections::default()).server(What::Opened { connection: 3 })
    }

    /// Closed at this second: in time, or not.
    fn closed(story: Story, second: u64) -> Story {
        story.at(second).server(What::CloseAsked { connection: 3, peer: None }).at(1000).world(What::ScriptEnded)
    }

    fn never_closed(story: Story, second: u64) -> Story {
        story.at(second).world(What::ScriptEnded)
    }

    /// INPUT-1, INPUT-2
    #[test]
    fn a_stranger_that_stays_is_seen() {
        closed(story(), 45).holds();
        never_closed(story(), 44).holds();
        never_closed(story(), 46).breaks("INPUT-2");
        let garbage = What::Malformed { connection: 3, peer: None, why: gatecrash::protocol::FrameError::Malformed };
        closed(story().server(garbage), 0).holds();
        never_closed(story().server(garbage), 1).breaks("INPUT-1");
        never_closed(story().hears(PHONE, 3, hello()), 44).holds();
        never_closed(story().hears(PHONE, 3, hello()).hears(PHONE, 3, hello()), 1).breaks("INPUT-1");
        never_closed(story().hears(PHONE, 3, ClientFrame::Heartbeat), 1).breaks("INPUT-1");
    }

    /// INPUT-2: who was never admitted has the time from opening, whatever end it asks for; who was has it anew.
    #[test]
    fn asking_for_an_end_gains_a_stranger_no_time() {
        let logged_out = || ServerFrame::LogoutAnswer { call: 1, refused: None };
        let asks = || story().hears(PHONE, 3, hello()).at(30).sends(PHONE, 3, logged_out());
        closed(asks(), 45).holds();
        never_closed(asks(), 46).breaks("INPUT-2");
        let accepted = ServerFrame::LoginAccepted { call: 1, epoch: 1, conversations: None, terms: Terms::default() };
        let leaves = || story().sends(PHONE, 3, accepted).at(30).sends(PHONE, 3, logged_out());
        closed(leaves(), 75).holds();
        never_closed(leaves(), 74).holds();
        never_closed(leaves(), 76).breaks("INPUT-2");
    }

    /// KICK-10: a switch on a connection that carries the news of a kick.
    #[test]
    fn the_confirmation_of_the_account_before_ends_no_session_of_the_next() {
        let reason = gatecrash::protocol::KickReason::SamePlatform;
        let kick = crate::trace::Kick { user: ALICE.into(), epoch: 1, reason, by: None };
        let accepted = ServerFrame::LoginAccepted { call: 1, epoch: 1, conversations: None, terms: Terms::default() };
        let switched = || {
            story()
                .sends(PHONE, 3, ServerFrame::Kick { kick })
                .sends(PHONE, 3, accepted)
                .sends(PHONE, 3, ServerFrame::Expired { user: BOB.into(), epoch: 1 })
                .hears(PHONE, 3, ClientFrame::KickConfirmed { user: ALICE.into(), epoch: 1 })
        };
        closed(switched(), 14).holds();
        closed(switched(), 16).breaks("KICK-10");
    }

    /// CONN-5, KICK-10
    #[test]
    fn a_silent_peer_and_an_ended_session_are_seen() {
        let bound = || {
            story().sends(
                PHONE,
                3,
                ServerFrame::LoginAccepted { call: 1, epoch: 1, conversations: None, terms: Terms::default() },
            )
        };
        never_closed(bound(), 400).holds();
        never_closed(bound(), 401).breaks("CONN-5");
        never_closed(bound().at(300).hears(PHONE, 3, ClientFrame::Heartbeat), 600).holds();
        let over = || bound().sends(PHONE, 3, ServerFrame::Kick { kick: kick(ALICE, 1) });
        never_closed(over(), 15).holds();
        never_closed(over(), 16).breaks("KICK-10");
        let confirmed = |epoch| over().hears(PHONE, 3, ClientFrame::KickConfirmed { user: ALICE.into(), epoch });
        never_closed(confirmed(1), 5).breaks("KICK-10");
        never_closed(confirmed(2), 5).holds();
        // One that is closed after its time was not closed in time.
        closed(confirmed(1), 0).holds();
        closed(confirmed(1), 5).breaks("KICK-10");
        closed(confirmed(2), 5).holds();
    }
}
