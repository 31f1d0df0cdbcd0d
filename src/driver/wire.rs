//! Frames as bytes: a length prefix, then one protobuf envelope of `proto/session.proto`.
//!
//! Reading is strict and its memory bounded (INPUT-1). Whether a frame may come now, and what it
//! does, is the cores' business; tickets stay text here and are opened by the server's driver.

mod decode;
mod encode;
mod framing;
#[allow(missing_docs, clippy::all)]
#[rustfmt::skip]
mod session;

pub use framing::{FrameReader, Unreadable, write};

use crate::protocol::{ClientFrame, FrameError, ServerFrame};
use crate::ticket::Ticket;

/// The longest text in the place of a user id that still reaches the server's core, which refuses
/// it with a code (LOGIN-2). A longer one is no frame.
pub const USER_TEXT_BYTES_MAX: usize = 1024;

/// The most devices of one user in a status report: 3 on each of 6 platforms and 10 on the web
/// (POLICY-2).
pub const REPORT_DEVICES_MAX: usize = 3 * 6 + 10;

/// A frame of either side, as the body of one length-prefixed frame.
///
/// ```
/// use gatecrash::{driver::wire::WireFrame, protocol::ServerFrame};
///
/// let body = ServerFrame::HeartbeatAnswer.to_body();
/// assert_eq!(ServerFrame::from_body(&body), Ok(ServerFrame::HeartbeatAnswer));
/// ```
pub trait WireFrame: Sized {
    /// What kind of frame it is, in the words of logs and traces.
    fn word(&self) -> &'static str;

    /// The envelope's bytes.
    fn to_body(&self) -> Vec<u8>;

    /// Reads an envelope's bytes.
    ///
    /// # Errors
    ///
    /// [`FrameError::Malformed`] when they are no envelope or a field breaks its bounds.
    fn from_body(body: &[u8]) -> Result<Self, FrameError>;
}

impl WireFrame for ClientFrame<Ticket> {
    fn word(&self) -> &'static str {
        match self {
            ClientFrame::Hello { .. } => "hello",
            ClientFrame::Login { .. } => "login",
            ClientFrame::LoginAcknowledged { .. } => "login_acknowledged",
            ClientFrame::Resume { .. } => "resume",
            ClientFrame::Renew { .. } => "renew",
            ClientFrame::Logout { .. } => "logout",
            ClientFrame::Heartbeat => "heartbeat",
            ClientFrame::KickConfirmed { .. } => "kick_confirmed",
            ClientFrame::SendMessage { .. } => "send_message",
            ClientFrame::AdminKick { .. } => "admin_kick",
            ClientFrame::QueryStatus { .. } => "query_status",
            ClientFrame::MessagesReceived { .. } => "messages_received",
        }
    }

    fn to_body(&self) -> Vec<u8> {
        encode::client(self)
    }

    fn from_body(body: &[u8]) -> Result<Self, FrameError> {
        decode::client(body).ok_or(FrameError::Malformed)
    }
}

impl WireFrame for ServerFrame {
    fn word(&self) -> &'static str {
        match self {
            ServerFrame::LoginAnswer { .. } => "login_answer",
            ServerFrame::ResumeAnswer { .. } => "resume_answer",
            ServerFrame::RenewAnswer { .. } => "renew_answer",
            ServerFrame::LogoutAnswer { .. } => "logout_answer",
            ServerFrame::HeartbeatAnswer => "heartbeat_answer",
            ServerFrame::Kick(_) => "kick",
            ServerFrame::Expired(_) => "expired",
            ServerFrame::SendAnswer { .. } => "send_answer",
            ServerFrame::Message { .. } => "message",
            ServerFrame::AdminKickAnswer { .. } => "admin_kick_answer",
            ServerFrame::StatusAnswer { .. } => "status_answer",
            ServerFrame::Error(_) => "error",
            ServerFrame::Closing { .. } => "closing",
        }
    }

    fn to_body(&self) -> Vec<u8> {
        encode::server(self)
    }

    fn from_body(body: &[u8]) -> Result<Self, FrameError> {
        decode::server(body).ok_or(FrameError::Malformed)
    }
}
