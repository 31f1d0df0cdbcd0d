//! The script's steps and faults, and what heals when it is over.
//!
//! What a fault does to frames under way is in `links`.

use std::mem;

use gatecrash::{client, server};

use super::super::clock::WallClock;
use super::super::tickets;
use super::{Class, Kept, Site, What, World};
use crate::scenario::{Action, AppChange, Clock, Direction, Fault};
use crate::trace::Effect;

impl World<'_> {
    pub(super) fn step(&mut self, action: &Action) {
        match action {
            Action::Call { device, call } => {
                let device = self.device(device);
                self.call(device, call.clone());
                self.push(self.now, Class::CarryOn, What::CarryOn(device));
            }
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

    pub(super) fn fault(&mut self, fault: &Fault) {
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
                self.lose_under_way(site, out, back);
                self.link_effect(site);
            }
            Fault::Repair { site } => {
                let site = self.site(site);
                self.repair(site);
            }
            Fault::Hold { site } => {
                let site = self.site(site);
                self.sites[site].is_held = true;
                self.keep_under_way(site);
                self.effect(Effect::LinkHeld { site: self.sites[site].index });
            }
            Fault::Release { site } => {
                let site = self.site(site);
                self.release(site);
            }
            Fault::Latency { site, latency } => {
                let site = self.site(site);
                self.sites[site].latency = *latency;
                self.effect(Effect::LatencyChanged { site: self.sites[site].index });
            }
            Fault::CrashServer => self.crash_server(true),
            Fault::PowerLossServer => self.crash_server(false),
            Fault::BounceServer { after } => {
                self.crash_server(true);
                if after.is_zero() {
                    self.start_server();
                } else {
                    self.push(self.now + *after, Class::World, What::StartServer);
                }
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
                    self.push(self.now, Class::CarryOn, What::CarryOn(device));
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
                self.push(self.now, Class::CarryOn, What::CarryOn(device));
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
            Clock::Device(name) => Some(self.devices[self.device(name)].index),
        };
        self.effect(Effect::ClockMoved { device });
        if device.is_none() {
            self.server_input(server::Input::ClockChanged);
        }
    }

    /// Everything is mended once the script is over.
    pub(super) fn heal(&mut self) {
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
    }

    pub(super) fn heal_devices(&mut self) {
        for device in 0..self.devices.len() {
            if self.devices[device].suspended {
                self.wake(device);
            }
            self.take_input(device, client::Input::NetworkChanged);
            self.push(self.now, Class::CarryOn, What::CarryOn(device));
        }
    }

    // ---- links ----

    pub(super) fn link_effect(&self, site: usize) {
        let Site { index, is_outbound_cut, is_inbound_cut, .. } = self.sites[site];
        self.effect(Effect::Link { site: index, outbound: !is_outbound_cut, inbound: !is_inbound_cut });
    }

    pub(super) fn repair(&mut self, site: usize) {
        self.sites[site].is_outbound_cut = false;
        self.sites[site].is_inbound_cut = false;
        self.link_effect(site);
    }

    pub(super) fn release(&mut self, site: usize) {
        self.sites[site].is_held = false;
        self.link_effect(site);
        for (number, link, kept) in mem::take(&mut self.sites[site].kept) {
            let now = self.now;
            let state = &mut self.links[link];
            match kept {
                Kept::Up(message) => {
                    state.last_upward = now;
                    state.upward.push_back((number, now, message));
                    self.push(now, Class::Input, What::Upward(link));
                }
                Kept::Down(message) => {
                    state.last_downward = now;
                    state.downward.push_back((number, now, message));
                    self.push(now, Class::Input, What::Downward(link));
                }
            }
        }
    }
}
