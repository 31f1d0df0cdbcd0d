//! Commit before you speak: nothing is said that a crash could take back (DUR-1, ATT-4).
//!
//! Judged by what a frame says, not only by which change it claims to wait for.

use gatecrash::protocol::KickReason;
use gatecrash::time::Instant;

use super::contract::Property;
use super::report::Report;
use super::scene::Scene;
use crate::check::grown::grown;
use crate::scenario::CallKind;
use crate::scenario::rules::{RuleId, rule};
use crate::trace::{
    ClientFrame, DeviceIndex, Effect, Event, Fact, Outcome, Request, ServerFrame, Session, UserIndex, What, Write,
};

const SERVER: RuleId = rule("DUR-1");
const DEVICE: RuleId = rule("ATT-4");
const CONFIRM: RuleId = rule("KICK-7");
const LOGOUT: RuleId = rule("LOGOUT-2");

/// How many ends a device noted are remembered.
const REMEMBERED_MAX: usize = 16;

#[derive(Default)]
pub(super) struct CommitFirst {
    devices: Vec<Device>,
}

#[derive(Clone, Default)]
struct Device {
    /// Ends on their way to the disk, with the change that writes them.
    noting: Vec<(u32, Session)>,
    /// Ends on the disk.
    noted: Vec<Session>,
    /// The first write of the device's record in this process.
    record: Option<u32>,
    /// The first write that says that the server is owed an end, since the last that did not.
    /// Beside it the call that it is for.
    owing: Option<(u32, u32)>,
    /// The logout called last, and the login, with when.
    logout: u32,
    login: (u32, Instant),
}

impl CommitFirst {
    fn device(&mut self, device: DeviceIndex) -> &mut Device {
        grown(&mut self.devices, device.index())
    }
}

/// Whether the frame, sent to this device, on a connection on which this user last asked to be let in,
/// says that the fact is true.
fn says(frame: &ServerFrame, peer: Option<DeviceIndex>, asker: Option<UserIndex>, fact: &Fact) -> bool {
    match (*frame, *fact) {
        (
            ServerFrame::LoginAccepted { epoch, .. } | ServerFrame::ResumedAsLogin { epoch, .. },
            Fact::SessionAccepted { user, device, epoch: of, .. },
        ) => Some(device) == peer && epoch == of && asker.is_none_or(|asker| asker == user),
        (
            ServerFrame::Kick { kick } | ServerFrame::ResumeKicked { kick, .. },
            Fact::SessionEnded { user, device, epoch, .. },
        ) => kick.reason != KickReason::Gone && Some(device) == peer && (kick.user, kick.epoch) == (user, epoch),
        (ServerFrame::Expired { user, epoch }, Fact::SessionEnded { user: of, device, epoch: other, .. }) => {
            Some(device) == peer && (user, epoch) == (of, other)
        }
        (
            ServerFrame::Message { message, .. } | ServerFrame::SendAnswer { message, refused: None, .. },
            Fact::MessageStored { message: of, .. },
        ) => message == of,
        _ => false,
    }
}

impl Property for CommitFirst {
    sentence!(Always, "nothing is said before it is on disk", "DUR-1", "ATT-4", "KICK-7", "LOGOUT-2");
    watches!("server_sent", "effect", "called", "store_asked", "stored", "device_sent", "answered");

    fn observe(&mut self, scene: &Scene<'_>, event: &Event, report: &mut Report) {
        match event.what {
            What::ServerSent { connection, reveals, frame, peer } => {
                let asker = scene.server.asker(connection);
                let committed = scene.server.committed;
                if reveals > committed {
                    let text = format!("a {} reveals change {reveals}, and only {committed} is on disk", frame.word());
                    report.event(SERVER, event, text);
                } else if scene.server.pending().any(|fact| says(&frame, peer, asker, fact)) {
                    report.event(SERVER, event, format!("a {} says what is not on disk yet", frame.word()));
                }
            }
            What::Effect { effect: Effect::ProcessDead { device } | Effect::ProcessUp { device } } => {
                let device = self.device(device);
                (device.noting, device.record, device.owing) = (Vec::new(), None, None);
            }
            _ => {}
        }
        let Some((on, sdk)) = scene.actor else { return };
        match event.what {
            What::StoreAsked { change, write: Write::Installation { known_ended, owed_end, .. } } => {
                let device = self.device(on);
                // A login whose outcome nobody knows is to be ended, too. Of calls in a row all are made first.
                let is_of_login = device.login.0 > device.logout && device.login.1 < event.at;
                let whose = if is_of_login { device.login.0 } else { device.logout };
                device.owing = device.owing.filter(|_| owed_end).or(owed_end.then_some((change, whose)));
                device.record.get_or_insert(change);
                device.noting.extend(known_ended.map(|ended| (change, ended)));
            }
            What::Stored { change } => {
                let device = self.device(on);
                while device.noting.first().is_some_and(|(number, _)| *number <= change) {
                    let (_, ended) = device.noting.remove(0);
                    if device.noted.len() >= REMEMBERED_MAX {
                        device.noted.remove(0);
                    }
                    device.noted.push(ended);
                }
            }
            What::Called { call, request: Request::Logout } => self.device(on).logout = call,
            What::Called { call, request: Request::Login { .. } } => self.device(on).login = (call, event.at),
            // What was noted after a further call is that one's.
            What::Answered { call, kind: Some(CallKind::Logout), outcome: Outcome::Done, .. }
                if self.device(on).owing.is_some_and(|(change, logout)| change > sdk.stored && logout <= call) =>
            {
                let text = format!("{}'s logout is done, and its end is not on the disk", scene.device(on));
                report.event(LOGOUT, event, text);
            }
            What::DeviceSent { reveals, frame, .. } => {
                let (name, stored) = (scene.device(on), sdk.stored);
                let device = self.device(on);
                if reveals > stored || device.record.is_none_or(|record| record > stored) {
                    let text = format!("{name}'s {} left before the record it rests on was stored", frame.word());
                    report.event(DEVICE, event, text);
                }
                if let ClientFrame::KickConfirmed { user, epoch } = frame
                    && !device.noted.contains(&Session { user, epoch })
                {
                    let what = scene.session(on, user, epoch);
                    report.event(CONFIRM, event, format!("the end of {what} is confirmed and not noted on the disk"));
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::story::*;
    use super::*;

    /// DUR-1
    #[test]
    fn an_answer_ahead_of_its_commit_is_seen() {
        let story = || Story::of(CommitFirst::default());
        let answer = ServerFrame::LoginAccepted { call: 1, epoch: 1, conversations: None, terms: Terms::default() };
        story().commit(&[accepted(ALICE, PHONE, 1)]).sends(PHONE, 0, answer).holds();
        story().decide(&[accepted(ALICE, PHONE, 1)]).sends(PHONE, 0, answer).breaks("DUR-1");
        // Not even when it claims to wait for nothing.
        let eager = What::ServerSent { connection: 0, peer: Some(PHONE.into()), reveals: 0, frame: answer };
        story().decide(&[accepted(ALICE, PHONE, 1)]).server(eager).breaks("DUR-1");
        let alive = What::ServerSent { connection: 0, peer: None, reveals: 0, frame: ServerFrame::HeartbeatAnswer };
        story().decide(&[accepted(ALICE, PHONE, 1)]).server(alive).holds();
    }

    /// ATT-4, KICK-7
    #[test]
    fn a_frame_ahead_of_its_record_is_seen() {
        let asks = |change| What::StoreAsked { change, write: known_ended(ALICE, 1) };
        let sends = |reveals| What::DeviceSent {
            connection: 0,
            reveals,
            frame: ClientFrame::KickConfirmed { user: ALICE.into(), epoch: 1 },
        };
        let story = || Story::of(CommitFirst::default()).on(PHONE, asks(1));
        story().on(PHONE, What::Stored { change: 1 }).on(PHONE, sends(1)).holds();
        story().on(PHONE, sends(1)).breaks("ATT-4");
        let other = What::DeviceSent {
            connection: 0,
            reveals: 1,
            frame: ClientFrame::KickConfirmed { user: ALICE.into(), epoch: 2 },
        };
        story().on(PHONE, What::Stored { change: 1 }).on(PHONE, other).breaks("KICK-7");
    }

    /// LOGOUT-2
    #[test]
    fn a_logout_ahead_of_its_end_is_seen() {
        let asks = |change, owed_end| {
            let write = Write::Installation { installation: 1, starts: 1, owed_end, known_ended: None };
            What::StoreAsked { change, write }
        };
        let ends = |story: Story| story.on(PHONE, answered(1, CallKind::Logout, Some(ALICE), Outcome::Done));
        let story = || Story::of(CommitFirst::default()).on(PHONE, asks(1, true));
        ends(story()).breaks("LOGOUT-2");
        ends(story().on(PHONE, What::Stored { change: 1 }).on(PHONE, asks(2, true))).holds();
        ends(story().on(PHONE, asks(2, false))).holds();
    }
}
