//! How often heartbeats come: oftener where idle links die without a word, and as usual again after a while (CONN-11).

use std::time::Duration;

use gatecrash::client::Status;
use gatecrash::limits::ClientLimits;
use gatecrash::time::Instant;

use super::contract::Property;
use super::overdue::Overdue;
use super::report::Report;
use super::scene::Scene;
use super::sdk::{PendingCall, Sdk};
use crate::check::grown::grown;
use crate::scenario::rules::{RuleId, rule};
use crate::trace::{Actor, ClientFrame, DeviceIndex, Effect, Event, ServerFrame, What};

const PACE: RuleId = rule("CONN-11");

#[derive(Default)]
pub(super) struct Paces {
    devices: Vec<Device>,
}

#[derive(Clone, Copy, Default)]
struct Device {
    /// The time between heartbeats and since when, where idle links were lost.
    shortened: Option<(Duration, Instant)>,
    /// What the server asked for last.
    told: Option<Duration>,
    last_sent: Instant,
    /// When something last went or came on its connection.
    last_passed: Instant,
    /// When it last said which messages came, and those two before: a heartbeat carries that ahead of itself (API-7).
    acknowledged: Option<Acknowledged>,
    /// The heartbeat without its answer: when it was sent, and how long nothing had passed before.
    asked: Option<(Instant, Duration)>,
    answered_at: Instant,
    /// Whether what it sent last may have waited for its disk: the SDK counts from when it would have sent that.
    has_waited: bool,
    /// When it last woke, or was told of another network.
    roused_at: Option<Instant>,
}

/// What was so before messages were acknowledged.
#[derive(Clone, Copy)]
struct Acknowledged {
    at: Instant,
    last_sent: Instant,
    last_passed: Instant,
    has_waited: bool,
}

impl Device {
    /// What was so before a heartbeat that is sent `now`: leaving out the messages that are acknowledged with it.
    fn before_heartbeat(&self, now: Instant) -> Acknowledged {
        let Device { last_sent, last_passed, has_waited, .. } = *self;
        let as_it_is = Acknowledged { at: now, last_sent, last_passed, has_waited };
        self.acknowledged.filter(|acknowledged| acknowledged.at == now).unwrap_or(as_it_is)
    }

    /// The time between heartbeats at `now`: each while without a loss doubles it.
    fn every(&self, limits: &ClientLimits, now: Instant) -> Duration {
        let usual = self.told.map_or(limits.heartbeat, |told| told.min(limits.heartbeat));
        let Some((every, since)) = self.shortened else { return usual };
        let whiles = (now - since).as_micros() / limits.heartbeat_recovery.as_micros().max(1);
        let doublings = u32::try_from(whiles).unwrap_or(u32::MAX);
        let doubled = 1_u32.checked_shl(doublings).and_then(|factor| every.checked_mul(factor));
        doubled.map_or(usual, |every| every.min(usual))
    }

    /// The link is given up at `now`. Whether that is for a heartbeat without an answer, on a link that was idle for
    /// less than a heartbeat and its answer take.
    fn fell_silent(&self, limits: &ClientLimits, now: Instant) -> bool {
        self.asked.is_some_and(|(asked_at, idle_for)| {
            now - asked_at >= limits.heartbeat_answer && idle_for < self.every(limits, now) + limits.heartbeat_answer
        })
    }
}

impl Paces {
    fn device(&mut self, device: DeviceIndex) -> &mut Device {
        grown(&mut self.devices, device.index())
    }

    /// Since when, and for how long over its time, the device is silent on its link.
    fn owes(&self, scene: &Scene<'_>, now: Instant, on: DeviceIndex, sdk: &Sdk) -> Option<Overdue<'_>> {
        let device = self.devices.get(on.index())?;
        let since = sdk.up_since.filter(|_| sdk.status == Status::Logined && !sdk.is_suspended)?;
        let every = device.every(scene.allowance.client(scene.cast, on), now);
        let at = device.last_sent.max(sdk.woken_at).max(sdk.kept_at).max(since);
        let due = (at + every).max(device.answered_at);
        let is_late = device.asked.is_none() && due + scene.allowance.device_slack < now;
        is_late.then(|| Overdue { since: "its last frame", at, limit: due - at, now })
    }

    fn asks(&mut self, scene: &Scene<'_>, event: &Event, on: DeviceIndex, sdk: &Sdk, report: &mut Report) {
        let limits = scene.allowance.client(scene.cast, on);
        let slack = scene.allowance.slack;
        let device = self.device(on);
        let Acknowledged { last_sent, last_passed, has_waited, .. } = device.before_heartbeat(event.at);
        let (every, idle_for) = (device.every(limits, event.at), event.at - last_sent);
        // A call whose time is up makes the link suspect.
        let is_out_of_time = |call: &PendingCall| {
            let time = call.time(limits);
            time > Duration::ZERO && call.at + time <= event.at + slack
        };
        let is_asked_for = device.roused_at == Some(event.at) || has_waited || sdk.calls.iter().any(is_out_of_time);
        if idle_for + slack < every && !is_asked_for {
            let text = format!(
                "{} sends a heartbeat {:.3} s after its last frame, and one each {:.3} s is enough here",
                scene.device(on),
                idle_for.as_secs_f64(),
                every.as_secs_f64(),
            );
            report.event(PACE, event, text);
        }
        device.asked = Some((event.at, event.at - last_passed));
    }
}

impl Property for Paces {
    sentence!(
        Eventually,
        "heartbeats come as often as idle links on this network need them, and no more often",
        "CONN-11"
    );
    // What it looks at; a heartbeat that is owed shows at the next of them, or at the end.
    watches!(
        "device_sent",
        "device_received",
        "sdk_woken",
        "network_changed",
        "link_kept",
        "link_lost",
        "uninit_returned",
        "connect_asked",
        "close_asked",
        "gone",
        "effect"
    );
    frames!(all);

    fn observe(&mut self, scene: &Scene<'_>, event: &Event, report: &mut Report) {
        if let What::Effect { effect: Effect::ProcessDead { device } | Effect::ProcessUp { device } } = event.what {
            *self.device(device) = Device::default();
        }
        let Some((on, sdk)) = scene.actor else { return };
        if event.at != sdk.woken_at
            && let Some(overdue) = self.owes(scene, event.at, on, sdk)
        {
            let text = format!("{} owes the server a heartbeat on this network: {overdue}", scene.device(on));
            report.missing_by(PACE, event, "heartbeat", text);
            self.device(on).last_sent = event.at;
        }
        let limits = scene.allowance.client(scene.cast, on);
        match event.what {
            What::LinkKept => self.device(on).roused_at = Some(event.at),
            What::SdkWoken => {
                let device = self.device(on);
                device.roused_at = Some(event.at);
                // What it missed asleep says nothing of the network.
                device.asked = device.asked.map(|(at, _)| (at, Duration::MAX));
            }
            What::NetworkChanged => {
                let device = self.device(on);
                (device.roused_at, device.shortened) = (Some(event.at), None);
            }
            What::UninitReturned { .. } => self.device(on).shortened = None,
            What::LinkLost => {
                let device = self.device(on);
                if device.fell_silent(limits, event.at) {
                    let usual = device.told.map_or(limits.heartbeat, |told| told.min(limits.heartbeat));
                    let every = (device.every(limits, event.at) / 2).max(limits.heartbeat_min.min(usual));
                    device.shortened = Some((every, event.at));
                }
            }
            What::ConnectAsked { .. } | What::Gone { .. } | What::CloseAsked { .. } => self.device(on).asked = None,
            What::DeviceSent { connection, frame, reveals } => {
                if frame == ClientFrame::Heartbeat {
                    self.asks(scene, event, on, sdk, report);
                    // One that is left for another connection says nothing, whichever of the two is carried out first.
                    if sdk.doubted.is_some_and(|(link, _)| link == connection) {
                        self.device(on).asked = None;
                    }
                }
                let device = self.device(on);
                if let ClientFrame::MessagesReceived { .. } = frame {
                    device.acknowledged = Some(device.before_heartbeat(event.at));
                }
                device.last_sent = event.at;
                device.has_waited = reveals > 0 && sdk.is_writing(event.at);
                // What leaves as the device wakes may have been given to be sent before it slept.
                if event.at != sdk.woken_at {
                    device.last_passed = event.at;
                }
            }
            What::DeviceReceived { frame, .. } => {
                let device = self.device(on);
                device.last_passed = event.at;
                if let ServerFrame::LoginAccepted { terms, .. }
                | ServerFrame::Resumed { terms, .. }
                | ServerFrame::ResumedAsLogin { terms, .. } = frame
                {
                    let told = Duration::from_millis(terms.heartbeat.into());
                    device.told = Some(told).filter(|told| !told.is_zero());
                }
                match frame {
                    ServerFrame::HeartbeatAnswer => (device.asked, device.answered_at) = (None, event.at),
                    // The server gave the connection up.
                    ServerFrame::Error { .. } | ServerFrame::Closing { .. } => {
                        (device.asked, device.answered_at) = (None, event.at);
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }

    fn finish(&mut self, scene: &Scene<'_>, report: &mut Report) {
        for (on, sdk) in scene.sdks.iter() {
            if let Some(overdue) = self.owes(scene, scene.now, on, sdk) {
                let text = format!("{} owes the server a heartbeat on this network: {overdue}", scene.device(on));
                report.missing(PACE, scene.now, Actor::Device(on), "heartbeat", text);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::story::*;
    use super::*;
    use crate::trace::Terms;

    const ASKS: What = What::DeviceSent { connection: 0, reveals: 0, frame: ClientFrame::Heartbeat };

    fn story() -> Story {
        Story::of(Paces::default()).logs_in(PHONE, ALICE, 1)
    }

    /// A heartbeat goes unanswered at this second, and the session is resumed at once.
    fn falls_silent(story: Story, second: u64) -> Story {
        let silent = story.at(second).on(PHONE, ASKS).at(second + 15).on(PHONE, What::LinkLost);
        comes_back(silent.on(PHONE, What::CloseAsked { connection: 0, peer: None }))
    }

    /// The session is resumed over another connection.
    fn comes_back(story: Story) -> Story {
        let again = story.on(PHONE, What::ConnectAsked { connection: 0 }).on(PHONE, What::Connected { connection: 0 });
        let resume =
            ClientFrame::Resume { attempt: attempt(2), user: ALICE.into(), epoch: 1, ticket: None, received: 0 };
        let asked = again.on(PHONE, What::DeviceSent { connection: 0, reveals: 0, frame: resume });
        asked.receives(
            PHONE,
            ServerFrame::Resumed { attempt: attempt(2), conversations: None, terms: Terms::default(), dropped: 0 },
        )
    }

    fn goes_on(story: Story, second: u64) -> Story {
        story.at(second).on(PHONE, ASKS).receives(PHONE, ServerFrame::HeartbeatAnswer)
    }

    /// CONN-11
    #[test]
    fn heartbeats_that_do_not_come_oftener_are_seen() {
        let silent = || falls_silent(story(), 120);
        goes_on(silent(), 135 + 60).holds();
        goes_on(silent(), 135 + 61).breaks("CONN-11");
        let twice = || falls_silent(silent(), 195);
        goes_on(twice(), 210 + 30).holds();
        goes_on(twice(), 210 + 31).breaks("CONN-11");
        // Half a minute it stays.
        goes_on(falls_silent(twice(), 240), 255 + 30).holds();
        goes_on(falls_silent(twice(), 240), 255 + 15).breaks("CONN-11");
    }

    /// CONN-11
    #[test]
    fn heartbeats_that_come_oftener_for_nothing_are_seen() {
        goes_on(story(), 60).breaks("CONN-11");
        goes_on(story().at(60).on(PHONE, What::SdkWoken), 60).holds();
        let silent = || falls_silent(story(), 120);
        let moved = || silent().on(PHONE, What::NetworkChanged);
        goes_on(moved(), 135 + 120).holds();
        goes_on(moved(), 135 + 60).breaks("CONN-11");
        // An hour is over with the sixtieth heartbeat.
        let an_hour = (1..60).fold(silent(), |story, minute| goes_on(story, 135 + 60 * minute));
        goes_on(an_hour, 135 + 59 * 60 + 120).holds();
        let an_hour = (1..60).fold(silent(), |story, minute| goes_on(story, 135 + 60 * minute));
        goes_on(an_hour, 135 + 60 * 60).breaks("CONN-11");
    }

    /// CONN-11, API-7: what the heartbeat takes along does not make it come too soon, and nothing else does so.
    #[test]
    fn messages_are_acknowledged_with_a_heartbeat_that_is_due() {
        let says_of = |through| ClientFrame::MessagesReceived { user: ALICE.into(), epoch: 1, through };
        let says = What::DeviceSent { connection: 0, reveals: 0, frame: says_of(1) };
        goes_on(story().at(120).on(PHONE, says), 120).holds();
        goes_on(story().at(60).on(PHONE, says), 60).breaks("CONN-11");
        // What waited for the disk was to be sent earlier, whatever is taken along.
        let waited = |story: Story| {
            let asked = What::StoreAsked { change: 1, write: known_ended(ALICE, 1) };
            let story = story.on(PHONE, asked).at(60).on(PHONE, What::Stored { change: 1 });
            story.on(PHONE, What::DeviceSent { connection: 0, reveals: 1, frame: says_of(1) })
        };
        goes_on(waited(story()).at(120).on(PHONE, says), 120).holds();
        // Said for itself, it is a frame like any other.
        goes_on(story().at(60).on(PHONE, says), 180).holds();
        goes_on(story().at(60).on(PHONE, says), 120).breaks("CONN-11");
    }

    /// CONN-11, CONN-10: nobody knows what became of a link that was left for another connection before its heartbeat's
    /// time was up.
    #[test]
    fn a_link_that_is_left_shortens_nothing() {
        let connects = What::ConnectAsked { connection: 1 };
        let told = || story().at(100).on(PHONE, What::NetworkChanged);
        let left = |story: Story| {
            let lost = story.at(116).on(PHONE, What::ConnectFailed { connection: 1 }).on(PHONE, What::LinkLost);
            comes_back(lost.on(PHONE, What::CloseAsked { connection: 0, peer: None }))
        };
        // Cores ask for the heartbeat first, drivers open the connection before they send it.
        goes_on(left(told().on(PHONE, ASKS).on(PHONE, connects)), 116 + 120).holds();
        goes_on(left(told().on(PHONE, connects).on(PHONE, ASKS)), 116 + 120).holds();
        goes_on(left(told().on(PHONE, connects).on(PHONE, ASKS)), 116 + 60).breaks("CONN-11");
    }

    /// CONN-11: a device that slept tells nothing of how long a link may be idle.
    #[test]
    fn a_loss_after_a_sleep_shortens_nothing() {
        let wakes = || {
            let sleeps = story().at(1).effect(Effect::Suspended { device: PHONE.into() }).at(300);
            sleeps.effect(Effect::Woken { device: PHONE.into() }).on(PHONE, What::SdkWoken)
        };
        goes_on(falls_silent(wakes(), 300), 315 + 120).holds();
        // Nor does one that has something to send when it wakes, from before it slept.
        let renew = ClientFrame::Renew { call: 2, attempt: attempt(2), user: ALICE.into(), epoch: 1, ticket: None };
        let sends = || wakes().on(PHONE, What::DeviceSent { connection: 0, reveals: 0, frame: renew });
        goes_on(falls_silent(sends(), 300), 315 + 120).holds();
        goes_on(falls_silent(sends(), 300), 315 + 60).breaks("CONN-11");
    }
}
