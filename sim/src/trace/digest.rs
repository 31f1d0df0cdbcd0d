//! The digest of a trace: SHA-256 over an encoding of its own, the same in every process and build.
//!
//! The encoding is fixed here and depends on no derive. Integers are little-endian. A text is its
//! length in four bytes, then its bytes; a word its length in one byte, then its bytes. What may be
//! missing is 0, or 1 and then itself.
//!
//! ```text
//! 1  event   at: 8 bytes of microseconds, actor: 4 (world 0, server 1, device 2 + index),
//!            number: 4, its kind's place in the table: 1, then every field in the table's order
//! 2  user    text           3  text   text             4  list   its kind, count, and lines
//! 5  ticket  text, issued: 8, ttl: 8   6  site   text  7  device text, platform word, site: 4
//! ```
//!
//! Who and what is named comes into the digest when it is first named, ahead of the event.

use std::fmt;

use gatecrash::policy::Platform;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::cast::{Cast, List};
use super::field::{Field as _, Value};
use super::{Actor, Event};

/// How much is gathered before it is hashed.
const BUFFER_BYTES: usize = 64 * 1024;

/// The sum of a run. Two runs with equal digests had the same events.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// All of it.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// All of it as 64 hexadecimal digits.
    pub fn in_full(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The one with these 64 hexadecimal digits.
    pub fn from_full(digits: &str) -> Option<Digest> {
        let mut bytes = [0; 32];
        if digits.len() != 64 || !digits.is_ascii() {
            return None;
        }
        for (index, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&digits[index * 2..index * 2 + 2], 16).ok()?;
        }
        Some(Digest(bytes))
    }

    /// The digest of several runs, in their order.
    pub fn of(digests: impl IntoIterator<Item = Digest>) -> Digest {
        let mut sum = Digests::default();
        digests.into_iter().for_each(|digest| sum.push(digest));
        sum.digest()
    }
}

/// The digest of runs that are still coming in, in their order.
#[derive(Clone, Debug, Default)]
pub struct Digests(Sha256);

impl Digests {
    /// One more run.
    pub fn push(&mut self, digest: Digest) {
        self.0.update(digest.0);
    }

    /// The digest of all so far.
    pub fn digest(&self) -> Digest {
        Digest(self.0.clone().finalize().into())
    }
}

/// The sum of many runs in no order: what each digest prints as, taken for a number, added up modulo 2^64. So sums of parts add up
/// to that of the whole, which a [`Digest`] of digests does not.
///
/// ```
/// use gatecrash_sim::trace::Digest;
/// use gatecrash_sim::trace::digest::Sum;
///
/// let (one, other) = (Digest::of([]), Digest::of([Digest::of([])]));
/// let sum = |digests: &[Digest]| digests.iter().copied().map(Sum::from).fold(Sum::default(), Sum::plus);
/// assert_eq!(sum(&[one, other]), sum(&[other]).plus(sum(&[one])));
/// assert_eq!(sum(&[one]).to_string(), one.to_string());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Sum(u64);

impl Sum {
    /// Both together.
    #[must_use]
    pub const fn plus(self, other: Sum) -> Sum {
        Sum(self.0.wrapping_add(other.0))
    }
}

impl From<Digest> for Sum {
    fn from(digest: Digest) -> Sum {
        let (first, _) = digest.0.split_first_chunk().expect("a digest is longer than that");
        Sum(u64::from_be_bytes(*first))
    }
}

impl From<Sum> for String {
    fn from(sum: Sum) -> String {
        sum.to_string()
    }
}

impl TryFrom<String> for Sum {
    type Error = std::num::ParseIntError;

    fn try_from(text: String) -> Result<Sum, Self::Error> {
        u64::from_str_radix(&text, 16).map(Sum)
    }
}

impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Display for Digest {
    /// The first 16 hexadecimal digits: enough to compare by eye and by machine.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0[..8].iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

/// Takes events and names in the order in which they happen.
#[derive(Clone, Debug)]
pub(super) struct Encoder {
    hash: Sha256,
    buffer: Vec<u8>,
}

impl Encoder {
    /// Begins with the sites and devices of the cast: a fresh one has nothing else.
    pub fn new(cast: &Cast) -> Self {
        let mut encoder = Encoder { hash: Sha256::new(), buffer: Vec::with_capacity(BUFFER_BYTES + 1024) };
        for site in cast.sites() {
            encoder.tag(6).long(site);
        }
        for device in cast.devices() {
            encoder.tag(7).long(&device.name).word(device.platform.word()).four(device.site.index() as u32);
        }
        encoder
    }

    /// The sum of everything so far.
    pub fn digest(&self) -> Digest {
        Digest(self.hash.clone().chain_update(&self.buffer).finalize().into())
    }

    pub fn event(&mut self, event: &Event) {
        let actor = match event.actor {
            Actor::World => 0,
            Actor::Server => 1,
            Actor::Device(device) => 2 + device.index() as u32,
        };
        self.tag(1).eight(event.at.as_micros()).four(actor).four(event.number);
        event.what.encode(&mut self.buffer);
        if self.buffer.len() >= BUFFER_BYTES {
            self.hash.update(&self.buffer);
            self.buffer.clear();
        }
    }

    pub fn user(&mut self, name: &str) {
        self.tag(2).long(name);
    }

    pub fn text(&mut self, text: &str) {
        self.tag(3).long(text);
    }

    pub fn list(&mut self, list: &List) {
        self.tag(4);
        match list {
            List::Devices(devices) => {
                self.tag(0).four(devices.len() as u32);
                for device in devices {
                    self.four(device.index() as u32);
                }
            }
            List::Users(users) => {
                self.tag(1).four(users.len() as u32);
                for user in users {
                    self.four(user.index() as u32);
                }
            }
            List::Conversations(lines) => {
                self.tag(2).four(lines.len() as u32);
                for line in lines {
                    self.four(line.peer.index() as u32).four(line.last).four(line.preview.index() as u32);
                }
            }
            List::Report(lines) => {
                self.tag(3).four(lines.len() as u32);
                for line in lines {
                    let presence = line.presence.map_or("", |presence| presence.word());
                    self.four(line.user.index() as u32).word(presence).four(line.devices.len() as u32);
                    for device in &line.devices {
                        self.four(device.device.index() as u32).word(device.platform.word()).word(device.state.word());
                    }
                }
            }
        }
    }

    pub fn ticket(&mut self, name: &str, issued: u64, ttl: u64) {
        self.tag(5).long(name).eight(issued).eight(ttl);
    }

    fn tag(&mut self, byte: u8) -> &mut Self {
        self.buffer.push(byte);
        self
    }

    fn four(&mut self, number: u32) -> &mut Self {
        self.buffer.extend_from_slice(&number.to_le_bytes());
        self
    }

    fn eight(&mut self, number: u64) -> &mut Self {
        self.buffer.extend_from_slice(&number.to_le_bytes());
        self
    }

    fn word(&mut self, word: &str) -> &mut Self {
        self::word(word, &mut self.buffer);
        self
    }

    fn long(&mut self, text: &str) -> &mut Self {
        self.four(text.len() as u32).buffer.extend_from_slice(text.as_bytes());
        self
    }
}

impl Value {
    /// Its bytes in the encoding. What kind of value it is follows from the event's kind.
    #[inline(always)]
    pub(super) fn encode(self, out: &mut Vec<u8>) {
        match self {
            Value::Nothing => {}
            Value::Number(number) | Value::Seconds(number) | Value::Micros(number) => {
                out.extend_from_slice(&number.to_le_bytes());
            }
            Value::Signed(number) | Value::SignedMicros(number) => out.extend_from_slice(&number.to_le_bytes()),
            Value::Flag(flag) => out.push(flag.into()),
            Value::Word(text) => word(text, out),
            Value::Code(code) => out.extend_from_slice(&code.number().to_le_bytes()),
            Value::Attempt(attempt) => {
                out.extend_from_slice(&attempt.start.to_le_bytes());
                out.extend_from_slice(&attempt.count.to_le_bytes());
            }
            Value::Seats(seats) => {
                word(seats.policy().word(), out);
                out.extend(Platform::ALL.map(|platform| seats.instances_max(platform) as u8));
            }
            Value::Device(index) => place(index.index(), out),
            Value::User(index) => place(index.index(), out),
            Value::Site(index) => place(index.index(), out),
            Value::Ticket(index) => place(index.index(), out),
            Value::Text(index) => place(index.index(), out),
            Value::List(index) => place(index.index(), out),
        }
    }
}

fn word(word: &str, out: &mut Vec<u8>) {
    debug_assert!(word.len() < 256, "words are short");
    out.push(word.len() as u8);
    out.extend_from_slice(word.as_bytes());
}

fn place(index: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(&(index as u32).to_le_bytes());
}
