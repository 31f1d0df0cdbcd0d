//! What a device asks for with an attempt number: login, resume, renewal, logout (ATT-1).

use std::time::Duration;

use gatecrash::code::Code;
use gatecrash::id::Attempt;
use gatecrash::policy::Platform;
use gatecrash::protocol::{Closing, FrameError, KickReason};
use gatecrash::store::EndReason;

use super::arguments::is_user_id;
use super::memory::{Connection, Standing, Whose};
use super::outbox::Answer;
use super::records::{Id, Session};
use super::seats::displaced;
use super::server::Server;
use crate::scenario::numbers;
use crate::scenario::rules::{RuleId, rule};
use crate::trace::{Cast, Fact, Kick, Refusal, Seconds, ServerFrame, TextIndex, TicketIndex, UserIndex};

const ATTEMPT: RuleId = rule("ATT-1");
const RESUME: RuleId = rule("CONN-4");
const BACK: RuleId = rule("KICK-6");
const SEATS: RuleId = rule("POLICY-3");
const BUSY: RuleId = rule("CONN-12");
const PACE: RuleId = rule("LOGIN-11");

type Conversations = Vec<(UserIndex, u32, TextIndex)>;

impl Server {
    /// CONN-12: who comes on top of what the server can do, or too often, is told when to come back, and let go.
    pub(super) fn turns_away(&mut self, connection: u32, resumes: Option<Id>) -> bool {
        let every = self.limits.logins_every;
        let backlog = resumes.map(|id| self.memory.backlog(Whose::Resumes(id)).by(self.step.now));
        let too_much =
            backlog.map_or(Duration::ZERO, |backlog| backlog.left.saturating_sub(every * (self.limits.logins_max - 1)));
        if too_much > Duration::ZERO {
            self.say_busy(connection, too_much);
            return true;
        }
        if self.is_full_of_work(connection) {
            return true;
        }
        if let (Some(id), Some(backlog)) = (resumes, backlog) {
            self.memory.backlogs.note(Whose::Resumes(id), backlog.and(every));
        }
        false
    }

    fn is_full_of_work(&mut self, connection: u32) -> bool {
        let capacity = self.limits.capacity;
        let each = Duration::from_micros((1_000_000 / u64::from(capacity)).max(1));
        let work = self.memory.work.by(self.step.now);
        let most = each * (capacity - 1);
        if work.left <= most {
            self.memory.work = work.and(each);
            return false;
        }
        let place = (self.step.now + (work.left - most)).max(self.memory.promised);
        self.memory.promised = place + each;
        self.say_busy(connection, place - self.step.now);
        true
    }

    fn say_busy(&mut self, connection: u32, after: Duration) {
        let after = after.min(numbers::AWAY_MAX).into();
        let busy = ServerFrame::Closing { why: Closing::Busy, after, spread: self.terms().return_spread };
        self.step.turned_away = Some((BUSY, "the server is busy"));
        self.say(BUSY, connection, Answer::This(busy));
        self.close(BUSY, connection);
    }

    /// LOGIN-11: whether there are too many logins of this user or from this device.
    fn is_too_fast(&self, user: UserIndex, id: Id) -> bool {
        let most = self.limits.logins_every * (self.limits.logins_max - 1);
        [Whose::User(user), Whose::Device(id)]
            .iter()
            .any(|&whose| self.memory.backlog(whose).by(self.step.now).left > most)
    }

    /// Whether the attempt is acted upon. From then on the device's earlier connection is closed,
    /// unless it carries a session (CONN-7).
    fn act_on(&mut self, connection: u32, id: Id, attempt: Attempt) -> bool {
        let admitted = self.records.devices.get(&id).map(|device| device.attempt);
        let highest = admitted.or_else(|| self.memory.attempts.of(id));
        if highest.is_some_and(|highest| attempt <= highest) {
            return false;
        }
        if admitted.is_some() {
            self.fact(ATTEMPT, Fact::AttemptRaised { device: id.0, installation: id.1, attempt });
        } else {
            self.memory.attempts.note(id, attempt);
        }
        let earlier = self.memory.newest.insert(id, connection).filter(|&earlier| earlier != connection);
        if let Some(earlier) = earlier.filter(|&earlier| self.memory.carries.get(&id) != Some(&earlier)) {
            self.close(const { rule("CONN-7") }, earlier);
        }
        true
    }

    /// Answers a stale attempt. Its connection is closed if the device has another by now.
    fn stale(&mut self, connection: u32, id: Id, answer: ServerFrame) {
        self.step.turned_away = Some((ATTEMPT, "the attempt is stale"));
        self.say(ATTEMPT, connection, Answer::This(answer));
        let current = self.memory.carries.get(&id).or_else(|| self.memory.newest.get(&id));
        let Some(current) = current.copied().filter(|&current| current != connection) else { return };
        // The other one may have been let go by now, and the disk be waited for with that.
        let is_over =
            |link: &Connection| link.linger.into_iter().chain(link.admission).any(|until| until <= self.step.now);
        match self.memory.connections.get(&current).is_some_and(is_over) {
            true => self.outbox.may_close(connection),
            false => self.close(const { rule("CONN-7") }, connection),
        }
    }

    /// What the ticket is worth; whether it passed, the server tells where the trace does not.
    fn judge(&mut self, cast: &Cast, id: Id, user: UserIndex, ticket: Option<TicketIndex>) -> Result<(), Vec<Code>> {
        let (earliest, latest) = self.step.wall;
        let when = (self.step.now, (earliest / 1_000_000, latest / 1_000_000));
        let worth = self.tickets.worth(cast, ticket, user, self.records.users.get(&user), when);
        let is_new = |fact: &Fact| !self.step.wanted.iter().any(|one| one.fact == *fact);
        let admits = |fact: &Fact| match fact {
            Fact::SessionAccepted { .. } | Fact::SessionResumed { .. } | Fact::SessionRenewed { .. } => true,
            // The notice of KICK-7 settles a kick, and so does the login itself where it names one.
            Fact::KickSettled { .. } => is_new(fact),
            _ => false,
        };
        let passes = worth.may_pass && (worth.refusals.is_empty() || self.step.given.iter().any(admits));
        let refusals = worth.refusals.clone();
        self.step.judged = Some((id.0, user, worth));
        if passes { Ok(()) } else { Err(refusals) }
    }

    /// The same behind the lock of TICKET-4.
    fn admit(&mut self, cast: &Cast, id: Id, user: UserIndex, ticket: Option<TicketIndex>) -> Result<(), Vec<Code>> {
        let (now, limits) = (self.step.now, self.limits.clone());
        let mut refusals = self.memory.refusals.of((user, id)).unwrap_or_default();
        if refusals.locked_until.is_some_and(|until| now < until) {
            return Err(vec![Code::TooManyRefusals]);
        }
        let judged = self.judge(cast, id, user, ticket);
        if judged.is_err() {
            refusals.at.retain(|&earlier| now < earlier + limits.refusals_window);
            refusals.at.push(now);
            if refusals.at.len() >= limits.refusals_max as usize {
                refusals.at.clear();
                refusals.locked_until = Some(now + limits.refusals_lock);
            }
            self.memory.refusals.note((user, id), refusals);
        }
        judged
    }

    pub(super) fn login(
        &mut self,
        cast: &Cast,
        (connection, id, platform): (u32, Id, Platform),
        (call, attempt, user, ticket): (u32, Attempt, UserIndex, Option<TicketIndex>),
        known_ended: Option<crate::trace::Session>,
    ) {
        if !self.act_on(connection, id, attempt) {
            return self.stale(connection, id, ServerFrame::LoginRefused { call, refused: Refusal::Stale });
        }
        if let Some(known) = known_ended {
            self.settle(id, known.user, known.epoch);
        }
        let refused = |code| ServerFrame::LoginRefused { call, refused: Refusal::Code(code) };
        if !is_user_id(cast.user_name(user)) {
            const NAME: RuleId = rule("LOGIN-2");
            self.step.turned_away = Some((NAME, "nobody can have that name"));
            return self.say(NAME, connection, Answer::This(refused(Code::UserIdRejected)));
        }
        if let Err(codes) = self.admit(cast, id, user, ticket) {
            return self.say_refused(connection, &codes, refused);
        }
        if self.is_too_fast(user, id) {
            self.step.turned_away = Some((PACE, "there are too many logins"));
            return self.say(PACE, connection, Answer::This(refused(Code::TooManyLogins)));
        }
        let owed = self.records.ended(id).copied().filter(|ended| {
            ended.user == user && numbers::is_displacement(ended.reason) && ended.owed && ended.acknowledged
        });
        if let Some(owed) = owed.filter(|_| self.config.as_ref().is_some_and(|config| config.notify_offline_kick)) {
            self.settle(id, user, owed.epoch);
            const NOTICE: RuleId = rule("KICK-7");
            self.step.turned_away = Some((NOTICE, "it is owed the notice of a kick first"));
            return self.say(NOTICE, connection, Answer::This(refused(Code::KickedWhileAway)));
        }
        let (now, each) = (self.step.now, self.limits.logins_every);
        // Both as they were: to note the one may push out the other, where there is room for so few.
        let one_more = |whose| (whose, self.memory.backlog(whose).by(now).and(each));
        for (whose, backlog) in [Whose::User(user), Whose::Device(id)].map(one_more) {
            self.memory.backlogs.note(whose, backlog);
        }
        let (epoch, lines) = self.accept((connection, id, platform), user, attempt, ticket, (cast, true));
        let frame = ServerFrame::LoginAccepted { call, epoch, conversations: None, terms: self.terms() };
        self.say(const { rule("POLICY-3") }, connection, Answer::Conversations(frame, lines));
    }

    fn say_refused(&mut self, connection: u32, codes: &[Code], refused: impl Fn(Code) -> ServerFrame) {
        let (rule, why) = match codes {
            [Code::TooManyRefusals] => (const { rule("TICKET-4") }, "it is locked out for refused tickets"),
            _ => (const { rule("TICKET-3") }, "its ticket is not worth it"),
        };
        self.step.turned_away = Some((rule, why));
        let frames: Vec<ServerFrame> = codes.iter().map(|&code| refused(code)).collect();
        self.say(rule, connection, Answer::OneOf(frames));
    }

    /// POLICY-3: an accepted login always wins.
    fn accept(
        &mut self,
        (connection, id, platform): (u32, Id, Platform),
        user: UserIndex,
        attempt: Attempt,
        ticket: Option<TicketIndex>,
        (cast, counts): (&Cast, bool),
    ) -> (u32, Conversations) {
        let ticket = ticket.expect("a ticket that passed could be read");
        if !self.records.users.contains_key(&user) {
            self.fact(const { rule("LOGIN-1") }, Fact::AccountCreated { user });
        }
        let day = (self.step.wall.0 / 1_000_000 / (24 * 60 * 60)) as u32;
        let is_counted = self.records.users.get(&user).is_some_and(|account| account.was_counted(day));
        if counts && !is_counted {
            let users = self.records.days.get(&day).map_or(1, |users| users + 1);
            self.fact(const { rule("DAU-1") }, Fact::DayCounted { user, day, users });
        }
        if let Some(holder) = self.records.devices.get(&id).and_then(|device| device.holds) {
            let (rule, reason) = match holder == user {
                true => (const { rule("LOGIN-10") }, EndReason::Replaced),
                false => (const { rule("SWITCH-5") }, EndReason::OtherUser),
            };
            self.end_own(rule, (holder, id), reason, connection);
        }
        let others = self.records.users.get(&user).map(|account| account.sessions.clone()).unwrap_or_default();
        if let Some(config) = &self.config {
            let wall = self.step.wall.0;
            let gone = displaced(&config.seats, &others, platform, |session| self.is_dormant(session, wall));
            for (Session { id: victim, .. }, reason) in gone {
                self.end_for(SEATS, (user, victim), reason, Some(id.0));
            }
        }
        let (device, installation) = id;
        let (rule, epoch) = self.next_epoch(user);
        let made = cast.ticket(ticket);
        let until = Seconds::new(made.issued.saturating_add(made.ttl));
        self.memory.attempts.forget(id);
        let accepted = Fact::SessionAccepted { user, device, installation, platform, epoch, attempt, ticket, until };
        self.fact(rule, accepted);
        self.carry(connection, id, user, epoch);
        self.touch(user);
        (epoch, self.conversations(user))
    }

    /// The epoch the server gave, if that is above all earlier ones; or else one that is (DUR-3).
    fn next_epoch(&mut self, user: UserIndex) -> (RuleId, u32) {
        let last = self.epochs.get(&user).copied().unwrap_or(0);
        let given = self.step.given.iter().find_map(|fact| match *fact {
            Fact::SessionAccepted { user: of, epoch, .. } if of == user => Some(epoch),
            _ => None,
        });
        let grown = given.filter(|&epoch| epoch > last);
        let epoch = grown.unwrap_or(last + 1);
        self.epochs.insert(user, epoch);
        (if given == grown { SEATS } else { const { rule("DUR-3") } }, epoch)
    }

    /// API-2: newest first.
    fn conversations(&self, user: UserIndex) -> Conversations {
        let Some(account) = self.records.users.get(&user) else { return Vec::new() };
        let mut lines: Conversations =
            account.conversations.iter().map(|(&peer, &(last, text))| (peer, last, text)).collect();
        lines.sort_by_key(|&(_, last, _)| std::cmp::Reverse(last));
        lines.truncate(self.limits.conversations_max);
        lines
    }

    /// CONN-4: one of four things.
    pub(super) fn resume(
        &mut self,
        cast: &Cast,
        (connection, id, platform): (u32, Id, Platform),
        (attempt, user, epoch, ticket): (Attempt, UserIndex, u32, Option<TicketIndex>),
        received: u32,
    ) {
        if !self.act_on(connection, id, attempt) {
            return self.stale(connection, id, ServerFrame::ResumeStale { attempt });
        }
        let judged = self.judge(cast, id, user, ticket);
        let may_return = self.config.as_ref().is_some_and(|config| config.reconnect_kicks);
        // KICK-6: what a resume under this epoch was given, and no answer told.
        let is_unheard = |given: u32, acknowledged: bool| may_return && given > epoch && !acknowledged;
        let is_meant = |given: u32, acknowledged| given == epoch || is_unheard(given, acknowledged);
        let was_given = self.records.queues.get(&(user, id.0, epoch)).map_or(0, |queue| queue.last);
        let names_it = self.records.session(user, id).is_some_and(|live| live.epoch == epoch);
        if judged.is_ok() && names_it && received > was_given {
            self.end_own(const { rule("API-7") }, (user, id), EndReason::Replaced, connection);
        }
        let live = self.records.session(user, id).filter(|live| is_meant(live.epoch, live.acknowledged)).copied();
        if let Some(session) = live {
            if let Err(codes) = judged {
                return self.say_refused(connection, &codes, |code| ServerFrame::ResumeRefused { attempt, code });
            }
            self.must_live(user, &session);
            let ticket = ticket.expect("a ticket that passed could be read");
            let made = cast.ticket(ticket);
            let until = Seconds::new(made.issued.saturating_add(made.ttl));
            let (rule, given) = if session.epoch == epoch { (RESUME, epoch) } else { (BACK, session.epoch) };
            self.fact(rule, Fact::SessionResumed { user, device: id.0, epoch: given, ticket, until });
            self.carry(connection, id, user, given);
            self.touch(user);
            let frame = if given == epoch {
                let dropped = self.goes_on_from(connection, id, (user, epoch), received);
                ServerFrame::Resumed { attempt, conversations: None, terms: self.terms(), dropped }
            } else {
                ServerFrame::ResumedAsLogin { attempt, epoch: given, conversations: None, terms: self.terms() }
            };
            let lines = self.conversations(user);
            return self.say(rule, connection, Answer::Conversations(frame, lines));
        }
        let ended = self.records.ended(id).copied().filter(|ended| {
            ended.names(user, epoch) || ended.user == user && is_unheard(ended.epoch, ended.acknowledged)
        });
        let (rule, answer) = match ended {
            None => {
                let kick = Kick { user, epoch, reason: KickReason::Gone, by: None };
                (const { rule("KICK-9") }, ServerFrame::ResumeKicked { attempt, kick })
            }
            Some(ended) => match numbers::kick_for(ended.reason) {
                None => (const { rule("TICKET-6") }, ServerFrame::ResumeExpired { attempt }),
                Some(reason) => {
                    if may_return && numbers::is_displacement(ended.reason) && ended.owed && judged.is_ok() {
                        let newcomer = (connection, id, platform);
                        let (epoch, lines) = self.accept(newcomer, user, attempt, ticket, (cast, false));
                        let terms = self.terms();
                        let frame = ServerFrame::ResumedAsLogin { attempt, epoch, conversations: None, terms };
                        return self.say(BACK, connection, Answer::Conversations(frame, lines));
                    }
                    let kick = Kick { user, epoch, reason, by: ended.by };
                    (const { rule("KICK-5") }, ServerFrame::ResumeKicked { attempt, kick })
                }
            },
        };
        // A connection that carries a live session goes on carrying it.
        if !matches!(self.memory.standing(connection), Standing::Carries(..)) {
            self.over(connection, user, epoch);
        }
        self.say(rule, connection, Answer::This(answer));
    }

    /// LOGIN-5: another ticket for a session that goes on unchanged.
    pub(super) fn renew(
        &mut self,
        cast: &Cast,
        (connection, id): (u32, Id),
        (call, attempt, user, epoch, ticket): (u32, Attempt, UserIndex, u32, Option<TicketIndex>),
    ) {
        const RENEWAL: RuleId = rule("LOGIN-5");
        let standing = self.memory.standing(connection);
        if standing == Standing::Fresh {
            return self.refuse_frame(connection, FrameError::OutOfPlace);
        }
        let answer = |refused| ServerFrame::RenewAnswer { call, refused };
        if !self.act_on(connection, id, attempt) {
            return self.stale(connection, id, answer(Some(Refusal::Stale)));
        }
        if standing != Standing::Carries(user, epoch) {
            let refused = answer(Some(Refusal::Code(Code::NotLoggedIn)));
            return self.say(const { rule("KICK-10") }, connection, Answer::This(refused));
        }
        if let Err(codes) = self.admit(cast, id, user, ticket) {
            return self.say_refused(connection, &codes, |code| answer(Some(Refusal::Code(code))));
        }
        if let Some(&session) = self.records.session(user, id) {
            self.must_live(user, &session);
        }
        let ticket = ticket.expect("a ticket that passed could be read");
        let made = cast.ticket(ticket);
        let until = Seconds::new(made.issued.saturating_add(made.ttl));
        self.fact(RENEWAL, Fact::SessionRenewed { user, device: id.0, epoch, ticket, until });
        self.say(RENEWAL, connection, Answer::This(answer(None)));
    }

    /// ATT-2: ends the session of the device, and settles what it is owed (KICK-7).
    pub(super) fn logout(&mut self, connection: u32, id: Id, call: u32, attempt: Attempt) {
        if !self.act_on(connection, id, attempt) {
            let refused = Some(Refusal::Stale);
            return self.stale(connection, id, ServerFrame::LogoutAnswer { call, refused });
        }
        let held = self.records.devices.get(&id).and_then(|device| device.holds);
        let is_earlier = |user: &UserIndex| self.records.session(*user, id).is_some_and(|one| one.attempt <= attempt);
        if let Some(user) = held.filter(is_earlier) {
            self.end_own(const { rule("ATT-2") }, (user, id), EndReason::Logout, connection);
        }
        if self.records.ended(id).is_some() {
            self.fact(const { rule("KICK-7") }, Fact::EndForgotten { device: id.0 });
        }
        if matches!(self.memory.standing(connection), Standing::Over(..)) {
            self.refresh(connection);
        }
        self.say(
            const { rule("LOGOUT-1") },
            connection,
            Answer::This(ServerFrame::LogoutAnswer { call, refused: None }),
        );
    }
}
