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

use std::fmt::Display;
use std::fs::{self, File, TryLockError};
use std::future::Future;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::task::spawn_blocking;
use tracing::warn;

use crate::client::{Installation, Write};
use crate::driver::{DeviceDisk, OnDisk, directory};
use crate::id::UserId;
use crate::protocol::Conversation;

/// How many processes may use one directory at once.
const PROCESSES_MAX: u32 = 64;

const INSTALLATION: &str = "installation.json";

/// What a file is written under before it takes another's place.
const NEW: &str = "new";

/// Far above what is ever written: a longer file is none of ours, and is not read into memory.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// How many directories found in the place of a file are kept.
const ASIDE_MAX: u32 = 64;

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
    /// Takes the first free device in `data`, making the directory if need be, and reads it. What it finds
    /// damaged is logged and dropped: without its record it is a new device, and the server brings the
    /// conversations anew (ATT-5).
    ///
    /// # Errors
    ///
    /// When no device's directory can be made or locked.
    pub fn open(data: impl AsRef<Path>) -> io::Result<Self> {
        let data = data.as_ref();
        let mut unusable = None;
        for number in 1..=PROCESSES_MAX {
            let path = data.join(format!("device-{number}"));
            match locked(&path) {
                Ok(Some(lock)) => {
                    if let Some(error) = unusable {
                        warn!(%error, "a device's directory cannot be used: {} is taken instead", path.display());
                    }
                    let on_disk = read(&path);
                    return Ok(FileDisk { path, on_disk, lock: Arc::new(lock) });
                }
                Ok(None) => {}
                Err(error) => unusable = Some(error),
            }
        }
        let full = || io::Error::other(format!("{PROCESSES_MAX} processes use {} already", data.display()));
        Err(unusable.unwrap_or_else(full))
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
            let written = write_all(&path, &writes);
            drop(lock);
            written
        });
        async { writing.await? }
    }
}

/// The lock of a device's directory, unless another process has it.
fn locked(path: &Path) -> io::Result<Option<File>> {
    directory::make(path)?;
    let lock = directory::open_private(&path.join("lock"))?;
    match lock.try_lock() {
        Ok(()) => Ok(Some(lock)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

fn read(path: &Path) -> OnDisk {
    let mut on_disk = OnDisk::default();
    match read_json::<Installation>(&path.join(INSTALLATION)) {
        Ok(installation) => on_disk.installation = installation,
        Err(error) => {
            warn!(%error, "the device's record is damaged: this is a new device");
            clear(path, INSTALLATION);
        }
    }
    if path.join(NEW).symlink_metadata().is_ok() {
        clear(path, NEW);
    }
    for (name, user) in caches(path) {
        match read_json::<Vec<Conversation>>(&path.join(&name)) {
            Ok(conversations) => on_disk.conversations.extend(conversations.map(|list| (user, list))),
            Err(error) => {
                warn!(%error, "cached conversations are damaged: the server brings them anew");
                clear(path, &name);
            }
        }
    }
    on_disk
}

/// The files that are users' caches. A directory that cannot be listed has none.
fn caches(path: &Path) -> Vec<(String, UserId)> {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    names.filter_map(|name| user_of(&name).map(|user| (name, user))).collect()
}

/// Makes room for a file. What is no file may be dear to somebody, and is put aside.
fn clear(path: &Path, name: &str) {
    let damaged = path.join(name);
    let aside = (1..=ASIDE_MAX).map(|number| path.join(format!("aside-{number}"))).find(|aside| !aside.exists());
    let cleared = match aside {
        Some(aside) if damaged.is_dir() => fs::rename(&damaged, aside),
        Some(_) | None => fs::remove_file(&damaged),
    };
    if let Err(error) = cleared {
        warn!(%error, "{} is in the way", damaged.display());
    }
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

/// What is in a file; none if there is no such file.
fn read_json<Value: DeserializeOwned>(file: &Path) -> io::Result<Option<Value>> {
    let damaged = |why: &dyn Display| io::Error::other(format!("{}: {why}", file.display()));
    // Looked at first: to open what is no file may take for ever.
    let metadata = match fs::metadata(file) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(damaged(&error)),
    };
    if !metadata.is_file() {
        return Err(damaged(&"no file"));
    }
    if metadata.len() > FILE_BYTES_MAX {
        return Err(damaged(&"longer than any that is written"));
    }
    let text = fs::read(file).map_err(|error| damaged(&error))?;
    serde_json::from_slice(&text).map(Some).map_err(|error| damaged(&error))
}

/// A cache that cannot be written is let go (ATT-5): the server brings it anew, and the record goes first.
fn write_all(path: &Path, writes: &[Write]) -> io::Result<()> {
    for write in writes {
        match write {
            Write::Installation(installation) => write_json(path, INSTALLATION, installation)?,
            Write::Conversations { user, conversations } => {
                if let Err(error) = write_json(path, &file_of(*user), conversations) {
                    warn!(%error, "cached conversations cannot be written");
                }
            }
        }
    }
    Ok(())
}

/// Replaces a file whole: after a crash it holds the old text or the new one, never a part.
fn write_json(path: &Path, name: &str, value: &impl Serialize) -> io::Result<()> {
    let new = path.join(NEW);
    let replaced = write_new(&new, value).and_then(|()| fs::rename(&new, path.join(name)));
    if replaced.is_err() {
        // A part of it would take room on a disk that may have none left.
        let _ = fs::remove_file(&new);
    }
    replaced?;
    directory::sync(path)
}

fn write_new(new: &Path, value: &impl Serialize) -> io::Result<()> {
    let mut file = directory::open_private(new)?;
    file.set_len(0)?;
    file.write_all(&serde_json::to_vec(value)?)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ATT-5: what a power loss left of a longer file is no part of a shorter one.
    #[test]
    fn what_is_written_replaces_what_was_left_of_a_longer_one() {
        let directory = std::env::temp_dir().join(format!("gatecrash-files-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let new = directory.join("new");
        write_new(&new, &vec!["a long one"; 100]).unwrap();
        write_new(&new, &"a short one").unwrap();
        let read: String = serde_json::from_slice(&fs::read(&new).unwrap()).unwrap();
        fs::remove_dir_all(&directory).unwrap();
        assert_eq!(read, "a short one");
    }

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
