//! Connections and the sessions they carry (CONN-7, KICK-10).

use std::cmp::Ordering;
use std::time::Duration;

use gatecrash::limits::ServerLimits;
use gatecrash::protocol::{Closing, KickReason};
use gatecrash::store::EndReason;
use gatecrash::time::Instant;

use super::memory::{Memory, Standing};
use super::outbox::Answer;
use super::records::{Ended, Id};
use super::server::Server;
use crate::scenario::numbers;
use crate::scenario::rules::{RuleId, rule};
use crate::trace::{DeviceIndex, Fact, Kick, Micros, ServerFrame, Terms, UserIndex};

const LOST: RuleId = rule("CONN-1");
const ONE: RuleId = rule("CONN-7");
const TOLD: RuleId = rule("KICK-10");

/// The frame that tells a device of its session's end.
fn end(ended: &Ended) -> ServerFrame {
    let Ended { user, epoch, by, reason, .. } = *ended;
    match numbers::kick_for(reason) {
        Some(reason) => ServerFrame::Kick { kick: Kick { user, epoch, reason, by } },
        None => ServerFrame::Expired { user, epoch },
    }
}

impl Server {
    /// The server closes the connection, if it still has it.
    pub(super) fn close(&mut self, rule: RuleId, connection: u32) {
        let Some(link) = self.memory.connections.get(&connection) else { return };
        if !link.is_stranger {
            self.outbox.close(rule, connection, self.reveals());
        }
        self.forget(connection);
    }

    /// The connection is gone. A session that it carried has lost its link.
    pub(super) fn forget(&mut self, connection: u32) {
        let Some(link) = self.memory.connections.remove(&connection) else { return };
        let Some((id, _)) = link.peer else { return };
        if self.memory.newest.get(&id) == Some(&connection) {
            self.memory.newest.remove(&id);
        }
        if let Standing::Carries(user, epoch) = link.standing
            && self.memory.carries.get(&id) == Some(&connection)
        {
            self.memory.carries.remove(&id);
            self.lose_link(LOST, user, id, epoch);
        }
    }

    /// The session lives on without a connection (CONN-1, CONN-6).
    pub(super) fn lose_link(&mut self, rule: RuleId, user: UserIndex, id: Id, epoch: u32) {
        let wall = Micros::new(self.step.wall.0);
        self.fact(rule, Fact::LinkLost { user, device: id.0, epoch, wall });
        self.touch(user);
    }

    /// The connection carries the session from now on; another one of the device is closed.
    pub(super) fn carry(&mut self, connection: u32, id: Id, user: UserIndex, epoch: u32) {
        let before = self.memory.carries.insert(id, connection);
        if let Some(before) = before.filter(|&before| before != connection) {
            self.close(ONE, before);
        }
        if let Some(link) = self.memory.connections.get_mut(&connection) {
            link.standing = Standing::Carries(user, epoch);
            link.delivered = 0;
            link.in_flight.clear();
            (link.admission, link.linger) = (None, None);
        }
    }

    /// CONN-2: over how long so many devices come back.
    pub(super) fn terms(&self) -> Terms {
        let ServerLimits { returns_per_second, return_spread_min, return_spread_max, heartbeat, .. } = &self.limits;
        let spread = Duration::from_secs(self.memory.carries.len() as u64) / *returns_per_second;
        let heartbeat = heartbeat.map_or(0, |heartbeat| heartbeat.as_millis() as u32);
        Terms { return_spread: spread.max(*return_spread_min).min(*return_spread_max).into(), heartbeat }
    }

    /// STOP-1, CONN-2: everybody is told when to come back, and let go. No session changes by that (DUR-4).
    pub(super) fn stop(&mut self, at: Instant) {
        let (after, spread) = (self.limits.return_after.into(), self.terms().return_spread);
        let closing = ServerFrame::Closing { why: Closing::Stopping, after, spread };
        let decided = self.decided_last();
        for (connection, link) in std::mem::take(&mut self.memory.connections) {
            if !link.is_stranger {
                // Whose session ended and who was let go for it hears of that end and of nothing else (KICK-10).
                // One that has just gone on has not looked yet.
                let over =
                    link.linger.filter(|_| at != self.woken_at).map(|until| at.cmp(&until.max(self.reads_until)));
                // Who has not logged in in time may have been let go (INPUT-2), and that wait for the disk.
                let is_idle = !matches!(link.standing, Standing::Carries(..));
                let is_late = is_idle && link.admission.is_some_and(|until| until <= at);
                match over {
                    Some(Ordering::Greater) => {}
                    Some(Ordering::Equal) => self.say_if_any(connection, decided, closing),
                    Some(Ordering::Less) | None if is_late => self.say_if_any(connection, decided, closing),
                    Some(Ordering::Less) | None => {
                        self.outbox.say(const { rule("CONN-2") }, connection, decided, Answer::This(closing));
                    }
                }
                self.outbox.close(const { rule("STOP-1") }, connection, decided);
            }
        }
        self.memory = Memory::new(self.limits.records_max);
        self.is_up = false;
    }

    fn say_if_any(&mut self, connection: u32, decided: u32, closing: ServerFrame) {
        self.outbox.say(const { rule("CONN-2") }, connection, decided, Answer::Perhaps(closing));
    }

    /// The device ended its session itself, on `connection`. Nothing is told.
    pub(super) fn end_own(&mut self, rule: RuleId, (user, id): (UserIndex, Id), reason: EndReason, connection: u32) {
        let Some(&session) = self.records.session(user, id) else { return };
        self.must_live(user, &session);
        let ((device, installation), epoch, by) = (id, session.epoch, None);
        self.fact(rule, Fact::SessionEnded { user, device, installation, epoch, reason, by });
        self.touch(user);
        match self.memory.carries.remove(&id) {
            Some(other) if other != connection => self.close(ONE, other),
            Some(_) => self.refresh(connection),
            None => {}
        }
    }

    /// Nobody is logged in on the connection any more, as on a new one.
    pub(super) fn refresh(&mut self, connection: u32) {
        let admission = self.step.now + self.limits.admission;
        if let Some(link) = self.memory.connections.get_mut(&connection) {
            link.standing = Standing::Fresh;
            link.linger = None;
            // INPUT-2: who was never admitted gains no time.
            link.admission = Some(link.admission.map_or(admission, |earlier| earlier.min(admission)));
        }
    }

    /// The session was ended for its device, which is told where it is connected.
    pub(super) fn end_for(
        &mut self,
        rule: RuleId,
        (user, id): (UserIndex, Id),
        reason: EndReason,
        by: Option<DeviceIndex>,
    ) {
        let Some(&session) = self.records.session(user, id) else { return };
        self.must_live(user, &session);
        let ((device, installation), epoch) = (id, session.epoch);
        self.fact(rule, Fact::SessionEnded { user, device, installation, epoch, reason, by });
        self.touch(user).push(device);
        self.push_end(user, id);
    }

    /// Tells a connected device of the end; its connection carries nothing else from here on.
    pub(super) fn push_end(&mut self, user: UserIndex, id: Id) {
        let Some(connection) = self.memory.carries.remove(&id) else { return };
        let Some(ended) = self.records.ended(id).copied() else { return };
        self.say(TOLD, connection, Answer::This(end(&ended)));
        self.over(connection, user, ended.epoch);
    }

    /// The connection waits for the confirmation of this session's end.
    pub(super) fn over(&mut self, connection: u32, user: UserIndex, epoch: u32) {
        let until = self.step.now + self.limits.kick_linger;
        if let Some(link) = self.memory.connections.get_mut(&connection) {
            link.standing = Standing::Over(user, epoch);
            // Asking again gains no time.
            link.linger = Some(link.linger.map_or(until, |earlier| earlier.min(until)));
        }
    }

    /// KICK-3: a heartbeat on the connection of an ended session is answered with the end.
    pub(super) fn heartbeat(&mut self, connection: u32, id: Id) {
        let Standing::Over(user, epoch) = self.memory.standing(connection) else {
            return self.say(const { rule("CONN-5") }, connection, Answer::This(ServerFrame::HeartbeatAnswer));
        };
        let gone = ServerFrame::Kick { kick: Kick { user, epoch, reason: KickReason::Gone, by: None } };
        let known = self.records.ended(id).filter(|ended| ended.names(user, epoch));
        let frame = known.map_or(gone, end);
        self.say(const { rule("KICK-3") }, connection, Answer::This(frame));
    }

    /// KICK-3: the device has noted the end.
    pub(super) fn confirmed(&mut self, connection: u32, id: Id, user: UserIndex, epoch: u32) {
        self.settle(id, user, epoch);
        if self.memory.standing(connection) == Standing::Over(user, epoch) {
            self.close(TOLD, connection);
        }
    }

    /// KICK-2: strikes off the kick that names this session, if it is owed.
    pub(super) fn settle(&mut self, id: Id, user: UserIndex, epoch: u32) {
        if self.records.ended(id).is_some_and(|ended| ended.names(user, epoch) && ended.owed) {
            self.fact(const { rule("KICK-3") }, Fact::KickSettled { user, device: id.0, epoch });
        }
    }

    /// KICK-7: the device has the login's answer.
    pub(super) fn acknowledged(&mut self, id: Id, user: UserIndex, epoch: u32) {
        let live = self.records.session(user, id).filter(|session| session.epoch == epoch);
        let ended = self.records.ended(id).filter(|ended| ended.names(user, epoch));
        let was = live.map(|session| session.acknowledged).or(ended.map(|ended| ended.acknowledged));
        if was == Some(false) {
            self.fact(const { rule("KICK-7") }, Fact::LoginAcknowledged { user, device: id.0, epoch });
        }
    }
}
