//! What a server is started with, and why one could not be, or ended.

use std::io;

use super::bounds::Bounds;
use super::door::Door;
use crate::driver::OpenError;
use crate::server::Config;
use crate::ticket::SecretKey;

/// What a server is started with.
///
/// ```
/// use gatecrash::{driver::server::Settings, server::Config, ticket::SecretKey};
///
/// let settings = Settings::new("127.0.0.1:0", Config::new(1_400_000_000), vec![SecretKey::from("secret")]);
/// assert_eq!(settings.bounds.connections_max, 65_536);
/// ```
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where to listen, and how connections are made there.
    pub doors: Vec<Door>,
    /// The app's configuration.
    pub config: Config,
    /// The app's current keys: a ticket signed with any of them fits (TICKET-3).
    pub keys: Vec<SecretKey>,
    /// How much it puts up with from whoever connects.
    pub bounds: Bounds,
}

impl Settings {
    /// A server of this app that listens at one place, over TCP.
    pub fn new(listen: impl Into<String>, config: Config, keys: Vec<SecretKey>) -> Self {
        Settings { doors: vec![Door::tcp(listen)], config, keys, bounds: Bounds::default() }
    }
}

/// Why a server could not start, or stopped without being told to.
///
/// ```
/// use gatecrash::driver::server::ServeError;
///
/// let error = ServeError::Store(std::io::Error::other("disk full"));
/// assert_eq!(error.to_string(), "the last changes may not be on disk: disk full");
/// ```
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// It cannot listen where it was told to.
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// Where.
        address: String,
        /// Why not.
        error: io::Error,
    },
    /// Its records cannot be read, and will not be by trying again.
    #[error("{0}")]
    Open(#[from] OpenError),
    /// It was told to stop, and its last commit failed: whoever waited for it was told so (DUR-5).
    #[error("the last changes may not be on disk: {0}")]
    Store(io::Error),
}
