//! Plays a transcript against the SDK's core and compares.
//!
//! A line beginning with `>` goes in, the lines after it are what must come out, in order. Delays
//! are drawn without their random part: first 0, then 0.25 s doubling. Calls count from 1.
//!
//! ```text
//! > init                                  > answer login 2 epoch 1        > kick alice 1
//! > given alice   (a stage: see `stages`) > answer login 2 [70001]        > expired alice 1
//! > login alice t1                        > answer resume resumed         > message 7 bob alice hello
//! > connected / refused / closed [0]      > answer logout 3 ok            > wait 30s / sleep 30s
//! > disk holds       (from now on no write is done; before, each is at once)
//! > disk writes      (what was held is done, and from now on each write at once)
//! > storage fails 2  (the last two frames have not left)
//! ```
//!
//! What happens while waiting is preceded by its time: `@ 10.000`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use gatecrash::client::{Action, Call, Client, Event, Input, Installation, Note, Reply, Start, Write};
use gatecrash::code::Code;
use gatecrash::id::{Attempt, CallId, ConnectionId, DeviceId, Epoch, MessageId, UserId};
use gatecrash::limits::ClientLimits;
use gatecrash::policy::Platform;
use gatecrash::protocol::{
    Admission, ClientFrame, Closing, Conversation, FrameError, Kick, KickReason, Message, Refusal, ResumeOutcome,
    Return, ServerFrame, SessionName, StatusReport, Terms,
};
use gatecrash::ticket::Ticket;
use gatecrash::time::{Instant, WallTime};

use crate::client::disk::Disk;
use crate::client::ledger::Ledger;
use crate::client::stages::stage;

/// Plays the transcript and fails where the core does otherwise.
#[track_caller]
pub fn check(transcript: &str) {
    let expected = staged(transcript);
    let mut rig = Rig::default();
    for line in &expected {
        if let Some(words) = line.strip_prefix("> ") {
            rig.lines.push((*line).to_owned());
            rig.play(words);
        }
    }
    let different = expected.iter().zip(&rig.lines).position(|(expected, actual)| expected != actual);
    if different.is_some() || expected.len() != rig.lines.len() {
        let line = different.unwrap_or_else(|| expected.len().min(rig.lines.len()));
        panic!(
            "line {} should be\n    {}\nbut the core played\n    {}\n",
            line + 1,
            expected.get(line).unwrap_or(&"(the end)"),
            rig.lines.join("\n    ")
        );
    }
}

/// The lines, and those of its stages where it names one.
fn staged(transcript: &str) -> Vec<&str> {
    let lines = transcript.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.flat_map(|line| line.strip_prefix("> given ").map_or(vec![line], |name| staged(stage(name)))).collect()
}

/// Whoever is closed comes back at once, too.
const TERMS: Terms = Terms { return_spread: Duration::ZERO, heartbeat: None };

/// What `init` is given, without randomness in its delays.
pub fn start(installation: Option<Installation>) -> Start {
    let limits =
        ClientLimits { backoff_first: Duration::ZERO, backoff_spread_percent: 0, ..ClientLimits::of(Platform::Ios) };
    let lists = |(user, peer, id): (&str, &str, u64)| (user.parse().unwrap(), vec![conversation(peer, id)]);
    Start {
        platform: Platform::Ios,
        seed: [7; 32],
        limits,
        wall: WallTime::from_seconds(1_700_000_000),
        installation,
        conversations: [("alice", "dora", 3), ("bob", "emil", 4)].map(lists).into(),
    }
}

pub fn conversation(peer: &str, id: u64) -> Conversation {
    Conversation { peer: peer.parse().unwrap(), last: MessageId(id), preview: String::new() }
}

#[derive(Default)]
struct Rig {
    client: Client,
    ledger: Ledger,
    now: Instant,
    calls: u64,
    /// Whose the last message was, and its place.
    place: (Option<UserId>, u64),
    resume: Attempt,
    /// What is on the device's disk.
    installation: Option<Installation>,
    disk: Disk,
    sent: Vec<ClientFrame<Ticket>>,
    devices: BTreeMap<DeviceId, usize>,
    lines: Vec<String>,
}

impl Rig {
    fn play(&mut self, words: &str) {
        let words: Vec<&str> = words.split_whitespace().collect();
        let last = self.ledger.connection().unwrap_or_default();
        let number = |word: &str| ConnectionId(word.parse().expect("a connection's number"));
        match words.as_slice() {
            ["wait", time] => self.wait(time),
            // Frozen by the operating system: no timer fires.
            ["sleep", time] => self.now = self.now + span(time),
            ["connected"] => self.input(Input::Connected { connection: last }),
            ["refused"] => self.input(Input::ConnectFailed { connection: last }),
            ["closed"] => self.input(Input::Closed { connection: last }),
            ["page"] => self.input(Input::NoFrame { connection: last }),
            ["connected", line] => self.input(Input::Connected { connection: number(line) }),
            ["closed", line] => self.input(Input::Closed { connection: number(line) }),
            ["woken"] => self.input(Input::Woken),
            ["network"] => self.input(Input::NetworkChanged),
            ["disk", "holds"] => self.disk.holds = true,
            ["disk", "writes"] => {
                self.disk.holds = false;
                self.drain();
            }
            ["storage", "fails", count] => {
                let left = self.sent.len() - count.parse::<usize>().expect("a number of frames");
                let unsent = self.sent.split_off(left);
                self.input(Input::StorageFailed { unsent });
            }
            ["on", line, rest @ ..] => {
                let frame = self.frame(rest).expect("a frame");
                self.input(Input::Frame { connection: number(line), frame });
            }
            words => match self.frame(words) {
                Some(frame) => self.input(Input::Frame { connection: last, frame }),
                None => {
                    let request = self.call(words);
                    self.calls += 1;
                    self.input(Input::Call { call: CallId(self.calls), request });
                }
            },
        }
    }

    fn call(&self, words: &[&str]) -> Call {
        match words {
            ["init"] => {
                let start = start(self.installation.clone());
                let wall = start.wall + (self.now - Instant::ZERO);
                Call::Init(Box::new(Start { wall, ..start }))
            }
            ["uninit"] => Call::Uninit,
            ["login", user, ticket] => {
                Call::Login { user: empty(user).into(), ticket: Ticket::from(empty(ticket)), lasts: None }
            }
            ["login", user, ticket, lasts] => {
                let lasts = Some(Duration::from_secs(lasts.parse().unwrap()));
                Call::Login { user: (*user).into(), ticket: Ticket::from(*ticket), lasts }
            }
            ["login-with-long-ticket", user] => {
                let ticket = Ticket::from("x".repeat(8 * 1024 + 1));
                Call::Login { user: (*user).into(), ticket, lasts: None }
            }
            ["logout"] => Call::Logout,
            ["conversations"] => Call::Conversations,
            ["send", to, text] => Call::SendMessage { id: None, to: empty(to).into(), text: (*text).into() },
            ["send-bytes", to, bytes] => {
                Call::SendMessage { id: None, to: (*to).into(), text: "x".repeat(bytes.parse().unwrap()) }
            }
            ["admin-kick", user] => Call::AdminKick { user: empty(user).into() },
            ["query", users @ ..] => Call::QueryStatus { users: users.iter().map(|user| (*user).into()).collect() },
            ["query-many", count] => {
                Call::QueryStatus { users: (0..count.parse().unwrap()).map(|n: u32| format!("u{n}")).collect() }
            }
            _ => panic!("not understood: {words:?}"),
        }
    }

    fn frame(&mut self, words: &[&str]) -> Option<ServerFrame> {
        let user = |word: &str| word.parse::<UserId>().expect("a user");
        let epoch = |word: &str| Epoch(word.parse().expect("an epoch"));
        let call = |word: &str| CallId(word.parse().expect("a call"));
        let kick = |name: &str, number: &str| Kick {
            user: user(name),
            epoch: epoch(number),
            reason: KickReason::SamePlatform,
            by: None,
        };
        let admission =
            |number: &str, lines: &[&str]| Admission { epoch: epoch(number), conversations: list(lines), terms: TERMS };
        let attempt = self.resume;
        let resume = |outcome| ServerFrame::ResumeAnswer { attempt, outcome };
        Some(match words {
            ["answer", "login", number, "epoch", epoch, lines @ ..] => {
                ServerFrame::LoginAnswer { call: call(number), outcome: Ok(admission(epoch, lines)) }
            }
            ["answer", "login", number, why] => {
                ServerFrame::LoginAnswer { call: call(number), outcome: Err(refusal(why)) }
            }
            ["answer", "resume", "resumed", lines @ ..] => {
                resume(ResumeOutcome::Resumed { conversations: list(lines), terms: TERMS, dropped: 0 })
            }
            ["answer", "resume", "logged-in", epoch, lines @ ..] => {
                resume(ResumeOutcome::LoggedIn(admission(epoch, lines)))
            }
            ["answer", "resume", "kicked", name, epoch] => resume(ResumeOutcome::Kicked(kick(name, epoch))),
            ["answer", "resume", "expired"] => resume(ResumeOutcome::Expired),
            ["answer", "resume", "refused", why] => resume(ResumeOutcome::Refused(code(why))),
            ["answer", "resume", "unable", why] => resume(ResumeOutcome::Unable(code(why))),
            ["answer", "resume", "stale"] => resume(ResumeOutcome::Stale),
            ["answer", "earlier-resume", "resumed"] => ServerFrame::ResumeAnswer {
                attempt: Attempt { count: attempt.count - 1, ..attempt },
                outcome: ResumeOutcome::Resumed { conversations: Vec::new(), terms: TERMS, dropped: 0 },
            },
            ["answer", "renew", number, outcome] => {
                ServerFrame::RenewAnswer { call: call(number), outcome: done(outcome) }
            }
            ["answer", "logout", number, outcome] => {
                ServerFrame::LogoutAnswer { call: call(number), outcome: done(outcome) }
            }
            ["answer", "send", number, "id", id] => {
                ServerFrame::SendAnswer { call: call(number), outcome: Ok(MessageId(id.parse().unwrap())) }
            }
            ["answer", "send", number, why] => ServerFrame::SendAnswer { call: call(number), outcome: Err(code(why)) },
            ["answer", "admin-kick", number, "ok"] => {
                ServerFrame::AdminKickAnswer { call: call(number), outcome: Ok(()) }
            }
            ["answer", "admin-kick", number, why] => {
                ServerFrame::AdminKickAnswer { call: call(number), outcome: Err(code(why)) }
            }
            ["answer", "query", number] => {
                ServerFrame::StatusAnswer { call: call(number), outcome: Ok(StatusReport::default()) }
            }
            ["answer", "heartbeat"] => ServerFrame::HeartbeatAnswer,
            ["kick", name, number] => ServerFrame::Kick(kick(name, number)),
            ["expired", name, number] => ServerFrame::Expired(SessionName { user: user(name), epoch: epoch(number) }),
            ["message", id, from, to, text] => {
                let reader = self.client.login_user().filter(|reader| [user(from), user(to)].contains(reader));
                match reader {
                    Some(_) if self.place.0 == reader => self.place.1 += 1,
                    Some(_) => self.place = (reader, 1),
                    None => {}
                }
                let (id, text) = (MessageId(id.parse().unwrap()), (*text).into());
                let message = Message { id, from: user(from), to: user(to), text };
                ServerFrame::Message { place: self.place.1, message }
            }
            ["message-at", place, id, from, to, text] => {
                let (id, text) = (MessageId(id.parse().unwrap()), (*text).into());
                let message = Message { id, from: user(from), to: user(to), text };
                ServerFrame::Message { place: place.parse().unwrap(), message }
            }
            ["error"] => ServerFrame::Error(FrameError::OutOfPlace),
            ["error", "version"] => ServerFrame::Error(FrameError::Version),
            ["closing", why, after] => ServerFrame::Closing {
                why: [Closing::Stopping, Closing::Full].into_iter().find(|one| one.word() == *why).expect("a reason"),
                come_back: Return { after: span(after), spread: Duration::ZERO },
            },
            _ => return None,
        })
    }

    fn input(&mut self, input: Input) {
        self.ledger.input(&input);
        self.client.handle_input(self.now, input);
        self.drain();
    }

    fn wait(&mut self, time: &str) {
        let until = self.now + span(time);
        while let Some(at) = self.client.poll_timeout().filter(|at| *at <= until) {
            self.now = self.now.max(at);
            let before = self.lines.len();
            self.client.handle_timeout(self.now);
            self.drain();
            if self.lines.len() > before {
                self.lines.insert(before, format!("@ {}", self.now));
            }
        }
        self.now = until;
    }

    fn drain(&mut self) {
        while let Some(output) = self.client.poll_output() {
            self.ledger.output(&output);
            self.disk.output(&output);
            let line = self.rendered(output.action);
            self.lines.push(line);
        }
        if let Some(stored) = self.disk.write() {
            return self.input(stored);
        }
        self.ledger.settled(&self.client);
    }

    fn rendered(&mut self, action: Action) -> String {
        match action {
            Action::Store { change: _, write: Write::Installation(installation) } => {
                let next = self.devices.len() + 1;
                let device = *self.devices.entry(installation.device).or_insert(next);
                let mut line = format!("disk device {device} starts {}", installation.starts);
                if installation.owed_end {
                    line.push_str(" owed-end");
                }
                if let Some(SessionName { user, epoch }) = installation.known_ended {
                    write!(line, " ended {user} {epoch}").expect("a string grows");
                }
                self.installation = Some(installation);
                line
            }
            Action::Store { change: _, write: Write::Conversations { user, conversations } } => {
                format!("disk conversations {user}:{}", rendered_list(&conversations))
            }
            Action::Connect { connection } => format!("connect {}", connection.0),
            Action::Close { connection } => format!("close {}", connection.0),
            Action::Send { connection, frame } => {
                self.sent.push(frame.clone());
                format!("send {} {}", connection.0, self.rendered_frame(frame))
            }
            Action::Result { call, outcome } => match outcome {
                Ok(Reply::Done) => format!("result {} ok", call.0),
                Ok(Reply::Message(id)) => format!("result {} id {}", call.0, id.0),
                Ok(Reply::Conversations(list)) => format!("result {} list{}", call.0, rendered_list(&list)),
                Ok(Reply::Report(_)) => format!("result {} report", call.0),
                Err(failure) => format!("result {} [{}]", call.0, failure.code.number()),
            },
            Action::Event(Event::Message(message)) => {
                format!("event message {} from {}", message.id.0, message.from)
            }
            Action::Event(Event::MessagesDropped(count)) => format!("event messages_dropped {count}"),
            Action::Event(Event::ConnectFailed(code)) => format!("event connect_failed [{}]", code.number()),
            Action::Event(Event::KickedOffline(Kick { user, epoch, .. })) => {
                format!("event kicked_offline {user} {epoch}")
            }
            Action::Event(Event::UserSigExpired(SessionName { user, epoch })) => {
                format!("event user_sig_expired {user} {epoch}")
            }
            Action::Event(event @ (Event::Connecting | Event::ConnectSuccess)) => format!("event {}", event.word()),
            Action::DropEvents { .. } => "drop events".into(),
            Action::Status { status, login_user: Some(user) } => format!("status {} {user}", status.word()),
            Action::Status { status, login_user: None } => format!("status {}", status.word()),
            Action::Note(Note::BackOff { attempt, delay }) => {
                format!("note back-off {attempt} {}", Instant::ZERO + delay)
            }
            Action::Note(Note::LinkLost) => "note link lost".into(),
            Action::Note(Note::LinkKept) => "note link kept".into(),
            Action::Note(Note::NewDevice { .. }) => "note new device".into(),
        }
    }

    fn rendered_frame(&mut self, frame: ClientFrame<Ticket>) -> String {
        match frame {
            ClientFrame::Hello { device, .. } => format!("hello device {}", self.devices[&device]),
            ClientFrame::Login { call, attempt, user, ticket, known_ended } => {
                let ended = known_ended.map_or(String::new(), |name| format!(" ended {} {}", name.user, name.epoch));
                format!("login {} {attempt} {user} {}{ended}", call.0, ticket.as_str())
            }
            ClientFrame::LoginAcknowledged { user, epoch } => format!("acknowledged {user} {epoch}"),
            ClientFrame::Resume { attempt, user, epoch, ticket, received } => {
                self.resume = attempt;
                let received = if received > 0 { format!(" received {received}") } else { String::new() };
                format!("resume {attempt} {user} {epoch} {}{received}", ticket.as_str())
            }
            ClientFrame::Renew { call, attempt, user, epoch, ticket } => {
                format!("renew {} {attempt} {user} {epoch} {}", call.0, ticket.as_str())
            }
            ClientFrame::Logout { call, attempt } => format!("logout {} {attempt}", call.0),
            ClientFrame::Heartbeat => "heartbeat".into(),
            ClientFrame::KickConfirmed { user, epoch } => format!("confirmed {user} {epoch}"),
            ClientFrame::SendMessage { call, to, text, .. } => format!("message {} to {to} {text}", call.0),
            ClientFrame::AdminKick { call, user } => format!("admin-kick {} {user}", call.0),
            ClientFrame::QueryStatus { call, users } => format!("query {} of {}", call.0, users.len()),
            ClientFrame::MessagesReceived { user, epoch, through } => format!("received {user} {epoch} {through}"),
        }
    }
}

fn span(time: &str) -> Duration {
    let millis = match time.strip_suffix("ms") {
        Some(millis) => millis.parse().expect("milliseconds"),
        None => time.strip_suffix('s').and_then(|seconds| seconds.parse::<u64>().ok()).expect("seconds") * 1_000,
    };
    Duration::from_millis(millis)
}

/// `-` stands for an empty word.
fn empty<'a>(word: &&'a str) -> &'a str {
    if *word == "-" { "" } else { word }
}

fn code(word: &str) -> Code {
    let number = word.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).expect("a code in brackets");
    Code::from_number(number.parse().expect("a number")).expect("a code of the table")
}

fn refusal(word: &str) -> Refusal {
    if word == "stale" { Refusal::Stale } else { Refusal::Code(code(word)) }
}

fn done(word: &str) -> Result<(), Refusal> {
    if word == "ok" { Ok(()) } else { Err(refusal(word)) }
}

/// `bob@9` is a line of the list: the peer and the last message.
fn list(words: &[&str]) -> Vec<Conversation> {
    let line = |word: &&str| {
        let (peer, id) = word.split_once('@').expect("peer@id");
        conversation(peer, id.parse().expect("a message's number"))
    };
    words.iter().map(line).collect()
}

fn rendered_list(list: &[Conversation]) -> String {
    list.iter().map(|line| format!(" {}@{}", line.peer, line.last.0)).collect()
}
