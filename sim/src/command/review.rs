//! `gatecrash review`: what a change does to the stories in `snapshots/`, against a revision of git.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;
use gatecrash_sim::review::{Length, Story, Style, markdown, review, text};

use super::files::{BadInput, cannot_read};
use super::{End, colours, say};

/// The folder that is meant when none is named.
const FOLDER: &str = "snapshots";

/// What the main branch may be called; where its commits come from first.
const MAIN: [&str; 3] = ["origin/HEAD", "main", "master"];

/// The end of a story's file, and of one that insta left to be accepted.
const ENDINGS: [&str; 2] = [".snap", ".snap.new"];

/// Tell what a change does to the stories in snapshots/, grouped by cause
///
/// Compares the snapshots as they are on BASE with those of the working tree, and with what insta left beside them to be
/// accepted (*.snap.new). The same edit in a hundred stories is one group: how many stories and lines, an example, the
/// list. What weighs most comes first: an outcome, an order, an event that is new or gone, a word, a field, a value, a
/// number, a time. Times and numbers that change after the first change of a story follow from it, and are only counted.
/// The text has 40 lines at most, and says what it left out.
#[derive(Args)]
#[command(after_help = "\
Examples:
  gatecrash review                       against where this branch left the main branch
  gatecrash review HEAD                  against the last commit: what is not committed yet
  gatecrash review v0.1.0                against a release
  gatecrash review --all | less          all of it, where 40 lines leave something out
  gatecrash review --markdown            for a comment on a pull request
  gatecrash review --json | jq '.groups[] | select(.kind == \"outcome\")'
  INSTA_UPDATE=new cargo test --test scenarios; gatecrash review HEAD
                                         before anything is accepted

Exit codes: 0 nothing changed but times and numbers, or stories are new; 1 an outcome changed, or an order, an event, a
word, a field or a value, or a story is gone; 3 no git, no such revision, no snapshots.")]
pub struct Arguments {
    /// A revision of git [default: where this branch left origin/HEAD, main or master]
    #[arg(value_name = "BASE")]
    base: Option<String>,
    /// The folder of the snapshots [default: the nearest snapshots/]
    #[arg(long, value_name = "DIR")]
    snapshots: Option<PathBuf>,
    /// Tell all of every group, however many lines that takes
    #[arg(long, conflicts_with_all = ["markdown", "json"])]
    all: bool,
    /// Print Markdown that fits a comment on a pull request
    #[arg(long, conflicts_with = "json")]
    markdown: bool,
    /// Print one JSON object, with every story of every group
    #[arg(long)]
    json: bool,
}

/// Does it.
pub fn run(arguments: &Arguments) -> End {
    let stories = match stories(arguments) {
        Ok(stories) => stories,
        Err(problem) => return BadInput::Refused(problem).report(arguments.json),
    };
    let review = review(&stories);
    if arguments.json {
        say(serde_json::to_string(&review).expect("a review is made of texts and numbers"));
    } else if arguments.markdown {
        say(markdown(&review));
    } else {
        let length = if arguments.all { Length::All } else { Length::Screen };
        say(text(&review, length, Style { colours: colours(&io::stdout()) }));
    }
    if review.weighs() { End::Violated } else { End::Passed }
}

/// The stories before and after, in the order of their names.
fn stories(arguments: &Arguments) -> Result<Vec<Story>, String> {
    let folder = match &arguments.snapshots {
        Some(folder) => folder.clone(),
        None => nearest_folder()?,
    };
    if !folder.is_dir() {
        return Err(format!("there is no folder {}", folder.display()));
    }
    let git = Git { folder: &folder };
    git.ask(&["rev-parse", "--show-toplevel"])
        .map_err(|said| format!("{} is in no repository of git: {said}", folder.display()))?;
    let base = base(&git, arguments.base.as_deref())?;
    let mut stories: BTreeMap<String, Story> = BTreeMap::new();
    let mut blobs = Vec::new();
    // Paths are from the folder on, since git runs there.
    for entry in git.ask(&["ls-tree", "-r", "-z", &base, "."])?.split('\0') {
        let Some((about, path)) = entry.split_once('\t') else { continue };
        if let (Some(stem), Some(id)) = (path.strip_suffix(ENDINGS[0]), about.split(' ').nth(2)) {
            blobs.push((stem.to_owned(), path.to_owned(), id.to_owned()));
        }
    }
    let mut now = BTreeMap::new();
    collect(&folder, "", &mut now)?;
    if blobs.is_empty() && now.is_empty() {
        return Err(format!("there is no snapshot (*.snap) in {}, neither now nor on the base", folder.display()));
    }
    for (stem, path) in now {
        let after = std::fs::read_to_string(&path).map_err(|error| cannot_read(&path, &error))?;
        stories.insert(stem.clone(), Story { stem, before: None, after: Some(after) });
    }
    // Only of what differs is it worth asking what it was.
    let differ = git.ask(&["diff", "--name-only", "--relative", "--no-renames", "-z", &base, "--", "."])?;
    let differ: Vec<&str> = differ.split('\0').collect();
    for (stem, path, id) in blobs {
        let story = stories.entry(stem.clone()).or_insert(Story { stem, before: None, after: None });
        let is_pending = folder.join(format!("{}{}", story.stem, ENDINGS[1])).exists();
        story.before = match &story.after {
            Some(after) if !is_pending && !differ.contains(&path.as_str()) => Some(after.clone()),
            _ => Some(git.ask(&["cat-file", "blob", &id])?),
        };
    }
    Ok(stories.into_values().collect())
}

/// The commit that is compared with.
fn base(git: &Git<'_>, named: Option<&str>) -> Result<String, String> {
    let commit = |revision: &str| {
        let revision = format!("{revision}^{{commit}}");
        git.ask(&["rev-parse", "--verify", "--quiet", "--end-of-options", &revision]).map(|said| said.trim().to_owned())
    };
    if let Some(named) = named {
        return commit(named).map_err(|_| format!("there is no revision {named}"));
    }
    let Some(main) = MAIN.into_iter().find_map(|name| commit(name).ok()) else {
        return Err(format!("there is none of {}: name the revision to compare with", MAIN.join(", ")));
    };
    git.ask(&["merge-base", "HEAD", &main]).map(|said| said.trim().to_owned()).map_err(|_| {
        "this branch and the main branch have no commit in common: name the revision to compare with".to_owned()
    })
}

/// `snapshots/` here or beside an ancestor of the current directory.
fn nearest_folder() -> Result<PathBuf, String> {
    let here = std::env::current_dir().map_err(|error| format!("there is no current directory: {error}"))?;
    let found = here.ancestors().map(|ancestor| ancestor.join(FOLDER)).find(|folder| folder.is_dir());
    found.ok_or_else(|| {
        format!("there is no {FOLDER}/ folder in {} or above it: name one with --snapshots", here.display())
    })
}

/// The files of the stories below a folder, by stem: what insta left to be accepted stands for what it would replace.
fn collect(folder: &Path, below: &str, found: &mut BTreeMap<String, PathBuf>) -> Result<(), String> {
    let entries = std::fs::read_dir(folder).map_err(|error| cannot_read(folder, &error))?;
    let entries: Result<Vec<_>, _> = entries.collect();
    let mut entries = entries.map_err(|error| cannot_read(folder, &error))?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let (path, name) = (entry.path(), format!("{below}{}", entry.file_name().to_string_lossy()));
        if entry.file_type().map_err(|error| cannot_read(&path, &error))?.is_dir() {
            collect(&path, &format!("{name}/"), found)?;
        } else if let Some(stem) = ENDINGS.into_iter().find_map(|ending| name.strip_suffix(ending)) {
            // `a.snap.new` sorts behind `a.snap`.
            found.insert(stem.to_owned(), path);
        }
    }
    Ok(())
}

/// Git, run in a folder of its repository.
struct Git<'a> {
    folder: &'a Path,
}

impl Git<'_> {
    /// What it answers; or else what it says is wrong, in a line.
    fn ask<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Result<String, String> {
        let output = Command::new("git")
            .arg("-C")
            .arg(self.folder)
            .args(arguments)
            .output()
            .map_err(|error| format!("cannot run git: {error}"))?;
        if output.status.success() {
            return String::from_utf8(output.stdout).map_err(|_| "git says what is no text".to_owned());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(said.lines().next().unwrap_or("git failed and did not say why").to_owned())
    }
}
