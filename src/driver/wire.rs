//! Frames as bytes: a length prefix, then one protobuf envelope of `proto/session.proto`.
//!
//! Reading is strict and its memory bounded (INPUT-1). Whether a frame may come now, and what it
//! does, is the cores' business; tickets stay text here and are opened by the server's driver.

mod decode;
mod encode;
mod framing;

pub use framing::{FrameReader, Unreadable, write};

use crate::protocol::{ClientFrame, FrameError, ServerFrame};
use crate::ticket::Ticket;

/// The longest text in the place of a user id that still reaches the server's core, which refuses
/// it with a code (LOGIN-2). A longer one is no frame.
pub const USER_TEXT_BYTES_MAX: usize = 1024;

/// The most devices of one user in a status report: 3 on each of 6 platforms and 10 on the web
/// (POLICY-2).
pub const REPORT_DEVICES_MAX: usize = 3 * 6 + 10;

/// The messages generated from `proto/session.proto`.
mod session {
    #![allow(missing_docs, clippy::all)]
    include!(concat!(env!("OUT_DIR"), "/gatecrash.session.v1.rs"));
}

/// A frame of either side, as the body of one length-prefixed frame.
///
/// ```
/// use gatecrash::{driver::wire::WireFrame, protocol::ServerFrame};
///
/// let body = ServerFrame::HeartbeatAnswer.to_body();
/// assert_eq!(ServerFrame::from_body(&body), Ok(ServerFrame::HeartbeatAnswer));
/// ```
pub trait WireFrame: Sized {
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
    fn to_body(&self) -> Vec<u8> {
        encode::client(self)
    }

    fn from_body(body: &[u8]) -> Result<Self, FrameError> {
        decode::client(body).ok_or(FrameError::Malformed)
    }
}

impl WireFrame for ServerFrame {
    fn to_body(&self) -> Vec<u8> {
        encode::server(self)
    }

    fn from_body(body: &[u8]) -> Result<Self, FrameError> {
        decode::server(body).ok_or(FrameError::Malformed)
    }
}
