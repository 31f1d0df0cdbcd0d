//! The event world: the pure cores joined by one queue, time jumping from one event to the next.
//!
//! No async, no bytes, no sockets: frames travel as values. A link delivers after its site's
//! shortest latency, in order; what is lost silences that direction of that connection for ever,
//! as a lost segment does in the packet world.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::mem;
use std::time::Duration;

use gatecrash::client::{self, Client, Installation, Start, Write};
use gatecrash::id::{CallId, Change, ConnectionId, DeviceId, UserId};
use gatecrash::protocol::{ClientFrame, Conversation, FrameError, ServerFrame};
use gatecrash::server::{self, Config, Server};
use gatecrash::store::Records;
use gatecrash::ticket::{OpenedTicket, SecretKey, Ticket, open};
use gatecrash::time::{Instant, Now};

use super::clock::WallClock;
use super::phases::{Phase, Phases};
use super::{WorldError, limits, tickets};
use crate::draw::Draw;
use crate::scenario::{
    Action, AppChange, Call, Clock, Conduct, DeviceName, Direction, Fault, Init, ListenerEvent, Scenario, Span,
    TicketChoice,
};
use crate::trace::{DeviceIndex, Effect, Recorder, SiteIndex};

/// The most events one run takes: a scenario that never comes to rest is an error, not a hang.
const EVENTS_MAX: u64 = 200_000_000;

/// Runs the scenario to its convergence and records what happens.
///
/// # Errors
///
/// [`WorldError`] when the run itself fails, which says nothing about the rules.
pub fn run(scenario: &Scenario, recorder: &Recorder) -> Result<(), WorldError> {
    World::new(scenario, recorder).run()
}

/// What is to happen, in the order of time; at one instant calls come before inputs and inputs
/// before timers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Due {
    at: Instant,
    class: Class,
    sequence: u64,
    what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    Script,
    Input,
    Timer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Step(usize),
    StartServer,
    /// The next thing under way to the server on this connection arrives.
    Upward(usize),
    /// The next thing under way to the device on this connection arrives.
    Downward(usize),
    Committed(Change),
    ServerTimer,
    DeviceTimer(usize),
    Look,
}

struct World<'a> {
    scenario: &'a Scenario,
    recorder: &'a Recorder,
    now: Instant,
    sequence: u64,
    queue: BinaryHeap<Reverse<Due>>,
    server: Machine,
    devices: Vec<Device>,
    sites: Vec<Site>,
    links: Vec<Link>,
    tickets: BTreeMap<Ticket, OpenedTicket>,
    phases: Phases,
}

/// The server's machine: its process, its disk, its clock.
struct Machine {
    core: Option<Server>,
    config: Config,
    keys: Vec<SecretKey>,
    records: Records,
    /// Changes on their way to the disk, and what waits for them.
    writing: VecDeque<gatecrash::store::Commit>,
    committed: Change,
    last_commit_done: Instant,
    held: VecDeque<server::Output>,
    clock: WallClock,
    disk: Draw,
    links: Vec<Option<usize>>,
    wake_at: Option<Instant>,
}

struct Device {
    name: DeviceName,
    index: DeviceIndex,
    site: usize,
    clock: WallClock,
    installation: Option<Installation>,
    caches: BTreeMap<UserId, Vec<Conversation>>,
    starts: u64,
    process: Option<Process>,
    suspended: bool,
}

struct Process {
    core: Client,
    calls: u64,
    last_ticket: Option<Ticket>,
    armed: Vec<(ListenerEvent, Call)>,
    /// What the application is to be told, in order.
    deliveries: VecDeque<client::Output>,
    /// What waits while the device is frozen: calls first, then inputs.
    frozen_calls: VecDeque<Call>,
    frozen_inputs: VecDeque<client::Input>,
    wake_at: Option<Instant>,
}

struct Site {
    index: SiteIndex,
    latency: Duration,
    is_outbound_cut: bool,
    is_inbound_cut: bool,
    is_held: bool,
    /// What a held link keeps: which connection, and whether it goes up.
    kept: Vec<(usize, bool)>,
}

/// One connection: what is under way in each direction, and which ends are open.
struct Link {
    device: usize,
    end: ConnectionId,
    server_end: Option<ConnectionId>,
    upward: VecDeque<Upward>,
    downward: VecDeque<Downward>,
    is_upward_silent: bool,
    is_downward_silent: bool,
    last_upward: Instant,
    last_downward: Instant,
    is_device_end_open: bool,
    is_connected: bool,
    is_stranger: bool,
}

#[derive(Clone, Debug)]
enum Upward {
    Open,
    Frame(ClientFrame<Ticket>),
    Malformed(FrameError),
    Close,
}

#[derive(Clone, Debug)]
enum Downward {
    Frame(ServerFrame),
    Close,
}

impl<'a> World<'a> {
    fn new(scenario: &'a Scenario, recorder: &'a Recorder) -> Self {
        let start = scenario.app.start;
        let site_names: Vec<_> = scenario.sites.keys().collect();
        let devices = scenario.devices.iter().map(|(name, device)| Device {
            name: name.clone(),
            index: recorder.cast(|cast| cast.find_device(name.as_str())).expect("the cast holds every device"),
            site: site_names.iter().position(|&site| *site == device.site).expect("every device's site exists"),
            clock: WallClock::new(start, device.wall_offset),
            installation: None,
            caches: BTreeMap::new(),
            starts: 0,
            process: None,
            suspended: false,
        });
        let sites = scenario.sites.iter().map(|(name, site)| Site {
            index: recorder.cast(|cast| cast.find_site(name.as_str())).expect("the cast holds every site"),
            latency: site.latency.min,
            is_outbound_cut: false,
            is_inbound_cut: false,
            is_held: false,
            kept: Vec::new(),
        });
        World {
            scenario,
            recorder,
            now: Instant::ZERO,
            sequence: 0,
            queue: BinaryHeap::new(),
            server: Machine {
                core: None,
                config: limits::config(scenario),
                keys: tickets::keys(true),
                records: Records::default(),
                writing: VecDeque::new(),
                committed: Change::NONE,
                last_commit_done: Instant::ZERO,
                held: VecDeque::new(),
                clock: WallClock::new(start, crate::scenario::Offset(0)),
                disk: Draw::new(scenario.seed, "server", "disk"),
                links: Vec::new(),
                wake_at: None,
            },
            devices: devices.collect(),
            sites: sites.collect(),
            links: Vec::new(),
            tickets: BTreeMap::new(),
            phases: Phases::new(scenario, recorder),
        }
    }

    fn run(mut self) -> Result<(), WorldError> {
        self.recorder.configured(self.now, &self.server.config);
        self.start_server();
        for device in 0..self.devices.len() {
            self.start_process(device);
        }
        for (index, step) in self.scenario.steps.iter().enumerate() {
            self.push(Instant::ZERO + step.at, Class::Script, What::Step(index));
        }
        self.push(Instant::ZERO + self.scenario.until, Class::Timer, What::Look);
        for _ in 0..EVENTS_MAX {
            let Some(Reverse(due)) = self.queue.pop() else {
                return Err(WorldError::Stuck { at: self.now });
            };
            self.now = due.at;
            match due.what {
                What::Step(index) => {
                    let scenario = self.scenario;
                    self.step(&scenario.steps[index].action);
                }
                What::StartServer => {
                    if self.server.core.is_none() {
                        self.start_server();
                    }
                }
                What::Upward(link) => self.arrive_upward(link),
                What::Downward(link) => self.arrive_downward(link),
                What::Committed(change) => self.committed(change),
                What::ServerTimer => self.server_timer(),
                What::DeviceTimer(device) => self.device_timer(device),
                What::Look => match self.phases.look(self.now) {
                    Phase::Heal { look_at } => {
                        self.heal();
                        self.push(look_at, Class::Timer, What::Look);
                    }
                    Phase::Wait { look_at } => self.push(look_at, Class::Timer, What::Look),
                    Phase::Over => return Ok(()),
                },
            }
        }
        Err(WorldError::Endless { at: self.now })
    }

    fn push(&mut self, at: Instant, class: Class, what: What) {
        self.sequence += 1;
        self.queue.push(Reverse(Due { at, class, sequence: self.sequence, what }));
    }

    fn effect(&self, effect: Effect) {
        self.recorder.effect(self.now, effect);
    }

    fn device(&self, name: &DeviceName) -> usize {
        self.devices.iter().position(|device| device.name == *name).expect("a step's device exists")
    }

    fn site(&self, name: &crate::scenario::SiteName) -> usize {
        self.scenario.sites.keys().position(|site| site == name).expect("a step's site exists")
    }

    // ---- the script ----

    fn step(&mut self, action: &Action) {
        match action {
            Action::Call { device, call } => self.call(self.device(device), call.clone()),
            Action::On { device, event, call } => {
                let device = self.device(device);
                if let Some(process) = &mut self.devices[device].process {
                    process.armed.push((*event, call.clone()));
                }
            }
            Action::Raw { device, conduct } => self.stranger(self.device(device), *conduct),
            Action::Fault(fault) => {
                self.recorder.fault(self.now, fault);
                self.fault(fault);
            }
            Action::App(change) => self.configure(change),
        }
    }

    fn configure(&mut self, change: &AppChange) {
        let config = &mut self.server.config;
        match change {
            AppChange::Policy(_) | AppChange::MaxInstances { .. } => {
                config.seats = change.seats_after(config.seats).expect("the parser refuses seats out of range");
            }
            AppChange::ReconnectKicks(on) => config.reconnect_kicks = *on,
            AppChange::NotifyOfflineKick(on) => config.notify_offline_kick = *on,
            AppChange::Administrators(users) => config.administrators = users.clone(),
            AppChange::DropOldKey => {
                self.server.keys = tickets::keys(false);
                self.tickets.clear();
                self.recorder.old_key_dropped(self.now);
                return;
            }
        }
        let config = config.clone();
        self.recorder.configured(self.now, &config);
        self.server_input(server::Input::Configured(config));
    }

    fn fault(&mut self, fault: &Fault) {
        match fault {
            Fault::Partition { site, direction } => {
                let site = self.site(site);
                let (out, back) = match direction {
                    Direction::Both => (true, true),
                    Direction::Inbound => (false, true),
                    Direction::Outbound => (true, false),
                };
                self.sites[site].is_outbound_cut |= out;
                self.sites[site].is_inbound_cut |= back;
                self.link_effect(site);
            }
            Fault::Repair { site } => {
                let site = self.site(site);
                self.repair(site);
            }
            Fault::Hold { site } => {
                let site = self.site(site);
                self.sites[site].is_held = true;
                self.effect(Effect::LinkHeld { site: self.sites[site].index });
            }
            Fault::Release { site } => {
                let site = self.site(site);
                self.release(site);
            }
            Fault::Latency { site, latency: Span { min, .. } } => {
                let site = self.site(site);
                self.sites[site].latency = *min;
                self.effect(Effect::LatencyChanged { site: self.sites[site].index });
            }
            Fault::CrashServer => self.crash_server(true),
            Fault::PowerLossServer => self.crash_server(false),
            Fault::BounceServer { after } => {
                self.crash_server(true);
                self.push(self.now + *after, Class::Script, What::StartServer);
            }
            Fault::StartServer => {
                if self.server.core.is_some() {
                    self.effect(Effect::Nothing);
                } else {
                    self.start_server();
                }
            }
            Fault::Reset { device } => {
                let device = self.device(device);
                self.reset(device);
            }
            Fault::Kill { device } => {
                let device = self.device(device);
                self.kill(device);
            }
            Fault::Start { device } => {
                let device = self.device(device);
                if self.devices[device].process.is_some() {
                    self.effect(Effect::Nothing);
                } else {
                    self.start_process(device);
                }
            }
            Fault::Suspend { device } => {
                let device = self.device(device);
                if self.devices[device].process.is_none() || self.devices[device].suspended {
                    self.effect(Effect::Nothing);
                } else {
                    self.devices[device].suspended = true;
                    self.effect(Effect::Suspended { device: self.devices[device].index });
                }
            }
            Fault::Wake { device } => {
                let device = self.device(device);
                if self.devices[device].suspended { self.wake(device) } else { self.effect(Effect::Nothing) }
            }
            Fault::Skew { clock, by } => {
                let now = self.now;
                self.clock(clock).skew(now, *by);
                self.clock_moved(clock);
            }
            Fault::Drift { clock, ppm } => {
                let now = self.now;
                self.clock(clock).drift(now, *ppm);
                self.clock_moved(clock);
            }
            Fault::Wipe { device } => {
                let device = self.device(device);
                self.devices[device].installation = None;
                self.devices[device].caches.clear();
                self.effect(Effect::DiskEmpty { device: self.devices[device].index });
            }
        }
    }

    fn clock(&mut self, clock: &Clock) -> &mut WallClock {
        match clock {
            Clock::Server => &mut self.server.clock,
            Clock::Device(name) => {
                let device = self.device(name);
                &mut self.devices[device].clock
            }
        }
    }

    fn clock_moved(&mut self, clock: &Clock) {
        let device = match clock {
            Clock::Server => None,
            Clock::Device(name) => Some(self.devices[self.device(name)].index),
        };
        self.effect(Effect::ClockMoved { device });
        if device.is_none() {
            self.server_input(server::Input::ClockChanged);
        }
    }

    /// Everything is mended once the script is over.
    fn heal(&mut self) {
        if self.server.core.is_none() {
            self.start_server();
        }
        for site in 0..self.sites.len() {
            if self.sites[site].is_held {
                self.release(site);
            }
            if self.sites[site].is_outbound_cut || self.sites[site].is_inbound_cut {
                self.repair(site);
            }
        }
        for device in 0..self.devices.len() {
            if self.devices[device].suspended {
                self.wake(device);
            }
            self.device_input(device, client::Input::NetworkChanged);
        }
    }

    // ---- links ----

    fn link_effect(&self, site: usize) {
        let Site { index, is_outbound_cut, is_inbound_cut, .. } = self.sites[site];
        self.effect(Effect::Link { site: index, outbound: !is_outbound_cut, inbound: !is_inbound_cut });
    }

    fn repair(&mut self, site: usize) {
        self.sites[site].is_outbound_cut = false;
        self.sites[site].is_inbound_cut = false;
        self.link_effect(site);
    }

    fn release(&mut self, site: usize) {
        self.sites[site].is_held = false;
        self.link_effect(site);
        for (link, is_upward) in mem::take(&mut self.sites[site].kept) {
            self.travel(link, is_upward);
        }
    }

    fn send_upward(&mut self, link: usize, message: Upward) {
        let site = &self.sites[self.devices[self.links[link].device].site];
        let (is_cut, is_held) = (site.is_outbound_cut, site.is_held);
        let state = &mut self.links[link];
        if is_cut {
            state.is_upward_silent = true;
        }
        if !state.is_upward_silent {
            state.upward.push_back(message);
            self.travel_or_keep(link, true, is_held);
        }
    }

    fn send_downward(&mut self, link: usize, message: Downward) {
        let site = &self.sites[self.devices[self.links[link].device].site];
        let (is_cut, is_held) = (site.is_inbound_cut, site.is_held);
        let state = &mut self.links[link];
        if is_cut {
            state.is_downward_silent = true;
        }
        if !state.is_downward_silent {
            state.downward.push_back(message);
            self.travel_or_keep(link, false, is_held);
        }
    }

    /// The answer to what comes on a connection the server does not have. It is no part of the
    /// stream, so a silenced one lets it through.
    fn refuse(&mut self, link: usize) {
        if !self.sites[self.devices[self.links[link].device].site].is_inbound_cut {
            let is_held = self.sites[self.devices[self.links[link].device].site].is_held;
            self.links[link].downward.push_back(Downward::Close);
            self.travel_or_keep(link, false, is_held);
        }
    }

    fn travel_or_keep(&mut self, link: usize, is_upward: bool, is_held: bool) {
        if is_held {
            let site = self.devices[self.links[link].device].site;
            self.sites[site].kept.push((link, is_upward));
        } else {
            self.travel(link, is_upward);
        }
    }

    /// Puts the next message of this direction on its way; never past the one before it.
    fn travel(&mut self, link: usize, is_upward: bool) {
        let at = self.now + self.sites[self.devices[self.links[link].device].site].latency;
        let state = &mut self.links[link];
        let last = if is_upward { &mut state.last_upward } else { &mut state.last_downward };
        *last = at.max(*last);
        let at = *last;
        self.push(at, Class::Input, if is_upward { What::Upward(link) } else { What::Downward(link) });
    }

    fn arrive_upward(&mut self, link: usize) {
        let Some(message) = self.links[link].upward.pop_front() else { return };
        let Some(core) = &self.server.core else {
            // Nobody is there: a connect is answered when the server is back, the rest is lost.
            if matches!(message, Upward::Open) {
                self.links[link].upward.push_front(message);
            }
            return;
        };
        let _ = core;
        match (message, self.links[link].server_end) {
            (Upward::Open, _) => {
                let end = self.server.links.iter().position(Option::is_none).unwrap_or(self.server.links.len());
                if end == self.server.links.len() {
                    self.server.links.push(None);
                }
                self.server.links[end] = Some(link);
                let connection = ConnectionId(end as u32);
                self.links[link].server_end = Some(connection);
                self.links[link].is_connected = true;
                self.server_input(server::Input::Opened { connection });
                // The answer to a connect is immune: it neither takes time nor gets lost.
                let Link { device, end, is_device_end_open, is_stranger, .. } = self.links[link];
                if is_device_end_open && !is_stranger {
                    self.device_input(device, client::Input::Connected { connection: end });
                }
            }
            (Upward::Frame(frame), Some(connection)) => {
                let frame = frame.map_ticket(|ticket| self.open_ticket(&ticket));
                self.server_input(server::Input::Frame { connection, frame });
            }
            (Upward::Malformed(error), Some(connection)) => {
                self.server_input(server::Input::Malformed { connection, error });
            }
            (Upward::Close, Some(connection)) => {
                self.drop_server_end(link);
                self.server_input(server::Input::Closed { connection });
            }
            // The server has forgotten the connection: it says so.
            (Upward::Frame(_) | Upward::Malformed(_), None) => self.refuse(link),
            (Upward::Close, None) => {}
        }
    }

    fn open_ticket(&mut self, ticket: &Ticket) -> OpenedTicket {
        let keys = &self.server.keys;
        self.tickets.entry(ticket.clone()).or_insert_with(|| open(ticket.as_str(), keys)).to_owned()
    }

    fn arrive_downward(&mut self, link: usize) {
        let Some(message) = self.links[link].downward.pop_front() else { return };
        let Link { device, end: connection, is_device_end_open, is_stranger, .. } = self.links[link];
        if !is_device_end_open {
            return;
        }
        if let Downward::Close = message {
            self.links[link].is_device_end_open = false;
        }
        if is_stranger {
            return;
        }
        match message {
            Downward::Frame(frame) => self.device_input(device, client::Input::Frame { connection, frame }),
            Downward::Close => self.device_input(device, client::Input::Closed { connection }),
        }
    }

    fn drop_server_end(&mut self, link: usize) {
        if let Some(connection) = self.links[link].server_end.take() {
            self.server.links[connection.0 as usize] = None;
        }
    }

    fn open_link(&mut self, device: usize, end: ConnectionId, is_stranger: bool) -> usize {
        self.links.push(Link {
            device,
            end,
            server_end: None,
            upward: VecDeque::new(),
            downward: VecDeque::new(),
            is_upward_silent: false,
            is_downward_silent: false,
            last_upward: self.now,
            last_downward: self.now,
            is_device_end_open: true,
            is_connected: false,
            is_stranger,
        });
        let link = self.links.len() - 1;
        self.send_upward(link, Upward::Open);
        link
    }

    /// The device's open link with this number; the newest, since numbers start over with a process.
    fn link_of(&self, device: usize, end: ConnectionId) -> Option<usize> {
        let is_it = |link: &Link| link.device == device && link.end == end && !link.is_stranger;
        self.links.iter().rposition(is_it).filter(|&link| self.links[link].is_device_end_open)
    }

    fn stranger(&mut self, device: usize, conduct: Conduct) {
        self.recorder.stranger(self.now, self.devices[device].index, conduct);
        let platform = self.scenario.devices[&self.devices[device].name].platform;
        let hello = |version| {
            let bytes = Draw::key(self.scenario.seed, self.devices[device].name.as_str(), "stranger");
            let id = DeviceId::from_bytes(bytes[..16].try_into().expect("a key has 32 bytes"));
            Upward::Frame(ClientFrame::Hello { version, device: id, platform })
        };
        let version = gatecrash::protocol::VERSION;
        let messages = match conduct {
            Conduct::Garbage => vec![Upward::Malformed(FrameError::Malformed)],
            Conduct::Oversized => vec![Upward::Malformed(FrameError::Oversized)],
            Conduct::NoHello => vec![Upward::Frame(ClientFrame::Heartbeat)],
            Conduct::TwoHellos => vec![hello(version), hello(version)],
            Conduct::WrongVersion => vec![hello(version + 1)],
            Conduct::Idle | Conduct::Truncated => vec![],
            Conduct::ResumeForged => vec![
                hello(version),
                Upward::Frame(ClientFrame::Resume {
                    attempt: gatecrash::id::Attempt { start: 1, count: 1 },
                    user: super::FORGED_USER.parse().expect("a valid user id"),
                    epoch: gatecrash::id::Epoch(1),
                    ticket: Ticket::from(""),
                }),
            ],
        };
        let link = self.open_link(device, ConnectionId(u32::MAX), true);
        for message in messages {
            self.send_upward(link, message);
        }
    }

    // ---- the server ----

    fn server_now(&self) -> Now {
        Now { instant: self.now, wall: self.server.clock.at(self.now) }
    }

    fn start_server(&mut self) {
        self.effect(Effect::ServerUp);
        let records = self.server.records.clone();
        self.server.committed = records.change;
        self.server.core = Some(Server::restore(self.server.config.clone(), records));
        self.server_input(server::Input::Started);
        // Who was connecting meanwhile gets through now.
        for link in 0..self.links.len() {
            if matches!(self.links[link].upward.front(), Some(Upward::Open)) && !self.links[link].is_connected {
                self.push(self.now, Class::Input, What::Upward(link));
            }
        }
    }

    fn crash_server(&mut self, is_polite: bool) {
        if self.server.core.take().is_none() {
            return self.effect(Effect::Nothing);
        }
        self.server.writing.clear();
        self.server.held.clear();
        self.server.wake_at = None;
        self.effect(Effect::ServerDead);
        for link in mem::take(&mut self.server.links).into_iter().flatten() {
            self.links[link].server_end = None;
            if is_polite {
                self.send_downward(link, Downward::Close);
            }
        }
    }

    fn server_input(&mut self, input: server::Input) {
        let now = self.server_now();
        let Some(core) = &mut self.server.core else { return };
        self.recorder.server_input(now, &input);
        core.handle_input(now, input);
        self.server_outputs();
    }

    fn server_timer(&mut self) {
        if self.server.wake_at == Some(self.now) {
            self.server.wake_at = None;
        }
        let now = self.server_now();
        let Some(core) = &mut self.server.core else { return };
        if core.poll_timeout().is_some_and(|at| at <= self.now) {
            core.handle_timeout(now);
        }
        self.server_outputs();
    }

    fn server_outputs(&mut self) {
        while let Some(output) = self.server.core.as_mut().and_then(Server::poll_output) {
            if output.reveals > self.server.committed {
                self.server.held.push_back(output);
            } else {
                self.server_action(output);
            }
        }
        let Some(at) = self.server.core.as_ref().and_then(Server::poll_timeout) else { return };
        let at = at.max(self.now);
        if self.server.wake_at.is_none_or(|wake_at| at < wake_at) {
            self.server.wake_at = Some(at);
            self.push(at, Class::Timer, What::ServerTimer);
        }
    }

    fn server_action(&mut self, output: server::Output) {
        self.recorder.server_output(self.server_now(), &output);
        match output.action {
            server::Action::Commit(commit) => {
                // A commit begins when the one before is on disk.
                let latency = self.server.disk.within(self.scenario.app.commit_latency);
                let done = self.server.last_commit_done.max(self.now) + latency;
                self.server.last_commit_done = done;
                let number = commit.number;
                self.server.writing.push_back(commit);
                self.push(done, Class::Input, What::Committed(number));
            }
            server::Action::Send { connection, frame } => {
                if let Some(link) = self.server_link(connection) {
                    self.send_downward(link, Downward::Frame(frame));
                }
            }
            server::Action::Close { connection } => {
                if let Some(link) = self.server_link(connection) {
                    self.send_downward(link, Downward::Close);
                    self.drop_server_end(link);
                }
            }
            server::Action::Note(_) => {}
        }
    }

    fn server_link(&self, connection: ConnectionId) -> Option<usize> {
        self.server.links.get(connection.0 as usize).copied().flatten()
    }

    fn committed(&mut self, change: Change) {
        // Of a commit that a crash overtook nothing is left.
        if self.server.writing.front().is_none_or(|commit| commit.number != change) {
            return;
        }
        let commit = self.server.writing.pop_front().expect("just looked at");
        self.server.records.apply(&commit);
        self.server.committed = change;
        self.recorder.server_committed(self.server_now(), change);
        while self.server.held.front().is_some_and(|output| output.reveals <= change) {
            let output = self.server.held.pop_front().expect("just looked at");
            self.server_action(output);
        }
    }

    // ---- devices ----

    fn start_process(&mut self, device: usize) {
        let state = &mut self.devices[device];
        state.suspended = false;
        state.process = Some(Process {
            core: Client::new(),
            calls: 0,
            last_ticket: None,
            armed: Vec::new(),
            deliveries: VecDeque::new(),
            frozen_calls: VecDeque::new(),
            frozen_inputs: VecDeque::new(),
            wake_at: None,
        });
        let index = state.index;
        self.effect(Effect::ProcessUp { device: index });
        if self.scenario.devices[&self.devices[device].name].init == Init::Auto {
            self.call(device, Call::Init);
        }
    }

    fn kill(&mut self, device: usize) {
        if self.devices[device].process.take().is_none() {
            return self.effect(Effect::Nothing);
        }
        self.devices[device].suspended = false;
        self.effect(Effect::ProcessDead { device: self.devices[device].index });
        self.close_links(device);
    }

    fn close_links(&mut self, device: usize) {
        for link in 0..self.links.len() {
            let state = &mut self.links[link];
            if state.device == device && state.is_device_end_open && !state.is_stranger {
                state.is_device_end_open = false;
                self.send_upward(link, Upward::Close);
            }
        }
    }

    fn reset(&mut self, device: usize) {
        let is_live =
            |link: &Link| link.device == device && link.is_device_end_open && link.is_connected && !link.is_stranger;
        let Some(link) = self.links.iter().rposition(is_live) else { return self.effect(Effect::Nothing) };
        self.effect(Effect::ConnectionReset { device: self.devices[device].index });
        self.links[link].is_device_end_open = false;
        self.send_upward(link, Upward::Close);
        let connection = self.links[link].end;
        self.device_input(device, client::Input::Closed { connection });
    }

    fn wake(&mut self, device: usize) {
        self.devices[device].suspended = false;
        self.effect(Effect::Woken { device: self.devices[device].index });
        self.device_input(device, client::Input::Woken);
        let take = |process: &mut Option<Process>| {
            let process = process.as_mut()?;
            Some((mem::take(&mut process.frozen_calls), mem::take(&mut process.frozen_inputs)))
        };
        let Some((calls, inputs)) = take(&mut self.devices[device].process) else { return };
        calls.into_iter().for_each(|call| self.call(device, call));
        inputs.into_iter().for_each(|input| self.device_input(device, input));
        self.push(self.now, Class::Timer, What::DeviceTimer(device));
    }

    /// The application calls. What the SDK does with it is in the trace, its result too.
    fn call(&mut self, device: usize, call: Call) {
        let is_frozen = self.devices[device].suspended;
        let Some(process) = &mut self.devices[device].process else { return };
        if is_frozen {
            process.frozen_calls.push_back(call);
            return;
        }
        let request = match call {
            Call::Init => self.init(device),
            Call::Uninit => client::Call::Uninit,
            Call::Login { user, ticket } => {
                let ticket = self.ticket(device, &user, &ticket);
                self.process(device).last_ticket = Some(ticket.clone());
                client::Call::Login { user, ticket }
            }
            Call::Logout => client::Call::Logout,
            Call::Send { to, text } => client::Call::SendMessage { to, text: super::text(&text) },
            Call::Conversations => client::Call::Conversations,
            Call::Kick { user } => client::Call::AdminKick { user },
            Call::Query { users } => client::Call::QueryStatus { users },
            Call::NetworkChanged => return self.device_input(device, client::Input::NetworkChanged),
        };
        let process = self.process(device);
        process.calls += 1;
        let call = CallId(process.calls);
        self.device_input(device, client::Input::Call { call, request });
    }

    fn process(&mut self, device: usize) -> &mut Process {
        self.devices[device].process.as_mut().expect("a living process calls")
    }

    fn init(&mut self, device: usize) -> client::Call {
        let state = &mut self.devices[device];
        state.starts += 1;
        let platform = self.scenario.devices[&state.name].platform;
        client::Call::Init(Box::new(Start {
            platform,
            seed: Draw::key(self.scenario.seed, state.name.as_str(), &format!("start {}", state.starts)),
            limits: limits::client(&self.scenario.limits, platform),
            installation: state.installation.clone(),
            conversations: state.caches.clone(),
        }))
    }

    fn ticket(&mut self, device: usize, user: &str, choice: &TicketChoice) -> Ticket {
        let app = &self.scenario.app;
        match choice {
            TicketChoice::Last => self.process(device).last_ticket.clone().unwrap_or_else(|| Ticket::from("")),
            TicketChoice::Named(name) => {
                let plan = &self.scenario.tickets[name];
                let ticket = tickets::planned(app, plan);
                tickets::record(self.recorder, self.now, Some(name), plan.user, &ticket);
                ticket
            }
            TicketChoice::Fresh { ttl } => {
                let ttl = ttl.unwrap_or(app.ticket_ttl).as_secs();
                let issued = self.server_now().wall.seconds();
                let owner = user.parse().unwrap_or_else(|_| super::NOBODY.parse().expect("a valid user id"));
                let ticket = tickets::genuine(app.id, owner, issued, ttl);
                tickets::record(self.recorder, self.now, None, owner, &ticket);
                ticket
            }
        }
    }

    fn device_input(&mut self, device: usize, input: client::Input) {
        let is_frozen = self.devices[device].suspended;
        let index = self.devices[device].index;
        let Some(process) = &mut self.devices[device].process else { return };
        if is_frozen {
            process.frozen_inputs.push_back(input);
            return;
        }
        self.recorder.device_input(self.now, index, &input);
        process.core.handle_input(self.now, input);
        self.device_outputs(device);
    }

    fn device_timer(&mut self, device: usize) {
        if self.devices[device].suspended {
            return;
        }
        let now = self.now;
        let Some(process) = &mut self.devices[device].process else { return };
        if process.wake_at == Some(now) {
            process.wake_at = None;
        }
        if process.core.poll_timeout().is_some_and(|at| at <= now) {
            process.core.handle_timeout(now);
        }
        self.device_outputs(device);
    }

    fn device_outputs(&mut self, device: usize) {
        while let Some(output) = self.devices[device].process.as_mut().and_then(|process| process.core.poll_output()) {
            self.device_action(device, output);
        }
        // The application is told one thing at a time; it may call from inside.
        while let Some(output) =
            self.devices[device].process.as_mut().and_then(|process| process.deliveries.pop_front())
        {
            self.recorder.device_output(self.now, self.devices[device].index, &output);
            if let client::Action::Event(event) = &output.action {
                self.react(device, event);
            }
        }
        let Some(process) = &mut self.devices[device].process else { return };
        let Some(at) = process.core.poll_timeout() else { return };
        let at = at.max(self.now);
        if process.wake_at.is_none_or(|wake_at| at < wake_at) {
            process.wake_at = Some(at);
            self.push(at, Class::Timer, What::DeviceTimer(device));
        }
    }

    /// EVENT-2: a call made inside a listener.
    fn react(&mut self, device: usize, event: &client::Event) {
        let process = self.process(device);
        let armed = process.armed.iter().position(|(armed, _)| armed.word() == event.word());
        if let Some(armed) = armed {
            let (_, call) = process.armed.remove(armed);
            self.call(device, call);
        }
    }

    fn device_action(&mut self, device: usize, output: client::Output) {
        let index = self.devices[device].index;
        match &output.action {
            client::Action::Result { .. } | client::Action::Event(_) => {
                self.process(device).deliveries.push_back(output);
                return;
            }
            client::Action::DropEvents => {
                let deliveries = &mut self.process(device).deliveries;
                deliveries.retain(|output| !matches!(output.action, client::Action::Event(_)));
            }
            client::Action::Store { .. }
            | client::Action::Connect { .. }
            | client::Action::Send { .. }
            | client::Action::Close { .. }
            | client::Action::Status { .. }
            | client::Action::Note(_) => {}
        }
        self.recorder.device_output(self.now, index, &output);
        match output.action {
            client::Action::Store { change, write } => {
                match write {
                    Write::Installation(installation) => self.devices[device].installation = Some(installation),
                    Write::Conversations { user, conversations } => {
                        self.devices[device].caches.insert(user, conversations);
                    }
                }
                self.recorder.device_stored(self.now, index, change);
            }
            client::Action::Connect { connection } => {
                self.open_link(device, connection, false);
            }
            client::Action::Send { connection, frame } => {
                if let Some(link) = self.link_of(device, connection) {
                    self.send_upward(link, Upward::Frame(frame));
                }
            }
            client::Action::Close { connection } => {
                if let Some(link) = self.link_of(device, connection) {
                    self.links[link].is_device_end_open = false;
                    self.send_upward(link, Upward::Close);
                }
            }
            client::Action::Result { .. }
            | client::Action::Event(_)
            | client::Action::DropEvents
            | client::Action::Status { .. }
            | client::Action::Note(_) => {}
        }
    }
}
