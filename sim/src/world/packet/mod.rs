//! The packet world: the code that ships, over turmoil's hosts and TCP.
//!
//! A site is a turmoil host; the devices of the scenario that are there are tasks on it, each one
//! future: to freeze a device is not to poll it, to kill it is to drop it. The server is a host of
//! its own. Faults are applied between turmoil's steps. Judges nothing.

#[cfg(test)]
mod agrees;
mod devices;
mod disk;
mod place;
mod stranger;
mod stream;
mod time;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gatecrash::decide::{ClientDecisions, Rules, ServerDecisions};
use gatecrash::driver::server::{ServerDriver, ServerHandle, Settings};
use gatecrash::server::Config;
use gatecrash::time::Instant;
use turmoil::Sim;

use self::devices::{Command, Inbox, site};
use self::disk::Store;
use self::place::{Observer, ServerPlace, Shared};
use super::phases::{Phase, Phases};
use super::{WorldError, tickets};
use crate::scenario::clock::WallClock;
use crate::scenario::config;
use crate::scenario::{Action, AppChange, Clock, DeviceName, Direction, Fault, Scenario, SiteName, Span};
use crate::trace::{Effect, Recorder, SiteIndex, log};

/// The server's host.
const SERVER: &str = "server";

/// Where the server listens.
const PORT: u16 = 7000;

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
    World::new::<S, C>(scenario, recorder).run()
}

struct World<'a> {
    scenario: &'a Scenario,
    recorder: &'a Recorder,
    sim: Sim<'a>,
    shared: Arc<Shared>,
    handle: Arc<Mutex<Option<ServerHandle>>>,
    /// The configuration and whether the second key is good, for the server's next start too.
    owner: Arc<Mutex<Owner>>,
    sites: Vec<Site>,
    devices: Vec<(DeviceName, usize)>,
    /// When a bounced server comes back.
    starts: BinaryHeap<Reverse<Duration>>,
    phases: Phases,
}

#[derive(Clone)]
struct Owner {
    config: Config,
    accepts_old_key: bool,
}

struct Site {
    name: SiteName,
    index: SiteIndex,
    inbox: Arc<Inbox>,
    is_outbound_cut: bool,
    is_inbound_cut: bool,
    is_held: bool,
}

impl Drop for World<'_> {
    fn drop(&mut self) {
        // The database must not look for its file when the simulation is gone.
        self.shared.disk.cut(true);
    }
}

impl<'a> World<'a> {
    fn new<S: ServerDecisions, C: ClientDecisions>(scenario: &'a Scenario, recorder: &'a Recorder) -> Self {
        let mut builder = turmoil::Builder::new();
        builder.fs().block_size(disk::SECTOR);
        let mut sim = builder
            .tick_duration(scenario.tick)
            .simulation_duration(Duration::MAX)
            .epoch(std::time::UNIX_EPOCH + Duration::from_micros(scenario.app.start.as_micros()))
            .min_message_latency(Duration::ZERO)
            .max_message_latency(Duration::ZERO)
            .tcp_capacity(TCP_CAPACITY)
            .rng_seed(scenario.seed)
            .build();
        let shared = Arc::new(Shared::new(scenario, recorder));
        let handle = Arc::new(Mutex::new(None));
        let owner = Owner { config: config::server(scenario), accepts_old_key: true };
        recorder.configured(Instant::ZERO, &owner.config);
        let owner = Arc::new(Mutex::new(owner));
        sim.host(SERVER, {
            let (shared, handle, owner) = (Arc::clone(&shared), Arc::clone(&handle), Arc::clone(&owner));
            move || serve::<S>(Arc::clone(&shared), Arc::clone(&handle), Arc::clone(&owner))
        });
        recorder.effect(Instant::ZERO, Effect::ServerUp);
        let sites: Vec<Site> = scenario
            .sites
            .iter()
            .enumerate()
            .map(|(number, (name, plan))| {
                let inbox = Arc::new(Inbox::default());
                sim.host(host(name), {
                    let (shared, inbox) = (Arc::clone(&shared), Arc::clone(&inbox));
                    move || site::<C>(Arc::clone(&shared), Arc::clone(&inbox))
                });
                sim.set_link_latency(host(name), SERVER, plan.latency.min);
                shared.set_latency(number, plan.latency);
                let index = recorder.cast(|cast| cast.find_site(name.as_str())).expect("the cast holds every site");
                let name = name.clone();
                Site { name, index, inbox, is_outbound_cut: false, is_inbound_cut: false, is_held: false }
            })
            .collect();
        let devices = scenario
            .devices
            .iter()
            .map(|(name, device)| {
                let site = sites.iter().position(|site| site.name == device.site).expect("every device's site exists");
                (name.clone(), site)
            })
            .collect();
        let phases = Phases::new(scenario);
        World { scenario, recorder, sim, shared, handle, owner, sites, devices, starts: BinaryHeap::new(), phases }
    }

    fn run(mut self) -> Result<(), WorldError> {
        // What no device logs is the server's.
        let _entered = log::enter(&Arc::from(SERVER));
        for device in 0..self.devices.len() {
            self.command(device, Command::Start);
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
        self.devices.iter().position(|(device, _)| device == name).expect("a step's device exists")
    }

    fn command(&self, device: usize, command: Command) {
        self.sites[self.devices[device].1].inbox.push(device, command);
    }

    fn step(&mut self, action: &Action) {
        match action {
            Action::Call { device, call } => self.command(self.device(device), Command::Call(call.clone())),
            Action::On { device, event, call } => {
                self.command(self.device(device), Command::Arm(*event, call.clone()));
            }
            Action::Raw { device, conduct } => self.command(self.device(device), Command::Stranger(*conduct)),
            Action::Fault(fault) => {
                self.recorder.fault(self.now(), fault);
                self.fault(fault);
            }
            Action::App(change) => self.configure(change),
        }
    }

    fn configure(&mut self, change: &AppChange) {
        let owner = {
            let mut owner = self.owner.lock().expect("nobody panics with it");
            let config = &mut owner.config;
            match change {
                AppChange::Policy(_) | AppChange::MaxInstances { .. } => {
                    config.seats = change.seats_after(config.seats).expect("the parser refuses seats out of range");
                }
                AppChange::ReconnectKicks(on) => config.reconnect_kicks = *on,
                AppChange::NotifyOfflineKick(on) => config.notify_offline_kick = *on,
                AppChange::Administrators(users) => config.administrators = users.clone(),
                AppChange::DropOldKey => {
                    owner.accepts_old_key = false;
                    self.recorder.old_key_dropped(self.now());
                }
            }
            owner.clone()
        };
        if !matches!(change, AppChange::DropOldKey) {
            self.recorder.configured(self.now(), &owner.config);
        }
        if let Some(handle) = &*self.handle.lock().expect("nobody panics with it") {
            handle.configure(owner.config, tickets::keys(owner.accepts_old_key));
        }
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
                self.set_partitions(site);
                self.link_effect(site);
            }
            Fault::Repair { site } => {
                let site = self.site(site);
                self.repair(site);
            }
            Fault::Hold { site } => {
                let site = self.site(site);
                self.sites[site].is_held = true;
                // turmoil's hold mends partitions. What is lost cannot be held.
                if !self.sites[site].is_outbound_cut && !self.sites[site].is_inbound_cut {
                    self.sim.hold(host(&self.sites[site].name), SERVER);
                }
                self.effect(Effect::LinkHeld { site: self.sites[site].index });
            }
            Fault::Release { site } => {
                let site = self.site(site);
                self.release(site);
            }
            Fault::Latency { site, latency: Span { min, max } } => {
                let site = self.site(site);
                self.sim.set_link_latency(host(&self.sites[site].name), SERVER, *min);
                self.shared.set_latency(site, Span { min: *min, max: *max });
                self.effect(Effect::LatencyChanged { site: self.sites[site].index });
            }
            Fault::CrashServer => self.crash_server(true),
            Fault::PowerLossServer => self.crash_server(false),
            Fault::PowerLossAt { .. }
            | Fault::PowerLossInDisk { .. }
            | Fault::DiskError { .. }
            | Fault::DiskFull { .. }
            | Fault::SlowDisk { .. }
            | Fault::MendDisk => {
                if let Some(effect) = self.shared.disk.fault(fault, self.scenario.app.commit_latency) {
                    self.effect(effect);
                }
            }
            Fault::BounceServer { after } => {
                self.crash_server(true);
                self.starts.push(Reverse(self.sim.elapsed() + *after));
                if after.is_zero() {
                    self.starts.pop();
                    self.start_server();
                }
            }
            Fault::StartServer => self.start_server(),
            Fault::Reset { device } => self.command(self.device(device), Command::Reset),
            Fault::Kill { device } => self.command(self.device(device), Command::Kill),
            Fault::Start { device } => self.command(self.device(device), Command::Start),
            Fault::Suspend { device } => self.command(self.device(device), Command::Suspend),
            Fault::Wake { device } => self.command(self.device(device), Command::Wake),
            Fault::Wipe { device } => self.command(self.device(device), Command::Wipe),
            Fault::Skew { clock, by } => {
                let now = self.now();
                self.move_clock(clock, |clock| clock.skew(now, *by));
            }
            Fault::Drift { clock, ppm } => {
                let now = self.now();
                self.move_clock(clock, |clock| clock.drift(now, *ppm));
            }
        }
    }

    fn move_clock(&mut self, clock: &Clock, change: impl FnOnce(&mut WallClock)) {
        match clock {
            Clock::Server => {
                self.shared.change_server_clock(change);
                self.effect(Effect::ClockMoved { device: None });
                if let Some(handle) = &*self.handle.lock().expect("nobody panics with it") {
                    handle.clock_changed();
                }
            }
            Clock::Device(name) => {
                let device = self.device(name);
                self.shared.change_device_clock(device, change);
                self.effect(Effect::ClockMoved { device: Some(self.shared.index(device)) });
            }
        }
    }

    /// Everything is mended once the script is over.
    fn heal(&mut self) {
        self.shared.disk.keep_power();
        if self.shared.disk.needs_mending(self.scenario.app.commit_latency) {
            self.fault(&Fault::MendDisk);
        }
        if !self.is_server_running() {
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
            self.command(device, Command::Heal);
        }
    }

    fn link_effect(&self, site: usize) {
        let Site { index, is_outbound_cut, is_inbound_cut, .. } = self.sites[site];
        self.effect(Effect::Link { site: index, outbound: !is_outbound_cut, inbound: !is_inbound_cut });
    }

    fn repair(&mut self, site: usize) {
        self.sites[site].is_outbound_cut = false;
        self.sites[site].is_inbound_cut = false;
        self.set_partitions(site);
        self.link_effect(site);
    }

    /// Puts turmoil's link as the script has it.
    fn set_partitions(&self, site: usize) {
        let Site { name, is_outbound_cut, is_inbound_cut, is_held, .. } = &self.sites[site];
        self.sim.repair_oneway(host(name), SERVER);
        self.sim.repair_oneway(SERVER, host(name));
        if *is_outbound_cut {
            self.sim.partition_oneway(host(name), SERVER);
        }
        if *is_inbound_cut {
            self.sim.partition_oneway(SERVER, host(name));
        }
        // turmoil's repair lets a held link go.
        if *is_held && !is_outbound_cut && !is_inbound_cut {
            self.sim.hold(host(name), SERVER);
        }
    }

    fn release(&mut self, site: usize) {
        self.sites[site].is_held = false;
        self.sim.release(host(&self.sites[site].name), SERVER);
        // turmoil's release mends partitions.
        self.set_partitions(site);
        self.link_effect(site);
    }

    fn is_server_running(&mut self) -> bool {
        self.sim.is_host_running(SERVER)
    }

    fn start_server(&mut self) {
        if self.is_server_running() {
            return self.effect(Effect::Nothing);
        }
        self.effect(Effect::ServerUp);
        self.sim.bounce(SERVER);
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
        self.handle.lock().expect("nobody panics with it").take();
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

/// The server's process, from one start to the next crash.
async fn serve<S: ServerDecisions>(
    shared: Arc<Shared>,
    handle: Arc<Mutex<Option<ServerHandle>>>,
    owner: Arc<Mutex<Owner>>,
) -> turmoil::Result {
    let Owner { config, accepts_old_key } = owner.lock().expect("nobody panics with it").clone();
    let settings = Settings::new(format!("0.0.0.0:{PORT}"), config, tickets::keys(accepts_old_key));
    let place = ServerPlace::new(Arc::clone(&shared));
    let store = Store::new(Arc::clone(&shared.disk));
    let observe = Observer::server(&shared);
    let (driver, control) = ServerDriver::<_, _, _, S>::bind(place, store, observe, settings).await?;
    *handle.lock().expect("nobody panics with it") = Some(control);
    driver.run().await?;
    Ok(())
}
