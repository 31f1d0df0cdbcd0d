//! Every scenario is a test: in each world it runs twice with equal digests, breaks no rule and comes
//! to rest; both worlds make the same of it; and its story is the one in `snapshots/`.
//!
//! Reports a failure as the command `gatecrash` does. A new scenario gets a line in
//! `scenarios/list.rs` here, and its snapshot from
//! `INSTA_UPDATE=always cargo test --test it scenarios::list::NAME`: read it before you commit it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use gatecrash_sim::check::agree::differences;
use gatecrash_sim::check::sometimes::Sometimes;
use gatecrash_sim::run_twice;
use gatecrash_sim::scenario::Scenario;
use gatecrash_sim::search::report::{self, Case};
use gatecrash_sim::world::World;

/// A test for each name, and the names.
macro_rules! scenarios {
    ($($name:ident)*) => {
        pub const LISTED: &[&str] = &[$(stringify!($name)),*];

        $(
            #[test]
            fn $name() {
                super::check(stringify!($name));
            }
        )*
    };
}

use scenarios;
mod list;

/// Runs one scenario in both worlds, compares what comes of it, and compares the story of the packet
/// world with its snapshot.
#[track_caller]
fn check(name: &str) {
    let files = files("scenarios", "toml");
    let path = files.get(name).unwrap_or_else(|| panic!("there is no scenario {name}"));
    let text = std::fs::read_to_string(root().join(path)).unwrap();
    let scenario = Scenario::parse(path, &text).unwrap_or_else(|diagnosis| panic!("\n{diagnosis}"));
    let [packet, event] = [World::Packet, World::Event].map(|world| Case { path, scenario: &scenario, world });
    let [run, fast] = [packet, event].map(|case| match run_twice(&scenario, case.world) {
        Ok(run) => match report::failure(&case, &run) {
            None => run,
            Some(failure) => panic!("\n{failure}"),
        },
        Err(error) => panic!("\n{}", report::harness_failure(&case, &error)),
    });
    if let Some(disagreement) = report::disagreement(&packet, &event, &differences(&scenario, &run, &fast)) {
        panic!("\n{disagreement}");
    }
    let mut settings = insta::Settings::new();
    settings.set_snapshot_path(root().join("snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.set_input_file(path);
    let mut story = report::snapshot(&scenario, &run);
    if path.starts_with("scenarios/regressions/") {
        // A failure that was kept goes on leading where it led: a change that makes it miss that is told.
        let reached: Vec<&str> = Sometimes::of(&run.trace).hit().collect();
        let reached = if reached.is_empty() { "none of the situations".to_owned() } else { reached.join("\n  ") };
        story.push_str(&format!("\nreaches\n  {reached}\n"));
    }
    settings.bind(|| insta::assert_snapshot!(name, story));
}

#[test]
fn tests_scenarios_and_snapshots_are_the_same_set() {
    let (scenarios, snapshots) = (files("scenarios", "toml"), files("snapshots", "snap"));
    let mut complaints = Vec::new();
    for (name, path) in &scenarios {
        if !list::LISTED.contains(&name.as_str()) {
            complaints.push(format!("{path} is no test: add the line `    {name}` to tests/it/scenarios/list.rs"));
        }
        if !snapshots.contains_key(name) {
            complaints.push(format!(
                "{path} has no snapshot: INSTA_UPDATE=always cargo test --test it scenarios::list::{name}, then read it"
            ));
        }
    }
    for name in list::LISTED.iter().filter(|name| !scenarios.contains_key(**name)) {
        complaints.push(format!("there is no scenario {name}: remove its line from tests/it/scenarios/list.rs"));
    }
    for (name, path) in snapshots.iter().filter(|(name, _)| !scenarios.contains_key(*name)) {
        complaints.push(format!("there is no scenario {name}: remove {path}"));
    }
    if let Some(pair) = list::LISTED.windows(2).find(|pair| pair[0] >= pair[1]) {
        complaints.push(format!("tests/it/scenarios/list.rs: {} belongs before {}", pair[1], pair[0]));
    }
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files with this ending below a folder of the repository, by name: paths from its root.
fn files(folder: &str, ending: &str) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let mut folders = vec![PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(root().join(&folder)).unwrap() {
            let entry = entry.unwrap();
            let path = folder.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == ending) {
                let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
                let path = path.to_str().unwrap().to_owned();
                assert!(
                    !files.contains_key(&name),
                    "two files called {name}: their names must differ, also across folders"
                );
                files.insert(name, path);
            }
        }
    }
    files
}
