//! The reference server: takes what came in, and holds what went out against what should have.
//!
//! What came in waits until the next event of the server, which tells the time on its wall clock and
//! the numbers it gave. What a kind of input leads to is in files of its own.

use std::collections::{BTreeMap, BTreeSet};

use gatecrash::limits::ServerLimits;
use gatecrash::policy::Seats;
use gatecrash::protocol::{FrameError, VERSION};
use gatecrash::time::Instant;

use super::Difference;
use super::compare::{Wanted, difference};
use super::journal::Journal;
use super::memory::{Connection, Memory, Standing};
use super::outbox::{Answer, CLOSED, Outbox};
use super::records::{Id, Records};
use super::tickets::{Tickets, Worth};
use super::time::{Clock, Tolerance};
use crate::scenario::Scenario;
use crate::scenario::rules::{RuleId, rule};
use crate::trace::{Actor, Cast, ClientFrame, DeviceIndex, Effect, Event, Fact, List, ServerFrame, UserIndex, What};

const INPUT: RuleId = rule("INPUT-1");
const LOCK: RuleId = rule("TICKET-4");
const ORDER: RuleId = rule("TICKET-3");
const PRESENCE: RuleId = rule("PRES-1");

/// The reference server of one run.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    pub(super) limits: ServerLimits,
    pub(super) tolerance: Tolerance,
    pub(super) config: Option<Config>,
    pub(super) tickets: Tickets,
    pub(super) clock: Clock,
    pub(super) records: Records,
    journal: Journal,
    /// The highest epoch ever given to each user, also by a decision that a crash took back (DUR-3).
    pub(super) epochs: BTreeMap<UserIndex, u32>,
    pub(super) memory: Memory,
    pub(super) outbox: Outbox,
    waiting: Option<(Instant, Input)>,
    pub(super) step: Step,
    is_up: bool,
    /// Whether it still follows the trace.
    follows: bool,
}

/// The configuration in force.
#[derive(Clone, Debug)]
pub(super) struct Config {
    pub(super) seats: Seats,
    pub(super) reconnect_kicks: bool,
    pub(super) notify_offline_kick: bool,
    pub(super) administrators: Vec<UserIndex>,
}

/// What came in.
#[derive(Clone, Copy, Debug)]
enum Input {
    Started,
    Frame(u32, Option<DeviceIndex>, ClientFrame),
    Malformed(u32, FrameError),
    Gone(u32),
}

/// What one input leads to.
#[derive(Clone, Debug, Default)]
pub(super) struct Step {
    pub(super) now: Instant,
    /// The server's wall clock, in microseconds since 1970: between these two.
    pub(super) wall: (u64, u64),
    /// Who sent it.
    pub(super) from: Option<Id>,
    pub(super) wanted: Vec<Wanted>,
    /// Whose sessions it touched, with the devices it kicked.
    touched: BTreeMap<UserIndex, Vec<DeviceIndex>>,
    /// The ticket it has judged, and what may be said of it.
    pub(super) judged: Option<(DeviceIndex, UserIndex, Worth)>,
    /// What the server made of it: the numbers it gave, and what it decided where the model cannot.
    pub(super) given: Vec<Fact>,
    /// The change that what is said now reveals.
    reveals: u32,
}

impl Server {
    pub(crate) fn new(scenario: &Scenario, limits: ServerLimits, tolerance: Tolerance) -> Self {
        Server {
            limits,
            config: None,
            tickets: Tickets::new(scenario, tolerance.lag),
            clock: Clock::new(scenario),
            tolerance,
            records: Records::default(),
            journal: Journal::default(),
            epochs: BTreeMap::new(),
            memory: Memory::default(),
            outbox: Outbox::default(),
            waiting: None,
            step: Step::default(),
            is_up: false,
            follows: true,
        }
    }

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
        let found = self.decision(cast, (commit, at, wall), facts);
        self.follows = found.is_none();
        found
    }

    /// The run is over.
    pub(crate) fn finish(&mut self, cast: &Cast, at: Instant) -> Option<Difference> {
        if !self.follows {
            return None;
        }
        self.take_waiting(cast, None).or_else(|| if self.is_up { self.overdue_at_the_end(cast, at) } else { None })
    }

    fn event(&mut self, cast: &Cast, event: &Event) -> Option<Difference> {
        if let What::TicketJudged { device, user, second, refused } = event.what {
            let found = self.take_waiting(cast, Some(second.get() * 1_000_000));
            return found.or_else(|| self.judged(cast, device, user, refused));
        }
        let found = self.take_waiting(cast, None);
        if found.is_some() {
            return found;
        }
        if event.actor != Actor::Server {
            self.world(cast, event);
            return None;
        }
        match event.what {
            What::ServerSent { peer: Some(DeviceIndex::STRANGER), .. } => return None,
            What::ServerSent { connection, frame, .. } => return self.outbox.sent(cast, connection, &frame),
            What::CloseAsked { connection, peer } => return self.closed(cast, event.at, connection, peer),
            What::Gone { connection, .. } => {
                self.outbox.gone(connection);
                self.waiting = Some((event.at, Input::Gone(connection)));
                return None;
            }
            What::StoreFailed => {
                self.is_up = false;
                self.outbox.store_failed();
                return None;
            }
            What::ServerStarted { commit, wall } => {
                let unanswered = self.outbox.overdue(cast, 0);
                self.outbox.clear();
                self.clock.set(event.at, wall.get());
                self.records = self.journal.started(commit);
                self.memory = Memory::default();
                self.is_up = true;
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
            What::Opened { connection } => {
                let (peer, standing, linger) = (None, Standing::Fresh, None);
                let admission = Some(event.at + self.limits.admission);
                let (last_heard, is_stranger) = (event.at, false);
                let opened = Connection { peer, is_stranger, standing, last_heard, admission, linger };
                self.memory.connections.insert(connection, opened);
            }
            What::ServerReceived { connection, peer, frame } => {
                self.waiting = Some((event.at, Input::Frame(connection, peer, frame)));
            }
            What::Malformed { connection, why, .. } => {
                self.waiting = Some((event.at, Input::Malformed(connection, why)));
            }
            _ => {}
        }
        overdue
    }

    fn world(&mut self, cast: &Cast, event: &Event) {
        match event.what {
            What::TicketMade { ticket, user, .. } => self.tickets.made(cast, ticket, user),
            What::OldKeyDropped => self.tickets.old_key_dropped(event.at),
            What::Effect { effect: Effect::ClockMoved { device: None } } => self.clock.moved(),
            What::Effect { effect: Effect::ServerDead } => {
                self.is_up = false;
                self.outbox.clear();
            }
            _ => {}
        }
    }

    /// Takes what came in before. The server has decided nothing because of it.
    fn take_waiting(&mut self, cast: &Cast, wall: Option<u64>) -> Option<Difference> {
        let (at, input) = self.waiting.take()?;
        let wall = wall.map_or_else(|| self.clock.at(at), |wall| (wall, wall));
        self.begin((at, wall), &[]);
        self.take(cast, input);
        difference(cast, &self.step.wanted, &[])
    }

    fn decision(&mut self, cast: &Cast, (commit, at, wall): (u32, Instant, u64), facts: &[Fact]) -> Option<Difference> {
        if self.waiting.is_some_and(|(came_at, _)| came_at != at)
            && let Some(found) = self.take_waiting(cast, None)
        {
            return Some(found);
        }
        self.clock.seen(at, wall);
        let mut is_caused = false;
        if let Some((_, input)) = self.waiting.take() {
            self.begin((at, (wall, wall)), facts);
            self.step.reveals = commit;
            self.take(cast, input);
            is_caused = !self.step.wanted.is_empty();
        }
        if !is_caused {
            self.begin((at, (wall, wall)), facts);
            self.step.reveals = commit;
            if let Some(found) = self.by_time(cast) {
                return Some(found);
            }
        }
        let found = difference(cast, &self.step.wanted, facts);
        self.journal.decided(commit, self.step.from, facts.to_vec());
        found
    }

    fn begin(&mut self, (now, wall): (Instant, (u64, u64)), facts: &[Fact]) {
        let Step { given, wanted, touched, .. } = &mut self.step;
        let (mut given, mut wanted) = (std::mem::take(given), std::mem::take(wanted));
        (given.clear(), wanted.clear(), touched.clear());
        given.extend_from_slice(facts);
        let touched = BTreeMap::new();
        let reveals = self.journal.decided;
        self.step = Step { now, wall, from: None, wanted, touched, judged: None, given, reveals };
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
        let now = self.step.now;
        let Some(link) = self.memory.connections.get_mut(&connection) else { return };
        link.last_heard = now;
        link.is_stranger |= peer == Some(DeviceIndex::STRANGER);
        let Some((id, platform)) = link.peer else {
            return match *frame {
                ClientFrame::Hello { version: VERSION, platform, installation } => {
                    let peer = peer.unwrap_or(DeviceIndex::STRANGER);
                    link.peer = Some(((peer, installation), platform));
                }
                ClientFrame::Hello { .. } => self.refuse_frame(connection, FrameError::Version),
                _ => self.refuse_frame(connection, FrameError::OutOfPlace),
            };
        };
        self.step.from = Some(id);
        match *frame {
            ClientFrame::Hello { .. } => self.refuse_frame(connection, FrameError::OutOfPlace),
            ClientFrame::Login { call, attempt, user, ticket, known_ended } => {
                self.login(cast, (connection, id, platform), (call, attempt, user, ticket), known_ended);
            }
            ClientFrame::Resume { attempt, user, epoch, ticket } => {
                self.resume(cast, (connection, id, platform), (attempt, user, epoch, ticket));
            }
            ClientFrame::Renew { call, attempt, user, epoch, ticket } => {
                self.renew(cast, (connection, id), (call, attempt, user, epoch, ticket));
            }
            ClientFrame::Logout { call, attempt } => self.logout(connection, id, call, attempt),
            ClientFrame::LoginAcknowledged { user, epoch } => self.acknowledged(id, user, epoch),
            ClientFrame::KickConfirmed { user, epoch } => self.confirmed(connection, id, user, epoch),
            ClientFrame::Heartbeat => self.heartbeat(connection, id),
            ClientFrame::Send { call, to, text } => self.message(cast, (connection, id), call, to, text),
            ClientFrame::AdminKick { call, user } => self.admin_kick(cast, connection, call, user),
            ClientFrame::Query { call, users } => self.query(cast, connection, call, users),
        }
    }

    /// INPUT-1: an error frame and the end of the connection, and nothing else changes.
    pub(super) fn refuse_frame(&mut self, connection: u32, why: FrameError) {
        if self.memory.connections.contains_key(&connection) {
            self.say(INPUT, connection, Answer::This(ServerFrame::Error { why }));
            self.close(INPUT, connection);
        }
    }

    /// The change that what is said now reveals.
    pub(super) fn reveals(&self) -> u32 {
        self.step.reveals
    }

    /// Demands a fact, and makes it true.
    pub(super) fn fact(&mut self, rule: RuleId, fact: Fact) {
        self.records.apply(&fact, self.step.from);
        self.step.wanted.push(Wanted { rule, fact, kicked: Vec::new() });
    }

    pub(super) fn say(&mut self, rule: RuleId, connection: u32, answer: Answer) {
        if !self.memory.is_stranger(connection) {
            self.outbox.say(rule, connection, self.step.reveals, answer);
        }
    }

    /// The user's presence has to be told with this change.
    pub(super) fn touch(&mut self, user: UserIndex) -> &mut Vec<DeviceIndex> {
        self.step.touched.entry(user).or_default()
    }

    /// PRES-1, PRES-3: one event for each user touched, with the presence after it.
    pub(super) fn tell_presence(&mut self) {
        for (user, kicked) in std::mem::take(&mut self.step.touched) {
            self.presence_event(user, kicked, false);
        }
    }

    pub(super) fn presence_event(&mut self, user: UserIndex, kicked: Vec<DeviceIndex>, is_optional: bool) {
        let Some(account) = self.records.users.get(&user) else { return };
        let presence = self.presence_at(account, self.step.wall.0);
        let fact = Fact::PresenceChanged { user, number: account.presence_number + 1, presence, kicked: None };
        let is_event = |given: &Fact| matches!(given, Fact::PresenceChanged { .. });
        if is_optional && !(self.step.given.iter().all(is_event) && self.step.given.contains(&fact)) {
            return;
        }
        self.records.apply(&fact, None);
        self.step.wanted.push(Wanted { rule: PRESENCE, fact, kicked });
    }

    /// DUR-4: who was connected has lost the link just now, and what passed meanwhile is told.
    fn started(&mut self) {
        let connected: Vec<(UserIndex, Id, u32)> = self
            .records
            .users
            .iter()
            .flat_map(|(&user, account)| account.sessions.iter().map(move |session| (user, *session)))
            .filter(|(_, session)| session.lost.is_none())
            .map(|(user, session)| (user, session.id, session.epoch))
            .collect();
        for (user, id, epoch) in connected {
            self.lose_link(rule("DUR-4"), user, id, epoch);
        }
        let wall = self.step.wall.0;
        let mut lapsed = BTreeSet::new();
        for (&user, account) in &mut self.records.users {
            for session in &mut account.sessions {
                session.lapsed =
                    session.lost.is_some_and(|lost| super::time::is_past(lost, self.limits.push_online, wall));
                if session.lapsed && session.platform.is_mobile() && !self.step.touched.contains_key(&user) {
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

    /// A ticket was judged: of this user, on this device, behind the lock of TICKET-4.
    fn judged(
        &mut self,
        cast: &Cast,
        device: DeviceIndex,
        user: UserIndex,
        refused: Option<gatecrash::code::Code>,
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
            _ => Difference::of(LOCK, format!("{} was judged, and nobody brought it or it is locked", who())),
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
        let may = is_idle && (is_due(link.admission) || is_due(link.linger));
        self.outbox.gone(connection);
        self.forget(connection);
        if may || peer == Some(DeviceIndex::STRANGER) {
            return None;
        }
        Difference::of(CLOSED, format!("the server closed connection {connection}, which nothing led to"))
    }
}
