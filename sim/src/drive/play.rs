//! One scenario, played: its steps at their times, everything that is said meanwhile written down, and what comes of it judged.
//!
//! ```text
//! the script ──▶ everything is mended ──▶ rest ──▶ whoever is logged in sends itself a message ──▶ the history ends
//! ```

use std::cell::Cell;
use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use gatecrash::time::WallTime;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep_until, timeout};

use super::adapter::{Can, Capability, Note, Request};
use super::device::{Device, Heard, Input, fresh, wall};
use super::plan::Plan;
use super::process::Warden;
use super::proxy::{Proxy, Way};
use super::record::{Record, head};
use super::server::{Fill, Server, Start};
use super::subject::Subject;
use crate::generate::draw::Draw;
use crate::judge::{Judgement, Source, judge_sources};
use crate::scenario::{Action, Call, Direction, Fault, Scenario, SiteName, Span};

/// Where runs keep their files, and who looks after their processes.
#[derive(Clone)]
pub struct Place {
    /// A directory; each run has one of its own below it.
    pub root: PathBuf,
    /// Where programs of our own are, which commands call `{bin}`.
    pub bin: PathBuf,
    /// Kills what is left when nobody else can.
    pub warden: Warden,
}

/// Why there is no history to judge.
#[derive(Clone, Debug, thiserror::Error)]
pub enum PlayError {
    /// The server did not start.
    #[error("{0}")]
    Server(String),
    /// The adapter is none, or no good one.
    #[error("the adapter of {device}: {what}")]
    Adapter {
        /// Whose.
        device: String,
        /// What it did, and its last words.
        what: String,
    },
    /// A file, or the machine.
    #[error("{0}")]
    Machine(String),
    /// The machine was so busy that nobody knows when something was said: for so many milliseconds.
    #[error("the machine was too busy: what was said may have been heard {0} ms later")]
    Busy(u128),
}

/// A scenario that was played.
#[derive(Clone, Debug)]
pub struct Played {
    /// Its history: JSON Lines.
    pub history: String,
    /// What the history says of what is claimed.
    pub judgement: Judgement,
    /// Why steps were not played, once for each.
    pub left_out: Vec<&'static str>,
    /// How the server's process ended by itself, if it did, and its last words.
    pub died: Option<String>,
    /// What the adapter calls itself.
    pub version: String,
    /// How many lines the history has, but for the first.
    pub events: u64,
    /// How many of them tell what happened until everything had come to rest; the others are of a last look.
    pub rested: u64,
}

/// How often whoever watches tries again to log in.
const WATCH_AGAIN: Duration = Duration::from_millis(300);

/// By how much what is heard may be heard late.
const LATE_MAX: Duration = Duration::from_millis(500);

/// How often it is looked whether anything would be.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// How long what follows a last answer may take.
const LAST_WORDS: Duration = Duration::from_millis(250);

/// The longest that a run may take beside its script and its rest.
const SLACK: Duration = Duration::from_secs(60);

/// Who watches presence from the start, and who comes late; as devices and as users.
const WATCHERS: [&str; 2] = ["observer", "late-observer"];

/// Plays a scenario on a system, in a directory of its own. Has to be called within a `LocalSet`.
///
/// # Errors
///
/// [`PlayError`], when there is nothing to judge.
pub(super) async fn play(
    subject: &Subject,
    can: &Can,
    scenario: &Scenario,
    place: &Place,
    dir: &Path,
) -> Result<Played, PlayError> {
    let machine = |error: std::io::Error| PlayError::Machine(format!("{}: {error}", dir.display()));
    let _ = fs::remove_dir_all(dir);
    let server_dir = dir.join("server");
    fs::create_dir_all(&server_dir).map_err(machine)?;
    // Whoever starts there has another directory to begin with.
    let server_dir = fs::canonicalize(&server_dir).map_err(machine)?;
    let fill = Fill::new(&server_dir, &subject.here, &place.bin).map_err(machine)?;
    let mut server = Server::new(subject, fill.clone(), place.warden.clone())
        .map_err(|error| PlayError::Server(error.to_string()))?;
    let most = scenario.until + subject.settle * 3 + SLACK;
    let playing = async {
        server.start().await.map_err(|error| PlayError::Server(error.to_string()))?;
        let mut stage = Stage::new(subject, can, scenario, place, dir, fill, server).await?;
        let lateness = Lateness::watched();
        stage.perform(scenario).await?;
        let late = lateness.longest();
        if late > LATE_MAX {
            return Err(PlayError::Busy(late.as_millis()));
        }
        stage.end().await
    };
    let too_long = || PlayError::Machine(format!("the run took longer than {} s", most.as_secs()));
    timeout(most, playing).await.map_err(|_| too_long())?
}

/// Everybody who plays, and everything they play on.
struct Stage<'s> {
    subject: &'s Subject,
    can: &'s Can,
    scenario: &'s Scenario,
    server: Server<'s>,
    is_suspended: bool,
    devices: Vec<Device>,
    record: Record,
    start: Start,
    inputs: mpsc::UnboundedReceiver<Input>,
    /// Held so that there is always somebody who might say something.
    _says: mpsc::UnboundedSender<Input>,
    calls: u32,
    left_out: Vec<&'static str>,
    died: Option<String>,
    version: String,
    /// What a wall clock said as the script began, and how many lines there were when everything had come to rest.
    begun: WallTime,
    rested: u64,
    /// What is to happen next, at which instant of the run.
    acts: VecDeque<(Duration, Act)>,
    watched: Vec<String>,
}

/// Something that is to happen.
#[derive(Clone, Debug)]
enum Act {
    Step(Action),
    StartServer,
    Watch(usize),
}

impl<'s> Stage<'s> {
    async fn new(
        subject: &'s Subject,
        can: &'s Can,
        scenario: &'s Scenario,
        place: &Place,
        dir: &Path,
        fill: Fill,
        server: Server<'s>,
    ) -> Result<Self, PlayError> {
        let Plan { steps, left_out } = Plan::of(scenario, can);
        let (sender, inputs) = mpsc::unbounded_channel();
        let adapter = fill.words(&subject.adapter);
        let plain = Way::new(Span::exactly(Duration::ZERO), None);
        let mut devices = Vec::new();
        let watchers = WATCHERS.into_iter().filter(|_| can.has(Capability::Watch));
        let plans = scenario.devices.iter().map(|(name, plan)| {
            let site = &scenario.sites[&plan.site];
            (name.as_str(), plan.platform.word(), Some(plan.site.clone()), Way::new(site.latency, site.forgets_idle))
        });
        for (name, platform, site, way) in plans.chain(watchers.map(|name| (name, "web", None, plain))) {
            let draw = Draw::new(scenario.seed, name, "drive");
            let proxy = Proxy::start(fill.port(), way, draw).await;
            let proxy = proxy.map_err(|error| PlayError::Machine(format!("a proxy for {name}: {error}")))?;
            let number = devices.len();
            let dir = dir.join(name);
            let made = Device::new(
                number,
                name,
                platform,
                site,
                dir,
                proxy,
                adapter.clone(),
                place.warden.clone(),
                sender.clone(),
            );
            devices.push(made.map_err(|error| PlayError::Machine(format!("{name}: {error}")))?);
        }
        let acts = steps.into_iter().map(|step| (step.at, Act::Step(step.action))).collect();
        let start = Start::now();
        let record = Record::new(start);
        Ok(Stage {
            subject,
            can,
            scenario,
            server,
            is_suspended: false,
            devices,
            record,
            start,
            inputs,
            _says: sender,
            calls: 0,
            left_out,
            died: None,
            version: String::new(),
            begun: wall(),
            rested: 0,
            acts,
            watched: users(scenario),
        })
    }

    /// How many devices the scenario has; whoever watches comes behind them.
    fn of_scenario(&self) -> usize {
        self.scenario.devices.len()
    }

    /// The script, the mending, the rest, and the last look.
    async fn perform(&mut self, scenario: &Scenario) -> Result<(), PlayError> {
        for number in 0..self.devices.len() {
            let is_late = self.devices[number].name == WATCHERS[1];
            if !is_late {
                self.spawn(number).await?;
            }
        }
        // The script begins when everybody is there.
        let begun = Duration::from_micros(self.start.micros());
        self.acts.iter_mut().for_each(|(at, _)| *at += begun);
        self.begun = wall();
        if self.devices.len() > self.of_scenario() {
            self.acts.push_front((begun, Act::Watch(self.of_scenario())));
        }
        self.until(begun + scenario.until).await?;
        self.mend().await?;
        let mended = Duration::from_micros(self.start.micros());
        self.until(mended + self.subject.settle).await?;
        self.rested = self.record.events();
        self.look_once_more().await
    }

    /// Goes on until this instant of the run: acts that are due, and whatever is said.
    async fn until(&mut self, end: Duration) -> Result<(), PlayError> {
        loop {
            let due = self.acts.front().map_or(end, |(at, _)| (*at).min(end));
            tokio::select! {
                biased;
                input = self.inputs.recv() => {
                    let input = input.expect("the stage holds a sender");
                    self.hear(input).await?;
                }
                ended = self.server.ended() => self.server_died(ended.map(|ending| ending.to_string())),
                () = sleep_until(self.start.at(due)) => {
                    match self.acts.front() {
                        Some((at, _)) if *at <= end => {
                            if let Some((_, act)) = self.acts.pop_front() {
                                self.act(act).await?;
                            }
                        }
                        _ => return Ok(()),
                    }
                }
            }
        }
    }

    fn server_died(&mut self, how: Option<String>) {
        let how = how.unwrap_or_else(|| "somehow".to_owned());
        let words = self.server.last_words();
        self.died.get_or_insert(format!("the server's process ended by itself, {how}{words}"));
        self.links();
    }

    fn later(&mut self, after: Duration, act: Act) {
        let at = Duration::from_micros(self.start.micros()) + after;
        let place = self.acts.partition_point(|(other, _)| *other <= at);
        self.acts.insert(place, (at, act));
    }

    async fn act(&mut self, act: Act) -> Result<(), PlayError> {
        match act {
            Act::Step(Action::Call { device, call }) => {
                let number = self.find(device.as_str());
                self.call(number, &call).await;
            }
            Act::Step(Action::On { device, event, call }) => {
                let number = self.find(device.as_str());
                self.devices[number].armed.push_back((event, call));
            }
            Act::Step(Action::Fault(fault)) => self.fault(&fault).await?,
            Act::Step(Action::Raw { .. } | Action::App(_)) => unreachable!("the plan leaves them out"),
            Act::StartServer => self.start_server().await?,
            Act::Watch(number) => self.watch(number).await,
        }
        Ok(())
    }

    fn find(&self, name: &str) -> usize {
        self.devices.iter().position(|device| device.name == name).expect("a scenario names devices that it has")
    }

    async fn spawn(&mut self, number: usize) -> Result<(), PlayError> {
        let ready = self.devices[number].start().await.map_err(|what| self.adapter_failed(number, what))?;
        let name = self.devices[number].name.clone();
        if self.version.is_empty() {
            self.version = ready.1;
        }
        self.record.process(&name, "up");
        self.devices[number].was_up = None;
        self.links();
        Ok(())
    }

    fn adapter_failed(&self, number: usize, what: String) -> PlayError {
        let device = &self.devices[number];
        PlayError::Adapter { device: device.name.clone(), what: format!("{what}{}", device.last_words()) }
    }

    /// Writes down for whom the way to the server is another one than it was.
    fn links(&mut self) {
        let serves = self.server.is_up() && !self.is_suspended;
        for device in self.devices.iter_mut().filter(|device| device.is_up()) {
            let is_up = serves && device.proxy.way().is_well();
            if device.was_up != Some(is_up) {
                device.was_up = Some(is_up);
                self.record.link(&device.name, is_up);
            }
        }
    }

    async fn hear(&mut self, input: Input) -> Result<(), PlayError> {
        let number = input.device;
        let heard = self.devices[number].hear(input, &mut self.record);
        match heard {
            Heard::Nothing => {}
            Heard::Wrong(what) => return Err(self.adapter_failed(number, what)),
            Heard::Due(call) => self.call(number, &call).await,
        }
        if number >= self.of_scenario() && self.devices[number].wants_to_watch {
            self.devices[number].wants_to_watch = false;
            self.later(WATCH_AGAIN, Act::Watch(number));
        }
        Ok(())
    }

    async fn call(&mut self, number: usize, call: &Call) {
        let device = &self.devices[number];
        if !device.is_up() {
            self.left_out.push("the device's process was dead");
            return;
        }
        let request = match call {
            Call::Login { user, .. } => {
                let why = match device.user() {
                    Some(now) if now == user => (Capability::Renew, "the adapter cannot log in who is logged in"),
                    Some(_) => (Capability::Switch, "the adapter cannot log in somebody else than who is logged in"),
                    None => (Capability::Login, ""),
                };
                if !self.can.has(why.0) {
                    self.left_out.push(why.1);
                    return;
                }
                Request::Login {
                    user: user.clone(),
                    ticket: self.devices[number].ticket(self.scenario, self.begun, user, call),
                }
            }
            Call::Logout => Request::Logout,
            Call::Send { to, text, id } => {
                let id = id.map_or_else(|| self.devices[number].next_id(), |id| format!("again-{id}"));
                Request::Send { to: to.clone(), text: crate::world::text(text), id }
            }
            Call::Conversations => Request::Conversations,
            Call::NetworkChanged => {
                self.devices[number].note(Note::NetworkChanged).await;
                return;
            }
            Call::Init | Call::Uninit | Call::Kick { .. } | Call::Query { .. } => {
                unreachable!("the plan leaves them out")
            }
        };
        self.ask(number, request).await;
    }

    async fn ask(&mut self, number: usize, request: Request) {
        self.calls += 1;
        self.devices[number].ask(self.calls, request, &mut self.record).await;
    }

    /// Whoever watches logs in and watches, again and again until it does.
    async fn watch(&mut self, number: usize) {
        let user = self.devices[number].name.clone();
        if !self.devices[number].is_up() {
            return;
        }
        match self.devices[number].user() {
            Some(_) => {
                let users = self.watched.clone();
                self.ask(number, Request::Watch { users }).await;
            }
            None if !self.devices[number].is_waiting() => {
                let ticket = fresh(self.scenario, &user, None);
                self.ask(number, Request::Login { user, ticket }).await;
            }
            None => {}
        }
    }

    async fn start_server(&mut self) -> Result<(), PlayError> {
        if !self.server.is_up() {
            self.server.start().await.map_err(|error| PlayError::Server(error.to_string()))?;
            self.links();
        }
        Ok(())
    }

    async fn fault(&mut self, fault: &Fault) -> Result<(), PlayError> {
        match fault {
            Fault::Partition { site, direction } => self.ways(site, |way| match direction {
                Direction::Outbound => way.outbound = false,
                Direction::Inbound => way.inbound = false,
                Direction::Both => (way.outbound, way.inbound) = (false, false),
            }),
            Fault::Repair { site } => {
                self.ways(site, |way| (way.outbound, way.inbound, way.is_portal) = (true, true, false));
            }
            Fault::Hold { site } => self.ways(site, |way| way.is_held = true),
            Fault::Release { site } => self.ways(site, |way| way.is_held = false),
            Fault::Latency { site, latency } => self.ways(site, |way| way.latency = *latency),
            Fault::Portal { site } => self.ways(site, |way| way.is_portal = true),
            Fault::CrashServer => self.crash_server().await,
            Fault::BounceServer { after } => {
                self.crash_server().await;
                self.later(*after, Act::StartServer);
            }
            Fault::StartServer => self.start_server().await?,
            Fault::SuspendServer => {
                if self.server.is_up() {
                    self.is_suspended = true;
                    self.links();
                    self.server.suspend();
                }
            }
            Fault::WakeServer => {
                self.server.wake();
                self.is_suspended = false;
            }
            Fault::Reset { device } => self.devices[self.find(device.as_str())].proxy.reset(),
            Fault::Kill { device } => {
                let number = self.find(device.as_str());
                if self.devices[number].kill(&mut self.record).await {
                    self.record.process(device.as_str(), "dead");
                }
            }
            Fault::Start { device } => {
                let number = self.find(device.as_str());
                if !self.devices[number].is_up() {
                    self.spawn(number).await?;
                }
            }
            Fault::Suspend { device } => {
                let number = self.find(device.as_str());
                if self.devices[number].suspend() {
                    self.record.process(device.as_str(), "suspended");
                }
            }
            Fault::Wake { device } => {
                let number = self.find(device.as_str());
                if self.devices[number].is_suspended() {
                    self.record.process(device.as_str(), "woken");
                    self.devices[number].wake().await;
                }
            }
            Fault::Move { device, site } => {
                let (number, place) = (self.find(device.as_str()), self.scenario.sites[site].clone());
                let of_site = self.site(site).unwrap_or_else(|| Way::new(place.latency, place.forgets_idle));
                let device = &mut self.devices[number];
                if device.site.as_ref() != Some(site) {
                    device.site = Some(site.clone());
                    device.proxy.abandon();
                    device.proxy.change(|way| *way = of_site);
                }
            }
            Fault::Wipe { device } => {
                let number = self.find(device.as_str());
                self.devices[number].wipe().map_err(|error| PlayError::Machine(error.to_string()))?;
                self.record.new_device(device.as_str());
            }
            Fault::Clone { device, onto } => {
                let (from, to) = (self.find(device.as_str()), self.find(onto.as_str()));
                let from = self.devices[from].dir.clone();
                self.devices[to].copy(&from).map_err(|error| PlayError::Machine(error.to_string()))?;
                self.record.known_as(onto.as_str(), device.as_str());
            }
            // One that the packet world of other systems has, and real processes have not, or not yet.
            _ => self.left_out.push("real processes have no such fault"),
        }
        self.links();
        Ok(())
    }

    async fn crash_server(&mut self) {
        self.server.crash().await;
        self.is_suspended = false;
        self.links();
    }

    fn ways(&mut self, site: &SiteName, change: impl Fn(&mut Way)) {
        for device in self.devices.iter().filter(|device| device.site.as_ref() == Some(site)) {
            device.proxy.change(&change);
        }
    }

    /// How the way of a site is, where somebody is there.
    fn site(&self, site: &SiteName) -> Option<Way> {
        self.devices.iter().find(|device| device.site.as_ref() == Some(site)).map(|device| device.proxy.way())
    }

    /// Every fault ends: links, the server, whoever was frozen.
    async fn mend(&mut self) -> Result<(), PlayError> {
        self.acts.retain(|(_, act)| matches!(act, Act::Watch(_)));
        for device in &self.devices {
            device.proxy.change(|way| {
                (way.outbound, way.inbound, way.is_held, way.is_portal) = (true, true, false, false);
            });
        }
        self.server.wake();
        self.is_suspended = false;
        self.start_server().await?;
        for number in 0..self.devices.len() {
            if self.devices[number].is_suspended() {
                let name = self.devices[number].name.clone();
                self.record.process(&name, "woken");
                self.devices[number].wake().await;
            }
        }
        self.links();
        Ok(())
    }

    /// At rest: whoever is logged in sends itself a message, and somebody comes who has seen nothing yet.
    async fn look_once_more(&mut self) -> Result<(), PlayError> {
        let late = self.of_scenario() + 1;
        if late < self.devices.len() {
            self.spawn(late).await?;
            self.watch(late).await;
        }
        for number in 0..self.of_scenario() {
            let device = &mut self.devices[number];
            let Some(user) = device.user().filter(|_| device.is_up()).map(str::to_owned) else { continue };
            if self.can.has(Capability::Send) {
                let id = device.next_id();
                self.ask(number, Request::Send { to: user, text: "is anybody there?".to_owned(), id }).await;
            }
        }
        let end = Duration::from_micros(self.start.micros()) + self.subject.settle;
        loop {
            let now = Duration::from_micros(self.start.micros());
            let is_waiting = self.devices.iter().any(Device::is_waiting);
            self.until((now + LAST_WORDS).min(end)).await?;
            // Nobody waits for anything, and nobody has for a while.
            if !is_waiting || now >= end {
                return Ok(());
            }
        }
    }

    async fn end(self) -> Result<Played, PlayError> {
        let Stage { subject, can, record, devices, server, mut left_out, died, version, rested, .. } = self;
        let events = record.events();
        let history = record.end(&head(&subject.claims, can, &version));
        for device in devices {
            device.stop().await;
        }
        server.stop().await;
        left_out.sort_unstable();
        let judgement = judged(&history, subject).await.map_err(|why| PlayError::Machine(say_why(&why, &history)))?;
        Ok(Played { history, judgement, left_out, died, version, events, rested })
    }
}

/// How late this thread has come to something at the most.
struct Lateness {
    longest: Rc<Cell<Duration>>,
    task: AbortHandle,
}

impl Lateness {
    fn watched() -> Lateness {
        let longest = Rc::new(Cell::new(Duration::ZERO));
        let known = Rc::clone(&longest);
        let watching = async move {
            loop {
                let due = Instant::now() + LOOK_EVERY;
                sleep_until(due).await;
                known.set(known.get().max(due.elapsed()));
            }
        };
        Lateness { longest, task: tokio::task::spawn_local(watching).abort_handle() }
    }

    fn longest(&self) -> Duration {
        self.longest.get()
    }
}

impl Drop for Lateness {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What a history says of what a subject claims. Which order explains it may take a while to find, and other runs go on meanwhile.
async fn judged(history: &str, subject: &Subject) -> Result<Judgement, String> {
    let (history, rules) = (history.to_owned(), subject.claims.rules.clone());
    let judging = move || {
        let source = Source { name: "history.jsonl".to_owned(), text: Box::new(history.as_bytes()) };
        judge_sources(vec![source], &rules, None).map_err(|error| error.to_string())
    };
    #[expect(clippy::disallowed_methods, reason = "real runs are in real time, and nothing of it is simulated")]
    let judgement = tokio::task::spawn_blocking(judging).await.map_err(|error| error.to_string())??;
    match judgement.mistakes.first() {
        Some(mistake) => Err(mistake.to_string()),
        None => Ok(judgement),
    }
}

/// Everybody a scenario speaks of, as far as they can be users.
fn users(scenario: &Scenario) -> Vec<String> {
    let mut users = std::collections::BTreeSet::new();
    for step in &scenario.steps {
        if let Action::Call { call, .. } | Action::On { call, .. } = &step.action {
            match call {
                Call::Login { user, .. } => drop(users.insert(user.clone())),
                Call::Send { to, .. } => drop(users.insert(to.clone())),
                _ => {}
            }
        }
    }
    users.into_iter().collect()
}
/// A history that was written here and cannot be read is a bug, and worth its line.
fn say_why(mistake: &str, history: &str) -> String {
    let line = mistake.split(':').nth(1).and_then(|number| number.parse::<usize>().ok());
    let text = line.and_then(|line| history.lines().nth(line.saturating_sub(1))).unwrap_or_default();
    format!("the history of the run cannot be read: {mistake}\n  {text}")
}
