//! Nothing of another account reaches an application.

use super::answer::Rule;
use super::outside::{Found, Outside, Report, Scene};
use super::standing::Account;
use super::terminal::word;
use crate::history::event::{Event, Told, What};
use crate::history::{Channel, Channels};
use crate::scenario::CallKind;

/// See the module.
pub(super) struct OneAccount;

const NAME: &str = "an application is told nothing of an account but its own";

const SWITCH: Rule = Rule::at("SWITCH-2");
const SILENT: Rule = Rule::at("SWITCH-3");

impl Outside for OneAccount {
    fn name(&self) -> &'static str {
        NAME
    }

    fn rules(&self) -> &'static [Rule] {
        &[SWITCH, SILENT]
    }

    fn needs(&self) -> Channels {
        Channels::of(&[Channel::Calls, Channel::Events])
    }

    fn asked_when(&self) -> &'static str {
        "an event names a user"
    }

    fn see(&mut self, scene: &Scene<'_>, event: &Event, report: &mut Report) {
        let What::Told { event: told, user, .. } = event.what else { return };
        // Without the status nobody can tell whether a switch was refused by the SDK, and changed nothing.
        if !scene.device.sees_status() && scene.device.waits(CallKind::Login) {
            return;
        }
        let own = match scene.device.account {
            Account::In(session) => session.user,
            Account::Pending(pending) if scene.device.sees_status() => pending.user,
            Account::Pending(_) | Account::Nobody(_) | Account::Unsure => return,
        };
        let is_end = matches!(told, Told::KickedOffline { .. });
        if let Some(user) = user {
            let rule = if is_end { SILENT } else { SWITCH };
            report.check(rule, user == own, || {
                let text = format!(
                    "{} of {} was told while the account was {}",
                    word(told),
                    scene.user(user),
                    scene.user(own)
                );
                Found::at(NAME, scene, event, None, text)
            });
        }
        if let Told::Message { from: Some(from), to: Some(to), .. } = told {
            report.check(SWITCH, from == own || to == own, || {
                let text = format!(
                    "a message from {} to {} was told while the account was {}",
                    scene.user(from),
                    scene.user(to),
                    scene.user(own)
                );
                Found::at(NAME, scene, event, None, text)
            });
        }
    }
}
