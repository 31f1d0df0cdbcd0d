//! Which days count, decided wrong behind a clock that jumps.

use std::collections::BTreeSet;

use gatecrash::decide::ServerDecisions;

use super::super::broken::decisions;

decisions! {
    ServerDecisions;

    /// A day counts unless it is the last one that was counted.
    LastDayOnly {
        fn counts_day(&self, days: &BTreeSet<u32>, _: usize, day: u32) -> bool {
            days.last() != Some(&day)
        }
    }

    /// A day before the last one counted is not counted any more.
    DaysOnlyGrow {
        fn counts_day(&self, days: &BTreeSet<u32>, _: usize, day: u32) -> bool {
            days.last().is_none_or(|&last| day > last)
        }
    }
}
