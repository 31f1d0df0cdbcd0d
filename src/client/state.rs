//! The SDK's state between `init` and `uninit`.
//!
//! Data and questions only: the handler in the other files changes it.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::client::cache::Cache;
use crate::client::draw;
use crate::client::interface::{Installation, Start, Status, Timer};
use crate::code::{Code, Failure, Reason};
use crate::decide::client::{Loss, Standing, TicketChoice, UNKNOWN_TICKET};
use crate::id::{Attempt, CallId, Change, ConnectionId, UserId};
use crate::limits::ClientLimits;
use crate::policy::Platform;
use crate::protocol::{ClientFrame, Kick, SessionName, Terms};
use crate::ticket::Ticket;
use crate::time::{Instant, Now};
use crate::timers::FewTimers;

/// Everything an initialised SDK knows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct State {
    pub(super) platform: Platform,
    pub(super) seed: [u8; 32],
    pub(super) limits: ClientLimits,
    /// The time at `init`, on both clocks.
    pub(super) born: Now,
    pub(super) record: Record,
    pub(super) account: Account,
    /// How it came about that nobody is logged in, when nobody is.
    pub(super) nobody: Reason,
    /// The connection there is, or that is being made (CONN-9).
    pub(super) connection: Option<Connection>,
    /// The session's link, while another connection is made that is to take its place (CONN-10).
    pub(super) doubted: Option<Doubted>,
    pub(super) backoff: BackOff,
    pub(super) last_delay: LastDelay,
    /// When the device woke, or its network changed, unless an attempt to connect has failed since: calls wait for the
    /// link that is about to be there (CONN-10).
    pub(super) roused_at: Option<Instant>,
    /// How often heartbeats are sent on this network, if not as usual (CONN-11).
    pub(super) pace: Option<Pace>,
    /// The time between heartbeats that the server last named.
    pub(super) told_heartbeat: Option<Duration>,
    /// Requests without a result.
    pub(super) requests: BTreeMap<CallId, Request>,
    pub(super) cache: Cache,
    /// The last ticket that the server reported expired (TICKET-7).
    pub(super) reported_expired: Option<Ticket>,
    pub(super) timers: FewTimers<Instant, Timer>,
}

/// The device's record with what is counted beside it (ATT-1, ATT-4).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Record {
    pub(super) installation: Installation,
    /// Its last write: no frame leaves before that is on disk.
    pub(super) written: Change,
    /// Every write up to this one is on disk.
    pub(super) stored: Change,
    /// The write that noted the end that is owed, unless that was before this start: what a slow disk had not done
    /// by then may come to nothing.
    pub(super) owed_in: Option<Change>,
    /// The number of the last attempt.
    pub(super) attempt: Attempt,
    /// When the last of the tickets runs out that were shown since nothing was owed (LOGOUT-2).
    pub(super) tickets_until: Instant,
}

/// A ticket that the application handed over, with how long one like it lasts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct LastingTicket {
    pub(super) ticket: Ticket,
    pub(super) lasts: Option<Duration>,
}

/// Whose the SDK is.
///
/// ```text
///            login              answer
///   Nobody ─────────▶ LoggingIn ──────▶ LoggedIn
///     ▲ ▲ ▲              │ │               │ │
///     │ │ └──────────────┘ │ logout        │ │ kick, expiry
///     │ └──────────────────│───────────────│─┘
///     └────── LoggingOut ◀─┴───────────────┘ logout
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Account {
    Nobody,
    LoggingIn(Login),
    LoggedIn(Session),
    /// The logout frame of this call is out and unanswered.
    LoggingOut(CallId),
}

/// A pending login. It was sent if the connection is at [`Stage::LoginSent`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Login {
    pub(super) call: CallId,
    pub(super) user: UserId,
    pub(super) ticket: LastingTicket,
    /// A kick that may be about the session this login makes (KICK-8).
    pub(super) held: Option<Kick>,
}

/// A session as its device knows it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Session {
    pub(super) name: SessionName,
    /// The ticket the server last accepted.
    pub(super) ticket: Ticket,
    /// The last renewal that went unanswered, its ticket accepted or not (LOGIN-5).
    pub(super) unconfirmed: Option<Unconfirmed>,
    pub(super) renewal: Option<Renewal>,
    /// What the server named for the link that it accepted last.
    pub(super) terms: Terms,
    /// The place of the last message that came (API-7).
    pub(super) received: u64,
    /// The last place of which the server was told so.
    pub(super) acknowledged: u64,
}

impl Session {
    /// A session that has just begun.
    pub(super) fn new(name: SessionName, ticket: Ticket, terms: Terms) -> Self {
        Session { name, ticket, unconfirmed: None, renewal: None, terms, received: 0, acknowledged: 0 }
    }
}

/// A renewal whose outcome is unknown.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Unconfirmed {
    pub(super) call: CallId,
    pub(super) ticket: Ticket,
    /// It was refused when a resume with its ticket was out, whose answer is another one's.
    pub(super) refused: bool,
}

/// A pending renewal. Until a link is up it is not sent (LOGIN-5).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Renewal {
    pub(super) call: CallId,
    pub(super) ticket: LastingTicket,
    pub(super) sent: bool,
}

/// A connection that was asked for and not closed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Connection {
    pub(super) id: ConnectionId,
    pub(super) stage: Stage,
    /// When something was last sent on it (CONN-5).
    pub(super) last_sent: Instant,
    /// When something last came on it.
    pub(super) last_heard: Instant,
    /// When the last heartbeat was sent on it, and when something had last passed before, either way (CONN-11).
    pub(super) asked_at: Instant,
    pub(super) quiet_since: Instant,
    /// Whether the device slept while a heartbeat waited for its answer.
    pub(super) slept: bool,
    /// The logouts sent on it and unanswered, in order.
    pub(super) logouts: VecDeque<CallId>,
}

/// A link that may be dead, beside which another connection is made (CONN-10).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Doubted {
    pub(super) link: Connection,
    /// Whether it has answered since.
    pub(super) answered: bool,
}

/// How far a connection is.
///
/// ```text
///              ┌──▶ LoginWaits ─▶ LoginSent ──accepted──┐
///   Opening ───┼──▶ ResumeSent ────────────────resumed──┴──▶ Up ──switch──▶ LoginWaits
///              │        │ refused
///              └──▶ EndSent ◀┘
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Stage {
    Opening,
    /// A login leaves as soon as this write of the record is on disk (ATT-4). Until then it was not sent.
    LoginWaits {
        reveals: Change,
        /// Whether it was the link of the account before (SWITCH-3).
        was_up: bool,
    },
    /// A login is out and unanswered.
    LoginSent,
    /// A resume is out and unanswered.
    ResumeSent {
        attempt: Attempt,
        ticket: TicketChoice,
    },
    /// Nobody is logged in: an owed end is out and unanswered (LOGOUT-2).
    EndSent,
    Up {
        since: Instant,
    },
}

/// What the last delay was drawn for: no delay is that of another one (CONN-2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct LastDelay {
    /// After how many attempts.
    attempts: u32,
    /// Its number in its series.
    number: u32,
    /// How many series began after those attempts, and before this one: people log in and out without a network.
    again: u32,
}

impl LastDelay {
    /// The next one is drawn, for this number after so many attempts. Says how many series began before its own.
    pub(super) fn next(&mut self, attempts: u32, number: u32) -> u32 {
        let again = match self.attempts == attempts {
            true => self.again + u32::from(number <= self.number),
            false => 0,
        };
        *self = LastDelay { attempts, number, again };
        again
    }
}

/// Where the series of attempts to connect stands (CONN-2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct BackOff {
    /// Delays drawn since it started over.
    pub(super) drawn: u32,
    /// How the last attempt ended: what a login never sent is told (LOGIN-8).
    pub(super) last_end: Option<Code>,
    /// How the link was lost that the next attempt is to replace.
    pub(super) loss: Loss,
    /// Before when the server does not want the device back, and over how long it wants everybody back then.
    pub(super) away: Option<(Instant, Duration)>,
}

/// The time between heartbeats, where it is not the usual one (CONN-11).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Pace {
    /// How long.
    pub(super) every: Duration,
    /// When it was last changed, or would have been.
    pub(super) since: Instant,
}

/// A request without a result. Once sent it lives on one connection and ends with it (CONN-8).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Request {
    pub(super) what: Asked,
    /// What is to be sent once there is a link to rely on (CONN-10); none if it was sent.
    pub(super) unsent: Option<ClientFrame<Ticket>>,
}

/// What a request asks for, as far as its answer needs it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Asked {
    Message { to: UserId, text: String },
    AdminKick,
    Query,
}

impl State {
    /// The state right after `init`, before its record is written (INIT-6: nothing is resumed).
    pub(super) fn new(now: Instant, start: Start) -> Self {
        let Start { platform, seed, limits, wall, installation, conversations } = start;
        let mut installation = installation.unwrap_or_else(|| Installation::new(draw::device(&seed, None)));
        installation.starts = installation.starts.saturating_add(1);
        let attempt = Attempt { start: installation.starts, count: 0 };
        let born = Now { instant: now, wall };
        if installation.owed_end {
            installation.owed_until.get_or_insert(wall + UNKNOWN_TICKET);
        }
        let tickets_until = installation.owed_until.map_or(now, |until| born.instant_of(until));
        State {
            platform,
            seed,
            limits,
            born,
            record: Record {
                installation,
                written: Change::NONE,
                stored: Change::NONE,
                owed_in: None,
                attempt,
                tickets_until,
            },
            account: Account::Nobody,
            nobody: Reason::NeverLoggedIn,
            connection: None,
            doubted: None,
            backoff: BackOff::default(),
            last_delay: LastDelay::default(),
            roused_at: None,
            pace: None,
            told_heartbeat: None,
            requests: BTreeMap::new(),
            cache: Cache::new(conversations),
            reported_expired: None,
            timers: FewTimers::default(),
        }
    }

    /// Where it stands, for the decisions.
    pub(super) fn standing(&self) -> Standing {
        match &self.account {
            Account::Nobody => Standing::Nobody,
            Account::LoggingIn(login) => Standing::LoggingIn(login.user),
            Account::LoggedIn(session) => {
                Standing::LoggedIn { session: session.name, renewing: session.renewal.is_some() }
            }
            Account::LoggingOut(_) => Standing::LoggingOut,
        }
    }

    /// API-1: why nobody is logged in, if nobody is.
    fn reason(&self) -> Option<Reason> {
        match &self.account {
            Account::LoggedIn(_) => None,
            Account::LoggingIn(_) => Some(Reason::LoggingIn),
            Account::Nobody | Account::LoggingOut(_) => Some(self.nobody),
        }
    }

    /// The code, and with a [6014] why nobody is logged in. Where somebody is, the server gave it: the session has
    /// just ended, and the event that says how is on its way.
    pub(super) fn failure(&self, code: Code) -> Failure {
        Failure { code, reason: self.reason().filter(|_| code == Code::NotLoggedIn) }
    }

    /// When an owed end loses its worth; none if nothing is owed (LOGOUT-2).
    pub(super) fn owed_until(&self) -> Option<Instant> {
        self.record.installation.owed_until.map(|until| self.born.instant_of(until))
    }

    /// LOGIN-6.
    pub(super) fn status(&self) -> Status {
        match &self.account {
            Account::LoggedIn(_) => Status::Logined,
            Account::LoggingIn(_) => Status::Logining,
            Account::Nobody | Account::LoggingOut(_) => Status::Logout,
        }
    }

    /// LOGIN-7: set while LOGINED only.
    pub(super) fn login_user(&self) -> Option<UserId> {
        match &self.account {
            Account::LoggedIn(session) => Some(session.name.user),
            Account::Nobody | Account::LoggingIn(_) | Account::LoggingOut(_) => None,
        }
    }

    pub(super) fn session_mut(&mut self) -> Option<&mut Session> {
        match &mut self.account {
            Account::LoggedIn(session) => Some(session),
            Account::Nobody | Account::LoggingIn(_) | Account::LoggingOut(_) => None,
        }
    }

    pub(super) fn stage(&self) -> Option<Stage> {
        self.connection.as_ref().map(|connection| connection.stage)
    }

    /// Whether a session has its link.
    pub(super) fn is_up(&self) -> bool {
        matches!((&self.account, self.stage()), (Account::LoggedIn(_), Some(Stage::Up { .. })))
    }

    /// Whether the session's link may be dead, and is being tried or replaced (CONN-10).
    pub(super) fn is_in_doubt(&self) -> bool {
        self.doubted.is_some() || self.timers.due(Timer::Probe).is_some()
    }

    /// Whether the pending login was sent.
    pub(super) fn login_was_sent(&self) -> bool {
        matches!((&self.account, self.stage()), (Account::LoggingIn(_), Some(Stage::LoginSent)))
    }

    /// Every pending call, in the order they were made.
    pub(super) fn pending(&self) -> Vec<CallId> {
        let of_account = match &self.account {
            Account::Nobody => None,
            Account::LoggingIn(login) => Some(login.call),
            Account::LoggedIn(session) => session.renewal.as_ref().map(|renewal| renewal.call),
            Account::LoggingOut(call) => Some(*call),
        };
        let mut calls: Vec<_> = self.requests.keys().copied().chain(of_account).collect();
        calls.sort_unstable();
        calls
    }

    pub(super) fn shift(&mut self, by: Duration) {
        self.timers.shift(by);
        for at in [&mut self.born.instant, &mut self.record.tickets_until] {
            *at = *at + by;
        }
        if let Some((until, _)) = &mut self.backoff.away {
            *until = *until + by;
        }
        if let Some(at) = &mut self.roused_at {
            *at = *at + by;
        }
        if let Some(pace) = &mut self.pace {
            pace.since = pace.since + by;
        }
        for connection in self.doubted.iter_mut().map(|doubted| &mut doubted.link).chain(&mut self.connection) {
            for at in [
                &mut connection.last_sent,
                &mut connection.last_heard,
                &mut connection.asked_at,
                &mut connection.quiet_since,
            ] {
                *at = *at + by;
            }
            if let Stage::Up { since } = &mut connection.stage {
                *since = *since + by;
            }
        }
    }
}
