//! Frames on a byte stream: four bytes of length in network order, then the body.
//!
//! An oversized length is refused as soon as it is read, before a byte of its body is stored.

use std::io;

use bytes::{BufMut, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio_util::codec::{Decoder, LengthDelimitedCodec};

use super::WireFrame;
use crate::protocol::{FRAME_BYTES_MAX, FrameError};

/// How much room a read is offered at least: a heartbeat needs 6 bytes, a login about 500.
const READ_BYTES_MIN: usize = 1024;

/// Appends a frame to what is to be sent.
///
/// # Panics
///
/// When the body is over [`FRAME_BYTES_MAX`]: the bounds of [`crate::protocol`] keep every frame of
/// the cores below it.
///
/// ```
/// use bytes::BytesMut;
/// use gatecrash::{driver::wire, protocol::ServerFrame};
///
/// let mut out = BytesMut::new();
/// wire::write(&ServerFrame::HeartbeatAnswer, &mut out);
/// assert_eq!(&out[..], [0, 0, 0, 2, 0x2a, 0]);
/// ```
pub fn write(frame: &impl WireFrame, out: &mut BytesMut) {
    let body = frame.to_body();
    assert!(body.len() <= FRAME_BYTES_MAX, "a frame of {} bytes", body.len());
    out.reserve(4 + body.len());
    out.put_u32(body.len() as u32);
    out.put_slice(&body);
}

/// Why nothing more can be read from a connection.
///
/// ```
/// use gatecrash::{driver::wire::Unreadable, protocol::FrameError};
///
/// assert_eq!(Unreadable::Frame(FrameError::Oversized).to_string(), "a frame is oversized");
/// ```
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// The peer closed it.
    #[error("the peer closed the connection")]
    Ended,
    /// It broke.
    #[error("the connection broke: {0}")]
    Broken(io::Error),
    /// It carried something that is no frame.
    #[error("a frame is {}", .0.word())]
    Frame(FrameError),
}

/// Reads frames off a byte stream, keeping what belongs to the next one.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use gatecrash::{driver::wire::FrameReader, protocol::ServerFrame};
///
/// let mut stream: &[u8] = &[0, 0, 0, 2, 0x2a, 0];
/// let frame = FrameReader::default().next::<ServerFrame>(&mut stream).await.unwrap();
/// assert_eq!(frame, ServerFrame::HeartbeatAnswer);
/// # });
/// ```
#[derive(Debug)]
pub struct FrameReader {
    codec: LengthDelimitedCodec,
    buffer: BytesMut,
}

impl Default for FrameReader {
    fn default() -> Self {
        let codec =
            LengthDelimitedCodec::builder().length_field_length(4).max_frame_length(FRAME_BYTES_MAX).new_codec();
        FrameReader { codec, buffer: BytesMut::new() }
    }
}

impl FrameReader {
    /// The next frame. May be dropped while it waits without losing a byte.
    ///
    /// # Errors
    ///
    /// [`Unreadable`]; nothing can be read after it.
    pub async fn next<Frame: WireFrame>(&mut self, stream: &mut (impl AsyncRead + Unpin)) -> Result<Frame, Unreadable> {
        loop {
            if let Some(frame) = self.buffered()? {
                return Ok(frame);
            }
            self.buffer.reserve(READ_BYTES_MIN);
            match stream.read_buf(&mut self.buffer).await {
                Ok(0) => return Err(Unreadable::Ended),
                Ok(_) => {}
                Err(error) => return Err(Unreadable::Broken(error)),
            }
        }
    }

    /// The next frame, if all of it was read already.
    fn buffered<Frame: WireFrame>(&mut self) -> Result<Option<Frame>, Unreadable> {
        // The codec itself fails for one reason only: a length over the limit.
        let body = self.codec.decode(&mut self.buffer).map_err(|_| Unreadable::Frame(FrameError::Oversized))?;
        body.map(|body| Frame::from_body(&body).map_err(Unreadable::Frame)).transpose()
    }
}
