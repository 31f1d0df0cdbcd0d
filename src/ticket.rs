//! Tickets (UserSig, TLSSigAPIv2): signing them, and opening them into claims (TICKET-1).
//!
//! Opening is mechanics only. What claims are worth (whose, signed, voided, expired: the order of
//! TICKET-3) is judged in `decide`.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::code::Code;
use crate::id::UserId;

/// The longest ticket text, in bytes (TICKET-3).
pub const TICKET_BYTES_MAX: usize = 8 * 1024;

/// The most bytes a ticket may inflate to (TICKET-3).
pub const INFLATED_BYTES_MAX: usize = 64 * 1024;

/// A ticket as the application hands it over: text that only the server can judge.
///
/// ```
/// use gatecrash::ticket::Ticket;
///
/// let ticket = Ticket::from("eJyr");
/// assert_eq!(ticket.as_str(), "eJyr");
/// assert_eq!(format!("{ticket:?}"), "Ticket(4 bytes)");
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(Arc<str>);

impl Ticket {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the SDK can tell without the server: empty, or over [`TICKET_BYTES_MAX`] (TICKET-3).
    ///
    /// # Errors
    ///
    /// [`Code::TicketEmpty`], [`Code::TicketMalformed`].
    pub fn check(&self) -> Result<(), Code> {
        match self.0.len() {
            0 => Err(Code::TicketEmpty),
            length if length > TICKET_BYTES_MAX => Err(Code::TicketMalformed),
            _ => Ok(()),
        }
    }
}

impl From<&str> for Ticket {
    fn from(text: &str) -> Self {
        Ticket(text.into())
    }
}

impl From<String> for Ticket {
    fn from(text: String) -> Self {
        Ticket(text.into())
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ticket({} bytes)", self.0.len())
    }
}

/// The HMAC-SHA256 over a ticket's claims. Two tickets are the same iff their signatures are.
///
/// ```
/// use gatecrash::ticket::Signature;
///
/// assert_ne!(Signature([0; 32]), Signature([1; 32]));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Signature(pub [u8; 32]);

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({:02x}{:02x}{:02x}{:02x}…)", self.0[0], self.0[1], self.0[2], self.0[3])
    }
}

/// What a ticket says, as far as it could be read.
///
/// ```
/// use gatecrash::ticket::{Claims, Signature};
///
/// let claims = Claims {
///     app_id: 1_400_000_000,
///     user: "alice".parse().ok(),
///     issued_at: 1_700_000_000,
///     ttl: 60,
///     signature: Signature([0; 32]),
/// };
/// assert_eq!(claims.last_second(), 1_700_000_060);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Claims {
    /// The app it was issued for.
    pub app_id: u64,
    /// The user it was issued to; none when the name is no [`UserId`], so nobody's.
    pub user: Option<UserId>,
    /// When it was issued, in seconds since 1970.
    pub issued_at: u64,
    /// How long it is valid, in seconds.
    pub ttl: u64,
    /// Its signature.
    pub signature: Signature,
}

impl Claims {
    /// The last second at which it is valid (TICKET-2), since 1970.
    pub const fn last_second(&self) -> u64 {
        self.issued_at.saturating_add(self.ttl)
    }
}

/// A ticket that could be decoded.
///
/// ```
/// use gatecrash::ticket::{Claims, Opened, Signature};
///
/// let claims = Claims { app_id: 1, user: None, issued_at: 0, ttl: 0, signature: Signature([0; 32]) };
/// assert!(!Opened { claims, signature_fits: false }.signature_fits);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Opened {
    /// What it says.
    pub claims: Claims,
    /// Whether one of the app's current keys made the signature.
    pub signature_fits: bool,
}

/// What opening a ticket gives: its claims, or [`Code::TicketEmpty`] or [`Code::TicketMalformed`].
pub type OpenedTicket = Result<Opened, Code>;
