//! What the trace promises to those who build on it.

use super::*;

#[test]
fn an_event_is_small() {
    assert_eq!(std::mem::size_of::<Event>(), 64);
}
