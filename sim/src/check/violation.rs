//! What a check says when something is wrong.

use gatecrash::time::Instant;

use crate::scenario::rules::RuleId;
use crate::trace::Actor;

/// Something that should not have happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The property that does not hold, as a sentence.
    pub property: &'static str,
    /// The rule it checks.
    pub rule: RuleId,
    /// What happened instead.
    pub text: String,
    /// When.
    pub at: Instant,
    /// To whom.
    pub actor: Actor,
    /// Which event of the actor, counted from 1; 0 when no single event is to blame.
    pub number: u32,
    /// The kind of that event, in a word; none when something is missing rather than wrong.
    pub kind: Option<&'static str>,
}
