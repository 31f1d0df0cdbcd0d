//! The real surroundings: TCP, the system's clocks and its randomness.
//!
//! Decides nothing; the drivers are the same in a simulation.

use std::future::Future;
use std::io;
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::net::{TcpListener, TcpStream};

use crate::driver::Surroundings;
use crate::time::{Instant, Now, WallTime};

/// The real world. Instants count from when it was made.
///
/// Its monotonic clock is the system's, which on some systems stands still while the machine is
/// suspended: an application that learns of that calls
/// [`Sdk::woken`](crate::driver::client::Sdk::woken).
///
/// ```
/// use gatecrash::driver::{Surroundings, tokio::Live};
///
/// assert_ne!(Live::new().seed(), Live::new().seed());
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Live {
    origin: tokio::time::Instant,
}

impl Live {
    /// The real world from now on.
    #[expect(clippy::new_without_default, reason = "each one starts its clock at another time")]
    pub fn new() -> Self {
        Live { origin: tokio::time::Instant::now() }
    }
}

impl Surroundings for Live {
    type Listener = TcpListener;
    type Stream = TcpStream;

    async fn listen(&self, address: &str) -> io::Result<TcpListener> {
        TcpListener::bind(address).await
    }

    async fn accept(&self, listener: &TcpListener) -> io::Result<TcpStream> {
        let (stream, _) = listener.accept().await?;
        // Frames are small and answers are awaited: nothing is gained by gathering them.
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    fn connect(&self, server: &str) -> impl Future<Output = io::Result<TcpStream>> + Send + 'static {
        let server = server.to_owned();
        async move {
            let stream = TcpStream::connect(server).await?;
            stream.set_nodelay(true)?;
            Ok(stream)
        }
    }

    #[expect(clippy::disallowed_methods, reason = "here is the seam that time comes in by")]
    fn now(&self) -> Now {
        let since_origin = self.origin.elapsed().as_micros();
        // A clock before 1970 is no clock.
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros();
        Now {
            instant: Instant::from_micros(u64::try_from(since_origin).unwrap_or(u64::MAX)),
            wall: WallTime::from_micros(u64::try_from(wall).unwrap_or(u64::MAX)),
        }
    }

    fn wall_may_jump(&self) -> bool {
        true
    }

    /// # Panics
    ///
    /// When the operating system has no randomness to give: nothing can be kept secret then.
    fn seed(&self) -> [u8; 32] {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).expect("the operating system gives randomness");
        seed
    }
}
