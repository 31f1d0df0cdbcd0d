//! The threads of a hunt: each takes the next job until there is none left.
//!
//! What came of the jobs is handed back in their order, so that the number of threads shows in nothing
//! but the time taken.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

/// The stack of a worker: what the main thread of a process has on most systems.
const STACK_BYTES: usize = 8 * 1024 * 1024;

/// Does all jobs. `done` is called on this thread as each is finished, in any order.
#[expect(clippy::disallowed_methods, reason = "threads show in no run")]
pub fn run<Job: Sync, Done: Send>(
    threads: NonZeroUsize,
    jobs: &[Job],
    work: impl Fn(&Job) -> Done + Sync,
    mut done: impl FnMut(&Done),
) -> Vec<Done> {
    let next = AtomicUsize::new(0);
    let mut all: Vec<Option<Done>> = jobs.iter().map(|_| None).collect();
    thread::scope(|scope| {
        let (sender, receiver) = mpsc::channel();
        for _ in 0..threads.get().min(jobs.len()) {
            let (sender, next, work) = (sender.clone(), &next, &work);
            let worker = thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, move || {
                let indices = std::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed));
                for (index, job) in indices.map_while(|index| Some((index, jobs.get(index)?))) {
                    sender.send((index, work(job))).expect("the receiver outlives the senders");
                }
            });
            worker.expect("the system has room for the threads asked for");
        }
        drop(sender);
        for (index, result) in receiver {
            done(&result);
            all[index] = Some(result);
        }
    });
    all.into_iter().map(|result| result.expect("every job was done")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_jobs() {
        let jobs: Vec<u64> = (0..50).collect();
        let mut finished = 0;
        let squares = run(NonZeroUsize::new(3).expect("three"), &jobs, |job| job * job, |_| finished += 1);
        assert_eq!(squares, jobs.iter().map(|job| job * job).collect::<Vec<_>>());
        assert_eq!(finished, 50);
    }
}
