//! A history as text, or several texts that are parts of one: read, put into one order, and judged.

use std::io::{self, BufRead};

use super::feed::Feed;
use super::outside::FILE_SHIFT;
use super::whole::whole_trace;
use super::{Judge, Judgement, Recording};
use crate::history::{Cast, Event, MISTAKES_MAX, Map, Reader};
use crate::scenario::rules::RuleId;

/// One text.
pub struct Source<'a> {
    /// How mistakes and breaches name it.
    pub name: String,
    /// The text.
    pub text: Box<dyn BufRead + 'a>,
}

/// Judges a history that is all there.
pub fn judge_text(history: &str) -> Judgement {
    let source = Source { name: "history".to_owned(), text: Box::new(history.as_bytes()) };
    judge_sources(vec![source], &[], None).expect("a text in memory can be read")
}

/// Judges a history whose lines are in these texts, each in the order of time. The first line of the first one says what
/// the history holds. Of the rules only these are answered, where some are named. What is to be shown is kept in the recording.
///
/// # Errors
///
/// When a text cannot be read. What is wrong with one that can be is in the judgement.
pub fn judge_sources(
    sources: Vec<Source<'_>>,
    rules: &[RuleId],
    recording: Option<&mut Recording>,
) -> io::Result<Judgement> {
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
                        return whole_trace(whole, &head.system, feed, reader, rules, recording);
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
    judged(judge, cast, feeds, None, rules, recording)
}

/// Judges logs as they are, of which a map makes the lines of one history. Each is in the order of time. What is to be shown
/// is kept in the recording.
///
/// # Errors
///
/// When a text cannot be read. What is wrong with one that can be is in the judgement.
pub fn judge_log(
    sources: Vec<Source<'_>>,
    map: &mut Map,
    rules: &[RuleId],
    recording: Option<&mut Recording>,
) -> io::Result<Judgement> {
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
    judged(judge, cast, feeds, Some(map), rules, recording)
}

fn judged(
    mut judge: Judge,
    mut cast: Cast,
    mut feeds: Vec<Feed<'_>>,
    mut map: Option<&mut Map>,
    rules: &[RuleId],
    mut recording: Option<&mut Recording>,
) -> io::Result<Judgement> {
    // The earliest event of all comes next. There are few texts, and mostly one.
    while let Some(index) = (0..feeds.len())
        .filter(|&index| feeds[index].event.is_some())
        .min_by_key(|&index| feeds[index].event.map(|event| event.from))
    {
        let feed = &mut feeds[index];
        if let Some(mut event) = feed.event.take() {
            event.line |= (index as u64) << FILE_SHIFT;
            for item in feed.ahead() {
                // Whether its call makes sense is said of the result.
                let _ = judge.take(&cast, &Event { line: event.line, ..*item });
            }
            let kept = recording.as_deref_mut().map(|recording| (recording, feed.told()));
            if let Err(wrong) = judge.take_kept(&cast, &event, kept) {
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
        let kept = recording.as_deref_mut().map(|recording| (recording, feed.told()));
        if let Err(wrong) = judge.take_kept(&cast, &event, kept) {
            feed.refuse(&wrong);
        }
    }
    let platforms = judge.devices.iter().map(|device| device.platform).collect();
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
    if let Some(recording) = recording {
        recording.finish(cast, platforms);
    }
    Ok(judgement)
}
