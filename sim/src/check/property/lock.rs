//! Ten refused tickets lock a user's device out for a while, and nothing else does (TICKET-4).

use gatecrash::code::Code;
use gatecrash::time::Instant;

use super::contract::Property;
use super::report::Report;
use super::scene::Scene;
use crate::check::grown::grown;
use crate::scenario::rules::{RuleId, rule};
use crate::trace::{ClientFrame, DeviceIndex, Effect, Event, Refusal, ServerFrame, UserIndex, What};

const LOCK: RuleId = rule("TICKET-4");

#[derive(Default)]
pub(super) struct Locks {
    records: Vec<Record>,
    /// Whose ticket the server is about to judge for a login or renewal.
    asking: Option<Who>,
    /// The same for each connection, and when, for its answer: that may leave long after, where the server stood still.
    asked: Vec<Option<(Who, Instant)>>,
    /// How many strangers asked: each may have a record that nobody sees.
    strangers: usize,
}

/// A user on a device, under one of its ids.
type Who = (UserIndex, DeviceIndex, u16);

struct Record {
    who: Who,
    recent: Vec<Instant>,
    locked_until: Option<Instant>,
    /// A refusal came so near to the edge of the window that nobody can say whether it counted.
    is_unsure: bool,
}

impl Locks {
    fn record(&mut self, who: Who) -> &mut Record {
        let place = self.records.iter().position(|record| record.who == who).unwrap_or_else(|| {
            self.records.push(Record { who, recent: Vec::new(), locked_until: None, is_unsure: false });
            self.records.len() - 1
        });
        &mut self.records[place]
    }

    /// Whether records may have gone to make room: which, the model of the server knows.
    fn is_full(&self, scene: &Scene<'_>) -> bool {
        self.records.len() + self.strangers >= scene.allowance.server.records_max
    }

    fn asked(&mut self, connection: u32) -> &mut Option<(Who, Instant)> {
        let index = connection as usize;
        grown(&mut self.asked, index)
    }

    fn judged(&mut self, scene: &Scene<'_>, event: &Event, who: Who, refused: bool, report: &mut Report) {
        let (limits, slack) = (&scene.allowance.server, scene.allowance.slack);
        let is_full = self.is_full(scene);
        let record = self.record(who);
        record.is_unsure |= is_full;
        if !record.is_unsure && record.locked_until.is_some_and(|until| event.at + slack < until) {
            let (user, device, _) = who;
            let (user, device) = (scene.user(user), scene.device(device));
            report.event(LOCK, event, format!("a ticket of {user} was judged on {device}, which is locked out"));
        }
        if !refused {
            return;
        }
        let now = event.at;
        let is_near = |at: Instant| now < at + slack && at < now + slack;
        record.is_unsure |= record.recent.iter().any(|&earlier| is_near(earlier + limits.refusals_window));
        record.recent.retain(|&earlier| now < earlier + limits.refusals_window);
        record.recent.push(now);
        if record.recent.len() >= limits.refusals_max as usize {
            (record.recent, record.locked_until) = (Vec::new(), Some(now + limits.refusals_lock));
        }
    }
}

impl Property for Locks {
    sentence!(
        Always,
        "ten refused tickets within a minute lock their device out for one, and nothing else does",
        "TICKET-4"
    );
    watches!("server_received", "ticket_judged", "server_sent", "effect", "server_started");
    frames!("login", "renew", "resume", "login_refused", "renew_answer");

    fn observe(&mut self, scene: &Scene<'_>, event: &Event, report: &mut Report) {
        match event.what {
            What::ServerReceived { connection, peer: Some(peer), frame } => {
                self.asking = None;
                let (ClientFrame::Login { user, .. } | ClientFrame::Renew { user, .. }) = frame else { return };
                if peer == DeviceIndex::STRANGER {
                    self.strangers += 1;
                } else {
                    let who = (user, peer, scene.server.installation(connection));
                    self.asking = Some(who);
                    *self.asked(connection) = Some((who, event.at));
                }
            }
            What::TicketJudged { device, user, refused, .. } => {
                if let Some(who) = self.asking.take().filter(|who| (who.0, who.1) == (user, device)) {
                    self.judged(scene, event, who, refused.is_some(), report);
                }
            }
            What::ServerSent {
                connection,
                frame:
                    ServerFrame::LoginRefused { refused: Refusal::Code(Code::TooManyRefusals), .. }
                    | ServerFrame::RenewAnswer { refused: Some(Refusal::Code(Code::TooManyRefusals)), .. },
                ..
            } => {
                let Some((who, asked_at)) = *self.asked(connection) else { return };
                let (slack, is_full) = (scene.allowance.slack, self.is_full(scene));
                let record = self.record(who);
                record.is_unsure |= is_full;
                if !record.is_unsure && record.locked_until.is_none_or(|until| until + slack < asked_at) {
                    let (user, device) = (scene.user(who.0), scene.device(who.1));
                    report.event(LOCK, event, format!("{user} is refused as locked out on {device}, and is not"));
                }
            }
            // It is kept in memory only.
            What::Effect { effect: Effect::ServerDead } | What::ServerStarted { .. } => *self = Locks::default(),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::story::*;
    use super::*;
    use crate::trace::Seconds;

    /// A login whose ticket is judged, at this second.
    fn judged(story: Story, second: u64, refused: Option<Code>) -> Story {
        let login = login_frame(1, 1, TICKET);
        let (device, user) = (PHONE.into(), ALICE.into());
        let judged = What::TicketJudged { device, user, second: Seconds::new(START + second), refused };
        story.at(second).hears(PHONE, 0, login).server(judged)
    }

    fn refused(seconds: impl Iterator<Item = u64>) -> Story {
        seconds.fold(Story::of(Locks::default()), |story, second| judged(story, second, Some(Code::TicketExpired)))
    }

    fn locked(story: Story) -> Story {
        let refused = Refusal::Code(Code::TooManyRefusals);
        story.sends(PHONE, 0, ServerFrame::LoginRefused { call: 1, refused })
    }

    /// TICKET-4
    #[test]
    fn a_lock_that_comes_late_or_stays_is_seen() {
        judged(refused(0..9), 20, None).holds();
        judged(refused(0..10), 20, None).breaks("TICKET-4");
        judged(refused(0..10), 80, None).holds();
        // Nine of the ten are within the window.
        judged(refused((0..10).map(|one| one * 7)), 70, None).holds();
    }

    /// TICKET-4
    #[test]
    fn a_lock_without_a_reason_is_seen() {
        locked(refused(0..10).at(20)).holds();
        locked(refused(0..9).at(20)).breaks("TICKET-4");
        let asks = |second| refused(0..10).at(second).hears(PHONE, 0, login_frame(1, 1, TICKET));
        locked(asks(80)).breaks("TICKET-4");
        // The server stood still before it could say so.
        locked(asks(20).at(80)).holds();
        locked(refused(0..10).server(What::ServerStarted { commit: 0, wall: crate::trace::Micros::new(0) })).holds();
    }
}
