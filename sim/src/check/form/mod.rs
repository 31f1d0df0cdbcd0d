//! The form of a trace: what it says in one place has to fit what it says in another.
//!
//! ```text
//! order        whose event is the how manieth, and when
//! ends         which connections there are, and who is at their ends
//! wire         what arrives was sent
//! application  whose call, account and session it is; what a device is told came in
//! turn         what follows from something follows at once
//! record       what a device writes of itself
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
mod record;
mod script;
mod turn;
mod wall;
mod wire;

use std::time::Duration;

use gatecrash::time::Instant;

use crate::scenario::Scenario;
use crate::scenario::rules::RuleId;
use crate::trace::{Cast, ClientFrame, Event, Fact, ServerFrame, What};

/// The first misfit that one of these finds, if any does.
macro_rules! first_of {
    ($($found:expr),+) => {{
        $(
            let found = $found;
            if found.is_some() {
                return found;
            }
        )+
        None
    }};
}

/// What holds.
pub(crate) const SENTENCE: &str = "what a trace says in one place fits what it says in another";

/// What does not fit, and the rule of whoever has to say it as it is.
///
/// Behind a pointer: there hardly ever is one, and every event asks for it several times.
pub(crate) type Misfit = Box<(RuleId, String)>;

fn unfit(rule: RuleId, text: String) -> Misfit {
    Box::new((rule, text))
}

/// Keeps the last ones, so many at most.
fn remember<T>(all: &mut Vec<T>, most: usize, one: T) {
    if all.len() == most {
        all.remove(0);
    }
    all.push(one);
}

/// Follows the form of one run.
pub(crate) struct Form {
    order: order::Order,
    ends: ends::Ends,
    wire: wire::Wire,
    application: application::Applications,
    disk: disk::Disks,
    record: record::Recorded,
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
            record: record::Recorded::default(),
            script: script::Script::new(scenario, tick),
            effects: effects::Effects::new(scenario, tick),
            wall: wall::Wall::new(scenario),
            follows: true,
        }
    }

    /// One more event, not of a decision's facts.
    pub(crate) fn observe(&mut self, cast: &Cast, event: &Event) -> Option<Misfit> {
        if !self.follows {
            return None;
        }
        let found = self.fits(cast, event);
        self.follows = found.is_none();
        found
    }

    fn fits(&mut self, cast: &Cast, event: &Event) -> Option<Misfit> {
        first_of!(self.order.observe(event), self.looks(cast, event))
    }

    /// Of the parts only those have a look that such an event concerns: most events are frames, and half of these
    /// signs of life.
    fn looks(&mut self, cast: &Cast, event: &Event) -> Option<Misfit> {
        let Form { ends, wire, application, disk, record, script, effects, wall, .. } = self;
        match event.what {
            What::DeviceSent { frame: ClientFrame::Heartbeat, .. }
            | What::ServerSent { frame: ServerFrame::HeartbeatAnswer, .. } => {
                first_of!(ends.observe(event), disk.observe(event))
            }
            What::ServerReceived { frame: ClientFrame::Heartbeat, .. }
            | What::DeviceReceived { frame: ServerFrame::HeartbeatAnswer, .. }
            | What::Malformed { .. }
            | What::NoFrame { .. }
            | What::Connected { .. } => ends.observe(event),
            What::Gone { .. } => first_of!(ends.observe(event), wire.observe(cast, event)),
            What::CloseAsked { .. } => first_of!(
                ends.observe(event),
                wire.observe(cast, event),
                application.observe(cast, event),
                record.observe(cast, event)
            ),
            What::DeviceSent { .. } => first_of!(
                ends.observe(event),
                wire.observe(cast, event),
                application.observe(cast, event),
                disk.observe(event)
            ),
            What::DeviceReceived { .. } => first_of!(
                ends.observe(event),
                wire.observe(cast, event),
                application.observe(cast, event),
                record.observe(cast, event)
            ),
            What::ConnectAsked { .. } | What::ConnectFailed { .. } | What::Untrusted { .. } => {
                first_of!(ends.observe(event), wire.observe(cast, event), application.observe(cast, event))
            }
            What::ServerReceived { .. } | What::Opened { .. } => {
                first_of!(ends.observe(event), wire.observe(cast, event))
            }
            What::ServerSent { .. } => {
                first_of!(ends.observe(event), wire.observe(cast, event), disk.observe(event))
            }
            What::ServerStarted { .. } => {
                first_of!(ends.observe(event), wire.observe(cast, event), disk.observe(event), wall.observe(event))
            }
            What::Commit { .. } => first_of!(disk.observe(event), wall.observe(event)),
            What::Committed { .. } => disk.observe(event),
            What::Stored { .. } => first_of!(disk.observe(event), record.observe(cast, event)),
            What::StoreAsked { .. } => {
                first_of!(application.observe(cast, event), disk.observe(event), record.observe(cast, event))
            }
            What::TicketJudged { .. } | What::ClockChanged { .. } | What::StoodStill { .. } => wall.observe(event),
            What::KnownAs { .. } => first_of!(wire.observe(cast, event), application.observe(cast, event)),
            What::Called { .. } => {
                first_of!(application.observe(cast, event), record.observe(cast, event), script.observe(cast, event))
            }
            What::Answered { .. } | What::UninitReturned { .. } | What::Status { .. } => {
                application.observe(cast, event)
            }
            What::Told { .. } => first_of!(application.observe(cast, event), script.observe(cast, event)),
            What::NewDevice { .. } => first_of!(application.observe(cast, event), record.observe(cast, event)),
            What::Converged => first_of!(script.observe(cast, event), effects.observe(event)),
            What::NetworkChanged
            | What::SdkWoken
            | What::Configured { .. }
            | What::TicketMade { .. }
            | What::Stranger { .. }
            | What::OldKeyDropped => script.observe(cast, event),
            What::Fault { .. } | What::ScriptEnded => first_of!(
                wire.observe(cast, event),
                script.observe(cast, event),
                effects.observe(event),
                wall.observe(event)
            ),
            What::Effect { .. } => first_of!(
                ends.observe(event),
                wire.observe(cast, event),
                application.observe(cast, event),
                disk.observe(event),
                record.observe(cast, event),
                script.observe(cast, event),
                effects.observe(event)
            ),
            What::Fact { .. }
            | What::Dormant { .. }
            | What::StoreFailed
            | What::Stopping
            | What::EventsDropped
            | What::BackOff { .. }
            | What::LinkLost
            | What::LinkKept
            | What::RecordFailed
            | What::NotConverged { .. } => None,
        }
    }

    /// The server decided these facts, in an event of this number.
    pub(crate) fn decided(&mut self, at: Instant, number: u32, facts: &[Fact]) -> Option<Misfit> {
        let found = self.order.decided(at, number, facts).filter(|_| self.follows);
        self.follows &= found.is_none();
        found
    }
}
