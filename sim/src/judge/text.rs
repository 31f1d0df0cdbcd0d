//! A history as text, or several texts that are parts of one: read, put into one order, and judged.

use std::collections::VecDeque;
use std::io::{self, BufRead, Read};

use super::outside::FILE_SHIFT;
use super::whole::whole_trace;
use super::{Judge, Judgement};
use crate::history::{Cast, Event, MISTAKES_MAX, Made, Map, Reader, Wrong};
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
        let mut feed = Feed::new(source.text);
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
                Err(mistakes) => return Ok(Judgement::unreadable(mistakes)),
            }
        } else {
            let first = feeds.first().and_then(|feed| feed.reader.as_ref()).expect("there is a first one");
            feed.reader = Some(first.beside(&source.name));
        }
        feed.advance(&mut cast, None)?;
        feeds.push(feed);
    }
    let Some(judge) = judge else { return Ok(Judgement::unreadable(Vec::new())) };
    judged(judge, cast, feeds, None, rules)
}

/// Judges logs as they are, of which a map makes the lines of one history. Each is in the order of time.
///
/// # Errors
///
/// When a text cannot be read. What is wrong with one that can be is in the judgement.
pub fn judge_log(sources: Vec<Source<'_>>, map: &mut Map, rules: &[RuleId]) -> io::Result<Judgement> {
    let mut cast = Cast::default();
    let mut feeds: Vec<Feed<'_>> = Vec::new();
    for source in sources {
        let mut feed = Feed::new(source.text);
        feed.reader = Some(Reader::of_log(&source.name, map.head()));
        feed.turn(map)?;
        feeds.push(feed);
    }
    // Only all the first events together say from when on instants are counted.
    let earliest = feeds.iter().filter_map(|feed| feed.made.front()).map(|made| made.at).min();
    let judge = Judge::new(map.begin(earliest), &mut cast);
    for feed in &mut feeds {
        feed.advance(&mut cast, Some(map))?;
    }
    judged(judge, cast, feeds, Some(map), rules)
}

fn judged(
    mut judge: Judge,
    mut cast: Cast,
    mut feeds: Vec<Feed<'_>>,
    mut map: Option<&mut Map>,
    rules: &[RuleId],
) -> io::Result<Judgement> {
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
        feed.advance(&mut cast, map.as_deref_mut())?;
    }
    let last = feeds.len().saturating_sub(1);
    if let (Some(end), Some(feed)) = (map.as_deref().and_then(Map::end), feeds.last_mut())
        && let Some(mut event) = feed.read_made(&mut cast, end)
    {
        event.line |= (last as u64) << FILE_SHIFT;
        if let Err(wrong) = judge.take(&cast, &event) {
            feed.refuse(&wrong);
        }
    }
    let mut judgement = judge.finish(&cast, rules);
    for reader in feeds.into_iter().filter_map(|feed| feed.reader) {
        judgement.inside += reader.inside;
        judgement.more_mistakes += reader.more;
        judgement.mistakes.extend(reader.mistakes);
    }
    judgement.more_mistakes += judgement.mistakes.len().saturating_sub(MISTAKES_MAX) as u64;
    judgement.mistakes.truncate(MISTAKES_MAX);
    if let Some(map) = map {
        judgement.dropped = map.dropped();
        judgement.unmapped = map.unmapped().to_vec();
    }
    Ok(judgement)
}

/// One text, and the event of its line that was read last.
pub(super) struct Feed<'a> {
    text: Box<dyn BufRead + 'a>,
    pub(super) line: Vec<u8>,
    reader: Option<Reader>,
    event: Option<Event>,
    /// What a map has made of the line, the part that was not read yet.
    made: VecDeque<Made>,
    /// The part that was read last.
    made_line: Option<String>,
}

const READER: &str = "a text that is read on has a reader";

impl<'a> Feed<'a> {
    fn new(text: Box<dyn BufRead + 'a>) -> Feed<'a> {
        Feed { text, line: Vec::new(), reader: None, event: None, made: VecDeque::new(), made_line: None }
    }

    /// Reads one more line; whether there was one.
    pub(super) fn fill(&mut self) -> io::Result<bool> {
        self.line.clear();
        let read = (&mut self.text).take(LINE_MAX + 1).read_until(b'\n', &mut self.line)?;
        if self.line.last() == Some(&b'\n') {
            self.line.pop();
            return Ok(true);
        }
        Ok(read > 0)
    }

    /// Reads on to the next event.
    fn advance(&mut self, cast: &mut Cast, map: Option<&mut Map>) -> io::Result<()> {
        if let Some(map) = map {
            return self.advance_log(cast, map);
        }
        while self.event.is_none() && self.fill()? {
            let reader = self.reader.as_mut().expect(READER);
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

    /// Reads on to the next event that a map makes.
    fn advance_log(&mut self, cast: &mut Cast, map: &mut Map) -> io::Result<()> {
        while self.event.is_none() {
            match self.made.pop_front().map(|made| map.line(&made)) {
                Some(Ok(line)) => self.event = self.read_made(cast, line),
                Some(Err(wrong)) => self.reader.as_mut().expect(READER).refuse(&wrong, ""),
                None if self.turn(map)? => {}
                None => break,
            }
        }
        Ok(())
    }

    /// Reads on to the next line of which a map makes something; whether there was one.
    fn turn(&mut self, map: &mut Map) -> io::Result<bool> {
        while self.made.is_empty() {
            if !self.fill()? {
                return Ok(false);
            }
            let reader = self.reader.as_mut().expect(READER);
            if self.line.len() as u64 > LINE_MAX {
                reader.skip(Wrong::line("the line has more than 1 MiB"));
                self.text.skip_until(b'\n')?;
                continue;
            }
            let line = match std::str::from_utf8(&self.line) {
                Ok(line) => line.trim_end_matches('\r'),
                Err(error) => {
                    reader.skip(Wrong::at(error.valid_up_to() + 1, "that is no UTF-8"));
                    continue;
                }
            };
            let number = reader.next_of_log();
            match map.turn(reader.file(), number, line) {
                Ok(made) => self.made = made.into(),
                Err(wrong) => reader.refuse(&wrong, line),
            }
        }
        Ok(true)
    }

    fn read_made(&mut self, cast: &mut Cast, line: String) -> Option<Event> {
        let event = self.reader.as_mut().expect(READER).read_made(cast, &line);
        self.made_line = Some(line);
        event
    }

    fn refuse(&mut self, wrong: &Wrong) {
        let reader = self.reader.as_mut().expect(READER);
        match &self.made_line {
            Some(made) => reader.refuse_made(wrong, made),
            None => reader.refuse(wrong, &String::from_utf8_lossy(&self.line)),
        }
    }
}
