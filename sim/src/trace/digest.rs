//! The digest of a trace: SHA-256 over an encoding of its own, the same in every process and build.
//!
//! The encoding is fixed here and depends on no derive. Integers are little-endian. A text is its
//! length in four bytes, then its bytes; a word its length in one byte, then its bytes.
//!
//! ```text
//! 1  event   at: 8 bytes of microseconds, actor: 4 (world 0, server 1, device 2 + index),
//!            number: 4, word, then every field: the tag of its value, then the value
//! 2  user    text           3  text   text             4  list   its kind, count, and lines
//! 5  ticket  text, issued: 8, ttl: 8   6  site   text  7  device text, platform word, site: 4
//! ```
//!
//! Who and what is named comes into the digest when it is first named, ahead of the event.

use std::fmt;

use gatecrash::policy::Platform;
use sha2::{Digest as _, Sha256};

use super::cast::{Cast, List};
use super::field::Value;
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

    /// The digest of several runs, in their order.
    pub fn of(digests: impl IntoIterator<Item = Digest>) -> Digest {
        let hash = digests.into_iter().fold(Sha256::new(), |hash, digest| hash.chain_update(digest.0));
        Digest(hash.finalize().into())
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
        self.tag(1).eight(event.at.as_micros()).four(actor).four(event.number).word(event.what.word());
        event.what.fields(&mut |_, value| self.value(value));
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

    fn value(&mut self, value: Value) {
        match value {
            Value::Nothing => self.tag(0),
            Value::Number(number) => self.tag(1).eight(number),
            Value::Signed(number) => self.tag(2).eight(number as u64),
            Value::Seconds(seconds) => self.tag(3).eight(seconds),
            Value::Micros(micros) => self.tag(4).eight(micros),
            Value::SignedMicros(micros) => self.tag(5).eight(micros as u64),
            Value::Flag(flag) => self.tag(6).tag(flag.into()),
            Value::Word(word) => self.tag(7).word(word),
            Value::Code(code) => self.tag(8).four(code.number()),
            Value::Attempt(attempt) => self.tag(9).four(attempt.start).four(attempt.count),
            Value::Seats(seats) => {
                self.tag(10).word(seats.policy().word());
                for platform in Platform::ALL {
                    self.tag(seats.instances_max(platform) as u8);
                }
                self
            }
            Value::Device(device) => self.tag(11).four(device.index() as u32),
            Value::User(user) => self.tag(12).four(user.index() as u32),
            Value::Site(site) => self.tag(13).four(site.index() as u32),
            Value::Ticket(ticket) => self.tag(14).four(ticket.index() as u32),
            Value::Text(text) => self.tag(15).four(text.index() as u32),
            Value::List(list) => self.tag(16).four(list.index() as u32),
        };
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
        debug_assert!(word.len() < 256, "words are short");
        self.tag(word.len() as u8).buffer.extend_from_slice(word.as_bytes());
        self
    }

    fn long(&mut self, text: &str) -> &mut Self {
        self.four(text.len() as u32).buffer.extend_from_slice(text.as_bytes());
        self
    }
}
