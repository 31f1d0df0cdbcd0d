//! `gatecrashd backup`: a copy of a server's database, made while the server serves, or of one that no server has open.
//!
//! Copies nothing by itself: the store does, or the server through its control socket. Here a copy is put in its place, whole
//! or not at all.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write, stderr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use gatecrash::driver::store::{copy_at_rest, records_of};

#[cfg(unix)]
use crate::control::{PARTIAL, copied_by_server};
use crate::{BadInput, End, told};

#[cfg(not(unix))]
const PARTIAL: &str = "backup.partial";

/// Copy a server's database, also while it serves
///
/// The copy is what was committed when it began, whole; it is read once to be sure, and has its name only then. The server
/// goes on answering meanwhile. Exits 0 when the copy is there and synced, 1 when there is none.
#[derive(Args)]
#[command(after_help = "\
Examples:
  gatecrashd backup /var/backups/gatecrash-2026-12-01.redb --data /var/lib/gatecrash
  mkdir -m 700 restored && cp gatecrash-2026-12-01.redb restored/gatecrash.redb

A server is asked through DIR/control.sock; where none runs, the database is read from here. The copy needs room twice for a
while: in DIR, and where it is to be. What a restored copy undoes is in docs/operate.md.")]
pub struct Arguments {
    /// The file to make; nothing may be there yet
    to: PathBuf,
    /// The directory of the database
    #[arg(long, value_name = "DIR", default_value = "gatecrash-data")]
    data: PathBuf,
}

/// How long until it is said how far a copy is. After that, each time twice as long.
const QUIET: Duration = Duration::from_secs(1);

/// The longest time in which nothing is said.
const QUIET_MAX: Duration = Duration::from_secs(60);

/// Makes the copy, and says what it holds or why there is none.
pub fn run(arguments: Arguments) -> Result<End, BadInput> {
    let Arguments { to, data } = arguments;
    if to.symlink_metadata().is_ok() {
        return Err(BadInput(format!("{} is there already: nothing was changed", to.display())));
    }
    let Some(name) = to.file_name() else {
        return Err(BadInput(format!("{} is no name of a file", to.display())));
    };
    let partial = to.with_file_name(format!(".{}.{}.partial", name.display(), std::process::id()));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| BadInput(format!("cannot start: {error}")))?;
    Ok(match runtime.block_on(told_meanwhile(data, partial.clone(), to)) {
        Ok(text) => told((End::Done, text)),
        Err(problem) => {
            // What was begun is of no use; where nothing was, there is nothing to remove.
            let _ = fs::remove_file(&partial);
            let _ = writeln!(stderr(), "error: no backup: {problem}");
            End::Refused
        }
    })
}

/// Makes the copy, and says how far it is whenever that takes long.
#[expect(clippy::disallowed_methods, reason = "a disk is slow, and somebody waits at a terminal")]
async fn told_meanwhile(data: PathBuf, partial: PathBuf, to: PathBuf) -> Result<String, String> {
    let watched = [data.join(PARTIAL), partial.clone()];
    let mut making = tokio::task::spawn_blocking(move || make(&data, &partial, &to));
    let mut quiet = QUIET;
    loop {
        tokio::select! {
            made = &mut making => return made.map_err(|error| error.to_string()).flatten(),
            () = tokio::time::sleep(quiet) => {}
        }
        quiet = QUIET_MAX.min(quiet * 2);
        let written = watched.iter().rev().find_map(|path| path.metadata().ok()).map_or(0, |file| file.len());
        let _ = writeln!(stderr(), "backup: {} MiB written", written >> 20);
    }
}

fn make(data: &Path, partial: &Path, to: &Path) -> Result<String, String> {
    match copied_by_server(data)? {
        Some(mut copy) => write(&mut copy, partial).map_err(|error| format!("{}: {error}", partial.display()))?,
        None => copy_at_rest(data, partial).map_err(|error| error.to_string())?,
    }
    let records = records_of(partial).map_err(|error| error.to_string())?;
    give_name(partial, to).map_err(|error| format!("{}: {error}", to.display()))?;
    let sessions: usize = records.users.values().map(|account| account.sessions.iter().count()).sum();
    let (accounts, change) = (counted(records.users.len(), "account"), records.change.0);
    Ok(format!("{}: {accounts}, {}, up to change {change}", to.display(), counted(sessions, "session")))
}

fn counted(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

/// Where a server has no control socket it is stopped for a backup.
#[cfg(not(unix))]
fn copied_by_server(_data: &Path) -> Result<Option<File>, String> {
    Ok(None)
}

/// Writes a file that nobody else may read, and syncs it.
fn write(from: &mut File, to: &Path) -> io::Result<()> {
    let mut options = File::options();
    options.create_new(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(to)?;
    io::copy(from, &mut file)?;
    file.sync_all()
}

/// Gives a whole file its name, unless something has it by now, and makes the name survive a loss of power.
fn give_name(partial: &Path, to: &Path) -> io::Result<()> {
    match fs::hard_link(partial, to) {
        Ok(()) => fs::remove_file(partial)?,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Err(error),
        // A file system without a second name for a file.
        Err(_) if to.symlink_metadata().is_ok() => return Err(ErrorKind::AlreadyExists.into()),
        Err(_) => fs::rename(partial, to)?,
    }
    let directory = to.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if cfg!(unix) { File::open(directory)?.sync_all() } else { Ok(()) }
}
