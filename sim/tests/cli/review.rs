//! `gatecrash review`, in small repositories of git.

use std::process::Command;

use crate::Folder;

const BEFORE: &str = "---\nsource: a\n---\nA login\nrules A-1\n\n    0.000  phone <= app     login call=2\n    +30 s  phone => app     login answered: ok call=2\n";

/// Runs git in the folder, as somebody, whatever this machine has configured.
fn git(folder: &Folder, words: &str) {
    let identity = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"];
    let output = Command::new("git").args(identity).args(words.split(' ')).current_dir(&folder.0).output().unwrap();
    assert!(output.status.success(), "git {words}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A repository with two stories on its main branch.
fn repository(test: &str) -> Folder {
    let folder = Folder::new(test).write("snapshots/one.snap", BEFORE).write("snapshots/two.snap", BEFORE);
    git(&folder, "init --quiet --initial-branch=main");
    git(&folder, "add snapshots");
    git(&folder, "commit --quiet -m stories");
    folder
}

#[test]
fn the_working_tree_is_compared_with_where_the_branch_began() {
    let folder = repository("review");
    let ran = folder.run("review");
    assert_eq!((ran.exit, ran.stdout.trim_end(), ran.stderr.as_str()), (0, "none of 2 stories changed", ""));

    git(&folder, "checkout --quiet -b mine");
    let late = BEFORE.replace("+30 s", "+31 s");
    let folder = folder.write("snapshots/one.snap", &late).write("snapshots/two.snap", &late);
    git(&folder, "commit --quiet -a -m late");
    let ran = folder.run("review");
    assert_eq!((ran.exit, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);
    assert!(ran.stdout.starts_with("2 of 2 stories changed, on 2 lines: 1 cause; no outcome\n"), "{}", ran.stdout);
    let told = "\n1. time: times shift by +1.000s, first of each story: the wait for `login answered` +1.000s\n   2 stories, 2 lines\n";
    assert!(ran.stdout.contains(told), "{}", ran.stdout);
    assert!(
        ran.stdout.contains("\n     one:8\n     - +30 s  phone => app     login answered: ok call=2\n"),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.ends_with("\n   in one, two\n"), "{}", ran.stdout);
    assert_eq!(folder.run("review HEAD").stdout.trim_end(), "none of 2 stories changed");
    assert_eq!(folder.run("review --all").stdout, ran.stdout);
    // From below, too.
    assert_eq!(folder.run_below("snapshots", "review HEAD").stdout.trim_end(), "none of 2 stories changed");
}

#[test]
fn what_insta_left_to_be_accepted_counts_and_an_outcome_is_exit_1() {
    let failed = BEFORE.replace("answered: ok", "answered: [70001] expired");
    let folder =
        repository("review_new").write("snapshots/two.snap.new", &failed).write("snapshots/three.snap", BEFORE);
    let ran = folder.run("review --json");
    assert_eq!(ran.exit, 1);
    let told = ran.json();
    assert_eq!((&told["stories"], &told["changed"], &told["outcomes"]), (&3.into(), &2.into(), &1.into()));
    assert_eq!(told["groups"][0]["kind"], "outcome");
    assert_eq!(told["groups"][0]["stories"], serde_json::json!(["two"]));
    assert_eq!(told["groups"][1]["kind"], "story added");

    let ran = folder.run("review --markdown");
    assert_eq!(ran.exit, 1);
    assert!(ran.stdout.starts_with("### 2 of 3 stories changed"), "{}", ran.stdout);
    assert!(ran.stdout.contains("1. **outcome**: `login answered`: ok -> [70001] expired  \n"), "{}", ran.stdout);
}

#[test]
fn a_story_that_is_gone_is_exit_1() {
    let folder = repository("review_gone");
    std::fs::remove_file(folder.0.join("snapshots/two.snap")).unwrap();
    let ran = folder.run("review main");
    assert_eq!((ran.exit, ran.stderr.as_str()), (1, ""));
    assert!(ran.stdout.contains("\n1. story removed: told no more\n"), "{}", ran.stdout);
}

#[test]
fn what_cannot_be_compared_is_refused_with_the_reason() {
    let folder = repository("review_refused").write("empty/file", "");
    for (words, said) in [
        ("review nowhere", "error: there is no revision nowhere"),
        ("review --snapshots nowhere", "error: there is no folder nowhere"),
        ("review --snapshots empty", "error: there is no snapshot (*.snap) in empty"),
        ("review --json --markdown", "cannot be used with"),
        ("review --json --all", "cannot be used with"),
        ("review -- --output=x", "error: there is no revision --output=x"),
    ] {
        let ran = folder.run(words);
        assert_eq!((ran.exit, ran.stdout.as_str()), (3, ""), "{words}");
        assert!(ran.stderr.contains(said), "{words}: {}", ran.stderr);
    }
    let ran = folder.run("review nowhere --json");
    assert_eq!((ran.exit, &ran.json()["error"]), (3, &"there is no revision nowhere".into()));
    git(&folder, "branch --quiet -m other");
    assert!(folder.run("review").stderr.contains("error: there is none of origin/HEAD, main, master"));
    // Nothing else is found on the way there: no git.
    let ran = folder.run_beside("empty", "review");
    assert_eq!(ran.exit, 3);
    assert!(ran.stderr.contains("cannot run git"), "{}", ran.stderr);
}
