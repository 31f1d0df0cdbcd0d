//! A command that is told to end: it says what it knows by then, and ends as the signal says.

use std::fs;
use std::io::Read;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::Folder;

/// Begins it in this folder, and waits until it hears signals.
fn begin(folder: &Folder, words: &str) -> Child {
    #[expect(clippy::zombie_processes, reason = "whoever is given the child waits for it")]
    let child = Command::new(env!("CARGO_BIN_EXE_gatecrash"))
        .args(words.split_whitespace())
        .current_dir(&folder.0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // SIGINT is the second bit, SIGTERM the fifteenth.
    let hears = |mask: u64| mask >> 1 & 1 == 1 && mask >> 14 & 1 == 1;
    loop {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).expect("a line of signals caught");
        if hears(u64::from_str_radix(caught.trim(), 16).unwrap()) {
            return child;
        }
        std::thread::yield_now();
    }
}

fn tell(child: &Child, signal: &str) {
    let told = Command::new("kill").arg(format!("-{signal}")).arg(child.id().to_string()).status().unwrap();
    assert!(told.success());
}

/// Standard output as JSON, and how it ended.
fn end(mut child: Child) -> (Value, i32) {
    let mut said = String::new();
    child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    let exit = child.wait().unwrap().code().expect("it ends by itself");
    (serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error} in {said}")), exit)
}

#[test]
fn a_sweep_that_is_interrupted_says_what_the_seeds_so_far_did() {
    let sweep = begin(&Folder::new("interrupted_sweep"), "sweep --seeds 0..1000000000 --json");
    tell(&sweep, "INT");
    let (totals, exit) = end(sweep);
    assert_eq!(exit, 130);
    assert_eq!(totals["interrupted"], true);
    let finished = totals["seeds_finished"].as_u64().unwrap();
    assert!(finished < 1_000_000_000, "{finished}");
    assert_eq!(totals["violations"], 0);
}

/// What was told to end is no green report, and neither is what nobody could tell to.
#[test]
fn what_did_not_come_to_its_end_is_not_green() {
    let folder = Folder::new("interrupted_report");
    let junit = || fs::read_to_string(folder.0.join("out/junit.xml")).unwrap();
    let sweep = begin(&folder, "sweep --seeds 0..1000000000 --json --report out");
    tell(&sweep, "INT");
    let (_, exit) = end(sweep);
    assert_eq!(exit, 130);
    let told = junit();
    assert!(told.contains("1000000000 seeds from 0 "), "{told}");
    assert!(told.contains("<error message=\"it was told to end before it had finished\" type=\"not-run\">"), "{told}");

    fs::remove_dir_all(folder.0.join("out")).unwrap();
    let mut sweep = begin(&folder, "sweep --seeds 0..1000000000 --json --report out");
    while !folder.0.join("out/report.json").exists() {
        std::thread::yield_now();
    }
    sweep.kill().unwrap();
    sweep.wait().unwrap();
    assert!(junit().contains("<error message=\"it has not: what ran until then is not told\""), "{}", junit());
}

#[test]
fn a_question_that_is_interrupted_says_what_was_looked_at() {
    let folder = Folder::new("interrupted_when");
    let when = begin(&folder, "when --seed 11 --bug F06 --draws 1000000 --all --jobs 1 --json");
    tell(&when, "INT");
    let (told, exit) = end(when);
    assert_eq!(exit, 130);
    assert_eq!((&told["interrupted"], &told["leap"]), (&true.into(), &Value::Null));
    assert_eq!(told["points"].as_array().unwrap().len(), 1, "that of the whole scenario");
}

#[test]
fn a_run_that_is_terminated_says_how_many_scenarios_are_left() {
    let scenario = r#"
title = "Nothing but time"
rules = ["LOGIN-1"]
seed = 1
[devices]
phone = { platform = "android", site = "home" }
[script]
until = "1d"
steps = "0s phone login alice"
expect = "phone login #1 answers ok"
"#;
    let folder = (0..200).fold(Folder::new("terminated_run"), |folder, number| {
        folder.write(&format!("scenarios/s{number}.toml"), scenario)
    });
    let run = begin(&folder, "run --json --jobs 1");
    tell(&run, "TERM");
    let (totals, exit) = end(run);
    assert_eq!(exit, 143);
    let (ran, left) = (totals["scenarios"].as_u64().unwrap(), totals["not_run"].as_u64().unwrap());
    assert!(left > 0 && ran + left == 200, "{ran} ran, {left} left");
    assert_eq!(totals["passed"], ran);
}

#[test]
fn a_hunt_that_is_interrupted_says_which_bugs_it_did_not_come_to() {
    let zoo = begin(&Folder::new("interrupted_zoo"), "zoo --json --jobs 1");
    tell(&zoo, "INT");
    let (totals, exit) = end(zoo);
    assert_eq!(exit, 130);
    assert_eq!(totals["interrupted"], true);
    let (hunted, left) = (totals["bugs"].as_array().unwrap().len(), totals["not_hunted"].as_array().unwrap().len());
    assert!(left > 0, "{hunted} bugs hunted, and none left");
}
