//! What the reference SDK holds: whose it is, its connection, its calls and what is known of their results.
//!
//! Takes nothing in: `called` and `received` do. Says nothing of a result: the module above does.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use gatecrash::client::Status;
use gatecrash::code::{Code, Reason};
use gatecrash::limits::ClientLimits;
use gatecrash::time::Instant;

use crate::scenario::rules::RuleId;
use crate::trace::{Cast, ListIndex, Outcome, Session, TicketIndex, UserIndex};

/// One device's SDK.
#[derive(Clone, Debug, Default)]
pub(super) struct Sdk {
    pub(super) is_initialised: bool,
    pub(super) account: Account,
    /// Why nobody is logged in when nobody is, as far as that can be told (API-1).
    pub(super) nobody: Option<Reason>,
    pub(super) line: Option<Line>,
    /// The last write of the record that was asked for, and the last change that is on the disk with all before it.
    pub(super) written: u32,
    pub(super) stored: u32,
    /// The link that another connection is to replace (CONN-10).
    pub(super) doubted: Option<u32>,
    /// Whether the link was asked for a sign of life and has given none (CONN-10).
    pub(super) in_doubt: bool,
    /// When the device woke or its network changed, unless an attempt to connect has failed since, or the link has
    /// shown that it lives (CONN-10).
    pub(super) roused_at: Option<Instant>,
    /// When it last asked for a connection.
    pub(super) asked_at: Option<Instant>,
    /// The server does not support the SDK's version, and nobody has asked for anything since (VERSION-1).
    pub(super) has_given_up: bool,
    pub(super) calls: Vec<Call>,
    /// Kicks that may be about the session that the pending login makes (KICK-8).
    pub(super) held: Vec<Session>,
    /// Whose conversation list may be shown (API-1).
    pub(super) viewer: Option<UserIndex>,
    /// Every ticket that this session was brought, whether the server took it or not.
    pub(super) tickets: Vec<TicketIndex>,
    /// Renewals of the session that left and are not answered: which of its tickets it has nobody knows.
    pub(super) unsettled: Vec<u32>,
    /// Tickets that the server may have reported expired (TICKET-7).
    pub(super) reported: BTreeSet<TicketIndex>,
    /// A login with one of them, or with who knows what, which the SDK may refuse or ask about.
    pub(super) doubt: Option<Doubt>,
    /// The end of the last attempt to connect that this login was told of.
    pub(super) last_failure: Option<Code>,
    /// The resume's ticket was refused: whether that ends the session depends on what else there is to try.
    pub(super) may_end: bool,
    /// Changes of the status that are known and not told yet.
    pub(super) statuses: VecDeque<Status>,
    /// Something happened that the trace does not tell well enough: until the next process.
    pub(super) is_blurred: bool,
}

/// Whose the SDK is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Account {
    #[default]
    Nobody,
    /// With the number of the login.
    LoggingIn(UserIndex, u32),
    LoggedIn(Session),
    /// With the number of the logout, which was sent.
    LoggingOut(u32),
}

/// The connection asked for and not closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) connection: u32,
    pub(super) stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Opening,
    /// The login goes out as soon as the record is on the disk (ATT-4). Until then it was not sent.
    Waits {
        since: Instant,
        /// Whether it was the link of the account before (SWITCH-3).
        was_up: bool,
    },
    /// The login or resume went out.
    Asked,
    /// It was accepted.
    Up,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Doubt {
    pub(super) call: u32,
    pub(super) user: UserIndex,
    pub(super) ticket: TicketIndex,
}

/// A call without a result.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) number: u32,
    pub(super) kind: Kind,
    pub(super) is_sent: bool,
    /// Time may have made the SDK doubt its link before it was made, or not: the trace does not tell.
    pub(super) is_vague: bool,
    /// Whether its frame was seen to leave: what is sent may wait for the device's disk.
    pub(super) has_left: bool,
    /// Since when it is out, and its frame was not seen to leave.
    pub(super) unsent_since: Option<Instant>,
    pub(super) ticket: Option<TicketIndex>,
    /// When time settles it.
    pub(super) deadline: Instant,
    pub(super) fate: Fate,
}

impl Call {
    /// Whether time has settled it, or is about to, since it went out on the link of a session.
    pub(super) fn is_overdue(&self, look: &Look<'_>) -> bool {
        of_session(self.kind) && self.is_sent && matches!(self.fate, Fate::Open) && self.deadline <= look.at
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Login,
    Renewal,
    Logout,
    /// A message, an administrative kick, a query.
    Request,
    /// Answered at once.
    Local,
}

/// What is known of a call's result.
#[derive(Clone, Debug)]
pub(super) enum Fate {
    Open,
    /// One of these, since then, by this rule.
    Settled(RuleId, Instant, Vec<Answer>),
    /// Anything: the trace does not tell.
    Any,
}

/// A result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Done,
    /// What this [6014] of the SDK's own says beside itself, where that is known.
    Nobody(Option<Reason>),
    /// This code, with nothing beside it.
    Code(Code),
    Message(u32),
    Report(Option<ListIndex>),
    /// Whatever it contains.
    Conversations,
}

impl Answer {
    pub(super) fn is(&self, outcome: Outcome) -> bool {
        match (*self, outcome) {
            (Answer::Done, Outcome::Done) | (Answer::Conversations, Outcome::Conversations { .. }) => true,
            (Answer::Code(wanted), Outcome::Failed { code, reason }) => wanted == code && reason.is_none(),
            (Answer::Nobody(wanted), Outcome::Failed { code: Code::NotLoggedIn, reason: Some(reason) }) => {
                wanted.is_none_or(|wanted| wanted == reason)
            }
            (Answer::Message(wanted), Outcome::Message { message }) => wanted == message,
            (Answer::Report(wanted), Outcome::Report { report }) => wanted == report,
            _ => false,
        }
    }

    pub(super) fn in_words(self) -> String {
        match self {
            Answer::Done => "ok".to_owned(),
            Answer::Code(code) => format!("[{}]", code.number()),
            Answer::Nobody(None) => "[6014], and why nobody is logged in".to_owned(),
            Answer::Nobody(Some(reason)) => format!("[6014], since {}", reason.text()),
            Answer::Message(message) => format!("message {message}"),
            Answer::Report(_) => "the report that came".to_owned(),
            Answer::Conversations => "a conversation list".to_owned(),
        }
    }
}

/// What is at hand while one event is looked at.
#[derive(Clone, Copy)]
pub(super) struct Look<'a> {
    pub(super) cast: &'a Cast,
    pub(super) limits: &'a ClientLimits,
    pub(super) unfit: &'a BTreeMap<String, Code>,
    pub(super) made: &'a BTreeSet<TicketIndex>,
    pub(super) at: Instant,
}

impl Sdk {
    pub(super) fn is_on(&self, connection: u32) -> bool {
        self.line.is_some_and(|line| line.connection == connection)
    }

    pub(super) fn listens_on(&self, connection: u32) -> bool {
        self.is_on(connection) && self.line.is_some_and(|line| line.stage != Stage::Opening)
    }

    /// Whoever it works for has changed, which may be told later.
    pub(super) fn set_account(&mut self, account: Account) {
        let before = status_of(self.account);
        self.account = account;
        let after = status_of(account);
        if before != after {
            self.statuses.push_back(after);
        }
        if account == Account::Nobody {
            (self.line, self.doubted, self.in_doubt) = (None, None, false);
        }
    }

    /// Nobody is logged in any more, for this reason.
    pub(super) fn set_nobody(&mut self, reason: Reason) {
        self.nobody = Some(reason);
        self.set_account(Account::Nobody);
    }

    /// What a call answers that needs somebody to be logged in (API-1).
    pub(super) fn refusal(&self) -> Answer {
        Answer::Nobody(match self.account {
            Account::LoggingIn(..) => Some(Reason::LoggingIn),
            Account::Nobody | Account::LoggingOut(_) => self.nobody,
            Account::LoggedIn(_) => None,
        })
    }

    /// Settles every call of these kinds that is open.
    pub(super) fn settle(&mut self, look: &Look<'_>, rule: RuleId, kinds: &[Kind], answer: Answer) {
        for call in &mut self.calls {
            if kinds.contains(&call.kind) && matches!(call.fate, Fate::Open) {
                call.fate = Fate::Settled(rule, look.at, vec![answer]);
            }
        }
    }

    /// The account is given up: no success that is not told yet is told any more (SWITCH-2, LOGOUT-1, INIT-3).
    pub(super) fn give_up(&mut self, rule: RuleId, answer: Answer) {
        for call in &mut self.calls {
            let Fate::Settled(by, _, answers) = &mut call.fate else { continue };
            let is_of_account = match call.kind {
                Kind::Login | Kind::Renewal | Kind::Request => true,
                Kind::Local => answers.contains(&Answer::Conversations),
                Kind::Logout => false,
            };
            if is_of_account && !answers.iter().all(|answer| matches!(answer, Answer::Code(_) | Answer::Nobody(_))) {
                (*by, *answers) = (rule, vec![answer]);
            }
        }
    }

    /// Whether the session has a link.
    pub(super) fn is_up(&self) -> bool {
        matches!(self.account, Account::LoggedIn(_)) && self.line.is_some_and(|line| line.stage == Stage::Up)
    }

    /// Whether it has one that nobody doubts (CONN-10).
    pub(super) fn is_usable(&self) -> bool {
        self.is_up() && !self.in_doubt
    }

    /// Whether nobody knows if it has one: what needs it waits (CONN-10).
    pub(super) fn may_wait(&self) -> bool {
        matches!(self.account, Account::LoggedIn(_))
            && (self.in_doubt || self.doubted.is_some() || self.roused_at.is_some() && !self.has_given_up)
    }

    /// Whether a call is out of time without a result, which makes the SDK doubt its link (CONN-5, CONN-10).
    pub(super) fn has_overdue(&self, look: &Look<'_>) -> bool {
        self.is_up() && self.calls.iter().any(|call| call.is_overdue(look))
    }

    /// There is a link to rely on: what waited for it goes out.
    pub(super) fn all_is_sent(&mut self) {
        (self.in_doubt, self.roused_at) = (false, None);
        self.calls.iter_mut().filter(|call| of_session(call.kind)).for_each(|call| call.is_sent = true);
    }

    /// Settles the calls of these kinds that are out and open (CONN-8).
    pub(super) fn lose(&mut self, look: &Look<'_>, rule: RuleId, kinds: &[Kind]) {
        for call in &mut self.calls {
            if kinds.contains(&call.kind) && call.is_sent && matches!(call.fate, Fate::Open) {
                call.fate = Fate::Settled(rule, look.at, vec![Answer::Code(Code::NoAnswer)]);
            }
        }
    }
}

/// Whether a call of this kind goes out on the link of a session.
fn of_session(kind: Kind) -> bool {
    match kind {
        Kind::Renewal | Kind::Request => true,
        Kind::Login | Kind::Logout | Kind::Local => false,
    }
}

fn status_of(account: Account) -> Status {
    match account {
        Account::LoggedIn(_) => Status::Logined,
        Account::LoggingIn(..) => Status::Logining,
        Account::Nobody | Account::LoggingOut(_) => Status::Logout,
    }
}
