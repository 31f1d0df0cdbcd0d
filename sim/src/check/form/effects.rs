//! What becomes of the world by a fault of the script: it has its fault, of that device or site, and a link is as the faults
//! since left it.
//!
//! What comes of itself, such as the end of a server that was told to stop, or a refusal by a disk, is not looked at.

use std::collections::BTreeMap;
use std::time::Duration;

use gatecrash::time::Instant;

use super::Misfit;
use crate::scenario::Direction;
use crate::scenario::rules::{RuleId, rule};
use crate::trace::{ClockOf, Effect, Event, Fault, SiteIndex, What};

const RULE: RuleId = rule("CONN-10");

/// The faults of late, and what they left of the links.
pub(super) struct Effects {
    tick: Duration,
    recent: Vec<(Instant, Fault)>,
    /// When the script was over, and all that was broken was mended.
    healed_at: Option<Instant>,
    sites: BTreeMap<SiteIndex, Site>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Site {
    is_outbound_cut: bool,
    is_inbound_cut: bool,
    has_portal: bool,
}

impl Effects {
    pub(super) fn new(tick: Duration) -> Self {
        Effects { tick, recent: Vec::new(), healed_at: None, sites: BTreeMap::new() }
    }

    pub(super) fn observe(&mut self, event: &Event) -> Option<Misfit> {
        match event.what {
            What::Fault { fault } => {
                let tick = self.tick;
                self.recent.retain(|(at, _)| *at + tick * 2 >= event.at);
                self.recent.push((event.at, fault));
                self.befalls(fault);
                None
            }
            What::ScriptEnded => {
                self.healed_at = Some(event.at);
                self.sites.clear();
                None
            }
            What::Effect { effect } => {
                if let Effect::Link { site, outbound, inbound } = effect {
                    let Site { is_outbound_cut, is_inbound_cut, has_portal } =
                        self.sites.get(&site).copied().unwrap_or_default();
                    if (outbound, inbound) != (!is_outbound_cut && !has_portal, !is_inbound_cut && !has_portal) {
                        return Some((RULE, "a link is not as the faults left it".to_owned()));
                    }
                }
                let tick = self.tick;
                let is_now = |at: Instant| event.at <= at + tick * 2;
                let is_healing = is_healed(&effect) && self.healed_at.is_some_and(is_now);
                let has_fault = self.recent.iter().any(|(at, fault)| is_now(*at) && is_of(&effect, fault));
                let is_begun = event.at == Instant::ZERO && matches!(effect, Effect::ProcessUp { .. });
                (!is_healing && !has_fault && !is_begun && !comes_of_itself(&effect))
                    .then(|| (RULE, format!("{} by no fault of the script", effect.word())))
            }
            _ => None,
        }
    }

    fn befalls(&mut self, fault: Fault) {
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
            _ => {}
        }
    }
}

/// What may come without a fault of the moment.
fn comes_of_itself(effect: &Effect) -> bool {
    matches!(
        effect,
        Effect::ServerDead
            | Effect::ServerUp
            | Effect::DiskRefused
            | Effect::WriteTorn
            | Effect::DatabaseRepaired
            | Effect::Skipped { .. }
            | Effect::LinkForgotten { .. }
            | Effect::DeviceDiskRefused { .. }
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
        (Effect::Nothing, _)
        | (Effect::DiskPaced, Fault::SlowDisk { .. })
        | (Effect::DiskMended, Fault::MendDisk)
        | (Effect::ServerSuspended, Fault::SuspendServer)
        | (Effect::ServerWoken, Fault::WakeServer) => true,
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
