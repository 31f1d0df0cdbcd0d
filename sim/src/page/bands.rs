//! Faults as bands behind the lanes that they touch: from the effect that was seen to the one that ended it.
//!
//! A fault that is over at once is a mark, not a band.

use std::collections::BTreeMap;

use serde::Serialize;

use super::lanes::{Lanes, SERVER};
use crate::trace::{DeviceIndex, Effect, SiteIndex, Trace, What};

/// Something that is broken in a lane for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Band {
    /// In which lane.
    pub lane: usize,
    /// What: `cut`, `cut_out`, `cut_in`, `held`, `portal`, `dead`, `suspended`, `disk`, `late`.
    pub word: &'static str,
    /// The same in words.
    pub said: &'static str,
    /// Where it begins.
    pub from: usize,
    /// Where it ends, if it does.
    pub to: Option<usize>,
}

struct Bands<'a> {
    lanes: &'a Lanes,
    /// Where each device is now.
    sites: Vec<SiteIndex>,
    /// What is wrong with the link of each site now.
    broken: BTreeMap<SiteIndex, &'static str>,
    bands: Vec<Band>,
}

/// Every band.
pub fn bands(trace: &Trace, lanes: &Lanes) -> Vec<Band> {
    let sites = trace.cast.devices().iter().map(|device| device.site).collect();
    let mut bands = Bands { lanes, sites, broken: BTreeMap::new(), bands: Vec::new() };
    for (position, event) in trace.events.iter().enumerate() {
        if let What::Effect { effect } = event.what {
            bands.effect(position, effect);
        }
    }
    bands.bands
}

/// A band in words.
pub(super) fn said(word: &'static str) -> &'static str {
    match word {
        "cut" => "no link",
        "cut_out" => "nothing gets out",
        "cut_in" => "nothing gets in",
        "held" => "link held",
        "disk" => "disk fails",
        "late" => "timers late",
        word => word,
    }
}

/// What befalls the way to a site.
const OF_LINKS: [&str; 5] = ["cut", "cut_out", "cut_in", "held", "portal"];

impl Bands<'_> {
    fn effect(&mut self, position: usize, effect: Effect) {
        match effect {
            Effect::Link { site, outbound, inbound } => {
                let word = match (outbound, inbound) {
                    (true, true) => None,
                    (false, true) => Some("cut_out"),
                    (true, false) => Some("cut_in"),
                    (false, false) => Some("cut"),
                };
                self.link(position, site, word);
            }
            Effect::LinkHeld { site } => self.link(position, site, Some("held")),
            Effect::Portal { site } => self.link(position, site, Some("portal")),
            Effect::Moved { device, site } => {
                self.sites[device.index()] = site;
                let lane = self.lane(device);
                self.end(position, lane, &OF_LINKS);
                if let Some(&word) = self.broken.get(&site) {
                    self.begin(position, lane, word);
                }
            }
            Effect::ServerDead => {
                self.end(position, SERVER, &["suspended"]);
                self.begin(position, SERVER, "dead");
            }
            Effect::ServerUp => self.end(position, SERVER, &["dead"]),
            Effect::ServerSuspended => self.begin(position, SERVER, "suspended"),
            Effect::ServerWoken => self.end(position, SERVER, &["suspended"]),
            Effect::DiskRefused | Effect::DiskPaced => self.begin(position, SERVER, "disk"),
            Effect::DiskMended => self.end(position, SERVER, &["disk"]),
            Effect::ProcessDead { device } => {
                self.end(position, self.lane(device), &["suspended"]);
                self.begin(position, self.lane(device), "dead");
            }
            Effect::ProcessUp { device } => self.end(position, self.lane(device), &["dead"]),
            Effect::Suspended { device } => self.begin(position, self.lane(device), "suspended"),
            Effect::Woken { device } => self.end(position, self.lane(device), &["suspended"]),
            Effect::DeviceDiskRefused { device } | Effect::DeviceDiskPaced { device } => {
                self.begin(position, self.lane(device), "disk");
            }
            Effect::DeviceDiskMended { device } => self.end(position, self.lane(device), &["disk"]),
            Effect::TimersPaced { device } => {
                // It says both that timers run late from now on and that they do not any more.
                let lane = self.lane(device);
                let is_late = self.bands.iter().any(|band| band.is_open(lane, &["late"]));
                if is_late { self.end(position, lane, &["late"]) } else { self.begin(position, lane, "late") }
            }
            Effect::Nothing
            | Effect::LatencyChanged { .. }
            | Effect::ConnectionReset { .. }
            | Effect::ClockMoved { .. }
            | Effect::DiskEmpty { .. }
            | Effect::WriteTorn
            | Effect::DatabaseRepaired
            | Effect::Skipped { .. }
            | Effect::LinkForgotten { .. }
            | Effect::Overheard { .. }
            | Effect::RecordDamaged { .. }
            | Effect::CachesDamaged { .. }
            | Effect::DiskCopied { .. } => {}
        }
    }

    fn lane(&self, device: DeviceIndex) -> usize {
        self.lanes.device(device).expect("an effect is on a device of the scenario")
    }

    /// The link of a site is so from now on.
    fn link(&mut self, position: usize, site: SiteIndex, word: Option<&'static str>) {
        match word {
            Some(word) => drop(self.broken.insert(site, word)),
            None => drop(self.broken.remove(&site)),
        }
        for device in (0..self.sites.len()).filter(|&device| self.sites[device] == site).collect::<Vec<_>>() {
            let lane = self.lane(DeviceIndex::new(device));
            if word.is_some_and(|word| self.bands.iter().any(|band| band.is_open(lane, &[word]))) {
                continue;
            }
            self.end(position, lane, &OF_LINKS);
            if let Some(word) = word {
                self.begin(position, lane, word);
            }
        }
    }

    fn begin(&mut self, position: usize, lane: usize, word: &'static str) {
        if !self.bands.iter().any(|band| band.is_open(lane, &[word])) {
            self.bands.push(Band { lane, word, said: said(word), from: position, to: None });
        }
    }

    fn end(&mut self, position: usize, lane: usize, words: &[&str]) {
        for band in self.bands.iter_mut().filter(|band| band.is_open(lane, words)) {
            band.to = Some(position);
        }
    }
}

impl Band {
    fn is_open(&self, lane: usize, words: &[&str]) -> bool {
        self.lane == lane && self.to.is_none() && words.contains(&self.word)
    }
}
