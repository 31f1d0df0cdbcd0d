//! A login is told of a displacement while no process of its device ran, where that is switched on, and only of one that its
//! device has not heard of.

use std::collections::{BTreeMap, BTreeSet};

use super::answer::Rule;
use super::outside::{Found, Outside, Report, Scene};
use crate::history::event::{Actor, Event, Identity, Outcome, Process, Request, Told, User, What};
use crate::history::{Channel, Channels};

/// See the module.
#[derive(Default)]
pub(super) struct Notified {
    /// The users of whose sessions on this device an end may be owed.
    owed: BTreeMap<Actor, BTreeSet<User>>,
    /// Since when a policy or a disk is another, nobody knows what is owed.
    is_unsure: bool,
}

const NAME: &str =
    "a login is told of a displacement only where that is switched on, and of a session that its device had";

const OFFLINE: Rule = Rule::at("KICK-7");

/// What a login is told then.
const DISPLACED: u32 = 6208;

impl Outside for Notified {
    fn name(&self) -> &'static str {
        NAME
    }

    fn rules(&self) -> &'static [Rule] {
        &[OFFLINE]
    }

    fn needs(&self) -> Channels {
        Channels::of(&[Channel::Calls, Channel::Events, Channel::Status, Channel::Process])
    }

    fn asked_when(&self) -> &'static str {
        "a login is refused for a displacement of before"
    }

    fn see(&mut self, scene: &Scene<'_>, event: &Event, report: &mut Report) {
        match event.what {
            What::Answered { outcome, .. } => {
                let Some(open) = scene.open else { return };
                let Request::Login { user, .. } = open.request else { return };
                match outcome {
                    Outcome::Failed { code: Some(DISPLACED) } if scene.head.codes => {
                        let owed = self.owed.entry(event.actor).or_default().remove(&user);
                        if self.is_unsure {
                            return;
                        }
                        let is_on = scene.head.promise.notify_offline_kick;
                        report.check(OFFLINE, is_on && owed, || {
                            let why = if is_on {
                                "it had no such session that it knew of"
                            } else {
                                "that is not switched on"
                            };
                            let text = format!(
                                "a login of {} on {} was refused for a displacement of before, and {why}",
                                scene.user(user),
                                scene.actor(event)
                            );
                            Found::at(NAME, scene, event, Some(open.line), text)
                        });
                    }
                    // An SDK says that it has the answer; one whose caller gave up has none. That it was told of the end
                    // it cannot say while its disk refuses to note it (ATT-5).
                    Outcome::Done { .. } | Outcome::Unknown => {
                        self.owed.entry(event.actor).or_default().insert(user);
                    }
                    Outcome::Failed { .. } => {}
                }
            }
            What::Told { event: Told::ConnectSuccess, user: Some(user), .. } => {
                self.owed.entry(event.actor).or_default().insert(user);
            }
            // The process may have had an answer that nobody lived to hear of.
            What::Process(Process::Dead | Process::Up) => {
                for open in &scene.device.calls {
                    if let Request::Login { user, .. } = open.request {
                        self.owed.entry(event.actor).or_default().insert(user);
                    }
                }
            }
            What::Identity(Identity::CopyOf(_)) | What::PolicyChanged { .. } => self.is_unsure = true,
            _ => {}
        }
    }
}
