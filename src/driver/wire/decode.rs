//! From protobuf to typed frames, strictly: `None` is a malformed frame (INPUT-1).
//!
//! A ticket is not looked into, and a login's user name may be no user id: both are refused with a
//! code of their own, by the server's core (TICKET-3, LOGIN-2).

use std::time::Duration;

use prost::Message as _;

use super::session as wire;
use super::session::client_envelope::Frame as Client;
use super::session::server_envelope::Frame as Server;
use super::{REPORT_DEVICES_MAX, USER_TEXT_BYTES_MAX};
use crate::code::Code;
use crate::id::{Attempt, CallId, DeviceId, Epoch, MessageId, PublicName, SendId, UserId};
use crate::policy::Platform;
use crate::protocol::{
    Admission, CONVERSATIONS_MAX, ClientFrame, Closing, Conversation, DeviceState, DeviceStatus, FrameError,
    HEARTBEAT_MIN, Kick, KickReason, Message, PREVIEW_BYTES_MAX, Presence, QUERY_USERS_MAX, RETURN_MAX, Refusal,
    ResumeOutcome, Return, ServerFrame, SessionName, StatusReport, TEXT_BYTES_MAX, Terms, UserStatus,
};
use crate::ticket::Ticket;

pub(super) fn client(body: &[u8]) -> Option<ClientFrame<Ticket>> {
    Some(match wire::ClientEnvelope::decode(body).ok()?.frame? {
        Client::Hello(hello) => ClientFrame::Hello {
            version: hello.version,
            device: DeviceId::from_bytes(hello.device.try_into().ok()?),
            platform: platform(hello.platform)?,
        },
        Client::Login(login) => ClientFrame::Login {
            call: CallId(login.call),
            attempt: attempt(login.attempt)?,
            user: text(login.user, USER_TEXT_BYTES_MAX)?,
            ticket: login.ticket.into(),
            known_ended: match login.known_ended {
                Some(name) => Some(session(Some(name))?),
                None => None,
            },
        },
        Client::LoginAcknowledged(frame) => {
            let SessionName { user, epoch } = session(frame.session)?;
            ClientFrame::LoginAcknowledged { user, epoch }
        }
        Client::Resume(resume) => {
            let SessionName { user, epoch } = session(resume.session)?;
            let (ticket, received) = (resume.ticket.into(), resume.received);
            ClientFrame::Resume { attempt: attempt(resume.attempt)?, user, epoch, ticket, received }
        }
        Client::Renew(renew) => {
            let SessionName { user, epoch } = session(renew.session)?;
            ClientFrame::Renew {
                call: CallId(renew.call),
                attempt: attempt(renew.attempt)?,
                user,
                epoch,
                ticket: renew.ticket.into(),
            }
        }
        Client::Logout(logout) => ClientFrame::Logout { call: CallId(logout.call), attempt: attempt(logout.attempt)? },
        Client::Heartbeat(wire::Heartbeat {}) => ClientFrame::Heartbeat,
        Client::KickConfirmed(frame) => {
            let SessionName { user, epoch } = session(frame.session)?;
            ClientFrame::KickConfirmed { user, epoch }
        }
        Client::SendMessage(message) => ClientFrame::SendMessage {
            call: CallId(message.call),
            id: SendId::from_bytes(message.id.try_into().ok()?),
            to: user(&message.to)?,
            text: text(message.text, TEXT_BYTES_MAX)?,
        },
        Client::AdminKick(kick) => ClientFrame::AdminKick { call: CallId(kick.call), user: user(&kick.user)? },
        Client::QueryStatus(query) => {
            ClientFrame::QueryStatus { call: CallId(query.call), users: users(&query.users)? }
        }
        Client::MessagesReceived(received) => {
            let SessionName { user, epoch } = session(received.session)?;
            ClientFrame::MessagesReceived { user, epoch, through: received.through }
        }
    })
}

pub(super) fn server(body: &[u8]) -> Option<ServerFrame> {
    Some(match wire::ServerEnvelope::decode(body).ok()?.frame? {
        Server::LoginAnswer(answer) => {
            use wire::login_answer::Outcome;
            let outcome = match answer.outcome? {
                Outcome::Admitted(admission) => Ok(admitted(admission)?),
                Outcome::Refused(why) => Err(refusal(why)?),
            };
            ServerFrame::LoginAnswer { call: CallId(answer.call), outcome }
        }
        Server::ResumeAnswer(answer) => {
            ServerFrame::ResumeAnswer { attempt: attempt(answer.attempt)?, outcome: resume_outcome(answer.outcome?)? }
        }
        Server::RenewAnswer(answer) => {
            use wire::renew_answer::Outcome;
            let outcome = match answer.outcome? {
                Outcome::Done(wire::Done {}) => Ok(()),
                Outcome::Refused(why) => Err(refusal(why)?),
            };
            ServerFrame::RenewAnswer { call: CallId(answer.call), outcome }
        }
        Server::LogoutAnswer(answer) => {
            use wire::logout_answer::Outcome;
            let outcome = match answer.outcome? {
                Outcome::Done(wire::Done {}) => Ok(()),
                Outcome::Refused(why) => Err(refusal(why)?),
            };
            ServerFrame::LogoutAnswer { call: CallId(answer.call), outcome }
        }
        Server::HeartbeatAnswer(wire::HeartbeatAnswer {}) => ServerFrame::HeartbeatAnswer,
        Server::Kick(ended) => ServerFrame::Kick(kick(ended)?),
        Server::Expired(expired) => ServerFrame::Expired(session(expired.session)?),
        Server::SendAnswer(answer) => {
            use wire::send_answer::Outcome;
            let outcome = match answer.outcome? {
                Outcome::MessageId(id) => Ok(MessageId(id)),
                Outcome::RefusedCode(number) => Err(Code::from_number(number)?),
            };
            ServerFrame::SendAnswer { call: CallId(answer.call), outcome }
        }
        Server::Message(message) => ServerFrame::Message {
            place: message.place,
            message: Message {
                id: MessageId(message.id),
                from: user(&message.from)?,
                to: user(&message.to)?,
                text: text(message.text, TEXT_BYTES_MAX)?,
            },
        },
        Server::AdminKickAnswer(answer) => {
            use wire::admin_kick_answer::Outcome;
            let outcome = match answer.outcome? {
                Outcome::Done(wire::Done {}) => Ok(()),
                Outcome::RefusedCode(number) => Err(Code::from_number(number)?),
            };
            ServerFrame::AdminKickAnswer { call: CallId(answer.call), outcome }
        }
        Server::StatusAnswer(answer) => {
            use wire::status_answer::Outcome;
            let outcome = match answer.outcome? {
                Outcome::Report(found) => Ok(report(found)?),
                Outcome::RefusedCode(number) => Err(Code::from_number(number)?),
            };
            ServerFrame::StatusAnswer { call: CallId(answer.call), outcome }
        }
        Server::Error(frame) => ServerFrame::Error(frame_error(frame.error)?),
        Server::Closing(wire::Closing { why, after_us, spread_us }) => ServerFrame::Closing {
            why: closing(why)?,
            come_back: Return { after: span(after_us, RETURN_MAX)?, spread: span(spread_us, RETURN_MAX)? },
        },
    })
}

fn resume_outcome(outcome: wire::resume_answer::Outcome) -> Option<ResumeOutcome> {
    use wire::resume_answer::Outcome;
    Some(match outcome {
        Outcome::Resumed(resumed) => ResumeOutcome::Resumed {
            conversations: conversations(resumed.conversations)?,
            terms: terms(resumed.terms)?,
            dropped: resumed.dropped,
        },
        Outcome::LoggedIn(admission) => ResumeOutcome::LoggedIn(admitted(admission)?),
        Outcome::Kicked(ended) => ResumeOutcome::Kicked(kick(ended)?),
        Outcome::Expired(wire::Done {}) => ResumeOutcome::Expired,
        Outcome::RefusedCode(number) => ResumeOutcome::Refused(Code::from_number(number)?),
        Outcome::UnableCode(number) => ResumeOutcome::Unable(Code::from_number(number)?),
        Outcome::Stale(wire::Done {}) => ResumeOutcome::Stale,
    })
}

fn text(text: String, bytes_max: usize) -> Option<String> {
    (text.len() <= bytes_max).then_some(text)
}

fn user(text: &str) -> Option<UserId> {
    text.parse().ok()
}

fn users(names: &[String]) -> Option<Vec<UserId>> {
    if names.len() > QUERY_USERS_MAX {
        return None;
    }
    names.iter().map(|name| user(name)).collect()
}

fn attempt(attempt: Option<wire::Attempt>) -> Option<Attempt> {
    attempt.map(|wire::Attempt { start, count }| Attempt { start, count })
}

fn session(name: Option<wire::SessionName>) -> Option<SessionName> {
    let wire::SessionName { user: text, epoch } = name?;
    Some(SessionName { user: user(&text)?, epoch: Epoch(epoch) })
}

fn public_name(bytes: Vec<u8>) -> Option<PublicName> {
    bytes.try_into().ok().map(PublicName::from_bytes)
}

fn admitted(admission: wire::Admission) -> Option<Admission> {
    Some(Admission {
        epoch: Epoch(admission.epoch),
        conversations: conversations(admission.conversations)?,
        terms: terms(admission.terms)?,
    })
}

fn terms(terms: Option<wire::Terms>) -> Option<Terms> {
    // A server of before or after this one may have nothing to ask.
    let Some(wire::Terms { return_spread_us, heartbeat_us }) = terms else { return Some(Terms::default()) };
    let heartbeat = Some(Duration::from_micros(heartbeat_us)).filter(|heartbeat| !heartbeat.is_zero());
    if heartbeat.is_some_and(|heartbeat| heartbeat < HEARTBEAT_MIN) {
        return None;
    }
    Some(Terms { return_spread: span(return_spread_us, RETURN_MAX)?, heartbeat })
}

fn span(micros: u64, longest: Duration) -> Option<Duration> {
    Some(Duration::from_micros(micros)).filter(|span| *span <= longest)
}

fn conversations(list: Vec<wire::Conversation>) -> Option<Vec<Conversation>> {
    if list.len() > CONVERSATIONS_MAX {
        return None;
    }
    list.into_iter()
        .map(|conversation| {
            Some(Conversation {
                peer: user(&conversation.peer)?,
                last: MessageId(conversation.last),
                preview: text(conversation.preview, PREVIEW_BYTES_MAX)?,
            })
        })
        .collect()
}

fn refusal(refusal: wire::Refusal) -> Option<Refusal> {
    use wire::refusal::Why;
    Some(match refusal.why? {
        Why::Code(number) => Refusal::Code(Code::from_number(number)?),
        Why::Stale(wire::Done {}) => Refusal::Stale,
    })
}

fn kick(kick: wire::Kick) -> Option<Kick> {
    let SessionName { user, epoch } = session(kick.session)?;
    let by = if kick.by.is_empty() { None } else { Some(public_name(kick.by)?) };
    Some(Kick { user, epoch, reason: kick_reason(kick.reason)?, by })
}

fn report(report: wire::StatusReport) -> Option<StatusReport> {
    if report.users.len() + report.unknown.len() > QUERY_USERS_MAX {
        return None;
    }
    Some(StatusReport {
        users: report.users.into_iter().map(user_status).collect::<Option<_>>()?,
        unknown: users(&report.unknown)?,
    })
}

fn user_status(status: wire::UserStatus) -> Option<UserStatus> {
    if status.devices.len() > REPORT_DEVICES_MAX {
        return None;
    }
    let device_status = |device: wire::DeviceStatus| {
        Some(DeviceStatus {
            device: public_name(device.device)?,
            platform: platform(device.platform)?,
            state: device_state(device.state)?,
        })
    };
    Some(UserStatus {
        user: user(&status.user)?,
        presence: presence(status.presence)?,
        devices: status.devices.into_iter().map(device_status).collect::<Option<_>>()?,
    })
}

fn platform(number: i32) -> Option<Platform> {
    match wire::Platform::try_from(number).ok()? {
        wire::Platform::Unspecified => None,
        wire::Platform::Android => Some(Platform::Android),
        wire::Platform::Ios => Some(Platform::Ios),
        wire::Platform::Ipad => Some(Platform::Ipad),
        wire::Platform::Windows => Some(Platform::Windows),
        wire::Platform::Mac => Some(Platform::Mac),
        wire::Platform::Linux => Some(Platform::Linux),
        wire::Platform::Web => Some(Platform::Web),
    }
}

fn kick_reason(number: i32) -> Option<KickReason> {
    match wire::KickReason::try_from(number).ok()? {
        wire::KickReason::Unspecified => None,
        wire::KickReason::SamePlatform => Some(KickReason::SamePlatform),
        wire::KickReason::OtherPlatform => Some(KickReason::OtherPlatform),
        wire::KickReason::Administrator => Some(KickReason::Administrator),
        wire::KickReason::Gone => Some(KickReason::Gone),
    }
}

fn presence(number: i32) -> Option<Presence> {
    match wire::Presence::try_from(number).ok()? {
        wire::Presence::Unspecified => None,
        wire::Presence::Online => Some(Presence::Online),
        wire::Presence::PushOnline => Some(Presence::PushOnline),
        wire::Presence::Offline => Some(Presence::Offline),
    }
}

fn device_state(number: i32) -> Option<DeviceState> {
    match wire::DeviceState::try_from(number).ok()? {
        wire::DeviceState::Unspecified => None,
        wire::DeviceState::Connected => Some(DeviceState::Connected),
        wire::DeviceState::LinkLost => Some(DeviceState::LinkLost),
        wire::DeviceState::Dormant => Some(DeviceState::Dormant),
    }
}

fn frame_error(number: i32) -> Option<FrameError> {
    match wire::FrameError::try_from(number).ok()? {
        wire::FrameError::Unspecified => None,
        wire::FrameError::Malformed => Some(FrameError::Malformed),
        wire::FrameError::Oversized => Some(FrameError::Oversized),
        wire::FrameError::OutOfPlace => Some(FrameError::OutOfPlace),
        wire::FrameError::Version => Some(FrameError::Version),
    }
}

fn closing(number: i32) -> Option<Closing> {
    match wire::WhyClosing::try_from(number).ok()? {
        wire::WhyClosing::Unspecified => None,
        wire::WhyClosing::Stopping => Some(Closing::Stopping),
        wire::WhyClosing::Full => Some(Closing::Full),
        wire::WhyClosing::Busy => Some(Closing::Busy),
    }
}
