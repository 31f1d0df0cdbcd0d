//! `gatecrash sweep`, and `replay` and `print` of a seed.

use serde_json::Value;

use crate::Folder;

/// Everything but how long it took.
fn timeless(mut totals: Value) -> Value {
    for key in ["wall_seconds", "seeds_per_second", "events_per_second"] {
        totals[key] = Value::Null;
    }
    totals
}

#[test]
fn a_sweep_is_the_same_in_every_process_and_with_any_number_of_jobs() {
    let folder = Folder::new("sweep");
    let [one, two] = ["1", "3"].map(|jobs| {
        let ran = folder.run(&format!("sweep --seeds 100..140 --json --jobs {jobs}"));
        assert_eq!(ran.exit, 0, "{}", ran.stdout);
        timeless(ran.json())
    });
    assert_eq!(one, two);
    assert_eq!((&one["seeds_asked"], &one["seeds_finished"]), (&40.into(), &40.into()));
    assert_eq!((&one["violations"], &one["seeds_run_twice"]), (&0.into(), &1.into()));
    assert!(one["events"].as_u64().unwrap() > 4_000, "{}", one["events"]);
    assert!(one["simulated_seconds"].as_f64().unwrap() > 60.0 * 40.0);
    assert_eq!(one["digest"].as_str().unwrap().len(), 16);
    let hit = one["sometimes_hit"].as_array().unwrap().len();
    assert!(hit > 5, "forty seeds reach more than {hit} situations");
}

#[test]
fn a_sweep_ends_with_its_ledger() {
    let ran = Folder::new("sweep_ledger").run("sweep --seeds 0..30");
    assert_eq!((ran.exit, ran.stderr.as_str()), (0, ""));
    for said in [
        "calls made\n",
        "  login  ",
        "faults that took effect\n",
        "what became true on the server\n",
        "sometimes: ",
        "bounds: ",
        "\n30 seeds from 0 asked for, 30 finished, ",
        ": no violation\n",
        " simulated in ",
        "38 properties; 1 seed ran twice and did the same; digest ",
    ] {
        assert!(ran.stdout.contains(said), "{said:?} is missing in\n{}", ran.stdout);
    }
}

#[test]
fn what_is_not_checked_is_not_called_good() {
    let ran = Folder::new("sweep_unchecked").run("sweep --seeds 0..3 --unchecked");
    assert_eq!(ran.exit, 0);
    assert!(ran.stdout.contains("3 finished, 0 of them without a budget: nothing was checked\n"), "{}", ran.stdout);
}

#[test]
fn seeds_that_are_none_are_bad_input() {
    let folder = Folder::new("sweep_bad");
    for (words, said) in [
        ("sweep --seeds 7", "expected two numbers such as 0..1000"),
        ("sweep --seeds 7..7", "there is no seed in it"),
        ("sweep --time soon", "expected a span of time"),
        ("sweep --seeds 0..9 --time 1s", "--time goes on from one seed"),
        ("replay", "required"),
        ("replay --seed x", "invalid value"),
    ] {
        let ran = folder.run(words);
        assert_eq!(ran.exit, 3, "{words}");
        assert!(ran.stderr.contains(said), "{words} says\n{}", ran.stderr);
    }
}

/// A seed's scenario, kept as a file, does what the seed did.
#[test]
fn a_seed_can_be_replayed_and_kept_as_a_file() {
    let folder = Folder::new("seed");
    let printed = folder.run("print --seed 17");
    assert_eq!((printed.exit, printed.stderr.as_str()), (0, ""));
    let folder = folder.write("kept.toml", &printed.stdout);
    let digest = |words: &str| folder.run(words).json()["digest"].clone();
    let of_seed = digest("replay --seed 17 --world event --json");
    assert!(of_seed.is_string());
    assert_eq!(of_seed, digest("replay kept.toml --world event --json"));
}

/// DUR-1 to DUR-5: the shipped database, on a disk that loses its power.
#[test]
fn a_profile_draws_its_own_scenarios_and_its_seeds_have_a_name() {
    let folder = Folder::new("sweep_profile");
    let ran = folder.run("sweep --world packet --profile power-loss --seeds 0..3 --json");
    assert_eq!(ran.exit, 0, "{}", ran.stdout);
    let totals = ran.json();
    assert_eq!((&totals["profile"], &totals["seeds_finished"]), (&"power-loss".into(), &3.into()));

    let ran = folder.run("print --seed power-loss:2");
    assert_eq!((ran.exit, ran.stderr.as_str()), (0, ""));
    assert!(ran.stdout.contains("fault") && ran.stdout.contains("power-loss server"), "{}", ran.stdout);
    assert_ne!(ran.stdout, folder.run("print --seed 2").stdout);

    for seed in ["thunder:2", "power-loss:", "power-loss:x", "-1"] {
        let ran = folder.run(&format!("replay --seed {seed}"));
        assert_eq!(ran.exit, 3, "{seed}");
    }
    assert!(folder.run("replay --seed thunder:2").stderr.contains("such as power-loss:17"));
}

/// What befalls drivers, in the world that has them; the event world runs the same seeds.
#[test]
fn dense_seeds_run_in_both_worlds() {
    let folder = Folder::new("sweep_dense");
    for world in ["packet", "event"] {
        let ran = folder.run(&format!("sweep --world {world} --profile dense --seeds 0..10 --json"));
        assert_eq!(ran.exit, 0, "{}", ran.stdout);
        let totals = ran.json();
        let told = (&totals["profile"], &totals["seeds_finished"], &totals["seeds_left_out"]);
        assert_eq!(told, (&"dense".into(), &10.into(), &0.into()), "{world}");
    }
    let printed = folder.run("print --seed dense:2");
    assert_eq!((printed.exit, printed.stderr.as_str()), (0, ""));
    assert!(printed.stdout.contains("seed dense:2: "), "{}", printed.stdout);
}

/// A seed that the packet world would run for minutes is neither passed nor failed, and a sweep of nothing else is no
/// sweep that passed.
#[test]
fn a_seed_that_is_too_long_for_its_world_is_left_out_and_counted() {
    let folder = Folder::new("sweep_left_out");
    let ran = folder.run("sweep --world packet --seeds 28..29");
    assert_eq!(ran.exit, 4, "{}", ran.stdout);
    let told = "1 seeds from 28 asked for, 0 finished, 0 of them without a budget, 1 left out as too long for the packet \
                world: nothing was run";
    assert!(ran.stdout.contains(told), "{}", ran.stdout);
    let totals = folder.run("sweep --world packet --seeds 28..29 --json").json();
    assert_eq!((&totals["seeds_left_out"], &totals["seeds_finished"]), (&1.into(), &0.into()));
    let ran = folder.run("sweep --world event --seeds 28..29 --json");
    assert_eq!((ran.exit, &ran.json()["seeds_left_out"]), (0, &0.into()));
}

/// A long sweep must not learn at its end that it was for nothing.
#[test]
fn findings_that_cannot_be_written_are_refused_at_the_start() {
    let folder = Folder::new("sweep_unwritable").write("file", "no folder");
    for findings in ["file", "file/below"] {
        let ran = folder.run(&format!("sweep --seeds 0..2 --findings {findings}"));
        assert_eq!((ran.exit, ran.stdout.as_str()), (3, ""));
        assert!(ran.stderr.contains(&format!("error: cannot write findings to {findings}: ")), "{}", ran.stderr);
    }
    assert_eq!(folder.run("sweep --seeds 0..2 --findings not/there/yet").exit, 0);
    assert!(!folder.0.join("not").exists(), "nothing was found");
}
