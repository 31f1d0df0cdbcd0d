//! Who is logged in on a device, what its calls are for: the words in which the books of a device are kept.
//!
//! Types, and no judgement.

use gatecrash::client::Status;

use super::gate::Gate;
use crate::history::event::{Known, Request, User};

/// Whether a process runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Life {
    Unknown,
    Up,
    Dead,
}

/// Who the application has reason to take for logged in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Account {
    /// Nobody. How that came is not known to whoever reads a history from the middle.
    Nobody(How),
    /// A login is under way.
    Pending(Pending),
    /// Somebody is.
    In(Session),
    /// What came of a call cannot be told.
    Unsure,
}

/// A login that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pending {
    pub(super) user: User,
    /// Its number among all logins.
    pub(super) login: u64,
    /// Whether the application was told something by which it may have failed already, though its result is not out.
    pub(super) may_be_over: bool,
    /// Whether the application was told of an attempt in its user's name: the SDK itself has not refused the call.
    pub(super) is_tried: bool,
}

/// How it came that nobody is logged in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// Nothing of the device is known before.
    Unknown,
    /// The process is new.
    Fresh,
    Failed,
    LoggedOut,
    Kicked,
    Expired,
    Uninit,
}

impl How {
    /// It in a word or two, where it is known.
    pub(super) const fn word(self) -> &'static str {
        match self {
            How::Unknown => "",
            How::Fresh => "new process",
            How::Failed => "failed",
            How::LoggedOut => "logout",
            How::Kicked => "kicked",
            How::Expired => "expired",
            How::Uninit => "uninit",
        }
    }
}

/// A session, as its application knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Session {
    pub(super) user: User,
    /// The login that made it.
    pub(super) login: u64,
    /// When that was called: a server may have accepted it long before anybody hears so.
    pub(super) since: u64,
    pub(super) ticket: Option<Known>,
}

/// A call without a result.
#[derive(Clone, Copy, Debug)]
pub(super) struct Open {
    pub(super) call: u64,
    pub(super) request: Request,
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) line: u64,
    pub(super) purpose: Purpose,
    /// What has to be answered, whatever else.
    pub(super) gate: Option<Gate>,
    /// The session in which it was made.
    pub(super) session: Option<Session>,
    /// When an attempt to connect had been told that was under way then.
    pub(super) connecting: Option<u64>,
    /// A logout was waiting for its result as it was made.
    pub(super) beside_logout: bool,
    /// The end of its session was told while it was waiting.
    pub(super) outlived: bool,
}

/// What a call of `login` is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A login, by the number that it has among all.
    Login(u64),
    /// A fresh ticket for the session there is.
    Renewal,
    /// Something else.
    Other,
    /// It cannot be told.
    Unsure(u64),
}

/// Who is logged in on a process that is new, where only calls of its own are open; and how its status is, where that is seen.
pub(super) fn of_new_process(calls: &[Open], status: Option<(Status, Option<User>)>) -> Account {
    let logins = calls.iter().filter_map(|open| match (open.request, open.purpose) {
        (Request::Login { user, ticket, .. }, Purpose::Login(login) | Purpose::Unsure(login)) => {
            Some((user, login, ticket, open.from))
        }
        _ => None,
    });
    let mut logins = logins.collect::<Vec<_>>().into_iter();
    match (logins.next(), status) {
        (None, _) => Account::Nobody(How::Unknown),
        (Some((user, login, ..)), Some((Status::Logining, _))) if logins.next().is_none() => {
            Account::Pending(Pending { user, login, may_be_over: false, is_tried: true })
        }
        (Some((user, login, ticket, since)), Some((Status::Logined, _))) if logins.next().is_none() => {
            Account::In(Session { user, login, since, ticket })
        }
        (Some(_), _) => Account::Unsure,
    }
}

impl Purpose {
    /// Whether it is to be this login.
    pub(super) fn is(self, login: u64) -> bool {
        matches!(self, Purpose::Login(number) | Purpose::Unsure(number) if number == login)
    }
}
