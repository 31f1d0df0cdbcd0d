//! `gatecrash replay`.

use crate::{Folder, KICKED, kick, restless};

#[test]
fn a_replay_tells_the_story_and_the_verdict() {
    let folder = Folder::new("story").write("kick.toml", &kick(KICKED));
    let ran = folder.run("replay kick.toml --story");
    assert_eq!((ran.exit, ran.stderr.as_str()), (0, ""));
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(lines[..3], ["The second phone takes the seat of the first", "rules POLICY-3, KICK-1", ""]);
    let line = |words: &str| lines.iter().position(|line| line.contains(words)).unwrap();
    assert!(line("phone-2 <= app      login") < line("phone-1 => app      kicked_offline"));
    let [.., "", passed] = &lines[..] else { panic!("the verdict stands apart") };
    assert!(passed.starts_with("passed: ") && passed.contains(" events, digest "), "{passed}");
}

#[test]
fn the_whole_trace_has_more_lines_than_the_story() {
    let folder = Folder::new("whole").write("kick.toml", &kick(KICKED));
    let lines = |words: &str| folder.run(words).stdout.lines().count();
    assert!(lines("replay kick.toml") > lines("replay kick.toml --story"));
}

#[test]
fn until_cuts_what_is_printed_and_not_the_run() {
    let folder = Folder::new("until").write("restless.toml", &restless());
    let (whole, cut) = (
        folder.run("replay restless.toml --json").json(),
        folder.run("replay restless.toml --json --until 500ms").json(),
    );
    let number = |replay: &serde_json::Value| replay["events"].as_array().unwrap().len();
    assert!(number(&cut) > 0 && number(&cut) < number(&whole));
    assert!(cut["events"].as_array().unwrap().iter().all(|event| event["at_us"].as_u64().unwrap() <= 500_000));
    assert_eq!((&cut["digest"], &cut["not_converged"]), (&whole["digest"], &whole["not_converged"]));

    let ran = folder.run("replay restless.toml --until 500ms --story");
    assert_eq!(ran.exit, 2);
    assert!(!ran.stdout.contains("    1.000"), "{}", ran.stdout);
}

#[test]
fn json_is_one_object_with_every_event() {
    let folder = Folder::new("replay_json").write("kick.toml", &kick(KICKED));
    let ran = folder.run("replay kick.toml --json");
    assert_eq!(ran.exit, 0);
    let replay = ran.json();
    assert_eq!((&replay["result"], &replay["passed"]), (&"passed".into(), &true.into()));
    assert_eq!(replay["rules"], serde_json::json!(["POLICY-3", "KICK-1"]));
    let run = folder.run("run --json kick.toml").json();
    assert_eq!(replay["digest"], run["results"][0]["digest"], "another process, the same run");
    assert_eq!(replay["events"].as_array().unwrap().len(), run["events"].as_u64().unwrap() as usize);
    let told = |event: &&serde_json::Value| event["what"] == "told" && event["event"] == "kicked_offline";
    let kicks: Vec<&serde_json::Value> = replay["events"].as_array().unwrap().iter().filter(told).collect();
    assert_eq!(kicks.len(), 1);
    assert_eq!(kicks[0]["actor"], "phone-1");
}

#[test]
fn logs_of_the_drivers_stand_between_the_events() {
    let folder = Folder::new("logs").write("kick.toml", &kick(KICKED));
    let (plain, logged) = (folder.run("replay kick.toml"), folder.run("replay kick.toml --log trace"));
    assert_eq!((logged.exit, logged.stderr.as_str()), (0, ""));
    assert!(logged.stdout.lines().count() > plain.stdout.lines().count());
    let digest = |text: &str| text.lines().last().unwrap().to_owned();
    assert_eq!(digest(&logged.stdout), digest(&plain.stdout), "who listens changes nothing");
}
