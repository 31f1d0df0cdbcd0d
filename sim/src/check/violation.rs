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
    /// What shows it.
    pub evidence: Evidence,
}

/// What shows that something is wrong: what violations of one kind have in common, whoever is concerned and whenever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Evidence {
    /// An event of this kind.
    Event(&'static str),
    /// That an event or a frame of this kind did not come: whichever event came next has nothing to do with it.
    Missing(&'static str),
}
