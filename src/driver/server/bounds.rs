//! How much a server puts up with from whoever connects, before it knows who that is (INPUT-5, INPUT-7, INPUT-8).

use std::time::Duration;

/// How long a handshake may take. A phone on a bad network needs a few round trips of a second, and no more.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);

/// The limits of connections and addresses, whose defaults an operator need not touch.
///
/// ```
/// use gatecrash::driver::server::Bounds;
///
/// let bounds = Bounds { connections_max: 1_000, ..Bounds::default() };
/// assert_eq!(bounds.per_address_max, 4_096);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The most connections at once. A further one takes the place of one that has said nothing, or is told that
    /// the server is full (INPUT-5).
    pub connections_max: usize,
    /// The most connections at once from one address; of IPv6, from one network of 64 bits. A further one is closed.
    /// Thousands of phones may stand behind one address of a provider.
    pub per_address_max: usize,
    /// So many refusals within a minute, of tickets, handshakes and what is no frame, and whoever comes from that
    /// address is closed until the minute is over.
    pub address_refusals_max: u32,
    /// How long a handshake may take, of TLS and of a WebSocket together.
    pub handshake_max: Duration,
    /// How many bytes a second are read from a connection in the long run; sixteen times as many at once. It is not
    /// closed for more: the rest waits at the peer.
    pub bytes_per_second: u32,
}

impl Default for Bounds {
    fn default() -> Self {
        Bounds {
            connections_max: 65_536,
            per_address_max: 4_096,
            address_refusals_max: 600,
            handshake_max: HANDSHAKE_MAX,
            bytes_per_second: 256 * 1024,
        }
    }
}
