//! What becomes of a run that is not as it should be.

use insta::assert_snapshot;

use crate::{Folder, KICKED, NOT_KICKED, kick, restless};

#[test]
fn a_missed_expectation_exits_1_and_is_told_as_the_file_s_own_with_events_and_replay() {
    let folder = Folder::new("violates").write("scenarios/wrong.toml", &kick(NOT_KICKED));
    let ran = folder.run("run");
    assert_eq!((ran.exit, ran.stderr.as_str()), (1, ""));
    assert_snapshot!(ran.timeless(), @r#"
    scenario  devices     events    simulated       wall  result
    wrong           2          ~        3.2 s          ~  MISSED `phone-1  kicked_offline never`

    FAILED  scenarios/wrong.toml
            The second phone takes the seat of the first

      the scenario expected `phone-1  kicked_offline never`
        where     scenarios/wrong.toml:16:1
        instead   it fired once, at 1.091 s
        look at   phone-1 at 1.091 s
        finding   expected-kicked-offline-surplus-f9e8b188

            1.000  phone-2 => app      connecting user=alice
            1.030  phone-2 -> server   login call=2 attempt=1.1 user=alice
            1.060  server              commit 3 {session ended alice/phone-1 epoch 1 same_platform by phone-2; session accepted alice/phone-2 epoch 2; presence 2 alice online kicked [phone-1]}
            1.061  server -> phone-1   kick user=alice epoch=1 by=phone-2 reason=same_platform commit=3
            1.061  server -> phone-2   login_accepted call=2 epoch=2 commit=3
            1.091  phone-1             status LOGOUT
      >     1.091  phone-1 => app      kicked_offline by=phone-2 reason=same_platform user=alice epoch=1
            1.091  phone-1 -> server   kick_confirmed user=alice epoch=1
            1.091  phone-2             status LOGINED login_user=alice
            1.091  phone-2 => app      connect_success user=alice epoch=2

        gatecrash replay scenarios/wrong.toml --until 1.5s

    1 scenario, each run twice: 0 passed, 1 missed what its file expects
    ~ events, 3.2 s simulated in ~
    digest ~
    "#);
}

#[test]
fn the_weightiest_ending_of_several_decides_the_exit_code() {
    let folder = Folder::new("several")
        .write("scenarios/a.toml", &kick(NOT_KICKED))
        .write("scenarios/b.toml", &restless())
        .write("scenarios/c.toml", &kick(KICKED));
    assert_eq!(folder.run("run").exit, 1);
    assert_eq!(folder.run("run scenarios/b.toml scenarios/c.toml").exit, 2);
    assert_eq!(folder.run("run scenarios/c.toml").exit, 0);
    let totals = folder.run("run --json").json();
    assert_eq!((&totals["scenarios"], &totals["passed"]), (&3.into(), &1.into()));
    assert_eq!((&totals["missed"], &totals["not_converged"]), (&1.into(), &1.into()));
}

#[test]
fn json_is_one_object_with_the_totals_and_a_result_for_each_scenario() {
    let folder =
        Folder::new("json").write("scenarios/a.toml", &kick(KICKED)).write("scenarios/b.toml", &kick(NOT_KICKED));
    let ran = folder.run("run --json");
    assert_eq!(ran.exit, 1);
    let totals = ran.json();
    for (key, number) in [("scenarios", 2), ("passed", 1), ("violations", 0), ("expectations_missed", 1), ("missed", 1)]
    {
        assert_eq!(totals[key], number, "{key}");
    }
    assert!(totals["events"].as_u64().unwrap() > 20);
    assert!(totals["simulated_seconds"].as_f64().unwrap() >= 6.0);
    assert!(totals["wall_seconds"].as_f64().unwrap() > 0.0);
    assert_eq!(totals["digest"].as_str().unwrap().len(), 16);

    let [passed, failed] = &totals["results"].as_array().unwrap()[..] else { panic!("two results") };
    assert_eq!((&passed["path"], &passed["result"]), (&"scenarios/a.toml".into(), &"passed".into()));
    assert_eq!((&passed["passed"], &failed["passed"]), (&true.into(), &false.into()));
    assert_eq!(passed["digest"], failed["digest"], "the same happens, whatever is expected");
    assert_eq!(failed["result"], "missed");
    assert!(failed["violations"].as_array().unwrap().is_empty(), "no rule is broken");
    let missed = &failed["missed"][0];
    assert_eq!(missed["expected"], "phone-1  kicked_offline never");
    assert_eq!(
        (&missed["file"], &missed["line"], &missed["column"]),
        (&"scenarios/b.toml".into(), &16.into(), &1.into())
    );
    assert_eq!(missed["fingerprint"], "expected-kicked-offline-surplus-f9e8b188");
    assert!(missed.get("rule").is_none(), "{missed}");
    assert_eq!(
        missed["replay"].as_str().unwrap().split(" --until").next().unwrap(),
        "gatecrash replay scenarios/b.toml"
    );
    let replayed = folder.run("replay scenarios/b.toml --json").json();
    assert_eq!(replayed["missed"], failed["missed"]);
}

#[test]
fn a_replay_ends_as_the_run_did() {
    let folder = Folder::new("ends").write("wrong.toml", &kick(NOT_KICKED)).write("restless.toml", &restless());
    let ran = folder.run("replay wrong.toml");
    assert_eq!(ran.exit, 1);
    assert!(ran.stdout.contains("FAILED  wrong.toml"), "{}", ran.stdout);
    assert_eq!(folder.run("replay restless.toml").exit, 2);
}

/// A pass that never came near a rule says nothing of it.
#[test]
fn a_cited_rule_of_which_no_situation_came_fails_the_run() {
    let cites = kick(KICKED).replace(r#"["POLICY-3", "KICK-1"]"#, r#"["POLICY-3", "KICK-6", "SWITCH-1"]"#);
    let folder = Folder::new("cites").write("cites.toml", &cites);
    let ran = folder.run("run --once cites.toml");
    assert_eq!(ran.exit, 1);
    for said in
        ["NOTHING TO JUDGE KICK-6, SWITCH-1", "cites KICK-6: nothing to judge", "cites SWITCH-1: nothing to judge"]
    {
        assert!(ran.stdout.contains(said), "{said} in {}", ran.stdout);
    }
    let totals = folder.run("run --once --json cites.toml").json();
    assert_eq!(totals["nothing_to_judge"], 1);
    assert_eq!(totals["results"][0]["nothing_to_judge"], serde_json::json!(["KICK-6", "SWITCH-1"]));
}

/// By the program's own path where Cargo does not run it, whatever the file is called.
#[test]
fn the_command_that_is_printed_works_where_it_is_printed() {
    for name in ["plain.toml", "-dash.toml", "it's a name.toml", "col\u{1b}[31moured.toml", "100%.toml"] {
        let folder = Folder::new("printed").write(name, &kick(NOT_KICKED));
        let run = |program: &mut std::process::Command| {
            let output = program.env_remove("CARGO").current_dir(&folder.0).output().unwrap();
            (output.status.code(), String::from_utf8(output.stdout).unwrap())
        };
        let program = env!("CARGO_BIN_EXE_gatecrash");
        let (exit, told) =
            run(std::process::Command::new(program).args(["run", "--once", "--world", "event", "--", name]));
        assert_eq!(exit, Some(1), "{told}");
        assert!(!told.contains('\u{1b}'), "{told:?}");
        let command = told.lines().find(|line| line.trim_start().starts_with(program)).expect("there is a command");
        let (exit, told) = run(std::process::Command::new("sh").args(["-c", command.trim()]));
        assert_eq!(exit, Some(1), "{command}\n{told}");
        assert!(told.contains("kicked_offline never"), "{command}\n{told}");
    }
}

#[test]
fn a_title_is_shown_without_what_a_terminal_would_obey() {
    let titled = kick(NOT_KICKED).replace("The second phone", "\\u001b[31mThe\\nsecond phone");
    let folder = Folder::new("titled").write("titled.toml", &titled);
    for words in ["run --once titled.toml", "replay titled.toml"] {
        let ran = folder.run(words);
        assert_eq!(ran.exit, 1);
        assert!(ran.stdout.contains(r"\u{1b}[31mThe\nsecond phone takes"), "{}", ran.stdout);
        assert!(!ran.stdout.contains('\u{1b}'), "{}", ran.stdout);
    }
}

/// Nobody may take what is there for all of it.
#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_written_is_told_by_every_command() {
    let folder = Folder::new("full").write("a.toml", &kick(KICKED));
    for words in [
        "run --once --world event a.toml",
        "run --once --world event --json a.toml",
        "replay a.toml",
        "check a.toml",
        "print a.toml",
        "schema",
        "rules",
        "sweep --seeds 0..2",
        "--help",
        "run --help",
    ] {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_gatecrash"));
        let command = command.args(words.split_whitespace()).current_dir(&folder.0).stdout(full);
        let output = command.output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(4), "{words}: {told}");
        assert!(told.contains("error: cannot write to standard output: "), "{words}: {told}");
    }
}
