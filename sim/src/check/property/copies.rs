//! Of several devices with copies of one record one goes on as the device it was, and the others as new ones (ATT-1).

use gatecrash::client::Status;

use super::contract::Property;
use super::report::Report;
use super::scene::Scene;
use super::sdk::{PendingCall, Sdk};
use crate::check::grown::grown;
use crate::scenario::CallKind;
use crate::scenario::rules::{RuleId, rule};
use crate::trace::{DeviceIndex, Effect, Event, Refusal, ServerFrame, What};

const STALE: RuleId = rule("ATT-1");
const RECORD: RuleId = rule("ATT-4");

#[derive(Default)]
pub(super) struct Copies {
    devices: Vec<Device>,
}

#[derive(Clone, Copy, Default)]
struct Device {
    /// It was told that an attempt of its id is stale.
    may_change: bool,
    /// The same of one whose answer it cannot miss, and it has not taken another id since.
    must_change: bool,
}

impl Copies {
    fn device(&mut self, device: DeviceIndex) -> &mut Device {
        grown(&mut self.devices, device.index())
    }
}

/// Whether the frame says that an attempt is stale; and whether that was one whose answer the SDK cannot miss.
fn is_stale(frame: &ServerFrame, sdk: &Sdk) -> Option<bool> {
    match frame {
        ServerFrame::ResumeStale { .. } => Some(true),
        ServerFrame::LoginRefused { refused: Refusal::Stale, .. } => Some(true),
        ServerFrame::RenewAnswer { refused: Some(Refusal::Stale), .. } => Some(true),
        // An end that goes ahead of a login has its answer with the login's, and with that of a logout that cut it off.
        ServerFrame::LogoutAnswer { refused: Some(Refusal::Stale), call } => {
            let is_another = |pending: &PendingCall| pending.kind == CallKind::Logout && pending.call != *call;
            Some(sdk.status == Status::Logout && !sdk.calls.iter().any(is_another))
        }
        _ => None,
    }
}

impl Property for Copies {
    sentence!(
        Always,
        "a device whose attempt is stale goes on under another device id, and no other device does",
        "ATT-1",
        "ATT-4"
    );
    watches!("effect", "device_received", "device_sent", "connect_asked", "back_off", "new_device");
    frames!(all);

    fn observe(&mut self, scene: &Scene<'_>, event: &Event, report: &mut Report) {
        if let What::Effect { effect: Effect::ProcessDead { device } } = event.what {
            *self.device(device) = Device::default();
        }
        let Some((on, sdk)) = scene.actor else { return };
        let device = self.device(on);
        match event.what {
            What::DeviceReceived { connection, frame } => {
                device.may_change = false;
                if let Some(is_awaited) = is_stale(&frame, sdk) {
                    device.may_change = true;
                    device.must_change |= is_awaited && sdk.connection == Some(connection);
                }
            }
            What::NewDevice { .. } => {
                let may_change = device.may_change;
                *device = Device::default();
                if !may_change {
                    let text = format!(
                        "{} takes another device id, and nobody told it that an attempt is stale",
                        scene.device(on)
                    );
                    report.event(RECORD, event, text);
                }
            }
            What::DeviceSent { .. } | What::ConnectAsked { .. } | What::BackOff { .. }
                if std::mem::take(&mut device.must_change) =>
            {
                let text =
                    format!("{} was told that its attempt is stale, and goes on under its device id", scene.device(on));
                report.event(STALE, event, text);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::story::*;
    use super::*;
    use crate::trace::{ClientFrame, Request};

    /// ATT-1, ATT-4: the one takes another id at once, and nobody does so without being told.
    #[test]
    fn an_id_that_is_kept_or_changed_for_nothing_is_seen() {
        let asks = || Story::of(Copies::default()).on(PHONE, What::ConnectAsked { connection: 1 });
        let told = |frame| asks().on(PHONE, What::DeviceReceived { connection: 1, frame });
        let new = || What::NewDevice { installation: 2 };
        let goes_on = |story: Story| story.on(PHONE, What::ConnectAsked { connection: 2 });
        let sends = |story: Story| {
            story.on(PHONE, What::DeviceSent { connection: 1, reveals: 0, frame: ClientFrame::Heartbeat })
        };
        for frame in [
            ServerFrame::ResumeStale { attempt: attempt(1) },
            ServerFrame::LoginRefused { call: 9, refused: Refusal::Stale },
            ServerFrame::RenewAnswer { call: 9, refused: Some(Refusal::Stale) },
        ] {
            goes_on(told(frame).on(PHONE, new())).holds();
            goes_on(told(frame)).breaks("ATT-1");
            sends(told(frame)).breaks("ATT-1");
        }
        let ended = ServerFrame::LogoutAnswer { call: 0, refused: Some(Refusal::Stale) };
        told(ended).on(PHONE, new()).holds();
        goes_on(told(ended)).breaks("ATT-1");
        let logs_in = || asks().on(PHONE, status(Status::Logining, None));
        goes_on(logs_in().on(PHONE, What::DeviceReceived { connection: 1, frame: ended })).holds();
        let cut_off =
            asks().calls(PHONE, 7, Request::Logout).on(PHONE, What::DeviceReceived { connection: 1, frame: ended });
        goes_on(cut_off).holds();
        sends(told(ServerFrame::HeartbeatAnswer)).holds();
        told(ServerFrame::HeartbeatAnswer).on(PHONE, new()).breaks("ATT-4");
        told(ServerFrame::LogoutAnswer { call: 0, refused: None }).on(PHONE, new()).breaks("ATT-4");
    }
}
