//! The bounds of the product, each with the two situations that say it was reached: as much as may be, and one more.
//!
//! How much it is says the scenario, or SPEC.md. Counts nothing: `edges` does.

use crate::scenario::numbers::{DAYS_REMEMBERED, PREVIEW_MAX, QUERY_MAX, TEXT_MAX, UNDER_WAY_MAX, USER_ID_MAX};
use crate::scenario::rules::{RuleId, rule};

use super::table::{Reached, Situation};

/// How much a bound allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Most {
    /// What a scenario sets under this key of its `[limits]`.
    Limit(&'static str),
    /// What a scenario sets under this key of its `[app]`.
    App(&'static str),
    /// So much, and nothing sets it.
    Fixed(usize),
    /// What each ticket says of itself, in seconds.
    Ticket,
}

/// A bound, and whether it was reached from both sides.
///
/// ```
/// use gatecrash_sim::check::sometimes::{Most, Sometimes};
///
/// let nothing = Sometimes::default();
/// let text = nothing.bounds().find(|bound| bound.what == "bytes of a message's text").unwrap();
/// assert_eq!((text.rule.as_str(), text.most), ("API-4", Most::Fixed(12_288)));
/// assert_eq!(text.at_most, ("a message with the longest text was accepted", false));
/// assert!(!text.is_tried());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    /// The rule that sets it.
    pub rule: RuleId,
    /// What it bounds.
    pub what: &'static str,
    /// How much there may be.
    pub most: Most,
    /// As much as may be, as a situation, and whether a run reached that.
    pub at_most: (&'static str, bool),
    /// More than may be, as a situation, and whether a run reached that.
    pub beyond: (&'static str, bool),
}

impl Bound {
    /// Whether runs reached it from both sides.
    pub fn is_tried(&self) -> bool {
        self.at_most.1 && self.beyond.1
    }
}

/// A line of the table.
pub(super) struct Row {
    rule: RuleId,
    what: &'static str,
    most: Most,
    at_most: Situation,
    beyond: Situation,
}

impl Row {
    pub(super) fn seen_in(&self, reached: &Reached) -> Bound {
        let Row { rule, what, most, .. } = *self;
        let seen = |situation: Situation| (situation.name(), reached.has(situation));
        Bound { rule, what, most, at_most: seen(self.at_most), beyond: seen(self.beyond) }
    }
}

macro_rules! bounds {
    ($($rule:literal $what:literal $most:expr, $at_most:ident | $beyond:ident;)+) => {
        /// All, in the order of the rules.
        pub(super) const ALL: &[Row] = &[$(Row {
            rule: rule($rule),
            what: $what,
            most: $most,
            at_most: Situation::$at_most,
            beyond: Situation::$beyond,
        }),+];
    };
}

bounds! {
    "ATT-6" "devices without a session that are remembered of a user" Most::Limit("remembered_max"), RememberedAtMost | CrowdedOut;
    "LOGIN-2" "bytes of a user's name" Most::Fixed(USER_ID_MAX), NameAtMost | NameTooLong;
    "LOGIN-11" "logins of a user at once" Most::Limit("logins_max"), LoginsAtMost | TooFast;
    "TICKET-2" "seconds that a ticket lasts" Most::Ticket, LastSecondTaken | NextSecondRefused;
    "TICKET-4" "refused tickets that lock a device out" Most::Limit("refusals_max"), RefusedAndTaken | LockedOut;
    "TICKET-4" "records of refused tickets" Most::Limit("records_max"), RecordsAtMost | RecordMadeRoom;
    "CONN-2" "the longest delay before another attempt to connect" Most::Limit("backoff_max"), BackOffAtMost | BackOffNoLonger;
    "CONN-12" "logins and resumes at once" Most::Limit("capacity"), CapacityAtMost | Busy;
    "POLICY-2" "devices of a platform that are logged in as a user" Most::App("max_instances"), SeatsFull | SeatTaken;
    "DAU-1" "days of which it is remembered that a user was counted" Most::Fixed(DAYS_REMEMBERED), DayStillKnown | DayForgotten;
    "API-2" "lines of a conversation list" Most::Limit("conversations_max"), ListAtMost | ListCut;
    "API-2" "bytes of a preview" Most::Fixed(PREVIEW_MAX), PreviewWhole | PreviewCut;
    "API-4" "bytes of a message's text" Most::Fixed(TEXT_MAX), TextAtMost | TextTooLong;
    "API-4" "users of a query" Most::Fixed(QUERY_MAX), QueryAtMost | QueryTooLong;
    "API-6" "messages remembered of a user" Most::Limit("sent_max"), OldestFound | OldestForgotten;
    "API-7" "messages owed to a session" Most::Limit("owed_max"), OwedAtMost | OwedTooMany;
    "API-7" "bytes of text owed to a session" Most::Limit("owed_bytes_max"), OwedBytesAtMost | OwedBytesTooMany;
    "API-7" "messages under way to a device" Most::Fixed(UNDER_WAY_MAX), UnderWayAtMost | UnderWayWaited;
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::scenario::LimitOverrides;

    const DOCUMENT: &str = include_str!("../../../../docs/properties.md");

    fn number(row: &Row) -> String {
        match row.most {
            Most::Limit(key) => {
                let told = LimitOverrides::KEYS.iter().find(|(name, ..)| *name == key);
                let (.., text) = told.unwrap_or_else(|| panic!("no limit is called {key}"));
                let rule = format!("{}; ", row.rule.as_str());
                let number = text.rsplit_once(&rule).and_then(|(_, rest)| rest.split_once(')'));
                let (number, _) =
                    number.unwrap_or_else(|| panic!("{key} is no limit of {}: {text}", row.rule.as_str()));
                format!("{number} (`{key}`)")
            }
            Most::App(key) => format!("`{key}`"),
            Most::Fixed(number) => number.to_string(),
            Most::Ticket => "its ttl".to_owned(),
        }
    }

    /// The table for people.
    fn table() -> String {
        let mut table =
            "| what is bounded | most | rule | as much as may be | one more |\n|---|---|---|---|---|\n".to_owned();
        for row in ALL {
            let (rule, what) = (row.rule.as_str(), row.what);
            table +=
                &format!("| {what} | {} | {rule} | {} | {} |\n", number(row), row.at_most.name(), row.beyond.name());
        }
        table
    }

    #[test]
    fn the_table_in_the_documents_is_this_one() {
        let start = DOCUMENT.find("| what is bounded").expect("docs/properties.md has the table of bounds");
        let written: String = DOCUMENT[start..]
            .lines()
            .take_while(|line| line.starts_with('|'))
            .map(|line| format!("{line}\n"))
            .collect();
        assert!(
            written == table(),
            "the table of bounds in docs/properties.md is out of date. The current one:\n{}",
            table()
        );
    }

    #[test]
    fn no_situation_is_a_side_of_two_bounds() {
        let sides: BTreeSet<&str> = ALL.iter().flat_map(|row| [row.at_most.name(), row.beyond.name()]).collect();
        assert_eq!(sides.len(), 2 * ALL.len());
    }
}
