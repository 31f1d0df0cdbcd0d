//! What seeds find in the chat, and each known bug of it in the smallest scenario that shows it.

mod chat;
mod known;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use chat::NaiveChat;
use gatecrash_sim::subject::{Seeds, replay};
use known::{Bug, KNOWN};

#[test]
fn seeds_find_every_known_bug_and_no_other() {
    let report = Seeds::new(0..100).shrink_with(0).run(&NaiveChat).expect("nothing is written");
    let found: BTreeSet<&str> = report.findings.iter().map(|found| found.sentence.as_str()).collect();
    assert_eq!(found, KNOWN.iter().map(|bug| bug.sentence).collect(), "{report}");
    assert_eq!(report.differs, None);
}

#[test]
fn what_a_seed_finds_is_shrunk_to_a_file_of_a_few_steps() {
    let folder = format!("{}/naive-chat", env!("CARGO_TARGET_TMPDIR"));
    let report = Seeds::new(18..19).keep_in(folder).run(&NaiveChat).expect("the folder can be written");
    let found = report.findings.iter().find(|found| found.rule.as_deref() == Some("KICK-6"));
    let found = found.unwrap_or_else(|| panic!("{report}"));
    assert!(found.scenario.steps.len() <= 4, "{report}");
    let file = found.file.as_ref().expect("a folder was named");
    let again = replay(&NaiveChat, file).unwrap_or_else(|error| panic!("{error}"));
    assert!(again.findings.iter().any(|finding| finding.text == found.text), "{}", again.story(&[]));
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios")
}

#[test]
fn every_known_bug_is_still_seen_in_its_scenario() {
    for Bug { stem, sentence, why } in KNOWN {
        let run = replay(&NaiveChat, folder().join(format!("{stem}.toml"))).unwrap_or_else(|error| panic!("{error}"));
        let is_seen = run.findings.iter().any(|finding| finding.property == sentence);
        assert!(is_seen, "{stem}: if it is mended ({why}), strike it off\n{}", run.story(&[]));
    }
}

#[test]
fn every_scenario_is_of_a_known_bug() {
    let files = std::fs::read_dir(folder()).expect("the folder is there");
    let stem = |path: PathBuf| path.file_stem().expect("a file has a name").to_string_lossy().into_owned();
    let files: BTreeSet<String> = files.map(|file| stem(file.expect("it can be listed").path())).collect();
    assert_eq!(files, KNOWN.iter().map(|bug| bug.stem.to_owned()).collect());
}
