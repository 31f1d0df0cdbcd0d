//! Every file below `scenarios/` is a test by the name of its stem: in each world it runs twice with equal digests, breaks
//! no rule and comes to rest; both worlds make the same of it; and its story is the one in `snapshots/`.
//!
//! Keeps no list: the files are found when the tests start. Of a failure it prints what went wrong first, the story around
//! the moment, the command that shows it, and where the shrunk scenario and the page are; and leaves the digests where
//! `.ci/digests` compares them with those of another build. A new scenario gets its snapshot from
//! `INSTA_UPDATE=always cargo test --test scenarios -- --exact NAME`: read it before you commit it.

#[path = "scenarios/finding.rs"]
mod finding;

use std::collections::BTreeMap;
use std::panic;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use gatecrash_sim::check::agree::differences;
use gatecrash_sim::check::sometimes::Sometimes;
use gatecrash_sim::scenario::Scenario;
use gatecrash_sim::search::report::{self, Case};
use gatecrash_sim::world::World;
use gatecrash_sim::{Verdict, run_twice};
use libtest_mimic::{Arguments, Failed, Trial};

/// Held while a story is compared, so that what is shown of two that differ stays apart.
static SHOWN: Mutex<()> = Mutex::new(());

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    // Whatever panics here is told as a failed test. Where in this program that was is nobody's concern.
    panic::set_hook(Box::new(|_| ()));
    let scenarios = scenarios();
    assert!(!scenarios.is_empty(), "there is no scenario (*.toml) below scenarios/: nothing would be tested");
    let tests = scenarios.into_iter().map(|(name, path)| Trial::test(name.clone(), move || check(&name, &path)));
    libtest_mimic::run(&arguments, tests.collect()).exit_code()
}

/// The files below `scenarios/` by the name of their test: paths from the root of the repository.
fn scenarios() -> BTreeMap<String, String> {
    let mut scenarios = BTreeMap::new();
    let mut folders = vec![PathBuf::from("scenarios")];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(root().join(&folder));
        for entry in entries.unwrap_or_else(|error| panic!("cannot read {}: {error}", folder.display())) {
            let entry = entry.expect("the repository can be read");
            let path = folder.join(entry.file_name());
            if entry.file_type().expect("the repository can be read").is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("toml")) {
                let name = path.file_stem().and_then(|name| name.to_str()).expect("names are Unicode").to_owned();
                let path = path.to_str().expect("names are Unicode").to_owned();
                if let Some(other) = scenarios.insert(name, path.clone()) {
                    panic!("{other} and {path} would be one test: rename one of them");
                }
            }
        }
    }
    scenarios
}

/// Runs one scenario in both worlds, compares what comes of it, and compares the story of the packet
/// world with its snapshot.
fn check(name: &str, path: &str) -> Result<(), Failed> {
    let text = std::fs::read_to_string(root().join(path)).map_err(|error| format!("cannot read {path}: {error}"))?;
    let scenario = Scenario::parse(path, &text).map_err(|diagnosis| diagnosis.to_string())?;
    let [packet, event] =
        [World::Packet, World::Event].map(|world| Case { path, scenario: &scenario, world, seed: None });
    let run = |case: &Case<'_>| {
        run_twice(&scenario, case.world).map_err(|error| Failed::from(report::harness_failure(case, &error)))
    };
    let (of_packet, of_event) = (run(&packet)?, run(&event)?);
    let runs = [(&packet, &of_packet), (&event, &of_event)];
    let digests = runs.map(|(case, run)| format!("{} {}\n", case.world.word(), run.trace.digest));
    write(name, &digests.concat()).map_err(|error| format!("cannot write the digests of {name}: {error}"))?;
    if let Some((case, run)) = runs.into_iter().find(|(_, run)| run.verdict() != Verdict::Passed) {
        let told = report::in_brief(case, run).unwrap_or_default();
        return Err(format!("{told}\n\n{}", finding::left(name, case, run)).into());
    }
    let differences = differences(&scenario, &of_packet, &of_event);
    if let Some(told) = report::disagreement(&packet, &event, &differences) {
        return Err(format!("{told}\n\n{}", finding::left_of_both(name, &runs)).into());
    }

    let mut settings = insta::Settings::new();
    settings.set_snapshot_path(root().join("snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.set_input_file(path);
    let mut story = report::snapshot(&scenario, &of_packet);
    if path.starts_with("scenarios/regressions/") {
        // A failure that was kept goes on leading where it led: a change that makes it miss that is told.
        let reached: Vec<&str> = Sometimes::of(&scenario, &of_packet.trace).hit().collect();
        let reached = if reached.is_empty() { "none of the situations".to_owned() } else { reached.join("\n  ") };
        story.push_str(&format!("\nreaches\n  {reached}\n"));
    }
    let _alone = SHOWN.lock().unwrap_or_else(PoisonError::into_inner);
    // It shows the difference by itself.
    settings.bind(|| panic::catch_unwind(|| insta::assert_snapshot!(name, story))).map_err(|_| {
        let replay = report::replay_command(&packet, None);
        let page = finding::left_of_both(name, &runs[..1]);
        Failed::from(format!("the story is not the one in snapshots/{name}.snap\n\n    {replay}\n\n{page}"))
    })
}

/// Leaves the digests of a scenario for `.ci/digests`.
fn write(name: &str, digests: &str) -> std::io::Result<()> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("digests");
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join(name), digests)
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
