//! The real surroundings: TCP, the system's clocks and its randomness.
//!
//! Decides nothing; the drivers are the same in a simulation.

#[cfg(feature = "client")]
mod sdk;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::net::{TcpListener, TcpStream};

#[cfg(feature = "client")]
pub use sdk::{Driving, sdk};

use crate::driver::Surroundings;
use crate::time::{Instant, Now, WallTime};

/// The real world. Instants count from when it was made.
///
/// Its monotonic clock is the system's, which on some systems stands still while the machine is
/// suspended. [`Surroundings::woken`] makes up for that: the clock is set forward by as much as the wall clock
/// went ahead of it.
///
/// ```
/// use gatecrash::driver::{Surroundings, tokio::Live};
///
/// assert_ne!(Live::new().seed(), Live::new().seed());
/// ```
#[derive(Clone, Debug)]
pub struct Live {
    origin: tokio::time::Instant,
    wall_at_origin: WallTime,
    /// For how many microseconds the monotonic clock stood still.
    stood_still: Arc<AtomicU64>,
}

impl Live {
    /// The real world from now on.
    #[expect(clippy::new_without_default, reason = "each one starts its clock at another time")]
    pub fn new() -> Self {
        Live { origin: tokio::time::Instant::now(), wall_at_origin: wall(), stood_still: Arc::default() }
    }

    fn micros_since_origin(&self) -> u64 {
        u64::try_from(self.origin.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}

#[expect(clippy::disallowed_methods, reason = "here is the seam that time comes in by")]
fn wall() -> WallTime {
    // A clock before 1970 is no clock.
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    WallTime::from_micros(u64::try_from(since_1970.as_micros()).unwrap_or(u64::MAX))
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

    fn peer(&self, stream: &TcpStream) -> Option<SocketAddr> {
        stream.peer_addr().ok()
    }

    fn connect(&self, server: &str) -> impl Future<Output = io::Result<TcpStream>> + Send + 'static {
        let server = server.to_owned();
        async move {
            let stream = TcpStream::connect(server).await?;
            stream.set_nodelay(true)?;
            Ok(stream)
        }
    }

    fn now(&self) -> Now {
        let micros = self.micros_since_origin().saturating_add(self.stood_still.load(Ordering::Relaxed));
        Now { instant: Instant::from_micros(micros), wall: wall() }
    }

    fn woken(&self) {
        let by_the_wall = u64::try_from((wall() - self.wall_at_origin).as_micros()).unwrap_or(u64::MAX);
        let behind = by_the_wall.saturating_sub(self.micros_since_origin());
        self.stood_still.fetch_max(behind, Ordering::Relaxed);
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// LOGIN-3: time goes on while a device is suspended, once somebody says that it was.
    #[test]
    fn waking_makes_up_for_the_time_the_clock_stood_still() {
        let hour = Duration::from_secs(3_600);
        let mut live = Live::new();
        live.wall_at_origin = WallTime::from_micros(live.wall_at_origin.as_micros() - hour.as_micros() as u64);
        assert!(live.now().instant < Instant::ZERO + hour, "a wall clock that was set is no time that passed");
        live.woken();
        let woken = live.now().instant;
        assert!(woken >= Instant::ZERO + hour);
        live.woken();
        assert!(live.now().instant < woken + hour, "the same hour is not counted twice");
    }
}
