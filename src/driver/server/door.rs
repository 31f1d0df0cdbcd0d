//! Where connections come in, and what has to be done on each before frames can pass: nothing, a handshake of TLS, the
//! opening of a WebSocket, or both.
//!
//! What comes in is a stream of bytes, whichever door it came by. Who may stay is not decided here.

use std::io;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::either::Either;

use super::websocket::{self, Messages};
use crate::driver::identity::Identity;
use crate::driver::{Surroundings, tls};

/// What a browser says that it speaks on a WebSocket of TLS.
const ALPN_OF_BROWSERS: &[u8] = b"http/1.1";

/// A place to listen.
///
/// ```
/// use gatecrash::driver::server::Door;
///
/// let door = Door::tcp("0.0.0.0:7000");
/// assert!(door.tls.is_none() && !door.websocket);
/// ```
#[derive(Clone, Debug)]
pub struct Door {
    /// Where, such as `0.0.0.0:7000`.
    pub listen: String,
    /// Who the server proves to be to whoever comes by this door; nobody proves anything without it.
    pub tls: Option<Identity>,
    /// Whether frames come in the messages of a WebSocket, as from a browser.
    pub websocket: bool,
}

impl Door {
    /// Frames as they are, on TCP.
    pub fn tcp(listen: impl Into<String>) -> Self {
        Door { listen: listen.into(), tls: None, websocket: false }
    }

    /// Frames in TLS.
    pub fn tls(listen: impl Into<String>, identity: Identity) -> Self {
        Door { tls: Some(identity), ..Door::tcp(listen) }
    }

    /// How it is called in the log.
    pub fn word(&self) -> &'static str {
        match (self.websocket, &self.tls) {
            (false, None) => "TCP",
            (false, Some(_)) => "TLS",
            (true, None) => "WebSocket",
            (true, Some(_)) => "WebSocket over TLS",
        }
    }

    pub(super) fn entrance(&self, surroundings: impl Surroundings) -> Entrance {
        let alpn = if self.websocket { ALPN_OF_BROWSERS } else { tls::ALPN };
        Entrance {
            tls: self.tls.as_ref().map(|identity| identity.acceptor(surroundings, alpn)),
            websocket: self.websocket,
        }
    }
}

/// A stream of bytes, encrypted or not.
type Secured<Stream> = Either<Stream, Box<TlsStream<Stream>>>;

/// A stream of bytes of somebody who has come in.
pub(super) type Incoming<Stream> = Either<Secured<Stream>, Messages<Secured<Stream>>>;

/// What is done with whoever comes by a door.
#[derive(Clone)]
pub(super) struct Entrance {
    tls: Option<TlsAcceptor>,
    websocket: bool,
}

impl Entrance {
    /// Lets in whoever is behind this stream. Takes as long as the peer does.
    pub(super) async fn open<Stream>(self, stream: Stream) -> io::Result<Incoming<Stream>>
    where
        Stream: AsyncRead + AsyncWrite + Unpin,
    {
        let secured = match self.tls {
            None => Either::Left(stream),
            Some(acceptor) => Either::Right(Box::new(acceptor.accept(stream).await?)),
        };
        Ok(if self.websocket { Either::Right(websocket::accept(secured).await?) } else { Either::Left(secured) })
    }
}
