//! Directories of this machine, as far as files in them have to survive a power loss.
//!
//! Knows nothing of what the files are.

use std::fs::File;
use std::io;
use std::path::Path;

/// Makes new and renamed files of the directory survive a crash. Where directories cannot be opened, as on
/// Windows, the file system sees to it.
pub(super) fn sync(path: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(path)?.sync_all() } else { Ok(()) }
}
