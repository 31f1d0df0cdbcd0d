//! The login status: along which ways it goes, and whether it fits what the application was told.

use gatecrash::client::Status;

use super::answer::Rule;
use super::outside::{End, Found, Outside, Report, Scene};
use super::standing::{Account, How, Purpose};
use crate::history::event::{Event, Outcome, Process, Request, Told, What};
use crate::history::{Channel, Channels, Victim};
use crate::scenario::CallKind;

const WAY: Rule = Rule::at("LOGIN-6");
const USER: Rule = Rule::at("LOGIN-7");
const RENEWAL: Rule = Rule::at("LOGIN-5");

/// From which status to which.
pub(super) struct Ways;

const WAYS: &str = "the login status goes along its ways, and the login user is there just while LOGINED";

impl Outside for Ways {
    fn name(&self) -> &'static str {
        WAYS
    }

    fn rules(&self) -> &'static [Rule] {
        &[WAY, USER, RENEWAL]
    }

    fn needs(&self) -> Channels {
        Channels::of(&[Channel::Status])
    }

    fn asked_when(&self) -> &'static str {
        "a status is seen"
    }

    fn see(&mut self, scene: &Scene<'_>, event: &Event, report: &mut Report) {
        let What::Status { status, login_user, is_said, sampled } = event.what else { return };
        let is_right = login_user.is_some() == (status == Status::Logined) || login_user.is_none() && !is_said;
        report.check(USER, is_right, || {
            let user = login_user.map_or("nobody", |user| scene.user(user));
            Found::at(WAYS, scene, event, None, format!("the status is {}, and the login user {user}", status.word()))
        });
        let Some((before, user)) = scene.device.status.filter(|_| !sampled) else { return };
        let is_way = match (before, status) {
            (Status::Logout, Status::Logining) | (Status::Logining, Status::Logined | Status::Logout) => true,
            (Status::Logined, Status::Logout) => true,
            (Status::Logined, Status::Logining) => scene.device.is_restarted(),
            (one, other) => one == other,
        };
        report.check(WAY, is_way, || {
            Found::at(WAYS, scene, event, None, format!("the status went from {} to {}", before.word(), status.word()))
        });
        if status == Status::Logined && before == Status::Logined && user != login_user {
            report.broken(USER, Found::at(WAYS, scene, event, None, "the login user is another while LOGINED"));
        }
    }
}

/// The status is what calls, results and events make it.
#[derive(Default)]
pub(super) struct Fits {
    /// Of each device, the line with which it became LOGOUT though nobody had asked for that, until that is told.
    unasked: Vec<Option<u64>>,
    /// Logins that succeeded though no status had been seen, and whether any status was looked up: then it may have been there.
    unshown: Vec<Found>,
    sees_samples: bool,
}

const FITS: &str = "the status is what calls, their results and events have made it";

const KICK: Rule = Rule::at("KICK-1");
const KICKED: Rule = Rule::at("KICK-4");
const EXPIRED: Rule = Rule::at("TICKET-8");
const KEPT: Rule = Rule::at("CONN-1");
const START: Rule = Rule::at("INIT-6");
const ORDER: Rule = Rule::at("CONN-3");
const SWITCH: Rule = Rule::at("SWITCH-4");
const EVENT: Rule = Rule::at("EVENT-1");
const LOGOUT: Rule = Rule::at("LOGOUT-1");

impl Outside for Fits {
    fn name(&self) -> &'static str {
        FITS
    }

    fn rules(&self) -> &'static [Rule] {
        &[WAY, USER, KICK, KICKED, EXPIRED, KEPT, START, ORDER, SWITCH, EVENT, LOGOUT]
    }

    fn needs(&self) -> Channels {
        Channels::of(&[Channel::Calls, Channel::Events, Channel::Status])
    }

    fn asked_when(&self) -> &'static str {
        "a login is answered, a session ends, a status changes"
    }

    fn see(&mut self, scene: &Scene<'_>, event: &Event, report: &mut Report) {
        let index = event.actor.0 as usize;
        if self.unasked.len() <= index {
            self.unasked.resize(index + 1, None);
        }
        let found = |line: Option<u64>, text: String| Found::at(FITS, scene, event, line, text);
        match event.what {
            What::Status { status, sampled: false, login_user, .. } => {
                self.unasked[index] = None;
                let before = scene.device.status.map(|(status, _)| status);
                match status {
                    Status::Logined if before != Some(Status::Logined) => {
                        let (rule, holds) = match scene.device.account {
                            Account::Pending(pending) => (USER, login_user.is_none_or(|shown| shown == pending.user)),
                            Account::Nobody(How::Kicked) => (KICKED, false),
                            Account::Nobody(How::Expired) => (EXPIRED, false),
                            Account::Nobody(How::Fresh) => (START, false),
                            Account::Nobody(How::LoggedOut) => (LOGOUT, false),
                            Account::Nobody(How::Failed | How::Uninit) => (WAY, false),
                            // Its result came before, or nobody knows.
                            Account::In(session) => (USER, login_user.is_none_or(|shown| shown == session.user)),
                            Account::Nobody(How::Unknown) | Account::Unsure => return,
                        };
                        report.check(rule, holds, || match scene.device.account {
                            Account::Pending(_) | Account::In(_) => {
                                found(None, "the login user is not the one who logged in".to_owned())
                            }
                            _ => found(None, "the status became LOGINED, and no login was pending".to_owned()),
                        });
                    }
                    Status::Logout if before == Some(Status::Logined) => match scene.device.account {
                        // Who is only closed, or not even that, is told nothing.
                        Account::In(_) if matches!(scene.head.promise.victim, Victim::Closed | Victim::Silent) => {}
                        Account::In(_) => self.unasked[index] = Some(event.line),
                        _ => report.asked(LOGOUT),
                    },
                    _ => {}
                }
            }
            What::Answered { outcome, .. } => {
                let Some(open) = scene.open else { return };
                if let (Purpose::Login(_), Outcome::Done { .. }, None, true) =
                    (open.purpose, outcome, scene.device.status, scene.device.sees_status())
                {
                    let text = "a login succeeded, and the status was never LOGINED".to_owned();
                    report.asked(WAY);
                    if self.unshown.len() < UNSHOWN_MAX {
                        self.unshown.push(found(Some(open.line), text));
                    }
                    return;
                }
                let (Purpose::Login(login), Some((status, user))) = (open.purpose, scene.device.status) else { return };
                let is_own = scene.device.is_of(login);
                let is_alone =
                    scene.device.calls.iter().filter(|other| other.request.kind() == CallKind::Login).count() == 1;
                let Request::Login { user: asked, .. } = open.request else { return };
                match outcome {
                    Outcome::Done { .. } if is_own => {
                        report.check(
                            ORDER,
                            status == Status::Logined && (user == Some(asked) || user.is_none()),
                            || {
                                found(
                                    Some(open.line),
                                    format!(
                                        "the login of {} succeeded, and the status was {}",
                                        scene.user(asked),
                                        status.word()
                                    ),
                                )
                            },
                        );
                    }
                    Outcome::Failed { .. } if is_own && is_alone => {
                        let rule = if open.session.is_some() { SWITCH } else { WAY };
                        // A call that the SDK itself refused has changed nothing.
                        let is_refused = open.session.is_some_and(|before| user == Some(before.user));
                        report.check(rule, status == Status::Logout || is_refused, || {
                            found(
                                Some(open.line),
                                format!(
                                    "the login of {} failed, and the status was {}",
                                    scene.user(asked),
                                    status.word()
                                ),
                            )
                        });
                    }
                    _ => {}
                }
            }
            What::Told { event: told, .. } => {
                let is_terminal = matches!(told, Told::KickedOffline { .. } | Told::UserSigExpired);
                if is_terminal && let Some((status, _)) = scene.device.status {
                    report.check(EVENT, status == Status::Logout, || {
                        found(None, format!("the end of a session was told, and the status was {}", status.word()))
                    });
                    if matches!(told, Told::KickedOffline { .. }) {
                        report.asked(KICK);
                    }
                }
                self.explain(scene, event, is_terminal, report);
            }
            What::Called { .. } => self.explain(scene, event, false, report),
            What::Process(Process::Up | Process::Dead) => self.unasked[index] = None,
            What::Status { sampled: true, .. } => self.sees_samples = true,
            _ => {}
        }
    }

    /// At rest nothing more is told.
    fn finish(&mut self, end: &End<'_>, report: &mut Report) {
        for found in std::mem::take(&mut self.unshown) {
            if !self.sees_samples {
                report.broken(WAY, found);
            }
        }
        let Some((at, true)) = end.end else { return };
        for (index, line) in self.unasked.iter().enumerate() {
            if let Some(line) = *line {
                let actor = end.cast.actors.name(index as u32).to_owned();
                let text = UNSAID.to_owned();
                report.broken(KEPT, Found { property: FITS, text, at, actor, lines: vec![line], place: Some(line) });
            }
        }
    }
}

/// How many of those are told.
const UNSHOWN_MAX: usize = 100;

const UNSAID: &str = "the status became LOGOUT, nobody had asked for that, and no event said why";

impl Fits {
    /// A session that nobody ended is over: what comes next has to say why.
    fn explain(&mut self, scene: &Scene<'_>, event: &Event, is_told: bool, report: &mut Report) {
        if let Some(line) = self.unasked[event.actor.0 as usize].take() {
            report.check(KEPT, is_told, || Found::at(FITS, scene, event, Some(line), UNSAID));
        }
        if let (Account::In(_), Some((Status::Logined, _)), What::Told { event: Told::ConnectFailed { .. }, .. }) =
            (scene.device.account, scene.device.status, event.what)
        {
            report.asked(KEPT);
        }
    }
}
