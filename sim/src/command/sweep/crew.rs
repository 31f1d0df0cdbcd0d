//! The threads of a sweep: each takes blocks of seeds until there are none left or the time is up.
//!
//! Blocks are handed over in the order of their seeds, so that the number of threads shows in
//! nothing but the time taken. Watches that every thread gets on.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use gatecrash_sim::search::sweep::{self, Manner, Pulse, SeedRun, Sighting};

/// How many seeds a thread takes at a time.
const BLOCK_SEEDS: u64 = 16;

/// How often the threads are looked after when they hand nothing over.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// The stack of a worker: what the main thread of a process has on most systems.
const STACK_BYTES: usize = 8 * 1024 * 1024;

/// What there is to do.
pub struct Plan {
    /// Which seeds; with a deadline only as many of them as it allows.
    pub seeds: Range<u64>,
    /// When no further seed is begun.
    pub deadline: Option<Instant>,
    /// How they are run.
    pub manner: Manner,
    /// On how many threads.
    pub jobs: NonZeroUsize,
    /// How long nothing may happen in a run.
    pub hang_after: Duration,
}

/// What wants to know how a sweep gets on. Called on the thread that began it.
pub trait Watch {
    /// The next seeds, in order. Says whether to go on.
    fn runs(&mut self, runs: Vec<SeedRun>) -> bool;

    /// Called a few times a second.
    fn tick(&mut self);

    /// A run does not get on: nothing has happened in it for too long.
    fn hangs(&mut self, sighting: Sighting) -> !;
}

/// Runs these seeds, or as many of them as the time allows. Says how many were asked for in the end.
#[expect(clippy::disallowed_methods, reason = "threads and the time taken show in no run")]
pub fn run(plan: &Plan, watch: &mut impl Watch) -> u64 {
    let Range { start: first, end } = plan.seeds;
    let (next, is_over) = (AtomicU64::new(first), AtomicBool::new(false));
    let pulses: Vec<Arc<Pulse>> = (0..plan.jobs.get()).map(|_| Arc::default()).collect();
    let asked = AtomicU64::new(0);
    thread::scope(|scope| {
        let (sender, receiver) = mpsc::channel();
        for pulse in &pulses {
            // As long as the worker has it, there is work that may hang, drawing a scenario included.
            let pulse = Arc::clone(pulse);
            let (sender, next, is_over, asked) = (sender.clone(), &next, &is_over, &asked);
            let work = move || {
                let is_time_up = || plan.deadline.is_some_and(|deadline| Instant::now() >= deadline);
                while !is_over.load(Ordering::Relaxed) {
                    if is_time_up() {
                        return is_over.store(true, Ordering::Relaxed);
                    }
                    let start = next.fetch_add(BLOCK_SEEDS, Ordering::Relaxed);
                    let taken = start..end.min(start.saturating_add(BLOCK_SEEDS));
                    if taken.is_empty() {
                        return;
                    }
                    asked.fetch_add(taken.end - taken.start, Ordering::Relaxed);
                    let runs: Vec<SeedRun> = taken.map(|seed| sweep::seed(seed, plan.manner, &pulse)).collect();
                    if sender.send((start, runs)).is_err() {
                        return;
                    }
                }
            };
            let worker = thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, work);
            worker.expect("the system has room for the threads asked for");
        }
        drop(sender);
        let mut waiting = BTreeMap::new();
        let mut expected = first;
        let mut seen: Vec<(u64, Instant)> = vec![(0, Instant::now()); pulses.len()];
        loop {
            match receiver.recv_timeout(LOOK_EVERY) {
                Ok((start, runs)) => {
                    waiting.insert(start, runs);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            while let Some(runs) = waiting.remove(&expected) {
                expected += BLOCK_SEEDS;
                if !watch.runs(runs) {
                    is_over.store(true, Ordering::Relaxed);
                }
            }
            watch.tick();
            for (pulse, (beats, since)) in pulses.iter().zip(&mut seen) {
                let sighting = pulse.look();
                if sighting.beats != *beats {
                    (*beats, *since) = (sighting.beats, Instant::now());
                } else if since.elapsed() > plan.hang_after && Arc::strong_count(pulse) > 1 {
                    watch.hangs(sighting);
                }
            }
        }
    });
    if plan.deadline.is_some() { asked.into_inner() } else { end - first }
}
