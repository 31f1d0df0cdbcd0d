//! What must hold in every run, judged by its trace alone.
//!
//! A property is a sentence and the code that knows when it is broken. All of them watch a run while
//! it happens, beside two views that they share: the server as its facts tell it, and each device as
//! its events tell it. None of them runs anything, and none looks into a core.
//!
//! What one scenario expects beyond that is `expect`'s part.

#[macro_use]
mod contract;

mod account;
mod admin;
mod again;
mod allowance;
mod attempt;
mod calls;
mod checks;
mod commit;
mod confirm;
mod connecting;
mod connection;
mod copies;
mod day;
mod decision;
mod delivery;
mod evenly;
mod form;
mod frames;
mod ghost;
mod heard;
mod kept;
mod kick;
mod kinds;
mod link;
mod lists;
mod lock;
mod noted;
mod notice;
mod overdue;
mod owed;
mod pace;
mod policy;
mod portal;
mod presence;
mod proof;
mod query;
#[cfg(test)]
mod random;
mod reason;
mod renewal;
mod report;
mod scene;
mod sdk;
mod sdk_model;
mod server;
mod server_model;
mod silence;
mod standstill;
mod status;
#[cfg(test)]
mod story;
mod terminal;
mod ticket;
mod unwritten;

use std::time::Duration;

use crate::check::violation::Violation;
use crate::scenario::Scenario;
use crate::trace::{Observer as _, Trace};

pub use allowance::slack;
pub use checks::Checks;
pub use contract::{Kind, Property};
pub use decision::Decision;
pub use frames::Frames;
pub use kinds::Kinds;
pub use report::{MODELS, Report, vagueness};
pub use scene::Scene;

impl Checks {
    /// All properties, for a run of this scenario in a world with such a tick.
    pub fn new(scenario: &Scenario, tick: Duration) -> Self {
        Checks::with(scenario, tick, all(scenario, tick))
    }
}

/// Every property, for a run of this scenario in a world with such a tick.
pub fn all(scenario: &Scenario, tick: Duration) -> Vec<Box<dyn Property>> {
    let mut every: Vec<Box<dyn Property>> = vec![
        Box::new(policy::Policy::default()),
        Box::new(kick::Kicks::default()),
        Box::new(status::StatusMoves::default()),
        Box::new(calls::Calls),
        Box::new(account::OneAccount::default()),
        Box::new(silence::Silence::default()),
        Box::new(connecting::Connecting::default()),
        Box::new(presence::PresenceReplays::default()),
        Box::new(terminal::Terminal::default()),
        Box::new(heard::Heard::default()),
        Box::new(commit::CommitFirst::default()),
        Box::new(attempt::Attempts::default()),
        Box::new(owed::OwedEnds::default()),
        Box::new(portal::Portals::default()),
        Box::new(proof::Proofs::new(scenario)),
        Box::new(ticket::Tickets::new(scenario)),
        Box::new(day::Days),
        Box::new(link::Links::default()),
        Box::new(admin::Administrators::default()),
        Box::new(connection::Connections::default()),
        Box::new(lock::Locks::default()),
        Box::new(reason::Reasons::default()),
        Box::new(notice::Notices::default()),
        Box::new(lists::Lists::default()),
        Box::new(kept::Kept::default()),
        Box::new(query::Queries::default()),
        Box::new(confirm::Confirmations::default()),
        Box::new(ghost::Ghosts::default()),
        Box::new(renewal::Renewals::default()),
        Box::new(again::SentAgain::default()),
        Box::new(delivery::Delivery::default()),
        Box::new(pace::Paces::default()),
        Box::new(unwritten::Unwritten::default()),
        Box::new(copies::Copies::default()),
        Box::new(standstill::Standstills::default()),
    ];
    every.extend(models(scenario, tick));
    every.push(Box::new(form::TraceForm::new(scenario, tick)));
    every
}

/// Those that hold a run against the model of the truth, whatever is wrong in it.
pub fn models(scenario: &Scenario, tick: Duration) -> [Box<dyn Property>; 2] {
    [Box::new(server_model::ServerModel::new(scenario, tick)), Box::new(sdk_model::SdkModel::new(scenario))]
}

/// Judges a trace that kept its events, and that a world with such a tick left.
pub fn check(scenario: &Scenario, tick: Duration, trace: &Trace) -> Vec<Violation> {
    let mut checks = Checks::new(scenario, tick);
    for event in &trace.events {
        checks.observe(&trace.cast, event);
    }
    checks.finish(&trace.cast)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table for people names every property with its rules, in their order.
    #[test]
    fn the_table_in_the_documents_is_complete() {
        let document = include_str!("../../../../docs/properties.md");
        let rows: Vec<&str> = document.lines().filter(|line| line.ends_with(".rs` |")).collect();
        let properties = all(&story::scenario(), Duration::ZERO);
        assert_eq!(rows.len(), properties.len());
        for (row, property) in rows.iter().zip(properties) {
            let rules: Vec<&str> = property.rules().iter().map(|rule| rule.as_str()).collect();
            let expected = format!("| {} | {} | {} |", property.kind().word(), property.name(), rules.join(", "));
            assert!(row.starts_with(&expected), "{row}\nshould begin with\n{expected}");
        }
    }
}
