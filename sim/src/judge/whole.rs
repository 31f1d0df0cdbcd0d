//! A trace of one of our worlds that is all there, judged as a run is: by all that its own checks look at.

use std::io;

use super::feed::Feed;
use super::{Answer, Breach, Judgement, Line, Recording, Whole};
use crate::history::{Reader, Wrong, whole};
use crate::scenario::Scenario;
use crate::scenario::rules::RuleId;
use crate::trace::{self, Trace};
use crate::{Run, Violation};

/// Judges a trace of one of our worlds that is all there, by all that its own checks look at.
pub(super) fn whole_trace(
    whole: &serde_json::Value,
    system: &str,
    mut feed: Feed<'_>,
    mut reader: Reader,
    rules: &[RuleId],
    recording: Option<&mut Recording>,
) -> io::Result<Judgement> {
    let refused = |reader: &mut Reader, text: String| {
        reader.refuse(&Wrong::value("trace", text), "");
        Ok(Judgement { mistakes: reader.take_mistakes(), ..Judgement::unreadable(Vec::new()) })
    };
    let (scenario, world, mut cast, digest) = match whole::of(whole) {
        Ok(read) => read,
        Err(text) => return refused(&mut reader, text),
    };
    let mut events = Vec::new();
    while feed.fill()? {
        let line = String::from_utf8_lossy(&feed.line);
        match whole::event(&mut cast, &line) {
            Ok(event) => {
                reader.pass();
                events.push(event);
            }
            Err(wrong) => {
                reader.pass();
                reader.refuse(&wrong, &line);
            }
        }
    }
    let mistakes = reader.take_mistakes();
    if !mistakes.is_empty() {
        return Ok(Judgement { mistakes, more_mistakes: reader.more, ..Judgement::unreadable(Vec::new()) });
    }
    let trace = Trace { cast, events, digest };
    let number = trace.events.len() as u64;
    let all = Scenario { rules: RuleId::all().collect(), ..scenario.clone() };
    match crate::judge(&all, world.tick(&scenario), trace) {
        Ok(mut run) => {
            let judgement = of_run(system, &run, number, rules);
            if let Some(recording) = recording {
                // Every rule was cited, so that each is answered.
                run.idle.clear();
                recording.whole = Some(Box::new(Whole { scenario, world, run }));
            }
            Ok(judgement)
        }
        Err(error) => refused(&mut reader, error.to_string()),
    }
}

/// What the checks of a whole trace found, in the words of a judgement.
fn of_run(system: &str, run: &Run, events: u64, rules: &[RuleId]) -> Judgement {
    let is_asked = |rule: &RuleId| rules.is_empty() || rules.contains(rule);
    let answer = |rule: RuleId| {
        let times = run.violations.iter().filter(|violation| violation.rule == rule).count() as u64;
        match times {
            1.. => Answer::Violated { times },
            0 if run.idle.contains(&rule) => Answer::NothingToJudge,
            0 => Answer::Holds { judged: 0 },
        }
    };
    let line = |violation: &Violation| {
        let place = run.trace.position(violation.actor, violation.number)?;
        // The first line is the history's own.
        Some(Line { file: 0, line: place as u64 + 2 })
    };
    let breaches = run.violations.iter().filter(|violation| is_asked(&violation.rule)).map(|violation| Breach {
        rule: violation.rule,
        property: violation.property,
        text: violation.text.clone(),
        at: violation.at.as_micros(),
        actor: match violation.actor {
            trace::Actor::World => "world".to_owned(),
            trace::Actor::Server => "server".to_owned(),
            trace::Actor::Device(device) => run.trace.cast.device_name(device).to_owned(),
        },
        place: line(violation),
        lines: line(violation).into_iter().collect(),
    });
    Judgement {
        system: system.to_owned(),
        answers: RuleId::all().filter(is_asked).map(|rule| (rule, answer(rule))).collect(),
        breaches: breaches.collect(),
        settled: Some(run.not_converged.is_none()),
        events,
        ..Judgement::unreadable(Vec::new())
    }
}
