//! Attempts to connect: each is told when it begins, and how it ended.

use super::answer::Rule;
use super::outside::{Found, Outside, Report, Scene};
use super::standing::{Account, Purpose};
use crate::history::event::{Event, Outcome, Told, What};
use crate::history::{Channel, Channels};
use crate::scenario::CallKind;

/// See the module.
pub(super) struct Connecting;

const NAME: &str = "every connecting has one end, and nothing ends that did not begin";

const PAIR: Rule = Rule::at("CONN-3");

impl Outside for Connecting {
    fn name(&self) -> &'static str {
        NAME
    }

    fn rules(&self) -> &'static [Rule] {
        &[PAIR]
    }

    fn needs(&self) -> Channels {
        Channels::of(&[Channel::Calls, Channel::Events])
    }

    fn asked_when(&self) -> &'static str {
        "an attempt to connect begins or ends; a login is answered"
    }

    fn see(&mut self, scene: &Scene<'_>, event: &Event, report: &mut Report) {
        let found = |line: Option<u64>, text: &str| Found::at(NAME, scene, event, line, text);
        match event.what {
            What::Told { event: told, .. } => {
                let is_known = matches!(scene.device.account, Account::In(_) | Account::Pending(_));
                let is_blurred = !scene.device.sees_status() && scene.device.waits(CallKind::Login);
                if !is_known || is_blurred {
                    return;
                }
                let open = scene.device.connecting.is_some();
                match told {
                    Told::ConnectSuccess => report
                        .check(PAIR, open, || found(None, "connect_success was told, and no connecting before it")),
                    Told::ConnectFailed { .. } => {
                        report.check(PAIR, open, || found(None, "connect_failed was told, and no connecting before it"))
                    }
                    Told::Connecting => {
                        report.check(PAIR, !open, || found(None, "connecting was told twice, and no end in between"))
                    }
                    _ => {}
                }
            }
            What::Answered { outcome: Outcome::Done { .. }, .. } => {
                let Some(open) = scene.open else { return };
                let is_own = matches!(open.purpose, Purpose::Login(login) if scene.device.is_of(login));
                if is_own && scene.device.sees_status() {
                    let is_told = scene.device.connecting.is_none() && matches!(scene.device.account, Account::In(_));
                    report.check(PAIR, is_told, || {
                        found(Some(open.line), "a login succeeded, and connect_success was not told before its result")
                    });
                }
            }
            _ => {}
        }
    }
}
