//! Workers: threads that take one job after the other, and hand over what came of them in the order of the jobs.
//!
//! A job stays on one thread and shares nothing with the others, so that the number of threads shows in nothing but the
//! time taken. What a job is, and what becomes of one that hangs, is for whoever asks.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use super::sweep::{Pulse, Sighting};

/// How often the threads are looked after when they hand nothing over.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// The stack of a worker: what the main thread of a process has on most systems.
const STACK_BYTES: usize = 8 * 1024 * 1024;

/// How jobs are done.
#[derive(Clone, Copy, Debug)]
pub struct Workers {
    /// On how many threads; no more than there are jobs.
    pub threads: NonZeroUsize,
    /// When no further job is begun.
    pub deadline: Option<Instant>,
    /// How long a worker's pulse may stand still; for ever where work has none.
    pub hang_after: Option<Duration>,
}

/// What wants to know how jobs get on. Called on the thread that began them.
pub trait Watch<Done> {
    /// One more job is finished; they finish in any order.
    fn finished(&mut self, _done: &Done) {}

    /// What came of this job: as soon as it and all before it are finished. Says whether to go on.
    fn outcome(&mut self, job: u64, done: Done) -> bool;

    /// Called a few times a second.
    fn tick(&mut self) {}

    /// A worker does not get on: its pulse has stood still for too long.
    fn hangs(&mut self, sighting: Sighting) -> ! {
        panic!("seed {} hangs, and nobody wants to know", sighting.seed)
    }
}

/// How many threads the machine can run at once.
pub fn cores() -> NonZeroUsize {
    thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

impl Workers {
    /// So many threads that do every job, however long it takes.
    pub const fn new(threads: NonZeroUsize) -> Self {
        Workers { threads, deadline: None, hang_after: None }
    }

    /// Does the jobs from 0 on by `work`, which shows a worker's pulse where it has one. Says how many were begun.
    #[expect(clippy::disallowed_methods, reason = "threads and the time taken show in no run")]
    pub fn run<Done: Send>(
        &self,
        jobs: u64,
        work: impl Fn(u64, &Arc<Pulse>) -> Done + Sync,
        watch: &mut impl Watch<Done>,
    ) -> u64 {
        let (begun, is_over) = (AtomicU64::new(0), AtomicBool::new(false));
        let threads = jobs.min(self.threads.get() as u64);
        let pulses: Vec<Arc<Pulse>> = (0..threads).map(|_| Arc::default()).collect();
        thread::scope(|scope| {
            let (sender, receiver) = mpsc::channel();
            for pulse in &pulses {
                // As long as the worker has it, there is work that may hang.
                let pulse = Arc::clone(pulse);
                let (sender, begun, is_over, work) = (sender.clone(), &begun, &is_over, &work);
                let work = move || {
                    while !is_over.load(Ordering::Relaxed) {
                        if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                            return is_over.store(true, Ordering::Relaxed);
                        }
                        let job = begun.fetch_add(1, Ordering::Relaxed);
                        if job >= jobs || sender.send((job, work(job, &pulse))).is_err() {
                            return;
                        }
                    }
                };
                let worker = thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, work);
                worker.expect("the system has room for the threads asked for");
            }
            drop(sender);
            let (mut waiting, mut expected) = (BTreeMap::new(), 0);
            let mut seen = vec![(0, Instant::now()); pulses.len()];
            loop {
                match receiver.recv_timeout(LOOK_EVERY) {
                    Ok((job, done)) => {
                        watch.finished(&done);
                        waiting.insert(job, done);
                    }
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => break,
                }
                while let Some(done) = waiting.remove(&expected) {
                    if !watch.outcome(expected, done) {
                        is_over.store(true, Ordering::Relaxed);
                    }
                    expected += 1;
                }
                watch.tick();
                let Some(hang_after) = self.hang_after else { continue };
                for (pulse, (beats, since)) in pulses.iter().zip(&mut seen) {
                    let sighting = pulse.look();
                    if sighting.beats != *beats {
                        (*beats, *since) = (sighting.beats, Instant::now());
                    } else if since.elapsed() > hang_after && Arc::strong_count(pulse) > 1 {
                        watch.hangs(sighting);
                    }
                }
            }
        });
        begun.into_inner().min(jobs)
    }

    /// What comes of each job, in their order. `finished` is called as each is, in any order.
    pub fn all<Job: Sync, Done: Send>(
        &self,
        jobs: &[Job],
        work: impl Fn(&Job) -> Done + Sync,
        finished: impl FnMut(&Done),
    ) -> Vec<Done> {
        let mut all = All { done: Vec::with_capacity(jobs.len()), finished };
        self.run(jobs.len() as u64, |job, _| work(&jobs[job as usize]), &mut all);
        all.done
    }
}

/// Keeps what comes.
struct All<Done, Finished> {
    done: Vec<Done>,
    finished: Finished,
}

impl<Done, Finished: FnMut(&Done)> Watch<Done> for All<Done, Finished> {
    fn finished(&mut self, done: &Done) {
        (self.finished)(done);
    }

    fn outcome(&mut self, _job: u64, done: Done) -> bool {
        self.done.push(done);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three() -> Workers {
        Workers::new(NonZeroUsize::new(3).expect("three"))
    }

    /// Goes on up to a job, and notes what is handed over.
    struct UpTo(u64, Vec<u64>);

    impl Watch<u64> for UpTo {
        fn outcome(&mut self, job: u64, done: u64) -> bool {
            assert_eq!(done, job * job);
            self.1.push(job);
            job < self.0
        }
    }

    #[test]
    fn results_come_in_the_order_of_the_jobs() {
        let jobs: Vec<u64> = (0..50).collect();
        let mut finished = 0;
        let squares = three().all(&jobs, |job| job * job, |_| finished += 1);
        assert_eq!(squares, jobs.iter().map(|job| job * job).collect::<Vec<_>>());
        assert_eq!(finished, 50);
        assert!(three().all(&[], |job: &u64| *job, |_| {}).is_empty());
    }

    #[test]
    fn no_job_is_begun_after_the_last_that_was_wanted_and_each_that_was_begun_is_handed_over() {
        let mut watch = UpTo(20, Vec::new());
        let begun = three().run(u64::MAX, |job, _| job * job, &mut watch);
        assert!(begun > 20 && watch.1.len() as u64 == begun, "{begun} begun, {:?}", watch.1);
        assert!(watch.1.is_sorted());
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a deadline is a time")]
    fn no_job_is_begun_after_the_deadline() {
        let workers = Workers { deadline: Some(Instant::now()), ..three() };
        assert_eq!(workers.run(9, |job, _| job * job, &mut UpTo(9, Vec::new())), 0);
    }

    /// Unwinds where the command exits.
    struct Hung;

    impl Watch<()> for Hung {
        fn outcome(&mut self, _: u64, (): ()) -> bool {
            true
        }

        fn hangs(&mut self, sighting: Sighting) -> ! {
            GO_ON.store(true, Ordering::Relaxed);
            std::panic::resume_unwind(Box::new(sighting.seed))
        }
    }

    static GO_ON: AtomicBool = AtomicBool::new(false);

    #[test]
    fn a_worker_whose_pulse_stands_still_is_told() {
        let workers = Workers { hang_after: Some(Duration::from_millis(500)), ..Workers::new(NonZeroUsize::MIN) };
        let work = |job, pulse: &Arc<Pulse>| {
            pulse.begin(job);
            while job == 7 && !GO_ON.load(Ordering::Relaxed) {
                thread::park_timeout(LOOK_EVERY);
            }
        };
        let hung = std::panic::catch_unwind(|| workers.run(8, work, &mut Hung)).expect_err("it hangs");
        assert_eq!(hung.downcast_ref(), Some(&7_u64));
    }
}
