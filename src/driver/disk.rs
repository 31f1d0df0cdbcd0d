//! What a device keeps: in the files of a directory, or in memory.
//!
//! Decides nothing about what is kept; the SDK's core does.

mod files;

use std::future::{Future, ready};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use crate::client::Write;
use crate::driver::{DeviceDisk, OnDisk};

pub use files::FileDisk;

/// A disk in memory. A clone is the same disk.
///
/// ```
/// use gatecrash::driver::{DeviceDisk, disk::MemoryDisk};
///
/// assert!(MemoryDisk::default().load().installation.is_none());
/// ```
#[derive(Clone, Debug, Default)]
pub struct MemoryDisk(Arc<Mutex<OnDisk>>);

impl DeviceDisk for MemoryDisk {
    fn load(&mut self) -> OnDisk {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn write(&mut self, writes: Vec<Write>) -> impl Future<Output = io::Result<()>> + Send {
        let mut on_disk = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        writes.into_iter().for_each(|write| on_disk.apply(write));
        ready(Ok(()))
    }
}
