//! The control socket: how the operator's commands speak to the server that has the data directory.
//!
//! ```text
//! data/control.sock     of a server that runs; its owner's alone
//! data/backup.partial   a copy that is being made, or fetched
//!
//! asker                        server
//!   backup            ───────▶
//!                              copies the database to data/backup.partial
//!                     ◀───────   copied      or   error WHY
//!   opens the copy
//!   closes            ───────▶
//!                              removes the copy's name; the asker still has it open
//! ```
//!
//! Names no path: the server writes nowhere but to its own directory, and whoever asks puts the copy where it is to be, with
//! the asker's own rights. One asker at a time; each has its time, and a line has its length.

use std::fs::{self, File};
use std::io::{self, BufRead, ErrorKind, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use gatecrash::driver::store::Snapshots;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tracing::{info, warn};

const SOCKET: &str = "control.sock";

/// The copy that a server makes for who asks.
pub const PARTIAL: &str = "backup.partial";

const BACKUP: &str = "backup";
const COPIED: &str = "copied";

/// The longest line, its end included.
const LINE_BYTES_MAX: u64 = 1_024;

/// How long an asker may take to ask, to take the answer, and to open the copy.
const ASKER_MAX: Duration = Duration::from_secs(5);

/// How long to wait after a connection could not be accepted.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A server's end. Takes itself away when it is dropped.
pub struct Control {
    path: PathBuf,
    partial: PathBuf,
    /// Which file the socket is: a successor's is another.
    inode: u64,
    answering: JoinHandle<()>,
}

impl Control {
    /// Begins to listen in the directory of a store that is open: a socket there is one that nobody listens on any more.
    pub fn open(data: &Path, snapshots: Snapshots) -> io::Result<Self> {
        let (path, new) = (data.join(SOCKET), data.join(format!("{SOCKET}.new")));
        let partial = data.join(PARTIAL);
        remove(&new)?;
        remove(&partial)?;
        let listener = UnixListener::bind(&new)?;
        fs::set_permissions(&new, fs::Permissions::from_mode(0o600))?;
        let inode = fs::symlink_metadata(&new)?.ino();
        fs::rename(&new, &path)?;
        let answering = tokio::spawn(answer_all(listener, partial.clone(), snapshots));
        Ok(Control { path, partial, inode, answering })
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        self.answering.abort();
        if fs::symlink_metadata(&self.path).is_ok_and(|file| file.ino() == self.inode) {
            // What stays behind, the next server takes away.
            let _ = fs::remove_file(&self.path);
            let _ = remove(&self.partial);
        }
    }
}

async fn answer_all(listener: UnixListener, partial: PathBuf, snapshots: Snapshots) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                if let Err(error) = answer(stream, &partial, &snapshots).await {
                    warn!(%error, "somebody at the control socket was not answered");
                }
                if let Err(error) = remove(&partial) {
                    warn!(%error, "a copy of the database stays behind");
                }
            }
            Err(error) => {
                warn!(%error, "nobody can be answered at the control socket");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn answer(stream: UnixStream, partial: &Path, snapshots: &Snapshots) -> io::Result<()> {
    let (reading, mut writing) = stream.into_split();
    let mut reading = BufReader::new(reading.take(LINE_BYTES_MAX));
    let mut request = String::new();
    timeout(ASKER_MAX, reading.read_line(&mut request)).await??;
    // From now on an asker has nothing to say: whatever comes, its end most of all, ends it.
    let mut nothing = [0];
    let answer = match request.trim_end() {
        BACKUP => {
            info!("a backup begins");
            tokio::select! {
                copied = snapshots.copy_to(partial) => match copied {
                    Ok(()) => {
                        info!("a backup is done");
                        COPIED.to_owned()
                    }
                    Err(error) => {
                        warn!(%error, "a backup failed");
                        format!("error {error}")
                    }
                },
                _ = reading.read(&mut nothing) => {
                    info!("nobody waits for the backup any more");
                    return Ok(());
                }
            }
        }
        _ => format!("error this server knows no such request, only `{BACKUP}`"),
    };
    let line = format!("{}\n", answer.replace('\n', " "));
    timeout(ASKER_MAX, writing.write_all(line.as_bytes())).await??;
    // One that takes longer finds no copy, and says so.
    let _ = timeout(ASKER_MAX, reading.read(&mut nothing)).await;
    Ok(())
}

/// Has the server of this directory copy its database, and opens the copy, which has no name any more soon. None where no
/// server listens.
///
/// # Errors
///
/// What the server says, or why it cannot be asked.
pub fn copied_by_server(data: &Path) -> Result<Option<File>, String> {
    let path = data.join(SOCKET);
    let of_socket = |error: io::Error| format!("{}: {error}", path.display());
    let mut stream = match std::os::unix::net::UnixStream::connect(&path) {
        Ok(stream) => stream,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => return Ok(None),
        Err(error) => return Err(of_socket(error)),
    };
    stream.write_all(format!("{BACKUP}\n").as_bytes()).map_err(of_socket)?;
    let mut answer = String::new();
    io::BufReader::new((&stream).take(LINE_BYTES_MAX)).read_line(&mut answer).map_err(of_socket)?;
    match answer.trim_end() {
        COPIED => {
            let copy = data.join(PARTIAL);
            File::open(&copy).map(Some).map_err(|error| format!("{}: {error}", copy.display()))
        }
        "" => Err("the server ended before the copy was done".to_owned()),
        answer => Err(format!("the server says: {}", answer.strip_prefix("error ").unwrap_or(answer))),
    }
}

/// Removes a file that need not be there.
fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}
