//! Sets of kinds of events: which of them a property wants to see.
//!
//! Most properties look at a few kinds, and most events concern a few properties: asking all of them
//! about each event would be most of what a sweep costs. Which frames they look at says `frames`.

use crate::scenario::rules::is_same;
use crate::trace::What;

/// A set of kinds of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kinds(u64);

impl Kinds {
    /// How many kinds there are: those of events, and after them the decisions.
    pub(super) const COUNT: usize = What::WORDS.len() + 1;

    /// The place of the decisions.
    pub(super) const DECISION: usize = What::WORDS.len();

    /// Every kind.
    pub const ALL: Kinds = Kinds((1 << Kinds::COUNT) - 1);

    /// Whatever can happen to a device.
    pub(in crate::check) const OF_DEVICES: Kinds = Kinds::of(&[
        "called",
        "answered",
        "uninit_returned",
        "told",
        "events_dropped",
        "status",
        "device_sent",
        "device_received",
        "connect_asked",
        "connected",
        "connect_failed",
        "close_asked",
        "gone",
        "no_frame",
        "untrusted",
        "store_asked",
        "stored",
        "back_off",
        "link_lost",
        "new_device",
        "sdk_woken",
        "link_kept",
        "network_changed",
        "record_failed",
        "known_as",
    ]);

    /// The kinds with these words; `decision` for the decisions.
    ///
    /// # Panics
    ///
    /// When compiled with a word that no event has.
    pub(in crate::check) const fn of(words: &[&str]) -> Kinds {
        let mut bits = 0;
        let mut index = 0;
        while index < words.len() {
            bits |= 1 << place(words[index]);
            index += 1;
        }
        Kinds(bits)
    }

    /// Whether the kind at this place is among them.
    pub(in crate::check) const fn has(self, kind: usize) -> bool {
        self.0 >> kind & 1 == 1
    }

    /// The places of the kinds: of those of events, their places in [`What::WORDS`].
    pub(super) fn places(self) -> impl Iterator<Item = usize> {
        (0..Kinds::COUNT).filter(move |&kind| self.has(kind))
    }
}

const fn place(word: &str) -> usize {
    if is_same(word, "decision") {
        return Kinds::DECISION;
    }
    let mut kind = 0;
    while kind < What::WORDS.len() {
        if is_same(What::WORDS[kind], word) {
            return kind;
        }
        kind += 1;
    }
    panic!("no event has this word")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_the_kinds_it_was_made_of() {
        let kinds = Kinds::of(&["told", "decision", "called"]).places().collect::<Vec<_>>();
        assert_eq!(kinds.iter().filter_map(|&kind| What::WORDS.get(kind)).collect::<Vec<_>>(), [&"called", &"told"]);
        assert_eq!(kinds.last(), Some(&Kinds::DECISION));
        assert_eq!(Kinds::ALL.places().count(), What::WORDS.len() + 1);
    }
}
