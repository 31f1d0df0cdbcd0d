//! Attempts to connect take no longer than they may, and while somebody is logged in another one follows in time: at once
//! where the device woke or its network changed.

use std::time::Duration;

use super::answer::Rule;
use super::device::Device;
use super::outside::{End, Found, Outside, Report, Scene};
use super::standing::{Account, Life};
use crate::history::event::{Actor, Event, Process, Request, Told, What};
use crate::history::{Channel, Channels, Head};

/// See the module.
pub(super) struct Pace {
    /// How long an attempt takes at most, and how long there may be none, in microseconds; and how long where the series
    /// of delays has just started over.
    attempt: Option<u64>,
    pause: Option<u64>,
    first: Option<u64>,
    devices: Vec<Waits>,
}

/// What one device waits for.
#[derive(Clone, Copy, Default)]
struct Waits {
    /// Since when an attempt is under way.
    attempt: Option<(u64, u64)>,
    /// Since when, after one that failed, there is none.
    pause: Option<(u64, u64)>,
    /// Since when, in such a pause, the device has reason to try again at once: it woke, or its network changed.
    hurry: Option<(u64, u64)>,
}

const NAME: &str = "an attempt to connect ends in its time, and another follows in its";

const RULE: Rule = Rule::at("CONN-2");
const AT_ONCE: Rule = Rule::at("CONN-10");

/// The longest that a server asks for before a device comes back, or may spread it over (CONN-2, CONN-12).
const ASKED_FOR: Duration = Duration::from_secs(30);

/// With what an attempt fails that the server had no part in: no link, no connection in time, and nobody to trust.
const OF_NETWORK: [u32; 3] = [9508, 9510, 9530];

impl Pace {
    pub(super) fn new(head: &Head) -> Pace {
        let limits = &head.promise.limits;
        let late = limits.late.unwrap_or_default();
        let micros = |span: Duration| span.as_micros() as u64;
        Pace {
            // The answer to what is asked on the connection included.
            attempt: limits.connect_timeout.map(|connect| micros(connect + late)),
            // The longest delay is spread by a fifth.
            pause: limits.back_off_max.map(|delay| micros(delay + delay / 5 + ASKED_FOR + late)),
            first: limits.back_off_first.map(|delay| micros(delay + late)),
            devices: Vec::new(),
        }
    }

    fn waits(&mut self, actor: Actor) -> &mut Waits {
        let index = actor.0 as usize;
        if self.devices.len() <= index {
            self.devices.resize(index + 1, Waits::default());
        }
        &mut self.devices[index]
    }

    /// What takes too long at an instant: since which line, and what.
    fn overdue(&self, waits: Waits, at: u64) -> Option<(Rule, u64, String)> {
        let over = |since: Option<(u64, u64)>, limit: Option<u64>| {
            let ((since, line), limit) = since.zip(limit)?;
            // A device's clock may go wrong by a hundredth.
            (at.saturating_sub(since) > limit + limit / 100).then_some((line, limit))
        };
        let seconds = |limit: u64| limit as f64 / 1e6;
        if let Some((line, limit)) = over(waits.hurry, self.first) {
            let text = format!(
                "a device woke, or its network changed, and it did not try to connect within {:.3} s",
                seconds(limit)
            );
            return Some((AT_ONCE, line, text));
        }
        if let Some((line, limit)) = over(waits.attempt, self.attempt) {
            return Some((RULE, line, format!("an attempt to connect has no end after {:.3} s", seconds(limit))));
        }
        let (line, limit) = over(waits.pause, self.pause)?;
        Some((RULE, line, format!("an attempt failed, and no other followed within {:.3} s", seconds(limit))))
    }

    /// Whether the device has had all the time to go on.
    fn runs(device: &Device) -> bool {
        !device.is_suspended && device.process != Life::Dead && !device.has_given_up
    }
}

impl Outside for Pace {
    fn name(&self) -> &'static str {
        NAME
    }

    fn rules(&self) -> &'static [Rule] {
        &[RULE, AT_ONCE]
    }

    fn needs(&self) -> Channels {
        Channels::of(&[Channel::Calls, Channel::Events, Channel::Status, Channel::Process])
    }

    fn asked_when(&self) -> &'static str {
        "an attempt ends, or another follows, as after a sleep or a change of the network, and the first line says how long that may take"
    }

    fn see(&mut self, scene: &Scene<'_>, event: &Event, report: &mut Report) {
        let waits = *self.waits(event.actor);
        let at = event.from.saturating_sub(scene.skew.saturating_mul(2));
        if Pace::runs(scene.device)
            && let Some((rule, line, text)) = self.overdue(waits, at)
        {
            report.broken(rule, Found::at(NAME, scene, event, Some(line), text));
            *self.waits(event.actor) = Waits::default();
        }
        let is_told = self.attempt.is_some() && self.pause.is_some();
        let now = Some((event.to.saturating_add(scene.skew), event.line));
        let is_hurried = self.first.is_some();
        let waits = self.waits(event.actor);
        match event.what {
            What::Told { event: Told::Connecting, .. } => {
                if is_told && waits.pause.is_some() {
                    report.asked(RULE);
                }
                if waits.hurry.is_some() {
                    report.asked(AT_ONCE);
                }
                // How long a login may take is said elsewhere (LOGIN-3).
                let is_resume = matches!(scene.device.account, Account::In(_));
                *waits = Waits { attempt: now.filter(|_| is_resume), ..Waits::default() };
            }
            What::Told { event: Told::ConnectFailed { code }, .. } => {
                if is_told && waits.attempt.is_some() {
                    report.asked(RULE);
                }
                // One whose login failed does not try again, and whom the server sent away comes back when that said.
                let is_of_network = code.is_some_and(|code| OF_NETWORK.contains(&code)) && scene.head.codes;
                let goes_on = matches!(scene.device.account, Account::In(_)) && is_of_network;
                *waits = Waits { pause: now.filter(|_| goes_on), ..Waits::default() };
            }
            What::Told { event: Told::ConnectSuccess | Told::KickedOffline { .. } | Told::UserSigExpired, .. }
            | What::Status { .. }
            | What::Process(Process::Up | Process::Dead)
            | What::Called {
                request: Request::Login { .. } | Request::Logout | Request::Uninit | Request::Init { .. },
                ..
            } => {
                *waits = Waits::default();
            }
            // Whoever is frozen does nothing, and goes on waiting for the same.
            What::Process(Process::Suspended) => *waits = Waits { pause: waits.pause, ..Waits::default() },
            What::Process(Process::Woken) | What::NetworkChanged => {
                *waits = Waits { hurry: now.filter(|_| waits.pause.is_some() && is_hurried), ..Waits::default() };
            }
            _ => {}
        }
    }

    fn finish(&mut self, end: &End<'_>, report: &mut Report) {
        let Some((at, _)) = end.end else { return };
        for (index, waits) in self.devices.iter().enumerate() {
            let runs = end.devices.get(index).is_some_and(Pace::runs);
            if let Some((rule, line, text)) = self.overdue(*waits, at).filter(|_| runs) {
                let actor = end.cast.actors.name(index as u32).to_owned();
                report.broken(rule, Found { property: NAME, text, at, actor, lines: vec![line], place: None });
            }
        }
    }
}
