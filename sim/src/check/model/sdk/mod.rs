//! The reference SDK: what was called and what came in say which results a call can have.
//!
//! Follows one device. A call is open until something settles it; time settles it too, and that is
//! seen only by its result. So an open call may have the result that time gives it once its time is
//! up, and a login whose answer never came stays one whose outcome nobody knows.
//!
//! Says nothing of what a conversation list contains, and nothing of when a result has to come.

mod called;
mod received;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use gatecrash::client::Status;
use gatecrash::code::Code;
use gatecrash::limits::ClientLimits;
use gatecrash::time::Instant;

use super::Difference;
use crate::scenario::rules::{RuleId, rule};
use crate::scenario::{Forge, Scenario};
use crate::trace::{Cast, DeviceIndex, Event, ListIndex, Outcome, Session, TicketIndex, UserIndex, What};

/// Every device.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sdks {
    devices: BTreeMap<DeviceIndex, Sdk>,
    /// Tickets that the SDK refuses without the network, by name, and with which code (TICKET-3).
    unfit: BTreeMap<String, Code>,
    /// Tickets that somebody was seen to make.
    made: BTreeSet<TicketIndex>,
}

/// One device's SDK.
#[derive(Clone, Debug, Default)]
pub(super) struct Sdk {
    pub(super) is_initialised: bool,
    pub(super) account: Account,
    pub(super) line: Option<Line>,
    pub(super) calls: Vec<Call>,
    /// Kicks that may be about the session that the pending login makes (KICK-8).
    pub(super) held: Vec<Session>,
    /// Whose conversation list may be shown (API-1).
    pub(super) viewer: Option<UserIndex>,
    /// Every ticket that this session was brought, whether the server took it or not.
    pub(super) tickets: Vec<TicketIndex>,
    /// Tickets that the server may have reported expired (TICKET-7).
    pub(super) reported: BTreeSet<TicketIndex>,
    /// A login with one of them, or with who knows what, which the SDK may refuse or ask about.
    pub(super) doubt: Option<Doubt>,
    /// The end of the last attempt to connect that this login was told of.
    pub(super) last_failure: Option<Code>,
    /// The resume's ticket was refused: whether that ends the session depends on what else there is to try.
    pub(super) may_end: bool,
    /// Changes of the status that are known and not told yet.
    statuses: VecDeque<Status>,
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
    pub(super) ticket: Option<TicketIndex>,
    /// When time settles it.
    pub(super) deadline: Instant,
    pub(super) fate: Fate,
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
    Code(Code),
    Message(u32),
    Report(Option<ListIndex>),
    /// Whatever it contains.
    Conversations,
}

impl Answer {
    fn is(&self, outcome: Outcome) -> bool {
        match (*self, outcome) {
            (Answer::Done, Outcome::Done) | (Answer::Conversations, Outcome::Conversations { .. }) => true,
            (Answer::Code(wanted), Outcome::Failed { code }) => wanted == code,
            (Answer::Message(wanted), Outcome::Message { message }) => wanted == message,
            (Answer::Report(wanted), Outcome::Report { report }) => wanted == report,
            _ => false,
        }
    }

    fn in_words(self) -> String {
        match self {
            Answer::Done => "ok".to_owned(),
            Answer::Code(code) => format!("[{}]", code.number()),
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

impl Sdks {
    pub(crate) fn new(scenario: &Scenario) -> Self {
        let unfit = scenario.tickets.iter().filter_map(|(name, plan)| match plan.forge {
            Some(Forge::Empty) => Some((name.to_string(), Code::TicketEmpty)),
            Some(Forge::Oversized) => Some((name.to_string(), Code::TicketMalformed)),
            _ => None,
        });
        Sdks { devices: BTreeMap::new(), unfit: unfit.collect(), made: BTreeSet::new() }
    }

    pub(crate) fn made(&mut self, ticket: TicketIndex) {
        self.made.insert(ticket);
    }

    /// A process died or began: nothing is left of the SDK in it.
    pub(crate) fn forget(&mut self, device: DeviceIndex) {
        self.devices.remove(&device);
    }

    /// One more event of this device.
    pub(crate) fn observe(
        &mut self,
        cast: &Cast,
        device: DeviceIndex,
        event: &Event,
        limits: &ClientLimits,
    ) -> Option<Difference> {
        let look = Look { cast, limits, unfit: &self.unfit, made: &self.made, at: event.at };
        self.devices.entry(device).or_default().event(&look, event)
    }
}

impl Sdk {
    fn event(&mut self, look: &Look<'_>, event: &Event) -> Option<Difference> {
        match event.what {
            What::Called { call, request } => self.called(look, call, &request),
            What::Answered { call, outcome, .. } => return self.answered(look, call, outcome),
            What::Status { status, .. } => self.status(look, status),
            What::Told { event: crate::trace::Told::ConnectFailed { code }, .. } => {
                self.last_failure = Some(code);
                self.line = self.line.filter(|line| line.stage == Stage::Up);
            }
            What::ConnectAsked { connection } => {
                self.line = Some(Line { connection, stage: Stage::Opening });
            }
            What::Connected { connection } => self.connected(connection),
            What::DeviceReceived { connection, frame } if self.listens_on(connection) => self.received(look, &frame),
            What::ConnectFailed { connection } | What::Gone { connection, .. } if self.is_on(connection) => {
                self.line_ended(look);
            }
            What::LinkLost => self.line_ended(look),
            What::CloseAsked { connection, .. } => {
                self.line = self.line.filter(|line| line.connection != connection);
            }
            _ => {}
        }
        None
    }

    fn is_on(&self, connection: u32) -> bool {
        self.line.is_some_and(|line| line.connection == connection)
    }

    fn listens_on(&self, connection: u32) -> bool {
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
            self.line = None;
        }
    }

    /// Told of a change that nothing in the trace has led to: time did, or a refused resume.
    fn status(&mut self, look: &Look<'_>, status: Status) {
        if let Some(doubt) = self.doubt.filter(|_| status == Status::Logining) {
            self.doubt = None;
            self.begin_login(look, doubt.call, doubt.user, doubt.ticket);
        }
        match self.statuses.pop_front() {
            Some(known) if known == status => return,
            Some(_) => self.is_blurred = true,
            None => {}
        }
        match self.account {
            Account::LoggedIn(_) if status == Status::Logout && self.may_end => self.session_ended(look),
            Account::LoggingIn(..) if status == Status::Logout => self.set_account(Account::Nobody),
            _ => self.is_blurred = true,
        }
        self.statuses.clear();
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
    pub(super) fn give_up(&mut self, rule: RuleId, code: Code) {
        for call in &mut self.calls {
            let Fate::Settled(by, _, answers) = &mut call.fate else { continue };
            let is_of_account = match call.kind {
                Kind::Login | Kind::Renewal | Kind::Request => true,
                Kind::Local => answers.contains(&Answer::Conversations),
                Kind::Logout => false,
            };
            if is_of_account && !answers.iter().all(|answer| matches!(answer, Answer::Code(_))) {
                (*by, *answers) = (rule, vec![Answer::Code(code)]);
            }
        }
    }

    /// The call's result is out.
    fn answered(&mut self, look: &Look<'_>, number: u32, outcome: Outcome) -> Option<Difference> {
        let place = self.calls.iter().position(|call| call.number == number)?;
        let call = self.calls.remove(place);
        self.doubt = self.doubt.filter(|doubt| doubt.call != number);
        let found = if self.is_blurred { None } else { self.judge(look, &call, outcome) };
        match self.account {
            Account::LoggingIn(_, login) if login == number => self.set_account(Account::Nobody),
            Account::LoggingOut(logout) if logout == number => self.set_account(Account::Nobody),
            _ => {}
        }
        found
    }

    fn judge(&self, look: &Look<'_>, call: &Call, outcome: Outcome) -> Option<Difference> {
        let (rule, allowed) = match &call.fate {
            Fate::Any => return None,
            Fate::Settled(rule, at, answers) if *at < call.deadline => (*rule, answers.clone()),
            Fate::Settled(rule, _, answers) => (*rule, [answers.as_slice(), &self.by_time(call)].concat()),
            Fate::Open if look.at >= call.deadline => (rule_of(call.kind), self.by_time(call)),
            Fate::Open => (rule_of(call.kind), Vec::new()),
        };
        if allowed.iter().any(|answer| answer.is(outcome)) {
            return None;
        }
        let said = match outcome {
            Outcome::Done => Answer::Done,
            Outcome::Message { message } => Answer::Message(message),
            Outcome::Conversations { .. } => Answer::Conversations,
            Outcome::Report { report } => Answer::Report(report),
            Outcome::Failed { code } => Answer::Code(code),
        };
        let allowed: Vec<String> = allowed.into_iter().map(Answer::in_words).collect();
        let wanted = if allowed.is_empty() { "nothing yet".to_owned() } else { allowed.join(" or ") };
        Difference::of(rule, format!("call {} was answered {}, not {wanted}", call.number, said.in_words()))
    }

    /// What time makes of a call.
    fn by_time(&self, call: &Call) -> Vec<Answer> {
        let never_sent = match (call.kind, self.last_failure) {
            // The end of the last attempt decides (LOGIN-8).
            (Kind::Login, Some(Code::ConnectTimeout)) => vec![Answer::Code(Code::ConnectTimeout)],
            (Kind::Login, Some(_)) => vec![Answer::Code(Code::NoLink)],
            _ => vec![Answer::Code(Code::NoLink), Answer::Code(Code::ConnectTimeout)],
        };
        match call.kind {
            Kind::Login | Kind::Renewal if call.is_sent => vec![Answer::Code(Code::NoAnswer)],
            Kind::Login | Kind::Renewal => never_sent,
            Kind::Logout => vec![Answer::Done],
            Kind::Request => vec![Answer::Code(Code::NoAnswer)],
            Kind::Local => Vec::new(),
        }
    }
}

fn status_of(account: Account) -> Status {
    match account {
        Account::LoggedIn(_) => Status::Logined,
        Account::LoggingIn(..) => Status::Logining,
        Account::Nobody | Account::LoggingOut(_) => Status::Logout,
    }
}

/// What a call breaks that is answered out of turn.
fn rule_of(kind: Kind) -> RuleId {
    match kind {
        Kind::Login => const { rule("LOGIN-8") },
        Kind::Renewal => const { rule("LOGIN-5") },
        Kind::Logout => const { rule("LOGOUT-1") },
        Kind::Request | Kind::Local => const { rule("API-5") },
    }
}
