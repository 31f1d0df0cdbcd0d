//! The server's disk: the shipped database on turmoil's simulated file system, and what befalls it there.
//!
//! turmoil keeps what was synced, loses what was not, and tears it into blocks. What its settings cannot
//! switch while a run goes on is switched here: a disk that fails, is full or slow, and power that is
//! lost at a certain operation. A crash cuts the disk first, so that the database cannot close itself
//! cleanly on its way out, and recovery is what runs next.

use std::collections::BTreeSet;
use std::fmt;
use std::future::pending;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use gatecrash::driver::store::Tables;
use gatecrash::driver::{OpenError, ServerStore};
use gatecrash::store::{Commit, Records};
use redb::{Database, StorageBackend};
use turmoil::fs::FsHandle;
use turmoil::fs::shim::std::fs::{File, OpenOptions, sync_dir};

use super::super::event::machine::landing;
use super::interceptor::Interceptor;
use super::time::now;
use crate::generate::draw::Draw;
use crate::scenario::{CommitPoint, Fault, Scenario, Span};
use crate::trace::{Effect, Recorder};

/// The database's file, in a directory that is there.
const FILE: &str = "/gatecrash.redb";
const DIRECTORY: &str = "/";

/// How a write can be torn, in bytes: a sector.
pub(super) const SECTOR: u64 = 512;

/// What a file system gives room for at once, in bytes.
const BLOCK: u64 = 4_096;

/// How much of the database is kept in memory: little, so that it is read back from the disk.
const CACHE: usize = 256 * 1024;

/// The server's disk, from one life of its process to the next.
pub(super) struct Disk {
    recorder: Recorder,
    interceptor: Arc<dyn Interceptor>,
    state: Mutex<State>,
}

struct State {
    pace: Span,
    pace_draw: Draw,
    landing_draw: Draw,
    /// Which opening of the file is in force: whoever holds an earlier one was cut off.
    opening: u64,
    /// What lets the file be reached from outside its host.
    host: Option<FsHandle>,
    refusal: Option<Refusal>,
    power: Option<Power>,
    has_lost_power: bool,
    is_committing: bool,
    /// The blocks that hold something.
    blocks: BTreeSet<u64>,
    /// What was written and not synced: offsets and bytes, of which a power loss may leave a part.
    unsynced: Vec<(u64, Vec<u8>)>,
}

/// What it refuses once so many operations have been let through.
#[derive(Clone, Copy)]
struct Refusal {
    kind: io::ErrorKind,
    after: u32,
    was_seen: bool,
}

/// When its machine is to lose its power.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Power {
    At(CommitPoint),
    After { operations: u32 },
}

/// What an operation does to the file.
enum Operation {
    Read,
    Sync,
    Write { offset: u64, bytes: u64 },
    Grow,
}

impl Disk {
    pub(super) fn new(scenario: &Scenario, recorder: &Recorder, interceptor: Arc<dyn Interceptor>) -> Self {
        let state = State {
            pace: scenario.app.commit_latency,
            pace_draw: Draw::new(scenario.seed, "server", "disk"),
            landing_draw: Draw::new(scenario.seed, "server", "landing"),
            opening: 0,
            host: None,
            refusal: None,
            power: None,
            has_lost_power: false,
            is_committing: false,
            blocks: BTreeSet::new(),
            unsynced: Vec::new(),
        };
        Disk { recorder: recorder.clone(), interceptor, state: Mutex::new(state) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics while holding it")
    }

    /// What the script does to it. Says what became of it, if that is seen at once.
    pub(super) fn fault(&self, fault: &Fault, usual: Span) -> Option<Effect> {
        let mut state = self.lock();
        let refusal = |kind, operation: u32| Some(Refusal { kind, after: operation - 1, was_seen: false });
        match *fault {
            Fault::PowerLossAt { point } => state.power = Some(Power::At(point)),
            Fault::PowerLossInDisk { operation } => state.power = Some(Power::After { operations: operation - 1 }),
            Fault::DiskError { operation } => state.refusal = refusal(io::ErrorKind::Other, operation),
            Fault::DiskFull { operation } => state.refusal = refusal(io::ErrorKind::StorageFull, operation),
            Fault::SlowDisk { latency } => {
                state.pace = latency;
                return Some(Effect::DiskPaced);
            }
            Fault::MendDisk => {
                (state.refusal, state.pace) = (None, usual);
                return Some(Effect::DiskMended);
            }
            _ => unreachable!("no fault of a disk"),
        }
        None
    }

    /// Whether anything about it is not as usual.
    pub(super) fn needs_mending(&self, usual: Span) -> bool {
        let state = self.lock();
        state.refusal.is_some() || state.pace != usual
    }

    /// Whether the power was lost since this was last asked. No other loss is due then.
    pub(super) fn has_lost_power(&self) -> bool {
        let mut state = self.lock();
        if state.has_lost_power {
            state.power = None;
        }
        std::mem::take(&mut state.has_lost_power)
    }

    /// No power will be lost.
    pub(super) fn keep_power(&self) {
        self.lock().power = None;
    }

    /// The process that has it open dies: nothing it does from here on reaches the file. What it wrote
    /// before is with the operating system, which keeps it unless the machine dies too.
    pub(super) fn cut(&self, is_machine_dead: bool) {
        let host = {
            let mut state = self.lock();
            state.opening += 1;
            state.host.take()
        };
        if let Some(host) = host.filter(|_| !is_machine_dead) {
            let _on_the_host = host.enter();
            if let Ok(file) = File::open(FILE) {
                file.sync_all().expect("the operating system writes back what it has");
            }
        }
    }

    fn is_cut(&self, opening: u64) -> bool {
        self.lock().opening != opening
    }

    /// Whether the power is lost at this point of a commit.
    fn reaches(&self, point: CommitPoint) -> bool {
        let mut state = self.lock();
        let is_lost = state.power == Some(Power::At(point));
        state.has_lost_power |= is_lost;
        is_lost
    }

    /// A batch was answered.
    pub(super) fn answered(&self) {
        self.reaches(CommitPoint::AfterAnswers);
    }

    /// Lets an operation through, or says why not.
    fn admit(&self, opening: u64, operation: &Operation) -> io::Result<()> {
        let mut state = self.lock();
        if state.opening != opening {
            return Err(io::Error::other("the machine is off"));
        }
        if state.is_committing && !matches!(operation, Operation::Read) {
            match &mut state.power {
                Some(Power::After { operations: 0 }) => {
                    state.has_lost_power = true;
                    state.opening += 1;
                    return Err(io::Error::other("the power went off"));
                }
                Some(Power::After { operations }) => *operations -= 1,
                Some(Power::At(_)) | None => {}
            }
        }
        let blocks = match *operation {
            Operation::Write { offset, bytes } => offset / BLOCK..(offset + bytes).div_ceil(BLOCK),
            Operation::Read | Operation::Sync | Operation::Grow => 0..0,
        };
        let needs_room =
            matches!(operation, Operation::Grow) || blocks.clone().any(|block| !state.blocks.contains(&block));
        if let Some(refusal) = &mut state.refusal
            && (refusal.kind != io::ErrorKind::StorageFull || needs_room)
        {
            if refusal.after == 0 {
                let (kind, was_seen) = (refusal.kind, std::mem::replace(&mut refusal.was_seen, true));
                drop(state);
                if !was_seen {
                    self.recorder.effect(now(), Effect::DiskRefused);
                }
                return Err(kind.into());
            }
            refusal.after -= 1;
        }
        state.blocks.extend(blocks);
        Ok(())
    }

    /// How long the next commit takes, and when it lands.
    fn latency(&self) -> (Duration, Duration) {
        let mut state = self.lock();
        let pace = state.pace;
        let latency = state.pace_draw.within(pace);
        let landing = landing(latency, &mut state.landing_draw);
        (latency, landing)
    }
}

/// The file as the database sees it.
struct Backend {
    file: File,
    disk: Arc<Disk>,
    opening: u64,
}

impl fmt::Debug for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Backend")
    }
}

impl Backend {
    fn open(disk: &Arc<Disk>) -> io::Result<Self> {
        let opening = {
            let mut state = disk.lock();
            state.opening += 1;
            state.host = Some(FsHandle::current());
            state.opening
        };
        let file = OpenOptions::new().create(true).read(true).write(true).open(FILE)?;
        let backend = Backend { file, disk: Arc::clone(disk), opening };
        backend.look_for_torn_writes()?;
        let length = backend.file.metadata()?.len();
        let mut start = vec![0; usize::try_from(length.min(64)).expect("64 at most")];
        backend.admit(&Operation::Read)?;
        backend.file.read_exact_at(&mut start, 0)?;
        if Tables::is_unfinished(&start) {
            backend.admit(&Operation::Sync)?;
            backend.file.set_len(0)?;
        }
        Ok(backend)
    }

    fn admit(&self, operation: &Operation) -> io::Result<()> {
        self.disk.admit(self.opening, operation)
    }

    /// Tells the trace whether a crash left a part of a write.
    fn look_for_torn_writes(&self) -> io::Result<()> {
        let unsynced = std::mem::take(&mut self.disk.lock().unsynced);
        let sector = usize::try_from(SECTOR).expect("a sector is small");
        // The database fills what it does not use of a page in a build with its own assertions, and leaves it empty in
        // another: that shows in neither whether a write was torn.
        let used =
            |bytes: &Vec<u8>| bytes.iter().rposition(|byte| ![0, u8::MAX].contains(byte)).map_or(0, |last| last + 1);
        for (offset, bytes) in unsynced.iter().map(|(offset, bytes)| (offset, &bytes[..used(bytes)])) {
            if bytes.len() <= sector {
                continue;
            }
            let mut found = vec![0; bytes.len()];
            let read = self.file.read_at(&mut found, *offset)?;
            let is_torn = read == found.len() && found[..sector] == bytes[..sector] && found != *bytes;
            if is_torn {
                self.disk.recorder.effect(now(), Effect::WriteTorn);
                break;
            }
        }
        Ok(())
    }

    fn length(&self) -> io::Result<u64> {
        self.admit(&Operation::Read)?;
        Ok(self.file.metadata()?.len())
    }
}

impl StorageBackend for Backend {
    fn len(&self) -> io::Result<u64> {
        self.length()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.admit(&Operation::Read)?;
        self.file.read_exact_at(out, offset)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let grows = len > self.length()?;
        self.admit(if grows { &Operation::Grow } else { &Operation::Sync })?;
        self.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.admit(&Operation::Sync)?;
        if !self.disk.interceptor.syncs() {
            return Ok(());
        }
        self.disk.lock().unsynced.clear();
        self.file.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.admit(&Operation::Write { offset, bytes: data.len() as u64 })?;
        self.disk.lock().unsynced.push((offset, data.to_vec()));
        self.file.write_all_at(data, offset)
    }
}

/// The server's records on its disk: a commit takes its time, lands in the middle of it, then is answered.
pub(super) struct Store {
    disk: Arc<Disk>,
    tables: Option<(u64, Tables)>,
}

impl Store {
    pub(super) fn new(disk: Arc<Disk>) -> Self {
        Store { disk, tables: None }
    }
}

impl ServerStore for Store {
    async fn open(&mut self) -> Result<Records, OpenError> {
        self.tables = None;
        self.disk.interceptor.opened();
        let backend = Backend::open(&self.disk).map_err(OpenError::Failed)?;
        let opening = backend.opening;
        let recorder = self.disk.recorder.clone();
        let is_repaired = AtomicBool::new(false);
        let is_first = move || !is_repaired.swap(true, Ordering::Relaxed);
        let create = || {
            Database::builder()
                .set_cache_size(CACHE)
                .set_repair_callback(move |_| {
                    if is_first() {
                        recorder.effect(now(), Effect::DatabaseRepaired);
                    }
                })
                .create_with_backend(backend)
        };
        let (tables, records) = Tables::open(Path::new(FILE), create)?;
        sync_dir(DIRECTORY).map_err(OpenError::Failed)?;
        self.tables = Some((opening, tables));
        Ok(records)
    }

    async fn commit(&mut self, batch: Vec<Commit>) -> io::Result<()> {
        // Both ends of it counted from one beginning: a timer may be late.
        let begun = tokio::time::Instant::now();
        let (latency, landing) = self.disk.latency();
        tokio::time::sleep_until(begun + landing).await;
        let (opening, tables) = self.tables.as_ref().expect("a store is opened before it is written to");
        if self.disk.reaches(CommitPoint::BeforeWrite) {
            return pending().await;
        }
        self.disk.lock().is_committing = true;
        let result = tables.commit(&self.disk.interceptor.commits(batch));
        self.disk.lock().is_committing = false;
        if self.disk.is_cut(*opening) || self.disk.reaches(CommitPoint::AfterCommit) {
            return pending().await;
        }
        self.disk.interceptor.committed(result)?;
        tokio::time::sleep_until(begun + latency).await;
        Ok(())
    }
}
