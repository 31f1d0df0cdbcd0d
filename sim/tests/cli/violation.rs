//! What becomes of a run that breaks a rule.

use insta::assert_snapshot;

use crate::{Folder, KICKED, NOT_KICKED, kick, restless};

#[test]
fn a_violation_exits_1_and_tells_rule_property_events_and_replay() {
    let folder = Folder::new("violates").write("scenarios/wrong.toml", &kick(NOT_KICKED));
    let ran = folder.run("run");
    assert_eq!((ran.exit, ran.stderr.as_str()), (1, ""));
    assert_snapshot!(ran.timeless(), @r#"
    scenario  devices     events    simulated       wall  result
    wrong           2          ~        3.2 s          ~  VIOLATED POLICY-3

    FAILED  scenarios/wrong.toml
            The second phone takes the seat of the first

      POLICY-3 violated: phone-1 at 1.091 s
        rule      An accepted login wins and displaces exactly those it competes with: other platforms of its group, and the surplus on its own, dormant and oldest first.
        property  the run shows what the scenario expects
        instead   expected `phone-1  kicked_offline never`, but it fired once, at 1.091 s
        finding   policy-3-missing-f9e8b188

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

        cargo run --release -- replay scenarios/wrong.toml --until 1.5s

    1 scenario, each run twice: 0 passed, 1 violated a rule
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
    assert_eq!((&totals["violated"], &totals["not_converged"]), (&1.into(), &1.into()));
}

#[test]
fn json_is_one_object_with_the_totals_and_a_result_for_each_scenario() {
    let folder =
        Folder::new("json").write("scenarios/a.toml", &kick(KICKED)).write("scenarios/b.toml", &kick(NOT_KICKED));
    let ran = folder.run("run --json");
    assert_eq!(ran.exit, 1);
    let totals = ran.json();
    for (key, number) in [("scenarios", 2), ("passed", 1), ("violations", 1)] {
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
    let violation = &failed["violations"][0];
    assert_eq!(
        violation["replay"].as_str().unwrap().split(" --until").next().unwrap(),
        "cargo run --release -- replay scenarios/b.toml"
    );
    assert!(!violation["rule_text"].as_str().unwrap().is_empty());
}

#[test]
fn a_replay_ends_as_the_run_did() {
    let folder = Folder::new("ends").write("wrong.toml", &kick(NOT_KICKED)).write("restless.toml", &restless());
    let ran = folder.run("replay wrong.toml");
    assert_eq!(ran.exit, 1);
    assert!(ran.stdout.contains("FAILED  wrong.toml"), "{}", ran.stdout);
    assert_eq!(folder.run("replay restless.toml").exit, 2);
}
