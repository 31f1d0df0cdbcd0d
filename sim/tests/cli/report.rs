//! `--report`: what is in the folder, for whom, and that nothing that did not run is green.

use serde_json::Value;

use crate::{Folder, KICKED, NOT_KICKED, kick, restless};

pub fn read(folder: &Folder, path: &str) -> String {
    std::fs::read_to_string(folder.0.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

pub fn json(folder: &Folder, path: &str) -> Value {
    serde_json::from_str(&read(folder, path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The file, which SARIF's own schema takes.
#[track_caller]
pub fn sarif(folder: &Folder, report: &str) -> Value {
    // As published it has a bracket too many, twice, which a strict reader of regular expressions refuses.
    let (published, meant) = ("^[a-zA-Z]{2}|^[a-zA-Z]{2}-[a-zA-Z]{2}]?$", "^[a-zA-Z]{2}(-[a-zA-Z]{2})?$");
    let text = include_str!("schemas/sarif-2.1.0.json").replace(published, meant);
    let schema: Value = serde_json::from_str(&text).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let log = json(folder, &format!("{report}/results.sarif"));
    let complaints: Vec<String> =
        validator.iter_errors(&log).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert_eq!(complaints, Vec::<String>::new());
    log
}

/// A number of the first line that counts: `tests`, `failures`, `errors`.
pub fn number(junit: &str, name: &str) -> usize {
    let head = junit.lines().find(|line| line.starts_with("<testsuites ")).expect("there is a head");
    let after = head.split_once(&format!(" {name}=\"")).expect("it counts").1;
    after.split('"').next().unwrap().parse().unwrap()
}

#[test]
fn a_run_that_passes_leaves_a_green_report() {
    let folder = Folder::new("report_passes").write("scenarios/a.toml", &kick(KICKED));
    let ran = folder.run("run --world both --report out");
    assert_eq!((ran.exit, ran.stderr.as_str()), (0, ""));
    assert!(ran.stdout.ends_with("\nreport: out\n"), "{}", ran.stdout);
    let junit = read(&folder, "out/junit.xml");
    assert_eq!(["tests", "failures", "errors"].map(|name| number(&junit, name)), [2, 0, 0]);
    assert!(junit.contains("<testcase name=\"a\" classname=\"scenarios.packet\" time="), "{junit}");
    let log = sarif(&folder, "out");
    assert_eq!(log["runs"][0]["results"], serde_json::json!([]));
    assert_eq!(log["runs"][0]["invocations"][0]["executionSuccessful"], true);
    assert!(read(&folder, "out/summary.md").starts_with("# gatecrash run: passed\n"));
    let report = json(&folder, "out/report.json");
    assert_eq!((&report["format"], &report["ended"]), (&1.into(), &"finished".into()));
    let runs = &report["subject"]["run"];
    assert_eq!((runs["asked"].as_array().unwrap().len(), runs["ran"].as_array().unwrap().len()), (1, 2));
    for of in ["lock", "toolchain", "target", "version"] {
        assert!(report["identity"][of].as_str().is_some_and(|said| !said.is_empty()), "{of}");
    }
    assert!(!folder.0.join("out/pages").exists(), "nothing failed");
}

#[test]
fn what_fails_is_told_at_its_line_and_shown() {
    let folder = Folder::new("report_fails")
        .write("scenarios/sub/missed.toml", &kick(NOT_KICKED))
        .write("scenarios/restless.toml", &restless())
        .write("scenarios/well.toml", &kick(KICKED));
    let ran = folder.run("run --report out");
    assert_eq!((ran.exit, ran.stderr.as_str()), (1, ""));
    let junit = read(&folder, "out/junit.xml");
    assert_eq!(["tests", "failures", "errors"].map(|name| number(&junit, name)), [3, 2, 0]);
    for said in [
        "<testcase name=\"missed\" classname=\"scenarios.packet.sub\"",
        "<failure message=\"the scenario expects `phone-1  kicked_offline never`\" type=\"expectation-missed\">FAILED",
        "  gatecrash replay scenarios/sub/missed.toml --until ",
        "type=\"not-converged\"",
    ] {
        let junit = junit.replace(env!("CARGO_BIN_EXE_gatecrash"), "gatecrash");
        assert!(junit.contains(said), "{said:?} is missing in\n{junit}");
    }
    // What is wrong stands before what is well.
    assert!(junit.find("\"missed\"") < junit.find("\"well\""));

    let log = sarif(&folder, "out");
    let results = log["runs"][0]["results"].as_array().unwrap();
    assert_eq!(results.len(), 2);
    let missed = results.iter().find(|result| result["ruleId"] == "expectation-missed").unwrap();
    let place = &missed["locations"][0]["physicalLocation"];
    let text = read(&folder, "scenarios/sub/missed.toml");
    let line = 1 + text.lines().position(|line| line.contains(NOT_KICKED)).unwrap();
    assert_eq!(place["region"], serde_json::json!({ "startLine": line, "startColumn": 1 }));
    assert!(place["artifactLocation"]["uri"].as_str().unwrap().ends_with("scenarios/sub/missed.toml"));
    let rule = &log["runs"][0]["tool"]["driver"]["rules"][missed["ruleIndex"].as_u64().unwrap() as usize];
    assert_eq!(rule["id"], "expectation-missed");
    assert_eq!(missed.get("baselineState"), None, "there was nothing to compare with");

    for shown in ["missed.packet", "restless.packet"] {
        assert!(read(&folder, &format!("out/pages/{shown}.html")).starts_with("<!doctype html>"));
        let trace = json(&folder, &format!("out/traces/{shown}.json"));
        assert!(trace["traceEvents"].as_array().unwrap().len() > 50);
    }
    let summary = read(&folder, "out/summary.md");
    for said in [
        "# gatecrash run: failed\n",
        "\n## Found: 2\n",
        "\n```mermaid\nsequenceDiagram\n    participant ",
        "\n- **page** `pages/missed.packet.html`\n",
        "\n- **toolchain** rustc ",
    ] {
        assert!(summary.contains(said), "{said:?} is missing in\n{summary}");
    }
}

#[test]
fn what_was_known_stands_behind_what_is_new_and_is_as_red() {
    let folder = Folder::new("report_known").write("a.toml", &kick(NOT_KICKED)).write("b.toml", &restless());
    assert_eq!(folder.run("run a.toml --report before").exit, 1);
    let ran = folder.run("run a.toml b.toml --report out --known before");
    assert_eq!((ran.exit, ran.stderr.as_str()), (1, ""));
    let summary = read(&folder, "out/summary.md");
    let new = summary.find("\n## New: 1\n").expect("one is new");
    assert!(new < summary.find("\n## Known before: 1\n").expect("one was known"), "{summary}");
    let junit = read(&folder, "out/junit.xml");
    assert!(junit.contains("message=\"known: the scenario expects "), "{junit}");
    assert!(junit.find("name=\"b\"") < junit.find("name=\"a\""), "{junit}");
    let log = sarif(&folder, "out");
    let states: Vec<&Value> =
        log["runs"][0]["results"].as_array().unwrap().iter().map(|result| &result["baselineState"]).collect();
    assert_eq!(states, ["new", "unchanged"]);

    let ran = folder.run("run a.toml --report out --known nowhere");
    assert_eq!(ran.exit, 3);
    assert!(ran.stderr.contains("cannot read nowhere"), "{}", ran.stderr);
    let folder = folder.write("other/report.json", "{\"format\": 7}");
    let ran = folder.run("run a.toml --report out --known other");
    assert!(
        ran.exit == 3 && ran.stderr.contains("it is a report of form 7, and this version reads form 1"),
        "{}",
        ran.stderr
    );
}

#[test]
fn what_cannot_run_is_not_green() {
    let folder = Folder::new("report_refused")
        .write("bad.toml", &kick(KICKED).replace("seed = 1", "sede = 1"))
        .write("none/readme.md", "# No scenario\n");
    for (words, said) in [
        ("run bad.toml --report out", "1 file refused, so nothing runs"),
        ("run none --report out", "1 file refused, so nothing runs"),
        ("sweep --seeds 5..5 --report out", "there is no seed in it"),
        ("sweep --seeds 0..9 --time 1s --report out", "--time goes on from one seed"),
        ("zoo --only nobody --report out", "there is no bug nobody"),
    ] {
        let ran = folder.run(words);
        assert_eq!(ran.exit, 3, "{words}");
        let junit = read(&folder, "out/junit.xml");
        assert!(number(&junit, "errors") > 0 && junit.contains(said), "{words}: {junit}");
        assert!(read(&folder, "out/summary.md").contains(": refused\n"), "{words}");
        let log = sarif(&folder, "out");
        assert_eq!(log["runs"][0]["invocations"][0]["executionSuccessful"], false, "{words}");
    }
    folder.run("run bad.toml --report out");
    let log = sarif(&folder, "out");
    let region = &log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"];
    assert_eq!(region["startLine"], 3, "the mistake is told at its line");
}

#[test]
fn where_nothing_can_be_written_nothing_runs() {
    let folder = Folder::new("report_nowhere").write("a.toml", &kick(KICKED)).write("file", "");
    for words in ["run a.toml --report file", "sweep --seeds 0..3 --report file", "zoo --only F12 --report file/below"]
    {
        let ran = folder.run(words);
        assert_eq!((ran.exit, ran.stdout.lines().count()), (3, 0), "{words}: {}", ran.stdout);
        assert!(ran.stderr.contains("cannot write a report to file"), "{}", ran.stderr);
    }
    // Without properties nothing is judged.
    assert_eq!(folder.run("sweep --seeds 0..3 --unchecked --report out").exit, 3);
}

#[test]
fn pages_of_an_earlier_run_do_not_stay() {
    let folder = Folder::new("report_again").write("a.toml", &kick(NOT_KICKED)).write("out/pages/mine.html", "mine");
    assert_eq!(folder.run("run a.toml --report out").exit, 1);
    assert!(folder.0.join("out/pages/a.packet.html").exists());
    let folder = folder.write("a.toml", &kick(KICKED));
    assert_eq!(folder.run("run a.toml --report out").exit, 0);
    assert!(!folder.0.join("out/pages/a.packet.html").exists());
    assert_eq!(read(&folder, "out/pages/mine.html"), "mine", "what somebody else put there is theirs");
}

#[test]
fn a_sweep_reports_each_property_and_what_adds_up() {
    let folder = Folder::new("report_sweep");
    let ran = folder.run("sweep --seeds 100..140 --json --report out");
    assert_eq!(ran.exit, 0);
    let totals = ran.json();
    let junit = read(&folder, "out/junit.xml");
    assert_eq!(["tests", "failures", "errors"].map(|name| number(&junit, name)), [41, 0, 0]);
    assert!(
        junit.contains(
            "<testcase name=\"every call has exactly one result, in time\" classname=\"sweep.event.swarm\"/>"
        )
    );
    assert!(junit.contains("<testcase name=\"every seed that was asked for has run\""));
    sarif(&folder, "out");
    let sweep = &json(&folder, "out/report.json")["subject"]["sweep"];
    assert_eq!(sweep["asked"], serde_json::json!({ "first": 100, "number": 40 }));
    for (name, of) in
        [("finished", "seeds_finished"), ("events", "events"), ("digest", "digest"), ("repeated", "seeds_run_twice")]
    {
        assert_eq!(sweep[name], totals[of], "{name}");
    }
    let situations = sweep["situations"].as_array().unwrap();
    let reached = situations.iter().filter(|situation| situation["seeds"].as_u64().unwrap() > 0).count();
    assert_eq!(reached, totals["sometimes_hit"].as_array().unwrap().len());
    assert_eq!(situations.len() - reached, totals["sometimes_missed"].as_array().unwrap().len());
    assert!(situations.iter().any(|situation| (2..=40).contains(&situation["seeds"].as_u64().unwrap())));
}

#[test]
fn a_file_under_many_seeds_is_one_test_that_says_which_fail() {
    // Some latencies bring the kick after the end of the window, and some before.
    let drawn = kick("phone-1  kicked_offline once  between 1s 1200ms")
        .replace("[script]", "[sites.office]\nlatency = \"10ms..200ms\"\n\n[script]");
    let folder = Folder::new("report_seeds").write("set/drawn.toml", &drawn).write("set/kick.toml", &kick(KICKED));
    let ran = folder.run("run --seeds 100..120 --world both set --json --report out");
    assert_eq!((ran.exit, ran.stderr.as_str()), (1, ""));
    let totals: Value = serde_json::from_str(&ran.stdout).unwrap();
    let junit = read(&folder, "out/junit.xml");
    assert_eq!(["tests", "failures", "errors"].map(|name| number(&junit, name)), [4, 2, 0]);
    assert!(junit.contains("<testcase name=\"kick\" classname=\"scenarios.event\" time="), "{junit}");
    let report = json(&folder, "out/report.json");
    let runs = &report["subject"]["run"];
    assert_eq!(runs["seeds"], serde_json::json!({ "first": 100, "number": 20 }));
    let ran: Vec<&Value> = runs["ran"].as_array().unwrap().iter().map(|ran| &ran["seeds"]).collect();
    assert_eq!(ran, [20, 20, 20, 20]);
    let events = |of: &Value| of.as_array().unwrap().iter().map(|one| one["events"].as_u64().unwrap()).sum::<u64>();
    assert_eq!(events(&runs["ran"]), events(&totals["results"]));
    // Each way once in each world, with the seeds that fail so, and the first of them shown.
    let findings = report["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 2, "{findings:#?}");
    let failing = &totals["results"][0]["ways"][0]["seeds"];
    for (finding, world) in findings.iter().zip(["packet", "event"]) {
        assert_eq!(finding["origin"]["world"], world);
        assert_eq!(finding["seen"], failing.as_array().unwrap().len(), "{finding}");
        assert_eq!(finding["first"][0], failing[0]);
        let first = failing[0].as_str().unwrap();
        assert!(finding["replay"].as_str().unwrap().contains(&format!("--seed {first}")), "{finding}");
        assert!(folder.0.join(format!("out/pages/drawn.{world}.seed-{first}.html")).exists());
    }
    assert!(read(&folder, "out/summary.md").contains("| each under | 20 seeds from 100 |"));
    sarif(&folder, "out");
    let ran = folder.run("run --seeds 5..5 set/kick.toml --report out");
    assert_eq!(ran.exit, 3);
    assert!(read(&folder, "out/junit.xml").contains("there is no seed in it"));
}

#[test]
fn seeds_that_are_left_out_are_told_and_not_called_good() {
    let folder = Folder::new("report_left_out");
    let ran = folder.run("sweep --world packet --seeds 28..29 --report out --unconfirmed");
    assert_eq!(ran.exit, 4, "none of them ran: {}", ran.stdout);
    let junit = read(&folder, "out/junit.xml");
    assert!(junit.contains("none of 1 seeds from 28 has finished"), "{junit}");
    assert!(number(&junit, "errors") > 37, "no property was judged: {junit}");
    assert!(junit.contains("<skipped message=\"1 of 1 seeds are longer than the packet world can run\""), "{junit}");
}

#[test]
fn a_hunt_reports_each_bug() {
    let folder = Folder::new("report_zoo");
    let ran = folder.run("zoo --only F12 --only F06 --blocks 1 --unshrunk --report out");
    assert_eq!(ran.exit, 0, "{}", ran.stdout);
    let junit = read(&folder, "out/junit.xml");
    assert_eq!(["tests", "failures", "errors"].map(|name| number(&junit, name)), [4, 0, 0]);
    assert!(junit.contains("<testcase name=\"F06 "), "{junit}");
    sarif(&folder, "out");

    // F06 takes more than a seed to be seen.
    let ran = folder.run("zoo --only F06 --blocks 1 --limit 1 --unshrunk --report out");
    assert_eq!(ran.exit, 1, "{}", ran.stdout);
    let junit = read(&folder, "out/junit.xml");
    assert!(junit.contains("nothing named it in 1 of 1 blocks of seeds"), "{junit}");
    assert!(junit.contains("type=\"bug-not-caught\""), "{junit}");
    let log = sarif(&folder, "out");
    assert_eq!(log["runs"][0]["results"][0]["ruleId"], "bug-not-caught");
    for words in ["zoo --list --report out", "zoo --fields --report out", "zoo --properties --report out"] {
        assert_eq!(folder.run(words).exit, 3, "{words}");
    }
}

#[test]
fn a_step_of_github_actions_is_annotated_and_has_its_summary() {
    let mut folder = Folder::new("report_actions");
    for number in 0..12 {
        folder = folder.write(&format!("scenarios/{number:02}.toml"), &kick(NOT_KICKED));
    }
    let folder = folder.write("summary.md", "before\n");
    let run = |words: &str| {
        let mut command = folder.command(words);
        command.env("GITHUB_ACTIONS", "true").env("GITHUB_STEP_SUMMARY", folder.0.join("summary.md"));
        Folder::ran(&mut command)
    };
    let ran = run("run --world event --report out");
    let told: Vec<&str> = ran.stdout.lines().filter(|line| line.starts_with("::")).collect();
    assert_eq!(told.len(), 10, "{told:#?}");
    assert!(
        told[0].starts_with("::error file=")
            && told[0].contains("scenarios/00.toml,line=16,col=1,title=expectation-missed in "),
        "{}",
        told[0]
    );
    assert_eq!(told[9], "::error title=gatecrash::and 3 more, which the summary has");
    let summary = read(&folder, "summary.md");
    assert!(summary.starts_with("before\n# gatecrash run: failed\n"), "{summary}");
    // What is for programs stays JSON.
    let ran = run("run --world event --report out --json");
    assert_eq!(serde_json::from_str::<Value>(&ran.stdout).unwrap()["missed"], 12);
    assert_eq!(ran.stderr.lines().filter(|line| line.starts_with("::error ")).count(), 10);
    // Elsewhere nobody is told.
    let ran = folder.run("run --world event --report out");
    assert!(!ran.stdout.contains("::error"));
}
