//! What `judge` reports of each history.

use std::path::Path;
use std::time::Duration;

use gatecrash_sim::history::Mistake;
use gatecrash_sim::judge::{Breach, Judged, Line, Verdict};
use gatecrash_sim::report::{
    Answered, Exhibit, Finding, Given, Histories, History, Kind, Origin, Place, Subject, blame,
};
use gatecrash_sim::search::identity::sum;

use super::super::End;
use super::super::files::BadInput;
use super::super::report::{Folder, Made, Wanted, from_root};
use super::{names, picture, print, read};

/// The report of a judge, where one is wanted.
pub struct Book {
    folder: Option<Folder>,
    histories: Histories,
    /// How many of them were judged.
    judged: usize,
}

impl Book {
    /// A book in which nothing is judged yet.
    pub fn begin(wanted: &Wanted, histories: &[Vec<&Path>], json: bool) -> Result<Self, BadInput> {
        let asked = histories.iter().map(|files| History { files: names(files), ..History::default() });
        let histories = Histories { asked: asked.collect() };
        let folder = Folder::begin(wanted, Subject::Judge(histories.clone()), json)?;
        Ok(Book { folder, histories, judged: 0 })
    }

    /// One of what was refused.
    pub fn refuse(wanted: &Wanted, bad_input: &BadInput, json: bool) -> End {
        Folder::refuse(wanted, Subject::Judge(Histories::default()), bad_input, json)
    }

    /// The end of it, where a file turns out to be unreadable.
    pub fn refused(self, bad_input: &BadInput, json: bool) -> End {
        let end = bad_input.report(json);
        match self.folder {
            Some(folder) => folder.end_refused(bad_input, end),
            None => end,
        }
    }

    /// Whether there is one.
    pub fn is_wanted(&self) -> bool {
        self.folder.is_some()
    }

    /// What came of the next history.
    pub fn add(&mut self, judged: &Judged<'_>, replay: &str) {
        let Some(folder) = &mut self.folder else { return };
        let judgement = judged.judgement;
        let history = &mut self.histories.asked[self.judged];
        self.judged += 1;
        let verdict = judgement.verdict();
        history.system.clone_from(&judgement.system);
        history.verdict = Some(verdict.word().to_owned());
        history.open = match verdict {
            Verdict::Holds | Verdict::Violated => None,
            Verdict::NothingJudged | Verdict::NotSettled | Verdict::Undecided => Some(judged.why_open()),
            Verdict::Unreadable if judgement.mistakes.is_empty() => Some("there is no line in it".to_owned()),
            Verdict::Unreadable => None,
        };
        history.events = judgement.events;
        history.violations = judgement.breaches.len() as u64 + judgement.more;
        let answered = judgement.answers.iter().map(|(rule, answer)| Answered {
            rule: rule.as_str().to_owned(),
            answer: Given::from(answer),
            why: print::why(answer),
        });
        history.answers = answered.collect();
        let origin = || Origin { path: history.name(), title: judgement.system.clone(), sum: None, world: None };
        for mistake in &judgement.mistakes {
            folder.found(unreadable(mistake, Origin { title: "a history that cannot be read".to_owned(), ..origin() }));
        }
        if judgement.breaches.is_empty() {
            return;
        }
        let name = Path::new(&judged.files[0]).file_stem().map_or("history".into(), |stem| stem.to_string_lossy());
        let page = folder.page(&name, &picture::page(judged, replay));
        let mut exhibits: Vec<(&Breach, String)> = Vec::new();
        for breach in &judgement.breaches {
            let shown = exhibits.iter().find(|(first, _)| first.rule == breach.rule).map(|(_, shown)| shown.clone());
            let shown = shown.unwrap_or_else(|| {
                let made = blame(judged, breach.rule);
                let name = format!("{name}.{}", breach.rule.as_str().to_lowercase());
                let exhibit = Exhibit { page: page.clone(), diagram: made.diagram, ..Exhibit::told(&name, &made.told) };
                let shown = folder.exhibit(exhibit);
                exhibits.push((breach, shown.clone()));
                shown
            });
            folder.found(Finding { exhibit: Some(shown), ..broken(breach, judged.files, replay, origin()) });
        }
    }

    /// The end of it, and how that is told.
    pub fn end(self, wall: Duration, end: End) -> End {
        let Some(folder) = self.folder else { return end };
        folder.end(Made { subject: Subject::Judge(self.histories), wall, end })
    }
}

/// That a history breaks a rule.
fn broken(breach: &Breach, files: &[String], replay: &str, origin: Origin) -> Finding {
    let place = |line: Line| {
        let file = files.get(line.file as usize).filter(|file| !read::is_stdin(Path::new(file)))?;
        Some(Place { file: from_root(file), line: line.line as usize, column: None })
    };
    // The same property is broken in the same way, whoever it is and whenever.
    let known_by = sum(format!("{}\n{}", breach.rule, breach.property).as_bytes());
    let fingerprint = format!("{}-history-{}", breach.rule.as_str().to_lowercase(), &known_by[..8]);
    Finding {
        rule: Some(breach.rule.as_str().to_owned()),
        rule_text: Some(breach.rule.text().to_owned()),
        instead: Some(breach.text.clone()),
        place: breach.place.and_then(place),
        lines: breach.lines.iter().copied().filter_map(place).collect(),
        at_us: Some(breach.at),
        actor: Some(breach.actor.clone()),
        replay: Some(replay.to_owned()),
        ..Finding::new(Kind::Violated, fingerprint, breach.property.to_owned(), origin)
    }
}

/// That a line of a history, or of its map, says what cannot be.
fn unreadable(mistake: &Mistake, origin: Origin) -> Finding {
    let fingerprint = format!("bad-input-{}", &sum(mistake.to_string().as_bytes())[..8]);
    let (line, column) = (mistake.line as usize, Some(mistake.column));
    Finding {
        place: Some(Place { file: from_root(&mistake.file), line, column }),
        ..Finding::new(Kind::BadInput, fingerprint, mistake.text.clone(), origin)
    }
}
