//! Faults of a script as faults of events.

use super::Recording;
use crate::scenario::{self, Clock, DeviceName, SiteName};
use crate::trace::{DeviceIndex, Fault, Micros, Observer, SignedMicros, SiteIndex};

impl<O: Observer> Recording<O> {
    pub(super) fn fault(&mut self, fault: &scenario::Fault) -> Fault {
        match fault {
            scenario::Fault::Partition { site, direction } => {
                Fault::Partition { site: self.site(site), direction: *direction }
            }
            scenario::Fault::Repair { site } => Fault::Repair { site: self.site(site) },
            scenario::Fault::Hold { site } => Fault::Hold { site: self.site(site) },
            scenario::Fault::Release { site } => Fault::Release { site: self.site(site) },
            scenario::Fault::Latency { site, latency } => {
                Fault::Latency { site: self.site(site), min: Micros::from(latency.min), max: Micros::from(latency.max) }
            }
            scenario::Fault::CrashServer => Fault::CrashServer,
            scenario::Fault::BounceServer { after } => Fault::BounceServer { after: Micros::from(*after) },
            scenario::Fault::StartServer => Fault::StartServer,
            scenario::Fault::PowerLossServer => Fault::PowerLossServer,
            scenario::Fault::PowerLossAt { point } => Fault::PowerLossAt { point: *point },
            scenario::Fault::PowerLossInDisk { operation } => Fault::PowerLossInDisk { operation: *operation },
            scenario::Fault::DiskError { operation } => Fault::DiskError { operation: *operation },
            scenario::Fault::DiskFull { operation } => Fault::DiskFull { operation: *operation },
            scenario::Fault::SlowDisk { latency } => {
                Fault::SlowDisk { min: Micros::from(latency.min), max: Micros::from(latency.max) }
            }
            scenario::Fault::MendDisk => Fault::MendDisk,
            scenario::Fault::Reset { device } => Fault::Reset { device: self.called(device) },
            scenario::Fault::Kill { device } => Fault::Kill { device: self.called(device) },
            scenario::Fault::Start { device } => Fault::Start { device: self.called(device) },
            scenario::Fault::Suspend { device } => Fault::Suspend { device: self.called(device) },
            scenario::Fault::Wake { device } => Fault::Wake { device: self.called(device) },
            scenario::Fault::Skew { clock, by } => {
                Fault::Skew { device: self.clock(clock), by: SignedMicros::new(by.0) }
            }
            scenario::Fault::Drift { clock, ppm } => Fault::Drift { device: self.clock(clock), ppm: *ppm },
            scenario::Fault::Wipe { device } => Fault::Wipe { device: self.called(device) },
        }
    }

    pub(super) fn clock(&self, clock: &Clock) -> Option<DeviceIndex> {
        match clock {
            Clock::Server => None,
            Clock::Device(device) => Some(self.called(device)),
        }
    }

    pub(super) fn called(&self, device: &DeviceName) -> DeviceIndex {
        self.cast.find_device(device.as_str()).expect("a fault names a device of the scenario")
    }

    pub(super) fn site(&self, site: &SiteName) -> SiteIndex {
        self.cast.find_site(site.as_str()).expect("a fault names a site of the scenario")
    }
}
