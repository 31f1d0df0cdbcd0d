//! Runs in which everybody speaks TLS. Its keys and nonces are drawn by the operating system, and nothing of a run shows them.

use crate::Folder;

/// Handshakes in full, those that resume an earlier one, over a link that cuts them into pieces.
const SECURED: &str = include_str!("../../../scenarios/under_tls_applications_see_what_they_see_without.toml");

/// Handshakes that fail.
const PORTAL: &str = include_str!("../../../scenarios/portal_with_a_certificate_of_its_own_is_no_server.toml");

#[test]
fn ten_processes_make_the_same_of_handshakes_whose_keys_are_drawn_by_the_system() {
    let folder = Folder::new("tls").write("secured.toml", SECURED).write("portal.toml", PORTAL);
    let digest = || {
        let ran = folder.run("run --json secured.toml portal.toml");
        assert_eq!((ran.exit, ran.stderr.as_str()), (0, ""));
        ran.json()["digest"].clone()
    };
    let first = digest();
    assert!(first.is_string(), "{first}");
    for _ in 1..10 {
        assert_eq!(digest(), first);
    }
}
