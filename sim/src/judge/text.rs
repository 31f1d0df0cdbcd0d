//! A history as text, or several texts that are parts of one: read, put into one order, and judged.

use std::io::{self, BufRead, Read};

use super::outside::FILE_SHIFT;
use super::{Judge, Judgement};
use crate::history::{Cast, Event, MISTAKES_MAX, Mistake, Reader, Wrong};
use crate::scenario::rules::RuleId;

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
