//! Where two runs part: the first event of each that the other does not have in its place.
//!
//! How long something took is no difference: two worlds are never equal to the microsecond. Nor is what an actor told its
//! application just before or just after it sent a frame. What is compared is what each actor said to each other, in the
//! words of the story, without times.

use std::collections::BTreeMap;

use crate::trace::Trace;
use crate::trace::render::{self, View};

/// What one said to another: where each line of it is, and what it says.
type Story = Vec<(usize, String)>;

/// The position in each trace, where it has one: a run may have ended there. None when the stories are the same.
pub fn first_difference(first: &Trace, second: &Trace) -> Option<[Option<usize>; 2]> {
    let (ours, theirs) = (stories(first), stories(second));
    let empty = Story::new();
    let mut names: Vec<&String> = ours.keys().chain(theirs.keys()).collect();
    names.sort_unstable();
    names.dedup();
    let parts = names.into_iter().filter_map(|name| {
        let (our, their) = (ours.get(name).unwrap_or(&empty), theirs.get(name).unwrap_or(&empty));
        let length = our.len().max(their.len());
        let says = |story: &Story, index: usize| story.get(index).map(|(_, said)| said.clone());
        let index = (0..length).find(|&index| says(our, index) != says(their, index))?;
        Some([our.get(index).map(|(position, _)| *position), their.get(index).map(|(position, _)| *position)])
    });
    let at = |trace: &Trace, position: Option<usize>| position.map(|position| trace.events[position].at);
    parts.min_by_key(|[our, their]| [at(first, *our), at(second, *their)].into_iter().flatten().min())
}

fn stories(trace: &Trace) -> BTreeMap<String, Story> {
    let mut stories: BTreeMap<String, Story> = BTreeMap::new();
    for row in render::rows(trace, View::Story) {
        stories.entry(row.who).or_default().push((row.position, row.what));
    }
    stories
}
