//! How much of the database is held in memory beside the records.
//!
//! Every record is in the core's memory already, so no answer waits for a page: only a commit reads those that it changes.

use redb::Builder;

/// Half of it is room for what a commit writes: a batch of 1,024 logins, each of which changes a page of its own, fits. More
/// makes no commit faster: with `benches/store.rs` neither 1 GiB nor 8 MiB differs from it by more than one run from the next.
pub(super) const CACHE_BYTES: usize = 32 << 20;

/// What opens or makes a database. Its own bound would be 1 GiB.
pub(super) fn builder() -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE_BYTES);
    builder
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use redb::backends::InMemoryBackend;
    use redb::{ReadableDatabase, ReadableTable, StorageBackend, TableDefinition};

    use super::*;

    const ROWS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("rows");
    static ROW: [u8; 64 << 10] = [7; 64 << 10];

    /// A disk that counts what is read of it.
    #[derive(Debug)]
    struct Counting(InMemoryBackend, Arc<AtomicU64>);

    impl StorageBackend for Counting {
        fn len(&self) -> io::Result<u64> {
            self.0.len()
        }

        fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
            self.1.fetch_add(out.len() as u64, Ordering::Relaxed);
            self.0.read(offset, out)
        }

        fn set_len(&self, len: u64) -> io::Result<()> {
            self.0.set_len(len)
        }

        fn sync_data(&self) -> io::Result<()> {
            self.0.sync_data()
        }

        fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
            self.0.write(offset, data)
        }
    }

    /// What is more than the bound is not kept: whoever looks at all of it again has to read it again.
    #[test]
    fn no_more_is_kept_than_the_bound() {
        let read = Arc::new(AtomicU64::new(0));
        let disk = Counting(InMemoryBackend::new(), Arc::clone(&read));
        let database = builder().create_with_backend(disk).unwrap();
        let writing = database.begin_write().unwrap();
        let rows = 2 * CACHE_BYTES as u64 / ROW.len() as u64;
        for row in 0..rows {
            writing.open_table(ROWS).unwrap().insert(row, &ROW[..]).unwrap();
        }
        writing.commit().unwrap();
        let reads_all = || {
            let before = read.load(Ordering::Relaxed);
            let rows = database.begin_read().unwrap().open_table(ROWS).unwrap();
            assert!(rows.iter().unwrap().all(|row| row.unwrap().1.value() == ROW));
            read.load(Ordering::Relaxed) - before
        };
        reads_all();
        let again = reads_all();
        assert!(again >= CACHE_BYTES as u64, "only {again} bytes were read again");
    }
}
