//! The event world: the pure cores joined by one queue, time jumping from one event to the next.
//!
//! No async, no bytes, no sockets: frames travel as values. A link delivers after its site's
//! shortest latency, in order; what is lost silences that direction of that connection for ever,
//! as a lost segment does in the packet world.

mod devices;
mod faults;
mod links;
mod machine;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gatecrash::client::{self, Client, Installation};
use gatecrash::id::{Change, ConnectionId, UserId};
use gatecrash::protocol::{ClientFrame, Conversation, FrameError, ServerFrame};
use gatecrash::server::{self, Config, Server};
use gatecrash::store::Records;
use gatecrash::ticket::{OpenedTicket, SecretKey, Ticket};
use gatecrash::time::Instant;

use super::clock::WallClock;
use super::phases::{Phase, Phases};
use super::{WorldError, limits, tickets};
use crate::draw::Draw;
use crate::scenario::{Call, DeviceName, ListenerEvent, Scenario};
use crate::trace::{self, Cast, DeviceIndex, Effect, Event, Observer, Recorder, SiteIndex};

/// The most events one run takes: a scenario that never comes to rest is an error, not a hang.
const EVENTS_MAX: u64 = 200_000_000;

/// Runs the scenario to its convergence and records what happens.
///
/// # Errors
///
/// [`WorldError`] when the run itself fails, which says nothing about the rules.
pub fn run(scenario: &Scenario, recorder: &Recorder) -> Result<(), WorldError> {
    World::new(scenario, recorder).run(|phases, now| phases.look(now)).map(|_| ())
}

/// What a run came to, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Events taken from the queue.
    pub queue_events: u64,
    /// Heartbeats that devices sent.
    pub heartbeats: u64,
}

/// Runs the scenario to its `until` and no further: nothing is healed, nothing has to come to rest.
///
/// # Errors
///
/// As of [`run`].
pub fn run_unrecorded(scenario: &Scenario) -> Result<Tally, WorldError> {
    let recorder = Recorder::streaming(Cast::of(scenario));
    let heartbeats = Arc::new(Mutex::new(Heartbeats(0)));
    recorder.add_observer(Box::new(Arc::clone(&heartbeats)));
    let queue_events = World::new(scenario, &recorder).run(|_, _| Phase::Over)?;
    let heartbeats = heartbeats.lock().expect("observers do not panic").0;
    Ok(Tally { queue_events, heartbeats })
}

struct Heartbeats(u64);

impl Observer for Heartbeats {
    fn observe(&mut self, _: &Cast, event: &Event) {
        if let trace::What::DeviceSent { frame: trace::ClientFrame::Heartbeat, .. } = event.what {
            self.0 += 1;
        }
    }
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
    /// The request for this connection was lost at once.
    Refused(usize),
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
    /// Outputs that wait for the disk (DUR-1).
    held: VecDeque<server::Output>,
    clock: WallClock,
    disk: Draw,
    links: Vec<Option<usize>>,
    /// Connections asked for while the server was down.
    knocking: Vec<usize>,
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
    /// The server's number for it, which it keeps until the close that was decided is carried out.
    server_end: Option<ConnectionId>,
    /// The server's core has decided to close it, and knows it no more.
    is_forgotten: bool,
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
                knocking: Vec::new(),
                wake_at: None,
            },
            devices: devices.collect(),
            sites: sites.collect(),
            links: Vec::new(),
            tickets: BTreeMap::new(),
            phases: Phases::new(scenario, recorder),
        }
    }

    fn run(mut self, look: impl Fn(&mut Phases, Instant) -> Phase) -> Result<u64, WorldError> {
        self.recorder.configured(self.now, &self.server.config);
        self.start_server();
        for device in 0..self.devices.len() {
            self.start_process(device);
        }
        for (index, step) in self.scenario.steps.iter().enumerate() {
            self.push(Instant::ZERO + step.at, Class::Script, What::Step(index));
        }
        self.push(Instant::ZERO + self.scenario.until, Class::Timer, What::Look);
        for events in 1..=EVENTS_MAX {
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
                What::Refused(link) => self.connect_failed(link),
                What::Committed(change) => self.committed(change),
                What::ServerTimer => self.server_timer(),
                What::DeviceTimer(device) => self.device_timer(device),
                What::Look => match look(&mut self.phases, self.now) {
                    Phase::Heal { look_at } => {
                        self.heal();
                        self.push(look_at, Class::Timer, What::Look);
                    }
                    Phase::Wait { look_at } => self.push(look_at, Class::Timer, What::Look),
                    Phase::Over => return Ok(events),
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
}
