//! What a change does to the stories in `snapshots/`, told as its reviewer wants it: the same edit in 140 of them is one
//! group with a count, an example and the list; what weighs most comes first.
//!
//! ```text
//! text ──parse──▶ events ──align──▶ pairs ──edits──▶ edits ──group──▶ Review ──render──▶ text, Markdown, JSON
//! ```
//!
//! A pure function of texts: where they come from, a revision and a folder, is the command's business. Reads what
//! [`render`](crate::trace::render) writes, and judges nothing: whether a change is right only its reviewer knows.

mod align;
mod edits;
mod group;
mod parse;
mod render;

use std::collections::BTreeSet;

pub use group::{Example, Group, Review};
pub use render::{MARKDOWN_MAX, Style, markdown, text};

use edits::Vocabulary;

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
/// use gatecrash_sim::review::{Story, Style, review, text};
///
/// let told = |outcome: &str| Some(format!("A login\n\n    0.091  phone => app  login answered: {outcome} call=2\n"));
/// let review = review(&[Story { stem: "a_login".to_owned(), before: told("ok"), after: told("[70001]") }]);
/// assert!(review.weighs());
/// assert!(text(&review, Style::default()).contains("`login answered`: ok -> [70001]"));
/// ```
pub fn review(stories: &[Story]) -> Review {
    let events = |text: &Option<String>| text.as_deref().map(parse::parse).unwrap_or_default();
    let parsed: Vec<_> = stories.iter().map(|story| (story, events(&story.before), events(&story.after))).collect();
    let words = |events: &[parse::Event]| events.iter().map(|event| event.word.clone()).collect::<Vec<_>>();
    let vocabulary = Vocabulary {
        before: parsed.iter().flat_map(|(_, before, _)| words(before)).collect::<BTreeSet<_>>(),
        after: parsed.iter().flat_map(|(_, _, after)| words(after)).collect::<BTreeSet<_>>(),
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
    group::group(stories.len(), &changed, added, removed)
}

#[cfg(test)]
mod tests;
