//! A history as text, or several texts that are parts of one: read, put into one order, and judged.

use std::io::{self, BufRead, Read};

use super::outside::FILE_SHIFT;
use super::{Answer, Breach, Judge, Judgement, Line};
use crate::history::{Cast, Event, MISTAKES_MAX, Mistake, Reader, Wrong, whole};
use crate::scenario::Scenario;
use crate::scenario::rules::RuleId;
use crate::trace::{self, Trace};
use crate::{Run, Violation};

/// One text.
pub struct Source<'a> {
    /// How mistakes and breaches name it.
    pub name: String,
    /// The text.
    pub text: Box<dyn BufRead + 'a>,
}

/// A longer line is told as a mistake, and not kept in memory.
const LINE_MAX: u64 = 1024 * 1024;

/// Judges a history that is all there.
pub fn judge_text(history: &str) -> Judgement {
    let source = Source { name: "history".to_owned(), text: Box::new(history.as_bytes()) };
    judge_sources(vec![source], &[]).expect("a text in memory can be read")
}

/// Judges a history whose lines are in these texts, each in the order of time. The first line of the first one says what
/// the history holds. Of the rules only these are answered, where some are named.
///
/// # Errors
///
/// When a text cannot be read. What is wrong with one that can be is in the judgement.
pub fn judge_sources(sources: Vec<Source<'_>>, rules: &[RuleId]) -> io::Result<Judgement> {
    let mut cast = Cast::default();
    let mut feeds: Vec<Feed<'_>> = Vec::new();
    let mut judge = None;
    for source in sources {
        let mut feed = Feed { text: source.text, line: Vec::new(), reader: None, event: None };
        if judge.is_none() {
            feed.fill()?;
            match Reader::new(&source.name, &String::from_utf8_lossy(&feed.line)) {
                Ok((reader, head)) => {
                    if let Some(whole) = &head.trace {
                        return whole_trace(whole, &head.system, feed, reader, rules);
                    }
                    judge = Some(Judge::new(head, &mut cast));
                    feed.reader = Some(reader);
                }
                Err(mistakes) => return Ok(unreadable(mistakes)),
            }
        } else {
            let first = feeds.first().and_then(|feed| feed.reader.as_ref()).expect("there is a first one");
            feed.reader = Some(first.beside(&source.name));
        }
        feed.advance(&mut cast)?;
        feeds.push(feed);
    }
    let Some(mut judge) = judge else { return Ok(unreadable(Vec::new())) };
    // The earliest event of all comes next. There are few texts, and mostly one.
    while let Some(index) = (0..feeds.len())
        .filter(|&index| feeds[index].event.is_some())
        .min_by_key(|&index| feeds[index].event.map(|event| event.from))
    {
        let feed = &mut feeds[index];
        if let Some(mut event) = feed.event.take() {
            event.line |= (index as u64) << FILE_SHIFT;
            if let Err(wrong) = judge.take(&cast, &event) {
                feed.refuse(&wrong);
            }
        }
        feed.advance(&mut cast)?;
    }
    let mut judgement = judge.finish(&cast, rules);
    for reader in feeds.into_iter().filter_map(|feed| feed.reader) {
        judgement.inside += reader.inside;
        judgement.more_mistakes += reader.more;
        judgement.mistakes.extend(reader.mistakes);
    }
    judgement.more_mistakes += judgement.mistakes.len().saturating_sub(MISTAKES_MAX) as u64;
    judgement.mistakes.truncate(MISTAKES_MAX);
    Ok(judgement)
}

/// Judges a trace of one of our worlds that is all there, by all that its own checks look at.
fn whole_trace(
    whole: &serde_json::Value,
    system: &str,
    mut feed: Feed<'_>,
    mut reader: Reader,
    rules: &[RuleId],
) -> io::Result<Judgement> {
    let refused = |reader: &mut Reader, text: String| {
        reader.refuse(&Wrong::value("trace", text), "");
        Ok(Judgement { mistakes: reader.take_mistakes(), ..unreadable(Vec::new()) })
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
        return Ok(Judgement { mistakes, more_mistakes: reader.more, ..unreadable(Vec::new()) });
    }
    let trace = Trace { cast, events, digest };
    let number = trace.events.len() as u64;
    let all = Scenario { rules: RuleId::all().collect(), ..scenario.clone() };
    match crate::judge(&all, world.tick(&scenario), trace) {
        Ok(run) => Ok(of_run(system, &run, number, rules)),
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
        lines: line(violation).into_iter().collect(),
    });
    Judgement {
        system: system.to_owned(),
        answers: RuleId::all().filter(is_asked).map(|rule| (rule, answer(rule))).collect(),
        breaches: breaches.collect(),
        settled: Some(run.not_converged.is_none()),
        events,
        ..unreadable(Vec::new())
    }
}

fn unreadable(mistakes: Vec<Mistake>) -> Judgement {
    Judgement {
        system: String::new(),
        answers: Vec::new(),
        breaches: Vec::new(),
        more: 0,
        undecided: Vec::new(),
        settled: None,
        events: 0,
        inside: 0,
        mistakes,
        more_mistakes: 0,
    }
}

/// One text, and the event of its line that was read last.
struct Feed<'a> {
    text: Box<dyn BufRead + 'a>,
    line: Vec<u8>,
    reader: Option<Reader>,
    event: Option<Event>,
}

impl Feed<'_> {
    /// Reads one more line; whether there was one.
    fn fill(&mut self) -> io::Result<bool> {
        self.line.clear();
        let read = (&mut self.text).take(LINE_MAX + 1).read_until(b'\n', &mut self.line)?;
        if self.line.last() == Some(&b'\n') {
            self.line.pop();
            return Ok(true);
        }
        Ok(read > 0)
    }

    /// Reads on to the next event.
    fn advance(&mut self, cast: &mut Cast) -> io::Result<()> {
        while self.event.is_none() && self.fill()? {
            let reader = self.reader.as_mut().expect("a text that is read on has a reader");
            if self.line.len() as u64 > LINE_MAX {
                reader.skip(Wrong::line("the line has more than 1 MiB"));
                self.text.skip_until(b'\n')?;
                continue;
            }
            match std::str::from_utf8(&self.line) {
                Ok(line) => self.event = reader.read(cast, line),
                Err(error) => reader.skip(Wrong::at(error.valid_up_to() + 1, "that is no UTF-8")),
            }
        }
        Ok(())
    }

    fn refuse(&mut self, wrong: &Wrong) {
        let line = String::from_utf8_lossy(&self.line);
        self.reader.as_mut().expect("a text that is read on has a reader").refuse(wrong, &line);
    }
}
