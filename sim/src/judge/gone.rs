//! Whoever comes back hears how the session ended, and not that there never was one.

use std::collections::BTreeMap;
use std::time::Duration;

use gatecrash::protocol::KickReason;

use super::answer::Rule;
use super::outside::{Found, Outside, Report, Scene};
use super::standing::Account;
use crate::history::event::{Actor, Event, Identity, Told, What};
use crate::history::{Channel, Channels, Head};

/// See the module.
pub(super) struct Gone {
    /// For how long after a ticket's end a server knows why the session ended, in microseconds.
    remembered: Option<u64>,
    /// Since when a server takes a device for the one that it is.
    new: BTreeMap<Actor, u64>,
    /// A device that is one with another to the server may end the other's session; and one that came back may have a new
    /// session that it was not told of (KICK-6).
    is_unsure: bool,
}

const NAME: &str = "a session is called gone only when a server may have forgotten it";

const REASON: Rule = Rule::at("KICK-9");

impl Gone {
    pub(super) fn new(head: &Head) -> Gone {
        let remembered = head.promise.limits.remembered.map(|span: Duration| span.as_micros() as u64);
        Gone { remembered, new: BTreeMap::new(), is_unsure: head.promise.reconnect_kicks }
    }
}

impl Outside for Gone {
    fn name(&self) -> &'static str {
        NAME
    }

    fn rules(&self) -> &'static [Rule] {
        &[REASON]
    }

    fn needs(&self) -> Channels {
        Channels::of(&[Channel::Calls, Channel::Events, Channel::Status, Channel::Process])
    }

    fn asked_when(&self) -> &'static str {
        "a device is told that its session is gone, and the first line says for how long ends are remembered"
    }

    fn see(&mut self, scene: &Scene<'_>, event: &Event, report: &mut Report) {
        match event.what {
            What::Identity(identity) => {
                self.new.insert(event.actor, event.to);
                self.is_unsure |= matches!(identity, Identity::CopyOf(_));
            }
            What::PolicyChanged { .. } => self.is_unsure = true,
            What::Told { event: Told::KickedOffline { reason: Some(KickReason::Gone), .. }, .. } => {
                let (Account::In(session), Some(remembered)) = (scene.device.account, self.remembered) else { return };
                if self.is_unsure || self.new.get(&event.actor).is_some_and(|&new| new >= session.since) {
                    return;
                }
                // Its ticket was good when it let somebody in.
                let age = event.to.saturating_add(scene.skew.saturating_mul(2)).saturating_sub(session.since);
                report.check(REASON, age > remembered, || {
                    let text = format!(
                        "{} was told that the session of {} is gone, {:.3} s after it had begun, and how it ended is \
                         remembered for longer",
                        scene.actor(event),
                        scene.user(session.user),
                        age as f64 / 1e6
                    );
                    Found::at(NAME, scene, event, None, text)
                });
            }
            _ => {}
        }
    }
}
