//! Orders that are one: a line that comes earlier passes many others, and each of these is no cause of its own.
//!
//! Which of two lines has moved nobody can see from the two. What moved in most places is taken for it.

use std::collections::{BTreeMap, BTreeSet};

use super::edits::Edit;
use super::group::Changed;

/// A word, and whether its lines come earlier.
type Mover<'a> = (bool, &'a str);

/// Gives all orders that one word's lines are in the same shape: that they come earlier, or later.
pub fn fold(stories: &mut [Changed<'_>]) {
    let mut open: BTreeMap<(String, String), usize> = BTreeMap::new();
    for order in stories.iter().flat_map(|story| &story.edits).filter_map(|edit| edit.order.clone()) {
        *open.entry(order).or_default() += 1;
    }
    let mut shapes = BTreeMap::new();
    loop {
        // By mover: how many edits, and which words it passes.
        let mut movers: BTreeMap<Mover<'_>, (usize, BTreeSet<&str>)> = BTreeMap::new();
        for ((first, second), count) in &open {
            for (mover, passed) in [((true, first.as_str()), second), ((false, second.as_str()), first)] {
                let (edits, all) = movers.entry(mover).or_default();
                *edits += count;
                all.insert(passed);
            }
        }
        // One that passes a single word is told as the pair that it is.
        let most = movers.iter().filter(|(_, (_, passed))| passed.len() > 1).max_by_key(|(_, (edits, _))| *edits);
        let Some(((is_earlier, word), _)) = most else { break };
        let (is_earlier, word) = (*is_earlier, (*word).to_owned());
        open.retain(|(first, second), _| {
            let is_of_mover = if is_earlier { *first == word } else { *second == word };
            if is_of_mover {
                let told = match is_earlier {
                    true => (format!("`{word}` now comes earlier"), format!("before `{second}`")),
                    false => (format!("`{word}` now comes later"), format!("behind `{first}`")),
                };
                shapes.insert((first.clone(), second.clone()), told);
            }
            !is_of_mover
        });
    }
    for edit in stories.iter_mut().flat_map(|story| &mut story.edits) {
        let Edit { order: Some(order), .. } = edit else { continue };
        if let Some((shape, detail)) = shapes.get(order) {
            (edit.shape, edit.detail) = (shape.clone(), detail.clone());
        }
    }
}
