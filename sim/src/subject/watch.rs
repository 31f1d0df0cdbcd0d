//! Watches what becomes of the world, and writes down what of it a history has: processes, and who can reach the server.

use super::record::{Record, What};
use crate::scenario::Scenario;

use crate::trace::{Cast, DeviceIndex, Effect, Event, Fault, Observer, SiteIndex, What as Happened};

/// The state of links, as the world's effects have it.
pub(super) struct Watch {
    record: Record,
    sites: Vec<Site>,
    devices: Vec<Device>,
    is_server_up: bool,
    is_server_suspended: bool,
}

#[derive(Clone, Copy)]
struct Site {
    index: SiteIndex,
    is_open: bool,
    is_held: bool,
}

struct Device {
    index: DeviceIndex,
    name: String,
    site: SiteIndex,
    /// What was last written; none before anything was.
    was_up: Option<bool>,
}

impl Watch {
    pub(super) fn new(record: Record, scenario: &Scenario, cast: &Cast) -> Self {
        let site = |name: &str| cast.find_site(name).expect("the cast holds every site");
        let sites =
            scenario.sites.keys().map(|name| Site { index: site(name.as_str()), is_open: true, is_held: false });
        let devices = scenario.devices.iter().map(|(name, device)| Device {
            index: cast.find_device(name.as_str()).expect("the cast holds every device"),
            name: name.as_str().to_owned(),
            site: site(device.site.as_str()),
            was_up: None,
        });
        let (sites, devices) = (sites.collect(), devices.collect());
        Watch { record, sites, devices, is_server_up: false, is_server_suspended: false }
    }

    fn site(&mut self, index: SiteIndex) -> &mut Site {
        self.sites.iter_mut().find(|site| site.index == index).expect("every site is known")
    }

    fn name(&self, index: DeviceIndex) -> &str {
        &self.devices.iter().find(|device| device.index == index).expect("every device is known").name
    }

    fn process(&self, at: u64, device: DeviceIndex, process: &'static str) {
        self.record.push_at(at, Some(self.name(device)), What::Process { process });
    }

    fn note(&self, at: u64, text: &str) {
        self.record.push_at(at, None, What::Note(text.to_owned()));
    }

    /// Writes down for whom the way to the server is another one than it was.
    fn links(&mut self, at: u64) {
        let Watch { record, sites, devices, is_server_up, is_server_suspended } = self;
        for device in devices {
            let site = sites.iter().find(|site| site.index == device.site).expect("every site is known");
            let is_up = site.is_open && !site.is_held && *is_server_up && !*is_server_suspended;
            if device.was_up != Some(is_up) {
                device.was_up = Some(is_up);
                record.push_at(at, Some(&device.name), What::Link { link: if is_up { "up" } else { "down" } });
            }
        }
    }

    fn effect(&mut self, at: u64, effect: Effect) {
        match effect {
            Effect::ProcessUp { device } => self.process(at, device, "up"),
            Effect::ProcessDead { device } => self.process(at, device, "dead"),
            Effect::Suspended { device } => self.process(at, device, "suspended"),
            Effect::Woken { device } => self.process(at, device, "woken"),
            Effect::Moved { device, site } => {
                self.devices.iter_mut().filter(|it| it.index == device).for_each(|it| it.site = site);
            }
            Effect::Link { site, outbound, inbound } => self.site(site).is_open = outbound && inbound,
            Effect::LinkHeld { site } => self.site(site).is_held = true,
            Effect::Portal { site } => self.site(site).is_open = false,
            Effect::ServerUp => {
                self.is_server_up = true;
                self.note(at, "server up");
            }
            Effect::ServerDead => {
                (self.is_server_up, self.is_server_suspended) = (false, false);
                self.note(at, "server dead");
            }
            Effect::ServerSuspended => self.is_server_suspended = true,
            Effect::ServerWoken => self.is_server_suspended = false,
            // Nobody's process or way to the server is another one after these.
            Effect::Nothing
            | Effect::LatencyChanged { .. }
            | Effect::ConnectionReset { .. }
            | Effect::ClockMoved { .. }
            | Effect::DiskEmpty { .. }
            | Effect::DiskRefused
            | Effect::DiskPaced
            | Effect::DiskMended
            | Effect::WriteTorn
            | Effect::DatabaseRepaired
            | Effect::Skipped { .. }
            | Effect::LinkForgotten { .. }
            | Effect::DeviceDiskRefused { .. }
            | Effect::DeviceDiskPaced { .. }
            | Effect::DeviceDiskMended { .. }
            | Effect::RecordDamaged { .. }
            | Effect::CachesDamaged { .. }
            | Effect::DiskCopied { .. }
            | Effect::TimersPaced { .. }
            | Effect::Overheard { .. } => {}
        }
        self.links(at);
    }
}

impl Observer for Watch {
    fn observe(&mut self, _: &Cast, event: &Event) {
        let at = event.at.as_micros();
        match event.what {
            Happened::Effect { effect } => self.effect(at, effect),
            // Its effect is that of a repair.
            Happened::Fault { fault: Fault::Release { site } } => self.site(site).is_held = false,
            Happened::ScriptEnded => {
                self.sites.iter_mut().for_each(|site| site.is_held = false);
                self.note(at, "the script is over, and everything is mended");
            }
            _ => {}
        }
    }
}
