//! `gatecrash drive`: real processes are driven, judged, and gone when it ends, however it ends.
//!
//! The system is the chat of `subjects/tcp-chat`, in Python, with bugs that can be planted.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Folder, Ran};

fn repository() -> PathBuf {
    fs::canonicalize(Path::new(env!("CARGO_MANIFEST_DIR")).join("..")).unwrap()
}

/// A folder with the chat as a subject, with something else about it.
fn chat(test: &str, change: impl FnOnce(String) -> String) -> Folder {
    let here = repository().join("subjects/tcp-chat");
    let text = fs::read_to_string(here.join("subject.toml")).unwrap();
    Folder::new(test).write("subject.toml", &change(text).replace("{here}", &here.display().to_string()))
}

/// Two phones log in as one user, one after the other.
const TAKEOVER: &str = r#"title = "The second phone takes the seat of the first"
rules = ["POLICY-3", "KICK-1"]
seed = 1

[app]
policy = "single"

[devices]
phone-1 = { platform = "android", site = "home" }
phone-2 = { platform = "android", site = "office" }

[script]
until = "1s"
steps = """
0s      phone-1  login alice
500ms   phone-2  login alice
"""
"#;

fn drive(folder: &Folder, words: &str) -> (Value, i32) {
    let ran: Ran = folder.run(&format!("drive subject.toml {words} --json --shrink 0s"));
    let said = serde_json::from_str(&ran.stdout);
    (said.unwrap_or_else(|error| panic!("{error}: {} {}", ran.stdout, ran.stderr)), ran.exit)
}

fn row<'v>(said: &'v Value, rule: &str) -> &'v Value {
    said["rules"].as_array().unwrap().iter().find(|row| row["rule"] == rule).unwrap()
}

#[test]
fn a_takeover_on_a_real_server_is_played_and_judged() {
    let folder = chat("drive_takeover", |text| text).write("takeover.toml", TAKEOVER);
    let (said, exit) = drive(&folder, "takeover.toml");
    assert_eq!((exit, &said["verdict"]), (0, &"holds".into()), "{said:#}");
    for rule in ["LOGIN-3", "POLICY-4", "KICK-1"] {
        assert_eq!((&row(&said, rule)["judged"], &row(&said, rule)["violated"]), (&1.into(), &0.into()), "{said:#}");
    }
}

/// The same in another language. Node.js is there where the tests of pages are.
#[test]
fn an_adapter_in_javascript_comes_to_the_same() {
    let python = "python3 {here}/../../adapters/python/adapter.py";
    let folder = chat("drive_javascript", |text| {
        assert!(text.contains(python));
        text.replace(python, "node {here}/../../adapters/javascript/adapter.mjs")
    });
    let folder = folder.write("takeover.toml", TAKEOVER);
    let (said, exit) = drive(&folder, "takeover.toml");
    assert_eq!((exit, &row(&said, "KICK-1")["held"]), (0, &1.into()), "{said:#}");
}

/// The one to begin with, which does not come back by itself.
#[test]
fn the_smallest_adapter_tells_enough_to_be_judged() {
    let here = repository().join("subjects/tcp-chat");
    let text = fs::read_to_string(here.join("small.toml")).unwrap().replace("{here}", &here.display().to_string());
    let folder = Folder::new("drive_small").write("subject.toml", &text).write("takeover.toml", TAKEOVER);
    let (said, exit) = drive(&folder, "takeover.toml");
    assert_eq!((exit, &row(&said, "KICK-1")["held"]), (0, &1.into()), "{said:#}");
}

#[test]
fn a_server_that_tells_nobody_is_found_out_and_what_was_found_is_kept() {
    let planted = |text: String| text.replace("server.py --host", "server.py --bug never-told --host");
    let folder = chat("drive_never_told", planted).write("takeover.toml", TAKEOVER);
    let (said, exit) = drive(&folder, "takeover.toml --report out --out kept");
    assert_eq!((exit, &said["verdict"]), (1, &"violated".into()), "{said:#}");
    assert_eq!(row(&said, "KICK-1")["violated"], 1, "{said:#}");
    let finding = said["findings"].as_array().unwrap().iter().find(|finding| finding["rule"] == "KICK-1").unwrap();
    assert_eq!(finding["again"], serde_json::json!([5, 5]), "{said:#}");
    let kept = folder.0.join(finding["kept"].as_str().unwrap());
    for name in ["scenario.toml", "history.jsonl", "subject.toml", "README.md", "page.html"] {
        assert!(kept.join(name).is_file(), "{name}");
    }
    // What is kept is judged by whoever has it, without the system.
    let judged = folder.run(&format!("judge {}", kept.join("history.jsonl").display()));
    assert!(judged.exit == 1 && judged.stdout.contains("KICK-1 violated"), "{}", judged.stdout);
    assert!(fs::read_to_string(folder.0.join("out/junit.xml")).unwrap().contains("KICK-1"));
}

#[test]
fn nothing_judged_is_not_green() {
    // Nobody's ticket runs out here.
    let folder = chat("drive_nothing", |text| {
        let (head, rest) = text.split_once("rules = [").unwrap();
        format!("{head}rules = [\"TICKET-5\"]{}", &rest[rest.find("\n]").unwrap() + 2..])
    });
    let folder = folder.write("takeover.toml", TAKEOVER);
    let (said, exit) = drive(&folder, "takeover.toml");
    assert_eq!((exit, &said["verdict"]), (2, &"nothing_judged".into()), "{said:#}");
}

#[test]
fn what_means_nothing_to_a_real_system_is_left_out_and_counted() {
    let steps = TAKEOVER.replace("500ms   phone-2", "300ms   fault    skew server +1h\n500ms   phone-2");
    let other = TAKEOVER.replace("\"single\"", "\"multi\"");
    let folder = chat("drive_left_out", |text| text).write("a/one.toml", &steps).write("a/other.toml", &other);
    let (said, exit) = drive(&folder, "a");
    assert_eq!(exit, 0, "{said:#}");
    assert_eq!(said["steps_left_out"], serde_json::json!({ "a real clock cannot be set": 1 }));
    let why = "it asks for another policy than the system has";
    assert_eq!(said["scenarios_left_out"], serde_json::json!({ why: 1 }));
}

#[test]
fn a_subject_that_cannot_be_is_refused_with_every_mistake() {
    let folder = chat("drive_refused", |text| {
        text.replace("settle", "setle").replace("\"KICK-1\"", "\"KICK-11\"").replace("start =", "strat =")
    });
    let ran = folder.run("drive subject.toml --seeds 0..1");
    assert_eq!((ran.exit, ran.stdout.as_str()), (3, ""));
    assert!(
        ["did you mean KICK-1?", "did you mean `start`?", "`setle`"].iter().all(|text| ran.stderr.contains(text)),
        "{}",
        ran.stderr
    );
    let folder = chat("drive_no_server", |text| text.replace("python3 {here}/server.py", "no-such-server"));
    let ran = folder.run("drive subject.toml --seeds 0..1");
    assert!(ran.exit == 3 && ran.stderr.contains("cannot start `no-such-server`"), "{}", ran.stderr);
}

#[test]
fn an_adapter_is_held_to_the_protocol() {
    let good = repository().join("adapters/python/adapter.py");
    let folder = Folder::new("drive_selftest").write("bad.py", "print('hello')\n").write(
        "silly.py",
        "import json, sys\nfor line in sys.stdin:\n  line = json.loads(line)\n  if 'hello' in line: \
         print('{\"ready\":1,\"can\":[\"login\"]}', flush=True)\n  if 'call' in line: \
         print(json.dumps({'answered': line['call'], 'outcome': 'ok'}), flush=True)\n",
    );
    let ran = folder.run(&format!("drive --selftest python3 {}", good.display()));
    assert!(ran.exit == 0 && ran.stdout.ends_with("10 checks, 0 of them wrong\n"), "{}", ran.stdout);
    let ran = folder.run("drive --selftest python3 bad.py");
    assert!(ran.exit == 1 && ran.stdout.contains("it is no JSON"), "{}", ran.stdout);
    let ran = folder.run("drive --selftest python3 silly.py");
    assert!(
        ran.exit == 1 && ran.stdout.contains("wrong  before nobody's server a login is answered"),
        "{}",
        ran.stdout
    );
}

/// Whose command line has this in it.
fn alive(mark: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Ok(words) = fs::read(entry.path().join("cmdline")) else { continue };
        let words = String::from_utf8_lossy(&words).replace('\0', " ");
        if words.contains(mark) {
            found.push(words);
        }
    }
    found
}

/// A process that does not outlive its test.
struct Ended(std::process::Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Waits until it is so.
#[expect(clippy::disallowed_methods, reason = "real processes take real time")]
fn until(what: &str, is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(30), "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// No process is left behind: after an interrupt, and after a death that nobody can prepare for.
#[test]
fn nobody_outlives_a_drive() {
    for (test, signal) in [("drive_interrupted", "INT"), ("drive_killed", "KILL")] {
        let mark = format!("--mark-of-{test}");
        let marked = |text: String| text.replace("server.py --host", &format!("server.py {mark} --host"));
        let folder = chat(test, marked);
        // A server that takes no such option says so and ends.
        let server = fs::read_to_string(repository().join("subjects/tcp-chat/server.py")).unwrap();
        let folder = folder.write("server.py", &format!("import sys\nsys.argv.remove({mark:?})\n{server}"));
        let text = fs::read_to_string(folder.0.join("subject.toml")).unwrap();
        let here = repository().join("subjects/tcp-chat");
        let server = folder.0.join("server.py").display().to_string();
        let text = text.replace(&here.join("server.py").display().to_string(), &server);
        let folder = folder.write("subject.toml", &text);
        let mut child = Ended(
            Command::new(env!("CARGO_BIN_EXE_gatecrash"))
                .args(["drive", "subject.toml", "--seeds", "0..1000", "--json", "--shrink", "0s"])
                .current_dir(&folder.0)
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .unwrap(),
        );
        // So many servers that scenarios, and not only the first question, are under way.
        until("servers are started", || alive(&mark).len() > 3);
        let told = Command::new("kill").arg(format!("-{signal}")).arg(child.0.id().to_string()).status().unwrap();
        assert!(told.success());
        let mut said = String::new();
        child.0.stdout.take().unwrap().read_to_string(&mut said).unwrap();
        let exit = child.0.wait().unwrap().code();
        assert_eq!(exit, (signal == "INT").then_some(130), "{said}");
        assert_eq!(said.is_empty(), signal == "KILL", "{said}");
        until("nobody is left", || alive(&mark).is_empty());
    }
}

/// The schema that stands beside the documents is that of the protocol, and the document's own lines fit it.
#[test]
fn the_schema_is_the_protocols() {
    let ran = Folder::new("drive_schema").run("schema --adapter");
    let text = fs::read_to_string(repository().join("docs/adapter.schema.json")).unwrap();
    assert_eq!(ran.stdout, text, "write it anew: gatecrash schema --adapter > docs/adapter.schema.json");
    let schema: Value = serde_json::from_str(&text).unwrap();
    let part = |name: &str| {
        let mut schema = schema.clone();
        schema.as_object_mut().unwrap().remove("anyOf");
        schema["$ref"] = format!("#/$defs/{name}").into();
        jsonschema::validator_for(&schema).unwrap()
    };
    let (ask, said) = (part("ask"), part("said"));
    let document = fs::read_to_string(repository().join("docs/drive.md")).unwrap();
    let mut lines = 0;
    for line in document.lines() {
        let (validator, line) = match (line.strip_prefix("→ "), line.strip_prefix("← ")) {
            (Some(line), _) => (&ask, line),
            (_, Some(line)) => (&said, line),
            _ => continue,
        };
        lines += 1;
        let line: Value = serde_json::from_str(&line.replace('…', "x")).unwrap();
        assert!(validator.is_valid(&line), "{line}");
    }
    assert!(lines > 10, "{lines}");
    for wrong in [r#"{"answered":1}"#, r#"{"ready":1,"can":["fly"]}"#, r#"{"status":"IN"}"#, r#"{"told":"kick"}"#] {
        assert!(!said.is_valid(&serde_json::from_str(wrong).unwrap()), "{wrong}");
    }
}
