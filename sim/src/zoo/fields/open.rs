//! Changes that leave a trace as true as it was: what no rule and no other event says.
//!
//! Each with its reason, and as narrow as the reason is.

use super::Name;
use crate::trace::Event;

/// A kind of change that nobody can notice.
#[derive(Debug)]
pub struct Open {
    /// Which fields, as people write them.
    pub fields: &'static [&'static str],
    /// Why.
    pub why: &'static str,
    /// Which changes of them: before and after.
    pub is_it: fn(&Event, &Event) -> bool,
}

impl PartialEq for Open {
    fn eq(&self, other: &Self) -> bool {
        self.why == other.why
    }
}

impl Eq for Open {}

impl Open {
    /// Whether the change is one of these.
    pub(super) fn has(&self, name: Name, before: &Event, after: &Event) -> bool {
        self.fields.iter().any(|field| name.is_meant_by(field)) && (self.is_it)(before, after)
    }
}

/// All of them.
pub const OPEN: &[Open] = &[];
