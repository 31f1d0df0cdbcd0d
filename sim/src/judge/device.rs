//! What is known of a device from what its application did and was told: process, account, calls.
//!
//! Keeps the books and judges nothing. What is not certain any more is said to be so.

use std::collections::VecDeque;

use gatecrash::client::Status;
use gatecrash::code::Code;

use super::answer::Rule;
use super::gate::Gate;
use super::standing::{Account, How, Life, Open, Pending, Purpose, Session, of_new_process};
use crate::history::event::{Actor, Event, Identity, Outcome, Platform, Process, Request, Told, User, What};
use crate::history::{Channel, Head};
use crate::scenario::CallKind;

/// What a device was before a call of `init`.
#[derive(Clone, Debug)]
struct BeforeInit {
    account: Account,
    status: Option<(Status, Option<User>)>,
    /// The calls that had their results: another process counts anew.
    done: Vec<(u64, u64)>,
    /// That of the call.
    line: u64,
}

/// One device.
#[derive(Clone, Debug)]
pub(super) struct Device {
    pub(super) process: Life,
    pub(super) is_suspended: bool,
    pub(super) suspended_at: u64,
    pub(super) woken_at: u64,
    /// Whether the SDK is initialised, where that is known.
    pub(super) init: Option<bool>,
    pub(super) platform: Option<Platform>,
    pub(super) account: Account,
    /// The status that was seen last, and its user.
    pub(super) status: Option<(Status, Option<User>)>,
    /// Calls without a result.
    pub(super) calls: Vec<Open>,
    /// Calls that have one, as ranges of their numbers.
    done: Vec<(u64, u64)>,
    /// The last of them, with the lines of their results.
    recent: VecDeque<(u64, CallKind, u64)>,
    /// Why the last session ended, and when its end was told, if it was.
    pub(super) ended: Option<(u64, How)>,
    /// When an attempt to connect was told whose end was not.
    pub(super) connecting: Option<u64>,
    /// Which of the devices that the server takes it for it is.
    pub(super) identity: u32,
    /// Whether the server may take it for another device as well.
    pub(super) copy_of: Option<Actor>,
    /// Since when the device can reach the server, with its process running; none while it cannot.
    pub(super) reaches: Option<u64>,
    is_linked: bool,
    /// Whether the history says when processes start and end, and how the status goes.
    sees_process: bool,
    sees_status: bool,
    /// Whether it says what the application was told.
    sees_events: bool,
    /// Whether codes say why a call failed.
    codes: bool,
    /// The login that was called last, until the status says that it is under way.
    asked: Option<Pending>,
    /// Calls of `uninit` that have not returned, by their lines.
    pub(super) uninits: Vec<u64>,
    /// Whether the last attempt to connect that was told did not succeed.
    pub(super) is_offline: bool,
    /// Whether it was told why no attempt can succeed (VERSION-1), or that may have been said in words of its own.
    pub(super) has_given_up: bool,
    /// Whether anybody in this history has called `init`: an SDK may have no such call.
    pub(super) knows_init: bool,
    /// What it was before an `init` that may be a new process's, or an old one's second.
    before_init: Option<BeforeInit>,
}

impl Default for Device {
    fn default() -> Self {
        Device {
            process: Life::Unknown,
            is_suspended: false,
            suspended_at: 0,
            woken_at: 0,
            init: None,
            platform: None,
            account: Account::Nobody(How::Unknown),
            status: None,
            calls: Vec::new(),
            done: Vec::new(),
            recent: VecDeque::new(),
            ended: None,
            connecting: None,
            identity: 0,
            copy_of: None,
            reaches: Some(0),
            is_linked: true,
            sees_process: false,
            sees_status: false,
            sees_events: false,
            codes: false,
            asked: None,
            uninits: Vec::new(),
            is_offline: false,
            has_given_up: false,
            knows_init: false,
            before_init: None,
        }
    }
}

impl Device {
    /// One of a history that holds these channels.
    pub(super) fn new(head: &Head) -> Device {
        let sees = |channel| head.observes.has(channel);
        Device {
            sees_process: sees(Channel::Process),
            sees_status: sees(Channel::Status),
            sees_events: sees(Channel::Events),
            codes: head.codes,
            ..Device::default()
        }
    }

    /// The session there is, if that is certain.
    pub(super) fn session(&self) -> Option<Session> {
        if let Account::In(session) = self.account { Some(session) } else { None }
    }

    /// Whether a call may begin a new life, of which nothing else tells.
    pub(super) fn may_be_new(&self, request: &Request) -> bool {
        !self.sees_process && matches!(request, Request::Init { .. })
    }

    /// An event with what its line leaves to be guessed: a status that names nobody is that of whoever logs in, or has.
    pub(super) fn named(&self, event: &Event) -> Event {
        let mut event = *event;
        if let What::Status { status: Status::Logined, login_user: user @ None, is_said: false, .. } = &mut event.what {
            *user = match (self.account, self.asked) {
                (Account::Pending(pending), _) | (_, Some(pending)) => Some(pending.user),
                (Account::In(session), None) => Some(session.user),
                (Account::Nobody(_) | Account::Unsure, None) => None,
            };
        }
        event
    }

    /// Whether the history says when processes start and end.
    pub(super) fn sees_process(&self) -> bool {
        self.sees_process
    }

    /// Whether the history says what the application is told.
    pub(super) fn sees_events(&self) -> bool {
        self.sees_events
    }

    /// Whether the history says how the status goes.
    pub(super) fn sees_status(&self) -> bool {
        self.sees_status
    }

    /// The call with this number, if it has no result.
    pub(super) fn open(&self, call: u64) -> Option<&Open> {
        self.calls.iter().rev().find(|open| open.call == call)
    }

    /// Whether a call with this number has its result, or had it before an `init` that may be another process's.
    pub(super) fn is_done(&self, call: u64) -> bool {
        has(&self.done, call) || self.before_init.as_ref().is_some_and(|before| has(&before.done, call))
    }

    /// Whether this process, for all that is known, has called something by this number.
    pub(super) fn has_called(&self, call: u64) -> bool {
        let since = self.before_init.as_ref().map_or(0, |before| before.line);
        has(&self.done, call) || self.open(call).is_some_and(|open| open.line >= since)
    }

    /// What a call was that has had its result not long ago, and in which line.
    pub(super) fn recent(&self, call: u64) -> Option<(CallKind, u64)> {
        self.recent.iter().find(|(known, ..)| *known == call).map(|&(_, kind, line)| (kind, line))
    }

    /// Whether a call of this kind is waiting.
    pub(super) fn waits(&self, kind: CallKind) -> bool {
        self.calls.iter().any(|open| open.request.kind() == kind)
    }

    /// What a call has to be answered at once, being made at an instant; none where that depends on more.
    pub(super) fn gate(&self, request: &Request, at: u64) -> Option<Gate> {
        // Before anybody has called `init` an SDK may need it or not.
        let instead = |code| if self.init.is_none() { Code::NotInitialised.number() } else { code };
        let gate = |rule: &str, code, why| Some(Gate { rule: Rule::at(rule), codes: [code, instead(code)], why });
        let kind = request.kind();
        match self.init {
            Some(true) if kind == CallKind::Init && self.sees_process() => {
                return gate("INIT-4", 6015, "the SDK was initialised already");
            }
            Some(false) if !matches!(kind, CallKind::Init) && self.sees_process() => {
                return gate("INIT-1", 6013, "the SDK was not initialised");
            }
            _ => {}
        }
        match (kind, self.account) {
            // Whether it waits for the server or only for the device's disk, no application sees.
            (CallKind::Login | CallKind::Logout, _) if self.waits(CallKind::Logout) => None,
            // The process that waited may be gone.
            (CallKind::Login, Account::Pending(_)) if !self.sees_process() => None,
            (CallKind::Login, Account::Pending(pending)) => {
                let is_pending = match self.status {
                    Some((status, _)) => status == Status::Logining,
                    // Whoever is not told of its end does not know how long it is.
                    None => {
                        self.sees_events
                            && !pending.may_be_over
                            && self.calls.iter().all(|open| !open.purpose.is(pending.login) || open.to < at)
                    }
                };
                if is_pending { gate("LOGIN-4", 7501, "a login was pending") } else { None }
            }
            (_, Account::Nobody(How::Unknown) | Account::Unsure) => None,
            // A login that the SDK itself refused leaves all as it was, and only the status tells which one that is.
            (_, Account::Pending(_) | Account::Nobody(How::LoggedOut | How::Failed)) if !self.sees_status() => None,
            (CallKind::Logout, Account::Nobody(_)) => gate("LOGOUT-4", 6014, "nobody was logged in or logging in"),
            (CallKind::Send | CallKind::Kick | CallKind::Query, Account::Nobody(_)) => {
                gate("API-1", 6014, "nobody was logged in")
            }
            (CallKind::Send | CallKind::Kick | CallKind::Query, Account::Pending(_)) => {
                gate("API-1", 6014, "the login was still pending")
            }
            (CallKind::Conversations, Account::Nobody(How::Fresh | How::LoggedOut)) => {
                gate("API-1", 6014, "no login was accepted since")
            }
            _ => None,
        }
    }

    /// What a call of `login` would be for, being the `next` of all.
    pub(super) fn purpose(&self, request: &Request, at: u64, next: u64) -> Purpose {
        let Request::Login { user, .. } = *request else { return Purpose::Other };
        match self.account {
            // Such a call is refused, and disturbs nothing.
            _ if self.gate(request, at).is_some() => Purpose::Other,
            // Without a word of the process it may be a new one, which has forgotten the session.
            Account::In(session) if session.user == user && self.is_the_same_process() => Purpose::Renewal,
            Account::Unsure => Purpose::Unsure(next),
            Account::In(_) | Account::Nobody(_) | Account::Pending(_) => Purpose::Login(next),
        }
    }

    /// Whether the process is the one of before, for all that the history says.
    fn is_the_same_process(&self) -> bool {
        match self.init {
            Some(is_initialised) => is_initialised,
            None => self.sees_process && !self.knows_init,
        }
    }

    /// Takes in what happened to it. `next` is the number that a login gets.
    pub(super) fn take(&mut self, event: &Event, next: u64) {
        match event.what {
            What::Called { call, request } => self.called(event, call, request, next),
            What::Answered { call, outcome, .. } => self.answered(event, call, outcome),
            What::UninitReturned => {
                if !self.uninits.is_empty() {
                    let line = self.uninits.remove(0);
                    self.calls.retain(|open| open.line >= line);
                }
                // Another `init` may have been called before it returned.
                if self.init != Some(true) {
                    (self.account, self.init, self.connecting) = (Account::Nobody(How::Uninit), Some(false), None);
                }
            }
            What::Told { event: told, user, .. } => self.told(event, told, user),
            // What somebody looks up now and then says nothing of what was in between.
            What::Status { sampled: true, .. } => (self.sees_status, self.status) = (false, None),
            What::Status { .. } if !self.sees_status => {}
            // Without a word of processes this is another one, which has forgotten the session.
            What::Status { status: Status::Logining, .. } if self.is_restarted() => {
                let (asked, calls) = (self.asked, std::mem::take(&mut self.calls));
                let (done, recent) = (std::mem::take(&mut self.done), std::mem::take(&mut self.recent));
                // Its login may have been called behind an `init` that has no result yet.
                let is_first = |open: &&Open| {
                    matches!(open.request, Request::Init { .. })
                        || asked.is_some_and(|asked| open.purpose.is(asked.login))
                };
                let first = calls.iter().find(is_first).map_or(u64::MAX, |open| open.line);
                let calls = calls.into_iter().filter(|open| open.line >= first);
                let status = Some((Status::Logining, None));
                let calls = calls.collect();
                *self = Device { asked, calls, done, recent, status, init: self.init, ..self.reborn(Life::Unknown) };
                self.reach(event.to);
                self.settle(event.from);
            }
            What::Status { status, login_user, .. } => {
                self.status = Some((status, login_user));
                self.settle(event.from);
            }
            What::Process(process) => self.process(event, process),
            What::Link { up } => {
                self.is_linked = up;
                self.reach(event.to);
            }
            What::Identity(Identity::New) => {
                self.identity += 1;
                self.copy_of = None;
            }
            What::Identity(Identity::CopyOf(device)) => self.copy_of = Some(device),
            What::Brings { .. }
            | What::NetworkChanged
            | What::Ticket { .. }
            | What::Presence { .. }
            | What::PolicyChanged { .. }
            | What::End { .. } => {}
        }
    }

    /// Whether a result is this refusal, where codes tell.
    fn is_code(&self, outcome: Outcome, code: Code) -> bool {
        self.codes && outcome == Outcome::Failed { code: Some(code.number()) }
    }

    /// Whether a call that was refused because nobody had called `init` is another process's: the one of before had.
    fn is_another(&self, open: &Open) -> bool {
        !self.sees_process
            && open.gate.is_none()
            && self.uninits.is_empty()
            && !self.calls.iter().any(|other| matches!(other.request, Request::Init { .. }))
    }

    /// Whether a login that is under way now is that of another process: the one of before would have to be LOGOUT first.
    pub(super) fn is_restarted(&self) -> bool {
        !self.sees_process && matches!(self.status, Some((Status::Logined, _)))
    }

    /// A new life, of which nothing before is left but what it is known by.
    fn reborn(&self, life: Life) -> Device {
        Device {
            process: life,
            init: self.knows_init.then_some(false),
            platform: self.platform,
            account: Account::Nobody(if self.sees_process { How::Fresh } else { How::Unknown }),
            status: self.sees_status.then_some((Status::Logout, None)),
            identity: self.identity,
            copy_of: self.copy_of,
            is_linked: self.is_linked,
            reaches: None,
            knows_init: self.knows_init,
            sees_process: self.sees_process,
            sees_status: self.sees_status,
            sees_events: self.sees_events,
            codes: self.codes,
            ..Device::default()
        }
    }

    fn called(&mut self, event: &Event, call: u64, request: Request, next: u64) {
        let may_run = match self.init {
            Some(is_initialised) => is_initialised,
            None => !matches!(self.account, Account::Nobody(_)),
        };
        if may_run && self.may_be_new(&request) {
            // A new process, or an old one's mistake: the result tells.
            let (status, done) = (self.status.take(), std::mem::take(&mut self.done));
            self.before_init = Some(BeforeInit { account: self.account, status, done, line: event.line });
            self.account = Account::Unsure;
        }
        let purpose = self.purpose(&request, event.from, next);
        let open = Open {
            call,
            request,
            from: event.from,
            to: event.to,
            line: event.line,
            purpose,
            gate: self.gate(&request, event.from),
            session: self.session(),
            connecting: self.connecting,
            beside_logout: self.waits(CallKind::Logout),
            outlived: false,
        };
        match request {
            Request::Init { platform } => {
                self.init = Some(true);
                self.platform = platform.or(self.platform);
            }
            Request::Uninit => {
                self.uninits.push(event.line);
                self.end(How::Uninit, None);
            }
            Request::Login { user, platform, .. } => {
                self.platform = platform.or(self.platform);
                if let Purpose::Login(login) | Purpose::Unsure(login) = purpose {
                    self.begins(Pending { user, login, may_be_over: false, is_tried: false });
                }
            }
            // Of a login that is over already, though its result is not out, there is nothing to leave.
            Request::Logout if matches!(self.account, Account::Pending(pending) if pending.may_be_over) => {
                self.account = Account::Unsure;
            }
            Request::Logout if open.gate.is_none() => self.end(How::LoggedOut, None),
            _ => {}
        }
        self.calls.push(open);
    }

    /// A login was called. Where the status is seen, that says when it is under way; else it is from now on.
    fn begins(&mut self, pending: Pending) {
        if self.sees_status {
            self.asked = Some(pending);
        } else if !matches!(self.account, Account::Pending(_)) {
            // Of two that wait the first one counts, until it has its result.
            self.account = Account::Pending(pending);
            self.connecting = None;
        }
    }

    fn end(&mut self, how: How, told: Option<u64>) {
        if let Account::In(session) = self.account {
            self.ended = Some((session.login, how));
            if told.is_some() {
                for open in &mut self.calls {
                    open.outlived |= open.session == Some(session);
                }
            }
        }
        if how == How::Uninit {
            self.init = Some(false);
        }
        self.account = Account::Nobody(how);
        self.connecting = None;
    }

    fn answered(&mut self, event: &Event, call: u64, outcome: Outcome) {
        let Some(place) = self.calls.iter().rposition(|open| open.call == call) else { return };
        let open = self.calls.remove(place);
        self.note(call);
        if matches!(open.request, Request::Init { .. })
            && let Some(BeforeInit { account, status, done, .. }) =
                self.before_init.take_if(|before| before.line == open.line)
        {
            let is_untouched = self.account == Account::Unsure
                && self.calls.iter().all(|other| other.line < open.line)
                // A login that was under way may have had its result meanwhile.
                && match account {
                    Account::Pending(pending) => self.calls.iter().any(|other| other.purpose.is(pending.login)),
                    Account::In(_) | Account::Nobody(_) | Account::Unsure => true,
                };
            match outcome {
                Outcome::Failed { .. } => {
                    if is_untouched {
                        self.account = account;
                    }
                    self.status = self.status.or(status);
                    let since = std::mem::replace(&mut self.done, done);
                    since.into_iter().flat_map(|(first, last)| first..=last).for_each(|call| self.note(call));
                }
                Outcome::Done { .. } | Outcome::Unknown => {
                    // What another process waited for has no result any more.
                    self.calls.retain(|other| other.line > open.line);
                    let (calls, done) = (std::mem::take(&mut self.calls), std::mem::take(&mut self.done));
                    let (recent, uninits) = (std::mem::take(&mut self.recent), std::mem::take(&mut self.uninits));
                    let new = self.reborn(Life::Unknown);
                    let (status, connecting) =
                        (self.status.or(new.status), self.connecting.filter(|_| self.status.is_some()));
                    let account = of_new_process(&calls, status);
                    *self =
                        Device { calls, done, recent, uninits, init: Some(true), account, status, connecting, ..new };
                    self.reach(event.to);
                }
            }
        }
        if self.recent.len() == RECENT_MAX {
            self.recent.pop_front();
        }
        self.recent.push_back((call, open.request.kind(), event.line));
        if self.is_code(outcome, Code::NotInitialised) && self.init == Some(true) && self.is_another(&open) {
            let (done, recent) = (std::mem::take(&mut self.done), std::mem::take(&mut self.recent));
            let calls = std::mem::take(&mut self.calls).into_iter().filter(|other| other.line > open.line).collect();
            *self = Device { calls, done, recent, init: Some(false), ..self.reborn(Life::Unknown) };
            return self.reach(event.to);
        }
        match (open.purpose, outcome) {
            (Purpose::Login(login) | Purpose::Unsure(login), Outcome::Done { .. }) => {
                let Request::Login { user, ticket, .. } = open.request else { return };
                // Its session may be over by now, or another login under way.
                let is_asked = self.asked.is_some_and(|asked| asked.login == login);
                if self.is_pending(login) || is_asked {
                    self.asked = None;
                    self.account = Account::In(Session { user, login, since: open.from, ticket });
                }
            }
            (Purpose::Login(login) | Purpose::Unsure(login), _)
                if self.asked.is_some_and(|asked| asked.login == login) =>
            {
                self.asked = None;
            }
            (Purpose::Login(login) | Purpose::Unsure(login), outcome) if self.is_pending(login) => {
                let is_tried = matches!(self.account, Account::Pending(pending) if pending.is_tried);
                let before = self.calls.iter().rev().find_map(|other| match (other.request, other.purpose) {
                    (Request::Login { user, .. }, Purpose::Login(login)) => {
                        Some(Account::Pending(Pending { user, login, may_be_over: true, is_tried: false }))
                    }
                    _ => None,
                });
                self.account = match (open.session, self.status) {
                    // It was under way, so this status is of later: the SDK itself took it for over.
                    (_, Some((Status::Logout, _))) if outcome == Outcome::Unknown => Account::Nobody(How::Unknown),
                    _ if outcome == Outcome::Unknown => Account::Unsure,
                    (None, _) => {
                        self.connecting = self.connecting.or(open.connecting);
                        before.unwrap_or(Account::Nobody(if self.sees_status { How::Failed } else { How::Unknown }))
                    }
                    // The SDK itself may have refused the call, and then whoever was logged in still is.
                    (Some(before), Some((Status::Logined, Some(user)))) if user == before.user => {
                        self.connecting = self.connecting.or(open.connecting);
                        Account::In(before)
                    }
                    (Some(_), Some((Status::Logout, _))) => Account::Nobody(How::Failed),
                    (Some(_), None) if is_tried => before.unwrap_or(Account::Nobody(How::Unknown)),
                    (Some(session), None) if is_local(outcome) => {
                        self.connecting = self.connecting.or(open.connecting);
                        before.unwrap_or(Account::In(session))
                    }
                    (Some(_), _) => Account::Unsure,
                };
            }
            (Purpose::Renewal, Outcome::Done { .. }) => {
                if let (Account::In(session), Request::Login { ticket, .. }) = (&mut self.account, open.request) {
                    session.ticket = ticket.or(session.ticket);
                }
            }
            // The server may have taken it all the same, or not: which ticket is the session's nobody knows.
            (Purpose::Renewal, Outcome::Failed { .. } | Outcome::Unknown) => {
                if let Account::In(session) = &mut self.account {
                    session.ticket = None;
                }
            }
            (Purpose::Other, Outcome::Failed { .. } | Outcome::Unknown)
                if open.request == Request::Logout
                    && open.gate.is_none()
                    && self.account == Account::Nobody(How::LoggedOut) =>
            {
                let waiting = self.calls.iter().rev().find_map(|other| match (other.request, other.purpose) {
                    (Request::Login { user, .. }, Purpose::Login(login)) if other.line < open.line => {
                        Some(Pending { user, login, may_be_over: false, is_tried: open.connecting.is_some() })
                    }
                    _ => None,
                });
                self.account = match (open.session, self.status, waiting) {
                    (Some(session), Some((Status::Logined, Some(user))), _) if user == session.user => {
                        Account::In(session)
                    }
                    (_, Some((Status::Logout, _)), _) => Account::Nobody(How::Unknown),
                    // An SDK may refuse to leave while it comes in: then the login goes on.
                    (None, Some((Status::Logining, _)), Some(pending)) if outcome != Outcome::Unknown => {
                        self.connecting = self.connecting.or(open.connecting);
                        Account::Pending(pending)
                    }
                    _ => Account::Unsure,
                };
            }
            (_, Outcome::Failed { .. }) if matches!(open.request, Request::Init { .. }) && open.gate.is_none() => {
                self.init = self.is_code(outcome, Code::AlreadyInitialised).then_some(true);
            }
            _ => {}
        }
    }

    /// Whether this login is under way, or its session is the one there is.
    pub(super) fn is_of(&self, login: u64) -> bool {
        self.is_pending(login) || matches!(self.account, Account::In(session) if session.login == login)
    }

    fn is_pending(&self, login: u64) -> bool {
        matches!(self.account, Account::Pending(pending) if pending.login == login)
    }

    fn told(&mut self, event: &Event, told: Told, of: Option<User>) {
        if let Account::Pending(pending) = &mut self.account {
            match told {
                Told::Connecting => pending.is_tried |= of == Some(pending.user),
                // Another attempt may follow: the status says whether one does.
                Told::ConnectFailed { .. } => {
                    pending.may_be_over = !matches!(self.status, Some((Status::Logining, _)));
                }
                _ => {}
            }
        }
        match told {
            Told::Connecting => (self.connecting, self.is_offline) = (Some(event.from), true),
            Told::ConnectSuccess => {
                (self.connecting, self.is_offline) = (None, false);
                self.accepted(event.from);
            }
            Told::ConnectFailed { code } => {
                self.connecting = None;
                self.has_given_up = code.is_none_or(|code| code == Code::VersionNotSupported.number());
            }
            Told::KickedOffline { .. } => self.end(How::Kicked, Some(event.from)),
            Told::UserSigExpired => self.end(How::Expired, Some(event.from)),
            Told::Message { .. } | Told::MessagesDropped => {}
        }
    }

    /// A status that was seen ends doubt.
    fn settle(&mut self, at: u64) {
        match self.status {
            Some((Status::Logout, _)) => {}
            Some((Status::Logined, _)) => return self.accepted(at),
            Some((Status::Logining, _)) => {
                // The last call is the one that did it: the status changes as it is made.
                if let Some(pending) = self.asked.take() {
                    self.account = Account::Pending(pending);
                    self.connecting = None;
                }
                return;
            }
            None => return,
        }
        match &mut self.account {
            Account::Unsure => self.account = Account::Nobody(How::Unknown),
            Account::Pending(pending) => pending.may_be_over = true,
            Account::In(_) | Account::Nobody(_) => {}
        }
    }

    /// A login that is under way has succeeded, though its result may not be out.
    fn accepted(&mut self, since: u64) {
        let Account::Pending(Pending { user, login, .. }) = self.account else { return };
        let mut calls = self.calls.iter();
        let known = calls.find_map(|open| match (open.request, open.purpose) {
            (Request::Login { ticket, .. }, Purpose::Login(number)) if number == login => Some((ticket, open.from)),
            _ => None,
        });
        let (ticket, since) = known.unwrap_or((None, since));
        self.account = Account::In(Session { user, login, since, ticket });
    }

    fn process(&mut self, event: &Event, process: Process) {
        match process {
            Process::Up | Process::Dead => {
                let life = if process == Process::Up { Life::Up } else { Life::Dead };
                *self = self.reborn(life);
            }
            Process::Suspended => (self.is_suspended, self.suspended_at) = (true, event.from),
            Process::Woken => (self.is_suspended, self.woken_at) = (false, event.to),
        }
        self.reach(event.to);
    }

    fn reach(&mut self, at: u64) {
        let reaches = self.is_linked && !self.is_suspended && self.process != Life::Dead;
        self.reaches = reaches.then(|| self.reaches.unwrap_or(at));
    }

    fn note(&mut self, call: u64) {
        let place = self.done.partition_point(|&(_, last)| last.saturating_add(1) < call);
        match self.done.get_mut(place) {
            Some((first, last)) if *first <= call.saturating_add(1) && call <= last.saturating_add(1) => {
                (*first, *last) = ((*first).min(call), (*last).max(call));
                if self.done.get(place + 1).is_some_and(|&(next, _)| next == self.done[place].1.saturating_add(1)) {
                    self.done[place].1 = self.done[place + 1].1;
                    self.done.remove(place + 1);
                }
            }
            _ => self.done.insert(place, (call, call)),
        }
        // Texts as numbers of calls leave no ranges: what is older than so many is forgotten.
        if self.done.len() > DONE_MAX {
            self.done.remove(0);
        }
    }
}

/// Whether ranges of numbers have this one.
fn has(ranges: &[(u64, u64)], call: u64) -> bool {
    let place = ranges.partition_point(|&(_, last)| last < call);
    ranges.get(place).is_some_and(|&(first, _)| first <= call)
}

/// Whether the SDK has refused a login by itself, and nothing has changed.
fn is_local(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Failed { code: Some(6013..=6017 | 6206 | 7003 | 7501 | 7502 | 70002 | 70003) })
}

/// Of how many calls it is remembered what they were.
const RECENT_MAX: usize = 64;

/// How many ranges of answered calls are remembered.
const DONE_MAX: usize = 1_024;
