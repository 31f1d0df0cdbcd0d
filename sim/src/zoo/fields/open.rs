//! Changes that leave a trace as true as it was: what no rule and no other event says.
//!
//! Each with its reason, and as narrow as the reason is.

use super::{Name, TICK};
use crate::check::property;
use crate::scenario::Scenario;
use crate::trace::Event;

/// A kind of change that nobody can notice.
#[derive(Debug)]
pub struct Open {
    /// Which fields: of every event, or as people write those of one.
    pub fields: &'static [&'static str],
    /// Why.
    pub why: &'static str,
    /// Which changes of them, in a run of this scenario: before and after.
    is_it: fn(&Scenario, &Event, &Event) -> bool,
}

impl PartialEq for Open {
    fn eq(&self, other: &Self) -> bool {
        self.why == other.why
    }
}

impl Eq for Open {}

impl Open {
    /// Whether the change is one of these.
    pub(super) fn has(&self, scenario: &Scenario, name: Name, before: &Event, after: &Event) -> bool {
        self.fields.iter().any(|field| name.field == *field || name.is_meant_by(field))
            && (self.is_it)(scenario, before, after)
    }
}

/// All of them.
pub const OPEN: &[Open] = &[Open {
    fields: &["at"],
    why: "no property holds a run to an instant more closely than four ticks of its world and 5 ms (`allowance.rs`), and here there are no ticks",
    is_it: |_, before, after| {
        let by = before.at.as_micros().abs_diff(after.at.as_micros());
        u128::from(by) <= property::slack(TICK).as_micros()
    },
}];
