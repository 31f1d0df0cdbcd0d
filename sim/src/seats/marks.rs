//! Which operations of a search were placed: a set of small numbers that costs nothing to copy.
//!
//! Knows nothing of what the numbers stand for.

/// The number of operations that one search can hold.
pub(super) const OPERATIONS_MAX: usize = 256;

/// A set of numbers below [`OPERATIONS_MAX`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Marks([u64; OPERATIONS_MAX / 64]);

impl Marks {
    pub(super) fn has(&self, number: usize) -> bool {
        self.0[number / 64] & (1 << (number % 64)) != 0
    }

    pub(super) fn add(&mut self, number: usize) {
        self.0[number / 64] |= 1 << (number % 64);
    }

    pub(super) fn with(mut self, number: usize) -> Self {
        self.add(number);
        self
    }

    pub(super) fn contains(&self, other: &Marks) -> bool {
        self.0.iter().zip(other.0).all(|(own, other)| own & other == other)
    }

    pub(super) fn meets(&self, other: &Marks) -> bool {
        self.0.iter().zip(other.0).any(|(own, other)| own & other != 0)
    }
}
