//! Tickets (UserSig, TLSSigAPIv2): signing them, and opening them into claims (TICKET-1).
//!
//! Pure: whoever asks says what time it is, and which tickets an administrator voided. What a
//! refused ticket costs its device (TICKET-4) and when a session ends with its ticket (TICKET-5)
//! is decided by the server's core.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::code::Code;
use crate::id::UserId;

mod format;
#[cfg(test)]
mod tests;

pub use format::{Contents, TicketSpec, Unreadable, open, read, sign};

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

    /// Whether it is still valid at this second since 1970 (TICKET-2). One issued in the future
    /// is: the clocks of a business server and of this one never agree quite.
    pub const fn valid_at(&self, second: u64) -> bool {
        second <= self.last_second()
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

/// A key that tickets are signed with: the text of it, not bytes it might stand for (TICKET-1).
///
/// Whoever has it can be anybody, so nothing prints it.
///
/// ```
/// use gatecrash::ticket::SecretKey;
///
/// let key = SecretKey::from("5bd2850f");
/// assert_eq!(format!("{key:?}"), "SecretKey(hidden)");
/// ```
#[derive(Clone)]
pub struct SecretKey(Arc<str>);

impl SecretKey {
    /// The bytes an HMAC is keyed with. For this module only: nobody else needs them.
    fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl From<&str> for SecretKey {
    fn from(text: &str) -> Self {
        SecretKey(text.into())
    }
}

impl From<String> for SecretKey {
    fn from(text: String) -> Self {
        SecretKey(text.into())
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(hidden)")
    }
}

/// What opening a ticket gives: its claims, or [`Code::TicketEmpty`] or [`Code::TicketMalformed`].
pub type OpenedTicket = Result<Opened, Code>;

/// What a ticket that could be opened is worth to `user` of app `app_id` at `now_seconds` since
/// 1970, judged in the order of TICKET-3. Whether an administrator voided it (ADMIN-1) is what
/// `voided` says; it is asked only about claims whose signature fits.
///
/// # Errors
///
/// The first that holds of [`Code::TicketOtherApp`], [`Code::TicketOtherUser`],
/// [`Code::TicketSignature`], [`Code::TicketVoided`], [`Code::TicketExpired`]. The two refusals
/// that come before these are already the `Err` of an [`OpenedTicket`].
///
/// ```
/// use gatecrash::code::Code;
/// use gatecrash::id::UserId;
/// use gatecrash::ticket::{SecretKey, TicketSpec, judge, open, sign};
///
/// let alice: UserId = "alice".parse().unwrap();
/// let key = SecretKey::from("5bd2850f");
/// let spec = TicketSpec { app_id: 1, user: alice, issued_at: 1_700_000_000, ttl: 60, userbuf: None };
/// let opened = open(sign(&spec, &key).as_str(), &[key]).unwrap();
/// assert_eq!(judge(&opened, 1, &alice, 1_700_000_060, |_| false), Ok(()));
/// assert_eq!(judge(&opened, 1, &alice, 1_700_000_061, |_| false), Err(Code::TicketExpired));
/// ```
pub fn judge(
    opened: &Opened,
    app_id: u64,
    user: &UserId,
    now_seconds: u64,
    voided: impl FnOnce(&Claims) -> bool,
) -> Result<(), Code> {
    let Opened { claims, signature_fits } = opened;
    if claims.app_id != app_id {
        Err(Code::TicketOtherApp)
    } else if claims.user.as_ref() != Some(user) {
        Err(Code::TicketOtherUser)
    } else if !signature_fits {
        Err(Code::TicketSignature)
    } else if voided(claims) {
        Err(Code::TicketVoided)
    } else if !claims.valid_at(now_seconds) {
        Err(Code::TicketExpired)
    } else {
        Ok(())
    }
}
