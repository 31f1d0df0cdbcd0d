//! What the server keeps: in a database on a disk, or in memory.
//!
//! Decides nothing about what is kept; the server's core does.
//!
//! | file | what it is |
//! |---|---|
//! | `tables` | the records as tables of a database, on any disk |
//! | `file` | the database as a file of this machine |
//! | `copy` | a copy of it, made while it is written to |
//! | `cache` | how much of it is held in memory |

mod cache;
mod copy;
mod file;
mod tables;

use std::future::{Future, ready};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::driver::{OpenError, ServerStore};
use crate::store::{Commit, Records};

pub use copy::{CopyError, STARTS_AHEAD, Snapshots, records_of};
pub use file::{DATABASE, FileStore, copy_at_rest};
pub use tables::{SCHEMA_VERSION, Tables};

/// Records in memory. A clone is the same store. Survives a restart of the driver, not of the process.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use gatecrash::driver::{ServerStore, store::MemoryStore};
///
/// let mut store = MemoryStore::default();
/// assert!(store.open().await.unwrap().users.is_empty());
/// # });
/// ```
#[derive(Clone, Debug, Default)]
pub struct MemoryStore(Arc<Mutex<Records>>);

impl MemoryStore {
    fn records(&self) -> MutexGuard<'_, Records> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ServerStore for MemoryStore {
    fn open(&mut self) -> impl Future<Output = Result<Records, OpenError>> + Send {
        let mut records = self.records();
        records.count_start();
        ready(Ok(records.clone()))
    }

    fn commit(&mut self, batch: Vec<Commit>) -> impl Future<Output = io::Result<()>> + Send {
        let mut records = self.records();
        batch.iter().for_each(|commit| records.apply(commit));
        ready(Ok(()))
    }
}
