//! `gatecrash keep`: a finding becomes a scenario of the house, and so a test.
//!
//! Runs nothing and mends nothing: it says which commands do.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use gatecrash_sim::search::shrink;

use super::files::{self, BadInput};
use super::sweep::FINDINGS;
use super::{End, complain, say};

/// Where below `scenarios/` failures are kept.
const FOLDER: &str = "regressions";

/// The scenario of a finding that is kept.
pub const SHRUNK: &str = "shrunk.toml";

/// The first line of a file there: it tells editors where the schema of the header is.
const SCHEMA_LINE: &str = "#:schema ../../docs/scenario.schema.json";

/// Keep a finding as a scenario, which is a test
///
/// Writes the smallest scenario that fails so to regressions/ below the nearest scenarios/, with the comments that say
/// where it is from. Every file there is a test: this one fails until the bug is mended.
#[derive(Args)]
#[command(after_help = "\
Examples:
  gatecrash keep target/gatecrash/kick-1-told-5d0a11c2     the folder that a sweep left
  gatecrash keep kick-1-told-5d0a11c2                      the same
  gatecrash keep kick-1-told-5d0a11c2 late_kick_is_told    by a name that says what holds once it is mended
  gatecrash keep failing.toml                              any scenario")]
pub struct Arguments {
    /// The folder of a finding, its name below target/gatecrash, or a scenario file
    finding: PathBuf,
    /// What the test is called: lowercase letters, digits, underscores [default: the rule, and what is done]
    name: Option<String>,
}

/// Does it.
pub fn run(arguments: &Arguments) -> End {
    match kept(arguments) {
        Ok(end) => end,
        Err(bad_input) => bad_input.report(false),
    }
}

fn kept(arguments: &Arguments) -> Result<End, BadInput> {
    let path = scenario_of(&arguments.finding)?;
    let scenario = files::one(Some(&path), None)?.scenario;
    let text = fs::read_to_string(&path).map_err(|error| BadInput::Refused(files::cannot_read(&path, &error)))?;
    let name = arguments.name.clone().unwrap_or_else(|| shrink::stem(&scenario));
    let scenarios = files::nearest_folder().map_err(BadInput::Refused)?;
    check_name(&name, &scenarios)?;
    let file = scenarios.join(FOLDER).join(&name).with_extension("toml");
    if let Err(error) = write(&file, &as_regression(&text)) {
        complain(format_args!("error: cannot write {}: {error}", file.display()));
        return Ok(End::HarnessFailed);
    }
    let snapshot = scenarios.with_file_name("snapshots").join(&name).with_extension("snap");
    let (file, snapshot) = (file.display(), snapshot.display());
    let test = format!("cargo test --test scenarios -- --exact {name}");
    say(format_args!(
        "kept as {file}\n\n\
         It is a test by now, which fails until the bug is mended:\n  {test}\n\n\
         Once it is, write its story to {snapshot}, and read that before you commit both:\n  INSTA_UPDATE=always {test}"
    ));
    Ok(End::Passed)
}

/// Writes a file that is not there yet, and the folder it is in.
fn write(file: &Path, text: &str) -> io::Result<()> {
    fs::create_dir_all(file.parent().expect("a file is in a folder"))?;
    OpenOptions::new().write(true).create_new(true).open(file)?.write_all(text.as_bytes())
}

/// The file that a finding means.
pub fn scenario_of(finding: &Path) -> Result<PathBuf, BadInput> {
    let below = Path::new(FINDINGS).join(finding);
    match [finding, &below].into_iter().find(|path| path.exists()) {
        Some(path) if path.is_dir() => Ok(path.join(SHRUNK)),
        Some(path) => Ok(path.to_owned()),
        None => Err(BadInput::Refused(format!(
            "there is no finding {}: name its folder, its name below {FINDINGS}, or a scenario file",
            finding.display()
        ))),
    }
}

/// Whether a test may be called so: each has a name of its own, whatever folder it is in.
fn check_name(name: &str, scenarios: &Path) -> Result<(), BadInput> {
    let is_plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
    if name.is_empty() || !name.chars().all(is_plain) {
        let problem = "is no name of a scenario: write lowercase letters, digits and underscores";
        return Err(BadInput::Refused(format!("{name:?} {problem}")));
    }
    let all = files::below(scenarios).map_err(|unreadable| BadInput::Files {
        unreadable,
        diagnoses: Vec::new(),
        found: 0,
    })?;
    match all.iter().find(|path| path.file_stem().is_some_and(|stem| stem == name)) {
        None => Ok(()),
        Some(path) => {
            let problem = format!("{} is called {name} already: give another name", path.display());
            Err(BadInput::Refused(problem))
        }
    }
}

/// The text as it stands among the regressions: one folder further from the schema than others.
fn as_regression(text: &str) -> String {
    let body = match text.split_once('\n') {
        Some((first, rest)) if first.starts_with("#:schema ") => rest,
        _ => text,
    };
    format!("{SCHEMA_LINE}\n{body}")
}
