//! Lines of a log that no rule of its map matches: counted by kind, the first of each kept.

use std::collections::BTreeMap;

/// More kinds than this are counted as one.
const KINDS_MAX: usize = 100;

/// Of a line that is shown, so many letters.
const SHOWN_MAX: usize = 200;

/// Lines of one kind that no rule matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmapped {
    /// How many.
    pub times: u64,
    /// The file of the first one.
    pub file: String,
    /// Its line, counted from 1.
    pub line: u64,
    /// What it begins with.
    pub text: String,
}

/// All kinds of them.
#[derive(Debug, Default)]
pub(super) struct Kinds {
    all: Vec<Unmapped>,
    /// By what tells kinds apart, their places among all.
    places: BTreeMap<Vec<Option<String>>, usize>,
}

impl Kinds {
    pub(super) fn all(&self) -> &[Unmapped] {
        &self.all
    }

    /// Counts a line of this kind.
    pub(super) fn count(&mut self, mut kind: Vec<Option<String>>, file: &str, line: u64, text: &str) {
        for value in kind.iter_mut().flatten() {
            *value = value.chars().take(SHOWN_MAX).collect();
        }
        if self.all.len() >= KINDS_MAX && !self.places.contains_key(&kind) {
            kind = Vec::new();
        }
        let place = *self.places.entry(kind).or_insert(self.all.len());
        if place == self.all.len() {
            let text = text.chars().take(SHOWN_MAX).collect();
            self.all.push(Unmapped { times: 0, file: file.to_owned(), line, text });
        }
        self.all[place].times += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_counted_and_too_many_of_them_are_one() {
        let mut kinds = Kinds::default();
        for line in 0..300 {
            kinds.count(vec![Some((line % 150).to_string())], "im.log", line, "a line");
        }
        assert_eq!(kinds.all().len(), KINDS_MAX + 1);
        assert_eq!(kinds.all()[0].times, 2);
        assert_eq!((kinds.all()[KINDS_MAX].times, kinds.all()[KINDS_MAX].line), (100, 100));
    }
}
