//! The server's database as a file of this machine.
//!
//! ```text
//! data/lock             held by one process
//! data/gatecrash.redb   the database
//! ```
//!
//! Whoever reads the database knows who talks to whom: on Unix only the owner may, and may enter the directory.
//! What is in it is `tables`' business. A commit runs on a thread that may block, so that the server
//! goes on meanwhile.

use std::fs::{File, TryLockError};
use std::future::Future;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use redb::backends::FileBackend;
use tokio::task::spawn_blocking;

use super::cache;
use super::copy::{self, CopyError, Snapshots};
use super::tables::Tables;
use crate::driver::{OpenError, ServerStore, directory};
use crate::store::{Commit, Records};

/// The database's name in its directory.
pub const DATABASE: &str = "gatecrash.redb";
const LOCK: &str = "lock";

/// The server's records in a directory of this machine.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use gatecrash::driver::{OpenError, ServerStore, store::FileStore};
///
/// # let data = std::env::temp_dir().join(format!("gatecrash-store-{}", std::process::id()));
/// let mut store = FileStore::new(&data);
/// assert!(store.open().await.unwrap().users.is_empty());
/// assert!(matches!(FileStore::new(&data).open().await, Err(OpenError::InUse { .. })));
/// # drop(store);
/// # std::fs::remove_dir_all(data).unwrap();
/// # });
/// ```
#[derive(Debug)]
pub struct FileStore {
    directory: PathBuf,
    open: Option<Open>,
    snapshots: Snapshots,
}

#[derive(Debug)]
struct Open {
    tables: Arc<Tables>,
    /// Locked as long as it is open.
    _lock: File,
}

impl FileStore {
    /// The records in this directory, which [`ServerStore::open`] makes if need be.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        let directory = directory.into();
        let snapshots = Snapshots::new(directory.join(DATABASE));
        FileStore { directory, open: None, snapshots }
    }

    /// What makes copies of it, as long as it is open.
    pub fn snapshots(&self) -> Snapshots {
        self.snapshots.clone()
    }
}

impl ServerStore for FileStore {
    #[expect(clippy::disallowed_methods, reason = "a real disk is slow; simulated servers have another store")]
    async fn open(&mut self) -> Result<Records, OpenError> {
        let before = self.open.take();
        let directory = self.directory.clone();
        let opening = spawn_blocking(move || {
            drop(before);
            open(&directory)
        });
        let (open, records) = opening.await.map_err(|error| OpenError::Failed(error.into()))??;
        self.snapshots.publish(&open.tables);
        self.open = Some(open);
        Ok(records)
    }

    #[expect(clippy::disallowed_methods, reason = "a real disk is slow; simulated servers have another store")]
    fn commit(&mut self, batch: Vec<Commit>) -> impl Future<Output = io::Result<()>> + Send {
        let Open { tables, .. } = self.open.as_ref().expect("a store is opened before it is written to");
        let tables = Arc::clone(tables);
        let writing = spawn_blocking(move || tables.commit(&batch));
        async { writing.await? }
    }
}

fn open(data: &Path) -> Result<(Open, Records), OpenError> {
    let path = data.join(DATABASE);
    let unusable = |error| OpenError::Unusable { path: data.to_owned(), error };
    directory::make(data).map_err(unusable)?;
    let lock = lock(data)?;
    let file = directory::open_private(&path).map_err(|error| OpenError::Unusable { path: path.clone(), error })?;
    if Tables::is_unfinished(&start_of(&file).map_err(OpenError::Failed)?) {
        file.set_len(0).map_err(OpenError::Failed)?;
    }
    let (tables, records) = Tables::open(&path, || cache::builder().create_with_backend(FileBackend::new(file)?))?;
    // What is answered from now on is in a file that a power loss leaves in its directory, and that in its own.
    let parent = data.canonicalize().ok().and_then(|whole| whole.parent().map(Path::to_owned));
    let synced = directory::sync(data).and_then(|()| parent.map_or(Ok(()), |parent| directory::sync(&parent)));
    synced.map_err(OpenError::Failed)?;
    Ok((Open { tables: Arc::new(tables), _lock: lock }, records))
}

/// Keeps every other process from the database as long as it is held.
fn lock(data: &Path) -> Result<File, OpenError> {
    let unusable = |error| OpenError::Unusable { path: data.to_owned(), error };
    let lock = directory::open_private(&data.join(LOCK)).map_err(unusable)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse { path: data.join(DATABASE) }),
        Err(TryLockError::Error(error)) => Err(unusable(error)),
    }
}

/// Copies the database in this directory, which no server has open, into a new file at `to`: whole and synced when this
/// returns without an error. Makes no directory and no database, counts no start, and takes nothing over that an earlier
/// version wrote. Blocks.
///
/// # Errors
///
/// [`CopyError`]; what a start would refuse is not copied, for the reason that it would give.
///
/// ```
/// use gatecrash::driver::store::copy_at_rest;
///
/// let error = copy_at_rest("no/such/directory".as_ref(), "copy.redb".as_ref()).unwrap_err();
/// assert!(error.to_string().starts_with("cannot use no/such/directory/gatecrash.redb: "));
/// ```
pub fn copy_at_rest(data: &Path, to: &Path) -> Result<(), CopyError> {
    let path = data.join(DATABASE);
    let unusable = |error| CopyError::Source(OpenError::Unusable { path: path.clone(), error });
    let file = File::open(&path).map_err(unusable)?;
    let _lock = lock(data).map_err(CopyError::Source)?;
    let start = start_of(&file).map_err(unusable)?;
    if start.is_empty() || Tables::is_unfinished(&start) {
        let what = "it was never finished, and holds nothing".to_owned();
        return Err(CopyError::Source(OpenError::Damaged { path, what }));
    }
    copy::copy_at_rest(&path, to)
}

fn start_of(file: &File) -> io::Result<Vec<u8>> {
    let mut start = Vec::new();
    file.take(64).read_to_end(&mut start)?;
    Ok(start)
}
