//! Tests as conversations: what happens to a server, one line each, and beneath it, further in, what
//! the server does.
//!
//! A connection is called `DEVICE/NUMBER`. The lines one can write:
//!
//! ```text
//! phone/1 open android              a connection, with its hello          (connect: without)
//! phone/1 hello web [version=2]     one more hello
//! phone/1 login alice [TICKET…] [attempt=N] [knows=alice:1]
//! phone/1 resume alice 1 [TICKET…] [attempt=N]      renew: the same
//! phone/1 logout [attempt=N]
//! phone/1 ack alice 1 · confirm alice 1 · heartbeat · send bob TEXT · send-bytes bob LENGTH
//! phone/1 admin-kick alice · query alice bob · malformed oversized · close
//! +10s · +5ms · +7d · clock +1h · clock -1h     time passes; the wall clock jumps
//! config [policy=multi] [web=3] [admin=root] [reconnect_kicks] [notify_offline_kick] [capacity=2] [logins_max=2]
//!        [remembered_max=2]
//!        [remembered_max=2]
//! restart · restart +80s            the server dies and comes back, at once or so much later
//! stop                              it is told to stop
//! standstill +80s                   it does not run for so long, and finds that
//! given alice on phone              the lines of a stage: see `stages`
//! show commits                      from here on the facts committed are shown
//! dau · accounts                    what the records say
//! 9x LINE                           the line so many times
//! ```
//!
//! TICKET words: `issued=-10` (seconds from now) `ttl=60` `of=bob` `forged` `other_app` `empty`
//! `malformed`, and `ticket=NAME` for one that was used before under that name, or is to be.
//! Attempts count up by themselves. Equal lines of output in a row are shown once, with `×N`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use gatecrash::code::Code;
use gatecrash::id::{Attempt, CallId, ConnectionId, DeviceId, Epoch, PublicName, SendId, UserId};
use gatecrash::limits::ServerLimits;
use gatecrash::policy::{Platform, Policy, Seats};
use gatecrash::protocol::{
    Admission, ClientFrame, Conversation, FrameError, Kick, Refusal, ResumeOutcome, Return, ServerFrame, SessionName,
    StatusReport, VERSION,
};
use gatecrash::server::{Action, Config, Input, Note, Output};
use gatecrash::store::Fact;
use gatecrash::ticket::OpenedTicket;
use gatecrash::time::WallTime;

use super::stages::stage;
use super::world::{APP, START, World, ticket};

/// Plays the lines and compares what comes out with the indented ones.
pub fn check(conversation: &str) {
    let lines = staged(conversation);
    let mut stage = Stage::new();
    let mut played = String::new();
    for line in lines.iter().filter(|line| !line.starts_with(' ')) {
        played.push_str(&format!("{line}\n"));
        let mut shown = stage.play(line);
        shown.dedup_by(|next, line| {
            let (first, count) = line.split_once(" ×").map_or((line.as_str(), 1), |(first, count)| {
                (first, count.parse::<u32>().expect("a count of our own"))
            });
            let is_same = first == next;
            if is_same {
                *line = format!("{first} ×{}", count + 1);
            }
            is_same
        });
        shown.iter().for_each(|line| played.push_str(&format!("    {line}\n")));
    }
    let expected: String = lines.iter().map(|line| format!("{line}\n")).collect();
    assert!(played == expected, "expected:\n{expected}\nplayed:\n{played}");
}

/// The lines without their margin, and those of its stages where it names one.
fn staged(conversation: &str) -> Vec<&str> {
    let lines = || conversation.lines().map(str::trim_end).filter(|line| !line.is_empty());
    let margin = lines().map(|line| line.len() - line.trim_start().len()).min().expect("a conversation");
    lines()
        .map(|line| &line[margin..])
        .flat_map(|line| line.strip_prefix("given ").map_or(vec![line], |name| staged(stage(name))))
        .collect()
}

/// A world in which things have the names the lines use.
struct Stage {
    world: World,
    connections: BTreeMap<String, ConnectionId>,
    devices: BTreeMap<String, DeviceId>,
    attempts: BTreeMap<String, u32>,
    tickets: BTreeMap<String, OpenedTicket>,
    opened: u32,
    shows_commits: bool,
}

impl Stage {
    fn new() -> Self {
        Stage {
            world: World::new(Config::new(APP)),
            connections: BTreeMap::new(),
            devices: BTreeMap::new(),
            attempts: BTreeMap::new(),
            tickets: BTreeMap::new(),
            opened: 0,
            shows_commits: false,
        }
    }

    fn play(&mut self, line: &str) -> Vec<String> {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[0] {
            "clock" => {
                let (wall, by) = (self.world.now.wall, span(&words[1][1..]));
                let is_back = words[1].starts_with('-');
                let back = || WallTime::from_micros(wall.as_micros() - by.as_micros() as u64);
                let outputs = self.world.set_wall(if is_back { back() } else { wall + by });
                self.show(outputs)
            }
            "config" => {
                let config = config(&words[1..]);
                let outputs = self.world.input(Input::Configured(config));
                self.show(outputs)
            }
            "restart" => {
                let config = self.world.server.config().clone();
                self.connections.clear();
                self.world.pass(words.get(1).map_or(Duration::ZERO, |by| span(&by[1..])));
                let outputs = self.world.restart(config);
                self.show(outputs)
            }
            "stop" => {
                let outputs = self.world.input(Input::Stopping);
                self.show(outputs)
            }
            "standstill" => {
                self.world.pass(span(&words[1][1..]));
                let outputs = self.world.input(Input::StoodStill);
                self.show(outputs)
            }
            "show" => {
                self.shows_commits = true;
                Vec::new()
            }
            "dau" => {
                let days = &self.world.records.days;
                days.iter().map(|(day, users)| format!("day {day}: {users}")).collect()
            }
            "accounts" => self.world.records.users.keys().map(UserId::to_string).collect(),
            repeated if repeated.ends_with('x') && repeated.starts_with(|c: char| c.is_ascii_digit()) => {
                let times: u32 = repeated.trim_end_matches('x').parse().unwrap();
                (0..times).flat_map(|_| self.play(&words[1..].join(" "))).collect()
            }
            passing if passing.starts_with('+') => {
                let outputs = self.world.advance(span(&passing[1..]));
                self.show(outputs)
            }
            name => {
                let outputs = self.on_connection(name, words[1], &words[2..]);
                self.show(outputs)
            }
        }
    }

    fn on_connection(&mut self, name: &str, verb: &str, words: &[&str]) -> Vec<Output> {
        let device_name = name.split('/').next().expect("DEVICE/NUMBER");
        let next = self.devices.len() as u8 + 1;
        let device = *self.devices.entry(device_name.to_owned()).or_insert(DeviceId::from_bytes([next; 16]));
        if matches!(verb, "open" | "connect") {
            // Never one that was used before: what is late on the old one is to reach the old one.
            let connection = ConnectionId(self.opened);
            self.opened += 1;
            self.world.open(connection);
            self.connections.insert(name.to_owned(), connection);
            if verb == "open" {
                self.world.hello(connection, device, words[0].parse().unwrap());
            }
            return Vec::new();
        }
        let connection = self.connections[name];
        let call = CallId(9);
        let frame = match verb {
            "close" => return self.world.input(Input::Closed { connection }),
            "malformed" => {
                let error = match words {
                    ["oversized"] => FrameError::Oversized,
                    _ => FrameError::Malformed,
                };
                return self.world.input(Input::Malformed { connection, error });
            }
            "hello" => {
                let version = option(words, "version").map_or(VERSION, |version| version.parse().unwrap());
                ClientFrame::Hello { version, device, platform: words[0].parse().unwrap() }
            }
            "login" => {
                let user = if words[0] == "(empty)" { "" } else { words[0] };
                let known_ended = option(words, "knows").map(|knows| {
                    let (user, epoch) = knows.split_once(':').unwrap();
                    SessionName { user: user.parse().unwrap(), epoch: Epoch(epoch.parse().unwrap()) }
                });
                let attempt = self.attempt(device_name, words);
                ClientFrame::Login {
                    call,
                    attempt,
                    user: user.to_owned(),
                    ticket: self.ticket(user, words),
                    known_ended,
                }
            }
            "resume" => {
                let SessionName { user, epoch } = session(words);
                let attempt = self.attempt(device_name, words);
                let received = words
                    .iter()
                    .find_map(|word| word.strip_prefix("received="))
                    .map_or(0, |place| place.parse().unwrap());
                ClientFrame::Resume { attempt, user, epoch, ticket: self.ticket(words[0], words), received }
            }
            "renew" => {
                let SessionName { user, epoch } = session(words);
                let attempt = self.attempt(device_name, words);
                ClientFrame::Renew { call, attempt, user, epoch, ticket: self.ticket(words[0], words) }
            }
            "logout" => ClientFrame::Logout { call, attempt: self.attempt(device_name, words) },
            "ack" => {
                let SessionName { user, epoch } = session(words);
                ClientFrame::LoginAcknowledged { user, epoch }
            }
            "confirm" => {
                let SessionName { user, epoch } = session(words);
                ClientFrame::KickConfirmed { user, epoch }
            }
            "heartbeat" => ClientFrame::Heartbeat,
            "send" => {
                let (to, text) = (words[0].parse().unwrap(), words[1..].join(" "));
                ClientFrame::SendMessage { call, id: id_of(call, &text), to, text }
            }
            "send-as" => {
                let id = SendId::from_bytes(words[0].parse::<u128>().unwrap().to_be_bytes());
                ClientFrame::SendMessage { call, id, to: words[1].parse().unwrap(), text: words[2..].join(" ") }
            }
            "send-bytes" => {
                let text = "x".repeat(words[1].parse().unwrap());
                ClientFrame::SendMessage { call, id: id_of(call, &text), to: words[0].parse().unwrap(), text }
            }
            "received" => {
                let SessionName { user, epoch } = session(words);
                ClientFrame::MessagesReceived { user, epoch, through: words[2].parse().unwrap() }
            }
            "admin-kick" => ClientFrame::AdminKick { call, user: words[0].parse().unwrap() },
            "query" => {
                ClientFrame::QueryStatus { call, users: words.iter().map(|user| user.parse().unwrap()).collect() }
            }
            other => panic!("no such line: {other}"),
        };
        self.world.frame(connection, frame)
    }

    fn attempt(&mut self, device: &str, words: &[&str]) -> Attempt {
        let highest = self.attempts.entry(device.to_owned()).or_default();
        let count = match option(words, "attempt") {
            Some(number) => number.parse().unwrap(),
            None => *highest + 1,
        };
        *highest = count.max(*highest);
        Attempt { start: 1, count }
    }

    fn ticket(&mut self, user: &str, words: &[&str]) -> OpenedTicket {
        let name = option(words, "ticket");
        if let Some(known) = name.and_then(|name| self.tickets.get(name)) {
            return *known;
        }
        let owner = option(words, "of").unwrap_or(user);
        let issued = option(words, "issued").map_or(0, |seconds| seconds.parse::<i64>().unwrap());
        let ttl = option(words, "ttl").map_or(100 * 24 * 60 * 60, |seconds| seconds.parse().unwrap());
        let issued_at = self.world.now.wall.seconds().checked_add_signed(issued).unwrap();
        // A name that is no user's has a ticket all the same, of somebody else.
        let mut opened = ticket(owner.parse().unwrap_or("nobody".parse().unwrap()), issued_at, ttl);
        opened.signature_fits = !words.contains(&"forged");
        if words.contains(&"other_app") {
            opened.claims.app_id += 1;
        }
        let opened = match words {
            words if words.contains(&"empty") => Err(Code::TicketEmpty),
            words if words.contains(&"malformed") => Err(Code::TicketMalformed),
            _ => Ok(opened),
        };
        if let Some(name) = name {
            self.tickets.insert(name.to_owned(), opened);
        }
        opened
    }

    fn show(&self, outputs: Vec<Output>) -> Vec<String> {
        outputs.iter().flat_map(|output| self.lines(&output.action)).collect()
    }

    fn lines(&self, action: &Action) -> Vec<String> {
        match action {
            Action::Commit(commit) if self.shows_commits => {
                commit.facts.iter().map(|fact| format!("commit {} {}", commit.number.0, self.fact(fact))).collect()
            }
            Action::Commit(_) | Action::Note(Note::TicketJudged { .. }) => Vec::new(),
            Action::Send { connection, frame } => {
                vec![format!("{} < {}", self.connection(*connection), self.frame(frame))]
            }
            Action::Close { connection } => vec![format!("{} closed", self.connection(*connection))],
            Action::Note(Note::Dormant { user, device, epoch }) => {
                vec![format!("dormant {user} {} {epoch}", self.device(device.public_name()))]
            }
        }
    }

    fn connection(&self, id: ConnectionId) -> &str {
        self.connections.iter().find(|(_, known)| **known == id).expect("every connection has a name").0
    }

    fn device(&self, name: PublicName) -> &str {
        let device = self.devices.iter().find(|(_, device)| device.public_name() == name);
        device.expect("every device has a name").0
    }

    fn frame(&self, frame: &ServerFrame) -> String {
        match frame {
            ServerFrame::LoginAnswer { outcome: Ok(admission), .. } => format!("login ok {}", admitted(admission)),
            ServerFrame::LoginAnswer { outcome: Err(refusal), .. } => format!("login {}", refused(*refusal)),
            ServerFrame::ResumeAnswer { outcome, .. } => match outcome {
                ResumeOutcome::Resumed { conversations, dropped, .. } => {
                    let dropped = if *dropped > 0 { format!(" dropped {dropped}") } else { String::new() };
                    format!("resume ok{dropped}{}", listed(conversations))
                }
                ResumeOutcome::LoggedIn(admission) => format!("resume as login {}", admitted(admission)),
                ResumeOutcome::Kicked(kick) => format!("resume {}", self.kick(kick)),
                ResumeOutcome::Expired => "resume expired".to_owned(),
                ResumeOutcome::Refused(code) => format!("resume [{}]", code.number()),
                ResumeOutcome::Unable(code) => format!("resume unable [{}]", code.number()),
                ResumeOutcome::Stale => "resume stale".to_owned(),
            },
            ServerFrame::RenewAnswer { outcome, .. } => format!("renew {}", done(*outcome)),
            ServerFrame::LogoutAnswer { outcome, .. } => format!("logout {}", done(*outcome)),
            ServerFrame::HeartbeatAnswer => "heartbeat".to_owned(),
            ServerFrame::Kick(kick) => self.kick(kick),
            ServerFrame::Expired(SessionName { user, epoch }) => format!("expired {user} {epoch}"),
            ServerFrame::SendAnswer { outcome: Ok(id), .. } => format!("sent #{}", id.0),
            ServerFrame::SendAnswer { outcome: Err(code), .. } => format!("sent [{}]", code.number()),
            ServerFrame::Message { message, .. } => {
                format!("message #{} {} to {}: {}", message.id.0, message.from, message.to, message.text)
            }
            ServerFrame::AdminKickAnswer { outcome, .. } => {
                format!("admin-kick {}", done(outcome.map_err(Refusal::Code)))
            }
            ServerFrame::StatusAnswer { outcome: Ok(report), .. } => format!("status {}", self.report(report)),
            ServerFrame::StatusAnswer { outcome: Err(code), .. } => format!("status [{}]", code.number()),
            ServerFrame::Error(error) => format!("error {}", error.word()),
            ServerFrame::Closing { why, come_back: Return { after, spread } } => {
                format!("closing {} after {after:?} spread {spread:?}", why.word())
            }
        }
    }

    fn kick(&self, kick: &Kick) -> String {
        let Kick { user, epoch, reason, by } = kick;
        let by = by.map(|by| format!(" by {}", self.device(by))).unwrap_or_default();
        format!("kick {user} {epoch} {}{by}", reason.word())
    }

    fn report(&self, report: &StatusReport) -> String {
        let mut parts: Vec<String> = Vec::new();
        for status in &report.users {
            let devices: Vec<String> = status
                .devices
                .iter()
                .map(|device| format!("{} {} {}", self.device(device.device), device.platform, device.state.word()))
                .collect();
            parts.push(format!("{} {} ({})", status.user, status.presence.word(), devices.join(", ")));
        }
        parts.extend(report.unknown.iter().map(|user| format!("{user} unknown")));
        parts.join("; ")
    }

    fn fact(&self, fact: &Fact) -> String {
        let named = |device: &DeviceId| self.device(device.public_name());
        match fact {
            Fact::AccountCreated { user } => format!("account {user}"),
            Fact::AttemptRaised { device, attempt, .. } => format!("attempt {} {attempt}", named(device)),
            Fact::SessionAccepted { user, device, epoch, .. } => format!("accepted {user} {} {epoch}", named(device)),
            Fact::SessionResumed { user, device, epoch, .. } => format!("resumed {user} {} {epoch}", named(device)),
            Fact::SessionRenewed { user, device, epoch, .. } => format!("renewed {user} {} {epoch}", named(device)),
            Fact::LoginAcknowledged { user, device, epoch } => format!("acknowledged {user} {} {epoch}", named(device)),
            Fact::LinkLost { user, device, epoch, .. } => format!("lost {user} {} {epoch}", named(device)),
            Fact::SessionEnded { user, device, epoch, reason, .. } => {
                format!("ended {user} {} {epoch} {}", named(device), reason.word())
            }
            Fact::KickSettled { user, device, epoch } => format!("settled {user} {} {epoch}", named(device)),
            Fact::EndForgotten { device, .. } => format!("forgotten {}", named(device)),
            Fact::DeviceForgotten { user, device } => format!("let go {user} {}", named(device)),
            Fact::TicketsVoided { user, until } => format!("voided {user} until {}", until - START),
            Fact::TicketVoided { user, last_second, .. } => format!("voided {user} one until {}", last_second - START),
            Fact::DayCounted { user, day, users } => format!("counted {user} {day} of {users}"),
            Fact::PresenceChanged { user, number, presence, kicked } => {
                let kicked: Vec<&str> = kicked.iter().map(|name| self.device(*name)).collect();
                let kicked = if kicked.is_empty() { String::new() } else { format!(" kicked {}", kicked.join(" ")) };
                format!("presence {user} #{number} {}{kicked}", presence.word())
            }
            Fact::MessageStored { message, .. } => format!("message #{}", message.id.0),
            Fact::SentForgotten { user, through } => format!("forgot what {user} sent up to #{}", through.0),
            Fact::MessageOwed { user, device, message, .. } => {
                format!("owes {user} {} #{}", named(device), message.id.0)
            }
            Fact::MessagesReceived { user, device, through, .. } => format!("has {user} {} {through}", named(device)),
            Fact::MessagesDropped { user, device, through, .. } => {
                format!("dropped {user} {} {through}", named(device))
            }
        }
    }
}

/// What a sender calls a message who does not say: calls start over with each connection.
fn id_of(call: CallId, text: &str) -> SendId {
    let letters = text.bytes().take(12).fold(0_u128, |letters, byte| letters << 8 | u128::from(byte));
    SendId::from_bytes((letters << 32 | u128::from(call.0)).to_be_bytes())
}

fn done(outcome: Result<(), Refusal>) -> String {
    outcome.map_or_else(refused, |()| "ok".to_owned())
}

fn refused(refusal: Refusal) -> String {
    match refusal {
        Refusal::Code(code) => format!("[{}]", code.number()),
        Refusal::Stale => "stale".to_owned(),
    }
}

fn admitted(admission: &Admission) -> String {
    format!("{}{}", admission.epoch, listed(&admission.conversations))
}

fn listed(conversations: &[Conversation]) -> String {
    conversations.iter().map(|line| format!(" {}#{}", line.peer, line.last.0)).collect()
}

fn session(words: &[&str]) -> SessionName {
    SessionName { user: words[0].parse().unwrap(), epoch: Epoch(words[1].parse().unwrap()) }
}

fn option<'a>(words: &[&'a str], key: &str) -> Option<&'a str> {
    words.iter().find_map(|word| word.split_once('=').filter(|(name, _)| *name == key)).map(|(_, value)| value)
}

fn config(words: &[&str]) -> Config {
    let policy: Policy = option(words, "policy").map_or(Policy::default(), |word| {
        Policy::ALL.into_iter().find(|policy| policy.word() == word).expect("a policy")
    });
    let number = |platform: Platform| Some((platform, option(words, platform.word())?.parse().unwrap()));
    let rules = ServerLimits::default();
    Config {
        seats: Seats::new(policy, &Platform::ALL.into_iter().filter_map(number).collect()).unwrap(),
        administrators: option(words, "admin").map(|user| user.parse().unwrap()).into_iter().collect::<BTreeSet<_>>(),
        reconnect_kicks: words.contains(&"reconnect_kicks"),
        notify_offline_kick: words.contains(&"notify_offline_kick"),
        limits: ServerLimits {
            capacity: option(words, "capacity").map_or(rules.capacity, |number| number.parse().unwrap()),
            remembered_max: option(words, "remembered_max")
                .map_or(rules.remembered_max, |number| number.parse().unwrap()),
            logins_max: option(words, "logins_max").map_or(rules.logins_max, |number| number.parse().unwrap()),
            ..rules
        },
        ..Config::new(APP)
    }
}

fn span(text: &str) -> Duration {
    let digits = text.trim_end_matches(|c: char| c.is_alphabetic());
    let number: u64 = digits.parse().unwrap();
    match &text[digits.len()..] {
        "ms" => Duration::from_millis(number),
        "s" => Duration::from_secs(number),
        "m" => Duration::from_secs(60 * number),
        "h" => Duration::from_secs(3_600 * number),
        "d" => Duration::from_secs(86_400 * number),
        unit => panic!("no such unit: {unit}"),
    }
}
