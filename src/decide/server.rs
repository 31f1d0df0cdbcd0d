//! What the server's core decides.
//!
//! Every method sees what the decision depends on and nothing else; none changes anything.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use crate::code::Code;
use crate::id::{Attempt, ConnectionId, DeviceId, Epoch, MessageId, PublicName, SendId, UserId};
use crate::limits::ServerLimits;
use crate::policy::{Platform, Seats};
use crate::protocol::{KickReason, Message, Presence, RETURN_MAX};
use crate::store::{EndReason, Ended, Link, Owed, Places, Sent, SentMessage, Session, Sessions, UserRecord};
use crate::ticket::{self, Claims, OpenedTicket};
use crate::time::{Instant, WallTime};

/// Time for everything that waits in a machine to be read, also where that is a word of each of 65,536 connections.
pub const CATCH_UP: Duration = Duration::from_millis(500);

/// What becomes of a resume.
///
/// ```
/// use gatecrash::{code::Code, decide::server::ResumeVerdict};
///
/// assert_ne!(ResumeVerdict::Refused(Code::TicketExpired), ResumeVerdict::Expired);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResumeVerdict {
    /// The session gets its connection back.
    Resume,
    /// It had been displaced and comes back as a login (KICK-6).
    Login,
    /// It came back so before, as the session that the device has now, and its answer was lost.
    LoginAgain,
    /// It had ended, for this reason.
    Kicked(KickReason, Option<PublicName>),
    /// It had ended with its ticket.
    Expired,
    /// The ticket is refused.
    Refused(Code),
}

/// What the decision on a resume depends on.
///
/// ```
/// use gatecrash::{decide::{Rules, ServerDecisions, server::{ResumeCase, ResumeVerdict}}, id::Epoch, protocol::KickReason};
///
/// let user = "alice".parse().unwrap();
/// let unknown = ResumeCase { user, epoch: Epoch(1), session: None, ended: None, ticket: Ok(()), reconnect_kicks: false };
/// assert_eq!(Rules.resume(&unknown), ResumeVerdict::Kicked(KickReason::Gone, None));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ResumeCase<'a> {
    /// Whose session it names.
    pub user: UserId,
    /// Which epoch it names.
    pub epoch: Epoch,
    /// The session the device holds as that user.
    pub session: Option<&'a Session>,
    /// How the device's last session ended.
    pub ended: Option<&'a Ended>,
    /// What its ticket is worth.
    pub ticket: Result<(), Code>,
    /// Whether a displaced session may come back as a login.
    pub reconnect_kicks: bool,
}

/// A session that has to go, and why.
///
/// ```
/// use gatecrash::{decide::server::Victim, id::DeviceId, store::EndReason};
///
/// let victim = Victim { device: DeviceId::from_bytes([1; 16]), reason: EndReason::SamePlatform };
/// assert!(victim.reason.is_displacement());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Victim {
    /// The device that holds it.
    pub device: DeviceId,
    /// Why.
    pub reason: EndReason,
}

/// The refused tickets of one user on one device (TICKET-4).
///
/// ```
/// assert!(gatecrash::decide::server::Refusals::default().recent.is_empty());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Refusals {
    /// When the recent ones came, the oldest first.
    pub recent: Vec<Instant>,
    /// Until when logins and renewals are refused unchecked.
    pub locked_until: Option<Instant>,
}

/// How much something is done that may be done so often at once, and after that once in each `every` (CONN-12,
/// LOGIN-11): a bucket that a request fills and time empties.
///
/// ```
/// use std::time::Duration;
/// use gatecrash::{decide::server::Pace, time::Instant};
///
/// let (second, now) = (Duration::from_secs(1), Instant::ZERO);
/// let full = Pace::default().taken(2, second, now).and_then(|pace| pace.taken(2, second, now));
/// assert!(full.is_some_and(|pace| pace.taken(2, second, now).is_none()));
/// assert!(full.is_some_and(|pace| pace.taken(2, second, now + second).is_some()));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Pace {
    /// When all that was taken is paid for by time.
    pub(crate) paid_at: Instant,
}

impl Pace {
    /// The pace after one more; none when that is too many.
    pub fn taken(self, at_once: u32, every: Duration, now: Instant) -> Option<Self> {
        (now >= self.room_at(at_once, every)).then(|| Pace { paid_at: self.paid_at.max(now) + every })
    }

    /// When one more is not too many: when there are `at_once - 1` or fewer still to be paid for.
    pub fn room_at(self, at_once: u32, every: Duration) -> Instant {
        let spare = every * at_once.saturating_sub(1);
        let spare = u64::try_from(spare.as_micros()).unwrap_or(u64::MAX);
        Instant::from_micros(self.paid_at.as_micros().saturating_sub(spare))
    }
}

/// What the server has taken on lately, and promised to those it turned away (CONN-12).
///
/// ```
/// use gatecrash::decide::server::Load;
///
/// assert_eq!(Load::default(), Load::default());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Load {
    /// Logins and resumes taken.
    pub(crate) taken: Pace,
    /// Until when every place is promised to somebody who was turned away.
    pub(crate) promised: Instant,
}

/// The server's decisions. The default methods are the rules.
pub trait ServerDecisions: Clone + Debug + Default + Eq + Hash + Send + Sync + 'static {
    /// What a ticket is worth, in TICKET-3's order; `now` in whole seconds of the server's wall clock.
    ///
    /// # Errors
    ///
    /// The first refusal that applies.
    fn judge_ticket(
        &self,
        opened: &OpenedTicket,
        app_id: u64,
        user: UserId,
        account: Option<&UserRecord>,
        now: u64,
    ) -> Result<(), Code> {
        let voided = |claims: &Claims| account.is_some_and(|account| self.is_voided(account, claims));
        ticket::judge(opened.as_ref().map_err(|&code| code)?, app_id, &user, now, voided)
    }

    /// Whether an administrative kick voided the ticket (ADMIN-1).
    fn is_voided(&self, account: &UserRecord, claims: &Claims) -> bool {
        account.voided_until.is_some_and(|until| claims.issued_at <= until)
            || account.voided.contains_key(&claims.signature)
    }

    /// Whether an attempt is above the highest acted upon (ATT-1). Equal is not above: no device
    /// sends a number twice.
    fn is_new_attempt(&self, highest: Option<Attempt>, attempt: Attempt) -> bool {
        highest.is_none_or(|highest| attempt > highest)
    }

    /// Whether a logout ends the session that an earlier attempt of its device made (ATT-2).
    fn logout_ends(&self, session: Attempt, logout: Attempt) -> bool {
        session <= logout
    }

    /// The epoch of a user's next session: above their last one, and above whatever earlier servers gave
    /// and lost with a crash (DUR-3).
    fn next_epoch(&self, last: Epoch, floor: Epoch) -> Epoch {
        Epoch(last.max(floor).0 + 1)
    }

    /// Who is displaced by a login on `platform`: every session in the same group on another
    /// platform and, on the same platform, those above the limit, dormant ones first, then the
    /// oldest by epoch (POLICY-3). Named in this order, those of other platforms by epoch too. `sessions` are the user's without the newcomer's own device.
    fn victims(
        &self,
        seats: &Seats,
        sessions: &Sessions,
        platform: Platform,
        limits: &ServerLimits,
        now: WallTime,
    ) -> Vec<Victim> {
        let in_group = |session: &Session| seats.policy().same_group(session.platform, platform);
        let mut others: Vec<(Epoch, DeviceId)> = sessions
            .iter()
            .filter(|(_, session)| session.platform != platform && in_group(session))
            .map(|(&device, session)| (session.epoch, device))
            .collect();
        others.sort_unstable();
        let displaced = |(_, device)| Victim { device, reason: EndReason::OtherPlatform };
        let mut victims: Vec<Victim> = others.into_iter().map(displaced).collect();
        let mut rivals: Vec<(bool, Epoch, DeviceId)> = sessions
            .iter()
            .filter(|(_, session)| session.platform == platform)
            .map(|(&device, session)| {
                let dormant = session
                    .link
                    .lost_at()
                    .is_some_and(|lost_at| self.is_dormant(lost_at, limits.dormant_of(platform), now));
                (!dormant, session.epoch, device)
            })
            .collect();
        rivals.sort_unstable();
        let excess = (rivals.len() + 1).saturating_sub(seats.instances_max(platform));
        victims.extend(
            rivals[..excess.min(rivals.len())]
                .iter()
                .map(|&(_, _, device)| Victim { device, reason: EndReason::SamePlatform }),
        );
        victims
    }

    /// Whether a session that lost its link at `lost_at` is dormant by now (CONN-6).
    fn is_dormant(&self, lost_at: WallTime, dormant: Duration, now: WallTime) -> bool {
        now >= lost_at + dormant
    }

    /// What becomes of a resume (CONN-4, KICK-6): the reason recorded first is told, also when the
    /// ticket has expired since.
    ///
    /// Where a resume may be a login, its answer may be lost: the next one still names the epoch before.
    fn resume(&self, case: &ResumeCase<'_>) -> ResumeVerdict {
        // What it was given for an earlier resume under this epoch, and knows nothing of: that answer was lost.
        let is_heir = |epoch, acknowledged: bool| case.reconnect_kicks && epoch > case.epoch && !acknowledged;
        if let Some(session) = case.session {
            let verdict = if session.epoch == case.epoch {
                Some(ResumeVerdict::Resume)
            } else {
                is_heir(session.epoch, session.acknowledged).then_some(ResumeVerdict::LoginAgain)
            };
            if let Some(verdict) = verdict {
                return case.ticket.map_or_else(ResumeVerdict::Refused, |()| verdict);
            }
        }
        let is_its_own = |ended: &&Ended| {
            ended.names(case.user, case.epoch) || ended.user == case.user && is_heir(ended.epoch, ended.acknowledged)
        };
        let Some(ended) = case.ended.filter(is_its_own) else {
            return ResumeVerdict::Kicked(KickReason::Gone, None);
        };
        match ended.reason.kick() {
            None => ResumeVerdict::Expired,
            Some(_) if case.reconnect_kicks && ended.reason.is_displacement() && ended.owed && case.ticket.is_ok() => {
                ResumeVerdict::Login
            }
            Some(reason) => ResumeVerdict::Kicked(reason, ended.by),
        }
    }

    /// Whether a login is told of a displacement its device has not learnt of, instead of
    /// succeeding (KICK-7).
    fn owes_notice(&self, enabled: bool, ended: Option<&Ended>, user: UserId) -> bool {
        enabled
            && ended.is_some_and(|ended| {
                ended.user == user && ended.reason.is_displacement() && ended.owed && ended.acknowledged
            })
    }

    /// Whether naming (user, epoch) settles what the device is owed (KICK-2, KICK-3).
    fn settles(&self, ended: Option<&Ended>, user: UserId, epoch: Epoch) -> bool {
        ended.is_some_and(|ended| ended.names(user, epoch) && ended.owed)
    }

    /// Whether the end of a connection is the link loss of its device's session: not when the
    /// session has another connection by now (CONN-7).
    fn is_link_loss(&self, current: Option<ConnectionId>, gone: ConnectionId) -> bool {
        current == Some(gone)
    }

    /// A user's presence (PRES-1).
    fn presence(&self, sessions: &Sessions, push_online: Duration, now: WallTime) -> Presence {
        let pushable = |session: &Session| match session.link {
            Link::Connected => false,
            Link::Lost { at } => session.platform.is_mobile() && now < at + push_online,
        };
        if sessions.values().any(|session| session.link == Link::Connected) {
            Presence::Online
        } else if sessions.values().any(pushable) {
            Presence::PushOnline
        } else {
            Presence::Offline
        }
    }

    /// Whether an accepted login counts the user for `day` (DAU-1). `days` are the last ones
    /// counted; a day before all of them, when there is no room for it, has been counted.
    fn counts_day(&self, days: &BTreeSet<u32>, days_max: usize, day: u32) -> bool {
        let forgotten = days.len() >= days_max && days.first().is_some_and(|&first| day < first);
        !days.contains(&day) && !forgotten
    }

    /// Whether logins and renewals are refused unchecked (TICKET-4).
    fn is_locked(&self, refusals: &Refusals, now: Instant) -> bool {
        refusals.locked_until.is_some_and(|until| now < until)
    }

    /// The record after one more refused ticket (TICKET-4).
    fn refused(&self, mut refusals: Refusals, limits: &ServerLimits, now: Instant) -> Refusals {
        refusals.recent.retain(|&earlier| now < earlier + limits.refusals_window);
        refusals.recent.push(now);
        if refusals.recent.len() >= limits.refusals_max as usize {
            refusals = Refusals { recent: Vec::new(), locked_until: Some(now + limits.refusals_lock) };
        }
        refusals
    }

    /// Whether a connection last heard at `last_heard` has been silent for too long (CONN-5).
    fn is_silent(&self, last_heard: Instant, silence: Duration, now: Instant) -> bool {
        now >= last_heard + silence
    }

    /// For how long a server that stood still reads what has arrived, before it takes anybody for silent (CONN-5).
    fn catch_up(&self) -> Duration {
        CATCH_UP
    }

    /// Which of a user's devices without a session is let go now: the one whose last ticket ran out first, when that is
    /// long ago or when there are too many (ATT-6). `away` says when each one's ticket is over.
    fn lets_go(&self, away: &BTreeSet<(WallTime, DeviceId)>, limits: &ServerLimits, now: WallTime) -> Option<DeviceId> {
        let &(over_at, device) = away.first()?;
        (away.len() > limits.remembered_max || over_at + limits.remembered <= now).then_some(device)
    }

    /// Over how long so many devices come back when the server closes their connections, or its death does (CONN-2).
    fn return_spread(&self, devices: usize, limits: &ServerLimits) -> Duration {
        let micros = (devices as u64).saturating_mul(1_000_000) / u64::from(limits.returns_per_second.max(1));
        Duration::from_micros(micros).max(limits.return_spread_min).min(limits.return_spread_max).min(RETURN_MAX)
    }

    /// Which message of the sender this is, where it was sent before (API-6).
    fn sent_before(&self, sent: &Sent, id: SendId) -> Option<MessageId> {
        sent.number_of(id)
    }

    /// Up to which message what a user called theirs is to be forgotten: those above the bound and, where all
    /// older ones go, those whose session has ended and whose ticket is over as well (API-6).
    fn forgets_sent(&self, account: &UserRecord, sent_max: usize, now: u64) -> Option<MessageId> {
        let is_live = |sent: &SentMessage| {
            now <= sent.last_second || account.sessions.values().any(|session| session.epoch == sent.epoch)
        };
        let excess = account.sent.len().saturating_sub(sent_max);
        let goes = |(place, sent): &(usize, &SentMessage)| *place < excess || !is_live(sent);
        account.sent.iter().enumerate().take_while(goes).last().map(|(_, sent)| sent.number)
    }

    /// Whether a session of the sender or the receiver is owed the message, which came from this device (API-7).
    /// Whoever's session has not ended is, connected, without a link or dormant; the sending device has it.
    fn is_owed(&self, sender: DeviceId, device: DeviceId, _session: &Session) -> bool {
        device != sender
    }

    /// Up to which place messages go for want of room (API-7): never the newest.
    fn dropped_through(&self, owed: &Owed, limits: &ServerLimits) -> Option<u64> {
        let (mut left, mut bytes) = (owed.len(), owed.bytes());
        let goes = |(_, message): &(u64, &Arc<Message>)| {
            let is_too_much = left > 1 && (left > limits.owed_max || bytes > limits.owed_bytes_max);
            (left, bytes) = (left - 1, bytes - message.text.len());
            is_too_much
        };
        owed.iter().take_while(goes).last().map(|(place, _)| place)
    }

    /// Up to which place messages are owed no more once the device says that it has those up to `received` (API-7).
    fn received_through(&self, owed: Places, received: u64) -> Option<u64> {
        let through = received.min(owed.last);
        (through > owed.gone).then_some(through)
    }

    /// How many messages a device missed, for want of room, that has those up to `received` (API-7).
    fn missed(&self, owed: Places, received: u64) -> u64 {
        owed.gone.saturating_sub(received)
    }

    /// The load after one more login or resume; or, where that is more than the server can, the load with a place
    /// promised, and after how long that is (CONN-12).
    ///
    /// # Errors
    ///
    /// The load and the time, when it has to be turned away.
    fn take_on(&self, load: Load, limits: &ServerLimits, now: Instant) -> Result<Load, (Load, Duration)> {
        let capacity = limits.capacity.max(1);
        let every = Duration::from_micros((1_000_000 / u64::from(capacity)).max(1));
        if let Some(taken) = load.taken.taken(capacity, every, now) {
            return Ok(Load { taken, ..load });
        }
        let place = load.taken.room_at(capacity, every).max(load.promised);
        Err((Load { promised: place + every, ..load }, (place - now).min(RETURN_MAX)))
    }

    /// The pace of a user's logins, or of a device's, after one more; none when there are too many (LOGIN-11).
    fn login_pace(&self, pace: Pace, limits: &ServerLimits, now: Instant) -> Option<Pace> {
        pace.taken(limits.logins_max, limits.logins_every, now)
    }

    /// The pace of a device's resumes after one more (CONN-12).
    ///
    /// # Errors
    ///
    /// There are too many: how long it takes until there is room for this one.
    fn resume_pace(&self, pace: Pace, limits: &ServerLimits, now: Instant) -> Result<Pace, Duration> {
        let (most, every) = (limits.logins_max, limits.logins_every);
        pace.taken(most, every, now).ok_or_else(|| (pace.room_at(most, every) - now).min(RETURN_MAX))
    }

    /// Whether the user may make administrative calls (ADMIN-3).
    fn may_administer(&self, administrators: &BTreeSet<UserId>, user: UserId) -> bool {
        administrators.contains(&user)
    }
}
