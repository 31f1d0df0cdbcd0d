//! What is shown of a user at rest is what their devices are.

use std::collections::{BTreeMap, BTreeSet};

use gatecrash::client::Status;
use gatecrash::protocol::Presence;

use super::answer::Rule;
use super::device::Device;
use super::outside::{End, Found, Outside, Report, Scene};
use super::standing::{Account, How, Life};
use crate::history::event::{Actor, Event, Identity, Request, Told, User, What};
use crate::history::{Channel, Channels, Comes, Head};

/// See the module.
pub(super) struct Shown {
    /// What each watcher was told of each user last, in which line, and when.
    told: BTreeMap<(User, Actor), (Presence, u64, u64)>,
    /// Where coming back is a login, who comes back knows nothing until it is told again.
    forgets: bool,
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
            forgets: head.promise.comes == Comes::Login,
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
                self.told.insert((user, event.actor), (presence, event.line, event.to));
            }
            What::Told { event: Told::ConnectSuccess, .. } if self.forgets => {
                self.told.retain(|(_, watcher), _| *watcher != event.actor);
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
            let told = self.told.range((*user, Actor(0))..=(*user, Actor(u32::MAX)));
            for (&(_, watcher), &(shown, line, since)) in told {
                if since.saturating_add(self.under_way) > at || !hears(end, watcher) {
                    continue;
                }
                judge(end, at, *user, watcher, &devices, (shown, line), report);
            }
        }
    }
}

/// Whether a watcher hears what there is to hear: one that logged in is connected; others have their own ways.
pub(super) fn hears(end: &End<'_>, watcher: Actor) -> bool {
    match end.devices.get(watcher.0 as usize).map(|device| (device, device.account)) {
        Some((device, Account::In(session))) => is_connected(device, session.user),
        Some((_, Account::Nobody(How::Unknown))) | None => true,
        Some(_) => false,
    }
}

/// What one watcher is shown of a user at rest, and by which line.
fn judge(
    end: &End<'_>,
    at: u64,
    user: User,
    watcher: Actor,
    devices: &[&Device],
    (shown, line): (Presence, u64),
    report: &mut Report,
) {
    let name = end.cast.users.name(user.0);
    let to = end.cast.actors.name(watcher.0);
    let to = if to.is_empty() { String::new() } else { format!(" to {to}") };
    let found = |text: String| Found {
        property: NAME,
        text: format!("{name} is shown {}{to}, and {text}", shown.word()),
        at,
        actor: name.to_owned(),
        lines: vec![line],
        place: None,
    };
    if devices.iter().any(|device| is_connected(device, user)) {
        report.check(SHOWN, shown == Presence::Online, || {
            found("one of their devices is logged in and connected".to_owned())
        });
    } else if devices.iter().all(|device| has_left(device)) {
        report
            .check(GHOST, shown != Presence::Online, || found("nobody is logged in as them on any device".to_owned()));
    }
}

fn is_connected(device: &Device, user: User) -> bool {
    matches!(device.account, Account::In(session) if session.user == user)
        && device.reaches.is_some()
        && !device.is_offline
        // Where the victim is closed out without a word, only the status says so.
        && device.status.is_none_or(|(status, who)| status == Status::Logined && who.is_none_or(|who| who == user))
}

/// Whether it runs, has a network, and has told the server of whatever it left: what a disk that was laid waste knew of is
/// left to its ticket.
fn has_left(device: &Device) -> bool {
    device.process == Life::Up
        && device.reaches.is_some()
        && device.identity == 0
        && matches!(device.account, Account::Nobody(How::LoggedOut | How::Kicked | How::Expired))
}
