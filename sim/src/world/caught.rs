//! Panics as values: what a world's or a check's own assertions say, with their place.
//!
//! Decides nothing about them: the pipeline turns one into a failure of the harness.

use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

thread_local! {
    static CATCHING: Cell<bool> = const { Cell::new(false) };
    static SAID: RefCell<Option<String>> = const { RefCell::new(None) };
}

static HOOK: Once = Once::new();

/// Does the work; if it panics, answers what the panic said and where. So it does when a task panics that the work has
/// begun on this thread: whoever runs it keeps that to themselves.
///
/// What the work was changing is left as the panic left it: look at nothing of it but what cannot
/// be half done.
pub(crate) fn caught<Done>(work: impl FnOnce() -> Done) -> Result<Done, String> {
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if CATCHING.get() {
                SAID.set(Some(panic.to_string()));
            } else {
                before(panic);
            }
        }));
    });
    let outer = CATCHING.replace(true);
    let said_before = SAID.take();
    let done = panic::catch_unwind(AssertUnwindSafe(work));
    CATCHING.set(outer);
    match (done, SAID.replace(said_before)) {
        (Ok(done), None) => Ok(done),
        (_, said) => Err(said.unwrap_or_else(|| "panicked without a word".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_answered_with_its_place_and_words() {
        let said = caught(|| -> () { panic!("seven is {}", 7) }).unwrap_err();
        assert!(said.contains("caught.rs") && said.ends_with("seven is 7"), "{said}");
    }

    #[test]
    fn a_task_that_panics_is_not_passed_over() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let work = || runtime.block_on(async { tokio::spawn(async { panic!("nobody waits for this") }).await.is_ok() });
        assert!(caught(work).unwrap_err().ends_with("nobody waits for this"));
        assert_eq!(caught(|| 7), Ok(7));
    }

    #[test]
    fn work_that_does_not_panic_is_done() {
        assert_eq!(caught(|| 7), Ok(7));
        let said = caught(|| caught(|| -> () { panic!("inner") }).map_err(|said| panic!("outer after {said}")));
        assert!(said.unwrap_err().contains("outer after"));
    }
}
