//! Every state the SDK's core can be brought to with two accounts, as a text to review.
//!
//! Of the cores that look the same from outside (status, connection, what it waits for), the
//! first one found stands for all.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use gatecrash::client::{Action, Call, Client, Input, Start, Timer};
use gatecrash::code::Code;
use gatecrash::id::{Attempt, CallId, ConnectionId, Epoch};
use gatecrash::limits::ClientLimits;
use gatecrash::policy::Platform;
use gatecrash::protocol::{Admission, ClientFrame, Kick, KickReason, Refusal, ResumeOutcome, ServerFrame, SessionName};
use gatecrash::ticket::Ticket;
use gatecrash::time::Instant;

const EVENTS: [&str; 19] = [
    "login",
    "login another",
    "logout",
    "connected",
    "no connection",
    "accepted",
    "refused",
    "resumed",
    "logout answered",
    "heartbeat answered",
    "kicked",
    "ticket over",
    "link gone",
    "BackOff",
    "Connect",
    "Heartbeat",
    "HeartbeatAnswer",
    "Login",
    "Request",
];

/// What was asked on the connection and not answered.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Asked {
    Nothing,
    Login(CallId),
    Resume(Attempt),
    Logout(CallId),
}

/// A core and what its surroundings know of it.
#[derive(Clone)]
struct Play {
    client: Client,
    now: Instant,
    calls: u64,
    /// The connection there is, and whether it is open yet.
    connection: Option<(ConnectionId, bool)>,
    asked: Asked,
    session: Option<SessionName>,
    /// Who logged in last.
    user: &'static str,
}

impl Play {
    fn new() -> Self {
        let mut play = Play {
            client: Client::new(),
            now: Instant::ZERO,
            calls: 0,
            connection: None,
            asked: Asked::Nothing,
            session: None,
            user: "alice",
        };
        play.call(Call::Init(Box::new(Start {
            platform: Platform::Ios,
            seed: [7; 32],
            limits: ClientLimits::of(Platform::Ios),
            installation: None,
            conversations: BTreeMap::new(),
        })));
        play
    }

    fn call(&mut self, request: Call) {
        self.calls += 1;
        self.input(Input::Call { call: CallId(self.calls), request });
    }

    fn input(&mut self, input: Input) {
        self.client.handle_input(self.now, input);
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(output) = self.client.poll_output() {
            match output.action {
                Action::Connect { connection } => {
                    self.connection = Some((connection, false));
                    self.asked = Asked::Nothing;
                }
                Action::Close { .. } => self.gone(),
                Action::Send { frame: ClientFrame::Login { call, .. }, .. } => self.asked = Asked::Login(call),
                Action::Send { frame: ClientFrame::Resume { attempt, .. }, .. } => {
                    self.asked = Asked::Resume(attempt);
                }
                Action::Send { frame: ClientFrame::Logout { call, .. }, .. } if call != CallId::NONE => {
                    self.asked = Asked::Logout(call);
                }
                _ => {}
            }
        }
    }

    fn gone(&mut self) {
        self.connection = None;
        self.asked = Asked::Nothing;
    }

    fn frame(&mut self, frame: ServerFrame) -> Option<()> {
        let (connection, true) = self.connection? else { return None };
        self.input(Input::Frame { connection, frame });
        Some(())
    }

    fn login(&mut self, user: &'static str) {
        self.user = user;
        self.call(Call::Login { user: user.into(), ticket: Ticket::from("ticket") });
    }

    /// Status, connection, what was asked on it, and the timers. Whose session it is makes no difference.
    fn label(&self) -> String {
        let link = match (self.connection, self.asked) {
            (None, _) => "no connection",
            (Some((_, false)), _) => "connecting",
            (Some(_), Asked::Nothing) => "open",
            (Some(_), Asked::Login(_)) => "login sent",
            (Some(_), Asked::Resume(_)) => "resume sent",
            (Some(_), Asked::Logout(_)) => "logout sent",
        };
        let timers: BTreeSet<String> = self.client.timers().map(|timer| word(timer).into()).collect();
        let timers: Vec<String> = timers.into_iter().collect();
        format!("{}, {link}, waits for [{}]", self.client.login_status().word(), timers.join(" "))
    }

    /// The play after the event; none where it cannot happen.
    fn after(&self, event: &str) -> Option<Play> {
        let mut play = self.clone();
        play.now = play.now + Duration::from_millis(1);
        match event {
            "login" => play.login(play.user),
            "login another" => play.login(if play.user == "alice" { "bob" } else { "alice" }),
            "logout" => play.call(Call::Logout),
            "connected" => {
                let (connection, false) = play.connection? else { return None };
                play.connection = Some((connection, true));
                play.input(Input::Connected { connection });
            }
            "no connection" => {
                let (connection, false) = play.connection? else { return None };
                play.gone();
                play.input(Input::ConnectFailed { connection });
            }
            "accepted" => {
                let Asked::Login(call) = play.asked else { return None };
                play.asked = Asked::Nothing;
                let epoch = Epoch(1);
                play.frame(ServerFrame::LoginAnswer {
                    call,
                    outcome: Ok(Admission { epoch, conversations: Vec::new() }),
                })?;
                play.session = play.client.login_user().map(|user| SessionName { user, epoch });
            }
            "refused" => {
                let Asked::Login(call) = play.asked else { return None };
                play.frame(ServerFrame::LoginAnswer { call, outcome: Err(Refusal::Code(Code::TicketSignature)) })?;
            }
            "resumed" => {
                let Asked::Resume(attempt) = play.asked else { return None };
                play.asked = Asked::Nothing;
                let outcome = ResumeOutcome::Resumed { conversations: Vec::new() };
                play.frame(ServerFrame::ResumeAnswer { attempt, outcome })?;
            }
            "logout answered" => {
                let Asked::Logout(call) = play.asked else { return None };
                play.frame(ServerFrame::LogoutAnswer { call, outcome: Ok(()) })?;
            }
            "heartbeat answered" => {
                play.client.timers().find(|timer| *timer == Timer::HeartbeatAnswer)?;
                play.frame(ServerFrame::HeartbeatAnswer)?;
            }
            "kicked" => {
                let SessionName { user, epoch } =
                    play.session.filter(|name| play.client.login_user() == Some(name.user))?;
                let kick = Kick { user, epoch, reason: KickReason::SamePlatform, by: None };
                match play.asked {
                    Asked::Resume(attempt) => {
                        let outcome = ResumeOutcome::Kicked(kick);
                        play.frame(ServerFrame::ResumeAnswer { attempt, outcome })?;
                    }
                    _ => play.frame(ServerFrame::Kick(kick))?,
                }
            }
            "ticket over" => {
                let name = play.session.filter(|name| play.client.login_user() == Some(name.user))?;
                match play.asked {
                    Asked::Resume(attempt) => {
                        play.frame(ServerFrame::ResumeAnswer { attempt, outcome: ResumeOutcome::Expired })?;
                    }
                    _ => play.frame(ServerFrame::Expired(name))?,
                }
            }
            "link gone" => {
                let (connection, true) = play.connection? else { return None };
                play.gone();
                play.input(Input::Closed { connection });
            }
            timer => {
                let timer = play.client.timers().find(|set| word(*set) == timer)?;
                assert!(play.client.fire(play.now, timer), "a timer that is set fires");
                play.drain();
            }
        }
        Some(play)
    }
}

fn word(timer: Timer) -> &'static str {
    match timer {
        Timer::HeartbeatAnswer => "HeartbeatAnswer",
        Timer::Connect => "Connect",
        Timer::Login => "Login",
        Timer::Request(_) => "Request",
        Timer::BackOff => "BackOff",
        Timer::Heartbeat => "Heartbeat",
    }
}

/// LOGIN-6, CONN-2, CONN-9, KICK-4, TICKET-8: what can follow what.
#[test]
fn the_states_of_the_sdk_and_what_leads_from_one_to_the_next() {
    let start = Play::new();
    let mut seen = BTreeSet::from([start.label()]);
    let mut queue = VecDeque::from([start]);
    let mut edges: BTreeMap<String, BTreeMap<String, Vec<&str>>> = BTreeMap::new();
    while let Some(play) = queue.pop_front() {
        for event in EVENTS {
            let Some(next) = play.after(event) else { continue };
            let (from, to) = (play.label(), next.label());
            if from != to {
                edges.entry(from).or_default().entry(to.clone()).or_default().push(event);
            }
            if seen.insert(to) {
                queue.push_back(next);
            }
        }
    }
    let mut text = String::new();
    for (from, ways) in &edges {
        text.push_str(&format!("{from}\n"));
        for (to, events) in ways {
            text.push_str(&format!("    -> {to}: {}\n", events.join(", ")));
        }
    }
    insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("client_states", text);
    });
}
