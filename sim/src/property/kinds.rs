//! Sets of kinds of events: which of them a property wants to see.
//!
//! Most properties look at a few kinds, and most events concern a few properties: asking all of them
//! about each event would be most of what a sweep costs.

use crate::trace::What;

/// A set of kinds of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kinds(u64);

impl Kinds {
    /// Every kind.
    pub const ALL: Kinds = Kinds((1 << What::WORDS.len()) - 1);

    /// The kinds with these words.
    ///
    /// # Panics
    ///
    /// When compiled with a word that no event has.
    pub(super) const fn of(words: &[&str]) -> Kinds {
        let mut bits = 0;
        let mut index = 0;
        while index < words.len() {
            bits |= 1 << place(words[index]);
            index += 1;
        }
        Kinds(bits)
    }

    /// Calls with the place of each kind in [`What::WORDS`].
    pub(super) fn each(self, mut call: impl FnMut(usize)) {
        (0..What::WORDS.len()).filter(|kind| self.0 >> kind & 1 == 1).for_each(&mut call);
    }
}

const fn place(word: &str) -> usize {
    let mut kind = 0;
    while kind < What::WORDS.len() {
        if is_same(What::WORDS[kind].as_bytes(), word.as_bytes()) {
            return kind;
        }
        kind += 1;
    }
    panic!("no event has this word")
}

const fn is_same(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    let mut index = 0;
    while index < one.len() {
        if one[index] != other[index] {
            return false;
        }
        index += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_the_kinds_it_was_made_of() {
        let mut kinds = Vec::new();
        Kinds::of(&["told", "called"]).each(|kind| kinds.push(What::WORDS[kind]));
        assert_eq!(kinds, ["called", "told"]);
        let mut number = 0;
        Kinds::ALL.each(|_| number += 1);
        assert_eq!(number, What::WORDS.len());
    }
}
