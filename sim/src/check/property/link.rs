//! Back-off and heartbeats: how the SDK keeps and finds its link (CONN-2, CONN-5).

use std::time::Duration;

use gatecrash::client::Status;
use gatecrash::code::Code;
use gatecrash::limits::ClientLimits;
use gatecrash::protocol::FrameError;
use gatecrash::time::Instant;

use super::contract::Property;
use super::evenly::Evenly;
use super::overdue::Overdue;
use super::report::Report;
use super::scene::Scene;
use super::sdk::{PendingCall, Sdk};
use crate::check::grown::grown;
use crate::scenario::CallKind;
use crate::scenario::rules::{RuleId, rule};
use crate::trace::{
    Actor, ClientFrame, DeviceIndex, Effect, Event, Micros, Outcome, Refusal, Request, ServerFrame, Told, What,
};

const BACK_OFF: RuleId = rule("CONN-2");
const HEARTBEAT: RuleId = rule("CONN-5");
const PROBE: RuleId = rule("CONN-10");
const KEEPS_TRYING: RuleId = rule("LOGIN-8");
const DELIVERED: RuleId = rule("LOGOUT-2");

#[derive(Default)]
pub(super) struct Links {
    devices: Vec<Device>,
    /// Where in its range each device's last delay was, in millionths.
    draws: Vec<Option<u32>>,
    /// The delays of those whom the server sent away, of those whose links it closed, of those whose own links failed, and
    /// those that follow.
    drawn: [Evenly; 4],
}

#[derive(Clone)]
struct Device {
    /// The last number drawn since the back-off started over.
    drawn: u32,
    starts_over: StartsOver,
    /// A login call while it is logged in, of which the trace does not tell yet whether the SDK took it.
    renews: Option<PendingCall>,
    /// Since when the link was up whose loss the last delay was drawn for: that it was up counts once.
    drawn_for: Option<Instant>,
    drawn_at: Option<Instant>,
    /// The connection that it had then, and wants no more: it may be closed later, and is not heard until that.
    left: Option<u32>,
    /// When the next attempt is due, if one waits.
    due: Option<Instant>,
    /// When the last delay drawn is over.
    waits_until: Instant,
    /// When it last heard, with a link, of another network: it makes a connection beside that link then.
    beside_at: Option<Instant>,
    /// When another connection last took the place of its link, and the calls sent on that one at once: what was
    /// asked on the link before ends then.
    replaced: Option<(Instant, Vec<u32>)>,
    /// What the server named with its last answer that made a link.
    return_spread: Duration,
    /// Whether the other side closed the link that was lost last, and nothing happened since.
    was_closed: bool,
    /// Before when the server does not want it back, and over how long it wants everybody back then.
    away: Option<(Instant, Duration)>,
    last_sent: Instant,
    /// A heartbeat without its answer.
    asked_at: Option<Instant>,
    /// When the last one was answered.
    answered_at: Instant,
    /// The device woke, or its network changed, and the link is not probed yet.
    probes_since: Option<Instant>,
    doubt: Option<Doubt>,
    beside: Option<Beside>,
    /// The server does not support its version, and it has not connected since.
    has_given_up: bool,
    /// Since when somebody is or wants to be logged in, or an end is owed, and there is no connection.
    idle_since: Option<Instant>,
    /// When something happened to it last.
    last_at: Instant,
    /// Whether it was said that its former link is still there.
    has_both: bool,
}

/// Whether the next delay is the first of a series again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum StartsOver {
    No,
    /// The trace does not tell.
    Perhaps,
    Yes,
}

impl StartsOver {
    /// By a link that was up for so long.
    fn after(span: Duration, limits: &ClientLimits, slack: Duration) -> Self {
        match span {
            span if span > limits.backoff_reset + slack => StartsOver::Yes,
            span if span + slack >= limits.backoff_reset => StartsOver::Perhaps,
            _ => StartsOver::No,
        }
    }
}

/// A link that may be dead: how long it has to show that it lives before another connection is made.
#[derive(Clone, Copy)]
struct Doubt {
    since: Instant,
    patience: Duration,
}

impl Default for Device {
    fn default() -> Self {
        Device {
            drawn: 0,
            starts_over: StartsOver::Yes,
            renews: None,
            drawn_for: None,
            drawn_at: None,
            left: None,
            due: None,
            waits_until: Instant::ZERO,
            beside_at: None,
            replaced: None,
            return_spread: Duration::ZERO,
            was_closed: false,
            away: None,
            last_sent: Instant::ZERO,
            asked_at: None,
            answered_at: Instant::ZERO,
            probes_since: None,
            doubt: None,
            beside: None,
            has_given_up: false,
            idle_since: None,
            last_at: Instant::ZERO,
            has_both: false,
        }
    }
}

/// The shortest and longest `number`th delay; with everybody else's return over so long, if they return, too.
fn range(limits: &ClientLimits, number: u32, everybody: Option<Duration>) -> (Duration, Duration) {
    if number <= 1 {
        return (Duration::ZERO, everybody.unwrap_or(limits.backoff_first));
    }
    let doubled = 1_u32.checked_shl(number - 2).and_then(|factor| limits.backoff_min.checked_mul(factor));
    let middle = doubled.map_or(limits.backoff_max, |middle| middle.min(limits.backoff_max));
    let spread = middle * limits.backoff_spread_percent / 100;
    // A draw cut to whole microseconds, and a percentage cut before it.
    let cut = Duration::from_micros(100);
    (middle.saturating_sub(spread + cut), middle + spread + cut + everybody.unwrap_or_default())
}

/// A second connection that is being made beside a link.
#[derive(Clone, Copy, Default)]
struct Beside {
    /// Whether the link has answered since.
    has_answered: bool,
    /// Whether something else made the link no good.
    may_go: bool,
}

impl Device {
    /// Whether the link on which the call was sent has just been replaced.
    fn has_lost(&self, call: u32, now: Instant) -> bool {
        self.replaced.as_ref().is_some_and(|(at, asked)| *at == now && !asked.contains(&call))
    }

    /// Its link is suspect.
    fn doubts(&mut self, since: Instant, limits: &ClientLimits) {
        self.doubt.get_or_insert(Doubt { since, patience: limits.probe_answer });
    }
}

impl Links {
    fn device(&mut self, device: DeviceIndex) -> &mut Device {
        grown(&mut self.devices, device.index())
    }

    fn back_off(&mut self, scene: &Scene<'_>, event: &Event, on: DeviceIndex, report: &mut Report) {
        let What::BackOff { attempt, delay } = event.what else { return };
        let name = scene.device(on);
        let delay = Duration::from_micros(delay.get());
        let Device { was_closed, return_spread, away, .. } = *self.device(on);
        // A login is a person's, and an owed end the device's own affair, whoever closed the link before.
        let is_in = scene.sdks.find(on).is_some_and(|sdk| sdk.status == Status::Logined);
        let everybody = (was_closed && is_in).then_some(return_spread);
        let away = away.filter(|(until, _)| *until >= event.at);
        let (shortest, longest) = match away {
            Some((until, spread)) => (until - event.at, until - event.at + spread),
            None => range(scene.allowance.client(scene.cast, on), attempt, everybody),
        };
        if delay < shortest || delay > longest {
            let delay = delay.as_secs_f64();
            report.event(BACK_OFF, event, format!("{name} waits {delay:.3} s, out of range for attempt {attempt}"));
        }
        if self.is_no_draw(on, delay, shortest, longest) {
            let text = format!("{name} waits as far into its range as three other devices, which is no draw");
            report.event(BACK_OFF, event, text);
        }
        let drawn = match (away, everybody) {
            (Some(_), _) => &mut self.drawn[0],
            (None, Some(_)) => &mut self.drawn[1],
            (None, None) if attempt <= 1 => &mut self.drawn[2],
            (None, None) => &mut self.drawn[3],
        };
        if let Some(part) = drawn.drawn(delay, (shortest, longest)) {
            let text = format!("all delays of late, {name}'s the last, were in the {part} of what they may be");
            report.event(BACK_OFF, event, text);
        }
        let up_since = scene.sdks.find(on).and_then(|sdk| sdk.up_since);
        // A link that is given up is closed only when all that was asked for is carried out.
        self.link_ends(scene, event, on, up_since, StartsOver::Yes);
        let device = self.device(on);
        (device.drawn_for, device.drawn_at) = (up_since, Some(event.at));
        device.left = scene.sdks.find(on).and_then(|sdk| sdk.connection);
        let before = std::mem::replace(&mut device.drawn, attempt);
        let is_next = match device.starts_over {
            StartsOver::Yes => attempt == 1,
            StartsOver::Perhaps => attempt == 1 || attempt == before + 1,
            StartsOver::No => attempt == before + 1,
        };
        if !is_next {
            report.event(BACK_OFF, event, format!("{name}'s back-off went from attempt {before} to {attempt}"));
        }
        device.starts_over = StartsOver::No;
        (device.due, device.waits_until) = (Some(event.at + delay), event.at + delay);
    }

    /// Whether the delays of four devices come to the same place in their ranges: by chance that happens in one of some
    /// thousand million runs. One device's may do so again and again where nothing has moved its stream on.
    fn is_no_draw(&mut self, on: DeviceIndex, delay: Duration, shortest: Duration, longest: Duration) -> bool {
        const WIDTH_MIN: Duration = Duration::from_millis(50);
        let width = longest.saturating_sub(shortest);
        if width < WIDTH_MIN {
            return false;
        }
        let place = delay.saturating_sub(shortest).as_micros() * 1_000_000 / width.as_micros();
        let place = Some(u32::try_from(place).unwrap_or(u32::MAX));
        *grown(&mut self.draws, on.index()) = place;
        self.draws.iter().filter(|other| **other == place).count() >= 4
    }

    /// The link that was up since then ends, which is evidence of so much at most.
    fn link_ends(
        &mut self,
        scene: &Scene<'_>,
        event: &Event,
        on: DeviceIndex,
        up_since: Option<Instant>,
        at_most: StartsOver,
    ) {
        let limits = scene.allowance.client(scene.cast, on);
        let device = self.device(on);
        if let Some(since) = up_since.filter(|_| up_since != device.drawn_for) {
            let starts_over = StartsOver::after(event.at - since, limits, scene.allowance.slack);
            device.starts_over = device.starts_over.max(starts_over.min(at_most));
        }
    }

    /// CONN-10: nobody makes a second connection for nothing, or before its time.
    fn second(&mut self, scene: &Scene<'_>, event: &Event, on: DeviceIndex, sdk: &Sdk, report: &mut Report) {
        let device = self.device(on);
        let doubt = device.doubt.take();
        if sdk.up_since.is_some() && doubt.is_some() {
            // What was asked for at that instant may be carried out after what came of it was drawn for.
            let is_drawn = device.drawn_at == Some(event.at);
            let starts_over = if is_drawn { StartsOver::Perhaps } else { StartsOver::Yes };
            device.starts_over = device.starts_over.max(starts_over);
        }
        device.beside = sdk.up_since.map(|_| Beside::default());
        // What closes the link may wait for the disk, and what asks for the next one does not.
        if sdk.up_since.is_none() || sdk.status != Status::Logined || sdk.is_writing(event.at) {
            return;
        }
        let name = scene.device(on);
        match doubt {
            None => report.event(PROBE, event, format!("{name} makes another connection beside a link that works")),
            Some(Doubt { since, patience }) if event.at + scene.allowance.slack < since + patience => {
                let early = (since + patience - event.at).as_secs_f64();
                let text = format!("{name} makes another connection beside its link {early:.3} s before it may");
                report.event(PROBE, event, text);
            }
            Some(_) => {}
        }
    }

    /// CONN-10: a link that has answered stays if the connection that was to replace it comes to nothing, and until
    /// it is replaced.
    fn given_up(&mut self, scene: &Scene<'_>, event: &Event, on: DeviceIndex, sdk: &Sdk, report: &mut Report) {
        let Some((link, _)) = sdk.doubted else { return };
        let name = scene.device(on);
        let Some(beside) = &mut self.device(on).beside else { return };
        match event.what {
            What::NetworkChanged => *beside = Beside { has_answered: false, may_go: true },
            What::DeviceReceived { connection, frame } => match frame {
                ServerFrame::HeartbeatAnswer if connection == link => beside.has_answered = true,
                // The link is no good, or the session is not what it was.
                ServerFrame::Error { .. } | ServerFrame::ResumeStale { .. } => beside.may_go = true,
                ServerFrame::Closing { .. } if connection == link => beside.may_go = true,
                ServerFrame::RenewAnswer { refused: Some(Refusal::Stale), .. } => beside.may_go = true,
                _ => {}
            },
            What::LinkLost => {
                if beside.has_answered && !beside.may_go {
                    report.event(
                        PROBE,
                        event,
                        format!("{name} gives up a link that has answered since it was doubted"),
                    );
                }
                beside.may_go = true;
            }
            What::LinkKept if !beside.has_answered => {
                report.event(
                    PROBE,
                    event,
                    format!("{name} stays on a link that has not answered since it was doubted"),
                );
            }
            What::CloseAsked { connection, .. } if connection == link => {
                // Of inputs in a row the driver carries out what each asked for when all are taken in.
                let is_settled = !sdk.is_writing(event.at) && sdk.connect_asked_at != event.at;
                let is_early = sdk.up_since.is_none() && sdk.status == Status::Logined;
                if is_early && is_settled && !beside.may_go {
                    let text = format!("{name} closes its link before another connection has the session");
                    report.event(PROBE, event, text);
                }
            }
            _ => {}
        }
    }

    /// Whether the device has made the second connection that it owes, until now.
    fn owed_second(&self, scene: &Scene<'_>, now: Instant, on: DeviceIndex, sdk: &Sdk) -> Option<String> {
        let device = self.devices.get(on.index())?;
        let Doubt { since, patience } = device.doubt?;
        let at = since.max(sdk.woken_at);
        // CONN-2: nobody comes back before the server wants it.
        let due = device.away.map_or(at + patience, |(until, spread)| (at + patience).max(until + spread));
        (due + scene.allowance.device_slack < now).then(|| {
            let overdue = Overdue { since: "it had reason to", at, limit: due - at, now };
            format!("doubts its link and makes no other connection: {overdue}")
        })
    }

    /// CONN-10: since another connection has the session, for how long the link before has not been closed.
    fn keeps_both(&self, scene: &Scene<'_>, now: Instant, sdk: &Sdk) -> Option<Overdue<'static>> {
        let ((_, _), since) = sdk.doubted.zip(sdk.up_since)?;
        let at = since.max(sdk.woken_at);
        let is_late = at + scene.allowance.slack < now && !sdk.is_suspended && !sdk.is_writing(now);
        is_late.then_some(Overdue { since: "another has its session", at, limit: Duration::ZERO, now })
    }

    /// Whether the device has begun every attempt that it owed, until now: at once, or when its delay was over.
    fn owed_attempt(
        &mut self,
        scene: &Scene<'_>,
        now: Instant,
        on: DeviceIndex,
        sdk: &Sdk,
    ) -> Option<(RuleId, String)> {
        let device = self.device(on);
        let wants_link =
            sdk.is_initialised && (sdk.status != Status::Logout || sdk.owes_end) && sdk.connection.is_none();
        // VERSION-1: for a renewal it connects once more.
        let has_given_up = device.has_given_up && !sdk.calls.iter().any(|call| call.kind == CallKind::Login);
        if !wants_link || has_given_up || sdk.is_suspended || sdk.is_writing(now) {
            device.idle_since = None;
            return None;
        }
        let idle_since = *device.idle_since.get_or_insert(device.last_at);
        let since = device.waits_until.max(idle_since).max(sdk.woken_at);
        if since + scene.allowance.device_slack >= now {
            return None;
        }
        device.idle_since = Some(now);
        let overdue = Overdue { since: "it had reason to", at: since, limit: Duration::ZERO, now };
        let rule = match sdk.status {
            Status::Logined => BACK_OFF,
            Status::Logining => KEEPS_TRYING,
            Status::Logout => DELIVERED,
        };
        Some((rule, format!("has no connection and makes none: {overdue}")))
    }

    /// Whether heartbeats went and came in time until now: what is missing, and how to say so.
    fn heartbeats(
        &self,
        scene: &Scene<'_>,
        now: Instant,
        on: DeviceIndex,
        sdk: &Sdk,
    ) -> Option<(&'static str, String)> {
        let device = self.devices.get(on.index())?;
        let since = sdk.up_since.filter(|_| sdk.status == Status::Logined && !sdk.is_suspended)?;
        let limits = scene.allowance.client(scene.cast, on);
        let slack = scene.allowance.device_slack;
        let from = |at: Instant| at.max(sdk.woken_at).max(sdk.kept_at).max(since);
        if let Some(asked) = device.asked_at.filter(|asked| from(*asked) + limits.heartbeat_answer + slack < now) {
            let overdue = Overdue { since: "it was sent", at: from(asked), limit: limits.heartbeat_answer, now };
            return Some(("link_lost", format!("had no answer to its heartbeat and goes on as if it had: {overdue}")));
        }
        // One that is on its way is not joined by another.
        let sent = from(device.last_sent);
        let due = (sent + limits.heartbeat).max(device.answered_at);
        let owes = device.asked_at.is_none() && due + slack < now;
        owes.then(|| {
            let since = if sent == device.last_sent { "its last frame" } else { "its link was up and it awake" };
            let overdue = Overdue { since, at: sent, limit: due - sent, now };
            ("heartbeat", format!("owes the server a heartbeat: {overdue}"))
        })
    }
}

impl Property for Links {
    sentence!(
        Eventually,
        "reconnecting follows the back-off, and a link that is up is kept alive",
        "CONN-2",
        "CONN-5",
        "CONN-10",
        "LOGIN-8",
        "LOGOUT-2"
    );
    // What it looks at; what is overdue shows at the next of them.
    watches!(
        "called",
        "answered",
        "uninit_returned",
        "told",
        "status",
        "device_sent",
        "device_received",
        "connect_asked",
        "connect_failed",
        "untrusted",
        "close_asked",
        "gone",
        "back_off",
        "link_lost",
        "sdk_woken",
        "link_kept",
        "network_changed",
        "effect"
    );
    frames!(all);

    fn observe(&mut self, scene: &Scene<'_>, event: &Event, report: &mut Report) {
        if let What::Effect { effect: Effect::ProcessDead { device } | Effect::ProcessUp { device } } = event.what {
            *self.device(device) = Device::default();
        }
        let Some((on, sdk)) = scene.actor else { return };
        let name = scene.device(on);
        // A device that has just woken first hears what it missed.
        let has_just_woken = event.at == sdk.woken_at;
        if let Some(fault) = self.heartbeats(scene, event.at, on, sdk).filter(|_| !has_just_woken) {
            report.missing_by(HEARTBEAT, event, fault.0, format!("{name} {}", fault.1));
            let device = self.device(on);
            (device.asked_at, device.last_sent) = (None, event.at);
        }
        if let Some(overdue) =
            self.keeps_both(scene, event.at, sdk).filter(|_| !std::mem::replace(&mut self.device(on).has_both, true))
        {
            let text = format!("{name} has not closed its former link: {overdue}");
            report.missing_by(PROBE, event, "close_asked", text);
        }
        self.device(on).has_both &= sdk.doubted.is_some();
        if !has_just_woken && let Some((rule, fault)) = self.owed_attempt(scene, event.at, on, sdk) {
            report.missing_by(rule, event, "connect_asked", format!("{name} {fault}"));
        }
        let device = self.device(on);
        // CONN-2: what the SDK refuses it answers at once; what waits on it has accepted.
        if let Some(call) = device.renews.take_if(|call| call.at < event.at)
            && sdk.calls.contains(&call)
            && sdk.suspended_at < call.at
            && device.drawn_at != Some(call.at)
        {
            device.starts_over = StartsOver::Yes;
        }
        device.last_at = event.at;
        if sdk.up_since.is_none() || sdk.is_suspended || sdk.status != Status::Logined {
            (device.probes_since, device.doubt) = (None, None);
        }
        if let Some(fault) = self.owed_second(scene, event.at, on, sdk).filter(|_| !has_just_woken) {
            self.device(on).doubt = None;
            report.missing_by(PROBE, event, "connect_asked", format!("{name} {fault}"));
        }
        let device = self.device(on);
        let is_late = |since: &mut Instant| (*since).max(sdk.woken_at) + scene.allowance.slack < event.at;
        if let Some(since) = device.probes_since.take_if(is_late) {
            let at = since.max(sdk.woken_at);
            let overdue = Overdue { since: "it was told", at, limit: Duration::ZERO, now: event.at };
            let text = format!("{name} was told to look at its link and did not probe it: {overdue}");
            report.missing_by(PROBE, event, "heartbeat", text);
        }
        self.given_up(scene, event, on, sdk, report);
        let limits = scene.allowance.client(scene.cast, on);
        match event.what {
            What::BackOff { .. } => self.back_off(scene, event, on, report),
            What::Called { call, request: Request::Login { .. } }
                if sdk.status == Status::Logined && sdk.calls.iter().all(|call| call.kind != CallKind::Uninit) =>
            {
                let device = self.device(on);
                (device.starts_over, device.was_closed) = (device.starts_over.max(StartsOver::Perhaps), false);
                if !sdk.is_suspended {
                    device.renews = Some(PendingCall { call, kind: CallKind::Login, at: event.at });
                }
            }
            What::Called { request: Request::Login { .. } | Request::Init { .. }, .. }
            | What::Status { status: Status::Logining, .. } => {
                let device = self.device(on);
                // Whether an `init` began anything the trace tells later.
                let is_begun = matches!(event.what, What::Status { .. });
                let starts_over = if is_begun { StartsOver::Yes } else { device.starts_over.max(StartsOver::Perhaps) };
                (device.starts_over, device.was_closed) = (starts_over, false);
                // Whom a person sends asks at once, and an SDK that begins anew knows of nothing.
                let begins_anew = sdk.calls.iter().any(|call| call.kind == CallKind::Uninit);
                if matches!(event.what, What::Status { .. }) || begins_anew {
                    device.away = None;
                }
            }
            What::Told { event: Told::ConnectFailed { code: Code::VersionNotSupported }, .. } => {
                self.device(on).has_given_up = true;
            }
            // An SDK that begins anew knows of nothing.
            What::UninitReturned { .. } => self.device(on).away = None,
            What::SdkWoken | What::NetworkChanged => {
                let device = self.device(on);
                (device.starts_over, device.was_closed) = (StartsOver::Yes, false);
                // What it waited for by then it waits for no more: it draws anew.
                device.waits_until = device.waits_until.min(event.at);
                if sdk.up_since.is_some() {
                    if device.asked_at.is_none() {
                        device.probes_since = Some(event.at);
                    }
                    match event.what {
                        What::NetworkChanged => {
                            device.beside_at = Some(event.at);
                            device.doubt = Some(Doubt { since: event.at, patience: Duration::ZERO });
                        }
                        _ => device.doubts(event.at, limits),
                    }
                }
            }
            What::LinkKept => {
                let device = self.device(on);
                device.probes_since = Some(event.at);
                device.doubts(event.at, limits);
            }
            // CONN-5: the link is suspect, unless it is a new one that took the place of the call's.
            What::Answered { call, outcome: Outcome::Failed { code: Code::NoAnswer, .. }, .. }
                if sdk.up_since.is_some()
                    && !self.device(on).has_lost(call, event.at)
                    && sdk.calls.iter().any(|it| it.call == call && it.at + it.time(limits) <= event.at) =>
            {
                self.device(on).doubts(event.at, limits);
            }
            What::LinkLost => {
                self.link_ends(scene, event, on, sdk.up_since, StartsOver::Yes);
            }
            What::ConnectAsked { .. } => {
                self.second(scene, event, on, sdk, report);
                let device = self.device(on);
                (device.asked_at, device.was_closed) = (None, false);
                let asked_by_call =
                    sdk.calls.iter().any(|call| call.at == event.at && call.kind == CallKind::Login) || has_just_woken;
                // VERSION-1: then a person's call is what it waited for.
                let is_asked_for = std::mem::take(&mut device.has_given_up) && asked_by_call;
                let away = device.away.take().filter(|(until, _)| event.at < *until && !is_asked_for);
                if let Some((until, _)) = away {
                    let early = (until - event.at).as_secs_f64();
                    let text = format!("{name} connects {early:.3} s before the server wants it back");
                    report.event(BACK_OFF, event, text);
                }
                // One beside a link is none that a delay goes before. Of calls in a row the driver carries out what
                // each asked for when all are made, and of a link that is lost in the same instant only then.
                if sdk.up_since.is_some() || device.beside_at.take() == Some(event.at) {
                    return;
                }
                let due = device.due.take().filter(|due| !asked_by_call && event.at < *due);
                if let Some(due) = due {
                    let early = (due - event.at).as_secs_f64();
                    report.event(BACK_OFF, event, format!("{name} connects {early:.3} s before its back-off is over"));
                }
            }
            // Its connection went: whether it had been up long enough is known before its events.
            What::Gone { .. } | What::CloseAsked { .. } => {
                let is_told = matches!(event.what, What::Gone { .. });
                // What a device closes itself need not be its link.
                let at_most = if is_told { StartsOver::Yes } else { StartsOver::Perhaps };
                self.link_ends(scene, event, on, sdk.up_since, at_most);
                let device = self.device(on);
                device.asked_at = None;
                device.was_closed |= sdk.up_since.is_some() && is_told;
            }
            What::DeviceSent { connection, frame, .. } => {
                // The last of a connection that the device closes goes out after that.
                let is_of_another = sdk.connection.is_some_and(|current| current != connection)
                    && sdk.doubted.is_none_or(|(doubted, _)| doubted != connection);
                let device = self.device(on);
                device.last_sent = event.at;
                if frame == ClientFrame::Heartbeat && !is_of_another {
                    (device.asked_at, device.probes_since) = (Some(event.at), None);
                }
                if let (Some(call), Some((at, asked))) = (frame.call(), &mut device.replaced)
                    && *at == event.at
                {
                    asked.push(call);
                }
            }
            // Of an attempt for an owed end nobody is told.
            What::DeviceReceived { frame: ServerFrame::Error { why: FrameError::Version }, connection }
                if sdk.connection == Some(connection) && sdk.up_since.is_none() =>
            {
                self.device(on).has_given_up = true;
            }
            What::DeviceReceived { frame: ServerFrame::Closing { after, spread, .. }, connection } => {
                let span = |micros: Micros| Duration::from_micros(micros.get());
                // What comes on one that the device has closed is not heard any more.
                let is_heard =
                    sdk.connection == Some(connection) || sdk.doubted.is_some_and(|(doubted, _)| doubted == connection);
                if !is_heard {
                    return;
                }
                let device = self.device(on);
                if device.left == Some(connection) {
                    return;
                }
                device.away = Some((event.at + span(after), span(spread)));
                device.starts_over = StartsOver::Yes;
            }
            What::DeviceReceived { frame: ServerFrame::HeartbeatAnswer, connection }
                if sdk.connection == Some(connection) =>
            {
                let device = self.device(on);
                (device.asked_at, device.answered_at, device.doubt) = (None, event.at, None);
            }
            What::DeviceReceived {
                frame:
                    ServerFrame::LoginAccepted { terms, .. }
                    | ServerFrame::Resumed { terms, .. }
                    | ServerFrame::ResumedAsLogin { terms, .. },
                ..
            } => {
                let device = self.device(on);
                device.return_spread = Duration::from_micros(terms.return_spread.get());
                device.replaced = sdk.doubted.map(|_| (event.at, Vec::new()));
            }
            _ => {}
        }
    }

    fn finish(&mut self, scene: &Scene<'_>, report: &mut Report) {
        for (on, sdk) in scene.sdks.iter() {
            if let Some((what, fault)) = self.heartbeats(scene, scene.now, on, sdk) {
                let text = format!("{} {fault}", scene.device(on));
                report.missing(HEARTBEAT, scene.now, Actor::Device(on), what, text);
            }
            if let Some((rule, fault)) = self.owed_attempt(scene, scene.now, on, sdk) {
                let text = format!("{} {fault}", scene.device(on));
                report.missing(rule, scene.now, Actor::Device(on), "connect_asked", text);
            }
            let has_link = sdk.up_since.is_some() && sdk.status == Status::Logined && !sdk.is_suspended;
            if let Some(fault) = self.owed_second(scene, scene.now, on, sdk).filter(|_| has_link) {
                let text = format!("{} {fault}", scene.device(on));
                report.missing(PROBE, scene.now, Actor::Device(on), "connect_asked", text);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use gatecrash::protocol::Closing;

    use super::super::story::*;
    use super::*;
    use crate::trace::Write;

    fn story() -> Story {
        Story::of(Links::default()).logs_in(PHONE, ALICE, 1)
    }

    fn draws(attempt: u32, millis: u64) -> What {
        What::BackOff { attempt, delay: Micros::new(millis * 1000) }
    }

    /// CONN-2
    #[test]
    fn a_delay_out_of_range_is_seen() {
        story().on(PHONE, draws(1, 250)).on(PHONE, draws(2, 300)).on(PHONE, draws(3, 400)).holds();
        story().on(PHONE, draws(1, 251)).breaks("CONN-2");
        // One that is the shortest everywhere is none that is drawn.
        let three = || story().on(PHONE, draws(1, 0)).on(PHONE2, draws(1, 0)).on(PHONE3, draws(1, 0));
        three().on(DESK, draws(1, 1)).holds();
        three().on(DESK, draws(1, 0)).breaks("CONN-2");
        story().on(PHONE, draws(1, 250)).on(PHONE, draws(2, 301)).breaks("CONN-2");
        // The counter does not start over by itself.
        story().on(PHONE, draws(1, 0)).on(PHONE, draws(1, 0)).breaks("CONN-2");
        story().on(PHONE, draws(1, 0)).on(PHONE, What::NetworkChanged).on(PHONE, draws(1, 0)).holds();
    }

    /// CONN-2, LOGIN-8: who wants a link goes on trying.
    #[test]
    fn an_attempt_that_is_not_begun_is_seen() {
        let later = |story: Story| story.on(PHONE, What::NetworkChanged);
        let gone = || story().on(PHONE, What::Gone { connection: 0, peer: None });
        later(gone().on(PHONE, draws(1, 200))).holds();
        later(gone().at(9)).breaks("CONN-2");
        later(gone().on(PHONE, draws(1, 200)).at(9)).breaks("CONN-2");
        // What is drawn after a change of the network counts, and nothing before.
        let changes = || gone().on(PHONE, draws(1, 250)).on(PHONE, draws(2, 300)).on(PHONE, What::NetworkChanged);
        changes().on(PHONE, draws(1, 250)).at_micros(200_000).on(PHONE, What::NetworkChanged).holds();
        changes().at_micros(200_000).on(PHONE, What::NetworkChanged).breaks("CONN-2");
        let asked = gone().on(PHONE, draws(1, 200)).at_micros(200_000).on(PHONE, What::ConnectAsked { connection: 1 });
        later(asked.at(9)).holds();
        let logs_in = |story: Story| story.on(PHONE, status(Status::Logining, None));
        let init = Request::Init { platform: gatecrash::policy::Platform::Android };
        let fresh = || Story::of(Links::default()).calls(PHONE, 1, init);
        later(logs_in(fresh()).at(9)).breaks("LOGIN-8");
        // LOGOUT-2
        let owes = |owed_end| Write::Installation { installation: 1, starts: 1, owed_end, known_ended: None };
        let writes = |owed_end| fresh().on(PHONE, What::StoreAsked { change: 1, write: owes(owed_end) });
        let wrote = |owed_end| writes(owed_end).on(PHONE, What::Stored { change: 1 });
        later(later(wrote(false)).at(9)).holds();
        later(later(wrote(true).at(1)).at(9)).breaks("LOGOUT-2");
    }

    /// CONN-2: where it has to, the counter starts over, and does not go on.
    #[test]
    fn a_back_off_that_goes_on_is_seen() {
        let gone = What::Gone { connection: 0, peer: None };
        let resumed = |terms| ServerFrame::Resumed { attempt: attempt(2), conversations: None, terms, dropped: 0 };
        let resume =
            ClientFrame::Resume { attempt: attempt(2), user: ALICE.into(), epoch: 1, ticket: None, received: 0 };
        // It has a link again, after one delay.
        let is_back = || {
            let waited = story().on(PHONE, gone).on(PHONE, draws(1, 0)).on(PHONE, What::ConnectAsked { connection: 0 });
            let asked = What::DeviceSent { connection: 0, reveals: 0, frame: resume };
            let asks = waited.on(PHONE, What::Connected { connection: 0 }).on(PHONE, asked);
            asks.receives(PHONE, resumed(Terms { return_spread: Micros::new(250_000), heartbeat: 0 }))
        };
        is_back().at(35).on(PHONE, gone).on(PHONE, draws(1, 0)).holds();
        is_back().at(35).on(PHONE, gone).on(PHONE, draws(2, 250)).breaks("CONN-2");
        is_back().at(20).on(PHONE, gone).on(PHONE, draws(2, 250)).holds();
        is_back().at(20).on(PHONE, gone).on(PHONE, draws(1, 0)).breaks("CONN-2");
        // A device that gives its link up draws first and closes then, and for each link once.
        let gives_up = || is_back().at(35).on(PHONE, draws(1, 0));
        is_back().at(35).on(PHONE, draws(2, 250)).breaks("CONN-2");
        gives_up().on(PHONE, What::CloseAsked { connection: 0, peer: None }).on(PHONE, draws(2, 250)).holds();
        gives_up().on(PHONE, draws(1, 0)).breaks("CONN-2");
        let waits = || story().on(PHONE, gone).on(PHONE, draws(1, 0)).at(1);
        waits().on(PHONE, What::SdkWoken).on(PHONE, draws(2, 250)).breaks("CONN-2");
        waits().on(PHONE, status(Status::Logining, None)).on(PHONE, draws(2, 250)).breaks("CONN-2");
    }

    /// CONN-2, LOGIN-5: a renewal is a login call that is accepted; one that is answered at once is not.
    #[test]
    fn a_renewal_that_does_not_start_the_back_off_over_is_seen() {
        let gone = What::Gone { connection: 0, peer: None };
        let (asks, fails) = (What::ConnectAsked { connection: 1 }, What::ConnectFailed { connection: 1 });
        let tries = || story().on(PHONE, gone).on(PHONE, draws(1, 0)).on(PHONE, asks);
        let renewal = Request::Login { user: ALICE.into(), ticket: ticket(TICKET) };
        let renews = || tries().at(1).calls(PHONE, 9, renewal);
        renews().at(2).on(PHONE, fails).on(PHONE, draws(1, 0)).holds();
        renews().at(2).on(PHONE, fails).on(PHONE, draws(2, 250)).breaks("CONN-2");
        let refused = || renews().on(PHONE, answered(9, CallKind::Login, Some(ALICE), failed(Code::LoginPending)));
        refused().at(2).on(PHONE, fails).on(PHONE, draws(2, 250)).holds();
    }

    /// CONN-2: many come back spread, one comes back at once.
    #[test]
    fn a_return_that_is_not_everybodys_is_seen() {
        let terms = Terms { return_spread: Micros::new(2_000_000), heartbeat: 0 };
        let resumed = ServerFrame::Resumed { attempt: attempt(2), conversations: None, terms, dropped: 0 };
        let gone = What::Gone { connection: 0, peer: None };
        let up = || story().receives(PHONE, resumed);
        up().on(PHONE, gone).on(PHONE, draws(1, 2_000)).holds();
        up().on(PHONE, gone).on(PHONE, draws(1, 2_001)).breaks("CONN-2");
        let silent = || up().on(PHONE, What::LinkLost).on(PHONE, What::CloseAsked { connection: 0, peer: None });
        silent().on(PHONE, draws(1, 250)).holds();
        silent().on(PHONE, draws(1, 251)).breaks("CONN-2");
        up().on(PHONE, gone).on(PHONE, What::NetworkChanged).on(PHONE, draws(1, 251)).breaks("CONN-2");
        let failed = up().on(PHONE, gone).on(PHONE, draws(1, 0)).on(PHONE, What::ConnectAsked { connection: 1 });
        failed.on(PHONE, draws(2, 301)).breaks("CONN-2");
    }

    /// CONN-2: whom the server sends away comes back when it is wanted, whatever happens meanwhile but a login.
    #[test]
    fn a_return_before_the_server_wants_it_is_seen() {
        let (why, after, spread) = (Closing::Stopping, Micros::new(3_000_000), Micros::new(500_000));
        let told = || story().receives(PHONE, ServerFrame::Closing { why, after, spread });
        let away = || told().on(PHONE, What::CloseAsked { connection: 0, peer: None });
        away().on(PHONE, draws(1, 3_000)).holds();
        away().on(PHONE, draws(1, 3_500)).holds();
        away().on(PHONE, draws(1, 2_999)).breaks("CONN-2");
        away().on(PHONE, draws(1, 3_501)).breaks("CONN-2");
        let again = |millis| {
            away().on(PHONE, draws(1, 3_000)).at(1).on(PHONE, What::NetworkChanged).on(PHONE, draws(1, millis))
        };
        again(2_000).holds();
        again(1_999).breaks("CONN-2");
        let connects = What::ConnectAsked { connection: 1 };
        let waits = || away().on(PHONE, draws(1, 3_000)).at(2);
        waits().on(PHONE, What::SdkWoken).on(PHONE, connects).breaks("CONN-2");
        // A person's login asks at once.
        let login = Request::Login { user: BOB.into(), ticket: ticket(TICKET) };
        waits().calls(PHONE, 9, login).on(PHONE, status(Status::Logining, None)).on(PHONE, connects).holds();
    }

    /// CONN-2
    #[test]
    fn an_attempt_ahead_of_its_time_is_seen() {
        let waits = || story().on(PHONE, What::CloseAsked { connection: 0, peer: None }).on(PHONE, draws(1, 200));
        waits().at_micros(200_000).on(PHONE, What::ConnectAsked { connection: 1 }).holds();
        waits().at_micros(199_999).on(PHONE, What::ConnectAsked { connection: 1 }).breaks("CONN-2");
    }

    /// CONN-10
    #[test]
    fn a_link_that_is_not_probed_is_seen() {
        let asks = || What::DeviceSent { connection: 0, reveals: 0, frame: ClientFrame::Heartbeat };
        let woken = || story().at(60).on(PHONE, What::SdkWoken);
        let another = What::ConnectAsked { connection: 1 };
        woken().on(PHONE, asks()).at(61).on(PHONE, another).holds();
        woken().at(61).on(PHONE, another).breaks("CONN-10");
    }

    /// CONN-10
    #[test]
    fn a_second_connection_that_is_not_made_or_made_for_nothing_is_seen() {
        let asks = || What::DeviceSent { connection: 0, reveals: 0, frame: ClientFrame::Heartbeat };
        let another = What::ConnectAsked { connection: 1 };
        let changed = || story().at(60).on(PHONE, What::NetworkChanged).on(PHONE, asks());
        changed().on(PHONE, another).holds();
        changed().at(61).on(PHONE, another).breaks("CONN-10");
        let woken = || story().at(60).on(PHONE, What::SdkWoken).on(PHONE, asks());
        woken().at(61).on(PHONE, another).holds();
        woken().at_micros(60_900_000).on(PHONE, another).breaks("CONN-10");
        woken().at(62).on(PHONE, another).breaks("CONN-10");
        let answered = || woken().receives(PHONE, ServerFrame::HeartbeatAnswer);
        answered().at(62).holds();
        answered().at(61).on(PHONE, another).breaks("CONN-10");
        story().at(60).on(PHONE, another).breaks("CONN-10");
    }

    /// CONN-10
    #[test]
    fn a_link_given_up_for_nothing_and_one_kept_for_nothing_are_seen() {
        let asks = || What::DeviceSent { connection: 0, reveals: 0, frame: ClientFrame::Heartbeat };
        let changed = || story().at(60).on(PHONE, What::NetworkChanged).on(PHONE, asks());
        let beside = || changed().on(PHONE, What::ConnectAsked { connection: 1 }).at_micros(60_100_000);
        let answered = || beside().receives(PHONE, ServerFrame::HeartbeatAnswer);
        let failed = What::ConnectFailed { connection: 1 };
        beside().on(PHONE, failed).on(PHONE, What::LinkLost).holds();
        answered().on(PHONE, failed).on(PHONE, What::LinkLost).breaks("CONN-10");
        answered().on(PHONE, failed).on(PHONE, What::LinkKept).on(PHONE, asks()).holds();
        beside().on(PHONE, failed).on(PHONE, What::LinkKept).breaks("CONN-10");
        beside().on(PHONE, What::CloseAsked { connection: 0, peer: None }).breaks("CONN-10");
    }

    /// CONN-5
    #[test]
    fn a_heartbeat_that_is_not_sent_or_not_missed_is_seen() {
        let asks = || What::DeviceSent { connection: 0, reveals: 0, frame: ClientFrame::Heartbeat };
        story().at(120).on(PHONE, asks()).at(135).on(PHONE, What::CloseAsked { connection: 0, peer: None }).holds();
        story().at(121).on(PHONE, asks()).breaks("CONN-5");
        story().at(120).on(PHONE, asks()).at(136).world(What::ScriptEnded).breaks("CONN-5");
        story().at(120).on(PHONE, asks()).receives(PHONE, ServerFrame::HeartbeatAnswer).at(239).holds();
        let next = || story().on(PHONE, What::CloseAsked { connection: 0, peer: None });
        let next = || next().on(PHONE, What::ConnectAsked { connection: 1 });
        let resumed =
            ServerFrame::Resumed { attempt: attempt(2), conversations: None, terms: Terms::default(), dropped: 0 };
        let comes = What::DeviceReceived { connection: 1, frame: resumed };
        next().on(PHONE, asks()).on(PHONE, comes).at(20).world(What::ScriptEnded).holds();
    }
}
