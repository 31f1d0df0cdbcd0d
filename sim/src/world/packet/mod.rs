//! The packet world: the code that ships, over turmoil's hosts and TCP.
//!
//! A site is a turmoil host; the devices of the scenario that are there are tasks on it, each one
//! future: to freeze a device is not to poll it, to kill it is to drop it. The server is a host of
//! its own. Faults are applied between turmoil's steps. Judges nothing.

#[cfg(test)]
mod agrees;
mod command;
mod devices;
mod disk;
mod interceptor;
mod listener;
mod office;
mod place;
mod portal;
mod process;
mod product;
mod script;
mod site;
mod software;
mod standstill;
mod stranger;
mod stream;
mod time;
mod tls;
mod window;

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::RangeInclusive;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use gatecrash::decide::{ClientDecisions, Rules, ServerDecisions};
use gatecrash::time::Instant;
use turmoil::Sim;

use self::command::{Command, Inbox};
use self::interceptor::Nobody;
pub use self::interceptor::{End, Interceptor, Sent};
pub use self::listener::Listener;
pub(crate) use self::place::{DevicePlace, ServerPlace, Shared};
use self::process::Processes;
use self::product::Product;
use self::site::site;
pub(crate) use self::software::{Driver, Ended, Program, Software};
use self::standstill::Suspendable;
pub use self::stream::Stream;
use super::WorldError;
use super::phases::{Phase, Phases};
use crate::scenario::{Action, DeviceName, Fault, Scenario, SiteName};
use crate::trace::{Effect, Recorder, SiteIndex, log};

/// The server's host.
pub(crate) const SERVER: &str = "server";

/// The host of what answers in its place where a site has a portal.
const PORTAL: &str = "portal";

/// Where the server listens.
pub(crate) const PORT: u16 = 7000;

/// What connections go out from. A site never gets back the port of one that came to nothing.
const PORTS: RangeInclusive<u16> = 8_000..=65_535;

/// The most segments under way on a connection, and the most connections waiting to be accepted.
const TCP_CAPACITY: usize = 4096;

/// What time it is in the simulation that runs on this thread; outside of one, the start of time.
pub fn now() -> Instant {
    Instant::ZERO + turmoil::sim_elapsed().unwrap_or_default()
}

/// Runs the scenario to its convergence and records what happens.
///
/// # Errors
///
/// [`WorldError`] when the run itself fails, which says nothing about the rules.
pub fn run(scenario: &Scenario, recorder: &Recorder) -> Result<(), WorldError> {
    run_with::<Rules, Rules>(scenario, recorder)
}

/// The same with other decisions than the rules' own.
///
/// # Errors
///
/// As [`run`].
pub fn run_with<S: ServerDecisions, C: ClientDecisions>(
    scenario: &Scenario,
    recorder: &Recorder,
) -> Result<(), WorldError> {
    run_software(Product::<S, C>::new(scenario, recorder), scenario, recorder, Arc::new(Nobody))
}

/// The same with somebody between the drivers and the world.
///
/// # Errors
///
/// As [`run`].
pub fn run_intercepted(
    scenario: &Scenario,
    recorder: &Recorder,
    interceptor: Arc<dyn Interceptor>,
) -> Result<(), WorldError> {
    run_software(Product::<Rules, Rules>::new(scenario, recorder), scenario, recorder, interceptor)
}

/// The same with somebody else's SDK and server. What becomes of the world is recorded, and nothing of what they say.
///
/// # Errors
///
/// As [`run`].
pub(crate) fn run_foreign<S: Software>(
    software: S,
    scenario: &Scenario,
    recorder: &Recorder,
) -> Result<(), WorldError> {
    run_software(software, scenario, recorder, Arc::new(Nobody))
}

fn run_software<S: Software>(
    software: S,
    scenario: &Scenario,
    recorder: &Recorder,
    interceptor: Arc<dyn Interceptor>,
) -> Result<(), WorldError> {
    World::new(Rc::new(software), scenario, recorder, interceptor).run()
}

struct World<'a, S> {
    software: Rc<S>,
    scenario: &'a Scenario,
    recorder: &'a Recorder,
    sim: Sim<'a>,
    shared: Arc<Shared>,
    sites: Vec<Site>,
    devices: Vec<DeviceName>,
    /// When a bounced server comes back.
    starts: BinaryHeap<Reverse<Duration>>,
    phases: Phases,
    /// Whether another server is to be started as soon as the one there is has stopped.
    starts_again: bool,
}

struct Site {
    name: SiteName,
    index: SiteIndex,
    inbox: Arc<Inbox>,
    is_outbound_cut: bool,
    is_inbound_cut: bool,
    is_held: bool,
    has_portal: bool,
}

impl<S> Drop for World<'_, S> {
    fn drop(&mut self) {
        // The database must not look for its file when the simulation is gone.
        self.shared.disk.cut(true);
    }
}

impl<'a, S: Software> World<'a, S> {
    fn new(software: Rc<S>, scenario: &'a Scenario, recorder: &'a Recorder, interceptor: Arc<dyn Interceptor>) -> Self {
        let mut builder = turmoil::Builder::new();
        builder.fs().block_size(disk::SECTOR);
        let mut sim = builder
            .tick_duration(scenario.tick)
            .simulation_duration(Duration::MAX)
            .epoch(std::time::UNIX_EPOCH + Duration::from_micros(scenario.app.start.as_micros()))
            .min_message_latency(Duration::ZERO)
            .max_message_latency(Duration::ZERO)
            .tcp_capacity(TCP_CAPACITY)
            .ephemeral_ports(PORTS)
            .rng_seed(scenario.seed)
            .build();
        let shared = Arc::new(Shared::new(scenario, recorder, interceptor));
        sim.host(SERVER, {
            let (software, shared) = (Rc::clone(&software), Arc::clone(&shared));
            move || serve(Rc::clone(&software), Arc::clone(&shared))
        });
        recorder.effect(Instant::ZERO, Effect::ServerUp);
        let processes = Rc::new(RefCell::new(Processes::<S>::new()));
        let sites: Vec<Site> = scenario
            .sites
            .iter()
            .enumerate()
            .map(|(number, (name, plan))| {
                let inbox = Arc::new(Inbox::default());
                sim.host(host(name), {
                    let (software, processes) = (Rc::clone(&software), Rc::clone(&processes));
                    let (shared, inbox) = (Arc::clone(&shared), Arc::clone(&inbox));
                    move || site(Rc::clone(&software), Arc::clone(&shared), Arc::clone(&inbox), Rc::clone(&processes))
                });
                sim.set_link_latency(host(name), SERVER, plan.latency.min);
                shared.set_latency(number, plan.latency);
                let index = recorder.cast(|cast| cast.find_site(name.as_str())).expect("the cast holds every site");
                let name = name.clone();
                let (is_outbound_cut, is_inbound_cut, is_held, has_portal) = (false, false, false, false);
                Site { name, index, inbox, is_outbound_cut, is_inbound_cut, is_held, has_portal }
            })
            .collect();
        if scenario.steps.iter().any(|step| matches!(step.action, Action::Fault(Fault::Portal { .. }))) {
            let shared = Arc::clone(&shared);
            sim.host(PORTAL, move || portal::answer(Arc::clone(&shared)));
        }
        let devices = scenario.devices.keys().cloned().collect();
        let phases = software.phases(scenario);
        let (starts, starts_again) = (BinaryHeap::new(), false);
        World { software, scenario, recorder, sim, shared, sites, devices, starts, phases, starts_again }
    }

    fn run(mut self) -> Result<(), WorldError> {
        // What no device logs is the server's.
        let _entered = log::enter(&Arc::from(SERVER));
        for device in 0..self.devices.len() {
            let name = self.devices[device].clone();
            self.command(device, Command::Fault(Fault::Start { device: name }));
        }
        let scenario = self.scenario;
        let mut steps = scenario.steps.iter().peekable();
        let mut look_at = Instant::ZERO + scenario.until;
        loop {
            let elapsed = self.sim.elapsed();
            while self.starts.peek().is_some_and(|Reverse(at)| *at <= elapsed) {
                self.starts.pop();
                self.start_server();
            }
            while let Some(step) = steps.next_if(|step| step.at <= elapsed) {
                self.step(&step.action);
            }
            if look_at <= self.now() && steps.peek().is_none() {
                let (now, phases) = (self.now(), &mut self.phases);
                match self.recorder.exclusively(|recording| phases.look(now, recording)) {
                    Phase::Heal { look_at: at } => {
                        self.heal();
                        look_at = at;
                    }
                    Phase::Wait { look_at: at } => look_at = at,
                    Phase::Over => return Ok(()),
                }
            }
            let step = self.sim.step();
            step.map_err(|cause| WorldError::Host { at: self.now(), cause: cause.to_string() })?;
            if self.shared.disk.has_lost_power() {
                self.crash_server(false);
            }
            if self.starts_again && self.shared.office.has_stopped() {
                self.start_server();
            }
        }
    }

    fn now(&self) -> Instant {
        Instant::ZERO + self.sim.elapsed()
    }

    fn effect(&self, effect: Effect) {
        self.recorder.effect(self.now(), effect);
    }

    fn site(&mut self, name: &SiteName) -> usize {
        self.sites.iter().position(|site| site.name == *name).expect("a step's site exists")
    }

    fn device(&self, name: &DeviceName) -> usize {
        self.devices.iter().position(|device| device == name).expect("a step's device exists")
    }

    fn command(&self, device: usize, command: Command) {
        let site = self.shared.network(device).site;
        self.sites[site].inbox.push(device, command);
    }

    fn is_server_running(&mut self) -> bool {
        self.sim.is_host_running(SERVER) && !self.shared.office.has_stopped()
    }

    fn start_server(&mut self) {
        if self.is_server_running() {
            return self.effect(Effect::Nothing);
        }
        self.starts_again = false;
        self.effect(Effect::ServerUp);
        if !self.shared.office.start_another() {
            self.sim.bounce(SERVER);
        }
    }

    fn suspend_server(&mut self) {
        if !self.is_server_running() || self.shared.standstill.is_on() {
            return self.effect(Effect::Nothing);
        }
        self.shared.standstill.begin();
        self.effect(Effect::ServerSuspended);
    }

    fn wake_server(&mut self) {
        if !self.shared.standstill.is_on() {
            return self.effect(Effect::Nothing);
        }
        self.effect(Effect::ServerWoken);
        self.shared.standstill.end();
    }

    /// As its operator stops it. That it has stopped is seen when it says so.
    fn stop_server(&mut self) {
        if !self.is_server_running() || !self.software.stop() {
            self.effect(Effect::Nothing);
        }
    }

    /// One is stopped, and another started as soon as it has.
    fn replace_server(&mut self) {
        if self.is_server_running() {
            self.starts_again = true;
            self.software.stop();
        } else {
            self.start_server();
        }
    }

    /// A crash closes connections politely; of a power loss nobody is told, so nothing gets out
    /// while the host goes down.
    fn crash_server(&mut self, is_polite: bool) {
        if !self.is_server_running() {
            return self.effect(Effect::Nothing);
        }
        if !is_polite {
            for site in &self.sites {
                self.sim.partition_oneway(SERVER, host(&site.name));
            }
        }
        self.software.died();
        self.shared.office.crashed();
        self.shared.standstill.is_over();
        self.starts_again = false;
        let order = Arc::clone(&self.shared.crash_order);
        self.shared.disk.cut(!is_polite);
        order.during(|| self.sim.crash(SERVER));
        self.effect(Effect::ServerDead);
        if !is_polite {
            (0..self.sites.len()).for_each(|site| self.set_partitions(site));
        }
    }
}

/// The name of a site's host: a site may be called like the server.
fn host(site: &SiteName) -> String {
    format!("site-{site}")
}

/// The server's machine, from one start to the next crash: a process, and after a stop another one, while the first
/// may still wait for the slow.
async fn serve<S: Software>(software: Rc<S>, shared: Arc<Shared>) -> turmoil::Result {
    let mut processes = tokio::task::JoinSet::new();
    loop {
        let process = software.serve(Arc::clone(&shared));
        processes.spawn_local(Suspendable { standstill: Arc::clone(&shared.standstill), process });
        loop {
            tokio::select! {
                biased;
                Some(ended) = processes.join_next() => ended??,
                () = shared.office.another() => break,
            }
        }
    }
}
