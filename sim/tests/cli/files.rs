//! Which files a command line means, and what becomes of bad ones (INPUT-4).

use insta::assert_snapshot;

use crate::{Folder, KICKED, kick};

fn names(folder: &Folder, below: &str, words: &str) -> Vec<String> {
    let totals = folder.run_below(below, &format!("run --json --once {words}")).json();
    let results = totals["results"].as_array().unwrap();
    results.iter().map(|result| result["path"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn folders_are_searched_at_any_depth_in_the_order_of_the_paths() {
    let mut folder = Folder::new("depth").write("scenarios/readme.md", "no scenario");
    for path in ["z.toml", "a.toml", "m/z.toml", "m/a/a.toml"] {
        folder = folder.write(&format!("scenarios/{path}"), &kick(KICKED));
    }
    assert_eq!(
        names(&folder, ".", ""),
        ["scenarios/a.toml", "scenarios/m/a/a.toml", "scenarios/m/z.toml", "scenarios/z.toml"]
    );
    assert_eq!(
        names(&folder, ".", "scenarios/z.toml scenarios/m scenarios/m/z.toml"),
        ["scenarios/z.toml", "scenarios/m/a/a.toml", "scenarios/m/z.toml"],
        "as named, each once"
    );
}

#[test]
fn the_nearest_scenarios_are_found_from_below() {
    let folder = Folder::new("below").write("scenarios/a.toml", &kick(KICKED)).write("deep/down/file", "");
    assert_eq!(names(&folder, "deep/down", ""), ["../../scenarios/a.toml"]);
}

#[test]
fn nothing_runs_when_one_file_is_bad() {
    let folder = Folder::new("bad")
        .write("scenarios/good.toml", &kick(KICKED))
        .write("scenarios/bad.toml", &kick(KICKED).replace("login", "lgoin"))
        .write("scenarios/worse.toml", "titel = \"No such key\"\n");
    let ran = folder.run("run");
    assert_eq!((ran.exit, ran.stdout.as_str()), (3, ""));
    assert_snapshot!(ran.stderr, @r#"
    scenarios/bad.toml:12:14: `lgoin` is no action of a device; expected init, uninit, login, logout, send, conversations, kick, query, network_changed, on or raw; did you mean `login`? (INPUT-4)
    scenarios/bad.toml:13:14: `lgoin` is no action of a device; expected init, uninit, login, logout, send, conversations, kick, query, network_changed, on or raw; did you mean `login`? (INPUT-4)
    scenarios/worse.toml:1:1: the file has no `rules`; expected a key `rules` (INPUT-4)
    scenarios/worse.toml:1:1: the file has no `seed`; expected a key `seed` (INPUT-4)
    scenarios/worse.toml:1:1: the file has no `script`; expected a key `script` (INPUT-4)
    scenarios/worse.toml:1:1: there is no key `titel`; expected title, rules, seed, tick, verdict_only, converge, app, limits, sites, devices, tickets or script; did you mean `title`? (INPUT-4)
    3 scenarios found, 2 refused
    error: 6 mistakes in 2 files: nothing runs
    "#);

    let ran = folder.run("run --json");
    assert_eq!(ran.exit, 3);
    let refused = ran.json();
    let problem = &refused["problems"][0];
    assert_eq!((&problem["file"], &problem["rule"]), (&"scenarios/bad.toml".into(), &"INPUT-4".into()));
    assert_eq!((&problem["line"], &problem["column"]), (&12.into(), &14.into()));
    assert_eq!(problem["nearest"], "login");
}

#[test]
fn a_path_that_leads_to_nothing_is_bad_input() {
    let folder = Folder::new("nothing").write("empty/readme.md", "");
    for (words, expected) in [
        ("run missing.toml", "error: cannot read missing.toml: "),
        ("run empty", "error: there is no scenario (*.toml) below empty"),
        ("replay empty", "error: empty is a folder: name one file"),
        ("print missing.toml", "error: cannot read missing.toml: "),
    ] {
        let ran = folder.run(words);
        assert_eq!((ran.exit, ran.stdout.as_str()), (3, ""), "{words}");
        assert!(ran.stderr.starts_with(expected), "{words}: {}", ran.stderr);
    }
    assert!(folder.run("run missing.toml --json").json()["error"].as_str().unwrap().starts_with("cannot read"));
}

/// What is left out in silence passes.
#[cfg(unix)]
#[test]
fn what_cannot_be_read_below_a_folder_is_bad_input_and_told_with_all_else_that_is() {
    let folder = Folder::new("unreadable").write("s/good.toml", &kick(KICKED));
    std::os::unix::fs::symlink("/nonexistent/scenario", folder.0.join("s/gone.toml")).unwrap();
    let ran = folder.run("run s");
    assert_eq!((ran.exit, ran.stdout.as_str()), (3, ""));
    assert!(ran.stderr.starts_with("error: cannot read s/gone.toml: "), "{}", ran.stderr);
    let folder = folder.write("t/bad.toml", &kick(KICKED).replace("login", "lgoin"));
    let ran = folder.run("check s t nowhere");
    assert_eq!(ran.exit, 3);
    for said in ["cannot read s/gone.toml", "cannot read nowhere", "t/bad.toml:12:14", "2 mistakes in 1 file"] {
        assert!(ran.stderr.contains(said), "{said} in {}", ran.stderr);
    }
}

#[test]
fn the_ending_of_a_file_may_be_written_large() {
    let folder = Folder::new("large").write("s/a.TOML", &kick(KICKED)).write("s/b.Toml", &kick(KICKED));
    assert_eq!(names(&folder, ".", "s"), ["s/a.TOML", "s/b.Toml"]);
}

/// What it expects of somebody it does not have would hold whatever happens.
#[test]
fn an_expectation_about_a_user_whom_the_file_does_not_have_is_refused() {
    let folder = Folder::new("typo").write("typo.toml", &kick("alcie  sessions none"));
    let ran = folder.run("check typo.toml");
    assert_eq!(ran.exit, 3);
    assert!(ran.stderr.contains("typo.toml:16:1: nothing in the file has to do with a user `alcie`"), "{}", ran.stderr);
    assert!(ran.stderr.contains("did you mean `alice`?"), "{}", ran.stderr);
}

#[test]
fn bad_usage_exits_3_and_says_what_was_expected() {
    let folder = Folder::new("usage").write("a.toml", &kick(KICKED));
    for (words, expected) in [
        ("replya", "'replay'"),
        ("replay", "<FILE|FINDING>"),
        ("run --jobs 0 a.toml", "--jobs"),
        ("replay a.toml --until soon", "expected a span of time such as 250ms, 12.5s or 1m30s"),
        ("replay a.toml --json --story", "cannot be used with"),
    ] {
        let ran = folder.run(words);
        assert_eq!((ran.exit, ran.stdout.as_str()), (3, ""), "{words}");
        assert!(ran.stderr.contains(expected), "{words}: {}", ran.stderr);
    }
}
