//! A device whose record cannot be written: what needs it ends at once and does not leave (ATT-5).

use std::collections::{BTreeMap, BTreeSet};

use gatecrash::client::Status;
use gatecrash::code::Code;
use gatecrash::time::Instant;

use super::contract::Property;
use super::report::Report;
use super::scene::Scene;
use super::sdk::{PendingCall, Sdk};
use crate::scenario::CallKind;
use crate::scenario::rules::{RuleId, rule};
use crate::trace::{ClientFrame, DeviceIndex, Event, Fault, Outcome, ServerFrame, What, Write};

const RULE: RuleId = rule("ATT-5");

#[derive(Default)]
pub(super) struct Unwritten {
    devices: BTreeMap<DeviceIndex, Device>,
    /// Devices whose disk has refused a write and was not mended since.
    refusing: BTreeSet<DeviceIndex>,
}

#[derive(Default)]
struct Device {
    /// When the SDK was last told that its record cannot be written, and the calls that had not left then.
    failed: Option<(Instant, Vec<u32>)>,
    /// Calls without a result whose frame was seen to leave.
    left: Vec<u32>,
    /// Calls that ended because the record could not be written, of this process.
    ended: Vec<u32>,
    /// Since when a write is under way, of which nobody was told that it fails or takes too long.
    writing_since: Option<Instant>,
    /// The last write of its record.
    record: u32,
    /// Since when it has a connection.
    connected_at: Option<Instant>,
    /// The connection that went last.
    gone: Option<u32>,
}

impl Device {
    fn observe(&mut self, sdk: &Sdk, event: &Event, is_refused: bool) {
        if let What::Gone { connection, .. } = event.what {
            self.gone = Some(connection);
        }
        match event.what {
            What::StoreAsked { change, write } => {
                // What a disk refuses is told at once, and tried again later.
                if sdk.asked <= sdk.stored && !is_refused {
                    self.writing_since = Some(event.at);
                }
                if let Write::Installation { .. } = write {
                    self.record = change;
                }
            }
            What::Stored { change } => self.writing_since = (sdk.asked > change).then_some(event.at),
            What::RecordFailed => self.writing_since = None,
            What::Connected { .. } => self.connected_at = Some(event.at),
            What::ConnectAsked { .. }
            | What::ConnectFailed { .. }
            | What::Untrusted { .. }
            | What::CloseAsked { .. }
            | What::Gone { .. }
            | What::NoFrame { .. } => self.connected_at = None,
            _ => {}
        }
    }

    /// A call that waits on a connection for the record, whose write counts as failed since then.
    fn overdue(&self, scene: &Scene<'_>, on: DeviceIndex, sdk: &Sdk) -> Option<(u32, Instant)> {
        let (since, connected_at) = self.writing_since.zip(self.connected_at)?;
        let is_awake = !sdk.is_suspended && sdk.woken_at <= since;
        let login = sdk.calls.iter().find(|pending| pending.call == sdk.login_call)?;
        let waits = sdk.status == Status::Logining && self.record > sdk.stored && !self.left.contains(&login.call);
        let due = since + scene.allowance.client(scene.cast, on).connect_timeout / 2;
        let told_at = due.max(connected_at).max(login.at);
        (is_awake && waits && told_at + scene.allowance.device_slack < scene.now).then_some((login.call, due))
    }

    /// Whether the logout's time is up, and its end not on the disk yet.
    fn is_out_of_time(scene: &Scene<'_>, on: DeviceIndex, sdk: &Sdk, event: &Event, call: u32) -> bool {
        let limit = scene.allowance.client(scene.cast, on).request_timeout;
        let is_it = |pending: &&PendingCall| pending.call == call && pending.kind == CallKind::Logout;
        sdk.asked > sdk.stored && sdk.calls.iter().find(is_it).is_some_and(|pending| event.at >= pending.at + limit)
    }
}

impl Property for Unwritten {
    sentence!(
        Always,
        "while a device's record cannot be written, what needs it ends at once, and has not left",
        "ATT-5"
    );
    // What it looks at; a call that waits on shows at the next of them.
    watches!(
        "record_failed",
        "device_sent",
        "device_received",
        "no_frame",
        "answered",
        "status",
        "told",
        "store_asked",
        "stored",
        "connect_asked",
        "connected",
        "connect_failed",
        "untrusted",
        "close_asked",
        "gone",
        "link_lost",
        "effect",
        "fault"
    );
    frames!("login", "renew", "logout", "send", "admin_kick", "query", "closing");

    fn observe(&mut self, scene: &Scene<'_>, event: &Event, report: &mut Report) {
        use crate::trace::Effect::{DeviceDiskMended, DeviceDiskRefused, ProcessDead, ProcessUp};
        match event.what {
            What::Effect { effect: DeviceDiskRefused { device } } => {
                self.refusing.insert(device);
                self.devices.entry(device).or_default().writing_since = None;
            }
            // Another trouble may begin later than this one.
            What::Effect { effect: DeviceDiskMended { device } }
            | What::Fault { fault: Fault::DeviceDiskError { device, .. } | Fault::DeviceDiskFull { device, .. } } => {
                self.refusing.remove(&device);
            }
            _ => {}
        }
        if let What::Effect { effect: ProcessDead { device } | ProcessUp { device } } = event.what {
            self.devices.remove(&device);
        }
        let Some((on, sdk)) = scene.actor else { return };
        let device = self.devices.entry(on).or_default();
        if let Some((at, calls)) = device.failed.take_if(|(at, _)| *at < event.at) {
            for call in calls.iter().filter(|call| sdk.calls.iter().any(|pending| pending.call == **call)) {
                let text = format!(
                    "{}'s call {call} waits on, though its record could not be written at {at} s",
                    scene.device(on)
                );
                report.missing_by(RULE, event, "answered", text);
            }
        }
        if let Some((call, due)) = device.overdue(scene, on, sdk) {
            device.writing_since = None;
            let text = format!(
                "{}'s call {call} waits on, though the write of its record takes too long since {due} s",
                scene.device(on)
            );
            report.missing_by(RULE, event, "record_failed", text);
        }
        device.observe(sdk, event, self.refusing.contains(&on));
        match event.what {
            What::Stored { change } if change > sdk.stored && self.refusing.contains(&on) => {
                let text = format!("{} is told that write {change} is on its disk, which refuses it", scene.device(on));
                report.event(RULE, event, text);
            }
            What::RecordFailed => {
                // What has a session's link needs nothing of the record, and what waits for one is the model's.
                let needs_record = |pending: &&PendingCall| match pending.kind {
                    CallKind::Logout => true,
                    CallKind::Login => sdk.status == Status::Logining,
                    _ => false,
                };
                let calls = sdk.calls.iter().filter(needs_record).map(|pending| pending.call);
                device.failed = Some((event.at, calls.filter(|call| !device.left.contains(call)).collect()));
            }
            What::DeviceSent { connection, frame, .. } => {
                let Some(call) = frame.call() else { return };
                // LOGOUT-2: an end stays owed, and may be brought by this frame as well as by a later one.
                let is_owed = matches!(frame, ClientFrame::Logout { .. });
                if device.ended.contains(&call) && !is_owed {
                    let text = format!("{}'s {} leaves, though call {call} ended", scene.device(on), frame.word());
                    report.event(RULE, event, text);
                }
                // What is given to a connection that is gone does not leave.
                if device.gone != Some(connection) {
                    device.left.push(call);
                }
            }
            // LOGIN-8, INPUT-6: what the server did not act upon, or what no server heard, counts as not sent.
            What::DeviceReceived { frame: ServerFrame::Closing { .. }, .. } | What::NoFrame { .. } => {
                device.left.clear();
            }
            What::Answered { call, outcome, .. } => {
                let has_left = device.left.contains(&call);
                device.left.retain(|left| *left != call);
                let Outcome::Failed { code: Code::StorageFailed, .. } = outcome else { return };
                device.ended.push(call);
                let was_told = device.failed.as_ref().is_some_and(|(at, _)| *at == event.at);
                let text = if has_left {
                    "which has left"
                } else if was_told || Device::is_out_of_time(scene, on, sdk, event, call) {
                    return;
                } else {
                    "and nothing kept it from being written"
                };
                let text = format!("{}'s call {call} ended for its record, {text}", scene.device(on));
                report.event(RULE, event, text);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::story::*;
    use super::*;
    use crate::trace::{Effect, Request};

    fn called() -> Story {
        let login = Request::Login { user: ALICE.into(), ticket: ticket(TICKET) };
        Story::of(Unwritten::default()).calls(PHONE, 1, login).on(PHONE, status(Status::Logining, None))
    }

    fn ends(story: Story) -> Story {
        story.on(PHONE, answered(1, CallKind::Login, Some(ALICE), failed(Code::StorageFailed)))
    }

    fn leaves(story: Story) -> Story {
        story.on(PHONE, What::DeviceSent { connection: 0, reveals: 0, frame: login_frame(1, 1, TICKET) })
    }

    /// ATT-5
    #[test]
    fn what_needs_the_record_ends_at_once_and_does_not_leave() {
        let unwritten = || called().on(PHONE, What::RecordFailed);
        ends(unwritten()).at(1).on(PHONE, What::LinkLost).holds();
        unwritten().at(1).on(PHONE, What::LinkLost).breaks("ATT-5");
        leaves(ends(unwritten())).breaks("ATT-5");
        ends(leaves(called()).on(PHONE, What::RecordFailed)).breaks("ATT-5");
        leaves(called()).on(PHONE, What::RecordFailed).at(1).on(PHONE, What::LinkLost).holds();
        let gone = || called().on(PHONE, What::Gone { connection: 0, peer: None });
        ends(leaves(gone()).on(PHONE, What::RecordFailed)).holds();
    }

    /// ATT-5: what the disk refused is not on it.
    #[test]
    fn a_refused_write_that_counts_as_done_is_seen() {
        let device = PHONE.into();
        let writing = || called().on(PHONE, What::StoreAsked { change: 1, write: known_ended(ALICE, 1) });
        let done = |story: Story| story.on(PHONE, What::Stored { change: 1 });
        let refused = || writing().effect(Effect::DeviceDiskRefused { device });
        done(writing()).holds();
        done(refused()).breaks("ATT-5");
        done(refused().effect(Effect::DeviceDiskMended { device })).holds();
    }

    /// ATT-5: a write that takes longer than half of what an attempt to connect may take, 10 s, is one that fails.
    #[test]
    fn a_write_that_takes_too_long_is_told_to_whoever_waits() {
        let writing = || {
            let asked = What::StoreAsked { change: 1, write: known_ended(ALICE, 1) };
            called().on(PHONE, What::ConnectAsked { connection: 1 }).on(PHONE, asked)
        };
        let connected = || writing().on(PHONE, What::Connected { connection: 1 });
        let told = |at| ends(connected().at(at).on(PHONE, What::RecordFailed));
        connected().at(6).on(PHONE, What::LinkLost).breaks("ATT-5");
        connected().at(4).on(PHONE, What::LinkLost).holds();
        told(5).holds();
        told(7).breaks("ATT-5");
        leaves(connected().at(4).on(PHONE, What::Stored { change: 1 })).at(9).on(PHONE, What::LinkLost).holds();
        // Nothing waits for the disk while there is no connection.
        writing().at(8).on(PHONE, What::Connected { connection: 1 }).on(PHONE, What::RecordFailed).holds();
        let asleep = || connected().effect(Effect::Suspended { device: PHONE.into() }).at(20);
        asleep().effect(Effect::Woken { device: PHONE.into() }).on(PHONE, What::RecordFailed).holds();
    }

    /// ATT-5: a disk that refuses tells so at once, and is tried again: that write has not been under way all the time.
    #[test]
    fn a_write_of_the_next_process_is_not_late_on_a_disk_that_refuses() {
        let device = PHONE.into();
        let login = Request::Login { user: ALICE.into(), ticket: ticket(TICKET) };
        let begun = |story: Story| {
            let asked = What::StoreAsked { change: 1, write: known_ended(ALICE, 1) };
            let story = story.on(PHONE, asked).on(PHONE, What::ConnectAsked { connection: 1 });
            let story = story.calls(PHONE, 1, login).on(PHONE, status(Status::Logining, None));
            story.on(PHONE, What::Connected { connection: 1 }).at(6).on(PHONE, What::LinkLost)
        };
        let anew = || Story::of(Unwritten::default()).effect(Effect::ProcessUp { device });
        let refused = || Story::of(Unwritten::default()).effect(Effect::DeviceDiskRefused { device });
        begun(anew()).breaks("ATT-5");
        begun(refused().effect(Effect::ProcessUp { device })).holds();
    }

    /// ATT-5: once it can be written nothing ends for it.
    #[test]
    fn a_record_that_can_be_written_ends_nothing() {
        ends(called()).breaks("ATT-5");
        ends(called().on(PHONE, What::RecordFailed).at(1)).breaks("ATT-5");
        let logout = || Story::of(Unwritten::default()).calls(PHONE, 1, Request::Logout);
        let ends =
            |story: Story| story.on(PHONE, answered(1, CallKind::Logout, Some(ALICE), failed(Code::StorageFailed)));
        let writing = || logout().on(PHONE, What::StoreAsked { change: 1, write: known_ended(ALICE, 1) });
        ends(writing().at(15)).holds();
        ends(writing().at(14)).breaks("ATT-5");
        ends(writing().on(PHONE, What::Stored { change: 1 }).at(15)).breaks("ATT-5");
    }
}
