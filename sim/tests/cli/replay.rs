//! `gatecrash replay`.

use crate::{Folder, KICKED, NOT_KICKED, kick, restless};

#[test]
fn a_replay_tells_the_story_and_the_verdict() {
    let folder = Folder::new("story").write("kick.toml", &kick(KICKED));
    let ran = folder.run("replay kick.toml --story");
    assert_eq!((ran.exit, ran.stderr.as_str()), (0, ""));
    let lines: Vec<&str> = ran.stdout.lines().collect();
    let head =
        ["packet world: kick.toml", "The second phone takes the seat of the first", "rules POLICY-3, KICK-1", ""];
    assert_eq!(lines[..4], head);
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

/// The times of the events in a replay's JSON, in milliseconds.
fn times(folder: &Folder, words: &str) -> Vec<u64> {
    let replay = folder.run(&format!("replay kick.toml --json {words}")).json();
    replay["events"].as_array().unwrap().iter().map(|event| event["at_us"].as_u64().unwrap() / 1_000).collect()
}

#[test]
fn parts_of_a_run_are_those_of_a_time_and_the_last_of_them() {
    let folder = Folder::new("parts").write("kick.toml", &kick(KICKED));
    let whole = times(&folder, "");
    let those = |from: u64, until: u64| -> Vec<u64> {
        whole.iter().copied().filter(|at| (from..=until).contains(at)).collect()
    };
    assert_eq!(times(&folder, "--from 1s"), those(1_000, u64::MAX));
    assert_eq!(times(&folder, "--from 1s --until 1060ms"), those(1_000, 1_060));
    assert_eq!(times(&folder, "--around 1060ms±30ms"), those(1_030, 1_090));
    assert_eq!(times(&folder, "--around 1060ms+-30ms --from 1060ms"), those(1_060, 1_090));
    assert_eq!(times(&folder, "--around 3s"), those(2_000, 4_000), "a second before and after");
    let three = times(&folder, "--until 1060ms --last 3");
    assert_eq!(three, those(0, 1_060)[those(0, 1_060).len() - 3..]);

    let lines = |words: &str| {
        let ran = folder.run(&format!("replay kick.toml --story {words}"));
        assert_eq!(ran.exit, 0, "{}", ran.stderr);
        let (_, events) = ran.stdout.split_once("\n\n").unwrap();
        events.split_once("\n\n").unwrap().0.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(lines("--last 4"), lines("")[lines("").len() - 4..]);
    assert_eq!(lines("--from 20s"), ["(nothing of it is in what was asked for)"]);
}

#[test]
fn parts_of_a_run_are_those_of_a_device_of_a_user_and_of_what_hangs_together() {
    let two_users = kick(KICKED).replace(
        "1s  phone-2  login alice\n",
        "1s  phone-2  login alice\n2s  phone-1  login bob\n2s  fault  partition office\n",
    );
    let folder = Folder::new("whose").write("two.toml", &two_users);
    let story = |words: &str| folder.run(&format!("replay two.toml --story {words}")).stdout;
    let of_device = story("--device phone-2");
    assert!(of_device.contains("phone-2 => app      connect_success user=alice"), "{of_device}");
    assert!(of_device.contains("session ended alice/phone-1 epoch 1 same_platform by phone-2"), "{of_device}");
    assert!(of_device.contains("fault partition office"), "its site's: {of_device}");
    assert!(!of_device.contains("login user=bob"), "{of_device}");
    let of_user = story("--user bob");
    assert!(of_user.contains("login user=bob") && of_user.contains("login answered: ok user=bob"), "{of_user}");
    assert!(of_user.contains("login_accepted call=3"), "an answer names nobody, and is of their call: {of_user}");
    assert!(!of_user.contains("user=alice"), "{of_user}");
    let of_both = story("--user bob --device phone-2");
    assert!(of_both.contains("(nothing of it is in what was asked for)"), "{of_both}");

    let why = story("--why=1.091s --device phone-1");
    assert!(why.contains("phone-1 => app      kicked_offline"), "{why}");
    assert!(why.contains("phone-1 => app      connect_success user=alice epoch=1"), "the session it ends: {why}");
    assert!(why.contains("known_ended=alice"), "a later login that names it: {why}");
    assert!(!why.contains("connect_success user=bob") && !why.contains("fault"), "{why}");
}

#[test]
fn what_went_wrong_is_told_with_what_it_hangs_together_with() {
    let wrong = kick(NOT_KICKED).replace("until = \"3s\"", "until = \"90s\"");
    let folder = Folder::new("why").write("wrong.toml", &wrong);
    let why = folder.run("replay wrong.toml --why --story");
    assert_eq!(why.exit, 1);
    let (part, failure) = why.stdout.split_once("\nFAILED").unwrap();
    assert!(part.contains("phone-1 => app      kicked_offline") && part.contains("kick_confirmed"), "{part}");
    assert!(!part.contains("phone-2             status LOGINED"), "{part}");
    assert!(failure.contains("the scenario expected `phone-1  kicked_offline never`"), "{failure}");

    let since = folder.run("replay wrong.toml --story --since --around 1.091s±1ms").stdout;
    let line = since.lines().find(|line| line.contains("=> app      kicked_offline")).unwrap();
    assert!(line.starts_with("    1.091      +0.000      +0.000  phone-1 => app"), "{line}");
    let first = folder.run("replay wrong.toml --story --since").stdout;
    let line = first.lines().find(|line| line.contains("phone-2 <= app      login")).unwrap();
    assert!(line.starts_with("    1.000      +0.") && line.contains("      -0.091  phone-2 <= app"), "{line}");
}

#[test]
fn a_part_that_is_of_no_run_is_refused() {
    let folder = Folder::new("no_part").write("kick.toml", &kick(KICKED));
    for (words, said) in [
        ("--from 2s --until 1s", "nothing is both from 2.000 s on and up to 1.000 s"),
        ("--around 5s --until 1s", "nothing is both from 4.000 s on and up to 1.000 s"),
        ("--device phone-3", "there is no device phone-3: did you mean phone-"),
        ("--user alcie", "there is no user alcie: did you mean alice?"),
        ("--why", "nothing went wrong: --why=TIME says what it is to be about"),
        ("--log debug --user alice", "give --log or --user, not both"),
        ("--log debug --why=1s", "give --log or --why, not both"),
        ("--last 0", "0 is not in 1.."),
        ("--around 5s±", "expected a time, and how far around it"),
        ("--json --since", "cannot be used with"),
        ("--seed dense:1", "is drawn from a number, such as --seed 17, and not dense:1"),
    ] {
        let ran = folder.run(&format!("replay kick.toml {words}"));
        assert_eq!((ran.exit, ran.stdout.as_str()), (3, ""), "{words}");
        assert!(ran.stderr.contains(said), "{words} says\n{}", ran.stderr);
    }
}

/// What is drawn for the event world runs there, and the first line says so.
#[test]
fn the_first_line_says_in_which_world_a_seed_is_replayed() {
    let folder = Folder::new("which_world").write("kick.toml", &kick(KICKED));
    let first = |words: &str| folder.run(words).stdout.lines().next().unwrap().to_owned();
    assert_eq!(first("replay --seed 3 --last 1"), "event world: --seed 3");
    assert_eq!(first("replay --seed dense:3 --last 1"), "packet world: --seed dense:3");
    assert_eq!(first("replay kick.toml --world event"), "event world: kick.toml");
    assert_eq!(first("replay kick.toml --seed 7"), "packet world: kick.toml under seed 7");
}

#[test]
fn colours_are_there_when_they_are_asked_for() {
    let folder = Folder::new("colour").write("wrong.toml", &kick(NOT_KICKED));
    let (plain, always) = (folder.run("replay wrong.toml"), folder.run("replay wrong.toml --color always"));
    assert!(!plain.stdout.contains('\u{1b}'));
    assert!(always.stdout.contains("\u{1b}[1m\u{1b}[31m>\u{1b}[0m"), "the marked line: {}", always.stdout);
    assert_eq!(anstream::adapter::strip_str(&always.stdout).to_string(), plain.stdout, "and nothing else");
    let run = folder.run("--color always run --once wrong.toml").stdout;
    assert!(run.contains("\u{1b}[31mMISSED\u{1b}[0m"), "{run}");
}
