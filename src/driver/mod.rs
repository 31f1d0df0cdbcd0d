//! Everything between the pure cores and the outside: bytes, connections, clocks, disks.
//!
//! The only place with async, sockets and tokio. Decides nothing about sessions: the cores do. Nor
//! does it know whether its surroundings are real: they come through [`Surroundings`] and the
//! smaller traits beside it, and [`self::tokio`] has the real ones.
//!
//! | file | what it is |
//! |---|---|
//! | `wire` | frames as bytes |
//! | `server` | runs a server's core over connections and a store (feature `server`) |
//! | `client` | runs an SDK's core over a connection and a disk; the handle an application holds (feature `client`) |
//! | `disk` | what a device keeps: in files, or in memory (feature `client`) |
//! | `store` | what the server keeps: in a database, or in memory (feature `server`) |
//! | `identity` | who a server proves to be by TLS (feature `server`) |
//! | `trust` | whom an SDK takes for its server by TLS (feature `tls`) |
//! | `tokio` | the real surroundings |

#[cfg(feature = "client")]
pub mod client;
mod directory;
#[cfg(feature = "client")]
pub mod disk;
#[cfg(feature = "server")]
pub mod identity;
#[cfg(feature = "server")]
pub mod server;
#[cfg(feature = "server")]
pub mod store;
mod stream;
mod timer;
#[cfg(any(feature = "server", feature = "tls"))]
mod tls;
pub mod tokio;
#[cfg(feature = "tls")]
pub mod trust;
pub mod wire;
mod writer;

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use ::tokio::io::{AsyncRead, AsyncWrite};

use crate::client::{Installation, Write};
use crate::id::{Change, UserId};
use crate::protocol::Conversation;
use crate::store::{Commit, Records};
use crate::time::{Instant, Now};

/// What a driver needs of the world it runs in: a network and two clocks.
///
/// A clone stands for the same place in the same world. The futures are dropped whenever something
/// else comes first, so they must not lose anything when dropped: a connection not yet returned by
/// `accept` is returned by the next one.
///
/// ```
/// use gatecrash::driver::Surroundings;
/// use gatecrash::driver::tokio::Live;
///
/// let live = Live::new();
/// let earlier = live.now();
/// assert!(live.now().instant >= earlier.instant);
/// ```
pub trait Surroundings: Clone + Send + Sync + 'static {
    /// Something that connections arrive at.
    type Listener: Send + Sync + 'static;
    /// One connection: an ordered stream of bytes in both directions.
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// Begins to listen at an address of this place, such as `0.0.0.0:7000`.
    ///
    /// # Errors
    ///
    /// What the world says, such as that the address is taken.
    fn listen(&self, address: &str) -> impl Future<Output = io::Result<Self::Listener>> + Send;

    /// The next connection that arrives.
    ///
    /// # Errors
    ///
    /// What the world says. The driver waits a moment and goes on accepting.
    fn accept(&self, listener: &Self::Listener) -> impl Future<Output = io::Result<Self::Stream>> + Send;

    /// Who is at the other end of an accepted connection, for the log; none where the world has no addresses.
    fn peer(&self, stream: &Self::Stream) -> Option<SocketAddr> {
        let _ = stream;
        None
    }

    /// A connection to `server`, a host name with a port such as `im.example.org:7000`.
    ///
    /// # Errors
    ///
    /// What the world says, such as that nobody listens there; an error around [`Untrusted`] where somebody does who
    /// cannot prove to be the server (TLS-2).
    fn connect(&self, server: &str) -> impl Future<Output = io::Result<Self::Stream>> + Send + 'static;

    /// The time. May be asked from outside the driver's future too, by whoever calls the SDK.
    fn now(&self) -> Now;

    /// Returns at `at`, or a little after.
    fn sleep_until(&self, at: Instant) -> impl Future<Output = ()> + Send {
        ::tokio::time::sleep(at - self.now().instant)
    }

    /// The device runs again after its operating system froze it: the monotonic clock is to have
    /// gone on meanwhile (LOGIN-3).
    fn woken(&self) {}

    /// Fresh random bits: an `init` derives its jitter and a new device id from them (ATT-3).
    fn seed(&self) -> [u8; 32];
}

/// Whoever answered could not prove to be the server: the inner error of an [`io::Error`] of
/// [`Surroundings::connect`] (TLS-2).
///
/// ```
/// use gatecrash::driver::Untrusted;
///
/// let error = std::io::Error::other(Untrusted { why: "the certificate has expired".to_owned() });
/// assert_eq!(error.to_string(), "whoever answers cannot prove to be the server: the certificate has expired");
/// assert!(error.get_ref().unwrap().is::<Untrusted>());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("whoever answers cannot prove to be the server: {why}")]
pub struct Untrusted {
    /// What is wrong with the proof.
    pub why: String,
}

/// Where the server's records are kept (DUR-1).
///
/// A store is opened before its first commit, and again after one that failed: what the records are then
/// is what it says, with that commit or without it.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use gatecrash::driver::{ServerStore, store::MemoryStore};
/// use gatecrash::{id::Change, store::{Commit, Fact}};
///
/// let mut store = MemoryStore::default();
/// let created = Fact::AccountCreated { user: "alice".parse().unwrap() };
/// store.open().await.unwrap();
/// store.commit(vec![Commit { number: Change(1), facts: vec![created] }]).await.unwrap();
/// assert_eq!(store.open().await.unwrap().users.len(), 1);
/// # });
/// ```
pub trait ServerStore: Send + 'static {
    /// What was committed so far, and one more start counted durably (DUR-3). Lets go first of whatever an
    /// earlier opening held.
    ///
    /// # Errors
    ///
    /// [`OpenError`] when the records cannot be read or the start not be counted.
    fn open(&mut self) -> impl Future<Output = Result<Records, OpenError>> + Send;

    /// Puts a batch of changes on disk: all or none. Done when it survives a crash.
    ///
    /// # Errors
    ///
    /// What keeps it from being written: whether it was is unknown (DUR-5), and the store has to be opened
    /// again.
    fn commit(&mut self, batch: Vec<Commit>) -> impl Future<Output = io::Result<()>> + Send;
}

/// Why a store cannot be opened.
///
/// ```
/// use gatecrash::driver::OpenError;
///
/// let full = OpenError::Failed(std::io::ErrorKind::StorageFull.into());
/// assert!(full.may_pass());
/// assert!(!OpenError::Newer { path: "gatecrash.redb".into(), found: 9, known: 1 }.may_pass());
/// ```
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The disk fails or is full. May pass: try again.
    #[error("{0}")]
    Failed(io::Error),
    /// The place cannot be used as it is: it is missing, forbidden, no directory. For the operator to mend.
    #[error("cannot use {}: {error}", path.display())]
    Unusable {
        /// Which file or directory.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// Another process has it open. For the operator to sort out.
    #[error("{} is in use by another process", path.display())]
    InUse {
        /// Which file.
        path: PathBuf,
    },
    /// A later version of this program wrote it. Use that one.
    #[error("{} has schema version {found}; this program knows versions up to {known}", path.display())]
    Newer {
        /// Which file.
        path: PathBuf,
        /// Its schema version.
        found: u64,
        /// The latest one known here.
        known: u64,
    },
    /// What is in it was not written by this program, or not whole. Restore a copy.
    #[error("{} is damaged, or no database of this program: {what}", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What does not fit.
        what: String,
    },
}

impl OpenError {
    /// Whether it is worth trying again later.
    pub fn may_pass(&self) -> bool {
        match self {
            OpenError::Failed(_) => true,
            OpenError::Unusable { .. }
            | OpenError::InUse { .. }
            | OpenError::Newer { .. }
            | OpenError::Damaged { .. } => false,
        }
    }
}

/// What is on a device's disk: its record, and its users' cached conversation lists.
///
/// ```
/// use gatecrash::driver::OnDisk;
///
/// assert!(OnDisk::default().installation.is_none());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OnDisk {
    /// The device's record; none on a new device.
    pub installation: Option<Installation>,
    /// The caches (API-3).
    pub conversations: BTreeMap<UserId, Vec<Conversation>>,
}

impl OnDisk {
    /// What is on the disk after this write.
    pub fn apply(&mut self, write: Write) {
        match write {
            Write::Installation(installation) => self.installation = Some(installation),
            Write::Conversations { user, conversations } => {
                self.conversations.insert(user, conversations);
            }
        }
    }

    /// Puts what was written `later` over it.
    pub fn overlay(&mut self, later: OnDisk) {
        later.into_writes().into_iter().for_each(|write| self.apply(write));
    }

    /// The writes that make it.
    pub fn into_writes(self) -> Vec<Write> {
        let caches = self.conversations.into_iter();
        let caches = caches.map(|(user, conversations)| Write::Conversations { user, conversations });
        self.installation.map(Write::Installation).into_iter().chain(caches).collect()
    }
}

/// A device's disk, locked to one process (ATT-4).
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use gatecrash::{client::{Installation, Write}, id::DeviceId};
/// use gatecrash::driver::{DeviceDisk, disk::MemoryDisk};
///
/// let mut disk = MemoryDisk::default();
/// let installation = Installation::new(DeviceId::from_bytes([7; 16]));
/// disk.write(vec![Write::Installation(installation.clone())]).await.unwrap();
/// assert_eq!(disk.load().installation, Some(installation));
/// # });
/// ```
pub trait DeviceDisk: Send + 'static {
    /// What is on it. Asked once, when the SDK's driver is made.
    fn load(&mut self) -> OnDisk;

    /// Makes these writes, in order. Done when they survive a crash.
    ///
    /// # Errors
    ///
    /// What keeps the record from being written. The driver tries again, and ends the calls that need it
    /// meanwhile (ATT-5). A cache that cannot be written is no reason: the server brings it anew.
    fn write(&mut self, writes: Vec<Write>) -> impl Future<Output = io::Result<()>> + Send;
}

/// Somebody who watches drivers at work, such as a trace. Must not call the SDK it watches.
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use gatecrash::driver::{ClientSeen, Observe};
/// use gatecrash::time::Instant;
///
/// #[derive(Default)]
/// struct Counter(AtomicU64);
///
/// impl Observe for Counter {
///     fn client(&self, _now: Instant, seen: ClientSeen<'_>) {
///         if let ClientSeen::Input(_) = seen {
///             self.0.fetch_add(1, Ordering::Relaxed);
///         }
///     }
/// }
///
/// let counter = Counter::default();
/// counter.client(Instant::ZERO, ClientSeen::Input(&gatecrash::client::Input::Woken));
/// assert_eq!(counter.0.into_inner(), 1);
/// ```
pub trait Observe: Send + Sync + 'static {
    /// Something happened at the server.
    fn server(&self, now: Now, seen: ServerSeen<'_>) {
        let _ = (now, seen);
    }

    /// Something happened at a device.
    fn client(&self, now: Instant, seen: ClientSeen<'_>) {
        let _ = (now, seen);
    }
}

/// Nobody watches.
///
/// ```
/// use gatecrash::driver::{Observe, Unobserved};
///
/// fn watches(_: impl Observe) {}
/// watches(Unobserved);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Unobserved;

impl Observe for Unobserved {}

/// What happened at the server.
///
/// ```
/// use gatecrash::{driver::ServerSeen, id::Change};
///
/// assert!(matches!(ServerSeen::Committed(Change(3)), ServerSeen::Committed(Change(3))));
/// ```
#[derive(Clone, Copy, Debug)]
pub enum ServerSeen<'a> {
    /// The core is about to take this input.
    Input(&'a crate::server::Input),
    /// A change is decided, a frame goes out after the change it reveals is on disk, a connection is
    /// closed.
    Output(&'a crate::server::Output),
    /// The store is open, and the core goes on from what is in it.
    Restored(&'a Records),
    /// Every change up to this one is on disk.
    Committed(Change),
    /// The store failed: which of the changes decided are on disk is unknown until it is open again (DUR-5).
    StoreFailed,
    /// It was told to stop, and has said and closed all there was. Nothing happens here any more.
    Stopped,
}

/// What happened at a device.
///
/// ```
/// use gatecrash::{client::Input, driver::ClientSeen};
///
/// assert!(matches!(ClientSeen::Input(&Input::Woken), ClientSeen::Input(Input::Woken)));
/// ```
#[derive(Clone, Copy, Debug)]
pub enum ClientSeen<'a> {
    /// The core is about to take this input.
    Input(&'a crate::client::Input),
    /// This output is carried out: a frame goes out, the listener is called, a result delivered.
    /// Statuses, notes and dropped events are seen when the core says so.
    Output(&'a crate::client::Output),
}
