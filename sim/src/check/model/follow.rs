//! The reference server follows a run: takes what came in, and holds what went out against what should have.
//!
//! What came in waits until the next event of the server, which tells the time on its wall clock and
//! the numbers it gave. What a kind of input leads to is in files of its own.

use gatecrash::code::Code;
use gatecrash::protocol::FrameError;
use gatecrash::time::Instant;

use super::compare::difference;
use super::difference::Difference;
use super::memory::{Connection, Memory, Standing};
use super::server::{Config, Input, Server};
use crate::scenario::numbers::CATCH_UP;
use crate::scenario::rules::{RuleId, rule};
use crate::trace::{
    Actor, Cast, ClientFrame, DeviceIndex, Effect, Event, Fact, Fault, List, ServerFrame, UserIndex, What,
};

const LOCK: RuleId = rule("TICKET-4");
const ORDER: RuleId = rule("TICKET-3");
const UNDER_WAY: RuleId = rule("API-7");
const CLOSED: RuleId = rule("KICK-10");

impl Server {
    /// One more event, not of a decision.
    pub(crate) fn observe(&mut self, cast: &Cast, event: &Event) -> Option<Difference> {
        if !self.follows {
            return None;
        }
        let found = self.event(cast, event);
        self.follows = found.is_none();
        found
    }

    /// The server decided these facts at this time of its wall clock.
    pub(crate) fn decided(
        &mut self,
        cast: &Cast,
        (commit, at, wall): (u32, Instant, u64),
        facts: &[Fact],
    ) -> Option<Difference> {
        if !self.follows || !self.is_up {
            return None;
        }
        let found = self.never_told_why().or_else(|| self.decision(cast, (commit, at, wall), facts));
        self.follows = found.is_none();
        found
    }

    /// The run is over.
    pub(crate) fn finish(&mut self, cast: &Cast, at: Instant) -> Option<Difference> {
        if !self.follows {
            return None;
        }
        let found = self.take_waiting(cast, None).or_else(|| self.never_told_why());
        found.or_else(|| if self.is_up { self.overdue_at_the_end(cast, at) } else { None })
    }

    fn event(&mut self, cast: &Cast, event: &Event) -> Option<Difference> {
        if let What::TicketJudged { device, user, second, refused } = event.what {
            let found = self.take_waiting(cast, Some(second.get() * 1_000_000));
            if found.is_none() && self.turned_away.is_none() {
                return self.judged(cast, device, user, refused);
            }
            return found.or_else(|| self.why_turned_away(cast, event));
        }
        let found = self.take_waiting(cast, None).or_else(|| self.why_turned_away(cast, event));
        if found.is_some() || self.turned_away.is_some() {
            return found;
        }
        if event.actor != Actor::Server {
            return self.world(cast, event);
        }
        match event.what {
            What::ServerSent { peer: Some(DeviceIndex::STRANGER), .. } => return None,
            What::ServerSent { connection, frame, .. } => {
                let found = self.outbox.sent(cast, connection, &frame);
                // Said to nobody, a message still counts as under way.
                let is_lost =
                    matches!(frame, ServerFrame::Message { .. }) && !self.memory.connections.contains_key(&connection);
                return found.map(|found| if is_lost { Difference { rule: UNDER_WAY, ..found } } else { found });
            }
            What::CloseAsked { connection, peer } => return self.closed(cast, event.at, connection, peer),
            What::Gone { connection, .. } => {
                self.outbox.gone(connection);
                self.waiting = Some((event.at, Input::Gone(connection)));
                return None;
            }
            What::StoreFailed => {
                (self.is_up, self.has_failed) = (false, true);
                self.outbox.store_failed();
                return None;
            }
            What::ServerStarted { commit, wall } => {
                let unanswered = self.outbox.overdue(cast, 0);
                self.outbox.clear();
                self.clock.set(event.at, wall.get());
                self.records = self.journal.started(commit);
                self.stood_still = None;
                self.memory = Memory::new(self.limits.records_max);
                (self.is_up, self.has_failed, self.is_cut_off) = (true, false, false);
                self.version = self.next_version;
                self.waiting = Some((event.at, Input::Started));
                return unanswered;
            }
            _ => {}
        }
        // One thing follows another: what the one before led to is out, unless it waits for the disk.
        let overdue = self.outbox.overdue(cast, self.journal.committed);
        match event.what {
            What::Committed { commit } => self.journal.committed(commit),
            What::Configured { seats, reconnect_kicks, notify_offline_kick, administrators } => {
                let administrators = match administrators.map(|list| cast.list(list)) {
                    Some(List::Users(users)) => users.clone(),
                    Some(List::Devices(_) | List::Conversations(_) | List::Report(_)) | None => Vec::new(),
                };
                self.config = Some(Config { seats, reconnect_kicks, notify_offline_kick, administrators });
            }
            What::ClockChanged { wall } => self.clock.set(event.at, wall.get()),
            What::StoodStill { wall } => {
                self.clock.set(event.at, wall.get());
                (self.reads_until, self.stood_still) = (event.at + CATCH_UP, Some(wall.get()));
            }
            What::Stopping => self.stop(event.at),
            What::Opened { connection } => {
                let (peer, standing, linger) = (None, Standing::Fresh, None);
                let admission = Some(event.at + self.limits.admission);
                let (last_heard, is_stranger) = (event.at, false);
                let (delivered, in_flight) = (0, Vec::new());
                let opened =
                    Connection { peer, is_stranger, standing, last_heard, admission, linger, delivered, in_flight };
                self.memory.connections.insert(connection, opened);
            }
            What::ServerReceived { connection, peer, frame } => {
                if let Some(found) = self.outlived_standstill(cast) {
                    return Some(found);
                }
                self.waiting = Some((event.at, Input::Frame(connection, peer, frame)));
            }
            What::Malformed { connection, why, .. } => {
                self.waiting = Some((event.at, Input::Malformed(connection, why)));
            }
            _ => {}
        }
        overdue
    }

    fn world(&mut self, cast: &Cast, event: &Event) -> Option<Difference> {
        match event.what {
            What::TicketMade { ticket, user, .. } => self.tickets.made(cast, ticket, user),
            What::Fault { fault: Fault::UpgradeServer { version } } => self.next_version = version,
            What::Fault { fault: Fault::CrashServer | Fault::BounceServer { .. } | Fault::PowerLossServer } => {
                self.is_cut_off = true
            }
            // That may hit any of those that run later.
            What::Fault { fault: Fault::PowerLossAt { .. } | Fault::PowerLossInDisk { .. } } => {
                self.may_lose_power = true;
            }
            What::OldKeyDropped => self.tickets.old_key_dropped(event.at),
            What::Effect { effect: Effect::ClockMoved { device: None } } => self.clock.moved(),
            What::Effect { effect: Effect::ServerWoken } => {
                (self.woken_at, self.clock.set_at) = (event.at, event.at);
            }
            What::Effect { effect: Effect::ServerDead } => {
                // One that was told to stop has said what it could (STOP-1); one that dies has not.
                let stops = !std::mem::replace(&mut self.is_up, false) && !self.has_failed;
                let unsaid = if stops { self.outbox.overdue(cast, self.journal.committed) } else { None };
                self.outbox.clear();
                return unsaid.or_else(|| {
                    self.journal.unwritten().filter(|_| stops && !self.is_cut_off && !self.may_lose_power)
                });
            }
            _ => {}
        }
        None
    }

    /// Takes what came in before. The server has decided nothing because of it.
    fn take_waiting(&mut self, cast: &Cast, wall: Option<u64>) -> Option<Difference> {
        let (at, input) = self.waiting.take()?;
        let wall = wall.map_or_else(|| self.clock.at(at), |wall| (wall, wall));
        self.begin((at, wall), &[]);
        self.take(cast, input);
        let found = difference(cast, &self.step.wanted, &[]);
        self.by_admission(cast, &[], found)
    }

    fn decision(&mut self, cast: &Cast, (commit, at, wall): (u32, Instant, u64), facts: &[Fact]) -> Option<Difference> {
        if self.waiting.is_some_and(|(came_at, _)| came_at != at)
            && let Some(found) = self.take_waiting(cast, None)
        {
            return Some(found);
        }
        self.clock.seen(at, wall);
        let mut is_caused = false;
        let mut refused = None;
        if let Some((_, input)) = self.waiting.take() {
            self.begin((at, (wall, wall)), facts);
            self.step.reveals = commit;
            self.take(cast, input);
            is_caused = !self.step.wanted.is_empty();
            refused = Some((self.step.from, self.step.on, self.step.turned_away));
        }
        if !is_caused {
            self.begin((at, (wall, wall)), facts);
            self.step.reveals = commit;
            if let Some(found) = self.by_time(cast) {
                return Some(found);
            }
        }
        let found = difference(cast, &self.step.wanted, facts);
        if let (Some(refused), Some(_), []) = (refused, &found, &self.step.wanted[..]) {
            // Nor did time want it: so it is of what came in, and that may have been refused.
            (self.step.from, self.step.on, self.step.turned_away) = refused;
        }
        let found = self.by_admission(cast, facts, found);
        self.journal.decided(commit, self.step.from, facts.to_vec());
        found
    }

    fn take(&mut self, cast: &Cast, input: Input) {
        match input {
            Input::Started => self.started(),
            Input::Frame(connection, peer, frame) => self.frame(cast, connection, peer, &frame),
            Input::Malformed(connection, why) => self.refuse_frame(connection, why),
            Input::Gone(connection) => self.forget(connection),
        }
        self.tell_presence();
    }

    fn frame(&mut self, cast: &Cast, connection: u32, peer: Option<DeviceIndex>, frame: &ClientFrame) {
        let (now, spoken) = (self.step.now, self.version);
        let Some(link) = self.memory.connections.get_mut(&connection) else { return };
        link.last_heard = now;
        link.is_stranger |= peer == Some(DeviceIndex::STRANGER);
        let Some((id, platform)) = link.peer else {
            return match *frame {
                ClientFrame::Hello { version, platform, installation } if version == spoken => {
                    let peer = peer.unwrap_or(DeviceIndex::STRANGER);
                    link.peer = Some(((peer, installation), platform));
                }
                ClientFrame::Hello { .. } => self.refuse_frame(connection, FrameError::Version),
                _ => self.refuse_frame(connection, FrameError::OutOfPlace),
            };
        };
        (self.step.from, self.step.on) = (Some(id), Some(connection));
        let is_resume = matches!(frame, ClientFrame::Resume { .. });
        if (is_resume || matches!(frame, ClientFrame::Login { .. }))
            && self.turns_away(connection, Some(id).filter(|_| is_resume))
        {
            return;
        }
        match *frame {
            ClientFrame::Hello { .. } => self.refuse_frame(connection, FrameError::OutOfPlace),
            ClientFrame::Login { call, attempt, user, ticket, known_ended } => {
                self.login(cast, (connection, id, platform), (call, attempt, user, ticket), known_ended);
            }
            ClientFrame::Resume { attempt, user, epoch, ticket, received } => {
                self.resume(cast, (connection, id, platform), (attempt, user, epoch, ticket), received);
                self.deliver(user, id);
            }
            ClientFrame::Renew { call, attempt, user, epoch, ticket } => {
                self.renew(cast, (connection, id), (call, attempt, user, epoch, ticket));
            }
            ClientFrame::Logout { call, attempt } => self.logout(connection, id, call, attempt),
            ClientFrame::LoginAcknowledged { user, epoch } => self.acknowledged(id, user, epoch),
            ClientFrame::KickConfirmed { user, epoch } => self.confirmed(connection, id, user, epoch),
            ClientFrame::Heartbeat => self.heartbeat(connection, id),
            ClientFrame::Send { call, to, text, id: name } => {
                self.message(cast, (connection, id), call, (to, text, name));
            }
            ClientFrame::AdminKick { call, user } => self.admin_kick(cast, connection, call, user),
            ClientFrame::Query { call, users } => self.query(cast, connection, call, users),
            ClientFrame::MessagesReceived { user, epoch, through } => {
                self.messages_received(connection, id, (user, epoch), through);
            }
        }
    }

    /// A ticket was judged: of this user, on this device, behind the lock of TICKET-4.
    pub(super) fn judged(
        &mut self,
        cast: &Cast,
        device: DeviceIndex,
        user: UserIndex,
        refused: Option<Code>,
    ) -> Option<Difference> {
        if device == DeviceIndex::STRANGER {
            return None;
        }
        let who = || format!("{}'s ticket on {}", cast.user_name(user), cast.device_name(device));
        match self.step.judged.take() {
            Some((on, of, worth)) if (on, of) == (device, user) => {
                if worth.allows(refused) {
                    return None;
                }
                let said = refused.map_or("accepted".to_owned(), |code| format!("refused with {}", code.number()));
                Difference::of(ORDER, format!("{} was {said}, which it is not worth: {worth:?}", who()))
            }
            _ => match self.step.turned_away {
                Some((rule, why)) => Difference::of(rule, format!("{} was judged, although {why}", who())),
                None => Difference::of(LOCK, format!("{} was judged, and nobody brought it or it is locked", who())),
            },
        }
    }

    /// The server closed a connection: because it meant to, or because time was up.
    fn closed(&mut self, cast: &Cast, at: Instant, connection: u32, peer: Option<DeviceIndex>) -> Option<Difference> {
        match self.outbox.closed(cast, connection) {
            Ok(true) => return None,
            Ok(false) => {}
            Err(found) => return Some(found),
        }
        let is_due = |due: Option<Instant>| due.is_some_and(|due| due <= at);
        let link = self.memory.connections.get(&connection)?;
        let is_idle = !matches!(link.standing, Standing::Carries(..));
        let is_over = is_idle && (is_due(link.admission) || is_due(link.linger));
        let may = is_over || self.outbox.is_free_to_close(connection);
        self.outbox.gone(connection);
        self.forget(connection);
        if may || peer == Some(DeviceIndex::STRANGER) {
            return None;
        }
        Difference::of(CLOSED, format!("the server closed connection {connection}, which nothing led to"))
    }
}
