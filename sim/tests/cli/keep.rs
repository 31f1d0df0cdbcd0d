//! `gatecrash keep`.

use insta::assert_snapshot;

use crate::{Folder, KICKED, kick};

/// What a sweep leaves in a folder, as far as it matters here.
fn shrunk() -> String {
    let found = "# Found as kick-1-told-5d0a11c2 at seed 17 in the event world, by version 1.2.3.";
    format!("#:schema ../../docs/scenario.schema.json\n{found}\n{}", kick(KICKED))
}

fn with_finding(test: &str) -> Folder {
    Folder::new(test)
        .write("scenarios/part/taken.toml", &kick(KICKED))
        .write("target/gatecrash/kick-1-told-5d0a11c2/shrunk.toml", &shrunk())
}

fn read(folder: &Folder, path: &str) -> String {
    std::fs::read_to_string(folder.0.join(path)).unwrap()
}

#[test]
fn a_finding_is_kept_with_where_it_is_from_and_what_to_do_next_is_said() {
    let folder = with_finding("keep");
    let ran = folder.run("keep kick-1-told-5d0a11c2 late_kick_is_told");
    assert_eq!((ran.exit, ran.stderr.as_str()), (0, ""));
    assert_snapshot!(ran.stdout, @"
    kept as scenarios/regressions/late_kick_is_told.toml

    It is a test by now, which fails until the bug is mended:
      cargo test --test scenarios -- --exact late_kick_is_told

    Once it is, write its story to snapshots/late_kick_is_told.snap, and read that before you commit both:
      INSTA_UPDATE=always cargo test --test scenarios -- --exact late_kick_is_told
    ");
    assert_eq!(read(&folder, "scenarios/regressions/late_kick_is_told.toml"), shrunk());
    assert_eq!(folder.run("run --once").exit, 0, "it is a scenario like any other");
}

#[test]
fn a_finding_is_named_by_its_folder_or_its_file_and_called_by_what_it_does_when_nothing_is_said() {
    let folder = with_finding("keep_named").write("my.toml", &kick(KICKED)).write("deep/down/file", "");
    let ran = folder.run_below("deep/down", "keep ../../target/gatecrash/kick-1-told-5d0a11c2");
    assert_eq!((ran.exit, ran.stderr.as_str()), (0, ""));
    assert!(ran.stdout.starts_with("kept as ../../scenarios/regressions/policy_3_login.toml\n"), "{}", ran.stdout);
    assert!(ran.stdout.contains(" to ../../snapshots/policy_3_login.snap,"), "{}", ran.stdout);
    assert_eq!(read(&folder, "scenarios/regressions/policy_3_login.toml"), shrunk());

    assert_eq!(folder.run("keep my.toml mine_2").exit, 0);
    let kept = read(&folder, "scenarios/regressions/mine_2.toml");
    assert_eq!(kept, format!("#:schema ../../docs/scenario.schema.json\n{}", kick(KICKED)));
}

#[test]
fn what_cannot_be_kept_is_refused_and_nothing_is_written() {
    let folder = with_finding("keep_refused")
        .write("target/gatecrash/empty/finding.md", "# Nothing\n")
        .write("bad.toml", &kick(KICKED).replace("login", "lgoin"));
    for (words, said) in [
        ("keep", "<FINDING>"),
        ("keep kick-2", "error: there is no finding kick-2: name its folder, its name below target/gatecrash, or a"),
        ("keep empty", "error: cannot read target/gatecrash/empty/shrunk.toml: "),
        ("keep bad.toml", "did you mean `login`?"),
        ("keep kick-1-told-5d0a11c2 Kick", "error: \"Kick\" is no name of a scenario: write lowercase letters,"),
        ("keep kick-1-told-5d0a11c2 late-kick", "error: \"late-kick\" is no name"),
        ("keep kick-1-told-5d0a11c2 ../kick", "error: \"../kick\" is no name"),
        ("keep kick-1-told-5d0a11c2 taken", "error: scenarios/part/taken.toml is called taken already: give another"),
    ] {
        let ran = folder.run(words);
        assert_eq!((ran.exit, ran.stdout.as_str()), (3, ""), "{words}");
        assert!(ran.stderr.contains(said), "{words} says\n{}", ran.stderr);
    }
    assert!(!folder.0.join("scenarios/regressions").exists());

    assert_eq!(folder.run("keep kick-1-told-5d0a11c2").exit, 0);
    let ran = folder.run("keep kick-1-told-5d0a11c2");
    assert_eq!(ran.exit, 3, "once is enough");
    assert!(ran.stderr.contains("policy_3_login.toml is called policy_3_login already"), "{}", ran.stderr);
}

#[test]
fn what_cannot_be_written_is_the_harness_s_failure() {
    let folder = with_finding("keep_unwritable").write("scenarios/regressions", "a file where a folder should be");
    let ran = folder.run("keep kick-1-told-5d0a11c2");
    assert_eq!((ran.exit, ran.stdout.as_str()), (4, ""));
    assert!(
        ran.stderr.starts_with("error: cannot write scenarios/regressions/policy_3_login.toml: "),
        "{}",
        ran.stderr
    );
}
