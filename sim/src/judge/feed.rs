//! One text of a history, read on from event to event.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::io::{self, BufRead, Read};

use crate::history::{Cast, Event, Made, Map, Reader, Wrong};

/// A longer line is told as a mistake, and not kept in memory.
const LINE_MAX: u64 = 1024 * 1024;

/// One text, and the event of its line that was read last.
pub(super) struct Feed<'a> {
    text: Box<dyn BufRead + 'a>,
    pub(super) line: Vec<u8>,
    pub(super) reader: Option<Reader>,
    pub(super) event: Option<Event>,
    /// What a map has made of the line, the part that was not read yet.
    pub(super) made: VecDeque<Made>,
    /// The part that was read last.
    made_line: Option<String>,
}

const READER: &str = "a text that is read on has a reader";

impl<'a> Feed<'a> {
    pub(super) fn new(text: Box<dyn BufRead + 'a>) -> Feed<'a> {
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
    pub(super) fn advance(&mut self, cast: &mut Cast, map: Option<&mut Map>) -> io::Result<()> {
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
    pub(super) fn turn(&mut self, map: &mut Map) -> io::Result<bool> {
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

    pub(super) fn read_made(&mut self, cast: &mut Cast, line: String) -> Option<Event> {
        let event = self.reader.as_mut().expect(READER).read_made(cast, &line);
        self.made_line = Some(line);
        event
    }

    /// What the line of the event has brought, ahead of it.
    pub(super) fn ahead(&self) -> &[Event] {
        self.reader.as_ref().map_or(&[], Reader::ahead)
    }

    /// The line of a history that was read last: the text's own, or what a map made of it.
    pub(super) fn told(&self) -> Cow<'_, str> {
        self.made_line.as_deref().map_or_else(|| String::from_utf8_lossy(&self.line), Cow::Borrowed)
    }

    pub(super) fn refuse(&mut self, wrong: &Wrong) {
        let reader = self.reader.as_mut().expect(READER);
        match &self.made_line {
            Some(made) => reader.refuse_made(wrong, made),
            None => reader.refuse(wrong, &String::from_utf8_lossy(&self.line)),
        }
    }
}
