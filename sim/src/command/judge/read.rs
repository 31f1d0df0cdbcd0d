//! Which files are which history, and how they are read.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use gatecrash_sim::history::{Map, Mistake};
use gatecrash_sim::judge::Source;

use super::super::files::BadInput;

/// The files of each history: one without a first line of its own goes on with that of the file before.
pub fn histories(files: &[PathBuf]) -> Result<Vec<Vec<&Path>>, BadInput> {
    let mut histories: Vec<Vec<&Path>> = Vec::new();
    for file in files {
        let goes_on = !histories.is_empty() && !is_stdin(file) && !has_head(file)?;
        match histories.last_mut() {
            Some(last) if goes_on => last.push(file),
            _ => histories.push(vec![file]),
        }
    }
    Ok(histories)
}

/// Whether a file's first line says that it is a history.
pub fn has_head(file: &Path) -> Result<bool, BadInput> {
    let mut text = open(file)?;
    let mut first = Vec::new();
    let read = io::BufRead::read_until(&mut io::Read::take(&mut text, 1024 * 1024), b'\n', &mut first);
    read.map_err(|error| unreadable(file, &error))?;
    let first: Option<serde_json::Value> = serde_json::from_slice(&first).ok();
    Ok(first.is_some_and(|first| first.get("history").is_some()))
}

/// Whether standard input is meant.
pub fn is_stdin(file: &Path) -> bool {
    file == Path::new("-")
}

fn open(file: &Path) -> Result<BufReader<File>, BadInput> {
    let opened = File::open(file).and_then(|opened| match opened.metadata()?.is_dir() {
        true => Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder")),
        false => Ok(opened),
    });
    opened.map(|file| BufReader::with_capacity(256 * 1024, file)).map_err(|error| unreadable(file, &error))
}

fn unreadable(file: &Path, error: &io::Error) -> BadInput {
    BadInput::Refused(format!("cannot read {}: {error}", file.display()))
}

/// The text of a file.
pub fn source(file: &Path) -> Result<Source<'static>, BadInput> {
    let name = file.display().to_string();
    let text: Box<dyn io::BufRead> = match is_stdin(file) {
        true => Box::new(BufReader::with_capacity(256 * 1024, io::stdin())),
        false => Box::new(open(file)?),
    };
    Ok(Source { name, text })
}

/// What the lines of a log mean, or everything that is wrong with what says it.
pub fn map(file: &Path) -> Result<Result<Map, Vec<Mistake>>, BadInput> {
    let text = std::fs::read_to_string(file).map_err(|error| unreadable(file, &error))?;
    Ok(Map::read(&text, &file.display().to_string()))
}
