//! `gatecrash shrink`. The product has no bug to shrink: what fails here is a run that is given no time
//! to come to rest.

use gatecrash_sim::scenario::Scenario;

use crate::{Folder, KICKED, NOT_KICKED, kick, restless};

/// What is left of [`restless`]: a login, and no time.
fn is_small(text: &str) {
    let scenario = Scenario::parse("shrunk.toml", text).unwrap();
    assert_eq!((scenario.steps.len(), scenario.devices.len(), scenario.expectations.len()), (1, 1, 0), "{text}");
    assert_eq!(scenario.title, "Everything comes to rest once the faults have ended: login");
}

#[test]
fn what_is_left_goes_to_standard_output_and_fails_in_the_same_way() {
    let folder = Folder::new("shrink").write("restless.toml", &restless());
    let ran = folder.run("shrink restless.toml");
    assert_eq!(ran.exit, 2, "{}", ran.stderr);
    is_small(&ran.stdout);
    let told: Vec<&str> = ran.stderr.lines().collect();
    assert_eq!(
        told[..2],
        [
            "not converged: a device is logged in and has not heard from the server since the faults ended",
            "  from  2 steps, 2 devices, 2 sites, 3s",
        ]
    );
    assert!(told[2].starts_with("  to    1 step, 1 device, 1 site, "), "{}", ran.stderr);
    let folder = folder.write("shrunk.toml", &ran.stdout);
    let again = folder.run("shrink shrunk.toml");
    assert_eq!((again.exit, again.stdout), (2, ran.stdout), "what is smallest stays as it is");
    assert_eq!(folder.run("run --world event shrunk.toml").exit, 2);
}

#[test]
fn it_goes_to_a_file_that_is_named() {
    let folder = Folder::new("shrink_out").write("restless.toml", &restless());
    let ran = folder.run("shrink restless.toml --out small.toml");
    assert_eq!((ran.exit, ran.stdout.as_str()), (2, ""));
    is_small(&std::fs::read_to_string(folder.0.join("small.toml")).unwrap());
    assert_eq!(folder.run("shrink restless.toml --out nowhere/small.toml").exit, 3);
}

#[test]
fn what_does_not_fail_is_said_so() {
    let folder = Folder::new("shrink_passes").write("kick.toml", &kick(KICKED)).write("wrong.toml", &kick(NOT_KICKED));
    for (words, said) in [
        ("shrink kick.toml", "kick.toml does not fail in the event world: there is nothing to shrink"),
        ("shrink kick.toml --world packet", "kick.toml does not fail in the packet world: there is nothing to shrink"),
        ("shrink wrong.toml", "only in what the file itself expects"),
        ("shrink --seed 17", "--seed 17 does not fail in the event world"),
        ("shrink", "required"),
        ("shrink nothing.toml", "cannot read nothing.toml"),
    ] {
        let ran = folder.run(words);
        assert_eq!((ran.exit, ran.stdout.as_str()), (3, ""), "{words}");
        assert!(ran.stderr.contains(said), "{words} says\n{}", ran.stderr);
    }
}
