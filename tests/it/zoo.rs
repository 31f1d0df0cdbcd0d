//! The zoo stays in the harness: `gatecrashd` holds none of its bugs.

use gatecrash_sim::zoo::{BUGS, DRIVER_BUGS};

/// Whether the program's bytes hold this text.
fn holds(program: &str, text: &str) -> bool {
    program.contains(text)
}

/// Design: the product does not know that it is simulated. What a bug says of itself is in every program
/// that holds the bug, as it is in this one.
#[test]
fn no_bug_is_in_the_product() {
    let read = |path: &std::path::Path| {
        let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let product = read(env!("CARGO_BIN_EXE_gatecrashd").as_ref());
    let harness = read(&std::env::current_exe().expect("a test knows its program"));
    assert!(BUGS.len() >= 57, "{} bugs", BUGS.len());
    for text in [BUGS[0].what, "gatecrash_sim"] {
        assert!(holds(&harness, text), "{text:?} would not be found where it is");
    }
    assert!(!holds(&product, "gatecrash_sim"), "gatecrashd was linked with the harness");
    for bug in BUGS.iter().chain(DRIVER_BUGS) {
        assert!(!holds(&product, bug.what), "gatecrashd holds {}: {}", bug.id, bug.what);
    }
}
