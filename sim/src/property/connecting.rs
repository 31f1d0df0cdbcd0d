//! Connection events alternate: an attempt begins, and ends in one way (CONN-3).

use gatecrash::client::Status;

use super::{Property, Report, Scene};
use crate::scenario::CallKind;
use crate::scenario::rules::{RuleId, rule};
use crate::trace::{DeviceIndex, Effect, Event, Outcome, Told, What};

const ALTERNATE: RuleId = rule("CONN-3");

#[derive(Default)]
pub(super) struct Connecting {
    devices: Vec<Device>,
}

#[derive(Clone, Copy, Default)]
struct Device {
    is_connecting: bool,
    /// Whether the login under way, or the session it made, had its success told or dropped.
    is_told: bool,
}

impl Connecting {
    fn device(&mut self, device: DeviceIndex) -> &mut Device {
        if self.devices.len() <= device.index() {
            self.devices.resize(device.index() + 1, Device::default());
        }
        &mut self.devices[device.index()]
    }
}

impl Property for Connecting {
    sentence!("every connecting ends once, and nothing ends that did not begin", "CONN-3");
    watches!("effect", "told", "events_dropped", "status", "answered");

    fn observe(&mut self, scene: &Scene<'_>, event: &Event, report: &mut Report) {
        if let What::Effect { effect: Effect::ProcessDead { device } | Effect::ProcessUp { device } } = event.what {
            *self.device(device) = Device::default();
        }
        let Some((on, sdk)) = scene.sdks.actor(event) else { return };
        let name = scene.device(on);
        let device = self.device(on);
        match event.what {
            What::Told { event: told, .. } => match told {
                Told::Connecting => {
                    if std::mem::replace(&mut device.is_connecting, true) {
                        let text = format!("{name} was told connecting, and the attempt before had not ended");
                        report.event(ALTERNATE, event, text);
                    }
                }
                Told::ConnectSuccess | Told::ConnectFailed { .. } => {
                    device.is_told = true;
                    if !std::mem::replace(&mut device.is_connecting, false) {
                        let text = format!("{name} was told {}, and no attempt had begun", told.word());
                        report.event(ALTERNATE, event, text);
                    }
                }
                Told::KickedOffline { .. } | Told::UserSigExpired => device.is_connecting = false,
                Told::Message { .. } => {}
            },
            What::EventsDropped => (device.is_connecting, device.is_told) = (false, true),
            What::Status { status: Status::Logining, .. } => device.is_told = false,
            What::Answered { call, kind: Some(CallKind::Login), outcome: Outcome::Done, .. }
                if call == sdk.login_call && !device.is_told =>
            {
                let text = format!("{name} got its login's result before connect_success");
                report.event(ALTERNATE, event, text);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use gatecrash::code::Code;

    use super::super::story::*;
    use super::*;

    fn story() -> Story {
        Story::of(Connecting::default()).logs_in(PHONE, ALICE, 1)
    }

    #[test]
    fn events_out_of_turn_are_seen() {
        let failed = Told::ConnectFailed { code: Code::NoLink };
        let tells = |events: &[Told]| events.iter().fold(story(), |story, &told| story.told(PHONE, told, ALICE, 1));
        tells(&[Told::Connecting, failed, Told::Connecting, Told::ConnectSuccess]).holds();
        tells(&[Told::Connecting, kicked()]).holds();
        tells(&[Told::Connecting, Told::Connecting]).breaks("CONN-3");
        tells(&[Told::ConnectSuccess]).breaks("CONN-3");
        tells(&[Told::Connecting, failed, failed]).breaks("CONN-3");
        let cut = story().told(PHONE, Told::Connecting, ALICE, 1).on(PHONE, What::EventsDropped);
        cut.told(PHONE, Told::Connecting, BOB, 0).holds();
    }

    #[test]
    fn a_result_ahead_of_its_event_is_seen() {
        let story = || story().on(PHONE, status(Status::Logout, None)).on(PHONE, status(Status::Logining, None));
        let done = || answered(101, CallKind::Login, Some(ALICE), Outcome::Done);
        story().told(PHONE, Told::Connecting, ALICE, 0).on(PHONE, done()).breaks("CONN-3");
        let told = story().told(PHONE, Told::Connecting, ALICE, 0).told(PHONE, Told::ConnectSuccess, ALICE, 0);
        told.on(PHONE, done()).holds();
    }
}
