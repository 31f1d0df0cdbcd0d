//! The login status and the login user (LOGIN-6, LOGIN-7).

use gatecrash::client::Status;

use super::contract::Property;
use super::report::Report;
use super::scene::Scene;
use crate::check::grown::grown;
use crate::scenario::rules::{RuleId, rule};
use crate::trace::{DeviceIndex, Event, ServerFrame, What};

const MOVES: RuleId = rule("LOGIN-6");
const USER: RuleId = rule("LOGIN-7");
const RENEWAL: RuleId = rule("LOGIN-5");

#[derive(Default)]
pub(super) struct StatusMoves {
    /// Of each device, the last login call whose acceptance arrived.
    accepted: Vec<u32>,
}

impl StatusMoves {
    fn accepted(&mut self, device: DeviceIndex) -> &mut u32 {
        grown(&mut self.accepted, device.index())
    }
}

impl Property for StatusMoves {
    sentence!(
        Always,
        "the login status moves only along its ways, and the login user is set exactly while LOGINED",
        "LOGIN-6",
        "LOGIN-7",
        "LOGIN-5"
    );
    watches!("device_received", "status");
    frames!("login_accepted");

    fn observe(&mut self, scene: &Scene<'_>, event: &Event, report: &mut Report) {
        let Some((on, sdk)) = scene.actor else { return };
        match event.what {
            What::DeviceReceived { frame: ServerFrame::LoginAccepted { call, .. }, .. } => *self.accepted(on) = call,
            What::Status { status, login_user } => {
                let name = scene.device(on);
                let before = sdk.status;
                let is_way = match (before, status) {
                    (Status::Logout, Status::Logining)
                    | (Status::Logining, Status::Logined | Status::Logout)
                    | (Status::Logined, Status::Logout) => true,
                    (one, other) => one == other,
                };
                if !is_way {
                    let text = format!("{name} went from {} to {}", before.word(), status.word());
                    report.event(MOVES, event, text);
                } else if status == Status::Logined && *self.accepted(on) != sdk.login_call {
                    report.event(MOVES, event, format!("{name} is LOGINED without an accepted login"));
                }
                if before == Status::Logined && status != before && sdk.renews() {
                    let text = format!("{name} ends its session for a login of the user who is logged in");
                    report.event(RENEWAL, event, text);
                }
                let expected = if status == Status::Logined { sdk.account } else { None };
                if login_user != expected {
                    let (shown, expected) = (scene.maybe_user(login_user), scene.maybe_user(expected));
                    let text = format!("{name} is {} as {shown}, not as {expected}", status.word());
                    report.event(USER, event, text);
                }
                if status == Status::Logining {
                    *self.accepted(on) = 0;
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
    use crate::trace::Request;

    fn story() -> Story {
        Story::of(StatusMoves::default())
    }

    #[test]
    fn a_status_out_of_its_way_is_seen() {
        story().logs_in(PHONE, ALICE, 1).on(PHONE, status(Status::Logout, None)).holds();
        story().on(PHONE, status(Status::Logined, Some(ALICE))).breaks("LOGIN-6");
        story().logs_in(PHONE, ALICE, 1).on(PHONE, status(Status::Logining, None)).breaks("LOGIN-6");
        let login = Request::Login { user: ALICE.into(), ticket: ticket(TICKET) };
        let unanswered = story().calls(PHONE, 1, login).on(PHONE, status(Status::Logining, None));
        unanswered.on(PHONE, status(Status::Logined, Some(ALICE))).breaks("LOGIN-6");
    }

    /// LOGIN-5
    #[test]
    fn a_renewal_that_ends_the_session_is_seen() {
        let logs_in_again = |user: U| {
            let login = Request::Login { user: user.into(), ticket: ticket(TICKET) };
            story().logs_in(PHONE, ALICE, 1).calls(PHONE, 9, login)
        };
        logs_in_again(ALICE).holds();
        logs_in_again(ALICE).on(PHONE, status(Status::Logout, None)).breaks("LOGIN-5");
        logs_in_again(BOB).on(PHONE, status(Status::Logout, None)).holds();
    }

    /// LOGIN-7
    #[test]
    fn a_login_user_left_behind_is_seen() {
        story().logs_in(PHONE, ALICE, 1).on(PHONE, status(Status::Logout, Some(ALICE))).breaks("LOGIN-7");
        story().logs_in(PHONE, ALICE, 1).on(PHONE, status(Status::Logined, Some(BOB))).breaks("LOGIN-7");
    }
}
