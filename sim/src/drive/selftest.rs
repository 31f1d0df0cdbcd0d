//! Whether an adapter keeps the protocol: asked by itself, before a server that nobody is at.
//!
//! Each check says what it looked at and what it saw, so that whoever writes an adapter knows what to change.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::net::TcpListener;
use tokio::process::{ChildStdin, ChildStdout};
use tokio::runtime::Builder;
use tokio::task::LocalSet;
use tokio::time::{Instant, timeout, timeout_at};

use super::adapter::{Ask, Can, Capability, Note, Outcome, READY_WITHIN, Request, STOP_WITHIN, Said, Ticket, VERSION};
use super::play::Place;
use super::process::{Group, Output};

/// How long a call may take before nobody's server.
const ANSWER_WITHIN: Duration = Duration::from_secs(35);

/// How long is listened for what should not come.
const QUIET: Duration = Duration::from_millis(300);

/// What was looked at, and what is wrong with it, if something is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What has to be so.
    pub what: &'static str,
    /// What was seen instead.
    pub wrong: Option<String>,
}

struct Adapter {
    group: Group,
    input: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Adapter {
    async fn start(words: &[String], place: &Place, server: &str) -> Result<Adapter, String> {
        let dir = place.root.join("selftest");
        std::fs::create_dir_all(&dir).map_err(|error| error.to_string())?;
        let log = std::fs::File::create(place.root.join("selftest.log")).map_err(|error| error.to_string())?;
        let dir = std::fs::canonicalize(&dir).map_err(|error| error.to_string())?;
        // The command is one that was typed, where it was typed.
        let started = Group::start(words, Path::new("."), Output::Spoken(log), &place.warden);
        let mut group = started.map_err(|error| format!("cannot start `{}`: {error}", words.join(" ")))?;
        let (input, output) = group.pipes().ok_or("it has no standard input or output")?;
        let mut adapter = Adapter { group, input, lines: BufReader::new(output).lines() };
        adapter.ask(&hello(server, &dir)).await;
        Ok(adapter)
    }

    async fn ask(&mut self, ask: &Ask) {
        // What has ended says so by what there is to read.
        let _ = self.input.write_all(format!("{}\n", ask.line()).as_bytes()).await;
        let _ = self.input.flush().await;
    }

    /// The next line within this time; none if none comes.
    async fn next(&mut self, within: Duration) -> Result<Option<Said>, String> {
        match timeout(within, self.lines.next_line()).await {
            Err(_) => Ok(None),
            Ok(Ok(Some(line))) => Said::read(&line).map(Some).map_err(|why| format!("{why}\n  {line}")),
            Ok(Ok(None)) => Err("its output ended".to_owned()),
            Ok(Err(error)) => Err(error.to_string()),
        }
    }

    /// What is said until a call is answered: its outcome, and the last status by then.
    async fn answer(&mut self, number: u64, status: &mut &'static str) -> Result<Outcome, String> {
        let end = Instant::now() + ANSWER_WITHIN;
        loop {
            let within = end.saturating_duration_since(Instant::now());
            match self.next(within).await? {
                None => return Err(format!("there was no answer within {} s", ANSWER_WITHIN.as_secs())),
                Some(Said::Answered { call, outcome, .. }) if call == number => return Ok(outcome),
                Some(Said::Answered { call, .. }) => {
                    return Err(format!("call {call} was answered, and there is none"));
                }
                Some(Said::Status { status: new, .. }) => *status = new,
                Some(Said::Ready { .. }) => return Err("it said `ready` a second time".to_owned()),
                Some(Said::Called { .. } | Said::Told(_) | Said::Presence { .. }) => {}
            }
        }
    }
}

fn hello(server: &str, dir: &Path) -> Ask {
    Ask::Hello {
        hello: VERSION,
        device: "phone-1".to_owned(),
        platform: "android".to_owned(),
        server: server.to_owned(),
        dir: dir.display().to_string(),
    }
}

/// Looks whether the adapter that this command starts keeps the protocol.
///
/// # Errors
///
/// When nothing can be looked at, as the machine refuses it.
pub fn selftest(words: &[String], place: &Place) -> Result<Vec<Check>, std::io::Error> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let local = LocalSet::new();
    local.block_on(&runtime, async {
        // Whoever connects is accepted by the system, and nobody ever speaks; and at the other nobody is at all.
        let silent = TcpListener::bind("127.0.0.1:0").await?;
        let closed = TcpListener::bind("127.0.0.1:0").await?.local_addr()?.to_string();
        let mut checks = Vec::new();
        let mut check = |what, wrong: Result<(), String>| {
            checks.push(Check { what, wrong: wrong.err() });
        };
        let mut can = Can::default();
        match Adapter::start(words, place, &closed).await {
            Err(why) => check("it starts", Err(why)),
            Ok(mut adapter) => {
                check("it starts", Ok(()));
                let ready = ready(&mut adapter).await;
                let is_ready = ready.is_ok();
                check("its first line is `ready`, and says that it can log in", ready.map(|found| can = found));
                if is_ready {
                    let mut status = "LOGOUT";
                    check(
                        "before nobody's server a login is answered, and not with `ok`",
                        refused(&mut adapter, &mut status).await,
                    );
                    let is_out = if status == "LOGOUT" { Ok(()) } else { Err(format!("the status was {status}")) };
                    check("whose status is LOGOUT then", is_out);
                    check(
                        "a call that it does not know is answered with a code, and it goes on",
                        unknown(&mut adapter).await,
                    );
                    if can.has(Capability::Logout) {
                        check("a logout of nobody is answered", logout(&mut adapter).await);
                    }
                    adapter.ask(&Ask::Note { note: Note::Woken }).await;
                    adapter.ask(&Ask::Note { note: Note::NetworkChanged }).await;
                    check("notes are not answered, and nothing is answered twice", quiet(&mut adapter).await);
                    adapter.ask(&Ask::Stop { stop: 1 }).await;
                    check("told to stop it ends", ends(&mut adapter, "`stop`").await);
                }
            }
        }
        if checks.iter().all(|check| check.wrong.is_none()) {
            let silent = silent.local_addr()?.to_string();
            let mut adapter = Adapter::start(words, place, &silent).await.map_err(std::io::Error::other)?;
            let mut check = |what, wrong: Result<(), String>| checks.push(Check { what, wrong: wrong.err() });
            match ready(&mut adapter).await {
                Err(why) => check("it starts again in the same directory", Err(why)),
                Ok(_) => {
                    let mut status = "LOGOUT";
                    check(
                        "before a server that says nothing a login is answered in the end",
                        refused(&mut adapter, &mut status).await,
                    );
                    let Adapter { mut group, input, lines } = adapter;
                    drop(input);
                    let ended = timeout(STOP_WITHIN, group.ended()).await.is_ok();
                    drop(lines);
                    let within = format!("it was there {} s after its input had ended", STOP_WITHIN.as_secs());
                    check("when its input ends it ends", if ended { Ok(()) } else { Err(within) });
                }
            }
        }
        Ok(checks)
    })
}

async fn ready(adapter: &mut Adapter) -> Result<Can, String> {
    match adapter.next(READY_WITHIN).await? {
        Some(Said::Ready { can, .. }) if can.has(Capability::Login) => Ok(can),
        Some(Said::Ready { can, .. }) => Err(format!("it can do this: {can}")),
        Some(said) => Err(format!("it said {said:?} first")),
        None => Err(format!("it said nothing within {} s", READY_WITHIN.as_secs())),
    }
}

fn login() -> Request {
    let ticket = Ticket { text: "no ticket".to_owned(), issued: 0, ttl: 1 };
    Request::Login { user: "alice".to_owned(), ticket }
}

async fn refused(adapter: &mut Adapter, status: &mut &'static str) -> Result<(), String> {
    adapter.ask(&Ask::Call { call: 1, what: login() }).await;
    let outcome = adapter.answer(1, status).await?;
    // What is said of the status may come behind.
    while let Some(said) = adapter.next(QUIET).await? {
        match said {
            Said::Status { status: new, .. } => *status = new,
            Said::Answered { call, .. } => return Err(format!("call {call} was answered a second time")),
            _ => {}
        }
    }
    if outcome == Outcome::Ok { Err("it said `ok`".to_owned()) } else { Ok(()) }
}

async fn unknown(adapter: &mut Adapter) -> Result<(), String> {
    adapter.ask(&Ask::Call { call: 2, what: Request::Nonsense }).await;
    match adapter.answer(2, &mut "LOGOUT").await? {
        Outcome::Failed(_) => Ok(()),
        other => Err(format!("the outcome was {other:?}")),
    }
}

async fn logout(adapter: &mut Adapter) -> Result<(), String> {
    adapter.ask(&Ask::Call { call: 3, what: Request::Logout }).await;
    adapter.answer(3, &mut "LOGOUT").await.map(|_| ())
}

async fn quiet(adapter: &mut Adapter) -> Result<(), String> {
    let end = Instant::now() + QUIET;
    while let Ok(line) = timeout_at(end, adapter.lines.next_line()).await {
        let line = line.map_err(|error| error.to_string())?.ok_or("its output ended")?;
        let value: Value = serde_json::from_str(&line).map_err(|error| format!("{error}\n  {line}"))?;
        if value.get("answered").is_some() {
            return Err(format!("it said {line}"));
        }
    }
    Ok(())
}

async fn ends(adapter: &mut Adapter, at: &str) -> Result<(), String> {
    match timeout(STOP_WITHIN, adapter.group.ended()).await {
        Ok(Ok(ending)) if ending.0.success() => Ok(()),
        Ok(Ok(ending)) => Err(format!("it ended {ending}")),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("it was there {} s after {at}", STOP_WITHIN.as_secs())),
    }
}
