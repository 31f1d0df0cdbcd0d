//! What the reference server demands in a step: facts, which it makes true, answers, presence events.
//!
//! What a kind of input leads to is in files of its own.

use gatecrash::protocol::FrameError;
use gatecrash::time::Instant;

use super::compare::Wanted;
use super::outbox::Answer;
use super::server::Server;
use super::step::Step;
use crate::scenario::rules::{RuleId, rule};
use crate::trace::{DeviceIndex, Fact, ServerFrame, UserIndex};

const INPUT: RuleId = rule("INPUT-1");
const PRESENCE: RuleId = rule("PRES-1");

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
            self.let_go(user);
            self.presence_event(user, kicked, false);
        }
    }

    /// One presence event. An optional one is demanded only if the server decided it, and that alone.
    pub(super) fn presence_event(&mut self, user: UserIndex, kicked: Vec<DeviceIndex>, is_optional: bool) {
        let Some(account) = self.records.users.get(&user) else { return };
        let presence = self.presence_at(account, self.step.wall.0);
        let fact = Fact::PresenceChanged { user, sequence: account.presence_number + 1, presence, kicked: None };
        let is_event = |given: &Fact| matches!(given, Fact::PresenceChanged { .. });
        if is_optional && !(self.step.given.iter().all(is_event) && self.step.given.contains(&fact)) {
            return;
        }
        self.records.apply(&fact, None);
        self.step.wanted.push(Wanted { rule: PRESENCE, fact, kicked });
    }
}
