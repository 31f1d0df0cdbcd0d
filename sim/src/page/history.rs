//! The page of a history: what somebody else recorded, drawn as a run of ours is.
//!
//! It has what a history has: calls, what applications were told, statuses, what became of processes and links. Of frames and
//! of a server's decisions it knows nothing, and draws none. A history that is the whole trace of a run of ours has the page
//! of that run.

mod sheet;
#[cfg(test)]
mod tests;

use super::{Data, EVENTS_MAX, Head, Shown, Side, Wrong, data, fitting};
use crate::history::Channels;
use crate::judge::{Answer, Breach, Judged, Judgement, Verdict};
use crate::search::report::Case;
use crate::search::report::breach::{named, title};

/// The most breaches that are told: the first ones explain the others.
const WRONG_MAX: usize = 20;

/// The page of a history that was judged, as the text of an HTML file; `replay` is the command that judges it again.
///
/// One that would be too large shows the events around the first breach, or else the last ones.
pub fn of_history(judged: &Judged<'_>, version: &str, replay: &str) -> String {
    let answers = answers(judged.judgement);
    if let Some(whole) = &judged.recording.whole {
        let path = judged.files.join(" ");
        let case = Case { path: &path, scenario: &whole.scenario, world: whole.world, seed: None };
        let head = Head { replay: replay.to_owned(), answers, ..Head::of(&case, &whole.run, version) };
        let shown = Shown { head: &head, trace: &whole.run.trace, log: &[] };
        return fitting(EVENTS_MAX, |events_max| data(&[shown], events_max));
    }
    let head = Head { answers, ..head(judged, version, replay) };
    fitting(EVENTS_MAX, |events_max| {
        let sheet = sheet::of(judged, events_max);
        Data { sides: vec![Side { head: &head, sheet }], differs: None }
    })
}

fn head(judged: &Judged<'_>, version: &str, replay: &str) -> Head {
    let Judged { files, judgement, .. } = judged;
    let breaches = &judgement.breaches;
    let verdict = judgement.verdict();
    // Why it is neither right nor wrong stands where what is wrong would.
    let word = verdict.word().replace('_', " ");
    let open = (!matches!(verdict, Verdict::Holds | Verdict::Violated)).then(|| Wrong {
        what: word.clone(),
        rule: None,
        rule_text: None,
        property: None,
        instead: judged.why_open().trim_start_matches(&format!("{word}: ")).to_owned(),
        also: Vec::new(),
        fingerprint: None,
        at_us: 0,
        event: None,
    });
    Head {
        title: judgement.system.clone(),
        rules: Vec::new(),
        verdict: verdict.word().to_owned(),
        world: "outside",
        path: files.join(" "),
        seed: String::new(),
        version: version.to_owned(),
        digest: String::new(),
        replay: replay.to_owned(),
        scenario: String::new(),
        steps: Vec::new(),
        wrong: breaches.iter().take(WRONG_MAX).map(|breach| wrong(judged, breach)).chain(open).collect(),
        more: breaches.len().saturating_sub(WRONG_MAX) + judgement.more as usize,
        likely: None,
        answers: Vec::new(),
    }
}

fn wrong(judged: &Judged<'_>, breach: &Breach) -> Wrong {
    let recording = judged.recording;
    let lines: Vec<String> = breach.lines.iter().map(|&line| named(judged.files, line)).collect();
    let place = recording.place(breach);
    Wrong {
        what: title(breach),
        rule: Some(breach.rule.as_str()),
        rule_text: Some(breach.rule.text()),
        property: Some(breach.property.to_owned()),
        instead: format!("{} ({})", breach.text, lines.join(", ")),
        fingerprint: None,
        at_us: place.map_or(breach.at, |place| recording.moments[place].event.from),
        event: place.map(|place| place + recording.before as usize),
        also: recording
            .blamed(breach)
            .into_iter()
            .filter(|position| Some(*position) != place)
            .map(|position| position + recording.before as usize)
            .collect(),
    }
}

/// The four answers, each with how many rules have it and with a line for each of them.
fn answers(judgement: &Judgement) -> Vec<[String; 2]> {
    let line = |&(rule, ref answer): &(crate::scenario::rules::RuleId, Answer)| {
        let why = match answer {
            Answer::Holds { judged: 0 } | Answer::NothingToJudge => String::new(),
            Answer::Holds { judged } => format!("judged {judged}×  "),
            Answer::Violated { times } => format!("{times}×  "),
            Answer::NotObserved { lacks } => takes(*lacks),
        };
        format!("{:<10} {why}{}", rule.as_str(), rule.text())
    };
    ["violated", "holds", "nothing to judge", "not observed"]
        .into_iter()
        .filter_map(|word| {
            let lines: Vec<String> =
                judgement.answers.iter().filter(|(_, answer)| answer.word() == word).map(line).collect();
            let said = match word {
                "nothing to judge" => "not judged, their situation never came",
                "not observed" => "not judged, the history does not hold what it takes",
                word => word,
            };
            (!lines.is_empty()).then(|| [rules(lines.len(), said), lines.join("\n")])
        })
        .collect()
}

fn rules(number: usize, said: &str) -> String {
    format!("{number} rule{}: {said}", if number == 1 { "" } else { "s" })
}

fn takes(lacks: Channels) -> String {
    format!("takes {lacks}  ")
}
