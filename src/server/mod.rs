//! The server's core: who is logged in, who has to be told, what has to be on disk first.
//!
//! Pure: a driver or a simulated world brings inputs with the time, drains the outputs after each,
//! and comes back when the next timer is due. No socket, clock, disk, randomness or logging; bytes
//! and tickets are opened at the edge. What the rules decide is in `decide`, what must not be
//! forgotten in `store`; here is the bookkeeping between them.

mod away;
mod bounded;
mod delivery;
mod interface;
mod login;
mod request;
mod session;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::decide::server::{Load, Pace, Refusals};
use crate::decide::{Rules, ServerDecisions};
use crate::id::{Attempt, Change, ConnectionId, DeviceId, PublicName, UserId};
use crate::policy::Platform;
use crate::protocol::{ClientFrame, Closing, FrameError, Presence, RETURN_MAX, Return, ServerFrame, SessionName};
use crate::store::{Commit, Fact, Link, Records, UserRecord};
use crate::ticket::OpenedTicket;
use crate::time::{Instant, Now, WallTime};
use crate::timers::Timers;
use away::Away;
use bounded::Bounded;
pub use interface::{Action, Config, Input, Note, Output, Timer};

/// The server of one app.
///
/// ```
/// use gatecrash::id::ConnectionId;
/// use gatecrash::protocol::{ClientFrame, FrameError, ServerFrame};
/// use gatecrash::server::{Action, Config, Input, Server};
/// use gatecrash::store::Records;
/// use gatecrash::time::Now;
///
/// let mut server: Server = Server::restore(Config::new(1_400_000_000), Records::default());
/// let connection = ConnectionId(0);
/// server.handle_input(Now::default(), Input::Opened { connection });
/// // A heartbeat before `Hello` is out of place (INPUT-1).
/// server.handle_input(Now::default(), Input::Frame { connection, frame: ClientFrame::Heartbeat });
/// let answer = server.poll_output().unwrap().action;
/// assert_eq!(answer, Action::Send { connection, frame: ServerFrame::Error(FrameError::OutOfPlace) });
/// assert_eq!(server.poll_output().unwrap().action, Action::Close { connection });
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Server<D: ServerDecisions = Rules> {
    decisions: D,
    config: Config,
    records: Records,
    connections: Vec<Option<Connection>>,
    /// The connection each connected session is on.
    links: BTreeMap<DeviceId, ConnectionId>,
    /// The connection each device's highest attempt came on (CONN-7).
    newest: BTreeMap<DeviceId, ConnectionId>,
    /// The devices that hold no session (ATT-6).
    away: Away,
    /// The highest attempt of devices never admitted, and of those let go (ATT-1, ATT-6).
    strangers: Bounded<DeviceId, Attempt>,
    refusals: Bounded<(UserId, DeviceId), Refusals>,
    /// What was taken on and promised lately (CONN-12).
    load: Load,
    /// How fast users and devices log in (LOGIN-11).
    paces: Bounded<Whose, Pace>,
    instants: Timers<Instant, Timer>,
    walls: Timers<WallTime, Timer>,
    /// Until when a server that stood still reads, and nothing is due by the monotonic clock (CONN-5).
    reads_until: Option<Instant>,
    now: Now,
    // What one input leads to; empty between inputs.
    facts: Vec<Fact>,
    touched: BTreeMap<UserId, Vec<PublicName>>,
    actions: Vec<Action>,
    outbox: VecDeque<Output>,
}

/// Whose logins are counted together (LOGIN-11), and whose resumes (CONN-12).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Whose {
    User(UserId),
    Device(DeviceId),
    Resumes(DeviceId),
}

/// One transport link.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Connection {
    last_heard: Instant,
    peer: Option<Peer>,
    binding: Binding,
    delivery: Delivery,
}

/// How far the messages of the session have come on the connection that carries it (API-7).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Delivery {
    /// The place of the last one sent, or of the last that the device had when it came.
    last: u64,
    /// The places of those sent and not acknowledged.
    in_flight: VecDeque<u64>,
}

/// Who a connection's first frame said it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Peer {
    device: DeviceId,
    platform: Platform,
}

/// Which session a connection carries.
///
/// ```text
///         login, resume             kick, expiry
/// Fresh ─────────────────▶ Bound ─────────────────▶ Over ──confirmed, 15 s──▶ closed
///   ▲                        │ logout                │ login
///   └────────────────────────┘      Bound ◀──────────┘
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Binding {
    /// Nobody is logged in on it.
    Fresh,
    /// It carries this session.
    Bound(SessionName),
    /// It carried this session, which ended; only the end itself goes out on it (KICK-10).
    Over(SessionName),
}

impl<D: ServerDecisions> Server<D> {
    /// A server that goes on from `records`: what it knew it knows again (DUR-2). Give it
    /// [`Input::Started`] first.
    pub fn restore(config: Config, records: Records) -> Self {
        Server::with(D::default(), config, records)
    }

    /// The same, asking these decisions.
    pub fn with(decisions: D, config: Config, records: Records) -> Self {
        Server {
            decisions,
            strangers: Bounded::new(config.limits.records_max),
            refusals: Bounded::new(config.limits.records_max),
            load: Load::default(),
            paces: Bounded::new(config.limits.records_max.saturating_mul(3)),
            config,
            away: Away::of(&records),
            records,
            connections: Vec::new(),
            links: BTreeMap::new(),
            newest: BTreeMap::new(),
            instants: Timers::default(),
            walls: Timers::default(),
            reads_until: None,
            now: Now::default(),
            facts: Vec::new(),
            touched: BTreeMap::new(),
            actions: Vec::new(),
            outbox: VecDeque::new(),
        }
    }

    /// What the server must not forget, with every change decided so far.
    pub fn records(&self) -> &Records {
        &self.records
    }

    /// The configuration in force.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Takes one input; then drain [`Server::poll_output`].
    pub fn handle_input(&mut self, now: Now, input: Input) {
        self.now = now;
        match input {
            Input::Started => self.started(),
            Input::Opened { connection } => self.opened(connection),
            Input::Frame { connection, frame } => self.frame(connection, frame),
            Input::Malformed { connection, error } => self.refuse_frame(connection, error),
            Input::Closed { connection } => self.connection_gone(connection),
            Input::Configured(config) => self.config = config,
            Input::ClockChanged => {}
            Input::StoodStill => self.stood_still(),
            Input::Stopping => self.stop(),
        }
        self.finish();
    }

    /// Fires every timer that is due; then drain [`Server::poll_output`].
    pub fn handle_timeout(&mut self, now: Now) {
        self.now = now;
        self.reads_until = self.reads_until.filter(|&until| now.instant < until);
        self.fire_due();
    }

    /// Fires this timer as if it were due. Says whether it was set.
    pub fn fire(&mut self, now: Now, timer: Timer) -> bool {
        self.now = now;
        let was_set = self.instants.cancel(timer) || self.walls.cancel(timer);
        if was_set {
            self.timer_fired(timer, true);
            self.finish();
        }
        was_set
    }

    /// The timers that are set.
    pub fn timers(&self) -> impl Iterator<Item = Timer> + '_ {
        self.instants.names().chain(self.walls.names())
    }

    /// The next thing to do.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outbox.pop_front()
    }

    /// When to call [`Server::handle_timeout`] next, if the wall clock runs on without a jump.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let instant = self.instants.next().map(|(at, _)| self.reads_until.map_or(at, |until| at.max(until)));
        let wall = self.walls.next().map(|(at, _)| self.now.instant_of(at));
        instant.into_iter().chain(wall).min()
    }

    /// Moves every instant this much later; the wall clock stays.
    pub fn shift(&mut self, by: Duration) {
        self.now.instant = self.now.instant + by;
        self.instants.shift(by);
        self.reads_until = self.reads_until.map(|until| until + by);
        for connection in self.connections.iter_mut().flatten() {
            connection.last_heard = connection.last_heard + by;
        }
        self.load.taken.paid_at = self.load.taken.paid_at + by;
        self.load.promised = self.load.promised + by;
        for pace in self.paces.values_mut() {
            pace.paid_at = pace.paid_at + by;
        }
        for refusals in self.refusals.values_mut() {
            refusals.recent.iter_mut().chain(refusals.locked_until.as_mut()).for_each(|at| *at = *at + by);
        }
    }

    /// DUR-4: whoever was connected when the server stopped loses their link now.
    fn started(&mut self) {
        let sessions: Vec<_> = self
            .records
            .users
            .iter()
            .flat_map(|(&user, account)| {
                account.sessions.iter().map(move |(&device, session)| (user, device, session.clone()))
            })
            .collect();
        for (user, device, session) in sessions {
            self.walls.set(Timer::Expiry(user, device), session.ticket.ends_at());
            match session.link {
                Link::Connected => self.lose_link(user, device),
                Link::Lost { at } => self.arm_link_loss(user, device, session.platform, at),
            }
        }
        self.arm_all_let_go();
        // PRES-1: seven days that passed while the server was down are told now, once.
        let overtaken: Vec<UserId> = self
            .records
            .users
            .iter()
            .filter(|(_, account)| account.presence != self.presence_of(account))
            .map(|(&user, _)| user)
            .collect();
        for user in overtaken {
            self.touch(user);
        }
    }

    /// TICKET-5: whose ticket ran out meanwhile has no session any more, whatever they have sent. CONN-5: who seems
    /// silent may have said something that is not read yet.
    fn stood_still(&mut self) {
        let catch_up = self.decisions.catch_up();
        self.reads_until = (!catch_up.is_zero()).then(|| self.now.instant + catch_up);
        self.fire_due();
    }

    fn fire_due(&mut self) {
        while let Some(timer) = self.pop_due() {
            self.timer_fired(timer, false);
            self.finish();
        }
    }

    fn pop_due(&mut self) -> Option<Timer> {
        let instant = if self.reads_until.is_none() { self.instants.pop_due(self.now.instant) } else { None };
        instant.or_else(|| self.walls.pop_due(self.now.wall))
    }

    /// STOP-1: everybody is told, and nothing else happens any more. What was decided and waits for the disk is
    /// said before.
    fn stop(&mut self) {
        let come_back = self.come_back();
        for index in 0..self.connections.len() {
            if self.connections[index].is_some() {
                let connection = ConnectionId(u32::try_from(index).expect("connections are bounded"));
                let frame = ServerFrame::Closing { why: Closing::Stopping, come_back };
                self.actions.extend([Action::Send { connection, frame }, Action::Close { connection }]);
            }
        }
        self.connections.clear();
        self.links.clear();
        self.newest.clear();
        self.instants = Timers::default();
        self.walls = Timers::default();
    }

    /// Takes on one more login or resume, or says when whoever asks is to come back (CONN-12).
    fn take_on(&mut self) -> Option<Return> {
        let (load, after) = match self.decisions.take_on(self.load, &self.config.limits, self.now.instant) {
            Ok(load) => (load, None),
            Err((load, after)) => (load, Some(after)),
        };
        self.load = load;
        after.map(|after| Return { after, ..self.come_back() })
    }

    /// The same for one more resume of a device, of which there may be too many though there is room for others.
    fn take_back(&mut self, device: DeviceId) -> Option<Return> {
        let pace = self.paces.find(&Whose::Resumes(device)).copied().unwrap_or_default();
        match self.decisions.resume_pace(pace, &self.config.limits, self.now.instant) {
            Err(after) => Some(Return { after, ..self.come_back() }),
            Ok(pace) => {
                let away = self.take_on();
                if away.is_none() {
                    self.paces.put(Whose::Resumes(device), pace);
                }
                away
            }
        }
    }

    /// CONN-12: whoever asks on this connection is told that it is too much, and when to come back.
    fn turn_away(&mut self, connection: ConnectionId, come_back: Return) {
        self.send(connection, ServerFrame::Closing { why: Closing::Busy, come_back });
        self.hang_up(connection);
    }

    /// When those are to come back whom the server sends away now (CONN-2).
    pub fn come_back(&self) -> Return {
        let spread = self.decisions.return_spread(self.links.len(), &self.config.limits);
        Return { after: self.config.limits.return_after.min(RETURN_MAX), spread }
    }

    fn opened(&mut self, connection: ConnectionId) {
        let index = connection.0 as usize;
        if self.connections.len() <= index {
            self.connections.resize(index + 1, None);
        }
        assert!(self.connections[index].is_none(), "a connection's number is free before it is reused");
        self.connections[index] = Some(Connection {
            last_heard: self.now.instant,
            peer: None,
            binding: Binding::Fresh,
            delivery: Delivery::default(),
        });
        self.instants.set(Timer::Admission(connection), self.now.instant + self.config.limits.admission);
    }

    fn frame(&mut self, connection: ConnectionId, frame: ClientFrame<OpenedTicket>) {
        let (now, spoken) = (self.now.instant, self.config.version);
        let Some(link) = self.connection_mut(connection) else { return };
        link.last_heard = now;
        let Some(peer) = link.peer else {
            return match frame {
                ClientFrame::Hello { version, device, platform } if version == spoken => {
                    link.peer = Some(Peer { device, platform });
                }
                ClientFrame::Hello { .. } => self.refuse_frame(connection, FrameError::Version),
                ClientFrame::Login { .. }
                | ClientFrame::LoginAcknowledged { .. }
                | ClientFrame::Resume { .. }
                | ClientFrame::Renew { .. }
                | ClientFrame::Logout { .. }
                | ClientFrame::Heartbeat
                | ClientFrame::KickConfirmed { .. }
                | ClientFrame::SendMessage { .. }
                | ClientFrame::AdminKick { .. }
                | ClientFrame::QueryStatus { .. }
                | ClientFrame::MessagesReceived { .. } => self.refuse_frame(connection, FrameError::OutOfPlace),
            };
        };
        match frame {
            ClientFrame::Hello { .. } => self.refuse_frame(connection, FrameError::OutOfPlace),
            ClientFrame::Login { call, attempt, user, ticket, known_ended } => {
                if let Some(come_back) = self.take_on() {
                    return self.turn_away(connection, come_back);
                }
                let outcome = self.login(connection, peer, attempt, &user, &ticket, known_ended);
                self.answer_attempt(connection, peer, ServerFrame::LoginAnswer { call, outcome });
            }
            ClientFrame::Resume { attempt, user, epoch, ticket, received } => {
                if let Some(come_back) = self.take_back(peer.device) {
                    return self.turn_away(connection, come_back);
                }
                let outcome = self.resume(connection, peer, attempt, SessionName { user, epoch }, &ticket, received);
                self.answer_attempt(connection, peer, ServerFrame::ResumeAnswer { attempt, outcome });
                self.deliver(user, peer.device);
            }
            ClientFrame::Renew { call, attempt, user, epoch, ticket } => {
                match self.renew(connection, peer, attempt, SessionName { user, epoch }, &ticket) {
                    Ok(outcome) => {
                        self.answer_attempt(connection, peer, ServerFrame::RenewAnswer { call, outcome });
                    }
                    Err(error) => self.refuse_frame(connection, error),
                }
            }
            ClientFrame::Logout { call, attempt } => {
                let outcome = self.logout(connection, peer, attempt);
                self.answer_attempt(connection, peer, ServerFrame::LogoutAnswer { call, outcome });
            }
            ClientFrame::LoginAcknowledged { user, epoch } => {
                self.login_acknowledged(peer, SessionName { user, epoch });
            }
            ClientFrame::KickConfirmed { user, epoch } => {
                self.kick_confirmed(connection, peer, SessionName { user, epoch });
            }
            ClientFrame::Heartbeat => self.heartbeat(connection, peer),
            ClientFrame::SendMessage { call, id, to, text } => {
                match self.send_message(connection, peer, id, to, text) {
                    Ok(accepted) => self.answer_message(connection, peer, call, accepted),
                    Err(error) => self.refuse_frame(connection, error),
                }
            }
            ClientFrame::AdminKick { call, user } => match self.admin_kick(connection, user) {
                Ok(outcome) => self.send_before_ends(connection, ServerFrame::AdminKickAnswer { call, outcome }),
                Err(error) => self.refuse_frame(connection, error),
            },
            ClientFrame::QueryStatus { call, users } => match self.query_status(connection, &users) {
                Ok(outcome) => self.send(connection, ServerFrame::StatusAnswer { call, outcome }),
                Err(error) => self.refuse_frame(connection, error),
            },
            ClientFrame::MessagesReceived { user, epoch, through } => {
                self.messages_received(connection, peer, SessionName { user, epoch }, through);
            }
        }
    }

    fn timer_fired(&mut self, timer: Timer, forced: bool) {
        match timer {
            Timer::Admission(connection) | Timer::Linger(connection) => self.hang_up(connection),
            Timer::Silence(connection) => {
                let Some(link) = self.connection(connection) else { return };
                let Some(peer) = link.peer else { return };
                let silence = self.config.limits.silence_of(peer.platform);
                // PRES-2: a dead device stays connected no longer than this.
                if forced || self.decisions.is_silent(link.last_heard, silence, self.now.instant) {
                    self.hang_up(connection);
                } else {
                    // Re-armed lazily, so that a heartbeat touches no timer.
                    self.instants.set(timer, link.last_heard + silence);
                }
            }
            Timer::Expiry(user, device) => self.ticket_over(user, device),
            Timer::Dormant(user, device) => {
                if let Some(session) = self.session(user, device) {
                    let epoch = session.epoch;
                    self.actions.push(Action::Note(Note::Dormant { user, device, epoch }));
                }
            }
            Timer::PushOnline(user, device) => {
                if self.session(user, device).is_some() {
                    self.touch(user);
                }
            }
            Timer::LetGo(user) if forced => self.let_first_go(user),
            Timer::LetGo(user) => self.let_long_gone_go(user),
        }
    }

    /// Makes a fact true and part of this input's commit.
    fn fact(&mut self, fact: Fact) {
        self.records.apply_fact(&fact);
        self.facts.push(fact);
    }

    /// The user's presence is told with this input's commit, changed or not (PRES-1).
    fn touch(&mut self, user: UserId) -> &mut Vec<PublicName> {
        self.touched.entry(user).or_default()
    }

    /// The presence of an account now (PRES-1).
    fn presence_of(&self, account: &UserRecord) -> Presence {
        self.decisions.presence(&account.sessions, self.config.limits.push_online, self.now.wall)
    }

    fn send(&mut self, connection: ConnectionId, frame: ServerFrame) {
        if self.connection(connection).is_some() {
            self.actions.push(Action::Send { connection, frame });
        }
    }

    /// Answers with an error frame and closes: the frame changes no session (INPUT-1).
    fn refuse_frame(&mut self, connection: ConnectionId, error: FrameError) {
        self.send(connection, ServerFrame::Error(error));
        self.hang_up(connection);
    }

    /// Closes the connection; the session it carries, if any, loses its link.
    fn hang_up(&mut self, connection: ConnectionId) {
        if self.connection(connection).is_some() {
            self.actions.push(Action::Close { connection });
            self.connection_gone(connection);
        }
    }

    fn connection_gone(&mut self, connection: ConnectionId) {
        let Some(link) = self.connections.get_mut(connection.0 as usize).and_then(Option::take) else { return };
        // Equal servers are equal values, whatever the most connections were that they ever had.
        while self.connections.last().is_some_and(Option::is_none) {
            self.connections.pop();
        }
        self.instants.cancel(Timer::Admission(connection));
        self.instants.cancel(Timer::Silence(connection));
        self.instants.cancel(Timer::Linger(connection));
        if let Some(peer) = link.peer.filter(|peer| self.newest.get(&peer.device) == Some(&connection)) {
            self.newest.remove(&peer.device);
        }
        if let (Binding::Bound(name), Some(peer)) = (link.binding, link.peer) {
            let current = self.links.get(&peer.device).copied();
            if self.decisions.is_link_loss(current, connection) && self.session(name.user, peer.device).is_some() {
                self.links.remove(&peer.device);
                self.lose_link(name.user, peer.device);
            }
        }
    }

    fn connection(&self, connection: ConnectionId) -> Option<&Connection> {
        self.connections.get(connection.0 as usize)?.as_ref()
    }

    fn connection_mut(&mut self, connection: ConnectionId) -> Option<&mut Connection> {
        self.connections.get_mut(connection.0 as usize)?.as_mut()
    }

    /// Turns what the input led to into outputs: the commit first, then what it may reveal.
    fn finish(&mut self) {
        for (user, kicked) in std::mem::take(&mut self.touched) {
            self.let_go(user);
            let Some(account) = self.records.users.get(&user) else { continue };
            let presence = self.presence_of(account);
            let number = account.presence_number + 1;
            self.fact(Fact::PresenceChanged { user, number, presence, kicked });
        }
        if !self.facts.is_empty() {
            let number = Change(self.records.change.0 + 1);
            self.records.change = number;
            let commit = Commit { number, facts: std::mem::take(&mut self.facts) };
            self.outbox.push_back(Output { reveals: Change::NONE, action: Action::Commit(commit) });
        }
        for action in self.actions.drain(..) {
            let reveals = match &action {
                // What tells nothing that a crash could undo waits for no disk.
                Action::Commit(_)
                | Action::Note(_)
                | Action::Send { frame: ServerFrame::HeartbeatAnswer | ServerFrame::Error(_), .. } => Change::NONE,
                Action::Send { .. } | Action::Close { .. } => self.records.change,
            };
            self.outbox.push_back(Output { reveals, action });
        }
    }
}
