//! Who did not prove to be the server is told nothing, and the SDK says so: that, and not that there is no link (TLS-2).
//!
//! What the application is told then is the form's business and the model's, as with every attempt that fails.

use std::collections::BTreeMap;

use gatecrash::time::Instant;

use super::contract::Property;
use super::report::Report;
use super::scene::Scene;
use crate::check::grown::grown;
use crate::scenario::Scenario;
use crate::scenario::rules::{RuleId, rule};
use crate::trace::{DeviceIndex, Effect, Event, SiteIndex, What};

const PROOF: RuleId = rule("TLS-2");

pub(super) struct Proofs {
    has_tls: bool,
    /// Whether somebody else answers there, by site.
    portals: Vec<bool>,
    devices: Vec<Device>,
}

#[derive(Clone, Default)]
struct Device {
    site: usize,
    /// Who is to answer the attempts of which nothing has come yet, by connection.
    attempts: BTreeMap<u32, Answerer>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Answerer {
    Server,
    Portal,
    /// Anybody: a portal, had the connection not been reset, or were it there by then.
    Nobody,
}

impl Proofs {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let sites: Vec<_> = scenario.sites.keys().collect();
        let devices = scenario.devices.values().map(|device| {
            let site = sites.iter().position(|site| **site == device.site).unwrap_or_default();
            Device { site, ..Device::default() }
        });
        Proofs { has_tls: scenario.app.tls, portals: vec![false; sites.len()], devices: devices.collect() }
    }

    fn device(&mut self, device: DeviceIndex) -> &mut Device {
        grown(&mut self.devices, device.index())
    }

    fn set_portal(&mut self, site: SiteIndex, is_there: bool) {
        *grown(&mut self.portals, site.index()) = is_there;
    }

    fn becomes(&mut self, effect: Effect) {
        match effect {
            Effect::Portal { site } => self.set_portal(site, true),
            // A portal lets nothing through either way.
            Effect::Link { site, outbound, inbound } if outbound || inbound => self.set_portal(site, false),
            Effect::Moved { device, site } => self.device(device).site = site.index(),
            Effect::ConnectionReset { device } => {
                let attempts = self.device(device).attempts.values_mut();
                attempts.filter(|one| **one == Answerer::Portal).for_each(|one| *one = Answerer::Nobody);
            }
            Effect::ProcessUp { device } => self.device(device).attempts.clear(),
            _ => {}
        }
    }
}

impl Property for Proofs {
    sentence!(Always, "who cannot prove to be the server is told nothing, and is found out", "TLS-2");
    watches!("effect", "connect_asked", "connected", "connect_failed", "untrusted");

    fn observe(&mut self, scene: &Scene<'_>, event: &Event, report: &mut Report) {
        if let What::Effect { effect: Effect::Overheard { device } } = event.what {
            let text = format!("somebody who is not the server can read what {} says", scene.device(device));
            return report.event(PROOF, event, text);
        }
        if let What::Effect { effect } = event.what {
            return self.becomes(effect);
        }
        let Some((on, _)) = scene.actor else { return };
        let has_tls = self.has_tls;
        let is_behind_portal =
            self.devices.get(on.index()).and_then(|device| self.portals.get(device.site)) == Some(&true);
        let attempts = &mut self.device(on).attempts;
        let answerer = match event.what {
            What::ConnectAsked { connection } => {
                let answerer = match is_behind_portal {
                    // It begins to listen when everybody begins.
                    true if event.at == Instant::ZERO => Answerer::Nobody,
                    true => Answerer::Portal,
                    false => Answerer::Server,
                };
                attempts.insert(connection, answerer);
                return;
            }
            What::Connected { connection } | What::ConnectFailed { connection } | What::Untrusted { connection } => {
                attempts.remove(&connection)
            }
            _ => return,
        };
        let device = scene.device(on);
        let text = match (event.what, answerer) {
            (What::Untrusted { .. }, _) if !has_tls => format!("{device} wants a proof where nobody speaks TLS"),
            (What::Untrusted { .. }, Some(Answerer::Server)) => {
                format!("{device} does not take the server for who it is")
            }
            (What::Connected { .. }, Some(Answerer::Portal)) if has_tls => {
                format!("{device} takes somebody else for the server")
            }
            (What::ConnectFailed { .. }, Some(Answerer::Portal)) if has_tls => {
                format!("{device} takes somebody who answers, and is not the server, for no link")
            }
            _ => return,
        };
        report.event(PROOF, event, text);
    }
}

#[cfg(test)]
mod tests {
    use super::super::story::*;
    use super::*;

    fn home() -> SiteIndex {
        SiteIndex::new(0)
    }

    fn secured() -> Story {
        Story::from(|scenario| {
            let mut scenario = scenario.clone();
            scenario.app.tls = true;
            Proofs::new(&scenario)
        })
    }

    fn asked(story: Story) -> Story {
        story.on(PHONE, What::ConnectAsked { connection: 3 })
    }

    fn behind_portal() -> Story {
        asked(secured().effect(Effect::Portal { site: home() }).at(1))
    }

    const CONNECTED: What = What::Connected { connection: 3 };
    const FAILED: What = What::ConnectFailed { connection: 3 };
    const UNTRUSTED: What = What::Untrusted { connection: 3 };

    /// TLS-2
    #[test]
    fn a_device_that_takes_a_portal_for_the_server_or_for_no_link_is_seen() {
        behind_portal().on(PHONE, CONNECTED).breaks("TLS-2");
        behind_portal().on(PHONE, FAILED).breaks("TLS-2");
        behind_portal().on(PHONE, UNTRUSTED).holds();
        behind_portal().effect(Effect::ConnectionReset { device: PHONE.into() }).on(PHONE, FAILED).holds();
        let repaired = Effect::Link { site: home(), outbound: true, inbound: true };
        asked(secured().effect(Effect::Portal { site: home() }).effect(repaired)).on(PHONE, CONNECTED).holds();
        let portal = Story::from(Proofs::new).effect(Effect::Portal { site: home() });
        asked(portal).on(PHONE, CONNECTED).holds();
    }

    /// TLS-2
    #[test]
    fn a_device_that_does_not_trust_the_server_is_seen() {
        asked(secured()).on(PHONE, UNTRUSTED).breaks("TLS-2");
        asked(secured()).on(PHONE, FAILED).holds();
        asked(Story::from(Proofs::new)).on(PHONE, UNTRUSTED).breaks("TLS-2");
    }

    /// TLS-2
    #[test]
    fn a_word_that_somebody_else_can_read_is_seen() {
        secured().effect(Effect::Overheard { device: PHONE.into() }).breaks("TLS-2");
        secured().holds();
    }
}
