//! The repository checks itself: rules and citations, purity, manifests, files, links.
//!
//! Each check is a pure function from texts to complaints, every complaint saying what to do, and
//! each has a test below that shows it failing. Compiles nothing and runs no rule: the compiler,
//! clippy and the other tests do.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use gatecrash::code::Code;
use gatecrash_sim::scenario::rules::RuleId;

mod documents;
mod rooms;
mod seeds;
mod source;
mod watched;

use seeds::check_seeds_are_fixed;
use source::{Source, cut, lines_before_tests, load, paths, split, test_files};
use watched::check_properties_watch_what_they_match;

/// The longest Rust file, in lines, its tests not counted.
const LINES_MAX: usize = 700;

/// The features of the product: what is built of it, never how it behaves.
const FEATURES: [&str; 4] = ["client", "server", "cli", "tls"];

/// Where they may be asked for.
const FEATURE_FILES: [&str; 3] = ["src/lib.rs", "src/driver/mod.rs", "src/driver/tokio.rs"];

/// Rules that no code, or no test, can cite yet, and why.
const NOT_CITED_YET: [(&str, &str); 0] = [];

/// Crates and modules that bring clocks, sockets, disks, threads or chance.
const IMPURE: [&str; 16] = [
    "tokio",
    "tokio_util",
    "futures_util",
    "turmoil",
    "tracing",
    "tracing_subscriber",
    "rand",
    "rand_chacha",
    "std::net",
    "std::fs",
    "std::env",
    "std::process",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
    "std::collections::hash_map",
];

/// Words that mean the same wherever they stand.
const IMPURE_WORDS: [&str; 10] =
    ["async", "await", "HashMap", "HashSet", "RandomState", "print", "println", "eprint", "eprintln", "dbg"];

fn repository() -> Vec<Source> {
    let sources = load(Path::new(env!("CARGO_MANIFEST_DIR")));
    assert!(sources.iter().any(|source| source.path == "src/lib.rs"), "the repository is found");
    sources
}

fn text_of<'a>(sources: &'a [Source], path: &str) -> &'a str {
    let found = sources.iter().find(|source| source.path == path);
    &found.unwrap_or_else(|| panic!("{path} is missing")).text
}

#[track_caller]
fn assert_none(complaints: Vec<String>) {
    assert!(complaints.is_empty(), "\n  {}\n", complaints.join("\n  "));
}

// Rules.

/// Every rule that a property's file names in a violation is broken there by a trace written by hand, and
/// another such trace nearly breaks it.
fn check_properties_have_their_traces(sources: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for Source { path, text } in sources {
        if !path.starts_with("sim/src/check/property/") || !text.contains("impl Property for") {
            continue;
        }
        let (code, tests) = cut(text, lines_before_tests(text));
        if !tests.contains(".holds()") {
            complaints.push(format!("{path} has no trace that nearly breaks it: tell one that `.holds()`"));
        }
        for rule in code.split(": RuleId = rule(\"").skip(1).filter_map(|rest| rest.split('"').next()) {
            if !tests.contains(&format!(".breaks(\"{rule}\")")) {
                complaints.push(format!("{path} has no trace that breaks {rule}: tell one that `.breaks(\"{rule}\")`"));
            }
        }
    }
    complaints
}

#[test]
fn properties_have_their_traces() {
    assert_none(check_properties_have_their_traces(&repository()));
    let source = |tests: &str| Source {
        path: "sim/src/check/property/kick.rs".to_owned(),
        text: format!(
            "const A: RuleId = rule(\"KICK-1\");\nimpl Property for Kicks {{}}\n#[cfg(test)]\nmod tests {{\n{tests}\n}}\n"
        ),
    };
    let complaints = |tests| check_properties_have_their_traces(&[source(tests)]).len();
    assert_eq!(complaints("a.breaks(\"KICK-1\"); b.holds();"), 0);
    assert_eq!(complaints("a.breaks(\"KICK-2\"); b.holds();"), 1);
    assert_eq!(complaints("a.breaks(\"KICK-1\");"), 1);
}

#[test]
fn properties_watch_what_they_match() {
    assert_none(check_properties_watch_what_they_match(&repository()));
    let source = |path: &str, text: &str| Source { path: path.to_owned(), text: text.to_owned() };
    let complaints = |code: &str| {
        let words = source(watched::WORDS, "Told = \"told\" {},\nGone = \"gone\" {},\nKick = \"kick\" {},\n");
        let property = source("sim/src/check/property/kick.rs", &format!("impl Property for Kicks {{\n{code}\n}}\n"));
        check_properties_watch_what_they_match(&[words, property]).len()
    };
    assert_eq!(complaints("watches!(\"told\", \"gone\"); What::Told { } What::Gone"), 0);
    assert_eq!(complaints("watches!(\"told\"); What::Told { } What::Gone"), 1);
    assert_eq!(complaints("watches!(\"told\"); frames!(\"hello\"); ServerFrame::Kick"), 1);
    assert_eq!(complaints("watches!(\"told\"); frames!(all); ServerFrame::Kick"), 0);
}

/// Every rule has a property that guards it, or a line in the documents that says why not; not both.
fn check_rules_have_properties(rules: &[&str], document: &str) -> Vec<String> {
    let families = families_of(rules);
    let rows = document.lines().filter(|line| line.starts_with("| "));
    let (guarded, reasoned): (Vec<&str>, Vec<&str>) = rows.partition(|line| line.ends_with(".rs` |"));
    let guarded: BTreeSet<&str> = guarded.iter().flat_map(|line| mentions(line, &families)).collect();
    let reasoned: BTreeSet<&str> = reasoned
        .iter()
        .filter_map(|line| line.split('|').nth(1).map(str::trim))
        .filter(|first| is_rule_id(first))
        .collect();
    let mut complaints = Vec::new();
    for rule in rules {
        match (guarded.contains(rule), reasoned.contains(rule)) {
            (true, true) => {
                complaints.push(format!("docs/properties.md: {rule} has a property by now: strike its reason off"))
            }
            (false, false) => complaints.push(format!("docs/properties.md: {rule} has no property: say why not")),
            _ => {}
        }
    }
    complaints
}

#[test]
fn rules_have_properties() {
    let sources = repository();
    let rules = rules_of(text_of(&sources, "SPEC.md"));
    assert_none(check_rules_have_properties(&rules, text_of(&sources, "docs/properties.md")));
    let document = "| always | a kick | KICK-1 | `kick.rs` |\n| KICK-2 | nobody sees it |\n";
    assert_eq!(check_rules_have_properties(&["KICK-1", "KICK-2"], document), Vec::<String>::new());
    assert_eq!(check_rules_have_properties(&["KICK-1", "KICK-3"], document).len(), 1);
    let document = "| always | a kick | KICK-1 | `kick.rs` |\n| KICK-1 | nobody sees it |\n";
    assert_eq!(check_rules_have_properties(&["KICK-1"], document).len(), 1);
}

/// The ids that SPEC.md defines, in its order.
fn rules_of(spec: &str) -> Vec<&str> {
    spec.lines().filter_map(|line| line.strip_prefix("### ")).filter(|heading| is_rule_id(heading)).collect()
}

fn is_rule_id(text: &str) -> bool {
    text.rsplit_once('-').is_some_and(|(family, number)| {
        !family.is_empty()
            && family.bytes().all(|byte| byte.is_ascii_uppercase())
            && !number.is_empty()
            && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// The ids a text mentions, of the families that exist.
fn mentions<'a>(text: &'a str, families: &BTreeSet<&str>) -> BTreeSet<&'a str> {
    text.split(|char: char| !char.is_ascii_alphanumeric() && char != '-')
        .filter(|word| is_rule_id(word))
        .filter(|word| word.rsplit_once('-').is_some_and(|(family, _)| families.contains(family)))
        .collect()
}

fn families_of<'a>(rules: &[&'a str]) -> BTreeSet<&'a str> {
    rules.iter().filter_map(|rule| rule.rsplit_once('-')).map(|(family, _)| family).collect()
}

/// Each rule has an id of its own, at least one sentence, and each sentence part says MUST, MUST
/// NOT, MAY or SHOULD NOT somewhere.
fn check_rules_are_stated(spec: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut seen = BTreeSet::new();
    for section in spec.split("\n### ").skip(1) {
        let (id, body) = section.split_once('\n').unwrap_or((section, ""));
        let body = body.split("\n## ").next().unwrap_or(body);
        if !is_rule_id(id) {
            continue;
        }
        if !seen.insert(id) {
            complaints.push(format!("SPEC.md defines {id} twice: give the second one an id of its own"));
        }
        if !body.contains("MUST") && !body.contains("MAY") {
            complaints.push(format!("SPEC.md: {id} demands nothing: state it with MUST, MUST NOT or MAY"));
        }
    }
    complaints
}

fn check_same_rules(spec: &str, table: &[&str]) -> Vec<String> {
    let rules = rules_of(spec);
    let missing = rules.iter().filter(|rule| !table.contains(rule));
    let unknown = table.iter().filter(|rule| !rules.contains(rule));
    missing
        .map(|rule| format!("sim/src/scenario/rules.rs lacks {rule}: add it with its sentence"))
        .chain(unknown.map(|rule| format!("SPEC.md lacks {rule}, which sim/src/scenario/rules.rs has: state it")))
        .collect()
}

/// Which rules are cited where.
#[derive(Debug, Default, PartialEq, Eq)]
struct Citations<'a> {
    code: BTreeSet<&'a str>,
    tests: BTreeSet<&'a str>,
}

/// Every rule is cited by code and by a test or a scenario, unless it is exempt; no exemption
/// outlives its reason.
fn check_rules_are_cited(rules: &[&str], cited: &Citations<'_>, exempt: &[(&str, &str)]) -> Vec<String> {
    let mut complaints = Vec::new();
    for rule in rules {
        let exemption = exempt.iter().find(|(exempt, _)| exempt == rule);
        let (code, test) = (cited.code.contains(rule), cited.tests.contains(rule));
        match exemption {
            Some((_, reason)) if code && test => {
                complaints.push(format!("{rule} is cited by now: strike it off the exemptions ({reason})"));
            }
            Some(_) => {}
            None => {
                if !code {
                    complaints.push(format!("no code cites {rule}: name it in a comment where src/ implements it"));
                }
                if !test {
                    complaints.push(format!(
                        "no test cites {rule}: name it in a comment of its test or in the `rules` of its scenario"
                    ));
                }
            }
        }
    }
    for (rule, reason) in exempt {
        if !rules.contains(rule) || !rule.starts_with("DUR-") || *reason != "needs the database" {
            complaints.push(format!("{rule} is not exempt: only a DUR rule that needs the database can be"));
        }
    }
    complaints
}

/// What the comments of code, the comments of tests and the headers of scenarios cite.
fn citations<'a>(rules: &[&'a str], sources: &[Source]) -> Citations<'a> {
    let families = families_of(rules);
    let tests = test_files(sources);
    let mut cited = Citations::default();
    let mut note = |text: &str, is_test: bool| {
        let found = mentions(text, &families);
        let known = rules.iter().copied().filter(|rule| found.contains(rule));
        if is_test { cited.tests.extend(known) } else { cited.code.extend(known) }
    };
    for source in sources.iter().filter(|source| !source.path.starts_with("tests/it/tidy")) {
        if source.is_rust() {
            let split = split(&source.text);
            let lines = if tests.contains(source.path.as_str()) { 0 } else { lines_before_tests(&split.code) };
            let (code, test) = cut(&split.comments, lines);
            if source.path.starts_with("src/") {
                note(&code, false);
            }
            note(&test, true);
        } else if source.path.starts_with("scenarios/") {
            note(&rules_line(&source.text), true);
        }
    }
    cited
}

/// What a scenario's header says under `rules`.
fn rules_line(scenario: &str) -> String {
    let header: toml::Table = scenario.parse().unwrap_or_default();
    let rules = header.get("rules").and_then(|rules| rules.as_array());
    rules.into_iter().flatten().filter_map(|rule| rule.as_str()).collect::<Vec<_>>().join(" ")
}

/// Nobody cites a rule that does not exist: not in comments, documents or scenarios.
fn check_cited_rules_exist(rules: &[&str], sources: &[Source]) -> Vec<String> {
    let families = families_of(rules);
    let mut complaints = Vec::new();
    for Source { path, text } in sources {
        let comments = if path.ends_with(".rs") { split(text).comments } else { text.clone() };
        let is_checked =
            [".rs", ".md", ".proto"].iter().any(|end| path.ends_with(end)) || path.starts_with("scenarios/");
        if !is_checked || path.starts_with("tests/it/tidy") {
            continue;
        }
        for (number, line) in comments.lines().enumerate() {
            for id in mentions(line, &families).into_iter().filter(|id| !rules.contains(id)) {
                complaints.push(format!("{path}:{}: SPEC.md has no rule {id}: cite one that exists", number + 1));
            }
        }
    }
    complaints
}

// Code.

/// Everything in src/ but the drivers and the commands is pure. Its tests may be anything.
fn check_purity(sources: &[Source]) -> Vec<String> {
    let tests = test_files(sources);
    let is_pure = |path: &str| {
        path.starts_with("src/")
            && path.ends_with(".rs")
            && !["src/driver/", "src/driver.rs", "src/bin/"].iter().any(|outside| path.starts_with(outside))
            && !tests.contains(path)
    };
    let mut complaints = Vec::new();
    for Source { path, text } in sources.iter().filter(|source| is_pure(&source.path)) {
        let code = split(text).code;
        let (code, _) = cut(&code, lines_before_tests(&code));
        for (line, found) in paths(&code) {
            let named = |impure: &&str| found == **impure || found.starts_with(&format!("{impure}::"));
            let is_word = found.split("::").any(|word| IMPURE_WORDS.contains(&word));
            if IMPURE.iter().any(named) || is_word {
                complaints.push(format!(
                    "{path}:{line}: `{found}` is not pure: let a driver in src/driver bring it as an input"
                ));
            }
        }
    }
    complaints
}

/// What the product decides by, which nothing that judges it may ask.
const DECIDES: [&str; 8] = [
    ".is_mobile()",
    ".silence_of(",
    ".dormant_of(",
    ".same_group(",
    ".is_displacement()",
    ".is_own()",
    ".kick()",
    ".ends_at(",
];

/// Whatever judges a run, or makes one up, has the rules' numbers and tables from a place of its own: of the product it
/// knows types, ids, codes and frames. What is read from the product is right by itself, and a mistake in it as well.
fn check_judges_have_numbers_of_their_own(sources: &[Source]) -> Vec<String> {
    let tests = test_files(sources);
    let judges = |path: &str| {
        let rooms = ["sim/src/check/", "sim/src/generate/", "sim/src/world/phases.rs"];
        rooms.iter().any(|room| path.starts_with(room)) && path.ends_with(".rs") && !tests.contains(path)
    };
    let mut complaints = Vec::new();
    for Source { path, text } in sources.iter().filter(|source| judges(&source.path)) {
        let code = split(text).code;
        let (code, _) = cut(&code, lines_before_tests(&code));
        for (line, found) in paths(&code) {
            let words: Vec<&str> = found.split("::").collect();
            let last = words[words.len() - 1];
            let is_number = |word: &str| word.len() > 1 && word.chars().all(|letter| !letter.is_lowercase());
            let of_product = words[0] == "gatecrash"
                && match words.get(1) {
                    Some(&"decide") => true,
                    Some(&"limits") => !["ClientLimits", "ServerLimits"].contains(&last),
                    _ => is_number(last) && last != "ALL" && last != "ZERO" && last != "NONE",
                };
            let own = ["ClientLimits::of", "ServerLimits::default", "config::server_limits", "config::client_limits"];
            if of_product || own.iter().any(|own| found.ends_with(own)) {
                complaints.push(format!("{path}:{line}: `{found}` is the product's: see sim/src/scenario/numbers.rs"));
            }
        }
        for (number, line) in code.lines().enumerate() {
            for decides in DECIDES.iter().filter(|decides| line.contains(**decides)) {
                let line = number + 1;
                complaints
                    .push(format!("{path}:{line}: `{decides}` is the product's: see sim/src/scenario/numbers.rs"));
            }
        }
    }
    complaints
}

/// Only the packet world knows turmoil, and the benchmarks that measure it.
fn check_turmoil_is_named_by_the_packet_world_only(sources: &[Source]) -> Vec<String> {
    let may = |path: &str| path.starts_with("sim/src/world/packet") || path.starts_with("benches/");
    let mut complaints = Vec::new();
    for Source { path, text } in sources.iter().filter(|source| source.is_rust() && !may(&source.path)) {
        for (line, found) in paths(&split(text).code) {
            if found.split("::").next() == Some("turmoil") {
                complaints.push(format!("{path}:{line}: `{found}`: only sim/src/world/packet may name turmoil"));
            }
        }
    }
    complaints
}

/// No file is too long to be read at one go. Tests may be long: they are read one at a time.
fn check_lengths(sources: &[Source]) -> Vec<String> {
    let tests = test_files(sources);
    let mut complaints = Vec::new();
    // Nobody wrote what was generated, and nobody can split it.
    let is_ours = |source: &&Source| source.is_rust() && !source.text.contains("\n// This file is @generated");
    for Source { path, text } in sources.iter().filter(is_ours) {
        let lines = lines_before_tests(&split(text).code);
        if lines > LINES_MAX && !tests.contains(path.as_str()) {
            complaints.push(format!("{path} has {lines} lines before its tests, over {LINES_MAX}: split it by noun"));
        }
    }
    complaints
}

/// Every file says what it is, is whole, safe, and tests what it says it tests.
fn check_files(sources: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for Source { path, text } in sources.iter().filter(|source| source.is_rust()) {
        let split = split(text);
        let purpose = text.lines().next().and_then(|line| line.strip_prefix("//! ")).unwrap_or_default();
        if purpose.trim().is_empty() {
            complaints.push(format!("{path} does not open with its purpose: begin it with a line `//! …`"));
        }
        for (number, line) in split.comments.lines().enumerate() {
            if let Some(word) = ["TODO", "FIXME"].into_iter().find(|word| line.contains(word)) {
                complaints.push(format!("{path}:{}: {word}: do it now, or open an issue and delete this", number + 1));
            }
        }
        for (line, found) in paths(&split.code) {
            let last = found.rsplit("::").next().unwrap_or_default();
            if ["unsafe", "todo", "unimplemented"].contains(&last) {
                complaints.push(format!("{path}:{line}: `{found}` is not allowed: write it out, safely"));
            }
        }
        for ((number, line), whole) in split.code.lines().enumerate().zip(text.lines()) {
            let dense: String = line.split_whitespace().collect();
            if dense.contains("#[ignore") {
                complaints.push(format!("{path}:{}: an ignored test proves nothing: mend it or delete it", number + 1));
            }
            // What stands between quotation marks is every second part.
            let is_known = || whole.split('"').skip(1).step_by(2).all(|name| FEATURES.contains(&name));
            if dense.contains("cfg")
                && paths(line).iter().any(|(_, word)| word == "feature")
                && !(FEATURE_FILES.contains(&path.as_str()) && is_known())
            {
                let (features, files) = (FEATURES.join(", "), FEATURE_FILES.join(" and "));
                complaints.push(format!(
                    "{path}:{}: only {files} may ask for features, and for {features} alone: let the caller pass what differs",
                    number + 1
                ));
            }
        }
    }
    complaints
}

// Manifests.

/// No features but those that say what is built of the product, which knows neither the harness nor its network.
fn check_manifests(product: &str, harness: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    for (path, text) in [("Cargo.toml", product), ("sim/Cargo.toml", harness)] {
        let manifest: toml::Table = match text.parse() {
            Ok(manifest) => manifest,
            Err(error) => {
                complaints.push(format!("{path}: {error}"));
                continue;
            }
        };
        let features = manifest.get("features").and_then(|features| features.as_table());
        let is_product = path == "Cargo.toml";
        for (name, parts) in features.into_iter().flatten() {
            if !is_product {
                complaints.push(format!("{path} has a feature {name}, which unifies and leaks: delete it"));
            } else if name == "default" {
                let parts: BTreeSet<&str> =
                    parts.as_array().into_iter().flatten().filter_map(|it| it.as_str()).collect();
                if parts != BTreeSet::from(FEATURES) {
                    complaints.push(format!("{path}: whoever asks for nothing gets all of {}", FEATURES.join(", ")));
                }
            } else if !FEATURES.contains(&name.as_str()) {
                complaints.push(format!("{path} has a feature {name} beside {}: delete it", FEATURES.join(", ")));
            }
        }
        let is_brought = |name: &str| {
            let parts = features.into_iter().flatten().filter_map(|(_, parts)| parts.as_array()).flatten();
            is_product && parts.filter_map(|part| part.as_str()).any(|part| part == format!("dep:{name}"))
        };
        for table in ["dependencies", "build-dependencies"] {
            for (name, dependency) in manifest.get(table).and_then(|table| table.as_table()).into_iter().flatten() {
                if dependency.get("optional").is_some() && !is_brought(name) {
                    complaints.push(format!(
                        "{path}: {name} is optional, which makes it a feature: let one of those of the product bring it as dep:{name}"
                    ));
                }
                if is_product && ["turmoil", "gatecrash-sim"].contains(&name.as_str()) {
                    complaints.push(format!("{path}: the product may not depend on {name}: only tests may"));
                }
            }
        }
        if manifest.contains_key("target") {
            complaints.push(format!("{path} has dependencies of a target: the product is the same everywhere"));
        }
    }
    complaints
}

// Scenarios and documents.

/// Scenarios and snapshots are one set, and no two scenarios share a name.
fn check_scenarios_have_snapshots(sources: &[Source]) -> Vec<String> {
    let stems = |folder: &str, extension: &str| {
        let mut found: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for source in sources.iter().filter(|it| it.path.starts_with(folder) && it.path.ends_with(extension)) {
            found.entry(source.stem().to_owned()).or_default().push(&source.path);
        }
        found
    };
    let (scenarios, snapshots) = (stems("scenarios/", ".toml"), stems("snapshots/", ".snap"));
    let mut complaints = Vec::new();
    for (stem, files) in scenarios.iter().chain(&snapshots).filter(|(_, files)| files.len() > 1) {
        complaints.push(format!("{} share the name {stem}: rename all but one", files.join(" and ")));
    }
    for (stem, files) in &scenarios {
        if !snapshots.contains_key(stem) {
            complaints.push(format!(
                "{} has no snapshots/{stem}.snap: INSTA_UPDATE=always cargo test --test scenarios -- --exact {stem}, then read it",
                files[0]
            ));
        }
    }
    for (stem, files) in &snapshots {
        if !scenarios.contains_key(stem) {
            complaints.push(format!("{} is the trace of no scenario: delete it", files[0]));
        }
    }
    complaints
}

/// What documents link to exists: the file, and the heading in it.
fn check_links(sources: &[Source], exists: impl Fn(&str) -> bool) -> Vec<String> {
    let mut complaints = Vec::new();
    for Source { path, text } in sources.iter().filter(|source| source.path.ends_with(".md")) {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        for (line, target) in links(text) {
            if target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            let (file, heading) =
                target.split_once('#').map_or((target, None), |(file, heading)| (file, Some(heading)));
            let file = if file.is_empty() { path.clone() } else { resolve(folder, file) };
            if !exists(&file) {
                complaints
                    .push(format!("{path}:{line}: the link to {target} leads nowhere: write {file} or mend the link"));
                continue;
            }
            let Some(heading) = heading else { continue };
            let linked = sources.iter().find(|source| source.path == file);
            if !linked.is_some_and(|source| headings(&source.text).iter().any(|it| it == heading)) {
                complaints.push(format!("{path}:{line}: {file} has no heading #{heading}: mend the link"));
            }
        }
    }
    complaints
}

/// The targets of a document's links with their lines; code does not count.
fn links(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut in_code = false;
    for (number, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        if in_code {
            continue;
        }
        // What stands between backticks is every second part.
        for part in line.split('`').step_by(2) {
            let targets = part.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target);
            found.extend(targets.map(|target| (number + 1, target)));
        }
        // A link whose text is code ends in the part after it.
        found.sort_unstable();
        found.dedup();
    }
    found
}

fn resolve(folder: &str, target: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// The anchors of a document's headings.
fn headings(text: &str) -> Vec<String> {
    let is_kept = |char: &char| char.is_alphanumeric() || matches!(char, ' ' | '-' | '_');
    let anchor =
        |title: &str| title.trim().to_lowercase().chars().filter(is_kept).collect::<String>().replace(' ', "-");
    text.lines().filter(|line| line.starts_with('#')).map(|line| anchor(line.trim_start_matches('#'))).collect()
}

/// The table of docs/errors.md has every code once, in order, with the text the code prints.
fn check_error_table(document: &str, codes: &[(u32, &str)]) -> Vec<String> {
    let rows: Vec<Vec<&str>> = document
        .lines()
        .filter_map(|line| line.strip_prefix("| "))
        .map(|line| line.trim_end_matches(" |").split(" | ").map(str::trim).collect::<Vec<_>>())
        .filter(|cells| cells[0].parse::<u32>().is_ok())
        .collect();
    let mut complaints = Vec::new();
    for (number, text) in codes {
        let mut found = rows.iter().filter(|cells| cells[0] == number.to_string());
        match (found.next(), found.next()) {
            (None, _) => complaints.push(format!("docs/errors.md lacks {number} ({text}): add a row")),
            (Some(_), Some(_)) => complaints.push(format!("docs/errors.md has {number} twice: delete one row")),
            (Some(cells), None) => {
                if cells.len() != 4 || cells.iter().any(|cell| cell.is_empty()) {
                    complaints.push(format!("docs/errors.md: the row of {number} is not whole: fill its four cells"));
                } else if cells[1] != *text {
                    complaints.push(format!("docs/errors.md says {number} means {:?}: write {text:?}", cells[1]));
                }
            }
        }
    }
    let numbers: Vec<u32> = rows.iter().filter_map(|cells| cells[0].parse().ok()).collect();
    for number in numbers.iter().filter(|number| !codes.iter().any(|(known, _)| known == *number)) {
        complaints.push(format!("docs/errors.md has {number}, which no call ends with: delete the row"));
    }
    if !numbers.is_sorted() {
        complaints.push("docs/errors.md is not in the order of the numbers: sort its rows".to_owned());
    }
    complaints
}

// The repository.

#[test]
fn the_rules_are_stated_once_and_are_those_of_the_harness() {
    let sources = repository();
    let spec = text_of(&sources, "SPEC.md");
    let table: Vec<&str> = RuleId::all().map(RuleId::as_str).collect();
    assert_eq!(rules_of(spec).len(), 105);
    assert_none(check_rules_are_stated(spec));
    assert_none(check_same_rules(spec, &table));
}

#[test]
fn the_harness_is_the_sentence_it_claims_to_be() {
    assert_none(rooms::check_order(&repository()));
}

#[test]
fn no_two_files_lead_to_each_other() {
    let sources = repository();
    assert_none(rooms::check_circles(&sources, "sim/src/", "gatecrash_sim"));
    assert_none(rooms::check_circles(&sources, "src/", "gatecrash"));
}

#[test]
fn no_file_is_too_long() {
    assert_none(check_lengths(&repository()));
}

#[test]
fn every_rule_is_cited_by_code_and_by_a_test_or_scenario() {
    let sources = repository();
    let rules = rules_of(text_of(&sources, "SPEC.md"));
    assert_none(check_rules_are_cited(&rules, &citations(&rules, &sources), &NOT_CITED_YET));
}

#[test]
fn every_rule_that_is_cited_exists() {
    let sources = repository();
    assert_none(check_cited_rules_exist(&rules_of(text_of(&sources, "SPEC.md")), &sources));
}

#[test]
fn the_product_is_pure_outside_its_drivers() {
    let sources = repository();
    assert_none(check_purity(&sources));
    assert_none(check_turmoil_is_named_by_the_packet_world_only(&sources));
    assert_none(check_manifests(text_of(&sources, "Cargo.toml"), text_of(&sources, "sim/Cargo.toml")));
}

#[test]
fn what_judges_the_product_does_not_ask_it() {
    assert_none(check_judges_have_numbers_of_their_own(&repository()));
}

#[test]
fn every_file_is_whole() {
    assert_none(check_files(&repository()));
}

#[test]
fn every_property_draws_from_a_fixed_seed() {
    assert_none(check_seeds_are_fixed(&repository()));
}

#[test]
fn scenarios_and_snapshots_are_the_same_set() {
    assert_none(check_scenarios_have_snapshots(&repository()));
}

#[test]
fn documents_link_to_what_exists_and_name_every_code() {
    let sources = repository();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    assert_none(check_links(&sources, |path| root.join(path).exists()));
    let codes: Vec<(u32, &str)> = Code::ALL.iter().map(|code| (code.number(), code.text())).collect();
    assert_none(check_error_table(text_of(&sources, "docs/errors.md"), &codes));
}

/// No check that cannot fail.
#[cfg(test)]
mod tests {
    use super::*;

    /// Each complaint contains the word at its place.
    #[track_caller]
    fn assert_complaints(complaints: Vec<String>, expected: &[&str]) {
        assert_eq!(complaints.len(), expected.len(), "{complaints:#?}");
        for (complaint, part) in complaints.iter().zip(expected) {
            assert!(complaint.contains(part), "{complaint:?} does not contain {part:?}");
        }
    }

    const SPEC: &str = "# Rules\n\n### KICK-1\nIt MUST.\n\n### KICK-2\nIt MAY.\n\n## Readings\n\n### On order\n";

    #[test]
    fn rules_are_read_and_compared() {
        assert_eq!(rules_of(SPEC), ["KICK-1", "KICK-2"]);
        assert_none(check_rules_are_stated(SPEC));
        assert_complaints(
            check_rules_are_stated("\n### A-1\nIt does.\n### A-1\nIt MUST.\n"),
            &["A-1 demands", "twice"],
        );
        assert_none(check_same_rules(SPEC, &["KICK-1", "KICK-2"]));
        assert_complaints(check_same_rules(SPEC, &["KICK-1", "KICK-3"]), &["lacks KICK-2", "lacks KICK-3"]);
    }

    #[test]
    fn missing_citations_are_found() {
        let rules = rules_of(SPEC);
        let code = Source::new(
            "src/kick.rs",
            "//! Kicks.\n// KICK-1\nlet text = \"KICK-2\";\n#[cfg(test)]\nmod tests {\n/// KICK-2\n}\n",
        );
        let scenario = Source::new("scenarios/a.toml", "title = \"KICK-2\"\nrules = [\"KICK-1\"]\n");
        let test = Source::new("tests/it/tidy.rs", "// KICK-2 KICK-1");
        let cited = citations(&rules, &[code, scenario, test]);
        assert_eq!(cited.code, BTreeSet::from(["KICK-1"]));
        assert_eq!(cited.tests, BTreeSet::from(["KICK-1", "KICK-2"]));
        assert_complaints(check_rules_are_cited(&rules, &cited, &[]), &["no code cites KICK-2"]);
        assert_complaints(
            check_rules_are_cited(&rules, &Citations { tests: BTreeSet::new(), ..cited }, &[]),
            &["no test cites KICK-1", "no code cites KICK-2", "no test cites KICK-2"],
        );
    }

    #[test]
    fn exemptions_are_few_and_do_not_outlive_their_reason() {
        let rules = ["DUR-1", "DUR-2", "KICK-1"];
        let all = || BTreeSet::from(rules);
        let cited = Citations { code: all(), tests: BTreeSet::from(["DUR-1", "KICK-1"]) };
        assert_none(check_rules_are_cited(&rules, &cited, &[("DUR-2", "needs the database")]));
        assert_complaints(
            check_rules_are_cited(&rules, &cited, &[("DUR-1", "needs the database"), ("DUR-2", "is hard")]),
            &["DUR-1 is cited by now", "DUR-2 is not exempt"],
        );
        let none = Citations { code: BTreeSet::from(["DUR-1", "DUR-2"]), tests: BTreeSet::from(["DUR-1", "DUR-2"]) };
        assert_complaints(
            check_rules_are_cited(&rules, &none, &[("KICK-1", "needs the database")]),
            &["KICK-1 is not exempt"],
        );
    }

    #[test]
    fn citations_of_nothing_are_found() {
        let rules = rules_of(SPEC);
        let sources = [
            Source::new("src/a.rs", "// KICK-1, KICK-9 and SHA-256\nlet x = \"KICK-8\";"),
            Source::new("README.md", "see KICK-7"),
            Source::new("scenarios/a.toml", "rules = [\"KICK-6\"]"),
            Source::new("snapshots/a.snap", "KICK-5"),
        ];
        assert_complaints(
            check_cited_rules_exist(&rules, &sources),
            &["src/a.rs:1: SPEC.md has no rule KICK-9", "README.md:1: SPEC.md has no rule KICK-7", "KICK-6"],
        );
    }

    #[test]
    fn impurity_is_found_and_the_drivers_are_free() {
        let impure = "use std::time::{Duration, Instant};\nasync fn f() { std::fs::read(p); }\nprintln!(\"x\");\nuse tokio::net;\nlet a: std::collections::HashMap<u8, u8>;";
        let pure =
            "use crate::time::Instant; // tokio\nlet text = \"std::fs\";\nuse std::time::Duration;\nlet random = 1;";
        let tested = "fn f() {}\n#[cfg(test)]\nmod tests {\n    use std::fs;\n}";
        assert_complaints(
            check_purity(&[Source::new("src/server/a.rs", impure)]),
            &[
                "src/server/a.rs:1: `std::time::Instant`",
                ":2: `async`",
                ":2: `std::fs::read`",
                ":3: `println`",
                ":4: `tokio::net`",
                ":5: `std::collections::HashMap`",
            ],
        );
        let free = ["src/driver/a.rs", "src/bin/gatecrashd/a.rs", "sim/src/a.rs", "tests/it/a.rs"];
        assert_none(check_purity(&free.map(|path| Source::new(path, impure))));
        assert_none(check_purity(&[Source::new("src/a.rs", pure), Source::new("src/b.rs", tested)]));
    }

    #[test]
    fn judges_that_ask_the_product_are_found() {
        let asks = "use gatecrash::decide::server::CATCH_UP;\nuse gatecrash::limits::{ServerLimits, silence_min};\nlet a = ServerLimits::default();\nlet b = one.is_mobile();\nuse gatecrash::protocol::RETURN_MAX;";
        let knows = "use gatecrash::limits::ServerLimits;\nuse gatecrash::time::Instant;\nlet a = Instant::ZERO;\nlet b = numbers::is_mobile(one);\nfor platform in Platform::ALL {}";
        assert_complaints(
            check_judges_have_numbers_of_their_own(&[Source::new("sim/src/check/a.rs", asks)]),
            &[
                "sim/src/check/a.rs:1: `gatecrash::decide::server::CATCH_UP`",
                ":2: `gatecrash::limits::silence_min`",
                ":3: `ServerLimits::default`",
                ":5: `gatecrash::protocol::RETURN_MAX`",
                ":4: `.is_mobile()`",
            ],
        );
        let free = [("sim/src/check/b.rs", knows), ("sim/src/world/event.rs", asks), ("src/server/a.rs", asks)];
        assert_none(check_judges_have_numbers_of_their_own(&free.map(|(path, text)| Source::new(path, text))));
    }

    #[test]
    fn turmoil_elsewhere_is_found() {
        let text = "use turmoil::net::TcpStream;";
        let named = ["sim/src/world/event.rs", "src/driver/tokio.rs", "sim/src/world/packet/stream.rs", "benches/a.rs"];
        assert_complaints(
            check_turmoil_is_named_by_the_packet_world_only(&named.map(|path| Source::new(path, text))),
            &["sim/src/world/event.rs:1", "src/driver/tokio.rs:1"],
        );
    }

    #[test]
    fn files_that_are_too_long_are_found() {
        let long = format!("//! Long.\n{}", "fn f() {}\n".repeat(LINES_MAX));
        let tested = format!("//! Short.\nfn f() {{}}\n#[cfg(test)]\nmod tests {{\n{}}}\n", "// x\n".repeat(LINES_MAX));
        assert_none(check_lengths(&[Source::new("src/tested.rs", &tested), Source::new("tests/it/long.rs", &long)]));
        assert_complaints(check_lengths(&[Source::new("src/long.rs", &long)]), &["src/long.rs has 701 lines"]);
    }

    #[test]
    fn files_that_are_not_whole_are_found() {
        let bad = |text: &str| check_files(&[Source::new("src/a.rs", &format!("//! A.\n{text}"))]);
        assert_complaints(check_files(&[Source::new("src/a.rs", "use x;\n")]), &["does not open"]);
        assert_complaints(check_files(&[Source::new("src/a.rs", "//!\n")]), &["does not open"]);
        assert_complaints(bad("// TODO: more"), &[":2: TODO"]);
        assert_complaints(bad("fn f() { todo!() }"), &[":2: `todo`"]);
        assert_complaints(bad("fn f() { std::unimplemented!() }"), &["unimplemented"]);
        assert_complaints(bad("unsafe { f() }"), &["`unsafe`"]);
        assert_complaints(bad("#[test]\n#[ignore = \"slow\"]\nfn f() {}"), &[":3: an ignored test"]);
        let asks = |path: &str, feature: &str| {
            check_files(&[Source::new(path, &format!("//! A.\n#[cfg(feature = \"{feature}\")]\nmod a;"))])
        };
        assert_complaints(asks("src/driver/mod.rs", "client"), &[]);
        assert_complaints(asks("src/driver/mod.rs", "fast"), &[":2: only src/lib.rs and src/driver/mod.rs"]);
        assert_complaints(asks("src/client/mod.rs", "client"), &["src/client/mod.rs:2: only src/lib.rs"]);
        assert_complaints(asks("sim/src/lib.rs", "client"), &["sim/src/lib.rs:2: only src/lib.rs"]);
        assert_complaints(bad("#[cfg(test)]\nfn todo_list() { feature(\"unsafe TODO\") }"), &[]);
    }

    #[test]
    fn manifests_that_leak_are_found() {
        let plain = "[dependencies]\nserde = \"1\"\n[dev-dependencies]\ngatecrash-sim = { path = \"sim\" }\n";
        assert_none(check_manifests(plain, "[dependencies]\nturmoil = \"0.7\"\n"));
        let leaky = "[features]\nfast = []\n[dependencies]\nturmoil = { version = \"0.7\", optional = true }\n[target.x.dependencies]\n";
        assert_complaints(
            check_manifests(leaky, plain),
            &["has a feature fast", "turmoil is optional", "depend on turmoil", "target"],
        );
        let parts = |features: &str| {
            format!("[features]\n{features}\n[dependencies]\nredb = {{ version = \"4\", optional = true }}\n")
        };
        let whole = parts(
            "default = [\"client\", \"server\", \"cli\", \"tls\"]\nclient = []\nserver = [\"dep:redb\"]\ncli = []\ntls = []",
        );
        assert_none(check_manifests(&whole, plain));
        assert_complaints(
            check_manifests(&parts("default = [\"client\", \"server\"]\nserver = []"), plain),
            &["whoever asks for nothing", "redb is optional"],
        );
        assert_complaints(
            check_manifests(plain, &parts("server = [\"dep:redb\"]")),
            &["sim/Cargo.toml has a feature server", "redb is optional"],
        );
        assert_complaints(
            check_manifests("[dependencies]\ngatecrash-sim = \"1\"\n", plain),
            &["depend on gatecrash-sim"],
        );
        assert_complaints(check_manifests(plain, "= 1"), &["sim/Cargo.toml"]);
    }

    #[test]
    fn scenarios_without_snapshots_are_found() {
        let sources = |paths: &[&str]| paths.iter().map(|path| Source::new(path, "")).collect::<Vec<_>>();
        assert_none(check_scenarios_have_snapshots(&sources(&[
            "scenarios/a.toml",
            "scenarios/regressions/b.toml",
            "snapshots/a.snap",
            "snapshots/b.snap",
        ])));
        assert_complaints(
            check_scenarios_have_snapshots(&sources(&["scenarios/a.toml", "scenarios/x/a.toml", "snapshots/b.snap"])),
            &["share the name a", "has no snapshots/a.snap", "snapshots/b.snap is the trace of no scenario"],
        );
    }

    #[test]
    fn broken_links_are_found() {
        let sources = [
            Source::new(
                "README.md",
                "[spec](SPEC.md#the-words) and [`x`](docs/x.md)\n```\n[no](none.md)\n```\n`[no](none.md)` [web](https://a.b)",
            ),
            Source::new("SPEC.md", "# Rules\n\n## The words\n"),
            Source::new("docs/x.md", "[up](../SPEC.md), [self](#gone), [none](y.md)"),
        ];
        let exists = |path: &str| ["README.md", "SPEC.md", "docs/x.md"].contains(&path);
        assert_complaints(check_links(&sources, exists), &["has no heading #gone", "write docs/y.md"]);
        assert_complaints(
            check_links(&sources[..1], |path| path == "README.md"),
            &["write SPEC.md", "write docs/x.md"],
        );
    }

    #[test]
    fn gaps_in_the_table_of_codes_are_found() {
        let codes = [(1, "one"), (2, "two"), (3, "three")];
        let whole = "| code | means | by | do |\n|---|---|---|---|\n| 1 | one | a | b |\n| 2 | two | a | b |\n| 3 | three | a | b |\n";
        assert_none(check_error_table(whole, &codes));
        let bad = "| 2 | deux | a | b |\n| 1 | one | a |\n| 4 | four | a | b |\n";
        assert_complaints(
            check_error_table(bad, &codes),
            &["the row of 1 is not whole", "2 means \"deux\"", "lacks 3", "has 4", "not in the order"],
        );
        assert_complaints(check_error_table(&format!("{whole}| 3 | three | a | b |\n"), &codes), &["3 twice"]);
    }
}
