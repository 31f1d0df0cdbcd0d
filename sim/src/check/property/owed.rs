//! What the application left is ended on the server ahead of anything else the device asks for
//! (LOGOUT-2, LOGIN-8, SWITCH-3).

use gatecrash::client::Status;

use gatecrash::time::Instant;

use super::contract::Property;
use super::report::Report;
use super::scene::Scene;
use super::sdk::Sdk;
use crate::scenario::CallKind;
use crate::scenario::rules::{RuleId, rule};
use crate::trace::{ClientFrame, DeviceIndex, Effect, Event, ServerFrame, What, Write};

const LOGOUT: RuleId = rule("LOGOUT-2");
const UNKNOWN: RuleId = rule("LOGIN-8");
const SWITCH: RuleId = rule("SWITCH-3");

#[derive(Default)]
pub(super) struct OwedEnds {
    devices: Vec<Device>,
}

#[derive(Clone, Copy, Default)]
struct Device {
    /// An end that the server has not confirmed, and whose it is.
    owed: Option<(RuleId, &'static str)>,
    /// Since when.
    owed_at: Instant,
    /// The disk was emptied, and the record has not been written since.
    is_wiped: bool,
    /// The connection on which an end was said last.
    said_on: Option<u32>,
    /// A login was sent and not answered.
    is_asking: bool,
}

impl OwedEnds {
    fn device(&mut self, device: DeviceIndex) -> &mut Device {
        if self.devices.len() <= device.index() {
            self.devices.resize(device.index() + 1, Device::default());
        }
        &mut self.devices[device.index()]
    }
}

impl Property for OwedEnds {
    sentence!(
        Always,
        "the end of what the application left goes ahead of the device's next login",
        "LOGOUT-2",
        "LOGOUT-3",
        "LOGIN-8",
        "SWITCH-3",
        "ATT-2"
    );
    watches!("effect", "store_asked", "status", "device_sent", "device_received", "connect_asked", "new_device");

    fn observe(&mut self, scene: &Scene<'_>, event: &Event, report: &mut Report) {
        match event.what {
            What::Effect { effect: Effect::ProcessDead { device } } => {
                let sdk = scene.sdks.find(device);
                let is_writing = sdk.is_some_and(|sdk| sdk.is_writing(event.at));
                // What was called at this instant, or when the process was frozen, is not carried out yet.
                let is_still = |sdk: &&Sdk| sdk.is_suspended || sdk.woken_at == event.at;
                let stood_still = sdk.filter(is_still).map_or(event.at, |sdk| sdk.suspended_at);
                let device = self.device(device);
                // An end on its way to the disk, or not even that, may have been lost with the process.
                let is_lost = is_writing || device.is_wiped || device.owed_at >= stood_still;
                let (owed, owed_at) = (device.owed.filter(|_| !is_lost), device.owed_at);
                *device = Device { owed, owed_at, ..Device::default() };
            }
            What::Effect { effect: Effect::DiskEmpty { device } } => {
                let device = self.device(device);
                (device.owed, device.is_wiped) = (None, true);
            }
            _ => {}
        }
        let Some((on, sdk)) = scene.sdks.actor(event) else { return };
        let device = self.device(on);
        match event.what {
            What::Status { status: Status::Logout, .. } => {
                match (sdk.status, sdk.asked_to_end()) {
                    (_, Some(CallKind::Uninit)) => {}
                    (Status::Logined, Some(CallKind::Logout)) => device.owed = Some((LOGOUT, "a logout")),
                    (Status::Logined, Some(_)) => device.owed = Some((SWITCH, "a switch")),
                    (Status::Logining, _) if device.is_asking => {
                        device.owed = Some((UNKNOWN, "a login whose outcome is unknown"));
                    }
                    (Status::Logined | Status::Logining | Status::Logout, _) => {}
                }
                device.is_asking = false;
                device.owed_at = event.at;
            }
            What::DeviceSent { connection, frame: ClientFrame::Logout { .. }, .. } => device.said_on = Some(connection),
            What::DeviceSent { connection, frame: ClientFrame::Login { .. }, .. } => {
                device.is_asking = true;
                if let Some((rule, left)) = device.owed.filter(|_| device.said_on != Some(connection)) {
                    let text = format!("{} logs in, and the end of {left} did not go ahead", scene.device(on));
                    report.event(rule, event, text);
                }
            }
            What::DeviceReceived { frame, .. } => match frame {
                ServerFrame::LogoutAnswer { refused: None, .. } => device.owed = None,
                ServerFrame::LoginAccepted { .. } | ServerFrame::LoginRefused { .. } => device.is_asking = false,
                _ => {}
            },
            What::ConnectAsked { .. } => device.said_on = None,
            What::StoreAsked { write: Write::Installation { .. }, .. } => device.is_wiped = false,
            // What was owed under the old id can no longer be said.
            What::NewDevice { .. } => device.owed = None,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::story::*;
    use super::*;
    use crate::trace::Request;

    fn sends(frame: ClientFrame) -> What {
        What::DeviceSent { connection: 1, reveals: 0, frame }
    }

    fn login() -> What {
        let ticket = Some(ticket(TICKET));
        sends(ClientFrame::Login { call: 9, attempt: attempt(9), user: BOB.into(), ticket, known_ended: None })
    }

    fn logout() -> What {
        sends(ClientFrame::Logout { call: 0, attempt: attempt(8) })
    }

    /// LOGOUT-2, SWITCH-3: also when the process dies meanwhile.
    #[test]
    fn an_end_that_does_not_go_ahead_is_seen() {
        let left = |call| {
            let story = Story::of(OwedEnds::default()).logs_in(PHONE, ALICE, 1).calls(PHONE, 200, call);
            story.on(PHONE, status(Status::Logout, None)).on(PHONE, What::ConnectAsked { connection: 1 })
        };
        left(Request::Logout).on(PHONE, logout()).on(PHONE, login()).holds();
        left(Request::Logout).on(PHONE, login()).breaks("LOGOUT-2");
        left(Request::Uninit).on(PHONE, login()).holds();
        let switch = || Request::Login { user: BOB.into(), ticket: ticket(TICKET) };
        left(switch()).on(PHONE, login()).breaks("SWITCH-3");
        let dead = || left(Request::Logout).at(1).effect(Effect::ProcessDead { device: PHONE.into() });
        dead().on(PHONE, login()).breaks("LOGOUT-2");
        dead().on(PHONE, logout()).on(PHONE, login()).holds();
        let at_once = left(Request::Logout).effect(Effect::ProcessDead { device: PHONE.into() });
        at_once.on(PHONE, login()).holds();
        let wiped = left(Request::Logout).at(1).effect(Effect::DiskEmpty { device: PHONE.into() });
        wiped.at(2).effect(Effect::ProcessDead { device: PHONE.into() }).on(PHONE, login()).holds();
    }

    /// LOGIN-8
    #[test]
    fn a_login_left_in_the_dark_is_seen() {
        let asking = || {
            let call = Request::Login { user: BOB.into(), ticket: ticket(TICKET) };
            let story = Story::of(OwedEnds::default()).calls(PHONE, 1, call).on(PHONE, status(Status::Logining, None));
            story.on(PHONE, login())
        };
        let again = |story: Story| story.on(PHONE, status(Status::Logout, None)).on(PHONE, login());
        again(asking()).breaks("LOGIN-8");
        let refused = ServerFrame::LoginAccepted { call: 9, epoch: 1, conversations: None, terms: Terms::default() };
        again(asking().receives(PHONE, refused)).holds();
    }
}
