//! One server core with everything around it that a test needs, and what must hold after every input.
//!
//! Judges by the rules' own tables and by what went in and came out, never by asking the core's
//! decisions: the few that are repeated here are written anew.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use gatecrash::code::Code;
use gatecrash::id::{Change, ConnectionId, DeviceId, Epoch, UserId};
use gatecrash::policy::{Platform, Policy};
use gatecrash::protocol::{ClientFrame, Presence, ResumeOutcome, ServerFrame, SessionName, VERSION};
use gatecrash::server::{Action, Config, Input, Output, Server, Timer};
use gatecrash::store::{Commit, DeviceRecord, EndReason, Fact, Link, Records, Session, Sessions, UserRecord};
use gatecrash::ticket::{Claims, Opened, OpenedTicket, Signature};
use gatecrash::time::{Instant, Now, WallTime};

/// The app of every test.
pub const APP: u64 = 1_400_000_000;

/// Where every test begins: 2023-11-14 22:13:20 UTC.
pub const START: u64 = 1_700_000_000;

/// Seven days: how long a push reaches a mobile device (PRES-1).
const PUSH_ONLINE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// A ticket whose signature fits, told apart from others by all its fields.
pub fn ticket(user: UserId, issued_at: u64, ttl: u64) -> Opened {
    let mut signature = [0; 32];
    let name = user.as_str().as_bytes();
    signature[..8].copy_from_slice(&issued_at.to_be_bytes());
    signature[8..16].copy_from_slice(&ttl.to_be_bytes());
    let length = name.len().min(16);
    signature[16..16 + length].copy_from_slice(&name[..length]);
    let claims = Claims { app_id: APP, user: Some(user), issued_at, ttl, signature: Signature(signature) };
    Opened { claims, signature_fits: true }
}

/// What goes on around one core.
#[derive(Clone)]
pub struct World {
    pub server: Server,
    pub now: Now,
    /// What a disk would hold that wrote every commit at once.
    pub records: Records,
    /// The open connections, and who said hello on each.
    pub open: BTreeMap<ConnectionId, Option<DeviceId>>,
    /// The highest attempt each device has sent.
    pub attempts: BTreeMap<DeviceId, u32>,
    /// Connections that were told of an end: nothing else may reach the device on them (KICK-10).
    told: BTreeSet<ConnectionId>,
    accepted: u64,
    displaced: u64,
    counted: BTreeSet<(UserId, u32)>,
    /// Whether the wall clock only ever went forward.
    is_wall_monotonic: bool,
}

impl World {
    pub fn new(config: Config) -> Self {
        let now = Now { wall: WallTime::from_seconds(START), ..Now::default() };
        let server = Server::restore(config, Records::default());
        World {
            server,
            now,
            records: Records::default(),
            open: BTreeMap::new(),
            attempts: BTreeMap::new(),
            told: BTreeSet::new(),
            accepted: 0,
            displaced: 0,
            counted: BTreeSet::new(),
            is_wall_monotonic: true,
        }
    }

    /// The lowest number no open connection has.
    pub fn free_connection(&self) -> ConnectionId {
        let number = (0..).find(|&number| !self.open.contains_key(&ConnectionId(number)));
        ConnectionId(number.expect("a test opens few connections"))
    }

    pub fn open(&mut self, connection: ConnectionId) {
        self.open.insert(connection, None);
        let outputs = self.input(Input::Opened { connection });
        assert_eq!(outputs, [], "an opened connection says nothing");
    }

    pub fn hello(&mut self, connection: ConnectionId, device: DeviceId, platform: Platform) {
        let outputs = self.frame(connection, ClientFrame::Hello { version: VERSION, device, platform });
        assert_eq!(outputs, [], "a first hello says nothing");
    }

    pub fn frame(&mut self, connection: ConnectionId, frame: ClientFrame<OpenedTicket>) -> Vec<Output> {
        self.input(Input::Frame { connection, frame })
    }

    /// One input, and all it leads to.
    pub fn input(&mut self, input: Input) -> Vec<Output> {
        if let Input::Closed { connection } = &input {
            self.open.remove(connection);
        }
        if let Input::Frame { connection, frame: ClientFrame::Hello { version: VERSION, device, .. } } = &input {
            // The first hello counts; a second one closes the connection (INPUT-1).
            self.open.entry(*connection).and_modify(|peer| *peer = peer.or(Some(*device)));
        }
        self.note_attempt(&input);
        let cause = input.clone();
        self.server.handle_input(self.now, input);
        self.drain(Cause::Input(&cause))
    }

    fn note_attempt(&mut self, input: &Input) {
        if let Input::Frame { connection, frame } = input
            && let ClientFrame::Login { attempt, .. }
            | ClientFrame::Resume { attempt, .. }
            | ClientFrame::Renew { attempt, .. }
            | ClientFrame::Logout { attempt, .. } = frame
            && let Some(Some(device)) = self.open.get(connection)
        {
            let highest = self.attempts.entry(*device).or_default();
            *highest = attempt.count.max(*highest);
        }
    }

    /// Time passes; every timer fires when it is due.
    pub fn advance(&mut self, by: Duration) -> Vec<Output> {
        let end = self.now.instant + by;
        let mut outputs = Vec::new();
        while let Some(due) = self.server.poll_timeout().filter(|&due| due <= end) {
            self.pass_until(due);
            self.server.handle_timeout(self.now);
            outputs.extend(self.drain(Cause::Timer));
            assert!(self.server.poll_timeout().is_none_or(|next| next > self.now.instant), "a due timer was fired");
        }
        self.pass_until(end);
        outputs
    }

    fn pass_until(&mut self, instant: Instant) {
        self.pass(instant - self.now.instant);
    }

    /// Time passes and nobody is there to see it.
    pub fn pass(&mut self, by: Duration) {
        self.now = Now { instant: self.now.instant + by, wall: self.now.wall + by };
    }

    /// The wall clock jumps; what is due by it fires.
    pub fn set_wall(&mut self, wall: WallTime) -> Vec<Output> {
        self.is_wall_monotonic &= wall >= self.now.wall;
        self.now.wall = wall;
        let mut outputs = self.input(Input::ClockChanged);
        outputs.extend(self.advance(Duration::ZERO));
        outputs
    }

    /// Fires one timer out of order.
    pub fn fire(&mut self, timer: Timer) -> Vec<Output> {
        assert!(self.server.fire(self.now, timer), "{timer:?} is set");
        self.drain(Cause::Timer)
    }

    /// The server dies and comes back with what it had on disk.
    pub fn restart(&mut self, config: Config) -> Vec<Output> {
        self.server = Server::restore(config, self.records.clone());
        self.open.clear();
        self.told.clear();
        let mut outputs = self.input(Input::Started);
        outputs.extend(self.advance(Duration::ZERO));
        outputs
    }

    /// Whether the connection carries a live session, lingers after one, or neither, as its timers say.
    pub fn standing(&self, connection: ConnectionId) -> &'static str {
        let is_set = |timer| self.server.timers().any(|set| set == timer);
        if is_set(Timer::Silence(connection)) {
            "bound"
        } else if is_set(Timer::Linger(connection)) {
            "over"
        } else {
            "fresh"
        }
    }

    fn drain(&mut self, cause: Cause<'_>) -> Vec<Output> {
        let before = self.records.clone();
        let mut outputs = VecDeque::new();
        while let Some(output) = self.server.poll_output() {
            outputs.push_back(output);
        }
        assert_eq!(self.server.poll_output(), None, "drained is drained");
        let mut delivered = BTreeSet::new();
        for Output { reveals, action } in &outputs {
            match action {
                Action::Commit(commit) => {
                    assert_eq!(*reveals, Change::NONE, "a commit waits for nothing");
                    self.commit(commit, cause);
                }
                Action::Send { connection, frame } => {
                    self.check_reveals(*reveals, frame);
                    assert!(self.open.contains_key(connection), "{frame:?} is sent on an open connection");
                    self.check_end(*connection, frame, cause);
                    if let ServerFrame::Message { message, .. } = frame {
                        assert!(delivered.insert((*connection, message.id)), "API-2: at most once per device");
                    }
                }
                Action::Close { connection } => {
                    assert_eq!(*reveals, self.records.change, "the end of a connection may tell of this commit");
                    assert!(self.open.remove(connection).is_some(), "an open connection is closed once");
                    self.told.remove(connection);
                }
                Action::Note(_) => assert_eq!(*reveals, Change::NONE, "a note waits for nothing"),
            }
        }
        self.told.retain(|connection| self.open.contains_key(connection));
        assert_eq!(self.server.records(), &self.records, "DUR-1: the commits alone give the records");
        self.check_sessions();
        self.check_timers();
        self.check_nobody_slips_in(&before, cause);
        outputs.into()
    }

    /// DUR-1: what depends on a change waits for it, and a sign of life for nothing.
    fn check_reveals(&self, reveals: Change, frame: &ServerFrame) {
        match frame {
            ServerFrame::HeartbeatAnswer | ServerFrame::Error(_) => assert_eq!(reveals, Change::NONE),
            ServerFrame::LoginAnswer { .. }
            | ServerFrame::ResumeAnswer { .. }
            | ServerFrame::RenewAnswer { .. }
            | ServerFrame::LogoutAnswer { .. }
            | ServerFrame::Kick(_)
            | ServerFrame::Expired(_)
            | ServerFrame::SendAnswer { .. }
            | ServerFrame::Message { .. }
            | ServerFrame::AdminKickAnswer { .. }
            | ServerFrame::StatusAnswer { .. }
            | ServerFrame::Closing { .. } => assert_eq!(reveals, self.records.change, "{frame:?}"),
        }
    }

    /// KICK-10: after the end of a session its connection carries the end itself, refusals of what
    /// is asked there, and answers to what carries an attempt number; a new session starts over.
    fn check_end(&mut self, connection: ConnectionId, frame: &ServerFrame, cause: Cause<'_>) {
        let was_told = self.told.contains(&connection);
        match frame {
            ServerFrame::Kick(_) | ServerFrame::Expired(_) => {
                self.told.insert(connection);
            }
            ServerFrame::LoginAnswer { outcome, .. } => {
                if outcome.is_ok() {
                    self.told.remove(&connection);
                }
            }
            ServerFrame::ResumeAnswer { outcome, .. } => {
                match outcome {
                    ResumeOutcome::Resumed { .. } | ResumeOutcome::LoggedIn(_) => {
                        self.told.remove(&connection);
                    }
                    ResumeOutcome::Kicked(kick) => {
                        let name = SessionName { user: kick.user, epoch: kick.epoch };
                        assert!(!self.is_live(connection, name), "KICK-2: a kick names an ended session");
                    }
                    ResumeOutcome::Expired
                    | ResumeOutcome::Refused(_)
                    | ResumeOutcome::Unable(_)
                    | ResumeOutcome::Stale => {}
                }
                if self.standing(connection) == "over" {
                    self.told.insert(connection);
                }
            }
            ServerFrame::LogoutAnswer { outcome, .. } => {
                if outcome.is_ok() {
                    self.told.remove(&connection);
                }
            }
            ServerFrame::RenewAnswer { outcome, .. } => assert!(!was_told || outcome.is_err()),
            ServerFrame::SendAnswer { outcome, .. } => {
                assert!(!was_told || *outcome == Err(Code::NotLoggedIn));
            }
            ServerFrame::AdminKickAnswer { outcome, .. } => {
                assert!(!was_told || *outcome == Err(Code::NotLoggedIn));
            }
            ServerFrame::StatusAnswer { outcome, .. } => {
                assert!(!was_told || *outcome == Err(Code::NotLoggedIn));
            }
            ServerFrame::Message { .. } | ServerFrame::HeartbeatAnswer => {
                assert!(!was_told, "nothing but the end reaches the device: {frame:?} after {cause:?}");
            }
            ServerFrame::Error(_) | ServerFrame::Closing { .. } => {}
        }
        if let ServerFrame::Kick(kick) = frame {
            let name = SessionName { user: kick.user, epoch: kick.epoch };
            assert!(!self.is_live(connection, name), "KICK-2: a kick names an ended session");
        }
    }

    fn is_live(&self, connection: ConnectionId, SessionName { user, epoch }: SessionName) -> bool {
        let device = self.open[&connection].expect("only named connections are told of sessions");
        let account = self.records.users.get(&user);
        account.and_then(|account| account.sessions.get(&device)).is_some_and(|session| session.epoch == epoch)
    }

    fn commit(&mut self, commit: &Commit, cause: Cause<'_>) {
        assert_eq!(commit.number, Change(self.records.change.0 + 1));
        assert!(!commit.facts.is_empty(), "nothing is committed for nothing");
        let before = self.records.clone();
        self.records.apply(commit);

        let mut told = BTreeMap::new();
        let mut touched = BTreeSet::new();
        let mut kicked: BTreeMap<UserId, Vec<_>> = BTreeMap::new();
        for fact in &commit.facts {
            match fact {
                Fact::SessionAccepted { user, device, epoch, .. } => {
                    self.accepted += 1;
                    touched.insert(*user);
                    let last = before.users.get(user).map_or(Epoch(0), |account| account.last_epoch);
                    assert!(*epoch > last, "epochs grow");
                    self.check_victims(&before, commit, *user, *device);
                    if matches!(cause, Cause::Input(Input::Frame { frame: ClientFrame::Login { .. }, .. })) {
                        self.counted.insert((*user, self.now.wall.day()));
                    }
                }
                Fact::SessionEnded { user, device, reason, .. } => {
                    touched.insert(*user);
                    self.displaced += u64::from(reason.is_displacement());
                    if reason.kick().is_some() {
                        kicked.entry(*user).or_default().push(device.public_name());
                    }
                }
                Fact::SessionResumed { user, .. } | Fact::LinkLost { user, .. } => {
                    touched.insert(*user);
                }
                Fact::PresenceChanged { user, kicked, .. } => {
                    assert!(told.insert(*user, kicked.clone()).is_none(), "PRES-1: one event per commit and user");
                }
                Fact::AccountCreated { .. }
                | Fact::AttemptRaised { .. }
                | Fact::SessionRenewed { .. }
                | Fact::LoginAcknowledged { .. }
                | Fact::KickSettled { .. }
                | Fact::EndForgotten { .. }
                | Fact::DeviceForgotten { .. }
                | Fact::TicketsVoided { .. }
                | Fact::TicketVoided { .. }
                | Fact::DayCounted { .. }
                | Fact::MessageStored { .. }
                | Fact::SentForgotten { .. }
                | Fact::MessageOwed { .. }
                | Fact::MessagesReceived { .. }
                | Fact::MessagesDropped { .. } => {}
            }
        }
        // PRES-1, PRES-3: exactly whoever's sessions changed is told of; a timer's seven days come on top.
        for user in &touched {
            let names = told.remove(user).expect("a user whose sessions changed has their event");
            assert_eq!(names, kicked.remove(user).unwrap_or_default(), "the event names the devices kicked");
        }
        let may_pass = matches!(cause, Cause::Timer | Cause::Input(Input::Started | Input::StoodStill));
        assert!(told.is_empty() || may_pass, "no event without a change: {told:?}");
        assert!(self.displaced <= self.accepted, "KICK-4: never more displacements than accepted logins");
        for (day, users) in &self.records.days {
            let naive = self.counted.iter().filter(|(_, counted)| counted == day).count() as u64;
            assert_eq!(*users, naive, "DAU-1: each user once for each day");
        }
    }

    /// POLICY-3 against a table: who goes, and why.
    fn check_victims(&self, before: &Records, commit: &Commit, user: UserId, newcomer: DeviceId) {
        let config = self.server.config();
        let platform = self.records.users[&user].sessions[&newcomer].platform;
        let sessions = before.users.get(&user).map(|account| account.sessions.clone()).unwrap_or_default();
        let seats = config.seats.instances_max(platform);
        let expected = naive_victims(config.seats.policy(), seats, &sessions, newcomer, platform, self.now.wall);
        let actual: BTreeMap<DeviceId, EndReason> = commit
            .facts
            .iter()
            .filter_map(|fact| match fact {
                Fact::SessionEnded { user: of, device, reason, .. } if *of == user && reason.is_displacement() => {
                    Some((*device, *reason))
                }
                _ => None,
            })
            .collect();
        assert_eq!(actual, expected, "POLICY-3 under {}", config.seats.policy());
    }

    fn check_sessions(&self) {
        let mut holders = BTreeMap::new();
        for (&user, account) in &self.records.users {
            for (&device, session) in account.sessions.iter() {
                assert_eq!(holders.insert(device, user), None, "a device has at most one session");
                let record = &self.records.devices[&device];
                assert_eq!(record.user, Some(user), "the device's record names its holder");
                assert_eq!(record.ended, None, "who is logged in is owed nothing");
                assert!(session.attempt <= record.attempt, "ATT-1: the highest is the highest");
                assert!(session.epoch <= account.last_epoch, "epochs are given in order");
            }
            let is_due = self.server.poll_timeout().is_some_and(|due| due <= self.now.instant);
            if self.is_wall_monotonic && !is_due {
                assert_eq!(account.presence, naive_presence(account, self.now.wall), "PRES-3: presence of {user}");
            }
        }
        for (device, record) in &self.records.devices {
            assert_eq!(record.user, holders.get(device).copied(), "a holder holds a session");
        }
    }

    /// A connected session has exactly one connection, of its device; a lost one has none. Every
    /// open connection has a timer that ends it, and every session one that ends it.
    fn check_timers(&self) {
        let timers: BTreeSet<Timer> = self.server.timers().collect();
        let mut bound = BTreeSet::new();
        for (&connection, &device) in &self.open {
            let silence = timers.contains(&Timer::Silence(connection));
            let waits = timers.contains(&Timer::Linger(connection)) || timers.contains(&Timer::Admission(connection));
            assert!(silence != waits, "{connection:?} is bound or waits");
            if silence {
                let device = device.expect("only a named device is admitted");
                assert!(bound.insert(device), "CONN-7: one connection per session");
            }
        }
        let mut connected = BTreeSet::new();
        let mut expiries = 0;
        for (&user, account) in &self.records.users {
            for (&device, session) in account.sessions.iter() {
                expiries += 1;
                assert!(timers.contains(&Timer::Expiry(user, device)), "TICKET-5: every session ends");
                match session.link {
                    Link::Connected => {
                        connected.insert(device);
                        assert!(!timers.contains(&Timer::PushOnline(user, device)));
                        assert!(!timers.contains(&Timer::Dormant(user, device)));
                    }
                    Link::Lost { .. } => {}
                }
            }
        }
        assert_eq!(bound, connected, "who is connected has a connection, and the other way round");
        for timer in timers {
            match timer {
                Timer::Admission(connection) | Timer::Silence(connection) | Timer::Linger(connection) => {
                    assert!(self.open.contains_key(&connection), "{timer:?} is of an open connection");
                }
                Timer::Expiry(user, device) | Timer::Dormant(user, device) | Timer::PushOnline(user, device) => {
                    assert!(self.session(user, device).is_some(), "{timer:?} is of a live session");
                    expiries -= usize::from(matches!(timer, Timer::Expiry(..)));
                }
                Timer::LetGo(user) => {
                    let is_away = |record: &DeviceRecord| record.keeper == user && record.user.is_none();
                    assert!(self.records.devices.values().any(is_away), "{timer:?} is of a device without a session");
                }
            }
        }
        assert_eq!(expiries, 0);
    }

    pub fn session(&self, user: UserId, device: DeviceId) -> Option<&Session> {
        self.records.users.get(&user)?.sessions.get(&device)
    }

    /// INPUT-3: a session begins, comes back or is renewed only by a frame with a good ticket.
    fn check_nobody_slips_in(&self, before: &Records, cause: Cause<'_>) {
        let named = |records: &Records| -> BTreeSet<(UserId, DeviceId, Epoch, bool, u64)> {
            let account = |(&user, account): (&UserId, &UserRecord)| -> Vec<_> {
                let session = |(&device, session): (&DeviceId, &Session)| {
                    let is_connected = session.link == Link::Connected;
                    (user, device, session.epoch, is_connected, session.ticket.last_second)
                };
                account.sessions.iter().map(session).collect()
            };
            records.users.iter().flat_map(account).collect()
        };
        let (old, new) = (named(before), named(&self.records));
        let gained = new.difference(&old).filter(|(_, _, _, is_connected, _)| *is_connected);
        for &(user, ..) in gained {
            let Cause::Input(Input::Frame { frame, .. }) = cause else { panic!("{cause:?} admits {user}") };
            let carried = match frame {
                ClientFrame::Login { ticket, .. }
                | ClientFrame::Resume { ticket, .. }
                | ClientFrame::Renew { ticket, .. } => ticket,
                ClientFrame::Hello { .. }
                | ClientFrame::LoginAcknowledged { .. }
                | ClientFrame::Logout { .. }
                | ClientFrame::Heartbeat
                | ClientFrame::KickConfirmed { .. }
                | ClientFrame::SendMessage { .. }
                | ClientFrame::AdminKick { .. }
                | ClientFrame::QueryStatus { .. }
                | ClientFrame::MessagesReceived { .. } => panic!("{frame:?} admits {user}"),
            };
            let opened = carried.as_ref().expect("nobody comes in with an unreadable ticket");
            let claims = opened.claims;
            assert!(opened.signature_fits && claims.app_id == APP && claims.user == Some(user));
            assert!(self.now.wall.seconds() <= claims.issued_at + claims.ttl);
            let voided = before.users.get(&user).and_then(|account| account.voided_until);
            assert!(voided.is_none_or(|until| claims.issued_at > until));
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Cause<'a> {
    Input(&'a Input),
    Timer,
}

/// POLICY-1 as literal sets: the groups of platforms that compete for one place.
pub fn groups(policy: Policy) -> Vec<Vec<Platform>> {
    use Platform::{Android, Ios, Ipad, Linux, Mac, Web, Windows};
    match policy {
        Policy::Single => vec![vec![Android, Ios, Ipad, Windows, Mac, Linux, Web]],
        Policy::Dual => vec![vec![Android, Ios, Ipad, Windows, Mac, Linux], vec![Web]],
        Policy::Triple => vec![vec![Android, Ios, Ipad], vec![Windows, Mac, Linux], vec![Web]],
        Policy::Multi => [Android, Ios, Ipad, Windows, Mac, Linux, Web].map(|platform| vec![platform]).into(),
    }
}

/// POLICY-3, one victim at a time.
pub fn naive_victims(
    policy: Policy,
    seats: usize,
    sessions: &Sessions,
    newcomer: DeviceId,
    platform: Platform,
    now: WallTime,
) -> BTreeMap<DeviceId, EndReason> {
    let mut left = sessions.clone();
    left.remove(&newcomer);
    let group = groups(policy).into_iter().find(|group| group.contains(&platform)).unwrap();
    let mut victims = BTreeMap::new();
    for (&device, session) in sessions.iter() {
        if device != newcomer && session.platform != platform && group.contains(&session.platform) {
            victims.insert(device, EndReason::OtherPlatform);
        }
    }
    loop {
        let mut rivals: Vec<_> = left.iter().filter(|(_, session)| session.platform == platform).collect();
        if rivals.len() < seats {
            return victims;
        }
        rivals.sort_by_key(|(_, session)| session.epoch);
        let &(&victim, _) = rivals.iter().find(|(_, session)| is_dormant(session, now)).unwrap_or(&rivals[0]);
        victims.insert(victim, EndReason::SamePlatform);
        left.remove(&victim);
    }
}

/// CONN-6.
pub fn is_dormant(session: &Session, now: WallTime) -> bool {
    let after = Duration::from_secs(if session.platform == Platform::Web { 90 } else { 400 });
    match session.link {
        Link::Connected => false,
        Link::Lost { at } => now - at >= after,
    }
}

/// PRES-1.
fn naive_presence(account: &UserRecord, now: WallTime) -> Presence {
    let mut presence = Presence::Offline;
    for session in account.sessions.values() {
        let is_mobile = [Platform::Android, Platform::Ios, Platform::Ipad].contains(&session.platform);
        match session.link {
            Link::Connected => return Presence::Online,
            Link::Lost { at } if is_mobile && now - at < PUSH_ONLINE => presence = Presence::PushOnline,
            Link::Lost { .. } => {}
        }
    }
    presence
}
