//! A call that has one right answer, whatever the server says: refused by the state that the application has made.

use super::answer::Rule;

/// Refused, with one of these codes, by one of these rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Gate {
    pub(super) rule: Rule,
    /// By our codes; the first is what the rule names.
    pub(super) codes: [u32; 2],
    /// Why, in words.
    pub(super) why: &'static str,
}
