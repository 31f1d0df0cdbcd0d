//! Workers: threads that take one job after the other, and hand over what came of them in the order of the jobs.
//!
//! A job stays on one thread and shares nothing with the others, so that the number of threads shows in nothing but the
//! time taken. A thread whose job hangs is left behind with it, and another takes its place. What a job is, and what
//! is said of one that hangs, is for whoever asks.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
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

    /// Called a few times a second. Says whether to go on.
    fn tick(&mut self) -> bool {
        true
    }

    /// What came of this job, whose worker's pulse has stood still for too long: nobody waits for it any more.
    fn hung(&mut self, job: u64, _sighting: Sighting) -> Done {
        panic!("job {job} hangs, and nobody wants to know")
    }
}

/// How many threads the machine can run at once.
pub fn cores() -> NonZeroUsize {
    thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

/// What a thread says.
enum Word<Done> {
    /// What came of a job.
    Done(u64, Done),
    /// It takes no more.
    Left,
}

/// Says that the thread has left, however it did.
struct Leaving<Done>(Sender<Word<Done>>);

impl<Done> Drop for Leaving<Done> {
    fn drop(&mut self) {
        // Nobody may be there any more, and that is fine.
        let _ = self.0.send(Word::Left);
    }
}

/// What the threads share. A thread that hangs keeps it for as long as the process lives.
struct Shared<Work, Done> {
    work: Work,
    jobs: u64,
    deadline: Option<Instant>,
    begun: AtomicU64,
    is_over: AtomicBool,
    words: Sender<Word<Done>>,
}

/// What a thread is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Nothing,
    Job(u64),
    /// Whatever comes of it, nobody waits for it any more.
    GivenUp,
}

impl<Work: Fn(u64, &Arc<Pulse>) -> Done, Done> Shared<Work, Done> {
    /// Takes jobs until there are none.
    #[expect(clippy::disallowed_methods, reason = "the time taken shows in no run")]
    fn work(&self, pulse: &Arc<Pulse>, at: &Mutex<At>) {
        let leaving = Leaving(self.words.clone());
        while !self.is_over.load(Ordering::Relaxed) {
            if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return self.is_over.store(true, Ordering::Relaxed);
            }
            let job = self.begun.fetch_add(1, Ordering::Relaxed);
            if job >= self.jobs {
                return;
            }
            *held(at) = At::Job(job);
            let done = (self.work)(job, pulse);
            let before = std::mem::replace(&mut *held(at), At::Nothing);
            if before == At::GivenUp {
                // Another has taken the place, and will say when it leaves.
                return std::mem::forget(leaving);
            }
            if self.words.send(Word::Done(job, done)).is_err() {
                return;
            }
        }
    }
}

fn held(at: &Mutex<At>) -> MutexGuard<'_, At> {
    at.lock().expect("nobody panics while they hold it")
}

/// A thread, as it is seen from outside.
struct Seat {
    thread: JoinHandle<()>,
    pulse: Arc<Pulse>,
    at: Arc<Mutex<At>>,
    /// How far the pulse was when it was last seen to move, and when that was.
    beats: u64,
    since: Instant,
}

impl Seat {
    #[expect(clippy::disallowed_methods, reason = "threads and the time taken show in no run")]
    fn taken<Work, Done: Send + 'static>(shared: &Arc<Shared<Work, Done>>) -> Seat
    where
        Work: Fn(u64, &Arc<Pulse>) -> Done + Send + Sync + 'static,
    {
        let (pulse, at) = (Arc::<Pulse>::default(), Arc::new(Mutex::new(At::Nothing)));
        let life = {
            let (shared, pulse, at) = (Arc::clone(shared), Arc::clone(&pulse), Arc::clone(&at));
            move || shared.work(&pulse, &at)
        };
        let thread = thread::Builder::new().stack_size(STACK_BYTES).spawn(life);
        let thread = thread.expect("the system has room for the threads asked for");
        Seat { thread, pulse, at, beats: 0, since: Instant::now() }
    }

    /// Gives the thread's job up if it does not get on.
    #[expect(clippy::disallowed_methods, reason = "the time taken shows in no run")]
    fn give_up(&mut self, after: Duration) -> Option<(u64, Sighting)> {
        let mut at = held(&self.at);
        let sighting = self.pulse.look();
        let At::Job(job) = *at else {
            self.since = Instant::now();
            return None;
        };
        if sighting.beats != self.beats {
            (self.beats, self.since) = (sighting.beats, Instant::now());
        }
        (self.since.elapsed() > after).then(|| {
            *at = At::GivenUp;
            (job, sighting)
        })
    }
}

impl Workers {
    /// So many threads that do every job, however long it takes.
    pub const fn new(threads: NonZeroUsize) -> Self {
        Workers { threads, deadline: None, hang_after: None }
    }

    /// Does the jobs from 0 on by `work`, which shows a worker's pulse where it has one. Says how many were begun.
    pub fn run<Done: Send + 'static>(
        &self,
        jobs: u64,
        work: impl Fn(u64, &Arc<Pulse>) -> Done + Send + Sync + 'static,
        watch: &mut impl Watch<Done>,
    ) -> u64 {
        let (words, heard) = mpsc::channel();
        let (begun, is_over) = (AtomicU64::new(0), AtomicBool::new(false));
        let shared = Arc::new(Shared { work, jobs, deadline: self.deadline, begun, is_over, words });
        let threads = jobs.min(self.threads.get() as u64);
        let mut seats: Vec<Seat> = (0..threads).map(|_| Seat::taken(&shared)).collect();
        let mut there = seats.len();
        let (mut waiting, mut expected) = (BTreeMap::new(), 0);
        while there > 0 {
            match heard.recv_timeout(LOOK_EVERY) {
                Ok(Word::Done(job, done)) => {
                    watch.finished(&done);
                    waiting.insert(job, done);
                }
                Ok(Word::Left) => there -= 1,
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
            }
            for seat in &mut seats {
                let Some((job, sighting)) = self.hang_after.and_then(|after| seat.give_up(after)) else { continue };
                waiting.insert(job, watch.hung(job, sighting));
                // The thread that was there goes on by itself, as long as the process lives.
                *seat = Seat::taken(&shared);
            }
            while let Some(done) = waiting.remove(&expected) {
                if !watch.outcome(expected, done) {
                    shared.is_over.store(true, Ordering::Relaxed);
                }
                expected += 1;
            }
            if !watch.tick() {
                shared.is_over.store(true, Ordering::Relaxed);
            }
        }
        for seat in seats {
            if let Err(panic) = seat.thread.join() {
                std::panic::resume_unwind(panic);
            }
        }
        shared.begun.load(Ordering::Relaxed).min(jobs)
    }

    /// What comes of each job, in their order, as far as they were begun. `finished` is called as each is, in any order;
    /// `goes_on` says whether to go on.
    pub fn all<Job: Send + Sync + 'static, Done: Send + 'static>(
        &self,
        jobs: Vec<Job>,
        work: impl Fn(&Job) -> Done + Send + Sync + 'static,
        finished: impl FnMut(&Done),
        goes_on: impl Fn() -> bool,
    ) -> Vec<Done> {
        let mut all = All { done: Vec::with_capacity(jobs.len()), finished, goes_on };
        self.run(jobs.len() as u64, move |job, _| work(&jobs[job as usize]), &mut all);
        all.done
    }
}

/// Keeps what comes.
struct All<Done, Finished, GoesOn> {
    done: Vec<Done>,
    finished: Finished,
    goes_on: GoesOn,
}

impl<Done, Finished: FnMut(&Done), GoesOn: Fn() -> bool> Watch<Done> for All<Done, Finished, GoesOn> {
    fn finished(&mut self, done: &Done) {
        (self.finished)(done);
    }

    fn outcome(&mut self, _job: u64, done: Done) -> bool {
        self.done.push(done);
        true
    }

    fn tick(&mut self) -> bool {
        (self.goes_on)()
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
        let squares = three().all(jobs.clone(), |job| job * job, |_| finished += 1, || true);
        assert_eq!(squares, jobs.iter().map(|job| job * job).collect::<Vec<_>>());
        assert_eq!(finished, 50);
        assert!(three().all(Vec::new(), |job: &u64| *job, |_| {}, || true).is_empty());
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

    #[test]
    fn whoever_watches_can_end_it_while_nothing_is_finished() {
        let jobs: Vec<u64> = (0..u64::from(u16::MAX)).collect();
        let slow = |job: &u64| {
            thread::park_timeout(Duration::from_millis(1));
            *job
        };
        let done = three().all(jobs, slow, |_| {}, || false);
        assert!(done.len() < 10_000, "{} were done", done.len());
    }

    #[test]
    fn a_panic_of_a_worker_is_one_of_the_caller() {
        let panics = |_: u64, _: &Arc<Pulse>| -> u64 { std::panic::resume_unwind(Box::new("no")) };
        let said = std::panic::catch_unwind(|| three().run(2, panics, &mut UpTo(9, Vec::new())));
        assert_eq!(said.expect_err("it panics").downcast_ref(), Some(&"no"));
    }

    /// What came of each job, and which of them hung.
    #[derive(Default)]
    struct Hangs(Vec<u64>, Vec<u64>);

    impl Watch<u64> for Hangs {
        fn outcome(&mut self, _job: u64, done: u64) -> bool {
            self.0.push(done);
            true
        }

        fn hung(&mut self, job: u64, sighting: Sighting) -> u64 {
            assert_eq!(sighting.seed, job);
            self.1.push(job);
            1_000
        }
    }

    #[test]
    fn a_job_that_hangs_takes_nothing_with_it() {
        let workers = Workers { hang_after: Some(Duration::from_millis(500)), ..Workers::new(NonZeroUsize::MIN) };
        let work = |job, pulse: &Arc<Pulse>| {
            pulse.begin(job);
            if job == 3 {
                loop {
                    thread::park();
                }
            }
            job
        };
        let mut watch = Hangs::default();
        assert_eq!(workers.run(6, work, &mut watch), 6);
        assert_eq!(watch.0, [0, 1, 2, 1_000, 4, 5]);
        assert_eq!(watch.1, [3]);
    }
}
