//! What the SDK's core decides: who may call what, whom a kick ends, when to connect again.
//!
//! Keeps no state and does nothing: `client` asks, and does the bookkeeping.

use std::fmt::Debug;
use std::hash::Hash;
use std::time::Duration;

use crate::code::Code;
use crate::id::{Attempt, UserId};
use crate::limits::ClientLimits;
use crate::protocol::{
    Admission, Closing, Conversation, Kick, Message, QUERY_USERS_MAX, Refusal, ResumeOutcome, Return, SessionName,
    TEXT_BYTES_MAX, Terms,
};
use crate::ticket::Ticket;
use crate::time::Instant;

/// How long a ticket is taken to last of which the SDK cannot read it: what business servers usually have signed.
pub(crate) const UNKNOWN_TICKET: Duration = Duration::from_secs(180 * 24 * 60 * 60);

/// Where the SDK stands when something is to be decided.
///
/// ```
/// use gatecrash::decide::client::Standing;
///
/// assert_ne!(Standing::Nobody, Standing::LoggingOut);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Standing {
    /// Before `init` and after `uninit`.
    Uninitialised,
    /// Nobody is logged in and nothing is pending.
    Nobody,
    /// A login of this user is pending.
    LoggingIn(UserId),
    /// A session stands, its link up or not.
    LoggedIn {
        /// The session.
        session: SessionName,
        /// Whether a renewal of it is pending.
        renewing: bool,
    },
    /// A logout waits for its answer.
    LoggingOut,
}

/// What the application calls, as far as it matters to whether it may.
///
/// ```
/// use gatecrash::code::Code;
/// use gatecrash::decide::{ClientDecisions, Rules, client::{CallKind, Standing}};
///
/// assert_eq!(Rules.call_refusal(CallKind::Logout, Standing::Nobody, None), Some(Code::NotLoggedIn));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CallKind {
    /// Starts the SDK.
    Init,
    /// Ends it.
    Uninit,
    /// Logs in, renews, or switches.
    Login,
    /// Logs out.
    Logout,
    /// Reads the conversation list, from the cache.
    Conversations,
    /// Asks something of the server over the session's link: a message, a kick, a query.
    Request,
}

/// What a request was given, as the application wrote it.
///
/// ```
/// use gatecrash::decide::{ClientDecisions, Rules, client::Arguments};
///
/// assert_eq!(Rules.argument_refusal(Arguments::AdminKick { user: "alice" }), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Arguments<'a> {
    /// Of a message.
    SendMessage {
        /// The receiver.
        to: &'a str,
        /// The text.
        text: &'a str,
    },
    /// Of an administrator's kick.
    AdminKick {
        /// The user.
        user: &'a str,
    },
    /// Of a query.
    QueryStatus {
        /// The users.
        users: &'a [String],
    },
}

/// What a call of `login` amounts to.
///
/// ```
/// use gatecrash::decide::{ClientDecisions, Rules, client::{LoginKind, Standing}};
///
/// let bob = "bob".parse().unwrap();
/// assert_eq!(Rules.login_kind(Standing::Nobody, bob), LoginKind::Login);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LoginKind {
    /// Nobody is logged in: a login (LOGIN-6).
    Login,
    /// The user is logged in already: the session gets a fresh ticket (LOGIN-5).
    Renewal,
    /// Somebody else is logged in: they are logged out first (SWITCH-1).
    Switch,
}

/// What to do about a kick. It is confirmed in every case, a held one later.
///
/// ```
/// use gatecrash::decide::{ClientDecisions, Rules, client::{KickVerdict, Standing}};
/// use gatecrash::{id::Epoch, protocol::{Kick, KickReason, SessionName}};
///
/// let session = SessionName { user: "alice".parse().unwrap(), epoch: Epoch(2) };
/// let late = Kick { user: session.user, epoch: Epoch(1), reason: KickReason::SamePlatform, by: None };
/// assert_eq!(Rules.kick_verdict(&late, Standing::LoggedIn { session, renewing: false }), KickVerdict::Drop);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KickVerdict {
    /// It ends the session.
    Apply,
    /// It may be about the session that the pending login makes: it is judged after the answer.
    Hold,
    /// It is about another session.
    Drop,
}

/// Which of a session's two tickets, when a renewal went unanswered.
///
/// ```
/// use gatecrash::decide::{ClientDecisions, Rules, client::TicketChoice};
///
/// assert_eq!(Rules.resume_ticket(true), TicketChoice::Unconfirmed);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TicketChoice {
    /// The one the server last accepted.
    Accepted,
    /// The one of the unanswered renewal.
    Unconfirmed,
}

/// What the answer to a resume means for the SDK.
///
/// ```
/// use gatecrash::decide::{ClientDecisions, Rules, client::ResumeVerdict};
/// use gatecrash::{code::Code, protocol::ResumeOutcome};
///
/// let refused = ResumeOutcome::Refused(Code::TicketExpired);
/// assert_eq!(Rules.resume_verdict(refused.clone(), true), ResumeVerdict::OtherTicket);
/// assert_eq!(Rules.resume_verdict(refused, false), ResumeVerdict::Refused);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ResumeVerdict {
    /// The session goes on, on these terms.
    Resumed {
        /// The user's conversation list.
        conversations: Vec<Conversation>,
        /// What holds for the link that it came on.
        terms: Terms,
        /// How many messages the server had no room for.
        dropped: u64,
    },
    /// It goes on under a new epoch.
    LoggedIn(Admission),
    /// It was kicked.
    Kicked(Kick),
    /// It ended with its ticket.
    Expired,
    /// Its ticket is refused: it ends here, and the server is owed the end.
    Refused,
    /// Another resume with the session's other ticket, at once.
    OtherTicket,
    /// The attempt failed; another one after the back-off.
    Again(Code),
    /// Another attempt after the back-off, under a new device id.
    NewDevice,
}

/// What a device knows of how it came to be without a link, as far as its return depends on it (CONN-2).
///
/// ```
/// use std::time::Duration;
/// use gatecrash::decide::{ClientDecisions, Rules, client::Loss};
/// use gatecrash::{limits::ClientLimits, policy::Platform};
///
/// let loss = Loss::Closed { return_spread: Duration::from_secs(2) };
/// let latest = Rules.backoff_delay(&ClientLimits::of(Platform::Ios), 1, loss, u64::MAX);
/// assert_eq!(latest.as_millis(), 1_999);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Loss {
    /// Its own link failed, or none came about: that happens to one device at a time.
    #[default]
    Own,
    /// The other side closed it, or reset it: that may have happened to everybody.
    Closed {
        /// Over how long everybody is to come back, as the server has named it.
        return_spread: Duration,
    },
    /// The server sent it away, and has still so much time to itself.
    SentAway(Return),
}

/// The SDK's decisions. The default methods are the rules.
pub trait ClientDecisions: Clone + Debug + Default + Eq + Hash + Send + Sync + 'static {
    /// Why a call is refused for where the SDK stands. `viewer` is whose cache may be shown.
    fn call_refusal(&self, call: CallKind, standing: Standing, viewer: Option<UserId>) -> Option<Code> {
        match (call, standing) {
            (CallKind::Init, Standing::Uninitialised) => None,
            // INIT-4
            (CallKind::Init, _) => Some(Code::AlreadyInitialised),
            // INIT-1
            (_, Standing::Uninitialised) => Some(Code::NotInitialised),
            (CallKind::Uninit, _) => None,
            // LOGOUT-4
            (CallKind::Login | CallKind::Logout, Standing::LoggingOut) => Some(Code::LogoutPending),
            // LOGIN-4; a renewal is a login that is pending, too.
            (CallKind::Login, Standing::LoggingIn(_) | Standing::LoggedIn { renewing: true, .. }) => {
                Some(Code::LoginPending)
            }
            (CallKind::Login, Standing::Nobody | Standing::LoggedIn { renewing: false, .. }) => None,
            // LOGOUT-4
            (CallKind::Logout, Standing::Nobody) => Some(Code::NotLoggedIn),
            (CallKind::Logout, Standing::LoggingIn(_) | Standing::LoggedIn { .. }) => None,
            // API-1
            (CallKind::Conversations, _) => viewer.is_none().then_some(Code::NotLoggedIn),
            (CallKind::Request, Standing::LoggedIn { .. }) => None,
            (CallKind::Request, _) => Some(Code::NotLoggedIn),
        }
    }

    /// The user a `login` names, unless the SDK can tell that it is in vain (LOGIN-2, TICKET-3, TICKET-7).
    ///
    /// # Errors
    ///
    /// [`Code::InvalidUserId`], [`Code::TicketEmpty`], [`Code::TicketMalformed`], [`Code::TicketKnownExpired`].
    fn login_user(&self, user: &str, ticket: &Ticket, reported_expired: Option<&Ticket>) -> Result<UserId, Code> {
        let user = user.parse().map_err(|_| Code::InvalidUserId)?;
        ticket.check()?;
        if reported_expired == Some(ticket) {
            return Err(Code::TicketKnownExpired);
        }
        Ok(user)
    }

    /// Why a request's arguments are refused at once (API-4).
    fn argument_refusal(&self, arguments: Arguments<'_>) -> Option<Code> {
        let is_user = |text: &str| text.parse::<UserId>().is_ok();
        let valid = match arguments {
            Arguments::SendMessage { to, text } => is_user(to) && text.len() <= TEXT_BYTES_MAX,
            Arguments::AdminKick { user } => is_user(user),
            Arguments::QueryStatus { users } => {
                (1..=QUERY_USERS_MAX).contains(&users.len()) && users.iter().all(|user| is_user(user))
            }
        };
        (!valid).then_some(Code::InvalidArgument)
    }

    /// What a `login` of `user` amounts to (LOGIN-5, SWITCH-1).
    fn login_kind(&self, standing: Standing, user: UserId) -> LoginKind {
        match standing {
            Standing::LoggedIn { session, .. } if session.user == user => LoginKind::Renewal,
            Standing::LoggedIn { .. } => LoginKind::Switch,
            Standing::Uninitialised | Standing::Nobody | Standing::LoggingIn(_) | Standing::LoggingOut => {
                LoginKind::Login
            }
        }
    }

    /// Whether the server may have carried out what ended with this code (LOGIN-8, DUR-5): an
    /// attempt to log in is then ended ahead of the next, and a renewal's ticket is kept.
    fn outcome_unknown(&self, code: Code) -> bool {
        matches!(code, Code::NoAnswer | Code::ServerUnable)
    }

    /// Whether a logout's answer means that the server knows of the end (LOGOUT-2).
    fn logout_settles(&self, outcome: Result<(), Refusal>) -> bool {
        outcome.is_ok()
    }

    /// Whose cache is shown once a `login` of `user` is accepted by the SDK (API-1, SWITCH-2).
    fn viewer_after_login(&self, _before: Option<UserId>, user: UserId) -> Option<UserId> {
        Some(user)
    }

    /// Whose cache is shown after a logout (API-1).
    fn viewer_after_logout(&self, _before: Option<UserId>) -> Option<UserId> {
        None
    }

    /// Whether a delivered message is shown (SWITCH-2, API-3).
    fn shows_message(&self, message: &Message, standing: Standing) -> bool {
        match standing {
            Standing::LoggedIn { session, .. } => [message.from, message.to].contains(&session.user),
            Standing::Uninitialised | Standing::Nobody | Standing::LoggingIn(_) | Standing::LoggingOut => false,
        }
    }

    /// Whether a message at this place of the session has not come before (API-7).
    fn is_new_message(&self, last: u64, place: u64) -> bool {
        place > last
    }

    /// Whom a kick ends (KICK-2, KICK-8).
    fn kick_verdict(&self, kick: &Kick, standing: Standing) -> KickVerdict {
        match standing {
            Standing::LoggedIn { session, .. } if session == (SessionName { user: kick.user, epoch: kick.epoch }) => {
                KickVerdict::Apply
            }
            Standing::LoggingIn(user) if user == kick.user => KickVerdict::Hold,
            Standing::Uninitialised
            | Standing::Nobody
            | Standing::LoggingIn(_)
            | Standing::LoggedIn { .. }
            | Standing::LoggingOut => KickVerdict::Drop,
        }
    }

    /// Whether an expiry ends the session that stands (TICKET-5, EVENT-1).
    fn expiry_applies(&self, ended: SessionName, standing: Standing) -> bool {
        match standing {
            Standing::LoggedIn { session, .. } => session == ended,
            Standing::Uninitialised | Standing::Nobody | Standing::LoggingIn(_) | Standing::LoggingOut => false,
        }
    }

    /// With which ticket to resume; `unconfirmed` says whether a renewal went unanswered (LOGIN-5).
    fn resume_ticket(&self, unconfirmed: bool) -> TicketChoice {
        if unconfirmed { TicketChoice::Unconfirmed } else { TicketChoice::Accepted }
    }

    /// What a resume's answer means; `other_left` says whether a ticket is left to try (CONN-4, LOGIN-5).
    fn resume_verdict(&self, outcome: ResumeOutcome, other_left: bool) -> ResumeVerdict {
        match outcome {
            ResumeOutcome::Resumed { conversations, terms, dropped } => {
                ResumeVerdict::Resumed { conversations, terms, dropped }
            }
            // KICK-6
            ResumeOutcome::LoggedIn(admission) => ResumeVerdict::LoggedIn(admission),
            ResumeOutcome::Kicked(kick) => ResumeVerdict::Kicked(kick),
            ResumeOutcome::Expired => ResumeVerdict::Expired,
            ResumeOutcome::Refused(_) if other_left => ResumeVerdict::OtherTicket,
            ResumeOutcome::Refused(_) => ResumeVerdict::Refused,
            ResumeOutcome::Unable(code) => ResumeVerdict::Again(code),
            // ATT-1
            ResumeOutcome::Stale => ResumeVerdict::NewDevice,
        }
    }

    /// Whether the SDK, without a connection, goes on to make one (CONN-2, CONN-9, LOGIN-8, KICK-4, TICKET-8).
    /// `owes_end`: the server has not confirmed an end (LOGOUT-2).
    fn reconnects(&self, standing: Standing, owes_end: bool) -> bool {
        match standing {
            Standing::LoggingIn(_) | Standing::LoggedIn { .. } => true,
            Standing::Nobody => owes_end,
            Standing::Uninitialised | Standing::LoggingOut => false,
        }
    }

    /// Whether a login that was sent goes on waiting when the first that comes back is no frame (INPUT-6).
    fn login_outlives_no_frame(&self) -> bool {
        true
    }

    /// How long from now on there may be a session by a ticket that is shown now (LOGOUT-2). It was issued earlier, so
    /// this is not too short; TICKET-5 has the session end one second after it.
    fn session_lasts(&self, ticket_lasts: Option<Duration>) -> Duration {
        ticket_lasts.unwrap_or(UNKNOWN_TICKET).saturating_add(Duration::from_secs(1))
    }

    /// Whether a device that is owed an end stops trying to deliver it (LOGOUT-2). `until`: from when on no ticket by
    /// which there may be something to end is valid.
    fn end_is_given_up(&self, now: Instant, until: Option<Instant>) -> bool {
        until.is_some_and(|until| until <= now)
    }

    /// Whether the application is told of attempts to connect: not of those for an owed end, since it is
    /// logged out (CONN-3, LOGOUT-2).
    fn tells_of_attempts(&self, standing: Standing) -> bool {
        matches!(standing, Standing::LoggingIn(_) | Standing::LoggedIn { .. })
    }

    /// Whether nothing is tried again by itself after an attempt to connect that ended with this code (VERSION-1).
    fn is_final(&self, code: Code) -> bool {
        code == Code::VersionNotSupported
    }

    /// What an attempt ends with that the server has closed on purpose (CONN-2). To an application a server that is
    /// about to be another is one that it has no link to; that it has no place it may want to know.
    fn closing_code(&self, why: Closing) -> Code {
        match why {
            Closing::Stopping => Code::NoLink,
            Closing::Full | Closing::Busy => Code::ServerBusy,
        }
    }

    /// Whether a login that was sent goes on waiting when the server closes on purpose: it was not done (LOGIN-8).
    fn login_outlives(&self, _: Closing) -> bool {
        true
    }

    /// The attempt number after `last` (ATT-1).
    fn next_attempt(&self, last: Attempt) -> Attempt {
        Attempt { start: last.start, count: last.count.saturating_add(1) }
    }

    /// The `number`th delay since the back-off started over, from 1, after this loss; `draw` is evenly distributed
    /// (CONN-2).
    fn backoff_delay(&self, limits: &ClientLimits, number: u32, loss: Loss, draw: u64) -> Duration {
        let part = |whole: u64| ((u128::from(whole) * u128::from(draw)) >> 64) as u64;
        let (first, later) = match loss {
            Loss::Own => (micros(limits.backoff_first), 0),
            Loss::Closed { return_spread } => (micros(return_spread), micros(return_spread)),
            // The server has said when: that counts, however often the device has drawn.
            Loss::SentAway(Return { after, spread }) => return after + Duration::from_micros(part(micros(spread))),
        };
        let Some(doublings) = number.checked_sub(2) else {
            return Duration::from_micros(part(first));
        };
        let factor = 1_u64.checked_shl(doublings).unwrap_or(u64::MAX);
        let middle = micros(limits.backoff_min).saturating_mul(factor).min(micros(limits.backoff_max));
        let spread = middle / 100 * u64::from(limits.backoff_spread_percent.min(100));
        Duration::from_micros(middle - spread + part(2 * spread + later))
    }

    /// Whether the back-off starts over after a link that lived for so long (CONN-2).
    fn backoff_restarts(&self, up_for: Duration, limits: &ClientLimits) -> bool {
        up_for >= limits.backoff_reset
    }

    /// Whether a heartbeat is due on a link on which nothing was sent for so long, where one is sent each `every` (CONN-5).
    fn heartbeat_due(&self, idle_for: Duration, every: Duration) -> bool {
        idle_for >= every
    }

    /// The time between heartbeats unless links are lost; `told` is what the server named (CONN-11).
    fn usual_heartbeat(&self, told: Option<Duration>, limits: &ClientLimits) -> Duration {
        told.map_or(limits.heartbeat, |told| told.min(limits.heartbeat))
    }

    /// Whether calls are sent on the session's link, which may be dead if it is `in_doubt` (CONN-10).
    fn relies_on_link(&self, in_doubt: bool) -> bool {
        !in_doubt
    }

    /// Whether a session stays on a link that was to be replaced, when an attempt to do so ends with this code
    /// (CONN-10). `answered`: it has given a sign of life meanwhile.
    fn keeps_link(&self, answered: bool, code: Code) -> bool {
        answered && !self.is_final(code)
    }

    /// Whether a link that did not answer a heartbeat may have been forgotten on the way for being idle: nothing had
    /// passed on it for no longer than a heartbeat takes to be sent and answered (CONN-11). Longer, the device slept.
    fn is_idle_loss(&self, idle_for: Duration, every: Duration, limits: &ClientLimits) -> bool {
        idle_for < every + limits.heartbeat_answer
    }

    /// The time between heartbeats after such a loss (CONN-11).
    fn shortened_heartbeat(&self, every: Duration, usual: Duration, limits: &ClientLimits) -> Duration {
        // Whole microseconds, as instants are: a timer would be due before the part of one that is left.
        Duration::from_micros(micros(every) / 2).max(limits.heartbeat_min.min(usual))
    }

    /// Whether so long without such a loss is enough to try a longer time (CONN-11).
    fn heartbeat_recovers(&self, quiet_for: Duration, limits: &ClientLimits) -> bool {
        quiet_for >= limits.heartbeat_recovery
    }

    /// The longer time (CONN-11).
    fn recovered_heartbeat(&self, every: Duration, usual: Duration) -> Duration {
        (every * 2).min(usual)
    }
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::Rules;
    use crate::policy::Platform;

    /// CONN-2: 0 to 0.25 s, then 0.25 s doubling to 64 s (web: 16 s), each ±20 %.
    #[test]
    fn the_backoff_doubles_between_its_bounds() {
        let bounds = |platform, number| {
            let limits = ClientLimits::of(platform);
            [0, u64::MAX].map(|draw| Rules.backoff_delay(&limits, number, Loss::Own, draw).as_micros())
        };
        assert_eq!(bounds(Platform::Ios, 1), [0, 249_999]);
        assert_eq!(bounds(Platform::Ios, 2), [200_000, 299_999]);
        assert_eq!(bounds(Platform::Ios, 3), [400_000, 599_999]);
        assert_eq!(bounds(Platform::Ios, 10), [51_200_000, 76_799_999]);
        assert_eq!(bounds(Platform::Ios, 11), [51_200_000, 76_799_999]);
        assert_eq!(bounds(Platform::Ios, u32::MAX), [51_200_000, 76_799_999]);
        assert_eq!(bounds(Platform::Web, 8), [12_800_000, 19_199_999]);
        assert_eq!(bounds(Platform::Web, 9), [12_800_000, 19_199_999]);
    }

    /// CONN-11: what a timer is set to can be reached to the microsecond.
    #[test]
    fn half_a_heartbeat_is_whole_microseconds() {
        let limits = ClientLimits { heartbeat_min: Duration::ZERO, ..ClientLimits::of(Platform::Ios) };
        let half = Rules.shortened_heartbeat(Duration::from_micros(3), limits.heartbeat, &limits);
        assert_eq!(half, Duration::from_micros(1));
    }

    /// CONN-2: whom the server has closed comes back within what it named, also where the back-off goes on.
    #[test]
    fn a_return_of_many_is_spread() {
        let limits = ClientLimits::of(Platform::Ios);
        let loss = Loss::Closed { return_spread: Duration::from_secs(8) };
        let bounds = |number| [0, u64::MAX].map(|draw| Rules.backoff_delay(&limits, number, loss, draw).as_micros());
        assert_eq!(bounds(1), [0, 7_999_999]);
        assert_eq!(bounds(3), [400_000, 8_599_999]);
        let away = Return { after: Duration::from_secs(3), spread: Duration::from_secs(2) };
        let away = [0, u64::MAX].map(|draw| Rules.backoff_delay(&limits, 1, Loss::SentAway(away), draw).as_micros());
        assert_eq!(away, [3_000_000, 4_999_999]);
    }

    /// CONN-11: half, down to 30 s, and twice, up to the usual time, which the server may have shortened.
    #[test]
    fn the_heartbeat_halves_and_doubles_between_its_bounds() {
        let limits = ClientLimits::of(Platform::Ios);
        let seconds = Duration::from_secs;
        let shortened = |every, usual| Rules.shortened_heartbeat(seconds(every), seconds(usual), &limits).as_secs();
        assert_eq!([shortened(120, 120), shortened(60, 120), shortened(50, 120), shortened(30, 120)], [60, 30, 30, 30]);
        assert_eq!(shortened(20, 20), 20);
        let recovered = |every| Rules.recovered_heartbeat(seconds(every), seconds(100)).as_secs();
        assert_eq!([recovered(30), recovered(60), recovered(100)], [60, 100, 100]);
        assert_eq!(Rules.usual_heartbeat(Some(seconds(40)), &limits), seconds(40));
        assert_eq!(Rules.usual_heartbeat(Some(seconds(400)), &limits), seconds(120));
        assert!(Rules.is_idle_loss(seconds(120), seconds(120), &limits));
        assert!(!Rules.is_idle_loss(seconds(135), seconds(120), &limits));
    }

    /// CONN-2, CONN-5, CONN-11: the very second counts.
    #[test]
    fn spans_are_reached_at_their_end() {
        let limits = ClientLimits::of(Platform::Web);
        let micro = Duration::from_micros(1);
        assert!(Rules.heartbeat_due(limits.heartbeat, limits.heartbeat));
        assert!(!Rules.heartbeat_due(limits.heartbeat - micro, limits.heartbeat));
        assert!(Rules.heartbeat_recovers(limits.heartbeat_recovery, &limits));
        assert!(!Rules.heartbeat_recovers(limits.heartbeat_recovery - micro, &limits));
        assert!(Rules.backoff_restarts(limits.backoff_reset, &limits));
        assert!(!Rules.backoff_restarts(limits.backoff_reset - micro, &limits));
    }
}
