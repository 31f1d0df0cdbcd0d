//! The folder of a report: written as a command begins, when nothing has run yet, and again when it ends.
//!
//! So whoever finds the folder of a process that was killed finds that it did not come to its end, and no older report
//! that was green.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gatecrash_sim::report::{
    EXHIBITS_MAX, Ended, Exhibit, Finding, Kind, Origin, Place, REPORT, Report, Shown, Subject, exhibit, stem,
};
use gatecrash_sim::search::identity::{Identity, sum};

use super::super::files::{BadInput, cannot_read};
use super::super::version::identity;
use super::super::{End, complain, count, interrupt, say};
use super::actions::Step;
use super::{Wanted, from_root};

/// The folders below it that are the report's own.
const PAGES: [&str; 2] = ["pages", "traces"];

/// Of how many seeds that fail in one way is said which they are.
const SEEDS_TOLD: usize = 8;

/// The folder of a report that is being made.
pub struct Folder {
    path: PathBuf,
    known: Vec<Report>,
    report: Report,
    json: bool,
    /// The first thing that could not be written.
    failed: Option<String>,
    /// How many failures have a page.
    pages: usize,
}

/// What a command has made of what it was asked for.
pub struct Made {
    /// What was asked for, and what ran of it.
    pub subject: Subject,
    /// How long it took.
    pub wall: Duration,
    /// How it ends.
    pub end: End,
}

impl Folder {
    /// The folder that is wanted, where one is, with a report in it of which nothing has run.
    ///
    /// # Errors
    ///
    /// When nothing can be written there, or an earlier report cannot be read.
    pub fn begin(wanted: &Wanted, subject: Subject, json: bool) -> Result<Option<Folder>, BadInput> {
        let Some(path) = &wanted.folder else { return Ok(None) };
        let known = wanted.known.iter().map(|path| earlier(path).map_err(BadInput::Refused));
        let known = known.collect::<Result<_, _>>()?;
        let report = Report::new(identity(), subject);
        let mut folder = Folder { path: path.clone(), known, report, json, failed: None, pages: 0 };
        let cannot = |error| BadInput::Refused(format!("cannot write a report to {}: {error}", path.display()));
        folder.clear().map_err(cannot)?;
        folder.write_all();
        match folder.failed.take() {
            None => Ok(Some(folder)),
            Some(failed) => Err(BadInput::Refused(failed)),
        }
    }

    /// Makes the report of a command that was refused, where one is wanted, and says why as the command does.
    pub fn refuse(wanted: &Wanted, subject: Subject, bad_input: &BadInput, json: bool) -> End {
        let end = bad_input.report(json);
        match Folder::begin(wanted, subject, json) {
            Ok(None) => end,
            Ok(Some(folder)) => folder.end_refused(bad_input, end),
            Err(another) => another.report(json),
        }
    }

    /// One more thing that is wrong.
    pub fn found(&mut self, finding: Finding) {
        self.report.findings.push(finding);
    }

    /// Whether this was found in the same scenario and world before; then it was seen once more, under this seed.
    pub fn has_seen(&mut self, finding: &Finding, seed: u64) -> bool {
        let is_it = |known: &&mut Finding| {
            (&known.fingerprint, &known.origin.path, &known.origin.world)
                == (&finding.fingerprint, &finding.origin.path, &finding.origin.world)
        };
        let Some(known) = self.report.findings.iter_mut().find(is_it) else { return false };
        known.seen += 1;
        if known.first.len() < SEEDS_TOLD {
            known.first.push(seed.to_string());
        }
        true
    }

    /// Shows a failure, with its page and its trace unless there are enough of them. Says what findings call it by.
    pub fn show(&mut self, shown: &Shown<'_>) -> String {
        let name = self.free(shown.name);
        if self.pages == EXHIBITS_MAX {
            return self.tell(&name, shown.told);
        }
        self.pages += 1;
        let (shown, files) = exhibit(&Shown { name: &name, ..*shown });
        files.iter().for_each(|(name, text)| self.write(name, text));
        self.report.exhibits.push(shown);
        name
    }

    /// Shows a failure of which there is no run. Says what findings call it by.
    pub fn tell(&mut self, name: &str, told: &str) -> String {
        let name = self.free(name);
        self.report.exhibits.push(Exhibit::told(&name, told));
        name
    }

    /// Writes a page of what is judged, unless there are enough of them. Says where it is, from the report's folder.
    pub fn page(&mut self, name: &str, text: &str) -> Option<String> {
        if self.pages == EXHIBITS_MAX {
            return None;
        }
        self.pages += 1;
        let path = format!("pages/{}.html", self.free(name));
        self.write(&path, text);
        Some(path)
    }

    /// Shows what was made elsewhere, under the first name like its own that is free. Says what findings call it by.
    pub fn exhibit(&mut self, exhibit: Exhibit) -> String {
        let name = self.free(&exhibit.name);
        self.report.exhibits.push(Exhibit { name: name.clone(), ..exhibit });
        name
    }

    /// Says what ran, where that is not this program.
    pub fn is_of(&mut self, identity: Identity) {
        self.report.identity = identity;
    }

    /// Shows what another report shows, with its page and its trace unless there are enough of them. Says what findings call it by.
    pub fn adopt(&mut self, exhibit: Exhibit, from: &Path) -> String {
        let mut exhibit = exhibit;
        if self.pages == EXHIBITS_MAX {
            (exhibit.page, exhibit.trace) = (None, None);
        }
        self.pages += usize::from(exhibit.page.is_some());
        for file in [&exhibit.page, &exhibit.trace].into_iter().flatten().filter(|file| is_ours(file)) {
            match fs::read_to_string(from.join(file)) {
                Ok(text) => self.write(file, &text),
                Err(error) => drop(self.failed.get_or_insert(cannot_read(&from.join(file), &error))),
            }
        }
        let name = exhibit.name.clone();
        self.report.exhibits.push(exhibit);
        name
    }

    /// Notes where a failure that is shown has a folder of its own.
    pub fn has_folder(&mut self, name: &str, folder: &str) {
        if let Some(exhibit) = self.report.exhibits.iter_mut().find(|exhibit| exhibit.name == name) {
            exhibit.folder = Some(folder.to_owned());
        }
    }

    /// The name, or the first like it that nothing is called by yet.
    fn free(&self, name: &str) -> String {
        let name = stem(name);
        let is_free = |name: &String| self.report.exhibit(name).is_none();
        let others = (2..).map(|number: u64| format!("{name}-{number}"));
        std::iter::once(name.clone()).chain(others).find(is_free).expect("there is always another number")
    }

    /// Writes the report of a command that has come to its end, and says how that ends now: what is not green ends as a
    /// failure, too.
    pub fn end(mut self, made: Made) -> End {
        self.report.ended = if interrupt::told().is_some() { Ended::Told } else { Ended::Finished };
        self.report.subject = made.subject;
        self.report.wall_seconds = made.wall.as_secs_f64();
        self.report.compare(&self.known);
        self.finish(made.end)
    }

    /// Writes the report of a command that was refused after it had begun.
    pub fn end_refused(mut self, bad_input: &BadInput, end: End) -> End {
        let why = match bad_input {
            BadInput::Refused(problem) => problem.clone(),
            BadInput::Files { unreadable, diagnoses, .. } => {
                format!("{} refused, so nothing runs", count(unreadable.len() + diagnoses.len(), "file"))
            }
            BadInput::Shards { problems, .. } => problems.join("; "),
        };
        self.report.findings = refusals(bad_input);
        self.report.ended = Ended::Refused(why);
        self.report.compare(&self.known);
        self.finish(end)
    }

    fn finish(mut self, end: End) -> End {
        self.write_all();
        let summary = self.report.files().into_iter().find(|(name, _)| name == "summary.md");
        if let (Some(step), Some((_, summary))) = (Step::this(), summary) {
            step.tell(&self.report, &summary, self.json);
        }
        if let Some(failed) = &self.failed {
            complain(format_args!("error: {failed}"));
            return End::HarnessFailed;
        }
        if !self.json {
            say(format_args!("report: {}", self.path.display()));
        }
        match end {
            End::Passed if !self.report.is_green() => {
                complain("error: not everything that was asked for ran: the report says what");
                End::HarnessFailed
            }
            end => end,
        }
    }

    /// Takes away what a report that was here has shown: no page of another run is to be taken for one of this.
    fn clear(&self) -> io::Result<()> {
        fs::create_dir_all(&self.path)?;
        let Some(former) = fs::read_to_string(self.path.join(REPORT)).ok().and_then(|text| Report::parse(&text).ok())
        else {
            return Ok(());
        };
        for (_, file) in former.exhibits.iter().flat_map(Exhibit::files) {
            if is_ours(file) {
                match fs::remove_file(self.path.join(file)) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    Ok(()) | Err(_) => {}
                }
            }
        }
        Ok(())
    }

    fn write_all(&mut self) {
        // What programs go by comes last: it is there when everything is.
        for (name, text) in self.report.files().into_iter().rev() {
            self.write(&name, &text);
        }
    }

    fn write(&mut self, name: &str, text: &str) {
        let path = self.path.join(name);
        let folder = path.parent().expect("it is below the report's folder");
        let written = fs::create_dir_all(folder).and_then(|()| fs::write(&path, text));
        if let Err(error) = written {
            self.failed.get_or_insert(format!("cannot write a report: {}: {error}", path.display()));
        }
    }
}

/// Whether it is where a report has its files. What a report names that somebody else wrote may be anywhere.
fn is_ours(file: &str) -> bool {
    file.split_once('/').is_some_and(|(folder, name)| PAGES.contains(&folder) && !name.contains('/'))
}

/// The report in a folder, or in a file.
///
/// # Errors
///
/// Why there is none, in a sentence.
pub fn earlier(path: &Path) -> Result<Report, String> {
    let path = if path.is_dir() { path.join(REPORT) } else { path.to_owned() };
    let text = fs::read_to_string(&path).map_err(|error| cannot_read(&path, &error))?;
    Report::parse(&text).map_err(|error| format!("{}: {error}", path.display()))
}

/// Every mistake of files that were refused, at its place.
fn refusals(bad_input: &BadInput) -> Vec<Finding> {
    let BadInput::Files { unreadable, diagnoses, .. } = bad_input else { return Vec::new() };
    let finding = |path: &str, sentence: &str| {
        let fingerprint = format!("bad-input-{}", &sum(format!("{path}\n{sentence}").as_bytes())[..8]);
        let title = "a file that is refused".to_owned();
        let origin = Origin { path: path.to_owned(), title, sum: None, world: None };
        Finding::new(Kind::BadInput, fingerprint, sentence.to_owned(), origin)
    };
    let unreadable = unreadable.iter().map(|problem| finding("files", problem));
    let mistakes = diagnoses.iter().flat_map(|diagnosis| {
        let file = from_root(&diagnosis.file);
        diagnosis.errors.iter().map(move |problem| Finding {
            rule: Some(problem.rule.as_str().to_owned()),
            rule_text: Some(problem.rule.text().to_owned()),
            instead: Some(format!("expected {}", problem.expected)),
            place: Some(Place { file: file.clone(), line: problem.line, column: Some(problem.column) }),
            ..finding(&diagnosis.file, &problem.message)
        })
    });
    unreadable.chain(mistakes).collect()
}
