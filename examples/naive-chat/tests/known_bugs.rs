//! The chat's bugs that are known, each in the smallest scenario that shows it. Whoever mends one strikes it off here.

mod chat;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use chat::NaiveChat;
use gatecrash_sim::subject::replay;

/// The scenario, what is wrong in it, and why.
const KNOWN: [(&str, &str, &str); 0] = [];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios")
}

#[test]
fn every_known_bug_is_still_seen_in_its_scenario() {
    for (stem, sentence, why) in KNOWN {
        let run = replay(&NaiveChat, folder().join(format!("{stem}.toml"))).unwrap_or_else(|error| panic!("{error}"));
        let is_seen = run.findings.iter().any(|finding| finding.property == sentence);
        assert!(is_seen, "{stem}: it is mended ({why}): strike it off\n{}", run.story(&[]));
    }
}

#[test]
fn every_scenario_is_of_a_known_bug() {
    let files = std::fs::read_dir(folder()).expect("the folder is there");
    let stem = |path: PathBuf| path.file_stem().expect("a file has a name").to_string_lossy().into_owned();
    let files: BTreeSet<String> = files.map(|file| stem(file.expect("it can be listed").path())).collect();
    assert_eq!(files, KNOWN.iter().map(|(stem, ..)| (*stem).to_owned()).collect());
}
