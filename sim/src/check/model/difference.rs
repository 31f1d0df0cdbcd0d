//! What the model says when the trace tells something else.

use crate::scenario::rules::RuleId;

/// The trace tells something else than the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    /// The rule that the model followed.
    pub(crate) rule: RuleId,
    pub(crate) text: String,
    /// The kind of event, frame or fact that the trace lacks, where that is what it is.
    pub(crate) missing: Option<&'static str>,
}

impl Difference {
    pub(super) fn of(rule: RuleId, text: String) -> Option<Self> {
        Some(Difference { rule, text, missing: None })
    }

    /// The trace lacks something of this kind.
    pub(super) fn lacks(rule: RuleId, what: &'static str, text: String) -> Option<Self> {
        Some(Difference { rule, text, missing: Some(what) })
    }
}

/// Somebody who should have been let in was not: a difference until they are told why.
#[derive(Clone, Debug)]
pub(super) struct TurnedAway {
    pub(super) connection: u32,
    pub(super) who: String,
    /// What the decision lacks.
    pub(super) found: Difference,
}
