//! A session ends for its application once, and after that there is nothing of it.

use super::answer::Rule;
use super::outside::{Found, Outside, Report, Scene};
use super::standing::{Account, How};
use crate::history::event::{Event, Told, What};
use crate::history::{Channel, Channels};
use crate::scenario::CallKind;

/// See the module.
pub(super) struct Terminal;

const NAME: &str = "a session's end is told once, its calls end before that, and nothing follows unasked";

const KICK: Rule = Rule::at("KICK-1");
const QUIET: Rule = Rule::at("KICK-4");
const EXPIRED: Rule = Rule::at("TICKET-8");
const ONCE: Rule = Rule::at("EVENT-1");
const LOGOUT: Rule = Rule::at("LOGOUT-1");
const UNINIT: Rule = Rule::at("INIT-3");
const FAILED: Rule = Rule::at("LOGIN-9");
const FRESH: Rule = Rule::at("INIT-6");
const VICTIM: Rule = Rule::at("KICK-10");

impl Outside for Terminal {
    fn name(&self) -> &'static str {
        NAME
    }

    fn rules(&self) -> &'static [Rule] {
        &[KICK, QUIET, EXPIRED, ONCE, LOGOUT, UNINIT, FAILED, FRESH, VICTIM]
    }

    fn needs(&self) -> Channels {
        Channels::of(&[Channel::Calls, Channel::Events])
    }

    fn asked_when(&self) -> &'static str {
        "an end is told; a call is made after one"
    }

    fn see(&mut self, scene: &Scene<'_>, event: &Event, report: &mut Report) {
        let found = |line: Option<u64>, text: String| Found::at(NAME, scene, event, line, text);
        match event.what {
            What::Told { event: told, .. } => {
                let is_kick = matches!(told, Told::KickedOffline { .. });
                let is_end = is_kick || told == Told::UserSigExpired;
                let word = word(told);
                if !scene.device.sees_status() && scene.device.waits(CallKind::Login) {
                    return;
                }
                match scene.device.account {
                    Account::In(_) if is_end => {
                        report.asked(ONCE);
                        if is_kick {
                            report.asked(KICK);
                        }
                    }
                    Account::In(_) | Account::Unsure | Account::Nobody(How::Unknown) => {}
                    Account::Pending(pending) if is_end => report.check(KICK, false, || {
                        found(None, format!("{word} was told while {} was still logging in", scene.user(pending.user)))
                    }),
                    Account::Pending(_) => {}
                    Account::Nobody(how @ (How::Kicked | How::Expired)) if is_end => report.check(ONCE, false, || {
                        let before = if how == How::Kicked { "a kick" } else { "an expiry" };
                        found(None, format!("{word} was told, after {before} of the same session"))
                    }),
                    Account::Nobody(how) => {
                        let (rule, after) = match how {
                            How::Kicked => (QUIET, "its kick"),
                            How::Expired => (EXPIRED, "its expiry"),
                            How::LoggedOut => (LOGOUT, "its logout"),
                            How::Uninit => (UNINIT, "uninit"),
                            How::Failed => (FAILED, "a login that failed"),
                            How::Fresh => (FRESH, "the start of its process, and before any login"),
                            How::Unknown => return,
                        };
                        report.check(rule, false, || found(None, format!("{word} was told after {after}")));
                    }
                }
            }
            What::Called { .. } => {
                // Whatever was quiet until now has been asked.
                match scene.device.account {
                    Account::Nobody(How::Kicked) => report.asked(QUIET),
                    Account::Nobody(How::Expired) => report.asked(EXPIRED),
                    Account::Nobody(How::LoggedOut) => report.asked(LOGOUT),
                    Account::Nobody(How::Failed) => report.asked(FAILED),
                    _ => {}
                }
            }
            What::Answered { .. } => {
                let Some(open) = scene.open else { return };
                if open.outlived && open.request.kind() != CallKind::Logout {
                    report.broken(
                        ONCE,
                        found(
                            Some(open.line),
                            format!(
                                "{} had its result after the end of its session was told",
                                open.request.kind().word()
                            ),
                        ),
                    );
                }
            }
            _ => {}
        }
    }
}

/// An event in a word.
pub(super) fn word(told: Told) -> &'static str {
    match told {
        Told::Connecting => "connecting",
        Told::ConnectSuccess => "connect_success",
        Told::ConnectFailed { .. } => "connect_failed",
        Told::KickedOffline { .. } => "kicked_offline",
        Told::UserSigExpired => "user_sig_expired",
        Told::Message { .. } => "a message",
        Told::MessagesDropped => "messages_dropped",
    }
}
