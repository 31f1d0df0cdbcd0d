//! The script's steps and faults, and what heals when it is over.
//!
//! What a fault does to frames under way is in `links`.

use std::time::Duration;

use gatecrash::{client, server};

use super::super::network::Network;
use super::life::Life;
use super::links::Site;
use super::{Class, Due, System, World};
use crate::scenario::clock::WallClock;
use crate::scenario::{Action, AppChange, Clock, Direction, Fault, Version};
use crate::trace::{DeviceIndex, Effect, Observer, SiteIndex};

/// When a step has its turn at its instant: first what befalls links, the server, clocks and the app,
/// then what devices do, each in the order of the file.
pub(super) fn class(action: &Action) -> Class {
    match action {
        Action::Call { .. } | Action::On { .. } | Action::Raw { .. } => Class::Device,
        Action::App(_) => Class::World,
        Action::Fault(fault) => {
            if fault.befalls_device() {
                Class::Device
            } else {
                Class::World
            }
        }
    }
}

impl<Y: System, O: Observer> World<'_, Y, O> {
    pub(super) fn step(&mut self, action: &Action) {
        match action {
            Action::Call { device, call } => self.call(self.device(device), call.clone()),
            Action::On { device, event, call } => {
                self.arm(self.device(device), *event, call);
            }
            Action::Raw { device, conduct } => self.stranger(self.device(device), *conduct),
            Action::Fault(fault) => {
                if let Some(recording) = &mut self.recording {
                    recording.script_fault(self.now, fault);
                }
                self.fault(fault);
            }
            Action::App(change) => self.configure(change),
        }
    }

    pub(super) fn configure(&mut self, change: &AppChange) {
        let config = &mut self.server.config;
        match change {
            AppChange::Policy(_) | AppChange::MaxInstances { .. } => {
                config.seats = change.seats_after(config.seats).expect("the parser refuses seats out of range");
            }
            AppChange::ReconnectKicks(on) => config.reconnect_kicks = *on,
            AppChange::NotifyOfflineKick(on) => config.notify_offline_kick = *on,
            AppChange::Administrators(users) => config.administrators = users.clone(),
            AppChange::DropOldKey => {
                self.server.accepts_old_key = false;
                if let Some(recording) = &mut self.recording {
                    recording.old_key_dropped(self.now);
                }
                return;
            }
        }
        let config = config.clone();
        if let Some(recording) = &mut self.recording {
            recording.configured(self.now, &config);
        }
        self.server_input(server::Input::Configured(config));
    }

    pub(super) fn fault(&mut self, fault: &Fault) {
        match fault {
            Fault::Partition { site, direction } => {
                let site = self.site(site);
                let (out, back) = match direction {
                    Direction::Both => (true, true),
                    Direction::Inbound => (false, true),
                    Direction::Outbound => (true, false),
                };
                self.cut(site, out, back);
                self.link_effect(site);
            }
            Fault::Repair { site } => {
                let site = self.site(site);
                self.repair(site);
            }
            Fault::Hold { site } => {
                let site = self.site(site);
                self.hold(site);
                self.effect(Effect::LinkHeld { site: SiteIndex::new(site) });
            }
            Fault::Release { site } => {
                let site = self.site(site);
                self.release(site);
            }
            Fault::Latency { site, latency } => {
                let site = self.site(site);
                self.sites[site].set_latency(*latency);
                self.effect(Effect::LatencyChanged { site: SiteIndex::new(site) });
            }
            Fault::CrashServer => self.crash_server(true),
            Fault::PowerLossServer => self.crash_server(false),
            Fault::PowerLossAt { point } => self.server.disk().fail_power_at(*point),
            Fault::PowerLossInDisk { operation } => self.server.disk().fail_power_in(*operation),
            Fault::DiskError { operation } | Fault::DiskFull { operation } => self.server.disk().refuse(*operation),
            Fault::SlowDisk { latency } => {
                self.server.pace = *latency;
                self.effect(Effect::DiskPaced);
            }
            Fault::MendDisk => self.mend_disk(),
            Fault::BounceServer { after } => {
                self.crash_server(true);
                self.queue.push(self.now + *after, Class::Owed, Due::StartServer);
            }
            Fault::StartServer => {
                if self.server.life.is_up() {
                    self.effect(Effect::Nothing);
                } else {
                    self.start_server();
                }
            }
            Fault::StopServer => self.stop_server(false),
            Fault::SuspendServer => self.suspend_server(),
            Fault::WakeServer => self.wake_server(),
            Fault::UpgradeServer { version: Version(version) } => {
                self.server.config.version = *version;
                self.replace_server();
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
                    self.effect(Effect::Suspended { device: DeviceIndex::new(device) });
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
                self.devices[device].storage.wipe();
                self.devices[device].outgoing = Default::default();
                self.effect(Effect::DiskEmpty { device: DeviceIndex::new(device) });
            }
            Fault::Clone { device, onto } => {
                let (device, onto) = (self.device(device), self.device(onto));
                let first = &self.devices[device];
                let (on_disk, outgoing) = (first.storage.on_disk.clone(), first.outgoing.clone());
                self.devices[onto].storage.on_disk = on_disk;
                self.devices[onto].outgoing.copy(outgoing);
                self.devices[onto].read_again();
                let (device, onto) = (DeviceIndex::new(device), DeviceIndex::new(onto));
                self.effect(Effect::DiskCopied { device, onto });
            }
            Fault::DeviceDiskError { device, operation } | Fault::DeviceDiskFull { device, operation } => {
                let (seed, index) = (self.scenario.seed, self.device(device));
                self.devices[index].storage.refuse(seed, device.as_str(), *operation);
            }
            Fault::DeviceSlowDisk { device, latency } => {
                let (seed, index) = (self.scenario.seed, self.device(device));
                self.devices[index].storage.slow_down(seed, device.as_str(), *latency);
                self.effect(Effect::DeviceDiskPaced { device: DeviceIndex::new(index) });
            }
            Fault::DeviceMendDisk { device } => self.mend_device_disk(self.device(device)),
            Fault::DamageRecord { device } => {
                let device = self.device(device);
                self.devices[device].storage.damage_record();
                self.effect(Effect::RecordDamaged { device: DeviceIndex::new(device) });
            }
            Fault::DamageCache { device } => {
                let device = self.device(device);
                self.devices[device].storage.damage_caches();
                self.effect(Effect::CachesDamaged { device: DeviceIndex::new(device) });
            }
            Fault::LateTimers { device, by } => self.gather_timers(self.device(device), *by),
            Fault::Portal { site } => {
                let site = self.site(site);
                self.sites[site].has_portal = true;
                for device in self.devices.iter_mut().filter(|device| device.network.site == site) {
                    // It is another network: what was made over the one before is dead.
                    device.network.number += 1;
                }
                self.effect(Effect::Portal { site: SiteIndex::new(site) });
            }
            Fault::Move { device, site } => {
                let (device, site) = (self.device(device), self.site(site));
                let network = &mut self.devices[device].network;
                if network.site == site {
                    return self.effect(Effect::Nothing);
                }
                *network = Network { site, number: network.number + 1 };
                self.effect(Effect::Moved { device: DeviceIndex::new(device), site: SiteIndex::new(site) });
            }
        }
    }

    pub(super) fn clock(&mut self, clock: &Clock) -> &mut WallClock {
        match clock {
            Clock::Server => &mut self.server.clock,
            Clock::Device(name) => {
                let device = self.device(name);
                &mut self.devices[device].clock
            }
        }
    }

    pub(super) fn clock_moved(&mut self, clock: &Clock) {
        let device = match clock {
            Clock::Server => None,
            Clock::Device(name) => Some(DeviceIndex::new(self.device(name))),
        };
        self.effect(Effect::ClockMoved { device });
        if device.is_none() {
            self.server_input(server::Input::ClockChanged);
        }
    }

    /// Everything is mended once the script is over.
    pub(super) fn heal(&mut self) {
        let usual = self.scenario.app.commit_latency;
        if let Some(disk) = &mut self.server.disk {
            disk.power_failed();
            if disk.needs_mending() || self.server.pace != usual {
                self.mend_disk();
            }
        }
        if self.server.standstill.is_some() {
            self.wake_server();
        }
        match &mut self.server.life {
            Life::Running => {}
            Life::Stopping { starts_again } => *starts_again = true,
            Life::Dead | Life::Stopped => self.start_server(),
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
            if !self.devices[device].storage.is_well() {
                self.mend_device_disk(device);
            }
            if self.devices[device].timers.are_late() {
                self.gather_timers(device, Duration::ZERO);
            }
            if self.devices[device].suspended {
                self.wake(device);
            } else {
                self.happened(device, client::Input::Woken);
            }
        }
    }

    fn gather_timers(&mut self, device: usize, by: Duration) {
        self.devices[device].timers.gather(self.now, by);
        self.effect(Effect::TimersPaced { device: DeviceIndex::new(device) });
        self.wake_in_time(device);
    }

    fn mend_device_disk(&mut self, device: usize) {
        self.devices[device].storage.mend();
        self.effect(Effect::DeviceDiskMended { device: DeviceIndex::new(device) });
    }

    fn mend_disk(&mut self) {
        self.server.disk().mend();
        self.server.pace = self.scenario.app.commit_latency;
        self.effect(Effect::DiskMended);
    }

    pub(super) fn link_effect(&mut self, site: usize) {
        let Site { is_outbound_cut, is_inbound_cut, has_portal, .. } = self.sites[site];
        let (outbound, inbound) = (!is_outbound_cut && !has_portal, !is_inbound_cut && !has_portal);
        self.effect(Effect::Link { site: SiteIndex::new(site), outbound, inbound });
    }

    pub(super) fn repair(&mut self, site: usize) {
        self.sites[site].is_outbound_cut = false;
        self.sites[site].is_inbound_cut = false;
        self.sites[site].has_portal = false;
        self.link_effect(site);
    }

    pub(super) fn release(&mut self, site: usize) {
        self.let_go(site);
        self.link_effect(site);
    }
}
