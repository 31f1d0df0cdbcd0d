//! A WebSocket as a stream of bytes: the way in for browsers.
//!
//! The messages are binary, and where one ends means nothing: frames are found by their own lengths, as on TCP. Knows no
//! frame.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use futures_util::{Sink, Stream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::protocol::FRAME_BYTES_MAX;

/// The most in one message: of a length and the longest frame that it may announce. Longer ones close the connection.
const MESSAGE_BYTES_MAX: usize = 4 + FRAME_BYTES_MAX;

/// How much is read at a time: a frame is mostly much smaller, and there are many connections.
const READ_BYTES: usize = 4096;

/// The bytes in the messages of a WebSocket.
pub(super) struct Messages<Inner> {
    socket: WebSocketStream<Inner>,
    /// What is left of the last message.
    unread: Bytes,
}

/// Opens one, as a browser asks for it.
pub(super) async fn accept<Inner>(stream: Inner) -> io::Result<Messages<Inner>>
where
    Inner: AsyncRead + AsyncWrite + Unpin,
{
    let config = WebSocketConfig::default()
        .max_message_size(Some(MESSAGE_BYTES_MAX))
        .max_frame_size(Some(MESSAGE_BYTES_MAX))
        .read_buffer_size(READ_BYTES)
        .write_buffer_size(0);
    let socket = tokio_tungstenite::accept_async_with_config(stream, Some(config)).await.map_err(as_io)?;
    Ok(Messages { socket, unread: Bytes::new() })
}

/// What the library calls an error, as whoever reads and writes bytes knows it.
fn as_io(error: Error) -> io::Error {
    match error {
        Error::Io(error) => error,
        Error::ConnectionClosed | Error::AlreadyClosed => io::ErrorKind::NotConnected.into(),
        other => io::Error::new(io::ErrorKind::InvalidData, other),
    }
}

impl<Inner: AsyncRead + AsyncWrite + Unpin> AsyncRead for Messages<Inner> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        while self.unread.is_empty() {
            match ready!(Pin::new(&mut self.socket).poll_next(context)) {
                Some(Ok(Message::Binary(bytes))) => self.unread = bytes,
                Some(Ok(Message::Text(_))) => {
                    let why = "frames come in binary messages, and this one is text";
                    return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, why)));
                }
                // The library answers pings by itself.
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                Some(Ok(Message::Close(_)) | Err(Error::ConnectionClosed | Error::AlreadyClosed)) | None => {
                    return Poll::Ready(Ok(()));
                }
                Some(Err(error)) => return Poll::Ready(Err(as_io(error))),
            }
        }
        let number = self.unread.len().min(into.remaining());
        into.put_slice(&self.unread[..number]);
        self.unread.advance(number);
        Poll::Ready(Ok(()))
    }
}

impl<Inner: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Messages<Inner> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(Pin::new(&mut self.socket).poll_ready(context)).map_err(as_io)?;
        let number = bytes.len().min(MESSAGE_BYTES_MAX);
        let message = Message::Binary(Bytes::copy_from_slice(&bytes[..number]));
        Pin::new(&mut self.socket).start_send(message).map_err(as_io)?;
        Poll::Ready(Ok(number))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context).map_err(as_io)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match ready!(Pin::new(&mut self.socket).poll_close(context)) {
            Ok(()) | Err(Error::ConnectionClosed | Error::AlreadyClosed) => Poll::Ready(Ok(())),
            Err(error) => Poll::Ready(Err(as_io(error))),
        }
    }
}
