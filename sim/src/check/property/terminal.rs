//! The one event that ends a session, and what comes before it (EVENT-1).

use gatecrash::client::Status;

use super::contract::Property;
use super::report::Report;
use super::scene::Scene;
use crate::check::grown::grown;
use crate::scenario::rules::{RuleId, rule};
use crate::trace::{DeviceIndex, Effect, Event, Session, Told, What};

const ORDER: RuleId = rule("EVENT-1");

/// How many ended sessions of a device are remembered.
const REMEMBERED_MAX: usize = 16;

#[derive(Default)]
pub(super) struct Terminal {
    devices: Vec<Device>,
}

#[derive(Clone, Default)]
struct Device {
    told: Vec<Session>,
    /// The calls that were pending when the session ended.
    pending: Vec<u32>,
}

impl Terminal {
    fn device(&mut self, device: DeviceIndex) -> &mut Device {
        grown(&mut self.devices, device.index())
    }
}

impl Property for Terminal {
    sentence!(
        Always,
        "a session ends for the application once: the status, then the pending calls, then the one event",
        "EVENT-1",
        "KICK-1",
        "TICKET-5",
        "LOGIN-5"
    );
    watches!("effect", "status", "answered", "told");

    fn observe(&mut self, scene: &Scene<'_>, event: &Event, report: &mut Report) {
        if let What::Effect { effect: Effect::ProcessDead { device } } = event.what {
            self.device(device).pending.clear();
        }
        let Some((on, sdk)) = scene.actor else { return };
        match event.what {
            What::Status { status: Status::Logout, .. } if sdk.status == Status::Logined => {
                let device = self.device(on);
                device.pending.clear();
                device.pending.extend(sdk.calls.iter().map(|pending| pending.call));
            }
            What::Answered { call, .. } => self.device(on).pending.retain(|&pending| pending != call),
            What::Told {
                event: told @ (Told::KickedOffline { .. } | Told::UserSigExpired),
                user: Some(user),
                epoch,
            } => {
                let what = || scene.session(on, user, epoch);
                let word = told.word();
                let session = Session { user, epoch };
                let device = self.device(on);
                if device.told.contains(&session) {
                    report.event(ORDER, event, format!("{word} fired for {}, whose end was told before", what()));
                }
                if sdk.session == Some(session) {
                    report.event(ORDER, event, format!("{word} fired for {}, and the status is still LOGINED", what()));
                } else if let Some(call) = device.pending.first() {
                    report.event(
                        ORDER,
                        event,
                        format!("{word} fired for {}, and call {call} is still pending", what()),
                    );
                }
                if device.told.len() >= REMEMBERED_MAX {
                    device.told.remove(0);
                }
                device.told.push(session);
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
    use crate::scenario::CallKind;
    use crate::trace::Request;

    fn story() -> Story {
        let send = Request::Send { to: BOB.into(), text: text(0), id: None };
        Story::of(Terminal::default()).logs_in(PHONE, ALICE, 1).calls(PHONE, 200, send)
    }

    #[test]
    fn an_end_out_of_order_is_seen() {
        let out = || status(Status::Logout, None);
        let answer = || answered(200, CallKind::Send, Some(ALICE), failed(Code::NotLoggedIn));
        let end = || story().on(PHONE, out()).on(PHONE, answer()).told(PHONE, kicked(), ALICE, 1);
        end().holds();
        story().on(PHONE, answer()).told(PHONE, kicked(), ALICE, 1).on(PHONE, out()).breaks("EVENT-1");
        story().on(PHONE, out()).told(PHONE, kicked(), ALICE, 1).on(PHONE, answer()).breaks("EVENT-1");
        end().told(PHONE, Told::UserSigExpired, ALICE, 1).breaks("EVENT-1");
    }
}
