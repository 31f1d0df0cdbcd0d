//! `gatecrash run`.

use insta::assert_snapshot;

use crate::{Folder, KICKED, NOT_KICKED, kick, restless};

#[test]
fn a_run_that_passes_exits_0_and_shows_a_table_and_totals() {
    let folder =
        Folder::new("passes").write("scenarios/b.toml", &kick(KICKED)).write("scenarios/a/c.toml", &kick(KICKED));
    let ran = folder.run("run");
    assert_eq!((ran.exit, ran.stderr.as_str()), (0, ""));
    assert_snapshot!(ran.timeless(), @r#"
    scenario  devices     events    simulated       wall  result
    a/c             2          ~        3.2 s          ~  passed
    b               2          ~        3.2 s          ~  passed

    2 scenarios, each run twice: all passed
    ~ events, 6.4 s simulated in ~
    digest ~
    "#);
}

#[test]
fn a_run_that_does_not_converge_exits_2_and_says_why() {
    let folder = Folder::new("restless").write("scenarios/restless.toml", &restless());
    let ran = folder.run("run");
    assert_eq!((ran.exit, ran.stderr.as_str()), (2, ""));
    assert_snapshot!(ran.timeless(), @r#"
    scenario  devices     events    simulated       wall  result
    restless        2          ~        3.1 s          ~  NOT CONVERGED

    FAILED  scenarios/restless.toml
            The second phone takes the seat of the first

      did not converge: phone-2 is logged in and has not heard from the server since the faults ended
        finding   not-converged-52e41293

            2.061  server              commit 4 {kick settled alice/phone-1 epoch 1}
            2.062  server -- phone-1   closes the connection
            2.501  phone-2             status LOGINED login_user=alice
            2.501  phone-2 => app      connect_success user=alice epoch=2
            2.501  phone-2 => app      login answered: ok user=alice call=2
            3.000  world               script ended
      >     3.100  world               not converged: phone-2 is logged in and has not heard from the server since the faults ended

        gatecrash replay scenarios/restless.toml

    1 scenario, each run twice: 0 passed, 1 did not converge
    ~ events, 3.1 s simulated in ~
    digest ~
    "#);
}

/// The simulated network gives a host so many ports, and never gives one back of a connection that came to nothing.
#[test]
fn a_phone_out_of_reach_for_very_long_tries_on() {
    let steps = "0s   phone  login alice ttl=1d\n10s  fault  partition home\n34m  fault  repair home";
    let limits = "[limits]\nbackoff_min = \"100ms\"\nbackoff_max = \"100ms\"";
    let scenario = format!(
        "title = \"Some twenty thousand attempts in vain\"\nrules = [\"CONN-2\"]\nseed = 1\n\n{limits}\n\n\
         [devices]\nphone = {{ platform = \"android\", site = \"home\" }}\n\n\
         [script]\nuntil = \"35m\"\nsteps = \"\"\"\n{steps}\n\"\"\"\nexpect = \"\"\"\nalice online phone\n\"\"\"\n"
    );
    let ran = Folder::new("ports").write("scenarios/valley.toml", &scenario).run("run");
    assert_eq!((ran.exit, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);
}

#[test]
fn two_processes_and_any_number_of_jobs_give_the_same() {
    let mut folder = Folder::new("jobs");
    // Crashes too: what one run does on its thread must not depend on what others do on theirs.
    let crash = "2s  fault  crash server\n2.5s  fault  start server";
    for (name, steps) in [("a", "2s  phone-2  network_changed"), ("b", crash), ("c", crash), ("d", crash)] {
        let text = kick(KICKED).replace("\n\"\"\"\nexpect", &format!("\n{steps}\n\"\"\"\nexpect"));
        folder = folder.write(&format!("scenarios/{name}.toml"), &text);
    }
    let known = |words: &str| {
        let mut totals = folder.run(words).json();
        totals["wall_seconds"].take();
        for result in totals["results"].as_array_mut().unwrap() {
            result["wall_seconds"].take();
        }
        totals
    };
    let first = known("run --json --jobs 1");
    assert_eq!(first["passed"], 4);
    assert_eq!(known("run --json --jobs 1"), first);
    assert_eq!(known("run --json --jobs 3"), first);
    assert_eq!(known("run --json --once")["digest"], first["digest"]);
}

#[test]
fn the_digest_tells_runs_apart() {
    let folder = Folder::new("apart")
        .write("a.toml", &kick(KICKED))
        .write("b.toml", &kick(KICKED).replace("1s  phone-2", "1.001s  phone-2"));
    let digest = |path: &str| folder.run(&format!("run --json {path}")).json()["digest"].clone();
    assert_eq!(digest("a.toml"), digest("a.toml"));
    assert_ne!(digest("a.toml"), digest("b.toml"));
    assert_ne!(digest("a.toml b.toml"), digest("b.toml a.toml"));
}

#[test]
fn without_a_subcommand_everything_runs() {
    let folder = Folder::new("bare").write("scenarios/a.toml", &kick(KICKED)).write("scenarios/b.toml", &restless());
    let (bare, run) = (folder.run(""), folder.run("run"));
    assert_eq!(bare.exit, 2);
    assert_eq!(bare.timeless(), run.timeless());
}

#[test]
fn what_goes_to_a_pipe_has_no_escape_codes() {
    let folder = Folder::new("pipe").write("scenarios/a.toml", &restless()).write("bad.toml", "title = 1");
    for words in ["run", "replay scenarios/a.toml", "check bad.toml", "--help"] {
        let ran = folder.run(words);
        assert!(!ran.stdout.contains('\u{1b}') && !ran.stderr.contains('\u{1b}'), "{words}");
    }
}

#[test]
fn scenarios_that_fail_in_one_way_are_told_once_by_the_shortest() {
    let longer = kick(NOT_KICKED).replace("until = \"3s\"", "until = \"200s\"");
    let folder = Folder::new("ways")
        .write("scenarios/a_long_one.toml", &longer)
        .write("scenarios/b_short_one.toml", &kick(NOT_KICKED))
        .write("scenarios/c_passes.toml", &kick(KICKED))
        .write("scenarios/d_restless.toml", &restless());
    let ran = folder.run("run -q");
    assert_eq!(ran.exit, 1);
    let told = |text: &str| text.matches("FAILED  ").count();
    assert_eq!(told(&ran.stdout), 2, "{}", ran.stdout);
    assert!(ran.stdout.starts_with("3 scenarios fail in 2 ways; of each way the shortest"), "{}", ran.stdout);
    assert!(ran.stdout.contains("FAILED  scenarios/b_short_one.toml"), "{}", ran.stdout);
    assert!(ran.stdout.contains("\n  1 more scenario fails so: a_long_one\n"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("c_passes"), "{}", ran.stdout);
    assert!(ran.stdout.contains("1 passed, 2 missed what its file expects, 1 did not converge"), "{}", ran.stdout);

    let all = folder.run("run --all").stdout;
    assert_eq!(told(&all), 3, "{all}");
    assert!(!all.contains("fails so"), "{all}");
    assert!(all.contains("\n3 scenarios fail in 2 ways\n"), "{all}");
}

#[test]
fn a_file_runs_under_many_seeds_and_the_first_of_each_way_is_told() {
    // Some latencies bring the kick after the end of the window, and some before.
    let drawn = kick("phone-1  kicked_offline once  between 1s 1200ms")
        .replace("[script]", "[sites.office]\nlatency = \"10ms..200ms\"\n\n[script]");
    let folder = Folder::new("seeds").write("drawn.toml", &drawn).write("kick.toml", &kick(KICKED));
    let ran = folder.run("run --seeds 0..40 --world event kick.toml");
    assert_eq!(ran.exit, 0);
    assert!(
        ran.stdout.starts_with("kick: 40 seeds, all passed\n\n1 scenario under 40 seeds from 0 in the event world")
    );

    let words = "run --seeds 100..140 --world event drawn.toml";
    let ran = folder.run(words);
    assert_eq!(ran.exit, 1, "{}", ran.stdout);
    assert_eq!(ran.stdout.matches("FAILED  drawn.toml under seed 1").count(), 1, "{}", ran.stdout);
    let totals = folder.run(&format!("{words} --json")).json();
    let result = &totals["results"][0];
    assert_eq!((&totals["seeds"], &result["seeds"]), (&40.into(), &40.into()));
    let failed = totals["failed"].as_u64().unwrap();
    assert!(failed > 0 && failed < 40, "{totals}");
    assert_eq!(totals["passed"].as_u64().unwrap() + failed, 40);
    let ways = result["ways"].as_array().unwrap();
    let seeds: usize = ways.iter().map(|way| way["seeds"].as_array().unwrap().len()).sum();
    assert_eq!(seeds as u64, failed, "each failing seed is in one way");
    let first = ways[0]["first_seed"].as_str().unwrap();
    assert!(ran.stdout.contains(&format!("replay drawn.toml --seed {first} --world event")), "{}", ran.stdout);
    assert_eq!(folder.run(&format!("replay drawn.toml --seed {first} --world event")).exit, 1);
    let wall = |mut totals: serde_json::Value| {
        totals["wall_seconds"].take();
        totals
    };
    assert_eq!(wall(totals), wall(folder.run(&format!("{words} --json --jobs 1")).json()));
    assert_eq!(folder.run("run --seeds 5..5 kick.toml").exit, 3);
}
