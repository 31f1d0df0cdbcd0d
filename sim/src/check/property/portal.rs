//! What somebody else answers in the server's place is no answer (INPUT-6).

use gatecrash::code::Code;
use gatecrash::time::Instant;

use super::contract::Property;
use super::report::Report;
use super::scene::Scene;
use crate::check::grown::grown;
use crate::scenario::CallKind;
use crate::scenario::rules::{RuleId, rule};
use crate::trace::{ClientFrame, DeviceIndex, Event, Fault, Outcome, What};

const NO_FRAME: RuleId = rule("INPUT-6");

#[derive(Default)]
pub(super) struct Portals {
    devices: Vec<Device>,
    /// Whether anybody but a server may answer on this network.
    is_there_one: bool,
}

#[derive(Clone, Copy, Default)]
struct Device {
    /// The connection on which a login was sent last.
    asked_on: Option<u32>,
    /// When what came on that one was no frame.
    heard_none_at: Option<Instant>,
}

impl Portals {
    fn device(&mut self, device: DeviceIndex) -> &mut Device {
        grown(&mut self.devices, device.index())
    }
}

impl Property for Portals {
    sentence!(Always, "no login fails by what is no answer of a server", "INPUT-6");
    watches!("fault", "device_sent", "device_received", "no_frame", "answered");

    fn observe(&mut self, scene: &Scene<'_>, event: &Event, report: &mut Report) {
        self.is_there_one |= matches!(event.what, What::Fault { fault: Fault::Portal { .. } });
        let Some((on, _)) = scene.actor else { return };
        if matches!(event.what, What::NoFrame { .. }) && !self.is_there_one {
            // LOGIN-8: what was sent would count as not sent.
            let text = format!("{} takes for no frame what came, and nobody but the server answers", scene.device(on));
            return report.event(NO_FRAME, event, text);
        }
        let device = self.device(on);
        match event.what {
            What::DeviceSent { connection, frame: ClientFrame::Login { .. }, .. } => {
                *device = Device { asked_on: Some(connection), heard_none_at: None };
            }
            What::DeviceReceived { .. } => device.heard_none_at = None,
            What::NoFrame { connection } if device.asked_on == Some(connection) => {
                device.heard_none_at = Some(event.at);
            }
            What::Answered { kind: Some(CallKind::Login), outcome, .. } => {
                let is_left_in_the_dark = matches!(outcome, Outcome::Failed { code: Code::NoAnswer, .. });
                if is_left_in_the_dark && device.heard_none_at == Some(event.at) {
                    let text =
                        format!("{} takes what is no frame for the loss of its login's answer", scene.device(on));
                    report.event(NO_FRAME, event, text);
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

    /// INPUT-6
    #[test]
    fn a_page_that_ends_a_login_is_seen() {
        let login = ClientFrame::Login {
            call: 9,
            attempt: attempt(9),
            user: ALICE.into(),
            ticket: Some(ticket(TICKET)),
            known_ended: None,
        };
        let sent =
            || Story::of(Portals::default()).on(PHONE, What::DeviceSent { connection: 1, reveals: 0, frame: login });
        let fails = |code| {
            let outcome = Outcome::Failed { code, reason: None };
            answered(9, CallKind::Login, Some(ALICE), outcome)
        };
        let portal = || sent().world(What::Fault { fault: Fault::Portal { site: crate::trace::SiteIndex::new(0) } });
        let page = |connection| portal().on(PHONE, What::NoFrame { connection });
        sent().on(PHONE, What::NoFrame { connection: 1 }).breaks("INPUT-6");
        page(1).on(PHONE, fails(Code::NoAnswer)).breaks("INPUT-6");
        page(1).at(1).on(PHONE, fails(Code::NoAnswer)).holds();
        page(2).on(PHONE, fails(Code::NoAnswer)).holds();
        page(1).on(PHONE, fails(Code::NoLink)).holds();
    }
}
