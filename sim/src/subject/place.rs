//! What a system stands on: the network, clocks, a disk, its own name. All of it simulated, all of it the world's to break.
//!
//! Timers are tokio's own, [`tokio::time`]: their time is simulated, too.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use gatecrash::driver::Surroundings as _;
use gatecrash::policy::{Platform, Seats};
use gatecrash::time::WallTime;

use crate::world::packet;
pub use crate::world::packet::{Listener, Stream};

/// A small disk: files that are written whole, and are there as soon as they are. It outlives the process, and loses
/// nothing with its machine's power.
///
/// ```
/// let disk = gatecrash_sim::subject::Disk::default();
/// disk.write("user", "alice");
/// assert_eq!(disk.read("user").as_deref(), Some("alice".as_bytes()));
/// disk.remove("user");
/// assert_eq!(disk.read("user"), None);
/// ```
#[derive(Clone, Default)]
pub struct Disk(Arc<Mutex<Files>>);

/// What is in files, by their names.
type Files = BTreeMap<String, Vec<u8>>;

impl Disk {
    fn lock(&self) -> MutexGuard<'_, Files> {
        self.0.lock().expect("nobody panics with it")
    }

    /// It holds a copy of what the other holds.
    pub(super) fn copy(&self, other: &Disk) {
        let files = other.lock().clone();
        *self.lock() = files;
    }

    /// What was last written under this name.
    pub fn read(&self, name: &str) -> Option<Vec<u8>> {
        self.lock().get(name).cloned()
    }

    /// Writes the file, in the place of what it held.
    pub fn write(&self, name: &str, bytes: impl Into<Vec<u8>>) {
        self.lock().insert(name.to_owned(), bytes.into());
    }

    /// There is no file of this name any more.
    pub fn remove(&self, name: &str) {
        self.lock().remove(name);
    }
}

/// Where the server's process runs, from one start to its death.
#[derive(Clone)]
pub struct ServerPlace {
    pub(super) inner: packet::ServerPlace,
    pub(super) disk: Disk,
    pub(super) seats: Seats,
}

impl ServerPlace {
    /// Listens where devices look for the server.
    ///
    /// # Errors
    ///
    /// When another listener of this process does so already.
    pub async fn listen(&self) -> io::Result<Listener> {
        self.inner.listen(&format!("0.0.0.0:{}", packet::PORT)).await
    }

    /// The next connection.
    ///
    /// # Errors
    ///
    /// When the listener is gone.
    pub async fn accept(&self, listener: &Listener) -> io::Result<Stream> {
        self.inner.accept(listener).await
    }

    /// The server's wall clock.
    pub fn wall(&self) -> SystemTime {
        system_time(self.inner.now().wall)
    }

    /// The server's disk.
    pub fn disk(&self) -> Disk {
        self.disk.clone()
    }

    /// Who may be logged in together, as [`System::seats`](super::System::seats) has it.
    pub fn seats(&self) -> Seats {
        self.seats
    }

    /// What is drawn at random is drawn from this, and from nothing else: another seed for each scenario.
    pub fn seed(&self) -> [u8; 32] {
        self.inner.seed()
    }
}

/// Where a device's process runs, from one start to its death.
#[derive(Clone)]
pub struct DevicePlace {
    pub(super) inner: packet::DevicePlace,
    pub(super) name: Arc<str>,
    pub(super) platform: Platform,
    pub(super) disk: Disk,
}

impl DevicePlace {
    /// Connects to the server, over the network that the device is on. As slow, and as likely to fail, as that is.
    ///
    /// # Errors
    ///
    /// When nobody listens there, or nothing gets through; or never anything, if what is sent is lost.
    pub async fn connect(&self) -> io::Result<Stream> {
        self.inner.connect(&format!("{}:{}", packet::SERVER, packet::PORT)).await
    }

    /// What the scenario calls the device. No other has the name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the device is.
    pub fn platform(&self) -> Platform {
        self.platform
    }

    /// The device's wall clock.
    pub fn wall(&self) -> SystemTime {
        system_time(self.inner.now().wall)
    }

    /// The device's disk. A scenario empties it only where [`System::knows`](super::System::knows) says so.
    pub fn disk(&self) -> Disk {
        self.disk.clone()
    }

    /// What is drawn at random is drawn from this, and from nothing else: another seed for each start of each device.
    pub fn seed(&self) -> [u8; 32] {
        self.inner.seed()
    }
}

fn system_time(wall: WallTime) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_micros(wall.as_micros())
}
