//! A history as a page.

use std::fs;
use std::path::Path;

use gatecrash_sim::judge::{Judged, Judgement, Recording, Verdict, judge_sources};
use gatecrash_sim::page;
use gatecrash_sim::search::report::{as_word, command_line};

use super::super::files::BadInput;
use super::super::version::version;
use super::super::{End, complain, count, say, thousands};
use super::{end_of, print, read};

/// The text of its page.
pub fn page(judged: &Judged<'_>, replay: &str) -> String {
    page::of_history(judged, &version(), replay)
}

/// Judges the history in these files and keeps what is to be shown of it, once more where that is known only at its end.
pub fn kept(
    files: &[&Path],
    judge: impl Fn(Option<&mut Recording>) -> Result<Judgement, BadInput>,
) -> Result<(Judgement, Option<Recording>), BadInput> {
    let mut recording = Recording::default();
    let judgement = judge(Some(&mut recording))?;
    // Standard input is read once.
    let is_file = files.iter().all(|file| !read::is_stdin(file));
    if let Some(line) = recording.lost(&judgement.breaches).filter(|_| is_file) {
        recording = Recording::around(line);
        judge(Some(&mut recording))?;
    }
    Ok((judgement, Some(recording)))
}

/// Judges the history in a file and writes its page. Says how that ends.
pub fn of_file(path: &Path, out: &Path) -> Result<End, BadInput> {
    written(path, out, false)
}

/// The same, of a history that was written here: only what fails is said.
pub fn quietly(path: &Path, out: &Path) -> Result<(), String> {
    written(path, out, true).map(|_| ()).map_err(|_| format!("cannot read {}", path.display()))
}

fn written(path: &Path, out: &Path, is_quiet: bool) -> Result<End, BadInput> {
    let files = [path.display().to_string()];
    let (judgement, recording) = kept(&[path], |recording| {
        let judgement = judge_sources(vec![read::source(path)?], &[], recording);
        judgement.map_err(|error| BadInput::Refused(format!("{}: {error}", files[0])))
    })?;
    let recording = recording.unwrap_or_default();
    if judgement.verdict() == Verdict::Unreadable {
        print::mistakes(&files, &judgement);
        return Ok(End::BadInput);
    }
    let said = print::verdict(false, &judgement);
    let judged = Judged { files: &files, judgement: &judgement, said: &said, recording: &recording };
    let replay = command_line(&format!("judge {}", as_word(&files[0])));
    match write(out, &judged, &replay, is_quiet) {
        Ok(()) => Ok(end_of(judgement.verdict())),
        Err(failed) => {
            complain(failed);
            Ok(End::HarnessFailed)
        }
    }
}

/// Writes its page to a file, or to standard output where that is `-`, and says so; why that cannot be otherwise.
pub fn write(path: &Path, judged: &Judged<'_>, replay: &str, is_quiet: bool) -> Result<(), String> {
    let text = page(judged, replay);
    if path.as_os_str() == "-" {
        say(text.trim_end());
        return Ok(());
    }
    fs::write(path, &text).map_err(|error| format!("error: cannot write {}: {error}", path.display()))?;
    if !is_quiet {
        let events = count(judged.judgement.events as usize, "event");
        let kilobytes = thousands(text.len().div_ceil(1_000) as u64);
        let verdict = judged.judgement.verdict().word().replace('_', " ");
        say(format_args!("{}: {events}, {kilobytes} kB, {verdict}", path.display()));
    }
    Ok(())
}
