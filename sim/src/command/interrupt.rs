//! Interrupts: a long command that is told to end says what it knows by then.
//!
//! The first signal is noted, and whoever works looks whether there was one. A second one ends the process at once: what
//! is told at the end may take long, too.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use super::{End, complain};

/// The signals that people, terminals and schedulers end a program by, and how it ends then.
const SIGNALS: [(i32, End); 2] = [(SIGINT, End::Interrupted), (SIGTERM, End::Terminated)];

/// How the process was told to end; 0 as long as it was not.
static TOLD: OnceLock<Arc<AtomicUsize>> = OnceLock::new();

/// From now on a signal is noted. A system that has none goes on as it did.
pub fn listen() {
    let told = Arc::clone(TOLD.get_or_init(Arc::default));
    let again = Arc::new(AtomicBool::new(false));
    for (signal, end) in SIGNALS {
        let noted = flag::register_conditional_shutdown(signal, end as i32, Arc::clone(&again))
            .and_then(|_| flag::register(signal, Arc::clone(&again)))
            .and_then(|_| flag::register_usize(signal, Arc::clone(&told), end as usize));
        if let Err(error) = noted {
            complain(format_args!("warning: cannot listen to signals: {error}"));
        }
    }
}

/// How to end, if the process was told to.
pub fn told() -> Option<End> {
    let told = TOLD.get()?.load(Ordering::Relaxed);
    SIGNALS.into_iter().map(|(_, end)| end).find(|&end| end as usize == told)
}
