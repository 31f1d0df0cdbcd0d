//! Whether anything has panicked, in a task that nobody waits for too.

use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

static SEEN: AtomicBool = AtomicBool::new(false);

/// From now on panics are noticed, and told as before.
pub fn are_watched() {
    static WATCHED: Once = Once::new();
    WATCHED.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            SEEN.store(true, Ordering::Relaxed);
            before(panic);
        }));
    });
}

/// Whether there was one.
pub fn are_seen() -> bool {
    SEEN.load(Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    /// The server runs each connection in a task of its own, whose end it does not look at.
    #[test]
    fn a_panic_in_a_task_is_noticed() {
        super::are_watched();
        assert!(!super::are_seen());
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let _ = tokio::spawn(async { panic!("on purpose") }).await;
        });
        assert!(super::are_seen());
    }
}
