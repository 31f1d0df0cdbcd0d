//! The server's records, in memory.
//!
//! Survives a restart of the driver, not of the process.

use std::future::{Future, ready};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use crate::driver::ServerStore;
use crate::store::{Commit, Records};

/// Records in memory. A clone is the same store.
///
/// ```
/// use gatecrash::driver::{ServerStore, store::MemoryStore};
///
/// let mut store = MemoryStore::default();
/// assert!(store.load().unwrap().users.is_empty());
/// ```
#[derive(Clone, Debug, Default)]
pub struct MemoryStore(Arc<Mutex<Records>>);

impl ServerStore for MemoryStore {
    fn load(&mut self) -> io::Result<Records> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    fn commit(&mut self, batch: &[Commit]) -> impl Future<Output = io::Result<()>> + Send {
        let mut records = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        batch.iter().for_each(|commit| records.apply(commit));
        ready(Ok(()))
    }
}
