//! The server under test: a process in a directory of its own, on ports of its own.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use super::process::{Ending, Group, Output, Warden};
use super::subject::{Ready, Subject};

/// Where servers listen: below the ports that systems give to connections.
const PORTS: std::ops::Range<u16> = 20_000..30_000;

/// How often it is looked whether a server serves.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// How much of a log is told.
const LINES_TOLD: usize = 12;

/// What stands in the place of the words in braces.
#[derive(Clone, Debug)]
pub(super) struct Fill {
    dir: PathBuf,
    here: PathBuf,
    bin: PathBuf,
    ports: Rc<[Port; 3]>,
}

/// A port that nobody else of us has: the same one of UDP is held for as long, which another drive finds taken, and which
/// the system gives back whatever becomes of this process.
#[derive(Debug)]
struct Port(u16, #[expect(dead_code, reason = "it is held")] UdpSocket);

impl Fill {
    pub(super) fn new(dir: &Path, here: &Path, bin: &Path) -> io::Result<Fill> {
        let here = if here.as_os_str().is_empty() { Path::new(".") } else { here };
        Ok(Fill {
            dir: dir.to_path_buf(),
            here: fs::canonicalize(here)?,
            bin: bin.to_path_buf(),
            ports: Rc::new([Port::find()?, Port::find()?, Port::find()?]),
        })
    }

    pub(super) fn port(&self) -> u16 {
        self.ports[0].0
    }

    fn text(&self, text: &str) -> String {
        let [first, second, third] = [0, 1, 2].map(|nth: usize| self.ports[nth].0.to_string());
        text.replace("{dir}", &self.dir.display().to_string())
            .replace("{here}", &self.here.display().to_string())
            .replace("{bin}", &self.bin.display().to_string())
            .replace("{host}", "127.0.0.1")
            .replace("{port}", &first)
            .replace("{port2}", &second)
            .replace("{port3}", &third)
    }

    pub(super) fn words(&self, words: &[String]) -> Vec<String> {
        words.iter().map(|word| self.text(word)).collect()
    }
}

impl Port {
    /// One that nobody listens at. Another run of this process does not get the same.
    fn find() -> io::Result<Port> {
        static NEXT: AtomicU16 = AtomicU16::new(0);
        let first = u16::try_from(std::process::id() % u32::from(PORTS.end - PORTS.start)).unwrap_or(0);
        for _ in PORTS {
            let next = NEXT.fetch_add(1, Ordering::Relaxed);
            let port = PORTS.start + first.wrapping_add(next) % (PORTS.end - PORTS.start);
            if let (Ok(held), Ok(_)) =
                (UdpSocket::bind((Ipv4Addr::LOCALHOST, port)), TcpListener::bind((Ipv4Addr::LOCALHOST, port)))
            {
                return Ok(Port(port, held));
            }
        }
        Err(io::Error::other(format!("none of the ports {} to {} is free", PORTS.start, PORTS.end - 1)))
    }
}

/// Why a server does not serve.
#[derive(Debug, thiserror::Error)]
pub(super) enum StartError {
    #[error("cannot start `{0}`: {1}")]
    Spawn(String, io::Error),
    #[error("{0}: {1}")]
    File(String, io::Error),
    #[error("the server ended {ending} before it served{log}")]
    Ended { ending: Ending, log: String },
    #[error("the server did not serve within {} ms{log}", within.as_millis())]
    Late { within: Duration, log: String },
}

/// A server, alive or dead, and what outlives its processes.
pub(super) struct Server<'s> {
    subject: &'s Subject,
    fill: Fill,
    warden: Warden,
    group: Option<Group>,
}

impl<'s> Server<'s> {
    /// One that has not been started. Writes its files.
    pub(super) fn new(subject: &'s Subject, fill: Fill, warden: Warden) -> Result<Self, StartError> {
        for name in &templates(subject, &fill) {
            let (from, to) = (fill.here.join(name), fill.dir.join(Path::new(name).file_name().unwrap_or_default()));
            let wrong = |error| StartError::File(from.display().to_string(), error);
            let text = fs::read_to_string(&from).map_err(wrong)?;
            fs::write(&to, fill.text(&text)).map_err(wrong)?;
        }
        Ok(Server { subject, fill, warden, group: None })
    }

    pub(super) fn is_up(&self) -> bool {
        self.group.is_some()
    }

    pub(super) fn log_path(&self) -> PathBuf {
        self.fill.dir.join("server.log")
    }

    fn log(&self) -> io::Result<File> {
        OpenOptions::new().create(true).append(true).open(self.log_path())
    }

    /// The end of what it wrote, to be told behind a sentence.
    pub(super) fn last_words(&self) -> String {
        let text = fs::read(self.log_path()).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        let last = &lines[lines.len().saturating_sub(LINES_TOLD)..];
        if last.is_empty() { String::new() } else { format!("; its last words:\n  {}", last.join("\n  ")) }
    }

    /// Starts it, and waits until it serves.
    pub(super) async fn start(&mut self) -> Result<(), StartError> {
        let words = self.fill.words(&self.subject.start);
        let spawn = |error| StartError::Spawn(words.join(" "), error);
        let log = self.log().map_err(|error| StartError::File(self.log_path().display().to_string(), error))?;
        let written = log.metadata().map_or(0, |log| log.len());
        let group = Group::start(&words, &self.fill.dir, Output::Log(log), &self.warden).map_err(spawn)?;
        let group = self.group.insert(group);
        let served = Server::serves(self.subject, &self.fill, &self.warden, written);
        let within = self.subject.ready_within;
        let ended = tokio::select! {
            biased;
            ended = group.ended() => ended.ok(),
            served = timeout(within, served) => match served {
                Ok(()) => return Ok(()),
                Err(_) => None,
            },
        };
        self.group = None;
        let log = self.last_words();
        Err(ended.map_or(StartError::Late { within, log: log.clone() }, |ending| StartError::Ended { ending, log }))
    }

    /// Ends as soon as it serves: what it wrote before this start, so many bytes, says nothing.
    async fn serves(subject: &Subject, fill: &Fill, warden: &Warden, written: u64) {
        loop {
            let serves = match &subject.ready {
                Ready::Tcp => TcpStream::connect((Ipv4Addr::LOCALHOST, fill.port())).await.is_ok(),
                Ready::Line(line) => {
                    let text = fs::read(fill.dir.join("server.log")).unwrap_or_default();
                    let new = text.get(usize::try_from(written).unwrap_or(usize::MAX)..).unwrap_or_default();
                    String::from_utf8_lossy(new).contains(line.as_str())
                }
                Ready::Command(words) => {
                    run(&fill.words(words), &fill.dir, warden).await.is_ok_and(|ending| ending.0.success())
                }
            };
            if serves {
                return;
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// The server's process dies.
    pub(super) async fn crash(&mut self) {
        if let Some(group) = self.group.take() {
            group.kill().await;
        }
    }

    pub(super) fn suspend(&self) {
        self.group.iter().for_each(Group::suspend);
    }

    pub(super) fn wake(&self) {
        self.group.iter().for_each(Group::wake);
    }

    /// Waits until it ends by itself, for ever while there is none.
    pub(super) async fn ended(&mut self) -> Option<Ending> {
        match &mut self.group {
            Some(group) => {
                let ended = group.ended().await.ok();
                self.group = None;
                ended
            }
            None => std::future::pending().await,
        }
    }

    /// The run is over: the subject's own way to stop, then whatever is left is killed.
    pub(super) async fn stop(mut self) {
        if !self.subject.stop.is_empty() && self.is_up() {
            let words = self.fill.words(&self.subject.stop);
            let _ = timeout(Duration::from_secs(5), run(&words, &self.fill.dir, &self.warden)).await;
        }
        self.crash().await;
    }
}

/// The files beside the subject that go to the server's directory: those that are named, or else those that its command looks
/// for there.
fn templates(subject: &Subject, fill: &Fill) -> Vec<String> {
    let looked_for = || {
        let named = subject.start.iter().filter_map(|word| word.split_once("{dir}/").map(|(_, name)| name.to_owned()));
        named.filter(|name| fill.here.join(name).is_file()).collect()
    };
    subject.templates.clone().unwrap_or_else(looked_for)
}

/// Runs a command to its end, without its output.
async fn run(words: &[String], dir: &Path, warden: &Warden) -> io::Result<Ending> {
    let log = OpenOptions::new().create(true).append(true).open(dir.join("commands.log"))?;
    Group::start(words, dir, Output::Log(log), warden)?.ended().await
}

/// Since when a run goes on.
#[derive(Clone, Copy)]
pub(super) struct Start(Instant);

impl Start {
    pub(super) fn now() -> Start {
        Start(Instant::now())
    }

    pub(super) fn micros(self) -> u64 {
        self.micros_at(Instant::now())
    }

    pub(super) fn micros_at(self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.0).as_micros()).unwrap_or(u64::MAX)
    }

    pub(super) fn at(self, span: Duration) -> Instant {
        self.0 + span
    }
}
