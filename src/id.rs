//! The names things go by: users, devices, sessions, attempts, calls, connections.
//!
//! All are small and `Copy`. None is drawn here: what is random comes from a driver.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The most bytes a [`UserId`] has (LOGIN-2).
pub const USER_ID_BYTES_MAX: usize = 32;

/// An account's name: 1 to 32 bytes of `a-z A-Z 0-9 _ -` (LOGIN-2).
///
/// ```
/// use gatecrash::id::UserId;
///
/// let alice: UserId = "alice".parse().unwrap();
/// assert_eq!(alice.as_str(), "alice");
/// assert!("no spaces".parse::<UserId>().is_err());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserId {
    // Padded with zero bytes, which sort before every allowed byte: the derived order is that of the text.
    bytes: [u8; USER_ID_BYTES_MAX],
    length: u8,
}

/// The text is no [`UserId`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a user id is 1 to 32 bytes of a-z A-Z 0-9 _ -")]
pub struct InvalidUserId;

impl UserId {
    /// The text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..usize::from(self.length)]).expect("only ASCII gets in")
    }
}

impl FromStr for UserId {
    type Err = InvalidUserId;

    fn from_str(text: &str) -> Result<Self, InvalidUserId> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if text.is_empty() || text.len() > USER_ID_BYTES_MAX || !text.bytes().all(allowed) {
            return Err(InvalidUserId);
        }
        let mut bytes = [0; USER_ID_BYTES_MAX];
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        Ok(UserId { bytes, length: text.len() as u8 })
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UserId({self})")
    }
}

impl Serialize for UserId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for UserId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// One installation of the SDK: 128 random bits known to the device and the server only (ATT-3).
///
/// It is what a device ends its sessions with, so nothing prints it: `Debug` shows the
/// [`PublicName`] instead.
///
/// ```
/// use gatecrash::id::DeviceId;
///
/// let device = DeviceId::from_bytes([7; 16]);
/// assert!(!format!("{device:?}").contains("070707"));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DeviceId([u8; 16]);

impl DeviceId {
    /// The device with these bits.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        DeviceId(bytes)
    }

    /// The bits, for the wire and the device's disk.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The name that others may see: it does not lead back to the bits.
    pub fn public_name(&self) -> PublicName {
        let digest = Sha256::new().chain_update(b"gatecrash public name").chain_update(self.0).finalize();
        PublicName(digest[..8].try_into().expect("a digest has 32 bytes"))
    }
}

impl fmt::Debug for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeviceId({})", self.public_name())
    }
}

/// What kicks, presence, queries and traces call a device (ATT-3): 16 hexadecimal digits.
///
/// ```
/// use gatecrash::id::{DeviceId, PublicName};
///
/// let name: PublicName = DeviceId::from_bytes([7; 16]).public_name();
/// assert_eq!(name.to_string().len(), 16);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PublicName([u8; 8]);

impl PublicName {
    /// The name with these bytes, as read off the wire.
    pub const fn from_bytes(bytes: [u8; 8]) -> Self {
        PublicName(bytes)
    }

    /// The bytes, for the wire.
    pub const fn as_bytes(&self) -> &[u8; 8] {
        &self.0
    }
}

impl fmt::Display for PublicName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for PublicName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicName({self})")
    }
}

/// Number of an accepted login, per user, strictly growing. (user, device, epoch) names a session.
///
/// ```
/// assert!(gatecrash::id::Epoch(2) > gatecrash::id::Epoch(1));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Epoch(pub u64);

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Number of a login, resume, renewal or logout, per device, strictly growing (ATT-1).
///
/// ```
/// use gatecrash::id::Attempt;
///
/// let last_of_first_start = Attempt { start: 1, count: 900 };
/// assert!(Attempt { start: 2, count: 1 } > last_of_first_start);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Attempt {
    /// How often the SDK was started on this device, from its disk.
    pub start: u32,
    /// How many attempts it made since.
    pub count: u32,
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.start, self.count)
    }
}

/// Number of a call the application made on one SDK instance. Requests on the wire carry it.
///
/// Zero stands for no call: what the SDK does by itself, such as a resume.
///
/// ```
/// assert_eq!(gatecrash::id::CallId::NONE, gatecrash::id::CallId(0));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CallId(pub u64);

impl CallId {
    /// No call: the SDK acts by itself.
    pub const NONE: CallId = CallId(0);
}

/// One transport link, as the owner of a core numbers it. A small dense number, free for reuse
/// once the core has been told of the end.
///
/// ```
/// assert_eq!(gatecrash::id::ConnectionId(3).0, 3);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ConnectionId(pub u32);

/// Number of a message, given by the server, growing in the order of acceptance (API-2).
///
/// ```
/// assert!(gatecrash::id::MessageId(2) > gatecrash::id::MessageId(1));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MessageId(pub u64);

/// What a sender calls a message, of its own choosing: the same id again from the same user is the same message
/// (API-6). 128 bits, so that what is drawn never meets.
///
/// ```
/// use gatecrash::id::SendId;
///
/// assert_ne!(SendId::from_bytes([1; 16]), SendId::from_bytes([2; 16]));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SendId([u8; 16]);

impl SendId {
    /// The id with these bits: those of a UUID, for example.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        SendId(bytes)
    }

    /// The bits, for the wire and the server's disk.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// Number of a change of a core's durable state. Outputs name the last change they may reveal.
///
/// Zero stands for no change: such an output waits for nothing.
///
/// ```
/// assert_eq!(gatecrash::id::Change::NONE, gatecrash::id::Change(0));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Change(pub u64);

impl Change {
    /// Before the first change.
    pub const NONE: Change = Change(0);
}
