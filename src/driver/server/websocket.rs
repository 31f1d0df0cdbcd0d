//! A WebSocket as a stream of bytes: the way in for browsers.
//!
//! The messages are binary, and where one ends means nothing: frames are found by their own lengths, as on TCP. Knows no
//! frame.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use futures_util::{Sink, Stream};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::protocol::FRAME_BYTES_MAX;

/// The most in one message: of a length and the longest frame that it may announce. Longer ones close the connection.
const MESSAGE_BYTES_MAX: usize = 4 + FRAME_BYTES_MAX;

/// How much is read at a time: a frame is mostly much smaller, and there are many connections.
const READ_BYTES: usize = 4096;

/// What a request of HTTP gets that asks for no WebSocket: somebody opens the address in a browser, or looks whether it
/// answers. Its length is that of the sentence.
const UPGRADE_REQUIRED: &[u8] = b"HTTP/1.1 426 Upgrade Required\r\n\
    Connection: Upgrade, close\r\n\
    Upgrade: websocket\r\n\
    Content-Type: text/plain\r\n\
    Content-Length: 59\r\n\
    \r\n\
    Here is a WebSocket of gatecrash, and nothing to look at.\r\n";

/// The bytes in the messages of a WebSocket.
pub(super) struct Messages<Inner> {
    socket: WebSocketStream<Inner>,
    /// What is left of the last message.
    unread: Bytes,
}

/// Opens one, as a browser asks for it. Who asks for something else by HTTP is told so, and refused like anybody who does not
/// know how (INPUT-7).
pub(super) async fn accept<Inner>(mut stream: Inner) -> io::Result<Messages<Inner>>
where
    Inner: AsyncRead + AsyncWrite + Unpin,
{
    let config = WebSocketConfig::default()
        .max_message_size(Some(MESSAGE_BYTES_MAX))
        .max_frame_size(Some(MESSAGE_BYTES_MAX))
        .read_buffer_size(READ_BYTES)
        .write_buffer_size(0);
    // With the stream on loan, so that there is one to answer on. A handshake that is done has left nothing behind: the
    // library refuses what comes before its answer.
    if let Err(error) = tokio_tungstenite::accept_async_with_config(&mut stream, Some(config)).await {
        if asks_for_something_else(&error) {
            stream.write_all(UPGRADE_REQUIRED).await?;
            stream.shutdown().await?;
            return Err(io::Error::new(io::ErrorKind::Unsupported, error));
        }
        return Err(as_io(error));
    }
    let socket = WebSocketStream::from_raw_socket(stream, Role::Server, Some(config)).await;
    Ok(Messages { socket, unread: Bytes::new() })
}

/// Whether it was a request of HTTP for something that is no WebSocket.
fn asks_for_something_else(error: &Error) -> bool {
    matches!(
        error,
        Error::Protocol(
            ProtocolError::WrongHttpMethod
                | ProtocolError::MissingConnectionUpgradeHeader
                | ProtocolError::MissingUpgradeWebSocketHeader
        )
    )
}

/// What the library calls an error, as whoever reads and writes bytes knows it.
fn as_io(error: Error) -> io::Error {
    match error {
        Error::Io(error) => error,
        Error::ConnectionClosed | Error::AlreadyClosed => io::ErrorKind::NotConnected.into(),
        Error::Protocol(ProtocolError::HandshakeIncomplete) => io::ErrorKind::UnexpectedEof.into(),
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
