//! A property is shown the events and frames that it watches, and no others: whatever its code matches has to be among
//! them, or that arm never runs and nobody notices.

use std::collections::{BTreeMap, BTreeSet};

use super::source::{Source, cut, lines_before_tests};

/// Where every event, frame and fact has its word.
pub(super) const WORDS: &str = "sim/src/trace/mod.rs";

/// What reaches every property by way of a decision.
const OF_DECISIONS: [&str; 2] = ["fact", "commit"];

/// Files that tell frames apart which they are not shown, to say that they bring no attempt.
const NAMES_ALL: [&str; 1] = ["sim/src/check/property/attempt.rs"];

/// The word of each name in `Name = "word"`.
fn words(trace: &str) -> BTreeMap<&str, &str> {
    let pairs = trace.lines().filter_map(|line| line.trim().split_once(" = \""));
    pairs.filter_map(|(name, rest)| Some((name, rest.split('"').next()?))).collect()
}

/// What stands between the brackets of a macro, as words.
fn named<'a>(code: &'a str, makes: &str) -> Option<BTreeSet<&'a str>> {
    let (_, rest) = code.split_once(makes)?;
    let (list, _) = rest.split_once(')')?;
    Some(list.split('"').skip(1).step_by(2).collect())
}

/// The names that follow this path in the code.
fn matched<'a>(code: &'a str, path: &str) -> BTreeSet<&'a str> {
    let names = code.split(path).skip(1).filter_map(|rest| rest.split(|c: char| !c.is_alphanumeric()).next());
    names.collect()
}

pub(super) fn check_properties_watch_what_they_match(sources: &[Source]) -> Vec<String> {
    let trace = sources.iter().find(|source| source.path == WORDS).map_or("", |source| source.text.as_str());
    let words = words(trace);
    let mut complaints = Vec::new();
    for Source { path, text } in sources {
        if !path.starts_with("sim/src/check/property/") || !text.contains("impl Property for") {
            continue;
        }
        let (code, _) = cut(text, lines_before_tests(text));
        let Some(watched) = named(&code, "watches!(") else { continue };
        let mut complain = |name: &str, list: &BTreeSet<&str>, makes: &str| {
            let Some(word) = words.get(name) else { return };
            if !list.contains(word) && !OF_DECISIONS.contains(word) {
                complaints.push(format!("{path} matches {name} and is never shown one: `{makes}(\"{word}\")`"));
            }
        };
        matched(&code, "What::").iter().for_each(|name| complain(name, &watched, "watches!"));
        if let Some(frames) = named(&code, "frames!(").filter(|frames| !frames.is_empty())
            && !NAMES_ALL.contains(&path.as_str())
        {
            for path in ["ClientFrame::", "ServerFrame::"] {
                matched(&code, path).iter().for_each(|name| complain(name, &frames, "frames!"));
            }
        }
    }
    complaints
}
