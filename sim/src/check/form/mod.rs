//! The form of a trace: what it says in one place has to fit what it says in another.
//!
//! ```text
//! order        whose event is the how manieth, and when
//! ends         which connections there are, and who is at their ends
//! wire         what arrives was sent
//! application  whose call, account and session it is; what a device is told came in
//! disk         changes are counted, and none is on a disk before it was written
//! script       what the file has happen, and nothing else
//! effects      what comes of a fault
//! wall         what the server's clock shows
//! ```
//!
//! Knows no decision of the server or the SDK: whether what happened is right is judged by the properties and the models.
//! But a property believes what it reads, and what it reads is believed because of this. Stops at the first thing that
//! does not fit, since whatever follows it may be a consequence.

mod application;
mod disk;
mod effects;
mod ends;
mod order;
mod script;
mod wall;
mod wire;

use std::time::Duration;

use crate::scenario::Scenario;
use crate::scenario::rules::RuleId;
use crate::trace::{Cast, Event};

/// What holds.
pub(crate) const SENTENCE: &str = "what a trace says in one place fits what it says in another";

/// What does not fit, and the rule of whoever has to say it as it is.
pub(crate) type Misfit = (RuleId, String);

/// Follows the form of one run.
pub(crate) struct Form {
    order: order::Order,
    ends: ends::Ends,
    wire: wire::Wire,
    application: application::Applications,
    disk: disk::Disks,
    script: script::Script,
    effects: effects::Effects,
    wall: wall::Wall,
    follows: bool,
}

impl Form {
    pub(crate) fn new(scenario: &Scenario, tick: Duration) -> Self {
        Form {
            order: order::Order::default(),
            ends: ends::Ends::default(),
            wire: wire::Wire::default(),
            application: application::Applications::default(),
            disk: disk::Disks::default(),
            script: script::Script::new(scenario, tick),
            effects: effects::Effects::new(tick),
            wall: wall::Wall::new(scenario),
            follows: true,
        }
    }

    /// One more event, not of a decision's facts.
    pub(crate) fn observe(&mut self, cast: &Cast, event: &Event) -> Option<Misfit> {
        if !self.follows {
            return None;
        }
        let found = self
            .order
            .observe(event)
            .or_else(|| self.ends.observe(event))
            .or_else(|| self.wire.observe(cast, event))
            .or_else(|| self.application.observe(cast, event))
            .or_else(|| self.disk.observe(event))
            .or_else(|| self.script.observe(cast, event))
            .or_else(|| self.effects.observe(event))
            .or_else(|| self.wall.observe(event));
        self.follows = found.is_none();
        found
    }

    /// The server decided so many facts, in an event of this number.
    pub(crate) fn decided(&mut self, number: u32, facts: usize) {
        self.order.decided(number, facts);
    }
}
