//! Bugs of drivers and of the store that show only where several things come together: what of a batch is written, what
//! a device's disk makes of two writes, whose bytes are read.

use std::collections::BTreeMap;
use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use gatecrash::client::Write;
use gatecrash::id::UserId;
use gatecrash::store::{Commit, Fact};

use super::super::driver::lock;
use super::batch::{self, LoneAttemptIsLost};
use crate::world::event;
use crate::world::packet::{End, Interceptor};

/// The shipped database keeps of a batch what a bug of the event world's disk leaves of it.
pub(in crate::zoo) enum Keeps {
    Without(batch::Loses),
    AllButTheMiddle,
    LoneAttempts,
}

impl Interceptor for Keeps {
    fn commits(&self, mut batch: Vec<Commit>) -> Vec<Commit> {
        use event::Interceptor as _;
        match self {
            Keeps::Without(lost) => lost.kept(&mut batch),
            Keeps::AllButTheMiddle => {
                let middle = batch.len() / 2;
                if batch.len() >= 5 {
                    batch[middle].facts.clear();
                }
            }
            Keeps::LoneAttempts => LoneAttemptIsLost.stored(&mut batch),
        }
        batch
    }
}

/// Of a commit that says a lot what comes behind the seventh fact is not written.
pub(in crate::zoo) struct SevenFacts;

impl Interceptor for SevenFacts {
    fn commits(&self, mut batch: Vec<Commit>) -> Vec<Commit> {
        batch.iter_mut().for_each(|commit| commit.facts.truncate(7));
        batch
    }
}

/// The first batch behind a store that was opened again is written without what is in it.
#[derive(Default)]
pub(in crate::zoo) struct FirstBatchIsLost {
    opened: AtomicU32,
    is_first: AtomicBool,
}

impl Interceptor for FirstBatchIsLost {
    fn opened(&self) {
        let opened = self.opened.fetch_add(1, Ordering::Relaxed);
        self.is_first.store(opened > 0, Ordering::Relaxed);
    }

    fn commits(&self, mut batch: Vec<Commit>) -> Vec<Commit> {
        // What begins a process is written; of what devices bring the first is not.
        let is_brought =
            batch.iter().flat_map(|commit| &commit.facts).any(|fact| matches!(fact, Fact::AttemptRaised { .. }));
        if is_brought && self.is_first.swap(false, Ordering::Relaxed) {
            for commit in &mut batch {
                commit.facts.retain(|fact| !matches!(fact, Fact::AttemptRaised { .. }));
            }
        }
        batch
    }
}

/// A full disk is taken for one that has written, any other trouble for what it is.
pub(in crate::zoo) struct FullDiskIsFine;

impl Interceptor for FullDiskIsFine {
    fn committed(&self, result: io::Result<()>) -> io::Result<()> {
        result.or_else(|error| if error.kind() == io::ErrorKind::StorageFull { Ok(()) } else { Err(error) })
    }
}

/// A commit that fails is taken for one that did not, when it is the second in a row.
#[derive(Default)]
pub(in crate::zoo) struct SecondFailureIsFine {
    failed: AtomicU32,
}

impl Interceptor for SecondFailureIsFine {
    fn committed(&self, result: io::Result<()>) -> io::Result<()> {
        match result {
            Ok(()) => {
                self.failed.store(0, Ordering::Relaxed);
                Ok(())
            }
            Err(error) if self.failed.fetch_add(1, Ordering::Relaxed) == 0 => Err(error),
            Err(_) => Ok(()),
        }
    }
}

/// Of several writes of a device that go together the last one alone is done.
pub(in crate::zoo) struct LastWriteOnly;

impl Interceptor for LastWriteOnly {
    fn writes(&self, _: usize, mut writes: Vec<Write>) -> Vec<Write> {
        let last = writes.len().saturating_sub(1);
        writes.drain(..last);
        writes
    }
}

/// A device's write that fails is taken for one that did not.
pub(in crate::zoo) struct FailedWriteIsDone;

impl Interceptor for FailedWriteIsDone {
    fn written(&self, _: usize, _: io::Result<()>) -> io::Result<()> {
        Ok(())
    }
}

/// The second write of a process is called done while it waits for the third.
#[derive(Default)]
pub(in crate::zoo) struct SecondWriteWaits {
    written: Mutex<BTreeMap<usize, (u32, Vec<Write>)>>,
}

impl Interceptor for SecondWriteWaits {
    fn starts(&self, device: usize) {
        lock(&self.written).remove(&device);
    }

    fn writes(&self, device: usize, writes: Vec<Write>) -> Vec<Write> {
        let mut written = lock(&self.written);
        let (number, waiting) = written.entry(device).or_default();
        *number += 1;
        match *number {
            2 => std::mem::replace(waiting, writes),
            _ => std::mem::take(waiting).into_iter().chain(writes).collect(),
        }
    }
}

/// Every list of conversations is written for the user whose list the process wrote first.
#[derive(Default)]
pub(in crate::zoo) struct ListsOfTheFirst {
    first: Mutex<BTreeMap<usize, UserId>>,
}

impl Interceptor for ListsOfTheFirst {
    fn starts(&self, device: usize) {
        lock(&self.first).remove(&device);
    }

    fn writes(&self, device: usize, mut writes: Vec<Write>) -> Vec<Write> {
        let mut first = lock(&self.first);
        for write in &mut writes {
            if let Write::Conversations { user, .. } = write {
                *user = *first.entry(device).or_insert(*user);
            }
        }
        writes
    }
}

/// Part of a device's record is never written.
pub(in crate::zoo) enum RecordWithout {
    /// A session that is known to have ended.
    KnownEnd,
    /// When an owed end is given up.
    OwedUntil,
    /// That an end is owed, where the process has written before.
    OwedEnd,
}

impl Interceptor for RecordWithout {
    fn writes(&self, _: usize, mut writes: Vec<Write>) -> Vec<Write> {
        for write in &mut writes {
            let Write::Installation(record) = write else { continue };
            match self {
                RecordWithout::KnownEnd => record.known_ended = None,
                RecordWithout::OwedUntil => record.owed_until = None,
                RecordWithout::OwedEnd => record.owed_end &= record.known_ended.is_none(),
            }
        }
        writes
    }
}

/// One side does not notice that the other has ended the connection.
pub(in crate::zoo) enum EndUnnoticed {
    ByServer,
    ByDevices,
}

impl Interceptor for EndUnnoticed {
    fn notices_end(&self, end: End) -> bool {
        matches!((self, end), (EndUnnoticed::ByServer, End::Device) | (EndUnnoticed::ByDevices, End::Server(_)))
    }
}

/// Where one connection of the server stands between frames.
#[derive(Clone, Default)]
struct Line {
    /// What is there of a frame that is not whole.
    begun: Vec<u8>,
    /// How many frames were whole.
    frames: u32,
}

impl Line {
    /// Takes more bytes; the last frame that they made whole, if they end with it and it had begun before.
    fn read(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        let mut was_begun = !self.begun.is_empty();
        self.begun.extend_from_slice(bytes);
        let mut last = None;
        while let Some((head, _)) = self.begun.split_first_chunk::<4>() {
            let length = 4 + u32::from_be_bytes(*head) as usize;
            if self.begun.len() < length {
                return None;
            }
            let frame: Vec<u8> = self.begun.drain(..length).collect();
            self.frames += 1;
            last = was_begun.then_some(frame);
            was_begun = false;
        }
        last.filter(|_| self.begun.is_empty())
    }
}

/// A frame that came in two parts, late on a connection, is read twice.
#[derive(Default)]
pub(in crate::zoo) struct SplitFrameTwice {
    lines: Mutex<BTreeMap<u64, Line>>,
}

impl Interceptor for SplitFrameTwice {
    fn reads(&self, end: End, bytes: &[u8]) -> Vec<u8> {
        let End::Server(number) = end else { return Vec::new() };
        let mut lines = lock(&self.lines);
        let line = lines.entry(number).or_default();
        line.read(bytes).filter(|_| line.frames > 8).unwrap_or_default()
    }
}
