//! One step of the reference server: what is demanded because of what came in, and made true.

use std::collections::{BTreeMap, BTreeSet};

use gatecrash::protocol::FrameError;
use gatecrash::time::Instant;

use super::compare::Wanted;
use super::outbox::Answer;
use super::records::Id;
use super::server::Server;
use super::tickets::Worth;
use super::time::is_past;
use crate::scenario::rules::{RuleId, rule};
use crate::trace::{DeviceIndex, Fact, ServerFrame, UserIndex};

const INPUT: RuleId = rule("INPUT-1");
const PRESENCE: RuleId = rule("PRES-1");

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
    pub(super) touched: BTreeMap<UserIndex, Vec<DeviceIndex>>,
    /// The ticket it has judged, and what may be said of it.
    pub(super) judged: Option<(DeviceIndex, UserIndex, Worth)>,
    /// What the server made of it: the numbers it gave, and what it decided where the model cannot.
    pub(super) given: Vec<Fact>,
    /// The change that what is said now reveals.
    pub(super) reveals: u32,
}

impl Server {
    /// Begins one at this time. `facts` are what the server made of it.
    pub(super) fn begin(&mut self, (now, wall): (Instant, (u64, u64)), facts: &[Fact]) {
        let Step { given, wanted, .. } = &mut self.step;
        let (mut given, mut wanted) = (std::mem::take(given), std::mem::take(wanted));
        given.clear();
        wanted.clear();
        given.extend_from_slice(facts);
        self.step = Step { now, wall, wanted, given, reveals: self.decided_last(), ..Step::default() };
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

    /// One presence event. An optional one is demanded only if the server decided it, and that alone.
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
    pub(super) fn started(&mut self) {
        let connected: Vec<(UserIndex, Id, u32)> = self
            .records
            .users
            .iter()
            .flat_map(|(&user, account)| account.sessions.iter().map(move |session| (user, *session)))
            .filter(|(_, session)| session.lost.is_none())
            .map(|(user, session)| (user, session.id, session.epoch))
            .collect();
        for (user, id, epoch) in connected {
            self.lose_link(const { rule("DUR-4") }, user, id, epoch);
        }
        let wall = self.step.wall.0;
        let mut lapsed = BTreeSet::new();
        for (&user, account) in &mut self.records.users {
            for session in &mut account.sessions {
                session.lapsed = session.lost.is_some_and(|lost| is_past(lost, self.limits.push_online, wall));
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
}
