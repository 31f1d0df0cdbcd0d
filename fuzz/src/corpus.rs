//! Good inputs, and such that are nearly good.
//!
//! Most of what a stranger can do wrong is near to what is right: bytes changed, taken out or put in, an end cut off, two
//! inputs in one. So these are made of inputs that the program's own writers, and those of TLS and WebSockets, have made.

use std::path::Path;
use std::sync::Arc;

use bytes::BytesMut;
use gatecrash::driver::wire;
use gatecrash::id::{Attempt, CallId, DeviceId, Epoch, SendId};
use gatecrash::policy::Platform;
use gatecrash::protocol::{ClientFrame, SessionName, VERSION};
use gatecrash::ticket::{SecretKey, Ticket, TicketSpec, sign};
use mutatis::Session;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rustls::pki_types::ServerName;

use crate::Place;

/// How many changes an input has at most.
const CHANGES_MAX: usize = 6;

/// The most bytes of an input: longer than a frame may be.
const INPUT_BYTES_MAX: usize = 70_000;

/// The app that the corpus is of, and its key.
pub const APP: u64 = 1_400_000_000;
pub const KEY: &str = "a key for fuzzing and for nothing else";

/// When the corpus' tickets were issued, in seconds, and for how long they are good.
pub const ISSUED_AT: u64 = 1_700_000_000;
pub const TTL: u64 = 3_000_000_000;

/// Inputs without end.
pub struct Corpus {
    good: Vec<Vec<u8>>,
    /// None where the only input is to stay as it is.
    changes: Option<Session>,
    random: ChaCha8Rng,
    drawn: usize,
}

impl Corpus {
    /// Of the files of a directory, in the order of their names.
    pub fn read(directory: &Path, seed: u64) -> Result<Self, String> {
        let told = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
        let mut paths = Vec::new();
        for entry in std::fs::read_dir(directory).map_err(|error| told(directory, error))? {
            paths.push(entry.map_err(|error| told(directory, error))?.path());
        }
        paths.sort();
        let good: Result<Vec<_>, _> =
            paths.iter().map(|path| std::fs::read(path).map_err(|error| told(path, error))).collect();
        let good = good?;
        if good.is_empty() {
            return Err(format!("{} is empty: --write-corpus fills it", directory.display()));
        }
        Ok(Corpus { good, changes: Some(Session::new().seed(seed)), random: ChaCha8Rng::seed_from_u64(seed), drawn: 0 })
    }

    /// Of this input, as it is.
    pub fn single(input: Vec<u8>) -> Self {
        Corpus { good: vec![input], changes: None, random: ChaCha8Rng::seed_from_u64(0), drawn: 0 }
    }

    /// Whether inputs are changed at all.
    pub fn is_changed(&self) -> bool {
        self.changes.is_some()
    }

    /// One of something in each of the good inputs.
    pub fn of_each(&mut self, something: impl Fn(&[u8]) -> Vec<u8>) -> Self {
        let seed = self.random.next_u64();
        Corpus {
            good: self.good.iter().map(|input| something(input)).collect(),
            changes: self.changes.as_ref().map(|_| Session::new().seed(seed)),
            random: ChaCha8Rng::seed_from_u64(seed),
            drawn: 0,
        }
    }

    /// The next one. The good ones as they are come first.
    pub fn next(&mut self) -> Vec<u8> {
        let number = self.drawn;
        self.drawn += 1;
        let (Some(changes), true) = (&mut self.changes, number >= self.good.len()) else {
            return self.good[number % self.good.len()].clone();
        };
        let mut draw = |below: usize| self.random.next_u32() as usize % below.max(1);
        let mut input = self.good[draw(self.good.len())].clone();
        let (times, way) = (1 + draw(CHANGES_MAX), draw(8));
        if way == 0 {
            input.truncate(draw(input.len() + 1));
        } else if way == 1 {
            let other = &self.good[draw(self.good.len())];
            let (keep, from) = (draw(input.len() + 1), draw(other.len() + 1));
            input.truncate(keep);
            input.extend_from_slice(&other[from..]);
        }
        for _ in 0..times {
            // One that cannot be changed any more is good for nothing else.
            if changes.mutate(&mut input).is_err() {
                break;
            }
        }
        input.truncate(INPUT_BYTES_MAX);
        input
    }
}

/// Writes good inputs of each place.
pub fn write(directory: &Path) -> Result<(), String> {
    for (place, inputs) in [
        (Place::Frames, frames()),
        (Place::Tickets, tickets()),
        (Place::Tls, hellos()),
        (Place::Websocket, websockets()),
    ] {
        let directory = directory.join(place.word());
        std::fs::create_dir_all(&directory).map_err(|error| format!("{}: {error}", directory.display()))?;
        for (name, bytes) in inputs {
            let path = directory.join(name);
            std::fs::write(&path, bytes).map_err(|error| format!("{}: {error}", path.display()))?;
        }
    }
    Ok(())
}

type Named = Vec<(&'static str, Vec<u8>)>;

/// Everything a device says, with a ticket of another key where it needs one.
fn frames() -> Named {
    let device = DeviceId::from_bytes([7; 16]);
    let (user, epoch, call) = ("alice".parse().expect("a user id"), Epoch(1_000_000), CallId(3));
    let attempt = Attempt { start: 2, count: 5 };
    let ticket = signed("alice", "another key", None);
    let hello = ClientFrame::Hello { version: VERSION, device, platform: Platform::Android };
    let known_ended = Some(SessionName { user, epoch });
    let bodies: Vec<(&'static str, ClientFrame<Ticket>)> = vec![
        ("login", ClientFrame::Login { call, attempt, user: "alice".into(), ticket: ticket.clone(), known_ended }),
        ("resume", ClientFrame::Resume { attempt, user, epoch, ticket: ticket.clone(), received: 9 }),
        ("renew", ClientFrame::Renew { call, attempt, user, epoch, ticket }),
        ("acknowledged", ClientFrame::LoginAcknowledged { user, epoch }),
        ("logout", ClientFrame::Logout { call, attempt }),
        ("heartbeat", ClientFrame::Heartbeat),
        ("kick_confirmed", ClientFrame::KickConfirmed { user, epoch }),
        ("admin_kick", ClientFrame::AdminKick { call, user }),
        ("query", ClientFrame::QueryStatus { call, users: vec![user; 3] }),
        ("received", ClientFrame::MessagesReceived { user, epoch, through: 9 }),
        ("message", ClientFrame::SendMessage { call, to: user, id: SendId::from_bytes([4; 16]), text: "hello".into() }),
    ];
    let written = |frames: &[&ClientFrame<Ticket>]| {
        let mut bytes = BytesMut::new();
        frames.iter().for_each(|frame| wire::write(*frame, &mut bytes));
        bytes.to_vec()
    };
    let mut named: Named = bodies.iter().map(|(name, frame)| (*name, written(&[&hello, frame]))).collect();
    named.push(("hello", written(&[&hello])));
    named.push(("all", written(&bodies.iter().map(|(_, frame)| frame).collect::<Vec<_>>())));
    named
}

/// A ticket of the corpus' time.
pub fn signed(user: &str, key: &str, userbuf: Option<Vec<u8>>) -> Ticket {
    let user = user.parse().expect("a user id");
    sign(&TicketSpec { app_id: APP, user, issued_at: ISSUED_AT, ttl: TTL, userbuf }, &SecretKey::from(key))
}

fn tickets() -> Named {
    [
        ("plain", signed("alice", KEY, None)),
        ("userbuf", signed("bob", KEY, Some((0..=255).collect()))),
        ("other_key", signed("alice", "another key", None)),
    ]
    .map(|(name, ticket)| (name, ticket.as_str().as_bytes().to_vec()))
    .into()
}

/// What a client of TLS says first, of two ages.
fn hellos() -> Named {
    let hello = |versions: &[&'static rustls::SupportedProtocolVersion]| {
        let roots = rustls::RootCertStore::empty();
        let config = rustls::ClientConfig::builder_with_protocol_versions(versions);
        let config = config.with_root_certificates(roots).with_no_client_auth();
        let name = ServerName::try_from("localhost").expect("a name");
        let mut client = rustls::ClientConnection::new(Arc::new(config), name).expect("a client");
        let mut bytes = Vec::new();
        client.write_tls(&mut bytes).expect("a text takes everything");
        bytes
    };
    vec![("hello", hello(rustls::ALL_VERSIONS))]
}

/// The opening of a WebSocket, and messages in one: what a browser masks is masked with zeros, so that a change of the
/// message is one of the frame in it.
fn websockets() -> Named {
    let opening = "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                   Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
    let message = |opcode: u8, body: &[u8]| {
        let length = u16::try_from(body.len()).expect("a short one").to_be_bytes();
        let head = match body.len() {
            0..126 => vec![0x80 | opcode, 0x80 | length[1]],
            _ => vec![0x80 | opcode, 0x80 | 126, length[0], length[1]],
        };
        [&head[..], &[0; 4], body].concat()
    };
    let opened = |messages: &[Vec<u8>]| [opening.as_bytes(), &messages.concat()].concat();
    let mut named: Named = frames().into_iter().map(|(name, bytes)| (name, opened(&[message(2, &bytes)]))).collect();
    named.extend([
        ("opening", opened(&[])),
        ("ping", opened(&[message(9, b"are you there"), message(10, b"")])),
        ("close", opened(&[message(8, &[3, 232])])),
        ("text", opened(&[message(1, b"no frame")])),
        (
            "parts",
            opened(&[vec![2, 0x81, 0, 0, 0, 0, 0], vec![0, 0x82, 0, 0, 0, 0, 0, 0], message(0, &[2, 0xff, 0xff])]),
        ),
    ]);
    named
}
