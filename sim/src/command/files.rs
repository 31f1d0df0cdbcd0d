//! The scenario files that a command line means: found in a fixed order, read, and parsed or refused
//! all together (INPUT-4).

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use gatecrash_sim::generate::{self, Seed};
use gatecrash_sim::scenario::{Diagnosis, Scenario};
use gatecrash_sim::search::report::escaped;
use serde_json::json;

use super::{End, colours, complain, count, say};

/// The folder that is meant when none is named.
const FOLDER: &str = "scenarios";

/// One scenario file.
pub struct File {
    /// Where it is, as the command line or its folder names it.
    pub path: String,
    /// What tables call it: its path below the folder that was named, without the ending.
    pub name: String,
    /// What it says.
    pub scenario: Scenario,
}

/// Why there is nothing to do.
pub enum BadInput {
    /// What is wrong, in a sentence.
    Refused(String),
    /// Files that were refused, each for a reason of its own.
    Files {
        /// Those that cannot be read: why, each in a sentence.
        unreadable: Vec<String>,
        /// Those that say what cannot be.
        diagnoses: Vec<Diagnosis>,
        /// How many there are with those that are well.
        found: usize,
    },
    /// Reports that are no shards of one sweep.
    Shards {
        /// Everything that is wrong with them, each in a sentence.
        problems: Vec<String>,
        /// How many there are.
        found: usize,
    },
}

impl BadInput {
    /// Says so: as text to people, in JSON to programs.
    pub fn report(&self, json: bool) -> End {
        match self {
            BadInput::Refused(problem) if json => say(json!({ "error": problem })),
            BadInput::Refused(problem) => complain(format_args!("error: {}", escaped(problem))),
            BadInput::Shards { problems, .. } if json => {
                say(json!({ "error": "nothing is added up", "problems": problems }));
            }
            BadInput::Shards { problems, found } => {
                problems.iter().for_each(|problem| complain(format_args!("error: {}", escaped(problem))));
                let (problems, reports) = (count(problems.len(), "problem"), count(*found, "report"));
                complain(format_args!("error: {problems} with {reports}: nothing is added up"));
            }
            BadInput::Files { unreadable, diagnoses, .. } if diagnoses.is_empty() => {
                let said = unreadable.iter().map(|problem| escaped(problem).into_owned());
                if json {
                    say(json!({ "error": said.collect::<Vec<_>>().join("; ") }));
                } else {
                    said.for_each(|problem| complain(format_args!("error: {problem}")));
                }
            }
            BadInput::Files { unreadable, diagnoses, .. } if json => {
                let unreadable = unreadable.iter().map(|problem| json!({ "message": problem }));
                let problems: Vec<_> = unreadable.chain(diagnoses.iter().flat_map(problems)).collect();
                say(json!({ "error": "nothing runs", "problems": problems }));
            }
            BadInput::Files { unreadable, diagnoses, found } => {
                for problem in unreadable {
                    complain(format_args!("error: {}", escaped(problem)));
                }
                for diagnosis in diagnoses {
                    if colours(&io::stderr()) {
                        complain(diagnosis.graphical(true).trim_end());
                    } else {
                        diagnosis.to_string().lines().for_each(|line| complain(escaped(line)));
                    }
                }
                let mistakes = diagnoses.iter().map(|diagnosis| diagnosis.errors.len()).sum();
                let (mistakes, files) = (count(mistakes, "mistake"), count(diagnoses.len(), "file"));
                let refused = unreadable.len() + diagnoses.len();
                complain(format_args!("{} found, {refused} refused", count(*found, "scenario")));
                complain(format_args!("error: {mistakes} in {files}: nothing runs"));
            }
        }
        End::BadInput
    }
}

fn problems(diagnosis: &Diagnosis) -> impl Iterator<Item = serde_json::Value> {
    diagnosis.errors.iter().map(|problem| {
        json!({
            "file": diagnosis.file,
            "line": problem.line,
            "column": problem.column,
            "message": problem.message,
            "expected": problem.expected,
            "nearest": problem.nearest,
            "rule": problem.rule.as_str(),
        })
    })
}

/// The scenarios at these paths, or of the nearest `scenarios/` folder: of a folder all that is
/// below it, in the order of the paths.
pub fn load(paths: &[PathBuf]) -> Result<Vec<File>, BadInput> {
    let paths = if paths.is_empty() { vec![nearest_folder().map_err(BadInput::Refused)?] } else { paths.to_vec() };
    let mut found: Vec<(PathBuf, String)> = Vec::new();
    let mut unreadable = Vec::new();
    for path in &paths {
        match named(path) {
            Ok(files) => found.extend(files),
            Err(problems) => unreadable.extend(problems),
        }
    }
    let mut seen = BTreeSet::new();
    found.retain(|(path, _)| seen.insert(path.clone()));

    let all = found.len();
    let (mut files, mut diagnoses) = (Vec::new(), Vec::new());
    for (path, name) in found {
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) => {
                unreadable.push(cannot_read(&path, &error));
                continue;
            }
        };
        let path = path.display().to_string();
        // What is no text is refused where the first replacement character stands.
        match Scenario::parse(&path, &String::from_utf8_lossy(&text)) {
            Ok(scenario) => files.push(File { path, name: escaped(&name).into_owned(), scenario }),
            Err(diagnosis) => diagnoses.push(diagnosis),
        }
    }
    if diagnoses.is_empty() && unreadable.is_empty() {
        Ok(files)
    } else {
        Err(BadInput::Files { unreadable, diagnoses, found: all })
    }
}

/// The one scenario at this path, or the one drawn from this seed.
pub fn one(path: Option<&Path>, seed: Option<Seed>) -> Result<File, BadInput> {
    match (path, seed) {
        (_, Some(seed)) => {
            let scenario = generate::scenario(seed);
            Ok(File { path: format!("--seed {seed}"), name: format!("seed {seed}"), scenario })
        }
        (Some(path), None) if path.is_dir() => {
            Err(BadInput::Refused(format!("{} is a folder: name one file", path.display())))
        }
        (Some(path), None) => Ok(load(&[path.to_owned()])?.pop().expect("one path that is no folder is one file")),
        (None, None) => Err(BadInput::Refused("name a file, or a seed with --seed".to_owned())),
    }
}

/// That a file or folder cannot be read.
pub fn cannot_read(path: &Path, error: &io::Error) -> String {
    format!("cannot read {}: {error}", path.display())
}

/// `scenarios/` here or beside an ancestor of the current directory, as a path from here.
pub fn nearest_folder() -> Result<PathBuf, String> {
    let here = std::env::current_dir().map_err(|error| format!("there is no current directory: {error}"))?;
    let mut folder = PathBuf::from(FOLDER);
    for ancestor in here.ancestors() {
        if ancestor.join(FOLDER).is_dir() {
            return Ok(folder);
        }
        folder = Path::new("..").join(folder);
    }
    Err(format!("there is no {FOLDER}/ folder in {} or above it: name a file or a folder", here.display()))
}

/// The file or files meant by one path, each with its name; or everything in the way of that.
fn named(path: &Path) -> Result<Vec<(PathBuf, String)>, Vec<String>> {
    let metadata = std::fs::metadata(path).map_err(|error| vec![cannot_read(path, &error)])?;
    if !metadata.is_dir() {
        let name = path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        return Ok(vec![(path.to_owned(), name)]);
    }
    let files = below(path)?;
    if files.is_empty() {
        return Err(vec![format!("there is no scenario (*.toml) below {}", path.display())]);
    }
    let name = |file: &PathBuf| file.strip_prefix(path).unwrap_or(file).with_extension("").display().to_string();
    Ok(files.into_iter().map(|file| (file.clone(), name(&file))).collect())
}

/// The scenario files below a folder, in the order of their paths; or everything below it that cannot be read, since
/// what is left out in silence passes.
pub fn below(folder: &Path) -> Result<Vec<PathBuf>, Vec<String>> {
    let (mut files, mut unreadable) = (Vec::new(), Vec::new());
    collect(folder, &mut files, &mut unreadable);
    files.sort();
    unreadable.sort();
    if unreadable.is_empty() { Ok(files) } else { Err(unreadable) }
}

/// Adds the scenario files below a folder, and what is wrong with it. Links to folders are not followed: they could
/// lead around in circles.
fn collect(folder: &Path, files: &mut Vec<PathBuf>, unreadable: &mut Vec<String>) {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => return unreadable.push(cannot_read(folder, &error)),
    };
    for entry in entries {
        let entry = match entry.and_then(|entry| Ok((entry.path(), entry.file_type()?))) {
            Ok(entry) => entry,
            Err(error) => {
                unreadable.push(cannot_read(folder, &error));
                continue;
            }
        };
        let (path, file_type) = entry;
        if file_type.is_dir() {
            collect(&path, files, unreadable);
        } else if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("toml")) {
            match std::fs::metadata(&path) {
                Ok(metadata) if metadata.is_dir() => {}
                Ok(metadata) if metadata.is_file() => files.push(path),
                Ok(_) => unreadable.push(format!("cannot read {}: it is no file", path.display())),
                Err(error) => unreadable.push(cannot_read(&path, &error)),
            }
        }
    }
}
