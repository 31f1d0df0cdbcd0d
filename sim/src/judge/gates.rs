//! What the state of an application forbids is refused, and nothing is refused for a state that there is not.

use super::answer::Rule;
use super::outside::{Found, Outside, Report, Scene, code as shown};
use super::standing::Purpose;
use crate::history::event::{Event, Outcome, Request, What};
use crate::history::{Channel, Channels};
use crate::scenario::CallKind;

/// See the module.
pub(super) struct Gates;

const NAME: &str = "a call that the state forbids is refused with its code, and no other call is";

const PENDING: Rule = Rule::at("LOGIN-4");
const LOGOUT: Rule = Rule::at("LOGOUT-4");
const USER: Rule = Rule::at("LOGIN-2");
const ARGUMENT: Rule = Rule::at("API-4");
const LOCAL: Rule = Rule::at("LOGOUT-2");
const CANCEL: Rule = Rule::at("LOGOUT-3");

/// Codes that a device's own storage can give to anything (ATT-5).
const STORAGE: u32 = 6022;

/// What every call that waits gets from `uninit`.
const UNINIT: u32 = 7009;

/// The longest text of a message, in bytes.
const TEXT_MAX: u32 = 12 * 1024;

impl Outside for Gates {
    fn name(&self) -> &'static str {
        NAME
    }

    fn rules(&self) -> &'static [Rule] {
        const { &[Rule::at("INIT-1"), Rule::at("INIT-4"), PENDING, LOGOUT, Rule::at("API-1"), USER, ARGUMENT, LOCAL, CANCEL] }
    }

    fn needs(&self) -> Channels {
        Channels::of(&[Channel::Calls])
    }

    fn asked_when(&self) -> &'static str {
        "a call is answered that the state forbids, or refused for a state; a logout or a login is answered"
    }

    fn see(&mut self, scene: &Scene<'_>, event: &Event, report: &mut Report) {
        let What::Answered { outcome, .. } = event.what else { return };
        let Some(open) = scene.open else { return };
        let kind = open.request.kind();
        // Of a process that nobody saw start it is not known whether it has called `init`.
        let may_be_new = scene.device.may_be_new(&Request::Init { platform: None });
        let found = |text: String| Found::at(NAME, scene, event, Some(open.line), text);
        if let Some(gate) = open.gate {
            let holds = match outcome {
                Outcome::Unknown => return,
                Outcome::Done { .. } => false,
                Outcome::Failed { code } => code.is_none_or(|code| {
                    !scene.head.codes
                        || gate.codes.contains(&code)
                        || matches!(code, STORAGE | UNINIT)
                        || is_argument(code)
                        || code == 6013 && may_be_new
                }),
            };
            report.check(gate.rule, holds, || {
                found(format!(
                    "{} was {}: it has to be refused with {}, for {}",
                    kind.word(),
                    said(outcome),
                    shown(gate.codes[0]),
                    gate.why
                ))
            });
            return;
        }
        match (open.request, outcome) {
            // A system with codes of its own has names of its own, too.
            (Request::Login { user, .. }, Outcome::Done { .. }) if scene.head.codes => {
                let name = scene.user(user);
                report.check(USER, is_user(name), || {
                    found(format!("a login of {name:?} was accepted, which is no user id"))
                });
            }
            (Request::Send { length, .. }, Outcome::Done { .. }) if scene.head.codes => {
                report.check(ARGUMENT, length <= TEXT_MAX, || {
                    found(format!("a text of {length} bytes was sent, and 12 KiB are the most"))
                });
            }
            _ => {}
        }
        let Outcome::Failed { code: Some(code) } = outcome else {
            if open.request == Request::Logout && matches!(outcome, Outcome::Done { .. }) {
                report.asked(LOCAL);
            }
            return;
        };
        if !scene.head.codes {
            return;
        }
        match (kind, code) {
            // A renewal is pending like a login.
            (CallKind::Login, 7501)
                if scene.device.sees_status()
                    && scene
                        .device
                        .calls
                        .iter()
                        .all(|other| other.call == open.call || other.request.kind() != CallKind::Login) =>
            {
                report.check(PENDING, false, || {
                    found("a login was refused for one that is pending, and none was".to_owned())
                })
            }
            (CallKind::Login | CallKind::Logout, 7502) if open.beside_logout => report.asked(LOGOUT),
            (CallKind::Login | CallKind::Logout, 7502) if scene.device.sees_status() => {
                report.check(LOGOUT, false, || {
                    found(format!("{} was refused for a logout that is pending, and none was", kind.word()))
                })
            }
            // A logout that is called for succeeds, whatever the network does.
            // One whose attempt is stale fails, and the device goes on as another one (ATT-1).
            // Without a word of processes it may be another one's, which is not initialised.
            (CallKind::Logout, 6013) if !scene.device.sees_process() => {}
            (CallKind::Logout, 9520) if scene.device.identity > 0 || may_be_new => {}
            (CallKind::Logout, code)
                if open.session.is_some()
                    && scene.device.sees_status()
                    && scene.device.sees_events()
                    && !matches!(code, STORAGE | UNINIT) =>
            {
                report.check(LOCAL, false, || found(format!("a logout failed with {}", shown(code))));
            }
            (CallKind::Login, 6023) if scene.device.sees_status() => {
                let is_right = !matches!(open.purpose, Purpose::Login(login) if scene.device.is_of(login));
                report.check(CANCEL, is_right, || found("a login was cancelled, and nobody logged out".to_owned()));
            }
            _ => {}
        }
    }
}

/// A wrong argument may be found before a wrong state, and the other way round.
fn is_argument(code: u32) -> bool {
    matches!(code, 6017 | 7003 | 70002 | 70003 | 6206)
}

fn is_user(name: &str) -> bool {
    (1..=32).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

fn said(outcome: Outcome) -> String {
    match outcome {
        Outcome::Done { .. } => "answered ok".to_owned(),
        Outcome::Failed { code: Some(code) } => format!("refused with {}", shown(code)),
        Outcome::Failed { code: None } => "refused".to_owned(),
        Outcome::Unknown => "left without a known result".to_owned(),
    }
}
