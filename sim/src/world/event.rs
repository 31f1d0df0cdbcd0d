//! The event world: the pure cores joined by one queue, time jumping from one event to the next.
//!
//! No async, no bytes, no sockets, no signatures: frames and tickets travel as values. A link loses,
//! holds and delays as in the packet world; what is lost silences that direction of that connection
//! for ever, as a lost segment does there.
//!
//! | file | what happens there |
//! |---|---|
//! | `queue` | what is to happen, in order |
//! | `script` | the script's steps and faults, and what heals when it is over |
//! | `links` `flight` | connections; what is under way on them |
//! | `machine` `life` `disk` | the server's process and clock; whether it runs; its disk |
//! | `standstill` | what waits for a server's process that is suspended |
//! | `devices` `writer` | the devices' processes and applications; what waits for their disks |
//! | `mint` | tickets without a signature |
//! | `interceptor` | which decisions the cores ask, and who intercepts what goes in and out of them |

mod devices;
pub(crate) mod disk;
mod flight;
mod handshake;
mod interceptor;
mod life;
mod links;
pub(crate) mod machine;
mod mint;
mod queue;
mod script;
mod standstill;
mod writer;

use gatecrash::decide::Rules;
use gatecrash::time::Instant;

use self::devices::{Device, Spare};
use self::flight::Flight;
pub use self::interceptor::{Interceptor, ServerStep, System};
use self::links::{Link, Site};
use self::machine::Machine;
use self::queue::{Class, Queue};
use super::WorldError;
use super::phases::{Phase, Phases};
use crate::scenario::{DeviceName, Scenario, SiteName};
use crate::trace::record::{Observers, Recording};
use crate::trace::{Cast, Effect, Observer, Recorder, Summary};

/// The most queued events one run takes: a scenario that never comes to rest is an error, not a hang.
const EVENTS_MAX: u64 = 2_000_000_000;

/// Runs the scenario to its convergence and records what happens.
///
/// # Errors
///
/// [`WorldError`] when the run itself fails, which says nothing about the rules.
pub fn run(scenario: &Scenario, recorder: &Recorder) -> Result<(), WorldError> {
    run_with(scenario, recorder, (Rules, Rules))
}

/// The same with another system than the rules' own.
///
/// # Errors
///
/// As [`run`].
pub fn run_with(scenario: &Scenario, recorder: &Recorder, system: impl System) -> Result<(), WorldError> {
    recorder.exclusively(|recording| World::<_, Observers>::new(scenario, Some(recording), system).run().map(|_| ()))
}

/// Runs the scenario to its convergence under the eyes of this observer alone: no event is kept.
///
/// # Errors
///
/// As [`run`].
pub fn watch<O: Observer>(scenario: &Scenario, observer: O) -> Result<(Summary, O), WorldError> {
    watch_with(scenario, observer, (Rules, Rules))
}

/// The same with another system than the rules' own.
///
/// # Errors
///
/// As [`run`].
pub fn watch_with<O: Observer>(
    scenario: &Scenario,
    observer: O,
    system: impl System,
) -> Result<(Summary, O), WorldError> {
    let mut recording = Recording::new(Cast::of(scenario), false, observer);
    World::<_, O>::new(scenario, Some(&mut recording), system).run()?;
    Ok(recording.into_summary())
}

/// How much a run without a record did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Events taken off the queue.
    pub queue_events: u64,
    /// Heartbeats that the server received.
    pub heartbeats: u64,
}

/// Runs the scenario to the end of its script and records nothing: what the cores alone cost.
///
/// # Errors
///
/// As [`run`].
pub fn run_unrecorded(scenario: &Scenario) -> Result<Tally, WorldError> {
    World::<_, ()>::new(scenario, None, (Rules, Rules)).run()
}

/// What is to happen.
#[derive(Clone, Copy)]
enum Due {
    Step(u32),
    StartServer,
    /// The device's driver does what it was asked to do.
    CarryOut(u32),
    /// What is in this place of the flight arrives.
    Arrival(u32),
    /// The request for this connection was lost at once.
    Refused(u32),
    /// Who holds this connection says for the so-and-so-many-th time what a stranger says.
    Stranger(u32, u32),
    /// The running batch of this life of the core gets to the disk.
    Landing(u32),
    /// It is on disk.
    Committed(u32),
    /// The pause is over after which the store is opened again.
    Reopen(u32),
    ServerTimer,
    DeviceTimer(u32),
    /// Something may have come of a write to the device's disk.
    DeviceDisk(u32),
    Look,
}

struct World<'a, Y: System, O> {
    scenario: &'a Scenario,
    system: Y,
    recording: Option<&'a mut Recording<O>>,
    now: Instant,
    queue: Queue<Due>,
    names: Vec<&'a DeviceName>,
    site_names: Vec<&'a SiteName>,
    server: Machine<Y::Server>,
    devices: Vec<Device<'a, Y::Client>>,
    sites: Vec<Site>,
    links: Vec<Link>,
    flight: Flight,
    spare: Spare,
    phases: Phases,
    tally: Tally,
}

impl<'a, Y: System, O: Observer> World<'a, Y, O> {
    fn new(scenario: &'a Scenario, recording: Option<&'a mut Recording<O>>, system: Y) -> Self {
        let site_names: Vec<&SiteName> = scenario.sites.keys().collect();
        let site_of = |name| site_names.binary_search(&name).expect("every device's site exists");
        World {
            scenario,
            system,
            recording,
            now: Instant::ZERO,
            queue: Queue::new(),
            names: scenario.devices.keys().collect(),
            server: Machine::new(scenario),
            devices: scenario.devices.values().map(|plan| Device::new(scenario, plan, site_of(&plan.site))).collect(),
            sites: scenario.sites.values().map(Site::new).collect(),
            site_names,
            links: Vec::new(),
            flight: Flight::default(),
            spare: Spare::default(),
            phases: Phases::new(scenario),
            tally: Tally::default(),
        }
    }

    fn run(mut self) -> Result<Tally, WorldError> {
        if let Some(recording) = &mut self.recording {
            recording.configured(self.now, &self.server.config);
        }
        self.start_server();
        for device in 0..self.devices.len() {
            self.start_process(device);
        }
        for (index, step) in self.scenario.steps.iter().enumerate() {
            self.queue.push(Instant::ZERO + step.at, script::class(&step.action), Due::Step(small(index)));
        }
        self.queue.push(Instant::ZERO + self.scenario.until, Class::Timer, Due::Look);
        for events in 1..=EVENTS_MAX {
            let Some((at, due)) = self.queue.pop() else {
                return Err(WorldError::Stuck { at: self.now });
            };
            self.now = at;
            if self.waits(due) {
                continue;
            }
            match due {
                Due::Step(index) => {
                    let scenario = self.scenario;
                    self.step(&scenario.steps[index as usize].action);
                }
                Due::StartServer => {
                    if !self.server.life.is_up() {
                        self.start_server();
                    }
                }
                Due::CarryOut(device) => self.carry_out(device as usize),
                Due::Arrival(place) => self.arrived(place),
                Due::Refused(link) => self.connect_failed(link as usize),
                Due::Stranger(link, times) => self.stranger_goes_on(link as usize, times),
                Due::Landing(life) => self.landing(life),
                Due::Committed(life) => self.committed(life),
                Due::Reopen(life) => self.reopen(life),
                Due::ServerTimer => self.server_timer(),
                Due::DeviceTimer(device) => self.device_timer(device as usize),
                Due::DeviceDisk(device) => self.device_disk(device as usize),
                Due::Look => {
                    let phase = match &mut self.recording {
                        Some(recording) => self.phases.look(self.now, recording),
                        None => Phase::Over,
                    };
                    match phase {
                        Phase::Heal { look_at } => {
                            self.heal();
                            self.queue.push(look_at, Class::Timer, Due::Look);
                        }
                        Phase::Wait { look_at } => self.queue.push(look_at, Class::Timer, Due::Look),
                        Phase::Over => return Ok(Tally { queue_events: events, ..self.tally }),
                    }
                }
            }
        }
        Err(WorldError::Endless { at: self.now })
    }

    fn effect(&mut self, effect: Effect) {
        if let Some(recording) = &mut self.recording {
            recording.effect(self.now, effect);
        }
    }

    fn device(&self, name: &DeviceName) -> usize {
        self.names.binary_search(&name).expect("a step's device exists")
    }

    fn site(&self, name: &SiteName) -> usize {
        self.site_names.binary_search(&name).expect("a step's site exists")
    }
}

/// Places in the world's lists are kept in 32 bits.
fn small(index: usize) -> u32 {
    u32::try_from(index).expect("a world holds under four billion of each kind")
}
