//! One user: sends each fact to the group of platforms that it concerns.
//!
//! Groups never concern each other, so each is a search of its own; an administrator concerns them all.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::fact::{Answer, OwnEnd, Reason, Span};
use super::group::{Group, Terms};
use super::profile::{Bounds, Profile};
use super::violation::Outcome;

/// So many of a user's latest administrators are remembered for a first login on other platforms.
const ADMINISTRATORS_MAX: usize = 16;

/// The order of seats of one user: told what a history says, it says what no order of acceptances explains. What is said of
/// an instant is said no later than [`Bounds::lag`] after it, and what one device did in its order: what comes later may be
/// too late to excuse. Instants are in microseconds; logins are the caller's numbers, each used once. What is said of a
/// login that was never called, or is forgotten, counts for nothing.
///
/// ```
/// use std::sync::Arc;
///
/// use gatecrash_sim::seats::{Answer, Bounds, ComesBack, Profile, SeatPlan, Seats, Span, Victim, Wins};
///
/// let profile = Profile {
///     wins: Wins::NewestWins,
///     seats: SeatPlan::OneName,
///     comes_back: ComesBack::Resume,
///     victim: Victim::Told,
/// };
/// let mut seats = Seats::new(Arc::new(profile), Bounds::default());
/// seats.login_called(1, 10, 0, Span::at(1));
/// seats.login_called(2, 20, 0, Span::at(2));
/// seats.login_answered(1, Span::at(8), Answer::Accepted);
/// seats.login_answered(2, Span::at(9), Answer::Accepted);
/// // Either may have been accepted first; since device 20 was told of the other, it was.
/// seats.told_kicked(2, Span::at(12), Some(10), None);
/// let outcome = seats.finish();
/// assert_eq!((outcome.judged, outcome.violations.len()), (2, 0));
/// ```
#[derive(Debug)]
pub struct Seats {
    profile: Arc<Profile>,
    bounds: Bounds,
    groups: BTreeMap<u32, Group>,
    /// What administrators did lately: it may concern a login that was called before and is said after.
    administrators: VecDeque<(Span, bool)>,
    /// There may be sessions of which nothing is known.
    fog: bool,
    outcome: Outcome,
}

impl Seats {
    /// A user of whom nothing is known yet, in a system that promises this.
    pub fn new(profile: Arc<Profile>, bounds: Bounds) -> Self {
        let (groups, administrators) = (BTreeMap::new(), VecDeque::new());
        Seats { profile, bounds, groups, administrators, fog: false, outcome: Outcome::default() }
    }

    /// The same of a user who may have been logged in before: those sessions are older than all that is said of from here on.
    pub fn of_unknown_past(profile: Arc<Profile>, bounds: Bounds) -> Self {
        Seats { fog: true, ..Seats::new(profile, bounds) }
    }

    /// A login was called. Whatever the device called before and had no result for is unknown from here on.
    pub fn login_called(&mut self, login: u64, device: u32, platform: u16, at: Span) {
        let own = self.profile.seats.group(platform);
        let mut terms = Terms { profile: &self.profile, bounds: self.bounds, outcome: &mut self.outcome };
        for (_, group) in self.groups.iter_mut().filter(|(group, _)| **group != own) {
            group.left(device, at.from, &mut terms);
        }
        let group = self.groups.entry(own).or_insert_with(|| {
            let mut group = Group::new();
            group.book.fog = self.fog;
            for (at, sure) in self.administrators.iter().filter(|(span, _)| span.to >= at.from) {
                group.administrator(*at, *sure, &mut terms);
            }
            group
        });
        group.called(login, device, platform, at, &mut terms);
    }

    /// A login had its result. Never answered is as unknown.
    pub fn login_answered(&mut self, login: u64, at: Span, answer: Answer) {
        self.of(login, |group, terms| group.answered(login, at, answer, terms));
    }

    /// A login's session lived at some instant between these two: a request that only a live session gets answered was sent at
    /// the one and answered at the other.
    pub fn alive(&mut self, login: u64, begun: u64, answered: u64) {
        self.of(login, |group, _| group.alive(login, begun, answered));
    }

    /// A login's device was told that its session was over: displaced, by this device where one is named, or ended by an
    /// administrator. That it is gone may follow from any end.
    pub fn told_kicked(&mut self, login: u64, at: Span, by: Option<u32>, reason: Option<Reason>) {
        self.of(login, |group, terms| group.kicked(login, at, by, reason, terms));
    }

    /// A login's session ended by itself at some instant between these two, if it had not ended before. Without `to`, after
    /// `from` or never: a logout that the server may not have heard of yet. What is said last counts.
    pub fn ended(&mut self, login: u64, why: OwnEnd, from: u64, to: Option<u64>) {
        self.of(login, |group, terms| group.ended(login, why, from, to, terms));
    }

    /// An administrator ended all of the user's sessions; unless it is sure, perhaps.
    pub fn administrator(&mut self, at: Span, sure: bool) {
        let mut terms = Terms { profile: &self.profile, bounds: self.bounds, outcome: &mut self.outcome };
        for group in self.groups.values_mut() {
            group.administrator(at, sure, &mut terms);
        }
        self.administrators.push_back((at, sure));
        if self.administrators.len() > ADMINISTRATORS_MAX {
            self.administrators.pop_front();
        }
    }

    /// Had another device or an administrator ended a login's session at or before `by`, its device would have been told by
    /// now. To be said only while it was not.
    pub fn would_have_heard(&mut self, login: u64, by: u64) {
        self.of(login, |group, terms| group.would_have_heard(login, by, terms));
    }

    /// A login's device came back, on its platform, after it had lost its link. Counts only where coming back is a login, and then too it may
    /// have come to nothing.
    pub fn came_back(&mut self, login: u64, device: u32, platform: u16, at: Span) {
        let own = self.profile.seats.group(platform);
        let mut terms = Terms { profile: &self.profile, bounds: self.bounds, outcome: &mut self.outcome };
        if let Some(group) = self.groups.get_mut(&own) {
            group.came_back(login, device, platform, at, &mut terms);
        }
    }

    /// A login's session may have been dormant within this span, and so go before older ones on its platform. Said before the
    /// end of the span is more than the lag behind.
    pub fn dormant(&mut self, login: u64, span: Span) {
        self.of(login, |group, _| group.dormant(login, span));
    }

    /// Everything has come to rest. `alive` are the logins whose devices are logged in; of `unseen` that cannot be known from
    /// outside: its process does not run, or it has no link. Every other login that was accepted is not logged in.
    pub fn settled(&mut self, at: u64, alive: &[u64], unseen: &[u64]) {
        for group in self.groups.values_mut() {
            self.outcome.violations.extend(alive.iter().filter_map(|login| group.alive_though_told(*login, at)));
            group.settled(at, alive, unseen);
        }
    }

    /// How many logins, facts and explanations are kept: no more than what is open.
    pub fn kept(&self) -> usize {
        self.groups.values().map(Group::kept).sum()
    }

    /// What came of it.
    pub fn finish(mut self) -> Outcome {
        let mut terms = Terms { profile: &self.profile, bounds: self.bounds, outcome: &mut self.outcome };
        for (_, group) in self.groups {
            group.finish(&mut terms);
        }
        self.outcome
    }

    fn of(&mut self, login: u64, tell: impl FnOnce(&mut Group, &mut Terms<'_>)) {
        let mut groups = self.groups.values_mut();
        if let Some(group) = groups.find(|group| group.knows(login) || group.has_told(login)) {
            let mut terms = Terms { profile: &self.profile, bounds: self.bounds, outcome: &mut self.outcome };
            tell(group, &mut terms);
        }
    }
}
