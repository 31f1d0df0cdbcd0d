//! What is told of a rule that a history breaks: each breach with the lines to blame as the story tells them, and a diagram of
//! what happened to those who take part in the first.

use std::collections::BTreeSet;

use gatecrash::time::Instant;

use super::exhibit::place;
use super::mermaid;
use crate::history::event::What;
use crate::judge::{Breach, Judged, Line};
use crate::scenario::rules::RuleId;
use crate::search::report::breach::{in_full, named, title};
use crate::search::report::escaped;
use crate::trace::render::{self, View};

/// How many breaches of one rule are told.
const TOLD_MAX: usize = 20;

/// What is told of a rule that is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blame {
    /// Each breach of it, up to a number of them.
    pub told: String,
    /// The story around the first as a Mermaid sequence diagram, where the history is kept.
    pub diagram: Option<String>,
}

/// What is told of this rule, which the history breaks.
pub fn blame(judged: &Judged<'_>, rule: RuleId) -> Blame {
    let breaches: Vec<&Breach> = judged.judgement.breaches.iter().filter(|breach| breach.rule == rule).collect();
    let mut told: Vec<String> = breaches.iter().take(TOLD_MAX).map(|breach| told(judged, breach)).collect();
    let more = breaches.len().saturating_sub(TOLD_MAX);
    told.extend((more > 0).then(|| format!("and {more} more")));
    Blame {
        told: told.join("\n").trim_end().to_owned(),
        diagram: breaches.first().and_then(|breach| diagram(judged, breach)),
    }
}

fn told(judged: &Judged<'_>, breach: &Breach) -> String {
    let mut text = format!("{}\n{}", title(breach), in_full(breach, judged.files, "  "));
    for &line in &breach.lines {
        for said in story(judged, line) {
            text.push_str(&format!("    {}: {}\n", named(judged.files, line), escaped(&said)));
        }
    }
    text
}

/// What a line tells.
fn story(judged: &Judged<'_>, line: Line) -> Vec<String> {
    let recording = judged.recording;
    if let Some(whole) = &recording.whole {
        let trace = &whole.run.trace;
        // The first line of a history is its head.
        let position = (line.line as usize).saturating_sub(2);
        let rows = render::rows(trace, View::Everything).into_iter().filter(|row| row.position == position);
        return rows.map(|row| format!("{}  {}  {}", trace.events[position].at, row.who, row.what)).collect();
    }
    let told = recording.positions(line).map(|position| {
        let moment = &recording.moments[position];
        format!("{}  {}  {}", Instant::from_micros(moment.event.from), moment.who, moment.what)
    });
    told.collect()
}

fn diagram(judged: &Judged<'_>, breach: &Breach) -> Option<String> {
    let recording = judged.recording;
    let why = format!("{}: {}", breach.rule, breach.text);
    if let Some(whole) = &recording.whole {
        return Some(mermaid::diagram(&whole.run.trace, place(&whole.run)));
    }
    let wrong = recording.place(breach)?;
    let mut blamed = recording.blamed(breach);
    if !blamed.contains(&wrong) {
        blamed.push(wrong);
    }
    let actors: BTreeSet<_> = blamed.iter().map(|&position| recording.moments[position].event.actor).collect();
    let is_theirs = |position: &usize| {
        let moment = &recording.moments[*position];
        actors.contains(&moment.event.actor) || matches!(moment.event.what, What::End { .. })
    };
    let shown: Vec<usize> = (0..recording.moments.len()).filter(is_theirs).collect();
    Some(mermaid::of_history(recording, &shown, &blamed, wrong, &why))
}
