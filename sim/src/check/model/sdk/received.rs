//! What comes in on the SDK's connection, and what becomes of the connection.

use gatecrash::code::{Code, Reason};
use gatecrash::protocol::FrameError;

use super::state::{Account, Answer, Call, Fate, Kind, Line, Look, Sdk, Stage};
use crate::scenario::rules::{RuleId, rule};
use crate::trace::{Kick, Refusal, ServerFrame, Session, UserIndex};

pub(super) const LOGIN: RuleId = rule("LOGIN-3");
const RENEWAL: RuleId = rule("LOGIN-5");
const ENDED: RuleId = rule("EVENT-1");
const LOST: RuleId = rule("CONN-8");
const VERSION: RuleId = rule("VERSION-1");

impl Sdk {
    /// One more connection is made: in the place of the one there was, or beside the link of a session (CONN-10).
    pub(super) fn connect_asked(&mut self, connection: u32) {
        if self.is_up() {
            self.doubted = self.line.map(|line| line.connection);
        }
        (self.in_doubt, self.has_given_up) = (false, false);
        self.line = Some(Line { connection, stage: Stage::Opening });
    }

    /// What carried the session until now is gone, and another connection is not there yet.
    pub(super) fn doubted_ended(&mut self, look: &Look<'_>) {
        self.doubted = None;
        if matches!(self.account, Account::LoggedIn(_)) {
            self.lose(look, LOST, &[Kind::Request, Kind::Renewal]);
        }
    }

    /// The other connection came to nothing, and the link, which has answered, is asked once more.
    pub(super) fn doubted_kept(&mut self) {
        self.line = self.doubted.take().map(|connection| Line { connection, stage: Stage::Up });
        self.in_doubt = true;
    }

    /// What comes on the link that is to be replaced.
    pub(super) fn received_on_doubted(&mut self, look: &Look<'_>, frame: &ServerFrame) {
        match *frame {
            ServerFrame::RenewAnswer { .. }
            | ServerFrame::SendAnswer { .. }
            | ServerFrame::AdminKickAnswer { .. }
            | ServerFrame::QueryAnswer { .. }
            | ServerFrame::Kick { .. }
            | ServerFrame::Expired { .. } => self.received(look, frame),
            // What makes it no good the SDK says.
            ServerFrame::Error { .. }
            | ServerFrame::Closing { .. }
            | ServerFrame::LoginAccepted { .. }
            | ServerFrame::LoginRefused { .. }
            | ServerFrame::Resumed { .. }
            | ServerFrame::ResumedAsLogin { .. }
            | ServerFrame::ResumeKicked { .. }
            | ServerFrame::ResumeExpired { .. }
            | ServerFrame::ResumeRefused { .. }
            | ServerFrame::ResumeUnable { .. }
            | ServerFrame::ResumeStale { .. }
            | ServerFrame::LogoutAnswer { .. }
            | ServerFrame::HeartbeatAnswer
            | ServerFrame::Message { .. } => {}
        }
    }

    /// The connection stands: what there is to ask goes out on it.
    pub(super) fn connected(&mut self, look: &Look<'_>, connection: u32) {
        let is_it = |line: &Line| line.connection == connection && line.stage == Stage::Opening;
        if !self.line.as_ref().is_some_and(is_it) {
            return;
        }
        let stage = match self.account {
            Account::LoggingIn(..) => Stage::Waits { since: look.at, was_up: false },
            Account::LoggedIn(_) | Account::LoggingOut(_) | Account::Nobody => Stage::Asked,
        };
        self.line = Some(Line { connection, stage });
        // LOGIN-5: which of the session's tickets holds the resume has to find out.
        if let Account::LoggedIn(_) = self.account {
            self.lose(look, LOST, &[Kind::Renewal]);
        }
    }

    /// The connection could not be opened, or is gone. What was sent on it and not answered ends (CONN-8).
    pub(super) fn line_ended(&mut self, look: &Look<'_>) {
        let Some(line) = self.line.take() else { return };
        self.in_doubt = false;
        if matches!(line.stage, Stage::Opening | Stage::Waits { .. }) {
            return;
        }
        let lost = Answer::Code(Code::NoAnswer);
        match self.account {
            // LOGIN-8: whether it was accepted nobody knows.
            Account::LoggingIn(..) => {
                self.settle(look, const { rule("LOGIN-8") }, &[Kind::Login], lost);
                self.set_nobody(Reason::LoginFailed);
            }
            Account::LoggingOut(_) => {
                self.settle(look, const { rule("LOGOUT-2") }, &[Kind::Logout], Answer::Done);
                self.set_account(Account::Nobody);
            }
            Account::LoggedIn(_) if line.stage == Stage::Up => {
                self.lose(look, LOST, &[Kind::Request, Kind::Renewal]);
            }
            Account::LoggedIn(_) | Account::Nobody => {}
        }
    }

    /// INPUT-6: what was sent on the connection was not.
    pub(super) fn nobody_answered(&mut self, look: &Look<'_>) {
        let Account::LoggingIn(_, login) = self.account else { return self.line_ended(look) };
        self.line = None;
        let is_it = |call: &&mut Call| call.number == login;
        self.calls.iter_mut().filter(is_it).for_each(|call| (call.is_sent, call.has_left) = (false, false));
    }

    pub(super) fn received(&mut self, look: &Look<'_>, frame: &ServerFrame) {
        match *frame {
            ServerFrame::LoginAccepted { call, epoch, .. } => self.login_accepted(look, call, epoch),
            ServerFrame::LoginRefused { call, refused } => self.login_refused(look, call, refused),
            ServerFrame::Resumed { .. } => self.resumed(look),
            ServerFrame::ResumedAsLogin { epoch, .. } => {
                if let Account::LoggedIn(session) = self.account {
                    self.account = Account::LoggedIn(Session { epoch, ..session });
                }
                self.resumed(look);
            }
            ServerFrame::ResumeKicked { kick, .. } | ServerFrame::Kick { kick } => self.kicked(look, kick),
            ServerFrame::ResumeExpired { .. } => self.expired(look),
            ServerFrame::Expired { user, epoch } => {
                if self.account == Account::LoggedIn(Session { user, epoch }) {
                    self.expired(look);
                }
            }
            ServerFrame::ResumeRefused { code, .. } => {
                self.may_end = true;
                self.reported_if_expired(code);
            }
            ServerFrame::RenewAnswer { call, refused } => {
                self.unsettled.retain(|sent| *sent != call);
                if let Some(Refusal::Code(code)) = refused {
                    self.reported_if_expired(code);
                }
                let is_it = |kind| kind == Kind::Renewal;
                self.answer(look, RENEWAL, call, is_it, refused.map_or(Answer::Done, refused_answer));
            }
            ServerFrame::LogoutAnswer { call, refused } => self.logout_answered(look, call, refused),
            ServerFrame::SendAnswer { call, message, refused } => {
                let answer = refused.map_or(Answer::Message(message), Answer::Code);
                self.answer(look, const { rule("API-2") }, call, |kind| kind == Kind::Request, answer);
            }
            ServerFrame::AdminKickAnswer { call, refused } => {
                let answer = refused.map_or(Answer::Done, Answer::Code);
                self.answer(look, const { rule("ADMIN-1") }, call, |kind| kind == Kind::Request, answer);
            }
            ServerFrame::QueryAnswer { call, report, refused } => {
                let answer = refused.map_or(Answer::Report(report), Answer::Code);
                self.answer(look, const { rule("ADMIN-2") }, call, |kind| kind == Kind::Request, answer);
            }
            ServerFrame::Error { why: FrameError::Version } => self.version_refused(look),
            ServerFrame::Closing { .. } => self.sent_away(look),
            ServerFrame::HeartbeatAnswer => {
                // Whether the SDK doubts its link again at once the trace does not tell.
                if self.has_overdue(look) {
                    self.calls.iter_mut().filter(|call| !call.is_sent).for_each(|call| call.is_vague = true);
                }
                if self.is_up() {
                    self.all_is_sent();
                }
            }
            ServerFrame::ResumeUnable { .. }
            | ServerFrame::ResumeStale { .. }
            | ServerFrame::Message { .. }
            | ServerFrame::Error { .. } => {}
        }
    }

    /// CONN-2, LOGIN-8: a login that the server did not do goes on waiting, and any other link is lost.
    fn sent_away(&mut self, look: &Look<'_>) {
        match self.account {
            Account::LoggingIn(_, login) if self.line.is_some_and(|line| line.stage != Stage::Opening) => {
                let is_it = |call: &&mut Call| call.number == login;
                self.calls.iter_mut().filter(is_it).for_each(|call| (call.is_sent, call.has_left) = (false, false));
                (self.line, self.held) = (None, Vec::new());
            }
            Account::LoggingIn(..) | Account::LoggingOut(_) | Account::LoggedIn(_) | Account::Nobody => {
                self.line_ended(look);
            }
        }
    }

    /// VERSION-1: whatever waits for this server has its result. On a link that was up it is no answer.
    fn version_refused(&mut self, look: &Look<'_>) {
        let is_greeting = |line: Line| matches!(line.stage, Stage::Asked | Stage::Waits { was_up: false, .. });
        if !self.line.is_some_and(is_greeting) {
            return;
        }
        self.settle(look, VERSION, &[Kind::Login, Kind::Renewal], Answer::Code(Code::VersionNotSupported));
        (self.line, self.has_given_up) = (None, true);
        match self.account {
            Account::LoggingIn(..) => self.set_nobody(Reason::LoginFailed),
            // The end stays owed.
            Account::LoggingOut(_) => {
                self.settle(look, const { rule("LOGOUT-2") }, &[Kind::Logout], Answer::Done);
                self.set_account(Account::Nobody);
            }
            Account::LoggedIn(_) | Account::Nobody => {}
        }
    }

    /// Settles the call, if it is of this kind and open.
    fn answer(&mut self, look: &Look<'_>, rule: RuleId, number: u32, is_kind: impl Fn(Kind) -> bool, answer: Answer) {
        for call in &mut self.calls {
            if call.number == number && is_kind(call.kind) && matches!(call.fate, Fate::Open) {
                call.fate = Fate::Settled(rule, look.at, vec![answer]);
            }
        }
    }

    fn is_login_pending(&self, number: u32) -> Option<UserIndex> {
        match self.account {
            Account::LoggingIn(user, login) if login == number => Some(user),
            _ => None,
        }
    }

    fn login_accepted(&mut self, look: &Look<'_>, number: u32, epoch: u32) {
        let Some(user) = self.is_login_pending(number) else { return };
        self.answer(look, LOGIN, number, |kind| kind == Kind::Login, Answer::Done);
        let session = Session { user, epoch };
        self.set_account(Account::LoggedIn(session));
        self.roused_at = None;
        self.line = self.line.map(|line| Line { stage: Stage::Up, ..line });
        self.may_end = false;
        // KICK-8: a kick that came before the answer is applied after it.
        if self.held.contains(&session) {
            self.session_ended(look, Reason::Kicked);
        }
    }

    fn login_refused(&mut self, look: &Look<'_>, number: u32, refused: Refusal) {
        if self.is_login_pending(number).is_none() {
            // LOGOUT-3: of the login that a logout cut off nothing was made.
            if let Account::LoggingOut(logout) = self.account
                && refused == Refusal::Stale
            {
                self.answer(look, const { rule("LOGOUT-3") }, logout, |kind| kind == Kind::Logout, Answer::Done);
                self.set_account(Account::Nobody);
            }
            return;
        }
        if let Refusal::Code(code) = refused {
            self.reported_if_expired(code);
        }
        self.answer(look, LOGIN, number, |kind| kind == Kind::Login, refused_answer(refused));
        self.set_nobody(Reason::LoginFailed);
    }

    /// The session has its link again. A renewal that waited for it goes out (LOGIN-5).
    fn resumed(&mut self, look: &Look<'_>) {
        if !matches!(self.account, Account::LoggedIn(_)) {
            return;
        }
        // CONN-10, CONN-8: the link before is closed, and with it ends what was sent on it.
        if self.doubted.is_some() {
            self.doubted_ended(look);
        }
        self.line = self.line.map(|line| Line { stage: Stage::Up, ..line });
        self.may_end = false;
        self.unsettled.clear();
        self.all_is_sent();
    }

    fn kicked(&mut self, look: &Look<'_>, Kick { user, epoch, .. }: Kick) {
        let session = Session { user, epoch };
        match self.account {
            Account::LoggedIn(own) if own == session => self.session_ended(look, Reason::Kicked),
            Account::LoggingIn(own, _) if own == user => self.held.push(session),
            _ => {}
        }
    }

    fn expired(&mut self, look: &Look<'_>) {
        if matches!(self.account, Account::LoggedIn(_)) {
            if self.unsettled.is_empty() {
                self.reported_if_expired(Code::TicketExpired);
            }
            self.session_ended(look, Reason::Expired);
        }
    }

    /// EVENT-1: pending calls end with [6014].
    pub(super) fn session_ended(&mut self, look: &Look<'_>, reason: Reason) {
        self.settle(look, ENDED, &[Kind::Renewal, Kind::Request], Answer::Nobody(Some(reason)));
        self.set_nobody(reason);
        self.may_end = false;
    }

    /// TICKET-7: which of the session's tickets it was is left open.
    fn reported_if_expired(&mut self, code: Code) {
        if code == Code::TicketExpired {
            self.reported.extend(self.tickets.iter().copied());
        }
    }

    fn logout_answered(&mut self, look: &Look<'_>, number: u32, refused: Option<Refusal>) {
        let is_stale = refused == Some(Refusal::Stale);
        match self.account {
            Account::LoggingOut(logout) if logout == number => {
                // DUR-5: whatever else the server says, it succeeds.
                let answer = if is_stale { Answer::Code(Code::NoAnswer) } else { Answer::Done };
                self.answer(look, const { rule("LOGOUT-1") }, number, |kind| kind == Kind::Logout, answer);
                self.set_account(Account::Nobody);
            }
            // ATT-1: the owed end went ahead of the login, and fails it.
            Account::LoggingIn(_, login) if is_stale => self.login_refused(look, login, Refusal::Stale),
            _ => {}
        }
    }
}

fn refused_answer(refused: Refusal) -> Answer {
    match refused {
        Refusal::Code(code) => Answer::Code(code),
        // ATT-1 names no code for it: there was no answer to what was asked.
        Refusal::Stale => Answer::Code(Code::NoAnswer),
    }
}
