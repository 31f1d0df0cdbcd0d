//! What is shown of a user at rest is what their devices are.

use std::collections::{BTreeMap, BTreeSet};

use gatecrash::protocol::Presence;

use super::answer::Rule;
use super::device::Device;
use super::outside::{End, Found, Outside, Report, Scene};
use super::standing::{Account, How, Life};
use crate::history::event::{Actor, Event, Identity, Request, User, What};
use crate::history::{Channel, Channels, Head};

/// See the module.
pub(super) struct Shown {
    /// What was told of each user last, in which line, and when.
    told: BTreeMap<User, (Presence, u64, u64)>,
    /// How long it may take until who is at rest has heard of it, in microseconds.
    under_way: u64,
    /// On which devices somebody ever logged in as them.
    devices: BTreeMap<User, BTreeSet<Actor>>,
    are_copied: bool,
}

const NAME: &str = "at rest a user is shown online who has a connected session, and nobody who has left everywhere";

const SHOWN: Rule = Rule::at("PRES-1");
const GHOST: Rule = Rule::at("PRES-2");

impl Shown {
    pub(super) fn new(head: &Head) -> Shown {
        let limits = &head.promise.limits;
        let under_way = limits.connect_timeout.map(|connect| connect + limits.late.unwrap_or_default());
        Shown {
            told: BTreeMap::new(),
            devices: BTreeMap::new(),
            under_way: under_way.map_or(0, |span| span.as_micros() as u64),
            are_copied: false,
        }
    }
}

impl Outside for Shown {
    fn name(&self) -> &'static str {
        NAME
    }

    fn rules(&self) -> &'static [Rule] {
        &[SHOWN, GHOST]
    }

    fn needs(&self) -> Channels {
        Channels::of(&[Channel::Calls, Channel::Events, Channel::Status, Channel::Process, Channel::Presence])
    }

    fn asked_when(&self) -> &'static str {
        "a settled history ends in which a user who logged in was shown"
    }

    fn see(&mut self, _: &Scene<'_>, event: &Event, _: &mut Report) {
        match event.what {
            What::Presence { user, presence, .. } => {
                self.told.insert(user, (presence, event.line, event.to));
            }
            What::Called { request: Request::Login { user, .. }, .. } => {
                self.devices.entry(user).or_default().insert(event.actor);
            }
            What::Identity(Identity::CopyOf(_)) => self.are_copied = true,
            _ => {}
        }
    }

    fn finish(&mut self, end: &End<'_>, report: &mut Report) {
        let Some((at, true)) = end.end else { return };
        if self.are_copied {
            return;
        }
        for (user, devices) in &self.devices {
            let devices: Vec<&Device> = devices.iter().filter_map(|actor| end.devices.get(actor.0 as usize)).collect();
            // Of whom nothing was ever told nothing may be shown.
            let Some(&(shown, line, since)) = self.told.get(user) else { continue };
            if since.saturating_add(self.under_way) > at {
                continue;
            }
            let found = |text: String| Found {
                property: NAME,
                text,
                at,
                actor: end.cast.users.name(user.0).to_owned(),
                lines: vec![line],
                place: None,
            };
            let name = end.cast.users.name(user.0);
            if devices.iter().any(|device| is_connected(device, *user)) {
                report.check(SHOWN, shown == Presence::Online, || {
                    found(format!(
                        "{name} is shown {}, and one of their devices is logged in and connected",
                        shown.word()
                    ))
                });
            } else if devices.iter().all(|device| has_left(device)) {
                report.check(GHOST, shown != Presence::Online, || {
                    found(format!("{name} is shown {}, and nobody is logged in as them on any device", shown.word()))
                });
            }
        }
    }
}

fn is_connected(device: &Device, user: User) -> bool {
    matches!(device.account, Account::In(session) if session.user == user)
        && device.reaches.is_some()
        && !device.is_offline
}

/// Whether it runs, has a network, and has told the server of whatever it left: what a disk that was laid waste knew of is
/// left to its ticket.
fn has_left(device: &Device) -> bool {
    device.process == Life::Up
        && device.reaches.is_some()
        && device.identity == 0
        && matches!(device.account, Account::Nobody(How::LoggedOut | How::Kicked | How::Expired))
}
