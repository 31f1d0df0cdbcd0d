//! The SDK's core under random play: whatever the application, the server and the network do, the
//! ledger's rules hold.
//!
//! Expects no particular output: transcripts do that.

use std::time::Duration;

use gatecrash::client::{Action, Call, Client, Input, Installation, Output, Timer, Write};
use gatecrash::code::Code;
use gatecrash::decide::client::{Arguments, CallKind, KickVerdict, LoginKind, ResumeVerdict, Standing, TicketChoice};
use gatecrash::decide::{ClientDecisions, Rules};
use gatecrash::id::{Attempt, CallId, Change, ConnectionId, Epoch, MessageId, UserId};
use gatecrash::protocol::{
    Admission, ClientFrame, Closing, FrameError, Kick, KickReason, Message, Refusal, ResumeOutcome, Return,
    ServerFrame, SessionName, StatusReport, Terms,
};
use gatecrash::ticket::Ticket;
use gatecrash::time::Instant;
use proptest::prelude::*;

use crate::client::disk::Disk;
use crate::client::ledger::Ledger;
use crate::client::rig::{conversation, start};
use crate::fixed_seed;

/// One thing that happens.
#[derive(Clone, Debug)]
enum Step {
    Call(Call),
    /// What the core waits for comes, and is good: the connection opens, or the answer is yes.
    Well,
    Connected,
    Refused,
    Closed,
    /// What a server may well say now: the call or resume it answers is filled in.
    Answer(Answer),
    Frame(ServerFrame),
    /// On a connection that is not the one.
    Stray(ServerFrame),
    Woken,
    NetworkChanged,
    /// From now on no write gets to the disk.
    DiskHolds,
    DiskWrites,
    StorageFailed,
    Wait(Duration),
    /// A timer fires irrespective of its time: which one.
    Fire(usize),
}

#[derive(Clone, Debug)]
enum Answer {
    Login(Result<Admission, Refusal>),
    Renew(Result<(), Refusal>),
    Logout(Result<(), Refusal>),
    Resume(ResumeOutcome),
    Send(Result<MessageId, Code>),
}

fn users() -> impl Strategy<Value = UserId> {
    prop::sample::select(vec!["alice", "bob", "carol"]).prop_map(|name| name.parse().unwrap())
}

fn epochs() -> impl Strategy<Value = Epoch> {
    (1..5_u64).prop_map(Epoch)
}

fn calls() -> impl Strategy<Value = Call> {
    let names =
        || prop::sample::select(vec!["alice", "alice", "bob", "bob", "carol", "no/user"]).prop_map(str::to_owned);
    let tickets = prop::sample::select(vec!["t1", "t2", "t3", "t4", "t5", ""]).prop_map(Ticket::from);
    let lasts = prop::option::of((0..100_u64).prop_map(Duration::from_secs));
    prop_oneof![
        8 => Just(Call::Init(Box::new(start(None)))),
        1 => Just(Call::Uninit),
        20 => (names(), tickets, lasts).prop_map(|(user, ticket, lasts)| Call::Login { user, ticket, lasts }),
        3 => Just(Call::Logout),
        1 => Just(Call::Conversations),
        3 => names().prop_map(|to| Call::SendMessage { id: None, to, text: "hello".into() }),
        1 => names().prop_map(|user| Call::AdminKick { user }),
        1 => prop::collection::vec(names(), 0..3).prop_map(|users| Call::QueryStatus { users }),
    ]
}

fn codes() -> impl Strategy<Value = Code> {
    prop::sample::select(Code::ALL)
}

fn refusals() -> impl Strategy<Value = Refusal> {
    prop_oneof![4 => codes().prop_map(Refusal::Code), 1 => Just(Refusal::Stale)]
}

fn admissions() -> impl Strategy<Value = Admission> {
    epochs().prop_map(|epoch| Admission {
        epoch,
        conversations: vec![conversation("dora", epoch.0)],
        terms: Terms::default(),
    })
}

fn kicks() -> impl Strategy<Value = Kick> {
    (users(), epochs()).prop_map(|(user, epoch)| Kick { user, epoch, reason: KickReason::SamePlatform, by: None })
}

fn done() -> impl Strategy<Value = Result<(), Refusal>> {
    prop_oneof![2 => Just(Ok(())), 1 => refusals().prop_map(Err)]
}

fn outcomes() -> impl Strategy<Value = ResumeOutcome> {
    prop_oneof![
        4 => Just(ResumeOutcome::Resumed { conversations: Vec::new(), terms: Terms::default(), dropped: 0 }),
        1 => admissions().prop_map(ResumeOutcome::LoggedIn),
        1 => kicks().prop_map(ResumeOutcome::Kicked),
        1 => Just(ResumeOutcome::Expired),
        2 => codes().prop_map(ResumeOutcome::Refused),
        1 => codes().prop_map(ResumeOutcome::Unable),
        1 => Just(ResumeOutcome::Stale),
    ]
}

fn answers() -> impl Strategy<Value = Answer> {
    prop_oneof![
        6 => admissions().prop_map(|admission| Answer::Login(Ok(admission))),
        2 => refusals().prop_map(|refusal| Answer::Login(Err(refusal))),
        3 => done().prop_map(Answer::Renew),
        3 => done().prop_map(Answer::Logout),
        5 => outcomes().prop_map(Answer::Resume),
        2 => (1..20_u64).prop_map(|id| Answer::Send(Ok(MessageId(id)))),
        1 => codes().prop_map(|code| Answer::Send(Err(code))),
    ]
}

fn frames() -> impl Strategy<Value = ServerFrame> {
    let call = || (0..30_u64).prop_map(CallId);
    let names = || (users(), epochs()).prop_map(|(user, epoch)| SessionName { user, epoch });
    prop_oneof![
        1 => (call(), admissions()).prop_map(|(call, admission)| ServerFrame::LoginAnswer { call, outcome: Ok(admission) }),
        1 => (call(), done()).prop_map(|(call, outcome)| ServerFrame::LogoutAnswer { call, outcome }),
        1 => (call(), done()).prop_map(|(call, outcome)| ServerFrame::RenewAnswer { call, outcome }),
        1 => (1..9_u32, outcomes()).prop_map(|(count, outcome)| {
            ServerFrame::ResumeAnswer { attempt: Attempt { start: 1, count }, outcome }
        }),
        3 => Just(ServerFrame::HeartbeatAnswer),
        5 => kicks().prop_map(ServerFrame::Kick),
        2 => names().prop_map(ServerFrame::Expired),
        4 => (1..20_u64, 1..20_u64, users(), users()).prop_map(|(place, id, from, to)| {
            ServerFrame::Message { place, message: Message { id: MessageId(id), from, to, text: "hi".into() } }
        }),
        1 => call().prop_map(|call| ServerFrame::AdminKickAnswer { call, outcome: Ok(()) }),
        1 => call().prop_map(|call| ServerFrame::StatusAnswer { call, outcome: Ok(StatusReport::default()) }),
        1 => Just(ServerFrame::Error(FrameError::Malformed)),
        1 => Just(ServerFrame::Error(FrameError::Version)),
        1 => (prop::sample::select(vec![Closing::Stopping, Closing::Full]), 0..20_u64).prop_map(|(why, after)| {
            let (after, spread) = (Duration::from_secs(after), Duration::ZERO);
            ServerFrame::Closing { why, come_back: Return { after, spread } }
        }),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => calls().prop_map(Step::Call),
        25 => Just(Step::Well),
        3 => Just(Step::Connected),
        1 => Just(Step::Refused),
        2 => Just(Step::Closed),
        6 => answers().prop_map(Step::Answer),
        5 => frames().prop_map(Step::Frame),
        2 => frames().prop_map(Step::Stray),
        1 => Just(Step::Woken),
        1 => Just(Step::NetworkChanged),
        1 => Just(Step::DiskHolds),
        8 => Just(Step::DiskWrites),
        1 => Just(Step::StorageFailed),
        4 => (0..40_000_u64).prop_map(|millis| Step::Wait(Duration::from_millis(millis))),
        2 => (0..8_usize).prop_map(Step::Fire),
    ];
    prop::collection::vec(step, 0..120)
}

/// A core with everything around it that a run needs.
struct Play<D: ClientDecisions> {
    client: Client<D>,
    /// None for a core that does not follow the rules.
    ledger: Option<Ledger>,
    line: Option<ConnectionId>,
    now: Instant,
    calls: u64,
    /// What the last login, renewal, logout, message and resume on the wire were.
    login: CallId,
    renewal: CallId,
    logout: CallId,
    message: CallId,
    resume: Attempt,
    /// The good answer to the last of them, on the line that is open.
    awaited: Option<Answer>,
    epoch: u64,
    /// What is on the device's disk.
    installation: Option<Installation>,
    disk: Disk,
    /// What waits for the disk on the line.
    unsent: Vec<ClientFrame<Ticket>>,
    logins: u32,
}

impl<D: ClientDecisions> Play<D> {
    /// A core that is initialised.
    fn new(decisions: D, ledger: Option<Ledger>) -> Self {
        let mut play = Play {
            client: Client::with(decisions),
            ledger,
            line: None,
            now: Instant::ZERO,
            calls: 0,
            login: CallId::NONE,
            renewal: CallId::NONE,
            logout: CallId::NONE,
            message: CallId::NONE,
            resume: Attempt::default(),
            awaited: None,
            epoch: 0,
            installation: None,
            disk: Disk::default(),
            unsent: Vec::new(),
            logins: 0,
        };
        play.step(&Step::Call(Call::Init(Box::new(start(None)))));
        play
    }

    fn step(&mut self, step: &Step) {
        let connection = self.line.unwrap_or_default();
        match step {
            Step::Call(request) => {
                let request = match request {
                    Call::Init(_) => Call::Init(Box::new(start(self.installation.clone()))),
                    request => request.clone(),
                };
                self.calls += 1;
                self.input(Input::Call { call: CallId(self.calls), request });
            }
            Step::Well => self.well(connection),
            Step::Connected => self.input(Input::Connected { connection }),
            Step::Refused => self.input(Input::ConnectFailed { connection }),
            Step::Closed => self.input(Input::Closed { connection }),
            Step::Answer(answer) => {
                let frame = self.filled_in(answer.clone());
                self.input(Input::Frame { connection, frame });
            }
            Step::Frame(frame) => self.input(Input::Frame { connection, frame: frame.clone() }),
            Step::Stray(frame) => {
                self.input(Input::Frame { connection: ConnectionId(u32::MAX), frame: frame.clone() });
            }
            Step::Woken => self.input(Input::Woken),
            Step::NetworkChanged => self.input(Input::NetworkChanged),
            Step::DiskHolds => self.disk.holds = true,
            Step::DiskWrites => {
                self.disk.holds = false;
                self.drain();
            }
            Step::StorageFailed => {
                let unsent = std::mem::take(&mut self.unsent);
                self.input(Input::StorageFailed { unsent });
            }
            Step::Wait(span) => self.wait(*span),
            Step::Fire(which) => self.fire(*which),
        }
    }

    fn well(&mut self, connection: ConnectionId) {
        let Some(answer) = self.awaited.take() else { return self.input(Input::Connected { connection }) };
        let frame = self.filled_in(answer);
        self.input(Input::Frame { connection, frame });
    }

    fn filled_in(&self, answer: Answer) -> ServerFrame {
        match answer {
            Answer::Login(outcome) => ServerFrame::LoginAnswer { call: self.login, outcome },
            Answer::Renew(outcome) => ServerFrame::RenewAnswer { call: self.renewal, outcome },
            Answer::Logout(outcome) => ServerFrame::LogoutAnswer { call: self.logout, outcome },
            Answer::Resume(outcome) => ServerFrame::ResumeAnswer { attempt: self.resume, outcome },
            Answer::Send(outcome) => ServerFrame::SendAnswer { call: self.message, outcome },
        }
    }

    fn input(&mut self, input: Input) {
        // A driver only says of a connection what can be: open once, gone once.
        if let Input::Connected { connection } | Input::ConnectFailed { connection } | Input::Closed { connection } =
            &input
            && self.line != Some(*connection)
        {
            return;
        }
        if let Input::ConnectFailed { .. } | Input::Closed { .. } = &input {
            self.line = None;
            self.unsent.clear();
        }
        self.ledger.iter_mut().for_each(|ledger| ledger.input(&input));
        self.client.handle_input(self.now, input);
        self.drain();
    }

    fn wait(&mut self, span: Duration) {
        let until = self.now + span;
        while let Some(at) = self.client.poll_timeout().filter(|at| *at <= until) {
            self.now = self.now.max(at);
            self.client.handle_timeout(self.now);
            self.drain();
        }
        self.now = until;
    }

    fn fire(&mut self, which: usize) {
        let timers: Vec<Timer> = self.client.timers().collect();
        if let Some(timer) = timers.get(which % timers.len().max(1)) {
            assert!(self.client.fire(self.now, *timer), "a timer that is set can fire");
            self.drain();
        }
    }

    fn drain(&mut self) {
        while let Some(output) = self.client.poll_output() {
            self.ledger.iter_mut().for_each(|ledger| ledger.output(&output));
            self.disk.output(&output);
            self.logins += u32::from(matches!(output.action, Action::Status { login_user: Some(_), .. }));
            match output.action {
                Action::Send { frame, .. } => {
                    // What has not left nobody answers. A confirmation is sent once it can be (KICK-3).
                    if self.disk.has(output.reveals) {
                        self.remember(&frame);
                    } else if !matches!(frame, ClientFrame::KickConfirmed { .. }) {
                        self.unsent.push(frame);
                    }
                }
                Action::Store { write: Write::Installation(installation), .. } => {
                    self.installation = Some(installation);
                }
                Action::Connect { connection } => (self.line, self.awaited) = (Some(connection), None),
                Action::Close { .. } => {
                    self.line = None;
                    self.unsent.clear();
                }
                Action::Store { .. }
                | Action::Result { .. }
                | Action::Event(_)
                | Action::DropEvents { .. }
                | Action::Status { .. }
                | Action::Note(_) => {}
            }
        }
        if let Some(stored) = self.disk.write() {
            std::mem::take(&mut self.unsent).iter().for_each(|frame| self.remember(frame));
            return self.input(stored);
        }
        self.ledger.iter_mut().for_each(|ledger| ledger.settled(&self.client));
    }

    fn remember(&mut self, frame: &ClientFrame<Ticket>) {
        match frame {
            ClientFrame::Login { call, .. } => {
                self.login = *call;
                self.epoch = self.epoch % 4 + 1;
                self.awaited = Some(Answer::Login(Ok(Admission {
                    epoch: Epoch(self.epoch),
                    conversations: Vec::new(),
                    terms: Terms::default(),
                })));
            }
            ClientFrame::Renew { call, .. } => {
                self.renewal = *call;
                self.awaited = Some(Answer::Renew(Ok(())));
            }
            ClientFrame::Logout { call, .. } => {
                self.logout = *call;
                self.awaited = Some(Answer::Logout(Ok(())));
            }
            ClientFrame::SendMessage { call, .. } => self.message = *call,
            ClientFrame::Resume { attempt, .. } => {
                self.resume = *attempt;
                self.awaited = Some(Answer::Resume(ResumeOutcome::Resumed {
                    conversations: Vec::new(),
                    terms: Terms::default(),
                    dropped: 0,
                }));
            }
            ClientFrame::Hello { .. }
            | ClientFrame::LoginAcknowledged { .. }
            | ClientFrame::Heartbeat
            | ClientFrame::KickConfirmed { .. }
            | ClientFrame::AdminKick { .. }
            | ClientFrame::QueryStatus { .. }
            | ClientFrame::MessagesReceived { .. } => {}
        }
    }

    /// LOGIN-3, API-5: left alone, every call has its result within the longest timeout.
    fn come_to_rest(&mut self) {
        self.wait(Duration::from_secs(31));
        let pending: Vec<CallId> = self.ledger.iter().flat_map(|ledger| ledger.pending()).collect();
        assert_eq!(pending, [], "every call has a result");
    }
}

fn initialised() -> Play<Rules> {
    Play::new(Rules, Some(Ledger::default()))
}

/// Decides wherever it can against the rules, as planted bugs do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Contrary;

impl ClientDecisions for Contrary {
    fn call_refusal(&self, call: CallKind, standing: Standing, _viewer: Option<UserId>) -> Option<Code> {
        let is_initialised = standing != Standing::Uninitialised;
        (is_initialised == matches!(call, CallKind::Init)).then_some(Code::NotInitialised)
    }

    fn argument_refusal(&self, _arguments: Arguments<'_>) -> Option<Code> {
        None
    }

    fn login_kind(&self, standing: Standing, _user: UserId) -> LoginKind {
        match standing {
            Standing::Uninitialised | Standing::Nobody => LoginKind::Renewal,
            Standing::LoggingIn(_) | Standing::LoggingOut => LoginKind::Switch,
            Standing::LoggedIn { .. } => LoginKind::Login,
        }
    }

    fn outcome_unknown(&self, code: Code) -> bool {
        !matches!(code, Code::NoAnswer | Code::ServerUnable)
    }

    fn logout_settles(&self, outcome: Result<(), Refusal>) -> bool {
        outcome.is_err()
    }

    fn viewer_after_logout(&self, before: Option<UserId>) -> Option<UserId> {
        before
    }

    fn shows_message(&self, _message: &Message, _standing: Standing) -> bool {
        true
    }

    fn kick_verdict(&self, kick: &Kick, _standing: Standing) -> KickVerdict {
        if kick.epoch.0.is_multiple_of(2) { KickVerdict::Apply } else { KickVerdict::Hold }
    }

    fn expiry_applies(&self, _ended: SessionName, _standing: Standing) -> bool {
        true
    }

    fn resume_ticket(&self, unconfirmed: bool) -> TicketChoice {
        if unconfirmed { TicketChoice::Accepted } else { TicketChoice::Unconfirmed }
    }

    fn resume_verdict(&self, outcome: ResumeOutcome, other_left: bool) -> ResumeVerdict {
        match outcome {
            ResumeOutcome::Refused(_) if !other_left => ResumeVerdict::OtherTicket,
            ResumeOutcome::Kicked(_) => ResumeVerdict::Again(Code::NoLink),
            outcome => Rules.resume_verdict(outcome, other_left),
        }
    }

    fn reconnects(&self, _standing: Standing, _owes_end: bool) -> bool {
        true
    }
}

proptest! {
    #![proptest_config(fixed_seed::cases(1_500))]

    /// LOGIN-3, LOGIN-6, CONN-3, CONN-9, EVENT-1, INIT-3, SWITCH-2, ATT-1: the ledger holds at every step.
    #[test]
    fn the_rules_hold_whatever_happens(steps in steps()) {
        let mut play = initialised();
        steps.iter().for_each(|step| play.step(step));
        play.come_to_rest();
    }

    /// Planted bugs show as what they do, never as a panic of the core.
    #[test]
    fn a_core_that_decides_otherwise_still_runs(steps in steps()) {
        let mut play = Play::new(Contrary, None);
        steps.iter().for_each(|step| play.step(step));
        play.come_to_rest();
        prop_assert!(play.client.poll_output().is_none());
    }

    /// A core whose instants are all moved goes on as if nothing had happened, at another time.
    #[test]
    fn a_shifted_core_does_the_same_later(before in steps(), after in steps(), by in 0..1_000_u64) {
        let mut play = initialised();
        before.iter().for_each(|step| play.step(step));
        let by = Duration::from_secs(by);
        let mut shifted = play.client.clone();
        shifted.shift(by);
        prop_assert_eq!(outcome(&mut play.client, play.now, &after), outcome(&mut shifted, play.now + by, &after));
    }
}

/// What the core does from `start` on, and after each step how long it would wait.
fn outcome(client: &mut Client, start: Instant, steps: &[Step]) -> Vec<(Vec<Output>, Option<Duration>)> {
    let mut now = start;
    let one = |step: &Step| {
        match step {
            Step::Wait(span) => {
                now = now + *span;
                client.handle_timeout(now);
            }
            Step::Call(request) => {
                client.handle_input(now, Input::Call { call: CallId(1_000), request: request.clone() });
            }
            Step::DiskWrites => client.handle_input(now, Input::Stored { change: Change(1_000) }),
            Step::Frame(frame) => {
                client.handle_input(now, Input::Frame { connection: ConnectionId(0), frame: frame.clone() });
            }
            Step::Well
            | Step::Connected
            | Step::Refused
            | Step::Closed
            | Step::Answer(_)
            | Step::Stray(_)
            | Step::Woken
            | Step::NetworkChanged
            | Step::DiskHolds
            | Step::StorageFailed
            | Step::Fire(_) => client.handle_input(now, Input::Woken),
        }
        let outputs = std::iter::from_fn(|| client.poll_output()).collect();
        (outputs, client.poll_timeout().map(|due| due - now))
    };
    steps.iter().map(one).collect()
}

/// The random play is worth something only if logins get through.
#[test]
fn random_play_gets_somewhere() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    let mut runner = TestRunner::deterministic();
    let mut logins = 0;
    for _ in 0..100 {
        let mut play = initialised();
        let plan = steps().new_tree(&mut runner).expect("a plan").current();
        plan.iter().for_each(|step| play.step(step));
        logins += play.logins;
    }
    assert!(logins > 100, "only {logins} logins in 100 plays");
}
