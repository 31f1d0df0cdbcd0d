//! The script's steps and faults, and what heals when it is over.
//!
//! What befalls links, the server and clocks is done here, between turmoil's steps; what befalls a device is done
//! on the host of its site, so that what is dropped and woken there is the host's.

use std::cmp::Reverse;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use super::super::network::Network;
use super::command::Command;
use super::place::Shared;
use super::process::{Process, Processes};
use super::software::Software;
use super::{SERVER, Site, World, host};
use crate::scenario::clock::WallClock;
use crate::scenario::{Action, Call, Clock, Direction, Fault, Init, Span, Version};
use crate::trace::Effect;

impl<S: Software> World<'_, S> {
    pub(super) fn step(&mut self, action: &Action) {
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
            Action::App(change) => self.software.configure(self.now(), self.recorder, change),
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
            Fault::StopServer => self.stop_server(),
            Fault::SuspendServer => self.suspend_server(),
            Fault::WakeServer => self.wake_server(),
            Fault::UpgradeServer { version: Version(version) } => {
                self.software.upgrade(*version);
                self.replace_server();
            }
            Fault::Portal { site } => {
                let site = self.site(site);
                self.sites[site].has_portal = true;
                self.shared.set_portal(site, true);
                self.effect(Effect::Portal { site: self.sites[site].index });
                // On another network, though where they are.
                let name = self.sites[site].name.clone();
                let is_here = |device: &usize| self.shared.network(*device).site == site;
                let here: Vec<usize> = (0..self.devices.len()).filter(is_here).collect();
                for device in here {
                    let fault = Fault::Move { device: self.devices[device].clone(), site: name.clone() };
                    self.command(device, Command::Fault(fault));
                }
            }
            Fault::Reset { device }
            | Fault::Kill { device }
            | Fault::Start { device }
            | Fault::Suspend { device }
            | Fault::Wake { device }
            | Fault::Wipe { device }
            | Fault::DamageRecord { device }
            | Fault::DamageCache { device } => self.command(self.device(device), Command::Fault(fault.clone())),
            Fault::Clone { onto, .. } => self.command(self.device(onto), Command::Fault(fault.clone())),
            Fault::DeviceDiskError { device, operation } | Fault::DeviceDiskFull { device, operation } => {
                let seed = self.scenario.seed;
                self.shared.storage(self.device(device)).refuse(seed, device.as_str(), *operation);
            }
            Fault::DeviceSlowDisk { device, latency } => {
                let (seed, index) = (self.scenario.seed, self.device(device));
                self.shared.storage(index).slow_down(seed, device.as_str(), *latency);
                self.effect(Effect::DeviceDiskPaced { device: self.shared.index(index) });
            }
            Fault::DeviceMendDisk { device } => self.mend_device_disk(self.device(device)),
            Fault::LateTimers { device, by } => self.shared.gather_timers(self.device(device), self.now(), *by),
            Fault::Move { device, site } => {
                let (device, site) = (self.device(device), self.site(site));
                let left = *self.shared.network(device);
                if left.site == site {
                    return self.effect(Effect::Nothing);
                }
                *self.shared.network(device) = Network { site, number: left.number + 1 };
                self.effect(Effect::Moved { device: self.shared.index(device), site: self.sites[site].index });
                // What the script still has for it there comes along; strangers were there already.
                let waiting: Vec<_> = std::iter::from_fn(|| self.sites[left.site].inbox.pop()).collect();
                for (whose, command) in waiting {
                    let stays = whose != device || matches!(command, Command::Stranger(_));
                    self.sites[if stays { left.site } else { site }].inbox.push(whose, command);
                }
                self.command(device, Command::Fault(fault.clone()));
            }
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
                self.software.clock_changed();
            }
            Clock::Device(name) => {
                let device = self.device(name);
                self.shared.change_device_clock(device, change);
                self.effect(Effect::ClockMoved { device: Some(self.shared.index(device)) });
            }
        }
    }

    /// Everything is mended once the script is over.
    pub(super) fn heal(&mut self) {
        self.shared.disk.keep_power();
        if self.shared.disk.needs_mending(self.scenario.app.commit_latency) {
            self.fault(&Fault::MendDisk);
        }
        if self.shared.standstill.is_on() {
            self.wake_server();
        }
        self.starts_again = true;
        if !self.is_server_running() {
            self.start_server();
        }
        for site in 0..self.sites.len() {
            if self.sites[site].is_held {
                self.release(site);
            }
            if self.sites[site].is_outbound_cut || self.sites[site].is_inbound_cut || self.sites[site].has_portal {
                self.repair(site);
            }
        }
        for device in 0..self.devices.len() {
            if !self.shared.storage(device).is_well() {
                self.mend_device_disk(device);
            }
            if self.shared.are_timers_late(device) {
                self.shared.gather_timers(device, self.now(), Duration::ZERO);
            }
            self.command(device, Command::Heal);
        }
    }

    fn mend_device_disk(&self, device: usize) {
        self.shared.storage(device).mend();
        self.effect(Effect::DeviceDiskMended { device: self.shared.index(device) });
    }

    fn link_effect(&self, site: usize) {
        let Site { index, is_outbound_cut, is_inbound_cut, has_portal, .. } = self.sites[site];
        let (outbound, inbound) = (!is_outbound_cut && !has_portal, !is_inbound_cut && !has_portal);
        self.effect(Effect::Link { site: index, outbound, inbound });
    }

    fn repair(&mut self, site: usize) {
        self.sites[site].is_outbound_cut = false;
        self.sites[site].is_inbound_cut = false;
        self.sites[site].has_portal = false;
        self.shared.set_portal(site, false);
        self.set_partitions(site);
        self.link_effect(site);
    }

    /// Puts turmoil's link as the script has it.
    pub(super) fn set_partitions(&self, site: usize) {
        let Site { name, is_outbound_cut, is_inbound_cut, is_held, .. } = &self.sites[site];
        self.shared.set_outbound_cut(site, *is_outbound_cut);
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
}

/// Does to a device what befalls it. It runs on the host of its site.
pub(super) fn befall<S: Software>(
    software: &Rc<S>,
    shared: &Arc<Shared>,
    processes: &mut Processes<S>,
    device: usize,
    fault: &Fault,
) {
    let index = shared.index(device);
    let effect = |effect| shared.recorder.effect(shared.now(), effect);
    let process = processes.get_mut(&device);
    match (fault, process) {
        (Fault::Start { .. }, None) => {
            effect(Effect::ProcessUp { device: index });
            let mut process = Process::start(software, shared, device);
            if shared.plan(device).1.init == Init::Auto {
                process.call(&Call::Init);
            }
            processes.insert(device, process);
        }
        (Fault::Kill { .. }, Some(_)) => {
            effect(Effect::ProcessDead { device: index });
            let not_made = processes.remove(&device).expect("just looked at").kill();
            (0..not_made).for_each(|_| effect(Effect::Skipped { device: index }));
        }
        (Fault::Suspend { .. }, Some(process)) if !process.is_frozen() => {
            process.freeze();
            effect(Effect::Suspended { device: index });
        }
        (Fault::Wake { .. }, Some(process)) if process.is_frozen() => {
            effect(Effect::Woken { device: index });
            process.wake();
        }
        (Fault::Reset { .. }, Some(process)) => {
            let was_cut = process.place.reset();
            effect(if was_cut { Effect::ConnectionReset { device: index } } else { Effect::Nothing });
        }
        (Fault::Wipe { .. }, _) => {
            shared.wipe(device);
            software.wiped(device);
            effect(Effect::DiskEmpty { device: index });
        }
        (Fault::Clone { device: first, .. }, process) => {
            let first = shared.find(first);
            shared.copy_disk(first, device);
            software.copied(first, device);
            if let Some(process) = process {
                process.read_again();
            }
            effect(Effect::DiskCopied { device: shared.index(first), onto: index });
        }
        (Fault::DamageRecord { .. }, _) => {
            shared.storage(device).damage_record();
            effect(Effect::RecordDamaged { device: index });
        }
        (Fault::DamageCache { .. }, _) => {
            shared.storage(device).damage_caches();
            effect(Effect::CachesDamaged { device: index });
        }
        // Its driver is polled here from now on: the host decides over which link it connects.
        (Fault::Move { .. }, Some(process)) => process.run_here(),
        (Fault::Move { .. }, None) => {}
        (Fault::Start { .. } | Fault::Suspend { .. } | Fault::Wake { .. }, Some(_))
        | (Fault::Kill { .. } | Fault::Suspend { .. } | Fault::Wake { .. } | Fault::Reset { .. }, None) => {
            effect(Effect::Nothing);
        }
        _ => unreachable!("`{fault}` befalls no device"),
    }
}
