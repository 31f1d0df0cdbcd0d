//! Every property of a history, and what each rule takes to be judged.

use super::account::OneAccount;
use super::connecting::Connecting;
use super::epochs::Epochs;
use super::gates::Gates;
use super::ghosts::Ghosts;
use super::gone::Gone;
use super::lifetime::Lifetime;
use super::lists::Lists;
use super::locks::Locks;
use super::lost::Lost;
use super::messages::Messages;
use super::notified::Notified;
use super::order::Order;
use super::outside::Outside;
use super::pace::Pace;
use super::presence::Numbered;
use super::query::Query;
use super::results::{InTime, OneResult};
use super::rights::Rights;
use super::shown::Shown;
use super::status::{Fits, Ways};
use super::terminal::Terminal;
use super::tickets::Tickets;
use super::voided::{ByKick, Voided};
use crate::history::{Channels, Head};
use crate::scenario::rules::RULES;

/// Every property.
pub(super) fn all(head: &Head) -> Vec<Box<dyn Outside>> {
    vec![
        Box::new(OneResult),
        Box::new(InTime),
        Box::new(Gates),
        Box::new(Ways),
        Box::new(Fits::default()),
        Box::new(Terminal),
        Box::new(OneAccount),
        Box::new(Connecting),
        Box::new(Pace::new(head)),
        Box::new(Epochs::default()),
        Box::new(Gone::new(head)),
        Box::new(Rights),
        Box::new(Notified::default()),
        Box::new(Messages::default()),
        Box::new(Lost::default()),
        Box::new(Lists::default()),
        Box::new(Tickets::new(head)),
        Box::new(Lifetime::new(head)),
        Box::new(Voided::default()),
        Box::new(ByKick::new(head)),
        Box::new(Locks::new(head)),
        Box::new(Numbered::default()),
        Box::new(Shown::new(head)),
        Box::new(Ghosts::new(head)),
        Box::new(Query::new(head)),
        Box::new(Order::new(head)),
    ]
}

/// Every rule that has a property, with what the cheapest one takes.
pub(super) fn judgeable(properties: &[Box<dyn Outside>]) -> [Option<Vec<Channels>>; RULES.len()] {
    let mut of = [const { None::<Vec<Channels>> }; RULES.len()];
    for property in properties {
        for rule in property.rules() {
            of[rule.index()].get_or_insert_default().push(property.needs());
        }
    }
    of
}
