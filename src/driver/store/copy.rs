//! A copy of the database, made while the server goes on writing to it, and what such a copy holds.
//!
//! What is copied is what one transaction sees: everything that was committed when the copy began, and nothing that came
//! later. Where a copy goes, and what becomes of it, is its maker's business.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use redb::backends::FileBackend;
use redb::{
    Database, Key, ReadTransaction, ReadableDatabase, ReadableTable, TableDefinition, TableHandle, Value,
    WriteTransaction,
};
use tokio::task::spawn_blocking;

use super::cache;
use super::tables::{self, Tables};
use crate::driver::OpenError;
use crate::store::Records;

/// How many starts a copy is ahead of its original. Before it takes that one's place, that one may have been started
/// anew: epochs that it gave since then must stay below those that the copy's server will give (DUR-3). So many starts
/// lie between a copy and the loss that it makes good, or fewer.
pub const STARTS_AHEAD: u64 = 1_000;

/// Why there is no copy.
///
/// ```
/// use gatecrash::driver::{OpenError, store::CopyError};
///
/// let error = CopyError::Source(OpenError::InUse { path: "gatecrash.redb".into() });
/// assert_eq!(error.to_string(), "gatecrash.redb is in use by another process");
/// ```
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The original cannot be read.
    #[error("{0}")]
    Source(OpenError),
    /// The copy cannot be written: its disk fails or is full, its place is taken or forbidden.
    #[error("{0}")]
    Target(OpenError),
    /// The server does not have its records open: its disk fails, or it ends. Whatever was copied is of no use.
    #[error("the server has let its database go: its disk fails, or it stops")]
    Closed,
    /// Nobody waited for the copy any more.
    #[error("the copy was broken off")]
    BrokenOff,
}

/// Makes copies of the database of a [`super::FileStore`] while that is written to, and after it was opened again. A clone
/// speaks of the same store.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use gatecrash::driver::{ServerStore, store::{CopyError, FileStore, records_of}};
///
/// # let data = std::env::temp_dir().join(format!("gatecrash-snapshots-{}", std::process::id()));
/// let mut store = FileStore::new(data.join("records"));
/// let snapshots = store.snapshots();
/// store.open().await.unwrap();
/// snapshots.copy_to(&data.join("copy.redb")).await.unwrap();
/// assert!(records_of(&data.join("copy.redb")).unwrap().users.is_empty());
///
/// drop(store);
/// assert!(matches!(snapshots.copy_to(&data.join("later.redb")).await, Err(CopyError::Closed)));
/// # std::fs::remove_dir_all(data).unwrap();
/// # });
/// ```
#[derive(Clone, Debug)]
pub struct Snapshots {
    path: PathBuf,
    /// The database that is open now. Whoever copies does not keep it open.
    tables: Arc<Mutex<Weak<Tables>>>,
}

impl Snapshots {
    /// Those of the database at `path`, which is not open yet.
    pub(super) fn new(path: PathBuf) -> Self {
        Snapshots { path, tables: Arc::default() }
    }

    /// From now on these are the tables to copy.
    pub(super) fn publish(&self, tables: &Arc<Tables>) {
        *self.tables.lock().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(tables);
    }

    /// Copies what is committed now into a new file at `to`, for its owner's eyes only. It is whole and synced when this
    /// returns without an error; its name in its directory is not. Commits go on meanwhile, on their own thread; what
    /// they replace is kept in the original until the copy is done, which grows by that much. The copy breaks off when
    /// this is dropped, and when the store is closed or opened anew; what was written by then stays.
    ///
    /// # Errors
    ///
    /// [`CopyError`].
    #[expect(clippy::disallowed_methods, reason = "a real disk is slow; simulated servers have another store")]
    pub async fn copy_to(&self, to: &Path) -> Result<(), CopyError> {
        let (from, to) = (self.path.clone(), to.to_owned());
        let tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner).upgrade();
        let reading = tables.ok_or(CopyError::Closed)?.begin_read();
        let reading = reading.map_err(|error| CopyError::Source(tables::failed(&from, error)))?;
        let waiting = Arc::new(());
        let waiting_for = Arc::downgrade(&waiting);
        let copying = spawn_blocking(move || copy(&reading, &from, &to, &|| waiting_for.strong_count() > 0));
        let copied = copying.await.map_err(|error| CopyError::Target(OpenError::Failed(error.into())))?;
        drop(waiting);
        copied
    }
}

/// Copies into a new file at `to` what is committed in the database at `from`, which nobody else has open. Like
/// [`Snapshots::copy_to`] otherwise, and blocks.
pub(super) fn copy_at_rest(from: &Path, to: &Path) -> Result<(), CopyError> {
    let database = open_checked(from).map_err(CopyError::Source)?;
    let reading = database.begin_read().map_err(|error| CopyError::Source(tables::failed(from, error.into())))?;
    // What a start would refuse is not copied, with the reason that it would give.
    tables::read(&reading, from).map_err(CopyError::Source)?;
    copy(&reading, from, to, &|| true)
}

/// What is in the database at `path`, which nobody has open, as a start would find it, after every page of it was held
/// against its checksum. Counts no start and changes no record: for whoever wants to be sure of a copy.
///
/// # Errors
///
/// What a start would say of it: another program or a later version wrote it, it is damaged, or the disk failed.
pub fn records_of(path: &Path) -> Result<Records, OpenError> {
    let database = open_checked(path)?;
    let reading = database.begin_read().map_err(|error| tables::failed(path, error.into()))?;
    tables::read(&reading, path)
}

/// A start trusts what it last wrote; here somebody is to rely on it who cannot ask again.
fn open_checked(path: &Path) -> Result<Database, OpenError> {
    let opened = cache::builder().set_check_integrity_on_open(true).open(path);
    opened.map_err(|error| tables::open_error(path, error))
}

/// Copies table by table. `is_wanted` is asked at each row.
fn copy(reading: &ReadTransaction, from: &Path, to: &Path, is_wanted: &dyn Fn() -> bool) -> Result<(), CopyError> {
    let target = |error: redb::Error| CopyError::Target(tables::failed(to, error));
    let file = new_file(to).map_err(|error| CopyError::Target(OpenError::Unusable { path: to.to_owned(), error }))?;
    let create = || cache::builder().create_with_backend(FileBackend::new(file)?);
    let database = create().map_err(|error| CopyError::Target(tables::open_error(to, error)))?;
    let writing = database.begin_write().map_err(|error| target(error.into()))?;
    {
        let rows = Rows { reading, writing: &writing, from, to, is_wanted };
        rows.copy(tables::USERS)?;
        rows.copy(tables::AWAY)?;
        rows.copy(tables::DEVICES)?;
        rows.copy(tables::CONVERSATIONS)?;
        rows.copy(tables::SENT)?;
        rows.copy(tables::QUEUES)?;
        rows.copy(tables::OWED)?;
        rows.copy(tables::DAYS)?;
        rows.copy(tables::NUMBERS)?;
    }
    tables::add_starts(&writing, STARTS_AHEAD).map_err(target)?;
    writing.commit().map_err(|error| target(error.into()))?;
    database.close().map_err(|error| target(error.into()))
}

/// A file for its owner's eyes only. Nothing may be there by that name.
fn new_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create_new(true).read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// What a table is copied from, and to.
struct Rows<'a> {
    reading: &'a ReadTransaction,
    writing: &'a WriteTransaction,
    from: &'a Path,
    to: &'a Path,
    is_wanted: &'a dyn Fn() -> bool,
}

impl Rows<'_> {
    /// Copies a table, if there is one: an earlier version made fewer.
    fn copy<K: Key + 'static, V: Value + 'static>(&self, table: TableDefinition<'_, K, V>) -> Result<(), CopyError> {
        let source = |error| self.source(error);
        let target = |error| CopyError::Target(tables::failed(self.to, error));
        if !tables::has_table(self.reading, table.name()).map_err(source)? {
            return Ok(());
        }
        let rows = self.reading.open_table(table).map_err(|error| source(error.into()))?;
        let mut copied = self.writing.open_table(table).map_err(|error| target(error.into()))?;
        for row in rows.iter().map_err(|error| source(error.into()))? {
            if !(self.is_wanted)() {
                return Err(CopyError::BrokenOff);
            }
            let (key, value) = row.map_err(|error| source(error.into()))?;
            copied.insert(key.value(), value.value()).map_err(|error| target(error.into()))?;
        }
        Ok(())
    }

    fn source(&self, error: redb::Error) -> CopyError {
        match error {
            redb::Error::DatabaseClosed => CopyError::Closed,
            error => CopyError::Source(tables::failed(self.from, error)),
        }
    }
}
