//! The reference SDK: what was called and what came in say which results a call can have.
//!
//! Follows one device. A call is open until something settles it; time settles it too, and that is
//! seen only by its result. So an open call may have the result that time gives it once its time is
//! up, and a login whose answer never came stays one whose outcome nobody knows.
//!
//! What is settled is to be told at once: whoever asks says how long that may take. Says nothing of what a conversation
//! list contains.

mod called;
mod received;
mod state;
mod storage;

use std::collections::{BTreeMap, BTreeSet};

use gatecrash::client::Status;
use gatecrash::code::{Code, Reason};
use gatecrash::limits::ClientLimits;
use gatecrash::time::Instant;

use super::difference::Difference;
use crate::scenario::rules::{RuleId, rule};
use crate::scenario::{Forge, Scenario};
use crate::trace::{Cast, DeviceIndex, Event, Outcome, TicketIndex, What};
use state::{Account, Answer, Call, Fate, Kind, Look, Sdk, Stage};

/// Every device.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sdks {
    devices: BTreeMap<DeviceIndex, Sdk>,
    /// Tickets that the SDK refuses without the network, by name, and with which code (TICKET-3).
    unfit: BTreeMap<String, Code>,
    /// Tickets that somebody was seen to make.
    made: BTreeSet<TicketIndex>,
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

    /// A call whose result is known since before then, and that has none (API-5, CONN-8, EVENT-1); or one that had to
    /// be sent before then, and was not. `last` is when something happened to the device last.
    pub(crate) fn untold(&mut self, device: DeviceIndex, before: Instant, last: Instant) -> Option<Difference> {
        let sdk = self.devices.get_mut(&device)?;
        sdk.untold(before).or_else(|| sdk.unsent(before, last))
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
        self.time_goes_on(event.at);
        match event.what {
            What::StoreAsked { change, write } => self.write_asked(change, write),
            What::Stored { change } => self.stored = change,
            What::Called { call, request } => self.called(look, call, &request),
            What::Answered { call, outcome, .. } => return self.answered(look, call, outcome),
            What::Status { status, .. } => self.status(look, status),
            What::Told { event: crate::trace::Told::ConnectFailed { code }, .. } => {
                self.last_failure = Some(code);
                // Of an attempt that the change of the network ended it is told at that instant.
                self.roused_at = self.roused_at.filter(|at| *at == event.at);
                // Nor is it of the next attempt, where both timers were due at that instant.
                let is_next = self.asked_at == Some(event.at);
                self.line = self.line.filter(|line| line.stage == Stage::Up || is_next);
            }
            What::ConnectAsked { connection } => {
                self.asked_at = Some(event.at);
                self.connect_asked(connection);
            }
            What::Connected { connection } => self.connected(look, connection),
            What::DeviceSent { frame, .. } => self.left(&frame),
            What::RecordFailed => self.record_failed(look),
            What::DeviceReceived { connection, frame } if self.listens_on(connection) => self.received(look, &frame),
            What::DeviceReceived { connection, frame } if self.doubted == Some(connection) => {
                self.received_on_doubted(look, &frame);
            }
            What::ConnectFailed { connection } | What::Untrusted { connection } | What::Gone { connection, .. }
                if self.is_on(connection) =>
            {
                self.line_ended(look);
            }
            What::Gone { connection, .. } | What::CloseAsked { connection, .. } if self.doubted == Some(connection) => {
                self.doubted_ended(look);
            }
            What::LinkLost if self.doubted.is_some() => self.doubted_ended(look),
            What::NoFrame { connection } if self.is_on(connection) => self.nobody_answered(look),
            What::LinkLost => self.line_ended(look),
            What::LinkKept => self.doubted_kept(),
            What::SdkWoken | What::NetworkChanged => {
                self.in_doubt |= self.is_up();
                self.roused_at = Some(event.at);
            }
            What::CloseAsked { connection, .. } => {
                self.line = self.line.filter(|line| line.connection != connection);
            }
            _ => {}
        }
        None
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
            Account::LoggedIn(_) if status == Status::Logout && self.may_end => {
                self.session_ended(look, Reason::Expired);
            }
            Account::LoggingIn(..) if status == Status::Logout => self.set_nobody(Reason::LoginFailed),
            _ => self.is_blurred = true,
        }
        self.statuses.clear();
    }

    fn untold(&mut self, before: Instant) -> Option<Difference> {
        if self.is_blurred {
            return None;
        }
        self.calls.iter_mut().find_map(|call| {
            let Fate::Settled(rule, since, answers) = &call.fate else { return None };
            if *since >= before || call.kind == Kind::Logout {
                return None;
            }
            let answers: Vec<String> = answers.iter().map(|answer| answer.in_words()).collect();
            let answers = answers.join(" or ");
            // Whatever a login should end with: that it ends is a rule of its own.
            let broken = if call.kind == Kind::Login { received::LOGIN } else { *rule };
            let found = Difference::lacks(
                broken,
                "answered",
                format!("call {} is {answers} since {since} s, and was not answered", call.number),
            );
            // Said once.
            call.fate = Fate::Any;
            found
        })
    }

    /// On a link that can be relied on a request leaves at once.
    fn unsent(&mut self, before: Instant, last: Instant) -> Option<Difference> {
        let is_usable = self.is_usable() && !self.is_blurred;
        self.calls.iter_mut().find_map(|call| {
            let is_out = call.kind == Kind::Request && call.is_sent && matches!(call.fate, Fate::Open);
            if !is_usable || !is_out || call.has_left || call.is_vague {
                call.unsent_since = None;
                return None;
            }
            let since = *call.unsent_since.get_or_insert(last);
            if since >= before {
                return None;
            }
            let text = format!("call {} has a link since {since} s, and was not sent", call.number);
            call.fate = Fate::Any;
            Difference::lacks(const { rule("API-5") }, "device_sent", text)
        })
    }

    /// The call's result is out.
    fn answered(&mut self, look: &Look<'_>, number: u32, outcome: Outcome) -> Option<Difference> {
        let place = self.calls.iter().position(|call| call.number == number)?;
        let call = self.calls.remove(place);
        // CONN-5, CONN-10: time has settled it, so the link is suspect.
        let is_unanswered = matches!(outcome, Outcome::Failed { code: Code::NoAnswer, .. });
        self.in_doubt |= is_unanswered && call.is_overdue(look) && self.is_up();
        // Of one that the SDK may have refused or sent nobody can tell whether time did.
        self.is_blurred |= is_unanswered && matches!(call.fate, Fate::Any) && self.is_up();
        self.doubt = self.doubt.filter(|doubt| doubt.call != number);
        let found = if self.is_blurred { None } else { self.judge(look, &call, outcome) };
        match self.account {
            Account::LoggingIn(_, login) if login == number => self.set_nobody(Reason::LoginFailed),
            Account::LoggingOut(logout) if logout == number => self.set_account(Account::Nobody),
            _ => {}
        }
        found
    }

    fn judge(&self, look: &Look<'_>, call: &Call, outcome: Outcome) -> Option<Difference> {
        let (broken, allowed) = match &call.fate {
            Fate::Any => return None,
            Fate::Settled(broken, at, answers) if *at < call.deadline && !self.may_still_wait(look, call) => {
                (*broken, answers.clone())
            }
            Fate::Settled(broken, _, answers) => (*broken, [answers.as_slice(), &self.by_time(call)].concat()),
            Fate::Open if look.at >= call.deadline => (rule_of(call.kind), self.by_time(call)),
            Fate::Open if matches!(call.kind, Kind::Renewal | Kind::Request) && self.is_kept_for_a_link(call) => {
                (const { rule("CONN-10") }, Vec::new())
            }
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
            Outcome::Failed { code: Code::NotLoggedIn, reason: Some(reason) } => Answer::Nobody(Some(reason)),
            Outcome::Failed { code, .. } => Answer::Code(code),
        };
        // Nobody is logged in either way, and only why is not what it should be.
        let is_reason = matches!(said, Answer::Nobody(_)) && allowed.iter().any(|one| matches!(one, Answer::Nobody(_)));
        // Only one rule has it.
        let is_known_expired = matches!(said, Answer::Code(Code::TicketKnownExpired));
        let broken = match (is_reason, is_known_expired) {
            (true, _) => const { rule("API-1") },
            (false, true) => const { rule("TICKET-7") },
            (false, false) => broken,
        };
        let mut allowed: Vec<String> = allowed.into_iter().map(Answer::in_words).collect();
        allowed.dedup();
        let wanted = if allowed.is_empty() { "nothing yet".to_owned() } else { allowed.join(" or ") };
        Difference::of(broken, format!("call {} was answered {}, not {wanted}", call.number, said.in_words()))
    }

    /// CONN-10: whether it waits for a link to rely on, or is on one that is not to end before the next has taken over.
    fn is_kept_for_a_link(&self, call: &Call) -> bool {
        !call.is_sent || self.doubted.is_some()
    }

    /// What time makes of a call.
    fn by_time(&self, call: &Call) -> Vec<Answer> {
        let never_sent = match (call.kind, self.last_failure) {
            // The end of the last attempt decides (LOGIN-8).
            (Kind::Login, Some(code @ (Code::ConnectTimeout | Code::ServerBusy | Code::ServerUntrusted))) => {
                vec![Answer::Code(code)]
            }
            (Kind::Login, Some(_)) => vec![Answer::Code(Code::NoLink)],
            (_, last) => {
                let said = last.filter(|&code| matches!(code, Code::ServerBusy | Code::ServerUntrusted));
                [Code::NoLink, Code::ConnectTimeout].into_iter().chain(said).map(Answer::Code).collect()
            }
        };
        match call.kind {
            Kind::Renewal if call.is_vague => [vec![Answer::Code(Code::NoAnswer)], never_sent].concat(),
            Kind::Login | Kind::Renewal if call.is_sent => vec![Answer::Code(Code::NoAnswer)],
            Kind::Login | Kind::Renewal => never_sent,
            // ATT-5: it is told in time, also where its end is not on the disk yet.
            Kind::Logout => vec![Answer::Done, Answer::Code(Code::StorageFailed)],
            Kind::Request if call.is_vague => [Code::NoAnswer, Code::NoLink].map(Answer::Code).to_vec(),
            Kind::Request if call.is_sent => vec![Answer::Code(Code::NoAnswer)],
            // CONN-10: it waited for a link.
            Kind::Request => vec![Answer::Code(Code::NoLink)],
            Kind::Local => Vec::new(),
        }
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
