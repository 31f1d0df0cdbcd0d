//! Where the server's process listens, and what its machine accepts for it while it stands still.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::Mutex;

use turmoil::net::{TcpListener, TcpStream};

use super::standstill::Standstill;
use super::stream::Stream;

/// Where a server's process listens.
pub struct Listener {
    inner: TcpListener,
    /// What the machine has accepted while the process stood still.
    backlog: Mutex<VecDeque<Stream>>,
}

impl Listener {
    pub(super) async fn bind(address: &str) -> io::Result<Self> {
        Ok(Listener { inner: TcpListener::bind(address).await?, backlog: Mutex::default() })
    }

    /// The next connection, made a stream of by `accepted`.
    pub(super) async fn accept(
        &self,
        standstill: &Standstill,
        accepted: impl Fn(TcpStream, SocketAddr) -> Stream,
    ) -> io::Result<Stream> {
        loop {
            let is_on = standstill.is_on();
            if !is_on && let Some(stream) = self.backlog.lock().expect("nobody panics with it").pop_front() {
                return Ok(stream);
            }
            tokio::select! {
                biased;
                () = standstill.ended(), if is_on => {}
                connection = self.inner.accept() => {
                    let (inner, origin) = connection?;
                    let stream = accepted(inner, origin);
                    if !standstill.is_on() {
                        return Ok(stream);
                    }
                    self.backlog.lock().expect("nobody panics with it").push_back(stream);
                }
            }
        }
    }
}
