//! What takes one write at a time: a device's disk, the server's store.
//!
//! The running write owns it until it is done. What is written, and what a failure means, the drivers decide.

use std::future::{Future, pending};
use std::pin::Pin;

/// The target at rest, or inside the running write.
pub(super) enum Writer<Target, Done> {
    Idle(Target),
    Writing(Pin<Box<dyn Future<Output = (Target, Done)> + Send>>),
    /// Only while one of the others is put in its place.
    Taken,
}

impl<Target, Done> Writer<Target, Done> {
    /// The target, unless a write runs.
    pub(super) fn idle(&mut self) -> Option<&mut Target> {
        match self {
            Writer::Idle(target) => Some(target),
            Writer::Writing(_) | Writer::Taken => None,
        }
    }

    /// Begins a write. None may run: see [`Writer::idle`].
    pub(super) fn begin<Writing>(&mut self, write: impl FnOnce(Target) -> Writing)
    where
        Writing: Future<Output = (Target, Done)> + Send + 'static,
    {
        let Writer::Idle(target) = std::mem::replace(self, Writer::Taken) else {
            unreachable!("a write begins when none runs")
        };
        *self = Writer::Writing(Box::pin(write(target)));
    }

    /// What became of the running write; never if none runs. May be dropped while it waits without losing anything.
    pub(super) async fn done(&mut self) -> Done {
        let (target, done) = match self {
            Writer::Writing(writing) => writing.await,
            Writer::Idle(_) | Writer::Taken => pending().await,
        };
        *self = Writer::Idle(target);
        done
    }
}
