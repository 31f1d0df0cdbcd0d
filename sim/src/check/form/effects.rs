//! What becomes of the world by a fault of the script: each has its effect, as the world stands, and what comes of itself
//! has its reason.
//!
//! A world goes from tick to tick, and some faults are carried out later in one: an effect may come two ticks after its
//! fault, and at one instant in another order.

use std::collections::BTreeMap;
use std::time::Duration;

use gatecrash::time::Instant;

use super::{Misfit, unfit};
use crate::check::grown::grown;
use crate::scenario::rules::{RuleId, rule};
use crate::scenario::{Direction, Scenario};
use crate::trace::{ClockOf, DeviceIndex, Effect, Event, Fault, SiteIndex, What};

const RULE: RuleId = rule("CONN-10");

/// The world as its effects tell it, and the faults whose effect is to come.
pub(super) struct Effects {
    tick: Duration,
    has_tls: bool,
    awaited: Vec<Awaited>,
    /// When the script was over, and all that was broken was mended.
    healed_at: Option<Instant>,
    sites: BTreeMap<SiteIndex, Site>,
    devices: Vec<Device>,
    server: Server,
    /// Sites where a box on the way forgets idle connections, by their place.
    forgetful: Vec<bool>,
}

/// A fault, whether it may have found nothing to break, and whether it is taken to have done so.
struct Awaited {
    at: Instant,
    fault: Fault,
    may_be_nothing: bool,
    is_nothing: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct Site {
    is_outbound_cut: bool,
    is_inbound_cut: bool,
    has_portal: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct Device {
    is_up: bool,
    is_suspended: bool,
    site: usize,
    /// Whether it has been where idle connections are forgotten.
    is_forgotten: bool,
    /// Its disk was told to refuse something.
    refuses: bool,
}

#[derive(Clone, Debug, Default)]
struct Server {
    is_up: bool,
    is_suspended: bool,
    /// Its operator has told it to stop.
    stops: bool,
    starts_again: bool,
    /// The power is to go at some time.
    power_fails: bool,
    /// Its disk was told to refuse something.
    refuses: bool,
    /// When it last died.
    died_at: Option<Instant>,
    /// When it is to be started again.
    bounces: Vec<Instant>,
}

impl Effects {
    pub(super) fn new(scenario: &Scenario, tick: Duration) -> Self {
        let sites: Vec<_> = scenario.sites.keys().collect();
        let forgetful: Vec<bool> = scenario.sites.values().map(|site| site.forgets_idle.is_some()).collect();
        let devices = scenario.devices.values().map(|device| {
            let site = sites.iter().position(|site| **site == device.site).unwrap_or_default();
            Device { site, is_forgotten: forgetful.get(site).copied().unwrap_or_default(), ..Device::default() }
        });
        Effects {
            tick,
            has_tls: scenario.app.tls,
            awaited: Vec::new(),
            healed_at: None,
            sites: BTreeMap::new(),
            devices: devices.collect(),
            server: Server::default(),
            forgetful,
        }
    }

    pub(super) fn observe(&mut self, event: &Event) -> Option<Misfit> {
        let found = self.settle(event.at);
        if found.is_some() {
            return found;
        }
        match event.what {
            What::Fault { fault } => {
                self.befalls(event.at, fault);
                None
            }
            What::ScriptEnded => {
                self.healed_at = Some(event.at);
                self.sites.clear();
                None
            }
            What::Effect { effect } => self.effect(event.at, &effect),
            _ => None,
        }
    }

    /// Whether every fault has had its effect whose time is over.
    fn settle(&mut self, now: Instant) -> Option<Misfit> {
        let over = |one: &Awaited| now > one.at + self.tick * 2;
        if !self.awaited.iter().any(over) {
            return None;
        }
        // Who wakes at the instant of being frozen was never frozen; and the end of the script wakes everybody.
        let is_woken = |one: &Awaited| match one.fault {
            Fault::Suspend { device } => {
                let wakes = |other: &Awaited| other.at == one.at && other.fault == Fault::Wake { device };
                self.healed_at == Some(one.at) || self.awaited.iter().any(wakes)
            }
            _ => false,
        };
        let lacks_effect = |one: &Awaited| over(one) && !one.is_nothing && has_effect(&one.fault) && !is_woken(one);
        let lacking = self.awaited.iter().find(|one| lacks_effect(one)).map(|one| one.fault);
        let tick = self.tick;
        self.awaited.retain(|one| now <= one.at + tick * 2);
        lacking.map(|fault| unfit(RULE, format!("the fault {} had no effect", fault.word())))
    }

    fn befalls(&mut self, at: Instant, fault: Fault) {
        let may_be_nothing = self.finds_nothing(&fault);
        self.awaited.push(Awaited { at, fault, may_be_nothing, is_nothing: false });
        match fault {
            Fault::Partition { site, direction } => {
                let site = self.sites.entry(site).or_default();
                site.is_outbound_cut |= direction != Direction::Inbound;
                site.is_inbound_cut |= direction != Direction::Outbound;
            }
            Fault::Repair { site } => {
                self.sites.remove(&site);
            }
            Fault::Portal { site } => self.sites.entry(site).or_default().has_portal = true,
            Fault::PowerLossAt { .. } | Fault::PowerLossInDisk { .. } => self.server.power_fails = true,
            Fault::DiskError { .. } | Fault::DiskFull { .. } => self.server.refuses = true,
            Fault::DeviceDiskError { device, .. } | Fault::DeviceDiskFull { device, .. } => {
                self.device(device).refuses = true;
            }
            Fault::BounceServer { after } => {
                self.server.bounces.push(at + Duration::from_micros(after.get()));
            }
            Fault::StopServer if self.server.is_up => self.server.stops = true,
            Fault::UpgradeServer { .. } => (self.server.stops, self.server.starts_again) = (true, true),
            _ => {}
        }
    }

    /// Whether the fault has nothing to break or heal, as the world is.
    fn finds_nothing(&self, fault: &Fault) -> bool {
        let device = |device: DeviceIndex| self.devices.get(device.index()).copied().unwrap_or_default();
        let Server { is_up, is_suspended, stops, .. } = self.server;
        match *fault {
            Fault::Start { device: of } => device(of).is_up,
            Fault::Kill { device: of } => !device(of).is_up,
            Fault::Suspend { device: of } => !device(of).is_up || device(of).is_suspended,
            Fault::Wake { device: of } => !device(of).is_suspended,
            // Which connections there are below those of the SDK no event says.
            Fault::Reset { .. } => true,
            Fault::Move { device: of, site } => device(of).site == site.index(),
            Fault::StartServer => is_up,
            Fault::CrashServer | Fault::PowerLossServer | Fault::BounceServer { .. } => !is_up,
            Fault::StopServer => !is_up || stops,
            Fault::SuspendServer => !is_up || is_suspended,
            Fault::WakeServer => !is_suspended,
            _ => false,
        }
    }

    fn effect(&mut self, at: Instant, effect: &Effect) -> Option<Misfit> {
        if let Effect::Link { site, outbound, inbound } = *effect {
            let Site { is_outbound_cut, is_inbound_cut, has_portal } =
                self.sites.get(&site).copied().unwrap_or_default();
            if (outbound, inbound) != (!is_outbound_cut && !has_portal, !is_inbound_cut && !has_portal) {
                return Some(unfit(RULE, "a link is not as the faults left it".to_owned()));
            }
        }
        if *effect == Effect::Nothing {
            for place in 0..self.awaited.len() {
                let finds_nothing = self.finds_nothing(&self.awaited[place].fault);
                self.awaited[place].may_be_nothing |= finds_nothing;
            }
            // One that is to be started again may have been started meanwhile.
            let is_late = |due: &Instant| *due <= at && at <= *due + self.tick * 2;
            let is_up_again = self.server.is_up && self.server.bounces.iter().any(is_late);
            // The power that is to go at some time finds that the server has just stopped by itself.
            let is_without_power = self.server.power_fails && self.server.died_at.iter().any(is_late);
            let is_known = self.nothing_came() || is_up_again || is_without_power;
            return (!is_known).then(|| unfit(RULE, "nothing came of a fault that had something to break".to_owned()));
        }
        let is_possible = self.is_possible(effect);
        let its = self.comes_of(effect);
        let is_healing = is_healed(effect) && self.healed_at.is_some_and(|healed| at <= healed + self.tick * 2);
        let has_reason = its || is_healing || self.comes_of_itself(at, effect) || self.comes_of_nothing(effect);
        self.becomes(at, effect);
        if !has_reason {
            return Some(unfit(RULE, format!("{} by no fault of the script", effect.word())));
        }
        (!is_possible).then(|| unfit(RULE, format!("{} of what was so already, or cannot be", effect.word())))
    }

    /// A fault of late found nothing to break: the last one that may have, as far as can be told, and of those one that has
    /// to have an effect before one that need not. Says whether there is one.
    fn nothing_came(&mut self) -> bool {
        let may_be_it = |one: &Awaited| one.may_be_nothing && !one.is_nothing;
        let has_to = |one: &Awaited| may_be_it(one) && has_effect(&one.fault);
        let place = self.awaited.iter().rposition(has_to).or_else(|| self.awaited.iter().rposition(may_be_it));
        place.map(|place| self.awaited[place].is_nothing = true).is_some()
    }

    /// Whether the effect is that of a fault of late, which has had it then.
    fn comes_of(&mut self, effect: &Effect) -> bool {
        let is_its = |one: &Awaited| is_of(effect, &one.fault) && !one.is_nothing;
        let place = self.awaited.iter().position(is_its);
        place.map(|place| self.awaited.remove(place)).is_some()
    }

    /// Whether it is that of one that was taken to have found nothing, where another may have found nothing in its place.
    fn comes_of_nothing(&mut self, effect: &Effect) -> bool {
        let place = self.awaited.iter().position(|one| is_of(effect, &one.fault));
        place.map(|place| self.awaited.remove(place)).is_some() && self.nothing_came()
    }

    /// Whether that can become of the world as it is.
    fn is_possible(&self, effect: &Effect) -> bool {
        let device = |device: DeviceIndex| self.devices.get(device.index()).copied().unwrap_or_default();
        let Server { is_up, is_suspended, .. } = self.server;
        match *effect {
            Effect::ServerUp => !is_up,
            Effect::ServerDead => is_up,
            Effect::ServerSuspended => is_up && !is_suspended,
            Effect::ServerWoken => is_suspended,
            Effect::ProcessUp { device: of } => !device(of).is_up,
            Effect::ProcessDead { device: of } => device(of).is_up,
            Effect::Suspended { device: of } => device(of).is_up && !device(of).is_suspended,
            Effect::Woken { device: of } => device(of).is_suspended,
            Effect::Moved { device: of, site } => device(of).site != site.index(),
            _ => true,
        }
    }

    /// Whether that may come without a fault of the moment.
    fn comes_of_itself(&self, at: Instant, effect: &Effect) -> bool {
        let device = |device: DeviceIndex| self.devices.get(device.index()).copied().unwrap_or_default();
        let Server { stops, starts_again, power_fails, refuses, died_at, ref bounces, .. } = self.server;
        let is_due = |due: &Instant| *due <= at && at <= *due + self.tick * 2;
        match *effect {
            Effect::ProcessUp { .. } => at == Instant::ZERO,
            Effect::ServerUp => {
                at == Instant::ZERO || starts_again || self.healed_at.is_some() || bounces.iter().any(is_due)
            }
            Effect::ServerDead => stops || power_fails,
            Effect::DiskRefused => refuses,
            Effect::WriteTorn => power_fails,
            Effect::DatabaseRepaired => died_at.is_some() || refuses,
            Effect::Skipped { device: of } => !device(of).is_up,
            Effect::LinkForgotten { device: of } => device(of).is_forgotten,
            Effect::Overheard { .. } => self.has_tls,
            Effect::DeviceDiskRefused { device: of } => device(of).refuses,
            _ => false,
        }
    }

    fn becomes(&mut self, at: Instant, effect: &Effect) {
        match *effect {
            Effect::ServerUp => {
                let server = &mut self.server;
                (server.is_up, server.is_suspended, server.stops, server.starts_again) = (true, false, false, false);
            }
            Effect::ServerDead => {
                let server = &mut self.server;
                (server.is_up, server.is_suspended, server.stops) = (false, false, false);
                server.died_at = Some(at);
            }
            Effect::ServerSuspended => self.server.is_suspended = true,
            Effect::ServerWoken => self.server.is_suspended = false,
            Effect::ProcessUp { device } => self.device(device).is_up = true,
            Effect::ProcessDead { device } => {
                let device = self.device(device);
                (device.is_up, device.is_suspended) = (false, false);
            }
            Effect::Suspended { device } => self.device(device).is_suspended = true,
            Effect::Woken { device } => self.device(device).is_suspended = false,
            Effect::Moved { device, site } => {
                let is_forgetful = self.forgetful.get(site.index()).copied().unwrap_or_default();
                let device = self.device(device);
                device.site = site.index();
                device.is_forgotten |= is_forgetful;
            }
            Effect::DeviceDiskMended { device } => self.device(device).refuses = false,
            _ => {}
        }
    }

    fn device(&mut self, device: DeviceIndex) -> &mut Device {
        grown(&mut self.devices, device.index())
    }
}

/// Whether something comes of the fault at once, and be it nothing.
fn has_effect(fault: &Fault) -> bool {
    !matches!(
        fault,
        Fault::PowerLossAt { .. }
            | Fault::PowerLossInDisk { .. }
            | Fault::DiskError { .. }
            | Fault::DiskFull { .. }
            | Fault::DeviceDiskError { .. }
            | Fault::DeviceDiskFull { .. }
            | Fault::StopServer
            | Fault::UpgradeServer { .. }
    )
}

/// What the end of the script brings, too.
fn is_healed(effect: &Effect) -> bool {
    matches!(
        effect,
        Effect::DiskMended
            | Effect::ServerWoken
            | Effect::Link { .. }
            | Effect::DeviceDiskMended { .. }
            | Effect::TimersPaced { .. }
            | Effect::Woken { .. }
    )
}

/// Whether this is what comes of that fault.
fn is_of(effect: &Effect, fault: &Fault) -> bool {
    match (*effect, *fault) {
        (Effect::DiskPaced, Fault::SlowDisk { .. })
        | (Effect::DiskMended, Fault::MendDisk)
        | (Effect::ServerSuspended, Fault::SuspendServer)
        | (Effect::ServerWoken, Fault::WakeServer)
        | (Effect::ServerUp, Fault::StartServer)
        | (Effect::ServerDead, Fault::CrashServer | Fault::PowerLossServer | Fault::BounceServer { .. }) => true,
        (Effect::ProcessDead { device }, Fault::Kill { device: of })
        | (Effect::ProcessUp { device }, Fault::Start { device: of })
        | (Effect::Suspended { device }, Fault::Suspend { device: of })
        | (Effect::Woken { device }, Fault::Wake { device: of })
        | (Effect::ConnectionReset { device }, Fault::Reset { device: of })
        | (Effect::DiskEmpty { device }, Fault::Wipe { device: of })
        | (Effect::RecordDamaged { device }, Fault::DamageRecord { device: of })
        | (Effect::CachesDamaged { device }, Fault::DamageCache { device: of })
        | (Effect::DeviceDiskPaced { device }, Fault::DeviceSlowDisk { device: of, .. })
        | (Effect::DeviceDiskMended { device }, Fault::DeviceMendDisk { device: of })
        | (Effect::TimersPaced { device }, Fault::LateTimers { device: of, .. }) => device == of,
        (Effect::LinkHeld { site }, Fault::Hold { site: of })
        | (Effect::LatencyChanged { site }, Fault::Latency { site: of, .. })
        | (
            Effect::Link { site, .. },
            Fault::Partition { site: of, .. } | Fault::Repair { site: of } | Fault::Release { site: of },
        )
        | (Effect::Portal { site }, Fault::Portal { site: of }) => site == of,
        (
            Effect::ClockMoved { device },
            Fault::Skew { clock: ClockOf(of), .. } | Fault::Drift { clock: ClockOf(of), .. },
        ) => device == of,
        (Effect::Moved { device, site }, Fault::Move { device: of, site: to }) => (device, site) == (of, to),
        (Effect::DiskCopied { device, onto }, Fault::Clone { device: of, onto: to }) => (device, onto) == (of, to),
        _ => false,
    }
}
