//! How many files the system lets a server have open: a connection is one.

use tracing::warn;

/// How many files a server has open beside its connections: the database, the listener, what the runtime needs.
const FILES_BESIDE: u64 = 32;

/// Asks the system for as many open files as the connections need, and says so where it does not give them: whoever
/// comes then would be kept waiting, and not told that the server is full (INPUT-5).
pub fn make_room(connections_max: usize) {
    let wanted = connections_max as u64 + FILES_BESIDE;
    match rlimit::increase_nofile_limit(wanted) {
        Ok(open_files) if open_files < wanted => warn!(
            open_files,
            connections_max,
            "the system allows fewer open files than there may be connections: raise it (ulimit -n), or set connections_max lower"
        ),
        Ok(_) => {}
        Err(error) => warn!(%error, "cannot ask how many files may be open"),
    }
}
