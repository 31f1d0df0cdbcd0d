//! A renewal whose outcome is unknown leaves two tickets; both count (LOGIN-5, CONN-4).

use gatecrash::client::Status;
use gatecrash::code::Code;

use super::contract::Property;
use super::report::Report;
use super::scene::Scene;
use crate::check::grown::grown;
use crate::scenario::CallKind;
use crate::scenario::rules::{RuleId, rule};
use crate::trace::{ClientFrame, DeviceIndex, Effect, Event, Outcome, Refusal, ServerFrame, TicketIndex, What};

const BOTH: RuleId = rule("LOGIN-5");
const RESUME: RuleId = rule("CONN-4");

#[derive(Default)]
pub(super) struct Renewals {
    devices: Vec<Device>,
}

/// A renewal's call, and the ticket it brought.
type Renewal = (u32, TicketIndex);

#[derive(Clone, Default)]
struct Device {
    /// The ticket of the last login that was sent, and of the session, as far as the device can know.
    asked: Option<TicketIndex>,
    accepted: Option<TicketIndex>,
    /// Sent, and without an answer from the server.
    sent: Vec<Renewal>,
    /// The last of them whose caller was told that there is none.
    unknown: Option<Renewal>,
    /// The ticket of the resume under way.
    tried: Option<TicketIndex>,
    /// The new ticket was refused, and the one before is not tried yet.
    owes_the_old: bool,
    /// The connection that it closed last: what comes on that it ignores.
    closed: Option<u32>,
}

impl Renewals {
    fn device(&mut self, device: DeviceIndex) -> &mut Device {
        grown(&mut self.devices, device.index())
    }
}

impl Device {
    fn answered(&mut self, call: u32, refused: Option<Refusal>) {
        if refused == Some(Refusal::Code(Code::ServerUnable)) {
            return;
        }
        if refused.is_none() {
            let renewed = self.sent.iter().find(|(sent, _)| *sent == call).map(|(_, ticket)| *ticket);
            self.accepted = renewed.or(self.accepted);
        }
        let is_known = |unknown: &mut Renewal| unknown.0 == call || refused.is_none();
        self.unknown.take_if(is_known);
        self.sent.retain(|(sent, _)| *sent != call);
    }
}

impl Property for Renewals {
    sentence!(
        Always,
        "after a renewal without an answer the new ticket is tried first, and then the old one, before the session counts as over",
        "LOGIN-5",
        "CONN-4"
    );
    watches!("effect", "device_sent", "device_received", "close_asked", "answered", "status");
    frames!(
        "login",
        "login_accepted",
        "renew",
        "resume",
        "renew_answer",
        "resumed",
        "resumed_as_login",
        "resume_refused"
    );

    fn observe(&mut self, scene: &Scene<'_>, event: &Event, report: &mut Report) {
        if let What::Effect { effect: Effect::ProcessDead { device } | Effect::ProcessUp { device } } = event.what {
            *self.device(device) = Device::default();
        }
        let Some((on, sdk)) = scene.actor else { return };
        let name = scene.device(on);
        let device = self.device(on);
        match event.what {
            What::DeviceSent { frame: ClientFrame::Renew { call, ticket: Some(ticket), .. }, .. } => {
                device.sent.push((call, ticket));
            }
            What::DeviceSent { frame: ClientFrame::Login { ticket, .. }, .. } => device.asked = ticket,
            What::DeviceSent { frame: ClientFrame::Resume { ticket, .. }, .. } => {
                (device.tried, device.owes_the_old) = (ticket, false);
                if device.unknown.is_some_and(|(_, new)| ticket != Some(new)) {
                    let text = format!("{name} resumes with its old ticket, and a newer one may be the session's");
                    report.event(BOTH, event, text);
                } else if device.accepted.is_some_and(|of_session| {
                    ticket != Some(of_session) && !device.sent.iter().any(|(_, sent)| Some(*sent) == ticket)
                }) {
                    report.event(RESUME, event, format!("{name} resumes with a ticket that is not its session's"));
                }
            }
            What::CloseAsked { connection, .. } => device.closed = Some(connection),
            What::DeviceReceived { connection, .. } if device.closed == Some(connection) => {}
            What::DeviceReceived { frame, .. } => match frame {
                ServerFrame::RenewAnswer { call, refused } => device.answered(call, refused),
                ServerFrame::LoginAccepted { .. } => device.accepted = device.asked,
                ServerFrame::Resumed { .. } | ServerFrame::ResumedAsLogin { .. } => {
                    (device.unknown, device.accepted) = (None, device.tried);
                }
                ServerFrame::ResumeRefused { .. } => {
                    let tried = device.tried;
                    device.owes_the_old = device.unknown.take_if(|(_, new)| Some(*new) == tried).is_some();
                }
                _ => {}
            },
            What::Answered { call, kind: Some(CallKind::Login), outcome: Outcome::Failed { .. }, .. }
                if sdk.status == Status::Logined =>
            {
                let unknown = device.sent.iter().find(|(sent, _)| *sent == call).copied();
                device.unknown = unknown.or(device.unknown);
            }
            What::Status { status: Status::Logout | Status::Logining, .. } => {
                if device.owes_the_old && sdk.asked_to_end().is_none() {
                    let text = format!("{name} takes its session for over, and has not tried the ticket before");
                    report.event(BOTH, event, text);
                }
                *device = Device { closed: device.closed, ..Device::default() };
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::story::*;
    use super::*;

    const OLD: usize = TICKET;
    const NEW: usize = FORGED;

    /// The phone sent a renewal, and its caller was told that there is no answer.
    fn unanswered() -> Story {
        let renew = ClientFrame::Renew {
            call: 7,
            attempt: attempt(2),
            user: ALICE.into(),
            epoch: 1,
            ticket: Some(ticket(NEW)),
        };
        let story = Story::of(Renewals::default()).logs_in(PHONE, ALICE, 1);
        let story = story.on(PHONE, What::DeviceSent { connection: 0, reveals: 0, frame: renew });
        story.on(PHONE, answered(7, CallKind::Login, Some(ALICE), failed(Code::NoAnswer)))
    }

    fn resumes(story: Story, with: usize) -> Story {
        let ticket = Some(ticket(with));
        let frame = ClientFrame::Resume { attempt: attempt(3), user: ALICE.into(), epoch: 1, ticket, received: 0 };
        story.on(PHONE, What::DeviceSent { connection: 1, reveals: 0, frame })
    }

    fn refused(story: Story) -> Story {
        story.receives(PHONE, ServerFrame::ResumeRefused { attempt: attempt(3), code: Code::TicketExpired })
    }

    /// LOGIN-5
    #[test]
    fn a_ticket_that_is_not_tried_is_seen() {
        let over = || status(Status::Logout, None);
        resumes(unanswered(), NEW).holds();
        resumes(unanswered(), OLD).breaks("LOGIN-5");
        refused(resumes(unanswered(), NEW)).on(PHONE, over()).breaks("LOGIN-5");
        let both = resumes(refused(resumes(unanswered(), NEW)), OLD);
        refused(both).on(PHONE, over()).holds();
    }

    /// LOGIN-5: the answer came after all.
    #[test]
    fn a_renewal_whose_outcome_is_known_leaves_one_ticket() {
        let late = |refused| unanswered().receives(PHONE, ServerFrame::RenewAnswer { call: 7, refused });
        resumes(late(Some(Refusal::Code(Code::TicketExpired))), OLD).holds();
        resumes(late(Some(Refusal::Code(Code::ServerUnable))), OLD).breaks("LOGIN-5");
        let attempt = attempt(3);
        let resumed = ServerFrame::Resumed { attempt, conversations: None, terms: Terms::default(), dropped: 0 };
        resumes(resumes(unanswered(), NEW).receives(PHONE, resumed), NEW).holds();
        resumes(resumes(unanswered(), NEW).receives(PHONE, resumed), OLD).breaks("CONN-4");
    }

    /// LOGIN-5: what comes on a connection that the device has closed tells it nothing.
    #[test]
    fn an_answer_that_the_device_does_not_hear_leaves_both_tickets() {
        let closed = || unanswered().on(PHONE, What::CloseAsked { connection: 0, peer: None });
        let late = || closed().receives(PHONE, ServerFrame::RenewAnswer { call: 7, refused: Some(Refusal::Stale) });
        resumes(late(), NEW).holds();
        resumes(late(), OLD).breaks("LOGIN-5");
    }

    /// CONN-4: a renewal that was accepted leaves one ticket.
    #[test]
    fn a_resume_with_a_ticket_of_before_is_seen() {
        let renewed = || unanswered().receives(PHONE, ServerFrame::RenewAnswer { call: 7, refused: None });
        resumes(renewed(), NEW).holds();
        resumes(renewed(), OLD).breaks("CONN-4");
    }
}
