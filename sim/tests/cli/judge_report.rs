//! `gatecrash judge --report`, and the page of a history: what is in them, and that nothing that was not judged is green.

use std::path::Path;

use serde_json::json;

use super::Folder;
use super::report::{json as json_of, number, read, sarif};

const NEVER_TOLD: &str = include_str!("../../../examples/histories/never-told.jsonl");

/// A history of these lines after the first, of a phone whose application is told all there is.
fn history(lines: &[&str]) -> String {
    let head = r#"{"history":1,"system":"acme-im","observes":["calls","events"]}"#;
    let called =
        r#"{"at_us":1,"actor":"phone","what":"called","call":1,"request":"login","user":"alice","platform":"android"}"#;
    [&[head, called], lines].concat().join("\n")
}

const ANSWERED: &str = r#"{"at_us":2,"actor":"phone","what":"answered","call":1,"outcome":"ok"}"#;
const END: &str = r#"{"at_us":9,"what":"end","settled":true}"#;

fn counted(folder: &Folder) -> [usize; 3] {
    let junit = read(folder, "out/junit.xml");
    ["tests", "failures", "errors"].map(|name| number(&junit, name))
}

#[test]
fn each_rule_is_a_test_and_what_is_broken_stands_at_its_lines() {
    let folder = Folder::new("judge_report").write("logs/h.jsonl", NEVER_TOLD);
    let ran = folder.run("judge logs/h.jsonl --report out");
    assert_eq!((ran.exit, ran.stderr.as_str()), (1, ""));
    assert!(ran.stdout.ends_with("\nviolated: 1 violation; 13 events\nreport: out\n"), "{}", ran.stdout);
    let junit = read(&folder, "out/junit.xml");
    let [tests, failures, errors] = counted(&folder);
    assert_eq!((failures, errors), (1, 0));
    assert_eq!(junit.matches("<skipped ").count(), tests - 9, "seven rules hold, one is broken, and it can be read");
    for said in [
        "<failure message=\"KICK-1: some order in which logins were accepted explains who had which seat, and who was told\"",
        "    logs/h.jsonl:8: 9.310  phone-2 &lt;= app  login user=alice platform=ios call=1\n",
        "<skipped message=\"nothing to judge: its situation never came\" type=\"left-out\"/>",
        "<skipped message=\"not observed: it would take frames, server\" type=\"left-out\"/>",
    ] {
        assert!(junit.contains(said), "{said:?} is missing in\n{junit}");
    }
    let log = sarif(&folder, "out");
    let results = log["runs"][0]["results"].as_array().unwrap();
    assert_eq!(results.len(), 1);
    assert_eq!(results[0]["ruleId"], "KICK-1");
    let lines = |of: &str| -> Vec<(bool, u64)> {
        let all = results[0][of].as_array().unwrap().iter().map(|location| &location["physicalLocation"]);
        let is_it = |uri: &serde_json::Value| uri.as_str().unwrap().ends_with("logs/h.jsonl");
        all.map(|it| (is_it(&it["artifactLocation"]["uri"]), it["region"]["startLine"].as_u64().unwrap())).collect()
    };
    assert_eq!((lines("locations"), lines("relatedLocations")), (vec![(true, 2)], vec![(true, 2), (true, 8)]));
    let summary = read(&folder, "out/summary.md");
    for said in [
        "# gatecrash judge: failed\n",
        "```mermaid\nsequenceDiagram\n    participant w as history\n    participant d0 as phone-1\n",
        "    Note over d1: 9.310 app calls login user=alice platform=ios call=1\n",
        "\n## logs/h.jsonl: violated\n",
        "| KICK-1 | violated | once |\n| LOGIN-2 | holds | judged 2 times |\n",
        "\n- **page** `pages/h.html`\n",
    ] {
        assert!(summary.contains(said), "{said:?} is missing in\n{summary}");
    }
    assert!(read(&folder, "out/pages/h.html").starts_with("<!doctype html>"));

    // What is known stands behind, and is as red.
    let ran = folder.run("judge logs/h.jsonl --report again --known out");
    assert_eq!(ran.exit, 1);
    assert_eq!(sarif(&folder, "again")["runs"][0]["results"][0]["baselineState"], "unchanged");
}

#[test]
fn nothing_that_was_not_judged_is_green() {
    let folder = Folder::new("judge_report_green")
        .write("right.jsonl", &history(&[ANSWERED, END]))
        .write("wrong.jsonl", &history(&[ANSWERED, ANSWERED, END]))
        .write("open.jsonl", &history(&[ANSWERED]))
        .write("bad.jsonl", &history(&[ANSWERED, "{\"at_us\":3}", END]))
        .write("empty.jsonl", "");
    for (words, exit, found, said) in [
        ("right.jsonl", 0, [0, 0], "<testcase name=\"LOGIN-3 "),
        ("wrong.jsonl", 1, [1, 0], "call 1, login, has a second result"),
        ("open.jsonl", 2, [0, 1], "not settled: the history has no end"),
        (
            "right.jsonl --rules TICKET",
            2,
            [0, 2],
            "nothing judged: of no rule that was asked for did the situation come",
        ),
        ("bad.jsonl", 3, [0, 1], "the line does not say `what` happened"),
        ("empty.jsonl", 3, [0, 1], "the first line"),
        ("right.jsonl open.jsonl", 2, [0, 1], "not settled"),
        ("nowhere.jsonl", 3, [0, 2], "cannot read nowhere.jsonl"),
        ("right.jsonl --rules KIKC-3", 3, [0, 1], "there is no such rule"),
    ] {
        let ran = folder.run(&format!("judge --report out {words}"));
        assert_eq!(ran.exit, exit, "{words}: {}{}", ran.stdout, ran.stderr);
        let [_, failures, errors] = counted(&folder);
        let junit = read(&folder, "out/junit.xml");
        assert_eq!([failures, errors], found, "{words}: {junit}");
        assert!(junit.contains(said), "{words}: {said:?} is missing in\n{junit}");
        let is_well = sarif(&folder, "out")["runs"][0]["invocations"][0]["executionSuccessful"].as_bool();
        let ended = json_of(&folder, "out/report.json")["ended"] == "finished";
        assert_eq!(is_well, Some(exit < 2), "{words}");
        assert_eq!(ended, !words.contains("nowhere") && !words.contains("KIKC"), "{words}");
    }
    folder.run("judge --report out bad.jsonl");
    let place = &sarif(&folder, "out")["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!(place["region"], json!({ "startLine": 4, "startColumn": 1 }));
}

#[test]
fn a_log_is_reported_at_its_own_lines() {
    let folder = Folder::new("judge_report_log")
        .write("map.toml", include_str!("../../../examples/log-judged/map.toml"))
        .write("im.log", include_str!("../../../examples/log-judged/im.log"));
    let ran = folder.run("judge --map map.toml im.log --report out --page im.html");
    assert_eq!((ran.exit, ran.stderr.as_str()), (1, ""));
    assert!(ran.stdout.contains("\nim.html: 17 events, "), "{}", ran.stdout);
    let log = sarif(&folder, "out");
    let place = &log["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!(place["region"]["startLine"], 10);
    assert!(place["artifactLocation"]["uri"].as_str().unwrap().ends_with("im.log"));
    // One line of a log may tell several events.
    let junit = read(&folder, "out/junit.xml");
    assert!(junit.contains("    im.log:10: 42.300  pixel  status LOGOUT\n    im.log:10: 42.300  pixel =&gt; app  kicked_offline user=alice\n"), "{junit}");
    assert!(read(&folder, "out/summary.md").contains("gatecrash judge --map map.toml im.log\n"));
}

#[test]
fn a_history_has_a_page() {
    let folder =
        Folder::new("judge_page").write("never-told.jsonl", NEVER_TOLD).write("open.jsonl", &history(&[ANSWERED]));
    let ran = folder.run("page never-told.jsonl");
    assert_eq!((ran.exit, ran.stderr.as_str()), (1, ""));
    assert!(
        ran.stdout.starts_with("never-told.html: 13 events, ") && ran.stdout.ends_with(" kB, violated\n"),
        "{}",
        ran.stdout
    );
    let page = read(&folder, "never-told.html");
    assert!(page.starts_with("<!doctype html>") && page.contains("<title>acme-im 3.2</title>"));
    let ran = folder.run("page open.jsonl -o -");
    assert!(ran.exit == 2 && ran.stdout.trim_end().ends_with("</html>"), "{}", ran.stderr);
    for (words, said) in [
        ("page never-told.jsonl --world event", "a history is judged and does not run"),
        ("page never-told.jsonl --beside 7", "a history is judged and does not run"),
        ("judge never-told.jsonl --page -", "--page writes a file"),
        ("judge never-told.jsonl open.jsonl --page h.html", "--page shows one history"),
    ] {
        let ran = folder.run(words);
        assert_eq!((ran.exit, ran.stdout.as_str()), (3, ""), "{words}");
        assert!(ran.stderr.contains(said), "{words}: {}", ran.stderr);
    }
    let ran = folder.run("judge open.jsonl --page nowhere/h.html");
    assert_eq!(ran.exit, 4);
    assert!(ran.stderr.contains("cannot write nowhere/h.html"), "{}", ran.stderr);
}

/// A trace of ours that is all there has the page of its run, with frames and all.
#[test]
fn a_history_that_is_a_whole_run_has_the_page_of_the_run() {
    let repository = Folder(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));
    let scenario = "scenarios/kick_reaches_a_device_that_was_offline.toml";
    let whole = repository.run(&format!("replay {scenario} --observe all")).stdout;
    let folder = Folder::new("judge_page_whole").write("h.jsonl", &whole);
    let ran = folder.run("page h.jsonl");
    assert_eq!((ran.exit, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);
    assert!(read(&folder, "h.html").contains("<title>A phone that lost its network"), "it has the scenario's title");
}
