//! A sweep in shards: what each is of, its canary, and that `merge` takes nothing for a whole that is none.

use std::path::Path;

use serde_json::{Value, json};

use crate::{Folder, Ran};

/// A sweep of 40 seeds in four shards, in `shards/1` to `shards/4`.
fn shards(test: &str) -> Folder {
    let folder = Folder::new(test);
    for number in 1..=4 {
        let ran = folder.run(&format!("sweep --seeds 100..140 --shard {number}/4 --report shards/{number}"));
        assert_eq!((ran.exit, ran.stderr.as_str()), (0, ""));
    }
    folder
}

fn report(folder: &Folder, path: &str) -> Value {
    let path = folder.0.join(path).join("report.json");
    serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap()
}

/// The folder, after somebody has changed what a report says.
fn changed(folder: Folder, path: &str, change: impl FnOnce(&mut Value)) -> Folder {
    let mut text = report(&folder, path);
    change(&mut text);
    folder.write(&format!("{path}/report.json"), &text.to_string())
}

const ALL: &str = "merge shards/1 shards/2 shards/3 shards/4";

/// Nothing is added up, and this is said of it, each in a line.
#[track_caller]
fn refuses(ran: &Ran, said: &[&str]) {
    assert!(ran.exit == 3 && ["", "report: out\n"].contains(&ran.stdout.as_str()), "{}{}", ran.stdout, ran.stderr);
    let lines: Vec<&str> = ran.stderr.lines().collect();
    let (last, problems) = lines.split_last().expect("it says why");
    assert_eq!(problems.len(), said.len(), "{}", ran.stderr);
    for said in said {
        assert!(problems.contains(&format!("error: {said}").as_str()), "{said:?} is missing in\n{}", ran.stderr);
    }
    assert!(last.ends_with(": nothing is added up"), "{last}");
}

#[test]
fn shards_are_what_the_whole_is() {
    let folder = shards("fleet_whole");
    let whole = folder.run("sweep --seeds 100..140 --json --report whole").json();
    let ran = folder.run(&format!("{ALL} --report out"));
    assert_eq!((ran.exit, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);
    for said in [
        "event world, profile swarm, 4 shards of the seeds 100..140\n",
        "\n40 seeds from 100 asked for, 40 finished, ",
        ": no violation\n",
        &format!("; sum {}\n", whole["sum"].as_str().unwrap()),
        "canary F12: caught in every shard, after ",
        "\nreport: out\n",
    ] {
        assert!(ran.stdout.contains(said), "{said:?} is missing in\n{}", ran.stdout);
    }
    // In whatever order they come.
    let totals = folder.run("merge shards/3 shards/1 shards/4 shards/2 --json").json();
    for name in ["sum", "events", "seeds_finished", "seeds_run_twice", "first_seed", "seeds_asked", "soaks"] {
        assert_eq!(totals[name], whole[name], "{name}");
    }
    // Everything that a report adds up is what that of the whole has, but that these had canaries, and no one order.
    let sweep = |path: &str| {
        let mut report = report(&folder, path);
        let sweep = report["subject"]["sweep"].as_object_mut().unwrap();
        let canaries = sweep.remove("canaries").unwrap().as_array().unwrap().len();
        (canaries, sweep.remove("digest").unwrap().is_null(), sweep.clone())
    };
    let (ours, (canaries, has_digest, theirs)) = (sweep("out"), sweep("whole"));
    assert_eq!((ours.0, ours.1, canaries, has_digest), (4, true, 0, false));
    assert_eq!(ours.2, theirs);
    let junit = std::fs::read_to_string(folder.0.join("out/junit.xml")).unwrap();
    assert!(junit.contains("<testsuites name=\"gatecrash\" tests=\"42\" failures=\"0\" errors=\"0\""), "{junit}");
    assert!(junit.contains("<testcase name=\"the canary is caught\""), "{junit}");
    let summary = std::fs::read_to_string(folder.0.join("out/summary.md")).unwrap();
    assert!(summary.contains("| canary | `F12`, caught in 4 of 4 |"), "{summary}");
}

#[test]
fn a_shard_says_which_it_is() {
    let folder = Folder::new("fleet_shard");
    let ran = folder.run("sweep --seeds 0..10 --shard 2/3 --report out");
    assert_eq!((ran.exit, ran.stderr.as_str()), (0, ""));
    for said in [
        "event world, profile swarm, shard 2/3 of the seeds 0..10\n",
        "\n3 seeds from 3 asked for, 3 finished, ",
        "\ncanary F12: caught after ",
    ] {
        assert!(ran.stdout.contains(said), "{said:?} is missing in\n{}", ran.stdout);
    }
    let sweep = &report(&folder, "out")["subject"]["sweep"];
    assert_eq!(sweep["asked"], json!({ "first": 3, "number": 3 }));
    assert_eq!(sweep["share"], json!({ "shard": "2/3", "whole": { "first": 0, "number": 10 } }));
    assert_eq!((&sweep["canaries"][0]["bug"], &sweep["canaries"][0]["first"]), (&"F12".into(), &3.into()));
    let totals = folder.run("sweep --seeds 0..10 --shard 2/3 --report out --json").json();
    assert_eq!((&totals["shard"], &totals["canary"]["bug"]), (&"2/3".into(), &"F12".into()));
}

#[test]
fn what_is_no_shard_is_bad_input() {
    let folder = Folder::new("fleet_bad");
    for (words, said) in [
        ("sweep --shard 3/16", "--report <DIR>"),
        ("sweep --shard 0/16 --report out", "of 16 shards the first one is 1/16"),
        ("sweep --shard 17/16 --report out", "of 16 shards the last one is 16/16"),
        ("sweep --shard 1/0 --report out", "there are no shards of 0: the least is 1/1, everything"),
        ("sweep --shard three --report out", "expected which shard of how many, such as 3/16"),
        ("sweep --shard 1/4 --time 1s --report out", "cannot be used with"),
        ("sweep --shard 1/4 --seeds 0..3 --report out", "--shard 1/4: there are 3 seeds, too few for 4 shards"),
        ("sweep --shard 1/4 --unchecked --report out", "cannot be used with"),
        ("sweep --canary F06", "--shard <I/N>"),
        ("sweep --shard 1/4 --canary nobody --report out", "there is no bug nobody: `gatecrash zoo --list`"),
        (
            "sweep --shard 1/4 --canary V01 --report out",
            "--canary V01: it lives in the packet world, and the sweep is of",
        ),
        ("sweep --nightly 2026-02-30", "expected a date of the calendar such as 2026-11-29"),
        ("sweep --nightly 1969-12-31", "the first night is that of 1970-01-01"),
        ("sweep --nightly 2026-11-29 --seeds 0..9", "cannot be used with"),
        ("sweep --nightly 2026-11-29 --night-seeds 1000000001", "not in 1..=1000000000"),
        ("sweep --night-seeds 5", "--nightly <DATE>"),
        ("merge", "<DIR>"),
    ] {
        let ran = folder.run(words);
        assert_eq!(ran.exit, 3, "{words}: {}", ran.stdout);
        assert!(ran.stderr.contains(said), "{words} says\n{}", ran.stderr);
    }
    let ran = folder.run("sweep --shard 1/4 --seeds 0..3 --report out");
    assert_eq!(ran.exit, 3);
    assert!(report(&folder, "out")["ended"]["refused"].as_str().unwrap().contains("too few for 4 shards"));
}

#[test]
fn a_night_has_seeds_of_its_own() {
    let folder = Folder::new("fleet_night");
    let ran = folder.run("sweep --nightly 2026-11-29 --night-seeds 5");
    assert_eq!((ran.exit, ran.stderr.as_str()), (0, ""));
    assert!(ran.stdout.starts_with("event world, profile swarm, night 2026-11-29\n"), "{}", ran.stdout);
    assert!(ran.stdout.contains("\n5 seeds from 20,787,000,000,000 asked for, 5 finished, "), "{}", ran.stdout);
    let words = "sweep --nightly 2026-11-30 --night-seeds 9 --shard 2/2 --report out --json";
    let totals = folder.run(words).json();
    assert_eq!((&totals["first_seed"], &totals["seeds_asked"]), (&20_788_000_000_004_u64.into(), &5.into()));
}

#[test]
fn what_is_missing_twice_or_no_shard_is_refused_all_at_once() {
    let folder = shards("fleet_missing");
    refuses(&folder.run("merge shards/1 shards/2 shards/4"), &["shard 3/4 is missing, seeds 120..130"]);
    refuses(
        &folder.run("merge shards/3"),
        &["shards 1/4 to 2/4 are missing, seeds 100..120", "shard 4/4 is missing, seeds 130..140"],
    );
    assert_eq!(folder.run("sweep --seeds 0..5 --report whole").exit, 0);
    let folder = folder.write("odd/report.json", "{\"format\": 7}").write("scenario.toml", &crate::kick(crate::KICKED));
    assert_eq!(folder.run("run scenario.toml --report of-run").exit, 0);
    assert_eq!(folder.run(&format!("{ALL} --report merged")).exit, 0);
    assert_eq!(folder.run("sweep --seeds 5..5 --shard 1/1 --report refused").exit, 3);
    let words = "merge shards/1 shards/2 shards/2 whole odd of-run merged refused nowhere --report out";
    let problems = [
        "cannot read nowhere: No such file or directory (os error 2)",
        "odd/report.json: it is a report of form 7, and this version reads form 1: make it anew with this version",
        "whole: it is of a sweep without --shard: the whole as one shard is 1/1",
        "of-run: it is the report of `run`, and of no shard of a sweep",
        "merged: it is of shards that were merged before",
        "refused: it was refused: --seeds 5..5: there is no seed in it: the second number is the one after the last",
        "shard 2/4 is there 2 times: shards/2, shards/2",
        "shards 3/4 to 4/4 are missing, seeds 120..140",
    ];
    refuses(&folder.run(words), &problems);
    // The report says it, too, and is red.
    let said = report(&folder, "out")["ended"]["refused"].as_str().unwrap().to_owned();
    assert!(problems.iter().all(|problem| said.contains(problem)), "{said}");
    let ran = folder.run(&format!("{words} --json"));
    let told: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((ran.exit, &told["error"]), (3, &"nothing is added up".into()));
    assert_eq!(told["problems"].as_array().unwrap().len(), problems.len());
    // What would be overwritten is no place for the report.
    let ran = folder.run(&format!("{ALL} --report shards/2/../2"));
    assert_eq!((ran.exit, ran.stderr.as_str()), (3, "error: --report shards/2/../2: it is one of the shards\n"));
    assert_eq!(report(&folder, "shards/2")["ended"], "finished");
}

#[test]
fn what_did_not_run_to_its_end_is_refused() {
    let folder = changed(shards("fleet_late"), "shards/1", |report| report["ended"] = "not_yet".into());
    let folder = changed(folder, "shards/2", |report| report["ended"] = "told".into());
    let folder = changed(folder, "shards/3", |report| report["subject"]["sweep"]["finished"] = 9.into());
    let folder = changed(folder, "shards/4", |report| report["subject"]["sweep"]["asked"]["number"] = 9.into());
    refuses(
        &folder.run(ALL),
        &[
            "shards/1: shard 1/4: it has not come to its end",
            "shards/2: shard 2/4: it was told to end before it had finished",
            "shards/3: shard 3/4: 1 of 10 seeds from 120 did not run to their end",
            "shards/4: shard 4/4: its seeds are 130..139, and those of the shard 130..140",
        ],
    );
    let nothing = |report: &mut Value| report["subject"]["sweep"]["finished"] = 0.into();
    let folder = changed(shards("fleet_empty"), "shards/2", nothing);
    refuses(&folder.run(ALL), &["shards/2: shard 2/4: none of 10 seeds from 110 has finished"]);
}

#[test]
fn what_is_made_of_something_else_is_refused() {
    let other = |report: &mut Value| {
        for (name, is) in
            [("version", "9.9.9"), ("commit", "abc"), ("lock", "1"), ("toolchain", "rustc 9"), ("target", "none")]
        {
            report["identity"][name] = is.into();
        }
        report["identity"]["has_changes"] = true.into();
    };
    let folder = changed(shards("fleet_other"), "shards/2", other);
    let words = "sweep --seeds 100..140 --profile dense --canary F07 --shard 3/4 --report shards/3";
    assert_eq!(folder.run(words).exit, 0);
    assert_eq!(folder.run("sweep --seeds 100..141 --shard 4/5 --report shards/4").exit, 0);
    let ran = folder.run(ALL);
    let identity = &report(&folder, "shards/1")["identity"];
    let is = |name: &str| identity[name].as_str().unwrap_or("none").to_owned();
    let changes = if identity["has_changes"] == true { " with changes" } else { "" };
    let second = format!(
        "shards/2: shard 2/4 is made of something else than shards/1: version 9.9.9, and not {}; commit abc with changes, and \
         not {}{changes}; lock file 1, and not {}; toolchain rustc 9, and not {}; target none, and not {}",
        is("version"),
        is("commit"),
        is("lock"),
        is("toolchain"),
        is("target")
    );
    refuses(
        &ran,
        &[
            &second,
            "shards/3: shard 3/4 is made of something else than shards/1: profile dense, and not swarm; canary F07, and not F12",
            "shards/4: shard 4/5 is made of something else than shards/1: shards 5, and not 4; seeds 100..141, and not 100..140",
            "shard 4/4 is missing, seeds 130..140",
        ],
    );
}

/// A bug of something that cannot come about, since on one connection nothing overtakes anything: a canary that flies on.
#[test]
fn a_canary_that_nobody_sees_is_red() {
    let folder = shards("fleet_blind");
    let ran = folder.run("sweep --seeds 100..140 --shard 2/4 --canary H57 --report shards/2");
    assert_eq!((ran.exit, ran.stderr.as_str()), (4, ""), "{}", ran.stdout);
    assert!(ran.stdout.contains("canary H57: not caught in 100 seeds: the checks see nothing\n"), "{}", ran.stdout);
    let junit = std::fs::read_to_string(folder.0.join("shards/2/junit.xml")).unwrap();
    assert!(junit.contains("type=\"bug-not-caught\""), "{junit}");
    refuses(
        &folder.run(ALL),
        &[
            "shards/2: shard 2/4: its canary H57 was not caught in 100 seeds from 110: its checks see nothing",
            "shards/2: shard 2/4 is made of something else than shards/1: canary H57, and not F12",
        ],
    );
    let none = |report: &mut Value| report["subject"]["sweep"]["canaries"] = json!([]);
    let folder = changed(shards("fleet_no_canary"), "shards/4", none);
    let ran = folder.run(ALL);
    assert!(ran.stderr.contains("error: shards/4: shard 4/4: no canary was swept beside it\n"), "{}", ran.stderr);
}

/// A finding as a shard has it.
fn found(fingerprint: &str, kind: &str, seeds: &[&str], steps: u64) -> (Value, Value) {
    let origin = json!({ "path": format!("--seed {}", seeds[0]), "title": "drawn", "sum": null, "world": "event" });
    let finding = json!({
        "fingerprint": fingerprint, "kind": kind, "rule": "KICK-1", "rule_text": null, "sentence": "a kick is told, once",
        "instead": null, "origin": origin, "place": null, "at_us": null, "actor": null, "seen": seeds.len(), "first": seeds,
        "steps": steps, "disagreement": null, "replay": null, "exhibit": fingerprint, "is_known": false,
    });
    let exhibit = json!({
        "name": fingerprint, "told": format!("{fingerprint} in {steps} steps"), "diagram": null,
        "page": format!("pages/{fingerprint}.html"), "trace": null, "folder": null,
    });
    (finding, exhibit)
}

#[test]
fn what_several_shards_found_is_told_once_the_shortest_first() {
    let finds = |found: Vec<(Value, Value)>| {
        move |report: &mut Value| {
            report["subject"]["sweep"]["failing"] =
                found.iter().filter_map(|(it, _)| it["seen"].as_u64()).sum::<u64>().into();
            let (findings, exhibits): (Vec<Value>, Vec<Value>) = found.into_iter().unzip();
            (report["findings"], report["exhibits"]) = (findings.into(), exhibits.into());
        }
    };
    let folder = shards("fleet_found")
        .write("shards/1/pages/long.html", "of 1")
        .write("shards/1/pages/both.html", "of 1")
        .write("shards/3/pages/both.html", "of 3");
    let of_first = vec![found("long", "violated", &["105"], 9), found("both", "violated", &["108", "109"], 7)];
    let folder = changed(folder, "shards/1", finds(of_first));
    let folder = changed(folder, "shards/3", finds(vec![found("both", "violated", &["120", "121", "99"], 4)]));
    let ran = folder.run(&format!("{ALL} --report out"));
    assert_eq!((ran.exit, ran.stderr.as_str()), (1, ""), "{}", ran.stdout);
    let both =
        ran.stdout.find("\nboth in 4 steps\n\n  5 seeds, first 99, 108, 109, 120, 121\n").expect("as shard 3 has it");
    assert!(
        both < ran.stdout.find("\nlong in 9 steps\n\n  1 seed, first 105\n").expect("it is told"),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains(": 6 failing seeds\n"), "{}", ran.stdout);
    let out = report(&folder, "out");
    let told: Vec<(&str, u64)> = out["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["fingerprint"].as_str().unwrap(), it["seen"].as_u64().unwrap()))
        .collect();
    assert_eq!(told, [("both", 5), ("long", 1)]);
    let page = |name: &str| std::fs::read_to_string(folder.0.join(Path::new("out/pages").join(name))).unwrap();
    assert_eq!((page("both.html").as_str(), page("long.html").as_str()), ("of 3", "of 1"));
    // What was known is told apart, and as red.
    let ran = folder.run(&format!("{ALL} --report new --known out --json"));
    assert_eq!((ran.exit, ran.json()["findings"].as_array().unwrap().len()), (1, 2));
    assert!(report(&folder, "new")["findings"][0]["is_known"] == true);

    // One seed that hangs: what ran is added up, and red for what did not.
    let hangs = |report: &mut Value| {
        finds(vec![found("hangs", "harness_failed", &["111"], 4)])(report);
        report["subject"]["sweep"]["finished"] = 9.into();
    };
    let folder = changed(folder, "shards/2", hangs).write("shards/2/pages/hangs.html", "of 2");
    let ran = folder.run(&format!("{ALL} --report out"));
    assert_eq!(ran.exit, 4, "{}", ran.stderr);
    assert!(ran.stdout.contains("\n40 seeds from 100 asked for, 39 finished, "), "{}", ran.stdout);
    let junit = std::fs::read_to_string(folder.0.join("out/junit.xml")).unwrap();
    assert!(junit.contains("1 of 40 seeds from 100 did not run to their end"), "{junit}");
}
