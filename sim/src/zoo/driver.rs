//! Bugs of drivers: what is called written and is not, what is lost or said twice when a write or a read comes to a
//! part, who is taken for whom. They stand between the drivers and the packet world.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Mutex, MutexGuard};

use gatecrash::client::Write;
use gatecrash::store::Commit;

use crate::world::packet::{End, Interceptor, Sent};

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("nobody panics while holding it")
}

/// V01: a batch is called written, and is so only with the next one.
#[derive(Default)]
pub(super) struct AnswersBehindDisk {
    behind: Mutex<Vec<Commit>>,
}

impl Interceptor for AnswersBehindDisk {
    fn opened(&self) {
        lock(&self.behind).clear();
    }

    fn commits(&self, batch: Vec<Commit>) -> Vec<Commit> {
        std::mem::replace(&mut lock(&self.behind), batch)
    }
}

/// V02: of a batch of several commits the latter half is written without what is in it.
pub(super) struct HalfABatch;

impl Interceptor for HalfABatch {
    fn commits(&self, mut batch: Vec<Commit>) -> Vec<Commit> {
        let whole = batch.len().div_ceil(2);
        batch.iter_mut().skip(whole).for_each(|commit| commit.facts.clear());
        batch
    }
}

/// V03: only the first fact of a commit is written.
pub(super) struct HalfACommit;

impl Interceptor for HalfACommit {
    fn commits(&self, mut batch: Vec<Commit>) -> Vec<Commit> {
        batch.iter_mut().for_each(|commit| commit.facts.truncate(1));
        batch
    }
}

/// V04: a commit that fails is taken for one that did not.
pub(super) struct CommitErrorSwallowed;

impl Interceptor for CommitErrorSwallowed {
    fn committed(&self, _: io::Result<()>) -> io::Result<()> {
        Ok(())
    }
}

/// V05: nothing is synced.
pub(super) struct NothingSynced;

impl Interceptor for NothingSynced {
    fn syncs(&self) -> bool {
        false
    }
}

/// V06, V07: what one end writes for which there is no room at once is lost.
pub(super) enum RestLost {
    OfServer,
    OfDevices,
}

impl Interceptor for RestLost {
    fn sends(&self, end: End, _: &[u8]) -> Sent {
        match (self, end) {
            (RestLost::OfServer, End::Server(_)) | (RestLost::OfDevices, End::Device) => Sent::RestLost,
            (RestLost::OfServer, End::Device) | (RestLost::OfDevices, End::Server(_)) => Sent::AsItIs,
        }
    }
}

/// V08: the server, when there is no room for everything, begins from the start once there is some.
pub(super) struct WriteBeginsAgain;

impl Interceptor for WriteBeginsAgain {
    fn sends(&self, end: End, _: &[u8]) -> Sent {
        match end {
            End::Server(_) => Sent::Repeated,
            End::Device => Sent::AsItIs,
        }
    }
}

/// V09, V10: a part that one end has read is taken for all that has arrived.
pub(super) enum PartTakenForAll {
    AtServer,
    AtDevices,
}

impl Interceptor for PartTakenForAll {
    fn forgets_rest(&self, end: End) -> bool {
        matches!((self, end), (PartTakenForAll::AtServer, End::Server(_)) | (PartTakenForAll::AtDevices, End::Device))
    }
}

/// V11: what the server sent last on a connection goes out once more on the next one that it accepts.
#[derive(Default)]
pub(super) struct SentToNext {
    last: Mutex<BTreeMap<u64, Vec<u8>>>,
}

impl Interceptor for SentToNext {
    fn sends(&self, end: End, bytes: &[u8]) -> Sent {
        let End::Server(number) = end else { return Sent::AsItIs };
        let mut last = lock(&self.last);
        let strayed = if last.contains_key(&number) { None } else { last.get(&(number - 1)).cloned() };
        last.insert(number, bytes.to_vec());
        match strayed {
            Some(strayed) => Sent::Instead([bytes, &strayed].concat()),
            None => Sent::AsItIs,
        }
    }
}

/// V12: what the server heard last on a connection is taken for what comes first on the next one, after its first words.
#[derive(Default)]
pub(super) struct HeardFromBefore {
    last: Mutex<BTreeMap<u64, Vec<u8>>>,
}

impl Interceptor for HeardFromBefore {
    fn reads(&self, end: End, bytes: &[u8]) -> Vec<u8> {
        let End::Server(number) = end else { return Vec::new() };
        let mut last = lock(&self.last);
        let strayed = if last.contains_key(&number) { None } else { last.get(&(number - 1)).cloned() };
        last.insert(number, bytes.to_vec());
        strayed.unwrap_or_default()
    }
}

/// V13: what a device writes is called written, and is so only with what it writes next.
#[derive(Default)]
pub(super) struct WritesBehind {
    behind: Mutex<BTreeMap<usize, Vec<Write>>>,
}

impl Interceptor for WritesBehind {
    fn starts(&self, device: usize) {
        lock(&self.behind).remove(&device);
    }

    fn writes(&self, device: usize, writes: Vec<Write>) -> Vec<Write> {
        lock(&self.behind).insert(device, writes).unwrap_or_default()
    }
}

/// V14: one connection in three begins with words that anybody can read, and not with a handshake.
#[derive(Default)]
pub(super) struct ClearBeforeHandshake {
    handshakes: Mutex<u64>,
}

/// A word of ours that nobody takes for one of TLS: a frame with nothing in it.
const CLEAR: [u8; 4] = [0; 4];

/// Whether a handshake of TLS begins so: with a record of version 3.1, of whatever length, that holds a ClientHello.
fn is_client_hello(bytes: &[u8]) -> bool {
    matches!(bytes, [0x16, 3, 1, _, _, 1, ..])
}

impl Interceptor for ClearBeforeHandshake {
    fn sends(&self, end: End, bytes: &[u8]) -> Sent {
        if end != End::Device || !is_client_hello(bytes) {
            return Sent::AsItIs;
        }
        let mut handshakes = lock(&self.handshakes);
        *handshakes += 1;
        if handshakes.is_multiple_of(3) { Sent::Instead(CLEAR.to_vec()) } else { Sent::AsItIs }
    }
}
