//! How much of a connection may be under way: written by the one end, and not yet read by the other.
//!
//! As buffers and the network between them bound it. Carries nothing and knows no bytes: it counts them.

use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

/// One direction of a connection.
#[derive(Debug)]
pub(super) struct Window(Mutex<State>);

#[derive(Debug)]
struct State {
    room: usize,
    /// Who waits for room.
    writer: Option<Waker>,
}

/// Both directions: upward and downward.
pub(super) type Windows = [Arc<Window>; 2];

/// The same, as one end sees them.
#[derive(Clone)]
pub(super) struct Ways {
    /// What this end reads.
    pub(super) read: Arc<Window>,
    /// What it writes.
    pub(super) written: Arc<Window>,
}

impl Window {
    /// Both directions of a connection, so many bytes wide each.
    pub(super) fn both(bytes: u32) -> Windows {
        std::array::from_fn(|_| Arc::new(Window(Mutex::new(State { room: bytes as usize, writer: None }))))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("nobody panics with it")
    }

    /// How much of so many bytes may be written now: ready once there is room for one.
    pub(super) fn poll_room(&self, context: &Context<'_>, bytes: usize) -> Poll<usize> {
        let mut state = self.lock();
        if state.room == 0 && bytes > 0 {
            state.writer = Some(context.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(bytes.min(state.room))
    }

    /// So many bytes are on their way.
    pub(super) fn wrote(&self, bytes: usize) {
        self.lock().room -= bytes;
    }

    /// Nobody reads any more: nobody needs wait for room.
    pub(super) fn open(&self) {
        self.was_read(usize::MAX / 2);
    }

    /// So many bytes have been read: there is room for others.
    pub(super) fn was_read(&self, bytes: usize) {
        let waker = {
            let mut state = self.lock();
            state.room += bytes;
            state.writer.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_writes_waits_for_whoever_reads() {
        let [window, _] = Window::both(10);
        let context = Context::from_waker(Waker::noop());
        assert_eq!(window.poll_room(&context, 7), Poll::Ready(7));
        window.wrote(7);
        assert_eq!(window.poll_room(&context, 7), Poll::Ready(3), "a part of it gets through");
        window.wrote(3);
        assert_eq!(window.poll_room(&context, 7), Poll::Pending);
        assert_eq!(window.poll_room(&context, 0), Poll::Ready(0), "nothing needs no room");
        window.was_read(1);
        assert_eq!(window.poll_room(&context, 7), Poll::Ready(1));
    }
}
