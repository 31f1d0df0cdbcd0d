//! Epochs: each names one session of its user, they grow, and what is told of a session names its own.

use std::collections::{BTreeMap, VecDeque};

use super::answer::Rule;
use super::outside::{Found, Outside, Report, Scene};
use super::standing::Account;
use crate::history::event::{Actor, Event, Identity, Told, User, What};
use crate::history::{Channel, Channels};

/// See the module.
#[derive(Default)]
pub(super) struct Epochs {
    /// Of each user the highest epochs that were told, each with when; a later one is higher.
    highest: BTreeMap<User, VecDeque<(u64, u64, u64)>>,
    /// The epoch that each device was told of last, with its session's user and login.
    told: BTreeMap<Actor, (User, u64, u64)>,
    /// Two devices may be one to the server.
    are_copied: bool,
}

/// How many are remembered of each user.
const REMEMBERED: usize = 64;

const NAME: &str = "an epoch is that of one session, and a later login has a higher one";

const GROWS: Rule = Rule::at("DUR-3");
const NAMED: Rule = Rule::at("KICK-2");

impl Outside for Epochs {
    fn name(&self) -> &'static str {
        NAME
    }

    fn rules(&self) -> &'static [Rule] {
        &[GROWS, NAMED]
    }

    fn needs(&self) -> Channels {
        Channels::of(&[Channel::Calls, Channel::Events, Channel::Status, Channel::Process])
    }

    fn asked_when(&self) -> &'static str {
        "a login after another's result is told to have succeeded, or a kick is told, with their epochs"
    }

    fn see(&mut self, scene: &Scene<'_>, event: &Event, report: &mut Report) {
        let found = |line: Option<u64>, text: String| Found::at(NAME, scene, event, line, text);
        match event.what {
            What::Told { event: Told::ConnectSuccess, user: Some(user), epoch: Some(epoch) } => {
                // The status comes first: where that is seen, the session is there already.
                let (login, of) = match scene.device.account {
                    Account::Pending(pending) => (pending.login, pending.user),
                    Account::In(session) => (session.login, session.user),
                    Account::Nobody(_) | Account::Unsure => return,
                };
                if of != user {
                    return;
                }
                self.told.insert(event.actor, (user, login, epoch));
                // Coming back has no call that waits for it.
                if let Some(open) = scene.device.calls.iter().find(|open| open.purpose.is(login)) {
                    let before = open.from.saturating_sub(scene.skew.saturating_mul(2));
                    let highest = self.highest.entry(user).or_default();
                    let last = highest.iter().rev().find(|(at, ..)| *at < before);
                    if let Some(&(_, higher, line)) = last.filter(|_| !self.are_copied) {
                        report.check(GROWS, epoch > higher, || {
                            let name = scene.user(user);
                            let before = format!("one that was told before it was called has {higher}");
                            found(Some(line), format!("a login of {name} has epoch {epoch}, and {before}"))
                        });
                    }
                    if highest.back().is_none_or(|(_, last, _)| *last < epoch) {
                        highest.push_back((event.to, epoch, event.line));
                        if highest.len() > REMEMBERED {
                            highest.pop_front();
                        }
                    }
                }
            }
            What::Told { event: Told::KickedOffline { .. } | Told::UserSigExpired, user, epoch: Some(epoch) } => {
                let Account::In(session) = scene.device.account else { return };
                let Some(&(of, login, own)) = self.told.get(&event.actor) else { return };
                if of == session.user && login == session.login && user.is_none_or(|user| user == of) {
                    report.check(NAMED, epoch == own, || {
                        let text = format!("the end of epoch {epoch} was told, and the session has epoch {own}");
                        found(None, text)
                    });
                }
            }
            What::Process(_) => {
                self.told.remove(&event.actor);
            }
            What::Identity(Identity::CopyOf(_)) => self.are_copied = true,
            _ => {}
        }
    }
}
