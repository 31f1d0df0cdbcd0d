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
use crate::scenario::{Action, Call, DeviceName, Fault, ListenerEvent, Scenario, Span};
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
    /// What befalls links, the server and the app.
    World,
    /// What devices and their applications do.
    Device,
    /// What comes of it.
    CarryOn,
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
    /// The next thing that arrived on this connection is read.
    ReadUpward(usize),
    ReadDownward(usize),
    /// The request for this connection was lost at once.
    Refused(usize),
    Committed(Change),
    ServerTimer,
    DeviceTimer(usize),
    /// The device's driver goes on after calls.
    CarryOn(usize),
    Look,
    /// Devices are told that the script is over.
    HealDevices,
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
    started_at: Option<Instant>,
    config: Config,
    keys: Vec<SecretKey>,
    records: Records,
    /// Changes decided and not yet handed to the disk, and those on their way to it.
    gathered: Vec<server::Output>,
    writing: Vec<gatecrash::store::Commit>,
    committed: Change,
    /// Outputs that wait for the disk (DUR-1).
    held: VecDeque<server::Output>,
    clock: WallClock,
    disk: Draw,
    links: Vec<Option<usize>>,
    /// Connections asked for while the server was down.
    knocking: Vec<usize>,
    /// Connections on which something else came meanwhile.
    unanswered: Vec<usize>,
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
    connections: u32,
    process: Option<Process>,
    suspended: bool,
}

struct Process {
    core: Client,
    /// What it read of the disk when it started, and wrote since.
    installation: Option<Installation>,
    caches: BTreeMap<UserId, Vec<Conversation>>,
    calls: u64,
    /// The calls without a result that were made for an account.
    of_account: std::collections::BTreeSet<gatecrash::id::CallId>,
    /// What such a call ends with when the input under way gives up the account.
    given_up: gatecrash::code::Code,
    last_ticket: Option<Ticket>,
    armed: Vec<(ListenerEvent, Call)>,
    /// Connections, frames and writes, for the driver.
    orders: VecDeque<client::Output>,
    /// What the application is to be told, in order.
    deliveries: VecDeque<client::Output>,
    /// What waits while the device is frozen or its application calls: calls first, then inputs.
    frozen_calls: VecDeque<Call>,
    frozen_inputs: VecDeque<client::Input>,
    wake_at: Option<Instant>,
}

struct Site {
    index: SiteIndex,
    latency: Span,
    is_outbound_cut: bool,
    is_inbound_cut: bool,
    is_held: bool,
    /// What a held link keeps, in the order it was sent: on which connection.
    kept: Vec<(u64, usize, Kept)>,
}

enum Kept {
    Up(Upward),
    Down(Downward),
}

/// One connection: what is under way in each direction, and which ends are open.
struct Link {
    device: usize,
    end: ConnectionId,
    /// The server's number for it, which it keeps until the close that was decided is carried out.
    server_end: Option<ConnectionId>,
    /// The server's core has decided to close it, and knows it no more.
    is_forgotten: bool,
    /// With when each was sent, as a number and an instant.
    upward: VecDeque<(u64, Instant, Upward)>,
    downward: VecDeque<(u64, Instant, Downward)>,
    /// What arrived and is read later.
    read_upward: VecDeque<Upward>,
    read_downward: VecDeque<Downward>,
    upward_jitter: Jitter,
    downward_jitter: Jitter,
    /// The server closed it and throws away what still comes, until then; the device.
    swallows_until: Option<Instant>,
    device_swallows_until: Option<Instant>,
    is_upward_silent: bool,
    is_downward_silent: bool,
    last_upward: Instant,
    last_downward: Instant,
    is_device_end_open: bool,
    is_connected: bool,
    is_stranger: bool,
    /// What a stranger says once it is connected.
    says: Vec<Upward>,
}

/// How much later than the link alone a direction of a connection delivers.
struct Jitter {
    draw: Draw,
    /// When the last thing that arrived is read, and when it was sent.
    last: Instant,
    last_sent: Option<Instant>,
}

#[derive(Clone, Debug)]
enum Upward {
    /// It was lost, or is held.
    Gone,
    Open,
    Frame(ClientFrame<Ticket>),
    Malformed(FrameError),
    Close,
    /// The answer to what comes on a connection the device does not have any more.
    Reset,
}

#[derive(Clone, Debug)]
enum Downward {
    Gone,
    Frame(ServerFrame),
    Close,
}

/// Whether a device's site carries the step out; the others befall links, the server and the app.
fn is_of_device(action: &Action) -> bool {
    match action {
        Action::Call { .. } | Action::On { .. } | Action::Raw { .. } => true,
        Action::App(_) => false,
        Action::Fault(fault) => matches!(
            fault,
            Fault::Reset { .. }
                | Fault::Kill { .. }
                | Fault::Start { .. }
                | Fault::Suspend { .. }
                | Fault::Wake { .. }
                | Fault::Wipe { .. }
        ),
    }
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
            connections: 0,
            process: None,
            suspended: false,
        });
        let sites = scenario.sites.iter().map(|(name, site)| Site {
            index: recorder.cast(|cast| cast.find_site(name.as_str())).expect("the cast holds every site"),
            latency: site.latency,
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
                started_at: None,
                config: limits::config(scenario),
                keys: tickets::keys(true),
                records: Records::default(),
                gathered: Vec::new(),
                writing: Vec::new(),
                committed: Change::NONE,
                held: VecDeque::new(),
                clock: WallClock::new(start, crate::scenario::Offset(0)),
                disk: Draw::new(scenario.seed, "server", "disk"),
                links: Vec::new(),
                knocking: Vec::new(),
                unanswered: Vec::new(),
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
            self.push(self.now, Class::CarryOn, What::CarryOn(device));
        }
        for (index, step) in self.scenario.steps.iter().enumerate() {
            let class = if is_of_device(&step.action) { Class::Device } else { Class::World };
            self.push(Instant::ZERO + step.at, class, What::Step(index));
        }
        self.push(Instant::ZERO + self.scenario.until, Class::World, What::Look);
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
                What::ReadUpward(link) => self.read_upward(link),
                What::ReadDownward(link) => self.read_downward(link),
                What::Refused(link) => self.connect_failed(link),
                What::Committed(change) => self.committed(change),
                What::ServerTimer => self.server_timer(),
                What::DeviceTimer(device) => self.device_timer(device),
                What::CarryOn(device) => self.carry_on_after_calls(device),
                What::HealDevices => self.heal_devices(),
                What::Look => match self.phases.look(self.now) {
                    Phase::Heal { look_at } => {
                        self.heal();
                        self.push(self.now, Class::Device, What::HealDevices);
                        self.push(look_at, Class::World, What::Look);
                    }
                    Phase::Wait { look_at } => self.push(look_at, Class::World, What::Look),
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
}
