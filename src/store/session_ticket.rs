//! What a session keeps of the ticket that it lives by.

use serde::{Deserialize, Serialize};

use crate::ticket::{Claims, Signature};
use crate::time::WallTime;

/// What a session keeps of its ticket.
///
/// ```
/// use gatecrash::{store::SessionTicket, ticket::Signature};
///
/// let ticket = SessionTicket { issued_at: 10, last_second: 70, signature: Signature([0; 32]) };
/// assert_eq!(ticket.ends_at().seconds(), 71);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SessionTicket {
    /// When it was issued, in seconds since 1970.
    pub issued_at: u64,
    /// The last second at which it is valid.
    pub last_second: u64,
    /// Which ticket it is.
    pub signature: Signature,
}

impl SessionTicket {
    /// When a session that lives by it ends: one second after it was last valid (TICKET-5).
    pub const fn ends_at(&self) -> WallTime {
        WallTime::from_seconds(self.last_second.saturating_add(1))
    }
}

impl From<&Claims> for SessionTicket {
    fn from(claims: &Claims) -> Self {
        SessionTicket { issued_at: claims.issued_at, last_second: claims.last_second(), signature: claims.signature }
    }
}
