//! From typed frames to protobuf. Cannot fail: the types only hold what the protocol can carry.

use std::time::Duration;

use prost::Message as _;

use super::session as wire;
use super::session::client_envelope::Frame as Client;
use super::session::server_envelope::Frame as Server;
use crate::code::Code;
use crate::id::{Attempt, Epoch, UserId};
use crate::policy::Platform;
use crate::protocol::{
    Admission, ClientFrame, Closing, Conversation, DeviceState, FrameError, Kick, KickReason, Message, Presence,
    Refusal, ResumeOutcome, Return, ServerFrame, SessionName, StatusReport, Terms, UserStatus,
};
use crate::ticket::Ticket;

pub(super) fn client(frame: &ClientFrame<Ticket>) -> Vec<u8> {
    let frame = match frame {
        ClientFrame::Hello { version, device, platform: on } => Client::Hello(wire::Hello {
            version: *version,
            device: device.as_bytes().to_vec(),
            platform: platform(*on).into(),
        }),
        ClientFrame::Login { call, attempt: number, user, ticket, known_ended } => Client::Login(wire::Login {
            call: call.0,
            attempt: attempt(*number),
            user: user.clone(),
            ticket: ticket.as_str().to_owned(),
            known_ended: known_ended.and_then(|SessionName { user, epoch }| session(user, epoch)),
        }),
        ClientFrame::LoginAcknowledged { user, epoch } => {
            Client::LoginAcknowledged(wire::LoginAcknowledged { session: session(*user, *epoch) })
        }
        ClientFrame::Resume { attempt: number, user, epoch, ticket, received } => Client::Resume(wire::Resume {
            attempt: attempt(*number),
            session: session(*user, *epoch),
            ticket: ticket.as_str().to_owned(),
            received: *received,
        }),
        ClientFrame::Renew { call, attempt: number, user, epoch, ticket } => Client::Renew(wire::Renew {
            call: call.0,
            attempt: attempt(*number),
            session: session(*user, *epoch),
            ticket: ticket.as_str().to_owned(),
        }),
        ClientFrame::Logout { call, attempt: number } => {
            Client::Logout(wire::Logout { call: call.0, attempt: attempt(*number) })
        }
        ClientFrame::Heartbeat => Client::Heartbeat(wire::Heartbeat {}),
        ClientFrame::KickConfirmed { user, epoch } => {
            Client::KickConfirmed(wire::KickConfirmed { session: session(*user, *epoch) })
        }
        ClientFrame::SendMessage { call, id, to, text } => Client::SendMessage(wire::SendMessage {
            call: call.0,
            to: to.to_string(),
            text: text.clone(),
            id: id.as_bytes().to_vec(),
        }),
        ClientFrame::AdminKick { call, user } => {
            Client::AdminKick(wire::AdminKick { call: call.0, user: user.to_string() })
        }
        ClientFrame::QueryStatus { call, users } => Client::QueryStatus(wire::QueryStatus {
            call: call.0,
            users: users.iter().map(UserId::to_string).collect(),
        }),
        ClientFrame::MessagesReceived { user, epoch, through } => {
            Client::MessagesReceived(wire::MessagesReceived { session: session(*user, *epoch), through: *through })
        }
    };
    wire::ClientEnvelope { frame: Some(frame) }.encode_to_vec()
}

pub(super) fn server(frame: &ServerFrame) -> Vec<u8> {
    let frame = match frame {
        ServerFrame::LoginAnswer { call, outcome } => {
            use wire::login_answer::Outcome;
            let outcome = match outcome {
                Ok(admission) => Outcome::Admitted(admitted(admission)),
                Err(why) => Outcome::Refused(refusal(*why)),
            };
            Server::LoginAnswer(wire::LoginAnswer { call: call.0, outcome: Some(outcome) })
        }
        ServerFrame::ResumeAnswer { attempt: number, outcome } => {
            let outcome = Some(resume_outcome(outcome));
            Server::ResumeAnswer(wire::ResumeAnswer { attempt: attempt(*number), outcome })
        }
        ServerFrame::RenewAnswer { call, outcome } => {
            use wire::renew_answer::Outcome;
            let outcome = match outcome {
                Ok(()) => Outcome::Done(wire::Done {}),
                Err(why) => Outcome::Refused(refusal(*why)),
            };
            Server::RenewAnswer(wire::RenewAnswer { call: call.0, outcome: Some(outcome) })
        }
        ServerFrame::LogoutAnswer { call, outcome } => {
            use wire::logout_answer::Outcome;
            let outcome = match outcome {
                Ok(()) => Outcome::Done(wire::Done {}),
                Err(why) => Outcome::Refused(refusal(*why)),
            };
            Server::LogoutAnswer(wire::LogoutAnswer { call: call.0, outcome: Some(outcome) })
        }
        ServerFrame::HeartbeatAnswer => Server::HeartbeatAnswer(wire::HeartbeatAnswer {}),
        ServerFrame::Kick(ended) => Server::Kick(kick(ended)),
        ServerFrame::Expired(SessionName { user, epoch }) => {
            Server::Expired(wire::Expired { session: session(*user, *epoch) })
        }
        ServerFrame::SendAnswer { call, outcome } => {
            use wire::send_answer::Outcome;
            let outcome = match outcome {
                Ok(id) => Outcome::MessageId(id.0),
                Err(code) => Outcome::RefusedCode(code.number()),
            };
            Server::SendAnswer(wire::SendAnswer { call: call.0, outcome: Some(outcome) })
        }
        ServerFrame::Message { place, message: Message { id, from, to, text } } => Server::Message(wire::Message {
            id: id.0,
            from: from.to_string(),
            to: to.to_string(),
            text: text.clone(),
            place: *place,
        }),
        ServerFrame::AdminKickAnswer { call, outcome } => {
            use wire::admin_kick_answer::Outcome;
            let outcome = match outcome {
                Ok(()) => Outcome::Done(wire::Done {}),
                Err(code) => Outcome::RefusedCode(code.number()),
            };
            Server::AdminKickAnswer(wire::AdminKickAnswer { call: call.0, outcome: Some(outcome) })
        }
        ServerFrame::StatusAnswer { call, outcome } => {
            use wire::status_answer::Outcome;
            let outcome = match outcome {
                Ok(found) => Outcome::Report(report(found)),
                Err(code) => Outcome::RefusedCode(code.number()),
            };
            Server::StatusAnswer(wire::StatusAnswer { call: call.0, outcome: Some(outcome) })
        }
        ServerFrame::Error(error) => Server::Error(wire::Error { error: frame_error(*error).into() }),
        ServerFrame::Closing { why, come_back: Return { after, spread } } => Server::Closing(wire::Closing {
            why: closing(*why).into(),
            after_us: micros(*after),
            spread_us: micros(*spread),
        }),
    };
    wire::ServerEnvelope { frame: Some(frame) }.encode_to_vec()
}

fn resume_outcome(outcome: &ResumeOutcome) -> wire::resume_answer::Outcome {
    use wire::resume_answer::Outcome;
    match outcome {
        ResumeOutcome::Resumed { conversations: list, terms: held, dropped } => {
            let (conversations, terms) = (conversations(list), terms(held));
            Outcome::Resumed(wire::Resumed { conversations, terms, dropped: *dropped })
        }
        ResumeOutcome::LoggedIn(admission) => Outcome::LoggedIn(admitted(admission)),
        ResumeOutcome::Kicked(ended) => Outcome::Kicked(kick(ended)),
        ResumeOutcome::Expired => Outcome::Expired(wire::Done {}),
        ResumeOutcome::Refused(code) => Outcome::RefusedCode(code.number()),
        ResumeOutcome::Unable(code) => Outcome::UnableCode(code.number()),
        ResumeOutcome::Stale => Outcome::Stale(wire::Done {}),
    }
}

fn attempt(attempt: Attempt) -> Option<wire::Attempt> {
    Some(wire::Attempt { start: attempt.start, count: attempt.count })
}

fn session(user: UserId, epoch: Epoch) -> Option<wire::SessionName> {
    Some(wire::SessionName { user: user.to_string(), epoch: epoch.0 })
}

fn admitted(admission: &Admission) -> wire::Admission {
    wire::Admission {
        epoch: admission.epoch.0,
        conversations: conversations(&admission.conversations),
        terms: terms(&admission.terms),
    }
}

fn terms(terms: &Terms) -> Option<wire::Terms> {
    let Terms { return_spread, heartbeat } = terms;
    Some(wire::Terms { return_spread_us: micros(*return_spread), heartbeat_us: heartbeat.map_or(0, micros) })
}

/// The types bound spans of time by far less than what does not fit.
fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}

fn conversations(list: &[Conversation]) -> Vec<wire::Conversation> {
    list.iter()
        .map(|Conversation { peer, last, preview }| wire::Conversation {
            peer: peer.to_string(),
            last: last.0,
            preview: preview.clone(),
        })
        .collect()
}

fn refusal(refusal: Refusal) -> wire::Refusal {
    use wire::refusal::Why;
    let why = match refusal {
        Refusal::Code(code) => Why::Code(Code::number(code)),
        Refusal::Stale => Why::Stale(wire::Done {}),
    };
    wire::Refusal { why: Some(why) }
}

fn kick(kick: &Kick) -> wire::Kick {
    wire::Kick {
        session: session(kick.user, kick.epoch),
        reason: kick_reason(kick.reason).into(),
        by: kick.by.map(|name| name.as_bytes().to_vec()).unwrap_or_default(),
    }
}

fn report(report: &StatusReport) -> wire::StatusReport {
    wire::StatusReport {
        users: report.users.iter().map(user_status).collect(),
        unknown: report.unknown.iter().map(UserId::to_string).collect(),
    }
}

fn user_status(status: &UserStatus) -> wire::UserStatus {
    wire::UserStatus {
        user: status.user.to_string(),
        presence: presence(status.presence).into(),
        devices: status
            .devices
            .iter()
            .map(|device| wire::DeviceStatus {
                device: device.device.as_bytes().to_vec(),
                platform: platform(device.platform).into(),
                state: device_state(device.state).into(),
            })
            .collect(),
    }
}

fn platform(platform: Platform) -> wire::Platform {
    match platform {
        Platform::Android => wire::Platform::Android,
        Platform::Ios => wire::Platform::Ios,
        Platform::Ipad => wire::Platform::Ipad,
        Platform::Windows => wire::Platform::Windows,
        Platform::Mac => wire::Platform::Mac,
        Platform::Linux => wire::Platform::Linux,
        Platform::Web => wire::Platform::Web,
    }
}

fn kick_reason(reason: KickReason) -> wire::KickReason {
    match reason {
        KickReason::SamePlatform => wire::KickReason::SamePlatform,
        KickReason::OtherPlatform => wire::KickReason::OtherPlatform,
        KickReason::Administrator => wire::KickReason::Administrator,
        KickReason::Gone => wire::KickReason::Gone,
    }
}

fn presence(presence: Presence) -> wire::Presence {
    match presence {
        Presence::Online => wire::Presence::Online,
        Presence::PushOnline => wire::Presence::PushOnline,
        Presence::Offline => wire::Presence::Offline,
    }
}

fn device_state(state: DeviceState) -> wire::DeviceState {
    match state {
        DeviceState::Connected => wire::DeviceState::Connected,
        DeviceState::LinkLost => wire::DeviceState::LinkLost,
        DeviceState::Dormant => wire::DeviceState::Dormant,
    }
}

fn frame_error(error: FrameError) -> wire::FrameError {
    match error {
        FrameError::Malformed => wire::FrameError::Malformed,
        FrameError::Oversized => wire::FrameError::Oversized,
        FrameError::OutOfPlace => wire::FrameError::OutOfPlace,
        FrameError::Version => wire::FrameError::Version,
    }
}

fn closing(why: Closing) -> wire::WhyClosing {
    match why {
        Closing::Stopping => wire::WhyClosing::Stopping,
        Closing::Full => wire::WhyClosing::Full,
        Closing::Busy => wire::WhyClosing::Busy,
    }
}
