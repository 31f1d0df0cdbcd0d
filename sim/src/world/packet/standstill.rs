//! Whether the server's processes are suspended: then they are not polled, and read nothing.
//!
//! Their machine runs: it accepts connections, and keeps what arrives.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::{Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

/// Whether they stand still, and whom to wake when they go on.
#[derive(Debug, Default)]
pub(super) struct Standstill(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    is_on: bool,
    /// The processes themselves; whoever accepts; and who reads, in the order in which something came for them.
    processes: Vec<Waker>,
    acceptor: Option<Waker>,
    readers: Vec<Waker>,
}

impl Standstill {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("nobody panics with it")
    }

    pub(super) fn is_on(&self) -> bool {
        self.lock().is_on
    }

    pub(super) fn begin(&self) {
        self.lock().is_on = true;
    }

    /// They go on: the processes first, so that they find out that they stood still before they hear anything.
    pub(super) fn end(&self) {
        let State { processes, acceptor, readers, .. } = std::mem::take(&mut *self.lock());
        processes.into_iter().chain(acceptor).chain(readers).for_each(Waker::wake);
    }

    /// The machine is dead, and they with it.
    pub(super) fn is_over(&self) {
        drop(std::mem::take(&mut *self.lock()));
    }

    /// Ready unless they stand still: then whoever asks is woken, in the order of asking.
    pub(super) fn poll_read(&self, context: &Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        if !state.is_on {
            return Poll::Ready(());
        }
        if !state.readers.iter().any(|reader| reader.will_wake(context.waker())) {
            state.readers.push(context.waker().clone());
        }
        Poll::Pending
    }

    /// Ready once they go on.
    pub(super) async fn ended(&self) {
        std::future::poll_fn(|context| {
            let mut state = self.lock();
            if !state.is_on {
                return Poll::Ready(());
            }
            state.acceptor = Some(context.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

/// A process, which is not polled while it stands still.
pub(super) struct Suspendable<Process: ?Sized> {
    pub(super) standstill: Arc<Standstill>,
    pub(super) process: Pin<Box<Process>>,
}

impl<Process: Future + ?Sized> Future for Suspendable<Process> {
    type Output = Process::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Process::Output> {
        {
            let mut state = self.standstill.lock();
            if state.is_on {
                if !state.processes.iter().any(|one| one.will_wake(context.waker())) {
                    state.processes.push(context.waker().clone());
                }
                return Poll::Pending;
            }
        }
        self.process.as_mut().poll(context)
    }
}
