//! What became of the last attempt to connect, for whoever has to be told why there is no server.
//!
//! The code of a call that failed says as much as an application needs; who runs a server has to mend it. Connects as the
//! surroundings do that it stands before.

use std::future::Future;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use gatecrash::code::Code;
use gatecrash::driver::{Surroundings, Untrusted};
use gatecrash::time::{Instant, Now};

/// Surroundings that remember how the last attempt to connect ended. A clone remembers with it.
#[derive(Clone)]
pub struct Attempts<S> {
    surroundings: S,
    last: Last,
}

/// How the last attempt to connect ended.
#[derive(Clone, Default)]
pub struct Last(Arc<Mutex<Ended>>);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Ended {
    /// None has.
    #[default]
    NotYet,
    Connected,
    /// What was in the way.
    Failed(String),
}

impl<S> Attempts<S> {
    /// Before these surroundings.
    pub fn new(surroundings: S) -> Self {
        Attempts { surroundings, last: Last::default() }
    }

    /// What became of the last one.
    pub fn last(&self) -> Last {
        self.last.clone()
    }
}

impl Last {
    fn is(&self, ended: Ended) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = ended;
    }

    /// Why a call ended with this code, if that is for want of a server.
    pub fn why(&self, code: Code, server: &str) -> Option<String> {
        let last = match code {
            Code::NoLink | Code::ServerUntrusted => self.0.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            // One was under way when there was no time left.
            Code::ConnectTimeout => Ended::NotYet,
            _ => return None,
        };
        Some(match last {
            Ended::NotYet => format!("{server} does not answer"),
            Ended::Connected => {
                format!("{server} took the connection and said nothing that a server says: is TLS on one side only?")
            }
            Ended::Failed(why) => format!("{server}: {why}"),
        })
    }
}

impl<S: Surroundings> Surroundings for Attempts<S> {
    type Listener = S::Listener;
    type Stream = S::Stream;

    async fn listen(&self, address: &str) -> io::Result<S::Listener> {
        self.surroundings.listen(address).await
    }

    async fn accept(&self, listener: &S::Listener) -> io::Result<S::Stream> {
        self.surroundings.accept(listener).await
    }

    fn peer(&self, stream: &S::Stream) -> Option<SocketAddr> {
        self.surroundings.peer(stream)
    }

    fn connect(&self, server: &str) -> impl Future<Output = io::Result<S::Stream>> + Send + 'static {
        let (connecting, last) = (self.surroundings.connect(server), self.last.clone());
        async move {
            let connected = connecting.await;
            last.is(match &connected {
                Ok(_) => Ended::Connected,
                Err(error) => Ended::Failed(in_the_way(error)),
            });
            connected
        }
    }

    fn now(&self) -> Now {
        self.surroundings.now()
    }

    fn sleep_until(&self, at: Instant) -> impl Future<Output = ()> + Send {
        self.surroundings.sleep_until(at)
    }

    fn woken(&self) {
        self.surroundings.woken();
    }

    fn seed(&self) -> [u8; 32] {
        self.surroundings.seed()
    }
}

/// What was in the way, for people.
fn in_the_way(error: &io::Error) -> String {
    let untrusted = error.get_ref().and_then(|inner| inner.downcast_ref::<Untrusted>());
    match (untrusted, error.kind()) {
        (Some(Untrusted { why }), _) => of_certificate(why),
        (None, ErrorKind::ConnectionRefused) => format!("nothing listens there: {error}"),
        (None, ErrorKind::InvalidData) => format!("what answers does not speak TLS 1.3 as a server does: {error}"),
        (None, ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset) => {
            format!("the connection was closed before it was open: {error}")
        }
        (None, _) => error.to_string(),
    }
}

/// What is wrong with a certificate. Its library's words are good where they tell more than a name.
fn of_certificate(why: &str) -> String {
    let why = why.strip_prefix("invalid peer certificate: ").unwrap_or(why);
    match why {
        // An authority of the same name as one that is trusted has signed it.
        "UnknownIssuer" | "BadSignature" => "no authority that is trusted here has signed its certificate".to_owned(),
        "CaUsedAsEndEntity" => "its certificate is an authority's, and not a server's".to_owned(),
        _ => why.to_owned(),
    }
}
