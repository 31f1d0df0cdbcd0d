//! Runs many scenarios on several threads and hands over what came of them in the order asked for.
//!
//! A scenario's run stays on one thread and shares nothing with the others, so that the number of
//! threads shows in nothing but the time taken.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use gatecrash_sim::world::World;
use gatecrash_sim::{HarnessError, Run};

use super::files::File;

/// The stack of a worker: what the main thread of a process has on most systems.
const STACK_BYTES: usize = 8 * 1024 * 1024;

/// One scenario in one world.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    /// The scenario.
    pub file: &'a File,
    /// Where it runs.
    pub world: World,
}

/// What came of one job.
pub struct Outcome {
    /// Its run, or why there is none.
    pub result: Result<Run, HarnessError>,
    /// How long it took: every run of it, and the checks.
    pub wall: Duration,
}

/// How many threads the machine can run at once.
pub fn cores() -> NonZeroUsize {
    thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

/// What wants to know how a batch gets on. Called on the thread that began it.
pub trait Progress {
    /// One more job is finished; they finish in any order.
    fn finished(&mut self);

    /// What came of a job: as soon as it and all before it are finished.
    fn outcome(&mut self, job: Job<'_>, outcome: Outcome);
}

/// Does every job by `work`, on so many threads.
#[expect(clippy::disallowed_methods, reason = "threads and the time taken show in no run")]
pub fn run(
    jobs: &[Job<'_>],
    threads: NonZeroUsize,
    work: impl Fn(Job<'_>) -> Result<Run, HarnessError> + Sync,
    progress: &mut impl Progress,
) {
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        let (sender, receiver) = mpsc::channel();
        for _ in 0..threads.get().min(jobs.len()) {
            let (sender, next, work) = (sender.clone(), &next, &work);
            let worker = thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, move || {
                let indices = std::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed));
                for (index, job) in indices.map_while(|index| Some((index, *jobs.get(index)?))) {
                    let start = Instant::now();
                    let result = work(job);
                    let outcome = Outcome { result, wall: start.elapsed() };
                    sender.send((index, outcome)).expect("the receiver outlives the senders");
                }
            });
            worker.expect("the system has room for the threads asked for");
        }
        drop(sender);
        let mut waiting: Vec<Option<Outcome>> = jobs.iter().map(|_| None).collect();
        let mut handed = 0;
        for (index, outcome) in receiver {
            waiting[index] = Some(outcome);
            progress.finished();
            while let Some(outcome) = waiting.get_mut(handed).and_then(Option::take) {
                progress.outcome(jobs[handed], outcome);
                handed += 1;
            }
        }
    });
}
