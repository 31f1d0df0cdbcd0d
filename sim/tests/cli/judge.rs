//! `gatecrash judge`: what it prints, how it ends, and from where it reads.

use std::path::Path;

use super::{Folder, Ran};

const HEAD: &str = r#"{"history":1,"system":"acme-im","observes":["calls","events"]}"#;
const CALLED: &str =
    r#"{"at_us":1,"actor":"phone","what":"called","call":1,"request":"login","user":"alice","platform":"android"}"#;
const ANSWERED: &str = r#"{"at_us":2,"actor":"phone","what":"answered","call":1,"outcome":"ok"}"#;
const TOLD: &str = r#"{"at_us":2,"actor":"phone","what":"told","event":"connect_success"}"#;
const END: &str = r#"{"at_us":9,"what":"end","settled":true}"#;

fn repository() -> Folder {
    Folder(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
}

/// The documents show what a run prints: all of it, and a part of it.
#[test]
fn what_the_documents_show_is_what_it_prints() {
    let ran: Ran = repository().run("judge examples/histories/never-told.jsonl");
    assert_eq!((ran.exit, ran.stderr.as_str()), (1, ""));
    let document = include_str!("../../../docs/histories.md");
    assert!(document.contains(ran.stdout.trim_end()), "{}", ran.stdout);
    assert!(document.contains(include_str!("../../../examples/histories/never-told.jsonl").trim_end()));
    let readme = include_str!("../../../README.md");
    let (_, block) =
        readme.split_once("acme-im 3.2 (examples/histories/never-told.jsonl)").expect("it is in the README");
    for line in block.split("```").next().unwrap_or_default().lines().filter(|line| line.trim() != "…") {
        assert!(ran.stdout.contains(line), "{line}");
    }
}

#[test]
fn it_ends_as_the_history_does() {
    let text = |lines: &[&str]| format!("{}\n", lines.join("\n"));
    let folder = Folder::new("judge_ends")
        .write("right.jsonl", &text(&[HEAD, CALLED, ANSWERED, END]))
        .write("wrong.jsonl", &text(&[HEAD, CALLED, ANSWERED, ANSWERED, END]))
        .write("open.jsonl", &text(&[HEAD, CALLED, ANSWERED]))
        .write("idle.jsonl", &text(&[HEAD, END]))
        .write("bad.jsonl", &text(&[HEAD, ANSWERED, END]));
    for (name, exit) in [("right", 0), ("wrong", 1), ("open", 2), ("idle", 2), ("bad", 3)] {
        assert_eq!(folder.run(&format!("judge {name}.jsonl")).exit, exit, "{name}");
    }
    assert_eq!(folder.run("judge right.jsonl wrong.jsonl idle.jsonl").exit, 1);
    assert_eq!(folder.run("judge right.jsonl idle.jsonl").exit, 2);
    assert_eq!(folder.run("judge right.jsonl --rules TICKET").exit, 2);
    assert_eq!(folder.run("judge nowhere.jsonl").exit, 3);
    let ran = folder.run("judge right.jsonl --rules KIKC-3");
    assert_eq!(
        (ran.exit, ran.stderr.trim()),
        (3, "error: --rules KIKC-3: there is no such rule; did you mean KICK-3?")
    );
}

/// A file without a first line of its own goes on with the history before.
#[test]
fn a_history_may_have_a_file_for_each_device() {
    let other = |line: &str| line.replace("phone", "pad").replace("android", "ipad");
    let folder = Folder::new("judge_files")
        .write("a.jsonl", &format!("{HEAD}\n{CALLED}\n{ANSWERED}\n{END}\n"))
        .write("b.jsonl", &format!("{}\n{}\n{}\n", other(CALLED), other(ANSWERED), other(ANSWERED)));
    let ran = folder.run("judge a.jsonl b.jsonl --json").json();
    assert_eq!(ran["verdict"], "violated");
    assert_eq!(ran["events"], 6);
    assert_eq!(ran["violations"][0]["rule"], "LOGIN-3");
    assert_eq!(
        ran["violations"][0]["lines"],
        serde_json::json!([{ "file": "b.jsonl", "line": 2 }, { "file": "b.jsonl", "line": 3 }])
    );
}

/// What a run of ours leaves as a history is judged as the run was.
#[test]
fn a_run_of_ours_is_judged_as_a_history() {
    let folder = repository();
    let scenario = "scenarios/kick_reaches_a_device_that_was_offline.toml";
    let judged = |observe: &str| {
        let history = folder.run(&format!("replay {scenario} --observe {observe}"));
        assert_eq!(history.exit, 0);
        let own = Folder::new(&format!("judge_{}", observe.len())).write("h.jsonl", &history.stdout);
        let ran = own.run("judge h.jsonl");
        assert_eq!((ran.exit, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);
        ran.stdout
    };
    assert!(judged("all").contains("  KICK-3     holds             judged\n"));
    assert!(judged("calls,events,status,process,link").contains("  KICK-1     holds             judged"));
    assert!(judged("calls,events").contains("  POLICY-4   holds             judged once\n"));
}

#[test]
fn a_login_that_succeeds_without_a_status_is_found() {
    let head = HEAD.replace("\"events\"", "\"events\",\"status\"");
    let history = format!("{head}\n{CALLED}\n{TOLD}\n{ANSWERED}\n{END}\n");
    let folder = Folder::new("judge_status").write("h.jsonl", &history);
    let ran = folder.run("judge h.jsonl");
    assert_eq!(ran.exit, 1, "{}", ran.stdout);
    assert!(ran.stdout.contains("a login succeeded, and the status was never LOGINED"), "{}", ran.stdout);
}
