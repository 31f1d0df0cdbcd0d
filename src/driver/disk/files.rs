//! A device's files: one directory for each process at work, locked while it lives (ATT-4).
//!
//! ```text
//! data/device-1/lock                    held by one process
//! data/device-1/installation.json       the device's record
//! data/device-1/user-616c696365.json    the conversations cached for alice (API-3)
//! data/device-2/…                       a second process at the same time is a device of its own
//! ```
//!
//! The record says who the device is (ATT-3) and the caches whom its users talk to: on Unix they are their owner's.

use std::ffi::OsStr;
use std::fs::{self, File, TryLockError};
use std::future::Future;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::task::spawn_blocking;

use crate::client::{Installation, Write};
use crate::driver::{DeviceDisk, OnDisk, directory};
use crate::id::UserId;
use crate::protocol::Conversation;

/// How many processes may use one directory at once.
const PROCESSES_MAX: u32 = 64;

const INSTALLATION: &str = "installation.json";

/// A directory with the record and the caches of one device.
///
/// ```
/// use gatecrash::driver::{DeviceDisk, disk::FileDisk};
///
/// let data = std::env::temp_dir().join(format!("gatecrash-example-{}", std::process::id()));
/// let mut first = FileDisk::open(&data).unwrap();
/// let second = FileDisk::open(&data).unwrap();
/// assert_ne!(first.path(), second.path(), "each process is a device of its own");
/// assert!(first.load().installation.is_none());
/// # std::fs::remove_dir_all(data).unwrap();
/// ```
#[derive(Debug)]
pub struct FileDisk {
    path: PathBuf,
    on_disk: OnDisk,
    /// Locked as long as it is open, here or in a write that goes on.
    lock: Arc<File>,
}

impl FileDisk {
    /// Takes the first free device in `data`, making the directory if need be, and reads it.
    ///
    /// # Errors
    ///
    /// When the directory or its files cannot be read or made, or hold what this never wrote.
    pub fn open(data: impl AsRef<Path>) -> io::Result<Self> {
        let data = data.as_ref();
        for number in 1..=PROCESSES_MAX {
            let path = data.join(format!("device-{number}"));
            directory::make(&path)?;
            let lock = directory::open_private(&path.join("lock"))?;
            match lock.try_lock() {
                Ok(()) => {
                    let on_disk = read(&path)?;
                    return Ok(FileDisk { path, on_disk, lock: Arc::new(lock) });
                }
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
        Err(io::Error::other(format!("{PROCESSES_MAX} processes use {} already", data.display())))
    }

    /// The directory of this device.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl DeviceDisk for FileDisk {
    fn load(&mut self) -> OnDisk {
        std::mem::take(&mut self.on_disk)
    }

    #[expect(clippy::disallowed_methods, reason = "a real disk is slow; simulated devices have another one")]
    fn write(&mut self, writes: Vec<Write>) -> impl Future<Output = io::Result<()>> + Send {
        let path = self.path.clone();
        let lock = Arc::clone(&self.lock);
        // Begun when called: what was handed over is written even if nobody waits for it.
        let writing = spawn_blocking(move || {
            let written = writes.iter().try_for_each(|write| write_one(&path, write));
            drop(lock);
            written
        });
        async { writing.await? }
    }
}

fn read(path: &Path) -> io::Result<OnDisk> {
    let mut on_disk = OnDisk::default();
    for entry in fs::read_dir(path)? {
        let file = entry?.path();
        let name = file.file_name().and_then(OsStr::to_str).unwrap_or_default();
        if name == INSTALLATION {
            on_disk.installation = Some(read_json::<Installation>(&file)?);
        } else if let Some(user) = user_of(name) {
            on_disk.conversations.insert(user, read_json::<Vec<Conversation>>(&file)?);
        }
    }
    Ok(on_disk)
}

/// The name of a user's cache. In hexadecimal digits, because some file systems take `Alice` for
/// `alice`, whose conversations she must not see (API-3), or allow no file named `con`.
fn file_of(user: UserId) -> String {
    let digits: String = user.as_str().bytes().map(|byte| format!("{byte:02x}")).collect();
    format!("user-{digits}.json")
}

fn user_of(name: &str) -> Option<UserId> {
    let digits = name.strip_prefix("user-")?.strip_suffix(".json")?;
    let byte = |at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
    let text: Vec<u8> = (0..digits.len()).step_by(2).map(byte).collect::<Option<_>>()?;
    String::from_utf8(text).ok()?.parse().ok()
}

fn read_json<Value: DeserializeOwned>(file: &Path) -> io::Result<Value> {
    let text = fs::read(file)?;
    serde_json::from_slice(&text).map_err(|error| io::Error::other(format!("{}: {error}", file.display())))
}

fn write_one(path: &Path, write: &Write) -> io::Result<()> {
    match write {
        Write::Installation(installation) => write_json(path, INSTALLATION, installation),
        Write::Conversations { user, conversations } => write_json(path, &file_of(*user), conversations),
    }
}

/// Replaces a file whole: after a crash it holds the old text or the new one, never a part.
fn write_json(path: &Path, name: &str, value: &impl Serialize) -> io::Result<()> {
    let new = path.join("new");
    let mut file = directory::open_private(&new)?;
    file.set_len(0)?;
    file.write_all(&serde_json::to_vec(value)?)?;
    file.sync_all()?;
    fs::rename(&new, path.join(name))?;
    directory::sync(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// API-3: a cache is one user's, on every file system.
    #[test]
    fn users_have_files_of_their_own() {
        for name in ["alice", "Alice", "con", "_-9", "x"] {
            let user: UserId = name.parse().unwrap();
            assert_eq!(user_of(&file_of(user)), Some(user));
            assert_eq!(file_of(user).to_lowercase(), file_of(user));
        }
        for name in ["user-.json", "user-6.json", "user-zz.json", "user-20.json", "installation.json", "lock"] {
            assert_eq!(user_of(name), None, "{name}");
        }
    }
}
