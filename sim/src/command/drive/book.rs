//! What `drive` reports: of each rule that is claimed a test, and of each finding its page.

use std::fs;

use gatecrash_sim::drive::Row;
use gatecrash_sim::report::{Answered, Exhibit, Finding, Given, Histories, History, Kind, Origin, Subject as Reported};

use super::super::End;
use super::super::files::BadInput;
use super::super::report::{Folder, Made, Wanted};
use super::print::Told;

/// The report, where one is wanted.
pub struct Book {
    folder: Option<Folder>,
    name: String,
}

fn histories(history: History) -> Reported {
    Reported::Judge(Histories { asked: vec![history] })
}

impl Book {
    /// A book in which nothing is played yet, of the subject in this file.
    pub fn begin(wanted: &Wanted, name: &str, json: bool) -> Result<Book, BadInput> {
        let history = History { files: vec![name.to_owned()], ..History::default() };
        Ok(Book { folder: Folder::begin(wanted, histories(history), json)?, name: name.to_owned() })
    }

    /// One of what was refused.
    pub fn refuse(wanted: &Wanted, bad_input: &BadInput, json: bool) -> End {
        Folder::refuse(wanted, Reported::Judge(Histories::default()), bad_input, json)
    }

    /// The end of it, where nothing can be played.
    pub fn refused(self, bad_input: &BadInput, json: bool) -> End {
        let end = bad_input.report(json);
        match self.folder {
            Some(folder) => folder.end_refused(bad_input, end),
            None => end,
        }
    }

    /// The end of it, and how that is told.
    pub fn end(self, told: &Told<'_>, replay: &str, end: End) -> End {
        let Some(mut folder) = self.folder else { return end };
        let (table, subject) = (told.table, told.campaign.subject());
        let failed = table.failed.values().map(|(times, first)| (*times, first));
        for (times, first) in failed {
            let origin = Origin { path: self.name.clone(), title: subject.system.clone(), sum: None, world: None };
            let fingerprint = format!("drive-came-to-nothing-{}", &sum(first)[..8]);
            let text = format!("{times} runs came to nothing, the first of them {first}");
            folder.found(Finding::new(Kind::HarnessFailed, fingerprint, text, origin));
        }
        for (number, found) in told.findings.iter().enumerate() {
            let kept = told.kept.get(number);
            let page = kept.and_then(|kept| fs::read_to_string(kept.join("page.html")).ok());
            let name = found.fingerprint.slug();
            let page = page.and_then(|page| folder.page(&name, &page));
            let exhibit = Exhibit { page, ..Exhibit::told(&name, &found.text) };
            let shown = folder.exhibit(exhibit);
            let rule = found.fingerprint.rule();
            let path = kept.map_or(self.name.clone(), |kept| kept.join("scenario.toml").display().to_string());
            let origin = Origin { path, title: found.scenario.title.clone(), sum: None, world: None };
            folder.found(Finding {
                rule: rule.map(|rule| rule.as_str().to_owned()),
                rule_text: rule.map(|rule| rule.text().to_owned()),
                instead: Some(found.text.clone()),
                replay: kept.map(|kept| format!("{replay} {}", kept.join("scenario.toml").display())),
                exhibit: Some(shown),
                ..Finding::new(Kind::Violated, name, found.fingerprint.said().to_owned(), origin)
            });
        }
        let verdict = table.verdict();
        let answers = table.rows.iter().map(|(rule, row)| answered(rule.as_str(), *row));
        let open = matches!(end, End::NotConverged).then(|| told.summary(false));
        let history = History {
            files: vec![self.name],
            system: subject.system.clone(),
            verdict: Some(verdict.word().to_owned()),
            open,
            events: table.events,
            violations: told.findings.iter().map(|finding| finding.seen).sum(),
            answers: answers.collect(),
        };
        folder.end(Made { subject: histories(history), wall: told.wall, end })
    }
}

fn sum(text: &str) -> String {
    gatecrash_sim::search::identity::sum(text.as_bytes())
}

fn answered(rule: &str, row: Row) -> Answered {
    let Row { judged, times, held, violated } = row;
    let (answer, why) = match (judged, violated) {
        (0, _) => (Given::NothingToJudge, "its situation came in no run".to_owned()),
        (_, 0) => (Given::Holds, format!("judged {times} times in {judged} runs, and held in {held}")),
        (_, violated) => (Given::Violated, format!("violated in {violated} of {judged} runs in which it was judged")),
    };
    Answered { rule: rule.to_owned(), answer, why }
}
