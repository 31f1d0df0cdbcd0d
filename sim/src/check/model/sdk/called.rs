//! The application calls: what is refused at once, and what goes on.

use gatecrash::code::{Code, Reason};

use super::state::{Account, Answer, Call, Doubt, Fate, Kind, Line, Look, Sdk, Stage};
use crate::check::model::arguments::is_user_id;
use crate::scenario::numbers::{QUERY_MAX, TEXT_MAX};
use crate::scenario::rules::{RuleId, rule};
use crate::trace::{Cast, List, Request, TicketIndex, UserIndex};

const NOBODY: RuleId = rule("API-1");

/// The kinds of calls that end with the account they were made for.
const OF_ACCOUNT: [Kind; 2] = [Kind::Renewal, Kind::Request];

impl Sdk {
    pub(super) fn called(&mut self, look: &Look<'_>, number: u32, request: &Request) {
        if self.doubt.is_some() {
            // Whether a login is pending nobody can tell, so neither what this call finds.
            self.is_blurred |= matches!(request, Request::Login { .. } | Request::Logout | Request::Uninit);
            self.push(look, number, Kind::Local, Fate::Any);
            return;
        }
        match *request {
            Request::Init { .. } => {
                let answer = if self.is_initialised { Answer::Code(Code::AlreadyInitialised) } else { Answer::Done };
                if !std::mem::replace(&mut self.is_initialised, true) {
                    self.nobody = Some(Reason::NeverLoggedIn);
                }
                self.at_once(look, number, const { rule("INIT-4") }, vec![answer]);
            }
            _ if !self.is_initialised => {
                self.at_once(look, number, const { rule("INIT-1") }, vec![Answer::Code(Code::NotInitialised)]);
            }
            Request::Uninit => self.uninit(look, number),
            Request::Login { user, ticket } => self.login(look, number, user, ticket),
            Request::Logout => self.logout(look, number),
            Request::Conversations => {
                let answer = self.viewer.map_or(self.refusal(), |_| Answer::Conversations);
                self.at_once(look, number, NOBODY, vec![answer]);
            }
            Request::Send { .. } | Request::Kick { .. } | Request::Query { .. } => {
                self.request(look, number, request);
            }
        }
    }

    fn at_once(&mut self, look: &Look<'_>, number: u32, rule: RuleId, answers: Vec<Answer>) {
        self.push(look, number, Kind::Local, Fate::Settled(rule, look.at, answers));
    }

    fn push(&mut self, look: &Look<'_>, number: u32, kind: Kind, fate: Fate) -> &mut Call {
        let deadline = match kind {
            Kind::Login | Kind::Renewal => look.at + look.limits.login_timeout,
            Kind::Logout | Kind::Request => look.at + look.limits.request_timeout,
            // What is answered at once has no time to run out.
            Kind::Local => gatecrash::time::Instant::from_micros(u64::MAX),
        };
        let is_vague = self.has_overdue(look);
        let (is_sent, has_left, unsent_since) = (false, false, None);
        let ticket = None;
        self.calls.push(Call { number, kind, is_sent, has_left, unsent_since, is_vague, ticket, deadline, fate });
        self.calls.last_mut().expect("just put there")
    }

    /// INIT-3: every pending call ends with [7009].
    fn uninit(&mut self, look: &Look<'_>, number: u32) {
        let every = [Kind::Login, Kind::Renewal, Kind::Logout, Kind::Request];
        self.give_up(const { rule("INIT-3") }, Answer::Code(Code::Uninitialised));
        self.settle(look, const { rule("INIT-3") }, &every, Answer::Code(Code::Uninitialised));
        self.set_account(Account::Nobody);
        (self.is_initialised, self.viewer) = (false, None);
        self.reported.clear();
        self.at_once(look, number, const { rule("INIT-3") }, vec![Answer::Done]);
    }

    fn login(&mut self, look: &Look<'_>, number: u32, user: UserIndex, ticket: TicketIndex) {
        let is_overdue = |call: &Call| matches!(call.fate, Fate::Open) && call.deadline <= look.at;
        if self.calls.iter().any(is_overdue) {
            // Time has settled what is pending, or is about to: the trace does not tell in which order.
            self.is_blurred = true;
        }
        let mut refusals = self.pending_refusal();
        if !is_user_id(look.cast.user_name(user)) {
            refusals.push(Code::InvalidUserId);
        }
        refusals.extend(look.unfit.get(&look.cast.ticket(ticket).name));
        if !refusals.is_empty() {
            return self.at_once(
                look,
                number,
                const { rule("LOGIN-4") },
                refusals.into_iter().map(Answer::Code).collect(),
            );
        }
        if self.reported.contains(&ticket) || !look.made.contains(&ticket) {
            self.doubt = Some(Doubt { call: number, user, ticket });
            self.push(look, number, Kind::Login, Fate::Any);
            return;
        }
        match self.account {
            Account::LoggedIn(session) if session.user == user => {
                let is_usable = self.is_usable();
                // VERSION-1: it connects again.
                self.has_given_up = false;
                self.tickets.push(ticket);
                let call = self.push(look, number, Kind::Renewal, Fate::Open);
                (call.ticket, call.is_sent) = (Some(ticket), is_usable);
            }
            _ => {
                self.push(look, number, Kind::Login, Fate::Open);
                self.begin_login(look, number, user, ticket);
            }
        }
    }

    /// LOGIN-4, LOGOUT-4
    fn pending_refusal(&self) -> Vec<Code> {
        let renews = |call: &Call| call.kind == Kind::Renewal && matches!(call.fate, Fate::Open);
        match self.account {
            Account::LoggingIn(..) => vec![Code::LoginPending],
            Account::LoggedIn(_) if self.calls.iter().any(renews) => vec![Code::LoginPending],
            Account::LoggingOut(_) => vec![Code::LogoutPending],
            Account::LoggedIn(_) | Account::Nobody => Vec::new(),
        }
    }

    /// The SDK has accepted a login that is no renewal. Of a switch it ends the former account's calls.
    pub(super) fn begin_login(&mut self, look: &Look<'_>, number: u32, user: UserIndex, ticket: TicketIndex) {
        let switched = Answer::Nobody(Some(Reason::Switched));
        if self.viewer.is_some_and(|viewer| viewer != user) {
            self.give_up(const { rule("SWITCH-2") }, switched);
        }
        self.settle(look, const { rule("SWITCH-2") }, &OF_ACCOUNT, switched);
        self.is_blurred |= self.has_overdue(look);
        let is_usable = self.is_usable();
        self.set_account(Account::LoggingIn(user, number));
        // SWITCH-3: on a link that is up both frames go out at once.
        self.line = self
            .line
            .filter(|_| is_usable)
            .map(|line| Line { stage: Stage::Waits { since: look.at, was_up: true }, ..line });
        (self.doubted, self.in_doubt) = (None, false);
        (self.viewer, self.last_failure, self.tickets) = (Some(user), None, vec![ticket]);
        self.held.clear();
        self.unsettled.clear();
        if let Some(call) = self.calls.iter_mut().find(|call| call.number == number) {
            (call.ticket, call.fate) = (Some(ticket), Fate::Open);
        }
    }

    fn logout(&mut self, look: &Look<'_>, number: u32) {
        let logged_out = Answer::Nobody(Some(Reason::LoggedOut));
        match self.account {
            Account::Nobody => {
                return self.at_once(look, number, const { rule("LOGOUT-4") }, vec![self.refusal()]);
            }
            Account::LoggingOut(logout) => {
                let is_overdue = |call: &Call| call.number == logout && call.deadline <= look.at;
                self.is_blurred |= self.calls.iter().any(is_overdue);
                return self.at_once(look, number, const { rule("LOGOUT-4") }, vec![Answer::Code(Code::LogoutPending)]);
            }
            Account::LoggingIn(..) => {
                self.settle(look, const { rule("LOGOUT-3") }, &[Kind::Login], Answer::Code(Code::LoginCancelled));
            }
            Account::LoggedIn(_) => {
                self.settle(look, const { rule("LOGOUT-1") }, &OF_ACCOUNT, logged_out);
            }
        }
        self.give_up(const { rule("LOGOUT-1") }, logged_out);
        (self.viewer, self.nobody) = (None, Some(Reason::LoggedOut));
        let can_be_said = match self.account {
            Account::LoggingIn(..) => self.line.is_some_and(|line| line.stage == Stage::Asked),
            _ => self.is_usable(),
        };
        self.is_blurred |= self.has_overdue(look);
        if can_be_said {
            self.push(look, number, Kind::Logout, Fate::Open).is_sent = true;
            self.set_account(Account::LoggingOut(number));
        } else {
            // LOGOUT-2: without a link it succeeds.
            self.push(
                look,
                number,
                Kind::Logout,
                Fate::Settled(const { rule("LOGOUT-2") }, look.at, vec![Answer::Done]),
            );
            self.set_account(Account::LoggingOut(number));
            self.set_account(Account::Nobody);
        }
    }

    /// API-1, API-4, API-5
    fn request(&mut self, look: &Look<'_>, number: u32, request: &Request) {
        let mut refusals = Vec::new();
        if !matches!(self.account, Account::LoggedIn(_)) {
            refusals.push(self.refusal());
        }
        if !has_good_arguments(look.cast, request) {
            refusals.push(Answer::Code(Code::InvalidArgument));
        }
        let is_usable = self.is_usable();
        if refusals.is_empty() && !is_usable && !self.may_wait() {
            refusals.push(Answer::Code(Code::NoLink));
        }
        if refusals.is_empty() {
            self.push(look, number, Kind::Request, Fate::Open).is_sent = is_usable;
        } else {
            self.at_once(look, number, NOBODY, refusals);
        }
    }
}

fn has_good_arguments(cast: &Cast, request: &Request) -> bool {
    match *request {
        Request::Send { to, text, .. } => is_user_id(cast.user_name(to)) && cast.text(text).len() <= TEXT_MAX,
        Request::Kick { user } => is_user_id(cast.user_name(user)),
        Request::Query { users } => match users.map(|list| cast.list(list)) {
            Some(List::Users(users)) => {
                users.len() <= QUERY_MAX && users.iter().all(|&user| is_user_id(cast.user_name(user)))
            }
            Some(List::Devices(_) | List::Conversations(_) | List::Report(_)) | None => false,
        },
        Request::Init { .. } | Request::Uninit | Request::Login { .. } | Request::Logout | Request::Conversations => {
            true
        }
    }
}
