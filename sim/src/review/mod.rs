//! What a change does to the stories in `snapshots/`, told as its reviewer wants it: the same edit in 140 of them is one
//! group with a count, an example and the list; what weighs most comes first.
//!
//! ```text
//! text ──renames, parse──▶ events ──align──▶ pairs ──edits, orders──▶ edits ──group──▶ Review ──render──▶ text, Markdown, JSON
//! ```
//!
//! A pure function of texts: where they come from, a revision and a folder, is the command's business. Reads what
//! [`render`](crate::trace::render) writes, and judges nothing: whether a change is right only its reviewer knows.

mod align;
mod columns;
mod edits;
mod group;
mod orders;
mod parse;
mod renames;
mod render;

use std::collections::BTreeSet;

pub use group::{Example, Group, Review};
pub use render::{Length, MARKDOWN_MAX, SCREEN_LINES_MAX, Style, markdown, text};

use edits::Vocabulary;
use renames::Renames;

/// A story before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Story {
    /// What it is called: the stem of its file.
    pub stem: String,
    /// The snapshot as it was; none when there was none.
    pub before: Option<String>,
    /// As it is now; none when it is gone.
    pub after: Option<String>,
}

/// Reviews stories, in the order of their names.
///
/// ```
/// use gatecrash_sim::review::{Length, Story, Style, review, text};
///
/// let told = |outcome: &str| Some(format!("A login\n\n    0.091  phone => app  login answered: {outcome} call=2\n"));
/// let review = review(&[Story { stem: "a_login".to_owned(), before: told("ok"), after: told("[70001]") }]);
/// assert!(review.weighs());
/// assert!(text(&review, Length::Screen, Style::default()).contains("`login answered`: ok -> [70001]"));
/// ```
pub fn review(stories: &[Story]) -> Review {
    let renames = renames(stories);
    let plain = Renames::default();
    let events = |text: &Option<String>, renames: &Renames| {
        text.as_deref().map_or_else(Vec::new, |text| parse::parse(text, renames))
    };
    let parsed: Vec<_> =
        stories.iter().map(|story| (story, events(&story.before, &plain), events(&story.after, &renames))).collect();
    let vocabulary = Vocabulary {
        before: Vocabulary::words(parsed.iter().flat_map(|(_, before, _)| before)),
        after: Vocabulary::words(parsed.iter().flat_map(|(_, _, after)| after)),
    };
    let (mut changed, mut added, mut removed) = (Vec::new(), Vec::new(), Vec::new());
    for (story, before, after) in &parsed {
        match (&story.before, &story.after) {
            (Some(old), Some(new)) if parse::body(old) != parse::body(new) => {
                let pairs = align::align(before, after);
                let edits = edits::edits(before, after, &pairs, &vocabulary);
                changed.push(group::Changed { stem: &story.stem, edits });
            }
            (Some(_), Some(_)) | (None, None) => {}
            (None, Some(text)) => added.push((story.stem.clone(), text.lines().count())),
            (Some(text), None) => removed.push((story.stem.clone(), text.lines().count())),
        }
    }
    orders::fold(&mut changed);
    group::group(stories.len(), &changed, added, removed)
}

/// What is called otherwise. A story that did not change may still have the old word: all are asked.
fn renames(stories: &[Story]) -> Renames {
    let texts = stories.iter().map(|story| {
        let [before, after] = [&story.before, &story.after];
        (before.as_deref().map_or("", parse::body), after.as_deref().map_or("", parse::body))
    });
    let (mut ends, mut words) = (BTreeSet::new(), BTreeSet::new());
    for event in texts
        .clone()
        .flat_map(|(before, after)| [before, after])
        .flat_map(|text| parse::parse(text, &Renames::default()))
    {
        words.extend(event.word.split(' ').map(str::to_owned));
        ends.extend(event.field(parse::OUTCOME).unwrap_or_default().split(' ').map(str::to_owned));
    }
    Renames::learn(texts, |word| ends.contains(word) && !words.contains(word))
}

#[cfg(test)]
mod tests;
