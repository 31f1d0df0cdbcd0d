//! The server that ships, in memory, with one user who is logged in and stays so.
//!
//! Each input comes by a connection of its own, which then says no more. All strangers' tickets are of another key, so
//! nothing that they say may change what the server keeps: one change is one too many. Time is simulated, and passes only
//! while everybody waits.

use std::future::{Future, ready};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::BytesMut;
use gatecrash::driver::identity::Identity;
use gatecrash::driver::server::{Door, ServerDriver, Settings};
use gatecrash::driver::store::MemoryStore;
use gatecrash::driver::wire::{self, FrameReader};
use gatecrash::driver::{Observe, ServerSeen, Surroundings};
use gatecrash::id::{Attempt, CallId, DeviceId};
use gatecrash::policy::Platform;
use gatecrash::protocol::{ClientFrame, ServerFrame, VERSION};
use gatecrash::server::{Action, Config};
use gatecrash::ticket::{SecretKey, Ticket};
use gatecrash::time::{Instant, Now, WallTime};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::{Mutex, mpsc};

use crate::corpus::{APP, Corpus, ISSUED_AT, KEY, signed};
use crate::{Found, Place, panics};

/// After so many inputs it is looked whether all is as before.
const INPUTS_PER_LOOK: usize = 500;

/// How much is under way in one direction.
const UNDER_WAY: usize = 128 * 1024;

/// After this the server must have closed whoever says no more.
const PATIENCE: Duration = Duration::from_secs(600);

/// Where the one who stays comes in, and where strangers do.
const DOORS: [&str; 2] = ["alice's", "strangers'"];

/// A place with those doors.
#[derive(Clone)]
struct Town {
    began: tokio::time::Instant,
    arriving: Arc<[Mutex<mpsc::UnboundedReceiver<DuplexStream>>; 2]>,
}

impl Surroundings for Town {
    type Listener = usize;
    type Stream = DuplexStream;

    async fn listen(&self, address: &str) -> io::Result<usize> {
        DOORS.iter().position(|door| *door == address).ok_or_else(|| io::ErrorKind::AddrNotAvailable.into())
    }

    async fn accept(&self, door: &usize) -> io::Result<DuplexStream> {
        self.arriving[*door].lock().await.recv().await.ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    fn connect(&self, _: &str) -> impl Future<Output = io::Result<DuplexStream>> + Send + 'static {
        ready(Err(io::ErrorKind::Unsupported.into()))
    }

    fn now(&self) -> Now {
        let micros = u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX);
        let wall = WallTime::from_micros(ISSUED_AT * 1_000_000 + micros);
        Now { instant: Instant::from_micros(micros), wall }
    }

    fn seed(&self) -> [u8; 32] {
        [7; 32]
    }
}

/// Counts what the server decides to keep.
#[derive(Clone, Default)]
struct Changes(Arc<AtomicU64>);

impl Observe for Changes {
    fn server(&self, _: Now, seen: ServerSeen<'_>) {
        if let ServerSeen::Output(output) = seen
            && let Action::Commit(_) = output.action
        {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// What says who somebody is, and logs alice in with a device.
fn login(device: u8) -> BytesMut {
    let device = DeviceId::from_bytes([device; 16]);
    let mut bytes = BytesMut::new();
    wire::write(&ClientFrame::<Ticket>::Hello { version: VERSION, device, platform: Platform::Android }, &mut bytes);
    let attempt = Attempt { start: 1, count: 1 };
    let ticket = signed("alice", KEY, None);
    let login = ClientFrame::Login { call: CallId(1), attempt, user: "alice".into(), ticket, known_ended: None };
    wire::write(&login, &mut bytes);
    bytes
}

/// What no stranger can say: it takes the place of who is there.
#[cfg(test)]
pub fn takes_the_place_of_who_is_there() -> Vec<u8> {
    login(2).to_vec()
}

fn identity(now: WallTime) -> Identity {
    let key = rcgen::KeyPair::generate().expect("a key");
    let certificate = rcgen::CertificateParams::new(["localhost".to_owned()])
        .and_then(|params| params.self_signed(&key))
        .expect("a certificate");
    Identity::from_pem(certificate.pem().as_bytes(), key.serialize_pem().as_bytes(), now).expect("they fit")
}

/// Tries so many inputs at the door of that place.
pub fn fuzz(place: Place, corpus: Corpus, inputs: u64, done: &dyn Fn()) -> Result<(), Found> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.expect("a runtime");
    let mut last = Vec::new();
    panics::are_watched();
    let ended = runtime.block_on(tried(place, corpus, inputs, done, &mut last));
    ended.map_err(|what| Found { what, inputs: last })
}

async fn tried(
    place: Place,
    mut corpus: Corpus,
    inputs: u64,
    done: &dyn Fn(),
    last: &mut Vec<Vec<u8>>,
) -> Result<(), String> {
    let (alices, at_alices) = mpsc::unbounded_channel();
    let (strangers, at_strangers) = mpsc::unbounded_channel();
    let arriving = Arc::new([Mutex::new(at_alices), Mutex::new(at_strangers)]);
    let town = Town { began: tokio::time::Instant::now(), arriving };
    let door = match place {
        Place::Tls => Door::tls(DOORS[1], identity(town.now().wall)),
        Place::Websocket => Door { websocket: true, ..Door::tcp(DOORS[1]) },
        Place::Frames | Place::Tickets => Door::tcp(DOORS[1]),
    };
    let settings = Settings {
        doors: vec![Door::tcp(DOORS[0]), door],
        ..Settings::new("", Config::new(APP), vec![SecretKey::from(KEY)])
    };
    let changes = Changes::default();
    let count = || changes.0.load(Ordering::Relaxed);
    let bound = ServerDriver::<_, _, _>::bind(town, MemoryStore::default(), changes.clone(), settings).await;
    let (server, _handle) = bound.map_err(|error| error.to_string())?;
    let mut serving = tokio::spawn(server.run());
    let mut alice = Alice::comes(&alices).await?;
    let before = count();
    for number in 0..inputs {
        if number % INPUTS_PER_LOOK as u64 == 0 {
            last.clear();
        }
        let input = corpus.next();
        last.push(input.clone());
        let (mut stranger, end) = duplex(UNDER_WAY);
        strangers.send(end).map_err(|_| "the server does not accept any more".to_owned())?;
        let said = async {
            // It may be closed before it has said all.
            let (first, then) = parts(place, &input);
            let _ = stranger.write_all(first).await;
            if !then.is_empty() {
                let _ = stranger.read(&mut [0; 1024]).await;
                let _ = stranger.write_all(then).await;
            }
            let _ = stranger.shutdown().await;
            let _ = stranger.read_to_end(&mut Vec::new()).await;
        };
        tokio::select! {
            said = tokio::time::timeout(PATIENCE, said) => said.map_err(|_| "a connection that never ends".to_owned())?,
            ended = &mut serving => return Err(format!("the server ended: {ended:?}")),
        }
        if count() != before {
            return Err("a session changed, or what else the server keeps".to_owned());
        }
        if panics::are_seen() {
            return Err("a panic".to_owned());
        }
        if number % INPUTS_PER_LOOK as u64 == INPUTS_PER_LOOK as u64 - 1 {
            alice.is_there().await?;
        }
        done();
    }
    alice.is_there().await
}

/// What is said at once, and what after an answer: nobody may speak in a WebSocket before it is open.
fn parts(place: Place, input: &[u8]) -> (&[u8], &[u8]) {
    const END: &[u8] = b"\r\n\r\n";
    let end = input.windows(END.len()).position(|window| window == END);
    match (place, end) {
        (Place::Websocket, Some(end)) => input.split_at(end + END.len()),
        (_, _) => (input, &[]),
    }
}

/// Who is logged in.
struct Alice {
    line: DuplexStream,
    frames: FrameReader,
}

impl Alice {
    async fn comes(alices: &mpsc::UnboundedSender<DuplexStream>) -> Result<Self, String> {
        let (mut line, end) = duplex(UNDER_WAY);
        alices.send(end).map_err(|_| "the server does not accept".to_owned())?;
        line.write_all(&login(1)).await.map_err(|error| error.to_string())?;
        let mut alice = Alice { line, frames: FrameReader::default() };
        match alice.frames.next(&mut alice.line).await {
            Ok(ServerFrame::LoginAnswer { outcome: Ok(_), .. }) => Ok(alice),
            other => Err(format!("who has a good ticket is not let in: {other:?}")),
        }
    }

    /// She hears the answer to a heartbeat, and nothing else.
    async fn is_there(&mut self) -> Result<(), String> {
        let mut bytes = BytesMut::new();
        wire::write(&ClientFrame::<Ticket>::Heartbeat, &mut bytes);
        self.line.write_all(&bytes).await.map_err(|error| format!("who is logged in was closed: {error}"))?;
        match self.frames.next(&mut self.line).await {
            Ok(ServerFrame::HeartbeatAnswer) => Ok(()),
            other => Err(format!("who is logged in heard something else than an answer: {other:?}")),
        }
    }
}
