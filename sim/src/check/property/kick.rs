//! Kicks: whom they end, when they are told, and that none is lost.

use std::time::Duration;

use gatecrash::client::Status;
use gatecrash::protocol::KickReason;

use super::contract::Property;
use super::overdue::Overdue;
use super::report::Report;
use super::scene::Scene;
use crate::check::grown::grown;
use crate::scenario::rules::{RuleId, rule};
use crate::trace::{Actor, DeviceIndex, Effect, Event, ServerFrame, Session, Told, What};

const ONCE: RuleId = rule("KICK-1");
const EPOCH: RuleId = rule("KICK-2");
const OWED: RuleId = rule("KICK-3");
const ORDER: RuleId = rule("KICK-8");

/// How many ends and epochs of a device are remembered.
const REMEMBERED_MAX: usize = 16;

#[derive(Default)]
pub(super) struct Kicks {
    devices: Vec<Device>,
}

#[derive(Clone, Default)]
struct Device {
    /// The session that ended without being asked and whose event has not come.
    awaits: Option<(Session, Place)>,
    /// Ends the device was told of.
    heard: Vec<Session>,
    /// Epochs the server has answered it.
    answered: Vec<u32>,
}

/// When a device's event was, and which.
type Place = (gatecrash::time::Instant, u32);

impl Kicks {
    fn device(&mut self, device: DeviceIndex) -> &mut Device {
        grown(&mut self.devices, device.index())
    }

    fn server_sent(
        &mut self,
        scene: &Scene<'_>,
        event: &Event,
        peer: DeviceIndex,
        frame: &ServerFrame,
        report: &mut Report,
    ) {
        let device = self.device(peer);
        match *frame {
            ServerFrame::LoginAccepted { epoch, .. } | ServerFrame::ResumedAsLogin { epoch, .. } => {
                remember(&mut device.answered, epoch);
            }
            ServerFrame::Kick { kick } if kick.reason != KickReason::Gone => {
                let what = || scene.session(peer, kick.user, kick.epoch);
                let last = scene.server.now.user(kick.user).map_or(0, |user| user.last_epoch);
                if kick.epoch > last {
                    report.event(EPOCH, event, format!("a kick names {}, but the last epoch is {last}", what()));
                } else if !device.answered.contains(&kick.epoch) {
                    report.event(ORDER, event, format!("the kick of {} left before the login's answer", what()));
                }
            }
            _ => {}
        }
    }

    fn told(&mut self, scene: &Scene<'_>, event: &Event, on: DeviceIndex, told: Session, report: &mut Report) {
        let what = || scene.session(on, told.user, told.epoch);
        match self.device(on).awaits.take() {
            Some((awaited, _)) if awaited == told => {}
            Some((Session { user, epoch }, _)) => {
                let other = scene.session(on, user, epoch);
                report.event(EPOCH, event, format!("{other} ended, but the application was told of {}", what()));
            }
            None => {
                report.event(ONCE, event, format!("the end of {} was told, but it was not what just ended", what()))
            }
        }
    }
}

fn remember<One: PartialEq>(list: &mut Vec<One>, one: One) {
    if list.len() >= REMEMBERED_MAX {
        list.remove(0);
    }
    list.push(one);
}

impl Property for Kicks {
    sentence!(
        Eventually,
        "a displaced session's device is told so exactly once, and no other session ends by it",
        "KICK-1",
        "KICK-2",
        "KICK-3",
        "KICK-5",
        "KICK-8",
        "KICK-9"
    );
    watches!("server_sent", "effect", "device_received", "status", "events_dropped", "told");
    frames!(
        "login_accepted",
        "resumed_as_login",
        "kick",
        "resume_kicked",
        "expired",
        "resume_expired",
        "resume_refused"
    );

    fn observe(&mut self, scene: &Scene<'_>, event: &Event, report: &mut Report) {
        match (event.actor, event.what) {
            (Actor::Server, What::ServerSent { peer: Some(peer), frame, .. }) if peer != DeviceIndex::STRANGER => {
                self.server_sent(scene, event, peer, &frame, report);
                return;
            }
            (_, What::Effect { effect: Effect::ProcessDead { device } }) => {
                let device = self.device(device);
                (device.awaits, device.heard) = (None, Vec::new());
                return;
            }
            _ => {}
        }
        let Some((on, sdk)) = scene.actor else { return };
        match event.what {
            What::DeviceReceived { frame, .. } => {
                let end = match frame {
                    ServerFrame::Kick { kick } | ServerFrame::ResumeKicked { kick, .. } => {
                        Some(Session { user: kick.user, epoch: kick.epoch })
                    }
                    ServerFrame::Expired { user, epoch } => Some(Session { user, epoch }),
                    ServerFrame::ResumeExpired { .. } | ServerFrame::ResumeRefused { .. } => sdk.session,
                    _ => None,
                };
                if let Some(end) = end {
                    remember(&mut self.device(on).heard, end);
                }
            }
            What::Status { status: Status::Logout, .. } if sdk.asked_to_end().is_none() => {
                let Some(session) = sdk.session else { return };
                let device = self.device(on);
                device.awaits = Some((session, (event.at, event.number)));
                if !device.heard.contains(&session) {
                    let what = scene.session(on, session.user, session.epoch);
                    report.event(EPOCH, event, format!("{what} ended on the device, which nobody had told it of"));
                }
            }
            What::EventsDropped => self.device(on).awaits = None,
            What::Told { event: Told::KickedOffline { .. } | Told::UserSigExpired, user: Some(user), epoch } => {
                self.told(scene, event, on, Session { user, epoch }, report);
            }
            _ => {}
        }
    }

    fn finish(&mut self, scene: &Scene<'_>, report: &mut Report) {
        if !scene.converged {
            return;
        }
        for (index, device) in self.devices.iter().enumerate() {
            let on = DeviceIndex::new(index);
            if let Some((session, (at, number))) = device.awaits {
                let what = scene.session(on, session.user, session.epoch);
                let overdue = Overdue { since: "it ended", at, limit: Duration::ZERO, now: scene.now };
                let text = format!("{what} ended, and the application was never told: {overdue}");
                report.missing_after(ONCE, at, (Actor::Device(on), number), "told", text);
            }
        }
        if !scene.server.is_up {
            return;
        }
        // What is on its way when the run ends may still arrive; who has no link has yet to learn.
        let grace = scene.allowance.latency * 4 + scene.allowance.lag;
        for (on, sdk) in scene.sdks.iter() {
            let Some(Session { user, epoch }) = sdk.session.filter(|_| sdk.up_since.is_some() && !sdk.is_suspended)
            else {
                continue;
            };
            let records = &scene.server.now;
            let known_as = scene.known_as(on);
            if records.session(user, known_as, epoch).is_some() {
                continue;
            }
            // Its connection is to a server that died since: only a heartbeat will find out.
            let limits = scene.allowance.client(scene.cast, on);
            let until = scene.server.started_at + limits.heartbeat + limits.heartbeat_answer + grace;
            if sdk.connect_asked_at < scene.server.started_at && scene.now < until {
                continue;
            }
            // Or a box on the way has forgotten it: the same.
            let in_time = |at| scene.now < at + limits.heartbeat + limits.heartbeat_answer + grace;
            if sdk.forgotten_at.is_some_and(in_time) {
                continue;
            }
            let ended = records.ended(known_as, user, epoch);
            let could_know =
                |ended: &super::server::Ended| ended.commit <= scene.server.committed && ended.at + grace < scene.now;
            if ended.is_none_or(could_know) {
                let what = scene.session(on, user, epoch);
                let why = ended.map_or("unknown to the server", |ended| ended.reason.word());
                let at = ended.map_or(scene.server.started_at, |ended| ended.at);
                let overdue = Overdue { since: "its end", at, limit: grace, now: scene.now };
                let text = format!("{what} is over ({why}), and the device, at rest, still shows LOGINED: {overdue}");
                report.missing(OWED, scene.now, Actor::Device(on), "told", text);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use gatecrash::store::EndReason::SamePlatform;

    use super::super::story::*;
    use super::*;

    fn story() -> Story {
        let answer = ServerFrame::LoginAccepted { call: 1, epoch: 1, conversations: None, terms: Terms::default() };
        Story::of(Kicks::default())
            .commit(&[accepted(ALICE, PHONE, 1)])
            .sends(PHONE, 0, answer)
            .logs_in(PHONE, ALICE, 1)
    }

    /// KICK-1, KICK-2: told of the session that ended, and once.
    #[test]
    fn a_kick_ends_the_session_it_names_and_no_other() {
        let kicked_as = |frame, told| {
            story()
                .receives(PHONE, ServerFrame::Kick { kick: kick(ALICE, frame) })
                .on(PHONE, status(Status::Logout, None))
                .told(PHONE, kicked(), ALICE, told)
        };
        kicked_as(1, 1).holds();
        kicked_as(0, 1).breaks("KICK-2");
        kicked_as(1, 0).breaks("KICK-2");
        kicked_as(1, 1).told(PHONE, kicked(), ALICE, 1).breaks("KICK-1");
    }

    /// KICK-3: a kick that never arrives is found at the end, where the run came to rest.
    #[test]
    fn a_kick_that_is_never_learnt_is_seen() {
        let displaced = || {
            let facts = [ended(ALICE, PHONE, 1, SamePlatform, PHONE2), accepted(ALICE, PHONE2, 2)];
            story().commit(&facts).at(60)
        };
        displaced().world(What::Converged).breaks("KICK-3");
        displaced().effect(Effect::Suspended { device: PHONE.into() }).world(What::Converged).holds();
    }

    /// KICK-8: the answer goes first.
    #[test]
    fn a_kick_ahead_of_its_logins_answer_is_seen() {
        let frame = |epoch| ServerFrame::Kick { kick: kick(ALICE, epoch) };
        let displaced = || story().commit(&[ended(ALICE, PHONE, 1, SamePlatform, PHONE2), accepted(ALICE, PHONE2, 2)]);
        displaced().sends(PHONE, 0, frame(1)).holds();
        displaced().sends(PHONE2, 1, frame(2)).breaks("KICK-8");
        displaced().sends(PHONE, 0, frame(3)).breaks("KICK-2");
    }
}
