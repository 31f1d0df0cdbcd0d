//! What only time leads to: it comes when it is due, not before and not much later.

use std::time::Duration;

use gatecrash::protocol::Presence;
use gatecrash::store::EndReason;
use gatecrash::time::Instant;

use super::clock::is_past;
use super::difference::Difference;
use super::memory::Standing;
use super::records::{Id, Session, User};
use super::server::Server;
use crate::scenario::numbers;
use crate::scenario::rules::{RuleId, rule};
use crate::trace::{Cast, Fact, UserIndex};

const EXPIRY: RuleId = rule("TICKET-5");
const SILENCE: RuleId = rule("CONN-5");
const LAPSE: RuleId = rule("PRES-1");
const LET_GO: RuleId = rule("ATT-6");

impl Server {
    /// PRES-1
    pub(super) fn presence_at(&self, account: &User, wall: u64) -> Presence {
        let is_reachable = |session: &Session| {
            numbers::is_mobile(session.platform)
                && session.lost.is_some_and(|lost| !is_past(lost, self.limits.push_online, wall))
        };
        if account.sessions.iter().any(|session| session.lost.is_none()) {
            Presence::Online
        } else if account.sessions.iter().any(is_reachable) {
            Presence::PushOnline
        } else {
            Presence::Offline
        }
    }

    /// CONN-6
    pub(super) fn is_dormant(&self, session: &Session, wall: u64) -> bool {
        session.lost.is_some_and(|lost| is_past(lost, numbers::dormant_of(&self.limits, session.platform), wall))
    }

    /// Nothing came in, and the server has decided something all the same.
    pub(super) fn by_time(&mut self, cast: &Cast) -> Option<Difference> {
        let given = self.step.given.clone();
        for fact in &given {
            match *fact {
                Fact::SessionEnded { user, device, installation, epoch, reason: EndReason::Expired, .. } => {
                    return self.expired(cast, user, (device, installation), epoch);
                }
                Fact::LinkLost { user, device, epoch, .. } => {
                    let place = |(id, connection): (&Id, &u32)| (id.0 == device).then_some((*id, *connection));
                    let carries = self.memory.carries.iter().filter_map(place);
                    let mut carries = carries
                        .filter(|(_, connection)| self.memory.standing(*connection) == Standing::Carries(user, epoch));
                    let (id, connection) = carries.next()?;
                    return self.fell_silent(cast, id, connection);
                }
                _ => {}
            }
        }
        if let Some(&Fact::DeviceForgotten { user, .. }) = given.first()
            && given.iter().all(|fact| matches!(fact, Fact::DeviceForgotten { .. }))
        {
            self.let_go(user);
            return None;
        }
        // The seven days of one of the user's sessions have passed.
        let mut others = given.iter().filter(|fact| !matches!(fact, Fact::DeviceForgotten { .. }));
        let (Some(&Fact::PresenceChanged { user, .. }), None) = (others.next(), others.next()) else { return None };
        let (wall, span) = (self.step.wall.0, self.limits.push_online);
        let account = self.records.users.get_mut(&user)?;
        let session = account.sessions.iter_mut().find(|session| {
            numbers::is_mobile(session.platform)
                && !session.lapsed
                && session.lost.is_some_and(|lost| is_past(lost, span, wall))
        })?;
        session.lapsed = true;
        let since = session.lost.unwrap_or(wall);
        let late = self.is_late(since, span);
        self.touch(user);
        self.tell_presence();
        let name = cast.user_name(user);
        late.then(|| Difference {
            rule: LAPSE,
            text: format!("{name}'s presence was told long after the seven days of a session"),
            missing: Some("presence_changed"),
        })
    }

    /// ATT-6: a user's devices without a session go when that is long ago, and when there are too many.
    pub(super) fn let_go(&mut self, user: UserIndex) {
        let given = self.step.given.clone();
        for fact in &given {
            if let Fact::DeviceForgotten { user: of, device, installation } = *fact
                && of == user
                && self.may_go(user, (device, installation))
            {
                self.forget_device(user, (device, installation));
            }
        }
        while let Some(id) = self.must_go(user) {
            self.forget_device(user, id);
        }
    }

    fn forget_device(&mut self, user: UserIndex, id: Id) {
        if let Some(device) = self.records.devices.get(&id) {
            self.memory.attempts.note(id, device.attempt);
        }
        self.fact(LET_GO, Fact::DeviceForgotten { user, device: id.0, installation: id.1 });
    }

    /// Those of the user's devices that hold no session, with when the ticket of their last one was over.
    fn away(&self, user: UserIndex) -> Vec<(u64, Id)> {
        let of_user = self.records.devices.iter().filter(|(_, device)| device.keeper == Some(user));
        let away = of_user.filter(|(_, device)| device.holds.is_none());
        away.map(|(id, device)| (device.until.saturating_add(1).saturating_mul(1_000_000), *id)).collect()
    }

    fn may_go(&self, user: UserIndex, id: Id) -> bool {
        let away = self.away(user);
        let Some(&(over_at, _)) = away.iter().find(|(_, other)| *other == id) else { return false };
        let is_first = away.iter().all(|(other, _)| over_at <= *other);
        let are_many = away.len() > self.limits.remembered_max;
        is_past(over_at, self.limits.remembered, self.step.wall.1) || is_first && are_many
    }

    fn must_go(&self, user: UserIndex) -> Option<Id> {
        let away = self.away(user);
        let (over_at, id) = away.iter().min()?;
        let is_over = self.is_late(*over_at, self.limits.remembered);
        (is_over || away.len() > self.limits.remembered_max).then_some(*id)
    }

    /// TICKET-5: the session ends with its ticket.
    fn expired(&mut self, cast: &Cast, user: UserIndex, id: Id, epoch: u32) -> Option<Difference> {
        let session = *self.records.session(user, id)?;
        let ends_at = session.until.saturating_add(1).saturating_mul(1_000_000);
        let is_early = self.step.wall.0 < ends_at;
        let is_late = self.is_late(ends_at, Duration::ZERO);
        let installation = id.1;
        let (reason, by, device) = (EndReason::Expired, None, id.0);
        self.fact(EXPIRY, Fact::SessionEnded { user, device, installation, epoch, reason, by });
        self.touch(user);
        self.push_end(user, id);
        self.tell_presence();
        if is_early || is_late {
            let when = if is_early { "before" } else { "long after" };
            let who = format!("{} on {}", cast.user_name(user), cast.device_name(device));
            return Difference::of(EXPIRY, format!("the session of {who} expired {when} its ticket did"));
        }
        None
    }

    /// CONN-5: nothing was heard on the connection for too long.
    fn fell_silent(&mut self, cast: &Cast, id: Id, connection: u32) -> Option<Difference> {
        let link = self.memory.connections.get(&connection)?;
        let (_, platform) = link.peer?;
        let due = (link.last_heard + numbers::silence_of(&self.limits, platform)).max(self.reads_until);
        let now = self.step.now;
        self.close(SILENCE, connection);
        self.tell_presence();
        let device = cast.device_name(id.0);
        if now < due {
            return Difference::of(SILENCE, format!("{device} lost its link and was not silent for so long"));
        }
        if now > due.max(self.woken_at) + self.tolerance.slack {
            return Difference::of(SILENCE, format!("{device} was silent for longer than a link may be"));
        }
        None
    }

    /// TICKET-5: whose ticket ran out while the server stood still has no session any more when that hears anything.
    pub(super) fn outlived_standstill(&mut self, cast: &Cast) -> Option<Difference> {
        let wall = self.stood_still.take()?;
        let is_over = |session: &&Session| session.until.saturating_add(1).saturating_mul(1_000_000) <= wall;
        let (user, session) = self
            .records
            .users
            .iter()
            .find_map(|(user, account)| account.sessions.iter().find(is_over).map(|session| (*user, session)))?;
        let who = format!("{} on {}", cast.user_name(user), cast.device_name(session.id.0));
        Difference::lacks(
            EXPIRY,
            "session_ended",
            format!("the session of {who} goes on, and its ticket ran out while the server stood still"),
        )
    }

    /// Whether this is long past on the wall, and was not a moment ago.
    fn is_late(&self, since: u64, span: Duration) -> bool {
        let tolerance = Duration::from_secs(1) + self.tolerance.slack;
        is_past(since, span + tolerance, self.step.wall.0) && self.step.now - self.clock.set_at > tolerance
    }

    /// The session goes on, or ends for another reason: its ticket must not be over long since.
    pub(super) fn must_live(&mut self, user: UserIndex, session: &Session) {
        let ends_at = session.until.saturating_add(1).saturating_mul(1_000_000);
        if self.is_late(ends_at, Duration::ZERO) {
            let (device, installation) = session.id;
            let (epoch, reason, by) = (session.epoch, EndReason::Expired, None);
            self.fact(EXPIRY, Fact::SessionEnded { user, device, installation, epoch, reason, by });
        }
    }

    /// The run is over: what should have come long since?
    pub(super) fn overdue_at_the_end(&mut self, cast: &Cast, at: Instant) -> Option<Difference> {
        (self.step.now, self.step.wall) = (at, self.clock.at(at));
        for (&user, account) in &self.records.users {
            for session in &account.sessions {
                let who = || format!("{} on {}", cast.user_name(user), cast.device_name(session.id.0));
                let ends_at = session.until.saturating_add(1).saturating_mul(1_000_000);
                if self.is_late(ends_at, Duration::ZERO) {
                    let text = format!("the session of {} has outlived its ticket", who());
                    return Difference::lacks(EXPIRY, "session_ended", text);
                }
                let has_lapsed = numbers::is_mobile(session.platform) && !session.lapsed;
                if has_lapsed && session.lost.is_some_and(|lost| self.is_late(lost, self.limits.push_online)) {
                    let text = format!("the seven days of {} passed untold", who());
                    return Difference::lacks(LAPSE, "presence_changed", text);
                }
            }
        }
        if let Some((user, id)) = self.records.users.keys().find_map(|&user| Some((user, self.must_go(user)?))) {
            let who = format!("{}, on which {} was", cast.device_name(id.0), cast.user_name(user));
            return Difference::lacks(LET_GO, "device_forgotten", format!("{who}, is remembered for too long"));
        }
        for (id, connection) in &self.memory.carries {
            let Some(link) = self.memory.connections.get(connection) else { continue };
            let Some((_, platform)) = link.peer else { continue };
            let due = (link.last_heard + numbers::silence_of(&self.limits, platform))
                .max(self.reads_until)
                .max(self.woken_at);
            if at > due + self.tolerance.slack {
                let device = cast.device_name(id.0);
                let text = format!("{device} is silent for longer than a link may be");
                return Difference::lacks(SILENCE, "link_lost", text);
            }
        }
        None
    }
}
