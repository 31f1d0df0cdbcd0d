//! Who may stand between the drivers and what they stand on: the server's store, devices' disks, connections.
//!
//! Where a driver could get it wrong with the cores none the wiser: what it writes, when it says so, what it makes of a
//! read or a write that comes to a part. The product's drivers have nobody there. Breaks nothing itself: whoever wants a
//! broken driver writes an interceptor (see `zoo`).

use std::io;

use gatecrash::client::Write;
use gatecrash::store::Commit;

/// Which end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The server's, by how many it had accepted before.
    Server(u64),
    /// A device's.
    Device,
}

/// What is made of a write for which there is room in part, or that is to be another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sent {
    /// The part for which there is room is sent, and the writer told how much that was.
    AsItIs,
    /// The same, and the writer told that it was everything.
    RestLost,
    /// The same, and the writer, once there is room again, begins from the start.
    Repeated,
    /// Something else is sent, and the writer told that it was theirs.
    Instead(Vec<u8>),
}

/// Changes what goes between the drivers and the world, as a driver would that is broken there. Each method does
/// nothing unless it is written anew.
pub trait Interceptor: Send + Sync {
    /// The server's driver has opened the store: a process has started, or starts over.
    fn opened(&self) {}

    /// The server's driver has this written: what is, in its place.
    fn commits(&self, batch: Vec<Commit>) -> Vec<Commit> {
        batch
    }

    /// What the server's driver makes of the answer.
    fn committed(&self, result: io::Result<()>) -> io::Result<()> {
        result
    }

    /// Whether what is to survive a loss of power is synced.
    fn syncs(&self) -> bool {
        true
    }

    /// A device's process has started.
    fn starts(&self, device: usize) {
        let _ = device;
    }

    /// A device's driver has this written: what is, in its place.
    fn writes(&self, device: usize, writes: Vec<Write>) -> Vec<Write> {
        let _ = device;
        writes
    }

    /// What a device's driver makes of what came of a write.
    fn written(&self, device: usize, result: io::Result<()>) -> io::Result<()> {
        let _ = device;
        result
    }

    /// These bytes are written at this end.
    fn sends(&self, end: End, bytes: &[u8]) -> Sent {
        let _ = (end, bytes);
        Sent::AsItIs
    }

    /// These bytes were read at this end: what is read behind them that was never sent there.
    fn reads(&self, end: End, bytes: &[u8]) -> Vec<u8> {
        let _ = (end, bytes);
        Vec::new()
    }

    /// Whether the rest is forgotten when only a part of what has arrived is read at this end.
    fn forgets_rest(&self, end: End) -> bool {
        let _ = end;
        false
    }

    /// Whether this end notices that the other has ended the connection.
    fn notices_end(&self, end: End) -> bool {
        let _ = end;
        true
    }
}

/// Nobody stands there.
pub(super) struct Nobody;

impl Interceptor for Nobody {}
