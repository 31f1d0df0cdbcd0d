//! A device: its directory, its way to the server, and the process of its adapter, while there is one.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use gatecrash::id::UserId;
use gatecrash::time::WallTime;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::ChildStdin;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout};

use super::adapter::{
    Ask, Can, Capability, Note, Outcome, READY_WITHIN, Request, STOP_WITHIN, Said, Ticket, Told, VERSION,
};
use super::process::{Group, Output, Warden};
use super::proxy::Proxy;
use super::record::Record;
use crate::scenario::{Call, ListenerEvent, Offset, Scenario, SiteName, TicketChoice, TicketPlan};
use crate::world::{NOBODY, tickets};

/// Something that an adapter's process did.
pub(super) struct Input {
    pub(super) device: usize,
    /// Which process of the device, counted from 1.
    process: u32,
    at: Instant,
    what: Spoken,
}

enum Spoken {
    Said(Said),
    /// A line that is none of the protocol's, and what is wrong with it.
    Wrong(String),
    /// There is no more to read.
    End,
}

/// What comes of what was heard.
pub(super) enum Heard {
    Nothing,
    /// The adapter does what it may not.
    Wrong(String),
    /// The application calls this inside its listener.
    Due(Call),
}

pub(super) struct Device {
    number: usize,
    pub(super) name: String,
    pub(super) platform: &'static str,
    pub(super) site: Option<SiteName>,
    pub(super) dir: PathBuf,
    log: PathBuf,
    pub(super) proxy: Proxy,
    adapter: Vec<String>,
    warden: Warden,
    inputs: mpsc::UnboundedSender<Input>,
    process: u32,
    running: Option<Running>,
    /// Whether the way to the server was last told to be open.
    pub(super) was_up: Option<bool>,
    pub(super) armed: VecDeque<(ListenerEvent, Call)>,
    /// Whether whoever watches has to begin again.
    pub(super) wants_to_watch: bool,
    sent: u32,
    last_ticket: Option<Ticket>,
}

struct Running {
    group: Group,
    input: ChildStdin,
    /// Dropped, nothing is read any more.
    _reading: Reading,
    is_suspended: bool,
    status: &'static str,
    user: Option<String>,
    /// Calls without a result, and of those that send what the conductor calls the message.
    open: BTreeMap<u64, Option<String>>,
    /// Calls of the conductor's own, which no application makes.
    own: BTreeSet<u64>,
    /// Whether it says when it takes a call, and those that it has not taken yet.
    says_called: bool,
    asked: BTreeMap<u64, Request>,
}

struct Reading(AbortHandle);

impl Drop for Reading {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Device {
    #[expect(clippy::too_many_arguments, reason = "each is a part of what a device is, and it is made in one place")]
    pub(super) fn new(
        number: usize,
        name: &str,
        platform: &'static str,
        site: Option<SiteName>,
        dir: PathBuf,
        proxy: Proxy,
        adapter: Vec<String>,
        warden: Warden,
        inputs: mpsc::UnboundedSender<Input>,
    ) -> io::Result<Device> {
        fs::create_dir_all(&dir)?;
        let dir = fs::canonicalize(dir)?;
        let log = dir.with_extension("log");
        Ok(Device {
            number,
            name: name.to_owned(),
            platform,
            site,
            dir,
            log,
            proxy,
            adapter,
            warden,
            inputs,
            process: 0,
            running: None,
            was_up: None,
            armed: VecDeque::new(),
            wants_to_watch: false,
            sent: 0,
            last_ticket: None,
        })
    }

    pub(super) fn is_up(&self) -> bool {
        self.running.is_some()
    }

    pub(super) fn is_suspended(&self) -> bool {
        self.running.as_ref().is_some_and(|running| running.is_suspended)
    }

    /// Who is logged in, or about to be again, as the SDK shows it.
    pub(super) fn user(&self) -> Option<&str> {
        let running = self.running.as_ref()?;
        running.user.as_deref().filter(|_| running.status != "LOGOUT")
    }

    /// Whether a call has no result yet.
    pub(super) fn is_waiting(&self) -> bool {
        self.running.as_ref().is_some_and(|running| !running.open.is_empty())
    }

    /// The end of what the adapter wrote to standard error, to be told behind a sentence.
    pub(super) fn last_words(&self) -> String {
        let text = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().rev().take(6).collect();
        if lines.is_empty() {
            return String::new();
        }
        format!("; its last words:\n  {}", lines.into_iter().rev().collect::<Vec<_>>().join("\n  "))
    }

    /// Starts its process, and waits until it is ready: what it understands, and what it calls itself.
    pub(super) async fn start(&mut self) -> Result<(Can, String), String> {
        let log = OpenOptions::new().create(true).append(true).open(&self.log);
        let log = log.map_err(|error| format!("{}: {error}", self.log.display()))?;
        let group = Group::start(&self.adapter, &self.dir, Output::Spoken(log), &self.warden);
        let mut group = group.map_err(|error| format!("cannot start `{}`: {error}", self.adapter.join(" ")))?;
        let (mut input, output) = group.pipes().ok_or("it has no standard input or output")?;
        let hello = Ask::Hello {
            hello: VERSION,
            device: self.name.clone(),
            platform: self.platform.to_owned(),
            server: format!("127.0.0.1:{}", self.proxy.port()),
            dir: self.dir.display().to_string(),
        };
        // Whoever has ended already says so by what there is to read.
        let _ = write(&mut input, &hello).await;
        let mut lines = BufReader::new(output).lines();
        let first = timeout(READY_WITHIN, lines.next_line()).await;
        let first = first.map_err(|_| format!("it was not ready within {} s", READY_WITHIN.as_secs()))?;
        let first = first.map_err(|error| error.to_string())?.ok_or("it ended before it was ready")?;
        let ready = match Said::read(&first).map_err(|why| wrong(&first, &why))? {
            Said::Ready { can, version } => (can, version),
            _ => return Err(wrong(&first, "the first thing to say is `ready`")),
        };
        self.process += 1;
        let (device, process, inputs) = (self.number, self.process, self.inputs.clone());
        let reading = tokio::task::spawn_local(async move {
            loop {
                let what = match lines.next_line().await {
                    Ok(Some(line)) => match Said::read(&line) {
                        Ok(Said::Ready { .. }) => Spoken::Wrong(wrong(&line, "it was ready already")),
                        Ok(said) => Spoken::Said(said),
                        Err(why) => Spoken::Wrong(wrong(&line, &why)),
                    },
                    Ok(None) | Err(_) => Spoken::End,
                };
                let is_last = !matches!(what, Spoken::Said(_));
                if inputs.send(Input { device, process, at: Instant::now(), what }).is_err() || is_last {
                    return;
                }
            }
        });
        self.running = Some(Running {
            group,
            input,
            _reading: Reading(reading.abort_handle()),
            is_suspended: false,
            status: "LOGOUT",
            user: None,
            open: BTreeMap::new(),
            own: BTreeSet::new(),
            says_called: ready.0.has(Capability::Called),
            asked: BTreeMap::new(),
        });
        Ok(ready)
    }

    /// Takes in what its process said, and writes it down.
    pub(super) fn hear(&mut self, input: Input, record: &mut Record) -> Heard {
        record.heard(Some(input.at));
        let heard = self.heard(input, record);
        record.heard(None);
        heard
    }

    fn heard(&mut self, input: Input, record: &mut Record) -> Heard {
        let (name, is_of_now) = (&self.name, input.process == self.process);
        let Some(running) = self.running.as_mut().filter(|_| is_of_now) else { return Heard::Nothing };
        let said = match input.what {
            Spoken::Said(said) => said,
            Spoken::Wrong(what) => return Heard::Wrong(what),
            Spoken::End => return Heard::Wrong("its process ended by itself".to_owned()),
        };
        match said {
            Said::Ready { .. } => {}
            Said::Called { call } if running.own.contains(&call) => {}
            Said::Called { call } => match running.asked.remove(&call) {
                Some(request) => record.called(name, self.platform, call, &request),
                None => return Heard::Wrong(format!("it took call {call}, which there is not, or a second time")),
            },
            Said::Answered { call, .. } if running.asked.contains_key(&call) => {
                return Heard::Wrong(format!("it answered call {call} before it said that it took it"));
            }
            Said::Answered { call, .. } if running.own.remove(&call) => {}
            Said::Answered { call, outcome, mut brings } => {
                let Some(id) = running.open.remove(&call) else {
                    return Heard::Wrong(format!("it answered call {call}, which there is not, or not any more"));
                };
                // Where the system has no name of its own for a message, it is its sender's.
                brings.message = brings.message.or(id.map(Value::String));
                self.wants_to_watch |= outcome != Outcome::Ok;
                record.answered(name, call, outcome, brings);
            }
            Said::Status { status, login_user } => {
                self.wants_to_watch |= status != running.status && status != "LOGINING";
                (running.status, running.user) = (status, login_user.clone());
                record.status(name, status, login_user.as_deref());
            }
            Said::Told(told) => {
                record.told(name, running.user.as_deref(), &told);
                return self.due(&told).map_or(Heard::Nothing, Heard::Due);
            }
            Said::Presence { user, presence } => record.presence(name, &user, presence),
        }
        Heard::Nothing
    }

    /// What the application calls when it is told this.
    fn due(&mut self, told: &Told) -> Option<Call> {
        let event = match told {
            Told::Connecting => ListenerEvent::Connecting,
            Told::ConnectSuccess => ListenerEvent::ConnectSuccess,
            Told::ConnectFailed { .. } => ListenerEvent::ConnectFailed,
            Told::KickedOffline { .. } => ListenerEvent::KickedOffline,
            Told::UserSigExpired => ListenerEvent::UserSigExpired,
            Told::Message { .. } => ListenerEvent::Message,
            Told::MessagesDropped => ListenerEvent::MessagesDropped,
        };
        let place = self.armed.iter().position(|(armed, _)| *armed == event)?;
        self.armed.remove(place).map(|(_, call)| call)
    }

    pub(super) async fn ask(&mut self, call: u32, request: Request, record: &mut Record) {
        let Some(running) = &mut self.running else { return };
        let number = u64::from(call);
        match &request {
            Request::Watch { .. } => drop(running.own.insert(number)),
            request => {
                let id = if let Request::Send { id, .. } = request { Some(id.clone()) } else { None };
                running.open.insert(number, id);
                if running.says_called {
                    running.asked.insert(number, request.clone());
                } else {
                    record.called(&self.name, self.platform, number, request);
                }
            }
        }
        // One that has ended says so by what there is to read.
        let _ = write(&mut running.input, &Ask::Call { call, what: request }).await;
    }

    pub(super) async fn note(&mut self, note: Note) {
        if let Some(running) = &mut self.running {
            let _ = write(&mut running.input, &Ask::Note { note }).await;
        }
    }

    /// Its process dies. Whether there was one.
    pub(super) async fn kill(&mut self, record: &mut Record) -> bool {
        self.was_up = None;
        self.armed.clear();
        match self.running.take() {
            Some(Running { group, asked, .. }) => {
                // It may have taken them, and died before it could say so.
                for (call, request) in asked {
                    record.called(&self.name, self.platform, call, &request);
                }
                group.kill().await;
                true
            }
            None => false,
        }
    }

    /// Freezes it. Whether it was not frozen.
    pub(super) fn suspend(&mut self) -> bool {
        match &mut self.running {
            Some(running) if !running.is_suspended => {
                running.is_suspended = true;
                running.group.suspend();
                true
            }
            _ => false,
        }
    }

    pub(super) async fn wake(&mut self) {
        if let Some(running) = &mut self.running {
            running.is_suspended = false;
            running.group.wake();
            let _ = write(&mut running.input, &Ask::Note { note: Note::Woken }).await;
        }
    }

    /// Its directory is emptied.
    pub(super) fn wipe(&self) -> io::Result<()> {
        fs::remove_dir_all(&self.dir)?;
        fs::create_dir_all(&self.dir)
    }

    /// Its directory becomes a copy of another's.
    pub(super) fn copy(&self, from: &Path) -> io::Result<()> {
        self.wipe()?;
        copy(from, &self.dir)
    }

    /// It is told to stop, and killed if it does not.
    pub(super) async fn stop(mut self) {
        let Some(mut running) = self.running.take() else { return };
        let _ = write(&mut running.input, &Ask::Stop { stop: 1 }).await;
        let _ = timeout(STOP_WITHIN, running.group.ended()).await;
    }

    pub(super) fn next_id(&mut self) -> String {
        self.sent += 1;
        format!("{}-{}", self.name, self.sent)
    }

    /// The ticket that a call of login brings.
    pub(super) fn ticket(&mut self, scenario: &Scenario, begun: WallTime, user: &str, call: &Call) -> Ticket {
        let ticket = match call {
            Call::Login { ticket: TicketChoice::Last, .. } => self.last_ticket.clone(),
            Call::Login { ticket: TicketChoice::Named(name), .. } => {
                Some(planned(scenario, begun, &scenario.tickets[name]))
            }
            Call::Login { ticket: TicketChoice::Fresh { ttl }, .. } => {
                Some(fresh(scenario, user, ttl.map(|ttl| ttl.as_secs())))
            }
            _ => None,
        };
        let ticket = ticket.unwrap_or_else(|| Ticket { text: String::new(), issued: wall().seconds(), ttl: 0 });
        self.last_ticket = Some(ticket.clone());
        ticket
    }
}

/// A ticket that is issued now.
pub(super) fn fresh(scenario: &Scenario, user: &str, ttl: Option<u64>) -> Ticket {
    let ttl = ttl.map_or(scenario.app.ticket_ttl, std::time::Duration::from_secs);
    let user: UserId = user.parse().unwrap_or_else(|_| NOBODY.parse().expect("a valid user id"));
    planned(scenario, wall(), &TicketPlan { user, issued: Offset(0), ttl, forge: None })
}

/// A ticket as a plan has it, of a script whose 0 s is this instant.
fn planned(scenario: &Scenario, begun: WallTime, plan: &TicketPlan) -> Ticket {
    let mut app = scenario.app.clone();
    app.start = begun;
    let text = tickets::planned(&app, plan).as_str().to_owned();
    Ticket { text, issued: tickets::issued_at(&app, plan), ttl: plan.ttl.as_secs() }
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            fs::create_dir_all(&to)?;
            copy(&entry.path(), &to)?;
        } else {
            fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}

async fn write(input: &mut ChildStdin, ask: &Ask) -> io::Result<()> {
    input.write_all(format!("{}\n", ask.line()).as_bytes()).await?;
    input.flush().await
}

fn wrong(line: &str, why: &str) -> String {
    let shown: String = line.chars().take(200).collect();
    format!("it said what the protocol does not have: {why}\n  {shown}")
}

/// What a wall clock says.
#[expect(clippy::disallowed_methods, reason = "tickets of real systems are issued by real clocks")]
pub(super) fn wall() -> WallTime {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    WallTime::from_seconds(since.as_secs())
}
