//! Attempts and epochs only grow, and what is stale changes nothing (ATT-1, ATT-2, DUR-3).

use gatecrash::id::Attempt;

use super::contract::Property;
use super::decision::Decision;
use super::report::Report;
use super::scene::Scene;
use crate::check::grown::grown;
use crate::scenario::rules::{RuleId, rule};
use crate::trace::{ClientFrame, DeviceIndex, Effect, Event, Fact, ServerFrame, UserIndex, What};

const ATTEMPTS: RuleId = rule("ATT-1");
const LOGOUT: RuleId = rule("ATT-2");
const EPOCHS: RuleId = rule("DUR-3");

#[derive(Default)]
pub(super) struct Attempts {
    /// By user.
    epochs: Vec<u32>,
    devices: Vec<Device>,
    /// Logouts the server took and has not answered.
    logouts: Vec<Logout>,
    /// The stale attempt, and whose, that came to the server last, until something else does.
    stale: Option<(DeviceIndex, Attempt)>,
}

#[derive(Clone)]
struct Device {
    /// By which id the device speaks: whose it is to the server, and which of those.
    id: (DeviceIndex, u16),
    /// The last attempt sent under each.
    sent: Vec<((DeviceIndex, u16), Attempt)>,
    /// Its disk has become a copy: what starts from there may send again what was sent.
    is_copy: bool,
}

impl Default for Device {
    fn default() -> Self {
        Device { id: (DeviceIndex::STRANGER, 0), sent: Vec::new(), is_copy: false }
    }
}

struct Logout {
    connection: u32,
    call: u32,
    attempt: Attempt,
    installation: u16,
}

/// The attempt a frame carries.
fn attempt_of(frame: &ClientFrame) -> Option<Attempt> {
    match *frame {
        ClientFrame::Login { attempt, .. }
        | ClientFrame::Resume { attempt, .. }
        | ClientFrame::Renew { attempt, .. }
        | ClientFrame::Logout { attempt, .. } => Some(attempt),
        ClientFrame::Hello { .. }
        | ClientFrame::LoginAcknowledged { .. }
        | ClientFrame::Heartbeat
        | ClientFrame::KickConfirmed { .. }
        | ClientFrame::Send { .. }
        | ClientFrame::AdminKick { .. }
        | ClientFrame::Query { .. }
        | ClientFrame::MessagesReceived { .. } => None,
    }
}

impl Attempts {
    /// The last epoch given to the user, also by a decision that a crash took back.
    fn epoch(&mut self, user: UserIndex) -> &mut u32 {
        grown(&mut self.epochs, user.index())
    }

    fn device(&mut self, device: DeviceIndex) -> &mut Device {
        grown(&mut self.devices, device.index())
    }

    fn sent(&mut self, scene: &Scene<'_>, event: &Event, on: DeviceIndex, frame: &ClientFrame, report: &mut Report) {
        let device = self.device(on);
        if let ClientFrame::Hello { installation, .. } = *frame {
            device.id = (scene.known_as(on), installation);
        }
        let Some(attempt) = attempt_of(frame) else { return };
        let id = device.id;
        match device.sent.iter_mut().find(|(one, _)| *one == id) {
            None => device.sent.push((id, attempt)),
            Some((_, last)) => {
                if attempt <= *last {
                    let text = format!("{}'s attempt {attempt} follows attempt {last}", scene.device(on));
                    report.event(ATTEMPTS, event, text);
                }
                *last = attempt;
            }
        }
    }

    fn logout_answered(
        &mut self,
        scene: &Scene<'_>,
        event: &Event,
        on: DeviceIndex,
        (connection, call): (u32, u32),
        succeeded: bool,
        report: &mut Report,
    ) {
        let is_it = |logout: &Logout| (logout.connection, logout.call) == (connection, call);
        let Some(place) = self.logouts.iter().position(is_it) else { return };
        let Logout { attempt, installation, .. } = self.logouts.remove(place);
        if !succeeded {
            return;
        }
        for &(user, epoch) in scene.server.now.holds(on) {
            let lives = scene.server.now.session(user, on, epoch);
            let is_earlier =
                |session: &&super::server::Session| session.installation == installation && session.attempt <= attempt;
            if lives.filter(is_earlier).is_some() {
                let what = scene.session(on, user, epoch);
                report.event(LOGOUT, event, format!("the logout {attempt} was answered, and {what} lives on"));
            }
        }
    }
}

impl Property for Attempts {
    sentence!(
        Always,
        "attempts and epochs only grow, and a stale attempt changes nothing",
        "ATT-1",
        "ATT-2",
        "DUR-3",
        "SWITCH-3",
        "LOGOUT-2",
        "LOGOUT-3"
    );
    watches!("decision", "device_sent", "server_received", "server_sent", "opened", "gone", "effect", "server_started");
    frames!("hello", "login", "resume", "renew", "logout", "logout_answer");

    fn observe(&mut self, scene: &Scene<'_>, event: &Event, report: &mut Report) {
        if let What::ServerReceived { .. } | What::Opened { .. } | What::Gone { peer: Some(_), .. } = event.what {
            self.stale = None;
        }
        if let What::ServerReceived { connection, peer: Some(peer), frame } = event.what
            && peer != DeviceIndex::STRANGER
            && let Some(attempt) = attempt_of(&frame)
        {
            let highest = scene.server.now.attempt(peer, scene.server.installation(connection));
            self.stale = highest.filter(|&highest| attempt <= highest).map(|_| (peer, attempt));
        }
        match event.what {
            What::Effect { effect: Effect::DiskCopied { onto, .. } } => {
                let device = self.device(onto);
                (device.sent, device.is_copy) = (Vec::new(), true);
            }
            What::Effect { effect: Effect::ProcessDead { device } } if self.device(device).is_copy => {
                *self.device(device) = Device::default();
            }
            What::DeviceSent { frame, .. } => {
                if let Some((on, _)) = scene.actor {
                    self.sent(scene, event, on, &frame, report);
                }
            }
            What::ServerReceived { connection, peer: Some(peer), frame: ClientFrame::Logout { call, attempt } }
                if peer != DeviceIndex::STRANGER =>
            {
                let installation = scene.server.installation(connection);
                self.logouts.push(Logout { connection, call, attempt, installation });
            }
            What::ServerSent {
                connection,
                peer: Some(peer),
                frame: ServerFrame::LogoutAnswer { call, refused },
                ..
            } if peer != DeviceIndex::STRANGER => {
                self.logout_answered(scene, event, peer, (connection, call), refused.is_none(), report);
            }
            What::Opened { connection } | What::Gone { connection, peer: Some(_) } => {
                self.logouts.retain(|logout| logout.connection != connection);
            }
            What::Effect { effect: Effect::ServerDead } | What::ServerStarted { .. } => self.logouts.clear(),
            _ => {}
        }
    }

    fn decide(&mut self, scene: &Scene<'_>, decision: &Decision, report: &mut Report) {
        let records = &scene.server.now;
        for fact in &decision.facts {
            if let Fact::AttemptRaised { device, .. }
            | Fact::SessionAccepted { device, .. }
            | Fact::SessionResumed { device, .. } = *fact
                && let Some((_, attempt)) = self.stale.filter(|&(on, _)| on == device)
            {
                let text = format!("the server acted on {}'s stale attempt {attempt}", scene.device(device));
                report.decision(ATTEMPTS, decision, text);
            }
            match *fact {
                Fact::AttemptRaised { device, installation, attempt }
                    if records.attempt(device, installation).is_some_and(|highest| attempt <= highest) =>
                {
                    let text = format!("the server acted on {}'s stale attempt {attempt}", scene.device(device));
                    report.decision(ATTEMPTS, decision, text);
                }
                Fact::SessionAccepted { user, device, installation, epoch, attempt, .. } => {
                    let what = || scene.session(device, user, epoch);
                    if records.attempt(device, installation).is_some_and(|highest| attempt <= highest) {
                        report.decision(
                            ATTEMPTS,
                            decision,
                            format!("{} was accepted for the stale attempt {attempt}", what()),
                        );
                    }
                    let last = self.epoch(user);
                    if epoch <= *last {
                        report.decision(EPOCHS, decision, format!("{} follows epoch {last}", what()));
                    }
                    *last = epoch.max(*last);
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use gatecrash::store::EndReason::Logout as LoggedOut;

    use super::super::story::*;
    use super::*;

    fn story() -> Story {
        Story::of(Attempts::default()).commit(&[accepted(ALICE, PHONE, 2)])
    }

    /// ATT-1, DUR-3
    #[test]
    fn a_step_back_is_seen() {
        let raised = |count| Fact::AttemptRaised { device: PHONE.into(), installation: 1, attempt: attempt(count) };
        story().commit(&[raised(3)]).commit(&[accepted(ALICE, DESK, 3)]).holds();
        story().commit(&[raised(2)]).breaks("ATT-1");
        story().commit(&[accepted(ALICE, DESK, 2)]).breaks("DUR-3");
        let sends = |count| What::DeviceSent {
            connection: 0,
            reveals: 0,
            frame: ClientFrame::Logout { call: 1, attempt: attempt(count) },
        };
        story().on(PHONE, sends(1)).on(PHONE, sends(2)).holds();
        story().on(PHONE, sends(2)).on(PHONE, sends(2)).breaks("ATT-1");
    }

    /// ATT-1: also when the server calls it by another number.
    #[test]
    fn a_stale_login_that_changes_something_is_seen() {
        let login = |count| ClientFrame::Login {
            call: 9,
            attempt: attempt(count),
            user: BOB.into(),
            ticket: None,
            known_ended: None,
        };
        let asks = |count| story().hears(PHONE, 0, hello()).hears(PHONE, 0, login(count));
        asks(3).commit(&[accepted(BOB, PHONE, 3)]).holds();
        asks(1).commit(&[accepted(BOB, PHONE, 3)]).breaks("ATT-1");
        asks(1).commit(&[accepted(BOB, DESK, 3)]).holds();
        asks(1).hears(PHONE, 0, login(3)).commit(&[accepted(BOB, PHONE, 3)]).holds();
    }

    /// DUR-3: an epoch that was decided and lost with a crash is not given again.
    #[test]
    fn an_epoch_given_again_after_a_crash_is_seen() {
        let lost = || story().decide(&[accepted(ALICE, DESK, 3)]).effect(Effect::ServerDead);
        let again = |commit| lost().server(What::ServerStarted { commit, wall: crate::trace::Micros::new(0) });
        again(1).commit(&[accepted(ALICE, DESK, 1_000_001)]).holds();
        again(1).commit(&[accepted(ALICE, DESK, 3)]).breaks("DUR-3");
    }

    /// ATT-2
    #[test]
    fn a_logout_that_ends_nothing_is_seen() {
        let asks = |count| {
            let hello =
                ClientFrame::Hello { version: 1, platform: gatecrash::policy::Platform::Android, installation: 1 };
            story().hears(PHONE, 0, hello).hears(PHONE, 0, ClientFrame::Logout { call: 5, attempt: attempt(count) })
        };
        let answer = ServerFrame::LogoutAnswer { call: 5, refused: None };
        asks(3).commit(&[ended(ALICE, PHONE, 2, LoggedOut, PHONE)]).sends(PHONE, 0, answer).holds();
        asks(3).sends(PHONE, 0, answer).breaks("ATT-2");
        asks(1).sends(PHONE, 0, answer).holds();
    }
}
