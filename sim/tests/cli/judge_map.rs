//! `gatecrash judge --map`: logs as they are, of three shapes, right and wrong.

use std::path::Path;

use super::{Folder, Ran};

/// A folder of the repository; nothing is written there.
fn of_repository(path: &str) -> Folder {
    Folder(Path::new(env!("CARGO_MANIFEST_DIR")).join(path))
}

fn judged(words: &str) -> Ran {
    of_repository("tests/judge").run(&format!("judge {words}"))
}

/// The log is right in one file, and wrong in the other, where that is said in these words.
#[track_caller]
fn assert_told(shape: &str, wrong: &[&str]) {
    let ran = judged(&format!("--map {shape}.toml --settled {shape}.right.log"));
    assert_eq!((ran.exit, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);
    assert!(ran.stdout.contains("\nholds: "), "{}", ran.stdout);
    let ran = judged(&format!("--map {shape}.toml --settled {shape}.wrong.log"));
    assert_eq!((ran.exit, ran.stderr.as_str()), (1, ""), "{}", ran.stdout);
    let told: Vec<&str> = ran.stdout.lines().skip(2).take_while(|line| !line.is_empty()).map(str::trim).collect();
    assert_eq!(told, wrong);
}

#[test]
fn a_log_in_json_with_nested_fields_and_epoch_milliseconds_is_judged() {
    assert_told(
        "json",
        &[
            "POLICY-3 violated: pixel at 0.120 s",
            "rule      An accepted login wins and displaces exactly those it competes with: other platforms of its group, and the surplus on its own, dormant and oldest first.",
            "property  some order in which logins were accepted explains who had which seat, and who was told",
            "instead   of 42, pixel's login was called at 0.120 s and accepted by 0.310 s, pixel was told at 41.260 s that it was kicked by watch: that device cannot have displaced it",
            "lines     json.wrong.log:3",
        ],
    );
}

#[test]
fn a_log_in_logfmt_whose_messages_are_texts_is_judged() {
    assert_told(
        "logfmt",
        &[
            "LOGOUT-1 violated: tab at 62.500 s",
            "rule      From the call of logout on the device is logged out and hears nothing more; the call has one result within the request timeout.",
            "property  a session's end is told once, its calls end before that, and nothing follows unasked",
            "instead   connecting was told after its logout",
            "lines     logfmt.wrong.log:8",
        ],
    );
}

#[test]
fn a_log_of_texts_one_line_of_which_is_several_events_is_judged() {
    assert_told(
        "several",
        &[
            "EVENT-1 violated: tab at 3601.500 s",
            "rule      A session ends with at most one terminal event, after the change of status and the end of its pending calls.",
            "property  a session's end is told once, its calls end before that, and nothing follows unasked",
            "instead   user_sig_expired was told, after an expiry of the same session",
            "lines     several.wrong.log:5",
        ],
    );
}

#[test]
fn lines_that_no_rule_matches_are_counted_and_the_first_of_each_kind_is_shown() {
    let ran = judged("--map several.toml --settled several.right.log");
    let shown = "unmapped: 1 line such as several.right.log:3:   at im.Session.open(Session.java:120)\n";
    assert!(ran.stdout.contains(shown), "{}", ran.stdout);
    let json = of_repository("../examples/log-judged").run("judge --json --map map.toml im.log").json();
    assert_eq!(json["dropped"], 2);
    assert_eq!(json["unmapped"][0]["times"], 2);
    assert_eq!((&json["unmapped"][0]["file"], &json["unmapped"][0]["line"]), (&"im.log".into(), &5.into()));
    assert_eq!(json["unmapped"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_log_of_which_nothing_says_that_all_had_come_to_rest_is_not_green() {
    let ran = judged("--map logfmt.toml logfmt.right.log");
    assert_eq!(ran.exit, 2);
    let said = "not settled: nothing says that all had come to rest when the log ended: --settled does, or `settled = true` in the map's [head]";
    assert!(ran.stdout.contains(said), "{}", ran.stdout);
}

#[test]
fn a_log_for_each_device_is_one_history_whichever_begins_first() {
    let lines = include_str!("../judge/json.right.log");
    let of = |device: &str| lines.split_inclusive('\n').filter(|line| line.contains(device)).collect::<String>();
    let folder = Folder::new("judge_map_devices")
        .write("map.toml", include_str!("../judge/json.toml"))
        .write("iphone.log", &of("\"name\":\"iphone\""))
        .write("pixel.log", &of("\"name\":\"pixel\""));
    let ran = folder.run("judge --map map.toml iphone.log pixel.log");
    assert_eq!(ran.exit, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.ends_with("\nholds: 8 rules judged; 8 events\n"), "{}", ran.stdout);
}

#[test]
fn every_mistake_in_a_map_is_told_at_its_place() {
    let ran = judged("--map mistakes.toml json.right.log");
    assert_eq!((ran.exit, ran.stdout.as_str()), (3, ""));
    assert_eq!(ran.stderr, include_str!("../judge/mistakes.txt"));
}

#[test]
fn a_line_of_a_log_that_cannot_be_read_or_makes_no_event_is_told_at_its_place() {
    let log = r#"{"ts":1764500000000,"evt":"kicked","device":{"name":"a"}}
{"ts":1764500000000,"evt":"kicked"
{"evt":"kicked"}

{"evt":"kicked","ts":"soon","device":{"name":"a"}}
{"ts":1764500000000,"evt":"kicked"}
{"ts":1764500000000,"evt":"login","phase":"end","device":{"name":"a"}}
{"ts":1764500000000,"evt":"login","phase":"end","req":1,"result":"MAYBE","device":{"name":"a"}}
{"ts":1764500000001,"evt":"login","phase":"end","req":1,"result":"SUCCESS","device":{"name":"a"}}
{"ts":1764499990000,"evt":"kicked","device":{"name":"a"}}
"#;
    let folder =
        Folder::new("judge_map_lines").write("map.toml", include_str!("../judge/json.toml")).write("im.log", log);
    let ran = folder.run("judge --map map.toml im.log");
    assert_eq!((ran.exit, ran.stdout.as_str()), (3, ""));
    assert_eq!(
        ran.stderr.lines().collect::<Vec<_>>(),
        [
            r#"im.log:2:34: the line is no JSON object: EOF while parsing an object"#,
            r#"im.log:3:1: the line does not say when: it has no `ts`"#,
            r#"im.log:5:22: `ts` has to be a number of milliseconds since 1970, and not `soon`"#,
            r#"im.log:6:1: the line does not say to whom: `actor` is missing; the map made {"at_us":0,"event":"kicked_offline","what":"told"} of the line"#,
            r#"im.log:7:1: the line has no `req`, of which the rule in line 16 of map.toml makes `call`"#,
            r#"im.log:8:1: an outcome is ok, failed or unknown, and not `MAYBE`; the map made {"actor":"a","at_us":0,"call":1,"outcome":"MAYBE","what":"answered"} of the line"#,
            r#"im.log:9:1: there was no call with the number 1; the map made {"actor":"a","at_us":1000,"call":1,"outcome":"ok","what":"answered"} of the line"#,
            r#"im.log:10:1: lines have to stand in the order of time: that is before the second of the log's first event"#,
        ]
    );
}

#[test]
fn the_example_says_what_its_readme_shows() {
    let folder = of_repository("../examples/log-judged");
    let readme = include_str!("../../../examples/log-judged/README.md");
    let command = readme.lines().find_map(|line| line.strip_prefix("$ gatecrash ")).unwrap();
    let ran = folder.run(command);
    assert_eq!(ran.exit, 1, "{}", ran.stderr);
    assert!(readme.contains(&format!("\n$ gatecrash {command}\n{}```\n", ran.stdout)), "{}", ran.stdout);
}
