//! `gatecrash when`. The product has no bug whose step could be looked for: what fails here is planted.

use crate::{Folder, KICKED, NOT_KICKED, kick, restless};

/// A phone whose seat is taken while it has no link, and that comes back: with F06, as a login. That it can come back is
/// the last step's doing.
const AWAY: &str = include_str!("../../../scenarios/kick_reaches_a_device_that_was_offline.toml");

fn away(test: &str) -> Folder {
    Folder::new(test).write("away.toml", AWAY)
}

#[test]
fn a_planted_bug_is_decided_by_the_step_that_brings_the_victim_back() {
    let folder = away("when");
    let ran = folder.run("when away.toml --bug F06 --draws 20 --all --json");
    assert_eq!(ran.exit, 1);
    let told = ran.json();
    assert_eq!(
        (&told["rule"], &told["leap"]["step"], &told["leap"]["at_us"]),
        (&"KICK-6".into(), &4.into(), &3_000_000.into())
    );
    let failed: Vec<u64> =
        told["points"].as_array().unwrap().iter().map(|point| point["failed"].as_u64().unwrap()).collect();
    assert_eq!((failed.len(), failed[4]), (5, 20), "{failed:?}");
    // Before the seat is taken hardly anything can come of it, before the way back is open half at most.
    assert!(failed[..3].iter().all(|failed| *failed <= 6) && failed[3] <= 12, "{failed:?}");
    assert_eq!(told["points"][4]["step"], "3s fault repair home");

    let ran = folder.run("when away.toml --bug F06 --draws 20");
    assert_eq!((ran.exit, ran.stderr.as_str()), (1, ""));
    assert!(ran.stdout.starts_with("KICK-6 at an event `commit`: "), "{}", ran.stdout);
    let leap = ran.stdout.lines().find(|line| line.starts_with('>')).unwrap();
    assert!(leap.split_whitespace().take(3).eq([">", "4", "20"]) && leap.ends_with("  3s fault repair home"), "{leap}");
    assert!(ran.stdout.contains("\nstep 4, `3s fault repair home`, decides it: with what follows drawn anew, "));
    assert!(ran.stdout.trim_end().ends_with("gatecrash page away.toml --bug F06 --when"), "{}", ran.stdout);
}

#[test]
fn how_many_run_at_a_time_changes_nothing() {
    let folder = away("when_jobs");
    for words in ["when away.toml --bug F06 --draws 10 --all", "when --seed 7 --bug Z07 --draws 5 --json"] {
        let [one, three] = ["1", "3"].map(|jobs| folder.run(&format!("{words} --jobs {jobs}")));
        assert_eq!((one.exit, one.stdout), (three.exit, three.stdout), "{words}");
    }
}

#[test]
fn what_does_not_come_to_rest_is_asked_about_too() {
    let folder = Folder::new("when_restless").write("restless.toml", &restless());
    let ran = folder.run("when restless.toml --draws 5");
    assert_eq!(ran.exit, 2, "{}", ran.stderr);
    assert!(ran.stdout.starts_with("not converged: a device "), "{}", ran.stdout);
}

#[test]
fn the_page_shows_the_same_curve() {
    let folder = away("when_page");
    let ran = folder.run("page away.toml --bug F06 --when --jobs 2");
    assert_eq!((ran.exit, ran.stderr.as_str()), (1, ""));
    let with = std::fs::read_to_string(folder.0.join("away.html")).unwrap();
    let ran = folder.run("page away.toml --bug F06 -o -");
    assert!(with.len() > ran.stdout.len(), "there is more to show");
    let ran = folder.run("page away.toml --when");
    assert_eq!((ran.exit, ran.stdout.as_str()), (3, ""));
    assert!(
        ran.stderr.contains("away.toml does not fail in the packet world: there is nothing to ask"),
        "{}",
        ran.stderr
    );
}

#[test]
fn what_cannot_be_asked_is_refused_with_the_reason() {
    let folder = Folder::new("when_refused").write("kick.toml", &kick(KICKED)).write("wrong.toml", &kick(NOT_KICKED));
    for (words, said) in [
        ("when", "<FILE|FINDING>"),
        ("when kick.toml", "error: kick.toml does not fail in the event world: there is nothing to ask"),
        ("when kick.toml --world packet", "error: kick.toml does not fail in the packet world"),
        ("when kick.toml --bug F06", "error: kick.toml does not fail in the event world with F06"),
        ("when wrong.toml", "error: wrong.toml fails in the event world only in what the file itself expects"),
        ("when nothing.toml", "error: there is no finding nothing.toml"),
        ("when kick.toml --bug Z99", "error: there is no bug Z99"),
        ("when kick.toml --draws 0", "0 is not in 1..=1000000"),
        ("when --seed 28 --world packet", "error: --seed 28 is too long for hundreds of runs in the packet world"),
    ] {
        let ran = folder.run(words);
        assert_eq!((ran.exit, ran.stdout.as_str()), (3, ""), "{words}");
        assert!(ran.stderr.contains(said), "{words}: {}", ran.stderr);
    }
    let ran = folder.run("when kick.toml --json");
    assert_eq!(ran.json()["error"], "kick.toml does not fail in the event world: there is nothing to ask");
}
